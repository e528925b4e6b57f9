"""Goldens of products, convolution, pooling and normalisation. The engine's images are
channels-last (B, H, W, C), its parameters have PyTorch's layouts."""
import torch
import torch.nn.functional as F

from recorder import Draw, Golden


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def products(golden):
    for name, shape in {"rows": (6, 5), "tokens": (2, 7, 5), "wide": (33, 70)}.items():
        draw = Draw("linear" + name)
        tensors = {"x": draw.normal(*shape), "w": draw.normal(9, shape[-1], scale=0.3),
                   "b": draw.normal(9)}
        golden.op(f"linear {name}", "linear", tensors, ["@x", "@w", "@b"],
                  lambda t: F.linear(t["x"], t["w"], t["b"]))
    draw = Draw("linear without bias")
    golden.op("linear without bias", "linear",
              {"x": draw.normal(4, 5), "w": draw.normal(3, 5)}, ["@x", "@w"],
              lambda t: F.linear(t["x"], t["w"]))
    for batch in ((), (3,)):
        for ta in (False, True):
            for tb in (False, True):
                sides = ("T" if ta else "N") + ("T" if tb else "N")
                name = f"matmul {'batched ' if batch else ''}{sides}"
                draw = Draw(name)
                a = draw.normal(*batch, *((6, 4) if ta else (4, 6)))
                b = draw.normal(*batch, *((5, 6) if tb else (6, 5)))
                golden.op(name, "matmul", {"a": a, "b": b}, ["@a", "@b", ta, tb],
                          lambda t, ta=ta, tb=tb: torch.matmul(
                              t["a"].mT if ta else t["a"], t["b"].mT if tb else t["b"]))


# name: (B, H, W, C), (O, kh, kw), stride, pad, bias
CONVOLUTIONS = {
    "3x3": ((2, 8, 8, 16), (24, 3, 3), 1, 1, False),
    "3x3 odd": ((2, 7, 9, 3), (5, 3, 3), 1, 1, True),
    "3x3 stride 2": ((2, 9, 8, 8), (16, 3, 3), 2, 1, False),
    "3x3 no pad": ((1, 6, 7, 4), (6, 3, 3), 1, 0, True),
    "1x1": ((2, 5, 6, 12), (7, 1, 1), 1, 0, True),
    "1x1 stride 2": ((2, 8, 8, 8), (16, 1, 1), 2, 0, False),
    "7x7 stride 2": ((1, 16, 16, 3), (8, 7, 7), 2, 3, False),
    "5x3 pad 2": ((1, 6, 6, 2), (3, 5, 3), 1, 2, True),
    "one pixel": ((3, 1, 1, 4), (5, 3, 3), 1, 1, True),
}


def convolutions(golden):
    for name, (shape, (O, kh, kw), stride, pad, bias) in CONVOLUTIONS.items():
        draw = Draw("conv" + name)
        fan_in = shape[3] * kh * kw
        tensors = {"x": draw.normal(*shape),
                   "w": draw.normal(O, shape[3], kh, kw, scale=fan_in ** -0.5)}
        if bias:
            tensors["b"] = draw.normal(O)
        golden.op(f"conv2d {name}", "conv2d", tensors,
                  ["@x", "@w", "@b" if bias else "nil", stride, pad],
                  lambda t, s=stride, p=pad: nhwc(F.conv2d(nchw(t["x"]), t["w"], t.get("b"),
                                                           stride=s, padding=p)))


def top_pool(x, percent):
    """(B, h, w, K) → (B, K): mean of the max(1, round(percent/100·h·w)) largest."""
    flat = x.flatten(1, 2)
    count = max(1, int(percent / 100 * flat.shape[1] + 0.5))
    return flat.topk(count, 1).values.mean(1)


def pools(golden):
    x = Draw("pool").normal(2, 8, 9, 5)
    for size, stride, pad in ((2, 2, 0), (3, 2, 1), (3, 1, 1)):
        golden.op(f"max_pool2d {size}/{stride}/{pad}", "max_pool2d", {"x": x},
                  ["@x", size, stride, pad], lambda t, a=(size, stride, pad):
                  nhwc(F.max_pool2d(nchw(t["x"]), *a)))
    for size, stride in ((2, 2), (3, 2)):
        golden.op(f"avg_pool2d {size}/{stride}", "avg_pool2d", {"x": x}, ["@x", size, stride],
                  lambda t, a=(size, stride): nhwc(F.avg_pool2d(nchw(t["x"]), *a)))
    golden.op("global_avg_pool", "global_avg_pool", {"x": x}, ["@x"],
              lambda t: t["x"].mean((1, 2)))
    for percent in (0.5, 10.0, 37.0, 100.0):
        golden.op(f"top_pool {percent}", "top_pool", {"x": x}, ["@x", percent],
                  lambda t, p=percent: top_pool(t["x"], p))


def batch_norms(golden):
    for train in (True, False):
        for residual in (False, True):
            for relu in (False, True):
                name = " ".join(["batch_norm", "train" if train else "eval"]
                                + ["residual"] * residual + ["relu"] * relu)
                batch_norm(golden, name, train, residual, relu)


def batch_norm(golden, name, train, residual, relu):
    draw = Draw(name)
    tensors = {"x": draw.normal(3, 4, 5, 6, scale=2.0, shift=0.7),
               "gamma": draw.uniform(6, low=0.5, high=1.5), "beta": draw.normal(6),
               "running_mean": draw.normal(6), "running_var": draw.uniform(6, low=0.5, high=2.0)}
    if residual:
        tensors["residual"] = draw.normal(3, 4, 5, 6)

    def reference(t):
        y = nhwc(F.batch_norm(nchw(t["x"]), t["running_mean"], t["running_var"], t["gamma"],
                              t["beta"], train, 0.1, 1e-5))
        y = y + t["residual"] if residual else y
        return torch.relu(y) if relu else y

    running = ("running_mean", "running_var")
    options = {"train": train, "relu": relu, "momentum": 0.1, "eps": 1e-5}
    golden.op(name, "batch_norm", tensors,
              ["@x", "@gamma", "@beta", "@running_mean", "@running_var", options,
               "@residual" if residual else "nil"],
              reference, fixed=running, after=running)


def layer_norms(golden):
    draw = Draw("layer_norm")
    tensors = {"x": draw.normal(3, 4, 24, scale=2.0, shift=1.0), "gamma": draw.normal(24),
               "beta": draw.normal(24)}
    golden.op("layer_norm", "layer_norm", tensors, ["@x", "@gamma", "@beta", 1e-5],
              lambda t: F.layer_norm(t["x"], (24,), t["gamma"], t["beta"], 1e-5))
    golden.op("layer_norm plain", "layer_norm", {"x": tensors["x"]},
              ["@x", "nil", "nil", 1e-6], lambda t: F.layer_norm(t["x"], (24,), eps=1e-6))


def build(path):
    golden = Golden(path)
    for part in (products, convolutions, pools, batch_norms, layer_norms):
        part(golden)
    return golden.write()
