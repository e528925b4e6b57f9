"""The two denoisers in PyTorch, with the engine's names (engine/model/README.md).
Both: (y (B·R, K), t (B·R), features (B, h, w, Cf), crops, mg, ml) → (B·R, K)."""
import torch
import torch.nn.functional as F
from torch import nn

from ops_attention import attention, attention_weights, timestep_embedding


def position_grid(h, w, D):
    f = 10000.0 ** (-torch.arange(D // 4).double() / (D // 4))
    row = (torch.arange(h).double()[:, None] * f)[:, None].expand(h, w, -1)
    column = (torch.arange(w).double()[:, None] * f)[None].expand(h, w, -1)
    return torch.cat([row.sin(), row.cos(), column.sin(), column.cos()], -1)


def plain_norm(x):
    return F.layer_norm(x, x.shape[-1:])


def modulate(x, shift, scale):
    return plain_norm(x) * (1 + scale) + shift


class Attention(nn.Module):
    def __init__(self, D, heads):
        super().__init__()
        self.heads = heads
        for name in ("q", "k", "v", "out"):
            setattr(self, name, nn.Linear(D, D))

    def forward(self, x, tokens):
        """Also returns the weights, averaged over heads; row i of x reads row i // repeat."""
        q, k, v = self.q(x), self.k(tokens), self.v(tokens)
        repeat = len(q) // len(k)
        weights = attention_weights(q, k.repeat_interleave(repeat, 0), self.heads).mean(1)
        return self.out(attention(q, k, v, self.heads)), weights


class Block(nn.Module):
    def __init__(self, D, heads, hidden):
        super().__init__()
        self.modulation = nn.Linear(D, 9 * D)
        self.add_module("self", Attention(D, heads))
        self.cross = Attention(D, heads)
        self.mlp = nn.Sequential(nn.Linear(D, hidden), nn.GELU(), nn.Linear(hidden, D))

    def forward(self, x, c, tokens):
        own = self._modules["self"]
        (shift_s, scale_s, gate_s, shift_c, scale_c, gate_c,
         shift_m, scale_m, gate_m) = self.modulation(c)[:, None].chunk(9, -1)
        inner = modulate(x, shift_s, scale_s)
        x = x + (1 + gate_s) * own(inner, inner)[0]
        y, weights = self.cross(modulate(x, shift_c, scale_c), tokens)
        x = x + (1 + gate_c) * y
        return x + (1 + gate_m) * self.mlp(modulate(x, shift_m, scale_m)), weights


class CrossAttention(nn.Module):
    def __init__(self, classes, features, crop_features, dim, blocks, heads, mlp_ratio):
        super().__init__()
        self.dim = dim
        self.token = nn.Linear(3, dim)
        self.add_module("class", nn.Embedding(classes, dim))
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.features = nn.Linear(features, dim)
        if crop_features:
            self.crops = nn.Linear(crop_features, dim)
            self.crop_type = nn.Parameter(torch.zeros(dim))
        self.token_norm = nn.LayerNorm(dim)
        self.blocks = nn.ModuleList(
            Block(dim, heads, int(dim * mlp_ratio)) for _ in range(blocks))
        self.out_modulation = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, 1)

    def image_tokens(self, features, crops):
        _, h, w, _ = features.shape
        tokens = (self.features(features) + position_grid(h, w, self.dim)).flatten(1, 2)
        if crops is not None:
            tokens = torch.cat([tokens, self.crops(crops) + self.crop_type], 1)
        return self.token_norm(tokens)

    def forward(self, y, t, features, crops, mg, ml):
        R = len(y) // len(features)
        tokens = self.image_tokens(features, crops)
        c = F.silu(self.time(timestep_embedding(t, self.dim, 10000.0)))
        priors = [p.repeat_interleave(R, 0) for p in (mg, ml)]
        x = self.token(torch.stack([y, *priors], -1)) + self._modules["class"].weight
        for block in self.blocks:
            x, self.map = block(x, c, tokens)
        shift, scale = self.out_modulation(c)[:, None].chunk(2, -1)
        return self.out(modulate(x, shift, scale)).squeeze(-1)


class Gate(nn.Module):
    """CARD's conditional linear layer: a learned row per time multiplies the output."""

    def __init__(self, width_in, width, steps):
        super().__init__()
        self.lin, self.embed = nn.Linear(width_in, width), nn.Embedding(steps + 1, width)

    def forward(self, x, t):
        return self.embed(t) * self.lin(x)


class Film(nn.Module):
    def __init__(self, classes, features, dim, steps):
        super().__init__()
        self.feature, self.feature_norm = nn.Linear(features, dim), nn.BatchNorm1d(dim)
        for i, width in enumerate((3 * classes, dim, dim), 1):
            setattr(self, f"lin{i}", Gate(width, dim, steps))
            setattr(self, f"norm{i}", nn.BatchNorm1d(dim))
        self.out = nn.Linear(dim, classes)

    def forward(self, y, t, features, crops, mg, ml):
        R = len(y) // len(features)
        u = self.feature_norm(self.feature(features.mean((1, 2)))).repeat_interleave(R, 0)
        h = torch.cat([y, mg.repeat_interleave(R, 0), ml.repeat_interleave(R, 0)], 1)
        h = u * F.softplus(self.norm1(self.lin1(h, t)))
        h = F.softplus(self.norm2(self.lin2(h, t)))
        h = F.softplus(self.norm3(self.lin3(h, t)))
        return self.out(h)
