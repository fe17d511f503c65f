package csvrows

import (
	"bytes"
	"errors"
	"io"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
)

// lines cuts a file into lines, and puts lines together again, in memory that is
// bounded by the longest record allowed.
type lines struct {
	r     io.Reader
	max   int
	buf   []byte
	begin int // of what has not been read yet
	end   int
	eof   bool
	line  int64 // the number of the line at begin
}

// errTooLong says that a line is longer than is allowed; it has been skipped.
var errTooLong = errors.New("it is too long")

func newLines(r io.Reader, maxLine int) *lines {
	return &lines{r: r, max: maxLine, buf: make([]byte, 1<<16), line: 1}
}

// fill reads more behind what there is. It reports whether there was more.
func (l *lines) fill() (bool, error) {
	if l.eof {
		return false, nil
	}
	if l.end == len(l.buf) {
		if l.begin > 0 {
			copy(l.buf, l.buf[l.begin:l.end])
			l.begin, l.end = 0, l.end-l.begin
		} else {
			l.buf = append(l.buf, make([]byte, len(l.buf))...)
		}
	}
	for range 100 {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		if err != nil {
			l.eof = true
			if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if n > 0 || err != nil {
			return n > 0, nil
		}
	}
	return false, io.ErrNoProgress
}

// find returns the end of the line that a place is in, counted from begin, and
// where the next one begins. At the end of the file next is the end. It returns
// errTooLong for more bytes than are allowed, of which it skips none.
func (l *lines) find(from int) (end, next int, err error) {
	for at := from; ; {
		b := l.buf[l.begin:l.end]
		if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
			if at+i > l.max {
				return 0, 0, errTooLong
			}
			return at + i, at + i + 1, nil
		}
		at = len(b)
		if at > l.max {
			return 0, 0, errTooLong
		}
		more, err := l.fill()
		if err != nil {
			return 0, 0, err
		}
		if !more {
			return at, at, nil
		}
	}
}

// skip passes over a line that is too long.
func (l *lines) skip() error {
	for {
		b := l.buf[l.begin:l.end]
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			l.pass(i+1, 1)
			return nil
		}
		l.begin = l.end
		more, err := l.fill()
		if err != nil {
			return err
		}
		if !more {
			l.line++
			return nil
		}
	}
}

// pass goes on by some bytes, which are some lines.
func (l *lines) pass(bytes, lines int) {
	l.begin += bytes
	l.line += int64(lines)
}

// done reports whether nothing is left.
func (l *lines) done() (bool, error) {
	for l.begin == l.end {
		more, err := l.fill()
		if err != nil {
			return false, err
		}
		if !more {
			return true, nil
		}
	}
	return false, nil
}

// start passes over a byte order mark.
func (l *lines) start() error {
	for l.end-l.begin < 3 {
		more, err := l.fill()
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	b := l.buf[l.begin:l.end]
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		l.begin += 3
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return rowfiles.Unsupported("it is in UTF-16")
	}
	return nil
}

// trimCR drops the carriage return at the end of a line.
func trimCR(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\r' {
		return b[:n-1]
	}
	return b
}
