package lines

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Reader delivers the lines of an input, of which it holds one at a time.
type Reader struct {
	r    *bufio.Reader
	most int
	buf  []byte
}

// New returns a reader of lines of at most the given number of bytes.
func New(r io.Reader, most int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 1<<16), most: most}
}

// Next returns the next line without its end, LF or CR LF, and whether it was too
// long; of such a line it returns the beginning, and skips the rest. The line is
// memory of the reader and holds until the next call. After the last line the error
// is io.EOF.
func (l *Reader) Next() (line []byte, tooLong bool, err error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		room := l.most + 2 - len(l.buf) // the end of the line does not count
		l.buf = append(l.buf, part[:min(len(part), room)]...)
		tooLong = tooLong || len(part) > room
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(l.buf) > 0:
		case err != nil:
			return nil, false, err
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(l.buf, []byte("\n")), []byte("\r"))
		if len(line) > l.most {
			return line[:l.most], true, nil
		}
		return line, tooLong, nil
	}
}
