package cdevents

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/rampguard/rampguard/adapters/internal/lines"
	"github.com/rampguard/rampguard/stats"
)

// Read reads a file of events, JSON Lines: on each line a CloudEvent in its JSON
// format, a batch of them, or a CDEvent. Lines that cannot be decoded count as one
// message and are in Bad. After an error it returns what came before.
//
// Errors: [stats.ErrDomain] for impossible options, and those of r, with the line.
func Read(r io.Reader, o Options) (Result, error) {
	o.MaxLine, o.Name = cmp.Or(o.MaxLine, 1<<20), cmp.Or(o.Name, "input")
	if o.MaxLine < 0 {
		return Result{}, fmt.Errorf("cdevents: Read: MaxLine %d: %w", o.MaxLine, stats.ErrDomain)
	}
	c := newCollector(o)
	l := lines.New(r, o.MaxLine)
	for line := 1; ; line++ {
		text, tooLong, err := l.Next()
		switch {
		case errors.Is(err, io.EOF):
			return c.finish(), nil
		case err != nil:
			return c.finish(), fmt.Errorf("cdevents: %s:%d: %w", o.Name, line, err)
		}
		if line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		text = bytes.TrimSpace(text)
		if !tooLong && len(text) == 0 {
			continue
		}
		var messages []Message
		if !tooLong {
			messages, err = decodeLine(text)
		}
		if tooLong || err != nil {
			c.out.In++
			c.bad(unread(line, text, tooLong, err))
			continue
		}
		for i := range messages {
			messages[i].Line = line
			c.add(&messages[i])
		}
	}
}

// unread is a line that no message could be made of.
func unread(line int, text []byte, tooLong bool, err error) Bad {
	if tooLong {
		return Bad{Line: line, Reason: ReasonTooLong, Text: string(text[:min(len(text), 100)])}
	}
	return Bad{Line: line, Reason: ReasonMalformed, Text: err.Error()}
}
