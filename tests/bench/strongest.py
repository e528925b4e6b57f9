"""The strongest peer: of {eager, torch.compile} × {float32, bf16 autocast} the way of running a model
that is fastest on this machine. bf16 is tried where the processor has instructions for it, since
PyTorch emulates it elsewhere; torch.compile where PyTorch has it and it works.
VARIANTS="eager fp32,compile bf16" names those that are tried."""
import os
import time

import torch

INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}
WARM_UP, TIMED = 2, 3


class Variant:
    def __init__(self, compiled, narrow):
        self.compiled, self.narrow = compiled, narrow
        self.name = f"{'compile' if compiled else 'eager'} {'bf16' if narrow else 'fp32'}"

    def wrap(self, f):
        """f, compiled and under autocast as this variant has it."""
        inner = torch.compile(f, dynamic=False) if self.compiled else f
        if not self.narrow:
            return inner

        def narrow(*arguments):
            with torch.autocast("cpu", torch.bfloat16):
                return inner(*arguments)
        return narrow


EVERY = [Variant(compiled, narrow) for compiled in (False, True) for narrow in (False, True)]
EAGER = EVERY[0]


def has_bf16():
    with open("/proc/cpuinfo") as file:
        flags = next((line for line in file if line.startswith("flags")), "")
    return bool(INSTRUCTIONS & set(flags.split()))


def variants():
    chosen = os.environ.get("VARIANTS")
    if chosen:
        return [named(name) for name in chosen.split(",")]
    return [one for one in EVERY if (not one.compiled or hasattr(torch, "compile"))
            and (not one.narrow or has_bf16())]


def named(name):
    return next(one for one in EVERY if one.name == name)


def seconds(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def probe(make, variant):
    """→ the function that make(variant) returns and its shortest time; None where the variant fails:
    torch.compile requires a C++ compiler, and not every operation of every version."""
    try:
        f = make(variant)
        for _ in range(WARM_UP):
            f()
        return f, min(seconds(f) for _ in range(TIMED))
    except Exception as problem:  # noqa: BLE001  a compiler's failure has any type
        if variant is EAGER:
            raise
        print(f"  PyTorch, {variant.name}: fails: {str(problem).splitlines()[0][:90]}")
        return None


def fastest(row, make):
    """Times every variant, names the fastest, returns its function."""
    times, best = [], None
    for variant in variants():
        found = probe(make, variant)
        if found:
            times.append(f"{variant.name} {found[1] * 1e3:.0f} ms")
            if best is None or found[1] < best[1]:
                best = (*found, variant.name)
    print(f"  {row}: the strongest peer is {best[2]} ({', '.join(times)})", flush=True)
    return best[0]
