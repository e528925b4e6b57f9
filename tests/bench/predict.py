"""The row predict_224: JPEG files of 224 to 450 pixels to class probabilities, `aniso predict` against PyTorch, whole
processes in turn. Both have the same ResNet-18 at 224 px, crops, denoiser and weights, DDIM with 5 steps and 8 draws.
PyTorch decodes and resizes with Pillow in two workers of a DataLoader. As a program: predict.py MODEL FOLDER VARIANT,
the peer's side, which prints elapsed and processor seconds without its start."""
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import compare
import peer
import strongest

SIDE, BATCH, STEPS, DRAWS, FEW = 224, 16, 5, 8, 8
COUNT = int(os.environ.get("PREDICT_IMAGES", "300"))


def write_jpegs(folder, count):
    """Smooth pictures with a little noise, which a photograph has too."""
    random = np.random.default_rng(0)
    for i in range(count):
        size = tuple(int(n) for n in random.integers(SIDE, 451, 2))
        small = random.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        picture = np.asarray(Image.fromarray(small).resize(size, Image.BICUBIC), dtype=np.int16)
        noisy = np.clip(picture + random.integers(-6, 7, picture.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(f"{folder}/{i:04d}.jpg", quality=90)


class Files(torch.utils.data.Dataset):
    def __init__(self, folder, mean, std):
        self.paths = sorted(Path(folder).glob("*.jpg"))
        self.mean, self.std = (np.asarray(values, np.float32) for values in (mean, std))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        with Image.open(self.paths[i]) as image:
            pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.BILINEAR), np.float32)
        return torch.from_numpy((pixels / 255 - self.mean) / self.std)


def load(path, folder):
    """The peer with the weights of a model file, and the loader of a folder's images."""
    tensors = compare.read_safetensors(path)
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    form = json.loads(header["__metadata__"]["aniso.state"])["input"]
    model = peer.Model("w4")
    model.load_state_dict({name.split(".", 1)[1]: tensor for name, tensor in tensors.items()
                           if name.startswith(("net.", "den."))}, strict=False)
    model = model.to(memory_format=torch.channels_last)
    loader = torch.utils.data.DataLoader(Files(folder, form["mean"], form["std"]), BATCH, num_workers=2)
    return model, loader


def probabilities(predictor, images):
    """(B, K): softmax of each chain's label, the mean of an image's chains."""
    labels = predictor.predict(images, STEPS, DRAWS, False)
    return torch.softmax(labels.float(), 1).unflatten(0, (len(images), DRAWS)).mean(1)


def processor_seconds():
    """Of all processes that ended, and of those that they waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def seconds(*command):
    """Elapsed and processor seconds of a command, and its output."""
    start, busy = time.perf_counter(), processor_seconds()
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return time.perf_counter() - start, processor_seconds() - busy, out


def compare_priors(aniso, model_path, folder, model, loader):
    """The largest difference of the prior's highest probability: decoding, resizing and the network agree."""
    out = seconds(aniso, "predict", model_path, folder, "--format", "jsonl")[2]
    ours = [json.loads(line)["prior_confidence"] for line in out.splitlines() if line.startswith("{")]
    with torch.inference_mode():
        theirs = [p for images in loader for p in model.eval().encode_images(images)[1]["m"].amax(1).tolist()]
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True))


def strongest_name(model, loader):
    images = next(iter(loader))

    def make(variant):
        predictor = peer.Predictor(model, variant)

        def run():
            return probabilities(predictor, images)
        run.variant = variant.name
        return run
    return strongest.fastest("predict_224", make).variant


def measure(aniso, rounds):
    with tempfile.TemporaryDirectory() as folder:
        path, all_of, few = folder + "/model.safetensors", folder + "/all", folder + "/few"
        subprocess.run([aniso, "exec", "tests/bench/predict_model.lua", path], check=True)
        for name, count in ((all_of, COUNT), (few, FEW)):
            os.mkdir(name)
            write_jpegs(name, count)
        model, loader = load(path, few)
        print(f"  the priors of {FEW} images differ by {compare_priors(aniso, path, few, model, loader):.1e}")
        variant = strongest_name(model, loader)
        rows = []
        for _ in range(rounds):
            whole, part = (seconds(aniso, "predict", path, files, "--format", "csv", "--threads", "2")
                           for files in (all_of, few))
            theirs = seconds(sys.executable, __file__, path, all_of, variant)
            steady, busy = map(float, theirs[2].split())
            rows.append((whole[0] / COUNT, theirs[0] / COUNT, (whole[1] - part[1]) / (COUNT - FEW), busy / COUNT,
                         (whole[0] - part[0]) / (COUNT - FEW), steady / COUNT))
        median = [statistics.median(column) for column in zip(*rows)]
        print(f"  whole processes of {COUNT} images: ours {1 / median[0]:.2f} images/s, PyTorch {1 / median[1]:.2f}, "
              f"ratio of times {statistics.median(r[0] / r[1] for r in rows):.4g}\n  processor time of an image "
              f"without the start: ours {median[2] * 1e3:.1f} ms, PyTorch {median[3] * 1e3:.1f} ms, "
              f"ratio {statistics.median(r[2] / r[3] for r in rows):.4g}")
        compare.report("predict_224", median[4], median[5], statistics.median(r[4] / r[5] for r in rows))


def main(path, folder, name):
    torch.set_num_threads(2)
    model, loader = load(path, folder)
    predictor = peer.Predictor(model, strongest.named(name))
    start, busy = time.perf_counter(), time.process_time()
    for images in loader:
        probabilities(predictor, images)
    del images
    print(time.perf_counter() - start, time.process_time() - busy + processor_seconds())


if __name__ == "__main__":
    main(*sys.argv[1:])
