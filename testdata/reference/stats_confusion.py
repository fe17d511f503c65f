"""Macro F1 from confusion matrices: the estimate by scikit-learn, its standard error
by the delta method with derivatives taken numerically of scikit-learn's score.

Run: /usr/bin/python3 testdata/reference/stats_confusion.py
"""
import json
import os
import platform
import warnings

import numpy as np
import sklearn
from sklearn.metrics import f1_score

HERE = os.path.dirname(os.path.abspath(__file__))


def macro(weights):
    k = len(weights)
    y, hat = np.divmod(np.arange(k * k), k)
    used = [i for i in range(k) if weights[i].sum() + weights[:, i].sum() > 0]
    return f1_score(y, hat, sample_weight=weights.ravel(), average="macro", labels=used, zero_division=0)


def standard_error(counts):
    p = counts / counts.sum()
    g = np.zeros_like(p)
    for i, j in zip(*np.nonzero(counts)):
        h = 1e-6 * p[i, j]
        up, down = p.copy(), p.copy()
        up[i, j] += h
        down[i, j] -= h
        g[i, j] = (macro(up) - macro(down)) / (2 * h)
    mean = (p * g).sum()
    return float(np.sqrt((p * (g - mean) ** 2).sum() / counts.sum()))


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(7)
    matrices = {
        "two classes": [[50, 10], [5, 35]],
        "three classes, one rare": [[500, 20, 1], [30, 400, 2], [1, 3, 4]],
        "ties: all cells the same": [[7, 7, 7], [7, 7, 7], [7, 7, 7]],
        "tiny: three rows": [[1, 1], [0, 1]],
        "a class that does not occur": [[9, 1, 0], [2, 8, 0], [0, 0, 0]],
        "a class that is never predicted": [[90, 10, 0], [20, 80, 0], [3, 2, 0]],
        "all right": [[5, 0], [0, 6]],
        "all wrong": [[0, 5], [6, 0]],
        "huge": (rng.integers(1, 10**6, (4, 4)) * 10**5).tolist(),
        "ten classes": (rng.integers(0, 30, (10, 10)) + 200 * np.eye(10, dtype=int)).tolist(),
    }
    cases = []
    for name, m in matrices.items():
        counts = np.array(m, dtype=float)
        cases.append({"name": name, "func": "MacroF1", "in": {"counts": m}, "want": {"macro_f1": macro(counts), "se": standard_error(counts)}, "rtol": 1e-7, "atol": 1e-10})
    out = {
        "generator": "testdata/reference/stats_confusion.py",
        "command": "/usr/bin/python3 testdata/reference/stats_confusion.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "sklearn": sklearn.__version__},
        "tolerance": "relative 1e-7, or 1e-10 absolute: the derivatives are numerical",
        "cases": cases,
    }
    with open(os.path.join(HERE, "stats_confusion.json"), "w") as f:
        json.dump(out, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
