"""Reference numbers for the check calibration, on the real flight logs.

For both candidates, on all rows and on those from DFW, at the rows around the cuts
0.25 and 0.15: observed and expected labels, O/E with the Clopper-Pearson interval
(statsmodels) over the mean score, 5% error at each end; the slope and intercept of
the logistic recalibration with the standard error of the slope (statsmodels GLM) and
Rao's score test (numpy); the debiased squared calibration error over the fixed bins
of continuous looks (numpy); MCB of the Brier score (isotonic regression of
scikit-learn); the difference of ln O/E between the arms and its standard error by
the delta method over the rows (numpy); Hosmer-Lemeshow over ten groups (numpy).

Run: /usr/bin/python3 testdata/reference/calibration_check.py   (from the root; needs go)
"""

import json
import os
import platform
import subprocess
import tempfile

import numpy as np
import pandas as pd
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from statsmodels.stats.proportion import proportion_confint

A = 0.1
EDGES = [0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.97, 1]

with tempfile.TemporaryDirectory() as tmp:
    subprocess.run(["go", "run", "./testdata/reference/flights_csv", tmp], check=True)
    logs = {n: pd.read_csv(os.path.join(tmp, n + ".csv"), float_precision="round_trip") for n in ("baseline", "candidate", "candidate_broken")}

for log in logs.values():
    log["label"] = log["label"].map({"true": 1.0, "false": 0.0, True: 1.0, False: 0.0, 1: 1.0, 0: 0.0})


def rows(log):
    known = log[log["label"].notna()]
    return known["score"].to_numpy(), known["label"].to_numpy()


def ratio(p, y):
    n, o, e = len(p), int(y.sum()), p.sum()
    lo, hi = proportion_confint(o, n, alpha=A, method="beta")
    return {"n": n, "observed": o, "expected": e, "ratio": o / e, "ratio_lo": lo * n / e, "ratio_hi": hi * n / e}


def log_ratio(p, y):
    d = y / y.sum() - p / p.sum()
    return np.log(y.sum() / p.sum()), np.sqrt((d**2).sum())


def mcb(p, y):
    fitted = IsotonicRegression(y_min=0, y_max=1).fit_transform(p, y)
    return ((p - y) ** 2).mean() - ((fitted - y) ** 2).mean()


def whole(p, y):
    out = ratio(p, y)
    odds = np.log(p / (1 - p))
    fit = sm.GLM(y, sm.add_constant(odds), family=sm.families.Binomial()).fit(tol=1e-12)
    x, w = np.column_stack([np.ones(len(p)), odds]), p * (1 - p)
    u, info = x.T @ (y - p), x.T @ (x * w[:, None])
    step = np.linalg.solve(info, u)
    d, debiased = p - y, 0.0
    which = np.clip(np.searchsorted(EDGES, p, side="right") - 1, 0, len(EDGES) - 2)
    for b in np.unique(which):
        g = d[which == b]
        debiased += (g.sum() ** 2 - (g**2).sum()) / len(g) / len(p)
    groups = np.array_split(np.argsort(p, kind="stable"), 10)
    hl = sum((y[g].sum() - p[g].sum()) ** 2 / (p[g].sum() * (1 - p[g].mean())) for g in groups)
    return out | {
        "slope": fit.params[1], "intercept": fit.params[0], "slope_se": fit.bse[1], "score_chisq": float(u @ step), "score_p": float(stats.chi2.sf(u @ step, 2)),
        "slope_step": 1 + step[1], "debiased": debiased, "mcb": mcb(p, y), "hosmer_lemeshow": float(hl),
    }


cases = []
for candidate in ("candidate", "candidate_broken"):
    for where in ("all", "DFW"):
        arms = [logs[n] if where == "all" else logs[n][logs[n]["origin"] == where] for n in ("baseline", candidate)]
        (pb, yb), (p, y) = rows(arms[0]), rows(arms[1])
        want = whole(p, y)
        (lb, sb), (lc, sc) = log_ratio(pb, yb), log_ratio(p, y)
        want |= {"difference": lc - lb, "difference_se": float(np.hypot(sb, sc)), "ratio_baseline": yb.sum() / pb.sum(), "mcb_baseline": mcb(pb, yb)}
        cases.append({"name": f"{candidate} {where}", "func": "Calibration", "in": {"candidate": candidate, "where": where}, "want": want, "rtol": 1e-3, "atol": 1e-9})
    p, y = rows(logs[candidate])
    order = np.argsort(-p, kind="stable")
    for cut in (0.25, 0.15):
        above = int((p >= cut).sum())
        band = order[int(round(above * 0.75)):int(round(above * 1.25))]
        cases.append({"name": f"{candidate} around {cut}", "func": "Calibration band", "in": {"candidate": candidate, "cut": cut}, "want": ratio(p[band], y[band]) | {"above": above}, "rtol": 2e-2, "atol": 0})


def plain(x):
    return x.item() if isinstance(x, np.generic) else x


with open("testdata/reference/calibration_check.json", "w") as f:
    json.dump({
        "generator": "testdata/reference/calibration_check.py",
        "command": "/usr/bin/python3 testdata/reference/calibration_check.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__, "scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__},
        "tolerance": "1e-3 relative, since the check sees the cells of a histogram of scores; 2e-2 around a cut, where whole cells are in or out; MCB is compared at 5%, because isotonic regression cannot order rows within a cell",
        "cases": [c | {"want": {k: plain(v) for k, v in c["want"].items()}} for c in cases],
    }, f, indent=1)
    f.write("\n")
