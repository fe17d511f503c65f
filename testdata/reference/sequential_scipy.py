"""Reference numbers for package stats/sequential from SciPy's distributions.

Mixtures are integrals of scipy.stats.norm likelihood ratios (scipy.integrate.quad),
beta-binomial e-values are scipy.stats.betabinom over scipy.stats.binom, confidence
sequences are their roots (scipy.optimize.brentq). Weighted Bonferroni shares have no
routine in SciPy: they are recomputed plainly, and equal ones are those of
statsmodels' multipletests. NormalReady is a rule of this project, recomputed.

Run: /usr/bin/python3 testdata/reference/sequential_scipy.py
"""
import json
import math
import os
import platform

import mpmath as mp
import numpy as np
import scipy
import statsmodels
from scipy import integrate, optimize, special, stats
from statsmodels.stats.multitest import multipletests

mp.mp.dps = 40
rng = np.random.default_rng(20261123)
cases = []


def number(x):
    if isinstance(x, (list, tuple, np.ndarray)):
        return [number(v) for v in x]
    if isinstance(x, (bool, str, int, dict)):
        return x
    return float(x) if math.isfinite(x) else {math.inf: "+Inf", -math.inf: "-Inf"}[float(x)]


def add(func, given, want, rtol, atol=0.0):
    name = f"{func} {sum(c['func'] == func for c in cases)}"
    cases.append({"name": name, "func": func, "in": {k: number(v) for k, v in given.items()}, "want": {k: number(v) for k, v in want.items()}, "rtol": rtol, "atol": atol})


# --- normal mixtures ----------------------------------------------------------------


def mixture(estimate, se, null, prior_sd, side):
    """log of the mean likelihood ratio of an estimate with standard error se, the truth
    being normal around the null, or half-normal on one side of it"""
    precision = 1 / se**2 + 1 / prior_sd**2
    centre, width = (null / prior_sd**2 + estimate / se**2) / precision, precision**-0.5
    log_f = lambda d: stats.norm.logpdf(estimate, d, se) - stats.norm.logpdf(estimate, null, se) + stats.norm.logpdf(d, null, prior_sd)
    lo, hi = centre - 14 * width, centre + 14 * width
    if side > 0:
        lo, hi = null, max(hi, null + 14 * width)
    if side < 0:
        lo, hi = min(lo, null - 14 * width), null
    peak = min(max(centre, lo), hi)
    reach = width if lo < centre < hi else min(width, width**2 / abs(peak - centre))
    points = sorted({lo, hi} | {min(max(peak + k * reach, lo), hi) for k in (-40, -12, -3, 0, 3, 12, 40)})
    top = log_f(peak)
    total = sum(integrate.quad(lambda d: math.exp(log_f(d) - top), a, b, epsabs=0, epsrel=1e-12)[0] for a, b in zip(points, points[1:]))
    return math.log(total) + top + (math.log(2) if side else 0)


for mean, n, sigma2, tau2 in [(0.1, 1000, 2, 0.01), (0, 50, 1, 1), (1.7, 1, 0.3, 5), (-0.4, 10**4, 4, 0.02), (3e-5, 10**9, 1, 1e-8), (12, 400, 9, 2), (1e-200, 3, 1, 1e-3)]:
    add("MSPRT", {"mean": mean, "n": n, "sigma2": sigma2, "tau2": tau2},
        {"log_e": mixture(mean, math.sqrt(sigma2 / n), 0, math.sqrt(tau2), 0)}, 1e-10, 1e-11)
add("MSPRT", {"mean": 0.3, "n": 0, "sigma2": 1, "tau2": 1}, {"log_e": 0.0}, 0)


def scale(planned, alpha, side):
    a = alpha if side == 0 else 2 * alpha
    return planned / (math.log(1 - 2 * math.log(a)) - 2 * math.log(a))


def boundary(v, r, alpha, side):
    """the S at which the mixture reaches 1/alpha, its evidence from log_ndtr"""
    if side == 0:
        return math.sqrt((v + r) * (math.log1p(v / r) - 2 * math.log(alpha)))

    def f(s):
        return math.log(2) + 0.5 * math.log(r / (v + r)) + s * s / (2 * (v + r)) + special.log_ndtr(s / math.sqrt(v + r)) + math.log(alpha)
    return optimize.brentq(f, 0, boundary(v, r, alpha, 0), xtol=1e-300, rtol=1e-14)


