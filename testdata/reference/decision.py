"""Reference numbers for stats/decision, from raw scores.

numpy counts the scores at or above cuts and sorts them for the cut of equal rate;
the shift of the mix is averaged over itertools.permutations of its three causes;
statsmodels gives Newcombe's interval and numpy the standard error of paired
differences, row by row; the cut of equal bad rate is found by trying all of them.

Run: /usr/bin/python3 testdata/reference/decision.py   (from the root)
"""

import itertools
import json
import platform

import numpy as np
import statsmodels
from statsmodels.stats.proportion import confint_proportions_2indep

rng = np.random.default_rng(20260131)
cases = []


def case(name, func, given, want, rtol=1e-12, atol=1e-15):
    cases.append({"name": name, "func": func, "in": given, "want": want, "rtol": rtol, "atol": atol})


def actions(scores, cuts):
    """0 for the first cut reached, len(cuts) for none."""
    out = np.full(len(scores), len(cuts))
    for i in reversed(range(len(cuts))):
        out[scores >= cuts[i]] = i
    return out


def mix(scores, cuts):
    return np.bincount(actions(scores, cuts), minlength=len(cuts) + 1) / len(scores)


logs = {
    "spread": (np.round(rng.beta(2, 5, 700), 6), np.round(rng.beta(2.4, 5, 500), 6)),
    "tied": (np.round(rng.beta(2, 5, 700) * 32) / 32, np.round(rng.beta(2.4, 5, 500) * 16) / 16),
    "few": (np.array([0.1, 0.2, 0.9]), np.array([0.3, 0.3, 0.3, 0.8])),
}
for name, (a, b) in logs.items():
    for cuts in ([0.5, 0.25], [0.75, 0.5, 0.125]):
        case(f"{name} mix at {cuts}", "mix", {"scores": a.tolist(), "cuts": cuts}, {"mix": mix(a, cuts).tolist()})
        # The cut of equal rate: of all scores of b, and one above all, the one whose
        # rate is nearest.
        x = [int((a >= c).sum()) for c in cuts]
        rates, below, above, at, lo, hi, se = [], [], [], [], [], [], []
        for k in x:
            want = k / len(a)
            tries = sorted({(float((b >= t).mean()), float(t)) for t in b} | {(0.0, float(np.nextafter(b.max(), 2)))})
            best = min(tries, key=lambda p: (round(abs(p[0] - want), 12), p[0]))
            rates.append(best[0])
            at.append(best[1])
            below.append(max(r for r, _ in tries if r <= want + 1e-12))
            above.append(min(r for r, _ in tries if r >= want - 1e-12))
            y = int(round(best[0] * len(b)))
            ci = confint_proportions_2indep(y, len(b), k, len(a), method="newcomb", compare="diff")
            lo.append(float(ci[0]))
            hi.append(float(ci[1]))
            p = (k + y) / (len(a) + len(b))
            se.append(float(np.sqrt(p * (1 - p) * (1 / len(a) + 1 / len(b)))))
        case(f"{name} remap of {cuts}", "remap", {"x": x, "n": len(a), "scores": b.tolist(), "exact": name != "spread"},
             {"rate": rates, "below": below, "above": above, "at": at, "lo": lo, "hi": hi, "se": se}, 1e-9, 1e-12)

# Two models and two policies on two populations of different difficulty.
pop = [rng.beta(2, 6, 900), rng.beta(2, 4, 800)]
policy = [[0.6, 0.3], [0.55, 0.35]]
corners = {}
for k in (0, 1):
    old = np.clip(pop[k] + rng.normal(0, 0.05, len(pop[k])), 0, 1)
    new = np.clip(pop[k] * 1.1 + rng.normal(0, 0.02, len(pop[k])), 0, 1)
    for i, s in enumerate((old, new)):
        for j in (0, 1):
            corners[i, j, k] = mix(s, policy[j])
for name, missing in (("all known", []), ("old model in shadow", [(1, 0, 0), (1, 1, 0)]), ("old model under the old policy only", [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1)])):
    total = {"model": [], "policy": [], "population": []}
    for order in itertools.permutations((0, 1, 2)):
        at = [0, 0, 0]
        steps = []
        for cause in order:
            after = list(at)
            after[cause] = 1
            if tuple(after) in missing:
                break
            steps.append((("model", "policy", "population")[cause], corners[tuple(after)] - corners[tuple(at)]))
            at = after
        if len(steps) == 3:
            for cause, d in steps:
                total[cause].append(d)
    want = {"orders": len(total["model"])}
    for cause, ds in total.items():
        want[cause] = np.mean(ds, axis=0).tolist()
        want[cause + "_lo"] = np.min(ds, axis=0).tolist()
        want[cause + "_hi"] = np.max(ds, axis=0).tolist()
    given = {f"{i}{j}{k}": m.tolist() for (i, j, k), m in corners.items() if (i, j, k) not in missing}
    case(name, "shift", given, want, 1e-12, 1e-14)

# Rows with two actions each.
for n, up, down in ((1000, 20, 12), (50000, 200, 200), (40, 0, 3)):
    d = np.concatenate([np.ones(up), -np.ones(down), np.zeros(n - up - down)])
    case(f"{up} up and {down} down of {n}", "paired", {"up": up, "down": down, "n": n}, {"se": float(d.std() / np.sqrt(n)), "point": float(d.mean())})
case("a fiftieth of 50000 and of 5000", "unpaired", {"counts": [1000, 50000, 100, 5000]}, {"se": float(np.sqrt(0.02 * 0.98 * (1 / 50000 + 1 / 5000)))})

# Bad rates on a lattice of scores.
for name, n, tilt in (("steep", 600, 1.0), ("flat", 300, 0.2)):
    s = np.round(rng.uniform(0, 1, n) * 64) / 64
    y = rng.uniform(0, 1, n) < 0.1 + 0.8 * tilt * s
    for want in (0.2, 0.3, 0.45):
        best = None
        for t in list(np.unique(s)) + [2.0]:
            kept = s < t
            if kept.any() and y[kept].sum() <= want * kept.sum():
                best = {"bad": int(y[kept].sum()), "known": int(kept.sum())}
        if best is None:
            best = {"bad": 0, "known": 0}
        case(f"{name} {want}", "badrate", {"scores": s.tolist(), "labels": y.astype(int).tolist(), "rate": want}, best)

with open("testdata/reference/decision.json", "w") as f:
    json.dump({
        "generator": "testdata/reference/decision.py",
        "command": "/usr/bin/python3 testdata/reference/decision.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "statsmodels": statsmodels.__version__},
        "tolerance": "the same formulas in float64; cuts within a cell are compared by their counts",
        "cases": cases,
    }, f)
    f.write("\n")
