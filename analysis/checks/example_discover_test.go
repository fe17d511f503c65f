package checks_test

import (
	"fmt"
	"log"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

func ExampleDiscover() {
	p, err := analysis.LoadPolicy("policy.yaml", []byte(`version: 1
task: binary
looks: once
columns: {score: score, label: label, unit: user, features: [country, device]}
checks:
  - {check: schema}
  - {check: discover, top: 3, margin: 5%}
`), checks.Builtin())
	if err != nil {
		log.Fatal(err)
	}
	spec, err := p.Spec()
	if err != nil {
		log.Fatal(err)
	}
	e := p.Checks[1]
	for _, col := range spec.Discover[0].Columns {
		fmt.Println(col.Name)
	}
	fmt.Println(spec.Discover[0].Error, e.Severity, e.Required)
	// Output:
	// country
	// device
	// log_loss warn false
}
