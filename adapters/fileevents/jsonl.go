package fileevents

import (
	"bytes"
	"encoding/json"
	"io"
	"unicode/utf8"
)

// jsonLines reads an object a line.
func (in *input) jsonLines(r io.Reader) error {
	var names sharing
	var fields []field
	begun := false
	return in.eachLine(r, func(line []byte, bad fault) error {
		if bad.reason == "" {
			fields, bad = object(line, fields[:0], &names)
		}
		if bad.reason == "" && !begun {
			begun = true
			first := make([]string, len(fields))
			for i := range fields {
				first[i] = fields[i].name
			}
			if err := in.c.begin(first, false); err != nil {
				return in.errorf("%w", err)
			}
		}
		return in.row(in.line, fields, bad)
	})
}

// object appends the members of a JSON object. Their text is part of the line.
func object(line []byte, fields []field, names *sharing) ([]field, fault) {
	line = bytes.TrimSpace(line)
	switch {
	case !utf8.Valid(line):
		return fields, fault{"", ReasonNotUTF8, string(line)}
	case line[0] != '{' || !json.Valid(line):
		return fields, fault{"", ReasonMalformed, string(line)}
	}
	s := scanner{rest: line[1:]} // the syntax is right from here on
	for s.skip(" \t\r\n,"); s.rest[0] != '}'; s.skip(" \t\r\n,") {
		name := names.share(s.quoted())
		s.skip(" \t\r\n:")
		f := field{name: name}
		f.kind, f.text = s.value()
		if f.kind == word && len(f.text) == 0 {
			f.kind = empty
		}
		for i := range fields {
			if fields[i].name == name {
				return fields, f.fault(ReasonRepeated)
			}
		}
		fields = append(fields, f)
		if len(fields) > maxFields {
			return fields, fault{"", ReasonWrongCount, string(line)}
		}
	}
	return fields, fault{}
}

// maxFields keeps the search for repeated names short.
const maxFields = 1000

// scanner walks over JSON that is known to be valid.
type scanner struct{ rest []byte }

func (s *scanner) skip(set string) { s.rest = bytes.TrimLeft(s.rest, set) }

// quoted takes a string.
func (s *scanner) quoted() []byte {
	end, escaped := 1, false
	for s.rest[end] != '"' {
		if s.rest[end] == '\\' {
			escaped = true
			end++
		}
		end++
	}
	text := s.rest[1:end]
	if escaped {
		var plain string
		if json.Unmarshal(s.rest[:end+1], &plain) == nil {
			text = []byte(plain)
		}
	}
	s.rest = s.rest[end+1:]
	return text
}

// value takes a value.
func (s *scanner) value() (kind, []byte) {
	switch s.rest[0] {
	case '"':
		return word, bytes.TrimSpace(s.quoted())
	case '{', '[':
		return wrong, s.nested()
	}
	n := bytes.IndexAny(s.rest, " \t\r\n,}")
	text := s.rest[:n]
	s.rest = s.rest[n:]
	switch text[0] {
	case 'n':
		return empty, nil
	case 't', 'f':
		return wrong, text
	}
	return number, text
}

// nested takes an object or a list.
func (s *scanner) nested() []byte {
	all, depth := s.rest, 0
	for {
		switch s.rest[0] {
		case '"':
			s.quoted()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.rest = s.rest[1:]
		if depth == 0 {
			return all[:len(all)-len(s.rest)]
		}
	}
}
