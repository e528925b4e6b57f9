"""Rows that need whole processes: peak memory, and the time from start to the first step.
As a program: processes.py memory|first WORK FILE, the peer's side."""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

STARTS = 3


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(aniso, wanted):
    if not {"memory_w1", "startup"} & wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = folder + "/sample.safetensors"
        # the same batch for both; making it also packs the data, as any earlier run would have
        subprocess.run([aniso, "exec", "tests/bench/engine.lua"], input=f"work w1 {file}\n", text=True,
                       check=True, stdout=subprocess.DEVNULL)
        peer = [sys.executable, __file__]
        if "memory_w1" in wanted:
            out = subprocess.run([aniso, "exec", "tests/bench/engine.lua"], text=True, check=True,
                                 input="work w1 /dev/null\n" + "step\n" * 5 + "rss\n", capture_output=True)
            ours = float(out.stdout.split()[-1]) / 2 ** 20
            out = subprocess.run([*peer, "memory", file], text=True, check=True, capture_output=True)
            theirs = float(out.stdout) / 2 ** 20
            print(f"  memory_w1     ours {ours:8.0f} MiB   PyTorch {theirs:8.0f} MiB, whole processes, 5 steps")
            print(f"ratio memory_w1 {ours / theirs:.4g}", flush=True)
        if "startup" in wanted:
            pairs = [(seconds([aniso, "exec", "tests/bench/first_step.lua"]),
                      seconds([*peer, "first", file])) for _ in range(STARTS)]
            ours, theirs = (statistics.median(side) for side in zip(*pairs))
            print(f"  startup       ours {ours:.3f} s   PyTorch {theirs:.3f} s, process start to its end "
                  "after one step of W1")
            print(f"startup_s {ours:.3f}\nratio startup {ours / theirs:.4g}", flush=True)


def as_peer(what, file):
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    import torch

    import compare
    import peer
    torch.set_num_threads(2)
    tensors = compare.read_safetensors(file)
    model = peer.Model("w1").to(memory_format=torch.channels_last)
    images = tensors["sample.images"]
    trainer = peer.Trainer(model, images, torch.zeros(len(images), dtype=torch.int64))
    for _ in range(5 if what == "memory" else 1):
        trainer.step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    as_peer(*sys.argv[1:])
