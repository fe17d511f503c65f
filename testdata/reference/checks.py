"""Reference numbers for package analysis/checks.

Metrics come from scikit-learn, NumPy and SciPy on the raw rows; Newcombe, Wilson
and Clopper-Pearson intervals and Welch's from statsmodels; DeLong's variance from
midranks (scipy.stats.rankdata); Fieller's interval by root finding; the MOVER
interval of a ratio by the formulas of Donner and Zou (2012); order statistics
from scipy.stats.binom; Student quantiles and gamma mixtures from mpmath; stages
from statsmodels' stratified tables and weighted least squares. The rows are seeded ones, written to the JSON file, and
the real flight logs, which a small Go program turns into CSV files first.

Run: /usr/bin/python3 testdata/reference/checks.py   (from the root; needs go)
"""

import json
import math
import os
import platform
import subprocess
import tempfile

import mpmath as mp
import numpy as np
import pandas as pd
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy import optimize, stats
from sklearn import metrics
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

mp.mp.dps = 30
rng = np.random.default_rng(20250612)
cases = []
A = 0.05  # error at each end


def clean(x):
    if isinstance(x, (list, np.ndarray)):
        return [clean(v) for v in x]
    if isinstance(x, str):
        return x
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "+Inf" if x > 0 else "-Inf"
    return x


def add(func, name, inp, want, rtol=1e-9, atol=1e-12):
    cases.append({"name": name, "func": func, "in": {k: clean(v) for k, v in inp.items()},
                  "want": {k: clean(v) for k, v in want.items()}, "rtol": rtol, "atol": atol})


# --- rows --------------------------------------------------------------------


