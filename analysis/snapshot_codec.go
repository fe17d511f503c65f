package analysis

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// snapshotMagic starts every binary snapshot; its last byte is the version.
const snapshotMagic = "rampguard snapshot\x01"

// SnapshotSchema names the JSON form of a snapshot.
const SnapshotSchema = "rampguard.snapshot/v1"

// codec is what every summary of a column can do.
type codec interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

func (c *ColumnSummary) parts() []codec {
	return []codec{&c.Numeric, &c.Cuts, &c.Boolean, &c.Category, &c.Units, &c.Scores}
}

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal evidence gives
// equal bytes, however the rows were shared out over files, workers and merges.
// The last 32 bytes are the SHA-256 of the rest.
func (s *Snapshot) MarshalBinary() ([]byte, error) {
	spec, err := json.Marshal(s.Spec)
	if err != nil {
		return nil, fmt.Errorf("analysis: Snapshot: %w", err)
	}
	b := []byte(snapshotMagic)
	b = appendBlob(b, spec)
	b = binary.AppendUvarint(b, s.RowCount)
	if b, err = s.appendColumns(b); err != nil {
		return nil, err
	}
	for i := range s.Metrics {
		if b, err = s.Metrics[i].appendBinary(b); err != nil {
			return nil, fmt.Errorf("analysis: Snapshot: metric %q: %w", s.Metrics[i].Name, err)
		}
	}
	for i := range s.Slices {
		if b, err = s.Slices[i].appendBinary(b); err != nil {
			return nil, err
		}
	}
	if b, err = s.appendDiscover(b); err != nil {
		return nil, err
	}
	b = s.appendCutoffs(b)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

func (s *Snapshot) appendColumns(b []byte) ([]byte, error) {
	for i := range s.Columns {
		c := &s.Columns[i]
		kind := uint64(c.Type)
		if c.ImmatureLabels > 0 {
			kind |= withImmature
		}
		b = binary.AppendUvarint(b, kind)
		b = binary.AppendUvarint(b, c.AbsentRows)
		b = binary.AppendUvarint(b, c.InvalidLabels)
		if c.ImmatureLabels > 0 {
			b = binary.AppendUvarint(b, c.ImmatureLabels)
		}
		b = binary.AppendUvarint(b, c.Clock.N)
		b = binary.AppendUvarint(b, c.Clock.Null)
		b = binary.AppendVarint(b, c.Clock.Min)
		b = binary.AppendVarint(b, c.Clock.Max)
		for _, p := range c.parts() {
			blob, err := p.MarshalBinary()
			if err != nil {
				return nil, fmt.Errorf("analysis: Snapshot: column %q: %w", c.Name, err)
			}
			b = appendBlob(b, blob)
		}
	}
	return b, nil
}

func appendBlob(b, blob []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(blob))), blob...)
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Input that is not a
// snapshot of this version, or that is damaged anywhere, is an error wrapping
// [stats.ErrMismatch], and s is unchanged.
func (s *Snapshot) UnmarshalBinary(b []byte) error {
	if !bytes.HasPrefix(b, []byte(snapshotMagic)) || len(b) < len(snapshotMagic)+sha256.Size {
		return fmt.Errorf("analysis: Snapshot: not a rampguard snapshot of version 1: %w", stats.ErrMismatch)
	}
	body, tail := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], tail) {
		return fmt.Errorf("analysis: Snapshot: checksum differs, the data is damaged: %w", stats.ErrMismatch)
	}
	out, err := decodeSnapshot(body[len(snapshotMagic):])
	if err != nil {
		return err
	}
	*s = *out
	return nil
}

func decodeSnapshot(b []byte) (*Snapshot, error) {
	r := blobReader{b: b}
	spec, err := decodeSpec(r.blob())
	if err != nil {
		return nil, err
	}
	s := newSnapshot(spec)
	s.RowCount = r.uint()
	if err := s.decodeColumns(&r); err != nil {
		return nil, err
	}
	for i := range s.Metrics {
		if err := s.Metrics[i].decode(&r); err != nil {
			return nil, fmt.Errorf("analysis: Snapshot: metric %q: %w", s.Metrics[i].Name, err)
		}
	}
	for i := range s.Slices {
		if err := s.Slices[i].decode(&r, s); err != nil {
			return nil, err
		}
	}
	if err := s.decodeDiscover(&r); err != nil {
		return nil, err
	}
	s.decodeCutoffs(&r)
	if r.err == nil && len(r.b) > 0 {
		return nil, fmt.Errorf("analysis: Snapshot: %d bytes left over: %w", len(r.b), stats.ErrMismatch)
	}
	if r.err != nil {
		return nil, r.err
	}
	return s, s.soundMaturity()
}

