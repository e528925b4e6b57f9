#!/usr/bin/env python3
"""Writes metrics.json, the values that scikit-learn gives for fixed predictions.

    python3 tests/golden/metrics_sklearn.py          needs numpy and scikit-learn

Tests never run it: tests/lua/test_metric_golden.lua reads the file, which is part of the
repository. Numbers are written with all digits of a double.
"""
import json
import os

import numpy as np
import sklearn
from sklearn import metrics


def probabilities(rng, truth, K, skill, levels, bias):
    """Rows that sum to 1. levels > 0: multiples of 1 / levels, so that scores are often equal."""
    logits = rng.normal(size=(len(truth), K)) + skill * np.eye(K)[truth] + np.array(bias or K * [0])
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    if levels:
        p = np.floor(p * levels) + 1
        p /= p.sum(axis=1, keepdims=True)
    return p


def scores(truth, p):
    K, pred = p.shape[1], p.argmax(axis=1)
    labels = list(range(K))
    out = {
        "acc": metrics.accuracy_score(truth, pred),
        "bacc": metrics.balanced_accuracy_score(truth, pred),
        "macro_precision": metrics.precision_score(truth, pred, average="macro", zero_division=0),
        "macro_f1": metrics.f1_score(truth, pred, average="macro", zero_division=0),
        "kappa": metrics.cohen_kappa_score(truth, pred, labels=labels),
        "kappa_quadratic": metrics.cohen_kappa_score(truth, pred, labels=labels,
                                                     weights="quadratic"),
        "mcc": metrics.matthews_corrcoef(truth, pred),
        "nll": metrics.log_loss(truth, p, labels=labels),
    }
    there = [k for k in labels if 0 < (truth == k).sum() < len(truth)]
    auc = {k: metrics.roc_auc_score(truth == k, p[:, k]) for k in there}
    auprc = {k: metrics.average_precision_score(truth == k, p[:, k]) for k in there}
    out["auc"] = float(np.mean(list(auc.values())))
    out["auprc"] = float(np.mean(list(auprc.values())))
    out["brier"] = sum(metrics.brier_score_loss(truth == k, p[:, k], pos_label=True) if k in there
                       else float(np.mean(p[:, k] ** 2)) for k in labels)
    per_class = {
        "recall": metrics.recall_score(truth, pred, labels=labels, average=None, zero_division=0),
        "precision": metrics.precision_score(truth, pred, labels=labels, average=None,
                                             zero_division=0),
        "f1": metrics.f1_score(truth, pred, labels=labels, average=None, zero_division=0),
    }
    return {
        "all": {name: float(value) for name, value in out.items()},
        "class": {name: [float(v) for v in value] for name, value in per_class.items()},
        "auc": [auc.get(k, -1.0) for k in labels],
        "auprc": [auprc.get(k, -1.0) for k in labels],
    }


def case(name, seed, shares, n, skill, levels=0, bias=None):
    rng = np.random.default_rng(seed)
    shares = np.array(shares, dtype=float)
    truth = rng.choice(len(shares), size=n, p=shares / shares.sum())
    p = probabilities(rng, truth, len(shares), skill, levels, bias)
    return {"name": name, "true": [int(t) for t in truth],
            "probs": [[float(v) for v in row] for row in p], "expected": scores(truth, p)}


def main():
    cases = [
        case("balanced", 1, [1, 1, 1], 90, 1.0),
        case("long tail", 2, [60, 20, 10, 5, 5], 200, 1.5),
        case("a class without images", 3, [60, 0, 30, 10], 120, 1.0),
        case("equal scores", 4, [50, 30, 15, 5], 150, 1.2, levels=5),
        case("two classes, one rare", 5, [95, 5], 100, 0.5),
        case("a class that is never predicted", 6, [80, 15, 5], 100, 2.0, bias=[0, 0, -9]),
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "metrics.json")
    with open(path, "w") as file:
        json.dump({"scikit-learn": sklearn.__version__, "cases": cases}, file,
                  separators=(",", ":"))
        file.write("\n")
    print(f"metrics.json: {len(cases)} cases, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
