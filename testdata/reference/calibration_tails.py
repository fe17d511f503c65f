"""Tails of package stats/calibration: a p-value below 1e-200 for each of its tests,
and p-values of the debiased error, which had none; and the sums of parts of data.

Statistics are plain sums and statsmodels fits; the tails of the normal, chi-square
and binomial laws are mpmath's, since SciPy's end at 1e-308.

Run: /usr/bin/python3 testdata/reference/calibration_tails.py
"""
import json
import math
import os
import platform

import mpmath as mp
import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy.special import logit

mp.mp.dps = 40
cases = []


def add(func, given, want, rtol, atol=0.0):
    name = f"{func} {sum(c['func'] == func for c in cases)}"
    cases.append({"name": name, "func": func, "in": given, "want": {k: float(v) for k, v in want.items()}, "rtol": rtol, "atol": atol})


def two_sided(z):
    return mp.log(mp.erfc(abs(mp.mpf(float(z))) / mp.sqrt(2)))


def chi_square(x, df):
    return mp.log(mp.gammainc(mp.mpf(float(df)) / 2, mp.mpf(float(x)) / 2, regularized=True))


# Levels of scores with their rows and positive labels.
DATA = {
    "off": ([0.1, 0.3, 0.6], [40000, 30000, 9000], [6000, 11000, 6100]),
    "flat": ([0.05, 0.5, 0.95], [5000, 8000, 5000], [1500, 4000, 3500]),
    "right": ([0.1, 0.3, 0.6], [4000, 3000, 900], [409, 905, 531]),
    "slightly off": ([0.02, 0.2, 0.4, 0.7], [900, 500, 300, 40], [28, 108, 119, 31]),
    "small": ([0.2, 0.4, 0.8], [5, 4, 6], [2, 1, 4]),
}


def given(name):
    p, n, k = DATA[name]
    return {"p": p, "n": n, "k": k}


def sums(name):
    p, n, k = (np.array(v, dtype=float) for v in DATA[name])
    return p, n, k, p * (1 - p) * n


for name in DATA:
    p, n, k, v = sums(name)
    N, O, E = n.sum(), k.sum(), p @ n
    z = (O - E) / math.sqrt(v.sum())
    add("ObservedExpected", given(name), {"z": z, "logp": two_sided(z)}, 1e-10, 1e-12)
    z = ((k - n * p) @ (1 - 2 * p)) / math.sqrt(v @ (1 - 2 * p)**2)
    add("Spiegelhalter", given(name), {"z": z, "logp": two_sided(z)}, 1e-10, 1e-12)

    L = logit(p)
    U = np.array([O - E, (k - n * p) @ L])
    chi = U @ np.linalg.solve([[v.sum(), v @ L], [v @ L, v @ L**2]], U)
    add("ScoreTest", given(name), {"chisq": chi, "logp": chi_square(chi, 2)}, 1e-9, 1e-12)

    y, w = np.repeat([1, 0], len(p)), np.concatenate([k, n - k])
    fit = sm.GLM(y, sm.add_constant(np.tile(L, 2)), family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-14, maxiter=200)
    ll = lambda q: math.fsum(k * np.log(q)) + math.fsum((n - k) * np.log1p(-q))
    u = 2 * (ll(fit.fittedvalues[:len(p)]) - ll(p))
    add("Cox", given(name), {"a": fit.params[0], "b": fit.params[1], "u": u, "logp": chi_square(u, 2)}, 1e-8, 1e-9)

    chi = ((k - n * p)**2 / v).sum()  # each level a group
    add("HosmerLemeshow", given(name), {"chisq": chi, "logp": chi_square(chi, len(p))}, 1e-10, 1e-12)

    # Debiased error with each level a bin: with residuals d, the pairs within a bin.
    # Under the null sum a_b (Z_b^2 - 1), tail from the chi-square law g (X_m - m) with
    # the same variance and sum of a_b.
    each = [((kk - nn * q)**2 - (kk * (1 - q)**2 + (nn - kk) * q**2)) / nn for q, nn, kk in zip(p, n, k)]
    t = math.fsum(each) / N
    a = np.array([math.sqrt((nn * q * (1 - q))**2 - nn * (q * (1 - q))**2) / nn / N for q, nn in zip(p, n)])
    g, m = (a @ a) / a.sum(), a.sum()**2 / (a @ a)
    add("DebiasedError", given(name), {"tcal": t, "nullse": math.sqrt(2 * a @ a), "logp": chi_square((t + a.sum()) / g, m)}, 1e-9, 1e-12)


