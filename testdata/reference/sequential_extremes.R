# Extreme cases for package stats/sequential from R: single units, 1e12 units, ties,
# and evidence beyond log E = 700. Every process is written from its paper and rests
# on R's own densities and tails in logs (dbeta, pbeta, dbinom, pnorm, integrate,
# uniroot); none is taken from the Go code, or from the other scripts.
#
# Run from the repository root:  Rscript testdata/reference/sequential_extremes.R

cases <- character(0)
json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    if (is.null(names(x))) return(paste0("[", paste(parts, collapse = ","), "]"))
    return(paste0("{", paste(sprintf('"%s":%s', names(x), parts), collapse = ","), "}"))
  }
  one <- vapply(x, function(v) {
    if (is.character(v)) sprintf('"%s"', v)
    else if (is.logical(v)) tolower(as.character(v))
    else if (is.infinite(v)) if (v > 0) '"+Inf"' else '"-Inf"'
    else if (v == round(v) && abs(v) < 2^53) sprintf("%.0f", v)
    else sprintf("%.17g", v)
  }, "")
  if (inherits(x, "AsIs") || length(x) != 1) paste0("[", paste(one, collapse = ","), "]") else one
}
add <- function(func, name, given, want, rtol = 1e-10, atol = 0)
  cases[[length(cases) + 1]] <<- sprintf('{"name":"%s %s","func":"%s","in":%s,"want":%s,"rtol":%g,"atol":%g}', func, name, func, json(given), json(want), rtol, atol)
log_mean <- function(v) { m <- max(v); m + log(mean(exp(v - m))) }
log1p_exp <- function(v) ifelse(v > 0, v + log1p(exp(-v)), log1p(exp(v)))
root <- function(f, lo, hi) uniroot(f, c(lo, hi), tol = 1e-300, maxiter = 10000)$root

# --- Dirichlet and beta mixtures ------------------------------------------------------

# The Bayes factor of a beta prior against the point t is, by Bayes' theorem, the
# prior density over the posterior density at t (Dickey and Lientz 1970, Annals of
# Mathematical Statistics 41, 214-226); a Dirichlet law is a chain of beta laws.
# Lindon and Malek (2022), equation 5, is the same in gamma functions, which at 1e12
# units would cancel to nothing.
beta_e <- function(x, y, t, a, b) dbeta(t, a, b, log = TRUE) - dbeta(t, a + x, b + y, log = TRUE)
dirichlet_e <- function(n, t, a) {
  out <- 0
  for (i in seq_len(length(n) - 1)) {
    rest <- (i + 1):length(n)
    out <- out + beta_e(n[i], sum(n[rest]), t[i] / sum(t[i:length(t)]), a[i], sum(a[rest]))
  }
  out
}
for (v in list(
  list("one unit", c(1, 0), c(0.5, 0.5), c(1, 1)),
  list("1e12 units", c(1e12, 1e12 + 4e6), c(0.5, 0.5), c(5000, 5000)),
  list("tail", c(9000, 1000), c(0.5, 0.5), c(2, 3)),
  list("tail, four arms", c(4e6, 1e6, 1e6, 2e6), c(0.25, 0.25, 0.25, 0.25), c(25, 25, 25, 25)),
  list("equal arms", c(250, 250, 250, 250), c(0.25, 0.25, 0.25, 0.25), c(0.5, 0.5, 0.5, 0.5))))
  add("DirichletLogE", v[[1]], list(counts = I(v[[2]]), probs = I(v[[3]]), prior = I(v[[4]])), list(log_e = dirichlet_e(v[[2]], v[[3]], v[[4]])), 1e-9, 1e-9)

