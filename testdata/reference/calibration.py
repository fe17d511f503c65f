"""Reference numbers for package stats/calibration.

Run from the repository root:  /usr/bin/python3 testdata/reference/calibration.py
Writes testdata/reference/calibration.json.

scikit-learn answers for the losses, the reliability curves and the isotonic
regression, statsmodels for the logistic recalibration and its score test, SciPy for
intervals and tails. What no library offers is computed row by row from its
definition, and null distributions by going through all label vectors or by the exact
distribution of a sum of unequal trials.
"""
import itertools
import json
import math
import os
import platform
import warnings

import numpy as np
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

warnings.simplefilter("ignore")
CASES = []
CLIP = 2.0**-20
LEVEL = 0.9


def number(v):
    v = float(v)
    if math.isnan(v):
        return "NaN"
    if math.isinf(v):
        return "+Inf" if v > 0 else "-Inf"
    return v


def clean(v):
    if isinstance(v, (list, tuple, np.ndarray)):
        return [clean(x) for x in v]
    if isinstance(v, (bool, np.bool_)):
        return bool(v)
    if isinstance(v, (int, np.integer)):
        return int(v)
    if isinstance(v, str):
        return v
    return number(v)


def add(func, given, want, rtol=1e-10, atol=1e-14):
    k = sum(c["func"] == func for c in CASES) + 1
    CASES.append({
        "name": "%s-%d" % (func, k), "func": func,
        "in": {key: clean(v) for key, v in given.items()},
        "want": {key: clean(v) for key, v in want.items()},
        "rtol": rtol, "atol": atol,
    })


# Data: rows, or levels with large counts.

rng = np.random.default_rng(20010301)


def rows(n, a, b, shift=0.0, slope=1.0, digits=6):
    p = np.round(rng.beta(a, b, n), digits)
    p = np.clip(p, 10.0**-digits, 1 - 10.0**-digits)
    return p, (rng.random(n) < expit(shift + slope * logit(p))).astype(int)


DATA = {
    "dozen": rows(12, 1, 1, digits=2),
    "sound": rows(300, 1, 4),
    "overconfident": rows(300, 0.7, 0.7, slope=0.5),
    "rare": rows(600, 0.6, 25, shift=0.4),
    "common": rows(200, 30, 1.2, shift=-0.5),
    "timid": rows(150, 6, 6, slope=2.2),
}
p = np.round(rng.random(60), 1)
DATA["ties"] = (p, (rng.random(60) < np.clip(p, 0.05, 0.95)).astype(int))  # with scores of 0 and 1, some wrong
DATA["negative"] = (DATA["dozen"][0], np.zeros(12, dtype=int))
DATA["single"] = (np.array([0.3]), np.array([1]))
DATA["pair"] = (np.array([0.3, 0.6]), np.array([0, 1]))
LEVELS = {
    "levels": ([0.0, 0.01, 0.1, 0.5, 0.9, 1.0], [7, 1000, 50, 30, 20, 3], [0, 17, 9, 15, 14, 3]),
    "huge": ([0.001, 0.02, 0.3, 0.75, 0.999], [2 * 10**9, 10**8, 10**7, 10**6, 10**5], [2003000, 2002100, 3001000, 750900, 99890]),
}
for name, (p, y) in DATA.items():
    add("Data", {"data": name, "p": p, "y": y}, {})
for name, (lv, n, k) in LEVELS.items():
    add("Data", {"data": name, "levels": lv, "n": n, "k": k}, {})


def spread(name):
    """(scores, labels, weights) of a data set."""
    if name in DATA:
        p, y = DATA[name]
        return p, y, np.ones(len(p), dtype=object)
    lv, n, k = LEVELS[name]
    p = np.array([x for x in lv for _ in (0, 1)])
    y = np.array([v for _ in lv for v in (0, 1)])
    w = np.array([c for a, b in zip(n, k) for c in (a - b, b)], dtype=object)
    keep = np.array([c > 0 for c in w])
    return p[keep], y[keep], w[keep]


def total(x, w):
    return math.fsum(float(c) * float(v) for v, c in zip(x, w))


def clipped(p):
    p = np.clip(p, CLIP, 1 - CLIP)
    return np.log(p) - np.log1p(-p)


ALL = list(DATA) + list(LEVELS)
Z = stats.norm.isf((1 - LEVEL) / 2)


def two_sided(z):
    logp = min(0.0, math.log(2) + stats.norm.logsf(abs(z)))
    return math.exp(logp), logp


