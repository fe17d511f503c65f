package planning

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// AddRate reads a base rate, such as "error=0.1%" or "tickets=0.002".
func (t *Traffic) AddRate(text string) error {
	name, value, ok := strings.Cut(text, "=")
	q, err := analysis.ParseQuantity(value)
	if !ok || name == "" || err != nil || q.Unit == analysis.Ratio || q.Unit == analysis.Points || !(q.Value >= 0) {
		return fmt.Errorf("planning: AddRate: %q is not a rate such as error=0.1%%: %w", text, stats.ErrDomain)
	}
	if t.BaseRates == nil {
		t.BaseRates = map[string]float64{}
	}
	t.BaseRates[name] = q.Value
	return nil
}

// AddMoments reads a mean and a standard deviation, such as "latency_ms=50,30".
func (t *Traffic) AddMoments(text string) error {
	name, values, ok := strings.Cut(text, "=")
	mean, sd, two := strings.Cut(values, ",")
	m, err1 := strconv.ParseFloat(strings.TrimSpace(mean), 64)
	s, err2 := strconv.ParseFloat(strings.TrimSpace(sd), 64)
	if !ok || name == "" || !two || err1 != nil || err2 != nil || !(s >= 0) || math.IsInf(s, 0) || math.IsNaN(m) || math.IsInf(m, 0) {
		return fmt.Errorf("planning: AddMoments: %q is not a mean and a standard deviation such as latency_ms=50,30: %w", text, stats.ErrDomain)
	}
	if t.Moments == nil {
		t.Moments = map[string]Moments{}
	}
	t.Moments[name] = Moments{m, s}
	return nil
}

// AddShares reads the shares of the values of a column, which need not sum to 1, such
// as "country=DE:40,FR:60".
func (t *Traffic) AddShares(text string) error {
	bad := func() error {
		return fmt.Errorf("planning: AddShares: %q are not shares such as country=DE:40,FR:60: %w", text, stats.ErrDomain)
	}
	name, list, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return bad()
	}
	shares, sum := map[string]float64{}, 0.0
	for part := range strings.SplitSeq(list, ",") {
		i := strings.LastIndex(part, ":")
		if i < 1 {
			return bad()
		}
		w, err := strconv.ParseFloat(strings.TrimSpace(part[i+1:]), 64)
		if err != nil || !(w >= 0) || math.IsInf(w, 0) {
			return bad()
		}
		shares[strings.TrimSpace(part[:i])] = w
		sum += w
	}
	if !(sum > 0) {
		return bad()
	}
	if t.Shares == nil {
		t.Shares = map[string]map[string]float64{}
	}
	t.Shares[name] = shares
	return nil
}
