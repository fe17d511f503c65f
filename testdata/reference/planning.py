"""Reference numbers for package analysis/planning.

The smallest regression that a single look finds, for means and shares, by the normal
power functions of statsmodels: NormalIndPower for means of two samples of different
sizes, normal_power_het for shares (both variances at the truth, as the intervals of
the checks have them) and power_proportions_2indep (the pooled z test, which agrees
up to the difference of the two variances). Of several stages, whose differences are
averaged with the weights of Mantel and Haenszel, statsmodels' power is taken at the
size of equal arms that has the same variance.

Run: /usr/bin/python3 testdata/reference/planning.py   (from the root)
"""

import json
import math
import os
import platform

import numpy as np
import scipy
import statsmodels
from scipy import optimize
from statsmodels.stats.power import NormalIndPower, normal_power_het
from statsmodels.stats.proportion import power_proportions_2indep

cases = []
ALPHA = 0.05 * 0.9  # one check that rolls back: nine tenths of the budget
NO_HARM = 0.05


def add(func, name, given, want, rtol=1e-6, atol=0.0):
    cases.append({"name": name, "func": func, "in": given, "want": want, "rtol": rtol, "atol": atol})


def halves(stages):
    """The size of two equal arms with the variance of the weighted difference."""
    w = np.array([b * c / (b + c) for b, c in stages])
    v = sum(wi**2 * (1 / b + 1 / c) for wi, (b, c) in zip(w, stages)) / w.sum() ** 2
    return 2 / v


for sd, margin, stages in ((3.0, 0.1, [(1800, 1800)]), (1.0, 0.02, [(90000, 10000)]), (25.0, 2.0, [(3240, 360), (1800, 1800)]),
                           (10.0, 0.5, [(35640, 360), (32400, 3600), (18000, 18000)])):
    n = halves(stages)
    for power in (0.8, 0.9):
        # its solve_power stops at some five digits
        d = optimize.brentq(lambda d: NormalIndPower().power(d, nobs1=n, alpha=ALPHA, ratio=1, alternative="larger") - power, 1e-9, 10, xtol=1e-14)
        passes = NormalIndPower().power(margin / sd, nobs1=n, alpha=NO_HARM, ratio=1, alternative="larger")
        add("mean", f"sd {sd} margin {margin} stages {len(stages)} power {power}",
            {"sd": sd, "margin": margin, "stages": stages, "power": power}, {"smallest": margin + d * sd, "pass_power": passes})

for base, margin, b, c in ((0.05, 0.01, 9000, 9000), (0.3, 0.02, 18000, 2000), (0.01, 0.002, 60000, 60000), (0.6, 0.05, 1500, 1500)):
    for power in (0.8, 0.9):

        def std(p):  # of the difference, times the root of b
            return math.sqrt(base * (1 - base) + p * (1 - p) * b / c)

        def het(delta):
            s = std(base + delta)
            return normal_power_het(delta - margin, b, ALPHA, std_null=s, std_alternative=s, alternative="larger") - power

        smallest = optimize.brentq(het, margin + 1e-9, 0.99 - base, xtol=1e-14)
        add("share", f"base {base} margin {margin} power {power}", {"base": base, "margin": margin, "stages": [(b, c)], "power": power}, {"smallest": smallest})
    pooled = optimize.brentq(lambda d: power_proportions_2indep(d, base, b, ratio=c / b, alpha=ALPHA, alternative="larger", return_results=False) - 0.8, 1e-6, 0.9 - base)
    add("pooled", f"base {base}", {"base": base, "margin": 1e-9, "stages": [(b, c)], "power": 0.8}, {"smallest": pooled}, rtol=0.1)

out = {
    "generator": "testdata/reference/planning.py",
    "command": "/usr/bin/python3 testdata/reference/planning.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "tolerance": "atol + rtol*|want|; 10% for the pooled z test, which is another test",
    "cases": cases,
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "planning.json")
with open(path, "w") as f:
    f.write("{\n")
    for k in ("generator", "command", "versions", "tolerance"):
        f.write(f"{json.dumps(k)}: {json.dumps(out[k])},\n")
    f.write('"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
print(len(cases), "cases,", os.path.getsize(path), "bytes")
