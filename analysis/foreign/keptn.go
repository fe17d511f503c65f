package foreign

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keptn reads slo.yaml files and AnalysisDefinitions.
func (in *importer) keptn(docs []object) {
	in.out.title = "objectives of Keptn"
	for _, d := range docs {
		switch {
		case kindOf(d) != Keptn:
			d.dropDocument("not objectives of Keptn")
		case d.has("apiVersion"):
			in.keptnDefinition(d)
		default:
			in.keptnSLO(d)
		}
	}
}

const (
	noScore = "a policy has no total score: each check decides for itself, and all required ones have to pass"
	keyRule = "the value that does not pass pauses; beyond the warning the candidate is taken out"
)

func (in *importer) keptnSLO(d object) {
	d.note("spec_version", Mapped, "read as version 1.0")
	d.drop("a policy has no filters; they belong to the provider of the metrics", "filter")
	d.drop(noScore, "total_score")
	cmp := d.object("comparison")
	cmp.note("compare_with", Approximated, "relative limits compare with the fixed reference that a controller gives, such as the last good rollout")
	cmp.drop("which earlier results count is the controller's to choose when it gives the reference", "include_result_with_score", "number_of_comparison_results")
	cmp.drop("the reference is one snapshot; nothing is averaged", "aggregate_function")
	for _, o := range d.objects("objectives") {
		name := o.need("sli")
		key := o.flag("key_sli")
		o.drop("a policy has names only", "displayName")
		pass, warn := in.keptnCriteria(o, "pass"), in.keptnCriteria(o, "warning")
		if len(pass) == 0 && len(warn) > 0 {
			o.note("warning", Approximated, "taken for the pass criteria, of which none can be used")
			pass, warn = warn, nil
		}
		if !in.keptnChecks(o, "sli", name, key, pass, warn) {
			o.drop("no check is made of this objective: no criteria of it can be used", "key_sli", "weight")
			continue
		}
		o.note("key_sli", Mapped, "a key objective has limits that roll back, others pause")
		o.drop(noScore, "weight")
	}
}

// criterion is one comparison of an objective.
type criterion struct {
	low      bool
	bound    float64 // of the value, or a multiple of the reference
	relative bool
	beside   bool // the bound is the number next to the one that is written
}

var criterionForm = regexp.MustCompile(`^(<=|>=|<|>|=)\s*([+-]?)(\d+\.?\d*|\.\d+)\s*(%?)$`)

// keptnCriteria reads the criteria of an objective, all of which have to hold.
func (in *importer) keptnCriteria(o object, key string) []criterion {
	var lists [][]criterion
	for _, l := range o.objects(key) {
		var list []criterion
		before := len(in.notes)
		for _, text := range l.texts("criteria") {
			cs, why := readCriterion(text)
			if why != "" {
				l.note("criteria", Dropped, "%s: %s", shorten(text), why)
			}
			list = append(list, cs...)
		}
		if len(in.notes) == before {
			l.note("criteria", Mapped, "limits of the check")
		}
		if len(list) > 0 {
			lists = append(lists, list)
		}
	}
	switch len(lists) {
	case 0:
		return nil
	case 1:
		return lists[0]
	}
	widest := lists[0][0]
	for _, l := range lists {
		if len(l) != 1 || l[0].low != widest.low || l[0].relative != widest.relative {
			o.note(key, Dropped, "one of several lists has to hold, and a policy has no such choice")
			return nil
		}
		if widest.low == (l[0].bound > widest.bound) {
			widest = l[0]
		}
	}
	o.note(key, Mapped, "one of several lists has to hold, so the widest limit counts")
	return []criterion{widest}
}

// readCriterion reads a text such as <=600 or <=+10%.
func readCriterion(text string) (out []criterion, why string) {
	m := criterionForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return nil, "could not be read"
	}
	v, err := strconv.ParseFloat(m[3], 64)
	if err != nil || v > 1e300 {
		return nil, "could not be read"
	}
	if m[2] == "-" {
		v = -v
	}
	c := criterion{bound: v, low: m[1][0] == '<', relative: m[4] != ""}
	switch {
	case m[2] != "" && !c.relative && m[1] != "=" && v != 0:
		return nil, "an absolute change against the last result has no place in a gauge"
	case c.relative && m[2] == "":
		return nil, "a percentage without a sign could not be read"
	case c.relative && m[1] == "=":
		return nil, "a value that has to be a multiple exactly has no place in a gauge"
	case c.relative:
		c.bound = (100 + v) / 100
		if c.low && c.bound < 1 || !c.low && (c.bound > 1 || c.bound <= 0) {
			return nil, "it asks for an improvement, which a gauge cannot; use a guardrail with margin: 0"
		}
	case m[1] == "=":
		up := c
		up.low = true
		return []criterion{c, up}, ""
	case m[1] == "<" || m[1] == ">":
		c.bound, c.beside = beyond(c.bound, c.low), true
	}
	return []criterion{c}, ""
}

