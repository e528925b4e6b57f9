"""A model file of `aniso export` in PyTorch, whose networks are models.py and denoisers.py:
    predict, description = load("model.safetensors");  predict(images) → probabilities (B, K)
images (B, H, W, 3): (value / 255 − mean) / std of description["input"]. For the sampler ddim without
noise or tilt, predictions of y0 or class, and couplings whose levels do not depend on the image."""
import json

import torch

from denoisers import CrossAttention, Film
from models import Prior, ResNet
from recorder import read_safetensors


def networks(c, K, side):
    body, prior, den = c["backbone"], c["prior"], c["denoiser"]
    large = body["1"] == "resnet18"
    backbone = ResNet(3, body["width"], 4 if large else 3, 2 if large else (body["depth"] - 2) // 6, large)
    given = [prior[k] for k in ("crops", "local_width", "attention", "weight")]
    first = Prior(prior["mode"], K, backbone.features, 3, prior["top_percent"], given[0],
                  prior["crop_size"] or max(side // 3, 2), *given[1:])
    second = (Film(K, backbone.features, den["dim"], c["schedule"]["T"]) if den["1"] == "film" else
              CrossAttention(K, backbone.features, 2 * prior["local_width"], den["dim"], den["blocks"],
                             den["heads"], den["mlp_ratio"]))
    return torch.nn.ModuleDict({"net": torch.nn.ModuleDict({"backbone": backbone, "prior": first}),
                                "den": torch.nn.ModuleDict({"denoiser": second})})


def load(path):
    tensors, metadata = read_safetensors(path)
    of = json.loads(metadata["aniso.state"])
    c, how = of["config"], of["config"]["sampler"]
    model = networks(c, len(of["classes"]), of["input"]["height"]).double().eval()
    model.load_state_dict({k: v for k, v in tensors.items() if not k.startswith("chain.")}, strict=False)
    times, a, s, start = (tensors["chain." + k] for k in ("times", "signal", "noise", "start"))

    @torch.no_grad()
    def predict(images):
        features = model["net"]["backbone"](images)
        p = model["net"]["prior"](images, features)
        m, R = p["m"].repeat_interleave(len(start), 0), len(start)
        y = m + s[0] * start.repeat(len(images), 1)
        for i, t in enumerate(times[:-1]):
            out = model["den"]["denoiser"](y, t.expand(len(y)), features, p.get("crops"), p["mg"], p["ml"])
            y0 = out.softmax(-1) if c["train"]["prediction"] == "class" else out
            z = (y0.clamp(-how["clip"], 1 + how["clip"]) if how["clip"] else y0) - m
            y = m + a[i + 1] * z + s[i + 1] * (y - m - a[i] * z) / s[i]
        q = (-(y - 1) ** 2 / how["temperature"]).softmax(-1)
        if how["probabilities"] == "plain":
            q = y.clamp(min=0) / y.clamp(min=0).sum(-1, keepdim=True)
        return q.unflatten(0, (-1, R)).mean(1)

    return predict, of
