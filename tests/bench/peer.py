"""The same model in PyTorch, written for speed: channels-last convolutions, every crop in one
batch, one pass of the encoder for all draws, keys and values once per image, fused attention,
fused AdamW, foreach clipping and EMA. Parameter names are the engine's."""
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "golden"))
import models  # noqa: E402  the reference networks, whose ResNet and pooling are reused
from denoisers import Film  # noqa: E402
from models import Prior, ResNet  # noqa: E402
from strongest import EAGER  # noqa: E402

K, DIM, HEADS, BLOCKS, CROPS, M, T = 7, 128, 4, 2, 4, 4, 1000
SMALL, LARGE = (3, 32, 3, 1), (3, 64, 4, 2, True)
# the options of models.ResNet, and the side of a crop
WORKS = {"w1": (SMALL, 16), "w2": (SMALL, 16), "w1_film": (SMALL, 16), "w3": (LARGE, 16),
         "w4": (LARGE, 64), "w5": ((3, 64, 4, [3, 4, 6, 3], True, True), 64)}


def window_sums(x, side):
    """(B, H, W) → sums over all windows, by two passes of cumulative sums whatever the side."""
    for dim in (1, 2):
        total = F.pad(x.double().cumsum(dim), (1, 0) if dim == 2 else (0, 0, 1, 0))
        length = total.shape[dim] - side
        x = total.narrow(dim, side, length) - total.narrow(dim, 0, length)
    return x


