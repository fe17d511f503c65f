package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats/summary"
)

// unitHint says that a column seems to be in another unit, when all quartiles
// changed by a factor that is known for that.
func unitHint(base, cand *analysis.ColumnSummary) string {
	if base == nil || cand == nil {
		return ""
	}
	b, c := base.Histogram(), cand.Histogram()
	if b == nil || c == nil || b.N() < minDriftRows || c.N() < minDriftRows {
		return ""
	}
	for _, u := range unitFactors() {
		if changedBy(b, c, u.factor) {
			return fmt.Sprintf(" The quartiles of %s are all about %s times those of the baseline, as if it came in another unit (%s).", base.Name, number(u.factor), u.what)
		}
	}
	return ""
}

// unitFactor is a factor between two units.
type unitFactor struct {
	factor float64
	what   string
}

func unitFactors() []unitFactor {
	var out []unitFactor
	for _, u := range []unitFactor{
		{1.609344, "kilometres for miles"}, {3.28084, "feet for metres"}, {2.54, "centimetres for inches"}, {2.204623, "pounds for kilograms"},
		{60, "seconds for minutes, or minutes for hours"}, {3600, "seconds for hours"}, {24, "hours for days"}, {86400, "seconds for days"},
		{100, "cents, or percent"}, {1000, "thousandths, such as milliseconds"}, {1e6, "millionths, such as microseconds"}, {1e9, "nanoseconds for seconds"},
	} {
		out = append(out, u, unitFactor{1 / u.factor, "the reverse of " + u.what})
	}
	return out
}

// changedBy reports whether the quartiles of c are about factor times those of b.
func changedBy(b, c *summary.Histogram, factor float64) bool {
	for _, q := range []float64{0.25, 0.5, 0.75} {
		x, errB := b.Quantile(q)
		y, errC := c.Quantile(q)
		want := x.Value * factor
		if errB != nil || errC != nil || x.Value == 0 || math.Abs(y.Value-want) > 0.03*math.Abs(want) {
			return false
		}
	}
	return true
}
