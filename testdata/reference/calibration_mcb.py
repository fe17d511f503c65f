"""Reference numbers of MCBTest and CompareMCB in package stats/calibration.

The miscalibration itself is scikit-learn's isotonic regression, exact. What is drawn
at random is drawn here too, with NumPy and more often: each such number comes with
its tolerance, 5 standard errors of both sides together.

Run: /usr/bin/python3 testdata/reference/calibration_mcb.py
"""
import itertools
import json
import math
import os
import platform

import numpy as np
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.isotonic import isotonic_regression

rng = np.random.default_rng(20261124)
cases = []
REPLICATES, DRAWS = 4000, 20_000  # on the side under test, and here


def add(func, given, want, rtol, atol=0.0):
    name = f"{func} {sum(c['func'] == func for c in cases)}"
    want = {k: float(v) for k, v in want.items()}
    cases.append({"name": name, "func": func, "in": given, "want": want, "rtol": rtol, "atol": atol})


def mcb(score, n, k, rule):
    """miscalibration of levels with n rows, k of them positive"""
    keep = n > 0
    score, n, k = score[keep], n[keep], k[keep]
    fit = np.clip(isotonic_regression(k / n, sample_weight=n), 0, 1)
    if rule == "quadratic":
        return (n @ ((score - fit) * (score + fit)) - 2 * k @ (score - fit)) / n.sum()
    xlogy = lambda x, y: np.where(x > 0, x * np.log(np.where(x > 0, y, 1)), 0)
    return (xlogy(k, fit).sum() + xlogy(n - k, 1 - fit).sum() - xlogy(k, score).sum() - xlogy(n - k, 1 - score).sum()) / n.sum()


def levels(p, y):
    score, at = np.unique(p, return_inverse=True)
    return score, np.bincount(at).astype(float), np.bincount(at, weights=y)


def null(score, n, rule, truth=None):
    truth = score if truth is None else truth
    return np.array([mcb(truth, n, rng.binomial(n.astype(np.int64), truth).astype(float), rule) for _ in range(DRAWS)])


BOTH = math.sqrt(1 / REPLICATES + 1 / DRAWS)


def describe(draws):
    """mean and 95% point with what 5 errors of both sides amount to"""
    q = np.quantile(draws, [0.94, 0.95, 0.96], method="inverted_cdf")
    return {"null": draws.mean(), "null_tolerance": 5 * draws.std() * BOTH,
            "null95": q[1], "null95_tolerance": 5 * math.sqrt(0.05 * 0.95) * (q[2] - q[0]) / 0.02 * BOTH}


# Every label vector of a few rows: no error on this side, that of the other alone.
for p, y, rule in [
    ([0.1, 0.2, 0.2, 0.5, 0.6, 0.7, 0.9], [0, 1, 0, 1, 0, 1, 1], "quadratic"),
    ([0.1, 0.2, 0.2, 0.5, 0.6, 0.7, 0.9], [0, 1, 0, 1, 0, 1, 1], "logarithmic"),
    ([0.02, 0.02, 0.02, 0.03, 0.3, 0.3, 0.3, 0.3, 0.8, 0.8], [1, 0, 0, 0, 0, 0, 0, 1, 0, 0], "quadratic"),
    ([0.3], [1], "quadratic"),
    ([0.5] * 9, [1] * 9, "logarithmic"),
    ([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55], [1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0], "logarithmic"),
]:
    p, y = np.array(p), np.array(y, dtype=float)
    vectors = np.array(list(itertools.product((0.0, 1.0), repeat=len(p))))
    prob = np.prod(np.where(vectors == 1, p, 1 - p), axis=1)
    ms = np.array([mcb(*levels(p, v), rule) for v in vectors])
    seen = mcb(*levels(p, y), rule)
    above = prob @ (ms >= seen - 1e-12)
    mean = prob @ ms
    add("MCBTest", {"p": p.tolist(), "y": y.tolist(), "rule": rule, "replicates": REPLICATES},
        {"mcb": seen, "null": mean, "null_tolerance": 5 * math.sqrt(prob @ (ms - mean)**2 / REPLICATES) + 1e-12,
         "p": above, "p_tolerance": 5 * math.sqrt(above * (1 - above) / REPLICATES) + 1 / REPLICATES}, 1e-9, 1e-12)

