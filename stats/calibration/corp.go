package calibration

import (
	"math"

	"github.com/rampguard/rampguard/stats"
)

// CORPResult takes a mean score apart without bins: Score = MCB - DSC + UNC.
type CORPResult struct {
	N        uint64
	Rule     Rule
	Score    float64 // mean loss of the scores, those of a cell counting as their mean
	MCB      float64 // miscalibration, >= 0: what recalibration would save
	DSC      float64 // discrimination, >= 0: what recalibrated scores save over a constant
	UNC      float64 // uncertainty: mean loss of the overall rate
	Within   float64 // mean loss of the rows minus Score: what cells hide; 0 from rows
	Steps    []Bin   // the recalibration curve: Rate is the calibrated probability of scores in [Lo, Hi]
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate
}

// CORP decomposes the mean of a proper score with the optimal recalibration of the
// scores in the place of bins: the isotonic regression of label on score (pool
// adjacent violators, tied scores together). With S, S_c and S_r the mean losses of
// the scores, of the recalibrated scores, and of the overall rate:
//
//	MCB = S - S_c,  DSC = S_r - S_c,  UNC = S_r
//
// Nothing has to be chosen, and Steps is a reliability diagram. The recalibrated
// scores minimise every proper score at once, so MCB and DSC are not negative.
//
// Isotonic regression fits noise as well: MCB is above 0 for a calibrated model, by
// about n^(-2/3). [MCBTest] says by how much, [CompareMCB] compares two models.
// A histogram is recalibrated cell by cell. The logarithmic rule takes
// probabilities below 2^-52 as 2^-52.
//
// Special cases: when all labels are the same, DSC and UNC are 0.
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for an unknown rule.
// Cost: linear in the number of cells.
//
// Reference: Dimitriadis, Gneiting & Jordan (2021), Stable reliability diagrams for
// probabilistic classifiers, PNAS 118, e2016191118.
func CORP(d Data, rule Rule) (CORPResult, error) {
	const fn = "CORP"
	if err := d.check(fn); err != nil {
		return CORPResult{}, err
	}
	if err := rule.check(fn); err != nil {
		return CORPResult{}, err
	}
	n, k := d.counts()
	f := newRecalibrator(d.scores(), rule)
	score, recalibrated := f.fit(d.tally())
	r := CORPResult{
		N: uint64(n), Rule: rule,
		Score: score, MCB: max(0, score-recalibrated), UNC: rule.entropy(k, n) / n,
		Steps:  make([]Bin, 0, len(f.blocks)),
		Method: "CORP decomposition", Warnings: d.warnings(),
	}
	r.DSC = max(0, r.UNC-recalibrated)
	if d.binned() {
		rows, _, _ := d.lossMoments(rule)
		r.Within = rows - score
	}
	from := 0
	for _, b := range f.blocks {
		cells := d.cells[from : from+b.cells]
		from += b.cells
		var p adder
		for _, c := range cells {
			p.add(c.n() * c.score())
		}
		r.Steps = append(r.Steps, Bin{
			Lo: cells[0].lo, Hi: cells[len(cells)-1].hi, N: uint64(b.weight), Positives: uint64(b.sum),
			Score: p.value() / b.weight, Rate: b.rate(),
		})
	}
	return r, nil
}

// scores returns the mean score of each cell.
func (d Data) scores() []float64 {
	ps := make([]float64, len(d.cells))
	for i, c := range d.cells {
		ps[i] = c.score()
	}
	return ps
}

// tally returns the numbers of rows and of positive labels of each cell.
func (d Data) tally() (n, k []float64) {
	n, k = make([]float64, len(d.cells)), make([]float64, len(d.cells))
	for i, c := range d.cells {
		n[i], k[i] = c.n(), c.pos.n
	}
	return n, k
}

// recalibrator fits the isotonic regression to cells with given scores, for any
// numbers of rows in them.
type recalibrator struct {
	violators
	rule     Rule
	pos, neg []float64 // loss of the score of each cell, by label
}

func newRecalibrator(scores []float64, rule Rule) *recalibrator {
	f := &recalibrator{rule: rule, pos: make([]float64, len(scores)), neg: make([]float64, len(scores))}
	for i, p := range scores {
		f.pos[i], f.neg[i] = rule.loss(p, 1-p), rule.loss(1-p, p)
	}
	return f
}

// fit returns the mean losses of the scores, and of the recalibrated scores, for
// n[i] rows in cell i, k[i] of them positive. Cells without rows are left out; some
// cell must have rows.
func (f *recalibrator) fit(n, k []float64) (score, recalibrated float64) {
	f.blocks = f.blocks[:0]
	var before, after adder
	total := 0.0
	for i := range n {
		if n[i] > 0 {
			total += n[i]
			before.add(k[i] * f.pos[i])
			before.add((n[i] - k[i]) * f.neg[i])
			f.add(k[i], n[i])
		}
	}
	for _, b := range f.blocks {
		after.add(f.rule.entropy(b.sum, b.weight))
	}
	return before.value() / total, after.value() / total
}

// mcb is the part of the mean loss that recalibration saves.
func (f *recalibrator) mcb(n, k []float64) float64 {
	score, recalibrated := f.fit(n, k)
	return max(0, score-recalibrated)
}

// entropy is the total loss of the probability k/n over n rows, k of them positive.
func (r Rule) entropy(k, n float64) float64 {
	if k == 0 || k == n {
		return 0
	}
	if r == Quadratic {
		return k * ((n - k) / n)
	}
	return -float64(k*math.Log(k/n)) - float64((n-k)*math.Log1p(-k/n))
}
