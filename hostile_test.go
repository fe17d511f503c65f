package rampguard_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// everyCase asks for all cases of all tasks, rather than all of the binary task and
// some of the others; set it once after work on checks.
func everyCase() bool { return os.Getenv("RAMPGUARD_HOSTILE") == "all" }

// Whatever a log holds, a verdict comes out, with a typed outcome of each check. It
// is never a continue where something is wrong, can be written and read back, and
// is computed again from what was stored.
func TestHostileLogs(t *testing.T) {
	for _, task := range hostileTasks {
		p, sound := hostilePolicy(t, task), soundArms(task)
		for _, c := range hostileCases() {
			if c.only != "" && c.only != task || task != "binary" && !c.merged && !everyCase() {
				continue
			}
			t.Run(task+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				base, cand := sound.spoiled(&c)
				v := hostileVerdict(t, p, base, cand, c.merged || everyCase())
				for _, f := range v.Findings {
					if strings.HasPrefix(f.Code, "check_") {
						t.Errorf("%s: %s: %s", f.Check, f.Code, f.Message)
					}
				}
				if got, want := v.Decision == analysis.Continue, slices.Contains(strings.Fields(c.continues), task); got != want {
					t.Errorf("%v for %v", v.Decision, v.Reasons)
				}
				found, want := outcomes(v.Findings), c.want
				if task == "binary" && c.binary != "" {
					want += ", " + c.binary
				}
				for w := range strings.SplitSeq(want, ", ") {
					if w != "" && !slices.Contains(found, w) {
						t.Errorf("%s is missing from %s", w, strings.Join(found, ", "))
					}
				}
			})
		}
	}
}

// hostileVerdict is the verdict on two logs, which has to survive being stored, and
// computed again if asked for.
func hostileVerdict(t *testing.T, p *analysis.Policy, base, cand hostileLog, replay bool) analysis.Verdict {
	t.Helper()
	look := hostileLook(p, base.collect(t, p, 0, base.rows, false), cand.collect(t, p, 0, cand.rows, false), cand.pairs(t, p, 0, cand.rows, false))
	v, err := p.Evaluate(look)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	back, err := analysis.VerdictFromJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(back); err != nil || !bytes.Equal(text, again) {
		t.Errorf("the verdict reads back as another one: %v", err)
	}
	if !replay {
		return v
	}
	if _, err := analysis.ReplayFrom(back, p, hostileArchive(t, &look)); err != nil {
		t.Error(err)
	}
	return v
}

// hostileArchive holds the evidence of a look as bytes.
func hostileArchive(t *testing.T, l *analysis.Look) analysis.Archive {
	t.Helper()
	stored := map[string][]byte{}
	store := func(s interface {
		Digest() (string, error)
		MarshalBinary() ([]byte, error)
	}) {
		digest, err1 := s.Digest()
		b, err2 := s.MarshalBinary()
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		stored[digest] = b
	}
	for _, e := range l.Evidence {
		store(e.Baseline)
		store(e.Candidate)
		if e.Pairs != nil {
			store(e.Pairs)
		}
	}
	return analysis.Archive{
		Snapshot: func(digest string) (*analysis.Snapshot, error) {
			s := new(analysis.Snapshot)
			return s, s.UnmarshalBinary(stored[digest])
		},
		Pairs: func(digest string) (*analysis.PairSnapshot, error) {
			s := new(analysis.PairSnapshot)
			return s, s.UnmarshalBinary(stored[digest])
		},
	}
}