def seeded(n, shift):
    p = rng.beta(1.2, 4, n)
    score = np.round(np.clip(p + shift * rng.random(n), 0, 1), 5)
    label = (rng.random(n) < p).astype(float)
    label[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame({
        "score": score, "label": label,
        "distance": np.round(np.exp(5 + 0.8 * rng.standard_normal(n)), 1),
        "hour": rng.integers(0, 24, n),
        "action": rng.choice(["allow", "review", "block"], n, p=[0.8 - shift, 0.15, 0.05 + shift]),
    })


small = {"baseline": seeded(700, 0.0), "candidate": seeded(600, 0.06)}
for arm, rows in small.items():
    add("rows", arm, {c: ["" if isinstance(v, float) and math.isnan(v) else v for v in rows[c]] for c in rows}, {})

with tempfile.TemporaryDirectory() as tmp:
    subprocess.run(["go", "run", "./testdata/reference/flights_csv", tmp], check=True)
    flights = {n: pd.read_csv(os.path.join(tmp, n + ".csv"), float_precision="round_trip") for n in ("baseline", "candidate", "candidate_broken")}
    with open(os.path.join(tmp, "cells.json")) as f:
        cells = json.load(f)

logs = {
    "seeded": (small["baseline"], small["candidate"]),
    "candidate": (flights["baseline"], flights["candidate"]),
    "candidate_broken": (flights["baseline"], flights["candidate_broken"]),
}

# --- intervals ---------------------------------------------------------------


def welch_df(vb, nb, vc, nc):
    return (vb + vc) ** 2 / (vb**2 / (nb - 1) + vc**2 / (nc - 1))


def fieller(b, vb, nb, c, vc, nc):
    """Ratios r for which c - r b is within t standard errors of 0."""
    t = stats.t.isf(A, welch_df(vb, nb, vc, nc))
    f = lambda r: (c - r * b) ** 2 - t**2 * (vc + r * r * vb)
    at, step = c / b, abs(c / b) + 1e-9
    lo, hi = at - step, at + step
    while f(lo) < 0:
        lo -= step
    while f(hi) < 0:
        hi += step
    return optimize.brentq(f, lo, at, xtol=1e-15, rtol=1e-14), optimize.brentq(f, at, hi, xtol=1e-15, rtol=1e-14)


def donner_zou(b, bl, bu, c, cl, cu):
    """MOVER interval of c/b, all positive; the formulas as printed."""
    lo = (b * c - math.sqrt((b * c) ** 2 - cl * bu * (2 * c - cl) * (2 * b - bu))) / (bu * (2 * b - bu))
    hi = (b * c + math.sqrt((b * c) ** 2 - cu * bl * (2 * c - cu) * (2 * b - bl))) / (bl * (2 * b - bl))
    return lo, hi


def compare_shares(name, log, inp, xb, nb, xc, nc):
    lo, hi = confint_proportions_2indep(xc, nc, xb, nb, method="newcomb", compare="diff", alpha=2 * A)
    wb, wc = proportion_confint(xb, nb, 2 * A, "wilson"), proportion_confint(xc, nc, 2 * A, "wilson")
    rl, rh = donner_zou(xb / nb, *wb, xc / nc, *wc)
    al, ah = proportion_confint(xc, nc, 2 * A, "beta")
    add("guardrail", f"{log} {name}", {"log": log, **inp}, {
        "baseline": xb / nb, "candidate": xc / nc, "n_baseline": nb, "n_candidate": nc,
        "lo": lo, "hi": hi, "ratio_lo": rl, "ratio_hi": rh, "alone_lo": al, "alone_hi": ah}, rtol=1e-9, atol=1e-11)


def compare_means(name, log, inp, b, c, rtol=1e-8, atol=1e-11):
    b, c = np.asarray(b, float), np.asarray(c, float)
    lo, hi = CompareMeans(DescrStatsW(c), DescrStatsW(b)).tconfint_diff(alpha=2 * A, usevar="unequal")
    rl, rh = fieller(b.mean(), b.var(ddof=1) / len(b), len(b), c.mean(), c.var(ddof=1) / len(c), len(c))
    al, ah = DescrStatsW(c).tconfint_mean(alpha=2 * A)
    add("guardrail", f"{log} {name}", {"log": log, **inp}, {
        "baseline": math.fsum(b) / len(b), "candidate": math.fsum(c) / len(c), "n_baseline": len(b), "n_candidate": len(c),
        "lo": lo, "hi": hi, "ratio_lo": rl, "ratio_hi": rh, "alone_lo": al, "alone_hi": ah}, rtol, atol)


def delong(score, label):
    pos, neg = score[label == 1], score[label == 0]
    both = stats.rankdata(np.concatenate([pos, neg]))
    m, n = len(pos), len(neg)
    v10 = (both[:m] - stats.rankdata(pos)) / n
    v01 = 1 - (both[m:] - stats.rankdata(neg)) / m
    auc = metrics.roc_auc_score(label, score)
    assert abs(auc - v10.mean()) < 1e-12
    return auc, v10.var(ddof=1) / m + v01.var(ddof=1) / n


def order(values, q):
    """One-sided bounds of a quantile, by the binomial law of its rank."""
    x = np.sort(values)
    n = len(x)
    last = lambda q: int(np.searchsorted(stats.binom.cdf(np.arange(n + 1), n, q), A, side="right")) - 1
    k, j = last(q), last(1 - q)
    return x[k] if k >= 0 else -math.inf, x[n - 1 - j] if j >= 0 else math.inf


# --- guardrails --------------------------------------------------------------

for log, (b, c) in logs.items():
    lb, lc = b[b.label.notna()], c[c.label.notna()]
    cut = 0.25
    right = lambda d: int((((d.score >= cut).astype(float)) == d.label).sum())
    compare_shares("accuracy", log, {"metric": "accuracy", "threshold": cut, "higher": 1}, right(lb), len(lb), right(lc), len(lc))
    above = lambda d: int((d.score >= cut).sum())
    compare_shares("positive_rate", log, {"metric": "positive_rate", "threshold": cut}, above(b), len(b), above(c), len(c))
    compare_shares("label_rate", log, {"metric": "label_rate"}, int(lb.label.sum()), len(lb), int(lc.label.sum()), len(lc))
    far = lambda d: int((d.distance >= 200).sum())
    compare_shares("rate", log, {"metric": "rate", "column": "distance", "threshold": 200}, far(b), len(b), far(c), len(c))

    clipped = lambda d: np.clip(d.score.to_numpy(), 2**-52, 1 - 2**-52)
    loss = lambda d: -np.where(d.label == 1, np.log(clipped(d)), np.log1p(-clipped(d)))
    for d in (lb, lc):
        assert abs(loss(d).mean() - metrics.log_loss(d.label, np.clip(d.score, 1e-15, 1 - 1e-15))) < 1e-9
    compare_means("log_loss", log, {"metric": "log_loss"}, loss(lb), loss(lc), rtol=1e-6, atol=4e-9)
    brier = lambda d: (d.score - d.label).to_numpy() ** 2
    for d in (lb, lc):
        assert abs(brier(d).mean() - metrics.brier_score_loss(d.label, d.score)) < 1e-12
    compare_means("brier", log, {"metric": "brier"}, brier(lb), brier(lc), rtol=1e-6, atol=1e-9)
    compare_means("mean_score", log, {"metric": "mean_score"}, b.score, c.score)
    compare_means("mean", log, {"metric": "mean", "column": "distance"}, b.distance, c.distance)

    (ab, vb), (ac, vc) = delong(lb.score.to_numpy(), lb.label.to_numpy()), delong(lc.score.to_numpy(), lc.label.to_numpy())
    t = stats.t.isf(A, welch_df(vb, len(lb), vc, len(lc)))
    se = math.sqrt(vb + vc)
    rl, rh = fieller(ab, vb, len(lb), ac, vc, len(lc))
    single = stats.t.isf(A, len(lc) - 1) * math.sqrt(vc)
    # The cells count near scores as ties; the test allows for what they hide.
    add("guardrail", f"{log} auc", {"log": log, "metric": "auc", "higher": 1}, {
        "baseline": ab, "candidate": ac, "n_baseline": len(lb), "n_candidate": len(lc), "lo": ac - ab - t * se, "hi": ac - ab + t * se,
        "ratio_lo": rl, "ratio_hi": rh, "alone_lo": ac - single, "alone_hi": ac + single}, rtol=0, atol=1e-3)

    for column in ("score", "distance"):
        for q in (0.5, 0.9, 0.99):
            x, y = b[column].to_numpy(), c[column].to_numpy()
            al, ah = order(y, q)
            add("quantile", f"{log} {column} {q}", {"log": log, "column": column, "q": q}, {
                "baseline": np.quantile(x, q, method="inverted_cdf"), "candidate": np.quantile(y, q, method="inverted_cdf"),
                "alone_lo": al, "alone_hi": ah}, rtol=1 / 128, atol=1 / 2048)

# --- drift -------------------------------------------------------------------


def psi(r, c):
    r, c = np.asarray(r, float), np.asarray(c, float)
    p, q = (r + 0.5) / (r.sum() + len(r) / 2), (c + 0.5) / (c.sum() + len(c) / 2)
    return float(((q - p) * np.log(q / p)).sum())


def js(r, c):
    p, q = np.asarray(r, float) / sum(r), np.asarray(c, float) / sum(c)
    h = (p + q) / 2
    return float((scipy.special.rel_entr(p, h) + scipy.special.rel_entr(q, h)).sum() / 2)


for log, (b, c) in logs.items():
    for column in ("score", "distance"):
        add("drift", f"{log} {column} ks", {"log": log, "column": column, "metric": "ks"},
            {"value": stats.ks_2samp(b[column], c[column], method="asymp").statistic}, rtol=0, atol=2e-3)
        add("drift", f"{log} {column} w1", {"log": log, "column": column, "metric": "w1"},
            {"value": stats.wasserstein_distance(b[column], c[column]) / b[column].std(ddof=0)}, rtol=2e-3, atol=2e-4)
    names = sorted(set(b.action) | set(c.action))
    r, k = [int((b.action == n).sum()) for n in names], [int((c.action == n).sum()) for n in names]
    add("drift", f"{log} action psi", {"log": log, "column": "action", "metric": "psi"}, {"value": psi(r, k)})
    add("drift", f"{log} action psi_equivalent", {"log": log, "column": "action", "metric": "psi_equivalent"}, {"value": 8 * js(r, k)})
    add("drift", f"{log} action js", {"log": log, "column": "action", "metric": "js"}, {"value": js(r, k)})
    add("drift", f"{log} action js_distance", {"log": log, "column": "action", "metric": "js_distance"}, {"value": math.sqrt(js(r, k) / math.log(2))})
    p, q = np.array(r) / sum(r), np.array(k) / sum(k)
    add("drift", f"{log} action hellinger", {"log": log, "column": "action", "metric": "hellinger"}, {"value": math.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2)})
    add("drift", f"{log} action tv", {"log": log, "column": "action", "metric": "tv"}, {"value": abs(p - q).sum() / 2})
    add("drift", f"{log} action l_infinity", {"log": log, "column": "action", "metric": "l_infinity"}, {"value": abs(p - q).max()})
    lo, hi = confint_proportions_2indep(k[0], sum(k), r[0], sum(r), method="newcomb", compare="diff", alpha=2 * A)
    add("actions", f"{log} {names[0]}", {"log": log, "action": names[0]}, {
        "baseline": p[0], "candidate": q[0], "lo": max(0, lo, -hi), "hi": max(-lo, hi), "tv": abs(p - q).sum() / 2})

