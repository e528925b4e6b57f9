"""Classifies images by a model file of `aniso export`, which lists the calls of PyTorch to make:
    predict, description = load("model.safetensors");  predict(images) → probabilities (B, K)
images (B, H, W, 3), float64: (value / 255 − mean) / std of description["input"]."""
import json

import torch
import torch.nn.functional as F
from safetensors import safe_open

NAMES = """_assert abs add all amax amin avg_pool2d batch_norm cat clamp clone conv2d div eq flatten gelu
    gt interpolate layer_norm lerp linear masked_fill masked_select max_pool2d mean msort mul narrow
    ones_like pad permute relu repeat_interleave reshape round scaled_dot_product_attention sigmoid silu
    softmax softplus square squeeze stack sub sum tanh unflatten zeros_like""".split()
FUNCTIONS = {name: getattr(F if hasattr(F, name) else torch, name) for name in NAMES}


def run(steps, values):
    def read(given):
        return [read(one) for one in given] if isinstance(given, list) else values.get(given, given)
    for result, name, *given in steps:
        values[result] = FUNCTIONS[name](*read(given))
    return values


def load(path):
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name).double() for name in file.keys()}
        description = json.loads(file.metadata()["aniso.state"])
    steps = description.get("torch", {"missing": ["it was written by an aniso without steps"]})
    if steps["missing"]:
        raise NotImplementedError(f"{path} cannot be computed: {', '.join(steps['missing'])}")

    @torch.no_grad()
    def predict(images):
        values = run(steps["first"], {**tensors, "images": images})
        for i in range(steps["times"]):
            values = run(steps["each"], {**values, "i": i})
        return run(steps["last"], values)["p"]

    return predict, description
