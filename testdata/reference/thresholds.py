"""Reference numbers for "rampguard thresholds" and the blast radius, on the real
flight logs.

pandas counts the rows of both arms at or above the thresholds of the policy, with
their labels, and sorts the candidate's scores for the threshold of equal rate; the
highest threshold of equal bad rate is found by a cumulative sum over the sorted
scores. statsmodels gives Wilson, Newcombe and Clopper-Pearson intervals. The 95%
bounds of the blast radius are for an error of 5% at each end.

Run: /usr/bin/python3 testdata/reference/thresholds.py   (from the root; needs go)
"""

import json
import os
import platform
import subprocess
import tempfile

import numpy as np
import pandas as pd
import statsmodels
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

CUTS = [0.25, 0.15]
ACTIONS = ["block", "review", "allow"]

with tempfile.TemporaryDirectory() as tmp:
    subprocess.run(["go", "run", "./testdata/reference/flights_csv", tmp], check=True)
    logs = {n: pd.read_csv(os.path.join(tmp, n + ".csv"), float_precision="round_trip") for n in ("baseline", "candidate", "candidate_broken")}
for log in logs.values():
    log["label"] = log["label"].map({"true": 1.0, "false": 0.0, True: 1.0, False: 0.0})

base = logs["baseline"]
cases = []


def outcome(rows):
    known = rows[rows["label"].notna()]
    x, n = int(known["label"].sum()), len(known)
    lo, hi = proportion_confint(x, n, 0.05, "wilson")
    return {"rows": len(rows), "positive": x, "labelled": n, "lo": lo, "hi": hi}


for name in ("candidate", "candidate_broken"):
    cand = logs[name]
    s = np.sort(cand["score"].to_numpy())[::-1]
    known = cand[cand["label"].notna()].sort_values("score", kind="stable")
    ys, ps = known["label"].to_numpy(), known["score"].to_numpy()
    for t in CUTS:
        x, y = int((base["score"] >= t).sum()), int((cand["score"] >= t).sum())
        k = int(round(x / len(base) * len(cand)))
        lo, hi = confint_proportions_2indep(k, len(cand), x, len(base), method="newcomb", compare="diff")
        kept = base[(base["score"] < t) & base["label"].notna()]
        bad = kept["label"].mean()
        run = np.cumsum(ys) / np.arange(1, len(ys) + 1)
        ends = np.append(ps[1:] > ps[:-1], True)  # no cut parts equal scores
        best = int(np.max(np.nonzero((run <= bad) & ends)[0]))
        cases.append({"name": f"{name} at {t}", "func": "threshold", "in": {"candidate": name, "at": t}, "want": {
            "baseline": x / len(base), "candidate": y / len(cand), "above": float(s[k - 1]), "below": float(s[k]), "rate": k / len(cand), "lo": lo, "hi": hi,
            "bad_rate": float(bad), "new_bad_rate": float(run[best]), "bad_cut": float(ps[best])}, "rtol": 1e-9, "atol": 1e-12})
    edges = [np.inf] + CUTS + [-np.inf]
    for i, action in enumerate(ACTIONS):
        for arm, log in (("baseline", base), ("candidate", cand)):
            rows = log[(log["score"] >= edges[i + 1]) & (log["score"] < edges[i])]
            cases.append({"name": f"{name}: {action} of the {arm}", "func": "outcome", "in": {"candidate": name, "arm": arm, "action": action}, "want": outcome(rows), "rtol": 1e-9, "atol": 1e-12})
    x, n = int((cand["action"] == "block").sum()), len(cand)
    lo, hi = proportion_confint(x, n, 0.1, "beta")
    cases.append({"name": f"{name}: blocked", "func": "blast", "in": {"candidate": name}, "want": {"taken": x, "rows": n, "lo": lo, "hi": hi}, "rtol": 1e-9, "atol": 1e-12})

with open("testdata/reference/thresholds.json", "w") as f:
    json.dump({
        "generator": "testdata/reference/thresholds.py",
        "command": "/usr/bin/python3 testdata/reference/thresholds.py",
        "versions": {"python": platform.python_version(), "pandas": pd.__version__, "statsmodels": statsmodels.__version__},
        "tolerance": "exact counts; thresholds within a cell of the scores, 1/2048",
        "cases": cases,
    }, f)
    f.write("\n")
