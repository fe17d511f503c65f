package foreign

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// counts looks at how many measurements there are.
func (l *linter) counts(m argoMetric) {
	interval, count := m.has("interval"), m.has("count")
	n, read := m.limits["count"]
	switch {
	case !interval && !count:
		if m.provider != "job" && m.provider != "kayenta" {
			l.say(m, "", LevelWarning, "one-measurement", "Without count and interval there is one measurement, and it alone decides.", "Add an interval and a count.")
		}
	case !interval && read && n > 1:
		l.say(m, "count", LevelError, "no-interval", fmt.Sprintf("%d measurements without an interval are refused by Argo.", n), "Add an interval.")
	case !interval && read && n == 1 && m.judged():
		l.say(m, "count", LevelWarning, "one-measurement", "There is one measurement, and it alone decides.", "Raise count and add an interval.")
	case interval && !count:
		l.say(m, "interval", LevelInfo, "endless", "Without count the metric never completes: as a background analysis it is ended with the rollout and then Successful, as a step it never lets the rollout go on.", "Add a count where the template is used by a step.")
	}
}

// limits looks at how many failures and errors there may be.
func (l *linter) limits(m argoMetric) {
	failures, given := m.limits["failureLimit"]
	n := m.measurements()
	successes := m.limits["consecutiveSuccessLimit"]
	switch {
	case given && failures < 0 && successes <= 0:
		l.say(m, "failureLimit", LevelError, "failure-limit", "A negative failureLimit switches failures off; without a consecutiveSuccessLimit Argo refuses it, and nothing else could fail the metric.", "Set a failureLimit from 0 up, or a consecutiveSuccessLimit.")
	case given && n > 0 && max(failures, 0)+max(successes, 0) > n:
		l.say(m, "failureLimit", LevelError, "failure-limit", fmt.Sprintf("failureLimit and consecutiveSuccessLimit ask for more than the %s there are, which Argo refuses.", plural(n, "measurement")), "Raise count or lower the limits.")
	case given && n > 0 && failures == n:
		l.say(m, "failureLimit", LevelError, "failure-limit", fmt.Sprintf("%d failures are allowed and there are %s, so the metric is Successful even if all of them fail.", failures, plural(n, "measurement")), "Set failureLimit below count.")
	case !m.has("failureLimit") && (n > 1 || m.endless()) && m.judged():
		l.say(m, "", LevelInfo, "one-failure", "Without failureLimit the first bad measurement aborts the rollout; the more there are, the likelier one is bad by chance.", "Set a failureLimit.")
	}
	if slices.Contains(m.unread, "consecutiveErrorLimit") {
		return
	}
	errors := m.limit("consecutiveErrorLimit", 4)
	outage := time.Duration(errors) * 10 * time.Second
	if errors >= 0 && outage < 5*time.Minute {
		l.say(m, "consecutiveErrorLimit", LevelWarning, "error-limit", fmt.Sprintf("%s in a row abort the rollout, and after an error the next try comes 10 s later, whatever interval says: %s without the provider are enough.", plural(errors+1, "error"), formatDuration(outage)),
			"Set consecutiveErrorLimit to the outage you want to sit out, in steps of 10 s: 60 for 10m.")
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") {
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// times looks at when measurements are taken.
func (l *linter) times(m argoMetric) {
	if !m.judged() {
		return
	}
	if !m.has("initialDelay") {
		l.say(m, "", LevelInfo, "no-initial-delay", "The first measurement is taken at once, when the candidate has had no traffic and the query may still look at the time before.", "Set initialDelay to the window of the query, or more.")
	}
	if m.delay > 0 {
		l.say(m, "initialDelay", LevelInfo, "terminated-passes", fmt.Sprintf("A run that is ended before its first measurement, %s after its start, is Successful.", formatDuration(m.delay)), "Make the steps beside a background analysis last longer than that, or run it as a step.")
	}
}

func (l *linter) web(m argoMetric) {
	l.say(m, "provider", LevelWarning, "web-not-json", "Up to Argo Rollouts 1.9.1 an answer with status 2xx that is no JSON is Successful, whatever the conditions say: an error page of a proxy passes.", "Let the service answer with another status when it has no answer, or use a release after 1.9.1.")
}
