"""Reference numbers for the tests and estimates on continuous data in package stats.

Run from the repository root:  /usr/bin/python3 testdata/reference/stats_continuous.py
Writes testdata/reference/stats_continuous.json.

SciPy answers where it can. Tails below its reach come from exact integer counts
of lattice paths, or from mpmath series other than the formulas of the Go code:
the limits of Cramer-von Mises and Anderson-Darling are taken as one minus their
distribution functions in hundreds of digits. Ratio metrics go through the
linearised value of each unit; the Poisson weights through Python integers.
Samples are lists, or lists of [value, count] under "<name>_runs".
"""
import json
import math
import os
import platform
from fractions import Fraction

import mpmath as mp
import numpy as np
import scipy
from scipy import optimize, special, stats

RNG = np.random.default_rng(20240229)
CASES = []


def number(v):
    v = float(v)
    if math.isnan(v):
        return "NaN"
    if math.isinf(v):
        return "+Inf" if v > 0 else "-Inf"
    return v


def plain(v):
    if isinstance(v, (bool, np.bool_)):
        return bool(v)
    if isinstance(v, (str, int)):
        return v
    if isinstance(v, np.integer):
        return int(v)
    if isinstance(v, (list, tuple, np.ndarray)):
        return [plain(w) for w in v]
    return number(v)


def add(func, name, inp, want, rtol=1e-10, atol=0.0):
    CASES.append({"name": name, "func": func, "in": {k: plain(v) for k, v in inp.items()},
                  "want": {k: plain(v) for k, v in want.items()}, "rtol": rtol, "atol": atol})


def runs(pairs):
    return np.repeat([float(v) for v, _ in pairs], [c for _, c in pairs])


def normal(n, mean=0.0, sd=1.0, digits=3):
    return np.round(RNG.normal(mean, sd, n), digits)


def logint(num, den):
    """log(num/den) for integers of any size."""
    return math.log(num) - math.log(den)


# --- Kolmogorov-Smirnov --------------------------------------------------------


def ks_paths(n, m, h, alt="two-sided"):
    """Exact log of the share of lattice paths whose gap reaches h/lcm."""
    g = math.gcd(n, m)
    a, b = m // g, n // g
    if h <= 0:
        return 0.0
    inside = [0] * (m + 1)  # paths that stayed below h
    for i in range(n + 1):
        row = [0] * (m + 1)
        for j in range(m + 1):
            gap = i * a - j * b
            gap = abs(gap) if alt == "two-sided" else (gap if alt == "greater" else -gap)
            if gap >= h:
                continue
            if i == 0 and j == 0:
                row[j] = 1
                continue
            row[j] = (inside[j] if i else 0) + (row[j - 1] if j else 0)
        inside = row
    total = math.comb(n + m, n)
    return logint(total - inside[m], total)


def ks_limit(d, n, m, alt="two-sided"):
    mp.mp.dps = 60
    z2 = mp.mpf(d) ** 2 * n * m / (n + m)
    if alt != "two-sided":
        return float(-2 * z2)
    if z2 == 0:
        return 0.0
    if z2 < mp.mpf("0.05"):
        s = mp.fsum(mp.exp(-(2 * k - 1) ** 2 * mp.pi ** 2 / (8 * z2)) for k in range(1, 60))
        return float(mp.log(1 - mp.sqrt(2 * mp.pi / z2) * s))
    s = mp.fsum((-1) ** (k - 1) * mp.exp(-2 * k * k * z2) for k in range(1, 200))
    return float(mp.log(2 * s))


