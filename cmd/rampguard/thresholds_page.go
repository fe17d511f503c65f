package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/decision"
	"github.com/rampguard/rampguard/stats/summary"
)

// thresholdsReport is what "rampguard thresholds" prints.
type thresholdsReport struct {
	Policy     string          `json:"policy"`
	Version    string          `json:"version,omitempty"` // of the thresholds that would change
	Keep       string          `json:"keep"`
	Baseline   armSize         `json:"baseline"`
	Candidate  armSize         `json:"candidate"`
	Thresholds []threshold     `json:"thresholds"`
	Actions    []actionOutcome `json:"actions"`
	HasOwn     bool            `json:"candidate_has_own_thresholds"`
	Output     string          `json:"output,omitempty"`
	NewVersion string          `json:"new_version,omitempty"`
	Warnings   []string        `json:"warnings,omitempty"`
}

// armSize is how much an arm brings.
type armSize struct {
	Rows       uint64 `json:"rows"` // with a score
	Labelled   uint64 `json:"labelled"`
	Unlabelled uint64 `json:"unlabelled"`
}

// located is a share with the bounds that the cells of a histogram leave.
type located struct {
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

// threshold is one threshold of the policy and its counterpart for the candidate.
type threshold struct {
	Action     string          `json:"action"`
	AtLeast    float64         `json:"at_least"`
	Own        float64         `json:"candidate_at_least"` // what the policy has for the candidate
	Baseline   float64         `json:"baseline_rate"`      // share of the rows at or above AtLeast
	Candidate  float64         `json:"candidate_rate"`     // the same of the candidate
	New        float64         `json:"new_at_least"`
	Rate       located         `json:"new_rate"`
	Below      float64         `json:"attainable_below"`
	Above      float64         `json:"attainable_above"`
	Tied       bool            `json:"tied"`
	SE         float64         `json:"standard_error"`
	Difference stats.Interval  `json:"rate_difference"`
	BadRate    *stats.Interval `json:"bad_rate_below,omitempty"`
	NewBadRate *stats.Interval `json:"new_bad_rate_below,omitempty"`
}

// actionOutcome is what became of the rows with an action.
type actionOutcome struct {
	Action    string  `json:"action"`
	Baseline  outcome `json:"baseline"`
	Candidate outcome `json:"candidate_same_thresholds"`
	Own       outcome `json:"candidate_own_thresholds"`
	New       outcome `json:"candidate_new_thresholds"`
}

// outcome is the share of an action, and what is known of its rows.
type outcome struct {
	Share      float64         `json:"share"`
	Positive   uint64          `json:"positive"`
	Labelled   uint64          `json:"labelled"`
	Unlabelled uint64          `json:"unlabelled"`
	Rate       *stats.Interval `json:"positive_rate,omitempty"` // of the labelled rows; absent without any
}

func (r *thresholdsReport) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

func sizeOf(s *summary.Scores) armSize {
	n := armSize{Unlabelled: s.By(summary.Unlabelled).N()}
	n.Labelled = s.By(summary.Positive).N() + s.By(summary.Negative).N()
	n.Rows = n.Labelled + n.Unlabelled
	return n
}

func locatedOf(l summary.Located) located { return located(l) }

// outcomeOf says what became of the rows that get action i under thresholds. Those of
// the policy were counted exactly; at others, inside a cell of the scores, counts are
// rounded.
func outcomeOf(s *summary.Scores, thresholds []float64, i int) outcome {
	var by [3]uint64
	all := uint64(0)
	for l := range by {
		upTo, before := taken(s, summary.Label(l), thresholds, i), taken(s, summary.Label(l), thresholds, i-1)
		by[l] = upTo - min(upTo, before)
		all += taken(s, summary.Label(l), thresholds, len(thresholds))
	}
	o := outcome{Positive: by[summary.Positive], Unlabelled: by[summary.Unlabelled], Labelled: by[summary.Positive] + by[summary.Negative]}
	o.Share = ratioOf(o.Labelled+o.Unlabelled, all)
	if v, err := stats.Wilson(o.Positive, o.Labelled, 0.95); err == nil {
		o.Rate = &v
	}
	return o
}

// taken counts the scores with a label that are at or above threshold i, none before
// the first and all behind the last.
func taken(s *summary.Scores, label summary.Label, thresholds []float64, i int) uint64 {
	if i < 0 {
		return 0
	}
	above, of, counted := s.AtLeast(thresholds[min(i, len(thresholds)-1)], label)
	h := s.By(label)
	switch {
	case counted && i < len(thresholds):
		return above
	case counted:
		return of
	case i >= len(thresholds):
		return h.N()
	}
	l, err := decision.AtLeast(h, thresholds[i])
	if err != nil { // no scores
		return 0
	}
	return uint64(math.Round(float64(l.Value * float64(h.N()))))
}

func shortest(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// page says it for people.
func (r *thresholdsReport) page() *page {
	p := &page{}
	p.heading("Thresholds of %s", r.Policy)
	p.say("%s rows of the baseline and %s of the candidate have a score; %s and %s of them have a label.", group(r.Baseline.Rows), group(r.Candidate.Rows), group(r.Baseline.Labelled), group(r.Candidate.Labelled))
	for _, t := range r.Thresholds {
		p.say("%s", r.sentence(t))
	}
	p.heading("The thresholds")
	rows := [][]string{{"action", "at least", "baseline", "candidate", "new", "then", "attainable", "SE", "difference, 95%"}}
	for _, t := range r.Thresholds {
		rows = append(rows, []string{t.Action, shortest(t.AtLeast), percentage(t.Baseline), percentage(t.Candidate), shortest(t.New), doubtful(t.Rate),
			fmt.Sprintf("%s or %s", percentage(t.Below), percentage(t.Above)), points(t.SE), fmt.Sprintf("%s to %s", points(t.Difference.Lo), points(t.Difference.Hi))})
	}
	p.table(rows)
	p.say("Shares are of the rows at or above the threshold. SE is the chance difference of two rates of these sizes, in percentage points.")
	p.heading("The share of each action")
	p.chart(r.chart())
	p.heading("What became of the rows")
	rows = [][]string{{"action", "thresholds", "share", "positive", "of labelled", "rate", "no label"}}
	for _, a := range r.Actions {
		for _, of := range r.variants(a) {
			o := of.outcome
			rate := "-"
			if o.Rate != nil {
				rate = fmt.Sprintf("%s [%s, %s]", percentage(o.Rate.Point), percentage(o.Rate.Lo), percentage(o.Rate.Hi))
			}
			rows = append(rows, []string{a.Action, of.name, percentage(o.Share), group(o.Positive), group(o.Labelled), rate, group(o.Unlabelled)})
		}
	}
	p.table(rows)
	p.say("Rows without a label are counted and taken for neither good nor bad.")
	for _, w := range r.Warnings {
		p.say("Warning: %s.", w)
	}
	if r.Output != "" {
		p.say("Written: %s, with version %s of the thresholds. They are for the candidate; the baseline goes on with its own until it is replaced.", r.Output, r.NewVersion)
	}
	return p
}

// sentence says what one threshold does.
func (r *thresholdsReport) sentence(t threshold) string {
	s := fmt.Sprintf("%s: at %s the baseline has %s of its rows and the candidate %s, %s.", t.Action, shortest(t.AtLeast), percentage(t.Baseline), percentage(t.Candidate), times(t))
	if t.BadRate != nil {
		return s + fmt.Sprintf(" Below it %s of the baseline's labelled rows are positive; the candidate keeps that up to %s (%s), and then has %s.", percentage(t.BadRate.Point), shortest(t.New), percentage(t.NewBadRate.Point), percentage(t.Rate.Value))
	}
	return s + fmt.Sprintf(" At %s the candidate has %s.", shortest(t.New), percentage(t.Rate.Value))
}

// times says how many more or fewer rows the candidate acts on.
func times(t threshold) string {
	switch d := t.Candidate/t.Baseline - 1; {
	case math.IsNaN(d) || math.IsInf(d, 0):
		return "where the baseline has none"
	case d >= 1:
		return fmt.Sprintf("%.3g times as many", d+1)
	case d > 0:
		return percentage(d) + " more"
	case d < 0:
		return percentage(-d) + " fewer"
	}
	return "as many"
}

// doubtful writes a share and, where the cells leave a doubt that shows, its bounds.
func doubtful(l located) string {
	if percentage(l.Lo) == percentage(l.Hi) {
		return percentage(l.Value)
	}
	return fmt.Sprintf("%s (%s to %s)", percentage(l.Value), percentage(l.Lo), percentage(l.Hi))
}

// points writes a difference of shares in percentage points.
func points(x float64) string { return strings.TrimSuffix(percentage(x), "%") + " pp" }

type variant struct {
	name string
	outcome
}

// variants lists the candidates that are compared.
func (r *thresholdsReport) variants(a actionOutcome) []variant {
	out := []variant{{"baseline", a.Baseline}, {"candidate, same", a.Candidate}}
	if r.HasOwn {
		out = append(out, variant{"candidate, its own", a.Own})
	}
	return append(out, variant{"candidate, new", a.New})
}

// chart draws the shares.
func (r *thresholdsReport) chart() string {
	widest, name := 0, 0
	for _, a := range r.Actions {
		name = max(name, len([]rune(a.Action)))
		for _, v := range r.variants(a) {
			widest = max(widest, len(v.name))
		}
	}
	var lines []string
	for _, a := range r.Actions {
		label := a.Action
		for _, v := range r.variants(a) {
			lines = append(lines, fmt.Sprintf("%-*s  %-*s  %6s  %s", name, label, widest, v.name, percentage(v.Share), bar(v.Share, 40)))
			label = ""
		}
	}
	return strings.Join(lines, "\n")
}
