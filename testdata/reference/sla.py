"""Reference numbers for package sla.

Budgets and burn rates come from pandas: resampling and sums of seeded samples with
gaps, by the definitions of OpenSLO v1; the interval of a mean of ratios and binomial
tails from scipy.stats; Wilson, Clopper-Pearson, Jeffreys and Newcombe intervals from
statsmodels; calendar periods from zoneinfo, which has no periods of its own: the first
moment at which the clock shows the start, found by a search over seconds of UTC.

Run: /usr/bin/python3 testdata/reference/sla.py   (from the root)
"""

import json
import math
import platform
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

rng = np.random.default_rng(20250704)
cases = []


def clean(x):
    if isinstance(x, (list, np.ndarray)):
        return [clean(v) for v in x]
    if isinstance(x, (str, bool)):
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


# --- compliance --------------------------------------------------------------

SM = {"wilson": "wilson", "clopper_pearson": "beta", "jeffreys": "jeffreys"}
for x, n, target, level in [(9, 10, 0.95, 0.95), (45, 50, 0.95, 0.9), (198, 200, 0.99, 0.95), (37, 40, 0.9, 0.99),
                            (991, 1000, 0.999, 0.95), (12, 80, 0.5, 0.95), (99950, 100000, 0.9999, 0.95), (3, 7, 0.2, 0.8)]:
    want = {"below_p": stats.binom.cdf(x, n, target), "above_p": stats.binom.sf(x - 1, n, target)}
    for name, method in SM.items():
        want[name] = list(proportion_confint(x, n, 1 - level, method))
    add("Compliance", f"{x}/{n}", {"met": x, "total": n, "target": target, "level": level}, want)
for a, n, b, m in [(56, 70, 48, 80), (198, 200, 190, 200), (9, 10, 3, 10), (991, 1000, 980, 1000), (40, 50, 46, 50)]:
    lo, hi = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff")
    add("CompareProportions", f"{a}/{n} {b}/{m}", {"counts": [a, n, b, m]}, {"diff": a / n - b / m, "ci": [lo, hi]})

# --- budgets -----------------------------------------------------------------


def seeded(minutes, rate, fail, gap):
    """Samples at the ends of minutes: some missing, some without events."""
    total = rng.poisson(rate, minutes)
    bad = rng.binomial(total, np.where(rng.random(minutes) < 0.05, min(1, 30 * fail), fail))
    keep = rng.random(minutes) >= gap
    at = np.arange(1, minutes + 1)[keep]
    return at, (total - bad)[keep], total[keep]


def frame(at, good, total):
    # Left-open intervals: the sample of minute 5 ends the slice (0,5].
    return pd.DataFrame({"good": good, "total": total}, index=pd.to_timedelta(at, unit="m"))


