package leadtime

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// FeatureUse is one look at a feature: when it was read, and from when its value
// was.
type FeatureUse struct {
	Feature string
	At      time.Time
	Updated time.Time // event time of the last update, not of its arrival; zero when there is none
}

// FreshnessOptions configures [Freshness].
type FreshnessOptions struct {
	SLA        time.Duration            // of every feature not in FeatureSLA; 0 means none
	FeatureSLA map[string]time.Duration // 0 means none for the feature
	// SkewTolerance is how far an update may lie after its use and still be of
	// age 0; the zero value means 5 minutes, a negative one none.
	SkewTolerance time.Duration
	Level         float64 // of the intervals; 0 means 0.95
	Rate          RateMethod
	Target        float64 // share that is promised, in (0,1]; 0 means none
}

// FeatureFreshness is how old a feature was when it was used. Ages are in hours.
type FeatureFreshness struct {
	Feature string   `json:"feature"`
	N       uint64   `json:"n"`       // uses with a usable age
	Missing uint64   `json:"missing"` // uses without any update: they miss the SLA
	Bad     uint64   `json:"bad"`     // updates from after their use, beyond the tolerance; not counted
	P50     Quantile `json:"p50"`     // of the ages
	P90     Quantile `json:"p90"`
	Oldest  float64  `json:"oldest_h"`
	SLA     float64  `json:"sla_h"` // 0 when there is none
	// Within is the share of uses at an age up to the SLA, those without update
	// among the uses; nil without an SLA.
	Within *Rate `json:"within,omitempty"`
}

// Freshness reports the age of features when they were used, per feature: at the
// read, minus the event time of the last update.
//
// Assumptions: the looks are a fair sample of the uses. Successive looks at one
// feature share updates, so the intervals are too short when looks are much more
// frequent than updates.
//
// Special cases are: an age equal to the SLA meets it; a feature that was never
// updated has NaN quantiles and misses every time.
//
// Errors: [stats.ErrDomain] for impossible options. Cost: sorting.
func Freshness(uses []FeatureUse, o FreshnessOptions) ([]FeatureFreshness, error) {
	const name = "Freshness"
	if err := stats.CheckLevel(orLevel(o.Level)); err != nil {
		return nil, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	tolerance := o.SkewTolerance
	if tolerance == 0 {
		tolerance = 5 * time.Minute
	}
	ages := map[string][]time.Duration{}
	all := map[string]*FeatureFreshness{}
	for _, u := range uses {
		f := all[u.Feature]
		if f == nil {
			f = &FeatureFreshness{Feature: u.Feature}
			all[u.Feature] = f
		}
		switch age := u.At.Sub(u.Updated); {
		case u.Updated.IsZero():
			f.Missing++
		case u.At.IsZero() || age < 0 && -age > max(0, tolerance):
			f.Bad++
		default:
			ages[u.Feature] = append(ages[u.Feature], max(0, age))
		}
	}
	out := make([]FeatureFreshness, 0, len(all))
	for _, f := range all {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b FeatureFreshness) int { return strings.Compare(a.Feature, b.Feature) })
	for i := range out {
		if err := out[i].finish(ages[out[i].Feature], o); err != nil {
			return nil, fmt.Errorf("leadtime: %s: feature %q: %w", name, out[i].Feature, err)
		}
	}
	return out, nil
}

func (f *FeatureFreshness) finish(ages []time.Duration, o FreshnessOptions) error {
	sla, ok := o.FeatureSLA[f.Feature]
	if !ok {
		sla = o.SLA
	}
	if sla < 0 {
		return fmt.Errorf("SLA %v: %w", sla, stats.ErrDomain)
	}
	slices.Sort(ages)
	f.N, f.SLA = uint64(len(ages)), sla.Hours()
	hours := make([]float64, len(ages))
	var met uint64
	for i, a := range ages {
		hours[i] = a.Hours()
		f.Oldest = hours[i]
		if a <= sla {
			met++
		}
	}
	e, err := plainEstimates(hours, estimateOptions{level: orLevel(o.Level)})
	if err != nil {
		return err
	}
	f.P50, f.P90 = e.P50, e.P90
	if sla == 0 {
		return nil
	}
	r, err := ComplianceRate(met, f.N+f.Missing, RateOptions{Level: o.Level, Method: o.Rate, Target: o.Target})
	f.Within = &r
	return err
}
