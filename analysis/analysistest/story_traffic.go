package analysistest

import (
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// stageTraffic is what has been served in one stage.
type stageTraffic struct {
	stage               string
	baseline, candidate uint64
	over                time.Duration
	same                bool // one log for both arms
}

// maxTraffic keeps a story fast: its units are made row by row.
const maxTraffic = 1_000_000

func (p *player) setTraffic(c *command, words []string) error {
	t := stageTraffic{stage: p.stage}
	if n := len(words); n >= 2 && words[n-2] == "over" {
		d, err := parseDuration(words[n-1])
		if err != nil {
			return c.errorf("%s: %v", words[n-1], err)
		}
		t.over, words = d, words[:n-2]
	}
	switch {
	case len(words) == 1 && words[0] == "none":
		p.evidence = nil
		return nil
	case len(words) == 2 && words[0] == "same":
		t.same, words = true, words[1:]
	case len(words) == 1, len(words) == 2:
	default:
		return c.errorf("write traffic N [over D], traffic N M [over D], traffic same N, or traffic none")
	}
	for i, dst := range []*uint64{&t.baseline, &t.candidate} {
		n, err := parseUint(words[min(i, len(words)-1)])
		if err != nil || n > maxTraffic {
			return c.errorf("%s is not a number of units up to %d", words[min(i, len(words)-1)], maxTraffic)
		}
		*dst = n
	}
	for i := range p.evidence {
		if p.evidence[i].stage == t.stage {
			p.evidence[i] = t
			return nil
		}
	}
	p.evidence = append(p.evidence, t)
	return nil
}

// snapshots makes evidence of the traffic so far.
func (p *player) snapshots() ([]analysis.StageEvidence, error) {
	policies := []*analysis.Policy{p.policy}
	if p.shadow != nil {
		policies = append(policies, p.shadow)
	}
	spec, err := analysis.UnionSpec(policies...)
	if err != nil {
		return nil, err
	}
	var out []analysis.StageEvidence
	for i, t := range p.evidence {
		e := analysis.StageEvidence{Stage: t.stage}
		first := int64(2*i) << 32
		if e.Baseline, err = arm(spec, first, t.baseline, t.over); err != nil {
			return nil, err
		}
		if !t.same {
			first = int64(2*i+1) << 32
		}
		if e.Candidate, err = arm(spec, first, t.candidate, t.over); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// arm is a log of n units, evenly spread over a time. All columns but those of
// units and time are absent.
func arm(spec *analysis.Spec, first int64, n uint64, over time.Duration) (*analysis.Snapshot, error) {
	ids, times := make([]int64, n), make([]int64, n)
	for i := range ids {
		ids[i] = first + int64(i)
		times[i] = day.UnixMicro()
		if n > 1 {
			times[i] += int64(float64(over.Microseconds()) * (float64(i) / float64(n-1)))
		}
	}
	b := &analysis.Batch{Rows: int(n), Columns: make([]analysis.Column, len(spec.Columns))}
	for i, c := range spec.Columns {
		switch {
		case c.Role == analysis.Unit:
			b.Columns[i] = analysis.Column{Type: analysis.Int, Ints: ids}
		case c.Role == analysis.Clock && over > 0:
			b.Columns[i] = analysis.Column{Type: analysis.Time, Ints: times}
		}
	}
	c := analysis.NewCollector(spec)
	if err := c.Add(b); err != nil {
		return nil, err
	}
	return c.Snapshot()
}
