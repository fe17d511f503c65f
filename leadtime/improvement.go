package leadtime

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/rampguard/rampguard/stats"
)

// ImprovementOptions configures [Improved]. The zero value compares all releases
// of the standard track and asks for 20% less.
type ImprovementOptions struct {
	Target       float64 // reduction asked for, in (0,1); 0 means 0.2
	Track        Track   // "" is Standard
	Model        string  // "" is all models
	Calendar     Calendar
	QuantileType stats.QuantileType // 0 means type 7
	Level        float64            // 0 means 0.95
	Replicates   int                // of the bootstrap; 0 means 1000
	Seed         uint64             // of the bootstrap
	Env          Env                // "" is Production
}

// Improvement says whether lead times fell by a target between two periods.
type Improvement struct {
	Target float64 `json:"target"` // reduction asked for, as a share
	P50    Change  `json:"p50"`
	P90    Change  `json:"p90"`
	// Difference and Beyond are log-rank tests, made when releases are in flight
	// in either period: of no change, and of a change by exactly Target.
	Difference *ChangeTest `json:"difference,omitempty"`
	Beyond     *ChangeTest `json:"beyond_target,omitempty"`
}

// Change compares a quantile of two periods.
type Change struct {
	Now  Quantile `json:"now"`
	Then Quantile `json:"then"`
	// Reduction is 1 - now/then of the quantiles; NaN where one is unknown.
	Reduction stats.Float `json:"reduction"`
	// Ratio estimates now/then, by Method. Its interval decides Conclusive.
	Ratio stats.Interval `json:"ratio"`
	// Met says that Reduction reaches the target. Conclusive says that the data
	// could not well have come from the other side of it: without it Met is a
	// guess, either way.
	Met        bool            `json:"met"`
	Conclusive bool            `json:"conclusive"`
	Method     string          `json:"method"`
	Warnings   []stats.Warning `json:"warnings,omitempty"`
}

// ChangeTest is a log-rank test of two periods.
type ChangeTest struct {
	ChiSquare float64     `json:"chi_square"`
	P         stats.Float `json:"p"`
	Faster    bool        `json:"faster"` // more releases completed now than the null expects
	Method    string      `json:"method"`
}

// Improved compares the lead times of two periods of the same length, usually a
// year apart, with a target such as "20% less".
//
// The median: Ratio is exp of the Hodges-Lehmann shift of log durations, with its
// rank interval. The 0.9-quantile, and the median when a duration is 0: Ratio is
// that of the quantiles, with a percentile bootstrap interval; below 36 releases a
// side a 0.9-quantile has no interval of its own, and Conclusive is false.
//
// With releases in flight in either period the quantiles are those of
// Kaplan-Meier, Ratio has no interval, and Beyond decides about the median: the
// log-rank test of the durations of now against those of then times 1-Target.
//
// Assumptions: independent releases; for the rank interval, and for Beyond, that
// the periods differ by a factor.
//
// Special cases are: a period without releases, or a quantile out of reach, gives
// Reduction NaN and neither Met nor Conclusive.
//
// Errors: [stats.ErrDomain] for impossible options. Cost: sorting per replicate.
//
// References: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963).
// Davison and Hinkley, Bootstrap Methods and their Application (1997), chapter 5.
// Klein and Moeschberger, Survival Analysis, 2nd ed. (2003), section 7.3.
func Improved(now, then []Flight, o ImprovementOptions) (Improvement, error) {
	out, err := improved(now, then, o)
	if err != nil {
		return Improvement{}, fmt.Errorf("leadtime: Improved: %w", err)
	}
	return out, nil
}

