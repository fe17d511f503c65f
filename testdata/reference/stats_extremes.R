# Extreme cases for package stats from R: the ties, single units, huge samples and far
# tails that the other scripts leave out. Long samples are written as runs of
# [value, times].
#
# Run from the repository root:  Rscript testdata/reference/stats_extremes.R
suppressMessages(library(survival))
set.seed(20261126)

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
rows <- function(m) lapply(seq_len(nrow(m)), function(i) I(m[i, ]))
add <- function(func, name, given, want, rtol = 1e-10, atol = 0)
  cases[[length(cases) + 1]] <<- sprintf('{"name":"%s %s","func":"%s","in":%s,"want":%s,"rtol":%g,"atol":%g}', func, name, func, json(given), json(want), rtol, atol)
runs <- function(...) matrix(c(...), ncol = 2, byrow = TRUE)
spread <- function(m) rep(m[, 1], m[, 2])
log_chisq <- function(x, df) pchisq(x, df, lower.tail = FALSE, log.p = TRUE)
log_two_sided <- function(t, df) min(0, log(2) + pt(-abs(t), df, log.p = TRUE))

# --- areas under the ROC curve ----------------------------------------------------------

# DeLong's placements from mid-ranks (Sun and Xu 2014, IEEE Signal Processing Letters
# 21, 1389-1393): of positives among negatives, of negatives among positives.
placements <- function(s, y) {
  all <- rank(s)
  m <- sum(y); n <- sum(!y)
  list(pos = (all[y] - rank(s[y])) / n, neg = 1 - (all[!y] - rank(s[!y])) / m)
}
area <- function(s, y) {
  v <- placements(s, y)
  list(auc = mean(v$pos), se = sqrt(var(v$pos) / sum(y) + var(v$neg) / sum(!y)))
}
for (v in list(list("60000 rows in four ties", runs(0, 20000, 1, 25000, 2, 10000, 3, 5000), runs(0, 15000, 1, 5000, 0, 20000, 1, 5000, 0, 4000, 1, 6000, 0, 1000, 1, 4000)),
               list("two of each class", runs(3, 1, 5, 1, 4, 1, 6, 1), runs(0, 2, 1, 2)), list("all tied but one", runs(1, 30, 2, 1), runs(0, 15, 1, 16)))) {
  s <- spread(v[[2]]); y <- spread(v[[3]]) == 1
  a <- area(s, y)
  w <- suppressWarnings(wilcox.test(s[y], s[!y]))$statistic / sum(y) / sum(!y)
  stopifnot(abs(w - a$auc) < 1e-12)
  add("AUC", v[[1]], list(scores_runs = rows(v[[2]]), positive_runs = rows(v[[3]])), a, 1e-10, 1e-12)
}
paired <- function(a, b, y) {
  p <- placements(a, y); q <- placements(b, y)
  se <- sqrt(var(p$pos - q$pos) / sum(y) + var(p$neg - q$neg) / sum(!y))
  d <- mean(p$pos) - mean(q$pos)
  list(diff = d, se = se, statistic = d / se, logp = min(0, log(2) + pnorm(-abs(d / se), log.p = TRUE)))
}
a <- runs(0, 20000, 1, 25000, 2, 10000, 3, 5000); b <- runs(1, 9000, 0, 21000, 2, 20000, 1, 10000); y <- runs(0, 15000, 1, 5000, 0, 20000, 1, 5000, 0, 4000, 1, 6000, 0, 1000, 1, 4000)
add("PairedAUC", "60000 rows in ties", list(a_runs = rows(a), b_runs = rows(b), positive_runs = rows(y)), paired(spread(a), spread(b), spread(y) == 1), 1e-9)
cells <- function(name, m, rtol = 1e-9) { # rows of first cell, second cell, negatives, positives
  N <- sum(m[, 3]); P <- sum(m[, 4])
  place <- function(s) list(pos = sapply(s, function(v) sum(m[s < v, 3]) + sum(m[s == v, 3]) / 2) / N, neg = sapply(s, function(v) sum(m[s > v, 4]) + sum(m[s == v, 4]) / 2) / P)
  p <- place(m[, 1]); q <- place(m[, 2])
  spread_of <- function(v, w) { mean <- sum(v * w) / sum(w); sum(w * (v - mean)^2) / (sum(w) - 1) / sum(w) }
  d <- sum((p$pos - q$pos) * m[, 4]) / P
  se <- sqrt(spread_of(p$pos - q$pos, m[, 4]) + spread_of(p$neg - q$neg, m[, 3]))
  add("PairedAUCBinned", name, list(cells = rows(m)), list(auc_a = sum(p$pos * m[, 4]) / P, auc_b = sum(q$pos * m[, 4]) / P, difference = d, se = se, logp = min(0, log(2) + pnorm(-abs(d / se), log.p = TRUE))), rtol, 1e-12)
}
cells("two of each class", rbind(c(0, 0, 1, 0), c(1, 0, 1, 1), c(2, 3, 0, 1)))
cells("4e9 rows", rbind(c(0, 0, 1e9, 2e8), c(0, 1, 3e8, 1e8), c(1, 0, 301000000, 1e8), c(1, 1, 4e8, 1599000000)), 1e-8)
cells("tail", rbind(c(0, 0, 4000, 1000), c(0, 1, 3000, 100), c(1, 0, 100, 3000), c(1, 1, 900, 5000)))
compare <- function(name, s, y, half, rtol = 1e-9) {
  h <- seq_len(half); s1 <- spread(s); y1 <- spread(y) == 1
  v <- lapply(list(h, -h), function(i) c(area(s1[i], y1[i]), n = length(s1[i])))
  var <- sapply(v, `[[`, "se")^2; n <- sapply(v, `[[`, "n")
  d <- v[[1]]$auc - v[[2]]$auc
  t <- d / sqrt(sum(var)); df <- sum(var)^2 / sum(var^2 / (n - 1))
  add("CompareAUC", name, list(scores_runs = rows(s), positive_runs = rows(y), half = half), list(diff = d, statistic = t, df = df, logp = log_two_sided(t, df)), rtol)
}
compare("four rows each", runs(3, 1, 5, 1, 4, 1, 6, 1, 1, 1, 5, 1, 2, 1, 3, 1), runs(0, 2, 1, 2, 0, 1, 1, 1, 0, 1, 1, 1), 4)
compare("60000 rows in ties", runs(0, 20000, 1, 15000, 0, 15000, 1, 10000), runs(0, 15000, 1, 5000, 0, 5000, 1, 10000, 0, 8000, 1, 7000, 0, 4000, 1, 6000), 35000)

