package summary

import (
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

const distinctWire = 1

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal states give equal
// bytes, however the ids came in.
func (d *Distinct) MarshalBinary() ([]byte, error) {
	var w writer
	d.write(&w)
	return w.b, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves d unchanged.
func (d *Distinct) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	var out Distinct
	out.read(&r)
	if err := r.done(); err != nil {
		return err
	}
	*d = out
	return nil
}

func (d *Distinct) write(w *writer) {
	d.compact()
	w.u64(distinctWire)
	w.u64(d.total)
	w.u64(d.null)
	w.u64(d.bound)
	slots := d.sample.sorted()
	w.u64(uint64(len(slots)))
	prev := uint64(0)
	for _, s := range slots {
		w.u64(s.h - prev)
		prev = s.h
		w.u64(s.n)
	}
}

func (d *Distinct) read(r *reader) {
	r.version("distinct", distinctWire)
	d.total, d.null, d.bound = r.u64(), r.u64(), r.u64()
	n := r.length(2)
	if n > distinctSample || (d.bound != 0 && n < distinctSample) {
		r.fail("%d sampled ids", n)
		return
	}
	at, seen := uint64(0), uint64(0)
	for i := 0; i < n && r.err == nil; i++ {
		step, k := r.u64(), r.u64()
		if (i > 0 && step == 0) || at+step < at || k == 0 {
			r.fail("sampled id %d out of place", i)
			return
		}
		at += step
		d.sample.add(at, k)
		seen = r.sum(seen, k)
	}
	if d.bound != 0 && d.bound != at {
		r.fail("bound %#x is not the largest sampled hash", d.bound)
	}
	// beyond the sample at least one id was seen that is not in it
	if seen > d.total || (d.bound == 0) != (seen == d.total) {
		r.fail("%d sampled of %d ids", seen, d.total)
	}
}

type distinctJSON struct {
	Total  uint64     `json:"total"`
	Null   uint64     `json:"null,omitempty"`
	Bound  uint64     `json:"bound,omitempty"`
	Sample [][]uint64 `json:"sample"`
}

// MarshalJSON implements [json.Marshaler]: the sample is a list of
// [hash, times seen].
func (d *Distinct) MarshalJSON() ([]byte, error) {
	d.compact()
	j := distinctJSON{Total: d.total, Null: d.null, Bound: d.bound, Sample: [][]uint64{}}
	for _, s := range d.sample.sorted() {
		j.Sample = append(j.Sample, []uint64{s.h, s.n})
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves d unchanged.
func (d *Distinct) UnmarshalJSON(b []byte) error {
	var j distinctJSON
	if err := readJSON("Distinct", b, &j); err != nil {
		return err
	}
	var w writer
	w.u64(distinctWire)
	w.u64(j.Total)
	w.u64(j.Null)
	w.u64(j.Bound)
	w.u64(uint64(len(j.Sample)))
	prev := uint64(0)
	for i, s := range j.Sample {
		if len(s) != 2 || (i > 0 && s[0] <= prev) {
			return fmt.Errorf("summary: Distinct: sample out of order at %d: %w", i, stats.ErrMismatch)
		}
		w.u64(s[0] - prev)
		prev = s[0]
		w.u64(s[1])
	}
	return d.UnmarshalBinary(w.b)
}
