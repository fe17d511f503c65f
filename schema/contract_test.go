package schema_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/schema"
)

// TestSchemaOfContracts holds what is agreed on a column against the schema: the
// keys are those that the loader reads, and both refuse what is wrong by itself.
func TestSchemaOfContracts(t *testing.T) {
	s := compile(t)
	load := func(entry string) error {
		_, err := analysis.LoadPolicy("policy.yaml", []byte(good+"checks: [{check: contract, "+entry+"}]"), checks.Builtin())
		return err
	}
	for entry, refuses := range map[string][2]bool{ // by the schema, and by the loader
		"features: [{column: a, type: float, min: 0, max: 1, nulls: 1%, nan: 0, outside: 1%}]": {false, false},
		"features: [{column: a, allowed: [x, y], max_unseen: 0.1%}]":                           {false, false},
		"volume: {min: 100}":                            {false, false},
		"freshness: {column: t, time: ts, max_age: 1h}": {false, false},
		"rise: 1%":                                      {true, true},
		"features: []":                                  {true, true},
		"features: {a: float}":                          {true, true},
		"features: [{column: a}]":                       {true, true},
		"features: [{type: int}]":                       {true, true},
		"features: [{column: a, type: real}]":           {true, true},
		"features: [{column: a, nulls: some}]":          {true, true},
		"features: [{column: a, allowed: []}]":          {true, true},
		"volume: {}":                                    {true, true},
		"volume: {min: 0}":                              {true, true},
		"freshness: {column: t}":                        {true, true},
		"freshness: {column: t, max_age: 3600}":         {true, true},
		"features: [{column: a, min: 2, max: 1}]":       {false, true},
		"features: [{column: a, type: string, min: 1}]": {false, true},
		"freshness: {column: t, max_age: 1h}":           {false, true}, // of which row
	} {
		if err := validate(s, []byte(good+"checks: [{check: contract, "+entry+"}]")); (err != nil) != refuses[0] {
			t.Errorf("%s: the schema says %v", entry, err)
		}
		if err := load(entry); (err != nil) != refuses[1] {
			t.Errorf("%s: the loader says %v", entry, err)
		}
	}
	var o object
	if err := json.Unmarshal(schema.Policy(), &o); err != nil {
		t.Fatal(err)
	}
	var named struct {
		Defs struct{ Checks map[string]object } `json:"$defs"`
	}
	if err := json.Unmarshal(schema.Policy(), &named); err != nil {
		t.Fatal(err)
	}
	contract := named.Defs.Checks["contract"].Properties
	for entry, of := range map[string]object{
		"features: [{zzzzzzzzzz: 1}]": o.Defs["contractFeature"],
		"volume: {zzzzzzzzzz: 1}":     contract["volume"],
		"freshness: {zzzzzzzzzz: 1}":  contract["freshness"],
	} {
		m := regexp.MustCompile(`unknown key zzzzzzzzzz; known: (.*)`).FindStringSubmatch(fmt.Sprint(load(entry)))
		if m == nil {
			t.Errorf("%s: %v", entry, load(entry))
			continue
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(of.Properties)), strings.Split(m[1], ", ")); d != "" {
			t.Errorf("%s (-schema +loader):\n%s", entry, d)
		}
	}
}
