"""The incomplete gamma function and the non-central chi-square law at huge parameters
and in far tails, for package stats.

The gamma function comes from R and from mpmath. R has no accurate tail of the
non-central law (pchisq with ncp: "pchisq_error" says how far it is off, in the log),
so the number is the sum in R of dpois(j, ncp/2) pchisq(x, df+2j) in logs, of terms
that R computes to 1e-13, and where its line is short from mpmath. mpmath's numbers are
the inversion of the moment generating function on a line right or left of its pole, by
the trapezoidal rule in 40 digits (Rice 1980, SIAM Journal on Scientific and Statistical
Computing 1, 438-448). "r_error" stands where R's pgamma or sum is wrong.

Run: /usr/bin/python3 testdata/reference/stats_special.py
"""
import json
import math
import os
import platform
import subprocess

import mpmath as mp

mp.mp.dps = 40
cases, queue = [], []


def add(func, name, given, want, rtol, atol=0.0):
    name = f"{func} {name}"
    assert all(c["name"] != name for c in cases), name
    cases.append({"name": name, "func": func, "in": given, "want": {k: float(v) for k, v in want.items()}, "rtol": rtol, "atol": atol})


# --- the gamma and the non-central chi-square laws ------------------------------------


def log_tail(x, mean, k, slopes, saddle, upper):
    """log P(X > x), or P(X <= x): the integral of exp(k(s) - s (x - mean)) / (2 pi i s)
    along Re s = c, k the cumulants beyond the first, c > 0 for the upper tail"""
    x, side = mp.mpf(x), 1 if upper else -1
    if (x - mean) * side < 0:  # the line on this side cancels
        return mp.log1p(-mp.exp(log_tail(x, mean, k, slopes, saddle, not upper)))
    sigma = 1 / mp.sqrt(slopes(saddle))
    c = saddle if saddle * side > sigma else side * min(sigma, 1 / mp.sqrt(slopes(mp.mpf(0))))
    d = x - mean
    h = min(abs(c) * 2 * mp.pi / 62, sigma / 2)
    top = k(c) - c * d
    total = mp.mpf(1) / (2 * c)
    j = 0
    while True:
        j += 1
        s = mp.mpc(c, j * h)
        v = mp.exp(k(s) - s * d - top) / s
        total += v.real
        if abs(v * c) < mp.mpf(10)**-26:
            break
    return top + mp.log(side * total * h / mp.pi)


def log_gamma(a, y, upper):
    a = mp.mpf(a)
    return log_tail(y, a, lambda s: -a * (mp.log(1 - s) + s), lambda s: a / (1 - s)**2, 1 - a / mp.mpf(y), upper)


def log_noncentral(x, df, ncp, upper):
    x, df, ncp = mp.mpf(x), mp.mpf(df), mp.mpf(ncp)
    # x = df w + ncp w^2 at the saddle, w = 1/(1-2s)
    w = 2 * x / (df + mp.sqrt(df * df + 4 * ncp * x))
    return log_tail(x, df + ncp, lambda s: ncp * 2 * s * s / (1 - 2 * s) - df * (mp.log(1 - 2 * s) / 2 + s),
                    lambda s: 2 * df / (1 - 2 * s)**2 + 4 * ncp / (1 - 2 * s)**3, (1 - 1 / w) / 2, upper)


assert abs(log_gamma(40, 33, True) - mp.log(mp.gammainc(40, 33, mp.inf, regularized=True))) < mp.mpf(10)**-25
assert abs(log_noncentral(30, 9, 12, False) - mp.log(mp.nsum(lambda j: mp.exp(-6) * mp.mpf(6)**j / mp.factorial(j) * mp.gammainc(4.5 + j, 0, 15, regularized=True), [0, mp.inf]))) < mp.mpf(10)**-15

R = """
noncentral <- function(x, df, ncp, lower) {
  peak <- (-df / 2 + sqrt(df^2 / 4 + ncp * x)) / 2 # of the terms of the density
  at <- range(peak, ncp / 2)
  reach <- 40 * sqrt(at + 100)
  j <- seq(floor(max(0, at[1] - reach[1])), ceiling(at[2] + reach[2]))
  v <- dpois(j, ncp / 2, log = TRUE) + pchisq(x, df + 2 * j, lower.tail = lower, log.p = TRUE)
  m <- max(v)
  m + log(sum(sort(exp(v - m))))
}
"""


def both(func, name, given, r, mpmath, rtol=1e-12, own=None):
    atol = 0.0 if func.startswith("logGamma") else 2e-14  # of the sums near 1
    queue.append((func, name, given, r, mpmath, rtol, atol, own))


