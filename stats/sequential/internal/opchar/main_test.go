package main

import (
	"bytes"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// most is the number of false alarms in n runs that a procedure of level alpha
// exceeds with a probability of 0.001 at most.
func most(n int, alpha float64) int {
	k := 0
	for (distuv.Binomial{N: float64(n), P: alpha}).CDF(float64(k)) < 0.999 {
		k++
	}
	return k
}

func TestFalseAlarms(t *testing.T) {
	const n = 60
	for _, m := range tests {
		if m.name == "z per look" {
			continue
		}
		for _, s := range splits {
			got, err := falseAlarms(7, n, 0.005, s, m)
			if err != nil {
				t.Fatal(err)
			}
			if limit := most(n, alpha); got > limit {
				t.Errorf("%s, %s: %d false alarms in %d runs, want at most %d", m.name, s.name, got, n, limit)
			}
		}
	}
}

func TestFalseMismatches(t *testing.T) {
	const n = 100
	rows, err := falseMismatches(7, n)
	if err != nil {
		t.Fatal(err)
	}
	if got, limit := rows[0].at[2], most(n, 0.001); got > limit {
		t.Errorf("SRM: %d false mismatches in %d runs, want at most %d", got, n, limit)
	}
}

func TestRollbacks(t *testing.T) {
	const n = 8
	none, err := rollbacks(7, n, scenario{swing: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	if got, limit := none.count[budgeted], most(n, 0.05); got > limit {
		t.Errorf("%d false rollbacks in %d rollouts, want at most %d", got, n, limit)
	}
	if got := none.count[bonferroni]; got < n/2 {
		t.Errorf("z per look rolls back %d of %d harmless rollouts, want most: the comparison is broken", got, n)
	}
	harm, err := rollbacks(7, 5, harms[0])
	if err != nil {
		t.Fatal(err)
	}
	if harm.count[budgeted] != 5 || harm.hour[budgeted][0] > 60 {
		t.Errorf("RR 3: %d of 5 rolled back, at hours %v; want all within 60", harm.count[budgeted], harm.hour[budgeted])
	}
}

func TestReportRepeats(t *testing.T) {
	var a, b bytes.Buffer
	size := sizes{looks: 2, srm: 2, rollouts: 1, harm: 1}
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := report(w, 3, size); err != nil {
			t.Fatal(err)
		}
	}
	if a.String() != b.String() || strings.Count(a.String(), "\n") < 30 {
		t.Errorf("the same seed gives two reports, or a short one:\n%s\n%s", a.String(), b.String())
	}
}
