"""Goldens of model files: runs that the program trains and exports, and what predict_model.py
gives for the same images. Needs the program: ANISO, ./aniso if it is not set."""
import os
import subprocess
import tempfile

from predict_model import load
from recorder import Draw, write_safetensors

RECIPE = """
local aniso = require "aniso"
return aniso.study { name = "golden", data = { "lesions", n = 140, size = 16 },
  base = { backbone = { "resnet", depth = 8, width = 4 }, schedule = { "cosine", T = 50, lambda = "bound" },
    prior = { crops = 2, local_width = 4, attention = 4 },
    train = { epochs = 3, batch = 14, draws = 2 }, sampler = { "ddim", steps = 4, draws = 3 } },
  variants = {
    { label = "cross_attention", denoiser = { dim = 8, blocks = 1, heads = 2 } },
    { label = "film", denoiser = { "film", dim = 8 }, ["train.prediction"] = "class",
      ["schedule.coupling"] = "speed", ["sampler.probabilities"] = "plain" },
    { label = "resnet50", backbone = { "resnet50", width = 2 }, ["prior.mode"] = "global",
      denoiser = { dim = 8, blocks = 1, heads = 2 } },
    { label = "local", ["prior.mode"] = "local", ["loss.prior"] = "ldam", denoiser = { "film", dim = 4 } },
    { label = "softmax", method = "softmax", ["backbone.stem_stride"] = 2 },
  } }
"""


LABELS = "cross_attention", "film", "resnet50", "local", "softmax"


def export(folder, label, path):
    aniso = os.path.abspath(os.environ.get("ANISO", "./aniso"))
    database = os.path.join(folder, "runs.db")
    if not os.path.exists(database):
        with open(os.path.join(folder, "golden.lua"), "w") as file:
            file.write(RECIPE)
        subprocess.run([aniso, "run", "golden.lua", "--db", database], cwd=folder, check=True,
                       capture_output=True)
    subprocess.run([aniso, "export", label, "-o", path, "--force", "--db", database], check=True,
                   capture_output=True)


def build(path):
    """MODEL files next to `path`, which holds images/LABEL and probabilities/LABEL."""
    tensors = {}
    with tempfile.TemporaryDirectory() as folder:
        for label in LABELS:
            model = os.path.join(os.path.dirname(path), f"model_{label}.safetensors")
            export(folder, label, model)
            predict, of = load(model)
            images = Draw(label).normal(5, of["input"]["height"], of["input"]["width"], 3)
            tensors[f"images/{label}"] = images
            tensors[f"probabilities/{label}"] = predict(images.double()).float()
    write_safetensors(path, tensors, {"reference": "tests/golden/predict_model.py, float64"})
    return len(tensors) // 2
