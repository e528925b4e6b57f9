"""The rows linear and sweep10_features: a sweep of ten λ points on 10,000 frozen features of 768 numbers, as whole
processes from the file of features to the stored test results. linear: against a linear head in PyTorch, trained
ten times with the same epochs, batches and validation, on as many threads as are faster. sweep10_features: against one point of ours."""
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

COUNT, WIDTH, CLASSES, EPOCHS, BATCH, POINTS = 10000, 768, 7, 10, 256, 10
RECIPE = """local aniso = require "aniso"
return aniso.study {
  name = "features", data = { "features", file = "features.npy", table = "table.csv", ids = "ids.txt" },
  base = { schedule = { "cosine", T = 100, lambda = { "power", gamma = 0 } }, denoiser = { "film", dim = 64 },
    train = { mode = "staged", epochs = %d, batch = %d, draws = 1, lr = 3e-3 }, select = { every = %d },
    sampler = { "ddim", steps = 5, draws = 8 } },
  vary = { aniso.grid { ["schedule.lambda.gamma"] = { 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9 } } },
}
"""


def fill(folder):
    """Long-tailed classes, each a direction in noise."""
    rng = np.random.default_rng(0)
    shares = 0.5 ** np.arange(CLASSES)
    labels = rng.choice(CLASSES, COUNT, p=shares / shares.sum())
    rows = rng.normal(0, 1, (COUNT, WIDTH)) + 0.15 * rng.normal(0, 1, (CLASSES, WIDTH))[labels]
    np.save(f"{folder}/features.npy", rows.astype(np.float32))
    with open(f"{folder}/table.csv", "w") as table, open(f"{folder}/ids.txt", "w") as ids:
        table.write("id,label\n")
        for i, label in enumerate(labels):
            table.write(f"i{i},c{label}\n")
            ids.write(f"i{i}\n")
    with open(f"{folder}/recipe.lua", "w") as recipe:
        recipe.write(RECIPE % (EPOCHS, BATCH, EPOCHS))
    return labels


def ours(aniso, folder, *options):
    """Seconds of a whole process, with a database and a first stage of its own."""
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        subprocess.run([aniso, "run", f"{folder}/recipe.lua", "--db", f"{place}/runs.db", *options], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start


HEADS = f"""
import sys, numpy as np, torch
torch.set_num_threads(int(sys.argv[2]))
x = torch.from_numpy(np.load(sys.argv[1] + "/features.npy"))
rows = [line.strip().split(",")[1] for line in open(sys.argv[1] + "/table.csv")][1:]
y = torch.tensor([int(row[1:]) for row in rows])
torch.manual_seed(0)
order = torch.randperm(len(x))
test, val, train = order[:2000], order[2000:3000], order[3000:]
mean, std = x[train].mean(0), x[train].std(0)
x = (x - mean) / std
for seed in range({POINTS}):
    torch.manual_seed(seed)
    head = torch.nn.Linear({WIDTH}, {CLASSES})
    optimizer = torch.optim.AdamW(head.parameters(), 3e-3)
    for epoch in range({EPOCHS}):
        for rows in train[torch.randperm(len(train))].split({BATCH}):
            loss = torch.nn.functional.cross_entropy(head(x[rows]), y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        for part in (val, test):
            right = (head(x[part]).argmax(1) == y[part]).float().mean()
print(float(right))
"""


def heads(folder, threads):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", HEADS, folder, str(threads)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(aniso, selected, rounds):
    if not selected & {"linear", "sweep10_features"}:
        return
    aniso = os.path.abspath(aniso)
    with tempfile.TemporaryDirectory() as folder:
        fill(folder)
        threads = min((1, 2), key=lambda n: heads(folder, n))
        times = {"ten": [], "one": [], "heads": []}
        for _ in range(rounds):
            times["ten"].append(ours(aniso, folder))
            times["one"].append(ours(aniso, folder, "--only", "gamma=0"))
            times["heads"].append(heads(folder, threads))
    ten, one, linear = (statistics.median(times[name]) for name in ("ten", "one", "heads"))

    def ratio(peer):
        return statistics.median(a / b for a, b in zip(times["ten"], times[peer]))
    if "linear" in selected:
        print(f"  linear        ours {ten:.2f} s, ten λ points with chains   PyTorch {linear:.2f} s, "
              f"a linear head ten times on {threads} threads")
        print(f"ratio linear {ratio('heads'):.4g}", flush=True)
    if "sweep10_features" in selected:
        print(f"  sweep10 on features: ten points {ten:.2f} s, one {one:.2f} s")
        print(f"ratio sweep10_features {ratio('one'):.4g}", flush=True)


if __name__ == "__main__":
    measure(sys.argv[1], {"linear", "sweep10_features"}, int(os.environ.get("ROUNDS", "3")))
