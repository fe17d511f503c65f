package analysis

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// textColumn is a column of integers as one of texts.
type textColumn struct {
	column Column
	dict   *Dict
	at     map[int64]int32
}

// maxTexts is when the texts of integers begin anew, between two batches.
const maxTexts = 1 << 16

// text returns an operand as texts, or nil when it is none.
func (s *derivation) text(k int) *Column {
	c := s.cols[k]
	switch c.Type {
	case String:
		return c
	case Int:
		return s.texts[k].of(c, s.valid)
	case Absent, Float, Bool, Time:
	}
	return nil
}

// of converts a column.
func (t *textColumn) of(c *Column, valid []bool) *Column {
	if t.dict == nil || len(t.dict.Values) > maxTexts {
		t.dict, t.at = &Dict{}, map[int64]int32{}
	}
	codes := grow(t.column.Codes, len(c.Ints))
	for i, v := range c.Ints {
		code, ok := t.at[v]
		switch {
		case ok:
		case !valid[i]:
			code = 0
		default:
			code = int32(len(t.dict.Values))
			t.at[v] = code
			t.dict.Values = append(t.dict.Values, strconv.FormatInt(v, 10))
		}
		codes[i] = code
	}
	t.column = Column{Type: String, Codes: codes, Dict: t.dict}
	return &t.column
}

// pairCodes gives codes to pairs of codes, as long as these mean the same.
type pairCodes struct {
	a, b *Dict
	dict *Dict
	at   map[uint64]int32
}

// maxPairs is when the codes of pairs begin anew.
const maxPairs = 1 << 16

// paired makes one text of two.
func (s *derivation) paired(rows int) bool {
	a, b := s.text(0), s.text(1)
	if a == nil || b == nil {
		return false
	}
	p := &s.pairs
	if p.dict == nil || p.a != a.Dict || p.b != b.Dict || len(p.at) > maxPairs {
		*p = pairCodes{a: a.Dict, b: b.Dict, dict: &Dict{}, at: map[uint64]int32{}}
	}
	s.codes = grow(s.codes, rows)
	for i := range rows {
		if s.valid[i] = s.valid[i] && sound(a, i) && sound(b, i); !s.valid[i] {
			s.codes[i] = 0
			continue
		}
		key := uint64(a.Codes[i])<<32 | uint64(uint32(b.Codes[i]))
		code, ok := p.at[key]
		if !ok {
			code = int32(len(p.dict.Values))
			p.at[key] = code
			p.dict.Values = append(p.dict.Values, PairOf(a.Dict.Values[a.Codes[i]], b.Dict.Values[b.Codes[i]]))
		}
		s.codes[i] = code
	}
	s.out = Column{Type: String, Codes: s.codes, Dict: p.dict, Valid: s.valid}
	return true
}

// PairOf is the text that the operation [Paired] makes of two: each as a Go string,
// with a space between.
func PairOf(a, b string) string { return strconv.Quote(a) + " " + strconv.Quote(b) }

// SplitPair is the inverse of [PairOf]. A text that is no pair is an error wrapping
// [stats.ErrDomain].
func SplitPair(pair string) (a, b string, err error) {
	fault := func() (string, string, error) {
		return "", "", fmt.Errorf("analysis: SplitPair: %q is no pair: %w", pair, stats.ErrDomain)
	}
	first, err := strconv.QuotedPrefix(pair)
	if err != nil {
		return fault()
	}
	rest, ok := strings.CutPrefix(pair[len(first):], " ")
	if !ok {
		return fault()
	}
	if a, err = strconv.Unquote(first); err != nil {
		return fault()
	}
	if b, err = strconv.Unquote(rest); err != nil {
		return fault()
	}
	return a, b, nil
}
