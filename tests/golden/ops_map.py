"""Goldens of elementwise operations, reductions, shapes, softmax and losses."""
import torch
import torch.nn.functional as F

from recorder import Draw, Golden

MAPS = {
    "relu": torch.relu, "gelu": F.gelu, "silu": F.silu, "sigmoid": torch.sigmoid,
    "tanh": torch.tanh, "softplus": F.softplus, "exp": torch.exp, "log": torch.log,
    "sqrt": torch.sqrt, "square": torch.square,
}
BINARY = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}


def elementwise(golden):
    for op, function in MAPS.items():
        draw = Draw(op)
        x = draw.normal(5, 17, scale=3.0)
        if op in ("log", "sqrt"):
            x = draw.uniform(5, 17, low=0.05, high=4.0)
        golden.op(op, op, {"x": x}, ["@x"], lambda t, f=function: f(t["x"]))
    shapes = {"same": ((3, 4, 5), (3, 4, 5)), "row": ((3, 4, 5), (5,)),
              "middle": ((3, 1, 5), (4, 1)), "scalar": ((2, 3), (1,))}
    for op, function in BINARY.items():
        for kind, (a, b) in shapes.items():
            draw = Draw(op + kind)
            tensors = {"a": draw.normal(*a), "b": draw.uniform(*b, low=0.5, high=2.0)}
            golden.op(f"{op} {kind}", op, tensors, ["@a", "@b"],
                      lambda t, f=function: f(t["a"], t["b"]))


def reductions(golden):
    x = Draw("reductions").normal(3, 4, 5)
    for op, function in {"sum": torch.sum, "mean": torch.mean}.items():
        golden.op(f"{op} all", op, {"x": x}, ["@x"], lambda t, f=function: f(t["x"]))
        for dim in (1, 2, 3):   # Lua's axes are 1-based
            golden.op(f"{op} axis {dim}", op, {"x": x}, ["@x", dim],
                      lambda t, f=function, d=dim - 1: f(t["x"], d))


def shapes(golden):
    x = Draw("shapes").normal(3, 4, 5)
    cases = {   # positions and axes are 1-based in Lua
        "repeat_rows": ([3], lambda x: x.repeat_interleave(3, 0)),
        "reshape": ([[2, -1]], lambda x: x.reshape(2, -1)),
        "permute": ([3, 1, 2], lambda x: x.permute(2, 0, 1)),
        "narrow": ([2, 2, 3], lambda x: x.narrow(1, 1, 3)),
        "expand": ([[2, 3, 4, 5]], lambda x: x.expand(2, 3, 4, 5)),
    }
    for op, (args, function) in cases.items():
        golden.op(op, op, {"x": x}, ["@x", *args], lambda t, f=function: f(t["x"]))
    y = Draw("concat").normal(3, 2, 5)
    golden.op("concat", "concat", {"x": x, "y": y}, [["@x", "@y"], 2],
              lambda t: torch.cat([t["x"], t["y"]], 1))


def softmaxes(golden):
    for rows, K in ((6, 7), (4, 33)):
        x = Draw(f"softmax{K}").normal(rows, K, scale=4.0)
        golden.op(f"softmax {K}", "softmax", {"x": x}, ["@x"],
                  lambda t: torch.softmax(t["x"], -1))
        golden.op(f"log_softmax {K}", "log_softmax", {"x": x}, ["@x"],
                  lambda t: torch.log_softmax(t["x"], -1))
    draw = Draw("mse")
    golden.op("mse", "mse", {"a": draw.normal(6, 7), "b": draw.normal(6, 7)}, ["@a", "@b"],
              lambda t: F.mse_loss(t["a"], t["b"]))


def xent(logits, labels, weight=None, adjust=None, margin=None, scale=1.0, focal=0.0,
         smoothing=0.0):
    """kernel/pointwise/cross_entropy.h in PyTorch; for focal = 0 it is checked against PyTorch's."""
    K = logits.shape[1]
    one_hot = F.one_hot(labels, K).double()
    z = logits
    if adjust is not None:
        z = z + adjust
    if margin is not None:
        z = z - one_hot * margin
    z = scale * z
    w = torch.ones(K).double() if weight is None else weight
    log_p = torch.log_softmax(z, 1)
    target = one_hot * (1 - smoothing) * w + smoothing * w / K
    p_true = (log_p * one_hot).sum(1).exp()
    rows = (1 - p_true) ** focal * -(target * log_p).sum(1)
    loss = rows.sum() / w[labels].sum()
    if focal == 0:
        own = F.cross_entropy(z, labels, weight=w, label_smoothing=smoothing)
        assert torch.allclose(loss, own, rtol=1e-12, atol=0), (loss, own)
    return loss


def cross_entropies(golden):
    counts = torch.tensor([6705., 1113., 1099., 514., 327., 142., 115.])
    vectors = {"weight": (1 / counts) * 7 / (1 / counts).sum(),
               "adjust": torch.log(counts / counts.sum()),
               "margin": 0.5 * (counts / 115) ** -0.25}
    variants = {
        "plain": {}, "weighted": {"weight": 1}, "focal": {"focal": 2.0},
        "focal weighted": {"focal": 1.5, "weight": 1},
        "ldam": {"margin": 1, "scale": 30.0}, "ldam weighted": {"margin": 1, "weight": 1,
                                                                "scale": 10.0},
        "logit adjustment": {"adjust": 1}, "smoothing": {"smoothing": 0.1},
        "smoothing weighted": {"smoothing": 0.2, "weight": 1},
    }
    for kind, options in variants.items():
        draw = Draw("xent" + kind)
        # LDAM's logits are cosines: with scale 30 they must be within ±1
        logits = draw.normal(12, 7, scale=0.3 if "scale" in options else 2.0)
        tensors = {"logits": logits, "labels": draw.labels(12, 7)}
        used = [k for k in options if k in vectors]
        tensors.update({k: vectors[k] for k in used})
        numbers = {k: v for k, v in options.items() if k not in vectors}
        lua_options = {**numbers, **{k: "@" + k for k in used}}
        golden.op(f"cross_entropy {kind}", "cross_entropy", tensors,
                  ["@logits", "@labels", lua_options],
                  lambda t, u=used, n=numbers: xent(t["logits"], t["labels"],
                                                    **{k: t[k] for k in u}, **n),
                  fixed=used)


def build(path):
    golden = Golden(path)
    elementwise(golden)
    reductions(golden)
    shapes(golden)
    softmaxes(golden)
    cross_entropies(golden)
    return golden.write()
