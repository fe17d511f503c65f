package analysis

import (
	"math"

	"go.yaml.in/yaml/v3"
)

// sections reads everything but the checks.
func (r *policyReader) sections(top *Params) {
	p := r.policy
	deployment, isDeployment := top.Map("deployment")
	p.Version = 1
	if top.Uint("version", 1) != 1 {
		top.Errorf("version", "this program reads version 1")
	}
	if !isDeployment && !top.Has("version") {
		top.Errorf("", "version is missing; add version: 1")
	}
	model, _ := top.Map("model")
	p.Model = Model{Name: model.Str("name", ""), Baseline: model.Str("baseline", ""), Candidate: model.Str("candidate", "")}
	switch top.Enum("task", Binary.String(), Binary.String(), Multiclass.String(), Regression.String()) {
	case Multiclass.String():
		p.Task = Multiclass
	case Regression.String():
		p.Task = Regression
	}
	p.Looks = readLooks(top)
	p.Columns = readColumns(top, p.Task)
	p.Range = readRange(top, p.Task)
	p.Actions = readActions(top, p)
	labels, _ := top.Map("labels")
	p.Labels.Maturity = labels.Duration("maturity", 0)
	p.Slices = readSlices(top)
	p.Pairs = readPairs(top, p)
	p.Split = readSplit(top)
	p.SplitGiven = top.Has("split")
	budget, _ := top.Map("budget")
	p.Budget = Budget{
		Rollback: budget.probability("rollback", 0.05),
		Pause:    budget.probability("pause", 0.10),
		SRM:      budget.probability("srm", 0.001),
	}
	exposure, _ := top.Map("exposure")
	p.Exposure = Exposure{MinUnits: exposure.Uint("min_units", 0), MinDuration: exposure.Duration("min_duration", 0)}
	p.Stages = readStages(top)
	if isDeployment {
		r.deployment(top, deployment)
	}
}

// share reads a number without a unit, or a percentage.
func (p *Params) share(key string, def float64) float64 {
	q, ok := p.Quantity(key)
	if !ok {
		return def
	}
	if q.Unit != Plain && q.Unit != Relative {
		p.Errorf(key, "%v is not a share; write a number such as 0.05 or 5%%", q)
		return def
	}
	return q.Value
}

func (p *Params) probability(key string, def float64) float64 {
	v := p.share(key, def)
	if v <= 0 || v >= 1 {
		p.Errorf(key, "%v is not between 0 and 1; write a probability such as %v", v, def)
		return def
	}
	return v
}

func readLooks(top *Params) Looks {
	if i, ok := top.index["looks"]; ok {
		switch n := top.fields[i].value; {
		case n.Kind == yaml.MappingNode:
			return readSchedule(top)
		case n.ShortTag() != "!!str":
			top.Errorf("looks", "must be continuous, once or {schedule: 5}, not %s", describe(n))
			return Looks{}
		}
	}
	if top.Enum("looks", "continuous", "continuous", "once") == "once" {
		return Looks{Kind: Once}
	}
	return Looks{}
}

func readSchedule(top *Params) Looks {
	sub, _ := top.Map("looks")
	n := sub.Uint("schedule", 0)
	switch {
	case !sub.Has("schedule"):
		sub.Errorf("", "schedule is missing; write {schedule: 5} for five planned looks")
	case n < 1 || n > 1000:
		sub.Errorf("schedule", "%d is not a number of looks from 1 to 1000", n)
		n = 1
	}
	return Looks{Kind: Scheduled, Schedule: int(n)}
}

