"""Reference numbers for slices, on the real flight logs.

pandas groups the rows of both arms by airport, by weekday, by airport and weekday,
and by distance in three buckets. In each group: rows, labelled rows, log loss
(scikit-learn), Brier score, accuracy at 0.25, the share of scores at or above
0.25; Welch's interval of the difference of log loss and Newcombe's interval of the
difference of accuracy (statsmodels), with 5% error at each end.

Run: /usr/bin/python3 testdata/reference/slices.py   (from the root; needs go)
"""

import json
import math
import os
import platform
import subprocess
import tempfile

import numpy as np
import pandas as pd
import sklearn
import statsmodels
from sklearn import metrics
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

A = 0.1
CUT = 0.25

with tempfile.TemporaryDirectory() as tmp:
    subprocess.run(["go", "run", "./testdata/reference/flights_csv", tmp], check=True)
    logs = {n: pd.read_csv(os.path.join(tmp, n + ".csv"), float_precision="round_trip") for n in ("baseline", "candidate", "candidate_broken")}

for log in logs.values():
    log["bucket"] = pd.cut(log["distance"], [-math.inf, 500, 1000, math.inf], right=False, labels=["<500", "[500,1000)", ">=1000"]).astype(str)
    log["label"] = log["label"].map({"true": 1.0, "false": 0.0, True: 1.0, False: 0.0, 1: 1.0, 0: 0.0})


def arm(rows):
    known = rows[rows["label"].notna()]
    y, p = known["label"].to_numpy(), known["score"].to_numpy()
    loss = -np.log(np.where(y == 1, p, 1 - p))
    out = {"rows": len(rows), "labelled": len(known), "above": int((rows["score"] >= CUT).sum())}
    if len(known) > 0:
        out["log_loss"] = metrics.log_loss(y, p, labels=[0, 1], eps=1e-16)
        out["brier"] = metrics.brier_score_loss(y, p)
        out["correct"] = int(((p >= CUT) == (y == 1)).sum())
        assert abs(loss.mean() - out["log_loss"]) < 1e-12
    return out, loss


cases = []
for candidate in ("candidate", "candidate_broken"):
    for by in (["origin"], ["dow"], ["bucket"], ["dow", "origin"]):
        groups = [dict(list(logs[n].groupby(by if len(by) > 1 else by[0]))) for n in ("baseline", candidate)]
        for key in sorted(set(groups[0]) & set(groups[1])):
            b, lb = arm(groups[0][key])
            c, lc = arm(groups[1][key])
            values = [str(k) for k in (key if isinstance(key, tuple) else (key,))]
            if by == ["origin"] and candidate == "candidate_broken" and len(groups[1][key]) < 100:
                continue  # the smallest airports are in the other pair of logs
            if len(by) > 1 and values[1] not in ("DFW", "ORD", "ATL"):
                continue
            want = {k + "_baseline": v for k, v in b.items()} | {k + "_candidate": v for k, v in c.items()}
            if len(lb) > 1 and len(lc) > 1:
                lo, hi = CompareMeans(DescrStatsW(lc), DescrStatsW(lb)).tconfint_diff(alpha=A, usevar="unequal")
                want |= {"log_loss_lo": lo, "log_loss_hi": hi}
                lo, hi = confint_proportions_2indep(b["correct"], b["labelled"], c["correct"], c["labelled"], method="newcomb", compare="diff", alpha=A)
                want |= {"accuracy_lo": lo, "accuracy_hi": hi}
            cases.append({"name": f"{candidate} {'x'.join(by)}={'x'.join(values)}", "func": "Slices",
                          "in": {"candidate": candidate, "by": by, "values": values}, "want": want, "rtol": 1e-7, "atol": 1e-9})

out = {
    "generator": "testdata/reference/slices.py",
    "command": "/usr/bin/python3 testdata/reference/slices.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__,
                 "scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__},
    "tolerance": "counts are exact; losses agree to 1e-7, as cells hold them to 1e-9 nats",
    "cases": cases,
}
with open("testdata/reference/slices.json", "w") as f:
    lines = ",\n".join(json.dumps(c) for c in out.pop("cases"))
    f.write(json.dumps(out, indent=1)[:-2] + ',\n "cases": [\n' + lines + "\n]}\n")
print(len(cases), "cases")