def ks_case(name, x, y, alt="two-sided", exact=True, inp=None, scipy_p=True):
    r = stats.ks_2samp(x, y, alternative=alt, method="exact" if exact else "asymp")
    n, m = len(x), len(y)
    g = math.gcd(n, m)
    h = round(r.statistic * (n // g) * m)
    if exact:
        logp = ks_paths(n, m, h, alt)
        if scipy_p and r.pvalue > 1e-14:
            assert abs(math.log(r.pvalue) - logp) < 1e-7, (name, r.pvalue, math.exp(logp))
    else:
        logp = ks_limit(r.statistic, n, m, alt)
    add("KolmogorovSmirnov", name, {"alternative": alt, "asymptotic": not exact, **(inp or {"x": x, "y": y})},
        {"D": r.statistic, "logp": logp, "exact": exact}, rtol=1e-11, atol=1e-13)


ks_case("equal", [1, 2, 3], [1, 2, 3])
ks_case("one each", [0], [1])
for alt in ("two-sided", "less", "greater"):
    ks_case("shift 0.5 " + alt, normal(40), normal(30, 0.5), alt)
    ks_case("ties " + alt, RNG.integers(0, 5, 60), RNG.integers(1, 6, 45), alt)
    ks_case("asymptotic " + alt, normal(50), normal(70, 0.3), alt, exact=False)
ks_case("same size", normal(100), normal(100, 0.4))
ks_case("same size greater", normal(100, -0.4), normal(100), "greater")
for n, m in ((5, 7), (150, 151), (400, 300), (500, 500)):
    x, y = runs([[0, n]]), runs([[1, m]])
    ks_case("disjoint %d by %d" % (n, m), x, y, inp={"x_runs": [[0, n]], "y_runs": [[1, m]]}, scipy_p=False)
half = [[0, 350], [1, 250]], [[0, 40], [1, 460]]
ks_case("half apart 600 by 500", runs(half[0]), runs(half[1]), inp={"x_runs": half[0], "y_runs": half[1]}, scipy_p=False)
big = [[k, 3000 + 7 * k] for k in range(10)], [[k, 3100 - 5 * k] for k in range(10)]
ks_case("30000 by 30000", runs(big[0]), runs(big[1]), exact=False, inp={"x_runs": big[0], "y_runs": big[1]})
far = [[0, 20000], [1, 1000]], [[0, 1000], [1, 20000]]
ks_case("21000 far apart", runs(far[0]), runs(far[1]), exact=False, inp={"x_runs": far[0], "y_runs": far[1]})

for d, n, m in ((0.0, 5, 6), (1 / 3, 2, 3), (0.2109090909090909, 100, 110), (0.05, 400, 500), (0.4, 640, 512),
                (0.8, 450, 451), (0.3, 700, 700), (1.0, 999, 1000), (1.0, 1, 600)):
    g = math.gcd(n, m)
    h = math.ceil(Fraction(d) * (n // g) * m - Fraction(1, 10 ** 6))
    logp = ks_paths(n, m, h) if n * m < 500000 else logint(2, math.comb(n + m, n))
    add("KSTail", "exact d=%.3g %dx%d" % (d, n, m), {"d": d, "n": n, "m": m, "exact": True}, {"logp": logp}, 1e-11, 1e-13)
for d, n, m in ((0.0, 5, 6), (1e-4, 10 ** 6, 10 ** 6), (0.004, 30000, 20000), (0.0035, 10 ** 5, 10 ** 5),
                (0.02, 10 ** 6, 10 ** 7), (0.1, 10 ** 9, 10 ** 5), (1.0, 10 ** 6, 10 ** 6)):
    add("KSTail", "limit d=%.3g %dx%d" % (d, n, m), {"d": d, "n": n, "m": m, "exact": False},
        {"logp": ks_limit(d, n, m)}, 1e-12, 1e-14)


def ks_binned(name, ref, cur, exact=True):
    ref, cur = [int(v) for v in ref], [int(v) for v in cur]
    n, m = sum(ref), sum(cur)
    best, at, bound, i, j = Fraction(0), 0, Fraction(0), 0, 0
    for k, (f, g) in enumerate(zip(ref, cur)):
        before = Fraction(i, n) - Fraction(j, m)
        bound = max(bound, before + Fraction(f, n), Fraction(g, m) - before)
        i, j = i + f, j + g
        gap = Fraction(i, n) - Fraction(j, m)
        if abs(gap) > best:
            best, at = abs(gap), k
    g = math.gcd(n, m)
    logp = ks_paths(n, m, int(best * (n // g) * m)) if exact else ks_limit(float(best), n, m)
    add("KSBinned", name, {"ref": ref, "cur": cur},
        {"D": float(best), "where": at, "missed": float(bound - best), "logp": logp}, 1e-10, 1e-13)


ks_binned("two cells", [10, 5], [4, 12])
ks_binned("equal", [3, 4, 5], [3, 4, 5])
ks_binned("ten cells", RNG.multinomial(200, [0.1] * 10), RNG.multinomial(300, np.arange(1, 11) / 55))
ks_binned("one cell", [70], [50])
ks_binned("alternating cells", [5, 0, 7, 0, 9], [0, 6, 0, 8, 0])
ks_binned("empty cells", [0, 40, 0, 60], [0, 0, 90, 30])
ks_binned("huge", [10 ** 9, 2 * 10 ** 9], [10 ** 9 + 10 ** 5, 2 * 10 ** 9], exact=False)
ks_binned("far apart", [20000, 0, 5000], [100, 30000, 0], exact=False)

# --- t-tests -------------------------------------------------------------------


def log_t_tail(t, df):
    """log P(T > t), from the incomplete beta function in 60 digits."""
    mp.mp.dps = 60
    t, df = mp.mpf(t), mp.mpf(df)
    if t < 0:
        return mp.log(1 - mp.exp(log_t_tail(-t, df)))
    x = df / (df + t * t)
    a = df / 2
    # I_x(a,1/2) = x^a (1-x)^(1/2) / (a B(a,1/2)) 2F1(a+1/2, 1; a+1; x)
    f = mp.hyp2f1(a + mp.mpf("0.5"), 1, a + 1, x) if x < mp.mpf("0.999999") else None
    if f is None:
        return mp.log(mp.betainc(a, mp.mpf("0.5"), 0, x, regularized=True) / 2)
    return a * mp.log(x) + mp.log(1 - x) / 2 - mp.log(a) - mp.log(mp.beta(a, mp.mpf("0.5"))) + mp.log(f) - mp.log(2)


def t_isf(tail, df):
    """The t with P(T > t) = tail; SciPy's is good to 1e-9 only, so it is the start."""
    start = mp.mpf(stats.t.isf(tail, df))
    goal = mp.log(mp.mpf(tail))
    f = lambda t: log_t_tail(t, df) - goal
    a, b = start * (1 - mp.mpf(10) ** -6), start * (1 + mp.mpf(10) ** -6)
    for _ in range(6):  # secant
        fa, fb = f(a), f(b)
        if fa == fb or abs(a - b) < mp.mpf(10) ** -20:
            break
        a, b = b, b - fb * (b - a) / (fb - fa)
    return float(b)


def log_t_p(t, df, alt):
    if alt == "greater":
        return float(log_t_tail(t, df))
    if alt == "less":
        return float(log_t_tail(-mp.mpf(t), df))
    return float(min(mp.mpf(0), mp.log(2) + log_t_tail(abs(t), df)))


def t_case(name, x, y, alt="two-sided", null=0.0, level=0.95, inp=None):
    x, y = np.asarray(x, float), np.asarray(y, float)
    for func, equal in (("WelchT", False), ("StudentT", True)):
        r = stats.ttest_ind(x - null, y, equal_var=equal, alternative=alt)
        n, m, vx, vy = len(x), len(y), x.var(ddof=1), y.var(ddof=1)
        if equal:
            df = n + m - 2.0
            se = math.sqrt(((n - 1) * vx + (m - 1) * vy) / df * (1 / n + 1 / m))
        else:
            se = math.sqrt(vx / n + vy / m)
            df = se ** 4 / ((vx / n) ** 2 / (n - 1) + (vy / m) ** 2 / (m - 1))
        diff = x.mean() - y.mean()
        logp = log_t_p(r.statistic, df, alt)
        if r.pvalue > 1e-12:
            assert abs(math.exp(logp) / r.pvalue - 1) < 1e-9, name
        tail = (1 - level) / 2 if alt == "two-sided" else 1 - level
        q = t_isf(tail, df)
        lo = -math.inf if alt == "less" else diff - q * se
        hi = math.inf if alt == "greater" else diff + q * se
        add(func, name, {"alternative": alt, "null": null, "level": level, **(inp or {"x": x, "y": y})},
            {"diff": diff, "lo": lo, "hi": hi, "se": se, "t": r.statistic, "df": df, "logp": logp}, 1e-9, 1e-11)


for alt in ("two-sided", "less", "greater"):
    t_case("20 by 30 " + alt, normal(20, 10, 2), normal(30, 11, 3), alt)
t_case("two each", [1.0, 2.0], [4.0, 4.5], level=0.9)
t_case("margin", normal(50, 5, 1), normal(40, 5, 4), "greater", null=-0.5)
t_case("common offset 1e9", 1e9 + np.arange(10), 1e9 + np.arange(12) * 1.5)
t_case("far apart", normal(400, 0, 1, 2), normal(300, 40, 1, 2))
t_case("tail 1e-300", normal(600, 0, 1, 2), normal(600, 3, 1, 2))
wide = [[0, 50000], [1, 40000], [2, 300]], [[0, 51000], [1, 39000], [2, 500]]
t_case("ties, 90000 each", runs(wide[0]), runs(wide[1]), inp={"x_runs": wide[0], "y_runs": wide[1]})

# --- Mann-Whitney --------------------------------------------------------------


def log_norm_sf(z):
    mp.mp.dps = 50
    return mp.log(mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2)


def superiority(theta, n, m, level):
    """Newcombe's method 5, with the variance in Hanley and McNeil's form."""
    z = stats.norm.isf((1 - level) / 2)
    k = (n + m) / 2 - 1

    def var(t):
        return (t * (1 - t) + k * (t / (2 - t) - t * t) + k * (2 * t * t / (1 + t) - t * t)) / (n * m)

    def root(f, a, b):
        return optimize.brentq(f, a, b, xtol=1e-16, rtol=1e-14)

    lo = 0.0 if theta == 0 else root(lambda t: (theta - t) - z * math.sqrt(var(t)), 0, min(theta, 1 - 1e-12))
    hi = 1.0 if theta == 1 else root(lambda t: (t - theta) - z * math.sqrt(var(t)), max(theta, 1e-12), 1)
    return lo, hi


def mw_case(name, x, y, alt="two-sided", exact=False, continuity=True, level=0.95, inp=None):
    x, y = np.asarray(x, float), np.asarray(y, float)
    n, m = len(x), len(y)
    r = stats.mannwhitneyu(x, y, alternative=alt, method="exact" if exact else "asymptotic", use_continuity=continuity)
    u = r.statistic
    if exact:
        logp = math.log(r.pvalue)
    else:
        _, t = np.unique(np.concatenate([x, y]), return_counts=True)
        t = t.astype(float)
        s = math.sqrt(n * m / 12 * (n + m + 1 - (t ** 3 - t).sum() / ((n + m) * (n + m - 1))))
        d = u - n * m / 2
        c = 0.5 if continuity else 0.0
        if alt == "two-sided":
            z = (abs(d) - (c if d else 0)) / s
            logp = float(min(0, mp.log(2) + log_norm_sf(z)))
        else:
            z = (d - c) / s if alt == "greater" else (-d - c) / s
            logp = float(log_norm_sf(z))
        if r.pvalue > 1e-14:
            assert abs(math.exp(logp) - r.pvalue) < 1e-11 * r.pvalue + 1e-16, (name, math.exp(logp), r.pvalue)
    lo, hi = superiority(u / (n * m), n, m, level)
    add("MannWhitney", name, {"alternative": alt, "continuity": continuity, "asymptotic": not exact, "level": level,
                              **(inp or {"x": x, "y": y})},
        {"U": u, "theta": u / (n * m), "lo": lo, "hi": hi, "logp": logp, "exact": exact}, 1e-10, 1e-12)


def distinct(n, mean, sd):
    return np.round(RNG.normal(mean, sd, n), 9)


for alt in ("two-sided", "less", "greater"):
    mw_case("exact 12 by 9 " + alt, distinct(12, 0, 1), distinct(9, 0.7, 1), alt, exact=True)
    mw_case("normal 60 by 80 " + alt, normal(60, 0, 1, 1), normal(80, 0.4, 1, 1), alt)
mw_case("one each", [1], [2], exact=True)
mw_case("exact 49 by 49", distinct(49, 0, 1), distinct(49, 1.5, 1), exact=True, level=0.99)
mw_case("no overlap exact", distinct(49, 0, 1), distinct(48, 50, 1), exact=True)
mw_case("ties, no continuity", RNG.integers(0, 4, 40), RNG.integers(0, 5, 35), continuity=False)
mw_case("centred", [1, 2, 3, 4], [1, 2, 3, 4])
mw_case("all above", [5, 6, 7], [1, 2], exact=True)
mw_case("tail", normal(900, 0, 1, 2), normal(850, 4, 1, 2))
huge = [[0, 400000], [1, 300000], [2, 100000]], [[0, 390000], [1, 310000], [2, 101000]]
mw_case("800000 each", runs(huge[0]), runs(huge[1]), inp={"x_runs": huge[0], "y_runs": huge[1]})

# --- Cramer-von Mises and Anderson-Darling --------------------------------------


def log_cvm_limit(x):
    """log(1 - F(x)), F by the Bessel series of Anderson and Darling (1952)."""
    if x < 0.001:
        return 0.0
    digits = int(x * 2.2) + 60  # P is about exp(-4.9 x)
    mp.mp.dps = digits
    x = mp.mpf(x)
    total, k = mp.mpf(0), 0
    while True:
        y = 4 * k + 1
        q = mp.mpf(y) ** 2 / (16 * x)
        term = mp.gamma(k + mp.mpf("0.5")) / mp.factorial(k) * mp.sqrt(y) * mp.exp(-q) * mp.besselk(mp.mpf("0.25"), q)
        total += term
        if k > 3 and abs(term) < mp.mpf(10) ** (-digits + 5):
            break
        k += 1
    # The series has all terms positive: Gamma(k+1/2)/(Gamma(1/2) k!) = (-1)^k C(-1/2,k).
    f = total / (mp.pi ** mp.mpf("1.5") * mp.sqrt(x))
    return float(mp.log(1 - f))


def log_ad_limit(x):
    """log(1 - F(x)), F by the series of Anderson and Darling (1954)."""
    if x < 0.02:
        return 0.0
    digits = int(x * 0.6) + 45  # P is about exp(-x)
    mp.mp.dps = digits
    x = mp.mpf(x)
    total, j = mp.mpf(0), 0
    while True:
        c = (4 * j + 1) ** 2 * mp.pi ** 2 / (8 * x)
        edge = mp.sqrt((digits + 5) * mp.log(10) / c)
        parts = [edge * mp.mpf(i) / 8 for i in range(9)]
        integral = mp.quad(lambda w: mp.exp(x / (8 * (w * w + 1)) - c * w * w), parts)
        term = mp.binomial(mp.mpf("-0.5"), j) * (4 * j + 1) * mp.exp(-c) * integral
        total += term
        if j > 2 and abs(term) < mp.mpf(10) ** (-digits + 3):
            break
        j += 1
    return float(mp.log(1 - mp.sqrt(2 * mp.pi) / x * total))


def cvm_case(name, x, y, inp=None):
    x, y = np.asarray(x, float), np.asarray(y, float)
    n, m = len(x), len(y)
    exact = max(n, m) <= 20
    r = stats.cramervonmises_2samp(x, y, method="exact" if exact else "asymptotic")
    if exact:
        scaled, logp = r.statistic, math.log(min(1.0, r.pvalue))
    else:
        k, t = n * m, n + m
        et = (1 + 1 / t) / 6
        vt = (t + 1) * (4 * k * t - 3 * (n * n + m * m) - 2 * k) / (45 * t * t * 4 * k)
        scaled = 1 / 6 + (r.statistic - et) / math.sqrt(45 * vt)
        logp = log_cvm_limit(scaled)
        if r.pvalue > 1e-6:
            assert abs(math.exp(logp) - r.pvalue) < 1e-6, (name, math.exp(logp), r.pvalue)
    add("CramerVonMises", name, inp or {"x": x, "y": y},
        {"statistic": max(0, r.statistic), "scaled": scaled, "logp": logp, "exact": exact}, 1e-9, 1e-11)


cvm_case("two each", [0, 3], [1, 5])
cvm_case("exact 7 by 7", distinct(7, 0, 1), distinct(7, 1, 1))
cvm_case("exact 20 by 20", distinct(20, 0, 1), distinct(20, 0.2, 1))
cvm_case("exact 19 by 20 apart", distinct(19, 0, 1), distinct(20, 9, 1))
cvm_case("exact 13 by 20", distinct(13, 0, 1), distinct(20, 2, 1))
cvm_case("exact with ties", [1, 1, 2, 3, 3], [2, 2, 3, 4, 4, 4])
cvm_case("equal", [1, 2, 3], [1, 2, 3])
cvm_case("100 by 80", normal(100), normal(80, 0.3))
cvm_case("ties 90 by 120", RNG.integers(0, 6, 90), RNG.integers(0, 7, 120))
cvm_case("close 200 by 200", np.arange(200), np.arange(200) + 0.5)
for n, m in ((60, 50), (300, 300), (700, 650)):
    a, b = [[k, 1] for k in range(n)], [[k + 10000, 1] for k in range(m)]
    cvm_case("disjoint %d by %d" % (n, m), runs(a), runs(b), inp={"x_from": 0, "x_n": n, "y_from": 10000, "y_n": m})


def ad_case(name, x, y, inp=None):
    x, y = np.asarray(x, float), np.asarray(y, float)
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = stats.anderson_ksamp([x, y], midrank=True)
    sd = math.sqrt(2 * (math.pi ** 2 / 3 - 3))
    scaled = 1 + sd * r.statistic
    logp = log_ad_limit(scaled)
    if 0.002 < r.significance_level < 0.24:
        assert abs(math.exp(logp) / r.significance_level - 1) < 0.06, (name, math.exp(logp), r.significance_level)
    add("AndersonDarling", name, inp or {"x": x, "y": y}, {"scaled": scaled, "logp": logp}, 1e-8, 1e-10)


ad_case("two each", [1, 3], [2, 4])
ad_case("8 by 8", distinct(8, 0, 1), distinct(8, 1, 1))
ad_case("50 by 60", normal(50), normal(60, 0.5))
ad_case("ties", RNG.integers(0, 4, 70), RNG.integers(0, 5, 90))
ad_case("close", np.arange(100), np.arange(100) + 0.5)
ad_case("one against many", [3.5], np.arange(30))
for n, m in ((60, 50), (150, 160)):
    a, b = [[k, 1] for k in range(n)], [[k + 10000, 1] for k in range(m)]
    ad_case("disjoint %d by %d" % (n, m), runs(a), runs(b), inp={"x_from": 0, "x_n": n, "y_from": 10000, "y_n": m})
# The limit itself; 2.492 and 3.857 are the published 5% and 1% points.
for x in (0.05, 0.2, 0.5, 1.0, 2.492, 3.857, 10.0, 40.0, 120.0):
    add("logADTail", "x=%g" % x, {"x": x}, {"logp": log_ad_limit(x)}, 1e-10, 1e-12)
for x in (0.0016, 0.01, 0.05, 0.2, 0.46136, 0.74346, 3.0, 20.0, 80.0, 139.0):
    add("logCvMTail", "x=%g" % x, {"x": x}, {"logp": log_cvm_limit(x)}, 1e-11, 1e-12)

# --- Distances -----------------------------------------------------------------


def distance_case(name, x, y, wx=None, wy=None):
    inp = {"x": x, "y": y}
    if wx is not None:
        inp["wx"] = wx
    if wy is not None:
        inp["wy"] = wy
    add("Wasserstein", name, inp, {"value": stats.wasserstein_distance(x, y, wx, wy)}, 1e-10, 1e-13)
    add("EnergyDistance", name, inp, {"value": stats.energy_distance(x, y, wx, wy)}, 1e-10, 1e-13)


distance_case("one each", [-5], [5])
distance_case("equal", [1, 2, 2, 3], [3, 2, 1, 2])
distance_case("40 by 30", normal(40, 0, 1, 2), normal(30, 1, 2, 2))
distance_case("ties", RNG.integers(0, 5, 50), RNG.integers(0, 7, 40))
distance_case("weights", [3.4, 3.9, 7.5, 7.8], [4.5, 1.4], [1.4, 0.9, 3.1, 7.2], [3.2, 3.5])
distance_case("weights with zeros", [0, 1, 2, 9], [0, 1, 2, 9], [0, 5, 5, 0], [1, 0, 0, 1e6])
distance_case("cell counts", np.arange(20) + 0.5, np.arange(20) + 0.5,
              RNG.multinomial(10 ** 9, [0.05] * 20), RNG.multinomial(10 ** 6, np.arange(1, 21) / 210))
distance_case("tiny and huge values", [1e-12, 1e12], [0.0, 1e12, 2e12])

# --- Quantile intervals --------------------------------------------------------


def quantile_interval(n, p, level, side="two-sided"):
    tail = (1 - level) / 2 if side == "two-sided" else 1 - level
    lo = max((l for l in range(1, n + 1) if stats.binom.cdf(l - 1, n, p) <= tail * (1 + 1e-12)), default=0) \
        if side != "less" else 0
    hi = min((u for u in range(1, n + 1) if stats.binom.sf(u - 1, n, p) <= tail * (1 + 1e-12)), default=0) \
        if side != "greater" else 0
    cover = 1.0
    if lo:
        cover -= stats.binom.cdf(lo - 1, n, p)
    if hi:
        cover -= stats.binom.sf(hi - 1, n, p)
    return lo, hi, cover


def nyblom(x, p, level, r, upper):
    """Nyblom (1992): x_r to x_(r+1) for the bound b on P(B < .)."""
    n = len(x)
    b = 1 - (1 - level) / 2 if upper else (1 - level) / 2
    if r < 1 or r >= n:
        return x[max(0, min(n - 1, r if upper else r - 1))]
    below, upto = stats.binom.cdf(r - 1, n, p), stats.binom.cdf(r, n, p)
    lam = 1 / (1 + r * (1 - p) * (upto - b) / ((n - r) * p * (b - below)))
    return (1 - lam) * x[r - 1] + lam * x[r]


def quantile_case(name, x, p, level=0.95, side="two-sided", inp=None):
    s = np.sort(np.asarray(x, float))
    n = len(s)
    lo, hi, cover = quantile_interval(n, p, level, side)
    want = {"point": np.quantile(s, p), "lorank": lo, "hirank": hi, "achieved": cover,
            "lo": s[lo - 1] if lo else -math.inf, "hi": s[hi - 1] if hi else math.inf}
    if side == "two-sided":
        want["nyblom_lo"] = nyblom(s, p, level, lo, False) if lo else -math.inf
        want["nyblom_hi"] = nyblom(s, p, level, hi - 1, True) if hi else math.inf
    add("Quantile", name, {"q": p, "level": level, "side": side, **(inp or {"x": x})}, want, 1e-9, 1e-12)


quantile_case("one value", [4.2], 0.5)
quantile_case("5 values median", [3, 1, 4, 1, 5], 0.5)
quantile_case("6 values median", [3, 1, 4, 1, 5, 9], 0.5)
quantile_case("p90 of 35", normal(35), 0.9)
quantile_case("p90 of 36", normal(36), 0.9)
quantile_case("ties", RNG.integers(0, 5, 80), 0.75, 0.9)
quantile_case("upper only p90 of 29", normal(29), 0.9, side="less")
quantile_case("lower only p10", normal(60), 0.1, side="greater")
quantile_case("p99 of 2000", np.arange(2000.0), 0.99, 0.99, inp={"x_from": 0, "x_n": 2000})
quantile_case("p50 of 100001", np.arange(100001.0), 0.5, inp={"x_from": 0, "x_n": 100001})

# --- Theil-Sen -----------------------------------------------------------------


def theil_case(name, t, v, level=0.95):
    slope, intercept, lo, hi = stats.theilslopes(v, t, level)
    add("TheilSen", name, {"t": t, "v": v, "level": level},
        {"slope": slope, "intercept": intercept, "lo": lo, "hi": hi}, 1e-10, 1e-12)


theil_case("falling quarters", np.arange(8.0), [100, 96, 98, 90, 85, 88, 80, 75])
theil_case("uneven times", np.cumsum(RNG.integers(1, 5, 25)), normal(25, 10, 3))
theil_case("tied values", np.arange(30.0), RNG.integers(0, 4, 30))
theil_case("tied times", RNG.permutation(np.repeat(np.arange(12.0), 3)), normal(36))
theil_case("outlier", np.arange(15.0), np.concatenate([np.arange(14.0), [1e9]]))
theil_case("300 points", np.arange(300.0), np.round(0.01 * np.arange(300) + RNG.normal(0, 2, 300), 2), 0.99)

# --- Delta method --------------------------------------------------------------


def linear_se(num, den):
    """Standard error of sum(num)/sum(den) from the linearised value of each unit."""
    num, den = np.asarray(num, float), np.asarray(den, float)
    r = num.sum() / den.sum()
    w = (num - r * den) / den.mean()
    return r, math.sqrt(w.var(ddof=1) / len(w))


def ratio_cases(name, x, y, level=0.95, null=0.0, alt="two-sided"):
    (rx, sx), (ry, sy) = linear_se(*x), linear_se(*y)
    n, m = len(x[0]), len(y[0])
    inp = {"xnum": x[0], "xden": x[1], "ynum": y[0], "yden": y[1], "level": level, "null": null, "alternative": alt}
    q = t_isf((1 - level) / 2, n - 1)
    add("Ratio", name, {"num": x[0], "den": x[1], "level": level},
        {"point": rx, "lo": rx - q * sx, "hi": rx + q * sx, "se": sx}, 1e-8, 1e-11)
    for func, d, vx, vy in (("RatioDifference", rx - ry, sx ** 2, sy ** 2),
                            ("RelativeDifference", (rx - ry) / abs(ry), (sx / ry) ** 2, (sy * rx / ry ** 2) ** 2)):
        se = math.sqrt(vx + vy)
        df = (sx ** 2 + sy ** 2) ** 2 / (sx ** 4 / (n - 1) + sy ** 4 / (m - 1))
        t = (d - null) / se
        q = t_isf((1 - level) / 2 if alt == "two-sided" else 1 - level, df)
        add(func, name, inp, {"point": d, "lo": -math.inf if alt == "less" else d - q * se,
                              "hi": math.inf if alt == "greater" else d + q * se,
                              "se": se, "df": df, "logp": log_t_p(t, df, alt)}, 1e-7, 1e-10)


def units(n, rate, share):
    den = RNG.poisson(rate, n) + 1
    return RNG.binomial(den, share), den


ratio_cases("clicks per view", units(60, 5, 0.3), units(50, 5, 0.35))
ratio_cases("two units", ([1, 2], [3, 4]), ([5, 2], [7, 5]), level=0.8)
ratio_cases("per-unit mean", (normal(30, 5, 1), np.ones(30)), (normal(40, 5.5, 2), np.ones(40)), alt="less", null=0.1)
ratio_cases("negative baseline", (normal(30, -5, 1), np.ones(30)), (normal(40, -6, 2), np.ones(40)), alt="greater")
ratio_cases("far apart", units(200, 20, 0.1), units(200, 20, 0.8), level=0.99)
ratio_cases("ties", ([1, 1, 0, 1, 0, 1], [2, 2, 2, 1, 1, 1]), ([0, 1, 0, 0, 1, 0, 1], [1, 2, 2, 1, 1, 2, 2]))


def cluster_case(name, groups, q, level=0.95):
    rows = np.sort(np.concatenate([np.asarray(g, float) for g in groups]))
    n = len(rows)
    point = np.quantile(rows, q)
    _, se_share = linear_se([sum(v <= point for v in g) for g in groups], [len(g) for g in groups])
    z = stats.norm.isf((1 - level) / 2)
    half = z * math.sqrt(q * (1 - q) / n)

    def at(p):  # inverse of the distribution function
        return rows[max(0, math.ceil(round(n * min(1, max(0, p)), 9)) - 1)]

    inflate = se_share ** 2 / (q * (1 - q) / n)
    se = (at(q + half) - at(q - half)) / (2 * z) * math.sqrt(inflate)
    add("ClusteredQuantile", name, {"units": [list(map(float, g)) for g in groups], "q": q, "level": level},
        {"point": point, "se": se, "inflate": inflate, "lo": point - z * se, "hi": point + z * se}, 1e-8, 1e-11)


def clusters(k, size, between):
    out = []
    for _ in range(k):
        c = RNG.normal(0, between)
        out.append(np.round(np.exp(c + RNG.normal(0, 1, RNG.integers(1, size + 1))), 3))
    return out


cluster_case("30 users p50", clusters(30, 8, 1.0), 0.5)
cluster_case("40 users p90", clusters(40, 10, 0.5), 0.9, 0.9)
cluster_case("single rows", clusters(50, 1, 0.5), 0.5)
cluster_case("two users", [[1, 2, 3], [4, 5, 6, 7]], 0.5, 0.8)
cluster_case("ties", [list(RNG.integers(0, 4, 5)) for _ in range(25)], 0.75)

# --- Poisson bootstrap ---------------------------------------------------------

MASK = (1 << 64) - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def weight(seed, unit, replicate):
    h = 14695981039346656037
    for byte in unit.encode():
        h = ((h ^ byte) * 1099511628211) & MASK
    key = mix(h ^ mix(seed))
    u = (mix((key + (replicate + 1) * 0x9E3779B97F4A7C15) & MASK) >> 11) * 2.0 ** -53
    return int(stats.poisson.ppf(u, 1)) if u > 0 else 0


for seed, unit in ((0, "u1"), (0, "u2"), (1, "u1"), (2 ** 64 - 1, ""), (12345, "a much longer unit name, \u00e9")):
    add("PoissonWeight", "seed %d unit %r" % (seed, unit), {"seed": str(seed), "unit": unit},
        {"weights": [weight(seed, unit, b) for b in range(40)]}, 0, 0)


def bootstrap_case(name, seed, reps, x, y, level):
    def ratios(rows):
        w = np.array([[weight(seed, u, b) for u, _, _ in rows] for b in range(reps)])
        num, den = np.array([r[1] for r in rows], float), np.array([r[2] for r in rows], float)
        return num.sum() / den.sum(), (w @ num) / (w @ den)

    def want(point, reps_):
        q = np.quantile(reps_, [(1 - level) / 2, (1 + level) / 2])
        return {"point": point, "se": np.std(reps_, ddof=1), "lo": q[0], "hi": q[1],
                "basic_lo": 2 * point - q[1], "basic_hi": 2 * point - q[0]}

    (px, rx), (py, ry) = ratios(x), ratios(y)
    inp = {"seed": str(seed), "replicates": reps, "level": level, "x": [list(r) for r in x], "y": [list(r) for r in y]}
    add("Bootstrap.Interval", name, inp, want(px, rx), 1e-9, 1e-12)
    add("BootstrapDifference", name, inp, want(px - py, rx - ry), 1e-9, 1e-12)


def rows(prefix, n, mean, repeats=1):
    return [("%s%d" % (prefix, i % (n // repeats)), float(np.round(RNG.normal(mean, 1), 3)), 1.0) for i in range(n)]


bootstrap_case("30 and 40 units", 0, 200, rows("a", 30, 5), rows("b", 40, 6), 0.95)
bootstrap_case("shared units", 7, 150, rows("u", 25, 5), rows("u", 25, 6), 0.9)
bootstrap_case("several rows per unit", 99, 100, rows("a", 60, 5, 4), rows("b", 60, 5, 6), 0.95)
bootstrap_case("weights in the denominator", 3, 120, [("a%d" % i, float(i % 3), float(1 + i % 4)) for i in range(30)],
               [("b%d" % i, float(i % 2), float(1 + i % 3)) for i in range(30)], 0.8)
bootstrap_case("equal values", 5, 50, [("a%d" % i, 2.0, 1.0) for i in range(20)],
               [("b%d" % i, 3.0, 1.0) for i in range(20)], 0.95)

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "stats_continuous.json"), "w") as f:
    head = {
        "generator": "testdata/reference/stats_continuous.py",
        "command": "/usr/bin/python3 testdata/reference/stats_continuous.py",
        "versions": {"python": platform.python_version(), "scipy": scipy.__version__,
                     "numpy": np.__version__, "mpmath": mp.__version__},
        "tolerance": "atol + rtol*|want|; on logp the absolute part is the relative error of p",
    }
    f.write(json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n')
    f.write(",\n".join("  " + json.dumps(c) for c in CASES))
    f.write("\n ]\n}\n")
print(len(CASES), "cases")
