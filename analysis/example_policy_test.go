package analysis_test

import (
	"fmt"

	"github.com/rampguard/rampguard/analysis"
)

func ExampleParseQuantity() {
	for _, s := range []string{"2%", "5pp", "2x", "0.1"} {
		q, err := analysis.ParseQuantity(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(q, q.Unit, q.Value)
	}
	// Output:
	// 2% relative 0.02
	// 5pp pp 0.05
	// 2x ratio 2
	// 0.1 plain 0.1
}

// freshness is a check of one's own, with the settings column and at_most.
type freshness struct {
	column string
	atMost analysis.Quantity
}

func (c freshness) Name() string { return "freshness" }

func (c freshness) Columns() []analysis.ColumnSpec {
	return []analysis.ColumnSpec{{Name: c.column}}
}

func (c freshness) Run(*analysis.Evidence) ([]analysis.Finding, error) {
	return []analysis.Finding{analysis.NewFinding("freshness", "stale_features", "age")}, nil
}

// buildFreshness makes a freshness check from its entry in a policy.
func buildFreshness(p *analysis.Params) (analysis.Check, error) {
	p.Severity(analysis.SeverityPause)
	c := freshness{column: p.Column("column", "")}
	if c.column == "" {
		p.Errorf("column", "is missing; name the column that holds the age")
	}
	var ok bool
	if c.atMost, ok = p.Quantity("at_most"); ok && c.atMost.Unit != analysis.Ratio {
		p.Errorf("at_most", "%v is not a multiple of the baseline's age; write it as 1.5x", c.atMost)
	}
	return c, nil
}

// A Builder reads the settings of its check from Params and reports faults
// there; the loader adds their place in the file, and finds the keys that nobody
// reads.
func ExampleParams() {
	reg := analysis.Registry{"freshness": buildFreshness}

	p, err := analysis.LoadPolicy("good.yaml", []byte(`
version: 1
checks:
  - {check: freshness, column: feature_age_s, at_most: 1.5x}
`), reg)
	fmt.Println(p.Checks[0].Check.Name(), p.Checks[0].Severity, err)

	_, err = analysis.LoadPolicy("bad.yaml", []byte(`
version: 1
checks:
  - {check: freshness, colum: feature_age_s, at_most: 90s}
`), reg)
	fmt.Println(err)
	// Output:
	// freshness pause <nil>
	// bad.yaml:4:5: check freshness: column: is missing; name the column that holds the age
	// bad.yaml:4:24: check freshness: unknown key colum; did you mean column?
	// bad.yaml:4:55: check freshness: at_most must be a quantity such as 0.1, 2%, 5pp or 2x, not the text "90s"
}

func ExampleLoadPolicy() {
	data := []byte(`
version: 1
model: {name: fraud-detector, baseline: v2.0, candidate: v2.1}
columns: {score: score, label: label, time: ts, unit: request_id}
budget: {rollback: 5%}
exposure: {min_units: 1000, min_duration: 1h}
checks:
  - {check: freshness, column: feature_age_s, at_most: 2x}
stages:
  - {name: canary, weight: 1, duration: 30m}
  - {name: full, weight: 100}
`)
	p, err := analysis.LoadPolicy("policy.yaml", data, analysis.Registry{"freshness": buildFreshness})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Model.Candidate, p.Budget.Rollback, p.Split.Candidate, len(p.Digest))
	for _, w := range p.Warnings {
		fmt.Println(w)
	}
	// Output:
	// v2.1 0.05 0.5 64
	// policy.yaml:10:3: stages: canary lasts 30m but exposure.min_duration is 1h, so it will last 30m longer at least
}

func ExampleCanonicalPolicy() {
	reg := analysis.Registry{"freshness": buildFreshness}
	canon, err := analysis.CanonicalPolicy("policy.yaml", []byte(`
version: 1
checks:
  - {check: freshness, column: age, at_most: 2.0x} # two times as old
`), reg)
	fmt.Printf("%s %v\n", canon, err)
	// Output:
	// {"budget":{"pause":0.1,"rollback":0.05,"srm":0.001},"checks":[{"at_most":"2x","baseline":"concurrent","check":"freshness","column":"age","muted":false,"required":true,"resume":"manual","severity":"pause","weight":1}],"columns":{},"exposure":{"min_duration":"0s","min_units":0},"labels":{"maturity":"0s"},"looks":"continuous","model":{},"score_range":[0,1],"split":{"baseline":0.5,"candidate":0.5},"task":"binary","version":1} <nil>
}

func ExampleDraftPolicy() {
	draft := analysis.DraftPolicy([]analysis.DraftColumn{
		{Name: "request_id", Type: analysis.String},
		{Name: "ts", Type: analysis.Time},
		{Name: "variant", Type: analysis.String},
		{Name: "score", Type: analysis.Float},
		{Name: "label", Type: analysis.Bool},
		{Name: "amount", Type: analysis.Float},
		{Name: "country", Type: analysis.String},
		{Name: "latency_ms", Type: analysis.Float},
	})
	fmt.Print(string(draft))
	// Output:
	// # A draft from the names and types of the log's columns. Check every guess,
	// # then set the limits: they say how much worse the candidate may be.
	// version: 1
	// model: {name: my-model, baseline: v1, candidate: v2}
	// task: binary  # binary, multiclass or regression
	// looks: continuous  # or once, for one look at a finished log
	// # not used: "variant", seems to tell the arms apart
	// columns:  # role: column of the log
	//   score: score  # guessed
	//   label: label  # guessed
	//   time: ts  # guessed
	//   unit: request_id  # guessed
	//   features:  # watched for drift and quality
	//     - amount
	//     - country
	// # labels: {maturity: 14d}  # how long until a label can be relied on
	// # slices: [country]
	// split: {baseline: 0.5, candidate: 0.5}  # the shares of units that were planned; srm compares with them
	// budget: {rollback: 0.05, pause: 0.10, srm: 0.001}  # chances of a false alarm over the whole rollout
	// exposure: {min_units: 1000, min_duration: 30m}  # the least a continue may rest on
	// checks:
	//   - {check: schema}
	//   - {check: srm}
	//   - {check: collapse, column: score, severity: rollback}
	//   - {check: drift, metric: psi, warn: 0.1, fail: 0.25, severity: warn}  # of the score and every feature
	//   - {check: guardrail, metric: log_loss, direction: lower, margin: 2%, severity: rollback}
	//   - {check: guardrail, metric: quantile, column: latency_ms, q: 0.99, direction: lower, relative: {rollback: 2x}}
	// # stages:  # weight is the candidate's percentage of the traffic; split must fit it
	// #   - {name: canary, weight: 1, duration: 1h}
	// #   - {name: full, weight: 100}
}