# --- p-values ------------------------------------------------------------------------------

p <- runs(1e-300, 3, 1e-5, 40, 0.001, 5000, 0.5, 14957)
for (f in list(c("Holm", "holm"), c("BenjaminiHochberg", "BH"), c("BenjaminiYekutieli", "BY"), c("Bonferroni", "bonferroni")))
  add(f[1], "20000 in four ties", list(p_runs = rows(p)), list(adjusted_runs = rows(cbind(p.adjust(spread(p), f[2])[cumsum(p[, 2])], p[, 2]))), 1e-12)

# --- tables ------------------------------------------------------------------------------------

stuart <- function(m) {
  k <- nrow(m) - 1
  d <- (rowSums(m) - colSums(m))[1:k]
  S <- -(m + t(m))
  diag(S) <- rowSums(m) + colSums(m) - 2 * diag(m)
  x <- sum(d * solve(S[1:k, 1:k, drop = FALSE], d))
  list(statistic = x, df = k, logp = log_chisq(x, k))
}
for (v in list(list("one pair", rbind(c(0, 1), c(0, 0))), list("three pairs", rbind(c(0, 1, 0), c(0, 0, 1), c(0, 1, 0))), list("3e9 pairs", rbind(c(1e9, 5e6, 4e6), c(5003000, 1e9, 2e6), c(4002000, 2e6, 1e9))),
               list("tail", rbind(c(50, 2000, 1000), c(100, 50, 900), c(30, 20, 50))))) {
  m <- v[[2]]
  b <- (m - t(m))^2 / (m + t(m))
  x <- sum(b[upper.tri(b) & m + t(m) > 0]); df <- sum(upper.tri(m) & m + t(m) > 0)
  if (v[[1]] == "tail") stopifnot(abs(unname(mcnemar.test(m, correct = FALSE)$statistic) - x) < 1e-9)
  add("Bowker", v[[1]], list(table = rows(m)), list(statistic = x, df = df, logp = log_chisq(x, df)), 1e-10)
  if (v[[1]] != "three pairs") add("StuartMaxwell", v[[1]], list(table = rows(m)), stuart(m), 1e-9)
}
for (v in list(c(1e9, 1e9 + 2e5), c(4e9, 4000100000))) {
  add("McNemar", sprintf("%g discordant pairs", sum(v)), list(b = v[1], c = v[2], alternative = "different", method = "exact"), list(logp = min(0, log(2) + pbinom(v[1], sum(v), 0.5, log.p = TRUE))), 1e-9)
}
for (v in list(c(400, 1e9, 300, 1e9), c(2e6, 1e8, 2001000, 1e8), c(30000, 1e6, 10000, 1e6))) # of a given b in row 1
  add("FisherExact", sprintf("%g and %g of %g", v[1], v[3], v[2]), list(a = v[1], b = v[2] - v[1], c = v[3], d = v[4] - v[3], alternative = "greater", midp = FALSE),
    list(logp = phyper(v[1] - 1, v[2], v[4], v[1] + v[3], lower.tail = FALSE, log.p = TRUE)), 1e-9)
