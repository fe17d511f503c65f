"""Reference numbers for package stats/sequential.

Everything is computed from the definitions by another route than the Go code:
mixtures by numerical integration over the prior (mpmath, 40 digits), log-gamma
sums in 40 digits without rearrangement, Beta tails by R, confidence sequences by general root
finding, group-sequential boundaries by Gauss-Legendre quadrature.

Run: /usr/bin/python3 testdata/reference/sequential.py
"""

import json
import math
import os
import platform
import subprocess

import mpmath as mp
import numpy as np
import scipy
from scipy import integrate, optimize, stats

mp.mp.dps = 40
rng = np.random.default_rng(20240611)
cases = []


def add(func, name, inp, want, rtol=1e-10, atol=1e-10):
    want = {k: ([float(x) for x in v] if isinstance(v, (list, tuple, np.ndarray)) else float(v)) for k, v in want.items()}
    cases.append({"name": name, "func": func, "in": inp, "want": want, "rtol": rtol, "atol": atol})


# --- Dirichlet-multinomial ---------------------------------------------------


def dm(counts, probs, prior):
    counts = [mp.mpf(int(c)) for c in counts]
    prior = [mp.mpf(a) for a in prior]
    probs = [mp.mpf(p) for p in probs]
    A, n = sum(prior), sum(counts)
    out = mp.loggamma(A) - mp.loggamma(A + n)
    for c, p, a in zip(counts, probs, prior):
        out += mp.loggamma(a + c) - mp.loggamma(a)
        if c:
            out -= c * mp.log(p)
    return out


for i, (counts, probs, prior) in enumerate([
    ([20, 17, 9], [0.4, 0.4, 0.2], [1, 1, 1]),
    ([3, 0], [0.5, 0.5], [0.25, 4]),
    ([0, 0, 7, 1], [0.25, 0.25, 0.25, 0.25], [50, 50, 50, 50]),
    ([1000123, 998877], [0.5, 0.5], [5e5, 5e5]),
    ([5001234567, 4998765433], [0.5, 0.5], [50, 50]),
    ([10**12, 10**12 + 3 * 10**6], [0.5, 0.5], [5000, 5000]),
    ([10**10, 990 * 10**9], [0.01, 0.99], [1e4, 99e4]),
    ([12, 3, 800, 2], [0.125, 0.125, 0.5, 0.25], [0.1, 7, 3.5, 200]),
]):
    # Probabilities that are exact in binary, or rounded the same way in Go.
    s = mp.fsum(mp.mpf(p) for p in probs)
    add("DirichletLogE", f"dm {i}", {"counts": counts, "probs": probs, "prior": prior},
        {"log_e": dm(counts, [mp.mpf(p) / s for p in probs], prior)}, rtol=1e-9, atol=1e-9)


def srm_loge(counts, shares, theta, ks):
    terms = [mp.exp(dm(counts, shares, [k * s for s in shares]) ) for k in ks]
    base = mp.log(sum(terms) / len(terms))
    for c, s, t in zip(counts, shares, theta):
        if c:
            base += c * (mp.log(s) - mp.log(t))
    return base


def srm_interval(i, counts, shares, ks, level):
    """Smallest and largest share i over the region that is not rejected, by
    constrained optimisation over the logits of the other shares."""
    counts, shares = np.array(counts, float), np.array(shares, float)
    base = float(srm_loge([int(c) for c in counts], [mp.mpf(s) for s in shares], [mp.mpf(s) for s in shares], ks))
    const = base + float(np.sum(counts * np.log(shares)))
    thr = -math.log(1 - level)
    others = [j for j in range(len(counts)) if j != i]

    def best_loge(x):  # least evidence over shares with share i fixed at x
        def f(z):
            e = np.exp(np.append(z, 0.0) - max(0, np.max(z, initial=0)))
            th = (1 - x) * e / e.sum()
            val = const - counts[i] * math.log(x)
            return val - sum(counts[j] * math.log(t) for j, t in zip(others, th))
        if len(others) == 1:
            return f(np.array([]))
        z0 = np.zeros(len(others) - 1)
        return optimize.minimize(f, z0, method="BFGS", options={"gtol": 1e-9}).fun

    p = counts[i] / counts.sum()
    lo = optimize.brentq(lambda x: best_loge(x) - thr, 1e-12, p, xtol=1e-14)
    hi = optimize.brentq(lambda x: best_loge(x) - thr, p, 1 - 1e-12, xtol=1e-14)
    return lo, hi