// keptnChecks makes checks of the limits within which an objective passes and
// those within which it is a warning.
func (in *importer) keptnChecks(o object, nameKey, name string, key bool, pass, warn []criterion) bool {
	comments := []string{fmt.Sprintf("Line %d: objective %s", o.line(), name)}
	of := ""
	for _, low := range []bool{true, false} {
		c := check{direction: map[bool]string{true: "lower", false: "higher"}[low], k: 1, n: 1}
		edge := func(cs []criterion, relative bool) string {
			at, found := 0.0, false
			for _, x := range cs {
				if x.low == low && x.relative == relative && (!found || low == (x.bound < at)) {
					at, found = x.bound, true
				}
			}
			switch {
			case !found:
				return ""
			case relative:
				return formatFloat(at) + "x"
			}
			return formatFloat(at)
		}
		join := func(pass, fail string) limits {
			v, w := parseFloat(strings.TrimSuffix(pass, "x")), parseFloat(strings.TrimSuffix(fail, "x"))
			switch {
			case !key && pass != "":
				return limits{pause: pass}
			case !key:
				return limits{pause: fail}
			case fail == "" && len(warn) > 0: // only the warning's own limits fail
				return limits{pause: pass}
			case pass == "" || fail == "":
				return limits{rollback: pass + fail}
			case low && w <= v || !low && w >= v:
				return limits{rollback: pass}
			}
			return limits{pause: pass, rollback: fail}
		}
		c.bounds, c.relative = join(edge(pass, false), edge(warn, false)), join(edge(pass, true), edge(warn, true))
		if c.bounds == (limits{}) && c.relative == (limits{}) {
			continue
		}
		if c.relative != (limits{}) {
			c.baseline = "reference"
		}
		if of == "" {
			of = in.unique(name)
		}
		c.of, c.comments = of, comments
		if slices.ContainsFunc(slices.Concat(pass, warn), func(x criterion) bool { return x.low == low && x.beside }) {
			c.comments = append(c.comments, besides)
		}
		comments = nil
		in.add(c)
	}
	switch {
	case of == "":
		o.drop("no check is made of this objective: no criteria of it can be used", nameKey)
	case of != name:
		o.note(nameKey, Approximated, "the metric is called %s, since names of metrics are unique and printable", of)
	default:
		o.note(nameKey, Mapped, "the name of the gauge that a provider has to bring")
	}
	return of != ""
}

// keptnDefinition reads an AnalysisDefinition of the lifecycle toolkit.
func (in *importer) keptnDefinition(d object) {
	d.note("apiVersion", Mapped, "the form is the same in all its versions")
	d.note("kind", Mapped, "each objective becomes a check")
	in.metadata(d)
	d.drop("not used by Keptn either", "status")
	spec := d.object("spec")
	spec.drop(noScore, "totalScore")
	for _, o := range spec.objects("objectives") {
		ref := o.object("analysisValueTemplateRef")
		name := ref.need("name")
		ref.drop("names of metrics have no namespaces in a policy", "namespace")
		key := o.flag("keyObjective")
		target := o.object("target")
		fail := keptnOperator(target, "failure", "a value for which it holds fails")
		warn := keptnOperator(target, "warning", keyRule)
		pass := warn // what is no warning passes
		if len(warn) == 0 {
			pass, fail = fail, nil
		}
		if !in.keptnChecks(ref, "name", name, key, pass, fail) {
			o.drop("no check is made of this objective: no operator of it can be used", "keyObjective", "weight")
			continue
		}
		o.note("keyObjective", Mapped, "a key objective has limits that roll back, others pause")
		o.drop(noScore, "weight")
	}
}

// keptnOperator reads an operator that makes a value fail, as the limits that a
// value has to keep. Keptn looks at one operator only, in this order.
func keptnOperator(target object, key, why string) []criterion {
	op := target.object(key)
	taken := false
	var out []criterion
	for _, name := range []string{"equalTo", "lessThanOrEqual", "lessThan", "greaterThanOrEqual", "greaterThan", "inRange", "notInRange"} {
		if !op.has(name) {
			continue
		}
		v := op.object(name)
		switch {
		case taken:
			op.drop("Keptn looks at one operator only, and another one stands before it", name)
		case name == "equalTo" || name == "inRange":
			op.drop("a gauge is good below a bound or above one, not outside of a range", name)
		case name == "notInRange":
			lo, ok := keptnQuantity(v, "lowBound")
			hi, ok2 := keptnQuantity(v, "highBound")
			if ok && ok2 {
				out = []criterion{{low: false, bound: lo}, {low: true, bound: hi}}
			}
			v.note("lowBound", Mapped, "%s", why)
			v.note("highBound", Mapped, "%s", why)
		default:
			x, ok := keptnQuantity(v, "fixedValue")
			c := criterion{low: strings.HasPrefix(name, "greater"), bound: x, beside: strings.HasSuffix(name, "OrEqual")}
			if c.beside {
				c.bound = beyond(x, c.low)
			}
			if ok {
				out = []criterion{c}
			}
			v.note("fixedValue", Mapped, "%s", why)
		}
		taken = true
	}
	return out
}

var quantityForm = regexp.MustCompile(`^([+-]?[0-9]*\.?[0-9]*)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i|)$`)

// keptnQuantity reads a quantity of Kubernetes, such as 500m or 2Ki.
func keptnQuantity(o object, key string) (float64, bool) {
	_, n := o.find(key)
	if n == nil {
		if o.node != nil {
			o.in.fault(o.node, "%s is missing", o.at(key))
		}
		return 0, false
	}
	m := quantityForm.FindStringSubmatch(strings.TrimSpace(n.Value))
	if n.Kind == yaml.ScalarNode && m != nil {
		exp := map[string]string{"": "", "n": "e-9", "u": "e-6", "m": "e-3", "k": "e3", "M": "e6", "G": "e9", "T": "e12", "P": "e15", "E": "e18"}
		suffix, ok := exp[m[2]]
		factor := 1.0
		switch {
		case strings.HasSuffix(m[2], "i"):
			for range strings.Index("KMGTPE", m[2][:1]) + 1 {
				factor *= 1024
			}
		case !ok:
			suffix = m[2]
		}
		if v, err := strconv.ParseFloat(m[1]+suffix, 64); err == nil {
			return v * factor, true
		}
	}
	o.wrong(n, key, "a quantity such as 600, 0.5 or 500m")
	return 0, false
}
