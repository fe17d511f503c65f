# Extreme cases for package stats/calibration from R: single rows, ties, 1e9 rows and
# impossible labels that the other scripts leave out. Data are rows of scores p and
# labels y, or levels of scores p with their rows n and positive labels k.
#
# Run from the repository root:  Rscript testdata/reference/calibration_extremes.R
set.seed(20261127)

cases <- character(0)
json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    if (is.null(names(x))) return(paste0("[", paste(parts, collapse = ","), "]"))
    return(paste0("{", paste(sprintf('"%s":%s', names(x), parts), collapse = ","), "}"))
  }
  one <- vapply(x, function(v) {
    if (is.character(v)) sprintf('"%s"', v)
    else if (is.logical(v) && !is.na(v)) tolower(as.character(v))
    else if (is.na(v)) '"NaN"'
    else if (is.infinite(v)) if (v > 0) '"+Inf"' else '"-Inf"'
    else if (v == round(v) && abs(v) < 2^53) sprintf("%.0f", v)
    else sprintf("%.17g", v)
  }, "")
  if (inherits(x, "AsIs") || length(x) != 1) paste0("[", paste(one, collapse = ","), "]") else one
}
add <- function(func, name, given, want, rtol = 1e-10, atol = 0)
  cases[[length(cases) + 1]] <<- sprintf('{"name":"%s %s","func":"%s","in":%s,"want":%s,"rtol":%g,"atol":%g}', func, name, func, json(given), json(want), rtol, atol)
single <- function(p, y) list(p = I(p), y = I(y))
data <- function(p, n, k) list(p = I(p), n = I(n), k = I(k))
huge <- list(p = c(0.001, 0.1, 0.2, 0.45, 0.7), n = c(4e9, 1e9, 5e8, 2e8, 1e8), k = c(4.2e6, 1.2e8, 9e7, 8e7, 6.9e7))

# --- isotonic regression --------------------------------------------------------------

y <- sample(0:9, 5000, TRUE) + (1:5000) %/% 1000
fit <- rle(isoreg(y)$yf)
add("Isotonic", "5000 values in ties", list(y = I(y)), list(fit_values = I(fit$values), fit_times = I(fit$lengths)), 1e-12)

# Austin and Steyerberg (2019): |p - c(p)| over rows. Rows of a level are tied, so each
# gets the level's rate before isoreg, which takes no weights, sees them one by one.
index <- function(name, p, n, k) {
  c <- isoreg(rep(k / n, n))$yf
  gap <- sort(abs(rep(p, n) - c))
  at <- function(q) gap[ceiling(q * length(gap) - 1e-9)]
  add("ICI", name, data(p, n, k), list(ici = mean(gap), e50 = at(0.5), e90 = at(0.9), emax = max(gap)), 1e-10)
}
index("200000 rows in ties", c(0.05, 0.1, 0.3, 0.35, 0.8), c(80000, 50000, 40000, 20000, 10000), c(5000, 4900, 11000, 9000, 7000))
index("one row", 0.3, 1, 1)

# --- bins and bands -----------------------------------------------------------------------

# Levels of one size whose rates rise: the sweep of Roelofs et al. (2022) ends at one
# bin for each.
p <- c(0.02, 0.1, 0.25, 0.4, 0.65, 0.9); k <- c(21e6, 12e7, 2e8, 45e7, 6e8, 95e7)
add("Sweep", "6e9 rows", data(p, rep(1e9, 6), k), list(bins = 6, ece = mean(abs(p - k / 1e9))), 1e-12)
add("Sweep", "one row", data(0.3, 1, 1), list(bins = 1, ece = 0.7), 1e-12)