# More rows: drawn on both sides.
for size, ties, shift, slope, rule in [(200, 2, 0, 1, "quadratic"), (200, 3, 0.4, 1, "logarithmic"), (500, 2, 0, 0.6, "quadratic"), (60, 1, -0.5, 1, "logarithmic")]:
    p = np.clip(np.round(rng.beta(1.2, 4, size), ties), 10.0**-ties, 1 - 10.0**-ties)
    y = (rng.random(size) < expit(shift + slope * logit(p))).astype(float)
    at = levels(p, y)
    draws, seen = null(at[0], at[1], rule), mcb(*at, rule)
    above = (draws >= seen).mean()
    add("MCBTest", {"p": p.tolist(), "y": y.tolist(), "rule": rule, "replicates": REPLICATES},
        {"mcb": seen, **describe(draws), "p": above, "p_tolerance": 5 * math.sqrt(above * (1 - above)) * BOTH + 1 / REPLICATES}, 1e-9, 1e-12)
score, n, k = np.array([0.001, 0.02, 0.3, 0.75]), np.array([2e6, 1e6, 1e5, 1e4]), np.array([2040.0, 20110, 30100, 7450])
draws, seen = null(score, n, "quadratic"), mcb(score, n, k, "quadratic")
above = (draws >= seen).mean()
add("MCBTest", {"levels": score.tolist(), "n": n.tolist(), "k": k.tolist(), "rule": "quadratic", "replicates": REPLICATES},
    {"mcb": seen, **describe(draws), "p": above, "p_tolerance": 5 * math.sqrt(above * (1 - above)) * BOTH + 1 / REPLICATES}, 1e-6, 1e-12)


def side(p, y, rule):
    """MCB beyond noise, and its standard error, each with its spread"""
    score, n, k = levels(p, y)
    truth = score  # stands where no logistic fit exists: one score, or separated labels
    if len(score) > 1 and y.min() < y.max() and p[y == 0].max() > p[y == 1].min():
        fit = sm.GLM(y, sm.add_constant(logit(p)), family=sm.families.Binomial()).fit(tol=1e-12, maxiter=100)
        truth = expit(fit.params[0] + fit.params[1] * logit(score))
    noise = null(score, n, rule, truth)
    boot = []
    for _ in range(DRAWS):
        pos, neg = rng.poisson(k), rng.poisson(n - k)
        if (pos + neg).sum():
            boot.append(mcb(score, (pos + neg).astype(float), pos.astype(float), rule))
    boot = np.array(boot)
    centred = (boot - boot.mean())**2
    variance = centred.mean()
    return mcb(score, n, k, rule) - noise.mean(), noise.std(), variance, centred.std()


def sample(size, shift, slope, ties=2):
    p = np.clip(np.round(rng.beta(1.2, 3, size), ties), 10.0**-ties, 1 - 10.0**-ties)
    return p, (rng.random(size) < expit(shift + slope * logit(p))).astype(float)


for candidate, baseline, rule in [
    (sample(300, 0.5, 1), sample(300, 0, 1), "quadratic"),
    (sample(300, 0.5, 1), sample(300, 0, 1), "logarithmic"),
    (sample(80, 0, 0.5), sample(900, 0, 1), "quadratic"),
    (sample(400, -1, 1.5, 1), sample(250, 0.8, 1, 1), "logarithmic"),
    ((np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.9] * 5), np.array([0, 0, 0, 1.0, 1, 1] * 5)), sample(120, 0, 1), "quadratic"),
    ((np.full(50, 0.5), np.array([1.0] * 30 + [0] * 20)), (np.full(70, 0.25), np.array([1.0] * 20 + [0] * 50)), "quadratic"),
]:
    (e1, s1, v1, w1), (e2, s2, v2, w2) = side(*candidate, rule), side(*baseline, rule)
    se = math.sqrt(v1 + v2)
    add("CompareMCB", {"candidate": {"p": candidate[0].tolist(), "y": candidate[1].tolist()}, "baseline": {"p": baseline[0].tolist(), "y": baseline[1].tolist()},
                       "rule": rule, "replicates": REPLICATES},
        {"point": e1 - e2, "point_tolerance": 5 * math.hypot(s1, s2) * BOTH, "se": se, "se_tolerance": 5 * math.hypot(w1, w2) * BOTH / (2 * se)}, 0)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "calibration_mcb.json")
with open(out, "w") as f:
    json.dump({
        "generator": "testdata/reference/calibration_mcb.py",
        "command": "/usr/bin/python3 testdata/reference/calibration_mcb.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "statsmodels": statsmodels.__version__, "scikit-learn": sklearn.__version__},
        "tolerance": "rtol and atol for mcb; X_tolerance for X, 5 Monte-Carlo standard errors of 4000 replicates there and 20,000 (or all label vectors) here",
        "cases": cases,
    }, f, separators=(",", ":"))
    f.write("\n")
for c in cases:
    print(c["name"], {k: float("%.4g" % v) for k, v in c["want"].items()})
print(len(cases), "cases,", os.path.getsize(out), "bytes")