# Sums, ratio, Spiegelhalter, score test.

for name in ALL:
    p, y, w = spread(name)
    n, k, L, q = sum(w), int(sum(c for c, v in zip(w, y) if v)), clipped(p), p * (1 - p)
    P = [total(p**j, w) for j in (1, 2, 3, 4)]
    W = [total(q * L**j, w) for j in (0, 1, 2)]
    G1 = total((y - p) * L, w)
    add("Sums", {"data": name}, {"n": n, "y": k, "p": P, "py": total(p * y, w), "w": W, "g1": G1}, 1e-12, 1e-12)

    o_e = k / P[0]
    lo = stats.beta.ppf((1 - LEVEL) / 2, k, n - k + 1) if k else 0.0
    hi = stats.beta.isf((1 - LEVEL) / 2, k + 1, n - k) if k < n else 1.0
    z = (k - P[0]) / math.sqrt(W[0])
    pz, lpz = two_sided(z)
    se = math.inf
    if k:
        ybar, pbar = k / n, P[0] / n
        se = math.sqrt(total((y / ybar - p / pbar)**2, w)) / n
    add("ObservedExpected", {"data": name, "level": LEVEL},
        {"point": o_e, "lo": lo * n / P[0], "hi": hi * n / P[0], "se": se, "z": z, "p": pz, "logp": lpz}, 1e-8, 1e-12)

    v = total(q * (1 - 2 * p)**2, w)
    z = total((y - p) * (1 - 2 * p), w) / math.sqrt(v)
    pz, lpz = two_sided(z)
    add("Spiegelhalter", {"data": name}, {"z": z, "p": pz, "logp": lpz}, 1e-8, 1e-10)

    if len(set(p)) > 1:
        U = np.array([k - P[0], G1])
        I = np.array([[W[0], W[1]], [W[1], W[2]]])
        if name in DATA and p.min() > CLIP and p.max() < 1 - CLIP:
            model = sm.Logit(y, sm.add_constant(L, has_constant="add"))
            U, I = model.score([0, 1]), -model.hessian([0, 1])
        step = np.linalg.solve(I, U)
        chi = float(U @ step)
        cov = np.linalg.inv(I)
        add("ScoreTest", {"data": name, "level": LEVEL},
            {"chisq": chi, "p": stats.chi2.sf(chi, 2), "logp": -chi / 2, "a": step[0], "b": 1 + step[1],
             "se": np.sqrt(np.diag(cov)), "a_lo": step[0] - Z * math.sqrt(cov[0, 0]), "b_hi": 1 + step[1] + Z * math.sqrt(cov[1, 1])}, 1e-7, 1e-9)

# Losses.

for name in ALL:
    p, y, w = spread(name)
    n = sum(w)
    for rule in ("quadratic", "logarithmic"):
        if rule == "quadratic":
            each = (y - p)**2
        else:
            c = np.clip(p, 2.0**-52, 1 - 2.0**-52)
            each = np.where(y == 1, -np.log(c), -np.log1p(-c))
        mean = total(each, w) / n
        if name in DATA and len(set(y)) > 1:
            library = brier_score_loss(y, p) if rule == "quadratic" else log_loss(y, p)
            assert abs(library - mean) < 1e-12, name
            mean = library
        se = math.inf if n == 1 else math.sqrt(total((each - mean)**2, w) / (n - 1) / n)
        add("Brier" if rule == "quadratic" else "LogLoss", {"data": name, "level": LEVEL},
            {"mean": mean, "se": se}, 1e-9, 1e-12)


# Bins.

def split(name, method, k):
    """Lists of row indices, one for each populated bin."""
    p, y, w = spread(name)
    if method == "distinct":
        return [np.flatnonzero(p == v) for v in sorted(set(p))]
    if method == "width":
        edges = np.arange(1, k) / k
        which = np.searchsorted(edges, p, side="right")
    else:
        n = sum(w)
        order = np.argsort(p, kind="stable")
        cum = np.cumsum([int(w[i]) for i in order])
        parts = min(k, n)
        size, larger = divmod(n, parts)
        ends, r = [], 0
        for i in range(parts):
            r += size + (i < larger)
            ends.append(p[order[np.searchsorted(cum, r)]])
        which = np.searchsorted(np.array(sorted(set(ends))), p, side="left")
    return [np.flatnonzero(which == b) for b in sorted(set(which))]


def sizes(name, idx):
    p, y, w = spread(name)
    nb = int(sum(w[idx]))
    return nb, total(p[idx], w[idx]) / nb, total(y[idx], w[idx]) / nb


