package labeldelay

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Counts holds the delays of labels that have arrived, and the ages of rows whose
// labels have not, in cells of 1/128 relative width. Counts of parts of a log merge
// in any order to the same state. The zero value is empty. It is not safe for
// concurrent use.
type Counts struct {
	arrived, waiting summary.Histogram
	refused          uint64
}

// Arrived counts a label that came the given number of seconds after its row was
// served. It reports false, and counts the row as refused, for a delay that is
// negative or not finite: a clock is wrong, or the columns are mixed up.
func (c *Counts) Arrived(seconds float64) bool { return c.add(&c.arrived, seconds) }

// Waiting counts a row that was served the given number of seconds ago and has no
// label. Ages are refused as by [Counts.Arrived].
func (c *Counts) Waiting(seconds float64) bool { return c.add(&c.waiting, seconds) }

func (c *Counts) add(h *summary.Histogram, seconds float64) bool {
	if !(seconds >= 0) || math.IsInf(seconds, 1) {
		c.refused++
		return false
	}
	h.Add(seconds)
	return true
}

// N is the number of rows counted, how many of them have a label, and how many more
// were refused.
func (c *Counts) N() (rows, labelled, refused uint64) {
	return c.arrived.N() + c.waiting.N(), c.arrived.N(), c.refused
}

// Merge adds o to c; o is unchanged. It fails only for counts that overflow.
func (c *Counts) Merge(o *Counts) error {
	if err := c.arrived.Merge(&o.arrived); err != nil {
		return fmt.Errorf("labeldelay: Merge: %w", err)
	}
	if err := c.waiting.Merge(&o.waiting); err != nil {
		return fmt.Errorf("labeldelay: Merge: %w", err)
	}
	c.refused += o.refused
	return nil
}

// Options configures [Counts.Curve].
type Options struct {
	Level float64 // of the bands, in (0,1); 0 means 0.95
}

// Curve is the share of labels that have not arrived, by the age of the row in
// seconds, as a Kaplan-Meier curve, whose Quantile gives the age by which a share
// has arrived.
type Curve struct {
	stats.SurvivalCurve
	Arrived stats.Interval // share of labels that arrive within End
	Late    float64        // part of that share that came in the last tenth of End
}

// Curve estimates how labels arrive:
//
//	S(t) = prod over cells up to t of (1 - d/n)
//	Var log S(t) = sum of d/(n (n-d))    (Greenwood)
//
// with n rows at risk before a cell and d labels in it; bands are symmetric on the
// scale of log S. A cell stands at the mean of its delays, so that ages are right to
// 1/128, and exactly where a cell holds one value. A row whose age falls into a cell
// is at risk in it, as one is at a tie; what that moves is at most the share of such
// rows among those at risk.
//
// Assumptions: rows are independent, and those served lately will get their labels as
// those before did. A label that never arrives is one that is waited for; Arrived
// tells how many do arrive within the ages seen, and nothing is known beyond.
//
// Special cases: without a label there are no points, the curve is 1, and it carries
// the warning "degenerate".
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for an impossible level.
// Cost: linear in the cells.
//
// Reference: as [stats.KaplanMeier]; Klein and Moeschberger (2003), section 5.4, on
// grouped times.
func (c *Counts) Curve(o Options) (Curve, error) {
	level := o.Level
	if level == 0 {
		level = 0.95
	}
	if !(level > 0 && level < 1) {
		return Curve{}, fmt.Errorf("labeldelay: Curve: level %v is not in (0,1): %w", level, stats.ErrDomain)
	}
	rows, labelled, _ := c.N()
	if rows == 0 {
		return Curve{}, fmt.Errorf("labeldelay: Curve: no rows: %w", stats.ErrEmpty)
	}
	out := Curve{SurvivalCurve: stats.SurvivalCurve{N: rows, Events: labelled, Level: level, Method: "Kaplan-Meier on cells of 1/128, log band"}}
	for _, h := range []*summary.Histogram{&c.arrived, &c.waiting} {
		if h.N() > 0 {
			out.End = max(out.End, h.Max())
		}
	}
	z := normalZ(level)
	s, greenwood, hi := 1.0, 0.0, 1.0
	young := c.waiting.Cells()
	left := rows
	for _, cell := range c.arrived.Cells() {
		for len(young) > 0 && before(young[0], cell) {
			left -= young[0].N
			young = young[1:]
		}
		n, d := float64(left), float64(cell.N)
		s *= (n - d) / n
		p := stats.SurvivalPoint{Time: cell.Mean, AtRisk: left, Events: cell.N, Survival: stats.Interval{Point: s, Lo: 0, Hi: hi, Level: level}}
		if left > cell.N {
			greenwood += d / (n * (n - d))
			half := z * math.Sqrt(greenwood)
			p.SE = s * math.Sqrt(greenwood)
			p.Survival.Lo, p.Survival.Hi = s*math.Exp(-half), min(1, s*math.Exp(half))
			hi = p.Survival.Hi
		}
		out.Points = append(out.Points, p)
		left -= cell.N
	}
	if labelled == 0 || out.Points[0].SE == 0 {
		out.Warnings = append(out.Warnings, stats.Warning{Code: stats.WarnDegenerate, Message: "too few labels: the curve has no band"})
	}
	end := out.At(out.End).Survival
	out.Arrived = stats.Interval{Point: 1 - end.Point, Lo: 1 - end.Hi, Hi: 1 - end.Lo, Level: level}
	if labelled == 0 {
		out.Arrived.Hi = 1 // nothing is known
	}
	out.Late = out.At(0.9*out.End).Survival.Point - end.Point
	return out, nil
}

// before reports whether rows of the age of a lie in an earlier cell than the labels
// of b.
func before(a, b summary.Cell) bool {
	if a.Lo != b.Lo {
		return a.Lo < b.Lo
	}
	// The same cell: only where both hold one value is it known which is first.
	return a.Var == 0 && b.Var == 0 && a.Mean < b.Mean
}
