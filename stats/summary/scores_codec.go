package summary

import (
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

const scoresWire = 1

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal states give equal
// bytes, however the scores came in.
func (s *Scores) MarshalBinary() ([]byte, error) {
	var w writer
	s.write(&w)
	return w.b, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves s unchanged.
func (s *Scores) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	var out Scores
	out.read(&r)
	if err := r.done(); err != nil {
		return err
	}
	*s = out
	return nil
}

func (s *Scores) write(w *writer) {
	w.u64(scoresWire)
	for i := range s.hist {
		s.hist[i].write(w)
		s.cuts[i].write(w)
	}
}

func (s *Scores) read(r *reader) {
	r.version("scores", scoresWire)
	for i := range s.hist {
		s.hist[i].read(r)
		s.cuts[i].read(r)
	}
	s.check(r)
}

// check reports as damage parts that do not belong together.
func (s *Scores) check(r *reader) {
	want := Unset // until there is a row
	if s.Total() > 0 {
		want = Probability
	}
	for i := range s.hist {
		h, c := &s.hist[i], &s.cuts[i]
		if h.layout.kind != want {
			r.fail("scores in layout %s", h.layout.ID())
		}
		if k := c.layout.kind; (k != FrozenEdges && k != Unset) || !c.layout.equal(s.cuts[0].layout) {
			r.fail("cuts in layout %s", c.layout.ID())
		}
		seen := Excluded{NaN: h.excluded.NaN, PosInf: h.excluded.PosInf, NegInf: h.excluded.NegInf}
		if c.layout.kind == Unset {
			seen = Excluded{}
		}
		if c.excluded != seen || (c.layout.kind == FrozenEdges && c.n != h.n+h.excluded.Below+h.excluded.Above) {
			r.fail("cuts do not hold the scores")
		}
	}
}

type scoresJSON struct {
	Unlabelled *Histogram   `json:"unlabelled"`
	Negative   *Histogram   `json:"negative"`
	Positive   *Histogram   `json:"positive"`
	Cuts       []*Histogram `json:"cuts,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (s *Scores) MarshalJSON() ([]byte, error) {
	j := scoresJSON{Unlabelled: &s.hist[Unlabelled], Negative: &s.hist[Negative], Positive: &s.hist[Positive]}
	if s.cuts[0].layout.kind == FrozenEdges {
		j.Cuts = []*Histogram{&s.cuts[0], &s.cuts[1], &s.cuts[2]}
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves s unchanged.
func (s *Scores) UnmarshalJSON(b []byte) error {
	var j scoresJSON
	if err := readJSON("Scores", b, &j); err != nil {
		return err
	}
	if j.Unlabelled == nil || j.Negative == nil || j.Positive == nil || (len(j.Cuts) != 0 && len(j.Cuts) != labels) {
		return fmt.Errorf("summary: Scores: a part is missing: %w", stats.ErrMismatch)
	}
	out := Scores{hist: [labels]Histogram{Unlabelled: *j.Unlabelled, Negative: *j.Negative, Positive: *j.Positive}}
	for i, h := range j.Cuts {
		if h == nil {
			return fmt.Errorf("summary: Scores: a part is missing: %w", stats.ErrMismatch)
		}
		out.cuts[i] = *h
	}
	var r reader
	out.check(&r)
	if r.err != nil {
		return r.err
	}
	*s = out
	return nil
}