for (v in list(
  list("one unit", c(1, 0), c(1, 1), 0.95),
  list("1e12 units", c(1e12, 1e12 + 4e6), c(1, 1), 0.999),
  list("tail", c(60000, 40000), c(1, 1), 0.999),
  list("equal arms", c(5000, 5000), c(1, 1), 0.95),
  list("three arms", c(7000, 3000, 2100), c(2, 1, 1), 0.99))) {
  n <- v[[2]]; t <- v[[3]] / sum(v[[3]]); level <- v[[4]]
  log_e <- log_mean(sapply(c(100, 1e4, 1e6), function(k) dirichlet_e(n, t, k * t)))
  # At another vector of shares the multinomial likelihood changes, the mixture does
  # not. Share i = x is least refuted where the others keep their observed proportions.
  ends <- sapply(seq_along(n), function(i) {
    m <- sum(n) - n[i]
    at <- function(x) {
      s <- n / max(m, 1) * (1 - x)
      s[i] <- x
      used <- n > 0
      two <- if (length(n) == 2) dbinom(n[i], sum(n), t[i], log = TRUE) - dbinom(n[i], sum(n), x, log = TRUE)
             else sum(n[used] * log(t[used] / s[used]))
      log_e + two + log(1 - level)
    }
    p <- n[i] / sum(n)
    c(if (n[i] > 0) root(at, p * 1e-9, p) else 0, if (m > 0) root(at, p, 1 - (1 - p) * 1e-9) else 1)
  })
  add("SRM", v[[1]], list(counts = I(n), weights = I(v[[3]]), level = level), list(log_e = log_e, lo = I(ends[1, ]), hi = I(ends[2, ])), 1e-8, 1e-9)
}

# The scale at which a normal mixture is tightest after `planned` units: Howard,
# Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49, proposition 3.
scale <- function(planned, alpha, side) {
  a <- if (side == 0) alpha else 2 * alpha
  planned / (-2 * log(a) + log(1 - 2 * log(a)))
}
# One-sided, the prior is cut at t: the ratio of the masses beyond t, after and before.
beta_side <- function(x, n, t, k, side) {
  a <- k * t; b <- k * (1 - t)
  out <- beta_e(x, n - x, t, a, b)
  if (side == 0) return(out)
  lower <- side < 0
  out + pbeta(t, a + x, b + n - x, lower.tail = lower, log.p = TRUE) - pbeta(t, a, b, lower.tail = lower, log.p = TRUE)
}
for (v in list(
  list("no success in one", 0, 1, 0.3, 0), list("1e9 trials", 300020000, 1e9, 0.3, 1), list("1e12 trials", 3e11 + 1e6, 1e12, 0.3, 0),
  list("tail", 5000, 10000, 0.2, 1), list("tail, two-sided", 5000, 10000, 0.2, 0), list("tail, less", 10, 10000, 0.2, -1)))
  add("Bernoulli", v[[1]], list(x = v[[2]], n = v[[3]], null = v[[4]], planned = 1000, side = v[[5]], level = 0.95),
    list(log_e = beta_side(v[[2]], v[[3]], v[[4]], scale(1000, 0.05, v[[5]]) - 1, v[[5]])), 1e-9, 1e-8)

# --- quantiles of cells ------------------------------------------------------------------

# A cell may hold the common quantile; the evidence against it is the product of both
# arms' evidence on the share of units below it, at the count that the cell allows and
# that refutes least (Howard and Ramdas 2022, Bernoulli 28, section 4, for the
# reduction to Bernoulli trials).
quantile_e <- function(a, b, q, side) {
  A <- c(0, cumsum(a)); B <- c(0, cumsum(b)); n <- sum(a); m <- sum(b)
  k <- scale(1000, 0.05, side) - 1
  least <- function(C, n, i) {
    f <- function(x) beta_side(x, n, q, k, 0)
    ends <- c(f(C[i]), f(C[i + 1]))
    if (C[i] < C[i + 1]) {
      centre <- min(max(n * q, C[i]), C[i + 1])
      for (w in c(Inf, 10, 1e-3) * sqrt(n + 1)) # a narrow minimum in a wide cell
        ends <- c(ends, optimize(f, c(max(C[i], centre - w), min(C[i + 1], centre + w)), tol = 1e-9)$objective)
    }
    min(ends)
  }
  min(sapply(seq_along(a), function(i) {
    if (side == 0) least(A, n, i) + least(B, m, i)
    else if (side > 0) beta_side(A[i], n, q, k, 1) + beta_side(B[i + 1], m, q, k, -1)
    else beta_side(A[i + 1], n, q, k, -1) + beta_side(B[i], m, q, k, 1)
  }))
}
for (v in list(
  list("one unit each", c(1, 0), c(0, 1), 0.5, 0), list("one unit each, greater", c(1, 0), c(0, 1), 0.5, 1),
  list("all in one cell", c(0, 500, 0), c(0, 400, 0), 0.9, 0), list("1e9 units", c(5e8, 3e8, 2e8), c(499900000, 3e8, 200100000), 0.5, 1),
  list("1e9 units, two-sided", c(5e8, 3e8, 2e8), c(4.9e8, 3e8, 2.1e8), 0.495, 0), list("tail", c(6000, 3000, 1000), c(1000, 3000, 6000), 0.5, 1),
  list("tail, less", c(1000, 3000, 6000), c(6000, 3000, 1000), 0.5, -1), list("tail, two-sided", c(6000, 3000, 1000), c(1000, 3000, 6000), 0.5, 0)))
  add("Quantile", v[[1]], list(baseline = I(v[[2]]), candidate = I(v[[3]]), q = v[[4]], side = v[[5]]), list(log_e = quantile_e(v[[2]], v[[3]], v[[4]], v[[5]])), 1e-8, 1e-7)