func readColumns(top *Params, task Task) Columns {
	p, _ := top.Map("columns")
	role := map[string]string{}
	claim := func(key, name string, n *yaml.Node) string {
		if first, taken := role[name]; taken && name != "" {
			p.r.fault(n, "%s: column %q already is columns.%s; a column has one role", p.name(key), shorten(name), first)
			return ""
		}
		role[name] = key
		return name
	}
	one := func(key string) string {
		name := p.Str(key, "")
		if name == "" {
			return ""
		}
		return claim(key, name, p.fields[p.index[key]].value)
	}
	c := Columns{Score: one("score"), Label: one("label"), Time: one("time"), Unit: one("unit"), Action: one("action"), PolicyVersion: one("policy_version")}
	_, items := p.list("features", "a list of column names such as [amount, country]")
	for _, n := range items {
		if s, ok := p.text(n, "features"); ok && claim("features", s, n) != "" {
			c.Features = append(c.Features, s)
		}
	}
	c.Derived = readDerived(p)
	if c.Prediction = one("prediction"); c.Prediction != "" && task != Multiclass {
		p.Errorf("prediction", "only a multiclass task predicts a class; a score is columns.score")
		c.Prediction = ""
	}
	c.Classes = readClasses(p, task)
	return c
}

func readRange(top *Params, task Task) *[2]float64 {
	if !top.Has("score_range") {
		if task == Binary {
			return &[2]float64{0, 1}
		}
		return nil
	}
	v := top.Floats("score_range")
	switch {
	case task == Multiclass:
		top.Errorf("score_range", "a multiclass policy has no score; remove it")
	case v == nil: // reported
	case len(v) != 2 || v[0] >= v[1]:
		top.Errorf("score_range", "must be [lowest, highest] such as [0, 1]")
	case task == Binary && (v[0] < 0 || v[1] > 1):
		top.Errorf("score_range", "[%v, %v] is not within [0, 1], where the scores of a binary task are probabilities", v[0], v[1])
	default:
		return &[2]float64{v[0], v[1]}
	}
	return nil
}

func readActions(top *Params, policy *Policy) ActionPolicy {
	p, ok := top.Map("actions")
	if !ok {
		return ActionPolicy{}
	}
	a := ActionPolicy{Version: p.Str("version", ""), Rules: readRules(p, policy.Range)}
	a.Candidate = readCandidateActions(p, a, policy.Range)
	if policy.Task == Multiclass {
		p.Errorf("", "a multiclass policy has no score for rules to look at; remove it")
	} else if policy.Columns.Score == "" && !top.Has("pairs") {
		p.Errorf("", "rules look at the score; name its column as columns.score")
	}
	return a
}

// readRule reads one rule; lowest is the threshold of the rule before.
func readRule(p *Params, last bool, lowest float64, scores *[2]float64) ActionRule {
	rule := ActionRule{Name: p.Str("name", ""), AtLeast: p.Float("at_least", math.Inf(-1)), Irreversible: p.Bool("irreversible", false)}
	if !p.Has("name") {
		p.Errorf("", "name is missing")
	}
	switch {
	case !p.Has("at_least") && !last:
		p.Errorf("", "at_least is missing; only the last rule may take the rest of the scores")
	case rule.AtLeast >= lowest:
		p.Errorf("at_least", "%v is not below the %v of the rule before; list the highest threshold first", rule.AtLeast, lowest)
	case rule.AtLeast > math.Inf(-1) && scores != nil && (rule.AtLeast < scores[0] || rule.AtLeast > scores[1]):
		p.Errorf("at_least", "%v is outside score_range [%v, %v]", rule.AtLeast, scores[0], scores[1])
	}
	return rule
}

func readSplit(top *Params) Split {
	half := Split{Baseline: 0.5, Candidate: 0.5}
	p, ok := top.Map("split")
	if !ok {
		return half
	}
	s := Split{Baseline: p.share("baseline", nan), Candidate: p.share("candidate", nan)}
	switch {
	case !p.Has("baseline") || !p.Has("candidate"):
		p.Errorf("", "give the shares of both arms: {baseline: 0.9, candidate: 0.1}")
	case s.Baseline <= 0:
		p.Errorf("baseline", "the share %v is not above 0", s.Baseline)
	case s.Candidate <= 0:
		p.Errorf("candidate", "the share %v is not above 0", s.Candidate)
	case math.Abs(s.Baseline+s.Candidate-1) > 1e-9:
		p.Errorf("", "%v and %v add up to %v, not to 1", s.Baseline, s.Candidate, s.Baseline+s.Candidate)
	}
	return s
}