KS = [100, 1e4, 1e6]
for i, (counts, weights, level) in enumerate([
    ([5300, 4700], [1, 1], 0.999),
    ([4072, 2035], [0.8, 0.2], 0.999),
    ([260, 240, 510], [1, 1, 2], 0.95),
    ([12, 30, 25, 33], [1, 1, 1, 1], 0.99),
    ([6_000_000, 5_990_000], [1, 1], 0.99),
    ([3, 9], [1, 1], 0.95),
]):
    w = [x / sum(weights) for x in weights]
    iv = [srm_interval(j, counts, w, KS, level) for j in range(len(counts))]
    add("SRM", f"srm {i}", {"counts": counts, "weights": weights, "level": level},
        {"log_e": srm_loge(counts, [mp.mpf(x) for x in w], [mp.mpf(x) for x in w], KS),
         "lo": [a for a, _ in iv], "hi": [b for _, b in iv]}, rtol=1e-6, atol=1e-7)

# --- normal mixtures -----------------------------------------------------------


def normal_mix(s, v, r, side):
    """Mean of the likelihood ratio exp(l s - l^2 v/2) over l ~ N(0, 1/r), one-sided
    over its half-normal part."""
    s, v, r = mp.mpf(s), mp.mpf(v), mp.mpf(r)
    f = lambda l: mp.exp(l * s - l * l * v / 2) * mp.sqrt(r / (2 * mp.pi)) * mp.exp(-l * l * r / 2)
    c, w = s / (v + r), 1 / mp.sqrt(v + r)
    if side == 0:
        return mp.log(mp.quad(f, [c - 40 * w, c - 5 * w, c, c + 5 * w, c + 40 * w]))
    if side < 0:
        s, c = -s, -c
        f = lambda l: mp.exp(l * s - l * l * v / 2) * mp.sqrt(r / (2 * mp.pi)) * mp.exp(-l * l * r / 2)
    pts = sorted({mp.mpf(0), max(mp.mpf(0), c - 8 * w), max(mp.mpf(0), c), max(mp.mpf(0), c + 8 * w), max(mp.mpf(0), c) + 40 * w, 12 * w})
    if c < 0:  # the mass sits within a few -1/s of 0
        pts = [mp.mpf(0)] + [mp.mpf(k) / -s for k in (1, 3, 10, 30, 100, 300)]
    return mp.log(2 * mp.quad(f, pts))


for i, (z, q, side) in enumerate([(0, 1, 0), (2.8, 4.2, 0), (2.8, 4.2, 1), (-1.5, 0.3, 1), (-1.5, 0.3, -1), (-12, 9, 1),
                                  (-60, 30, 1), (55, 1000, 0), (55, 1000, 1), (0.1, 1e-4, 1), (6, 1e6, 0), (6, 1e6, -1)]):
    add("normalLogE", f"normal {i}", {"z": z, "q": q, "side": side},
        {"log_e": normal_mix(mp.mpf(z) * mp.sqrt(q), q, 1, side)}, rtol=1e-11, atol=1e-11)

for i, (v, r, a, side) in enumerate([(100, 12.6, 0.05, 0), (100, 15.1, 0.05, 1), (1e4, 3, 1e-6, 1), (2, 500, 0.01, 1), (7, 7, 0.2, 0)]):
    hi = float(mp.sqrt((v + r) * (mp.log(1 + mp.mpf(v) / r) - 2 * mp.log(a)))) * 1.2
    b = optimize.brentq(lambda s: float(normal_mix(s, v, r, side)) + math.log(a), 0 if side else 1e-9, hi, xtol=1e-12, rtol=1e-14)
    add("NormalBound", f"bound {i}", {"v": v, "scale": r, "alpha": a, "side": side}, {"bound": b}, rtol=1e-9)

