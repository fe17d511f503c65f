#!/usr/bin/python3
"""Writes history.om, a fixed history in OpenMetrics text, and history.json, what a
collection of its last ten minutes has to bring. The numbers follow from the
documented rule of increase(): the sum of the steps of a counter, a step down taken
for a restart from 0, extrapolated to the ends of the window, but not beyond the
time at which the counter would have been 0, and by half a step where the window
begins or ends more than 1.1 steps away from the samples.

    cd adapters/promquery/testdata && ./history.py
"""
import json
from fractions import Fraction

BEGIN = 1769860800  # 2026-01-31 12:00:00 UTC
WINDOW = 600
END = BEGIN + WINDOW
STEP = 15
# Samples lie 5 s after each multiple of 15 s, from 10 minutes before the window to
# a minute after it, so that none is at an end of the window.
TIMES = [BEGIN - 600 + 5 + STEP * i for i in range(84)]


def counter(start, step, reset_at=None, first=0, last=len(TIMES)):
    """Samples (time, value) of a counter; at reset_at it starts again from 0."""
    out, v = [], start
    for i, t in enumerate(TIMES):
        v = step(i) if i == reset_at else v + step(i)
        if first <= i < last:
            out.append((t, v))
    return out


def increase(samples):
    inside = [(t, Fraction(v)) for t, v in samples if BEGIN <= t <= END]
    if len(inside) < 2:
        return None
    grown = Fraction(0)
    for (_, a), (_, b) in zip(inside, inside[1:]):
        grown += b - a if b >= a else b
    span = Fraction(inside[-1][0] - inside[0][0])
    mean = span / (len(inside) - 1)
    left, right = Fraction(inside[0][0] - BEGIN), Fraction(END - inside[-1][0])
    if grown > 0:
        left = min(left, span * inside[0][1] / grown)
    reach = span
    for gap in (left, right):
        reach += gap if gap < mean * Fraction(11, 10) else mean / 2
    return grown * reach / span


def steady(n):
    return lambda i: n


def every(k, n):
    return lambda i: n if i % k == 0 else 0


LES = ["0.1", "0.25", "1", "+Inf"]
MIX = {"v7": [30, 15, 4, 1], "v8": [20, 20, 8, 2]}  # values a step, bucket by bucket

series = {}  # name -> {labels: samples}


def put(name, labels, samples):
    series.setdefault(name, {})[tuple(labels.items())] = samples


put("requests_total", {"version": "v7", "code": "200"}, counter(100000, steady(50)))
put("requests_total", {"version": "v7", "code": "500"}, counter(500, every(7, 3)))
# Two pods: one is restarted in the window, the other starts in its middle.
put("requests_total", {"version": "v8", "code": "200", "pod": "a"}, counter(90000, steady(40), reset_at=61))
put("requests_total", {"version": "v8", "code": "200", "pod": "b"}, counter(0, steady(11), first=60))
put("requests_total", {"version": "v8", "code": "503", "pod": "a"}, counter(70, every(5, 2), reset_at=61))
# Ended before the window: no data in it.
put("requests_total", {"version": "v6", "code": "200"}, counter(1000, steady(9), last=30))
for version, mix in MIX.items():
    for k, le in enumerate(LES):
        put("latency_seconds_bucket", {"version": version, "le": le}, counter(20000, steady(sum(mix[:k + 1]))))
    put("latency_seconds_count", {"version": version}, counter(20000, steady(sum(mix))))
    put("latency_seconds_sum", {"version": version}, counter(8000, steady(Fraction(25, 2))))
queue = [(t, 3 + i % 5) for i, t in enumerate(TIMES)]
put("queue_length", {"version": "v8"}, queue)

families = [("requests", "counter", ["requests_total"]), ("latency_seconds", "histogram", ["latency_seconds_bucket", "latency_seconds_count", "latency_seconds_sum"]), ("queue_length", "gauge", ["queue_length"])]
with open("history.om", "w") as f:
    for family, kind, names in families:
        f.write(f"# TYPE {family} {kind}\n")
        for name in names:
            for labels, samples in series[name].items():
                text = ",".join(f'{k}="{v}"' for k, v in labels)
                for t, v in samples:
                    f.write(f"{name}{{{text}}} {float(v)} {t}\n")
    f.write("# EOF\n")


def total(name, **want):
    """The sum of the increases of the series with these labels."""
    found = [increase(s) for labels, s in series[name].items() if all(dict(labels).get(k) in v for k, v in want.items())]
    return sum(x for x in found if x is not None)


def cells(version):
    """Cumulative increases, rounded half up, then told apart."""
    up = [total("latency_seconds_bucket", version=[version], le=[le]) for le in LES]
    whole = [int(x + Fraction(1, 2)) for x in up]
    return [b - a for a, b in zip([0] + whole, whole)]


def squares(version, largest):
    """Every value at the far end of its bucket."""
    up = [total("latency_seconds_bucket", version=[version], le=[le]) for le in LES]
    ends = [Fraction(1, 10), Fraction(1, 4), Fraction(1), Fraction(largest)]
    return sum((b - a) * e * e for a, b, e in zip([0] + up, up, ends))


golden = {}
for arm, version in (("baseline", "v7"), ("candidate", "v8")):
    golden[arm] = {
        "errors": {"total": float(total("requests_total", version=[version], code=["500", "503"])), "count": float(total("requests_total", version=[version]))},
        "failures": {"total": float(total("requests_total", version=[version], code=["500", "503"])), "count": WINDOW},
        "mean": {"total": float(total("latency_seconds_sum", version=[version])), "count": float(total("latency_seconds_count", version=[version])), "squares": float(squares(version, 10))},
        "latency": {"edges": [0.1, 0.25, 1], "cells": cells(version)},
    }
# The value in force at the end of the window is that of the last sample before it.
golden["candidate"]["queue"] = {"total": [v for t, v in queue if t <= END][-1]}
with open("history.json", "w") as f:
    json.dump(golden, f, indent=1)
    f.write("\n")
