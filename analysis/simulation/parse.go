package simulation

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// ParseHarm reads what the candidate does: "none"; "error*2", the column or metric
// error times 2; "log_loss+2%"; "collapse", every score the same.
func ParseHarm(text string) (Harm, error) {
	bad := fmt.Errorf("simulation: ParseHarm: %q is not a harm such as error*2, log_loss+2%%, collapse or none: %w", text, stats.ErrDomain)
	s := strings.TrimSpace(text)
	if s == "none" {
		return Harm{}, nil
	}
	if s == "collapse" {
		return Harm{Collapse: true}, nil
	}
	if more, ok := strings.CutPrefix(s, "log_loss+"); ok {
		q, err := analysis.ParseQuantity(more)
		if err != nil || q.Unit != analysis.Relative || !(q.Value > 0) {
			return Harm{}, bad
		}
		return Harm{LogLoss: q.Value}, nil
	}
	i := strings.LastIndex(s, "*")
	if i < 1 {
		return Harm{}, bad
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s[i+1:]), 64)
	if err != nil || !(f >= 0) || math.IsInf(f, 0) {
		return Harm{}, bad
	}
	return Harm{Column: strings.TrimSpace(s[:i]), Factor: f}, nil
}
