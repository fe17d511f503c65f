package analysis_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// Names are equal or not whatever dictionaries they are in: of any sizes, growing,
// with names that come twice.
func TestDerivedEqualOfDictionaries(t *testing.T) {
	for _, names := range [][2]int{{3, 3}, {3, 500}, {500, 3}, {400, 600}} {
		t.Run(fmt.Sprint(names), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(names[0])))
			spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "a"}, analysis.ColumnSpec{Name: "b"})
			if err != nil {
				t.Fatal(err)
			}
			if spec, err = spec.WithDerived(analysis.DerivedSpec{Name: "same", Op: analysis.Equal, Of: []string{"a", "b"}}); err != nil {
				t.Fatal(err)
			}
			c := analysis.NewCollector(spec)
			dicts, want, all := [2]*analysis.Dict{{}, {}}, uint64(0), uint64(0)
			for range 40 {
				b := analysis.Batch{Rows: 50}
				for k, d := range dicts {
					for range names[k] / 40 {
						d.Values = append(d.Values, strconv.Itoa(r.IntN(names[k])))
					}
					if len(d.Values) == 0 {
						d.Values = []string{"1", "2", "1"}
					}
					col := analysis.Column{Type: analysis.String, Dict: d}
					for range b.Rows {
						col.Codes = append(col.Codes, int32(r.IntN(len(d.Values))))
					}
					b.Columns = append(b.Columns, col)
				}
				for i := range b.Rows {
					all++
					if dicts[0].Values[b.Columns[0].Codes[i]] == dicts[1].Values[b.Columns[1].Codes[i]] {
						want++
					}
				}
				if err := c.Add(&b); err != nil {
					t.Fatal(err)
				}
			}
			s, err := c.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Column("same").Boolean; got.True != want || got.False != all-want {
				t.Errorf("%d rows of %d are equal, want %d", got.True, all, want)
			}
		})
	}
}
