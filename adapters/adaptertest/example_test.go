package adaptertest_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/analysis"
)

// A source that loses the last row of a table, and what the suite says to it.
func ExampleCheck() {
	tables := map[string]adaptertest.Table{}
	source := adaptertest.Source{
		Store: func(dir string, part int, t adaptertest.Table) (string, error) {
			name := fmt.Sprintf("%s/table %d", dir, part)
			tables[name] = t
			return name, nil
		},
		Collect: func(ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			var short []adaptertest.Table
			for _, name := range names {
				t := tables[name]
				short = append(short, t.Slice(0, max(0, t.Rows()-1)))
			}
			return adaptertest.Reference(spec, short...)
		},
	}
	dir, err := os.MkdirTemp("", "adaptertest-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	fmt.Println(adaptertest.Check(source, dir)[0])
	// Output:
	// values: 839 rows were counted, not 840
	// 	the rule: each value counts as what it is: a cut and its neighbours, NaN, infinities, -0, the empty text and texts that look like something else; one that counts otherwise moves a threshold or a share
}

// In a test of an adapter, each rule is a subtest.
func ExampleRows() {
	store := func(dir string, part int, t adaptertest.Table) (string, error) { return "", nil }
	collect := func(ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
		return nil, nil
	}
	_ = func(t *testing.T) {
		adaptertest.Rows(t, adaptertest.Source{Store: store, Collect: collect})
	}
}

// A database counts rows by itself; it does not report progress.
func ExampleSnapshots() {
	var database adaptertest.Source
	database.NoProgress = true
	_ = func(t *testing.T) {
		adaptertest.Snapshots(t, database)
	}
	_ = adaptertest.CheckSnapshots
}

func ExampleFixture() {
	for _, c := range adaptertest.Fixture() {
		fmt.Println(c.Name, c.Type, len(c.Values))
	}
	// Output:
	// action string 840
	// amount float 840
	// count int 840
	// flag bool 840
	// id int 840
	// label bool 840
	// name string 840
	// score float 840
	// ts time 840
}
