package foreign

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// openslo reads SLOs of OpenSLO v1 as absolute bounds of the candidate.
func (in *importer) openslo(docs []object) {
	in.out.title = "objectives of OpenSLO"
	in.out.about = []string{"An objective is about weeks and the whole service, a policy about the candidate while it is rolled out: the bounds are the objectives' own, and pause. Package sla keeps the error budgets."}
	slis := map[string]object{}
	for _, d := range docs {
		if kindOf(d) == OpenSLO && d.peek("kind") == "SLI" {
			slis[d.object("metadata").text("name")] = d.object("spec")
			d.note("apiVersion", Mapped, "read as version v1")
			d.note("kind", Mapped, "an indicator that objectives may name")
			d.note("metadata", Mapped, "names the indicator")
			d.object("metadata").drop("a policy has no such texts", "displayName", "labels", "annotations")
			d.object("metadata").note("name", Mapped, "names the indicator")
			opensloIndicator(d.object("spec"))
		}
	}
	for _, d := range docs {
		switch {
		case kindOf(d) != OpenSLO:
			d.dropDocument("no objective: alerts and services are read by package sla/openslo")
		case d.peek("kind") == "SLO":
			in.opensloSLO(d, slis)
		}
	}
}

// opensloIndicator notes what is known of an indicator.
func opensloIndicator(spec object) {
	spec.drop("a policy has no such texts", "description")
	ratio := spec.object("ratioMetric")
	ratio.note("counter", Approximated, "the provider brings the counts of a window, whatever they are made from")
	ratio.note("rawType", Mapped, "the direction that is good")
	for _, o := range []object{ratio.object("good"), ratio.object("bad"), ratio.object("total"), ratio.object("raw"), spec.object("thresholdMetric")} {
		o.drop("how a number is fetched is no part of a policy: it belongs to the provider of the metric", "metricSource")
	}
}

func (in *importer) opensloSLO(d object, slis map[string]object) {
	d.note("apiVersion", Mapped, "read as version v1")
	d.note("kind", Mapped, "each objective becomes a check")
	meta := d.object("metadata")
	name := meta.need("name")
	meta.drop("a policy has no such texts", "displayName", "labels", "annotations")
	spec := d.object("spec")
	spec.drop("a policy has no such texts", "description")
	if in.out.model == "" && spec.text("service") != "" {
		in.out.model = shorten(spec.text("service"))
		spec.note("service", Mapped, "the name of the model")
	}
	spec.drop("a policy has one model, the service of the first objective", "service")
	spec.drop("a policy is about the rollout, not about weeks; package sla keeps the error budget", "timeWindow")
	spec.note("budgetingMethod", Approximated, "a ratio of counts is added up over the rollout, as by the method Occurrences; a gauge counts the provider's windows")
	spec.drop("alerts are read by package sla/openslo", "alertPolicies")
	shared := in.opensloFind(spec, slis)
	objectives := spec.objects("objectives")
	made, renamed := false, ""
	for _, o := range objectives {
		indicator := shared
		if own := in.opensloFind(o, slis); own.node != nil {
			indicator = own
		}
		o.drop("a policy has no composite objectives: each check decides for itself", "compositeWeight")
		o.drop("the windows of the provider stand for slices of time", "timeSliceTarget", "timeSliceWindow")
		title := name
		if len(objectives) > 1 {
			title += "/" + cmp.Or(o.text("displayName"), o.text("target"), o.text("targetPercent"))
			o.note("displayName", Mapped, "part of the name of the metric")
		}
		o.drop("a policy has names only", "displayName")
		of := in.opensloObjective(o, indicator, title)
		made = made || of != ""
		if of != "" && of != title {
			renamed = of
		}
	}
	switch {
	case renamed != "":
		meta.note("name", Approximated, "the metric is called %s, since names of metrics are unique and printable", renamed)
	case made:
		meta.note("name", Mapped, "the name of the metric that a provider has to bring")
	default:
		meta.drop("no check is made of this SLO", "name")
	}
}