# --- BinomMix --------------------------------------------------------------------

GRID = [1.1, 1.2, 1.35, 1.5, 2, 3, 5]


def binommix(stages, rr0, side, grid=GRID, weights=None):
    weights = weights or [1] * len(grid)
    total, terms = mp.mpf(sum(weights)), []

    def lr(f):
        out = mp.mpf(1)
        for r, xa, xb in stages:
            r = mp.mpf(r)
            th = lambda rr: r * rr / (r * rr + 1 - r)
            a, b = th(mp.mpf(rr0) * f), th(mp.mpf(rr0))
            out *= (a / b) ** xb * ((1 - a) / (1 - b)) ** xa
        return out

    for f, w in zip(grid, weights):
        if side >= 0:
            terms.append(w / total * lr(mp.mpf(f)))
        if side <= 0:
            terms.append(w / total * lr(1 / mp.mpf(f)))
    return mp.log(sum(terms) / (2 if side == 0 else 1))


for i, (stages, rr0, side, level) in enumerate([
    ([(0.01, 180, 4), (0.05, 190, 22), (0.25, 210, 95)], 1, 1, 0.95),
    ([(0.01, 180, 4), (0.05, 190, 22), (0.25, 210, 95)], 1.1, 1, 0.95),
    ([(0.5, 50, 60)], 1, 0, 0.95),
    ([(0.5, 9000, 9100), (0.1, 800, 77)], 1.1, -1, 0.9),
    ([(0.02, 3, 40)], 1, 1, 0.99),
    ([(0.9, 30, 40)], 1, -1, 0.95),
]):
    a = 1 - level
    x, n = sum(s[2] for s in stages), sum(s[1] + s[2] for s in stages)
    mle = optimize.brentq(lambda d: sum((na + nb) * (r * math.exp(d) / (r * math.exp(d) + 1 - r)) for r, na, nb in stages) - x, -30, 30, xtol=1e-14)
    thr = -math.log(a) + (math.log(2) if side == 0 else 0)
    want = {"log_e": binommix(stages, rr0, side), "point": math.exp(mle)}
    if side >= 0:
        want["lo"] = math.exp(optimize.brentq(lambda d: float(binommix(stages, math.exp(d), 1)) - thr, -20, 20, xtol=1e-13))
    if side <= 0:
        want["hi"] = math.exp(optimize.brentq(lambda d: float(binommix(stages, math.exp(d), -1)) - thr, -20, 20, xtol=1e-13))
    add("BinomMix", f"binommix {i}", {"share": [s[0] for s in stages], "baseline": [s[1] for s in stages],
        "candidate": [s[2] for s in stages], "null_rr": rr0, "side": side, "level": level}, want, rtol=1e-10)

for i, (share, rr, alpha) in enumerate([(0.5, 2, 0.05), (0.5, 2, 1 / 1200), (0.01, 2, 0.05), (0.5, 1.5, 0.001), (0.1, 3, 0.01), (0.9, 1.2, 0.05)]):
    th0, th = share, share * rr / (share * rr + 1 - share)
    kl = stats.entropy([th, 1 - th], [th0, 1 - th0])
    add("PlanBinomMix", f"plan {i}", {"share": share, "rr": rr, "alpha": alpha},
        {"growth": kl, "events": (math.log(1 / alpha) + math.log(len(GRID))) / kl}, rtol=1e-10)

# --- block e-variable --------------------------------------------------------------


def block(looks, side, g=0.18):
    na = sa = nb = sb = 0
    out = 0.0
    for ma, ya, mb, yb in looks:
        pa, pb = (sa + g) / (na + 2 * g), (sb + g) / (nb + 2 * g)
        if ma and mb and (side == 0 or (pb - pa) * side > 0):
            p0 = (ma * pa + mb * pb) / (ma + mb)
            out += stats.binom.logpmf(ya, ma, pa) - stats.binom.logpmf(ya, ma, p0)
            out += stats.binom.logpmf(yb, mb, pb) - stats.binom.logpmf(yb, mb, p0)
        na, sa, nb, sb = na + ma, sa + ya, nb + mb, sb + yb
    return out


