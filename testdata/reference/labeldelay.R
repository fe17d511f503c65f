# Reference numbers for package analysis/labeldelay: Kaplan-Meier curves of label
# delays by survival::survfit, with quantiles. Delays are from a few values, each
# alone in its cell, so that cells cost nothing.
#
# Run: Rscript testdata/reference/labeldelay.R   (from the root)
suppressMessages(library(survival))
set.seed(20010301)
num <- function(x) {
  if (is.character(x)) return(paste0('"', x, '"'))
  ifelse(is.na(x), '"+Inf"', formatC(x, digits = 17, format = "g"))
}
arr <- function(x) paste0("[", paste(num(x), collapse = ", "), "]")
cases <- character(0)
one <- function(name, n, mean_days, never, window, level = 0.95) {
  day <- 86400
  delay <- ceiling(rexp(n, 1 / mean_days)) * day
  delay[runif(n) < never] <- Inf
  age <- sample(seq(0.5, window, by = 0.5), n, replace = TRUE) * day
  event <- delay <= age
  time <- pmin(delay, age)
  fit <- survfit(Surv(time, event) ~ 1, conf.int = level, conf.type = "log")
  k <- fit$n.event > 0
  q <- quantile(fit, probs = c(0.25, 0.5, 0.75))
  low <- ifelse(is.na(fit$lower[k]), 0, fit$lower[k])
  cases <<- c(cases, paste0(
    '{"name": "', name, '", "func": "Curve", "in": {"time": ', arr(time), ', "event": ', arr(as.integer(event)), ', "level": ', num(level),
    '}, "want": {"time": ', arr(fit$time[k]), ', "risk": ', arr(fit$n.risk[k]), ', "surv": ', arr(fit$surv[k]),
    ', "lower": ', arr(low), ', "upper": ', arr(fit$upper[k]),
    ', "q": ', arr(q$quantile), ', "q_lower": ', arr(q$lower), ', "q_upper": ', arr(q$upper), '}, "rtol": 1e-9, "atol": 1e-12}'))
}
one("all arrive", 200, 3, 0, 30)
one("a tenth never", 300, 5, 0.1, 40)
one("most never", 150, 4, 0.7, 25, 0.9)
one("young log", 250, 20, 0.05, 10)
writeLines(paste0(
  '{"generator": "testdata/reference/labeldelay.R", "command": "Rscript testdata/reference/labeldelay.R", "versions": {"R": "', R.version$major, ".", R.version$minor,
  '", "survival": "', packageVersion("survival"), '"}, "tolerance": "rounding only", "cases": [\n', paste(cases, collapse = ",\n"), "\n]}"),
  "testdata/reference/labeldelay.json")
