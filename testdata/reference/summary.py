"""Reference numbers for package stats/summary.

Sums come from math.fsum, which is exact; moments from NumPy and SciPy; quantiles
from NumPy; log loss and Brier score from scikit-learn; the variances of the
per-row losses and the bins of the reliability table from NumPy by definition.

Run: /usr/bin/python3 testdata/reference/summary.py
"""

import json
import math
import os
import platform

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss

rng = np.random.default_rng(20251120)
cases = []


def clean(x):
    if isinstance(x, (list, np.ndarray)):
        return [clean(v) for v in x]
    if isinstance(x, (int, np.integer)):
        return int(x)
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "+Inf" if x > 0 else "-Inf"
    return x


def add(func, name, inp, want, rtol=0.0, atol=0.0):
    cases.append({
        "name": name, "func": func,
        "in": {k: clean(v) for k, v in inp.items()},
        "want": {k: clean(v) for k, v in want.items()},
        "rtol": rtol, "atol": atol,
    })


# Sum: equality, no tolerance.
def sums():
    wild = rng.choice([-1.0, 1.0], 200) * np.ldexp(rng.uniform(1, 2, 200), rng.integers(-1000, 1000, 200))
    add("Sum", "over the whole range", {"xs": wild}, {"sum": math.fsum(wild)})
    gone = np.concatenate([wild, -wild, [1e-300, 3.0, 2.0**-60]])
    rng.shuffle(gone)
    add("Sum", "almost everything cancels", {"xs": gone}, {"sum": math.fsum(gone)})
    tenths = np.full(100, 0.1)
    add("Sum", "a hundred tenths", {"xs": tenths}, {"sum": math.fsum(tenths)})


# Moments: SciPy rounds in its sums, most of all far from zero.
def moments():
    samples = {
        "normal": (rng.normal(size=300), 1e-12),
        "lognormal": (rng.lognormal(sigma=1.5, size=300), 1e-12),
        "far from zero": (1e6 + rng.normal(size=300), 1e-8),
        "scores": (rng.beta(2, 5, size=300), 1e-12),
        "two values": (np.array([0.25, 0.75] * 20 + [0.25]), 1e-12),
    }
    for name, (xs, rtol) in samples.items():
        add("Moments", name, {"xs": xs}, {
            "mean": np.mean(xs), "variance": np.var(xs, ddof=1),
            "skewness": stats.skew(xs), "kurtosis": stats.kurtosis(xs, fisher=False),
        }, rtol=rtol, atol=1e-12)


# Quantiles of type 1; every value is a data point, so equality.
def quantiles():
    for name, xs in {"normal": rng.normal(size=251), "ties": rng.integers(0, 7, 128).astype(float)}.items():
        qs = [0.0, 0.011, 0.123, 0.25, 0.333, 0.5, 0.777, 0.95, 0.999, 1.0]
        add("Quantile", name, {"xs": xs, "qs": qs}, {"values": np.quantile(xs, qs, method="inverted_cdf")})


def row_losses(p, y):
    eps = np.finfo(float).eps
    c = np.clip(p, eps, 1 - eps)
    return -np.where(y == 1, np.log(c), np.log1p(-c)), (p - y) ** 2


def scores():
    n = 400
    logit = rng.normal(size=n) * 2
    samples = {
        "calibrated": 1 / (1 + np.exp(-logit)),
        "extreme": 1 / (1 + np.exp(-8 * logit)),
        "coarse": np.round(1 / (1 + np.exp(-logit)), 1),
        "on bin boundaries": rng.integers(0, 2049, n) / 2048,
        "hard zeros and ones": np.where(rng.uniform(size=n) < 0.2, (logit > 0).astype(float), 1 / (1 + np.exp(-logit))),
    }
    for name, p in samples.items():
        y = (rng.uniform(size=n) < 1 / (1 + np.exp(-logit))).astype(int)
        ll, br = row_losses(p, y)
        add("Scores", name, {"scores": p, "labels": y}, {
            "log_loss": log_loss(y, p, labels=[0, 1]), "log_loss_variance": np.var(ll, ddof=1),
            "brier": brier_score_loss(y, p), "brier_variance": np.var(br, ddof=1),
        }, rtol=1e-7, atol=1e-12)
        index = np.minimum((p * 2048).astype(int), 2047)
        bins = np.unique(index)
        add("Reliability", name, {"scores": p, "labels": y}, {
            "index": bins,
            "n": [np.sum(index == b) for b in bins],
            "positives": [np.sum(y[index == b]) for b in bins],
            "sum_p": [np.sum(p[index == b]) for b in bins],
            "sum_p2": [np.sum(p[index == b] ** 2) for b in bins],
            "sum_py": [np.sum((p * y)[index == b]) for b in bins],
        }, rtol=1e-13, atol=0.0)


sums()
moments()
quantiles()
scores()

out = {
    "generator": "testdata/reference/summary.py",
    "command": "/usr/bin/python3 testdata/reference/summary.py",
    "versions": {
        "python": platform.python_version(), "numpy": np.__version__,
        "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
    },
    "tolerance": "|got-want| <= atol + rtol*|want|; means of losses are also held to the Bound they state",
    "cases": cases,
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "summary.json")
with open(path, "w") as f:
    json.dump(out, f, indent=None, separators=(",", ":"))
    f.write("\n")
