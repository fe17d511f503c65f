"""Reference numbers for two models that scored the same requests.

    /usr/bin/python3 testdata/reference/pairs.py

writes testdata/reference/pairs.json and stats_pairs.json. Run it in the root of the repository; the
shadow log of testdata/flights is read through testdata/reference/shadow_csv.
"""

import json
import math
import os
import platform
import subprocess
import tempfile
from fractions import Fraction

import numpy as np
import pandas as pd
import scipy
import sklearn
import statsmodels
from scipy import optimize, stats as st
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import SquareTable, mcnemar

HERE = os.path.dirname(os.path.abspath(__file__))
GRID = [1.1, 1.2, 1.35, 1.5, 2, 3, 5]
CUTS = [0.15, 0.25]


def tango(b, c, n, level):
    """Inverts Tango's score statistic, with the nuisance found by its closed form."""
    z = st.norm.ppf(0.5 + level / 2)

    def score(d):
        a2, b2, c2 = 2 * n, -b - c + (2 * n - b + c) * d, -c * d * (1 - d)
        q = (math.sqrt(max(0.0, b2 * b2 - 4 * a2 * c2)) - b2) / (2 * a2)
        return (b - c - n * d) / math.sqrt(n * (2 * q + d * (1 - d)))

    p = (b - c) / n
    eps = 1e-12
    lo = optimize.brentq(lambda d: score(d) - z, -1 + eps, p - eps, xtol=1e-14)
    hi = optimize.brentq(lambda d: score(d) + z, p + eps, 1 - eps, xtol=1e-14)
    return lo, hi


def mixture(b, c):
    """Log of the mean likelihood ratio of b regressions against c fixes."""
    terms = []
    for rr in GRID:
        th = rr / (rr + 1)
        terms.append(b * math.log(2 * th) + c * math.log(2 * (1 - th)) - math.log(len(GRID)))
    return float(scipy.special.logsumexp(terms))


def placements(score, y):
    """Share of the other class on the wrong side of each unit, by all pairs of scores."""
    pos, neg = np.sort(score[y == 1]), np.sort(score[y == 0])

    def below(sorted_, x):
        return (np.searchsorted(sorted_, x, "left") + np.searchsorted(sorted_, x, "right")) / 2 / len(sorted_)

    return below(neg, score[y == 1]), 1 - below(pos, score[y == 0])


def delong(a, b, y):
    pa, na = placements(a, y)
    pb, nb = placements(b, y)
    var = np.var(pa - pb, ddof=1) / len(pa) + np.var(na - nb, ddof=1) / len(na)
    d = roc_auc_score(y, a) - roc_auc_score(y, b)
    return {"auc_a": roc_auc_score(y, a), "auc_b": roc_auc_score(y, b), "difference": d, "se": math.sqrt(var),
            "p": 2 * st.norm.sf(abs(d) / math.sqrt(var))}


def swap(groups, neither, level):
    """Rates of what two policies select, with the SE from the influence of each unit."""
    rows = []
    for (n, labelled, bad), old, new in groups:
        rows += [(old, new, 1)] * bad + [(old, new, 0)] * (labelled - bad)
    rows += [(0, 0, 0)] * neither
    old, new, y = np.array(rows, float).T
    r_old, r_new = (old * y).sum() / old.sum(), (new * y).sum() / new.sum()
    infl = new * (y - r_new) / new.mean() - old * (y - r_old) / old.mean()
    se = math.sqrt((infl**2).mean() / len(y))
    gain = (old - new) * y
    z = st.norm.ppf(0.5 + level / 2)
    d = r_new - r_old
    return {"old": r_old, "new": r_new, "se": se, "lo": d - z * se, "hi": d + z * se,
            "benefit": gain.sum(), "benefit_se": math.sqrt(len(y) * gain.var())}


def transitions(table):
    t = np.array(table, float)
    n = t.sum()
    h = SquareTable(t, shift_zeros=False).homogeneity()
    se = []
    for i in range(len(t)):  # variance of the difference of two indicators, over all units
        up, down = t[:, i].sum() - t[i, i], t[i].sum() - t[i, i]
        d = (up - down) / n
        se.append(math.sqrt(((up + down) / n - d * d) / n))
    return {"churn": 1 - np.trace(t) / n, "changes": list((t.sum(0) - t.sum(1)) / n), "se": se,
            "stuart_maxwell": h.statistic, "p": h.pvalue}


def net(pos, neg, level=0.95):
    """pos and neg are (both, only baseline, only candidate, neither) above the threshold."""
    b, c, n = pos[1] + neg[2], pos[2] + neg[1], sum(pos) + sum(neg)
    lo, hi = tango(b, c, n, level)
    return {"b": b, "c": c, "n": n, "lo": lo, "hi": hi, "p": mcnemar([[0, b], [c, 0]], exact=True).pvalue,
            "greater": st.binom.sf(b - 1, b + c, 0.5), "log_e": mixture(b, c),
            "tpr": (pos[1] - pos[2]) / sum(pos), "fpr": (neg[1] - neg[2]) / sum(neg)}


