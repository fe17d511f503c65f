package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// shelf is a source that keeps tables in memory. As it is it holds to all rules;
// its fields break them.
type shelf struct {
	tables map[string]adaptertest.Table
	bad    map[string]bool

	change  func(t adaptertest.Table) adaptertest.Table // of each table, when it is collected
	collect func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error)
}

func (s *shelf) source() adaptertest.Source {
	s.tables, s.bad = map[string]adaptertest.Table{}, map[string]bool{}
	return adaptertest.Source{
		Store: func(dir string, part int, t adaptertest.Table) (string, error) {
			name := fmt.Sprintf("%s/%d", dir, part)
			s.tables[name] = t
			return name, nil
		},
		Collect: func(ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			if s.collect != nil {
				return s.collect(s, ctx, spec, o, names...)
			}
			return s.all(ctx, spec, o, names...)
		},
		Damage: func(name string) error {
			s.bad[name] = true
			return nil
		},
	}
}

// all is how tables should be collected.
func (s *shelf) all(ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
	types := map[string]analysis.Type{}
	var tables []adaptertest.Table
	rows := int64(0)
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t, ok := s.tables[name]
		if !ok || s.bad[name] {
			return nil, fmt.Errorf("table %s cannot be read: %w", name, stats.ErrMismatch)
		}
		for _, c := range t {
			if have, ok := types[c.Name]; ok && have != c.Type {
				return nil, fmt.Errorf("column %q of %s is %v: %w", c.Name, name, c.Type, stats.ErrMismatch)
			}
			types[c.Name] = c.Type
		}
		if s.change != nil {
			t = s.change(t)
		}
		tables = append(tables, t)
		rows += int64(t.Rows())
		o.Progress(rows, i+1)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return adaptertest.Reference(spec, tables...)
}

// each changes every value of a table.
func each(change func(column string, row int, v any) any) func(adaptertest.Table) adaptertest.Table {
	return func(t adaptertest.Table) adaptertest.Table {
		t = slices.Clone(t)
		for i, c := range t {
			values := slices.Clone(c.Values)
			for k, v := range values {
				values[k] = change(c.Name, k, v)
			}
			t[i].Values = values
		}
		return t
	}
}

// TestSoundSource holds a source that does everything right.
func TestSoundSource(t *testing.T) {
	adaptertest.Rows(t, (&shelf{}).source())
	adaptertest.Snapshots(t, (&shelf{}).source())
	some := (&shelf{}).source()
	some.Types = []analysis.Type{analysis.Float, analysis.Bool}
	some.NoProgress = true
	adaptertest.Rows(t, some)
}

// TestBrokenSources makes sure that each rule notices a source that breaks it.
func TestBrokenSources(t *testing.T) {
	type collect = func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error)
	release := make(chan struct{})
	defer close(release)
	for _, tt := range []struct {
		name, rule string
		change     func(adaptertest.Table) adaptertest.Table
		collect    collect
	}{
		{"NaN is missing", "values", each(func(_ string, _ int, v any) any {
			if x, ok := v.(float64); ok && math.IsNaN(x) {
				return nil
			}
			return v
		}), nil},
		{"numbers lose a bit", "values", each(func(_ string, _ int, v any) any {
			if x, ok := v.(float64); ok && x == math.Nextafter(0.7, 0) {
				return 0.7
			}
			return v
		}), nil},
		{"the empty text is missing", "values", each(func(_ string, _ int, v any) any {
			if v == "" {
				return nil
			}
			return v
		}), nil},
		{"missing is zero", "missing", each(func(c string, _ int, v any) any {
			if v == nil && c == "amount" {
				return 0.0
			}
			return v
		}), nil},
		{"absent is missing", "absent", func(t adaptertest.Table) adaptertest.Table {
			if len(t) < 9 && t.Rows() > 0 && !slices.ContainsFunc(t, func(c adaptertest.Column) bool { return c.Name == "flag" }) {
				return append(slices.Clone(t), adaptertest.Column{Name: "flag", Type: analysis.Bool, Values: make([]any, t.Rows())})
			}
			return t
		}, nil},
		{"the order counts", "order", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			if !slices.IsSorted(names) {
				names = names[1:]
			}
			return s.all(ctx, spec, o, names...)
		}},
		{"the last row is lost", "spread", func(t adaptertest.Table) adaptertest.Table { return t.Slice(0, max(0, t.Rows()-1)) }, nil},
		{"unasked columns count", "unasked", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			for _, c := range s.tables[names[0]] {
				if spec.Index(c.Name) < 0 {
					return nil, fmt.Errorf("column %q is not in the spec", c.Name)
				}
			}
			return s.all(ctx, spec, o, names...)
		}},
		{"empty tables are refused", "empty", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			for _, name := range names {
				if t, ok := s.tables[name]; ok && t.Rows() == 0 {
					return nil, errors.New("a table without rows")
				}
			}
			return s.all(ctx, spec, o, names...)
		}},
		{"workers forget", "workers", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			if o.Workers == 8 && len(names) > 8 {
				names = names[:8]
			}
			return s.all(ctx, spec, o, names...)
		}},
		{"slices are ignored", "slices", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			spec, err := analysis.NewSpec(spec.Task, spec.Columns...)
			if err != nil {
				return nil, err
			}
			return s.all(ctx, spec, o, names...)
		}},
		{"tables of another type are left out", "types", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
				return slices.ContainsFunc(s.tables[name], func(c adaptertest.Column) bool { return c.Name == "amount" && c.Type == analysis.String })
			})
			return s.all(ctx, spec, o, names...)
		}},
		{"what is not there is left out", "unknown", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.HasSuffix(name, "-not-there") })
			return s.all(ctx, spec, o, names...)
		}},
		{"errors name nothing", "damage", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			got, err := s.all(ctx, spec, o, names...)
			if err != nil && ctx.Err() == nil {
				err = errors.New("something is wrong")
			}
			return got, err
		}},
		{"cancellation is not heard", "cancel", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			return s.all(context.WithoutCancel(ctx), spec, o, names...)
		}},
		{"it only looks at the start", "cancel", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return s.all(context.WithoutCancel(ctx), spec, o, names...)
		}},
		{"goroutines stay", "goroutines", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			go func() { <-release }()
			return s.all(ctx, spec, o, names...)
		}},
		{"progress goes back", "progress", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			got, err := s.all(ctx, spec, o, names...)
			o.Progress(1, 1)
			return got, err
		}},
		{"progress ends too soon", "progress", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			tell := o.Progress
			o.Progress = func(rows int64, tables int) { tell(rows/2, tables) }
			return s.all(ctx, spec, o, names...)
		}},
		{"progress comes twice at once", "progress", nil, func(s *shelf, ctx context.Context, spec *analysis.Spec, o adaptertest.Options, names ...string) (*analysis.Snapshot, error) {
			tell := o.Progress
			o.Progress = func(rows int64, tables int) {
				var wg sync.WaitGroup
				for range 64 {
					wg.Go(func() { tell(rows, tables) })
				}
				wg.Wait()
			}
			return s.all(ctx, spec, o, names...)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &shelf{change: tt.change, collect: tt.collect}
			broken := adaptertest.Check(s.source(), t.TempDir())
			i := slices.IndexFunc(broken, func(b adaptertest.Broken) bool { return b.Rule == tt.rule })
			if i < 0 {
				t.Fatalf("the rule %q was not seen to be broken; seen were %v", tt.rule, broken)
			}
			if b := broken[i]; b.Asks == "" || b.Got == "" {
				t.Errorf("the rule does not explain itself: %+v", b)
			}
		})
	}
}
