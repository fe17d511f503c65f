package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// Spending names a family of alpha-spending functions. The zero value is
// invalid: choosing how early to spend is part of the design.
type Spending int8

// The spending functions of alpha and the information time t in [0,1]. z_p is
// the upper p-quantile of the standard normal distribution.
const (
	OBrienFleming   Spending = iota + 1 // 2 - 2 Phi(z_{alpha/2}/sqrt t): little early, nearly the fixed test at the end
	Pocock                              // alpha ln(1 + (e-1) t): nearly constant boundaries
	Power                               // alpha t^phi
	HwangShihDeCani                     // alpha (1 - e^{-gamma t})/(1 - e^{-gamma}); gamma = 0 is alpha t
)

var spendingNames = [...]string{"", "obrien_fleming", "pocock", "power", "hwang_shih_decani"}

// String returns the lower-case name, such as "pocock".
func (s Spending) String() string {
	if s < OBrienFleming || s > HwangShihDeCani {
		return fmt.Sprintf("Spending(%d)", int8(s))
	}
	return spendingNames[s]
}

// MarshalText implements [encoding.TextMarshaler]; an unknown value is an error
// that wraps [stats.ErrDomain].
func (s Spending) MarshalText() ([]byte, error) {
	if s < OBrienFleming || s > HwangShihDeCani {
		return nil, fmt.Errorf("sequential: %v: %w", s, stats.ErrDomain)
	}
	return []byte(s.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown name is an
// error that wraps [stats.ErrDomain].
func (s *Spending) UnmarshalText(text []byte) error {
	for i := OBrienFleming; i <= HwangShihDeCani; i++ {
		if spendingNames[i] == string(text) {
			*s = i
			return nil
		}
	}
	return fmt.Errorf("sequential: Spending: unknown name %q: %w", text, stats.ErrDomain)
}

// GroupOptions configures [GroupSequential].
type GroupOptions struct {
	// Alpha is the error level of the whole design, both sides together when
	// two-sided, in (0,1); default 0.05.
	Alpha float64
	// Alternative Different (default) rejects on both sides, each with half of
	// Alpha; Greater and Less reject on one, with the same positive boundaries.
	Alternative stats.Alternative
	// Spending is required.
	Spending Spending
	// Shape is phi of Power, > 0 with default 2, or gamma of HwangShihDeCani
	// with default -4; other functions do not use it.
	Shape float64
	// Planned is the information at which all of Alpha is spent; default the
	// last look's.
	Planned float64
	// Final says that the last look is the last one ever, so that all of Alpha
	// is spent there even when the information falls short of Planned.
	Final bool
}

// Boundary is one scheduled look of a group-sequential design.
type Boundary struct {
	Time    float64 // share of the planned information, at most 1
	Spent   float64 // alpha spent up to here, per side
	Z       float64 // reject when the statistic, |z| when two-sided, reaches it; +Inf when nothing is spent
	Nominal float64 // P(Z >= boundary) at this look, doubled when two-sided
}

// Spend is the alpha spent by one side up to the information time t, clipped to
// [0,1]. alpha is that of the side. Errors: [stats.ErrDomain] for an unknown
// function, an alpha outside (0,1), a NaN time or an impossible shape.
func (s Spending) Spend(alpha, t, shape float64) (float64, error) {
	if stats.CheckLevel(alpha) != nil || badNumber(t, shape) || s == Power && shape <= 0 {
		return 0, fmt.Errorf("sequential: Spending.Spend: %v of alpha %v at time %v with shape %v: %w", s, alpha, t, shape, stats.ErrDomain)
	}
	t = math.Min(1, math.Max(0, t))
	switch s {
	case OBrienFleming:
		if t == 0 {
			return 0, nil
		}
		return math.Erfc(-distuv.UnitNormal.Quantile(alpha/2) / math.Sqrt(2*t)), nil
	case Pocock:
		return alpha * math.Log1p((math.E-1)*t), nil
	case Power:
		return alpha * math.Pow(t, shape), nil
	case HwangShihDeCani:
		if shape == 0 {
			return alpha * t, nil
		}
		return alpha * math.Expm1(-shape*t) / math.Expm1(-shape), nil
	}
	return 0, fmt.Errorf("sequential: Spending.Spend: %v: %w", s, stats.ErrDomain)
}

// GroupSequential computes the boundaries of a design with few scheduled looks.
// It needs less data than the any-look methods of this package and is valid at
// the scheduled looks only: one more look, or one moved because of the data,
// voids it.
//
// information is the cumulative information at the looks so far, such as the
// sample size, strictly increasing. The standardised statistics behave like a
// Brownian motion B at these times divided by its standard deviation. Boundary i
// solves
//
//	P( B crosses at look i and not before ) = Spend(t_i) - Spend(t_{i-1}),  t_i = min(1, information_i/Planned)
//
// by recursion over the density of B inside the earlier boundaries (Simpson's
// rule, 5 digits and more). Two-sided designs treat both sides together; a
// one-sided one continues down to -8 standard deviations.
//
// Overrun: information beyond Planned spends nothing more, but keeps its true
// correlation with earlier looks, and boundaries already used do not move. When
// the trial stops short, set Final to spend the rest.
//
// Special cases: a look at which nothing is spent has Z = +Inf.
//
// Errors: [stats.ErrEmpty] without looks, [stats.ErrDomain] for information that
// does not increase and for impossible options.
//
// Cost: about 1e5 to 1e7 operations per look, more when looks are close.
//
// Reference: Lan and DeMets, "Discrete sequential boundaries for clinical
// trials", Biometrika 70 (1983); Jennison and Turnbull, "Group Sequential
// Methods" (2000), chapters 7 and 19.
func GroupSequential(information []float64, o GroupOptions) ([]Boundary, error) {
	o, err := o.withDefaults(information)
	if err != nil {
		return nil, fmt.Errorf("sequential: GroupSequential: %w", err)
	}
	alpha, sides := o.Alpha, 1.0
	if o.Alternative == stats.Different {
		alpha, sides = o.Alpha/2, 2
	}
	out := make([]Boundary, len(information))
	walk := walkTo{two: o.Alternative == stats.Different}
	spent := 0.0
	for i, info := range information {
		t := math.Min(1, info/o.Planned)
		if o.Final && i == len(information)-1 {
			t = 1
		}
		to, err := o.Spending.Spend(alpha, t, o.Shape)
		if err != nil {
			return nil, err
		}
		v := info / information[0] // the recursion is free of the unit
		z := walk.boundary(v, to-spent)
		next := math.Inf(1)
		if i+1 < len(information) {
			next = information[i+1] / information[0]
		}
		walk.advance(v, z, next)
		spent = to
		out[i] = Boundary{Time: t, Spent: to, Z: z, Nominal: sides * math.Erfc(z/math.Sqrt2) / 2}
	}
	return out, nil
}

func (o GroupOptions) withDefaults(information []float64) (GroupOptions, error) {
	if len(information) == 0 {
		return o, fmt.Errorf("no looks: %w", stats.ErrEmpty)
	}
	last := 0.0
	for i, v := range information {
		if !(v > last) || math.IsInf(v, 0) {
			return o, fmt.Errorf("information %v at look %d after %v: %w", v, i, last, stats.ErrDomain)
		}
		last = v
	}
	o.Alpha = defaultTo(o.Alpha, 0.05)
	o.Planned = defaultTo(o.Planned, last)
	switch o.Spending {
	case Power:
		o.Shape = defaultTo(o.Shape, 2)
	case HwangShihDeCani:
		o.Shape = defaultTo(o.Shape, -4)
	}
	if stats.CheckLevel(o.Alpha) != nil || !(o.Planned > 0) || math.IsInf(o.Planned, 0) || o.Alternative < stats.Less || o.Alternative > stats.Greater {
		return o, fmt.Errorf("alpha %v, planned %v, alternative %v: %w", o.Alpha, o.Planned, o.Alternative, stats.ErrDomain)
	}
	return o, nil
}

// walkTo is the density of a Brownian motion that has not crossed yet, on a grid
// with Simpson weights. Before the first look it is the point 0 with mass 1.
type walkTo struct {
	two  bool
	v    float64 // variance at the latest look
	x    []float64
	mass []float64 // density times weight; nil stands for the point 0
}

// exceed is the probability of reaching level b at variance v, one side.
func (w *walkTo) exceed(v, b float64) float64 {
	sd := math.Sqrt(2 * (v - w.v))
	if w.mass == nil {
		return math.Erfc(b/sd) / 2
	}
	sum := 0.0
	for i, x := range w.x {
		sum += float64(w.mass[i] * (math.Erfc((b-x)/sd) / 2))
	}
	return sum
}

// boundary solves exceed(v, z sqrt(v)) = p for z.
func (w *walkTo) boundary(v, p float64) float64 {
	const top = 38 // Phi(-38) is the smallest positive number
	sd := math.Sqrt(v)
	if p <= 0 || w.exceed(v, float64(top*sd)) >= p {
		return math.Inf(1)
	}
	return zero(-top, top, func(z float64) float64 { return w.exceed(v, float64(z*sd)) - p })
}

// advance moves the density to variance v inside the boundary z. next is the
// variance of the look after, which sets how fine the grid has to be.
func (w *walkTo) advance(v, z, next float64) {
	if math.IsInf(next, 0) {
		return // the last look: nothing is read any more
	}
	sd := math.Sqrt(v)
	hi := math.Min(z, 8) * sd
	lo := -8 * sd
	if w.two {
		lo = -hi
	}
	step := math.Min(math.Sqrt(v-w.v), math.Sqrt(next-v)) / 8
	n := 2 * int(math.Min(2000, math.Max(100, math.Ceil((hi-lo)/step/2))))
	x, mass := make([]float64, n+1), make([]float64, n+1)
	h := (hi - lo) / float64(n)
	norm := 1 / math.Sqrt(2*math.Pi*(v-w.v))
	for i := range x {
		x[i] = lo + float64(h*float64(i))
		d := 0.0
		if w.mass == nil {
			d = math.Exp(-x[i] * x[i] / (2 * v))
		}
		for j, y := range w.x {
			e := x[i] - y
			d += float64(w.mass[j] * math.Exp(-e*e/(2*(v-w.v))))
		}
		weight := 2.0
		switch {
		case i == 0 || i == n:
			weight = 1
		case i%2 == 1:
			weight = 4
		}
		mass[i] = d * norm * weight * h / 3
	}
	w.v, w.x, w.mass = v, x, mass
}