def decisions(d, t):
    a, b = d.champion >= t, d.challenger >= t
    return [int(x.sum()) for x in (a & b, a & ~b, ~a & b, ~a & ~b)]


def shadow():
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "shadow.csv")
        subprocess.run(["go", "run", "./testdata/reference/shadow_csv", path], check=True)
        d = pd.read_csv(path, float_precision="round_trip")
    out = []
    for t in CUTS:
        none, neg, pos = (decisions(d[m], t) for m in (d.label.isna(), d.label == 0, d.label == 1))
        out.append(("shadow at %g" % t, "accuracy", {"threshold": t}, {"unlabelled": none, "negative": neg, "positive": pos, **net(pos, neg)}, 1e-8))
    l = d[d.label.notna()]
    y = l.label.to_numpy().astype(int)
    exact = delong(l.champion.to_numpy(), l.challenger.to_numpy(), y)
    out.append(("shadow", "auc", {}, {"labelled": len(l), "positives": int(y.sum()), **exact}, 0))
    table = np.zeros((3, 3), int)
    for i, j in zip(np.searchsorted(CUTS, d.champion, "right"), np.searchsorted(CUTS, d.challenger, "right")):
        table[i, j] += 1
    out.append(("shadow", "churn", {}, {"n": len(d), "table": table.tolist(), **transitions(table)}, 1e-9))
    for origin in ["ATL", "DFW", "ORD"]:
        o = d[d.origin == origin]
        neg, pos = decisions(o[o.label == 0], 0.25), decisions(o[o.label == 1], 0.25)
        out.append(("shadow at 0.25, " + origin, "slice", {"origin": origin, "threshold": 0.25}, {"rows": len(o), **net(pos, neg)}, 1e-8))
    return out


def seeded():
    rng = np.random.default_rng(20260101)
    out = []
    for k in range(6):
        size, width = [40, 200, 1000][k % 3], [4, 9][k % 2]
        y = (rng.random(size) < 0.4).astype(int)
        a = rng.integers(0, width, size) + y * rng.integers(0, 2, size)
        b = np.where(rng.random(size) < 0.6, a, rng.integers(0, width, size))
        counts = pd.DataFrame({"a": a, "b": b, "y": y}).groupby(["a", "b"]).y.agg(["size", "sum"]).reset_index()
        cells = [[int(r.a), int(r.b), int(r["size"] - r["sum"]), int(r["sum"])] for _, r in counts.iterrows()]
        rng.shuffle(cells)
        out.append(("cells %d" % k, "PairedAUCBinned", {"cells": cells}, delong(a, b, y), 1e-9))
    for k in range(6):
        groups = []
        for old, new in ((1, 1), (1, 0), (0, 1)):
            n = int(rng.integers(50, 2000))
            labelled = n - (int(rng.integers(0, 30)) if k % 2 else 0)
            groups.append(((n, labelled, int(rng.binomial(labelled, 0.1))), old, new))
        neither = int(rng.integers(0, 1000))
        out.append(("groups %d" % k, "SwapSet", {"groups": [g[0] for g in groups], "neither": neither, "level": 0.9}, swap(groups, neither, 0.9), 1e-10))
    for k in range(5):
        size = 2 + k % 3
        table = rng.integers(1, 60, (size, size)) + np.diag(rng.integers(100, 900, size))
        out.append(("table %d" % k, "Transitions", {"table": table.tolist()}, transitions(table), 1e-9))
    for k in range(5):
        pos, neg = [[int(v) for v in rng.integers(1, 80, 4)] for _ in range(2)]
        out.append(("decisions %d" % k, "PairedDecisions", {"positive": pos, "negative": neg, "level": 0.9}, net(pos, neg, 0.9), 1e-8))
    return out


def regression():
    rng = np.random.default_rng(20260102)
    y = np.round(rng.normal(100, 20, 300), 3)
    a, b = np.round(y + rng.normal(0, 5, 300), 3), np.round(y + rng.normal(0, 6, 300), 3)
    d = np.abs(b - y) - np.abs(a - y)
    t = st.t.ppf(0.95, 299) * d.std(ddof=1) / math.sqrt(300)
    return [("regression", "abs_error", {"label": list(y), "baseline": list(a), "candidate": list(b)},
                {"baseline": np.abs(a - y).mean(), "candidate": np.abs(b - y).mean(), "mean": d.mean(), "variance": d.var(ddof=1), "lo": d.mean() - t, "hi": d.mean() + t}, 1e-9)]