add("MultinomialExact", "one unit", list(observed = I(c(0, 1, 0)), weights = I(c(5, 3, 2))), list(logp = log(0.5), tables = 3), 1e-12)

# --- samples ---------------------------------------------------------------------------------------

x <- runs(1, 30000, 2, 20000, 5, 10000, 6, 40000); z <- runs(1, 35000, 3, 20000, 4, 10000, 6, 35000)
for (v in list(list("100000 pairs in ties", x, z), list("tail in ties", runs(5, 3000, 6, 2000), runs(1, 2500, 2, 2500)), list("equal differences but one", runs(3, 20, 4, 1), runs(1, 21)))) {
  r <- t.test(spread(v[[2]]), spread(v[[3]]), paired = TRUE)
  add("PairedT", v[[1]], list(x_runs = rows(v[[2]]), y_runs = rows(v[[3]])), list(t = unname(r$statistic), df = unname(r$parameter), lo = r$conf.int[1], hi = r$conf.int[2], logp = log_two_sided(r$statistic, r$parameter)), 1e-10)
}
slopes <- function(t, v) { d <- outer(t, t, "-"); s <- outer(v, v, "-") / d; median(s[lower.tri(s) & d != 0]) }
for (v in list(list("two points", c(1, 3), c(5, 2)), list("three points", c(1, 2, 4), c(1, 3, 2)), list("1500 points in ties", 1:1500, round(0.01 * (1:1500) + rnorm(1500, 0, 3)))))
  add("TheilSen", v[[1]], list(t = I(v[[2]]), v = I(v[[3]]), level = 0.9), list(slope = slopes(v[[2]], v[[3]])), 1e-12, 1e-15)
x <- runs(0, 500, 1, 400, 2.5, 400, 7, 200); z <- runs(0, 300, 1.5, 500, 3, 200, 6, 500)
for (v in list(list("one each", runs(3, 1), runs(1, 1)), list("1500 each in ties", x, z)))
  add("HodgesLehmann", v[[1]], list(x_runs = rows(v[[2]]), y_runs = rows(v[[3]])), list(point = median(outer(spread(v[[2]]), spread(v[[3]]), "-"))), 1e-12)

# Runs of subjects with the same time and status. Times are few: ties.
subjects <- function(m) data.frame(time = rep(m[, 1], m[, 4]), event = rep(m[, 2], m[, 4]), group = rep(m[, 3], m[, 4]))
many <- rbind(c(1, 1, 0, 9000), c(2, 1, 0, 8000), c(2, 0, 0, 3000), c(3, 1, 0, 7000), c(5, 0, 0, 25000), c(1, 1, 1, 8800), c(2, 1, 1, 8100), c(3, 1, 1, 6900), c(4, 0, 1, 1000), c(5, 1, 1, 200), c(5, 0, 1, 26000))
apart <- rbind(c(1, 1, 0, 4000), c(2, 1, 0, 3000), c(3, 0, 0, 500), c(1, 1, 1, 100), c(2, 1, 1, 200), c(3, 0, 1, 7000))
for (v in list(list("100000 subjects in ties", many), list("tail in ties", apart))) {
  d <- subjects(v[[2]])
  s <- survdiff(Surv(time, event) ~ group, d)
  add("LogRank", v[[1]], list(subjects = rows(v[[2]])), list(chisq = unname(s$chisq), df = 1, logp = log_chisq(unname(s$chisq), 1)), 1e-9)
  f <- summary(survfit(Surv(time, event) ~ 1, d, conf.type = "log"))
  add("KaplanMeier", v[[1]], list(subjects = rows(v[[2]])), list(t = I(f$time), surv = I(f$surv), se = I(f$std.err), lo = I(f$lower), hi = I(f$upper)), 1e-10)
}