# A level is in the band when its middle rank from the top is, or it is the lowest at
# or above the cut.
cut_case <- function(name, p, n, k, cut) {
  A <- sum(n[p >= cut])
  rank <- sapply(seq_along(p), function(i) sum(n[p > p[i]]) + n[i] / 2)
  band <- (rank >= 0.75 * A & rank <= 1.25 * A) | p == min(p[p >= cut])
  want <- list(above = A, n = sum(n[band]), o = sum(k[band]), e = sum((n * p)[band]))
  few <- sum(n) < 1000 # given as rows, the scores are known to the last digit
  if (few) want <- c(want, lo = min(p[band]), hi = max(p[band]))
  add("AtCut", name, c(if (few) single(rep(p, n), unlist(mapply(function(n, k) rep(1:0, c(k, n - k)), n, k, SIMPLIFY = FALSE))) else data(p, n, k), cut = cut), want, 1e-12)
}
cut_case("one row", 0.6, 1, 1, 0.5)
cut_case("all tied", 0.5, 40, 23, 0.5)
cut_case("6e9 rows", huge$p, huge$n, huge$k, 0.2)
band <- c(data(c(0.2, 0.4), c(1, 3e9), c(1, 1e9)), lo = 0.1, hi = 0.3)
add("Data.Between", "one row of 3e9", band, list(n = 1, y = 1, p1 = 0.2))
band$hi <- 0.5
add("Data.Between", "3e9 rows", band, list(n = 3e9 + 1, y = 1e9 + 1, p1 = 0.2 + 1.2e9), 1e-14)
add("FromScores", "one row", data(0.25, 1, 1), list(n = 1, y = 1, p1 = 0.25, p2 = 0.0625, w0 = 0.1875), 1e-14)
add("FromScores", "6e9 rows", do.call(data, huge), with(huge, list(n = sum(n), y = sum(k), p1 = sum(n * p), p2 = sum(n * p^2), w0 = sum(n * p * (1 - p)))), 1e-12)

# --- losses and differences --------------------------------------------------------------------

# Labels that the scores call impossible.
p <- c(1e-300, 0.5, 1e-12, 0.25); y <- c(1, 0, 1, 0)
loss <- -log(pmax(ifelse(y == 1, p, 1 - p), 2^-52)) # less than 2^-52 counts as that
add("LogLoss", "positive label at 1e-300", single(p, y), list(mean = mean(loss), se = sd(loss) / 2), 1e-13)
loss <- (y - p)^2
add("Brier", "positive label at 1e-300", single(p, y), list(mean = mean(loss), se = sd(loss) / 2), 1e-13)
log_p <- function(z) min(0, log(2) + pnorm(-abs(z), log.p = TRUE))
rows_of <- function(d) list(p = rep(d$p, d$n), y = unlist(mapply(function(n, k) rep(1:0, c(k, n - k)), d$n, d$k, SIMPLIFY = FALSE)))
two <- data(c(0.3, 0.6), c(1, 1), c(1, 0)); three <- data(c(0.2, 0.9), c(2, 1), c(1, 1)); tied <- data(0.5, 9, 4)
for (v in list(list("two rows and three", two, three), list("two rows and nine tied", two, tied))) {
  parts <- lapply(v[2:3], function(d) { r <- rows_of(d); (r$y - r$p)^2 })
  d <- mean(parts[[1]]) - mean(parts[[2]])
  se <- sqrt(sum(sapply(parts, function(x) var(x) / length(x))))
  add("CompareLoss", v[[1]], list(a = v[[2]], b = v[[3]], rule = "quadratic"), list(point = d, se = se, logp = log_p(d / se)), 1e-11)
  E <- sapply(v[2:3], function(d) sum(d$p * d$n)); O <- sapply(v[2:3], function(d) sum(d$k))
  add("CompareRatio", v[[1]], list(a = v[[2]], b = v[[3]]), list(point = log(O[1] / E[1]) - log(O[2] / E[2]), logp = log(min(1, poisson.test(O, E)$p.value))), 1e-9, 1e-12)
}
# Of levels: k rows have the loss (1-p)^2 and n-k the loss p^2.
brier <- function(d) {
  n <- sum(d$n)
  mean <- sum(d$k * (1 - d$p)^2 + (d$n - d$k) * d$p^2) / n
  c(mean, sum(d$k * ((1 - d$p)^2 - mean)^2 + (d$n - d$k) * (d$p^2 - mean)^2) / (n - 1) / n)
}
far <- data(c(0.05, 0.5, 0.95), c(5e8, 8e8, 5e8), c(15e7, 4e8, 35e7))
d <- brier(far) - brier(do.call(data, huge))
se <- sqrt(brier(far)[2] + brier(do.call(data, huge))[2])
add("CompareLoss", "tail of 6e9 rows", list(a = far, b = do.call(data, huge), rule = "quadratic"), list(point = d[1], se = se, logp = log_p(d[1] / se)), 1e-9)

