"""compare.py ANISO KERNELS [ROW…]: times the engine against PyTorch in alternating rounds and prints
a line `ratio NAME VALUE` per row (ours / PyTorch's, medians). Both sides have the same weights; their outputs are compared first."""
import json
import math
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

import peer
import processes
import strongest

ROUNDS = int(os.environ.get("ROUNDS", "7"))
TEST_IMAGES, DRAWS = 3004, 8
CONVS = [  # B H C O kernel stride, whether the data gradient is needed: the 3×3 of W1, W2, W3
    (128, 32, 3, 32, 3, 1, 0), (128, 32, 32, 32, 3, 1, 1), (128, 32, 32, 64, 3, 2, 1),
    (128, 16, 64, 64, 3, 1, 1), (128, 16, 64, 128, 3, 2, 1), (128, 8, 128, 128, 3, 1, 1),
    (512, 16, 3, 16, 3, 1, 0), (512, 16, 16, 16, 3, 1, 1), (512, 16, 16, 32, 3, 2, 1),
    (512, 8, 32, 32, 3, 1, 1), (64, 64, 32, 32, 3, 1, 1), (64, 64, 32, 64, 3, 2, 1),
    (64, 32, 64, 64, 3, 1, 1), (64, 32, 64, 128, 3, 2, 1), (64, 16, 128, 128, 3, 1, 1),
    (32, 16, 64, 64, 3, 1, 1), (32, 16, 64, 128, 3, 2, 1), (32, 8, 128, 128, 3, 1, 1),
    (32, 8, 128, 256, 3, 2, 1), (32, 4, 256, 256, 3, 1, 1), (32, 4, 256, 512, 3, 2, 1),
    (32, 2, 512, 512, 3, 1, 1)]


