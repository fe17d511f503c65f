package release_test

import (
	"fmt"
	"os"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/release"
)

func ExampleLoad() {
	_, err := release.Load("fraud.yaml", []byte("version: 1\nmodel: {nmae: fraud}\nrisk: medium\n"))
	fmt.Println(err)
	// Output:
	// fraud.yaml:2:9: model: unknown key nmae; known: name, version
	// fraud.yaml:3:7: risk: unknown word "medium"; known: low, high
}

func ExampleCheck() {
	var manifests []*release.Manifest
	for _, path := range []string{"../examples/release/fraud.yaml", "../examples/release/fraud-live.yaml"} {
		data, err := os.ReadFile(path)
		if err != nil {
			fmt.Println(err)
			return
		}
		m, err := release.Load(path, data)
		if err != nil {
			fmt.Println(err)
			return
		}
		manifests = append(manifests, m)
	}
	verdict, err := release.Check(manifests[0], release.Evidence{
		At:       time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Baseline: manifests[1],
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verdict.Headline())
	for _, f := range verdict.Findings {
		if f.Outcome != analysis.Pass {
			fmt.Printf("%s: %v\n", f.Check, f.Outcome)
		}
	}
	// Output:
	// PAUSE until a person has looked: fraud, 2.3.1 -> 2.4.0
	// schema: no_data
	// scores: no_data
	// approval: harm
}
