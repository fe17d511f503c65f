package csvrows_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/analysis"
)

// layout is how a table is written.
type layout struct {
	name  string // of the file
	jsonl bool
	pack  func([]byte) []byte // may be nil
	epoch bool                // times as numbers of microseconds
	crlf  bool
}

var layouts = map[string]layout{
	"csv":       {name: "log.csv"},
	"csv gzip":  {name: "log.csv.gz", pack: gzipped, crlf: true, epoch: true},
	"json":      {name: "log.jsonl", jsonl: true},
	"json zstd": {name: "log.ndjson.zst", jsonl: true, pack: zstandard, epoch: true},
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func zstandard(b []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // no option can be wrong
	}
	return w.EncodeAll(b, nil)
}

// encode writes a table.
func encode(l layout, table adaptertest.Table) []byte {
	var out bytes.Buffer
	if !l.jsonl {
		var names []string
		for _, c := range table {
			names = append(names, c.Name)
		}
		l.line(&out, strings.Join(names, ","))
	}
	for i := range table.Rows() {
		var cells []string
		for _, c := range table {
			cell := l.cell(c, c.Values[i])
			if l.jsonl {
				if cell == "null" && i%2 == 1 && i > 50 {
					continue // no key at all
				}
				cell = fmt.Sprintf("%q: %s", c.Name, cell)
			}
			cells = append(cells, cell)
		}
		if l.jsonl {
			l.line(&out, "{"+strings.Join(cells, ", ")+"}")
		} else {
			l.line(&out, strings.Join(cells, ","))
		}
	}
	if l.pack != nil {
		return l.pack(out.Bytes())
	}
	return out.Bytes()
}

func (l layout) line(out *bytes.Buffer, s string) {
	out.WriteString(s)
	if l.crlf {
		out.WriteByte('\r')
	}
	out.WriteByte('\n')
}

// cell writes a value.
func (l layout) cell(c adaptertest.Column, v any) string {
	switch v := v.(type) {
	case nil:
		if l.jsonl {
			return "null"
		}
		return ""
	case float64:
		switch {
		case l.jsonl && math.IsInf(v, 1):
			return "Infinity"
		case l.jsonl && math.IsInf(v, -1):
			return "-Infinity"
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case int64:
		if c.Type == analysis.Time && !l.epoch {
			s := time.UnixMicro(v).UTC().Format(time.RFC3339Nano)
			if l.jsonl {
				return strconv.Quote(s)
			}
			return s
		}
		return strconv.FormatInt(v, 10)
	case string:
		if l.jsonl {
			b, err := json.Marshal(v)
			if err != nil {
				panic(err) // no string can fail
			}
			return string(b)
		}
		return `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
	}
	return fmt.Sprint(v)
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func specOf(t testing.TB, names ...string) *analysis.Spec {
	t.Helper()
	var columns []analysis.ColumnSpec
	for _, name := range names {
		columns = append(columns, analysis.ColumnSpec{Name: name})
	}
	spec, err := analysis.NewSpec(analysis.Binary, columns...)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}
