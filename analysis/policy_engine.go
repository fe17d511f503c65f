package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// deadlineKeys are the keys of [Deadlines] in a policy and in a check.
var deadlineKeys = [...]string{"on_no_data", "on_provider_error", "on_deadline"}

// readDeadlines reads the deadlines of a policy or of a check.
func readDeadlines(p *Params) Deadlines {
	var d Deadlines
	for i, dst := range []*Deadline{&d.NoData, &d.ProviderError, &d.Undecided} {
		key := deadlineKeys[i]
		sub, ok := p.Map(key)
		if !ok {
			continue
		}
		dst.After, dst.Looks = sub.Duration("after", 0), sub.Uint("looks", 0)
		word := sub.Enum("then", DeadlinePause.String(), DeadlinePause.String(), DeadlineRollback.String(), DeadlineContinue.String())
		_ = dst.Then.UnmarshalText([]byte(word)) // it is one of the words
		if dst.After == 0 && dst.Looks == 0 && !sub.Has("after") && !sub.Has("looks") {
			sub.Errorf("", "say how long to wait: {after: 1h, then: pause}, or a number of looks")
		}
	}
	return d
}

// all lists the deadlines with their keys.
func (d *Deadlines) all() map[string]Deadline {
	return map[string]Deadline{deadlineKeys[0]: d.NoData, deadlineKeys[1]: d.ProviderError, deadlineKeys[2]: d.Undecided}
}

// engine reads what a policy says about the engine, which may rest on its checks.
func (r *policyReader) engine(top *Params) {
	p := r.policy
	p.Traffic = readTraffic(top)
	p.Deadlines = readDeadlines(top)
}

// refuseContinue reports deadlines that would let a rollout go on without the
// evidence of a required check.
func (r *policyReader) refuseContinue(top *Params) {
	const why = "a required check cannot be skipped by waiting; write pause or rollback, or make the check required: false"
	for i, e := range r.policy.Checks {
		if !e.Required {
			continue
		}
		own := e.Deadlines != (Deadlines{})
		from, at := &r.policy.Deadlines, top
		if own {
			from, at = &e.Deadlines, r.entries[i]
		}
		all := from.all()
		for _, key := range deadlineKeys {
			if all[key].Then == DeadlineContinue && all[key] != (Deadline{}) && at.Has(key) {
				at.Errorf(key, why)
			}
		}
	}
}

// readTraffic reads units a second: 1200/min, 20/s.
func readTraffic(top *Params) float64 {
	text := top.Str("traffic", "")
	if text == "" {
		return 0
	}
	v, err := ParseRate(text)
	if err != nil {
		top.Errorf("traffic", "%q is not a rate such as 1200/min, 20/s or 1e6/day", text)
		return 0
	}
	return v
}

// rateUnits are the units of time of a rate, in seconds.
var rateUnits = map[string]float64{"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}

// ParseRate reads a number of units per time, such as "1200/min", and returns
// units a second. The units of time are s, min, h and d, and their long names.
// Anything else, and a rate that is not above 0, is an error wrapping
// [stats.ErrDomain].
func ParseRate(s string) (float64, error) {
	num, unit, ok := strings.Cut(strings.TrimSpace(s), "/")
	per := rateUnits[strings.TrimSpace(unit)]
	v, err := parseDecimal(strings.TrimSpace(num), 0)
	if !ok || per == 0 || err != nil || !(v > 0) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("analysis: ParseRate: %q is not a rate such as 1200/min: %w", s, stats.ErrDomain)
	}
	return v / per, nil
}

// reach holds the minimum samples of the policy against the traffic that it
// expects: a stage that cannot collect them before its deadline is a fault, one
// that needs longer than it is planned for is a warning, each with the sum.
func (r *policyReader) reach(top *Params) {
	p := r.policy
	if p.Traffic <= 0 {
		return
	}
	for _, s := range p.Stages {
		split := p.SplitOf(s.Name)
		share := min(split.Baseline, split.Candidate)
		need := p.ExposureOf(s.Name).MinUnits
		if need == 0 {
			continue
		}
		if share <= 0 {
			share = max(split.Baseline, split.Candidate) // the arm that gets it all
		}
		rate := p.Traffic * share
		sum := fmt.Sprintf("the smaller arm gets %.3g%% of %.6g units a minute, which is %.6g a minute; %s units take %s",
			share*100, p.Traffic*60, rate*60, thousands(need), period(time.Duration(min(float64(need)/rate, 1e9)*float64(time.Second))))
		takes := time.Duration(min(float64(need)/rate, 9e9) * float64(time.Second))
		limit := p.Deadlines.Undecided.After
		switch {
		case limit > 0 && takes > max(limit, s.Duration):
			top.Errorf("stages", "%s can never reach its minimum sample: %s, and the deadline is %s", s.Name, sum, period(limit))
		case s.Duration > 0 && takes > s.Duration:
			top.warnf("stages", "%s will last longer than its %s: %s", s.Name, period(s.Duration), sum)
		}
	}
}

// Baseline returns what the check entry compares the candidate with; Concurrent when
// the policy does not say.
func (p *Params) Baseline() BaselineKind {
	words := []string{Concurrent.String(), PreviousWindow.String(), FixedReference.String(), Absolute.String()}
	return BaselineKind(max(0, slices.Index(words, p.Enum("baseline", words[0], words...))))
}

// weightOf reads the share of the error budget of a check against the others.
func weightOf(p *Params) float64 {
	w := p.Float("weight", 1)
	if !(w > 0) || w > 1e6 {
		p.Errorf("weight", "%v is not a weight above 0; 2 gives a check twice the error budget of one with 1", w)
		return 1
	}
	return w
}