# --- tilted arms --------------------------------------------------------------------------

# Lindon and Malek (2022), section 5: given a unit in the cell, it is the candidate's
# with odds r f : 1 - r. dbinom's coefficients cancel in the ratio.
tilted <- function(r, a, b, f, null) {
  odds <- function(f) r * f / (r * f + 1 - r)
  sum(dbinom(b, a + b, odds(null * f), log = TRUE) - dbinom(b, a + b, odds(null), log = TRUE))
}
mix <- function(r, a, b, grid, null, side) log_mean(c(if (side >= 0) sapply(grid, function(f) tilted(r, a, b, f, null)), if (side <= 0) sapply(grid, function(f) tilted(r, a, b, 1 / f, null))))
coarse <- c(1.1, 1.2, 1.35, 1.5, 2, 3, 5)
for (v in list(
  list("one event", 0.01, 0, 1, 1, 1), list("2e10 events", 0.5, 1e10, 1e10 + 1.2e9, 1, 0), list("tail", 0.5, 1000, 4000, 1, 1),
  list("tail in two stages", c(0.1, 0.5), c(9000, 9000), c(500, 2000), 1, -1), list("tail, two-sided", c(0.1, 0.5), c(9000, 9000), c(3000, 20000), 1.1, 0)))
  add("BinomMix", v[[1]], list(share = I(v[[2]]), baseline = I(v[[3]]), candidate = I(v[[4]]), null_rr = v[[5]], side = v[[6]]),
    list(log_e = mix(v[[2]], v[[3]], v[[4]], coarse, v[[5]], v[[6]])), 1e-9, 1e-6 * (v[[1]] == "2e10 events"))
# The expected growth of each factor of the grid, at the true ratio; the best one plans.
for (v in list(c(0.5, 1.0001, 0.05), c(0.01, 2, 1e-300), c(1e-6, 5, 0.05), c(0.999, 1.5, 1e-12), c(0.5, 1000, 0.2))) {
  odds <- function(f) v[1] * f / (v[1] * f + 1 - v[1])
  truth <- odds(v[2])
  growth <- sapply(coarse, function(f) truth * log(odds(f) / v[1]) + (1 - truth) * log((1 - odds(f)) / (1 - v[1])))
  best <- max(growth)
  add("PlanBinomMix", sprintf("share %g, ratio %g, alpha %g", v[1], v[2], v[3]), list(share = v[1], rr = v[2], alpha = v[3]), list(growth = max(0, best), events = if (best > 0) (-log(v[3]) + log(7)) / best else Inf), 1e-9)
}
# Products over cells and means over widths are e-values (Vovk and Wang 2021, Annals of
# Statistics 49, section 4).
fine <- c(1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 2, 3, 5, 10)
two_sample <- function(stages) {
  cells <- length(stages[[1]]$baseline)
  terms <- c()
  width <- 1
  while (width == 1 || ceiling(cells / width) >= 2) {
    group <- (seq_len(cells) - 1) %/% width
    m <- sapply(unique(group), function(g) {
      pick <- function(arm) sapply(stages, function(s) sum(s[[arm]][group == g]))
      mix(sapply(stages, `[[`, "share"), pick("baseline"), pick("candidate"), fine, 1, 0)
    })
    e <- 1 / length(m)
    terms <- c(terms, sum(m), sum(log1p(-e) + log1p_exp(m + log(e) - log1p(-e))))
    width <- 2 * width
  }
  log_mean(terms)
}
for (v in list(
  list("one unit", list(list(0.5, c(1, 0), c(0, 0)))), list("one cell holds all", list(list(0.2, c(0, 400, 0), c(0, 130, 0)))),
  list("1e10 units", list(list(0.5, c(5e9, 3e9, 2e9), c(5e9 + 3e8, 3e9 - 2e8, 2e9 - 1e8)))),
  list("tail", list(list(0.5, c(4000, 3000, 2000, 1000), c(1000, 2000, 3000, 4000)))),
  list("tail in two stages", list(list(0.1, c(900, 800, 700, 600, 20), c(20, 100, 100, 300, 300)), list(0.5, c(900, 900, 900, 900, 30), c(100, 900, 900, 1100, 1500))))))
  { stages <- lapply(v[[2]], function(s) list(share = s[[1]], baseline = I(s[[2]]), candidate = I(s[[3]])))
    add("TwoSample", v[[1]], list(stages = stages), list(log_e = two_sample(stages)), 1e-9, 1e-9) }