for v, r, alpha, side in [(100, 12.6, 0.05, 0), (100, 15.1, 0.05, 1), (1e4, 3, 1e-6, 1), (2, 500, 0.01, 1), (1e9, 1e6, 1e-12, 0), (50, 50, 1e-300, 1), (1e-9, 1e-6, 0.3, -1)]:
    add("NormalBound", {"v": v, "scale": r, "alpha": alpha, "side": side}, {"bound": boundary(v, r, alpha, side)}, 1e-12)

for x in (-1e8, -1000, -40, -30.0001, -29.9999, -12, -4.9, -1, 0, 0.3, 5.1, 20):
    # Phi(x) exp(x^2/2) is half the scaled complementary error function
    add("logScaledPhi", {"x": x}, {"log": math.log(special.erfcx(-x / math.sqrt(2)) / 2)}, 1e-12)

for planned, alpha, side in [(5000, 0.05, 0), (5000, 0.05, 1), (1e6, 0.001, -1), (20, 0.2, 0), (0.01, 0.01, 1), (1e12, 1e-10, 0), (100, 1e-300, 0)]:
    # The closed form, and the smallest boundary at planned that any scale gives.
    r = scale(planned, alpha, side)
    least = optimize.minimize_scalar(lambda u: boundary(planned, math.exp(u), alpha, side), bounds=(math.log(r) - 4, math.log(r) + 4), method="bounded", options={"xatol": 1e-9}).fun
    add("NormalScale", {"planned": planned, "alpha": alpha, "side": side}, {"scale": r, "least": least}, 1e-13)


def normal_case(func, given, d, se, q, null, side, level, rtol=1e-9):
    sd = se * math.sqrt(q)
    alpha = 1 - level
    log_e = mixture(d, se, null, sd, side)
    want = {"log_e": log_e, "p": min(1.0, math.exp(-log_e)), "point": d}
    if side == 0:  # the nulls that the evidence does not refute
        f = lambda x: mixture(d, se, x, sd, 0) + math.log(alpha)
        far = se * (10 + 4 * math.sqrt((q + 1) / q * (math.log1p(q) - 2 * math.log(alpha))))
        want |= {"lo": optimize.brentq(f, d - far, d, xtol=1e-14), "hi": optimize.brentq(f, d, d + far, xtol=1e-14)}
    else:  # the closed form of the doc comment, at or a little beyond the exact inverse
        half = se * math.sqrt((q + 1) / q * 2 * math.log1p(math.sqrt(q + 1) / (2 * alpha)))
        exact = se * boundary(q, 1, alpha, 1) / math.sqrt(q)
        assert exact <= half * (1 + 1e-12) < 1.5 * exact
        want |= {"lo": d - half, "hi": math.inf} if side > 0 else {"lo": -math.inf, "hi": d + half}
    add(func, given, want, rtol, 1e-12)


for d, se, nb, nc, null, side, level, planned, design in [
    (0.02, 0.01, 4000, 1000, 0, 0, 0.95, 0, 0),
    (0.02, 0.01, 4000, 1000, 0, 1, 0.95, 0, 0),
    (0.02, 0.01, 4000, 1000, 0.005, -1, 0.99, 10000, 0.01),
    (-3.5, 1.25, 20, 30, 1, 0, 0.9, 200, 0.1),
    (0, 1, 1, 0, 0, 0, 0.95, 5000, 0.05),
    (1e-6, 1e-8, 10**9, 10**9, 0, 1, 0.999, 10**8, 0.001),
    (-1e-6, 1e-8, 10**9, 10**9, 0, 1, 0.999, 10**8, 0.001),
    (7, 0.2, 50000, 50000, 0, 0, 0.95, 0, 0),  # log E near 600
]:
    r = scale(planned or 5000, design or 0.05, side)
    normal_case("Normal", {"estimate": d, "se": se, "n_baseline": nb, "n_candidate": nc, "null": null, "side": side, "level": level, "planned": planned, "design_alpha": design},
                d, se, (nb + nc) / r, null, side, level)

