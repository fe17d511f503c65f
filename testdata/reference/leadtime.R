# Reference numbers for the reports of package leadtime: base R and the survival
# package that comes with it. The windows, cohorts and counts are worked out here
# once more, from sign-offs and durations in whole minutes.
#
# Run from the repository root:  Rscript testdata/reference/leadtime.R
# Writes testdata/reference/leadtime.json.
#
# Where R gives NA for a quantile, an upper bound, or a lower bound that is not
# reached, the file has "+Inf", "+Inf", and the end of follow-up.
suppressMessages(library(survival))
set.seed(20250601)

num <- function(v) {
  s <- formatC(v, digits = 17, width = 1, format = "g")
  s[is.na(v) | v == Inf] <- "\"+Inf\""
  s[!is.na(v) & v == -Inf] <- "\"-Inf\""
  s
}
json <- function(v) {
  if (is.list(v)) {
    return(paste0("{", paste0("\"", names(v), "\":", sapply(v, json), collapse = ","), "}"))
  }
  if (is.character(v)) return(paste0("\"", v, "\""))
  if (inherits(v, "AsIs")) return(paste0("[", paste(num(v), collapse = ","), "]"))
  num(v)
}
cases <- character()
add <- function(func, name, inp, want, rtol = 1e-8, atol = 1e-10) {
  cases <<- c(cases, paste0("  {\"name\":\"", name, "\",\"func\":\"", func, "\",\"in\":", json(inp),
    ",\"want\":", json(want), ",\"rtol\":", rtol, ",\"atol\":", atol, "}"))
}

# Releases: sign-off and duration in minutes since the origin; state 1 is served,
# 0 rejected.
draw <- function(n, span, meanlog = log(60 * 40), sdlog = 1, round_to = 1, rejected = 0.05) {
  list(signoff = sort(sample(span, n, replace = TRUE)),
       lead = pmax(0, round(rlnorm(n, meanlog, sdlog) / round_to) * round_to),
       state = as.integer(runif(n) >= rejected))
}

# What a report at as_of says of the window [since, until).
summarize <- function(name, d, as_of, since, until, cohort, sla, type = 7, level = 0.95, conf = "log") {
  end <- d$signoff + d$lead
  stop <- pmin(end, as_of)
  ended <- end <= as_of
  inside <- d$signoff <= as_of
  entry <- rep(0, length(end))
  if (cohort == "by_signoff") {
    inside <- inside & d$signoff >= since & d$signoff < until
  } else {
    inside <- inside & d$signoff < until & stop >= since
    late <- stop >= until
    stop[late] <- until
    ended[late] <- FALSE
    entry <- pmax(0, since - d$signoff)
  }
  out <- inside & ended & d$state == 0
  inside <- inside & !out
  time <- ((stop - d$signoff) / 60)[inside]
  event <- as.integer(ended[inside])
  entry <- (entry / 60)[inside]
  done <- time[event == 1]
  n <- length(done)
  open_ages <- time[event == 0]
  want <- list(n = n, in_flight = length(open_ages), excluded = sum(out),
               mean = mean(done))
  ci <- t.test(done, conf.level = level)$conf.int
  want$mean_lo <- ci[1]; want$mean_hi <- ci[2]
  for (p in c(0.5, 0.9)) {
    key <- paste0("p", 100 * p)
    want[[key]] <- unname(quantile(done, p, type = type))
    a <- (1 - level) / 2
    l <- qbinom(a, n, p)
    u <- qbinom(1 - a, n, p) + 1
    s <- sort(done)
    want[[paste0(key, "_lo")]] <- if (l < 1) -Inf else s[l]
    want[[paste0(key, "_hi")]] <- if (u > n) Inf else s[u]
  }
  fit <- if (all(entry == 0)) survfit(Surv(time, event) ~ 1, conf.type = conf, conf.int = level)
         else survfit(Surv(entry, time, event) ~ 1, conf.type = conf, conf.int = level)
  q <- quantile(fit, c(0.5, 0.9))
  for (i in 1:2) {
    key <- c("km50", "km90")[i]
    want[[key]] <- unname(q$quantile[i])
    want[[paste0(key, "_lo")]] <- if (is.na(q$lower[i])) max(time) else unname(q$lower[i])
    want[[paste0(key, "_hi")]] <- unname(q$upper[i])
  }
  if (all(entry == 0)) {
    m <- summary(fit, rmean = max(time))$table
    want$rmst <- unname(m["rmean"])
    want$rmst_se <- unname(m["se(rmean)"])
  }
  met <- sum(done <= sla)
  total <- n + sum(open_ages > sla)
  want$met <- met; want$total <- total; want$pending <- sum(open_ages <= sla)
  w <- suppressWarnings(prop.test(met, total, correct = FALSE, conf.level = level))$conf.int
  b <- binom.test(met, total, conf.level = level)$conf.int
  want$wilson_lo <- w[1]; want$wilson_hi <- w[2]
  want$exact_lo <- b[1]; want$exact_hi <- b[2]
  want$below <- binom.test(met, total, 0.9, alternative = "less")$p.value
  at <- summary(fit, times = sla, extend = TRUE)
  want$within <- 1 - at$surv
  if (at$surv > 0) { # R has no band where the curve is 0
    want$within_lo <- 1 - at$upper
    want$within_hi <- 1 - at$lower
  }
  inp <- list(signoff = I(d$signoff), lead = I(d$lead), state = I(d$state), as_of = as_of, since = since,
              until = until, cohort = cohort, sla = sla, type = type, level = level, band = conf)
  add("Summarize", name, inp, want)
}
day <- 24 * 60
year <- draw(120, 365 * day)
summarize("second quarter, by completion", year, 400 * day, 90 * day, 181 * day, "by_completion", 72)
summarize("second quarter, by sign-off", year, 400 * day, 90 * day, 181 * day, "by_signoff", 72)
summarize("running quarter, by sign-off", year, 300 * day, 273 * day, 365 * day, "by_signoff", 72, type = 8)
summarize("running quarter, by completion, log-log", year, 300 * day, 273 * day, 365 * day, "by_completion", 48, conf = "log-log")
summarize("the whole year, level 0.9, plain", year, 365 * day, 0, 365 * day, "by_signoff", 96, type = 6, level = 0.9, conf = "plain")
slow <- draw(60, 30 * day, meanlog = log(60 * 200), sdlog = 0.7, rejected = 0)
summarize("most in flight", slow, 31 * day, 0, 32 * day, "by_signoff", 120, conf = "log-log")
ties <- draw(200, 100 * day, round_to = 12 * 60)
summarize("ties and zeros", ties, 90 * day, 0, 101 * day, "by_signoff", 36)
summarize("ties and zeros, late entries", ties, 90 * day, 60 * day, 101 * day, "by_completion", 36)

