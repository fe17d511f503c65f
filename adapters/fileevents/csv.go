package fileevents

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// csv reads rows below a line of names.
func (in *input) csv(r io.Reader) error {
	var names []string
	var comma byte
	var cells [][]byte
	var fields []field
	return in.eachLine(r, func(line []byte, bad fault) error {
		if names == nil {
			var err error
			if names, comma, err = in.header(line, bad); err != nil {
				return in.errorf("%w", err)
			}
			fields = make([]field, len(names))
			return nil
		}
		if bad.reason == "" {
			cells, bad = split(line, comma, cells[:0])
		}
		if bad.reason == "" && len(cells) != len(names) {
			bad = fault{"", ReasonWrongCount, fmt.Sprintf("%d fields, the header has %d", len(cells), len(names))}
		}
		if bad.reason == "" {
			for i, text := range cells {
				fields[i] = field{name: names[i], kind: word, text: text}
				if len(text) == 0 {
					fields[i].kind = empty
				}
			}
		}
		return in.row(in.line, fields, bad)
	})
}

// header reads the names and tells what separates them.
func (in *input) header(line []byte, bad fault) (names []string, comma byte, err error) {
	comma = ','
	if !bytes.Contains(line, []byte(",")) {
		for _, c := range []byte("\t;") {
			if bytes.IndexByte(line, c) >= 0 {
				comma = c
				break
			}
		}
	}
	var cells [][]byte
	if bad.reason == "" {
		cells, bad = split(line, comma, nil)
	}
	if bad.reason != "" {
		return nil, 0, fmt.Errorf("the header is %s: %q: %w", bad.reason, clip(bad.text), ErrFormat)
	}
	if len(cells) > maxFields {
		return nil, 0, fmt.Errorf("the header has %d columns: %w", len(cells), ErrFormat)
	}
	for _, c := range cells {
		name := string(c)
		if name != "" && slices.Contains(names, name) {
			return nil, 0, fmt.Errorf("two columns named %q: %w", clip(name), ErrFormat)
		}
		names = append(names, name)
	}
	return names, comma, in.c.begin(names, true)
}

// split appends the fields of a line, without blanks around them. Two quotes within
// quotes stand for one.
func split(line []byte, comma byte, cells [][]byte) ([][]byte, fault) {
	if !utf8.Valid(line) {
		return cells, fault{"", ReasonNotUTF8, string(line)}
	}
	for rest := line; ; {
		rest = bytes.TrimLeft(rest, " ")
		if len(rest) > 0 && rest[0] == '"' {
			text, after, ok := unquote(rest[1:])
			after = bytes.TrimLeft(after, " ")
			if !ok || len(after) > 0 && after[0] != comma {
				return cells, fault{"", ReasonMalformed, string(line)}
			}
			cells = append(cells, text)
			if len(after) == 0 {
				return cells, fault{}
			}
			rest = after[1:]
			continue
		}
		text, after, more := bytes.Cut(rest, []byte{comma})
		if bytes.IndexByte(text, '"') >= 0 {
			return cells, fault{"", ReasonMalformed, string(line)}
		}
		cells = append(cells, bytes.TrimSpace(text))
		if !more {
			return cells, fault{}
		}
		rest = after
	}
}

// unquote takes the text up to the closing quote.
func unquote(s []byte) (text, after []byte, ok bool) {
	for {
		i := bytes.IndexByte(s, '"')
		if i < 0 {
			return nil, nil, false
		}
		if i+1 == len(s) || s[i+1] != '"' {
			if text == nil {
				return bytes.TrimSpace(s[:i]), s[i+1:], true
			}
			return bytes.TrimSpace(append(text, s[:i]...)), s[i+1:], true
		}
		text = append(text, s[:i+1]...)
		s = s[i+2:]
	}
}
