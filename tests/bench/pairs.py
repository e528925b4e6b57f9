# A hundred classes of photographs in CIFAR-100's binary layout, made of CIFAR-10: the middle columns of two
# images side by side, and as the class the ordered pair of theirs. 500 training and 100 test images of each.
#   python3 tests/bench/pairs.py CIFAR10 OUT      CIFAR10 has train/CLASS and test/CLASS with images; OUT exists
# Needs NumPy and Pillow. The same images each time.
import os
import sys

import numpy as np
from PIL import Image

root, out = sys.argv[1:]


def load(part):
    classes = sorted(os.listdir(f"{root}/{part}"))
    return [np.stack([np.asarray(Image.open(f"{root}/{part}/{c}/{f}").convert("RGB"))[:, 8:24]
                      for f in sorted(os.listdir(f"{root}/{part}/{c}"))]) for c in classes], classes


rng = np.random.default_rng(0)
for part in ("train", "test"):
    images, classes = load(part)
    left = [list(rng.permutation(len(x))) for x in images]
    right = [list(rng.permutation(len(x))) for x in images]
    each = min(len(x) for x in images) // 10
    rows = []
    for a in range(10):
        for b in range(10):
            for _ in range(each):
                pair = np.concatenate([images[a][left[a].pop()], images[b][right[b].pop()]], axis=1)
                rows.append(bytes([a, 10 * a + b]) + pair.transpose(2, 0, 1).tobytes())
    with open(f"{out}/{part}.bin", "wb") as f:
        for i in rng.permutation(len(rows)):
            f.write(rows[i])
names = [f"{a}+{b}" for a in classes for b in classes]
with open(f"{out}/fine_label_names.txt", "w") as f:
    f.write("".join(f"{name}\n" for name in names))
with open(f"{out}/coarse_label_names.txt", "w") as f:
    f.write("".join(f"{a}\n" for a in classes for _ in (0, 1)))
