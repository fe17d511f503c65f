package arrowcols

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
)

// maxMetadata bounds the metadata of one message and of a footer.
const maxMetadata = 256 << 20

var (
	fileMagic    = []byte("ARROW1")
	featherMagic = []byte("FEA1")
)

// Frames cuts an IPC stream or file into its messages. A file is a stream with
// something before and after it: it is read from the front, and its footer is
// held against what was there.
type Frames struct {
	r    io.Reader
	left int64 // bytes of the stream

	footed                bool // whether it is a file
	dictionaries, records int  // that the footer lists, or that are still to come
	err                   error
}

// NewFrames returns the messages of a file of the given size.
func NewFrames(r interface {
	io.Reader
	io.ReaderAt
	io.Seeker
}, size int64) (*Frames, error) {
	f := &Frames{r: r, left: size}
	head := make([]byte, 8)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, featherMagic):
		return nil, rowfiles.Unsupported("it is in version 1 of the Feather format")
	case !bytes.HasPrefix(head, fileMagic):
		return f, nil
	}
	f.footed = true
	tail := make([]byte, 4+len(fileMagic))
	if size < int64(8+len(tail)) {
		return nil, rowfiles.Corrupt("an Arrow file of %d bytes", size)
	}
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil {
		return nil, unexpected(err)
	}
	n = int(int32(binary.LittleEndian.Uint32(tail)))
	begin := size - int64(len(tail)) - int64(n)
	if !bytes.Equal(tail[4:], fileMagic) || n <= 0 || n > maxMetadata || begin < 8 {
		return nil, rowfiles.Corrupt("an Arrow file without its footer")
	}
	footer := make([]byte, n)
	if _, err := r.ReadAt(footer, begin); err != nil {
		return nil, unexpected(err)
	}
	if f.dictionaries, f.records, err = checkFooter(footer); err != nil {
		return nil, rowfiles.Corrupt("its footer")
	}
	f.left = begin - 8
	_, err = r.Seek(8, io.SeekStart)
	return f, err
}

// Next returns the metadata and the body of the next message, in memory of their
// own. It returns io.EOF after the last, but only if that was marked as such.
func (f *Frames) Next(a *Allocator) (meta, body []byte, err error) {
	if f.err == nil {
		if meta, body, err = f.next(a); err == nil {
			return meta, body, nil
		}
		f.err = err
	}
	return nil, nil, f.err
}

// Err is the error that ended the messages, if it was not io.EOF.
func (f *Frames) Err() error {
	if errors.Is(f.err, io.EOF) {
		return nil
	}
	return f.err
}

// Ended reports whether the last message has been read and marked as such.
func (f *Frames) Ended() bool { return errors.Is(f.err, io.EOF) }

func (f *Frames) next(a *Allocator) (meta, body []byte, err error) {
	if f.left == 0 && f.footed {
		return nil, nil, f.end()
	}
	size, err := f.uint32()
	if err == nil && size == 0xffffffff { // not there before version 0.15
		size, err = f.uint32()
	}
	switch {
	case err != nil:
		return nil, nil, err
	case size == 0:
		return nil, nil, f.end()
	case int64(size) > f.left || size > maxMetadata:
		return nil, nil, rowfiles.Corrupt("a message with %d bytes of metadata, %d bytes before the end", size, f.left)
	}
	meta = make([]byte, size)
	if err := f.read(meta); err != nil {
		return nil, nil, err
	}
	kind, n, err := checkMessage(meta)
	if err != nil {
		return nil, nil, err
	}
	if n > f.left {
		return nil, nil, rowfiles.Corrupt("a message of %d bytes, %d bytes before the end", n, f.left)
	}
	body = a.Allocate(int(n))
	if err := f.read(body); err != nil {
		return nil, nil, err
	}
	switch kind {
	case dictionaryMessage:
		f.dictionaries--
	case recordMessage:
		f.records--
	}
	return meta, body, nil
}

// end makes sure that nothing is missing and nothing follows.
func (f *Frames) end() error {
	if f.footed {
		if f.dictionaries != 0 || f.records != 0 {
			return rowfiles.Corrupt("the footer counts %d dictionaries and %d records more than there are", f.dictionaries, f.records)
		}
		return io.EOF
	}
	if f.left > 0 {
		return rowfiles.Corrupt("%d bytes follow the end of the stream", f.left)
	}
	return io.EOF
}

func (f *Frames) uint32() (uint32, error) {
	if f.left < 4 {
		return 0, rowfiles.Corrupt("the stream has no end mark: it may have been cut off")
	}
	var b [4]byte
	if err := f.read(b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

func (f *Frames) read(b []byte) error {
	f.left -= int64(len(b))
	_, err := io.ReadFull(f.r, b)
	return unexpected(err)
}

// unexpected makes the end of a file an error.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return rowfiles.Corrupt("it ends too soon")
	}
	return err
}
