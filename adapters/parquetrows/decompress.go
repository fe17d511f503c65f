package parquetrows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// decompressor undoes the compression of pages. It is for one goroutine.
//
// A page header says how many bytes there should be; a decompressor never writes
// more, whatever the data say, and fails when there are less.
type decompressor struct {
	src    bytes.Reader
	zstd   *zstd.Decoder
	gzip   *gzip.Reader
	brotli *brotli.Reader
}

// known reports whether a codec can be undone.
func known(c format.CompressionCodec) bool {
	switch c {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd, format.Lz4Raw:
		return true
	}
	return false
}

// decompress fills dst from src.
func (d *decompressor) decompress(dst, src []byte, codec format.CompressionCodec) error {
	if len(dst) == 0 {
		return nil // writers differ in what they make of nothing
	}
	n, err := 0, error(nil)
	switch codec {
	case format.Uncompressed:
		n = copy(dst, src)
		if len(src) > n {
			err = io.ErrShortBuffer
		}
	case format.Snappy:
		if size, k := binary.Uvarint(src); k <= 0 || size != uint64(len(dst)) {
			return corrupt("a page has %d bytes instead of %d", size, len(dst))
		}
		var out []byte
		out, err = snappy.Decode(dst, src)
		n = len(out)
	case format.Lz4Raw:
		n, err = lz4.UncompressBlock(src, dst)
	case format.Zstd:
		if d.zstd == nil {
			// Its only errors are about the options.
			d.zstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
		}
		var out []byte
		out, err = d.zstd.DecodeAll(src, dst[:0:len(dst)+padding])
		n = len(out)
	case format.Gzip:
		d.src.Reset(src)
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		if err = d.gzip.Reset(&d.src); err == nil {
			n, err = readExactly(d.gzip, dst)
		}
	case format.Brotli:
		d.src.Reset(src)
		if d.brotli == nil {
			d.brotli = brotli.NewReader(&d.src)
		} else if err = d.brotli.Reset(&d.src); err != nil {
			break
		}
		n, err = readExactly(d.brotli, dst)
	}
	if err != nil {
		return corrupt("decompressing a page: %v", err)
	}
	if n != len(dst) {
		return corrupt("a page has %d bytes instead of %d", n, len(dst))
	}
	return nil
}

// readExactly fills dst and makes sure that r ends there, so that its checksum
// has been compared.
func readExactly(r io.Reader, dst []byte) (int, error) {
	n, err := io.ReadFull(r, dst)
	if err != nil {
		return n, err
	}
	var more [1]byte
	switch k, err := io.ReadFull(r, more[:]); {
	case k > 0:
		return n, io.ErrShortBuffer
	case !errors.Is(err, io.EOF):
		return n, err
	}
	return n, nil
}
