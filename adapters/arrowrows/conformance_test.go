package arrowrows_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/adapters/arrowrows"
	"github.com/rampguard/rampguard/analysis"
)

// TestConformance tries the reader with the rules for all sources of rows.
func TestConformance(t *testing.T) {
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			adaptertest.Rows(t, adaptertest.Source{
				Store: func(dir string, part int, table adaptertest.Table) (string, error) {
					return store(dir, fmt.Sprintf("part-%d.arrow", part), l, table)
				},
				Collect: func(ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
					return arrowrows.Collect(ctx, spec, arrowrows.Options{Workers: o.Workers, BatchRows: 33,
						Progress: func(p arrowrows.Progress) { o.Progress(p.Rows, p.Files) }}, names...)
				},
			})
		})
	}
}