def trials(ps):
    """Distribution of the number of successes of unequal trials."""
    pmf = np.array([1.0])
    for x in ps:
        pmf = np.convolve(pmf, [1 - x, x])
    return pmf


BINNINGS = [("mass", 15), ("mass", 4), ("width", 10), ("width", 16), ("distinct", 0)]
for name in ALL:
    p, y, w = spread(name)
    n = int(sum(w))
    for method, k in BINNINGS:
        bins = split(name, method, k)
        nb, score, rate = (np.array(v) for v in zip(*(sizes(name, i) for i in bins)))
        gap = np.abs(score - rate)
        given = {"data": name, "method": method, "bins": k}
        if name in ("sound", "overconfident", "rare", "common", "timid") and method != "distinct" and n % k == 0:
            obs, pred = calibration_curve(y, p, n_bins=k, strategy={"mass": "quantile", "width": "uniform"}[method])
            assert np.allclose(obs, rate) and np.allclose(pred, score), (name, method, k)
        if len(bins) <= 20:
            add("Reliability", given, {"n": nb, "score": score, "rate": rate}, 1e-11, 1e-13)
        add("ECE", given, {"ece": nb @ gap / n, "rms": math.sqrt(nb @ gap**2 / n), "mce": gap.max(), "ace": gap.mean()}, 1e-9, 1e-11)

        # Murphy, with Ferro & Fricker's correction.
        ybar = total(y, w) / n
        rel, res, unc = nb @ (score - rate)**2 / n, nb @ (rate - ybar)**2 / n, ybar * (1 - ybar)
        wbv = math.fsum(total((p[i] - s)**2, w[i]) for i, s in zip(bins, score)) / n
        wbc = math.fsum(total((p[i] - s) * (y[i] - r), w[i]) for i, s, r in zip(bins, score, rate)) / n
        t = math.fsum(a / n * r * (1 - r) / (a - 1) for a, r in zip(nb, rate) if a > 1)
        brier = total((y - p)**2, w) / n
        assert abs(brier - (rel - res + unc + wbv - 2 * wbc)) < 1e-12
        want = {"brier": brier, "rel": rel, "res": res, "unc": unc, "wbv": wbv, "wbc": wbc}
        if n > 1:
            want.update(rel_c=rel - t, res_c=res - t + unc / (n - 1), unc_c=unc * n / (n - 1))
        add("Murphy", given, want, 1e-9, 1e-12)

        # Debiased squared error, pair by pair on rows.
        if nb.max() > 1:
            tcal = kumar = var = 0.0
            for i, a, s, r in zip(bins, nb, score, rate):
                d, c = p[i] - y[i], w[i].astype(float)
                tcal += (total(d, c)**2 - total(d**2, c)) / a / n
                kumar += a / n * ((s - r)**2 - (r * (1 - r) / (a - 1) if a > 1 else 0))
                q = p[i] * (1 - p[i])
                var += 2 * (total(q, c)**2 - total(q**2, c)) / a**2 / n**2
            # Huge counts: the two squares cancel to about 1e-16 of each.
            atol = 1e-13 if name in DATA else 1e-12
            add("DebiasedError", dict(given, level=LEVEL), {"tcal": tcal, "kumar": kumar, "nullse": math.sqrt(var)}, 1e-7, atol)

        # Hosmer-Lemeshow; a group at 0 or 1 with labels that agree adds nothing.
        if all(0 < s < 1 or s == r for s, r in zip(score, rate)):
            chi = math.fsum(a * (r - s)**2 / (s * (1 - s)) for a, s, r in zip(nb, score, rate) if 0 < s < 1)
            add("HosmerLemeshow", given, {"chisq": chi, "df": len(bins), "p": stats.chi2.sf(chi, len(bins)),
                                          "logp": stats.chi2.logsf(chi, len(bins))}, 1e-7, 1e-12)