# --- tests of 6e9 rows ---------------------------------------------------------------------------

# Under calibration the labels of a level are binomial; Spiegelhalter (1986), Cox (1958).
with(huge, {
  v <- n * p * (1 - p)
  z <- sum(k - n * p) / sqrt(sum(v))
  add("ObservedExpected", "6e9 rows", data(p, n, k), list(z = z, logp = log_p(z)), 1e-9)
  z <- sum((k - n * p) * (1 - 2 * p)) / sqrt(sum(v * (1 - 2 * p)^2))
  add("Spiegelhalter", "6e9 rows", data(p, n, k), list(z = z, logp = log_p(z)), 1e-9)
  L <- qlogis(p)
  U <- c(sum(k - n * p), sum((k - n * p) * L))
  x <- sum(U * solve(matrix(c(sum(v), sum(v * L), sum(v * L), sum(v * L^2)), 2), U))
  add("ScoreTest", "6e9 rows", data(p, n, k), list(chisq = x, logp = pchisq(x, 2, lower.tail = FALSE, log.p = TRUE)), 1e-8)
  f <- glm(cbind(k, n - k) ~ L, family = binomial, control = glm.control(epsilon = 1e-13, maxit = 100))
  x <- 2 * (sum(dbinom(k, n, fitted(f), log = TRUE)) - sum(dbinom(k, n, p, log = TRUE)))
  add("Cox", "6e9 rows", data(p, n, k), list(a = unname(coef(f)[1]), b = unname(coef(f)[2]), u = x, logp = pchisq(x, 2, lower.tail = FALSE, log.p = TRUE)), 1e-7)
  e <- ((k - n * p)^2 - (k * (1 - p)^2 + (n - k) * p^2)) / n # Lee et al. (2023): pairs within a level
  a <- sqrt((n * p * (1 - p))^2 - n * (p * (1 - p))^2) / n / sum(n)
  add("DebiasedError", "6e9 rows", data(p, n, k), list(tcal = sum(e) / sum(n), nullse = sqrt(2 * sum(a^2)), logp = pchisq((sum(e) / sum(n) + sum(a)) / (sum(a^2) / sum(a)), sum(a)^2 / sum(a^2), lower.tail = FALSE, log.p = TRUE)), 1e-8)
  x <- sum((k - n * p)^2 / v)
  add("HosmerLemeshow", "6e9 rows", data(p, n, k), list(chisq = x, logp = pchisq(x, 5, lower.tail = FALSE, log.p = TRUE)), 1e-9)
})

out <- sprintf('{"generator":"testdata/reference/calibration_extremes.R",\n"command":"Rscript testdata/reference/calibration_extremes.R",\n"versions":{"R":"%s.%s"},\n"tolerance":"|got-want| <= atol + rtol*|want|, p-values by their logs",\n"cases":[\n%s\n]}\n',
  R.version$major, R.version$minor, paste(cases, collapse = ",\n"))
cat(out, file = "testdata/reference/calibration_extremes.json")
cat(length(cases), nchar(out), "\n")
