package summary

import (
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// Proportion counts a yes-or-no column: true, false and missing. The zero value
// is empty and the identity of Merge.
type Proportion struct {
	True  uint64 `json:"true"`
	False uint64 `json:"false"`
	Null  uint64 `json:"null,omitempty"`
}

// Trials is the number of values that are not missing.
func (p *Proportion) Trials() uint64 { return p.True + p.False }

// Add counts one value.
func (p *Proportion) Add(v bool) {
	if v {
		p.True++
	} else {
		p.False++
	}
}

// AddSlice counts the values of vs; where valid is not nil, those with a false
// entry are missing. A valid of another length than vs is an error wrapping
// [stats.ErrMismatch], and nothing is counted.
func (p *Proportion) AddSlice(vs, valid []bool) error {
	if valid != nil && len(valid) != len(vs) {
		return fmt.Errorf("summary: Proportion.AddSlice: %d values and %d valid flags: %w", len(vs), len(valid), stats.ErrMismatch)
	}
	var yes, null uint64
	if valid == nil {
		for _, v := range vs {
			if v {
				yes++
			}
		}
	} else {
		for i, v := range vs {
			switch {
			case !valid[i]:
				null++
			case v:
				yes++
			}
		}
	}
	p.True += yes
	p.Null += null
	p.False += uint64(len(vs)) - yes - null
	return nil
}

// Merge adds o to p; o is unchanged. It never fails.
func (p *Proportion) Merge(o *Proportion) error {
	p.True += o.True
	p.False += o.False
	p.Null += o.Null
	return nil
}

const proportionWire = 1

// MarshalBinary implements [encoding.BinaryMarshaler].
func (p *Proportion) MarshalBinary() ([]byte, error) {
	var w writer
	p.write(&w)
	return w.b, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves p unchanged.
func (p *Proportion) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	var out Proportion
	out.read(&r)
	if err := r.done(); err != nil {
		return err
	}
	*p = out
	return nil
}

func (p *Proportion) write(w *writer) {
	w.u64(proportionWire)
	w.u64(p.True)
	w.u64(p.False)
	w.u64(p.Null)
}

func (p *Proportion) read(r *reader) {
	r.version("proportion", proportionWire)
	p.True, p.False, p.Null = r.u64(), r.u64(), r.u64()
	r.sum(r.sum(p.True, p.False), p.Null)
}

// plainProportion is a Proportion without methods.
type plainProportion Proportion

// MarshalJSON implements [json.Marshaler].
func (p *Proportion) MarshalJSON() ([]byte, error) { return json.Marshal((*plainProportion)(p)) }

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves p unchanged.
func (p *Proportion) UnmarshalJSON(b []byte) error {
	var out plainProportion
	if err := readJSON("Proportion", b, &out); err != nil {
		return err
	}
	var w writer
	(*Proportion)(&out).write(&w)
	return p.UnmarshalBinary(w.b)
}