# --- Trend ----------------------------------------------------------------------
trend <- function(name, signoff, lead) {
  x <- (signoff + lead) / day
  y <- lead / 60
  exact <- length(y) < 50 && !anyDuplicated(x) && !anyDuplicated(y)
  r <- suppressWarnings(cor.test(x, y, method = "kendall", exact = exact, continuity = TRUE))
  pairs <- combn(length(y), 2)
  dx <- x[pairs[2, ]] - x[pairs[1, ]]
  slopes <- ((y[pairs[2, ]] - y[pairs[1, ]]) / dx)[dx != 0]
  add("Trend", name, list(signoff = I(signoff), lead = I(lead)),
      list(p = r$p.value, tau = unname(r$estimate), slope = 30 * median(slopes)))
}
falling <- draw(40, 200 * day, rejected = 0)
falling$lead <- round(falling$lead * seq(1.6, 0.6, length.out = 40))
trend("40 that fall", falling$signoff, falling$lead)
trend("120 in a year", year$signoff, year$lead)
trend("ties", ties$signoff, ties$lead)
trend("6 releases", c(0, 10, 20, 30, 40, 50) * day, c(900, 800, 850, 700, 600, 500))

# --- Two periods ----------------------------------------------------------------
improved <- function(name, now, then, target = 0.2) {
  shift <- suppressWarnings(wilcox.test(log(now), log(then), conf.int = TRUE, exact = TRUE))
  add("Improved", name, list(now = I(now), then = I(then), target = target),
      list(ratio = exp(unname(shift$estimate)), lo = exp(shift$conf.int[1]), hi = exp(shift$conf.int[2]),
           reduction = 1 - median(now) / median(then),
           reduction90 = 1 - unname(quantile(now, 0.9)) / unname(quantile(then, 0.9))))
}
improved("half the time", round(rlnorm(40, log(1000), 0.8)) + (1:40) / 100, round(rlnorm(45, log(2000), 0.8)) + (1:45) / 77)
improved("no change", round(rlnorm(20, log(1500), 1)) + (1:20) / 100, round(rlnorm(18, log(1500), 1)) + (1:18) / 77)

censored <- function(name, now, now_event, then, then_event, target = 0.2) {
  test <- function(factor) {
    time <- c(now, then * factor)
    g <- rep(1:2, c(length(now), length(then)))
    d <- survdiff(Surv(time, c(now_event, then_event)) ~ g)
    list(chisq = d$chisq, p = pchisq(d$chisq, 1, lower.tail = FALSE))
  }
  a <- test(1)
  b <- test(1 - target)
  km <- function(t, e) unname(quantile(survfit(Surv(t, e) ~ 1), 0.5)$quantile)
  add("Censored", name,
      list(now = I(now), now_event = I(now_event), then = I(then), then_event = I(then_event), target = target),
      list(chisq = a$chisq, p = a$p, chisq_beyond = b$chisq, p_beyond = b$p,
           reduction = 1 - km(now, now_event) / km(then, then_event)))
}
then <- round(rlnorm(60, log(4000), 0.8))
now <- round(rlnorm(50, log(1500), 0.8))
cut <- round(runif(50, 1000, 5000))
censored("a third, some in flight", pmin(now, cut), as.integer(now <= cut), then, rep(1L, 60))
now <- round(rlnorm(30, log(3800), 0.8))
cut <- round(runif(30, 1000, 9000))
censored("little, some in flight", pmin(now, cut), as.integer(now <= cut), then, rep(1L, 60))

# --- Rates of operational metrics -----------------------------------------------
pois <- function(name, n, days) {
  r <- poisson.test(n, days)
  add("Retraining", name, list(n = n, days = days), list(rate = unname(r$estimate), lo = r$conf.int[1], hi = r$conf.int[2]))
}
pois("none in a quarter", 0, 90)
pois("13 in a quarter", 13, 90)

out <- paste0("{\n \"generator\": \"testdata/reference/leadtime.R\",\n",
  " \"command\": \"Rscript testdata/reference/leadtime.R\",\n",
  " \"versions\": {\"R\": \"", as.character(getRversion()), "\", \"survival\": \"", as.character(packageVersion("survival")), "\"},\n",
  " \"tolerance\": \"atol + rtol*|want|\",\n \"cases\": [\n",
  paste(cases, collapse = ",\n"), "\n ]\n}\n")
cat(out, file = "testdata/reference/leadtime.json")
