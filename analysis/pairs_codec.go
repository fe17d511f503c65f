package analysis

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// pairsMagic starts the binary form of pairs; its last byte is the version.
const pairsMagic = "rampguard pairs\x02"

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal evidence gives equal
// bytes, however the rows were shared out. The last 32 bytes are the SHA-256 of the
// rest.
func (s *PairSnapshot) MarshalBinary() ([]byte, error) {
	spec, err := json.Marshal(s.Spec)
	if err != nil {
		return nil, fmt.Errorf("analysis: PairSnapshot: %w", err)
	}
	b := appendBlob([]byte(pairsMagic), spec)
	for _, n := range s.counts() {
		b = binary.AppendUvarint(b, *n)
	}
	b = binary.AppendVarint(b, s.Clock.Min)
	b = binary.AppendVarint(b, s.Clock.Max)
	units, err := s.Units.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("analysis: PairSnapshot: units: %w", err)
	}
	b = appendBlob(b, units)
	if b, err = s.PairSummary.appendBinary(b); err != nil {
		return nil, err
	}
	for i := range s.Slices {
		if b, err = s.Slices[i].appendBinary(b); err != nil {
			return nil, err
		}
	}
	b = s.age().appendCutoffs(b)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

// counts are the plain counts, in the order in which they are written.
func (s *PairSnapshot) counts() []*uint64 {
	return []*uint64{&s.OnlyBaseline, &s.OnlyCandidate, &s.DuplicateBaseline, &s.DuplicateCandidate,
		&s.LabelConflicts, &s.NoLabel, &s.NoUnit, &s.NoTime, &s.InvalidLabels, &s.ImmatureLabels, &s.Clock.N, &s.Clock.Null}
}

func (p *PairSummary) parts() []codec {
	return []codec{&p.Grid, &p.Errors.Baseline, &p.Errors.Candidate, &p.Errors.Difference}
}

func (p *PairSummary) appendBinary(b []byte) ([]byte, error) {
	for _, n := range []uint64{p.RowCount, p.Errors.Unlabelled, p.Errors.Unusable} {
		b = binary.AppendUvarint(b, n)
	}
	for _, c := range p.parts() {
		blob, err := c.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("analysis: PairSnapshot: %w", err)
		}
		b = appendBlob(b, blob)
	}
	return b, nil
}

// decode reads a summary of pairs of the spec, of all of them or of a slice.
func (p *PairSummary) decode(r *blobReader, spec *PairSpec, all bool) error {
	*p = newPairSummary(spec, all)
	want := p.Grid
	for _, n := range []*uint64{&p.RowCount, &p.Errors.Unlabelled, &p.Errors.Unusable} {
		*n = r.uint()
	}
	for _, c := range p.parts() {
		blob := r.blob()
		if r.err != nil {
			return r.err
		}
		if err := c.UnmarshalBinary(blob); err != nil {
			return fmt.Errorf("analysis: PairSnapshot: %w", err)
		}
	}
	e := &p.Errors
	n := e.Difference.N()
	sums := e.Baseline.N() == n && e.Candidate.N() == n &&
		e.Difference.Excluded().Total()+e.Baseline.Excluded().Total()+e.Candidate.Excluded().Total() == 0
	rows := p.Grid.Total()
	if spec.Task != Binary {
		rows = n + e.Unlabelled + e.Unusable
		sums = sums && p.Grid.Total() == 0 && e.Unlabelled <= p.RowCount && e.Unusable <= p.RowCount
	} else {
		sums = sums && n+e.Unlabelled+e.Unusable == 0
	}
	if err := want.Merge(&p.Grid); err != nil || !sums || rows != p.RowCount {
		return damagedPairs("%d rows with counts of %d, or at other thresholds than the spec's", p.RowCount, rows)
	}
	return nil
}

func damagedPairs(format string, args ...any) error {
	return fmt.Errorf("analysis: PairSnapshot: %s: %w", fmt.Sprintf(format, args...), stats.ErrMismatch)
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Input that is no pairs of
// this version, or that is damaged anywhere, is an error wrapping
// [stats.ErrMismatch], and s is unchanged.
func (s *PairSnapshot) UnmarshalBinary(b []byte) error {
	if !bytes.HasPrefix(b, []byte(pairsMagic)) || len(b) < len(pairsMagic)+sha256.Size {
		return damagedPairs("not the pairs of rampguard, version 2")
	}
	body, tail := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], tail) {
		return damagedPairs("checksum differs, the data is damaged")
	}
	out, err := decodePairs(body[len(pairsMagic):])
	if err != nil {
		return err
	}
	*s = *out
	return nil
}