for stages, null, side, level, planned in [
    ([(0.01, 1e-4, 990, 10), (0.02, 4e-5, 900, 100), (0.015, 2e-5, 500, 500)], 0, 0, 0.95, 40),
    ([(0.01, 1e-4, 990, 10), (0.02, 4e-5, 900, 100), (0.015, 2e-5, 500, 500)], 0, 1, 0.95, 40),
    ([(0.01, 1e-4, 990, 10), (0.02, 4e-5, 900, 100), (0.015, 2e-5, 500, 500)], 0.01, -1, 0.9, 400),
    ([(-0.3, 0.02, 50, 50)], 0, 0, 0.99, 100),
    ([(1.0, 0.5, 5, 5), (0.0, 0.0, 0, 0), (-1.0, 0.25, 10, 10)], 0, 1, 0.95, 60),
    ([(2e-4, 1e-9, 10**6, 10**6), (1e-4, 4e-10, 2 * 10**6, 3 * 10**6)], 0, 0, 0.999, 1e4),
]:
    n = [b + c for _, _, b, c in stages]
    s = sum(k * d for k, (d, _, _, _) in zip(n, stages))
    v = sum(k * k * var for k, (_, var, _, _) in zip(n, stages))
    keys = ("diff", "variance", "n_baseline", "n_candidate")
    normal_case("NormalStages", {"stages": [dict(zip(keys, x)) for x in stages], "null": null, "side": side, "level": level, "planned": planned},
                s / sum(n), math.sqrt(v) / sum(n), v / scale(planned, 0.05, side), null, side, level)

for nb, nc, eb, ec in [(49, 50, 20, 20), (50, 50, 5, 14), (50, 50, 5, 15), (50, 50, 15, 5), (10**6, 10**6, 4, 10**5), (0, 0, 0, 0), (2**63, 2**63, 2**63, 2**63), (10**4, 60, 10, 10)]:
    rule = nb >= 50 and nc >= 50 and eb >= 5 and ec >= 5 and eb + ec >= 20
    add("NormalReady", {"counts": [nb, nc, eb, ec]}, {"ready": int(rule)}, 0)

# --- e-values and error budgets -------------------------------------------------------

for log_e in (-700.0, -1.5, 0.0, 1e-9, 3.0, 30.0, 460.6, 690.7, 5000.0, math.inf, -math.inf):
    # 1/E is the tail of an exponential variable at log E
    add("PValue", {"log_e": log_e}, {"p": stats.expon.sf(log_e)}, 1e-14)
for alpha in (0.05, 1.0, 1 / 2400, 1e-12, 1e-300, 5e-324):
    add("Threshold", {"alpha": alpha}, {"log": stats.expon.isf(alpha)}, 1e-15)
for path in ([0.5, 3.1, -2], [-1, -5], [0, 700.25, 699], [2, 2, 2], [10, math.inf, 0], [1e-3, 46.1, 1000]):
    path = [float(v) for v in path]
    add("Running.P", {"path": path}, {"p": stats.expon.sf(max(0.0, *path)), "max": max(0.0, *path)}, 1e-14)