# --- plans --------------------------------------------------------------------------------------------

plan <- function(p1, d, alpha) list(design = "proportions", base = p1, ratio = 1, effect = d, alpha = alpha, alternative = "different")
for (v in list(list("5 of each", 0.2, 0.6, 5, 0.05), list("1e9 of each", 0.1, 4e-5, 1e9, 0.05), list("alpha 1e-12", 0.1, 0.05, 5000, 1e-12), list("alpha 1e-100", 0.2, 0.1, 5000, 1e-100)))
  add("Power", v[[1]], c(plan(v[[2]], v[[3]], v[[5]]), n = v[[4]]), list(power = power.prop.test(n = v[[4]], p1 = v[[2]], p2 = v[[2]] + v[[3]], sig.level = v[[5]], strict = TRUE)$power), 1e-9)
for (v in list(list("a few", 0.05, 0.9, 0.05), list("billions", 0.1, 2e-5, 0.05), list("alpha 1e-12", 0.1, 0.05, 1e-12)))
  add("SampleSize", v[[1]], c(plan(v[[2]], v[[3]], v[[4]]), power = 0.8), list(n = ceiling(uniroot(function(n) power.prop.test(n = n, p1 = v[[2]], p2 = v[[2]] + v[[3]], sig.level = v[[4]], strict = TRUE)$power - 0.8, c(2, 1e11), tol = 1e-6)$root)), if (v[[1]] == "billions") 1e-8 else 0)
for (v in list(list("10 of each", 0.2, 10, 0.05), list("1e9 of each", 0.2, 1e9, 0.05), list("alpha 1e-12", 0.2, 20000, 1e-12)))
  add("DetectableEffect", v[[1]], c(plan(v[[2]], 0, v[[4]])[-4], n = v[[3]], power = 0.8), list(effect = uniroot(function(d) power.prop.test(n = v[[3]], p1 = v[[2]], p2 = v[[2]] + d, sig.level = v[[4]], strict = TRUE)$power - 0.8, c(1e-9, 0.79), tol = 1e-15)$root), 1e-7)

# --- non-centrality ---------------------------------------------------------------------------------------

log_noncentral <- function(x, df, ncp, lower) {
  at <- range((-df / 2 + sqrt(df^2 / 4 + ncp * x)) / 2, ncp / 2)
  j <- seq(floor(max(0, at[1] - 40 * sqrt(at[1] + 100))), ceiling(at[2] + 40 * sqrt(at[2] + 100)))
  v <- dpois(j, ncp / 2, log = TRUE) + pchisq(x, df + 2 * j, lower.tail = lower, log.p = TRUE)
  max(v) + log(sum(exp(v - max(v))))
}
for (v in list(list("huge", 2e6, 9, 0.95), list("huge df", 101000, 1e5, 0.95), list("level of 1e-9", 300, 5, 1 - 2^-30), list("tiny df", 40, 0.1, 0.99))) {
  s <- v[[2]]; df <- v[[3]]; target <- log((1 - v[[4]]) / 2)
  w <- 30 * sqrt(2 * (df + 2 * s))
  lo <- if (log_chisq(s, df) < target) uniroot(function(l) log_noncentral(s, df, l, FALSE) - target, c(max(1e-6, s - df - w), max(1e-5, s - df)), tol = 1e-10)$root else 0
  hi <- uniroot(function(l) log_noncentral(s, df, l, TRUE) - target, c(max(0, s - df), s - df + w), tol = 1e-10)$root
  add("NonCentralityInterval", v[[1]], list(stat = s, df = df, level = v[[4]]), list(lo = lo, hi = hi), 1e-9)
}

out <- sprintf('{"generator":"testdata/reference/stats_extremes.R",\n"command":"Rscript testdata/reference/stats_extremes.R",\n"versions":{"R":"%s.%s","survival":"%s"},\n"tolerance":"|got-want| <= atol + rtol*|want|, p-values by their logs",\n"cases":[\n%s\n]}\n',
  R.version$major, R.version$minor, packageVersion("survival"), paste(cases, collapse = ",\n"))
cat(out, file = "testdata/reference/stats_extremes.json")
cat(length(cases), nchar(out), "\n")