for log in ("candidate", "candidate_broken"):
    b, c = logs[log]
    for column in ("score", "distance", "hour"):
        infos = cells[log][column]
        atoms = [float(i["lo"]) for i in infos if i["kind"] == "atom"]
        bound = lambda v: float(v) if not isinstance(v, str) else {"+Inf": math.inf, "-Inf": -math.inf}[v]
        r, k = [], []
        for i in infos:
            assert i["kind"] in ("atom", "interval"), i
            for rows, out in ((b, r), (c, k)):
                x = rows[column].to_numpy()
                if i["kind"] == "atom":
                    out.append(int((x == bound(i["lo"])).sum()))
                else:
                    out.append(int(((x >= bound(i["lo"])) & (x < bound(i["hi"])) & ~np.isin(x, atoms)).sum()))
        assert sum(r) == len(b) and sum(k) == len(c)
        add("drift", f"{log} {column} psi", {"log": log, "column": column, "metric": "psi"}, {"value": psi(r, k)})
        add("drift", f"{log} {column} psi_equivalent", {"log": log, "column": column, "metric": "psi_equivalent"}, {"value": 8 * js(r, k)})
    units = [len(b), len(c)]
    add("srm", log, {"log": log}, {"p": stats.chisquare(units).pvalue, "share": units[1] / sum(units)})

