package foreign

import (
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// flagger reads Canaries and the MetricTemplates that they name.
func (in *importer) flagger(docs []object) {
	in.out.title = "a Canary of Flagger"
	templates := map[string]object{}
	for _, d := range docs {
		if kindOf(d) == Flagger && d.peek("kind") == "MetricTemplate" {
			templates[d.object("metadata").text("name")] = d
			flaggerTemplate(d)
		}
	}
	canaries := 0
	for _, d := range docs {
		switch {
		case kindOf(d) != Flagger:
			d.dropDocument("not a part of a canary of Flagger")
		case d.peek("kind") == "Canary":
			if canaries++; canaries > 1 {
				in.fault(d.node, "a second Canary starts here; a policy is for one")
				continue
			}
			in.flaggerCanary(d, templates)
		}
	}
}

func flaggerTemplate(d object) {
	d.note("apiVersion", Mapped, "read as version v1beta1")
	d.note("kind", Mapped, "the query stands in a comment")
	d.drop("says nothing about the judgement", "metadata", "status")
	spec := d.object("spec")
	spec.note("query", Approximated, "a comment at the check: a policy names the metric, and a provider brings it")
	spec.drop("how a number is fetched is no part of a policy", "provider")
}

func (in *importer) flaggerCanary(d object, templates map[string]object) {
	d.note("apiVersion", Mapped, "read as version v1beta1")
	d.note("kind", Mapped, "metrics become gauges, weights stages")
	in.metadata(d)
	d.drop("the outcome of a past rollout", "status")
	spec := d.object("spec")
	spec.drop("what is deployed and how it gets traffic, not how it is judged", "provider", "targetRef", "autoscalerRef", "ingressRef", "routeRef", "upstreamRef", "service", "revertOnDeletion", "suspend")
	spec.drop("where the numbers come from is no part of a policy", "metricsServer")
	spec.drop("whether pods come up is the controller's to watch", "progressDeadlineSeconds")
	spec.drop("a policy without checks never lets a rollout continue; mute its checks instead", "skipAnalysis")
	a := spec.object("analysis")
	if a.node != nil {
		spec.drop("analysis stands beside it and wins", "canaryAnalysis")
	} else {
		a = spec.object("canaryAnalysis")
	}
	if a.node == nil {
		return
	}
	interval, ok := a.duration("interval")
	if !ok || interval == 0 {
		interval = time.Minute
	}
	interval = max(interval, 10*time.Second)
	a.note("interval", Mapped, "how long a stage lasts at least, and how often the provider brings a window")
	a.drop("whether pods come up is the controller's to watch", "primaryReadyThreshold", "canaryReadyThreshold")
	a.drop("a policy does not notify anybody; a controller reports its verdicts", "alerts")
	a.drop("which requests the candidate gets is the controller's business", "match", "sessionAffinity", "mirror", "mirrorWeight")
	a.drop("how fast traffic moves back is the controller's business", "stepWeightPromotion")
	for _, h := range a.objects("webhooks") {
		h.drop("a policy calls nobody: keep load tests and gates in the controller, or report what they measure as a metric",
			"type", "name", "url", "muteAlert", "timeout", "metadata", "retries", "disableTLS")
	}
	looks := in.flaggerStages(a, interval)
	k, given := a.whole("threshold")
	k = min(max(k, 1), 1000)
	n := min(max(looks+k-1, k), 1000)
	if given {
		a.note("threshold", Approximated, "%s of the last %s of one metric take the candidate out; Flagger adds up the failed checks of all metrics, and counts missing data and its own errors as failed. %d of them have to be there before a check can pass", plural(k, "breach"), plural(n, "window"), k)
	}
	for _, m := range a.objects("metrics") {
		in.flaggerMetric(m, templates, k, n)
	}
}

// flaggerStages takes the weights over and returns the number of checks that a
// rollout without a failure makes.
func (in *importer) flaggerStages(a object, interval time.Duration) int {
	iterations, _ := a.whole("iterations")
	step, _ := a.whole("stepWeight")
	limit, _ := a.whole("maxWeight")
	var weights []float64
	for _, v := range a.list("stepWeights") {
		item := object{a.in, &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "stepWeights"}, v}}, a.path}
		if w, ok := item.whole("stepWeights"); ok {
			weights = append(weights, float64(w))
		}
	}
	if iterations > 0 {
		a.note("iterations", Approximated, "a comment: how many looks there are is the controller's to keep; a policy waits for its evidence")
		in.out.about = append(in.out.about, fmt.Sprintf("Flagger looks %d times, every %s, and then switches all traffic at once; a policy looks until its evidence suffices.", iterations, formatDuration(interval)))
		a.drop("a canary with iterations has no weights", "stepWeight", "stepWeights", "maxWeight")
		return iterations
	}
	if limit <= 0 || limit > 100 {
		limit = 100
	}
	if step > 0 {
		a.drop("stepWeight stands beside it and wins", "stepWeights")
		weights = nil
		for w := step; len(weights) == 0 || weights[len(weights)-1] < float64(limit); w += step {
			weights = append(weights, float64(min(w, 100)))
		}
	}
	bad := slices.IndexFunc(weights, func(w float64) bool { return w <= 0 || w > 100 })
	if bad >= 0 {
		_, v := a.find("stepWeights")
		a.wrong(v, "stepWeights", "percentages of the traffic")
		return 0
	}
	a.note("stepWeight", Mapped, "the weights of the stages, %s each", formatDuration(interval))
	a.note("stepWeights", Mapped, "the weights of the stages, %s each", formatDuration(interval))
	a.note("maxWeight", Mapped, "the last weight before all traffic")
	for _, w := range weights {
		in.addStage(stage{weight: w, duration: interval})
	}
	if n := len(in.out.stages); n > 0 && in.out.stages[n-1].weight < 100 {
		in.addStage(stage{weight: 100, comment: "the promotion"})
	}
	return len(weights)
}