# --- bands of distribution functions --------------------------------------------------------

# Howard and Ramdas (2022), Bernoulli 28, theorem 2: the chance that a radius
# A sqrt((log log(e t/m) + C)/t) is ever left.
crossing <- function(C, A) {
  f <- function(eta) {
    inner <- A - sqrt(2 * (eta - 1) / C)
    g <- 2 / eta * inner^2
    if (eta <= 1 || inner <= 0 || g <= 1) Inf else log(4) - g * C + log1p(1 / ((g - 1) * log(eta)))
  }
  grid <- 1 + (2 * A^2 - 1) * (1:4000) / 4001
  at <- which.min(sapply(grid, f))
  step <- (2 * A^2 - 1) / 4001
  # below the least grid point the bound runs in the log of eta - 1
  u <- log(grid[at] - 1) + c(if (at == 1) -30 else -1, 1) * if (at == 1) 1 else step / (grid[at] - 1)
  optimize(function(u) min(f(1 + exp(u)), 1e300), u, tol = 1e-12)$objective
}
constant <- function(log_alpha, A) root(function(C) crossing(C, A) - log_alpha, 2, 2000)
radius <- function(n, C, A = 0.85, from = 1) A * sqrt((log(1 + log(n / from)) + C) / n)
for (v in list(list("one unit", 1, 0.95, 1, 0.85), list("1e18 units", 1e18, 0.95, 1, 0.85), list("1e12 units from 1e6", 1e12, 0.999, 1e6, 0.85),
               list("level of 1e-15", 1e5, 1 - 2^-50, 1, 0.85), list("wide slope", 400, 0.99, 20, 1.5)))
  add("DKWRadius", v[[1]], list(n = v[[2]], level = v[[3]], from = v[[4]], slope = v[[5]]), list(radius = radius(v[[2]], constant(log(1 - v[[3]]), v[[5]]), v[[5]], v[[4]])), 1e-8)
for (v in list(list("one unit each", c(1, 0), c(0, 1)), list("all in one cell", c(0, 900), c(0, 40)), list("1e12 units", c(5e11, 5e11), c(5e11 - 4e6, 5e11 + 4e6)),
               list("tail", c(9000, 1000), c(1000, 9000)), list("far tail", c(1e8, 1e6, 10), c(10, 1e6, 1e8)))) {
  n <- sum(v[[2]]); m <- sum(v[[3]])
  d <- max(abs(cumsum(v[[2]]) / n - cumsum(v[[3]]) / m))
  C <- constant(log(0.025), 0.85)
  gap <- function(C) d - radius(n, C) - radius(m, C)
  log_p <- if (gap(1) > 0) min(0, log(2) + crossing(root(gap, 0.1, n + m), 0.85)) else 0
  add("KS", v[[1]], list(baseline = I(v[[2]]), candidate = I(v[[3]])), list(d = d, lo = max(0, d - radius(n, C) - radius(m, C)), hi = min(1, d + radius(n, C) + radius(m, C)), log_p = log_p), 1e-8, 1e-9)
}

# --- bounded means ---------------------------------------------------------------------------

