"""Reference numbers for package drift.

Divergences come from NumPy and SciPy by their definitions, tests from SciPy,
score tests and Newcombe intervals from statsmodels, intervals by inverting
scipy.stats.ncx2 with brentq, distances between raw values from SciPy.

Run: /usr/bin/python3 testdata/reference/drift.py
"""

import json
import math
import os
import platform

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from scipy.spatial.distance import jensenshannon
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

rng = np.random.default_rng(20250611)
cases = []
LEVEL = 0.90


def clean(x):
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "+Inf" if x > 0 else "-Inf"
    return x


def add(func, name, inp, want, rtol=1e-9, atol=1e-12):
    want = {k: ([clean(x) for x in v] if isinstance(v, (list, np.ndarray)) else clean(v)) for k, v in want.items()}
    cases.append({"name": name, "func": func, "in": inp, "want": want, "rtol": rtol, "atol": atol})


def ncp_interval(stat, df):
    a = (1 - LEVEL) / 2
    top = 4 * stat + 100

    # ncx2 at ncp 0 is the central law; near 0 SciPy is told so.
    def sf(ncp):
        return stats.chi2.sf(stat, df) if ncp < 1e-12 else stats.ncx2.sf(stat, df, ncp)

    def cdf(ncp):
        return stats.chi2.cdf(stat, df) if ncp < 1e-12 else stats.ncx2.cdf(stat, df, ncp)

    lo = 0.0 if sf(0) > a else optimize.brentq(lambda x: sf(x) - a, 0, top, xtol=1e-13, rtol=1e-14)
    hi = 0.0 if cdf(0) < a else optimize.brentq(lambda x: cdf(x) - a, 0, top, xtol=1e-13, rtol=1e-14)
    return lo, hi


def inferred(raw, scale, df, root=False):
    """What follows from raw/scale ~ non-central chi-square."""
    stat = raw / scale
    lo, hi = ncp_interval(stat, df)
    f = math.sqrt if root else float
    return {
        "value": f(raw),
        "corrected": f(max(0.0, raw - df * scale)),
        "null95": f(stats.chi2.isf(0.05, df) * scale),
        "logp": stats.chi2.logsf(stat, df),
        "lo": f(lo * scale),
        "hi": f(hi * scale),
    }


pairs = {
    "no drift": ([102, 95, 103, 99, 101, 98, 97, 105, 100, 100], [48, 55, 49, 50, 52, 47, 50, 51, 46, 52]),
    "some drift": ([100, 100, 100, 100, 100, 100, 100, 100, 100, 100], [70, 81, 89, 94, 99, 104, 108, 112, 118, 125]),
    "empty cells": ([500, 300, 150, 50, 0], [90, 70, 30, 0, 10]),
    "booleans": ([8000, 2000], [7600, 2400]),
    "large": ([1000123, 998877, 1001000, 500000], [100500, 99000, 101000, 49500]),
    "small": ([5, 7, 3], [9, 2, 6]),
    "one-sided sizes": ([90000, 60000, 40000, 9000, 1000], [80, 70, 40, 8, 2]),
}
for i in range(3):
    k = [5, 12, 30][i]
    p = rng.dirichlet(np.full(k, 3.0))
    q = 0.8 * p + 0.2 * rng.dirichlet(np.full(k, 3.0))
    pairs[f"random {k} cells"] = (rng.multinomial(2000 * (i + 1), p).tolist(), rng.multinomial(1500, q).tolist())