func improved(now, then []Flight, o ImprovementOptions) (Improvement, error) {
	o.Target, o.Level = cmp.Or(o.Target, 0.2), orLevel(o.Level)
	o.Replicates = cmp.Or(o.Replicates, 1000)
	switch {
	case !(o.Target > 0 && o.Target < 1):
		return Improvement{}, fmt.Errorf("target %v is not in (0,1): %w", o.Target, stats.ErrDomain)
	case o.Replicates < 100 || o.Replicates > 100000:
		return Improvement{}, fmt.Errorf("%d replicates, not from 100 to 100000: %w", o.Replicates, stats.ErrDomain)
	}
	a, err := o.side(now)
	if err != nil {
		return Improvement{}, fmt.Errorf("now: %w", err)
	}
	b, err := o.side(then)
	if err != nil {
		return Improvement{}, fmt.Errorf("then: %w", err)
	}
	out := Improvement{Target: o.Target}
	censored := len(a.hours) < len(a.obs) || len(b.hours) < len(b.obs)
	if out.P50, err = o.change(a, b, 0.5, censored); err != nil {
		return out, err
	}
	if out.P90, err = o.change(a, b, 0.9, censored); err != nil {
		return out, err
	}
	if censored && len(a.obs) > 0 && len(b.obs) > 0 {
		if out.Difference, err = changeTest(a.obs, b.obs, 1); err != nil {
			return out, err
		}
		if out.Beyond, err = changeTest(a.obs, b.obs, 1-o.Target); err != nil {
			return out, err
		}
		out.P50.Conclusive = !math.IsNaN(float64(out.P50.Reduction)) &&
			float64(out.Beyond.P) <= 1-o.Level && out.Beyond.Faster == out.P50.Met
	}
	return out, nil
}

// side is one period: the completed, in hours and ascending, and all of them.
type side struct {
	hours []float64
	obs   []stats.Observation
	est   Estimates
}

func (o ImprovementOptions) side(flights []Flight) (side, error) {
	opt := Options{Cohort: BySignOff, Calendar: o.Calendar, QuantileType: o.QuantileType, Level: o.Level, Env: o.Env}
	views, err := opt.series(flights, cmp.Or(o.Track, Standard), o.Model)
	if err != nil {
		return side{}, err
	}
	var s side
	for _, v := range views {
		s.obs = append(s.obs, v.observation())
		if v.done {
			s.hours = append(s.hours, v.lead.Hours())
		}
	}
	slices.Sort(s.hours)
	if len(s.hours) < len(s.obs) {
		s.est, err = kmEstimates(s.obs, opt.estimates())
	} else {
		s.est, err = plainEstimates(s.hours, opt.estimates())
	}
	return s, err
}

func (s side) quantile(q float64) Quantile {
	if q == 0.5 {
		return s.est.P50
	}
	return s.est.P90
}

func (o ImprovementOptions) change(now, then side, q float64, censored bool) (Change, error) {
	c := Change{Now: now.quantile(q), Then: then.quantile(q), Reduction: stats.Float(math.NaN()), Method: "no releases to compare"}
	c.Ratio = unknown(o.Level)
	if c.Now.N == 0 || c.Then.N == 0 {
		return c, nil
	}
	if c.Now.Reached && c.Then.Reached && c.Then.Estimate.Point > 0 {
		c.Ratio.Point = c.Now.Estimate.Point / c.Then.Estimate.Point
		c.Reduction = stats.Float(1 - c.Ratio.Point)
		c.Met = float64(c.Reduction) >= o.Target
	}
	if censored {
		c.Method = "ratio of Kaplan-Meier quantiles"
		return c, nil
	}
	var err error
	enough := true
	if q == 0.5 && now.hours[0] > 0 && then.hours[0] > 0 {
		err = c.shift(now.hours, then.hours, o.Level)
	} else {
		enough = c.Now.hasInterval() && c.Then.hasInterval()
		err = c.bootstrap(now.hours, then.hours, q, o)
	}
	if !enough {
		c.Warnings = append(c.Warnings, stats.Warning{Code: stats.WarnSmallSample,
			Message: fmt.Sprintf("%d and %d releases are too few to judge a change of this quantile", c.Now.N, c.Then.N)})
	}
	limit := 1 - o.Target
	c.Conclusive = enough && !math.IsNaN(float64(c.Reduction)) &&
		(c.Met && c.Ratio.Hi <= limit || !c.Met && c.Ratio.Lo > limit)
	return c, err
}

