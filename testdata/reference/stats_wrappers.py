"""Reference numbers of the functions of package stats that rest on others.

Run: /usr/bin/python3 testdata/reference/stats_wrappers.py
"""
import json
import math
import os
import platform

import mpmath
import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20261120)
cases = []


def add(name, func, given, want, rtol):
    cases.append({"name": name, "func": func, "in": given, "want": want, "rtol": rtol, "atol": 1e-12})


def number(x):
    return float(x) if math.isfinite(x) else {math.inf: "+Inf", -math.inf: "-Inf"}[x]


def log_tail(x, df):
    """log of the upper tail; SciPy's logsf underflows below 1e-308"""
    return float(mpmath.log(mpmath.gammainc(mpmath.mpf(int(df)) / 2, mpmath.mpf(float(x)) / 2, regularized=True)))


samples = {
    "small": ([4, 2, 0], [1, 1, 4]),
    "a cell empty in both": ([10, 0, 7, 3], [12, 0, 5, 4]),
    "equal": ([30, 20, 10], [30, 20, 10]),
    "unequal sizes": ([5000, 3000, 2000], [51, 29, 24]),
    "huge": ([3_000_000_000, 1_000_000_000], [2_999_900_000, 1_000_100_000]),
    "extreme tail": ([9000, 1000, 10], [1000, 9000, 10]),
    "many cells": (rng.multinomial(20_000, np.ones(64) / 64).tolist(), rng.multinomial(3_000, np.ones(64) / 64).tolist()),
}
for name, (a, b) in samples.items():
    table = np.array([a, b], dtype=float)
    table = table[:, table.sum(axis=0) > 0]
    for ratio in (False, True):
        statistic, p, df, _ = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood" if ratio else "pearson")
        add(f"{name}, {'G' if ratio else 'X2'}", "Homogeneity", {"a": a, "b": b, "lr": ratio},
            {"statistic": number(statistic), "df": int(df), "logp": log_tail(statistic, df)},
            1e-6 if name == "huge" and ratio else 1e-9)  # SciPy's G of nearly equal huge counts cancels

for name, actual, planned in [
    ("half and half", [0.51, 0.49], [0.5, 0.5]),
    ("not scaled", [60, 40], [1, 1]),
    ("as planned", [1, 2, 3], [2, 4, 6]),
    ("rare", [0.02, 0.98], [0.01, 0.99]),
    ("five cells", [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
]:
    p, q = np.array(actual) / np.sum(actual), np.array(planned) / np.sum(planned)
    # the chi-square statistic of one observation spread as p
    add(name, "CellEffect", {"actual": actual, "planned": planned}, {"effect": number(stats.chisquare(p, q).statistic)}, 1e-12)

# e-BH rejects what Benjamini-Hochberg rejects on 1/e.
for name, e, alpha in [
    ("strong and weak", [200, 90, 35, 28, 12, 8, 3, 1.1, 0.4, 0.05], 0.10),
    ("none", [1, 1, 2, 0.5], 0.05),
    ("all", [1000, 500, 800], 0.05),
    ("ties", [40, 40, 40, 40, 1], 0.05),
    ("one", [30], 0.05),
    ("many", rng.lognormal(1, 2, size=300).tolist(), 0.2),
    ("huge", [1e300, 1e-300, 1e5], 0.01),
]:
    p = np.minimum(1, 1 / np.array(e, dtype=float))
    add(name, "EBH", {"log_e": [math.log(v) for v in e], "alpha": alpha},
        {"rejected": [int(r) for r in multipletests(p, alpha, "fdr_bh")[0]]}, 0)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stats_wrappers.json")
with open(out, "w") as f:
    json.dump({
        "generator": "testdata/reference/stats_wrappers.py",
        "command": "/usr/bin/python3 testdata/reference/stats_wrappers.py",
        "versions": {"python": platform.python_version(), "scipy": scipy.__version__, "numpy": np.__version__, "mpmath": mpmath.__version__, "statsmodels": statsmodels.__version__},
        "tolerance": "|got-want| <= atol + rtol*|want|; sums of some tens of terms of like size, and mpmath's incomplete gamma for the tail",
        "cases": cases,
    }, f, indent=1)
    f.write("\n")
