# Reference numbers for survival curves, quantile types, rank shifts and trends
# in package stats: base R and the survival package that comes with it.
#
# Run from the repository root:  Rscript testdata/reference/stats_survival.R
# Writes testdata/reference/stats_survival.json.
#
# Samples are lists. For survival an entry of 0 is no late entry. NA, which R
# gives for a quantile or bound that is not reached, is written as "+Inf".
suppressMessages(library(survival))
set.seed(20240301)

num <- function(v) {
  s <- formatC(v, digits = 17, width = 1, format = "g")
  s[is.na(v) | v == Inf] <- "\"+Inf\""
  s[!is.na(v) & v == -Inf] <- "\"-Inf\""
  s
}
json <- function(v) {
  if (is.list(v)) {
    if (is.null(names(v))) return(paste0("[", paste(sapply(v, json), collapse = ","), "]"))
    return(paste0("{", paste0("\"", names(v), "\":", sapply(v, json), collapse = ","), "}"))
  }
  if (is.character(v)) return(paste0("\"", v, "\""))
  if (is.logical(v) && !anyNA(v)) return(tolower(as.character(v)))
  if (inherits(v, "AsIs") || length(v) != 1) return(paste0("[", paste(num(v), collapse = ","), "]"))
  num(v)
}
cases <- character()
add <- function(func, name, inp, want, rtol = 1e-10, atol = 1e-12) {
  cases <<- c(cases, paste0("  {\"name\":\"", name, "\",\"func\":\"", func, "\",\"in\":", json(inp),
    ",\"want\":", json(want), ",\"rtol\":", rtol, ",\"atol\":", atol, "}"))
}

# --- Quantile types -----------------------------------------------------------
quant <- function(name, x, probs) {
  want <- lapply(1:9, function(t) I(unname(quantile(x, probs, type = t))))
  names(want) <- paste0("type", 1:9)
  add("Quantiles", name, list(x = I(x), probs = I(probs)), want)
}
some <- c(0, 0.1, 0.25, 0.33, 0.5, 0.75, 0.9, 0.95, 0.99, 1)
quant("one value", 4.2, some)
quant("two values", c(1, 2), some)
quant("ten", c(2, 5, 7, 9, 12, 18, 24, 30, 49, 120), some)
quant("ties", c(3, 1, 1, 2, 2, 2, 5), some)
quant("37 normal", round(rnorm(37), 3), some)
quant("100 exponential", round(rexp(100), 3), some)
quant("huge and tiny", c(1e-300, 1e300, -1e300, 0, 1), some)
quant("2001 in order", 1:2001, c(0.001, 0.5, 0.9, 0.999))

# --- Hodges-Lehmann -----------------------------------------------------------
shift <- function(name, x, y, level = 0.95, exact = FALSE) {
  inp <- list(x = I(x), y = I(y), level = level, exact = exact)
  w <- suppressWarnings(wilcox.test(x, y, conf.int = TRUE, conf.level = level, exact = exact, correct = TRUE))
  want <- list(point = unname(w$estimate), lo = w$conf.int[1], hi = w$conf.int[2])
  if (!exact) {
    f <- suppressWarnings(wilcox.test(x, y, conf.int = TRUE, conf.level = level, exact = FALSE, correct = TRUE, tol.root = 1e-13))
    want <- c(want, list(fine_point = median(outer(x, y, "-")), fine_lo = f$conf.int[1], fine_hi = f$conf.int[2]))
  }
  add("HodgesLehmann", name, inp, want, 1e-10, 1e-10)
}
shift("permeability", c(0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46), c(1.15, 0.88, 0.9, 0.74, 1.21), exact = TRUE)
shift("exact 20 by 15", round(rnorm(20), 6), round(rnorm(15, 1), 6), 0.99, exact = TRUE)
shift("exact 49 by 40", round(rnorm(49), 6), round(rnorm(40, 0.2), 6), 0.9, exact = TRUE)
shift("exact no overlap", c(101.5, 102.25, 103.75, 104.125), c(1, 2, 3.5, 4.75, 6), exact = TRUE)
shift("four by four", c(10, 20, 30, 40), c(1, 2, 3, 4))
shift("60 by 70", round(rnorm(60), 3), round(rnorm(70, 0.5), 3))
shift("ties", sample(0:5, 80, TRUE), sample(1:6, 60, TRUE))
shift("mostly ties", rep(c(0, 1), c(95, 5)), rep(c(0, 1), c(80, 20)), 0.98)
shift("small scale", round(rnorm(50, 0, 1e-5), 9), round(rnorm(50, 1e-5, 1e-5), 9))
shift("300 by 200", round(rexp(300), 4), round(rexp(200, 0.8), 4), 0.99)

