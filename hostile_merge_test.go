package rampguard_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// evidence is what the two kinds of snapshots have in common.
type evidence[S any] interface {
	*S
	Merge(o *S) error
	MarshalBinary() ([]byte, error)
	UnmarshalBinary(b []byte) error
}

// stored returns the snapshot as it is, or written and read back in one of its forms.
func stored[S any, P evidence[S]](t *testing.T, s *S, form int) *S {
	t.Helper()
	out := new(S)
	var err error
	var b []byte
	if to, ok := any(s).(json.Marshaler); ok && form == 1 {
		if b, err = to.MarshalJSON(); err == nil {
			err = json.Unmarshal(b, out)
		}
	} else if b, err = P(s).MarshalBinary(); err == nil {
		err = P(out).UnmarshalBinary(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tree merges snapshots two by two until one is left, storing them in between.
func tree[S any, P evidence[S]](t *testing.T, r *rand.Rand, all []*S) *S {
	t.Helper()
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for len(all) > 1 {
		var next []*S
		for i := 0; i+1 < len(all); i += 2 {
			s := stored[S, P](t, all[i], r.IntN(3))
			if err := P(s).Merge(stored[S, P](t, all[i+1], r.IntN(3))); err != nil {
				t.Fatal(err)
			}
			next = append(next, s)
		}
		if len(all)%2 == 1 {
			next = append(next, all[len(all)-1])
		}
		all = next
	}
	return all[0]
}

// A log that is cut into parts anywhere, which are collected by themselves, with
// dictionaries of their own, stored, and merged in any order, gives the same
// evidence, findings and verdict as one pass, byte for byte; so do pairs.
func TestHostilePartsAreOnePass(t *testing.T) {
	const parts = 7
	for _, task := range hostileTasks {
		p, sound := hostilePolicy(t, task), soundArms(task)
		for _, c := range hostileCases() {
			if !c.merged && !everyCase() || c.only != "" && c.only != task {
				continue
			}
			t.Run(task+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(7, 1))
				base, cand := sound.spoiled(&c)
				cut := func(l hostileLog) []int {
					at := []int{0, l.rows}
					for len(at) < parts+1 {
						at = append(at, r.IntN(l.rows+1))
					}
					slices.Sort(at)
					return at
				}
				inParts := func(l hostileLog) *analysis.Snapshot {
					var all []*analysis.Snapshot
					at := cut(l)
					for i := range parts {
						all = append(all, l.collect(t, p, at[i], at[i+1], true))
					}
					return tree[analysis.Snapshot](t, r, all)
				}
				pairsInParts := func(l hostileLog) *analysis.PairSnapshot {
					var all []*analysis.PairSnapshot
					at := cut(l)
					for i := range parts {
						s := l.pairs(t, p, at[i], at[i+1], true)
						if s == nil {
							return nil
						}
						all = append(all, s)
					}
					return tree[analysis.PairSnapshot](t, r, all)
				}
				whole := hostileLook(p, base.collect(t, p, 0, base.rows, false), cand.collect(t, p, 0, cand.rows, false), cand.pairs(t, p, 0, cand.rows, false))
				merged := hostileLook(p, inParts(base), inParts(cand), pairsInParts(cand))
				sameBytes(t, "baseline", whole.Evidence[0].Baseline, merged.Evidence[0].Baseline)
				sameBytes(t, "candidate", whole.Evidence[0].Candidate, merged.Evidence[0].Candidate)
				if p.Pairs != (analysis.Pairs{}) && whole.Evidence[0].Pairs != nil {
					sameBytes(t, "pairs", whole.Evidence[0].Pairs, merged.Evidence[0].Pairs)
				}
				if d := firstDifference(verdictText(t, p, whole), verdictText(t, p, merged)); d != "" {
					t.Errorf("the verdicts differ: %s", d)
				}
			})
		}
	}
}

// sameBytes reports snapshots with different binary forms.
func sameBytes(t *testing.T, name string, a, b encoding.BinaryMarshaler) {
	t.Helper()
	x, err1 := a.MarshalBinary()
	y, err2 := b.MarshalBinary()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if d := firstDifference(x, y); d != "" {
		t.Errorf("the %s of one pass and of parts differ: %s", name, d)
	}
}

func verdictText(t *testing.T, p *analysis.Policy, l analysis.Look) []byte {
	t.Helper()
	v, err := p.Evaluate(l)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// firstDifference is the text around the first byte in which two texts differ.
func firstDifference(a, b []byte) string {
	if bytes.Equal(a, b) {
		return ""
	}
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	around := func(x []byte) []byte { return x[min(len(x), max(0, i-80)):min(len(x), i+40)] }
	return fmt.Sprintf("at byte %d, %q and %q", i, around(a), around(b))
}
