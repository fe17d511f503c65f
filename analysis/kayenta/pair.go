package kayenta

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// Pair is one metric of both arms, as points of a time series. Its JSON form is
// that of Kayenta's metric set pairs, of which the scopes and attributes, which no
// judge looks at, are not kept.
type Pair struct {
	Name       string
	ID         string
	Tags       map[string]string
	Control    []float64 // the baseline; NaN marks a point without a value
	Experiment []float64 // the canary
}

type pairJSON struct {
	Name   string             `json:"name"`
	ID     string             `json:"id"`
	Tags   map[string]string  `json:"tags"`
	Values map[string]numbers `json:"values"`
}

// MarshalJSON implements [json.Marshaler]; values that are not finite are the
// strings "NaN", "Infinity" and "-Infinity".
func (p Pair) MarshalJSON() ([]byte, error) {
	return json.Marshal(pairJSON{p.Name, p.ID, p.Tags, map[string]numbers{"control": p.Control, "experiment": p.Experiment}})
}

// UnmarshalJSON implements [json.Unmarshaler]. Both sides have to be there, if
// only as empty lists.
func (p *Pair) UnmarshalJSON(b []byte) error {
	var j pairJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("kayenta: Pair: %w", err)
	}
	for _, side := range []string{"control", "experiment"} {
		if _, ok := j.Values[side]; !ok {
			return fmt.Errorf("kayenta: Pair %q: values.%s is missing: %w", j.Name, side, stats.ErrEmpty)
		}
	}
	*p = Pair{j.Name, j.ID, j.Tags, j.Values["control"], j.Values["experiment"]}
	return nil
}

// numbers are floats in the JSON form of Kayenta.
type numbers []float64

func (n numbers) MarshalJSON() ([]byte, error) {
	out := make([]any, len(n))
	for i, v := range n {
		switch {
		case math.IsNaN(v):
			out[i] = "NaN"
		case math.IsInf(v, 1):
			out[i] = "Infinity"
		case math.IsInf(v, -1):
			out[i] = "-Infinity"
		default:
			out[i] = v
		}
	}
	return json.Marshal(out)
}

func (n *numbers) UnmarshalJSON(b []byte) error {
	var raw []any
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	words := map[any]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "+Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}
	*n = make(numbers, len(raw))
	for i, v := range raw {
		switch v := v.(type) {
		case float64:
			(*n)[i] = v
		case string:
			f, ok := words[v]
			if !ok {
				return fmt.Errorf("value %d is %q, not a number: %w", i, v, stats.ErrDomain)
			}
			(*n)[i] = f
		default:
			return fmt.Errorf("value %d is %v, not a number; write NaN as \"NaN\": %w", i, v, stats.ErrDomain)
		}
	}
	return nil
}

// Series is one metric of one arm with one set of tags, as a metric store returns
// it.
type Series struct {
	Name   string
	Tags   map[string]string
	Values []float64
	// Start, End and Step, in milliseconds, say how many points to expect; a
	// Step of 0 means that it is not known.
	Start, End, Step int64
}

// maxPoints bounds the points that a series may be filled up to.
const maxPoints = 10_000_000

func (s *Series) expected() (int, error) {
	if s.Step == 0 {
		return 0, nil
	}
	n := (s.End - s.Start) / s.Step
	if s.Step < 0 || n > maxPoints {
		return 0, fmt.Errorf("series %q: %d points from %d to %d in steps of %d: %w", s.Name, n, s.Start, s.End, s.Step, stats.ErrDomain)
	}
	return int(max(n, 0)), nil
}

// filled is the values, followed by as many NaN as points are missing.
func (s *Series) filled() ([]float64, error) {
	n, err := s.expected()
	if err != nil {
		return nil, err
	}
	out := slices.Clone(s.Values)
	for len(out) < n {
		out = append(out, math.NaN())
	}
	return out, nil
}