func (q Quantile) hasInterval() bool {
	return !math.IsInf(q.Estimate.Lo, 0) && !math.IsInf(q.Estimate.Hi, 0)
}

// shift estimates the ratio as a shift of logarithms.
func (c *Change) shift(now, then []float64, level float64) error {
	logs := func(x []float64) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = math.Log(v)
		}
		return out
	}
	s, err := stats.HodgesLehmann(logs(now), logs(then), stats.ShiftOptions{Level: level})
	if err != nil {
		return err
	}
	c.Ratio = stats.Interval{Point: math.Exp(s.Shift.Point), Lo: math.Exp(s.Shift.Lo), Hi: math.Exp(s.Shift.Hi), Level: level}
	c.Method, c.Warnings = s.Method+" of logarithms", s.Warnings
	return nil
}

// bootstrap resamples releases of both periods. A resample without a release, or
// with a quantile of 0 then, has no ratio and is left out.
func (c *Change) bootstrap(now, then []float64, q float64, o ImprovementOptions) error {
	var ratios, x, y []float64
	nows, thens := ranks("now ", len(now)), ranks("then ", len(then))
	for i := range o.Replicates {
		x, y = resample(x[:0], now, nows, i, o.Seed), resample(y[:0], then, thens, i, o.Seed)
		a, err := stats.Quantiles(x, []float64{q}, o.QuantileType)
		if errors.Is(err, stats.ErrEmpty) {
			continue
		}
		if err != nil {
			return err
		}
		b, err := stats.Quantiles(y, []float64{q}, o.QuantileType)
		if errors.Is(err, stats.ErrEmpty) || err == nil && b[0] == 0 {
			continue
		}
		if err != nil {
			return err
		}
		ratios = append(ratios, a[0]/b[0])
	}
	c.Method = fmt.Sprintf("ratio of quantiles, percentile bootstrap with %d resamples", len(ratios))
	if lost := o.Replicates - len(ratios); lost > 0 {
		c.Warnings = append(c.Warnings, stats.Warning{Code: stats.WarnDegenerate,
			Message: fmt.Sprintf("%d of %d resamples have no ratio", lost, o.Replicates)})
	}
	if len(ratios) < 100 {
		return nil // no interval
	}
	ends, err := stats.Quantiles(ratios, []float64{(1 - o.Level) / 2, (1 + o.Level) / 2}, stats.Type7)
	if err != nil {
		return err
	}
	c.Ratio.Lo, c.Ratio.Hi = ends[0], ends[1]
	return nil
}

// resample appends each value as often as the Poisson weight of its name says.
func resample(out, values []float64, names []string, replicate int, seed uint64) []float64 {
	for i, v := range values {
		for range stats.PoissonWeight(seed, names[i], replicate) {
			out = append(out, v)
		}
	}
	return out
}

// ranks names the values of an ascending sample by their rank, so that the order
// of the flights is of no matter.
func ranks(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = prefix + strconv.Itoa(i)
	}
	return out
}

// changeTest tests now against then with its durations times a factor.
func changeTest(now, then []stats.Observation, factor float64) (*ChangeTest, error) {
	scaled := slices.Clone(then)
	for i := range scaled {
		scaled[i].Time *= factor
	}
	t, err := stats.LogRank(now, scaled)
	if err != nil {
		return nil, err
	}
	return &ChangeTest{
		ChiSquare: t.ChiSquare, P: stats.Float(t.P), Method: t.Method,
		Faster: float64(t.Observed[0]) > t.Expected[0],
	}, nil
}
