"""Goldens of attention, embeddings and the maximum mean discrepancy."""
import math

import torch

from recorder import Draw, Golden


def attention_weights(q, k, heads):
    """q (B, Lq, D), k (B, Lk, D) → (B, heads, Lq, Lk)."""
    def split(x):
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)
    q, k = split(q), split(k)
    return torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), -1)


def attention(q, k, v, heads):
    """Multi-head attention core; query row i reads key row i // repeat (METHOD §5)."""
    repeat = q.shape[0] // k.shape[0]
    k, v = k.repeat_interleave(repeat, 0), v.repeat_interleave(repeat, 0)
    values = v.unflatten(-1, (heads, -1)).transpose(1, 2)
    return (attention_weights(q, k, heads) @ values).transpose(1, 2).flatten(2)


# name: Bk, repeat, Lq, Lk, D, heads. 65 keys cross the kernel's tiles of 32.
ATTENTIONS = {"one head": (2, 1, 5, 7, 8, 1), "four heads": (2, 1, 7, 7, 16, 4),
              "repeat": (2, 3, 7, 20, 16, 2), "many keys": (1, 2, 3, 65, 24, 3)}


def attentions(golden):
    for name, (Bk, repeat, Lq, Lk, D, heads) in ATTENTIONS.items():
        draw = Draw("attention" + name)
        tensors = {"q": draw.normal(Bk * repeat, Lq, D), "k": draw.normal(Bk, Lk, D),
                   "v": draw.normal(Bk, Lk, D)}
        golden.op(f"attention {name}", "attention", tensors, ["@q", "@k", "@v", heads],
                  lambda t, h=heads: attention(t["q"], t["k"], t["v"], h))


def timestep_embedding(t, D, max_period):
    f = max_period ** (-torch.arange(D // 2).double() / (D // 2))
    angle = t.double()[:, None] * f
    return torch.cat([angle.cos(), angle.sin()], 1)


def embeddings(golden):
    draw = Draw("embedding")
    tensors = {"w": draw.normal(6, 5), "index": torch.tensor([[0, 5, 2], [2, 2, 1]])}
    golden.op("embedding", "embedding", tensors, ["@w", "@index"],
              lambda t: t["w"][t["index"]])
    golden.op("timestep_embedding", "timestep_embedding",
              {"t": torch.tensor([0, 1, 17, 500, 1000])}, ["@t", 16, 10000.0],
              lambda t: timestep_embedding(t["t"], 16, 10000.0))


def mmd(a, b, multipliers, base=0.0, unbiased=False):
    """kernel/pointwise/mmd.h: mean of RBF kernels exp(−‖x−y‖²/(2h)), h = base·multiplier."""
    B, K = a.shape
    base = base if base > 0 else 2.0 * K

    def kernel(x, y):
        squares = (x[:, None] - y[None]).square().sum(-1)
        return sum(torch.exp(-squares / (2 * base * m)) for m in multipliers) / len(multipliers)
    if not unbiased:
        return (kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)).mean()
    off = 1 - torch.eye(B).double()
    within = ((kernel(a, a) + kernel(b, b)) * off).sum() / (B * (B - 1))
    return within - 2 * kernel(a, b).mean()


def mmds(golden):
    several = [0.25, 0.5, 1.0, 2.0, 4.0]
    cases = {"biased": (several, 0.0, False), "unbiased": (several, 0.0, True),
             "one kernel": ([1.0], 0.0, False), "base": ([0.5, 2.0], 3.0, False)}
    for name, (multipliers, base, unbiased) in cases.items():
        draw = Draw("mmd" + name)
        tensors = {"a": draw.normal(19, 7), "b": draw.normal(19, 7, scale=1.3, shift=0.4)}
        options = {"multipliers": multipliers, "base": base, "unbiased": unbiased}
        golden.op(f"mmd {name}", "mmd", tensors, ["@a", "@b", options],
                  lambda t, m=multipliers, h=base, u=unbiased: mmd(t["a"], t["b"], m, h, u))


def build(path):
    golden = Golden(path)
    attentions(golden)
    embeddings(golden)
    mmds(golden)
    return golden.write()
