package foreign

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// argoMetric is a metric of an AnalysisTemplate.
type argoMetric struct {
	object
	name     string
	interval time.Duration // 0 when there is none
	delay    time.Duration
	// Limits by their key; absent ones are not in the map.
	limits   map[string]int
	unread   []string // keys with an argument whose value is not known
	provider string
	source   object // what stands under the provider
	query    string
	dry      bool
	success  argoCondition
	failure  argoCondition
}

// argoCondition is a condition with its arguments filled in.
type argoCondition struct {
	key  string
	text string
	expr *expr // nil when there is none or it could not be read
	node *yaml.Node
}

func (c argoCondition) given() bool { return c.text != "" }

var argoLimits = []string{"count", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit"}

// argoTemplate is the part of a template that its metrics share.
type argoTemplate struct {
	object // its spec
	name   string
	args   map[string]string // arguments that have a value
	dry    []argoDry
}

// argoDry is one entry of dryRun.
type argoDry struct {
	object
	pattern string
	form    *regexp.Regexp // nil when it is none
}

func isArgoTemplate(d object) bool {
	switch d.peek("kind") {
	case "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun":
		return strings.HasPrefix(d.peek("apiVersion"), "argoproj.io/")
	}
	return false
}

func readArgoTemplate(d object) argoTemplate {
	t := argoTemplate{object: d.object("spec"), name: d.object("metadata").text("name"), args: map[string]string{}}
	for _, a := range t.objects("args") {
		if a.has("value") {
			t.args[a.text("name")] = a.text("value")
		}
	}
	for _, e := range t.objects("dryRun") {
		dry := argoDry{object: e, pattern: e.text("metricName")}
		dry.form, _ = regexp.Compile(dry.pattern) // said where it is used
		t.dry = append(t.dry, dry)
	}
	return t
}

var argoArgument = regexp.MustCompile(`\{\{\s*args\.([^{}\s]+)\s*\}\}`)

// fill puts the values of arguments into a text; whole tells that none is left.
func (t argoTemplate) fill(s string) (filled string, whole bool) {
	whole = true
	filled = argoArgument.ReplaceAllStringFunc(s, func(m string) string {
		if v, ok := t.args[argoArgument.FindStringSubmatch(m)[1]]; ok {
			return v
		}
		whole = false
		return m
	})
	return filled, whole
}

func (t argoTemplate) metric(o object) argoMetric {
	m := argoMetric{object: o, name: o.need("name"), limits: map[string]int{}}
	for _, key := range argoLimits {
		text := o.text(key)
		if text == "" {
			continue
		}
		filled, whole := t.fill(text)
		var v int
		if _, err := fmt.Sscanf(filled+"\n", "%d\n", &v); err == nil && whole && v < 1e9 && v > -1e9 {
			m.limits[key] = v
		} else if whole {
			_, n := o.find(key)
			o.wrong(n, key, "a whole number")
		} else {
			m.unread = append(m.unread, key)
		}
	}
	m.interval, m.delay = t.period(&m, "interval"), t.period(&m, "initialDelay")
	provider := o.object("provider")
	if provider.node != nil && len(provider.node.Content) > 0 {
		m.provider = provider.node.Content[0].Value
		m.source = object{o.in, provider.node.Content[1], provider.at(m.provider)}
		m.query = m.source.peek("query")
	}
	m.success, m.failure = t.condition(o, "successCondition"), t.condition(o, "failureCondition")
	for _, d := range t.dry {
		if d.form != nil && d.form.MatchString(m.name) {
			m.dry = true
		}
	}
	return m
}

// period reads a duration that may be an argument.
func (t argoTemplate) period(m *argoMetric, key string) time.Duration {
	filled, whole := t.fill(m.text(key))
	if !whole {
		m.unread = append(m.unread, key)
		return 0
	}
	if filled == "" {
		return 0
	}
	d, err := time.ParseDuration(filled)
	if err != nil || d < 0 {
		_, n := m.find(key)
		m.wrong(n, key, "a duration such as 90s or 5m")
	}
	return max(d, 0)
}

func (t argoTemplate) condition(o object, key string) argoCondition {
	_, v := o.find(key)
	c := argoCondition{key: key, node: v}
	filled, whole := t.fill(o.text(key))
	c.text = strings.TrimSpace(filled)
	if c.given() && whole {
		c.expr, _ = parseCondition(c.text) // nil says that it could not be read
	}
	return c
}

// limit is the value of a limit, or what Argo takes without one.
func (m argoMetric) limit(key string, def int) int {
	if v, ok := m.limits[key]; ok {
		return v
	}
	return def
}

// endless tells that the metric is measured until somebody ends the run.
func (m argoMetric) endless() bool {
	return m.interval > 0 && !m.has("count") || m.limits["count"] < 0
}

// measurements is how many there will be; 0 when it is not known or endless.
func (m argoMetric) measurements() int {
	switch {
	case m.has("count"):
		return max(m.limits["count"], 0)
	case m.interval > 0 || m.has("interval"):
		return 0
	}
	return 1
}

// judged tells that conditions decide, and not the provider itself.
func (m argoMetric) judged() bool { return m.provider != "kayenta" && m.provider != "job" }
