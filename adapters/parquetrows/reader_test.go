package parquetrows_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/rampguard/rampguard/adapters/parquetrows"
)

var codecs = []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Zstd, &parquet.Gzip, &parquet.Lz4Raw, &parquet.Brotli}

// encodingSets are sets of encodings for numbers, integers, bytes and bits.
var encodingSets = map[string][4]encoding.Encoding{
	"plain":      {&parquet.Plain, &parquet.Plain, &parquet.Plain, &parquet.Plain},
	"dictionary": {&parquet.RLEDictionary, &parquet.RLEDictionary, &parquet.RLEDictionary, &parquet.RLE},
	"delta":      {&parquet.ByteStreamSplit, &parquet.DeltaBinaryPacked, &parquet.DeltaByteArray, &parquet.Plain},
	"split":      {&parquet.ByteStreamSplit, &parquet.ByteStreamSplit, &parquet.DeltaByteArray, &parquet.RLE},
}

func TestEveryType(t *testing.T) {
	for k, name := range slices.Sorted(maps.Keys(encodingSets)) {
		for i, codec := range codecs {
			e, version := encodingSets[name], 1+(i+k)%2 // every codec and every encoding in both versions
			t.Run(fmt.Sprintf("%s/%s/v%d", name, codec, version), func(t *testing.T) {
				l := layout{codec: codec, version: version, pageBytes: 200, groupRows: 400, dictBytes: 250}
				checkTable(t, allTypes(e[0], e[1], e[2], e[3]), 900, parquetrows.Options{BatchRows: 128}, l.options()...)
			})
		}
	}
}
