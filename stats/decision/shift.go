package decision

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// Mixes holds the mix of actions for each combination of model, policy and
// population: m[i][j][k] is that of model i under policy j on population k, 0 being
// the old one and 1 the new one. A mix that is not known is nil.
//
// The old model on the new population, and the new one on the old population, are
// known from shadow scores only.
type Mixes [2][2][2][]float64

// ShiftOptions says what may be taken for granted.
type ShiftOptions struct {
	// SamePopulation takes the populations as one, as when units are assigned to two
	// arms at random: a mix that is not known on one population is taken from the
	// other, and what differs between them is noise.
	SamePopulation bool
}

// Part is what one cause adds to the share of each action.
type Part struct {
	Mean   []float64 // over the orders in which the causes may change
	Lo, Hi []float64 // the smallest and the greatest over the orders
}

// Shift is a change of the mix of actions, split by cause.
type Shift struct {
	Total                     []float64 // new share less old share of each action
	Variation                 float64   // half the sum of the sizes of Total: the share of actions that moved
	Population, Model, Policy Part      // whose means add up to Total
	Orders                    int       // orders that could be gone; 6 gives the Shapley value
	Shadow                    []string  // mixes behind it that need shadow scores
	Method                    string
}

// orders are the ways to change model (bit 0), policy (bit 1) and population (bit
// 2) one after another.
var orders = [6][3]int{{2, 0, 1}, {2, 1, 0}, {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}}

// SplitShift splits the change of the mix of actions from the old model, policy and
// population to the new ones into what each of the three adds.
//
// Changed one after another, say population, model, policy, they add
//
//	population  m(old, old, new) - m(old, old, old)
//	model       m(new, old, new) - m(old, old, new)
//	policy      m(new, new, new) - m(new, old, new)
//
// which depends on the order where they interact. Mean is over all orders whose
// mixes are known, the Shapley value when all six are; Lo and Hi show how far the
// orders disagree.
//
// Special cases: a cause that does not change anything has parts of 0.
// Errors: [stats.ErrEmpty] when the first or the last mix is missing, or no order
// can be gone; [stats.ErrMismatch] for mixes of different lengths; [stats.ErrDomain]
// for a share outside [0,1] or shares that do not add up to 1.
//
// Reference: Shapley, A value for n-person games, Contributions to the Theory of
// Games II (1953).
func SplitShift(m Mixes, o ShiftOptions) (Shift, error) {
	const fn = "SplitShift"
	if m[0][0][0] == nil || m[1][1][1] == nil {
		return Shift{}, fmt.Errorf("decision: %s: the mix of the old or of the new pair is missing: %w", fn, stats.ErrEmpty)
	}
	if o.SamePopulation {
		for i := range 2 {
			for j := range 2 {
				for k := range 2 {
					if m[i][j][k] == nil {
						m[i][j][k] = m[i][j][1-k]
					}
				}
			}
		}
	}
	if err := m.check(fn); err != nil {
		return Shift{}, err
	}
	k := len(m[0][0][0])
	s := Shift{Total: make([]float64, k), Method: "differences of mixes, mean over the orders of the causes"}
	for a := range s.Total {
		s.Total[a] = m[1][1][1][a] - m[0][0][0][a]
		s.Variation += math.Abs(s.Total[a]) / 2
	}
	parts := [3]*Part{&s.Model, &s.Policy, &s.Population}
	for _, p := range parts {
		*p = Part{make([]float64, k), make([]float64, k), make([]float64, k)}
	}
	var used [8]bool
	for _, order := range orders {
		if !m.known(order) {
			continue
		}
		s.Orders++
		at := 0
		for _, cause := range order {
			next := at | 1<<cause
			used[at], used[next] = true, true
			parts[cause].add(m.at(at), m.at(next), s.Orders == 1)
			at = next
		}
	}
	if s.Orders == 0 {
		return Shift{}, fmt.Errorf("decision: %s: no order of the causes has all its mixes; scores of the old model on the new population, or of the new one on the old population, are needed: %w", fn, stats.ErrEmpty)
	}
	for _, p := range parts {
		for a := range p.Mean {
			p.Mean[a] /= float64(s.Orders)
		}
	}
	if s.Orders == len(orders) {
		s.Method = "differences of mixes, Shapley value over the orders of the causes"
	}
	if !o.SamePopulation {
		s.Shadow = shadowed(used)
	}
	return s, nil
}

// at is the mix of a corner by its bits.
func (m *Mixes) at(bits int) []float64 { return m[bits&1][bits>>1&1][bits>>2&1] }

func (m *Mixes) known(order [3]int) bool {
	at := 0
	for _, cause := range order {
		at |= 1 << cause
		if m.at(at) == nil {
			return false
		}
	}
	return true
}

func (m *Mixes) check(fn string) error {
	k := len(m[0][0][0])
	for bits := range 8 {
		mix := m.at(bits)
		if mix == nil {
			continue
		}
		if len(mix) != k || k == 0 {
			return fmt.Errorf("decision: %s: mixes of %d and %d actions: %w", fn, k, len(mix), stats.ErrMismatch)
		}
		sum := 0.0
		for _, x := range mix {
			if !(x >= 0 && x <= 1) {
				return fmt.Errorf("decision: %s: share %v: %w", fn, x, stats.ErrDomain)
			}
			sum += x
		}
		if math.Abs(sum-1) > 1e-9 {
			return fmt.Errorf("decision: %s: shares add up to %v: %w", fn, sum, stats.ErrDomain)
		}
	}
	return nil
}

// add counts one order.
func (p *Part) add(from, to []float64, first bool) {
	for a := range to {
		d := to[a] - from[a]
		p.Mean[a] += d
		if first {
			p.Lo[a], p.Hi[a] = d, d
		}
		p.Lo[a], p.Hi[a] = min(p.Lo[a], d), max(p.Hi[a], d)
	}
}

// shadowed names the mixes whose model did not serve their population.
func shadowed(used [8]bool) []string {
	age := [2]string{"old", "new"}
	var out []string
	for bits, ok := range used {
		model, policy, population := bits&1, bits>>1&1, bits>>2
		if ok && model != population {
			out = append(out, fmt.Sprintf("%s model, %s policy, %s population", age[model], age[policy], age[population]))
		}
	}
	return out
}
