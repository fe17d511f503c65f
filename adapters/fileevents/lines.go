package fileevents

import (
	"bytes"
	"errors"
	"io"

	"github.com/rampguard/rampguard/adapters/internal/lines"
)

// eachLine calls f for every line that is not blank, with what is wrong with it.
func (in *input) eachLine(r io.Reader, f func(line []byte, bad fault) error) error {
	l := lines.New(r, in.o.MaxLine)
	for {
		line, tooLong, err := l.Next()
		in.line++
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return in.errorf("%w", err)
		case tooLong:
			err = f(nil, fault{"", ReasonTooLong, string(line[:min(len(line), 100)])})
		case len(bytes.TrimSpace(line)) > 0:
			err = f(line, fault{})
		}
		if err != nil {
			return err
		}
	}
}

// names are few and come again and again; so do most other words of a log.
type sharing struct{ seen map[string]string }

const maxShared = 1 << 16

// share returns b as a string, one for all that are alike.
func (s *sharing) share(b []byte) string {
	if known, ok := s.seen[string(b)]; ok {
		return known
	}
	if s.seen == nil || len(s.seen) >= maxShared {
		s.seen = map[string]string{}
	}
	name := string(b)
	s.seen[name] = name
	return name
}
