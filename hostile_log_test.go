package rampguard_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// hostileNow is the time of the looks, hostileStart that of the first row.
var (
	hostileStart = time.Date(2025, 11, 3, 0, 0, 0, 0, time.UTC)
	hostileNow   = hostileStart.Add(48 * time.Hour)
)

// hostileTasks are the policies under testdata/hostile.
var hostileTasks = []string{"binary", "regression", "multiclass"}

// hostileColumns is the number of columns c00, c01, ... of the logs.
const hostileColumns = 64

func hostilePolicy(t testing.TB, task string) *analysis.Policy {
	t.Helper()
	name := "testdata/hostile/" + task + ".yaml"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := analysis.LoadPolicy(name, text, checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hostileLog is a log in columns. A column that is not there is absent.
type hostileLog struct {
	rows int
	cols map[string]analysis.Column
}

// texts is a column of names.
func texts(n int, at func(i int) string) analysis.Column {
	c := analysis.Column{Type: analysis.String, Dict: &analysis.Dict{}}
	code := map[string]int32{}
	for i := range n {
		name := at(i)
		if _, ok := code[name]; !ok {
			code[name] = int32(len(code))
			c.Dict.Values = append(c.Dict.Values, name)
		}
		c.Codes = append(c.Codes, code[name])
	}
	return c
}

func floats(n int, at func(i int) float64) analysis.Column {
	c := analysis.Column{Type: analysis.Float}
	for i := range n {
		c.Floats = append(c.Floats, at(i))
	}
	return c
}

func ints(n int, kind analysis.Type, at func(i int) int64) analysis.Column {
	c := analysis.Column{Type: kind}
	for i := range n {
		c.Ints = append(c.Ints, at(i))
	}
	return c
}

func flags(n int, at func(i int) bool) analysis.Column {
	c := analysis.Column{Type: analysis.Bool}
	for i := range n {
		c.Bools = append(c.Bools, at(i))
	}
	return c
}

// missing is a column without any value.
func missing(c analysis.Column, rows int) analysis.Column {
	c.Valid = make([]bool, rows)
	return c
}

// soundLog is a log of a model that is right about its scores, for any of the
// policies, with ids from a number on.
func soundLog(task string, rows int, seed uint64, firstID int64) hostileLog {
	r := rand.New(rand.NewPCG(seed, 1))
	l := hostileLog{rows, map[string]analysis.Column{}}
	score := floats(rows, func(int) float64 { x := r.Float64(); return float64(x*x) * 0.98 })
	l.cols["score"] = score
	l.cols["champion"] = floats(rows, func(i int) float64 { return math.Min(0.98, math.Max(0, score.Floats[i]+0.01*r.NormFloat64())) })
	l.cols["ts"] = ints(rows, analysis.Time, func(i int) int64 { return hostileStart.Add(time.Duration(i) * 10 * time.Second).UnixMicro() })
	l.cols["feature_ts"] = ints(rows, analysis.Time, func(i int) int64 { return l.cols["ts"].Ints[i] - int64(1e6*(1+60*r.Float64())) })
	l.cols["id"] = ints(rows, analysis.Int, func(i int) int64 { return firstID + int64(i) })
	l.cols["amount"] = floats(rows, func(int) float64 { return math.Exp(3 + r.NormFloat64()) })
	for k := range hostileColumns {
		l.cols[fmt.Sprintf("c%02d", k)] = texts(rows, func(int) string { return string(rune('a' + r.IntN(3))) })
	}
	switch task {
	case "binary":
		l.cols["label"] = flags(rows, func(i int) bool { return r.Float64() < score.Floats[i] })
		version, cut := "1", 0.7
		if firstID > 0 {
			version, cut = "2", 0.68
		}
		l.cols["thresholds"] = texts(rows, func(int) string { return version })
		l.cols["action"] = texts(rows, func(i int) string {
			switch x := score.Floats[i]; {
			case x >= cut:
				return "block"
			case x >= 0.4:
				return "review"
			}
			return "allow"
		})
	case "regression":
		l.cols["label"] = floats(rows, func(i int) float64 { return score.Floats[i] + r.NormFloat64() })
		l.cols["low"] = floats(rows, func(i int) float64 { return score.Floats[i] - 2 })
		l.cols["high"] = floats(rows, func(i int) float64 { return score.Floats[i] + 2 })
	case "multiclass":
		l.cols["label"] = texts(rows, func(i int) string {
			if r.Float64() < score.Floats[i] {
				return "a"
			}
			return string(rune('b' + r.IntN(2)))
		})
		l.cols["pa"] = score
		for _, name := range []string{"pb", "pc"} {
			l.cols[name] = floats(rows, func(i int) float64 { return (1 - score.Floats[i]) / 2 })
		}
	}
	return l
}

// hostileRows is the size of each arm of the logs.
const hostileRows = 2000

// arms are the logs of the baseline and of the candidate.
type arms [2]hostileLog

func soundArms(task string) arms {
	return arms{soundLog(task, hostileRows, 1, 0), soundLog(task, hostileRows, 2, 1<<40)}
}

// spoiled are copies of the logs as a case spoils them.
func (a arms) spoiled(c *hostileCase) (base, cand hostileLog) {
	base, cand = a[0], a[1]
	base.cols, cand.cols = maps.Clone(base.cols), maps.Clone(cand.cols)
	c.spoil(&base, &cand)
	return base, cand
}

// scores are the columns of the model's output.
func (l hostileLog) scores() []string {
	if _, ok := l.cols["pa"]; ok {
		return []string{"pa", "pb", "pc"}
	}
	return []string{"score"}
}

// set replaces a column, if the log has it.
func (l hostileLog) set(name string, c analysis.Column) {
	if _, ok := l.cols[name]; ok {
		l.cols[name] = c
	}
}

// names are those of c00, c01, ...
func hostileNames() []string {
	var out []string
	for k := range hostileColumns {
		out = append(out, fmt.Sprintf("c%02d", k))
	}
	return out
}

// batch is some rows of the named columns. Each batch may have dictionaries of its
// own, in which the names stand in the order in which they come.
func (l hostileLog) batch(names []string, from, to int, ownDicts bool) *analysis.Batch {
	b := &analysis.Batch{Rows: to - from}
	for _, name := range names {
		c := l.cols[name]
		if c.Valid != nil {
			c.Valid = c.Valid[from:to]
		}
		switch c.Type {
		case analysis.Float:
			c.Floats = c.Floats[from:to]
		case analysis.Int, analysis.Time:
			c.Ints = c.Ints[from:to]
		case analysis.Bool:
			c.Bools = c.Bools[from:to]
		case analysis.String:
			if c.Codes = c.Codes[from:to]; ownDicts {
				valid, old := c.Valid, c
				c = texts(to-from, func(i int) string { return old.Dict.Values[old.Codes[i]] })
				c.Valid = valid
			}
		case analysis.Absent:
		}
		b.Columns = append(b.Columns, c)
	}
	return b
}

// collector returns a collector of the policy, whose labels mature an hour before
// now.
func hostileCollector(t testing.TB, p *analysis.Policy) *analysis.Collector {
	t.Helper()
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	if err := c.MatureBefore(hostileNow.Add(-p.Labels.Maturity)); err != nil {
		t.Fatal(err)
	}
	return c
}

// collectRows collects some rows of the log.
func (l hostileLog) collect(t testing.TB, p *analysis.Policy, from, to int, ownDicts bool) *analysis.Snapshot {
	t.Helper()
	c := hostileCollector(t, p)
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	for ; from < to; from += 1000 {
		if err := c.Add(l.batch(spec.Names(), from, min(from+1000, to), ownDicts)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pairs collects some rows of the log as pairs, or returns nil when the policy has
// none or the types of the columns do not fit, which is an error there.
func (l hostileLog) pairs(t testing.TB, p *analysis.Policy, from, to int, ownDicts bool) *analysis.PairSnapshot {
	t.Helper()
	spec, err := p.PairSpec()
	if err != nil {
		t.Fatal(err)
	}
	if spec == nil {
		return nil
	}
	c, err := analysis.NewPairCollector(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MatureBefore(hostileNow.Add(-p.Labels.Maturity)); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(l.batch(spec.Spec().Names(), from, to, ownDicts)); err != nil {
		return nil
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hostileLook is a look at two logs, at the first stage where there are stages.
func hostileLook(p *analysis.Policy, base, cand *analysis.Snapshot, pairs *analysis.PairSnapshot) analysis.Look {
	l := analysis.Look{Evidence: []analysis.StageEvidence{{Baseline: base, Candidate: cand, Pairs: pairs}}, Now: hostileNow}
	if len(p.Stages) > 0 {
		l.Stage = p.Stages[0].Name
		l.Evidence[0].Stage = l.Stage
	}
	return l
}

// many are n different names.
func manyNames(n int) *analysis.Dict {
	d := &analysis.Dict{Values: make([]string, n)}
	for i := range d.Values {
		d.Values[i] = "value-" + strconv.Itoa(i)
	}
	return d
}

// outcomes lists "check/code outcome" of the findings, each once, in order.
func outcomes(fs []analysis.Finding) []string {
	var out []string
	for i := range fs {
		out = append(out, fmt.Sprintf("%s/%s %v", fs[i].Check, fs[i].Code, fs[i].Outcome))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
