package rampguard_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/testdata/faults"
)

// planted says, for each fault, which findings it must cause and which others may
// follow from it, by check and code, with the slice where there is one. Any other
// finding of harm, of broken data or to warn of is a mistake.
var planted = map[string]struct{ must, may []string }{
	"sound": {},
	// An airport with a twentieth of the flights moves the means of all of them.
	"inverted": {
		must: []string{"discover discovered_slice origin=" + faults.Airport, "slices margin origin=" + faults.Airport, "slices worst_slice"},
		may: []string{"guardrail margin", "collapse collapse_variance", "calibration calibration_ratio", "calibration calibration_slope",
			"calibration calibration_error", "calibration calibration_mcb", "calibration calibration_band", "drift drift score"},
	},
	"unit": {must: []string{"contract range_share distance", "drift drift distance"}},
	// What is scored higher is blocked more often.
	"distorted": {
		must: []string{"calibration calibration_ratio", "calibration calibration_error", "actions action_share"},
		may:  []string{"calibration calibration_band", "calibration calibration_mcb", "calibration calibration_slope", "drift drift score", "guardrail margin"},
	},
	"two_valued": {
		must: []string{"collapse collapse_spike", "collapse collapse_repetition"},
		may: []string{"collapse collapse_entropy", "collapse collapse_spread", "guardrail margin", "actions action_share", "drift drift score",
			"calibration calibration_slope", "calibration calibration_mcb", "calibration calibration_ratio", "calibration calibration_error"},
	},
	"thresholds": {must: []string{"actions mixed_policy_versions"}},
	"labels_swapped": {
		must: []string{"guardrail margin", "calibration calibration_ratio", "calibration calibration_slope", "calibration calibration_error", "slices worst_slice"},
		may:  []string{"slices margin", "discover discovered_slice", "calibration calibration_band", "calibration calibration_mcb"},
	},
	"labels_missing": {
		must: []string{"labels label_arrival", "guardrail label_coverage", "calibration label_coverage"},
		may:  []string{"slices label_coverage", "slices worst_slice"}, // which repeats the worst of them
	},
}

// alarms lists the findings of a verdict that say that something is wrong, by check
// and code, then column and slice. Those that an invalid finding makes untrusted are
// no alarm.
func alarms(v *analysis.Verdict) []string {
	var out []string
	for _, f := range v.Findings {
		switch f.Outcome {
		case analysis.Harm, analysis.Warn, analysis.Invalid:
			if f.Untrusted {
				continue
			}
			name := f.Check + " " + f.Code
			if f.Check == "drift" || f.Check == "contract" {
				name += " " + f.Column
			}
			if len(f.Slice) > 0 {
				name += " " + f.Slice.String()
			}
			out = append(out, name)
		default:
		}
	}
	return out
}

func faultPolicy(t *testing.T) *analysis.Policy {
	t.Helper()
	name := filepath.Join("testdata", "faults", "policy.yaml")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := analysis.LoadPolicy(name, data, checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// collectFlights writes the flights as Parquet and reads them as a log.
func collectFlights(t *testing.T, p *analysis.Policy, rows []faults.Flight) *analysis.Snapshot {
	t.Helper()
	var buf bytes.Buffer
	if err := faults.Write(&buf, rows); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "log.parquet")
	if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	s, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{Workers: 1}, path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func judgeFlights(t *testing.T, p *analysis.Policy, control, candidate *analysis.Snapshot) analysis.Verdict {
	t.Helper()
	v, err := p.Evaluate(analysis.Look{Evidence: []analysis.StageEvidence{{Baseline: control, Candidate: candidate}}, Now: time.Date(2001, 4, 2, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sameName(list []string, alarm string) bool {
	return slices.ContainsFunc(list, func(want string) bool {
		return alarm == want || strings.HasPrefix(alarm, want+" ") && strings.Count(want, " ") == 1
	})
}

// TestPlantedFaults: each fault in the real flights gives its own findings, and none
// that has nothing to do with it.
func TestPlantedFaults(t *testing.T) {
	rows, err := faults.Read(filepath.Join("testdata", "flights"), "candidate")
	if err != nil {
		t.Fatal(err)
	}
	p := faultPolicy(t)
	control, sound := faults.Split(rows, 1)
	base := collectFlights(t, p, control)
	for name, want := range planted {
		t.Run(name, func(t *testing.T) {
			log := sound
			if name != "sound" {
				if log, err = faults.Plant(name, sound); err != nil {
					t.Fatal(err)
				}
			}
			v := judgeFlights(t, p, base, collectFlights(t, p, log))
			got := alarms(&v)
			for _, m := range want.must {
				if !slices.ContainsFunc(got, func(alarm string) bool { return sameName([]string{m}, alarm) }) {
					t.Errorf("%s is missing among %q", m, got)
				}
			}
			for _, alarm := range got {
				if !sameName(want.must, alarm) && !sameName(want.may, alarm) {
					t.Errorf("%s has nothing to do with it", alarm)
				}
			}
			if len(want.must) > 0 && v.Decision == analysis.Continue {
				t.Error("the verdict is to continue")
			}
			if found := slices.IndexFunc(got, func(a string) bool { return strings.HasPrefix(a, "discover ") }); name == "inverted" && (found < 0 || !strings.Contains(got[found], "origin="+faults.Airport)) {
				t.Errorf("the first slice found is not the inverted one: %q", got)
			}
		})
	}
	for _, f := range faults.All() {
		if _, ok := planted[f.Name]; !ok {
			t.Errorf("nothing is expected of %s", f.Name)
		}
	}
}

// TestUnchangedCandidate deals the flights into two random halves again and again:
// at most 5 of 100 such experiments without an effect may raise an alarm. Without
// RAMPGUARD_SPLITS, the number of them, it tries 6 and allows what a rate of 5%
// makes probable.
func TestUnchangedCandidate(t *testing.T) {
	rows, err := faults.Read(filepath.Join("testdata", "flights"), "candidate")
	if err != nil {
		t.Fatal(err)
	}
	n, allowed := 6, 2 // 3 or more of 6 have probability 0.002
	if s := os.Getenv("RAMPGUARD_SPLITS"); s != "" {
		if n, err = strconv.Atoi(s); err != nil || n < 1 {
			t.Fatalf("RAMPGUARD_SPLITS=%s", s)
		}
		allowed = max(2, n/20)
	}
	p := faultPolicy(t)
	bad := 0
	for seed := range n {
		a, b := faults.Split(rows, uint64(100+seed))
		v := judgeFlights(t, p, collectFlights(t, p, a), collectFlights(t, p, b))
		if got := alarms(&v); len(got) > 0 {
			bad++
			t.Logf("split %d: %q", seed, got)
		}
	}
	t.Logf("%d of %d splits raise an alarm", bad, n)
	if bad > allowed {
		t.Errorf("%d of %d splits of sound flights raise an alarm, want at most %d", bad, n, allowed)
	}
}