for i, side in enumerate([0, 1, -1, 0, 1]):
    looks = [[int(m), int(rng.binomial(m, 0.3)), int(k), int(rng.binomial(k, 0.36))] for m, k in rng.integers(1, 400, size=(12, 2))]
    looks.insert(4, [50, 20, 0, 0])
    add("Block", f"block {i}", {"looks": looks, "side": side}, {"log_e": block(looks, side)}, rtol=1e-9, atol=1e-9)

# --- bounded means -------------------------------------------------------------------


def eb(values_by_look, m, a=0.05):
    """Per-value form of the empirical Bernstein process: returns log E at m, gain, stake."""
    past, gain, stake = [], 0.0, 0.0
    for xs in values_by_look:
        if len(xs) == 0:
            continue
        mu = (0.5 + sum(past)) / (len(past) + 1)
        var = (0.25 + sum((x - mu) ** 2 for x in past)) / (len(past) + 1)
        t = len(past) + len(xs)
        lam = min(0.5, math.sqrt(2 * math.log(1 / a) / (t * math.log(1 + t) * var)))
        psi = -math.log(1 - lam) - lam
        for x in xs:
            gain += lam * x - psi * (x - mu) ** 2
            stake += lam
        past += list(xs)
    return gain - m * stake, gain, stake


def logmean(a, b):
    return np.logaddexp(a, b) - math.log(2)


def sums(xs):
    return {"n": len(xs), "sum": float(np.sum(xs)), "sumsq": float(np.sum(np.square(xs)))}


for i, (lo, hi, null, level) in enumerate([(0, 1, 0.3, 0.95), (-2, 3, -0.5, 0.9), (0, 1, 0.4, 0.95), (0, 10, 2, 0.99), (-5, -1, -4, 0.9)]):
    looks = [list(lo + (hi - lo) * rng.beta(2, 4, size=k)) for k in (5, 1, 0, 40, 300)]
    unit = [[(x - lo) / (hi - lo) for x in xs] for xs in looks]
    mirror = [[1 - x for x in xs] for xs in unit]
    m = (null - lo) / (hi - lo)
    up, gu, su = eb(unit, m)
    dn, gd, sd = eb(mirror, 1 - m)
    L, L2 = math.log(1 / (1 - level)), math.log(2 / (1 - level))
    scale = lambda u: lo + (hi - lo) * min(1, max(0, u))
    add("Bernstein", f"bernstein {i}", {"looks": [sums(x) for x in looks], "min": lo, "max": hi, "null": null, "level": level},
        {"greater": up, "less": dn, "different": logmean(up, dn), "lo1": scale((gu - L) / su), "hi1": scale(1 - (gd - L) / sd),
         "lo2": scale((gu - L2) / su), "hi2": scale(1 - (gd - L2) / sd)}, rtol=1e-8, atol=1e-9)


def eb_diff(looks, d0, sign, a=0.05):
    """log E for H0: sign * (mean of B - mean of A) <= sign * d0, values in [0,1]."""
    pa, pb, gain, stake, t = [], [], 0.0, 0.0, 0.0
    for xa, xb in looks:
        if len(xa) and len(xb):
            ya = [1 - x for x in xa] if sign > 0 else list(xa)
            yb = list(xb) if sign > 0 else [1 - x for x in xb]
            st = []
            for past in (pa, pb):
                mu = (0.5 + sum(past)) / (len(past) + 1)
                st.append((mu, (0.25 + sum((x - mu) ** 2 for x in past)) / (len(past) + 1)))
            h = len(xa) * len(xb) / (len(xa) + len(xb))
            t += h
            var = h * (st[0][1] / len(xa) + st[1][1] / len(xb))
            lam = min(0.5, math.sqrt(2 * math.log(1 / a) / (t * math.log(1 + t) * var)))
            for ys, (mu, _), n in ((ya, st[0], len(xa)), (yb, st[1], len(xb))):
                l = lam * h / n
                for y in ys:
                    gain += l * y - (-math.log(1 - l) - l) * (y - mu) ** 2
            gain -= lam * h
            stake += lam * h
        pa += [1 - x for x in xa] if sign > 0 else list(xa)
        pb += list(xb) if sign > 0 else [1 - x for x in xb]
    return gain - sign * d0 * stake, gain, stake


