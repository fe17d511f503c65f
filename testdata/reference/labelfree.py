"""Reference numbers for package stats/labelfree.

Scores are drawn from a few levels, so that no cell hides anything. The calibration map
is sklearn's IsotonicRegression on the rows, read between the levels by its predict;
expected counts, thresholded confidence, differences of confidence, segments and label
shift follow the definitions in the papers, written here with numpy on rows. Standard
errors of labels come from drawing labels (rtol 3%), those of the map and of label
shift from numerical derivatives.

Run: /usr/bin/python3 testdata/reference/labelfree.py   (from the root)
"""

import json
import platform

import numpy as np
import sklearn
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import confusion_matrix

rng = np.random.default_rng(20010301)
cases = []


def add(func, name, given, want, rtol=1e-9, atol=1e-12):
    cases.append({"name": name, "func": func, "in": given, "want": want, "rtol": rtol, "atol": atol})


def auc(s, p):
    """Sum over pairs of rows, ties half, of q_i p_j over the product of the sums."""
    order = np.argsort(s, kind="stable")
    s, p = s[order], p[order]
    q = 1 - p
    below = np.array([q[s < v].sum() + q[s == v].sum() / 2 for v in np.unique(s)])
    return (p * below[np.searchsorted(np.unique(s), s)]).sum() / p.sum() / q.sum()


def metrics(s, p, t):
    """Expected metrics; with labels for p, the metrics themselves."""
    up = s >= t
    tp, fp, fn, tn = p[up].sum(), (1 - p[up]).sum(), p[~up].sum(), (1 - p[~up]).sum()
    return {
        "accuracy": (tp + tn) / len(p), "precision": tp / (tp + fp), "recall": tp / (tp + fn), "specificity": tn / (tn + fp),
        "f1": 2 * tp / (2 * tp + fp + fn), "auc": auc(s, p), "positive_rate": p.mean(),
    }


def expected(name, levels, ref_s, ref_y, cur_s, t):
    iso = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(ref_s, ref_y)
    p = iso.predict(cur_s)
    want = metrics(cur_s, p, t)
    # Labels drawn from p.
    drawn = {k: [] for k in want}
    values, at = np.unique(cur_s, return_inverse=True)
    for _ in range(4000):
        y = (rng.random(len(p)) < p).astype(float)
        up = cur_s >= t
        tp, fp, fn, tn = y[up].sum(), (1 - y[up]).sum(), y[~up].sum(), (1 - y[~up]).sum()
        neg, pos = np.bincount(at, 1 - y, len(values)), np.bincount(at, y, len(values))
        area = (pos * (np.cumsum(neg) - neg / 2)).sum() / pos.sum() / neg.sum()
        got = {"accuracy": (tp + tn) / len(y), "precision": tp / (tp + fp), "recall": tp / (tp + fn), "specificity": tn / (tn + fp),
               "f1": 2 * tp / (2 * tp + fp + fn), "auc": area, "positive_rate": y.mean()}
        for k, v in got.items():
            drawn[k].append(v)
    # The map: blocks of equal rates, moved one by one.
    fit = iso.predict(ref_s)
    rates, block, n = np.unique(fit, return_inverse=True, return_counts=True)
    k = np.bincount(block, ref_y)
    r = (k + 1) / (n + 2)
    variance = r * (1 - r) / n
    known = np.unique(ref_s)
    of_level = np.searchsorted(rates, iso.predict(known))

    def moved(b, h):
        shifted = rates.copy()
        shifted[b] += h
        return metrics(cur_s, np.interp(cur_s, known, shifted[of_level]), t)

    var = {m: 0.0 for m in want}
    for b in range(len(rates)):
        hi, lo = moved(b, 1e-6), moved(b, -1e-6)
        for m in want:
            var[m] += ((hi[m] - lo[m]) / 2e-6) ** 2 * variance[b]
    count = lambda s, y: [int(((s == v) & (y == 1)).sum()) for v in levels]
    add("Expect", name, {
        "levels": list(levels), "neg": count(ref_s, 1 - ref_y), "pos": count(ref_s, ref_y),
        "current": [int((cur_s == v).sum()) for v in levels], "threshold": t,
    }, {**{m: float(v) for m, v in want.items()}, **{"map_" + m: float(np.sqrt(v)) for m, v in var.items()},
        **{"label_" + m: float(np.std(v, ddof=1)) for m, v in drawn.items()}}, rtol=1e-7)

    # Confidence.
    right = ((ref_s >= t) == (ref_y == 1)).astype(float)
    sure = lambda s: np.where(s >= t, (s - t) / (1 - t), (t - s) / t)
    conf = lambda s: np.where(s >= t, s, 1 - s)
    c, now = sure(ref_s), sure(cur_s)
    left, share = right.sum(), None
    for v in sorted(set(c), reverse=True):
        m = (c == v).sum()
        if left < m:
            share = ((now > v).sum() + left / m * (now == v).sum()) / len(now)
            break
        left -= m
    gap = right - conf(ref_s)
    add("Confidence", name, {"case": len(cases) - 1}, {
        "atc": float(share), "doc": float(right.mean() - conf(ref_s).mean() + conf(cur_s).mean()),
        "doc_map": float(gap.std() / np.sqrt(len(gap))), "doc_row": float(conf(cur_s).std() / np.sqrt(len(cur_s))),
    })