# --- Kaplan-Meier ---------------------------------------------------------------
km <- function(name, time, event, entry = rep(0, length(time)), tau, level = 0.95, probs = c(0.1, 0.25, 0.5, 0.75, 0.9)) {
  late <- any(entry > 0)
  y <- if (late) Surv(entry, time, event) else Surv(time, event)
  for (type in c("log", "log-log", "plain")) {
    f <- survfit(y ~ 1, conf.type = type, conf.int = level)
    hit <- f$n.event > 0
    q <- quantile(f, probs)
    rm <- survival:::survmean(f, rmean = tau)$matrix
    alive <- f$surv[hit] > 0
    add("KaplanMeier", paste(name, type),
      list(time = I(time), event = I(as.integer(event)), entry = I(entry), level = level, band = type, tau = tau, probs = I(probs)),
      list(t = I(f$time[hit]), risk = I(f$n.risk[hit]), d = I(f$n.event[hit]), surv = I(f$surv[hit]),
        se = I(ifelse(alive, (f$std.err * f$surv)[hit], 0)),
        lo = I(ifelse(alive, f$lower[hit], 0)), hi = I(ifelse(alive, f$upper[hit], Inf)),
        quantile = I(unname(q$quantile)), qlo = I(unname(q$lower)), qhi = I(unname(q$upper)),
        rmean = unname(rm["rmean"]), rse = unname(rm["se(rmean)"])), 1e-9, 1e-10)
  }
}
m <- subset(aml, x == "Maintained"); n <- subset(aml, x == "Nonmaintained")
km("aml maintained", m$time, m$status, tau = 48)
km("aml nonmaintained", n$time, n$status, tau = 40)
km("flat at the level", c(9, 1, 1, 6, 6, 8, 10), c(1, 1, 0, 1, 1, 0, 0), tau = 8, probs = c(1 / 14, 1 / 7, 1 / 3, 0.5, 0.9))
km("none censored", c(1, 2, 3, 4), c(1, 1, 1, 1), tau = 3)
km("in flight", c(0.3, 0.5, 0.9, 1.2, 1.8, 2.5, 3.1, 4, 6, 8, 9, 12), c(1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0), tau = 7, level = 0.9)
km("one event", c(5, 7, 9), c(0, 1, 0), tau = 8)
km("one observation", 3, 1, tau = 2)
ties <- ceiling(rexp(200, 0.1)); cens <- ceiling(rexp(200, 0.05))
km("200 with ties", pmin(ties, cens), as.integer(ties <= cens), tau = 15)
km("late entry", c(4, 7, 9, 12, 15, 15, 20, 22), c(1, 0, 1, 1, 1, 0, 1, 0), entry = c(0, 0, 2, 3, 1, 5, 0, 9), tau = 18)

# --- Log-rank -------------------------------------------------------------------
logrank <- function(name, time, event, group) {
  d <- survdiff(Surv(time, event) ~ group)
  df <- sum(d$exp > 0) - 1
  add("LogRank", name, list(time = I(time), event = I(as.integer(event)), group = I(group)),
    list(chisq = d$chisq, df = df, logp = pchisq(d$chisq, df, lower.tail = FALSE, log.p = TRUE),
      obs = I(d$obs), exp = I(d$exp)), 1e-9, 1e-11)
}
logrank("aml", aml$time, aml$status, as.integer(aml$x == "Nonmaintained"))
logrank("ties", c(1, 1, 2, 2, 3, 3, 4, 4), c(1, 1, 1, 0, 1, 1, 0, 1), c(0, 1, 0, 1, 0, 1, 0, 1))
g <- rep(0:2, each = 40); t3 <- ceiling(rexp(120, c(0.1, 0.12, 0.2)[g + 1])); c3 <- ceiling(rexp(120, 0.05))
logrank("three groups", pmin(t3, c3), as.integer(t3 <= c3), g)
logrank("five groups of veteran", head(veteran$time, 100), head(veteran$status, 100), (seq_len(100) * 7) %% 5)
logrank("two observations", c(1, 2), c(1, 1), c(0, 1))
logrank("far apart", c(1:900, 2000 + 1:900), rep(1, 1800), rep(0:1, each = 900))
logrank("one group never at risk", c(1, 1, 5, 6, 7), c(0, 0, 1, 1, 0), c(0, 0, 1, 2, 1))

