package arrow18rows

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rampguard/rampguard/adapters/internal/arrowcols"
)

// source reads the records of a file.
type source struct {
	frames *arrowcols.Frames
	reader *ipc.Reader
	fields []arrowcols.Field
}

func openSource(f *arrowcols.Frames, a *arrowcols.Allocator) (arrowcols.Source, error) {
	reader, err := ipc.NewReaderFromMessageReader(&messages{frames: f, memory: a}, ipc.WithAllocator(a))
	if err != nil {
		return nil, err
	}
	return &source{frames: f, reader: reader, fields: fieldsOf(reader.Schema())}, nil
}

func (s *source) Fields() []arrowcols.Field { return s.fields }

func (s *source) Next() (arrowcols.Record, error) {
	if s.reader.Next() {
		return record{s.reader.RecordBatch(), s.fields}, nil
	}
	if err := s.reader.Err(); err != nil || !s.frames.Ended() {
		return nil, arrowcols.Blame(s.frames, err)
	}
	return nil, io.EOF
}

func (s *source) Close() { s.reader.Release() }

// messages gives the messages of a file to the library, which does not bound
// what a damaged one asks for.
type messages struct {
	frames *arrowcols.Frames
	memory *arrowcols.Allocator
	last   *ipc.Message
}

// Message implements [ipc.MessageReader].
func (m *messages) Message() (*ipc.Message, error) {
	m.Release()
	meta, body, err := m.frames.Next(m.memory)
	if err != nil {
		return nil, err
	}
	b := memory.NewBufferWithAllocator(body, m.memory)
	m.last = ipc.NewMessage(memory.NewBufferBytes(meta), b)
	b.Release() // the message holds it
	return m.last, nil
}

// Retain implements [ipc.MessageReader]; there is one holder.
func (m *messages) Retain() {}

// Release implements [ipc.MessageReader].
func (m *messages) Release() {
	if m.last != nil {
		m.last.Release()
		m.last = nil
	}
}