func (in *importer) flaggerMetric(m object, templates map[string]object, k, n int) {
	name := m.need("name")
	c := check{k: k, n: n}
	query := m.text("query")
	m.note("query", Approximated, "a comment at the check: a policy names the metric, and a provider brings it")
	if ref := m.object("templateRef"); ref.node != nil {
		m.note("templateRef", Dropped, "how a number is fetched is no part of a policy; with its MetricTemplate in the same file the query is a comment")
		if t, ok := templates[ref.text("name")]; ok {
			query = t.object("spec").text("query")
		}
	}
	m.drop("the query belongs to the provider of the metric", "templateVariables")
	bounds := map[string]float64{}
	set := func(o object, key, direction, why string) {
		if v, ok := o.number(key); ok {
			bounds[direction] = v
			o.note(key, Mapped, "%s", why)
		}
	}
	builtin := name == "request-success-rate" || name == "request-duration"
	r := m.object("thresholdRange")
	switch {
	case !builtin && !m.has("query") && !m.has("templateRef"):
		m.drop("without query or templateRef every check of Flagger fails; there is nothing to check here", "name", "interval", "threshold", "thresholdRange")
		return
	case r.node != nil:
		m.drop("thresholdRange stands beside it and wins", "threshold")
		set(r, "min", "higher", "the bound from below")
		set(r, "max", "lower", "the bound from above")
	case name == "request-success-rate":
		set(m, "threshold", "higher", "the bound; Flagger calls the key deprecated")
	case m.has("threshold"):
		set(m, "threshold", "lower", "the bound; Flagger calls the key deprecated")
	default:
		bounds["lower"] = 0
		c.comments = append(c.comments, "Without a threshold Flagger takes 0 as the bound from above.")
	}
	if len(bounds) == 0 {
		m.drop("the metric has no threshold, so there is nothing to check", "name", "interval", "thresholdRange")
		return
	}
	m.note("interval", Approximated, "kept as a comment: the provider of the metric sets its windows")
	c.of = in.unique(name)
	if c.of != name {
		m.note("name", Approximated, "the metric is called %s, since names of metrics are unique and printable", c.of)
	} else {
		m.note("name", Mapped, "the name of the gauge that a provider has to bring")
	}
	c.comments = append([]string{fmt.Sprintf("Line %d: metric %s", m.line(), name)}, c.comments...)
	if v := m.text("interval"); v != "" {
		c.comments = append(c.comments, "Flagger asks for its value over "+v+".")
	}
	if query != "" {
		c.comments = append(c.comments, "query: "+shortQuery(query))
	}
	for _, direction := range []string{"higher", "lower"} {
		v, ok := bounds[direction]
		if !ok {
			continue
		}
		c.direction, c.bounds, c.better = direction, limits{rollback: formatFloat(v)}, ""
		switch {
		case name == "request-success-rate" && query == "" || dividesCounters(query):
			c.better = ratioFor(c)
			if name == "request-success-rate" && v >= 0 && v <= 100 { // always in percent
				r := c
				r.metric, r.k, r.bounds.rollback = "ratio", 0, formatFloat(v)+"%"
				c.better = check{metric: "ratio", of: c.of, direction: c.direction, bounds: r.bounds}.String()
			}
			m.note("name", Approximated, "it divides counters: a guardrail of the two counts knows their noise, which a gauge does not; the policy has it as a comment")
		case name == "request-duration" && query == "":
			c.comments = append(c.comments, "It is the 99th percentile in milliseconds.")
			c.better = fmt.Sprintf("{check: guardrail, metric: quantile, of: %s, q: 0.99, direction: lower, bounds: %v}", yamlText(c.of), c.bounds)
			m.note("name", Approximated, "it is the quantile of a histogram: a guardrail of the histogram knows its noise, which a gauge does not; the policy has it as a comment")
		}
		in.add(c)
		c.comments = nil
	}
}
