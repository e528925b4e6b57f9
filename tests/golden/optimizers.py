"""Goldens of the optimisers: the weights after each of several steps on given gradients."""
import torch

from recorder import Draw, Golden

STEPS, LENGTH = 6, 50

# name: the options in Lua, the same optimiser of PyTorch
CASES = {
    "adamw": ({"rule": "adamw", "lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8,
               "decay": 0.05},
              lambda p: torch.optim.AdamW([p], 0.01, (0.9, 0.999), 1e-8, 0.05)),
    "adamw other betas": ({"rule": "adamw", "lr": 0.1, "beta1": 0.5, "beta2": 0.9,
                           "eps": 1e-3, "decay": 0.0},
                          lambda p: torch.optim.AdamW([p], 0.1, (0.5, 0.9), 1e-3, 0.0)),
    "sgd": ({"rule": "sgd", "lr": 0.1, "momentum": 0.0, "decay": 0.0, "nesterov": False},
            lambda p: torch.optim.SGD([p], 0.1)),
    "sgd momentum": ({"rule": "sgd", "lr": 0.1, "momentum": 0.9, "decay": 0.01,
                      "nesterov": False},
                     lambda p: torch.optim.SGD([p], 0.1, 0.9, weight_decay=0.01)),
    "sgd nesterov": ({"rule": "sgd", "lr": 0.1, "momentum": 0.9, "decay": 0.01,
                      "nesterov": True},
                     lambda p: torch.optim.SGD([p], 0.1, 0.9, weight_decay=0.01,
                                               nesterov=True)),
}


def build(path):
    golden = Golden(path)
    for name, (options, make) in CASES.items():
        draw = Draw(name)
        start, gradients = draw.normal(LENGTH), draw.normal(STEPS, LENGTH)
        golden.put(f"{name}/start", start)
        golden.put(f"{name}/gradients", gradients)
        p = start.double().requires_grad_()
        optimizer, weights = make(p), []
        for g in gradients.double():
            p.grad = g.clone()
            optimizer.step()
            weights.append(p.detach().clone())
        golden.put(f"{name}/weights", torch.stack(weights))
        golden.add(name, steps=STEPS, **options)
    return golden.write()