func decodePairs(b []byte) (*PairSnapshot, error) {
	r := blobReader{b: b}
	spec, err := decodePairSpec(r.blob())
	if err != nil {
		return nil, err
	}
	s := newPairSnapshot(spec)
	for _, n := range s.counts() {
		*n = r.uint()
	}
	s.Clock.Min, s.Clock.Max = r.int(), r.int()
	if units := r.blob(); r.err == nil {
		if err := s.Units.UnmarshalBinary(units); err != nil {
			return nil, fmt.Errorf("analysis: PairSnapshot: units: %w", err)
		}
	}
	if err := s.PairSummary.decode(&r, spec, true); err != nil {
		return nil, err
	}
	for i := range s.Slices {
		if err := s.Slices[i].decode(&r, s.RowCount); err != nil {
			return nil, err
		}
	}
	age := s.age()
	age.decodeCutoffs(&r)
	s.MatureBefore = age.MatureBefore
	switch {
	case r.err != nil:
		return nil, r.err
	case len(r.b) > 0:
		return nil, damagedPairs("%d bytes left over", len(r.b))
	case max(s.LabelConflicts, s.NoLabel, s.NoUnit, s.NoTime) > s.RowCount:
		return nil, damagedPairs("%d rows with %d contradictory labels, and %d, %d and %d without a column", s.RowCount, s.LabelConflicts, s.NoLabel, s.NoUnit, s.NoTime)
	case s.InvalidLabels > s.RowCount || s.ImmatureLabels > s.RowCount || s.ImmatureLabels > 0 && s.MatureBefore.IsZero():
		return nil, damagedPairs("%d invalid and %d immature labels in %d rows", s.InvalidLabels, s.ImmatureLabels, s.RowCount)
	case s.Clock.N > 0 && s.Clock.Min > s.Clock.Max || s.Clock.N == 0 && (s.Clock.Min != 0 || s.Clock.Max != 0):
		return nil, damagedPairs("the times end before they start")
	}
	return s, age.soundMaturity()
}

func decodePairSpec(b []byte) (*PairSpec, error) {
	var raw PairSpec
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&raw); err != nil {
		return nil, fmt.Errorf("analysis: PairSnapshot: spec: %w: %w", err, stats.ErrMismatch)
	}
	spec, err := NewPairSpec(raw)
	if err != nil {
		return nil, err
	}
	if again, err := json.Marshal(spec); err != nil || !bytes.Equal(again, b) {
		return nil, damagedPairs("the spec is not in canonical form")
	}
	return spec, nil
}

// Digest is the SHA-256 of the binary form, in hex: it identifies the evidence.
func (s *PairSnapshot) Digest() (string, error) {
	b, err := s.MarshalBinary()
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(b[len(b)-sha256.Size:]), nil
}

func (t *PairTable) appendBinary(b []byte) ([]byte, error) {
	var err error
	b = binary.AppendUvarint(b, t.bound)
	b = binary.AppendUvarint(b, uint64(len(t.kept)))
	for _, s := range t.sorted() {
		if b, err = s.sum.appendBinary(appendBlob(b, []byte(s.key))); err != nil {
			return nil, err
		}
	}
	if t.other == nil {
		return b, nil
	}
	return t.other.appendBinary(b)
}

// decode reads the table of pairs that are the given number of rows.
func (t *PairTable) decode(r *blobReader, rows uint64) error {
	columns := len(t.cross.Columns)
	t.bound = r.uint()
	last, sum, top := "", uint64(0), uint64(0)
	count := func(p *PairSummary) error {
		sum += p.RowCount
		if p.RowCount == 0 || sum < p.RowCount {
			return damagedPairs("a slice of %q without rows", t.cross.Names())
		}
		return nil
	}
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		s := &pairSlice{key: string(r.blob())}
		if _, ok := partsOfKey(s.key, columns); !ok || s.key <= last {
			return damagedPairs("slices of %q out of order", t.cross.Names())
		}
		last, s.hash = s.key, hashKey(s.key, columns)
		if err := s.sum.decode(r, t.spec, false); err != nil {
			return err
		}
		if err := count(&s.sum); err != nil {
			return err
		}
		t.kept[s.key] = s
		if !t.named[s.key] {
			t.loose++
			top = max(top, s.hash)
		}
	}
	if t.bound != 0 && r.err == nil {
		if err := t.rest().decode(r, t.spec, false); err != nil {
			return err
		}
		if err := count(t.other); err != nil {
			return err
		}
	}
	switch {
	case r.err != nil:
		return r.err
	case sum != rows:
		return damagedPairs("slices of %q with %d of %d rows", t.cross.Names(), sum, rows)
	case t.loose > t.cross.Limit(), t.bound != 0 && (t.loose != t.cross.Limit() || top != t.bound):
		return damagedPairs("%d slices of %q under a cap of %d", t.loose, t.cross.Names(), t.cross.Limit())
	}
	return nil
}