def draw(n, a, b, levels, bend):
    s = levels[np.clip(np.searchsorted(levels, rng.beta(a, b, n)), 0, len(levels) - 1)]
    return s, (rng.random(n) < bend(s)).astype(int)


for name, step, n, now, bend, t in (
    ("calibrated", 32, 4000, 1500, lambda s: s, 0.5),
    ("overconfident", 32, 6000, 2000, lambda s: 0.3 + 0.4 * s, 0.5),
    ("rare", 64, 5000, 3000, lambda s: s**2, 0.25),
    ("few", 16, 200, 300, lambda s: s, 0.375),
):
    levels = np.arange(1, step) / step
    ref_s, ref_y = draw(n, 2, 3, levels, bend)
    cur_s, _ = draw(now, 3, 2, levels, bend)
    expected(name, levels, ref_s, ref_y, cur_s, t)

# Label shift: predictions of three classes, and numerical derivatives.
for name, accuracy, mix, n, now in (("two", 0.8, [0.3, 0.7], 900, 700), ("three", 0.7, [0.2, 0.3, 0.5], 2500, 1200)):
    k = len(mix)
    y = rng.choice(k, n)
    guess = np.where(rng.random(n) < accuracy, y, rng.choice(k, n))
    C = confusion_matrix(y, guess, labels=range(k)).T  # predicted by true
    truth = rng.choice(k, now, p=mix)
    cur = np.bincount(np.where(rng.random(now) < accuracy, truth, rng.choice(k, now)), minlength=k)

    def solve(C, cur):
        return np.linalg.solve(C / C.sum(axis=0), cur / cur.sum())

    def multinomial(counts):
        p = counts / counts.sum()
        return (np.diag(p) - np.outer(p, p)) * counts.sum()

    share = solve(C.astype(float), cur.astype(float))
    cov = np.zeros((k, k))
    h = 1e-3
    J = np.array([(solve(C.astype(float), cur + h * e) - solve(C.astype(float), cur - h * e)) / (2 * h) for e in np.eye(k)]).T
    cov += J @ multinomial(cur) @ J.T
    for j in range(k):
        J = []
        for i in range(k):
            E = np.zeros((k, k))
            E[i, j] = h
            J.append((solve(C + E, cur.astype(float)) - solve(C - E, cur.astype(float))) / (2 * h))
        J = np.array(J).T
        cov += J @ multinomial(C[:, j].astype(float)) @ J.T
    add("LabelShift", name, {"confusion": C.tolist(), "predicted": cur.tolist()},
        {"share": share.tolist(), "se": np.sqrt(np.diag(cov)).tolist(), "weight": (share / (C.sum(axis=0) / C.sum())).tolist()}, rtol=1e-6)

# Segments: rows of the reference, weighted one by one.
size, right, now = np.array([500, 120, 40]), np.array([460, 90, 20]), np.array([100, 300, 50])
rows = np.concatenate([np.repeat([1.0, 0.0], [r, n - r]) for r, n in zip(right, size)])
weight = np.concatenate([np.full(n, c / n) for n, c in zip(size, now)])
acc = right / size
w = now / now.sum()
smooth = (right + 1) / (size + 2)
add("Reweight", "three segments", {"right": right.tolist(), "n": size.tolist(), "current": now.tolist()}, {
    "accuracy": float(np.average(rows, weights=weight)),
    "label": float(np.sqrt((np.repeat(acc * (1 - acc), now)).sum()) / now.sum()),
    "map": float(np.sqrt((w**2 * smooth * (1 - smooth) / size).sum())),
    "row": float(np.repeat(acc, now).std() / np.sqrt(now.sum())),
})

with open("testdata/reference/labelfree.json", "w") as f:
    json.dump({
        "generator": "testdata/reference/labelfree.py",
        "command": "/usr/bin/python3 testdata/reference/labelfree.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "sklearn": sklearn.__version__},
        "tolerance": "1e-7 relative; standard errors of labels are from 4000 draws: 5%",
        "cases": cases,
    }, f, indent=1)
    f.write("\n")