def margins(rows):
    """DeLong of fine cells, with what two scores have in common from coarse ones, exactly.

    rows hold the fine cells of both scores and the negatives and positives in them; four
    fine cells are one coarse cell.
    """
    classes = []
    for k in (0, 1):
        negs, poss = {}, {}
        for r in rows:
            negs[r[k]] = negs.get(r[k], 0) + r[2]
            poss[r[k]] = poss.get(r[k], 0) + r[3]
        n, m = sum(negs.values()), sum(poss.values())
        below = [sum(v for c, v in negs.items() if c < x) + Fraction(negs[x], 2) for x in range(max(negs) + 1) if x in negs]
        below = dict(zip(sorted(negs), below))
        above = {x: sum(v for c, v in poss.items() if c > x) + Fraction(poss[x], 2) for x in poss}
        place = ({x: above[x] / m for x in above}, {x: below[x] / n for x in below})
        counts = (negs, poss)
        parts = []
        for g in (0, 1):
            mean, within = {}, Fraction(0)
            for c in {x // 4 for x in counts[g]}:
                inside = [x for x in counts[g] if x // 4 == c]
                size = sum(counts[g][x] for x in inside)
                if size:
                    mean[c] = sum(counts[g][x] * place[g][x] for x in inside) / size
                    within += sum(counts[g][x] * (place[g][x] - mean[c]) ** 2 for x in inside)
            parts.append((mean, within))
        auc = sum(poss[x] * place[1][x] for x in poss) / m
        classes.append((auc, parts))
    n, m = sum(r[2] for r in rows), sum(r[3] for r in rows)
    d = classes[0][0] - classes[1][0]
    var = Fraction(0)
    for g, size in ((0, n), (1, m)):
        a, b = classes[0][1][g], classes[1][1][g]
        ss = sum(r[2 + g] * (a[0][r[0] // 4] - b[0][r[1] // 4] - d) ** 2 for r in rows if r[2 + g])
        var += (ss + a[1] + b[1]) / (size - 1) / size
    se = math.sqrt(var)
    return {"auc_a": float(classes[0][0]), "auc_b": float(classes[1][0]), "difference": float(d), "se": se, "p": 2 * st.norm.sf(abs(float(d)) / se)}


def margin_cases():
    rng = np.random.default_rng(20260104)
    out = []

    def add(name, rows, scale=1):
        rows = [[int(a), int(b), int(n) * scale, int(m) * scale] for a, b, n, m in rows]
        out.append((name, "PairedAUCMargins", {"cells": rows}, margins(rows), 1e-9))

    def drawn(size, shift):
        y = (rng.random(size) < 0.3).astype(int)
        a = np.clip(np.round(rng.normal(20, 6, size) + shift * y), 0, 47).astype(int)
        b = np.clip(np.round(a + rng.normal(0, 2, size)), 0, 47).astype(int)
        counts = pd.DataFrame({"a": a, "b": b, "y": y}).groupby(["a", "b"]).y.agg(["size", "sum"]).reset_index()
        return [[r.a, r.b, r["size"] - r["sum"], r["sum"]] for _, r in counts.iterrows()]

    for k in range(4):
        add("margins %d" % k, drawn([60, 300, 900, 900][k], [4, 4, 4, 0][k]))
    add("PairedAUCMargins two of each class", [[0, 9, 1, 0], [5, 2, 0, 1], [7, 6, 1, 0], [12, 13, 0, 1]])
    add("PairedAUCMargins 4e9 rows", drawn(400, 5), 10**7)
    add("PairedAUCMargins tail", [[3, 20, 900, 30], [9, 9, 300, 40], [20, 3, 30, 300], [21, 2, 10, 200]])
    return out


def near_zero():
    """Scores nearly all of which are next to 0, as of rare events."""
    rng = np.random.default_rng(20260103)
    logit = rng.normal(-4, 1.2, 2500)
    y = (rng.random(2500) < 1 / (1 + np.exp(-logit))).astype(int)
    a, b = [np.round(1 / (1 + np.exp(-logit - rng.normal(0, s, 2500))), 9) for s in (0.3, 0.4)]
    return [("scores near 0", "auc_near_zero", {"label": list(y), "baseline": list(a), "candidate": list(b)}, delong(a, b, y), 0)]


def plain(x):
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x.item() if hasattr(x, "item") else x


def write(name, cases):
    cases = [{"name": n, "func": f, "in": plain(i), "want": plain(w), "rtol": tol, "atol": 1e-12} for n, f, i, w, tol in cases]
    doc = {
        "generator": "testdata/reference/pairs.py",
        "command": "/usr/bin/python3 testdata/reference/pairs.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "pandas": pd.__version__,
                     "statsmodels": statsmodels.__version__, "scikit-learn": sklearn.__version__},
        "tolerance": "closed forms and sums over rows agree to rounding; roots to the tolerance of their search",
        "cases": cases,
    }
    with open(os.path.join(HERE, name), "w") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")


write("pairs.json", shadow() + regression() + near_zero())
write("stats_pairs.json", seeded() + margin_cases())