# --- parts -------------------------------------------------------------------

# SciPy's quantile is only good to 5e-9 here; the root is polished in 30 digits.
for alpha in (0.4, 0.05, 0.001, 1e-6, 1e-12):
    for df in (1, 2, 5.5, 30, 1000, 99_999, 100_001, 1e6):
        tail = lambda t: mp.betainc(mp.mpf(df) / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / alpha / 2 - 1
        t = mp.findroot(tail, mp.mpf(float(stats.t.isf(alpha, df))), tol=1e-20)
        add("studentQuantile", f"alpha {alpha} df {df}", {"alpha": alpha, "df": df}, {"t": t}, rtol=1e-10, atol=0)

for b, vb, c, vc in ((10, 0.04, 12, 0.09), (1, 1e-4, 0.2, 1e-3), (3, 0.5, -2, 0.4), (5, 0.3, 0, 0.2), (1e6, 1e8, 2e6, 4e8)):
    z = stats.norm.isf(A)
    f = lambda r: (c - r * b) ** 2 - z * z * (vc + r * r * vb)
    span = 20 * (abs(c / b) + math.sqrt(vc) / b)
    lo, hi = optimize.brentq(f, c / b - span, c / b, xtol=1e-15, rtol=1e-14), optimize.brentq(f, c / b, c / b + span, xtol=1e-15, rtol=1e-14)
    add("moverRatio", f"Fieller {b} {c}", {"b": b, "c": c, "b_lo": b - z * math.sqrt(vb), "b_hi": b + z * math.sqrt(vb),
        "c_lo": c - z * math.sqrt(vc), "c_hi": c + z * math.sqrt(vc), "positive": 0}, {"lo": lo, "hi": hi}, rtol=1e-9)
for xb, nb, xc, nc in ((20, 1000, 35, 900), (5, 50, 1, 60), (400, 500, 300, 500)):
    wb, wc = proportion_confint(xb, nb, 2 * A, "wilson"), proportion_confint(xc, nc, 2 * A, "wilson")
    lo, hi = donner_zou(xb / nb, *wb, xc / nc, *wc)
    add("moverRatio", f"Wilson {xb}/{nb} {xc}/{nc}", {"b": xb / nb, "c": xc / nc, "b_lo": wb[0], "b_hi": wb[1], "c_lo": wc[0], "c_hi": wc[1], "positive": 1},
        {"lo": lo, "hi": hi}, rtol=1e-9)

# --- stages ------------------------------------------------------------------

# Risk ratios of Mantel and Haenszel from statsmodels, differences as a weighted
# least squares mean of the differences of the stages; variances in NumPy.
ramps = {
    "one stage": ([12], [2000], [9], [900]),
    "ramp": ([99, 180, 200], [99000, 90000, 50000], [1, 24, 230], [1000, 10000, 50000]),
    "moving base rate": ([990, 1800, 2000], [99000, 90000, 50000], [10, 200, 2000], [1000, 10000, 50000]),
    "five stages": ([5, 40, 60, 10, 1], [500, 3000, 2500, 400, 90], [1, 3, 22, 14, 30], [20, 300, 1000, 600, 2000]),
    "no events in one arm": ([10, 20], [900, 700], [0, 0], [100, 300]),
    "common": ([400, 300, 700], [1000, 600, 1000], [70, 350, 720], [150, 600, 1000]),
}
for name, (xb, nb, xc, nc) in ramps.items():
    xb, nb, xc, nc = (np.array(v, float) for v in (xb, nb, xc, nc))
    w = nb * nc / (nb + nc)
    table = StratifiedTable([np.array([[a, m - a], [b, n - b]]) for a, m, b, n in zip(xc, nc, xb, nb)])
    d = sm.WLS(xc / nc - xb / nb, np.ones(len(w)), weights=w).fit().params[0]
    var = lambda x, n: (w**2 * (x / n) * (1 - x / n) / n).sum() / w.sum() ** 2
    add("mantelHaenszel", name, {"xb": xb, "nb": nb, "xc": xc, "nc": nc},
        {"difference": d, "variance": var(xb, nb) + var(xc, nc), "risk_ratio": table.riskratio_pooled, "clock": 4 * w.sum()}, rtol=1e-10, atol=1e-14)

# Means: the same weights; the pooled candidate from rows that have the moments.
stage_rng = np.random.default_rng(99)
for stages in (1, 2, 3, 5, 8):
    nb, nc = stage_rng.integers(50, 400, stages), stage_rng.integers(10, 300, stages)
    b = [stage_rng.normal(10 + i, 2, n) for i, n in enumerate(nb)]
    c = [stage_rng.normal(11 + i, 3, n) for i, n in enumerate(nc)]
    mb, vb, mc, vc = ([f(x) for x in arm] for arm in (b, c) for f in (np.mean, lambda x: x.var(ddof=1)))
    w = nb * nc / (nb + nc)
    d = np.average(np.array(mc) - np.array(mb), weights=w)
    var = (w**2 * (np.array(vb) / nb + np.array(vc) / nc)).sum() / w.sum() ** 2
    rows = np.concatenate(c)
    add("standardisedMeans", f"{stages} stages", {"mb": mb, "vb": vb, "nb": nb, "mc": mc, "vc": vc, "nc": nc},
        {"difference": d, "variance": var, "skewness": 0, "pooled_mean": rows.mean(), "pooled_variance": rows.var(ddof=1)}, rtol=1e-10)

# --- rates -------------------------------------------------------------------


def mixture(x, mu, a, greater):
    """Likelihood of x events, averaged over a gamma prior cut off at mu, over that of mu."""
    lo, hi = (mu, mp.inf) if greater else (0, mu)
    prior = lambda m: m ** (a - 1) * (a / mu) ** a * mp.exp(-a * m / mu) / mp.gamma(a)
    at = (a + x) / (a / mu + 1)
    points = sorted({lo, hi, *(p for p in (at / 2, at, 2 * at, 8 * at) if lo < p < hi)})
    top = mp.quad(lambda m: prior(m) * mp.exp(x * mp.log(m / mu) - m + mu) if m > 0 else mp.mpf(0), points)
    return mp.log(top / mp.gammainc(a, a if greater else 0, mp.inf if greater else a, regularized=True))


for x, mu, a, alpha in ((5, 2, 3, 0.05), (30, 12.5, 3.2, 0.01), (3, 9, 3, 0.05), (80, 100, 5, 0.1), (200, 120, 3.2, 1e-4), (12, 30, 1.5, 0.02)):
    for alt in (1, -1):
        a_, x_ = mp.mpf(a), mp.mpf(x)
        f = lambda m: mixture(x_, mp.mpf(m), a_, alt > 0) - mp.log(1 / mp.mpf(alpha))
        lo, hi = (mp.mpf(x) / 1000, mp.mpf(x)) if alt > 0 else (mp.mpf(x), 20 * mp.mpf(x) + 50)
        if f(lo if alt > 0 else hi) < 0:
            end = mp.mpf(0)
        else:
            end = mp.findroot(f, (lo, hi), solver="anderson", tol=1e-16)
        add("poissonMixture", f"{x} of {mu}, shape {a}, {alt:+d}", {"x": x, "mu": mu, "shape": a, "alpha": alpha, "alternative": alt},
            {"log_e": mixture(x_, mp.mpf(mu), a_, alt > 0), "end": end}, rtol=1e-9, atol=1e-11)

for xb, tb, xc, tc in ((10, 1000, 25, 900), (0, 50, 3, 60), (100, 3600, 90, 3600), (7, 12.5, 0, 11), (1000, 1e6, 1300, 1.1e6)):
    # Given the sum, the candidate's events are binomial (Przyborowski and Wilenski).
    ends = proportion_confint(xc, xb + xc, 2 * A, "beta")
    odds = lambda p: math.inf if p >= 1 else p / (1 - p) * tb / tc
    garwood = lambda x, t: ((stats.chi2.ppf(A, 2 * x) / 2 if x else 0) / t, stats.chi2.isf(A, 2 * x + 2) / 2 / t)
    add("rates", f"{xb}/{tb} {xc}/{tc}", {"xb": xb, "tb": tb, "xc": xc, "tc": tc},
        {"ratio_lo": odds(ends[0]) if xc else 0, "ratio_hi": odds(ends[1]) if xb else math.inf, "alone_lo": garwood(xc, tc)[0], "alone_hi": garwood(xc, tc)[1]}, rtol=1e-8)

out = {
    "generator": "testdata/reference/checks.py",
    "command": "/usr/bin/python3 testdata/reference/checks.py",
    "versions": {"python": platform.python_version(), "mpmath": mp.__version__, "numpy": np.__version__, "pandas": pd.__version__, "scipy": scipy.__version__,
                 "sklearn": sklearn.__version__, "statsmodels": statsmodels.__version__},
    "tolerance": "atol + rtol*|want|; wider where the summaries know values to within a cell: log loss 4e-9, quantiles a cell (1/128 of the value, 1/2048 for scores), KS, W1 and AUC what the cells hide",
    "cases": cases,
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checks.json")
with open(path, "w") as f:
    f.write("{\n")
    for k in ("generator", "command", "versions", "tolerance"):
        f.write(f"{json.dumps(k)}: {json.dumps(out[k])},\n")
    f.write('"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
print(len(cases), "cases,", os.path.getsize(path), "bytes")