for name, (r, c) in pairs.items():
    r, c = np.array(r, float), np.array(c, float)
    n, m, B = r.sum(), c.sum(), len(r)
    assert ((r + c) > 0).all()
    s, df = 1 / n + 1 / m, B - 1
    inp = {"ref": [int(x) for x in r], "cur": [int(x) for x in c]}
    p, q = r / n, c / m
    ps, qs = (r + 0.5) / (n + 0.5 * B), (c + 0.5) / (m + 0.5 * B)
    h = (r + c) / (n + m)

    add("PSI", name, inp, inferred(np.sum((qs - ps) * np.log(qs / ps)), s, df))
    jsd = jensenshannon(p, q) ** 2
    add("PSIEquivalent", name, inp, inferred(8 * jsd, s, df), rtol=1e-8)
    add("JSDivergenceNats", name, inp, inferred(jsd, s / 8, df), rtol=1e-8)
    add("JSDistanceBase2", name, inp, inferred(jensenshannon(p, q, 2) ** 2, s / 8 / math.log(2), df, root=True), rtol=1e-8)
    add("KLRefCur", name, inp, inferred(stats.entropy(ps, qs), s / 2, df), rtol=1e-8)
    add("KLCurRef", name, inp, inferred(stats.entropy(qs, ps), s / 2, df), rtol=1e-8)
    add("Hellinger", name, inp, inferred(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2, s / 8, df, root=True))

    x2, pv, dof, _ = stats.chi2_contingency([r, c], correction=False)
    lo, hi = ncp_interval(x2, dof)
    add("ChiSquare", name, inp, {"value": x2, "corrected": max(0, x2 - dof), "null95": stats.chi2.isf(0.05, dof),
                                 "logp": stats.chi2.logsf(x2, dof), "lo": lo, "hi": hi})
    g, pv, dof, _ = stats.chi2_contingency([r, c], correction=False, lambda_="log-likelihood")
    lo, hi = ncp_interval(g, dof)
    add("G", name, inp, {"value": g, "corrected": max(0, g - dof), "null95": stats.chi2.isf(0.05, dof),
                         "logp": stats.chi2.logsf(g, dof), "lo": lo, "hi": hi}, rtol=1e-8)

    tv = np.abs(p - q).sum() / 2

    def noise(a, b):
        """Gamma law of half the sum of |normal|, with the covariance of shares."""
        cov = (np.diag(a) - np.outer(a, a)) / n + (np.diag(b) - np.outer(b, b)) / m
        sd = np.sqrt(np.diag(cov))
        rho = np.clip(np.abs(cov / np.outer(sd, sd)), 0, 1)
        folded = 2 / math.pi * (rho * np.arcsin(rho) + np.sqrt(1 - rho**2) - 1) * np.outer(sd, sd)
        tiny = h < 0.01
        keep = ~np.logical_or.outer(tiny, tiny) | np.eye(B, dtype=bool)
        mean, var = math.sqrt(2 / math.pi) * sd.sum() / 2, folded[keep].sum() / 4
        return mean, stats.gamma(mean**2 / var, scale=var / mean)

    z = (1 - LEVEL) / 2
    mean, law = noise(h, h)
    assert math.isclose(mean, math.sqrt(s / (2 * math.pi)) * np.sqrt(h * (1 - h)).sum())
    add("TotalVariation", name, inp, {
        "value": tv, "corrected": max(0, tv - mean), "null95": min(1, law.isf(0.05)),
        "logp": law.logsf(tv), "lo": max(0, tv - noise(p, q)[1].isf(z)),
        "hi": min(1, tv + math.sqrt(s * math.log(1 / z) / 2)),
    })

    lo = hi = 0.0
    logp = 0.0
    for a, b in zip(c, r):
        l, u = confint_proportions_2indep(a, m, b, n, method="newcomb", compare="diff", alpha=(1 - LEVEL) / 2 / B)
        lo, hi = max(lo, l, -u), max(hi, -l, u)
        with np.errstate(all="ignore"):
            zstat = test_proportions_2indep(a, m, b, n, value=0, method="score", compare="diff", correction=True).statistic
        logp = min(logp, math.log(2 * B) + stats.norm.logsf(abs(zstat)))
    add("LInfinity", name, inp, {
        "value": np.abs(p - q).max(), "corrected": np.abs(p - q).max(),
        "null95": (stats.norm.isf(0.025 / B) * np.sqrt(h * (1 - h) * s)).max(),
        "logp": logp, "lo": lo, "hi": hi,
    }, rtol=1e-7)