for i, (lo, hi, null, level) in enumerate([(0, 1, 0, 0.95), (-1, 3, 0.2, 0.9), (0, 1, -0.1, 0.95), (0, 1, 0.3, 0.99), (-2, 2, 0, 0.9)]):
    looks = [(lo + (hi - lo) * rng.beta(2, 5, size=k), lo + (hi - lo) * rng.beta(3, 4, size=j)) for k, j in ((90, 10), (50, 50), (0, 30), (400, 300))]
    unit = [((a - lo) / (hi - lo), (b - lo) / (hi - lo)) for a, b in looks]
    d0 = null / (hi - lo)
    up, gu, su = eb_diff(unit, d0, 1)
    dn, gd, sd = eb_diff(unit, d0, -1)
    L = math.log(2 / (1 - level))
    add("BernsteinDiff", f"bernstein diff {i}",
        {"looks": [{"baseline": sums(a), "candidate": sums(b)} for a, b in looks], "min": lo, "max": hi, "null": null, "level": level},
        {"greater": up, "less": dn, "different": logmean(up, dn), "lo2": (hi - lo) * max(-1, (gu - L) / su), "hi2": (hi - lo) * min(1, -(gd - L) / sd)},
        rtol=1e-8, atol=1e-9)


def hedged(x, m, a=0.05):
    kp = km = mp.mpf(1)
    s, d = 0.0, 0.25
    var = 0.25
    for t, v in enumerate(x, 1):
        lam = math.sqrt(2 * math.log(2 / a) / (t * math.log(1 + t) * var))
        kp *= 1 + (min(lam, 1 / (2 * m)) if m > 0 else lam) * (v - m)
        km *= 1 - (min(lam, 1 / (2 * (1 - m))) if m < 1 else lam) * (v - m)
        s += v
        mu = (0.5 + s) / (t + 1)
        d += (v - mu) ** 2
        var = d / (t + 1)
    return float(mp.log(kp)), float(mp.log(km))


for i, n in enumerate([1, 3, 40, 200, 500]):
    x = rng.beta(3, 2, size=n)
    up, dn = hedged(x, 0.45)
    L = math.log(2 / 0.05)
    lo = optimize.brentq(lambda m: hedged(x, m)[0] - L, 1e-9, 1) if hedged(x, 1e-9)[0] > L else 0.0
    hi = optimize.brentq(lambda m: hedged(x, m)[1] - L, 0, 1 - 1e-9) if hedged(x, 1 - 1e-9)[1] > L else 1.0
    add("Hedged", f"hedged {i}", {"x": [float(v) for v in x], "null": 0.45}, {"greater": up, "less": dn, "different": logmean(up, dn), "lo": lo, "hi": hi},
        rtol=1e-8, atol=1e-9)

# --- Bernoulli ----------------------------------------------------------------------


def scale_r(planned, alpha, side):
    a = alpha * (1 if side == 0 else 2)
    return planned / (-2 * math.log(a) + math.log(1 - 2 * math.log(a)))


