package analysis

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// deploymentMetric is how a metric of a deployment file becomes a guardrail.
type deploymentMetric struct {
	name      string
	guardrail []string // keys and values of the check entry
	lower     bool     // whether the threshold is an upper bound, so that lower is better
	bound     func(p *Params) (float64, bool)
}

var deploymentMetrics = []deploymentMetric{
	{"error-rate", []string{"metric", "mean", "column", "error"}, true, percentBound},
	{"latency-p99", []string{"metric", "quantile", "column", "latency_ms", "q", "0.99"}, true, millisecondBound},
	{"accuracy", []string{"metric", "accuracy"}, false, accuracyBound},
}

// deploymentBound is the threshold of a metric at one stage.
type deploymentBound struct {
	metric *deploymentMetric
	value  float64
	p      *Params // the entry {name, threshold}
	stage  string
}

// deployment reads a deployment file into stages and guardrails. A policy has
// the same checks at all stages, so the strictest threshold of a metric counts.
func (r *policyReader) deployment(top, p *Params) {
	p.Enum("strategy", "canary", "canary")
	if top.Has("stages") {
		top.Errorf("stages", "the deployment has stages, too; keep one list")
	}
	stages := p.maps("stages")
	if len(stages) == 0 {
		p.Errorf("", "the deployment has no stages; list them as stages: [{name: canary, weight: 1, duration: 30m}]")
	}
	var bounds []deploymentBound
	r.policy.Stages = nil
	for _, sp := range stages {
		s := readStage(sp, r.policy.Stages)
		r.policy.Stages = append(r.policy.Stages, s)
		promotion, _ := sp.Map("promotion")
		analysis, _ := promotion.Map("analysis")
		for _, mp := range analysis.maps("metrics") {
			if b, ok := readDeploymentMetric(mp); ok {
				b.stage = s.Name
				bounds = append(bounds, b)
			}
		}
		sp.unused()
	}
	for _, b := range strictest(bounds) {
		r.entries = append(r.entries, r.guardrail(b))
		if b.metric.name == "accuracy" {
			r.labelledColumns()
		}
	}
}

func readDeploymentMetric(p *Params) (b deploymentBound, ok bool) {
	defer p.unused()
	var known []string
	for _, m := range deploymentMetrics {
		known = append(known, m.name)
	}
	name := p.Enum("name", "", known...)
	if !p.Has("name") {
		p.Errorf("", "name is missing")
	}
	if !p.Has("threshold") {
		p.Errorf("", "threshold is missing")
	}
	i := slices.Index(known, name)
	if i < 0 {
		p.asked["threshold"] = true
		if j, has := p.index["threshold"]; has {
			p.fields[j].used = true
		}
		return b, false
	}
	b = deploymentBound{metric: &deploymentMetrics[i], p: p}
	b.value, ok = b.metric.bound(p)
	return b, ok
}

// strictest keeps one bound of each metric, in the order of first mention.
func strictest(bounds []deploymentBound) []deploymentBound {
	var out []deploymentBound
	for _, b := range bounds {
		i := slices.IndexFunc(out, func(o deploymentBound) bool { return o.metric == b.metric })
		if i < 0 {
			out = append(out, b)
			continue
		}
		if b.value == out[i].value {
			continue
		}
		tight, loose := out[i], b
		if b.metric.lower == (b.value < out[i].value) {
			tight, loose = b, out[i]
		}
		loose.p.warnf("threshold", "stage %s is held to the stricter threshold of stage %s: a policy has the same checks at all stages", loose.stage, tight.stage)
		out[i] = tight
	}
	return out
}

// guardrail writes the check entry that a bound stands for. Its keys are placed
// at the metric, so that messages point there.
func (r *policyReader) guardrail(b deploymentBound) *Params {
	at := b.p.node
	node := func(kind yaml.Kind, tag, value string, content ...*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: kind, Tag: tag, Value: value, Content: content, Line: at.Line, Column: at.Column}
	}
	text := func(s string) *yaml.Node { return node(yaml.ScalarNode, "!!str", s) }
	direction := "higher"
	if b.metric.lower {
		direction = "lower"
	}
	entry := node(yaml.MappingNode, "!!map", "",
		text("check"), text("guardrail"),
		text("direction"), text(direction),
		text("severity"), text(SeverityRollback.String()),
		text("bounds"), node(yaml.MappingNode, "!!map", "", text("rollback"), node(yaml.ScalarNode, "!!float", formatFloat(b.value))))
	for i := 0; i < len(b.metric.guardrail); i += 2 {
		value := text(b.metric.guardrail[i+1])
		if b.metric.guardrail[i] == "q" {
			value.Tag = "!!float"
		}
		entry.Content = append(entry.Content, text(b.metric.guardrail[i]), value)
	}
	p := r.newParams(entry, "check guardrail: ")
	p.Str("check", "")
	return p
}

// labelledColumns gives the score and the label the names that deployment files
// assume, unless the file has its own.
func (r *policyReader) labelledColumns() {
	c := &r.policy.Columns
	if c.Score == "" {
		c.Score = "score"
	}
	if c.Label == "" {
		c.Label = "label"
	}
}

// percentBound reads an error rate: 5 and 5% are five percent.
func percentBound(p *Params) (float64, bool) {
	q, ok := p.Quantity("threshold")
	if !ok {
		return 0, false
	}
	v := q.Value
	if q.Unit == Plain {
		v = hundredth(v)
	}
	if q.Unit == Points || q.Unit == Ratio || v < 0 || v > 1 {
		p.Errorf("threshold", "%v is not a percentage from 0 to 100", q)
		return 0, false
	}
	return v, true
}

// millisecondBound reads a latency: 250 and 250ms are the same.
func millisecondBound(p *Params) (float64, bool) {
	f := p.field("threshold")
	if f == nil {
		return 0, false
	}
	v, ok := number(f.value)
	if d, timed := duration(f.value); timed {
		v, ok = float64(d)/1e6, true
	}
	if !ok || v <= 0 {
		p.wrong(f.value, "threshold", "a latency above 0 in milliseconds")
		return 0, false
	}
	return v, true
}

// accuracyBound reads a share: 0.95, 95% and 95 are the same.
func accuracyBound(p *Params) (float64, bool) {
	q, ok := p.Quantity("threshold")
	if !ok {
		return 0, false
	}
	v := q.Value
	if q.Unit == Plain && v > 1 {
		v = hundredth(v)
	}
	if q.Unit == Points || q.Unit == Ratio || v <= 0 || v > 1 {
		p.Errorf("threshold", "%v is not a share such as 0.95 or 95%%", q)
		return 0, false
	}
	return v, true
}

// hundredth is the number nearest to the decimal v over a hundred.
func hundredth(v float64) float64 {
	h, err := parseDecimal(formatFloat(v), -2)
	if err != nil {
		return v / 100
	}
	return h
}
