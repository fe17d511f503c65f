package arrow18rows_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/adapters/arrow18rows"
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
					return arrow18rows.Collect(ctx, spec, arrow18rows.Options{Workers: o.Workers, BatchRows: 33,
						Progress: func(p arrow18rows.Progress) { o.Progress(p.Rows, p.Files) }}, names...)
				},
			})
		})
	}
}