# The interval of the debiased error: the non-central chi-square matched in variance.
for name, method, k in (("overconfident", "mass", 15), ("sound", "mass", 15), ("timid", "mass", 5), ("rare", "width", 16), ("levels", "distinct", 0)):
    p, y, w = spread(name)
    n = int(sum(w))
    A, S, t = [], [], 0.0
    for i in split(name, method, k):
        a, s, r = sizes(name, i)
        if a < 2:
            continue
        d, c = p[i] - y[i], w[i].astype(float)
        q = p[i] * (1 - p[i])
        v = (total(d**2, c) / a - (s - r)**2) * a / (a - 1)
        t += (a - 1) / n * ((s - r)**2 - v / a)
        A.append(max((a - 1) / n * v / a, math.sqrt(max(0, total(q, c)**2 - total(q**2, c))) / a / n))
        S.append((a - 1) / n * (s - r)**2)
    A, S = np.array(A), np.array(S)
    g = max((A @ S) / S.sum(), (A @ A) / A.sum())
    df = (A @ A) / g**2
    x = t / g + df
    tail = (1 - LEVEL) / 2
    lo = 0.0 if stats.chi2.sf(x, df) > tail else brentq(lambda m: stats.ncx2.sf(x, df, m) - tail, 1e-12, 10 * x + 100, xtol=1e-13)
    hi = 0.0 if stats.chi2.cdf(x, df) < tail else brentq(lambda m: stats.ncx2.cdf(x, df, m) - tail, 1e-12, 10 * x + 100, xtol=1e-13)
    add("DebiasedInterval", {"data": name, "method": method, "bins": k, "level": LEVEL},
        {"lo": lo * g, "hi": hi * g, "se": math.sqrt(2 * A @ A + 4 * g * max(t, 0))}, 1e-6, 1e-12)

# Null distributions, exactly: every label vector of ten rows with its probability.
p = np.array([0.05, 0.1, 0.1, 0.25, 0.3, 0.3, 0.55, 0.6, 0.8, 0.9])
observed = np.array([0, 0, 1, 1, 0, 0, 0, 1, 1, 1])
vectors = np.array(list(itertools.product((0, 1), repeat=len(p))))
prob = np.prod(np.where(vectors == 1, p, 1 - p), axis=1)
parts = [np.arange(0, 6), np.arange(6, 10)]  # two of equal mass; the tie at 0.3 stays together


def tcal(y):
    d = p - y
    return sum((d[i].sum()**2 - (d[i]**2).sum()) / len(i) for i in parts) / len(p)


def mcb(y, rule="quadratic"):
    iso = IsotonicRegression(y_min=0, y_max=1).fit(p, y).predict(p)
    if rule == "quadratic":
        return np.mean((y - p)**2) - np.mean((y - iso)**2)
    iso = np.clip(iso, 1e-300, 1 - 1e-16)
    ll = lambda c: -np.mean(np.where(y == 1, np.log(c), np.log1p(-c)))
    return ll(p) - ll(iso)


ts = np.array([tcal(y) for y in vectors])
assert abs(prob @ ts) < 1e-15 and abs(prob.sum() - 1) < 1e-14
add("DebiasedNull", {"p": p, "y": observed, "bins": 2}, {"mean": 0.0, "se": math.sqrt(prob @ ts**2)}, 1e-12, 1e-15)
for rule in ("quadratic", "logarithmic"):
    ms = np.array([mcb(y, rule) for y in vectors])
    m = mcb(observed, rule)
    # Ties between vectors must not depend on rounding.
    add("MCBTest", {"p": p, "y": observed, "rule": rule}, {"mcb": m, "null": prob @ ms, "p": prob @ (ms >= m - 1e-12)}, 1e-9, 1e-12)

# ECE under the null: exact mean, and a quantile from four million draws.
for name, method, k, rtol in (("sound", "mass", 15, 0.01), ("overconfident", "mass", 15, 0.01), ("rare", "mass", 15, 0.01),
                              ("common", "mass", 10, 0.01), ("timid", "width", 16, 0.01), ("dozen", "width", 1, 0.01),
                              ("ties", "distinct", 0, 1e-9), ("levels", "distinct", 0, 1e-9), ("pair", "distinct", 0, 1e-9), ("single", "mass", 15, 1e-9)):
    if name in DATA:
        p, y, w = spread(name)
        ps = [list(p[i]) for i in split(name, method, k)]
    else:
        ps = [[x] * c for x, c in zip(LEVELS[name][0], LEVELS[name][1])]
    n = sum(len(b) for b in ps)
    pmfs = [trials(b) for b in ps]
    gaps = [np.abs(np.arange(len(f)) - math.fsum(b)) for f, b in zip(pmfs, ps)]
    mean = math.fsum(f @ g for f, g in zip(pmfs, gaps)) / n
    add("NullECE", {"data": name, "method": method, "bins": k}, {"null": mean}, rtol)
    if rtol == 0.01 and len(ps) > 5:
        draws = sum(g[np.searchsorted(np.cumsum(f), rng.random(400000)).clip(0, len(f) - 1)] for f, g in zip(pmfs, gaps)) / n
        add("Null95", {"data": name, "method": method, "bins": k}, {"null95": np.quantile(draws, 0.95)}, 0.02)

