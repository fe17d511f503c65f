package csvrows

import (
	"bytes"
	"errors"
	"fmt"
)

// kind says what a token is.
type kind int8

const (
	none   kind = iota // there is no such key
	null               // null in JSON
	bare               // a field without quotes
	quoted             // a field with quotes
	number             // a number in JSON
	flag               // true or false in JSON
	text               // a string in JSON
	nested             // an object or list in JSON
)

// token is a value as it is written.
type token struct {
	kind kind
	text []byte
}

// splitter cuts CSV records into fields.
type splitter struct {
	comma  byte
	fields []token
	room   []byte // the text of fields with doubled quotes
}

var (
	errOpenQuote = errors.New("a quote is not closed")
	errInQuote   = errors.New("a quote inside a field, or something after a closing quote")
)

// next reads the record at the begin of what is left, of the given number of
// fields unless that is 0. It returns io.EOF or an error of reading as err, and what
// is wrong with the record as bad. The fields hold until the next call.
func (s *splitter) next(l *lines, width int) (line int64, bad, err error) {
	for {
		if done, err := l.done(); done || err != nil {
			return 0, nil, endOr(err)
		}
		line = l.line
		end, next, err := l.find(0)
		if errors.Is(err, errTooLong) {
			return line, fmt.Errorf("%w: more than %d bytes", errTooLong, l.max), l.skip()
		}
		if err != nil {
			return line, nil, err
		}
		if len(trimCR(l.buf[l.begin:l.begin+end])) == 0 && width != 1 {
			l.pass(next, 1)
			continue
		}
		firstNext, count := next, 1
		quotes := bytes.Count(l.buf[l.begin:l.begin+end], quote)
		for quotes%2 == 1 && next > end { // the record goes on
			from := next
			if end, next, err = l.find(from); errors.Is(err, errTooLong) {
				break
			} else if err != nil {
				return line, nil, err
			}
			quotes += bytes.Count(l.buf[l.begin+from:l.begin+end], quote)
			count++
		}
		if quotes%2 == 1 {
			l.pass(firstNext, 1)
			return line, errOpenQuote, nil
		}
		bad := s.split(trimCR(l.buf[l.begin : l.begin+end]))
		if bad == nil && width > 0 && len(s.fields) != width {
			bad = fmt.Errorf("%d fields, the header has %d", len(s.fields), width)
		}
		if bad != nil {
			next, count = firstNext, 1
		}
		l.pass(next, count)
		return line, bad, nil
	}
}

var quote = []byte{'"'}

// split cuts a record whose quotes are balanced.
func (s *splitter) split(b []byte) error {
	s.fields = s.fields[:0]
	if cap(s.room) < len(b) {
		s.room = make([]byte, 0, 2*len(b))
	}
	s.room = s.room[:0]
	for {
		if len(b) > 0 && b[0] == '"' {
			rest, err := s.quoted(b[1:])
			if err != nil {
				return err
			}
			if len(rest) == 0 {
				return nil
			}
			b = rest[1:]
			continue
		}
		i := bytes.IndexByte(b, s.comma)
		field := b
		if i >= 0 {
			field = b[:i]
		}
		if bytes.IndexByte(field, '"') >= 0 {
			return errInQuote
		}
		s.fields = append(s.fields, token{bare, field})
		if i < 0 {
			return nil
		}
		b = b[i+1:]
	}
}

// quoted takes a field after its opening quote, and returns what follows its
// closing one.
func (s *splitter) quoted(b []byte) (rest []byte, err error) {
	begin := len(s.room)
	for {
		i := bytes.IndexByte(b, '"')
		switch {
		case i < 0:
			return nil, errOpenQuote
		case i+1 < len(b) && b[i+1] == '"':
			s.room = append(s.room, b[:i+1]...)
			b = b[i+2:]
			continue
		}
		field := b[:i]
		if len(s.room) > begin {
			s.room = append(s.room, field...)
			field = s.room[begin:]
		}
		s.fields = append(s.fields, token{quoted, field})
		if rest = b[i+1:]; len(rest) > 0 && rest[0] != s.comma {
			return nil, errInQuote
		}
		return rest, nil
	}
}