zeta = special.zeta(2.0)  # pi^2/6
for m, k, alpha, attempt, overall, part, additions in [
    (8, 48, 0.05, 0, 0.5, 0.4, 3), (1, 0, 0.05, 0, 0.5, 0.4, 0), (0, 5, 0.1, 2, 0.5, 0.4, 1), (3, 2, 0.001, 7, 0.25, 0.25, 12), (20, 1000, 0.05, 1, 0.6, 0.4, 0), (2, 2, 1e-12, 0, 0.7, 0.1, 2),
]:
    share = alpha if attempt == 0 else alpha / zeta / attempt**2
    parts = [overall if k else overall + part, part if m else overall + part]
    reserve = 1 - overall - part
    weights = [parts[0] / max(m, 1)] * m + [parts[1] / max(k, 1)] * k + [reserve / zeta / j**2 for j in range(1, additions + 1)]
    log_e = rng.uniform(-2, 20, len(weights))
    log_e[0] = 720.0
    # Bonferroni of the e-values' p: equal shares through statsmodels, the others plainly.
    p = stats.expon.sf(np.maximum(log_e, 0))
    adjusted = np.minimum(1, p / weights)
    for lo, hi, w in ((0, m, parts[0]), (m, m + k, parts[1])):
        if hi > lo and (p[lo:hi] > 0).all():
            ours = np.minimum(1, multipletests(p[lo:hi], method="bonferroni")[1] / w)
            assert np.allclose(ours[ours < 1], adjusted[lo:hi][ours < 1], rtol=1e-12) or (hi - lo) * p[lo:hi].max() > 1
    add("NewBudget", {"overall": m, "slices": k, "alpha": alpha, "attempt": attempt, "parts": [overall, part], "additions": additions, "log_e": log_e},
        {"alpha": share, "weight": weights, "threshold": stats.expon.isf(np.array(weights) * share), "p": adjusted, "crossed": [int(v) for v in (p <= np.array(weights) * share)]}, 1e-12, 1e-320)

for counts, alphas, attempt in [((2, 6, 1, 4, 1, 3), (0, 0, 0), 0), ((1, 0, 0, 0, 0, 0), (0.01, 0, 0), 3), ((0, 0, 0, 0, 1, 0), (0, 0, 1e-6), 1), ((5, 0, 5, 10, 0, 0), (0.02, 0.2, 0), 2), ((3, 9, 0, 0, 2, 8), (0, 0, 0.01), 0)]:
    want = {}
    for name, (m, k), alpha, standard in zip(("rollback", "pause", "srm"), (counts[0:2], counts[2:4], counts[4:6]), alphas, (0.05, 0.10, 0.001)):
        if m + k:
            share = (alpha or standard) / (zeta * attempt**2 if attempt else 1)
            want[name] = [share * (0.5 if k else 0.9) / max(m, 1)] * m + [share * (0.4 if m else 0.9) / max(k, 1)] * k
        else:
            want[name] = []
    add("NewBudgets", {"counts": list(counts), "alphas": list(alphas), "attempt": attempt}, want, 1e-13)

for kind, alpha, t, shape in [("obrien_fleming", 0.05, 0.01, 0), ("obrien_fleming", 0.025, 0.5, 0), ("obrien_fleming", 0.05, 1.7, 0), ("obrien_fleming", 1e-10, 0.3, 0), ("pocock", 0.05, 0.2, 0),
                              ("pocock", 0.01, 1, 0), ("power", 0.05, 0.5, 3), ("power", 0.05, 1e-100, 3), ("hwang_shih_decani", 0.05, 0.4, -4), ("hwang_shih_decani", 0.05, 0.4, 1e-9), ("hwang_shih_decani", 0.05, 0.6, 2)]:
    u = min(t, 1)
    spent = {"obrien_fleming": lambda: 2 * stats.norm.sf(stats.norm.isf(alpha / 2) / math.sqrt(u)), "pocock": lambda: alpha * math.log1p((math.e - 1) * u),
             "power": lambda: alpha * u**shape, "hwang_shih_decani": lambda: alpha * np.expm1(-shape * u) / np.expm1(-shape)}[kind]()
    add("Spending.Spend", {"spending": kind, "alpha": alpha, "t": t, "shape": shape}, {"spent": spent}, 1e-11 if kind == "obrien_fleming" else 1e-13)

# --- counts ---------------------------------------------------------------------------

for counts, probs, prior in [([20, 17], [0.5, 0.5], [1, 1]), ([3, 0], [0.25, 0.75], [0.25, 4]), ([0, 9], [0.5, 0.5], [50, 50]), ([480, 520], [0.5, 0.5], [500, 500]), ([900, 100], [0.5, 0.5], [2, 2]),
                             ([12, 3, 80, 2], [0.125, 0.125, 0.5, 0.25], [0.1, 7, 3.5, 20])]:
    c, a, p = np.array(counts), np.array(prior, float), np.array(probs)
    if len(c) == 2:
        want = stats.betabinom.logpmf(c[0], c.sum(), *a) - stats.binom.logpmf(c[0], c.sum(), p[0])
    else:
        want = special.gammaln(a.sum()) - special.gammaln(a.sum() + c.sum()) + np.sum(special.gammaln(a + c) - special.gammaln(a)) - np.sum(c * np.log(p))
    add("DirichletLogE", {"counts": counts, "probs": probs, "prior": prior}, {"log_e": want}, 1e-10, 1e-10)


