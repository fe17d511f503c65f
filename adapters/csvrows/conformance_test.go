package csvrows_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/analysis"
)

// TestConformance tries the reader with the rules for all sources of rows.
func TestConformance(t *testing.T) {
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			s := adaptertest.Source{
				Store: func(dir string, part int, table adaptertest.Table) (string, error) {
					path := filepath.Join(dir, fmt.Sprintf("part-%d-%s", part, l.name))
					return path, os.WriteFile(path, encode(l, table), 0o600)
				},
				Collect: func(ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
					co := csvrows.Options{Workers: o.Workers, BatchRows: 33, Types: o.Types, EpochUnit: time.Microsecond,
						Progress: func(p csvrows.Progress) { o.Progress(p.Rows, p.Files) }}
					r, err := csvrows.Collect(ctx, spec, co, names...)
					return r.Snapshot, err
				},
			}
			if l.pack == nil {
				s.Damage = func(name string) error {
					f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
					if err != nil {
						return err
					}
					if _, err := f.WriteString("\"cut off"); err != nil {
						return err
					}
					return f.Close()
				}
			}
			adaptertest.Rows(t, s)
		})
	}
}