func (s *Snapshot) decodeColumns(r *blobReader) error {
	for i := range s.Columns {
		c := &s.Columns[i]
		kind := r.uint()
		c.Type = Type(min(kind&^withImmature, 127))
		c.AbsentRows = r.uint()
		c.InvalidLabels = r.uint()
		if kind&withImmature != 0 {
			c.ImmatureLabels = r.uint()
		}
		c.Clock = TimeRange{N: r.uint(), Null: r.uint(), Min: r.int(), Max: r.int()}
		for _, p := range c.parts() {
			blob := r.blob()
			if r.err != nil {
				return r.err
			}
			if err := p.UnmarshalBinary(blob); err != nil {
				return fmt.Errorf("analysis: Snapshot: column %q: %w", c.Name, err)
			}
		}
		if err := c.validate(s.Spec, i); err != nil {
			return err
		}
	}
	return nil
}

func decodeSpec(b []byte) (*Spec, error) {
	var raw Spec
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&raw); err != nil {
		return nil, fmt.Errorf("analysis: Snapshot: spec: %w: %w", err, stats.ErrMismatch)
	}
	spec, err := raw.canonical()
	if err != nil {
		return nil, err
	}
	if spec.Fingerprint() != raw.Fingerprint() {
		return nil, fmt.Errorf("analysis: Snapshot: the spec is not in canonical form: %w", stats.ErrMismatch)
	}
	return spec, nil
}

// validate reports a decoded column whose parts do not belong to its spec.
func (c *ColumnSummary) validate(spec *Spec, i int) error {
	fail := func(what string) error {
		return fmt.Errorf("analysis: Snapshot: column %q: %s: %w", c.Name, what, stats.ErrMismatch)
	}
	if c.Type < Absent || c.Type > Time {
		return fail("unknown type")
	}
	var fresh ColumnSummary
	fresh.init(spec.summarised()[i], spec.scored(i))
	if c.Cuts.Layout().ID() != fresh.Cuts.Layout().ID() {
		return fail("counts at other cuts than the spec's")
	}
	if err := fresh.Scores.Merge(&c.Scores); err != nil {
		return fail("scores at other cuts than the spec's")
	}
	if k := c.Numeric.Layout().Kind(); k != fresh.Numeric.Layout().Kind() && (k != summary.LogLinear || fresh.Numeric.Layout().Kind() != summary.Unset) {
		return fail("numeric summary in layout " + c.Numeric.Layout().ID())
	}
	if c.Category.Cap() != summary.DefaultCap {
		return fail("category summary with another cap")
	}
	if c.ImmatureLabels > 0 && c.Role != Label {
		return fail("immature labels of another column than the label")
	}
	if c.Clock.N > 0 && c.Clock.Min > c.Clock.Max {
		return fail("time range ends before it starts")
	}
	return nil
}

// Digest is the SHA-256 of the binary form, in hex: it identifies the evidence.
func (s *Snapshot) Digest() (string, error) {
	b, err := s.MarshalBinary()
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(b[len(b)-sha256.Size:]), nil
}

// blobReader reads what appendBlob and the varint functions wrote; after the
// first fault it returns zeros.
type blobReader struct {
	b   []byte
	err error
}

func (r *blobReader) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("analysis: Snapshot: data ends early: %w", stats.ErrMismatch)
	}
	r.b = nil
}

func (r *blobReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *blobReader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *blobReader) blob() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

type snapshotJSON struct {
	Schema   string                `json:"schema"`
	Spec     *Spec                 `json:"spec"`
	Rows     uint64                `json:"rows"`
	Columns  []columnJSON          `json:"columns"`
	Metrics  []metricJSON          `json:"metrics,omitempty"`
	Slices   []slicesJSON          `json:"slices,omitempty"`
	Discover []*summary.CrossTable `json:"discover,omitempty"`
	Mature   Cutoffs               `json:"mature_before,omitzero"`
}

type columnJSON struct {
	Name          string               `json:"name"`
	Type          Type                 `json:"type"`
	AbsentRows    uint64               `json:"absent_rows,omitempty"`
	InvalidLabels uint64               `json:"invalid_labels,omitempty"`
	Immature      uint64               `json:"immature_labels,omitempty"`
	Numeric       *summary.Histogram   `json:"numeric,omitempty"`
	Cuts          *summary.Histogram   `json:"cuts,omitempty"`
	Boolean       *summary.Proportion  `json:"boolean,omitempty"`
	Category      *summary.Categorical `json:"category,omitempty"`
	Units         *summary.Distinct    `json:"units,omitempty"`
	Scores        *summary.Scores      `json:"scores,omitempty"`
	Clock         *TimeRange           `json:"clock,omitempty"`
}