def beta_evidence(x, n, p, k, side):
    a, b = k * p, k * (1 - p)
    out = stats.betabinom.logpmf(x, n, a, b) - stats.binom.logpmf(x, n, p)
    if side > 0:
        out += stats.beta.logsf(p, a + x, b + n - x) - stats.beta.logsf(p, a, b)
    if side < 0:
        out += stats.beta.logcdf(p, a + x, b + n - x) - stats.beta.logcdf(p, a, b)
    return out


for x, n, p, planned, side, level in [(33, 100, 0.2, 100, 0, 0.95), (33, 100, 0.2, 100, 1, 0.95), (12, 100, 0.2, 300, -1, 0.9), (0, 40, 0.1, 1000, -1, 0.95), (40, 40, 0.5, 1000, 1, 0.99), (900, 2000, 0.3, 2000, 0, 0.999), (1, 1, 0.5, 10, 0, 0.8)]:
    k = max(scale(planned, 0.05, side) - 1, 1e-3)
    f = lambda q: beta_evidence(x, n, q, k, side) + math.log(1 - level)
    want = {"log_e": beta_evidence(x, n, p, k, side), "lo": 0.0, "hi": 1.0}
    if side >= 0 and x > 0 and f(1e-12) > 0:
        want["lo"] = optimize.brentq(f, 1e-12, x / n * (1 - 1e-9), xtol=1e-15)
    if side <= 0 and x < n and f(1 - 1e-12) > 0:
        want["hi"] = optimize.brentq(f, x / n + 1e-9 * (1 - x / n), 1 - 1e-12, xtol=1e-15)
    add("Bernoulli", {"x": x, "n": n, "null": p, "planned": planned, "side": side, "level": level}, want, 1e-8, 1e-10)

GRID = [1.1, 1.2, 1.35, 1.5, 2, 3, 5]


def binom_mix(stages, null, side):
    def ratio(f):
        theta = lambda r, rr: r * rr / (r * rr + 1 - r)
        return sum(stats.binom.logpmf(b, a + b, theta(r, null * f)) - stats.binom.logpmf(b, a + b, theta(r, null)) for r, a, b in stages)
    terms = ([ratio(f) for f in GRID] if side >= 0 else []) + ([ratio(1 / f) for f in GRID] if side <= 0 else [])
    return special.logsumexp(terms) - math.log(len(terms))


for stages, null, side in [([(0.5, 50, 60)], 1, 0), ([(0.01, 180, 4), (0.05, 190, 22), (0.25, 210, 95)], 1, 1), ([(0.3, 0, 0)], 1, 0), ([(0.5, 0, 1)], 1, 1), ([(0.5, 10**6, 10**6 + 3000)], 1.001, 0), ([(0.1, 9000, 700)], 0.9, -1)]:
    add("BinomMix", {"share": [s[0] for s in stages], "baseline": [s[1] for s in stages], "candidate": [s[2] for s in stages], "null_rr": null, "side": side},
        {"log_e": binom_mix(stages, null, side)}, 1e-9, 1e-9)

# --- single units and billions ----------------------------------------------------------


def block(looks, side, g=0.18):
    """log E of independent beta-binomial plug-ins against their common rate, look by
    look; in mpmath, since rates that differ in the tenth digit cancel in billions"""
    n, y, out = [mp.mpf(0)] * 2, [mp.mpf(0)] * 2, mp.mpf(0)
    for na, ya, nb, yb in looks:
        m, k = (na, nb), (ya, yb)
        rate = [(a + mp.mpf(g)) / (b + 2 * mp.mpf(g)) for a, b in zip(y, n)]
        if min(m) > 0 and (side == 0 or (rate[1] - rate[0]) * side > 0):
            common = (na * rate[0] + nb * rate[1]) / (na + nb)
            for a, b, r in zip(m, k, rate):  # binomial coefficients cancel
                out += b * mp.log(r / common) + (a - b) * mp.log((1 - r) / (1 - common))
        n, y = [a + b for a, b in zip(n, m)], [a + b for a, b in zip(y, k)]
    return float(out)


