"""The row ingest: 10,015 JPEGs decoded, resized to 32×32 and packed, against Pillow in two
processes. The images are those of the folder DATA, or generated ones of 200×150 pixels."""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

COUNT, SIDE, CLASSES, WORKERS = 10015, 32, 7, 2


def generate(start, folder):
    """Every WORKERS-th picture from `start`: soft spots and grain, with the file size of photographs."""
    from PIL import Image
    y, x = np.mgrid[:150, :200].astype(np.float32)
    for i in range(start, COUNT, WORKERS):
        rng = np.random.default_rng(i)
        picture = rng.normal(0, 6, (150, 200, 3)).astype(np.float32) + rng.uniform(120, 230, 3)
        for _ in range(3):
            cy, cx, r = rng.uniform(30, 120), rng.uniform(40, 160), rng.uniform(8, 40)
            spot = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / r ** 2)
            picture -= spot[:, :, None] * rng.uniform(20, 110, 3)
        path = f"{folder}/class{i % CLASSES}/{i:05d}.jpg"
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path, quality=90)


def fill(folder):
    for k in range(CLASSES):
        os.makedirs(f"{folder}/class{k}")
    data = os.environ.get("DATA")
    if data:
        for i, path in enumerate(sorted(Path(data).rglob("*.jpg"))[:COUNT]):
            os.symlink(path.resolve(), f"{folder}/class{i % CLASSES}/{path.name}")
        return
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(generate, range(WORKERS), [folder] * WORKERS))


def decode(paths):
    from PIL import Image
    out = np.empty((len(paths), SIDE, SIDE, 3), np.uint8)
    for i, path in enumerate(paths):
        with Image.open(path) as image:
            out[i] = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))
    return out


def theirs(folder, packed):
    """A script with Pillow: two processes, the result in one file."""
    paths = sorted(map(str, Path(folder).rglob("*.jpg")))
    begin = time.perf_counter()
    with ProcessPoolExecutor(WORKERS) as pool:
        parts = pool.map(decode, [paths[i:i + 64] for i in range(0, len(paths), 64)])
        np.save(packed, np.concatenate(list(parts)))
    return time.perf_counter() - begin


def ours(aniso, folder, cache):
    subprocess.run(["rm", "-rf", cache], check=True)
    begin = time.perf_counter()
    subprocess.run([aniso, "data", "import", folder, "--set", f"size={SIDE}"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, "XDG_CACHE_HOME": cache})
    return time.perf_counter() - begin


def measure(aniso, rounds=3):
    try:
        import PIL
    except ImportError:
        sys.exit("ingest.py: Pillow is missing (Debian: python3-pil)")
    with tempfile.TemporaryDirectory() as folder:
        fill(folder + "/images")
        n = sum(1 for _ in Path(folder + "/images").rglob("*.jpg"))
        pairs = [(ours(aniso, folder + "/images", folder + "/cache"),
                  theirs(folder + "/images", folder + "/packed.npy")) for _ in range(rounds + 1)][1:]
    a, b = (statistics.median(side) for side in zip(*pairs))
    print(f"  ingest        ours {a:.2f} s   Pillow {PIL.__version__} in {WORKERS} processes {b:.2f} s, "
          f"{n} JPEGs to {SIDE}×{SIDE}, hashed and packed")
    print(f"ratio ingest {statistics.median(x / y for x, y in pairs):.4g}", flush=True)
