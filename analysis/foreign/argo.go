package foreign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// foreverWindows is how many windows stand for a count over a whole rollout.
const foreverWindows = 100

// argo reads analysis templates and rollouts of Argo Rollouts.
func (in *importer) argo(docs []object) {
	in.out.title = "analyses of Argo Rollouts"
	rollouts := 0
	for _, d := range docs {
		switch {
		case isArgoTemplate(d):
			in.argoTemplate(d)
		case kindOf(d) == Argo:
			if rollouts++; rollouts > 1 {
				in.fault(d.node, "a second Rollout starts here; a policy is for one")
				continue
			}
			in.argoRollout(d)
		default:
			d.dropDocument("not a part of an analysis or a rollout of Argo")
		}
	}
}

func (in *importer) argoTemplate(d object) {
	d.note("apiVersion", Mapped, "read as version v1alpha1")
	d.note("kind", Mapped, "each metric becomes a check")
	d.drop("a policy has no labels and no names of templates", "metadata")
	d.drop("the outcome of a past run", "status")
	t := readArgoTemplate(d)
	for _, a := range t.objects("args") {
		switch {
		case a.has("value"):
			a.note("name", Mapped, "the value is filled in where the argument is used")
			a.note("value", Mapped, "filled in where the argument is used")
		default:
			a.drop("given when a run starts; a policy has no arguments", "name")
		}
		a.drop("secrets and fields belong to the provider of the metrics", "valueFrom")
	}
	t.drop("a policy keeps what a decision rests on, see its records", "measurementRetention", "ttlStrategy")
	t.drop("put the templates it names into the same file, to have their metrics, too", "templates")
	t.drop("a run is ended by the controller", "terminate")
	metrics := t.objects("metrics")
	for _, e := range t.dry {
		switch {
		case e.form == nil:
			e.note("metricName", Dropped, "%q is not a regular expression", shorten(e.pattern))
		case slices.ContainsFunc(metrics, func(m object) bool { return e.form.MatchString(m.peek("name")) }):
			e.note("metricName", Mapped, "the checks of the metrics that match are muted")
		default:
			e.note("metricName", Dropped, "no metric of this template has such a name")
		}
	}
	for _, o := range metrics {
		in.argoMetric(t.metric(o), t.name)
	}
}

func (in *importer) argoMetric(m argoMetric, template string) {
	m.drop("how a number is fetched is no part of a policy: it belongs to the provider of the metric", "provider")
	m.drop("a controller looks when the provider has data; data that cannot be there yet are no failure", "initialDelay")
	m.drop("a gauge passes look by look; minimum times stand in the stages", "consecutiveSuccessLimit")
	if !m.judged() {
		m.drop(fmt.Sprintf("the provider %s decides by itself; %s", m.provider, map[string]string{
			"kayenta": "import its canary config", "job": "report what the job measures as a metric"}[m.provider]), "name")
		m.drop("no check is made of this metric", append(argoLimits, "interval", "successCondition", "failureCondition")...)
		return
	}
	checks := argoChecks(m)
	if len(checks) == 0 {
		why := "no check is made of this metric, because no limit can be read from its conditions"
		if !m.success.given() && !m.failure.given() {
			why = "the metric has no condition: every measurement is Successful, so there is nothing to check"
		}
		m.drop(why, append(argoLimits, "name", "interval")...)
		return
	}
	base := in.unique(m.name)
	if base != m.name {
		m.note("name", Approximated, "the metric is called %s, since names of metrics are unique and printable", base)
	} else {
		m.note("name", Mapped, "the name of the gauge that a provider has to bring")
	}
	several := slices.ContainsFunc(checks, func(c check) bool { return c.of != checks[0].of })
	names := map[string]string{}
	for i := range checks {
		c := &checks[i]
		value := c.of
		if names[value] == "" {
			names[value] = base
			if several {
				names[value] = in.unique(base + strings.TrimPrefix(value, "result"))
			}
		}
		c.of = names[value]
		if value != "result" && value != "result[0]" {
			c.comments = append(c.comments, fmt.Sprintf("%s stands for %s.", c.of, value))
		}
	}
	checks[0].comments = slices.Concat(argoStory(m, template), checks[0].comments)
	argoCounts(m, checks)
	for _, c := range checks {
		if dividesCounters(m.query) {
			c.better = ratioFor(c)
			m.source.note("query", Approximated, "it divides counters: a guardrail of the two counts knows their noise, which a gauge does not; the policy has it as a comment")
		}
		in.add(c)
	}
}

// argoStory says in comments where a check comes from.
func argoStory(m argoMetric, template string) []string {
	at := fmt.Sprintf("Line %d: metric %s of %s", m.line(), m.name, cmp.Or(template, "the template"))
	for _, c := range []argoCondition{m.success, m.failure} {
		if c.given() {
			at += fmt.Sprintf("; %s: %s", c.key, c.text)
		}
	}
	out := []string{at}
	if m.query != "" {
		out = append(out, "query: "+shortQuery(m.query))
	}
	return out
}

