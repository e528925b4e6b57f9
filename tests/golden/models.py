"""The networks in PyTorch, with the engine's names (engine/model/README.md). Images and
features are channels-last at the borders, as in the engine; parameters are PyTorch's."""
import torch
import torch.nn.functional as F
from torch import nn

from ops_linear import nchw, nhwc, top_pool


class BasicBlock(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False),
                nn.BatchNorm2d(channels))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + shortcut)


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1; the stride is that of the 3×3 (torchvision's v1.5)."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, 4 * channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * channels)
        self.downsample = None
        if stride != 1 or channels_in != 4 * channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, 4 * channels, 1, stride, bias=False),
                nn.BatchNorm2d(4 * channels))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet(nn.Module):
    """1512.03385; large_stem: torchvision's stem; otherwise the one for small images. blocks: of each
    stage, a number or a list."""

    def __init__(self, channels, width, stages, blocks, large_stem=False, bottleneck=False,
                 stem_stride=1):
        super().__init__()
        size, stride = (7, 2) if large_stem else (3, stem_stride)
        self.conv1 = nn.Conv2d(channels, width, size, stride, size // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.large_stem, self.stages = large_stem, stages
        before = width
        for stage in range(stages):
            layers, out = [], width << stage
            for index in range(blocks[stage] if isinstance(blocks, list) else blocks):
                block = Bottleneck if bottleneck else BasicBlock
                layers.append(block(before, out, 2 if stage and not index else 1))
                before = 4 * out if bottleneck else out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.features = before

    def forward(self, images):
        x = torch.relu(self.bn1(self.conv1(nchw(images))))
        if self.large_stem:
            x = F.max_pool2d(x, 3, 2, 1)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return nhwc(x)


class GatedPool(nn.Module):
    """1802.04712, eq. 9."""

    def __init__(self, width, hidden):
        super().__init__()
        self.v, self.u = nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.w = nn.Linear(hidden, 1, bias=False)

    def forward(self, bag):
        score = self.w(torch.tanh(self.v(bag)) * torch.sigmoid(self.u(bag)))
        weights = torch.softmax(score.squeeze(-1), 1)
        return (weights[:, None] @ bag).squeeze(1), weights


def choose_windows(maps, g, H, W, n, side):
    """engine/model/crops.h, pixel by pixel: greedy; fewest shared pixels first, then the largest
    weight. The best window must lead by a margin, or float32 might choose another."""
    weighted = (maps * torch.softmax(g, -1)[:, None, None]).sum(-1)
    B, h, w = weighted.shape
    assert H % h == 0 and W % w == 0
    pixels = weighted.repeat_interleave(H // h, 1).repeat_interleave(W // w, 2)
    weight = F.avg_pool2d(pixels[:, None], side, 1)[:, 0]
    positions = torch.zeros(B, n, 2, dtype=torch.int64)
    for b in range(B):
        cover = torch.zeros(H, W).double()
        for i in range(n):
            shared = F.avg_pool2d(cover[None, None], side, 1)[0, 0] * side * side
            candidates = shared.round() == shared.round().min()
            values = torch.where(candidates, weight[b], torch.tensor(-torch.inf).double())
            best = int(values.flatten().argmax())
            top = values.flatten().topk(min(2, int(candidates.sum()))).values
            assert len(top) < 2 or top[0] - top[1] > 1e-5 * weight[b].abs().max(), "a tie"
            y, x = divmod(best, values.shape[1])
            positions[b, i] = torch.tensor([y, x])
            cover[y:y + side, x:x + side] += 1
    return positions


class Prior(nn.Module):
    """mode: "both", "global" or "local" (engine/model/prior.h)."""

    def __init__(self, mode, classes, features, channels, top_percent, crops, crop_size,
                 local_width, attention, weight):
        super().__init__()
        self.mode, self.weight = mode, weight
        self.top_percent, self.crops, self.crop_size = top_percent, crops, crop_size
        self.saliency = nn.Conv2d(features, classes, 1)
        if mode != "global":
            self.local = ResNet(channels, local_width, 2, 1)
            self.pool = GatedPool(self.local.features, attention)
            self.head = nn.Linear(self.local.features, classes)

    def forward(self, images, features):
        maps = nhwc(self.saliency(nchw(features)))
        out = {"saliency": maps, "g": top_pool(maps, self.top_percent)}
        if self.mode != "global":
            self.find_windows(images, out)
        zero = torch.zeros_like(out["g"])
        out["mg"] = zero if self.mode == "local" else out["g"].detach().softmax(-1)
        out["ml"] = zero if self.mode == "global" else out["l"].detach().softmax(-1)
        out["m"] = {"both": self.weight * out["mg"] + (1 - self.weight) * out["ml"],
                    "global": out["mg"], "local": out["ml"]}[self.mode]
        return out

    def find_windows(self, images, out):
        B, H, W, C = images.shape
        n, side = self.crops, self.crop_size
        at = choose_windows(out["saliency"].detach(), out["g"].detach(), H, W, n, side)
        windows = torch.stack([images[b, y:y + side, x:x + side]
                               for b in range(B) for y, x in at[b].tolist()])
        out["positions"] = at
        out["crops"] = self.local(windows).mean((1, 2)).unflatten(0, (B, n))
        pooled, out["attention"] = self.pool(out["crops"])
        out["l"] = self.head(pooled)
