package analysis

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A slice is known by its key: for each column of the cross a byte that is 0 for
// a missing value, or 1 followed by the length and the bytes of the value. Equal
// keys are equal slices, whatever dictionaries and types the values came from.

const (
	missingPart = 0
	valuePart   = 1
)

// appendPart appends the part of one column; ok is false for a missing value.
func appendPart[T string | []byte](b []byte, value T, ok bool) []byte {
	if !ok {
		return append(b, missingPart)
	}
	b = binary.AppendUvarint(append(b, valuePart), uint64(len(value)))
	return append(b, value...)
}

// slicePart is the value of one column.
type slicePart struct {
	value string
	ok    bool // false for a missing value
}

// partsOfKey reads a key of n columns; ok is false when it is not one.
func partsOfKey(key string, n int) (parts []slicePart, ok bool) {
	for range n {
		if key == "" {
			return nil, false
		}
		kind := key[0]
		key = key[1:]
		switch kind {
		case missingPart:
			parts = append(parts, slicePart{})
		case valuePart:
			size, k := binary.Uvarint([]byte(key[:min(len(key), binary.MaxVarintLen64)]))
			if k <= 0 || k > 1 && key[k-1] == 0 || size > uint64(len(key)-k) {
				return nil, false
			}
			key = key[k:]
			parts = append(parts, slicePart{key[:size], true})
			key = key[size:]
		default:
			return nil, false
		}
	}
	return parts, key == ""
}

// keyOf is the key of values as a policy writes them.
func keyOf(texts []string) string {
	var b []byte
	for _, t := range texts {
		p := unquoteValue(t)
		b = appendPart(b, p.value, p.ok)
	}
	return string(b)
}

// nullValue is how a missing value is written.
const nullValue = "null"

// quoteValue writes a value as findings and policies do.
func quoteValue(p slicePart) string {
	switch {
	case !p.ok:
		return nullValue
	case p.value == nullValue, strings.HasPrefix(p.value, `"`), !utf8.ValidString(p.value):
		return strconv.Quote(p.value)
	}
	return p.value
}

func unquoteValue(text string) slicePart {
	if text == nullValue {
		return slicePart{}
	}
	if strings.HasPrefix(text, `"`) {
		if v, err := strconv.Unquote(text); err == nil {
			return slicePart{v, true}
		}
	}
	return slicePart{text, true}
}

// Key is the key of the slice with these values, one per column of the cross, as
// findings show it.
func (c *SliceSpec) Key(values []string) SliceKey {
	k := SliceKey{}
	for i, col := range c.Columns {
		if i < len(values) {
			k[col.Name] = values[i]
		}
	}
	return k
}

// bucketNames are the values of a column with cuts.
func bucketNames(cuts []float64) []string {
	text := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	out := []string{"<" + text(cuts[0])}
	for i := 1; i < len(cuts); i++ {
		out = append(out, "["+text(cuts[i-1])+","+text(cuts[i])+")")
	}
	return append(out, ">="+text(cuts[len(cuts)-1]))
}

// The hash of a slice is made from those of its values, so that neither depends
// on the order of rows or dictionaries.

// hashMissing is the hash of a missing value; that of a value is above it in
// practice, and where it is not nothing but the choice of kept slices changes.
const hashMissing = 0

func hashValue[T string | []byte](s T) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// foldHash adds the hash of one more column.
func foldHash(h, part uint64) uint64 { return mix(h*3 ^ part) }

// mix scrambles bits (the finaliser of SplitMix64; Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashKey(key string, columns int) uint64 {
	parts, _ := partsOfKey(key, columns)
	h := uint64(0)
	for _, p := range parts {
		if p.ok {
			h = foldHash(h, hashValue(p.value))
		} else {
			h = foldHash(h, hashMissing)
		}
	}
	return h
}
