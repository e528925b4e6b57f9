"""The loss of ten training steps of the whole model on one fixed batch: backbone, prior,
forward process, denoiser, objective and AdamW at once. Times and noise are stored, so the
engine replays the same steps; nothing else is random."""
import math

import torch
import torch.nn.functional as F

from denoisers import CrossAttention, Film
from models import Prior, ResNet
from modules import fill, named_buffers
from ops_attention import mmd
from recorder import Draw, Golden

STEPS, B, M, T = 10, 8, 2, 100
COUNTS = [300, 120, 40, 15, 6]
K = len(COUNTS)
MULTIPLIERS = [0.25, 0.5, 1.0, 2.0, 4.0]
OPTIMIZER = {"lr": 0.002, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "decay": 0.05}

CROSS = {"classes": K, "features": 16, "crop_features": 8, "dim": 16, "blocks": 2, "heads": 2,
         "mlp_ratio": 2.0}
FILM = {"classes": K, "features": 16, "dim": 24, "steps": T}
PRIOR = {"classes": K, "features": 16, "channels": 3, "top_percent": 25.0, "crops": 3,
         "crop_size": 4, "local_width": 4, "attention": 8, "weight": 0.5}

# The seeds are such that no ReLU, top-p choice or window is so close to a tie that
# rounding to float32 could change it: a change of all weights by 3e-7 changes no loss by 1e-6.
CURVES = {
    "adpm": {"prior": {"mode": "both", **PRIOR}, "denoiser": {"kind": "cross_attention", **CROSS},
             "schedule": {"lambda": "bound", "coupling": "variance"}, "mmd": 0.5,
             "prior_loss": 1.0, "seed": 0},
    "card": {"prior": {"mode": "global", **PRIOR}, "denoiser": {"kind": "film", **FILM},
             "schedule": {"lambda": "bound", "coupling": "speed"}, "mmd": 0.0,
             "prior_loss": 0.5, "seed": 8},
}


def alpha_bar():
    """The cosine schedule (2102.09672): offset 0.008, β ≤ 0.999."""
    def f(t):
        return math.cos((t / T + 0.008) / 1.008 * math.pi / 2) ** 2
    values = [1.0]
    for t in range(1, T + 1):
        values.append(values[-1] * (1 - min(1 - f(t) / f(t - 1), 0.999)))
    return torch.tensor(values).double()


def levels():
    """The minimiser of the bound for p = q = 1, λ ∝ n^(−1/4), with mean 1."""
    raw = torch.tensor(COUNTS).double() ** -0.25
    return raw / raw.mean()


def coefficients(coupling):
    """a, s (T+1, K) of METHOD §1."""
    bar, level = alpha_bar()[:, None], levels()
    if coupling == "variance":
        return bar.sqrt().expand(-1, K), level * (1 - bar).sqrt()
    return (bar ** level).sqrt(), (1 - bar ** level).sqrt()


class Model(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.backbone = ResNet(3, 4, 3, 1)
        self.prior = Prior(**config["prior"])
        options = {k: v for k, v in config["denoiser"].items() if k != "kind"}
        cross = config["denoiser"]["kind"] == "cross_attention"
        self.denoiser = CrossAttention(**options) if cross else Film(**options)
        self.config, (self.a, self.s) = config, coefficients(config["schedule"]["coupling"])

    def losses(self, images, labels, t, epsilon):
        """METHOD §6, with plain cross-entropy for the priors."""
        features = self.backbone(images)
        prior = self.prior(images, features)
        y0, m = (x.repeat_interleave(M, 0) for x in (F.one_hot(labels, K), prior["m"]))
        y = m + self.a[t] * (y0 - m) + self.s[t] * epsilon
        estimate = self.denoiser(y, t, features, prior.get("crops"), prior["mg"], prior["ml"])
        parts = {"mse": F.mse_loss(estimate, epsilon)}
        if self.config["mmd"] > 0:
            parts["mmd"] = self.config["mmd"] * mmd(epsilon, estimate, MULTIPLIERS)
        for key in ("g", "l"):
            if key in prior:
                parts[key] = self.config["prior_loss"] * F.cross_entropy(prior[key], labels)
        return parts


def decays(name, p):
    """Weight decay does not apply to vectors and tables of embeddings."""
    return p.dim() > 1 and not name.endswith(("class.weight", "embed.weight"))


def adamw(model):
    named = list(model.named_parameters())
    groups = [{"params": [p for n, p in named if decays(n, p) == yes],
               "weight_decay": OPTIMIZER["decay"] if yes else 0.0} for yes in (True, False)]
    return torch.optim.AdamW(groups, OPTIMIZER["lr"],
                             (OPTIMIZER["beta1"], OPTIMIZER["beta2"]), OPTIMIZER["eps"])


def curve(golden, name, config):
    draw = Draw(f"{name} {config['seed']}")
    images, labels = draw.normal(B, 16, 16, 3), draw.labels(B, K)
    epsilon = draw.normal(STEPS, B * M, K)
    t = torch.stack([1 + draw.labels(B * M, T) for _ in range(STEPS)])
    model = fill(Model(config), draw).train()
    for key, tensor in [*model.named_parameters(), *named_buffers(model)]:
        kind = "param" if isinstance(tensor, torch.nn.Parameter) else "buffer"
        golden.put(f"{name}/{kind}/{key}", tensor)
    optimizer, rows = adamw(model), []
    for step in range(STEPS):
        parts = model.losses(images.double(), labels, t[step], epsilon[step].double())
        loss = sum(parts.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rows.append(torch.stack([loss, *parts.values()]).detach())
    for key, tensor in {"images": images, "labels": labels, "t": t, "epsilon": epsilon,
                        "losses": torch.stack(rows)}.items():
        golden.put(f"{name}/{key}", tensor)
    golden.add(name, steps=STEPS, draws=M, T=T, counts=COUNTS, multipliers=MULTIPLIERS,
               losses=["loss", *parts], optimizer=OPTIMIZER,
               params=[k for k, _ in model.named_parameters()],
               buffers=[k for k, _ in named_buffers(model)], **config)


def build(path):
    golden = Golden(path)
    for name, config in CURVES.items():
        curve(golden, name, config)
    return golden.write()
