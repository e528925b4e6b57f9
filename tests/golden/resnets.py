"""Goldens of ResNet-34 and ResNet-50 as torchvision has them, at width 2: as modules.py, and with a part
whose parameters and moments are frozen."""
from models import ResNet
from modules import resnet
from recorder import Golden


def deep(golden, name, bottleneck, shape, **how):
    resnet(golden, name, ResNet(3, 2, 4, [3, 4, 6, 3], True, bottleneck),
           {"kind": "resnet50" if bottleneck else "resnet34", "width": 2, "channels": 3}, shape, **how)


def build(path):
    golden, shape = Golden(path), (4, 64, 64, 3)
    deep(golden, "resnet 34", False, shape)
    # 53 normalisations by the moments of few values amplify the rounding of float32.
    deep(golden, "resnet 50", True, shape, tolerance=1e-3)
    deep(golden, "resnet 50 frozen", True, shape, frozen=("conv1", "bn1", "layer1", "layer2"), tolerance=1e-3)
    return golden.write()