# Numeric columns. Whole numbers below 128 have a cell of the layout each, so that
# nothing is lost in binning; the others carry the stated bound.
columns = {
    "whole, drift": (rng.poisson(20, 400), rng.poisson(23, 300)),
    "whole, none": (rng.poisson(40, 250), rng.poisson(40, 250)),
    "whole, negative": (rng.integers(-30, 30, 300), rng.integers(-25, 40, 500)),
    "normal": (rng.normal(0, 1, 300).round(5), rng.normal(0.4, 1.3, 200).round(5)),
    "lognormal": (rng.lognormal(2, 1.5, 250).round(4), rng.lognormal(2.5, 1.5, 250).round(4)),
    "atom": (np.r_[np.zeros(100), rng.normal(5, 1, 200).round(4)], np.r_[np.zeros(180), rng.normal(5, 1, 120).round(4)]),
}
for name, (x, y) in columns.items():
    x, y = np.asarray(x, float), np.asarray(y, float)
    n, m = len(x), len(y)
    s = 1 / n + 1 / m
    inp = {"ref": x.tolist(), "cur": y.tolist()}
    exact = name.startswith("whole")

    ks = stats.ks_2samp(x, y, mode="exact")
    want = {"d": ks.statistic, "exact": 1.0 if exact else 0.0, "null95": stats.kstwobign.isf(0.05) * math.sqrt(s),
            "eps": stats.kstwobign.isf((1 - LEVEL) / 2) * math.sqrt(s)}
    if exact:
        want["p"] = ks.pvalue
    add("KS", name, inp, want)

    # Without drift: the integral of |process|, moments by a double sum over the
    # stretches between values.
    knots = np.unique(np.r_[x, y])
    pool = np.sort(np.r_[x, y])
    H = np.searchsorted(pool, knots[:-1], side="right") / (n + m)
    w = np.diff(knots)
    sd = np.sqrt(H * (1 - H) * s)
    mean = math.sqrt(2 / math.pi) * np.sum(sd * w)
    lo, hi = np.minimum.outer(H, H), np.maximum.outer(H, H)
    rho = np.sqrt(lo * (1 - hi) / (hi * (1 - lo)))
    rho = np.minimum(rho, 1)
    cov = 2 / math.pi * (rho * np.arcsin(rho) + np.sqrt(1 - rho**2) - 1)
    var = (sd * w) @ cov @ (sd * w)
    w1 = stats.wasserstein_distance(x, y)
    law = stats.gamma(mean**2 / var, scale=var / mean)
    add("Wasserstein1", name, inp, {
        "value": w1, "exact": 1.0 if exact else 0.0, "sd": x.std(),
        "hi": w1 + stats.norm.isf((1 - LEVEL) / 2) * math.sqrt(x.var() / n + y.var() / m),
    })
    add("Wasserstein1Noise", name, inp, {"corrected": max(0, w1 - mean), "null95": law.isf(0.05), "logp": law.logsf(w1)},
        rtol=0.02, atol=0.02 * mean)

    # Collapse: collisions by value, variance with the kurtosis.
    def collisions(v):
        _, k = np.unique(v, return_counts=True)
        N = len(v)
        p = k / N
        var = 4 * (np.sum(p**3) - np.sum(p**2) ** 2) / N + 2 * np.sum(p**2) * (1 - np.sum(p**2)) / N**2
        return np.sum(k * (k - 1)) / (N * (N - 1)), var

    if exact:
        (cr, vr), (cc, vc) = collisions(x), collisions(y)
        base = max(cr, 0.02 / 3)
        ratio = cc / base
        half = stats.norm.isf((1 - LEVEL) / 2) * math.sqrt(vc + ratio**2 * vr) / base
        add("repetition", name, inp, {"ref": cr, "cur": cc, "point": ratio, "lo": max(0, ratio - half), "hi": ratio + half})
    kr, kc = stats.kurtosis(x, fisher=False), stats.kurtosis(y, fisher=False)
    ratio = y.var(ddof=1) / x.var(ddof=1)
    # The larger kurtosis counts for both; there is no interval where the tails are too heavy.
    spread = max(kr, kc) - 1
    want = {"ref": x.var(ddof=1), "cur": y.var(ddof=1)}
    if spread <= 0.1 * min(n, m):
        half = math.exp(stats.norm.isf((1 - LEVEL) / 2) * math.sqrt(spread / n + spread / m))
        want |= {"point": ratio, "lo": ratio / half, "hi": ratio * half}
    add("variance", name, inp, want, rtol=1e-9 if exact else 1e-4)