def beta_mix(x, n, p, k, side):
    """log of the mean likelihood ratio over the prior, by integration."""
    p, k = mp.mpf(p), mp.mpf(k)
    a, b = k * p, k * (1 - p)
    lo, hi = (mp.mpf(0), mp.mpf(1)) if side == 0 else ((p, mp.mpf(1)) if side > 0 else (mp.mpf(0), p))
    mode = min(max((a + x - 1) / (a + b + n - 2), lo), hi)
    w = mp.sqrt(mode * (1 - mode) / (a + b + n)) + mp.mpf(1) / (a + b + n)
    pts = sorted({lo, hi} | {min(max(mode + j * w, lo), hi) for j in (-12, -4, 0, 4, 12)})
    peak = (x + a - 1) * mp.log(mode) + (n - x + b - 1) * mp.log(1 - mode) if 0 < mode < 1 else mp.mpf(0)
    num = mp.quad(lambda q: mp.exp((x + a - 1) * mp.log(q) + (n - x + b - 1) * mp.log(1 - q) - peak), pts)
    den = mp.betainc(a, b, lo, hi)
    return mp.log(num) + peak - mp.log(den) - x * mp.log(p) - (n - x) * mp.log(1 - p)


for i, (x, n, p, planned, side, level) in enumerate([
    (33, 100, 0.2, 100, 0, 0.95), (33, 100, 0.2, 100, 1, 0.95), (33, 100, 0.2, 100, -1, 0.95), (2100, 10000, 0.2, 5000, 1, 0.999), (4, 900, 0.01, 1000, -1, 0.9)]):
    k = max(scale_r(planned, 0.05, side) - 1, 1e-3)
    thr, ph = -math.log(1 - level), x / n
    want = {"log_e": beta_mix(x, n, p, k, side)}
    if side >= 0:
        want["lo"] = optimize.brentq(lambda q: float(beta_mix(x, n, q, k, side)) - thr, ph * 0.2, ph, xtol=1e-13)
    if side <= 0:
        want["hi"] = optimize.brentq(lambda q: float(beta_mix(x, n, q, k, side)) - thr, ph, min(0.99, ph * 5), xtol=1e-13)
    add("Bernoulli", f"bernoulli {i}", {"x": x, "n": n, "null": p, "planned": planned, "side": side, "level": level}, want, rtol=1e-9)

# The tail of the Beta distribution, from R's pbeta in logarithms.
points = [(0.001, 0.002, 0.3), (3, 4, 0.999999), (1e-3, 1e6, 1e-9), (1000, 9000, 0.097), (1000, 9000, 0.04), (2, 5, 1e-200),
          (1e6, 1e6, 0.5), (1e6, 3e6, 0.2), (1e6, 3e6, 0.2501), (250.5, 3, 0.6), (40, 7, 0.99), (1e5, 10, 0.9999), (5e7, 5e7, 0.49995)]
code = "cat(R.version$major, '.', R.version$minor, '\\n', sep='');" + "".join(
    f"cat(sprintf('%.17g\\n', pbeta({x!r}, {a!r}, {b!r}, log.p=TRUE)));" for a, b, x in points)
r_version, *logs = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True).stdout.split()
for i, ((a, b, x), v) in enumerate(zip(points, logs)):
    add("logBetaCDF", f"beta {i}", {"a": a, "b": b, "x": x}, {"log": float(v)}, rtol=1e-12 if a < 1e7 else 2e-12, atol=0)

# --- distribution functions and quantiles ---------------------------------------------


def log_crossing(c, A):
    def f(eta):
        root = A - math.sqrt(2 * (eta - 1) / c)
        g = 2 / eta * root * root
        return math.inf if root <= 0 or g <= 1 or eta <= 1 else math.log(4) - g * c + math.log1p(1 / ((g - 1) * math.log(eta)))
    grid = 1 + np.linspace(1e-6, 2 * A * A - 1, 4001)
    j = int(np.argmin([f(e) for e in grid]))
    return optimize.minimize_scalar(f, bounds=(grid[max(0, j - 1)], grid[min(4000, j + 1)]), method="bounded", options={"xatol": 1e-13}).fun


def dkw_c(alpha, A):
    return optimize.brentq(lambda c: log_crossing(c, A) - math.log(alpha), 2, 400, xtol=1e-10)


for i, (n, level, frm, A) in enumerate([(1000, 0.95, 100, 0.85), (10000, 0.95, 1, 0.85), (10**6, 0.999, 1, 0.85), (5000, 0.9, 50, 1.0), (50, 0.95, 1, 0.85)]):
    c = dkw_c(1 - level, A)
    add("DKWRadius", f"dkw {i}", {"n": n, "level": level, "from": frm, "slope": A},
        {"radius": A * math.sqrt((math.log(1 + math.log(n / frm)) + c) / n)}, rtol=1e-6)

