"""Reference numbers of the sums under package stats: moments, and the bootstrap.

Moments are exact rational sums, compared with NumPy's where it can be. The
bootstrap, whose replicas are a fixed function of names and a seed, is held against
scipy.stats.bootstrap, which resamples rows: the two estimate one standard error and
one pair of quantiles, each within its Monte-Carlo error.

Run: /usr/bin/python3 testdata/reference/stats_moments.py
"""
import json
import math
import os
import platform
from fractions import Fraction

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20261122)
cases = []


def add(func, name, given, want, rtol, atol=0.0):
    cases.append({"name": name, "func": func, "in": given, "want": want, "rtol": rtol, "atol": atol})


def exact(x, y):
    """means and (co)variances with divisor n-1, in fractions"""
    n = len(x)
    x, y = [Fraction(float(v)) for v in x], [Fraction(float(v)) for v in y]
    mx, my = sum(x) / n, sum(y) / n
    cov = lambda a, ma, b, mb: float(sum((p - ma) * (q - mb) for p, q in zip(a, b)) / (n - 1)) if n > 1 else 0.0
    return float(mx), float(my), cov(x, mx, x, mx), cov(y, my, y, my), cov(x, mx, y, my)


samples = {
    "one value": [3.25],
    "two": [1.0, 2.0],
    "ties": [2.0] * 7 + [5.0] * 3,
    "equal": [0.1] * 11,
    "offset of 1e9": (1e9 + rng.normal(0, 1, 200)).tolist(),
    "tiny": (1e-150 * rng.normal(0, 1, 30)).tolist(),
    "huge": (1e150 * rng.normal(0, 1, 30)).tolist(),
    "skewed": rng.lognormal(0, 3, 1000).tolist(),
}
for name, x in samples.items():
    mean, _, var, _, _ = exact(x, x)
    assert np.isclose(mean, np.mean(x)) and (len(x) == 1 or np.isclose(var, np.var(x, ddof=1), rtol=1e-6, atol=1e-30))
    # a sum of n terms is good to n roundings of its largest term
    add("MomentsOf", name, {"x": x}, {"mean": mean, "variance": var}, 1e-13, 1e-15 * max(abs(v) for v in x) if name == "tiny" else 0)
n = 300_000
add("MomentsOf", "300,000 whole numbers", {"x_from": 1, "x_n": n}, {"mean": (n + 1) / 2, "variance": n * (n + 1) / 12}, 1e-13)

pairs = {
    "two units": ([1, 3], [2, 2]),
    "ties": ([0, 1, 1, 2] * 5, [1, 2, 2, 3] * 5),
    "proportional": ([2.0, 4.0, 10.0], [1.0, 2.0, 5.0]),
    "clicks": (rng.poisson(2, 200), rng.poisson(20, 200)),
    "opposed": ([1, 2, 3, 4], [9, 7, 4, 1]),
    "offset of 1e8": (1e8 + rng.normal(0, 1, 100), 1e8 + rng.normal(0, 1, 100)),
}
for name, (num, den) in pairs.items():
    num, den = [float(v) for v in num], [float(v) for v in den]
    mn, md, vn, vd, c = exact(num, den)
    assert np.allclose(np.cov(num, den), [[vn, c], [c, vd]], rtol=1e-6)
    add("RatioMomentsOf", name, {"num": num, "den": den}, {"mean_num": mn, "mean_den": md, "var_num": vn, "var_den": vd, "cov": c}, 1e-12, 1e-15)

B = 20_000  # replicas on our side; SciPy takes ten times as many
rows = {
    "normal mean": (rng.normal(5, 2, 300), None),
    "skewed mean": (rng.lognormal(0, 1, 500), None),
    "proportion": ((rng.random(400) < 0.2).astype(float), None),
    "counts with ties": (rng.poisson(1.5, 150).astype(float), None),
    "ratio": (rng.poisson(3, 300).astype(float), rng.poisson(30, 300).astype(float)),
    "ratio of skewed sums": (rng.gamma(2, 5, 400), 1 + rng.gamma(3, 2, 400)),
}
for i, (name, (num, den)) in enumerate(rows.items()):
    if den is None:
        den = np.ones_like(num)
    num, den = np.round(num, 4), np.round(den, 4)
    ratio = lambda a, b, axis=-1: a.sum(axis=axis) / b.sum(axis=axis)
    r = stats.bootstrap((num, den), ratio, paired=True, vectorized=True, n_resamples=10 * B, batch=2000, confidence_level=0.9, method="percentile", random_state=rng)
    se = float(r.standard_error)
    # Standard error: 5 of its own errors se/sqrt(2B), and Poisson weights differ from
    # resampled rows by a share of 1/n. Quantiles at 5% and 95%: 5 errors of
    # se sqrt(0.05 0.95/B)/0.103.
    add("NewBootstrap", name, {"num": num.tolist(), "den": den.tolist(), "replicates": B, "seed": str(i + 1), "level": 0.9},
        {"point": float(ratio(num, den)), "se": se, "lo": float(r.confidence_interval.low), "hi": float(r.confidence_interval.high),
         "se_tolerance": se * (5 / math.sqrt(2 * B) + 2 / len(num)), "end_tolerance": se * (5 * math.sqrt(0.05 * 0.95 / B) / 0.103 + 2 / len(num))}, 1e-12)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stats_moments.json")
with open(out, "w") as f:
    json.dump({
        "generator": "testdata/reference/stats_moments.py",
        "command": "/usr/bin/python3 testdata/reference/stats_moments.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "tolerance": "|got-want| <= atol + rtol*|want|, exact sums rounded once; the bootstrap within se_tolerance and end_tolerance, 5 Monte-Carlo errors and 2/n of a standard error",
        "cases": cases,
    }, f, separators=(",", ":"))
    f.write("\n")
print(len(cases), "cases,", os.path.getsize(out), "bytes")