def consumed(f, window, slice_min, slice_target, missing, method, target, level=0.95):
    b = 1 - target
    if method == "occurrences":
        bad, n = (f.total - f.good).sum(), f.total.sum()
        return bad, n, bad / n / b, list(proportion_confint(n - bad, n, 1 - level, "wilson"))
    edges = pd.timedelta_range(0, periods=window // slice_min + 1, freq=f"{slice_min}min")
    groups = f.groupby(pd.cut(f.index, edges, right=True), observed=False)
    seen, s = groups.size(), groups.sum()
    judged = s.total > 0
    ratio = (s.good / s.total)[judged]
    none = int((seen == 0).sum())
    idle = int(((seen > 0) & ~judged).sum())
    if method == "timeslices":
        ratio = (ratio >= slice_target).astype(float)
    extra = {"ignore": [], "bad": [0.0] * none, "good": [1.0] * (none + idle)}[missing]
    ratio = np.concatenate([ratio.to_numpy(), extra])
    bad, n = (1 - ratio).sum(), len(ratio)
    if method == "timeslices":
        ci = list(proportion_confint(n - bad, n, 1 - level, "wilson"))
    else:
        ci = [0, 1]  # slices that are all alike do not say how much they vary
        if ratio.std() > 0:
            ci = list(stats.t.interval(level, n - 1, ratio.mean(), ratio.std(ddof=1) / math.sqrt(n)))
            ci = [max(0, ci[0]), min(1, ci[1])]
    return bad, n, bad / n / b, ci


for name, minutes, rate, fail, gap, target in [
        ("busy", 720, 40, 0.002, 0.02, 0.99), ("quiet", 720, 0.7, 0.03, 0.1, 0.95), ("sparse", 360, 5, 0.01, 0.5, 0.9),
        ("clean", 240, 10, 0.0005, 0.0, 0.999), ("burning", 360, 20, 0.1, 0.05, 0.97), ("long", 1440, 3, 0.01, 0.2, 0.98)]:
    at, good, total = seeded(minutes, rate, fail, gap)
    f = frame(at, good, total)
    for method, slice_min, slice_target, missing in [
            ("occurrences", 0, 0, "ignore"), ("timeslices", 1, 1, "ignore"), ("timeslices", 5, 0.95, "bad"),
            ("timeslices", 10, 0.98, "good"), ("ratio_timeslices", 5, 0, "ignore"), ("ratio_timeslices", 1, 0, "bad"),
            ("ratio_timeslices", 15, 0, "good")]:
        bad, n, c, ci = consumed(f, minutes, slice_min, slice_target, missing, method, target)
        half = f[f.index > pd.to_timedelta(minutes - 60, unit="m")].copy()
        half.index -= pd.to_timedelta(minutes - 60, unit="m")
        hbad, hn, hc, _ = consumed(half, 60, slice_min, slice_target, missing, method, target)
        add("Budget", f"{name} {method} {slice_min} {missing}",
            {"minutes": minutes, "at": at if method == "occurrences" else [], "good": good if method == "occurrences" else [],
             "total": total if method == "occurrences" else [], "samples": name, "method": method, "slice_minutes": slice_min,
             "slice_target": slice_target, "missing": missing, "target": target},
            {"bad": bad, "n": n, "consumed": c, "ci": ci, "hour_bad": hbad, "hour_n": hn, "hour_burn": hc,
             "tail": stats.binom.sf(math.floor(hbad + 1e-9) - 1, math.ceil(hn), 1 - target)}, rtol=1e-8)

# --- tails -------------------------------------------------------------------

for bad, n, target in [(1, 20, 0.99), (3, 20, 0.99), (0, 50, 0.999), (12, 1000, 0.999), (40, 1000, 0.999), (700, 100000, 0.995),
                       (5, 5, 0.9), (60, 600, 0.9)]:
    add("BurnRate", f"{bad}/{n} at {target}", {"bad": bad, "n": n, "target": target},
        {"rate": bad / n / (1 - target), "tail": stats.binom.sf(bad - 1, n, 1 - target), "log_tail": stats.binom.logsf(bad - 1, n, 1 - target)})

# --- calendar ----------------------------------------------------------------


def first_moment(wall, zone):
    """The first second of UTC at which the clock shows wall or later, and did not before that change."""
    z = ZoneInfo(zone)
    t = int((wall - timedelta(hours=30)).replace(tzinfo=timezone.utc).timestamp())
    end = t + 60 * 3600
    while t < end:
        local = datetime.fromtimestamp(t, timezone.utc).astimezone(z).replace(tzinfo=None)
        if local >= wall:
            return t
        t += 1800 if wall - local > timedelta(hours=3) else 60
    raise ValueError(wall)


for zone in ["America/New_York", "Australia/Lord_Howe", "Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Asia/Kolkata"]:
    days = [datetime(2018, 11, 3) + timedelta(days=i) for i in range(4)] + [datetime(2024, 3, 9) + timedelta(days=i) for i in range(4)]
    days += [datetime(2024, 4, 6), datetime(2024, 4, 7), datetime(2024, 10, 5), datetime(2024, 10, 6), datetime(2024, 10, 27),
             datetime(2024, 11, 2), datetime(2024, 11, 3), datetime(2024, 2, 28), datetime(2024, 2, 29), datetime(2024, 12, 31)]
    add("Bounds", f"days in {zone}", {"zone": zone, "unit": "day", "noon": [d.strftime("%Y-%m-%d 12:00:00") for d in days]},
        {"start": [first_moment(d, zone) for d in days], "end": [first_moment(d + timedelta(days=1), zone) for d in days]}, rtol=0, atol=0)
    months = [datetime(y, m, 1) for y in (2018, 2024) for m in range(1, 13)]
    add("Bounds", f"months in {zone}", {"zone": zone, "unit": "month", "noon": [d.replace(day=15).strftime("%Y-%m-%d 12:00:00") for d in months]},
        {"start": [first_moment(d, zone) for d in months], "end": [first_moment((d + timedelta(days=32)).replace(day=1), zone) for d in months]}, rtol=0, atol=0)

out = {
    "generator": "testdata/reference/sla.py",
    "command": "/usr/bin/python3 testdata/reference/sla.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__,
                 "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "tolerance": "relative plus absolute; 1e-8 for budgets, whose 1-target is a difference of doubles there and a decimal here",
    "cases": cases,
}
with open("testdata/reference/sla.json", "w") as fh:
    json.dump(out, fh, indent=None, separators=(",", ":"))
    fh.write("\n")
print(len(cases), "cases")