# Waudby-Smith and Ramdas (2024), equations 23 to 26: the hedged capital, with predictable bets.
capital <- function(x, m, sign, a = 0.05) {
  t <- seq_along(x)
  mu <- (0.5 + cumsum(x)) / (t + 1)
  before <- c(0.25, ((0.25 + cumsum((x - mu)^2)) / (t + 1))[-length(x)])
  bet <- sqrt(2 * log(2 / a) / (t * log1p(t) * before))
  if (sign > 0) sum(log1p(pmin(bet, 0.5 / m) * (x - m))) else sum(log1p(-pmin(bet, 0.5 / (1 - m)) * (x - m)))
}
set.seed(20261124)
for (v in list(list("one value", rbind(c(0.75, 1)), 0.5), list("ties", rbind(c(0.25, 30), c(0.75, 30)), 0.45), list("100000 values", rbind(c(0.5, 50000), c(0.625, 50000)), 0.55),
               list("tail", rbind(c(0.875, 1000), c(0.75, 2000)), 0.25), list("zeros and ones", rbind(c(0, 40), c(1, 60), c(0, 5)), 0.5))) {
  x <- rep(v[[2]][, 1], v[[2]][, 2])
  up <- capital(x, v[[3]], 1); down <- capital(x, v[[3]], -1)
  L <- log(2 / 0.05)
  lo <- if (capital(x, 1e-12, 1) > L) root(function(m) capital(x, m, 1) - L, 1e-12, 1) else 0
  hi <- if (capital(x, 1 - 1e-12, -1) > L) root(function(m) capital(x, m, -1) - L, 0, 1 - 1e-12) else 1
  add("Hedged", v[[1]], list(x_runs = lapply(seq_len(nrow(v[[2]])), function(i) I(v[[2]][i, ])), null = v[[3]]), list(greater = up, less = down, different = log_mean(c(up, down)), lo = lo, hi = hi), 1e-9, 1e-9)
}

# The same paper, theorem 2: empirical Bernstein with the bet fixed by the past, here
# on two arms of values that come as a count, the number of ones and the rest zeros.
# Each arm gets the share of the bet that makes the difference of means the target.
bernstein_diff <- function(looks, d0, sign, a = 0.05) {
  past <- list(c(0, 0), c(0, 0)) # count and ones of each arm
  out <- t <- 0
  for (l in looks) {
    n <- l[c(1, 3)]
    ones <- l[c(2, 4)]
    if (sign > 0) ones[1] <- n[1] - ones[1] else ones[2] <- n[2] - ones[2] # the mirrored arm
    if (all(n > 0)) {
      mu <- sapply(past, function(p) (0.5 + p[2]) / (p[1] + 1))
      var <- sapply(1:2, function(i) (0.25 + past[[i]][2] * (1 - mu[i])^2 + (past[[i]][1] - past[[i]][2]) * mu[i]^2) / (past[[i]][1] + 1))
      h <- prod(n) / sum(n)
      t <- t + h
      bet <- min(0.5, sqrt(2 * log(1 / a) / (t * log(1 + t) * h * sum(var / n))))
      for (i in 1:2) {
        l1 <- bet * h / n[i]
        out <- out + l1 * ones[i] + (log1p(-l1) + l1) * (ones[i] * (1 - mu[i])^2 + (n[i] - ones[i]) * mu[i]^2)
      }
      out <- out - bet * h * (1 + sign * d0)
    }
    past <- list(past[[1]] + c(n[1], ones[1]), past[[2]] + c(n[2], ones[2]))
  }
  out
}
for (v in list(list("one value each", list(c(1, 0, 1, 1)), 0), list("equal values", list(c(100, 100, 50, 50), c(10, 10, 400, 400)), 0), list("1e9 values", list(c(1e9, 3e8, 1e9, 300200000)), 0.0001),
               list("1e9 values, two looks", list(c(1e6, 3e5, 1e6, 301000), c(1e9, 3e8, 1e9, 300200000)), 0), list("tail", list(c(50, 5, 50, 40), c(60000, 6000, 60000, 54000)), 0))) {
  up <- bernstein_diff(v[[2]], v[[3]], 1); down <- bernstein_diff(v[[2]], v[[3]], -1)
  sums <- function(n, ones) list(n = n, sum = ones, sumsq = ones)
  add("BernsteinDiff", v[[1]], list(looks = lapply(v[[2]], function(l) list(baseline = sums(l[1], l[2]), candidate = sums(l[3], l[4]))), null = v[[3]]),
    list(greater = up, less = down, different = log_mean(c(up, down))), 1e-8, 1e-8)
}
bernstein <- function(looks, m, a = 0.05) {
  past <- c(0, 0)
  out <- 0
  for (l in looks) {
    mu <- (0.5 + past[2]) / (past[1] + 1)
    var <- (0.25 + past[2] * (1 - mu)^2 + (past[1] - past[2]) * mu^2) / (past[1] + 1)
    t <- past[1] + l[1]
    bet <- min(0.5, sqrt(2 * log(1 / a) / (t * log1p(t) * var)))
    out <- out + bet * (l[2] - l[1] * m) + (log1p(-bet) + bet) * (l[2] * (1 - mu)^2 + (l[1] - l[2]) * mu^2)
    past <- past + l
  }
  out
}
for (v in list(list("one value", list(c(1, 1)), 0.25), list("equal values", list(c(10, 10), c(40, 40)), 0.5), list("tail", list(c(50, 45), c(60000, 54000)), 0.1), list("1e12 values", list(c(1e12, 3e11)), 0.29999))) {
  up <- bernstein(v[[2]], v[[3]]); down <- bernstein(lapply(v[[2]], function(l) c(l[1], l[1] - l[2])), 1 - v[[3]])
  add("Bernstein", v[[1]], list(looks = lapply(v[[2]], function(l) list(n = l[1], sum = l[2], sumsq = l[2])), null = v[[3]]), list(greater = up, less = down, different = log_mean(c(up, down))), 1e-8, 1e-8)
}