for a in (300.0, 9000.0, 1e4, 1e6, 1e9, 1e12, 1e15):
    for label, y in [(f"z={z:g}", a + z * math.sqrt(a)) for z in (-37.0, -5.0, -0.3, 0.0, 0.3, 5.0, 37.0)] + [(f"y={f:g}a", f * a) for f in (0.5, 0.71, 0.9, 1.29, 2.0)]:
        if y <= 0:
            continue
        for func, upper in (("logGammaP", False), ("logGammaQ", True)):
            log = log_gamma(a, y, upper)
            if log < -1e-300:
                both(func, f"a={a:g} {label}", {"a": a, "y": y}, f"pgamma({y!r}, {a!r}, lower.tail={str(not upper).upper()}, log.p=TRUE)", log)

for df in (0.3, 1.0, 9.0, 200.0, 1e5):
    for ncp in (1e-3, 1.0, 30.0, 1000.0, 60000.0, 1e6):
        sd = math.sqrt(2 * (df + 2 * ncp))
        for z in (-20, -5, -1, 1, 5, 42):
            x = df + ncp + z * sd
            if x <= 0:
                x = df * 10.0**z
            for func, lower in (("NonCentralChiSquareCDF", "TRUE"), ("NonCentralChiSquareTail", "FALSE")):
                # Where the line is short mpmath is asked as well.
                m = log_noncentral(x, df, ncp, lower == "FALSE") if ncp >= 1000 and x > 0.3 * ncp else None
                both(func, f"df={df:g} ncp={ncp:g} z={z}", {"x": x, "df": df, "ncp": ncp}, f"noncentral({x!r}, {df!r}, {ncp!r}, {lower})", m,
                     own=f"pchisq({x!r}, {df!r}, {ncp!r}, lower.tail={lower}, log.p=TRUE)")
for df, ncp in ((1.0, 3e8), (63.0, 1e10), (1e6, 1e12), (9.0, 1e15)):
    for z in (-30, -5, 0, 1, 30):
        x = df + ncp + z * math.sqrt(2 * (df + 2 * ncp))
        for func, upper in (("NonCentralChiSquareCDF", False), ("NonCentralChiSquareTail", True)):
            both(func, f"df={df:g} ncp={ncp:g} z={z}", {"x": x, "df": df, "ncp": ncp}, "NaN", log_noncentral(x, df, ncp, upper))

def ask(lines):
    """the numbers that R answers, and its version"""
    code = R + "cat(R.version$major, '.', R.version$minor, '\\n', sep='');" + "".join(f"cat(sprintf('%.17g\\n', {e}));\n" for e in lines)
    version, *answers = subprocess.run(["Rscript", "-"], input=code, capture_output=True, text=True, check=True).stdout.split()
    return version, [float(a) for a in answers]


r_version, answers = ask([q[3] for q in queue] + [q[7] or "NaN" for q in queue])
for (func, name, given, _, m, rtol, atol, own), r, theirs in zip(queue, answers, answers[len(queue):]):
    if not (func.startswith("logGamma") or (r if m is None else m) < -1e-3):
        continue  # the other tail says more
    given = dict(given)
    best = mp.mpf(r) if m is None else m
    off = lambda v: float(abs((mp.mpf(v) - best) / best)) if math.isfinite(v) else math.inf
    if off(r) > rtol / 2 and not math.isnan(r):  # otherwise R and mpmath agree, or R is not asked
        given["r_error"] = f"{off(r):.0e}"
    if own:
        given["pchisq_error"] = f"{off(theirs):.0e}"
    add(func, name, given, {"log": best}, rtol, atol)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stats_special.json")
with open(out, "w") as f:
    json.dump({
        "generator": "testdata/reference/stats_special.py",
        "command": "/usr/bin/python3 testdata/reference/stats_special.py",
        "versions": {"python": platform.python_version(), "mpmath": mp.__version__, "R": r_version},
        "tolerance": "|got-want| <= atol + rtol*|want|, of the log of the tail; atol where the tail is near 1",
        "cases": cases,
    }, f, separators=(",", ":"))
    f.write("\n")
for func in sorted({q[0] for q in queue}):
    mine = [c["in"] for c in cases if c["func"] == func]
    print(func, len(mine), "cases; R is off in", sum("r_error" in c for c in mine), "; pchisq by up to", max((float(c.get("pchisq_error", 0)) for c in mine)))
print(len(cases), "cases,", os.path.getsize(out), "bytes")