class Engine:
    """A process that answers each line of input with a line of output."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def request(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit("compare.py: the engine ended; its message is above")
        return answer

    def seconds(self, *words):
        return float(self.request(*words)[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        body = file.read()
    kinds = {"F32": np.float32, "I64": np.int64}
    return {name: torch.from_numpy(np.frombuffer(body[slice(*entry["data_offsets"])],
                                                 kinds[entry["dtype"]]).reshape(entry["shape"]).copy())
            for name, entry in header.items() if name != "__metadata__"}


def timed(f, *arguments):
    start = time.perf_counter()
    f(*arguments)
    return time.perf_counter() - start


def in_turn(ours, theirs, rounds=ROUNDS):
    """Medians of both sides and of the ratios, after a warm-up round."""
    pairs = [(ours(), theirs()) for _ in range(rounds + 1)][1:]
    a, b = zip(*pairs)
    return statistics.median(a), statistics.median(b), statistics.median(x / y for x, y in pairs)


def report(name, ours, theirs, ratio, unit="ms", scale=1e3):
    print(f"  {name:13s} ours {ours * scale:10.2f} {unit}   PyTorch {theirs * scale:10.2f} {unit}")
    print(f"ratio {name} {ratio:.4g}", flush=True)


def load(aniso, work):
    """Loads both sides with the same weights and compares their outputs on one batch."""
    engine = Engine(aniso, "exec", "tests/bench/engine.lua")
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/sample.safetensors"
        engine.request("work", work, path)
        tensors = read_safetensors(path)
    sample = {key[7:]: tensors.pop(key) for key in list(tensors) if key.startswith("sample.")}
    model = peer.Model(work).train()
    missing, unknown = model.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unknown:
        sys.exit(f"compare.py: parameters differ: missing {missing}, unknown {unknown}")
    model = model.to(memory_format=torch.channels_last)
    # both updated equal moments with momentum 0.1 on this batch: compare before any step
    # on W3's 2×2 maps many windows tie and rounding decides: the peer takes the engine's windows
    model.prior.given = sample["positions"]
    with torch.no_grad():
        out, prior = model(sample["images"], sample["y"], sample["t"])
    model.prior.given = None
    worst = [((a - b).abs().max() / b.abs().max()).item()
             for a, b in ((prior["m"], sample["m"]), (out, sample["out"]))]
    print(f"  {work}: outputs differ by {worst[0]:.1e} (prior) and {worst[1]:.1e} (denoiser) of the "
          "largest")
    if max(worst) > 2e-3:
        sys.exit("compare.py: the two do not compute the same; nothing was timed")
    labels = torch.randint(0, peer.K, (len(sample["images"]),))
    return engine, model, sample["images"], labels


def train(aniso, selected):
    for work in ("w1", "w2", "w3", "w4", "w5"):
        row = f"train_{work}"
        if row in selected:
            engine, *data = load(aniso, work)
            step = strongest.fastest(row, lambda variant: peer.Trainer(*data, variant).step)
            report(row, *in_turn(lambda: engine.seconds("step"), lambda: timed(step), max(ROUNDS, 5)))
            if strongest.has_bf16():
                narrow(aniso, work, lambda: timed(step))
            if work in processes.BUDGETS:
                budget(aniso, work, engine)
            engine.close()


def narrow(aniso, work, peers_step):
    """Our step with train.precision = bfloat16 against the same peer, the fastest of both precisions."""
    engine = Engine(aniso, "exec", "tests/bench/engine.lua")
    engine.request("work", work, "/dev/null", "none", "bfloat16")
    report(f"train_{work}_bf16", *in_turn(lambda: engine.seconds("step"), peers_step, max(ROUNDS, 5)))
    engine.close()


def budget(aniso, work, engine):
    """A step with train.memory over one without, both ours."""
    limited = Engine(aniso, "exec", "tests/bench/engine.lua")
    limited.request("work", work, "/dev/null", processes.BUDGETS[work])
    with_it, without, ratio = in_turn(lambda: limited.seconds("step"), lambda: engine.seconds("step"))
    print(f"  with train.memory = {processes.BUDGETS[work]}: {with_it * 1e3:.2f} ms, without "
          f"{without * 1e3:.2f} ms")
    print(f"ratio train_{work}_budget {ratio:.4g}", flush=True)
    limited.close()


class Evaluation:
    """One network's reverse chains on both sides, on the engine's test images."""

    def __init__(self, aniso, work):
        self.engine, self.model, images, _ = load(aniso, work)
        count = int(self.engine.request("work", work, "/dev/null")[0])
        self.images = images.repeat(math.ceil(count / len(images)), 1, 1, 1)[:count]
        self.scale, self.rounds = TEST_IMAGES / count, min(ROUNDS, 3)
        self.peer = strongest.fastest(work, self.variant)()

    def variant(self, variant):
        """A function that predicts and returns its predictor."""
        predictor = peer.Predictor(self.model, variant)

        def run():
            predictor.predict(self.images, 10, DRAWS, False)
            return predictor
        return run

    def ours(self, kind, steps):
        return self.engine.seconds("predict", kind, steps, DRAWS)

    def theirs(self, kind, steps):
        return timed(self.peer.predict, self.images, steps, DRAWS, kind == "ddpm")

    def ddim(self):
        times = in_turn(lambda: self.ours("ddim", 20), lambda: self.theirs("ddim", 20), self.rounds)
        report("eval_ddim", times[0] * self.scale, times[1] * self.scale, times[2], "s", 1)

    def full(self, most):
        """Seconds of 1,000 steps, ours and theirs, from the fastest rounds of 10 and of `most`."""
        def fastest(steps):
            pairs = [(self.ours("ddpm", steps), self.theirs("ddpm", steps))
                     for _ in range(self.rounds + 1)]
            return [min(side) for side in zip(*pairs)]
        few, many = fastest(10), fastest(most)
        return [(few[i] + (many[i] - few[i]) / (most - 10) * 990) * self.scale for i in (0, 1)]

    def diffmic(self):
        """Seconds of DiffMIC's loop, from three of its timesteps."""
        loops = [[timed(peer.diffmic_loop, self.model, self.images, n) for n in (1, 4)]
                 for _ in range(3)]
        few, many = (min(side) for side in zip(*loops))
        return (many - few) / 3 * 1000 * DRAWS * self.scale


def evaluation(aniso, selected):
    if not {"eval_full", "eval_ddim", "eval_diffmic"} & selected:
        return
    print(f"  evaluation is measured on fewer images and scaled to {TEST_IMAGES}, {DRAWS} draws; 1,000 "
          "steps from the\n  difference of 30 and 10, DiffMIC's loop from three of its timesteps")
    if {"eval_full", "eval_ddim"} & selected:
        own = Evaluation(aniso, "w1")
        if "eval_ddim" in selected:
            own.ddim()
        if "eval_full" in selected:
            ours, theirs = own.full(30)
            report("eval_full", ours, theirs, ours / theirs, "s", 1)
            print(f"  DiffMIC's loop with this network, encoder in each timestep: {own.diffmic():.0f} s")
        own.engine.close()
    if "eval_diffmic" in selected:
        film = Evaluation(aniso, "w1_film")
        (ours, good), published = film.full(210), film.diffmic()
        print(f"  the film network, optimised, in PyTorch: {good:.2f} s")
        report("eval_diffmic", ours, published, ours / published, "s", 1)
        film.engine.close()