for i, (n, m, shift) in enumerate([(4000, 3000, 1), (600, 90000, 0), (100000, 100000, 2), (50, 40, 3), (10**6, 10**5, 0)]):
    pa = stats.binom.pmf(range(20), 19, 0.4)
    pb = stats.binom.pmf(range(20), 19, 0.4 + 0.02 * shift)
    a, b = rng.multinomial(n, pa), rng.multinomial(m, pb)
    d = float(np.max(np.abs(np.cumsum(a) / n - np.cumsum(b) / m)))
    rad = lambda n, c: 0.85 * math.sqrt((math.log(1 + math.log(n)) + c) / n)
    c95 = dkw_c(0.025, 0.85)
    w = rad(n, c95) + rad(m, c95)
    logp = 0.0
    if d > rad(n, 1e-9) + rad(m, 1e-9):
        c = optimize.brentq(lambda c: d - rad(n, c) - rad(m, c), 0, n + m)
        logp = min(0.0, math.log(2) + log_crossing(c, 0.85)) if c > 2 else 0.0
    add("KS", f"ks {i}", {"baseline": [int(v) for v in a], "candidate": [int(v) for v in b]},
        {"d": d, "lo": max(0, d - w), "hi": min(1, d + w), "log_p": logp}, rtol=1e-6, atol=1e-9)

for i, (n, m, q, side, shift) in enumerate([(500, 400, 0.5, 0, 0.05), (500, 400, 0.5, 1, 0.05), (3000, 3000, 0.95, 1, 0.06), (300, 300, 0.9, -1, 0.02), (50, 60, 0.5, 0, 0.1)]):
    a = rng.multinomial(n, stats.binom.pmf(range(30), 29, 0.3))
    b = rng.multinomial(m, stats.binom.pmf(range(30), 29, 0.3 + shift))
    k = max(scale_r(1000, 0.05, side) - 1, 1e-3)
    best = mp.inf
    A, B = np.concatenate([[0], np.cumsum(a)]), np.concatenate([[0], np.cumsum(b)])
    for c in range(30):
        if side == 0:  # the least evidence over all real counts the cell allows
            lb = lambda x, n: float(mp.log(mp.beta(k * q + x, k * (1 - q) + n - x)) - mp.log(mp.beta(k * q, k * (1 - q))) - x * mp.log(q) - (n - x) * mp.log(1 - q))
            e = 0
            for cum, size in ((A, n), (B, m)):
                if cum[c] == cum[c + 1]:
                    e += lb(float(cum[c]), size)
                else:
                    e += min(optimize.minimize_scalar(lambda x: lb(x, size), bounds=(float(cum[c]), float(cum[c + 1])), method="bounded", options={"xatol": 1e-9}).fun,
                             lb(float(cum[c]), size), lb(float(cum[c + 1]), size))
        elif side > 0:  # candidate above: few of B up to the cell, many of A before it
            e = beta_mix(int(B[c + 1]), m, q, k, -1) + beta_mix(int(A[c]), n, q, k, 1)
        else:
            e = beta_mix(int(A[c + 1]), n, q, k, -1) + beta_mix(int(B[c]), m, q, k, 1)
        best = min(best, e)
    add("Quantile", f"quantile {i}", {"baseline": [int(v) for v in a], "candidate": [int(v) for v in b], "q": q, "side": side},
        {"log_e": best}, rtol=1e-7, atol=1e-7)

# --- two binned samples ------------------------------------------------------------------


