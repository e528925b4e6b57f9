"""Rows that need whole processes: heap requests, peak memory, the time from start to the first
step. As a program: processes.py memory|first FILE [WORK VARIANT], the peer's side."""
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

STARTS = 5
BUDGETS = {"w4": "500M"}  # train.memory: five of nine blocks are recomputed


def peak_bytes():
    """The peak of this program alone: a child inherits ru_maxrss from a large parent."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def start(command):
    """Seconds from a process's start to its line "ready", and to its next."""
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        marks = []
        for word in ("ready", ""):
            if not process.stdout.readline().startswith(word):
                sys.exit("processes.py: the process did not get ready; its message is above")
            marks.append(time.perf_counter() - begin)
        process.stdout.read()
    if process.returncode:
        sys.exit("processes.py: the process failed; its message is above")
    return marks


def write_images(folder, count=640, side=32, classes=7):
    """Bitmaps of noise, a folder per class. They are packed first, so that decoding is not timed."""
    size = side * side * 3
    header = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54 + size, 0, 0, 54, 40, side, side, 1, 24, 0,
                         size, 0, 0, 0, 0)
    for i in range(count):
        path = f"{folder}/class{i % classes}"
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/{i:04d}.bmp", "wb") as file:
            file.write(header + os.urandom(size))


def allocs(engine, folder, steps=40):
    """Calls of malloc and its relatives in a step after warm-up, by any part of the process."""
    library, count = folder + "/count.so", folder + "/count"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", library,
                    "tests/bench/preload/count.c"], check=True)
    with open(count, "wb") as file:
        file.write(bytes(8))
    process = subprocess.Popen(engine, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "LD_PRELOAD": library, "COUNT_FILE": count})

    def request(line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        with open(count, "rb") as file:
            return answer, struct.unpack("q", file.read(8))[0]
    request("work w1 /dev/null")
    _, before = request(f"allocs {steps}")  # warm-up: sizes all buffers
    answer, after = request(f"allocs {steps}")
    process.stdin.close()
    process.wait()
    print(f"  allocs        of a step: {(after - before) / steps:g} by the whole process, of which the "
          f"engine's and Lua's allocators {' and '.join(answer.split())}")
    print(f"ratio allocs {(after - before) / steps:.4g}", flush=True)


def own_peak(work, engine, budget=""):
    """MiB after five steps; budget: train.memory."""
    out = subprocess.run(engine, text=True, check=True, capture_output=True,
                         input=f"work {work} /dev/null {budget}\n" + "step\n" * 5 + "rss\n")
    return float(out.stdout.split()[-1]) / 2 ** 20


def memory(work, engine, peer, file):
    """Peak memory after five steps, against the variant of PyTorch that requires least."""
    import strongest
    ours, needs = own_peak(work, engine), {}
    for variant in strongest.variants():
        out = subprocess.run([*peer, "memory", file, work, variant.name], text=True, capture_output=True)
        if out.returncode == 0:
            needs[variant.name] = float(out.stdout.split()[-1]) / 2 ** 20
    least = min(needs, key=needs.get)
    every = ", ".join(f"{name} {size:.0f}" for name, size in needs.items())
    print(f"  memory_{work}     ours {ours:8.0f} MiB   PyTorch {needs[least]:8.0f} MiB, {least} (of {every}), "
          "whole processes, 5 steps")
    print(f"ratio memory_{work} {ours / needs[least]:.4g}", flush=True)
    if work in BUDGETS:
        limited = own_peak(work, engine, BUDGETS[work])
        print(f"  with train.memory = {BUDGETS[work]}: {limited:.0f} MiB")
        print(f"ratio memory_{work}_budget {limited / needs[least]:.4g}", flush=True)


def startup(aniso, peer, file, folder):
    write_images(folder + "/images")
    os.environ["XDG_CACHE_HOME"] = folder
    ours = [aniso, "exec", "tests/bench/first_step.lua", folder + "/images"]
    start(ours)  # packs the images
    pairs = [(start(ours), start([*peer, "first", file])) for _ in range(STARTS)]
    begun, ended = ([statistics.median(pair[side][mark] for pair in pairs) for side in (0, 1)]
                    for mark in (0, 1))
    print(f"  startup       ours {begun[0]:.3f} s   PyTorch {begun[1]:.3f} s, process start to the first "
          f"step of W1; to the end of that step {ended[0]:.3f} s and {ended[1]:.3f} s")
    print(f"startup_s {begun[0]:.3f}\nratio startup {begun[0] / begun[1]:.4g}", flush=True)


def measure(aniso, selected):
    engine, peer = [aniso, "exec", "tests/bench/engine.lua"], [sys.executable, __file__]
    rows = {"w1": {"allocs", "memory_w1", "startup"} & selected, "w4": {"memory_w4"} & selected}
    for work in [work for work in rows if rows[work]]:
        with tempfile.TemporaryDirectory() as folder:
            file = folder + "/sample.safetensors"
            subprocess.run(engine, input=f"work {work} {file}\n", text=True, check=True,
                           stdout=subprocess.DEVNULL)
            if "allocs" in rows[work]:
                allocs(engine, folder)
            if f"memory_{work}" in selected:
                memory(work, engine, peer, file)
            if "startup" in rows[work]:
                startup(aniso, peer, file, folder)


def as_peer(what, file, work="w1", variant="eager fp32"):
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    import torch

    import compare
    import peer
    import strongest
    torch.set_num_threads(2)
    tensors = compare.read_safetensors(file)
    model = peer.Model(work).to(memory_format=torch.channels_last)
    images = tensors["sample.images"]
    trainer = peer.Trainer(model, images, torch.zeros(len(images), dtype=torch.int64),
                           strongest.named(variant))
    print("ready", flush=True)
    for _ in range(5 if what == "memory" else 1):
        trainer.step()
    print(peak_bytes())


if __name__ == "__main__":
    as_peer(*sys.argv[1:])