# --- normal mixtures and group-sequential boundaries ----------------------------------------------

# Howard et al. (2021), propositions 5 and 6: the two-sided and the one-sided mixture.
normal_e <- function(z, q, side) if (side == 0) z^2 * q / (2 * (1 + q)) - log1p(q) / 2 else
  log(2) - log1p(q) / 2 + z^2 * q / (2 * (1 + q)) + pnorm(side * z * sqrt(q / (1 + q)), log.p = TRUE)
keys <- c("diff", "variance", "n_baseline", "n_candidate")
for (v in list(list("tail", 0.5, 1e-4, 5000, 5000, 0), list("tail, greater", 0.5, 1e-4, 5000, 5000, 1), list("tail, no evidence", 0.5, 1e-4, 5000, 5000, -1), list("one unit each", 1, 0.5, 1, 1, 0), list("1e12 units", 1e-6, 4e-14, 1e12, 1e12, 1))) {
  n <- v[[4]] + v[[5]]
  q <- n^2 * v[[3]] / scale(100, 0.05, v[[6]])
  # pnorm in logs cancels against the square from z = -30 on; the Mills ratio takes over
  e <- if (v[[6]] < 0) { x <- v[[2]] / sqrt(v[[3]]) * sqrt(q / (1 + q)); log(2) - log1p(q) / 2 - log(x) - log(2 * pi) / 2 + log1p(-1 / x^2 + 3 / x^4 - 15 / x^6) } else normal_e(v[[2]] / sqrt(v[[3]]), q, v[[6]])
  add("NormalStages", v[[1]], list(stages = list(setNames(as.list(c(v[[2]], v[[3]], v[[4]], v[[5]])), keys)), null = 0, side = v[[6]], level = 0.95, planned = 100), list(log_e = e), 1e-9, 1e-9)
}
# Two looks: the chance to pass the second boundary and not the first, by integrate().
for (v in list(list("alpha 1e-8", 0.5, 1e-8), list("alpha 1e-12", 0.8, 1e-12), list("1e12 units", 0.3, 1e-4))) {
  f <- v[[2]]; alpha <- v[[3]]
  first <- alpha * log(1 + (exp(1) - 1) * f)
  z1 <- qnorm(first, lower.tail = FALSE)
  second <- function(z) integrate(function(x) dnorm(x) * pnorm((z - sqrt(f) * x) / sqrt(1 - f), lower.tail = FALSE), -10, z1, rel.tol = 1e-10, abs.tol = 0, subdivisions = 1000)$value
  z2 <- uniroot(function(z) log(second(z)) - log(alpha - first), c(0, 12), tol = 1e-12)$root
  top <- if (v[[1]] == "1e12 units") 1e12 else 1
  add("GroupSequential", v[[1]], list(information = I(c(f, 1) * top), alpha = alpha, two = FALSE, spending = "pocock", shape = 0, planned = top), list(z = I(c(z1, z2))), 2e-5)
}

out <- sprintf('{"generator":"testdata/reference/sequential_extremes.R",\n"command":"Rscript testdata/reference/sequential_extremes.R",\n"versions":{"R":"%s.%s"},\n"tolerance":"rtol and atol of each case, on log E or log p; a log E of 1e6 from 1e10 units keeps 9 digits in double precision",\n"cases":[\n%s\n]}\n',
  R.version$major, R.version$minor, paste(cases, collapse = ",\n"))
cat(out, file = "testdata/reference/sequential_extremes.json")
cat(length(cases), nchar(out), "\n")