// argoChecks makes gauges of the conditions, named by the value they look at.
func argoChecks(m argoMetric) []check {
	var out []check
	put := func(l limit, rollback bool) {
		dir := map[bool]string{true: "lower", false: "higher"}[l.low]
		i := slices.IndexFunc(out, func(c check) bool { return c.of == l.value && c.direction == dir })
		if i < 0 {
			i = len(out)
			out = append(out, check{of: l.value, direction: dir})
		}
		at := &out[i].bounds.pause
		if rollback {
			at = &out[i].bounds.rollback
		}
		if *at == "" || l.low == (l.bound < parseFloat(*at)) {
			*at = formatFloat(l.bound)
		}
		if l.beside && !slices.Contains(out[i].comments, besides) {
			out[i].comments = append(out[i].comments, besides)
		}
	}
	for _, c := range []argoCondition{m.failure, m.success} {
		if !c.given() {
			continue
		}
		success := c.key == "successCondition"
		r, ok := reading{}, false
		if c.expr != nil {
			r, ok = readLimits(c.expr, success)
		}
		if !ok {
			m.drop("it could not be read as limits of numbers", c.key)
			continue
		}
		fate, text := Mapped, "a bound of the gauge; a single breach holds the rollout, as many as the failure limit says take the candidate out"
		if success && m.failure.given() {
			text = "a value that is neither a success nor a failure pauses"
		}
		for _, odd := range []struct {
			is  bool
			why string
		}{
			{r.absent, "it also holds when there is no value; a policy waits for one"},
			{r.fallback, "its default for a missing value is left out; a policy waits for a value"},
			{r.worst, "it is asked of every series; the gauge has to be the worst of them"},
		} {
			if odd.is {
				fate, text = Approximated, text+"; "+odd.why
			}
		}
		m.note(c.key, fate, "%s", text)
		for _, l := range r.limits {
			put(l, !success || !m.failure.given())
		}
	}
	for i := range out {
		b := &out[i].bounds
		if b.pause != "" && b.rollback != "" && (parseFloat(b.pause) == parseFloat(b.rollback) || (out[i].direction == "lower") != (parseFloat(b.pause) < parseFloat(b.rollback))) {
			b.pause = "" // where both hold a failure wins
		}
	}
	return out
}

// argoCounts takes over how many measurements decide.
func argoCounts(m argoMetric, checks []check) {
	limit, n := m.limit("failureLimit", 0), m.measurements()
	k := limit + 1
	if n == 0 {
		n = foreverWindows
		if k == 1 {
			n = 1
		}
	}
	muted, fate, why := "", Approximated, "%s of %s take the candidate out; they need not lie in one run, and %d of them have to be there before the check can pass"
	switch {
	case m.dry:
		muted = "The metric is a dry run, so the check is muted."
	case limit < 0 || m.measurements() > 0 && limit >= m.measurements():
		muted = "The failure limit lets every measurement fail, so the check is muted."
		fate, why = Mapped, "it lets every measurement fail, so the check is muted; its rule would be %s of %s, with the first %d before it can pass"
		k = 1
	}
	k = min(k, 1000)
	n = min(max(n, k), 1000)
	for i := range checks {
		c := &checks[i]
		c.k, c.n, c.muted = k, n, muted != ""
		if v, ok := m.limits["consecutiveErrorLimit"]; ok && v >= 0 {
			c.outage = uint64(v) + 1
		}
	}
	if muted != "" {
		checks[0].comments = append(checks[0].comments, muted)
	}
	if m.interval > 0 {
		checks[0].comments = append(checks[0].comments, "The provider has to bring a window every "+formatDuration(m.interval)+".")
	}
	for _, key := range m.unread {
		m.note(key, Approximated, "its argument has no value in the file; what Argo takes without the key was taken")
	}
	known := func(key string, s Severity, why string, args ...any) {
		if !slices.Contains(m.unread, key) {
			m.note(key, s, why, args...)
		}
	}
	known("interval", Approximated, "kept as a comment: the provider of the metric sets its windows")
	known("count", Approximated, "the number of windows among which breaches count; a policy does not end by itself")
	known("failureLimit", fate, why, plural(k, "breach"), plural(n, "window"), k)
	known("inconclusiveLimit", Approximated, "breaches of the pause bound count by the same rule as those of the rollback bound")
	known("consecutiveErrorLimit", Approximated, "after as many looks without the provider the rollout pauses; Argo takes the candidate out, although an outage is no harm. Write then: rollback to have that")
}

// ratioFor is the guardrail of counts that a gauge of their ratio stands for.
func ratioFor(c check) string {
	r := check{metric: "ratio", of: c.of, direction: c.direction, bounds: c.bounds}
	for _, b := range []*string{&r.bounds.pause, &r.bounds.rollback} {
		if v := parseFloat(*b); *b != "" && v > 1 && v <= 100 { // in percent
			*b = formatFloat(v) + "%"
		}
	}
	return r.String()
}