// PairOne pairs two series of the same name and tags. A side with fewer values
// than its times promise is filled up with NaN at its end. The ID of the pair is
// made of the name and the tags.
//
// Errors wrap [stats.ErrMismatch] for names or tags that differ, and
// [stats.ErrDomain] for a missing name or impossible times.
func PairOne(control, experiment Series) (Pair, error) {
	fail := func(err error, format string, args ...any) (Pair, error) {
		return Pair{}, fmt.Errorf("kayenta: PairOne: %s: %w", fmt.Sprintf(format, args...), err)
	}
	switch {
	case control.Name == "":
		return fail(stats.ErrDomain, "Control metric set name was not set")
	case experiment.Name == "":
		return fail(stats.ErrDomain, "Experiment metric set name was not set")
	case control.Name != experiment.Name:
		return fail(stats.ErrMismatch, "Control metric set name %q does not match experiment metric set name %q", control.Name, experiment.Name)
	case !maps.Equal(control.Tags, experiment.Tags):
		return fail(stats.ErrMismatch, "metric %q: tags %s of the control, %s of the experiment", control.Name, tagText(control.Tags), tagText(experiment.Tags))
	}
	c, err := control.filled()
	if err != nil {
		return fail(err, "control")
	}
	e, err := experiment.filled()
	if err != nil {
		return fail(err, "experiment")
	}
	return Pair{Name: control.Name, ID: control.Name + tagText(control.Tags), Tags: maps.Clone(control.Tags), Control: c, Experiment: e}, nil
}

// PairSets pairs the series of both arms for each of the named metrics, by their
// tags and in the order of the tags. Tags that one arm does not have are paired
// with a series of NaN of the expected length. If one arm has a series without
// tags and the other has none, that series only serves as the pattern of such
// fillers: its values are not used.
//
// Errors wrap [stats.ErrEmpty] for a metric without any series in an arm,
// [stats.ErrMismatch] for arms that differ in the keys of their tags, and are
// otherwise those of [PairOne].
func PairSets(metrics []string, control, experiment []Series) ([]Pair, error) {
	var out []Pair
	for _, name := range metrics {
		other := func(s Series) bool { return s.Name != name }
		c := slices.DeleteFunc(slices.Clone(control), other)
		e := slices.DeleteFunc(slices.Clone(experiment), other)
		switch {
		case len(c) == 0:
			return nil, fmt.Errorf("kayenta: PairSets: No control metrics found for %q: %w", name, stats.ErrEmpty)
		case len(e) == 0:
			return nil, fmt.Errorf("kayenta: PairSets: No experiment metrics found for %q: %w", name, stats.ErrEmpty)
		}
		if kc, ke := tagKeys(c), tagKeys(e); len(kc) > 0 && len(ke) > 0 && !slices.Equal(kc, ke) {
			return nil, fmt.Errorf("kayenta: PairSets: metric %q: the arms have different tag keys, %v of the control and %v of the experiment: %w", name, kc, ke, stats.ErrMismatch)
		}
		ps, err := pairMetric(c, e)
		if err != nil {
			return nil, err
		}
		out = append(out, ps...)
	}
	return out, nil
}

func pairMetric(control, experiment []Series) ([]Pair, error) {
	tagless := func(s Series) bool { return len(s.Tags) == 0 }
	plainC, plainE := slices.ContainsFunc(control, tagless), slices.ContainsFunc(experiment, tagless)
	var pairs [][2]Series
	switch {
	case plainC && !plainE:
		for _, s := range experiment {
			pairs = append(pairs, [2]Series{filler(control, s.Tags), s})
		}
	case plainE && !plainC:
		for _, s := range control {
			pairs = append(pairs, [2]Series{s, filler(experiment, s.Tags)})
		}
	default:
		seen := map[string]bool{}
		for _, s := range slices.Concat(control, experiment) {
			if t := tagText(s.Tags); !seen[t] {
				seen[t] = true
				pairs = append(pairs, [2]Series{withTags(control, s.Tags), withTags(experiment, s.Tags)})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b [2]Series) int { return cmp.Compare(tagText(a[0].Tags), tagText(b[0].Tags)) })
	var out []Pair
	for _, s := range pairs {
		p, err := PairOne(s[0], s[1])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// withTags is the first series with the tags, or a filler.
func withTags(ss []Series, tags map[string]string) Series {
	if i := slices.IndexFunc(ss, func(s Series) bool { return maps.Equal(s.Tags, tags) }); i >= 0 {
		return ss[i]
	}
	return filler(ss, tags)
}

// filler is a series like the first one, without values.
func filler(ss []Series, tags map[string]string) Series {
	f := ss[0]
	f.Tags, f.Values = tags, nil
	return f
}

func tagKeys(ss []Series) []string {
	keys := map[string]bool{}
	for _, s := range ss {
		for k := range s.Tags {
			keys[k] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// tagText formats tags as {a="x" b="y"}, in order; quoted, so that no two sets of
// tags look the same.
func tagText(tags map[string]string) string {
	parts := make([]string, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		parts = append(parts, fmt.Sprintf("%s=%q", k, tags[k]))
	}
	return "{" + strings.Join(parts, " ") + "}"
}
