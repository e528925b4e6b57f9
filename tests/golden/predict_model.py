"""A model file of `aniso export` in PyTorch, whose networks are models.py and denoisers.py:
    predict, description = load("model.safetensors");  predict(images) → probabilities (B, K)
images (B, H, W, 3): (value / 255 − mean) / std of description["input"]. load() raises for options that
unsupported() lists, predict() where two windows of the prior have equal weights: windows that are
smaller than a cell of the map, as at 64 pixels with a ResNet-18."""
import json

import torch

from denoisers import CrossAttention, Film
from models import Prior, ResNet
from recorder import read_safetensors


LARGE = {"resnet18": ([2, 2, 2, 2], False), "resnet34": ([3, 4, 6, 3], False),
         "resnet50": ([3, 4, 6, 3], True)}


def unsupported(c, prior, den, how):
    """Options of the model that this file does not compute."""
    return [name for name, given in {
        "data = features": "none" in c["backbone"], "prior.cosine": prior.get("cosine"),
        "prior.mode": prior["mode"] not in ("both", "global", "local"),
        "post_hoc": c.get("post_hoc"), "denoiser.candidates": "candidates" in den,
        "schedule.coupling": c["schedule"]["coupling"] not in ("variance", "speed"),
        "train.prediction": c["train"]["prediction"] not in ("y0", "class"),
        "sampler": how["1"] != "ddim" or how["eta"],
        "sampler.tilt": "none" not in how["tilt"]}.items() if given]


def networks(c, K, form):
    body, prior, den = c["backbone"], c["prior"], c["denoiser"]
    blocks, bottleneck = LARGE.get(body["1"]) or ([(body["depth"] - 2) // 6] * 3, False)
    backbone = ResNet(3, body["width"], len(blocks), blocks, body["1"] in LARGE, bottleneck,
                      body.get("stem_stride", 1))
    third = (min(form["height"], form["width"]) + 1) // 6 * 2  # even
    first = Prior(prior["mode"], K, backbone.features, 3, prior["top_percent"], prior["crops"],
                  prior["crop_size"] or max(third, 2), *(prior[k] for k in (
                      "local_width", "attention", "weight")))
    model = torch.nn.ModuleDict({"net": torch.nn.ModuleDict({"backbone": backbone, "prior": first})})
    if "none" not in den:
        second = (Film(K, backbone.features, den["dim"], c["schedule"]["T"]) if den["1"] == "film" else
                  CrossAttention(K, backbone.features, prior["mode"] != "global" and 2 * prior["local_width"],
                                 *(den[k] for k in ("dim", "blocks", "heads", "mlp_ratio"))))
        model["den"] = torch.nn.ModuleDict({"denoiser": second})
    return model


def load(path):
    tensors, metadata = read_safetensors(path)
    of = json.loads(metadata["aniso.state"])
    c, how = of["config"], of["config"]["sampler"]
    if missing := unsupported(c, c["prior"], c["denoiser"], how):
        raise NotImplementedError(f"{path}: {', '.join(missing)}")
    model = networks(c, len(of["classes"]), of["input"]).double().eval()
    chain = {k: tensors.pop("chain." + k, None) for k in ("times", "signal", "noise", "start")}
    model.load_state_dict({**{k: v for k, v in model.state_dict().items() if "num_batches" in k}, **tensors})

    @torch.no_grad()
    def predict(images):
        features = model["net"]["backbone"](images)
        p = model["net"]["prior"](images, features)
        if "den" not in model:
            return p["m"]
        times, a, s, start = chain.values()
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