// MarshalJSON implements [json.Marshaler]. Summaries that are empty are left
// out.
func (s *Snapshot) MarshalJSON() ([]byte, error) {
	j := snapshotJSON{Schema: SnapshotSchema, Spec: s.Spec, Rows: s.RowCount, Columns: s.columnsJSON(), Discover: s.Discover, Mature: s.MatureBefore}
	for i := range s.Metrics {
		j.Metrics = append(j.Metrics, s.Metrics[i].json())
	}
	for i := range s.Slices {
		j.Slices = append(j.Slices, s.Slices[i].json())
	}
	return json.Marshal(j)
}

func (s *Snapshot) columnsJSON() []columnJSON {
	all := []columnJSON{}
	for i := range s.Columns {
		c := &s.Columns[i]
		out := columnJSON{Name: c.Name, Type: c.Type, AbsentRows: c.AbsentRows, InvalidLabels: c.InvalidLabels, Immature: c.ImmatureLabels}
		if c.Numeric.Total() > 0 {
			out.Numeric = &c.Numeric
		}
		if c.Cuts.Layout().Kind() != summary.Unset {
			out.Cuts = &c.Cuts
		}
		if c.Boolean != (summary.Proportion{}) {
			out.Boolean = &c.Boolean
		}
		if c.Category.Total()+c.Category.Null() > 0 {
			out.Category = &c.Category
		}
		if c.Units.Total()+c.Units.Null() > 0 {
			out.Units = &c.Units
		}
		if c.Scores.Total() > 0 || len(c.Scores.Cuts()) > 0 {
			out.Scores = &c.Scores
		}
		if c.Clock != (TimeRange{}) {
			out.Clock = &c.Clock
		}
		all = append(all, out)
	}
	return all
}

// UnmarshalJSON implements [json.Unmarshaler]; unknown members, another schema
// and damaged parts are errors, and s is then unchanged.
func (s *Snapshot) UnmarshalJSON(b []byte) error {
	var j snapshotJSON
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&j); err != nil {
		return fmt.Errorf("analysis: Snapshot: %w", err)
	}
	if j.Schema != SnapshotSchema || j.Spec == nil {
		return fmt.Errorf("analysis: Snapshot: schema %q, this program reads %q: %w", j.Schema, SnapshotSchema, stats.ErrMismatch)
	}
	spec, err := j.Spec.canonical()
	if err != nil {
		return err
	}
	out := newSnapshot(spec)
	out.RowCount = j.Rows
	out.MatureBefore = Cutoffs{First: j.Mature.First.UTC(), Last: j.Mature.Last.UTC()}
	if err := out.setColumns(j.Columns); err != nil {
		return err
	}
	if len(j.Metrics) != len(out.Metrics) {
		return fmt.Errorf("analysis: Snapshot: %d metrics, the spec names %d: %w", len(j.Metrics), len(out.Metrics), stats.ErrMismatch)
	}
	for i := range j.Metrics {
		if err := out.Metrics[i].fromJSON(&j.Metrics[i]); err != nil {
			return err
		}
	}
	if len(j.Slices) != len(out.Slices) {
		return fmt.Errorf("analysis: Snapshot: %d crosses of slices, the spec names %d: %w", len(j.Slices), len(out.Slices), stats.ErrMismatch)
	}
	for i := range j.Slices {
		if err := out.Slices[i].fromJSON(&j.Slices[i], out); err != nil {
			return err
		}
	}
	if err := out.setDiscover(j.Discover); err != nil {
		return err
	}
	if err := out.soundMaturity(); err != nil {
		return err
	}
	*s = *out
	return nil
}

// setColumns takes over columns that were read.
func (s *Snapshot) setColumns(all []columnJSON) error {
	if len(all) != len(s.Columns) {
		return fmt.Errorf("analysis: Snapshot: %d columns, the spec names %d: %w", len(all), len(s.Columns), stats.ErrMismatch)
	}
	for i, c := range all {
		dst := &s.Columns[i]
		if c.Name != dst.Name {
			return fmt.Errorf("analysis: Snapshot: column %q where the spec names %q: %w", c.Name, dst.Name, stats.ErrMismatch)
		}
		dst.Type, dst.AbsentRows, dst.InvalidLabels, dst.ImmatureLabels = c.Type, c.AbsentRows, c.InvalidLabels, c.Immature
		set(&dst.Numeric, c.Numeric)
		set(&dst.Cuts, c.Cuts)
		set(&dst.Boolean, c.Boolean)
		set(&dst.Category, c.Category)
		set(&dst.Units, c.Units)
		set(&dst.Scores, c.Scores)
		set(&dst.Clock, c.Clock)
		if err := dst.validate(s.Spec, i); err != nil {
			return err
		}
	}
	return nil
}

func set[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}