def conv_seconds(B, H, C, O, kernel, stride):
    x = torch.randn(B, C, H, H).contiguous(memory_format=torch.channels_last)
    w = torch.randn(O, C, kernel, kernel).contiguous(memory_format=torch.channels_last)

    def backward(dy, mask):
        torch.ops.aten.convolution_backward(dy, x, w, None, [stride] * 2, [kernel // 2] * 2, [1, 1],
                                            False, [0, 0], 1, mask)
    y = torch.nn.functional.conv2d(x, w, None, stride, kernel // 2)
    for _ in range(2):
        out = [timed(torch.nn.functional.conv2d, x, w, None, stride, kernel // 2),
               timed(backward, y, [True, False, False]), timed(backward, y, [False, True, False])]
    return out


def kernels(program):
    engine, logs = Engine(program), []
    peak = max(4 * 2 * 512 ** 3 / engine.seconds("gemm", 512, 512, 512, 2) / 2 for _ in range(9)) * 1e-9
    print(f"  sgemm 512³ on both cores: {peak:.0f} GFLOP/s; below: GFLOP/s of the definition's operations")
    print("     B   H   C   O /s   forward ours torch   data ours torch   weight ours torch   ratio")
    for B, H, C, O, kernel, stride, data in CONVS:
        pairs = [([float(x) for x in engine.request("conv", B, H, C, O, kernel, stride)],
                  conv_seconds(B, H, C, O, kernel, stride)) for _ in range(min(ROUNDS, 5))]
        ours, theirs = ([statistics.median(side[i] for side in sides) for i in range(3)]
                        for sides in zip(*pairs))
        flops = 2e-9 * B * (H // stride) ** 2 * C * O * kernel ** 2
        used = (0, 1, 2) if data else (0, 2)
        ratio = sum(ours[i] for i in used) / sum(theirs[i] for i in used)
        logs.append(math.log(ratio))
        cells = "   ".join(f"{flops / ours[i]:9.0f} {flops / theirs[i]:6.0f}" for i in range(3))
        print(f"  {B:4d} {H:3d} {C:3d} {O:3d} /{stride}   {cells}   {ratio:9.2f}", flush=True)
    print(f"ratio conv3x3 {math.exp(sum(logs) / len(logs)):.4g}")
    engine.close()


def threads(aniso):
    digests, times = [], {1: [], 2: []}
    engines = {n: load(aniso, "w1")[0] for n in times}
    for n, engine in engines.items():
        engine.request("threads", n)
        engine.request("step")
    for _ in range(ROUNDS):
        for n, engine in engines.items():
            times[n].append(engine.seconds("step"))
    digests = {engine.request("digest")[0] for engine in engines.values()}
    if len(digests) != 1:
        sys.exit("compare.py: one and two threads do not give the same bits")
    one, two = (statistics.median(times[n]) for n in (1, 2))
    print(f"  one thread {one * 1e3:.1f} ms, two {two * 1e3:.1f} ms, same bits after {ROUNDS + 1} steps")
    print(f"ratio threads {two / one:.4g}", flush=True)
    for engine in engines.values():
        engine.close()


def main(aniso, program, *rows):
    torch.set_num_threads(2)
    torch.manual_seed(0)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; medians of {ROUNDS} alternating rounds")
    known = ["train_w1", "train_w2", "train_w3", "train_w4", "train_w5", "eval_ddim", "eval_full",
             "eval_diffmic", "conv3x3", "threads", "allocs", "memory_w1", "memory_w4", "startup", "sweep10", "ingest",
             "linear", "sweep10_features", "classes", "predict_224", "jobs"]
    selected = set(rows or known)
    if selected - set(known):
        sys.exit(f"compare.py: unknown rows {sorted(selected - set(known))}; known: {' '.join(known)}")
    train(aniso, selected)
    evaluation(aniso, selected)
    if "conv3x3" in selected:
        kernels(program)
    if "threads" in selected:
        threads(aniso)
    import features
    import ingest
    processes.measure(aniso, selected)
    if "sweep10" in selected:  # compares the engine with itself, without PyTorch
        sys.stdout.flush()
        subprocess.run([aniso, "exec", "tests/bench/sweep10.lua", str(min(ROUNDS, 3))], check=True)
    if "classes" in selected:
        sys.stdout.flush()
        subprocess.run([aniso, "exec", "tests/bench/classes.lua", str(min(ROUNDS, 3))], check=True)
    if "jobs" in selected:  # ours over ours, too
        sys.stdout.flush()
        subprocess.run([aniso, "exec", "tests/bench/jobs.lua", str(min(ROUNDS, 3))], check=True)
    if "ingest" in selected:
        ingest.measure(aniso)
    if "predict_224" in selected:
        import predict
        predict.measure(os.path.abspath(aniso), min(ROUNDS, 5))
    features.measure(aniso, selected, min(ROUNDS, 3))


if __name__ == "__main__":
    main(*sys.argv[1:])
