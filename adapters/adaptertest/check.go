package adaptertest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// Broken is a rule that a source breaks.
type Broken struct {
	Rule string // its name
	Asks string // what it asks for, and why
	Got  string // what the source did
}

// String says it all.
func (b Broken) String() string { return b.Rule + ": " + b.Got + "\n\tthe rule: " + b.Asks }

// Rows tries a source that reads rows, each rule as a subtest.
func Rows(t *testing.T, s Source) {
	t.Helper()
	run(t, s, rowSpec)
}

// Snapshots tries a source that has rows counted elsewhere, and so gives counts
// but not the last bit of a sum.
func Snapshots(t *testing.T, s Source) {
	t.Helper()
	run(t, s, countSpec)
}

func run(t *testing.T, s Source, spec func(Table) (*analysis.Spec, error)) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if got := try(s, spec, r, t.TempDir()); got != "" {
				t.Error(Broken{r.name, r.asks, got})
			}
		})
	}
}

// Check tries a source that reads rows and returns the rules that it breaks. It
// uses the folder dir.
func Check(s Source, dir string) []Broken { return check(s, dir, rowSpec) }

// CheckSnapshots is [Check] for sources that have rows counted elsewhere.
func CheckSnapshots(s Source, dir string) []Broken { return check(s, dir, countSpec) }

func check(s Source, dir string, spec func(Table) (*analysis.Spec, error)) []Broken {
	var out []Broken
	for i, r := range rules {
		sub := filepath.Join(dir, fmt.Sprint(i))
		got := ""
		if err := os.MkdirAll(sub, 0o700); err != nil {
			got = err.Error()
		} else {
			got = try(s, spec, r, sub)
		}
		if got != "" {
			out = append(out, Broken{r.name, r.asks, got})
		}
	}
	return out
}

// try returns how a source breaks a rule, or nothing.
func try(s Source, spec func(Table) (*analysis.Spec, error), r rule, dir string) string {
	t := &trial{Source: s, dir: dir, table: Fixture().keep(s.Types)}
	var err error
	if t.spec, err = spec(t.table); err != nil {
		return err.Error()
	}
	t.makeSpec = spec
	return r.broken(t)
}

// trial is one rule being tried.
type trial struct {
	Source
	dir      string
	table    Table
	spec     *analysis.Spec
	makeSpec func(Table) (*analysis.Spec, error)
	stored   int
}

// store stores tables.
func (t *trial) store(tables ...Table) ([]string, error) {
	var names []string
	for _, table := range tables {
		name, err := t.Store(t.dir, t.stored, table)
		if err != nil {
			return nil, fmt.Errorf("it cannot be stored: %w", err)
		}
		t.stored++
		names = append(names, name)
	}
	return names, nil
}

// options are those of a call that is not about options.
func (t *trial) options(workers int) Options {
	return Options{Workers: workers, Types: t.table.Types(), Progress: func(int64, int) {}}
}

// collect stores and collects tables.
func (t *trial) collect(workers int, tables ...Table) (*analysis.Snapshot, error) {
	names, err := t.store(tables...)
	if err != nil {
		return nil, err
	}
	return t.Collect(background, t.spec, t.options(workers), names...)
}

// parts cuts the table into n tables of unlike size.
func (t *trial) parts(n int) []Table {
	var out []Table
	rows, from := t.table.Rows(), 0
	for i := range n {
		to := rows * (i + 1) * (i + 2) / (n * (n + 1))
		out = append(out, t.table.Slice(from, to))
		from = to
	}
	return out
}

// agrees compares the snapshot of tables with the reference.
func (t *trial) agrees(workers int, tables ...Table) string {
	return t.spread(workers, false, tables...)
}

// spread is agrees, with the names of the tables in either order.
func (t *trial) spread(workers int, reverse bool, tables ...Table) string {
	names, err := t.store(tables...)
	if err != nil {
		return err.Error()
	}
	if reverse {
		slices.Reverse(names)
	}
	got, err := t.Collect(background, t.spec, t.options(workers), names...)
	if err != nil {
		return fmt.Sprintf("an error: %v", err)
	}
	want, err := Reference(t.spec, tables...)
	if err != nil {
		return err.Error()
	}
	return differ(got, want)
}
