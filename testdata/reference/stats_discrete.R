# Reference numbers from R for the tests, intervals and plans on counts in package
# stats.
#
# Run from the repository root:  Rscript testdata/reference/stats_discrete.R
# Writes testdata/reference/stats_discrete_r.json.

cases <- character(0)
counter <- list()

num <- function(x) {
  if (is.nan(x)) return('"NaN"')
  if (is.infinite(x)) return(if (x > 0) '"+Inf"' else '"-Inf"')
  sprintf("%.17g", x)
}
value <- function(x) {
  if (is.matrix(x)) return(paste0("[", paste(apply(x, 1, value), collapse = ","), "]"))
  if (inherits(x, "scalar")) return(value(unclass(x)))
  one <- if (is.character(x)) sprintf('"%s"', x) else if (is.logical(x)) tolower(as.character(x)) else vapply(x, num, "")
  if (length(one) == 1 && !isTRUE(attr(x, "list"))) one else paste0("[", paste(one, collapse = ","), "]")
}
vec <- function(x) structure(x, list = TRUE)
object <- function(l) paste0("{", paste(sprintf('"%s":%s', names(l), vapply(l, value, "")), collapse = ","), "}")
add <- function(func, given, want, rtol = 1e-10, atol = 0) {
  k <- if (is.null(counter[[func]])) 1 else counter[[func]] + 1
  counter[[func]] <<- k
  cases[[length(cases) + 1]] <<- sprintf('{"name":"R-%s-%d","func":"%s","in":%s,"want":%s,"rtol":%g,"atol":%g}',
    func, k, func, object(given), object(want), rtol, atol)
}

for (df in c(1, 4, 63, 1023)) for (x in c(0.5, df, df + 8 * sqrt(2 * df), 900, 1300, 10000)) {
  lp <- pchisq(x, df, lower.tail = FALSE, log.p = TRUE)
  add("LogChiSquareTail", list(x = x, df = df), list(logp = lp), 1e-12, 1e-12)
  if (lp > -690) add("ChiSquareTail", list(x = x, df = df), list(p = pchisq(x, df, lower.tail = FALSE)), 1e-12)
}
for (df in c(1, 9, 200)) for (p in c(0.9, 0.05, 1e-8, 1e-200))
  add("ChiSquareQuantile", list(p = p, df = df), list(x = qchisq(p, df, lower.tail = FALSE)), 1e-11)
for (z in c(-5, 0, 2, 10, 37, 40)) add("LogNormalTail", list(z = z), list(logp = pnorm(z, lower.tail = FALSE, log.p = TRUE)), 1e-13)
for (df in c(1, 9, 63)) for (ncp in c(1, 30, 1000, 60000)) for (k in c(-2, 1, 3)) {
  x <- df + ncp + k * sqrt(2 * (df + 2 * ncp))
  if (x <= 0) next
  add("NonCentralChiSquareCDF", list(x = x, df = df, ncp = ncp), list(p = pchisq(x, df, ncp)), 1e-7, 1e-11)
  add("NonCentralChiSquareTail", list(x = x, df = df, ncp = ncp), list(p = pchisq(x, df, ncp, lower.tail = FALSE)), 1e-6, 1e-10)
}
# The equal-tailed interval of the non-centrality, by root finding on pchisq.
for (s in list(c(30, 9), c(9, 9), c(2, 9), c(100, 1), c(1500, 1023), c(17.1, 9), c(0.5, 9))) {
  alpha <- 0.05
  lo <- hi <- 0
  if (pchisq(s[1], s[2], lower.tail = FALSE) < alpha / 2)
    lo <- uniroot(function(l) pchisq(s[1], s[2], l, lower.tail = FALSE) - alpha / 2, c(0, s[1]), tol = 1e-12)$root
  if (pchisq(s[1], s[2]) > alpha / 2)
    hi <- uniroot(function(l) pchisq(s[1], s[2], l) - alpha / 2, c(0, 10 * s[1] + 50), tol = 1e-12)$root
  add("NonCentralityInterval", list(stat = s[1], df = s[2], level = 1 - alpha), list(lo = lo, hi = hi, point = max(0, s[1] - s[2])), 1e-8)
}