def choose_windows(maps, g, H, W, n, side):
    """Greedy windows as in models.choose_windows, for a whole batch at once."""
    weighted = (maps * torch.softmax(g, -1)[:, None, None]).sum(-1)
    B, h, w = weighted.shape
    pixels = weighted.repeat_interleave(H // h, 1).repeat_interleave(W // w, 2)
    weight = window_sums(pixels, side).flatten(1)
    columns = W - side + 1
    rows_of, columns_of = torch.arange(H)[None], torch.arange(W)[None]
    cover, positions = torch.zeros(B, H, W), []
    for _ in range(n):
        shared = window_sums(cover, side).flatten(1)
        fewest = shared == shared.amin(1, keepdim=True)
        best = weight.masked_fill(~fewest, -torch.inf).argmax(1)
        y, x = (best // columns)[:, None], (best % columns)[:, None]
        inside = ((rows_of >= y) & (rows_of < y + side))[:, :, None] & \
                 ((columns_of >= x) & (columns_of < x + side))[:, None]
        cover = cover + inside
        positions.append(torch.cat([y, x], 1))
    return torch.stack(positions, 1)


class FastPrior(Prior):
    given = None  # windows to use instead of its own, so that later results can be compared

    def find_windows(self, images, out):
        B, H, W, _ = images.shape
        at = self.given if self.given is not None else choose_windows(out["saliency"].detach(), out["g"].detach(), H, W, self.crops, self.crop_size)
        span = torch.arange(self.crop_size)
        rows, columns = at[..., 0, None] + span, at[..., 1, None] + span
        windows = images[torch.arange(B)[:, None, None, None], rows[..., :, None],
                         columns[..., None, :]].flatten(0, 1)
        out["crops"] = self.local(windows).mean((1, 2)).unflatten(0, (B, self.crops))
        pooled, _ = self.pool(out["crops"])
        out["l"] = self.head(pooled)


def position_grid(h, w, D):
    f = 10000.0 ** (-torch.arange(D // 4) / (D // 4))
    row = (torch.arange(h)[:, None] * f)[:, None].expand(h, w, -1)
    column = (torch.arange(w)[:, None] * f)[None].expand(h, w, -1)
    return torch.cat([row.sin(), row.cos(), column.sin(), column.cos()], -1)


def modulate(x, shift, scale):
    return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:]), 1 + scale)


def split(x):
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        for name in ("q", "k", "v", "out"):
            setattr(self, name, nn.Linear(DIM, DIM))

    def keys(self, tokens):
        return split(self.k(tokens)), split(self.v(tokens))

    def forward(self, x, keys):
        y = F.scaled_dot_product_attention(split(self.q(x)), *keys)
        return self.out(y.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.modulation = nn.Linear(DIM, 9 * DIM)
        self.add_module("self", Attention())
        self.cross = Attention()
        self.mlp = nn.Sequential(nn.Linear(DIM, 2 * DIM), nn.GELU(), nn.Linear(2 * DIM, DIM))

    def forward(self, x, c, keys):
        own = self._modules["self"]
        s1, k1, g1, s2, k2, g2, s3, k3, g3 = self.modulation(c)[:, None].chunk(9, -1)
        inner = modulate(x, s1, k1)
        x = x + (1 + g1) * own(inner, own.keys(inner))
        images = len(keys[0])  # all draws of an image read its tokens in one attention
        query = modulate(x, s2, k2)
        y = self.cross(query.view(images, -1, DIM), keys).view_as(x)
        x = x + (1 + g2) * y
        return x + (1 + g3) * self.mlp(modulate(x, s3, k3))


class Denoiser(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.token = nn.Linear(3, DIM)
        self.add_module("class", nn.Embedding(K, DIM))
        self.time = nn.Sequential(nn.Linear(DIM, DIM), nn.SiLU(), nn.Linear(DIM, DIM))
        self.features = nn.Linear(features, DIM)
        self.crops = nn.Linear(32, DIM)
        self.crop_type = nn.Parameter(torch.zeros(DIM))
        self.token_norm = nn.LayerNorm(DIM)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.out_modulation = nn.Linear(DIM, 2 * DIM)
        self.out = nn.Linear(DIM, 1)
        self.grid = None

    def encode(self, features, prior):
        """Keys and values of every block: once per image."""
        _, h, w, _ = features.shape
        if self.grid is None or self.grid.shape[:2] != (h, w):
            self.grid = position_grid(h, w, DIM)
        tokens = (self.features(features) + self.grid).flatten(1, 2)
        tokens = torch.cat([tokens, self.crops(prior["crops"]) + self.crop_type], 1)
        tokens = self.token_norm(tokens)
        return [block.cross.keys(tokens) for block in self.blocks]

    def condition(self, t):
        f = torch.exp(-math.log(10000.0) * torch.arange(DIM // 2) / (DIM // 2))
        angle = t[:, None] * f
        return F.silu(self.time(torch.cat([angle.cos(), angle.sin()], 1)))

    def forward(self, y, c, keys, mg, ml):
        """y, mg, ml (B·R, K); c (B·R or 1, D)"""
        x = self.token(torch.stack([y, mg, ml], -1)) + self._modules["class"].weight
        for block, kv in zip(self.blocks, keys):
            x = block(x, c, kv)
        shift, scale = self.out_modulation(c)[:, None].chunk(2, -1)
        return self.out(modulate(x, shift, scale)).squeeze(-1)


class FilmDenoiser(Film):
    """DiffMIC's denoiser, with the methods of Denoiser."""

    def __init__(self, features):
        super().__init__(K, features, DIM, T)

    def encode(self, features, prior):
        """The image's vector: once per image."""
        return self.feature_norm(self.feature(features.mean((1, 2))))

    def condition(self, t):
        return t

    def forward(self, y, t, u, mg, ml):
        h = torch.cat([y, mg, ml], 1)
        h = u.repeat_interleave(len(y) // len(u), 0) * F.softplus(self.norm1(self.lin1(h, t)))
        h = F.softplus(self.norm2(self.lin2(h, t)))
        return self.out(F.softplus(self.norm3(self.lin3(h, t))))


class Model(nn.Module):
    def __init__(self, work):
        super().__init__()
        network, crop = WORKS[work]
        self.backbone = ResNet(*network)
        features = self.backbone.features
        self.prior = FastPrior("both", K, features, 3, 20.0, CROPS, crop, 16, 32, 0.5)
        self.denoiser = (FilmDenoiser if work == "w1_film" else Denoiser)(features)

    def encode_images(self, images):
        features = self.backbone(images)
        return features, self.prior(images, features)

    def forward(self, images, y, t):
        """→ the denoiser's output and the prior's; y (B·R, K), t (B·R)."""
        features, prior = self.encode_images(images)
        R = len(y) // len(images)
        mg, ml = (prior[name].repeat_interleave(R, 0) for name in ("mg", "ml"))
        out = self.denoiser(y, self.denoiser.condition(t), self.denoiser.encode(features, prior),
                            mg, ml)
        return out, prior


def mmd(a, b):
    """kernel/pointwise/mmd.h, biased; one matrix of distances for all three terms."""
    both = torch.cat([a, b])
    squares = both.square().sum(1)
    distance = (squares[:, None] + squares - 2 * both @ both.T).clamp_min(0)
    sign = torch.cat([torch.ones(len(a)), -torch.ones(len(b))]) / len(a)
    kernels = sum(torch.exp(distance * (-0.5 / (2 * K * m))) for m in (0.25, 0.5, 1, 2, 4)) / 5
    return sign @ kernels @ sign


class Trainer:
    """One step: forward, four losses, backward, clipping, AdamW, EMA. variant: how the losses are
    computed (strongest.py)."""

    def __init__(self, model, images, labels, variant=EAGER):
        self.model, self.images, self.labels = model.train(), images, labels
        self.params = list(model.parameters())
        self.optimizer = torch.optim.AdamW(self.params, 1e-3, fused=True)
        self.ema = [p.detach().clone() for p in self.params]
        s = torch.arange(T + 1) / T
        f = torch.cos((s + 0.008) / 1.008 * math.pi / 2) ** 2
        self.bar = (f / f[0]).clamp(1e-8, 1)
        self.total_loss = variant.wrap(self.losses)

    def losses(self, t, epsilon):
        features, prior = self.model.encode_images(self.images)
        y0 = F.one_hot(self.labels, K).float().repeat_interleave(M, 0)
        m, mg, ml = (prior[name].repeat_interleave(M, 0) for name in ("m", "mg", "ml"))
        bar = self.bar[t][:, None]
        y = m + bar.sqrt() * (y0 - m) + (1 - bar).sqrt() * epsilon
        den = self.model.denoiser
        estimate = den(y, den.condition(t), den.encode(features, prior), mg, ml).float()
        return F.mse_loss(estimate, epsilon) + 0.5 * mmd(epsilon, estimate) \
            + F.cross_entropy(prior["g"], self.labels) + F.cross_entropy(prior["l"], self.labels)

    def step(self):
        t = torch.randint(1, T + 1, (len(self.images) * M,))
        loss = self.total_loss(t, torch.randn(len(t), K))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.params, 1.0, foreach=True)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.ema, self.params, 1e-3)
        return loss.item()


class Predictor:
    """The three networks of a reverse chain as a variant computes them."""

    def __init__(self, model, variant=EAGER):
        den = model.denoiser
        self.model = model
        self.encode = variant.wrap(model.encode_images)
        self.keys = variant.wrap(den.encode)
        self.noise = variant.wrap(lambda y, t, keys, mg, ml: den(y, den.condition(t), keys, mg, ml))

    @torch.inference_mode()
    def predict(self, images, steps, draws, stochastic):
        """The reverse chain (DDIM; ancestral noise where `stochastic`) of every image."""
        self.model.eval()
        features, prior = self.encode(images)
        keys = self.keys(features, prior)
        m, mg, ml = (prior[name].repeat_interleave(draws, 0) for name in ("m", "mg", "ml"))
        y = m + torch.randn_like(m)
        for i in range(steps):
            t = T - i * T // steps
            epsilon = self.noise(y, torch.tensor([t]), keys, mg, ml)
            a, b = math.sqrt(1 - t / (T + 1)), math.sqrt(1 - (t - 1) / (T + 1))
            z0 = (y - m - math.sqrt(1 - a * a) * epsilon) / a
            y = m + b * z0 + math.sqrt(max(1 - b * b, 0)) * epsilon
            if stochastic:
                y = y + 0.01 * torch.randn_like(y)
        self.model.train()
        return y


@torch.no_grad()
def diffmic_loop(model, images, timesteps, batch=64):
    """One draw of DiffMIC's published test loop, for its first timesteps: test() and p_sample_loop()
    of github.com/scott-yjyang/DiffMIC at 23469e7 with this model's networks. Like the original: batches of
    64, no_grad, the guiding networks twice before the loop, the image encoder within each
    timestep, the ancestral step."""
    model.eval()
    for i in range(0, len(images), batch):
        part = images[i:i + batch]
        for _ in range(2):
            _, prior = model.encode_images(part)
        y = prior["m"] + torch.randn_like(prior["m"])
        for step in range(timesteps):
            t = T - step
            keys = model.denoiser.encode(model.backbone(part), prior)
            c = model.denoiser.condition(torch.tensor([t]))
            epsilon = model.denoiser(y, c, keys, prior["mg"], prior["ml"])
            a, b = math.sqrt(1 - t / (T + 1)), math.sqrt(1 - (t - 1) / (T + 1))
            z0 = (y - prior["m"] - math.sqrt(1 - a * a) * epsilon) / a
            y = prior["m"] + b * z0 + math.sqrt(max(1 - b * b, 0)) * epsilon
            y = y + 0.01 * torch.randn_like(y)
    model.train()


models.choose_windows = choose_windows