# Conventions of other tools (package compat), by their definitions.
def evidently(p):
    p = p.copy()
    least = p[p > 0].min()
    p[p == 0] = 1e-4 if least > 1e-4 else least / 1e6
    return p


for name, (r, c) in {
    "shifted normals, 20 cells": ([2, 3, 4, 5, 7, 13, 21, 14, 8, 5, 3, 5, 4, 3, 1, 2, 0, 0, 0, 0],
                                  [0, 0, 0, 0, 3, 4, 5, 4, 13, 15, 13, 12, 14, 5, 4, 3, 3, 0, 1, 1]),
    "rare cells": ([90000, 9990, 8, 2, 0], [8000, 1990, 0, 8, 2]),
    "no empty cell": ([10, 20, 30, 40], [15, 25, 20, 40]),
}.items():
    p, q = np.array(r) / np.sum(r), np.array(c) / np.sum(c)
    inp = {"ref": r, "cur": c}
    for func, (a, b) in {"EvidentlyPSI": (evidently(p), evidently(q)),
                         "DeepchecksPSI": (np.maximum(p, 0.01), np.maximum(q, 0.01))}.items():
        add(func, name, inp, {"value": np.sum((b - a) * np.log(b / a))})
    add("SciPyJensenShannon", name, inp, {"value": jensenshannon(r, c)})
    add("SciPyEntropy", name, inp, {"value": stats.entropy(r, c)})
for name in ("normal", "lognormal", "atom"):
    x, y = columns[name]
    low = min(x.min(), y.min())
    span = max(x.max(), y.max()) - low
    add("DeepchecksEarthMover", name, {"ref": x.tolist(), "cur": y.tolist()},
        {"value": stats.wasserstein_distance((x - low) / span, (y - low) / span)})

# Planning.
def rows(limit, truth, df, fixed=0):
    def chance(w):
        if truth < limit:
            at = stats.ncx2.ppf(0.05, df, limit * w)
            return stats.ncx2.cdf(at, df, truth * w) if truth > 0 else stats.chi2.cdf(at, df)
        return stats.ncx2.sf(stats.ncx2.ppf(0.95, df, limit * w), df, truth * w)

    w = optimize.brentq(lambda w: chance(w) - 0.8, 5, 1e5, xtol=1e-9)
    return math.ceil(2 * w) if fixed == 0 else math.ceil(1 / (1 / w - 1 / fixed))


for limit, truth, cells in [(0.1, 0, 10), (0.25, 0, 10), (0.1, 0.25, 10), (0.1, 0, 20), (0.1, 0.25, 20), (0.1, 0.05, 20), (0.25, 0.1, 12)]:
    add("RowsNeeded", f"{limit} {truth} {cells}", {"limit": limit, "truth": truth, "cells": cells},
        {"rows": rows(limit, truth, cells - 1), "fixed": rows(limit, truth, cells - 1, 10000)}, rtol=0, atol=0)
for n, m, cells in [(1000, 1000, 10), (10000, 10000, 20), (180, 180, 10), (100000, 500, 64)]:
    df = cells - 1
    crit = stats.chi2.isf(0.05, df)
    ncp = optimize.brentq(lambda x: stats.ncx2.sf(crit, df, x) - 0.8, 1, 500, xtol=1e-12)
    add("Detectable", f"{n} {m} {cells}", {"n": n, "m": m, "cells": cells}, {"psi": ncp * (1 / n + 1 / m)})

out = {
    "generator": "testdata/reference/drift.py",
    "command": "/usr/bin/python3 testdata/reference/drift.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
                 "statsmodels": statsmodels.__version__},
    "tolerance": "|got-want| <= atol + rtol*|want|. Jensen-Shannon and entropy sums in SciPy lose digits near 0; "
                 "Wasserstein1Noise: 64 stretches here against all of them there",
    "cases": cases,
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drift.json")
with open(path, "w") as f:
    json.dump(out, f, indent=None, separators=(",", ":"))
    f.write("\n")
print(len(cases), "cases,", os.path.getsize(path), "bytes")
