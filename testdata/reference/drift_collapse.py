"""Reference numbers of the collapse signals and of the rates of package drift.

Values are few and far apart, so that each has a cell of its own and the cells
hide nothing.

Run: /usr/bin/python3 testdata/reference/drift_collapse.py
"""
import json
import math
import os
import platform

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

rng = np.random.default_rng(20261121)
LEVEL = 0.90
cases = []


def newcombe(x, n, y, m, level):
    """Newcombe's interval of y/m - x/n"""
    return confint_proportions_2indep(y, m, x, n, method="newcomb", compare="diff", alpha=1 - level)


def miller_madow(k):
    k = k[k > 0]
    return stats.entropy(k) + (len(k) - 1) / (2 * k.sum())


for name, n, m, p, q in [
    ("alike", 400, 300, [1, 2, 3, 2, 1], [1, 2, 3, 2, 1]),
    ("collapsed", 2000, 1500, [2, 3, 4, 3, 2], [0.1, 0.1, 9, 0.1, 0.1]),
    ("to the ends", 1200, 5000, [1, 4, 5, 4, 1], [5, 1, 1, 1, 5]),
    ("two values", 500, 40_000, [3, 0, 0, 0, 7], [7, 0, 0, 0, 3]),
    ("large", 60_000, 60_000, [1, 1, 1, 1, 1], [1.1, 1, 1, 1, 0.9]),
]:
    values = np.array([1, 2, 4, 6, 9])
    p, q = np.array(p, float) / sum(p), np.array(q, float) / sum(q)
    a, b = rng.multinomial(n, p), rng.multinomial(m, q)
    used = (a > 0) | (b > 0)
    given = {"values": values.tolist(), "ref": a.tolist(), "cur": b.tolist()}

    def add(func, want, rtol=1e-9):
        cases.append({"name": name, "func": func, "in": given, "want": {k: float(v) for k, v in want.items()}, "rtol": rtol, "atol": 1e-9})

    level = 1 - (1 - LEVEL) / used.sum()
    ends = [newcombe(x, n, y, m, level) for x, y in zip(a[used], b[used])]
    add("spike", {"point": np.max(b / m - a / n), "lo": max(e[0] for e in ends), "hi": max(e[1] for e in ends)})
    x, y = a[0] + a[-1], b[0] + b[-1]
    lo, hi = newcombe(x, n, y, m, LEVEL)
    add("saturation", {"ref": x / n, "cur": y / m, "point": y / m - x / n, "lo": lo, "hi": hi})
    iqr = [np.subtract(*np.quantile(np.repeat(values, k), [0.75, 0.25], method="inverted_cdf")) for k in (a, b)]
    if iqr[0] > 0:
        add("spread", {"ref": iqr[0], "cur": iqr[1], "point": iqr[1] / iqr[0]})
    cells = math.log(used.sum())
    add("entropy", {"ref": min(1, miller_madow(a) / cells), "cur": min(1, miller_madow(b) / cells)})
    # missing values: the counts at the first value stand for null
    lo, hi = newcombe(a[0], n, b[0], m, LEVEL)
    add("Missing", {"ref": a[0] / n, "cur": b[0] / m, "lo": lo, "hi": hi})

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drift_collapse.json")
with open(out, "w") as f:
    json.dump({
        "generator": "testdata/reference/drift_collapse.py",
        "command": "/usr/bin/python3 testdata/reference/drift_collapse.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
        "tolerance": "|got-want| <= atol + rtol*|want|",
        "cases": cases,
    }, f, indent=1)
    f.write("\n")