for (v in list(c(0, 1), c(3, 1), c(100, 2.5), c(12, 1e6), c(0, 50), c(1e6, 1e4))) for (level in c(0.95, 0.999)) {
  r <- poisson.test(v[1], v[2], conf.level = level)$conf.int
  add("PoissonRate", list(events = v[1], exposure = v[2], level = level), list(lo = r[1], hi = r[2], point = v[1] / v[2]), 1e-11)
}
for (x in c(1e7, 1e9)) {
  tail <- 5e-10
  add("PoissonRate", list(events = x, exposure = 1, level = 1 - 2 * tail),
    list(lo = qgamma(tail, x), hi = qgamma(tail, x + 1, lower.tail = FALSE)), 1e-11)
}
for (v in list(c(11, 800, 24, 1000), c(0, 10, 3, 20), c(5, 1, 0, 1), c(1000, 5e5, 900, 5e5), c(1, 1e6, 1, 3e6), c(30, 100, 30, 100))) {
  r <- poisson.test(c(v[1], v[3]), c(v[2], v[4]))
  add("RateRatio", list(x1 = v[1], t1 = v[2], x2 = v[3], t2 = v[4], level = 0.95),
    list(lo = r$conf.int[1], hi = r$conf.int[2], logp = log(min(1, r$p.value))), 1e-9, 1e-9)
}
for (v in list(c(3, 10), c(0, 40), c(40, 40), c(17, 1000), c(2, 3000000))) {
  r <- binom.test(v[1], v[2])$conf.int
  add("ClopperPearson", list(x = v[1], n = v[2], level = 0.95), list(lo = r[1], hi = r[2]), 1e-9)
  r <- suppressWarnings(prop.test(v[1], v[2], correct = FALSE))$conf.int
  add("Wilson", list(x = v[1], n = v[2], level = 0.95), list(lo = max(r[1], 0), hi = min(r[2], 1)), 1e-9, 1e-12)
}
words <- c(two.sided = "different", greater = "greater", less = "less")
for (v in list(c(3, 10, 0.2), c(682, 925, 0.75), c(0, 25, 0.01), c(4980, 10000, 0.5), c(120, 100000, 0.001))) for (alt in names(words)) {
  p <- binom.test(v[1], v[2], v[3], alternative = alt)$p.value
  add("BinomialTest", list(x = v[1], n = v[2], p = v[3], alternative = words[[alt]], midp = FALSE), list(logp = log(p)), 1e-9, 1e-10)
}
for (m in list(c(30, 60, 45, 45), c(3, 1, 1, 3), c(10, 2, 3, 15), c(0, 6, 3, 3), c(200, 9800, 150, 9900), c(7, 0, 2, 9), c(3000, 200000, 3300, 201000))) {
  tab <- matrix(m, 2, byrow = TRUE)
  for (alt in names(words)) {
    p <- fisher.test(tab, alternative = alt)$p.value
    add("FisherExact", list(a = m[1], b = m[2], c = m[3], d = m[4], alternative = words[[alt]], midp = FALSE), list(logp = log(p)), 1e-7, 1e-7)
  }
  r <- fisher.test(tab)
  add("ConditionalOddsRatio", list(a = m[1], b = m[2], c = m[3], d = m[4], level = 0.95),
    list(lo = r$conf.int[1], hi = r$conf.int[2], point = unname(r$estimate)), 0.02)
}
for (m in list(rbind(c(762, 327, 468), c(484, 239, 477)), rbind(c(12, 5), c(7, 7)), rbind(c(1, 2, 3, 4), c(4, 3, 2, 1), c(9, 9, 9, 9)))) {
  r <- suppressWarnings(chisq.test(m, correct = FALSE))
  add("ContingencyTable", list(table = m, lr = FALSE, yates = FALSE),
    list(statistic = unname(r$statistic), df = unname(r$parameter), p = r$p.value), 1e-11)
}
for (p in list(c(0.01, 0.02, 0.03, 0.04, 0.05), c(0.9, 0.001, 0.02, 0.02, 1, 0), c(1e-300, 1e-10, 0.2))) {
  for (f in list(c("Bonferroni", "bonferroni"), c("Holm", "holm"), c("BenjaminiHochberg", "BH"), c("BenjaminiYekutieli", "BY")))
    add(f[1], list(p = vec(p)), list(adjusted = vec(p.adjust(p, f[2]))), 1e-12)
}
for (v in list(c(0.1, 0.12, 2000), c(0.5, 0.45, 800), c(0.01, 0.02, 1500))) {
  r <- power.prop.test(n = v[3], p1 = v[1], p2 = v[2], strict = TRUE)
  add("Power", list(design = "proportions", base = v[1], ratio = 1, effect = v[2] - v[1], n = v[3], alpha = 0.05, alternative = "different"),
    list(power = r$power), 1e-9)
  n <- ceiling(power.prop.test(p1 = v[1], p2 = v[2], power = 0.8, strict = TRUE, tol = 1e-10)$n)
  add("SampleSize", list(design = "proportions", base = v[1], ratio = 1, effect = v[2] - v[1], alpha = 0.05, alternative = "different", power = 0.8),
    list(n = n), 0)
}

out <- sprintf('{"generator":"testdata/reference/stats_discrete.R",\n"command":"Rscript testdata/reference/stats_discrete.R",\n"versions":{"R":"%s.%s"},\n"tolerance":"relative (rtol) plus absolute (atol) difference; fisher.test finds the ends of its interval to about 1 percent",\n"cases":[\n%s\n]}\n',
  R.version$major, R.version$minor, paste(cases, collapse = ",\n"))
cat(out, file = "testdata/reference/stats_discrete_r.json")
cat(length(cases), nchar(out), "\n")