# Sweep: add bins while rates rise.
for name in ALL:
    p, y, w = spread(name)
    n, k = int(sum(w)), 1
    if len(set(y)) == 1 or n > 10**6:
        continue
    while k < min(n, 1024) and len(split(name, "mass", k)) < len(set(p)):
        rates = [sizes(name, i)[2] for i in split(name, "mass", k + 1)]
        if any(b < a for a, b in zip(rates, rates[1:])):
            break
        k += 1
    nb, score, rate = (np.array(v) for v in zip(*(sizes(name, i) for i in split(name, "mass", k))))
    add("Sweep", {"data": name}, {"bins": k, "ece": nb @ np.abs(score - rate) / n}, 1e-10, 1e-12)

# Logistic recalibration.
for name in ("dozen", "sound", "overconfident", "rare", "common", "timid", "ties", "levels", "huge"):
    p, y, w = spread(name)
    w, L = w.astype(float), clipped(p)
    glm = sm.GLM(y, sm.add_constant(L), family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-14, maxiter=200)
    if name in DATA:
        fit = sm.Logit(y, sm.add_constant(L)).fit(method="newton", tol=1e-14, maxiter=200, disp=0)
        assert np.allclose(fit.params, glm.params, rtol=1e-7)
        ab, se, ll = fit.params, fit.bse, fit.llf
    else:
        ab, se = glm.params, glm.bse
        ll = -total(np.logaddexp(0, np.where(y == 1, -1, 1) * (ab[0] + ab[1] * L)), w)
    ll0 = -total(np.logaddexp(0, np.where(y == 1, -1, 1) * L), w)
    large = sm.GLM(y, np.ones((len(y), 1)), offset=L, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-14, maxiter=200)
    u = 2 * (ll - ll0)
    rtol = 1e-7 if name in DATA else 1e-6
    add("Cox", {"data": name, "level": LEVEL},
        {"a": ab[0], "b": ab[1], "se": se, "b_lo": ab[1] - Z * se[1], "a_hi": ab[0] + Z * se[0], "large": large.params[0], "large_se": large.bse[0],
         "ll": ll, "ll0": ll0, "u": u, "logp": -u / 2}, rtol, 1e-8 if name in DATA else 2e-6)

# Isotonic regression and CORP.
for n, weighted in ((1, False), (2, True), (30, False), (200, True), (200, False), (50, True)):
    y = np.round(np.linspace(0, 2, n) + rng.normal(0, 1, n), 3)
    w = rng.integers(1, 9, n) if weighted else np.ones(n)
    if n == 50:
        y = np.round(y)  # ties
    fit = IsotonicRegression().fit_transform(np.arange(n), y, sample_weight=w)
    add("Isotonic", {"y": y, "w": w if weighted else []}, {"fit": fit}, 1e-10, 1e-12)

for name in ALL:
    p, y, w = spread(name)
    w = w.astype(float)
    n = w.sum()
    c = IsotonicRegression().fit(p, y, sample_weight=w).predict(p)
    c[np.isclose(c, 0, atol=1e-15)] = 0
    c[np.isclose(c, 1, atol=1e-15)] = 1
    r = np.full(len(p), y @ w / n)
    for rule in ("quadratic", "logarithmic"):
        def loss(x):
            if rule == "quadratic":
                return total((y - x)**2, w) / n
            x = np.clip(x, 2.0**-52, 1 - 2.0**-52)
            return total(np.where(y == 1, -np.log(x), -np.log1p(-x)), w) / n
        S, Sc, Sr = loss(p), loss(c), loss(r)
        add("CORP", {"data": name, "rule": rule}, {"score": S, "mcb": S - Sc, "dsc": Sr - Sc, "unc": Sr}, 1e-9, 1e-11)
    d = np.repeat(np.abs(p - c), w.astype(int)) if n < 10**5 else None
    if d is not None:
        add("ICI", {"data": name}, {"ici": d.mean(), "e50": np.quantile(d, 0.5, method="inverted_cdf"),
                                    "e90": np.quantile(d, 0.9, method="inverted_cdf"), "emax": d.max()}, 1e-9, 1e-12)

