package names

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/rampguard/rampguard/analysis"
)

// most is the number of names beyond which a dictionary is given up for a new
// one.
const most = 1 << 16

// Names gives codes to texts. The zero value is ready for use.
type Names struct {
	// IDs says that most texts are new, as those of a unit are, so that none is
	// looked up.
	IDs bool

	dict *analysis.Dict
	seen map[string]int32
	room strings.Builder // the bytes of names
	last int32           // the code given last, or -1
	hex  []byte
}

// Dict is the dictionary of the codes given since the last Trim.
func (s *Names) Dict() *analysis.Dict {
	if s.dict == nil {
		s.renew(0)
	}
	return s.dict
}

// Trim starts a new dictionary when there are too many names in the present one.
// It belongs between two batches.
func (s *Names) Trim() {
	n := len(s.Dict().Values)
	if n > most || s.IDs && n > 0 {
		s.renew(n)
	}
}

func (s *Names) renew(size int) {
	s.dict, s.last = &analysis.Dict{Values: make([]string, 0, size)}, -1
	if s.seen == nil && !s.IDs {
		s.seen = map[string]int32{}
	}
	clear(s.seen)
}

// Code returns the code of a text. Bytes that are not UTF-8 become 0x and
// hexadecimal digits.
func (s *Names) Code(text []byte) int32 {
	d := s.Dict()
	if !utf8.Valid(text) {
		text = s.Hex(text)
	}
	if s.last >= 0 && d.Values[s.last] == string(text) { // neighbours often are the same
		return s.last
	}
	if !s.IDs {
		if code, ok := s.seen[string(text)]; ok {
			s.last = code
			return code
		}
	}
	name, code := s.keep(text), int32(len(d.Values))
	d.Values = append(d.Values, name)
	if !s.IDs {
		s.seen[name] = code
	}
	s.last = code
	return code
}

// Hex returns 0x and the hexadecimal digits of b. The result holds until the next
// call.
func (s *Names) Hex(b []byte) []byte {
	s.hex = hex.AppendEncode(append(s.hex[:0], "0x"...), b)
	return s.hex
}

// UUID returns the usual form of an id of 16 bytes. The result holds until the
// next call.
func (s *Names) UUID(b []byte) []byte {
	out := s.hex[:0]
	for k, n := range [...]int{4, 2, 2, 2, 6} {
		if k > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, b[:n])
		b = b[n:]
	}
	s.hex = out
	return out
}

// keep copies a name to memory that stays. Names share allocations, as there may
// be one per row.
func (s *Names) keep(name []byte) string {
	const block = 1 << 15
	if s.room.Cap()-s.room.Len() < len(name) {
		s.room = strings.Builder{}
		s.room.Grow(max(block, len(name)))
	}
	start := s.room.Len()
	s.room.Write(name)
	return s.room.String()[start:]
}