// opensloFind returns the spec of the indicator of an SLO or objective.
func (in *importer) opensloFind(o object, slis map[string]object) object {
	if inline := o.object("indicator"); inline.node != nil {
		inline.drop("a policy has the name of the SLO", "metadata")
		spec := inline.object("spec")
		opensloIndicator(spec)
		return spec
	}
	ref := o.text("indicatorRef")
	spec, ok := slis[ref]
	if ok {
		o.note("indicatorRef", Mapped, "the SLI of this file")
	} else {
		o.drop("no SLI of this file has that name; put it into the same file", "indicatorRef")
	}
	return spec
}

// opensloObjective makes a check of an objective and returns the name of its
// metric, or "".
func (in *importer) opensloObjective(o, indicator object, title string) string {
	target, ok := opensloTarget(o)
	c := check{comments: []string{fmt.Sprintf("Line %d: objective of %s", o.line(), title)}}
	none := func(why string) string {
		o.drop(why, "target", "targetPercent", "op", "value")
		return ""
	}
	switch ratio := indicator.object("ratioMetric"); {
	case !ok:
		return none("there is no target between 0 and 1 to hold the indicator against")
	case indicator.has("thresholdMetric"):
		v, given := o.number("value")
		op := o.text("op")
		if !given || op != "lte" && op != "lt" && op != "gte" && op != "gt" {
			return none("an indicator with a threshold needs op (lte, lt, gte or gt) and value")
		}
		low := strings.HasPrefix(op, "l")
		if !strings.HasSuffix(op, "e") {
			v = beyond(v, low)
			c.comments = append(c.comments, besides)
		}
		c.direction = map[bool]string{true: "lower", false: "higher"}[low]
		c.bounds.pause = formatFloat(v)
		bad, _ := new(big.Rat).Sub(big.NewRat(1, 1), target).Float64()
		c.k, c.n = 2, int(min(math.Ceil(1/bad), 1000))
		c.n = max(c.n, c.k)
		o.note("op", Mapped, "the direction that is good")
		o.note("value", Mapped, "the bound of the gauge")
		for _, key := range []string{"target", "targetPercent"} {
			o.note(key, Approximated, "the second bad window of %d pauses, which is about the share that may be bad", c.n)
		}
	case ratio.node == nil:
		return none("its indicator is not known")
	default:
		share, _ := target.Float64()
		c.direction = "higher"
		if ratio.has("bad") || ratio.text("rawType") == "failure" {
			bad, _ := new(big.Rat).Sub(big.NewRat(1, 1), target).Float64()
			share, c.direction = bad, "lower"
		}
		c.bounds.pause = formatFloat(share)
		if ratio.has("raw") {
			c.comments = append(c.comments, "The provider has the ratio only; with the counts behind it, use a guardrail with metric: ratio.")
		} else {
			c.metric = "ratio"
			part := map[string]string{"higher": "good", "lower": "bad"}[c.direction]
			c.comments = append(c.comments, "The provider brings the "+part+" events and all events.")
		}
		o.drop("they belong to an indicator with a threshold", "op", "value")
		for _, key := range []string{"target", "targetPercent"} {
			o.note(key, Approximated, "an absolute bound of the candidate, which pauses when the candidate breaks it surely, and has to be kept surely to go on")
		}
	}
	c.of = in.unique(title)
	in.add(c)
	return c.of
}

// opensloTarget reads the share that has to be good, without rounding.
func opensloTarget(o object) (*big.Rat, bool) {
	key, scale := "target", int64(1)
	if o.has(key) {
		o.drop("target stands beside it and wins", "targetPercent")
	} else {
		key, scale = "targetPercent", 100
	}
	v, ok := o.number(key)
	r, exact := new(big.Rat).SetString(formatFloat(v))
	if !ok || !exact || v < 0 || v >= float64(scale) {
		return nil, false
	}
	return r.Quo(r, big.NewRat(scale, 1)), true
}