# A band around a cut point.
for name, cut, share in (("sound", 0.4, 0.25), ("overconfident", 0.5, 0.25), ("rare", 0.05, 0.5), ("common", 0.99, 0.1), ("timid", 0.3, 1.0)):
    p, y, w = spread(name)
    order = np.argsort(-p, kind="stable")
    assert len(set(p)) == len(p) or name in ("common", "rare")
    A = int((p >= cut).sum())
    ranks = np.arange(1, len(p) + 1) - 0.5
    band = order[(ranks >= A * (1 - share)) & (ranks <= A * (1 + share))]
    add("AtCut", {"data": name, "cut": cut, "share": share},
        {"above": A, "n": len(band), "o": y[band].sum(), "e": p[band].sum(), "lo": p[band].min(), "hi": p[band].max()}, 1e-12)

# Differences.
for a, b in (("sound", "overconfident"), ("overconfident", "timid"), ("rare", "sound"), ("common", "timid"), ("huge", "sound")):
    (p1, y1, w1), (p2, y2, w2) = spread(a), spread(b)
    def part(p, y, w):
        n = int(sum(w))
        O, E = total(y, w), total(p, w)
        infl = np.array(y) / (O / n) - p / (E / n)
        return math.log(O / E), math.sqrt(total(infl**2, w)) / n, O, E
    (l1, s1, O1, E1), (l2, s2, O2, E2) = part(p1, y1, w1), part(p2, y2, w2)
    if min(O1, O2) >= 20:
        z = (l1 - l2) / math.hypot(s1, s2)
        add("CompareRatio", {"a": a, "b": b, "level": LEVEL}, {"point": l1 - l2, "se": math.hypot(s1, s2), "z": z, "p": two_sided(z)[0], "logp": two_sided(z)[1]}, 1e-8)
    for rule in ("quadratic", "logarithmic"):
        def mean(p, y, w):
            c = np.clip(p, 2.0**-52, 1 - 2.0**-52)
            each = (y - p)**2 if rule == "quadratic" else np.where(y == 1, -np.log(c), -np.log1p(-c))
            n = int(sum(w))
            m = total(each, w) / n
            return m, math.sqrt(total((each - m)**2, w) / (n - 1) / n)
        (m1, e1), (m2, e2) = mean(p1, y1, w1), mean(p2, y2, w2)
        z = (m1 - m2) / math.hypot(e1, e2)
        add("CompareLoss", {"a": a, "b": b, "rule": rule, "level": LEVEL}, {"point": m1 - m2, "se": math.hypot(e1, e2), "lo": m1 - m2 - Z * math.hypot(e1, e2), "z": z, "logp": two_sided(z)[1]}, 1e-8)
for a, b in (("dozen", "sound"), ("dozen", "pair"), ("negative", "sound"), ("sound", "negative"), ("rare", "dozen")):
    (p1, y1, w1), (p2, y2, w2) = spread(a), spread(b)
    O1, E1, O2, E2 = int(y1.sum()), p1.sum(), int(y2.sum()), p2.sum()
    tail = (1 - LEVEL) / 2
    lo = stats.beta.ppf(tail, O1, O2 + 1) if O1 else 0.0
    hi = stats.beta.isf(tail, O1 + 1, O2) if O2 else 1.0
    log_odds = lambda t: -math.inf if t == 0 else math.inf if t == 1 else math.log(t / (1 - t))
    point = -math.inf if O1 == 0 else math.inf if O2 == 0 else math.log(O1 / E1 / (O2 / E2))
    add("CompareRatioExact", {"a": a, "b": b, "level": LEVEL},
        {"point": point, "lo": log_odds(lo) + math.log(E2 / E1), "hi": log_odds(hi) + math.log(E2 / E1),
         "p": stats.binomtest(O1, O1 + O2, E1 / (E1 + E2)).pvalue}, 1e-8)

out = {
    "generator": "testdata/reference/calibration.py",
    "command": "/usr/bin/python3 testdata/reference/calibration.py",
    "versions": {
        "python": platform.python_version(), "scipy": scipy.__version__, "numpy": np.__version__,
        "statsmodels": statsmodels.__version__, "scikit-learn": sklearn.__version__,
    },
    "tolerance": "relative (rtol) plus absolute (atol) difference of each wanted number; 1% where the formula is an approximation by design",
    "cases": CASES,
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "calibration.json")
with open(path, "w") as f:
    f.write('{"generator":%s,\n"command":%s,\n"versions":%s,\n"tolerance":%s,\n"cases":[\n' % tuple(
        json.dumps(out[k]) for k in ("generator", "command", "versions", "tolerance")))
    f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES))
    f.write("\n]}\n")
print(len(CASES), os.path.getsize(path))
