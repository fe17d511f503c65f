package parquetrows

import (
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/format"
)

const (
	readAhead = 4 << 10  // bytes read at a time for headers
	maxHeader = 16 << 20 // bytes of a page header, with its statistics
	maxPage   = 1 << 30  // bytes of a page; more is taken for damage
)

// oldDictionary is the encoding PLAIN_DICTIONARY, which the format has given up
// but files still have.
const oldDictionary format.Encoding = 2

// pager reads the pages of a column chunk one after another.
//
// The page reader of parquet-go 0.32, whose encodings we use, would not do. It
// takes the value of a run of booleans for eight bits, so that the labels of
// files that keep to the format come out wrong; it allocates without end for
// damaged LZ4 data and for damaged lengths; and it makes up for values missing
// from a page with zeros, or with what another page has left in memory.
type pager struct {
	r      io.ReaderAt
	at     int64  // of the first byte not consumed
	end    int64  // of the chunk
	ahead  []byte // bytes from at on that have been read
	memory []byte // of ahead
	header format.PageHeader
}

func (p *pager) start(r io.ReaderAt, m *format.ColumnMetaData, size int64) error {
	from := m.DataPageOffset
	if d := m.DictionaryPageOffset; d > 0 && d < from {
		from = d
	}
	if n := m.TotalCompressedSize; from < 0 || n < 0 || from > size || n > size-from {
		return corrupt("the footer puts it at bytes %d to %d of %d", from, from+n, size)
	}
	p.r, p.at, p.end, p.ahead = r, from, from+m.TotalCompressedSize, nil
	return nil
}

// next reads a page header. At the end of the chunk it returns io.EOF.
func (p *pager) next() error {
	rest := p.end - p.at
	if rest == 0 {
		return io.EOF
	}
	for size := int64(256); ; size *= 4 {
		if err := p.peek(min(size, rest)); err != nil {
			return err
		}
		n := structLength(p.ahead)
		if n < 0 && size < rest && size < maxHeader {
			continue
		}
		if n < 0 {
			return corrupt("no page header at byte %d", p.at)
		}
		p.header = format.PageHeader{}
		if err := decodeThrift(p.ahead[:n], &p.header); err != nil {
			return corrupt("page header at byte %d: %v", p.at, err)
		}
		p.at, p.ahead = p.at+int64(n), p.ahead[n:]
		break
	}
	h := &p.header
	if n := h.CompressedPageSize; n < 0 || int64(n) > p.end-p.at {
		return corrupt("a page of %d bytes, of which the column has %d", n, p.end-p.at)
	}
	if n := h.UncompressedPageSize; n < 0 || n > maxPage {
		return corrupt("a page of %d bytes", n)
	}
	return nil
}

// peek makes sure that n bytes have been read ahead.
func (p *pager) peek(n int64) error {
	if int64(len(p.ahead)) >= n {
		return nil
	}
	have := len(p.ahead)
	size := int(min(max(n, readAhead), p.end-p.at))
	if cap(p.memory) < size {
		memory := make([]byte, size)
		copy(memory, p.ahead)
		p.memory = memory
	} else {
		copy(p.memory[:size], p.ahead)
	}
	p.ahead = p.memory[:size]
	return readAt(p.r, p.ahead[have:], p.at+int64(have))
}

// body reads the body of the page, of len(b) bytes.
func (p *pager) body(b []byte) error {
	n := copy(b, p.ahead)
	p.ahead = p.ahead[n:]
	if err := readAt(p.r, b[n:], p.at+int64(n)); n < len(b) && err != nil {
		return err
	}
	p.at += int64(len(b))
	if sum := uint32(p.header.CRC); sum != 0 && crc32.ChecksumIEEE(b) != sum {
		return corrupt("the checksum of a page differs")
	}
	return nil
}

// skip leaves out the body of the page.
func (p *pager) skip() {
	n := int(p.header.CompressedPageSize)
	p.at += int64(n)
	p.ahead = p.ahead[min(n, len(p.ahead)):]
}
