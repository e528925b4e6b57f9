"""Goldens of the networks: outputs, gradients of inputs and parameters, running moments.

A case stores param/NAME and buffer/NAME under the engine's names, in/NAME, out/NAME, the
upstream gradient dout/NAME, and grad/NAME (of a parameter), din/NAME (of an input) and
after/NAME (a buffer in training) as PyTorch finds them."""
import torch

from denoisers import CrossAttention, Film
from models import Prior, ResNet
from recorder import Draw, Golden, double_leaf


def fill(module, draw):
    """Reproducible values of order 1, none of them zero, rounded to float32."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            if p.dim() > 1:
                p.copy_(draw.normal(*p.shape, scale=(p[0].numel()) ** -0.5))
            elif "norm" in name or "bn" in name or "downsample.1" in name:
                centre = 1.0 if name.endswith("weight") else 0.0
                p.copy_(draw.uniform(*p.shape, low=centre - 0.3, high=centre + 0.3))
            else:
                p.copy_(draw.normal(*p.shape, scale=0.2))
        for name, b in named_buffers(module):
            low = 0.5 if name.endswith("running_var") else -0.3
            b.copy_(draw.uniform(*b.shape, low=low, high=low + 0.8))
    return module.double()


def named_buffers(module):
    return [(n, b) for n, b in module.named_buffers() if not n.endswith("num_batches_tracked")]


def module_case(golden, name, module, inputs, run, train=True, prefix="", given=(), frozen=(),
                **fields):
    """run(module, inputs) → {output name: tensor}. Inputs in `given` require no gradient. frozen: parts of
    the module whose parameters require none and whose moments are fixed."""
    module = fill(module, Draw(name + "/weights")).train(train)
    for part in frozen:
        getattr(module, part).eval().requires_grad_(False)
    for key, tensor in [*module.named_parameters(), *named_buffers(module)]:
        kind = "param" if isinstance(tensor, torch.nn.Parameter) else "buffer"
        golden.put(f"{name}/{kind}/{prefix}{key}", tensor)
    leaves = {k: double_leaf(v, k not in given) for k, v in inputs.items()}
    for key, tensor in inputs.items():
        golden.put(f"{name}/in/{key}", tensor)
    outputs, loss = run(module, leaves), 0
    for key, out in outputs.items():
        golden.put(f"{name}/out/{key}", out)
        if out.requires_grad:
            dout = Draw(f"{name}/{key}").normal(*out.shape)
            golden.put(f"{name}/dout/{key}", dout)
            loss = loss + (out * dout.double()).sum()
    loss.backward()
    for key, p in module.named_parameters():
        golden.put(f"{name}/grad/{prefix}{key}", torch.zeros_like(p) if p.grad is None else p.grad)
    for key, b in named_buffers(module) if train else ():
        golden.put(f"{name}/after/{prefix}{key}", b)
    wanted = [k for k, v in leaves.items() if v.requires_grad and v.grad is not None]
    for key in wanted:
        golden.put(f"{name}/din/{key}", leaves[key].grad)
    if frozen:
        fields["frozen"] = [f"{prefix}{part}." for part in frozen]
    golden.add(name, train=train, params=[prefix + k for k, _ in module.named_parameters()],
               buffers=[prefix + k for k, _ in named_buffers(module)], outputs=list(outputs),
               differentiated=[k for k, v in outputs.items() if v.requires_grad],
               inputs=list(inputs), wanted=wanted, **fields)


def resnet(golden, name, net, options, shape, **how):
    module_case(golden, name, net, {"images": Draw(name).normal(*shape)},
                lambda m, x: {"features": m(x["images"])}, train="eval" not in name,
                prefix="backbone.", network="resnet", options=options, **how)


def resnets(golden):
    cases = {"resnet 8": (8, False, (2, 8, 8, 3)), "resnet 14 eval": (14, False, (2, 9, 11, 3)),
             "resnet 18": (18, True, (2, 40, 40, 3))}
    for name, (depth, large, shape) in cases.items():
        stages, blocks = (4, 2) if large else (3, (depth - 2) // 6)
        width = 2 if large else 4
        resnet(golden, name, ResNet(3, width, stages, blocks, large),
               {"kind": "resnet18" if large else "resnet", "depth": depth, "width": width,
                "channels": 3}, shape)


PRIOR = {"classes": 5, "features": 6, "channels": 3, "top_percent": 20.0, "crops": 3,
         "crop_size": 6, "local_width": 4, "attention": 8, "weight": 0.4}


def priors(golden):
    for mode in ("global", "local", "both"):
        name = f"prior {mode}"
        draw = Draw(name)
        inputs = {"images": draw.normal(3, 20, 20, 3), "features": draw.normal(3, 5, 5, 6)}
        module_case(golden, name, Prior(mode, **PRIOR), inputs,
                    lambda m, x: m(x["images"], x["features"]), prefix="prior.",
                    given=("images",), network="prior", options={"mode": mode, **PRIOR})


def denoisers(golden):
    shape = {"classes": 5, "features": 6, "dim": 16}
    cross = {**shape, "blocks": 2, "heads": 4, "mlp_ratio": 2.0}
    for crops in (0, 8):
        name = f"denoiser cross_attention{' with crops' if crops else ''}"
        net = CrossAttention(crop_features=crops, **cross)
        denoiser(golden, name, net, {"kind": "cross_attention", "steps": 100,
                                     "crop_features": crops, **cross})
    for train in (True, False):
        name = f"denoiser film {'train' if train else 'eval'}"
        denoiser(golden, name, Film(steps=100, **shape),
                 {"kind": "film", "steps": 100, "crop_features": 0, **shape}, train)


def denoiser(golden, name, net, options, train=True):
    draw, B, R = Draw(name), 3, 2
    inputs = {"features": draw.normal(B, 3, 4, 6), "mg": draw.normal(B, 5).softmax(-1),
              "ml": draw.normal(B, 5).softmax(-1), "y": draw.normal(B * R, 5),
              "t": torch.tensor([0, 100, 7, 31, 31, 64])}
    if options["crop_features"]:
        inputs["crops"] = draw.normal(B, 3, options["crop_features"])

    def run(m, x):
        out = m(x["y"], x["t"], x["features"], x.get("crops"), x["mg"], x["ml"])
        return {"epsilon": out, **({"map": m.map.detach()} if hasattr(m, "map") else {})}

    module_case(golden, name, net, inputs, run, train, prefix="denoiser.", network="denoiser",
                options=options)


def build(path):
    golden = Golden(path)
    resnets(golden)
    priors(golden)
    denoisers(golden)
    return golden.write()
