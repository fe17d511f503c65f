package decision

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

const defaultLevel = 0.95

// Difference compares the rate of an action under two pairs of model and policy.
type Difference struct {
	Estimate stats.Interval // new rate less old rate
	SE       float64        // standard error if the rates were the same
	Old, New uint64         // rows of each; the same rows when paired
	Method   string
}

// RateDifference compares the rates of an action in different rows: x1 of n1 rows
// under the old policy, x2 of n2 under the new one.
//
// The interval is Newcombe's; SE = sqrt(p (1-p) (1/n1 + 1/n2)) with the pooled rate p.
//
// Assumptions: rows are independent.
// Errors: [stats.ErrEmpty] without rows; [stats.ErrDomain] for x > n or a level
// outside (0,1); level 0 means 0.95.
func RateDifference(x1, n1, x2, n2 uint64, level float64) (Difference, error) {
	if level == 0 {
		level = defaultLevel
	}
	c, err := stats.Newcombe(x2, n2, x1, n1, level)
	if err != nil {
		return Difference{}, fmt.Errorf("decision: RateDifference: %w", err)
	}
	a, b := float64(n1), float64(n2)
	p := (float64(x1) + float64(x2)) / (a + b)
	return Difference{Estimate: c.Estimate, SE: math.Sqrt(float64(p*(1-p)) * (1/a + 1/b)), Old: n1, New: n2, Method: "unpaired, " + c.Method}, nil
}

// PairedRateDifference compares the rates of an action when both pairs of model and
// policy have scored the same n rows: onlyOld got the action under the old one alone,
// onlyNew under the new one alone.
//
// The interval is Tango's; with shares p01 and p10 of the two,
// SE = sqrt(p01 + p10 - (p01-p10)^2) / sqrt(n). It is smaller than for different rows
// by as much as the policies agree.
//
// Assumptions: rows are independent of each other.
// Errors: [stats.ErrEmpty] without rows; [stats.ErrDomain] for more discordant rows
// than rows or a level outside (0,1); level 0 means 0.95.
func PairedRateDifference(onlyOld, onlyNew, n uint64, level float64) (Difference, error) {
	if level == 0 {
		level = defaultLevel
	}
	c, err := stats.Tango(onlyNew, onlyOld, n, level)
	if err != nil {
		return Difference{}, fmt.Errorf("decision: PairedRateDifference: %w", err)
	}
	m := float64(n)
	d := (float64(onlyNew) - float64(onlyOld)) / m
	v := max(0, (float64(onlyNew)+float64(onlyOld))/m-float64(d*d))
	return Difference{Estimate: c.Estimate, SE: math.Sqrt(v / m), Old: n, New: n, Method: "paired, " + c.Method}, nil
}