def two_sample(stages, grid):
    C = len(stages[0][1])
    terms, width = [], 1
    while width == 1 or -(-C // width) >= 2:
        ms = []
        for lo in range(0, C, width):
            ms.append(mp.exp(binommix([(r, sum(a[lo:lo + width]), sum(b[lo:lo + width])) for r, a, b in stages], 1, 0, grid)))
        for e in (mp.mpf(1) / len(ms), mp.mpf(1)):
            terms.append(mp.fprod(1 - e + e * v for v in ms))
        width *= 2
    return mp.log(sum(terms) / len(terms))


TG = [1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 2, 3, 5, 10]
for i, (cells, sizes, move) in enumerate([(7, [(0.1, 300)], 0), (10, [(0.05, 4000), (0.5, 3000)], 0.3), (2, [(0.5, 50)], 0.5), (4, [(0.5, 20)], 0), (64, [(0.5, 20000)], 0.5)]):
    stages = []
    for r, n in sizes:
        p = rng.dirichlet(np.full(cells, 8))
        pb = p.copy()
        pb[0] *= 1 + move
        pb /= pb.sum()
        nb = rng.binomial(n, r)
        stages.append((r, [int(v) for v in rng.multinomial(n - nb, p)], [int(v) for v in rng.multinomial(nb, pb)]))
    add("TwoSample", f"two-sample {i}", {"stages": [{"share": r, "baseline": a, "candidate": b} for r, a, b in stages]},
        {"log_e": two_sample(stages, TG)}, rtol=1e-9, atol=1e-9)

# --- group-sequential boundaries ------------------------------------------------------------


def spend(kind, a, t, shape):
    t = min(1.0, t)
    if kind == "obrien_fleming":
        return 2 * stats.norm.sf(stats.norm.isf(a / 2) / math.sqrt(t))
    if kind == "pocock":
        return a * math.log(1 + (math.e - 1) * t)
    if kind == "power":
        return a * t**shape
    return a * t if shape == 0 else a * (1 - math.exp(-shape * t)) / (1 - math.exp(-shape))


def boundaries(info, alpha, two, kind, shape, planned, nodes=400):
    a = alpha / 2 if two else alpha
    gx, gw = np.polynomial.legendre.leggauss(nodes)
    x, mass, v0, prev, out = np.array([0.0]), np.array([1.0]), 0.0, 0.0, []
    for v in info:
        to = spend(kind, a, v / planned, shape)
        sd = math.sqrt(v - v0)
        up = lambda z: float(np.sum(mass * stats.norm.sf((z * math.sqrt(v) - x) / sd)))
        z = optimize.brentq(lambda z: up(z) - (to - prev), -5, 30, xtol=1e-12)
        out.append(z)
        prev = to
        hi = min(z, 9) * math.sqrt(v)
        lo = -hi if two else -8 * math.sqrt(v)
        nx = lo + (hi - lo) * (gx + 1) / 2
        dens = (mass[None, :] * stats.norm.pdf((nx[:, None] - x[None, :]) / sd) / sd).sum(axis=1)
        x, mass, v0 = nx, dens * gw * (hi - lo) / 2, v
    return out


for i, (info, alpha, two, kind, shape, planned) in enumerate([
    ([1, 2, 3, 4, 5], 0.05, True, "obrien_fleming", 0, 5),
    ([100, 350, 420, 1000], 0.025, False, "pocock", 0, 1000),
    ([0.3, 0.55, 0.9, 1.25], 0.05, True, "power", 1.5, 1),  # overrun: nothing is spent after 1
    ([10, 12, 30, 60], 0.01, True, "hwang_shih_decani", -2, 60),
    ([1, 2, 3], 0.1, False, "hwang_shih_decani", 1, 3),
]):
    add("GroupSequential", f"group {i}", {"information": info, "alpha": alpha, "two": two, "spending": kind, "shape": shape, "planned": planned},
        {"z": boundaries(info, alpha, two, kind, shape, planned)}, rtol=2e-5)

out = {
    "generator": "testdata/reference/sequential.py",
    "command": "/usr/bin/python3 testdata/reference/sequential.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "mpmath": mp.__version__, "R": r_version},
    "tolerance": "rtol and atol of each case; the reference itself is good to the smaller of 1e-12 and the tolerance",
    "cases": cases,
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sequential.json")
with open(path, "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
print(len(cases), "cases,", os.path.getsize(path), "bytes")