# --- Kendall and Mann-Kendall ---------------------------------------------------
kendall <- function(name, t, v, exact) {
  n <- length(t)
  s <- 0
  for (i in seq_len(n - 1)) s <- s + sum(sign(t[(i + 1):n] - t[i]) * sign(v[(i + 1):n] - v[i]))
  tt <- table(t); tv <- table(v)
  var <- (n * (n - 1) * (2 * n + 5) - sum(tt * (tt - 1) * (2 * tt + 5)) - sum(tv * (tv - 1) * (2 * tv + 5))) / 18 +
    sum(tt * (tt - 1)) * sum(tv * (tv - 1)) / (2 * n * (n - 1))
  if (n > 2) var <- var + sum(tt * (tt - 1) * (tt - 2)) * sum(tv * (tv - 1) * (tv - 2)) / (9 * n * (n - 1) * (n - 2))
  want <- list(S = s, var = var, tau = suppressWarnings(cor(t, v, method = "kendall")))
  for (alt in c("two.sided", "less", "greater")) {
    ct <- suppressWarnings(cor.test(t, v, method = "kendall", alternative = alt, exact = exact, continuity = TRUE))
    logp <- log(ct$p.value)
    if (!exact) {
      logp <- switch(alt,
        two.sided = min(0, log(2) + pnorm((abs(s) - 1) / sqrt(var), lower.tail = FALSE, log.p = TRUE)),
        less = pnorm((s + 1) / sqrt(var), log.p = TRUE),
        greater = pnorm((s - 1) / sqrt(var), lower.tail = FALSE, log.p = TRUE))
      # R corrects towards 0 in one-sided tests too, whatever the alternative;
      # the two agree when S points the way of the alternative.
      if (alt == "two.sided" && s != 0 || alt == "less" && s < 0 || alt == "greater" && s > 0)
        stopifnot(ct$p.value < 1e-14 || abs(logp - log(ct$p.value)) < 1e-8)
    }
    want[[paste0("logp_", alt)]] <- logp
  }
  add("MannKendall", name, list(t = I(t), v = I(v), exact = exact), want, 1e-9, 1e-10)
}
kendall("falling quarters", 1:8, c(100, 96, 98, 90, 85, 88, 80, 75), TRUE)
kendall("falling quarters, normal", 1:8, c(100, 96, 98, 90, 85, 88, 80, 75), FALSE)
kendall("monotone 4", 1:4, 1:4, TRUE)
kendall("two points", 1:2, c(5, 3), TRUE)
kendall("hollander wolfe", c(44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1), c(2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8), TRUE)
kendall("monotone 49", 1:49, 49:1, TRUE)
kendall("tied values", 1:40, sample(0:4, 40, TRUE), FALSE)
kendall("tied both", rep(1:12, each = 3), sample(0:5, 36, TRUE), FALSE)
kendall("60 normal", 1:60, round(rnorm(60) + (1:60) / 30, 3), FALSE)
kendall("monotone 1200", 1:1200, 1:1200, FALSE)
kendall("no trend 1000", 1:1000, ((1:1000) * 389) %% 1009, FALSE)

v <- c(paste0("\"R\": \"", getRversion(), "\""), paste0("\"survival\": \"", packageVersion("survival"), "\""))
writeLines(c("{", " \"generator\": \"testdata/reference/stats_survival.R\",",
  " \"command\": \"Rscript testdata/reference/stats_survival.R\",",
  paste0(" \"versions\": {", paste(v, collapse = ", "), "},"),
  " \"tolerance\": \"atol + rtol*|want|; on logp the absolute part is the relative error of p\",",
  " \"cases\": [", paste(cases, collapse = ",\n"), " ]", "}"), "testdata/reference/stats_survival.json")
cat(length(cases), "cases\n")
