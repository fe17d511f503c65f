package rampguard_test

import (
	"fmt"
	"math"
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

// hostileCase spoils sound logs, from which every policy would continue.
type hostileCase struct {
	name      string
	spoil     func(base, cand *hostileLog)
	only      string // the one task that it is for
	merged    bool   // whether parts of the logs are merged, too
	continues string // the tasks whose policy still continues, rightly
	want      string // findings of all tasks that must be there, parted by commas: check/code outcome
	binary    string // those of the binary task, beside
}

// candidate spoils the candidate alone, both spoils both arms alike.
func candidate(f func(l *hostileLog)) func(base, cand *hostileLog) {
	return func(_, cand *hostileLog) { f(cand) }
}

func both(f func(l *hostileLog)) func(base, cand *hostileLog) {
	return func(base, cand *hostileLog) { f(base); f(cand) }
}

// scored replaces the columns of the scores.
func scored(at func(i int) float64) func(l *hostileLog) {
	return func(l *hostileLog) {
		for _, name := range l.scores() {
			l.set(name, floats(l.rows, at))
		}
	}
}

// without takes the values of columns away.
func without(names ...string) func(l *hostileLog) {
	return func(l *hostileLog) {
		for _, name := range names {
			if c, ok := l.cols[name]; ok {
				l.cols[name] = missing(c, l.rows)
			}
		}
	}
}

// as gives columns another type.
func as(c func(l *hostileLog) analysis.Column, names ...string) func(l *hostileLog) {
	return func(l *hostileLog) {
		for _, name := range names {
			l.set(name, c(l))
		}
	}
}

func asTexts(l *hostileLog) analysis.Column {
	return texts(l.rows, func(i int) string { return fmt.Sprint("t", i%7) })
}
func asInts(l *hostileLog) analysis.Column {
	return ints(l.rows, analysis.Int, func(i int) int64 { return int64(i % 7) })
}
func asTimes(l *hostileLog) analysis.Column {
	return ints(l.rows, analysis.Time, func(i int) int64 { return int64(i) })
}
func asFlags(l *hostileLog) analysis.Column {
	return flags(l.rows, func(i int) bool { return i%2 == 0 })
}
func absent(*hostileLog) analysis.Column { return analysis.Column{} }

// first leaves the first n rows.
func first(n int) func(l *hostileLog) {
	return func(l *hostileLog) { l.rows = n }
}

// oneClass gives all rows one label, of the type that the log has.
func oneClass(l *hostileLog) {
	switch l.cols["label"].Type {
	case analysis.Bool:
		l.cols["label"] = flags(l.rows, func(int) bool { return true })
	case analysis.String:
		l.cols["label"] = texts(l.rows, func(int) string { return "a" })
	default:
		l.cols["label"] = floats(l.rows, func(int) float64 { return 3 })
	}
}

func idsOf(at func(i int) int64) func(l *hostileLog) {
	return func(l *hostileLog) { l.cols["id"] = ints(l.rows, analysis.Int, at) }
}

func timesOf(at func(i int) int64, names ...string) func(l *hostileLog) {
	return func(l *hostileLog) {
		for _, name := range names {
			l.cols[name] = ints(l.rows, analysis.Time, at)
		}
	}
}

func versions(at func(i int) string) func(l *hostileLog) {
	return func(l *hostileLog) { l.set("thresholds", texts(l.rows, at)) }
}

var everyColumn = strings.Join(hostileNames(), " ")

func hostileCases() []hostileCase {
	return []hostileCase{
		{name: "nothing is wrong", merged: true, spoil: both(func(*hostileLog) {}), continues: "binary regression multiclass"},
		{name: "64 columns of ever new names", want: "slices/slices_small insufficient", merged: true, spoil: both(func(l *hostileLog) {
			for k, name := range hostileNames() {
				l.cols[name] = texts(l.rows, func(i int) string { return fmt.Sprintf("%d-%d-%p", k, i, &l.rows) })
			}
		})},
		// The lonely row is too few to be judged, and all else is as it was.
		{name: "a slice with one unit", continues: "binary regression multiclass", spoil: both(func(l *hostileLog) {
			old := l.cols["c00"]
			l.cols["c00"] = texts(l.rows, func(i int) string {
				if i == 7 {
					return "lonely"
				}
				return old.Dict.Values[old.Codes[i]]
			})
		})},
		{name: "one class only, in the candidate", want: "guardrail/margin harm", binary: "guardrail/one_class insufficient, calibration/one_class insufficient, paired/auc_loss insufficient", spoil: candidate(oneClass)},
		{name: "one class only", binary: "guardrail/one_class insufficient, calibration/one_class insufficient, expected/one_class insufficient", spoil: both(oneClass)},
		{name: "no label in the candidate", want: "labels/label_arrival harm, guardrail/no_labels no_data", binary: "paired/no_labels no_data, calibration/no_labels no_data", spoil: candidate(without("label"))},
		{name: "most labels are lost in the candidate", merged: true, want: "labels/label_arrival harm", spoil: candidate(func(l *hostileLog) {
			c := missing(l.cols["label"], l.rows)
			for i := range c.Valid {
				c.Valid[i] = i%5 < 2
			}
			l.cols["label"] = c
		})},
		{name: "no label at all", want: "labels/no_labels no_data, guardrail/no_labels no_data", binary: "paired/no_labels no_data, expected/no_labels no_data, discover/no_labels no_data", spoil: both(without("label"))},
		{name: "labels that are not there yet", want: "labels/no_labels insufficient, guardrail/no_labels insufficient", binary: "paired/no_labels insufficient, calibration/no_labels insufficient", spoil: both(timesOf(func(i int) int64 { return hostileNow.UnixMicro() + int64(i) }, "ts"))},
		{name: "labels of another type", want: "schema/type_unusable invalid, labels/no_labels no_data", binary: "paired/no_pairs no_data", spoil: both(as(asTimes, "label"))},
		{name: "labels that cannot be", binary: "schema/invalid_labels invalid, guardrail/no_labels no_data", merged: true, spoil: both(func(l *hostileLog) {
			switch l.cols["label"].Type {
			case analysis.String:
				l.cols["label"] = texts(l.rows, func(i int) string { return fmt.Sprint("class-", i) })
			case analysis.Bool:
				l.cols["label"] = ints(l.rows, analysis.Int, func(int) int64 { return 7 })
			default:
				l.cols["label"] = floats(l.rows, func(i int) float64 { return []float64{math.NaN(), math.Inf(1), 1e300, -1e300}[i%4] })
			}
		})},
		{name: "all scores equal, in the candidate", want: "collapse/collapse_constant harm, drift/drift harm", binary: "guardrail/one_class insufficient, calibration/no_variation inconclusive", spoil: candidate(scored(func(int) float64 { return 0.5 }))},
		// The candidate of a regression is as bad as its baseline.
		{name: "all scores equal", continues: "regression", binary: "guardrail/no_variation inconclusive, calibration/no_variation inconclusive", spoil: both(scored(func(int) float64 { return 0.5 }))},
		{name: "all scores 0", want: "collapse/collapse_constant harm", spoil: candidate(scored(func(int) float64 { return 0 }))},
		{name: "all scores NaN", want: "collapse/collapse_missing harm, guardrail/no_values no_data", binary: "schema/all_null invalid, paired/unusable_scores invalid", spoil: candidate(scored(func(int) float64 { return math.NaN() }))},
		{name: "all scores NaN, in both", want: "collapse/collapse_spread insufficient, guardrail/no_values no_data", binary: "paired/unusable_scores invalid", spoil: both(scored(func(int) float64 { return math.NaN() }))},
		{name: "all scores null", want: "collapse/collapse_missing harm, guardrail/no_values no_data", binary: "schema/all_null invalid, paired/unusable_scores invalid", spoil: candidate(without("score", "pa", "pb", "pc"))},
		{name: "scores beyond all bounds", want: "collapse/collapse_infinite harm", binary: "schema/score_not_finite invalid, schema/score_out_of_range invalid, paired/unusable_scores invalid", spoil: candidate(scored(func(i int) float64 { return []float64{math.Inf(1), math.Inf(-1), 1e308, -1e308}[i%4] }))},
		{name: "scores that are texts", want: "collapse/type_differs invalid, drift/type_differs invalid", binary: "schema/type_unusable invalid, guardrail/type_unusable invalid, paired/no_pairs no_data", spoil: candidate(as(asTexts, "score", "pa", "pb", "pc"))},
		{name: "scores that are texts, in both", want: "collapse/type_unusable invalid", binary: "schema/type_unusable invalid, calibration/type_unusable invalid", spoil: both(as(asTexts, "score", "pa", "pb", "pc"))},
		{name: "one unit", want: "srm/srm invalid, guardrail/margin insufficient", spoil: candidate(idsOf(func(int) int64 { return 1 << 40 }))},
		{name: "one unit in both", want: "srm/multiple_exposure invalid, srm/srm insufficient", spoil: both(idsOf(func(int) int64 { return 1 }))},
		{name: "each unit ten times", want: "srm/srm invalid", spoil: candidate(idsOf(func(i int) int64 { return 1<<40 + int64(i/10) }))},
		{name: "the same units in both", want: "srm/multiple_exposure invalid", spoil: both(idsOf(func(i int) int64 { return int64(i) }))},
		{name: "no unit", want: "discover/no_unit no_data, evidence/no_units invalid", spoil: both(without("id"))},
		{name: "units that are numbers with a point", spoil: both(func(l *hostileLog) { l.cols["id"] = asTexts(l) })},
		{name: "no baseline", want: "srm/srm invalid, guardrail/no_data no_data, drift/no_data no_data, discover/no_data no_data", spoil: func(base, _ *hostileLog) { base.rows = 0 }},
		{name: "no candidate", want: "srm/srm invalid, guardrail/no_data no_data, slices/no_data no_data, contract/no_data no_data", binary: "paired/no_pairs no_data", spoil: candidate(first(0))},
		{name: "no rows", want: "srm/no_data no_data, schema/no_data no_data, labels/no_data no_data", binary: "actions/no_data no_data", spoil: both(first(0))},
		{name: "one row of the candidate", want: "srm/srm invalid, drift/drift insufficient, discover/slices_small insufficient", spoil: candidate(first(1))},
		{name: "one row each", want: "srm/srm insufficient, guardrail/margin insufficient, schema/schema inconclusive", spoil: both(first(1))},
		{name: "two rows each", want: "srm/srm insufficient, guardrail/margin insufficient", spoil: both(first(2))},
		{name: "the log twice", want: "evidence/same_evidence invalid, srm/multiple_exposure invalid", binary: "actions/wrong_policy_version invalid", spoil: func(base, cand *hostileLog) { *cand = *base }},
		{name: "names that are numbers", want: "schema/type_differs invalid, slices/slice_missing no_data", binary: "contract/contract_type invalid", spoil: candidate(as(asInts, strings.Fields(everyColumn)...))},
		{name: "names that are times", binary: "contract/contract_type invalid, drift/type_unusable invalid", spoil: both(as(asTimes, strings.Fields(everyColumn)...))},
		{name: "numbers that are names", want: "schema/type_differs invalid, contract/contract_type invalid", binary: "guardrail/type_unusable invalid", spoil: candidate(as(asTexts, "amount", "feature_ts"))},
		{name: "derived from what cannot be, in both", want: "contract/contract_type invalid", binary: "guardrail/type_unusable invalid, drift/type_unusable invalid", spoil: both(as(asTexts, "amount", "feature_ts", "c01"))},
		{name: "derived from flags", want: "contract/contract_type invalid", binary: "guardrail/type_unusable invalid", spoil: both(as(asFlags, "amount", "feature_ts", "c00"))},
		{name: "no feature", want: "schema/column_absent invalid, contract/column_absent invalid", spoil: candidate(as(absent, strings.Fields(everyColumn+" amount feature_ts")...))},
		{name: "features that are null", want: "contract/no_values no_data, contract/stale_share harm", binary: "guardrail/no_values no_data", spoil: both(without(strings.Fields(everyColumn + " amount feature_ts")...))},
		{name: "amounts beyond all bounds", want: "contract/range_share harm", spoil: both(func(l *hostileLog) {
			l.cols["amount"] = floats(l.rows, func(i int) float64 { return []float64{math.NaN(), math.Inf(1), math.MaxFloat64, -math.MaxFloat64}[i%4] })
		})},
		// They are old enough, and nothing but the lag of features rests on them.
		{name: "times all equal", continues: "regression", // a lag of 0 is within no relative margin of 0
			spoil: both(timesOf(func(int) int64 { return hostileStart.UnixMicro() }, "ts", "feature_ts"))},
		{name: "times at the ends of the calendar", want: "contract/stale_share harm", merged: true, spoil: both(timesOf(func(i int) int64 { return []int64{math.MinInt64, math.MaxInt64}[i%2] }, "ts"))},
		{name: "no times", want: "labels/no_labels insufficient, contract/stale_share harm", binary: "paired/no_labels insufficient", spoil: both(without("ts"))},
		{name: "times that are texts", want: "schema/type_unusable invalid, labels/no_labels insufficient", binary: "paired/no_pairs no_data", spoil: both(as(asTexts, "ts"))},
		{name: "no version of the thresholds", want: "actions/no_policy_version invalid", only: "binary", spoil: both(without("thresholds"))},
		{name: "two versions of the thresholds", want: "actions/mixed_policy_versions invalid", only: "binary", spoil: candidate(versions(func(i int) string { return fmt.Sprint(i % 2) }))},
		{name: "a version for each row", want: "actions/mixed_policy_versions invalid", only: "binary", spoil: candidate(versions(func(i int) string { return fmt.Sprint(i) }))},
		{name: "an action for each row", want: "actions/type_unusable invalid", only: "binary", spoil: candidate(func(l *hostileLog) {
			l.cols["action"] = texts(l.rows, func(i int) string { return fmt.Sprint("action ", i) })
		})},
		{name: "no actions", want: "actions/no_actions no_data", only: "binary", spoil: both(without("action"))},
		{name: "nothing but the irreversible action", want: "actions/blast_radius harm, actions/action_share harm", only: "binary", spoil: candidate(func(l *hostileLog) {
			l.cols["action"] = texts(l.rows, func(int) string { return "block" })
		})},
	}
}
