package parquetrows_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

// TestConformance tries the reader with the rules for all sources of rows.
func TestConformance(t *testing.T) {
	nodes := map[analysis.Type]parquet.Node{
		analysis.Float:  parquet.Leaf(parquet.DoubleType),
		analysis.Int:    parquet.Leaf(parquet.Int64Type),
		analysis.Bool:   parquet.Leaf(parquet.BooleanType),
		analysis.String: parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
		analysis.Time:   parquet.Timestamp(parquet.Microsecond),
	}
	adaptertest.Rows(t, adaptertest.Source{
		Store: func(dir string, part int, table adaptertest.Table) (string, error) {
			var columns []column
			for _, c := range table {
				columns = append(columns, column{c.Name, parquet.Optional(nodes[c.Type]), c.Type, func(i int) (parquet.Value, any) {
					switch v := c.Values[i].(type) {
					case string:
						return parquet.ByteArrayValue([]byte(v)), v
					case nil:
						return parquet.NullValue(), nil
					default:
						return parquet.ValueOf(v), v
					}
				}})
			}
			path := filepath.Join(dir, fmt.Sprintf("part-%d.parquet", part))
			l := layout{codecs[part%len(codecs)], 1 + part%2, 1000, 150, 0}
			return path, os.WriteFile(path, encodeTable(t, columns, 0, table.Rows(), l.options()...), 0o600)
		},
		Collect: func(ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			return parquetrows.Collect(ctx, spec, parquetrows.Options{Workers: o.Workers, BatchRows: 64,
				Progress: func(p parquetrows.Progress) { o.Progress(p.Rows, p.Files) }}, names...)
		},
	})
}