for looks, side in [([[1, 1, 1, 0]] * 3, 0), ([[10**9, 5 * 10**6, 10**9, 5 * 10**6 + 2000]] * 4, 1), ([[10**8, 1, 10**8, 0], [10**8, 0, 10**8, 12]], 0), ([[1, 0, 10**6, 3], [10**6, 2, 1, 1]], -1), ([[500, 0, 500, 500]] * 3, 1)]:
    add("Block", {"looks": looks, "side": side}, {"log_e": block(looks, side)}, 1e-9, 1e-9)


def moments(n, s, q):
    """shrunk mean and variance of n values with sum s and sum of squares q, in [0,1]"""
    mu = (0.5 + s) / (n + 1)
    return mu, (0.25 + q - 2 * mu * s + n * mu * mu) / (n + 1)


def bernstein(looks, null, alpha=0.05):
    n = s = q = out = 0.0
    for k, a, b in looks:
        mu, var = moments(n, s, q)
        t = n + k
        lam = min(0.5, math.sqrt(2 * math.log(1 / alpha) / (t * math.log1p(t) * var)))
        out += lam * (a - k * null) + (math.log1p(-lam) + lam) * (b - 2 * mu * a + k * mu * mu)
        n, s, q = n + k, s + a, q + b
    return out


mirror = lambda looks: [(k, k - a, k - 2 * a + b) for k, a, b in looks]
for looks, null in [([(1, 0.25, 0.0625)], 0.5), ([(1, 1.0, 1.0), (1, 0.0, 0.0)], 0.1), ([(10**9, 2e8, 6e7)], 0.2001), ([(10**6, 500.0, 500.0), (10**9, 400000.0, 400000.0), (1, 0.0, 0.0)], 4.5e-4), ([(50, 50.0, 50.0)] * 20, 0.5)]:
    up, down = bernstein(looks, null), bernstein(mirror(looks), 1 - null)
    add("Bernstein", {"looks": [{"n": k, "sum": a, "sumsq": b} for k, a, b in looks], "null": null},
        {"greater": up, "less": down, "different": np.logaddexp(up, down) - math.log(2)}, 1e-8, 1e-9)

# One look is a normal quantile; two are a corner of the bivariate normal law.
for alpha, two in [(0.05, True), (0.025, False), (1e-10, False)]:
    add("GroupSequential", {"information": [7.0], "alpha": alpha, "two": two, "spending": "pocock", "shape": 0, "planned": 7.0}, {"z": [stats.norm.isf(alpha / 2 if two else alpha)]}, 1e-6)
for v1, alpha, kind in [(0.5, 0.025, "pocock"), (0.9, 0.05, "power"), (0.2, 0.01, "pocock")]:
    first = alpha * math.log1p((math.e - 1) * v1) if kind == "pocock" else alpha * v1**1.5
    z1 = stats.norm.isf(first)
    law = stats.multivariate_normal(cov=[[1, math.sqrt(v1)], [math.sqrt(v1), 1]], seed=1)
    law.abseps = law.releps = 1e-12
    z2 = optimize.brentq(lambda z: 1 - law.cdf([z1, z]) - alpha, 0, 8, xtol=1e-12)
    add("GroupSequential", {"information": [v1, 1.0], "alpha": alpha, "two": False, "spending": kind, "shape": 1.5, "planned": 1.0}, {"z": [z1, z2]}, 2e-5)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sequential_scipy.json")
with open(out, "w") as f:
    json.dump({
        "generator": "testdata/reference/sequential_scipy.py",
        "command": "/usr/bin/python3 testdata/reference/sequential_scipy.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "mpmath": mp.__version__},
        "tolerance": "|got-want| <= atol + rtol*|want|; quad and betabinom are good to 1e-10 or so of a log E of some tens",
        "cases": cases,
    }, f, separators=(",", ":"))
    f.write("\n")
print(len(cases), "cases,", os.path.getsize(out), "bytes")
