#!/usr/bin/python3 -B
"""Regenerates the reference values in this folder: `make golden`.

Needs PyTorch and safetensors (Debian: python3-torch, python3-safetensors). Users and `make test`
never do: the files are part of the repository. The same PyTorch writes the same bytes.
"""
import os

import torch

import curve
import model_files
import modules
import ops_attention
import ops_diffusion
import ops_linear
import ops_map
import optimizers
import resnets

FILES = {
    "ops_map": ops_map.build,
    "ops_linear": ops_linear.build,
    "ops_attention": ops_attention.build,
    "ops_diffusion": ops_diffusion.build,
    "optimizers": optimizers.build,
    "modules": modules.build,
    "resnets": resnets.build,
    "curve": curve.build,
    "model_files": model_files.build,
}


def main():
    torch.set_num_threads(1)
    folder = os.path.dirname(os.path.abspath(__file__))
    for name, build in FILES.items():
        path = os.path.join(folder, name + ".safetensors")
        cases = build(path)
        print(f"{name}.safetensors: {cases} cases, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
