package rampguard_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryPublishedCaseIsAnswered holds the golden cases against the tests: each
// id of testdata/cases, or its kind as the key of a table of functions, must stand
// in a test, or the id in excluded.json with the reason why no test answers it.
// (drift_cases.json is held to the same in package drift/compat.)
func TestEveryPublishedCaseIsAnswered(t *testing.T) {
	var tests strings.Builder
	for _, f := range goFiles(t) {
		if !f.isTest() {
			continue
		}
		b, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(b)
	}
	text := tests.String()
	var excluded map[string]string
	readJSON(t, "excluded.json", &excluded)
	known := map[string]bool{}
	for _, name := range []string{"inference_cases.json", "leadtime_sla_cases.json", "kayenta_cases.json"} {
		var file struct {
			Cases []struct {
				ID   string `json:"id"`
				Kind string `json:"kind"`
			} `json:"cases"`
		}
		readJSON(t, name, &file)
		for _, c := range file.Cases {
			known[c.ID] = true
			answered := strings.Contains(text, `"`+c.ID+`"`) || strings.Contains(text, `"`+c.Kind+`": func`)
			switch reason := excluded[c.ID]; {
			case answered && reason != "":
				t.Errorf("%s: case %s has a test and is in excluded.json (%s); take it out there", name, c.ID, reason)
			case !answered && reason == "":
				t.Errorf("%s: case %s has no test; write one, or say in testdata/cases/excluded.json why not", name, c.ID)
			}
		}
	}
	for id := range excluded {
		if !known[id] {
			t.Errorf("excluded.json names %s, which is no case", id)
		}
	}
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "cases", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