def ratio_parts(name):
    p, n, k, _ = sums(name)
    N, O, E = n.sum(), k.sum(), p @ n
    infl = k @ (N / O - p * N / E)**2 + (n - k) @ (p * N / E)**2
    return O, E, math.log(O / E), math.sqrt(infl) / N


def loss_parts(name, rule):
    p, n, k, _ = sums(name)
    pos, neg = ((1 - p)**2, p**2) if rule == "quadratic" else (-np.log(p), -np.log1p(-p))
    N = n.sum()
    mean = (k @ pos + (n - k) @ neg) / N
    return mean, math.sqrt((k @ (pos - mean)**2 + (n - k) @ (neg - mean)**2) / (N - 1) / N)


for a, b in (("off", "flat"), ("off", "right"), ("right", "slightly off"), ("flat", "slightly off")):
    (_, _, l1, s1), (_, _, l2, s2) = ratio_parts(a), ratio_parts(b)
    z = (l1 - l2) / math.hypot(s1, s2)
    add("CompareRatio", {"a": given(a), "b": given(b)}, {"point": l1 - l2, "se": math.hypot(s1, s2), "logp": two_sided(z)}, 1e-9, 1e-12)
    for rule in ("quadratic", "logarithmic"):
        (m1, e1), (m2, e2) = loss_parts(a, rule), loss_parts(b, rule)
        z = (m1 - m2) / math.hypot(e1, e2)
        add("CompareLoss", {"a": given(a), "b": given(b), "rule": rule}, {"point": m1 - m2, "se": math.hypot(e1, e2), "logp": two_sided(z)}, 1e-9, 1e-12)

# Few labels on one side: two Poisson rates, exactly; see R's poisson.test.
for few, n in ((1, 2000), (0, 1500)):
    DATA["few"] = ([0.5], [n], [few])
    O, E, _, _ = ratio_parts("off")
    share = mp.mpf(n) / 2 / (mp.mpf(n) / 2 + mp.mpf(float(E)))
    total = few + int(O)
    pmf = lambda x: mp.binomial(total, x) * share**x * (1 - share)**(total - x)
    logp = mp.log(mp.fsum(pmf(x) for x in range(few + 1)))
    # nothing at the other end is as unlikely
    assert pmf(total) < pmf(few) * mp.mpf(10)**-100
    x = int(total * share) + 1
    while pmf(x) > pmf(few) * (1 + mp.mpf(10)**-7):
        x += 1
    logp = mp.log(mp.exp(logp) + mp.fsum(pmf(y) for y in range(x, x + 3000)))
    add("CompareRatio", {"a": given("few"), "b": given("off")}, {"logp": logp}, 1e-9)

# Sums of scores that came as levels, and of the part within a band.
for name in ("off", "flat", "right", "slightly off", "small"):
    p, n, k, v = sums(name)
    add("FromScores", given(name), {"n": n.sum(), "y": k.sum(), "p1": math.fsum(n * p), "p2": math.fsum(n * p * p), "w0": math.fsum(v)}, 1e-12)
p = np.round(np.random.default_rng(20261125).beta(1, 3, 80), 2)
y = (np.arange(80) % 3 == 0).astype(float)
p[:2] = 0, 1
for lo, hi in ((0, 1), (0.1, 0.3), (0.25, 0.25), (0.5, 1), (0, 0.05), (0.3, 0.31), (0.999, 2)):
    band = (p >= lo) & ((p < hi) | ((hi == 1) & (p == 1)))
    add("Data.Between", {"p": p.tolist(), "y": y.tolist(), "lo": lo, "hi": hi}, {"n": band.sum(), "y": y[band].sum(), "p1": math.fsum(p[band])}, 1e-13)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "calibration_tails.json")
with open(out, "w") as f:
    json.dump({
        "generator": "testdata/reference/calibration_tails.py",
        "command": "/usr/bin/python3 testdata/reference/calibration_tails.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "mpmath": mp.__version__, "statsmodels": statsmodels.__version__},
        "tolerance": "|got-want| <= atol + rtol*|want|; the statistics are sums of a few large terms that cancel in part",
        "cases": cases,
    }, f, separators=(",", ":"))
    f.write("\n")
for func in sorted({c["func"] for c in cases}):
    print(func, [round(c["want"]["logp"]) if "logp" in c["want"] else "" for c in cases if c["func"] == func])
print(len(cases), "cases,", os.path.getsize(out), "bytes")
