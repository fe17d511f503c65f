package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// AUCResult is an estimate of the area under the ROC curve.
type AUCResult struct {
	Estimate  Interval  // AUC in [0,1]
	SE        float64   // DeLong standard error; +Inf when a class has one unit only
	Negatives uint64    // units of the negative class
	Positives uint64    // units of the positive class
	Resolved  float64   // largest change of the AUC that exact scores could make; 0 for exact scores
	Method    string    // "DeLong", "DeLong on cells"
	Warnings  []Warning // binned, clipped, degenerate, small_sample
}

// AUCComparison compares two AUCs, the first minus the second.
type AUCComparison struct {
	Estimate  Interval // of AUC(a) - AUC(b), in [-1,1]
	A, B      AUCResult
	SE        float64   // standard error of the difference
	Statistic float64   // difference over SE
	DF        float64   // degrees of freedom; +Inf for the normal law
	P         float64   // two-sided p-value of equal AUCs
	LogP      float64   // its log, finite also where P underflows
	Method    string    // "DeLong paired", "DeLong unpaired"
	Warnings  []Warning // clipped, degenerate, small_sample
}

// AUC estimates the area under the ROC curve of scores, with DeLong's variance.
//
// It is the probability that a positive unit has a higher score than a negative
// one, ties counted half. Each unit's placement is the share of the other class it
// beats; the variance is var(placements of positives)/m + var(placements of
// negatives)/n with divisors m-1 and n-1, and the interval is normal. Placements
// come from one sort and the tie groups, which gives the numbers of Sun and Xu's
// midrank formula in O(N log N).
//
// The score's direction is taken as given: an AUC below 1/2 stays below 1/2.
//
// Special cases: an end beyond 0 or 1 is clipped, with the warning clipped; a class
// of one unit has no variance, so SE is +Inf, the interval [0,1], with the warning
// small_sample; SE 0 (perfect separation, or constant scores) gives an interval
// without width, with the warning degenerate.
// Errors: [ErrMismatch] for different lengths; [ErrEmpty] for a class without
// units; [ErrDomain] for a NaN score or level outside (0,1).
//
// References: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845; Sun &
// Xu (2014), IEEE Signal Processing Letters 21, 1389-1393.
func AUC(scores []float64, positive []bool, level float64) (AUCResult, error) {
	const fn = "AUC"
	if err := checkScores(fn, positive, level, scores); err != nil {
		return AUCResult{}, err
	}
	r := AUCResult{Method: "DeLong"}
	r.Negatives, r.Positives = countClasses(positive)
	place, sum := placements(scores, positive, r)
	r.Estimate.Point = sum
	r.finish(level, classVariance(place, positive, r))
	return r, nil
}

// PairedAUC compares the AUCs of two scores given to the same units, with DeLong's
// covariance: the variance of the difference is that of the differences of each
// unit's two placements; see [AUC].
//
// Special cases: SE 0 with equal AUCs (such as identical scores) gives Statistic 0,
// P 1 and the warning degenerate; SE 0 with different AUCs gives an infinite
// Statistic, P 0 and the same warning. A class of one unit gives SE +Inf, Statistic
// 0, P 1, the interval [-1,1], and the warning small_sample. Ends are clipped to
// [-1,1].
// Errors: those of [AUC].
//
// Reference: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
func PairedAUC(a, b []float64, positive []bool, level float64) (AUCComparison, error) {
	const fn = "PairedAUC"
	if err := checkScores(fn, positive, level, a, b); err != nil {
		return AUCComparison{}, err
	}
	c := AUCComparison{A: AUCResult{Method: "DeLong"}, Method: "DeLong paired", DF: math.Inf(1)}
	c.A.Negatives, c.A.Positives = countClasses(positive)
	c.B = c.A
	placeA, aucA := placements(a, positive, c.A)
	placeB, aucB := placements(b, positive, c.B)
	c.A.Estimate.Point, c.B.Estimate.Point = aucA, aucB
	c.A.finish(level, classVariance(placeA, positive, c.A))
	c.B.finish(level, classVariance(placeB, positive, c.B))
	for i := range placeA {
		placeA[i] -= placeB[i]
	}
	c.SE = math.Sqrt(classVariance(placeA, positive, c.A))
	return c, c.finish(fn, level)
}

// CompareAUC compares the AUCs of two independent samples, by the difference over
// sqrt(SE1^2 + SE2^2) and Student's law with the Welch-Satterthwaite degrees of
// freedom (s1+s2)^2 / (s1^2/(N1-1) + s2^2/(N2-1)), s = SE^2 and N = units.
//
// Special cases are those of [PairedAUC].
// Errors: [ErrEmpty] for a result without units of both classes; [ErrDomain] for
// level outside (0,1).
func CompareAUC(a, b AUCResult, level float64) (AUCComparison, error) {
	const fn = "CompareAUC"
	for _, r := range []AUCResult{a, b} {
		if r.Negatives == 0 || r.Positives == 0 {
			return AUCComparison{}, fmt.Errorf("stats: %s: %d negatives and %d positives: %w", fn, r.Negatives, r.Positives, ErrEmpty)
		}
	}
	if err := CheckLevel(level); err != nil {
		return AUCComparison{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	c := AUCComparison{A: a, B: b, SE: math.Hypot(a.SE, b.SE), DF: math.Inf(1), Method: "DeLong unpaired"}
	if c.SE > 0 && !math.IsInf(c.SE, 1) {
		s1, s2 := a.SE/c.SE, b.SE/c.SE
		n1, n2 := float64(a.Negatives)+float64(a.Positives), float64(b.Negatives)+float64(b.Positives)
		c.DF = 1 / (float64(s1*s1*s1*s1)/(n1-1) + float64(s2*s2*s2*s2)/(n2-1))
	}
	return c, c.finish(fn, level)
}

// AUCBinned estimates the AUC from two histograms over the same cells, in ascending
// order of the score. Units in one cell count as tied; so the estimate and its
// variance are exactly those of [AUC] on scores rounded to their cells.
//
// Resolved is 1/2 sum over cells of p1c p0c, with p1c and p0c the shares of the
// positives and of the negatives in cell c: the AUC of the unrounded scores lies
// within Point -+ Resolved. The interval does not include it; a warning binned
// states it when it exceeds a tenth of the standard error.
//
// Special cases are those of [AUC].
// Errors: [ErrMismatch] for different lengths; [ErrEmpty] for a class without
// units; [ErrDomain] for level outside (0,1) or counts beyond the range of uint64.
// Cost: two passes over the cells.
func AUCBinned(neg, pos []uint64, level float64) (AUCResult, error) {
	const fn = "AUCBinned"
	if len(neg) != len(pos) {
		return AUCResult{}, fmt.Errorf("stats: %s: %d and %d cells: %w", fn, len(neg), len(pos), ErrMismatch)
	}
	n, err := sumCounts(neg)
	if err != nil {
		return AUCResult{}, fmt.Errorf("stats: %s: negatives: %w", fn, err)
	}
	m, err := sumCounts(pos)
	if err != nil {
		return AUCResult{}, fmt.Errorf("stats: %s: positives: %w", fn, err)
	}
	if n == 0 || m == 0 {
		return AUCResult{}, fmt.Errorf("stats: %s: %d negatives and %d positives: %w", fn, n, m, ErrEmpty)
	}
	if err := CheckLevel(level); err != nil {
		return AUCResult{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	r := AUCResult{Negatives: n, Positives: m, Method: "DeLong on cells"}
	nf, mf := float64(n), float64(m)
	var below float64
	for c := range neg {
		p0, p1 := float64(neg[c])/nf, float64(pos[c])/mf
		r.Estimate.Point += float64(p1 * ((below + half(neg[c])) / nf))
		r.Resolved += float64(p0 * p1 / 2)
		below += float64(neg[c])
	}
	var belowNeg, belowPos, ssNeg, ssPos float64
	for c := range neg {
		dPos := (belowNeg+half(neg[c]))/nf - r.Estimate.Point
		dNeg := 1 - (belowPos+half(pos[c]))/mf - r.Estimate.Point
		ssPos += float64(float64(pos[c]) * dPos * dPos)
		ssNeg += float64(float64(neg[c]) * dNeg * dNeg)
		belowNeg += float64(neg[c])
		belowPos += float64(pos[c])
	}
	variance := math.Inf(1)
	if n > 1 && m > 1 {
		variance = ssPos/(mf-1)/mf + ssNeg/(nf-1)/nf
	}
	r.finish(level, variance)
	if r.Resolved > r.SE/10 {
		r.Warnings = append(r.Warnings, Warning{WarnBinned,
			fmt.Sprintf("scores within a cell count as tied; exact scores could move the AUC by up to %.3g", r.Resolved)})
	}
	return r, nil
}

// half is n/2, rounded on its own.
func half(n uint64) float64 { return float64(float64(n) / 2) }

// finish sets the interval and the warnings from the variance.
func (r *AUCResult) finish(level, variance float64) {
	r.SE = math.Sqrt(variance)
	p := r.Estimate.Point
	switch {
	case math.IsInf(r.SE, 1):
		r.Estimate = Interval{p, 0, 1, level}
		r.Warnings = append(r.Warnings, Warning{WarnSmallSample, "a class has one unit; the variance of the AUC is not defined"})
		return
	case r.SE == 0:
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "perfect separation or constant scores; the variance of the AUC is 0"})
	}
	reach := float64(twoSidedZ(level) * r.SE)
	r.Estimate = Interval{p, max(0, p-reach), min(1, p+reach), level}
	if p-reach < 0 || p+reach > 1 {
		r.Warnings = append(r.Warnings, Warning{WarnClipped, fmt.Sprintf("the interval [%.4g, %.4g] was clipped to [0, 1]", p-reach, p+reach)})
	}
}

// finish sets the test and the interval from the two AUCs, SE and DF.
func (c *AUCComparison) finish(fn string, level float64) error {
	d := c.A.Estimate.Point - c.B.Estimate.Point
	c.P = 1
	switch {
	case math.IsInf(c.SE, 1):
		c.Estimate = Interval{d, -1, 1, level}
		c.Warnings = []Warning{{WarnSmallSample, "a class has one unit; the variance of the AUC is not defined"}}
		return nil
	case c.SE == 0:
		c.Estimate = Interval{d, d, d, level}
		c.Warnings = []Warning{{WarnDegenerate, "the variance of the difference is 0: equal ranks, or perfect separation"}}
		if d != 0 {
			c.Statistic, c.P, c.LogP = math.Inf(signum(d)), 0, math.Inf(-1)
		}
		return nil
	}
	c.Statistic = d / c.SE
	q := twoSidedZ(level)
	if math.IsInf(c.DF, 1) {
		c.LogP = logNormalP(c.Statistic, Different)
	} else {
		var err error
		if q, err = studentQuantile((1-level)/2, c.DF); err != nil {
			return fmt.Errorf("stats: %s: %w", fn, err)
		}
		c.LogP = logStudentP(c.Statistic, c.DF, Different)
	}
	c.P = math.Exp(c.LogP)
	q = float64(q * c.SE)
	lo, hi := d-q, d+q
	c.Estimate = Interval{d, max(-1, lo), min(1, hi), level}
	if lo < -1 || hi > 1 {
		c.Warnings = []Warning{{WarnClipped, fmt.Sprintf("the interval [%.4g, %.4g] was clipped to [-1, 1]", lo, hi)}}
	}
	return nil
}

func checkScores(fn string, positive []bool, level float64, scores ...[]float64) error {
	for _, s := range scores {
		if len(s) != len(positive) {
			return fmt.Errorf("stats: %s: %d scores and %d labels: %w", fn, len(s), len(positive), ErrMismatch)
		}
		for i, v := range s {
			if math.IsNaN(v) {
				return fmt.Errorf("stats: %s: score %d is NaN: %w", fn, i, ErrDomain)
			}
		}
	}
	if n, m := countClasses(positive); n == 0 || m == 0 {
		return fmt.Errorf("stats: %s: %d negatives and %d positives: %w", fn, n, m, ErrEmpty)
	}
	if err := CheckLevel(level); err != nil {
		return fmt.Errorf("stats: %s: %w", fn, err)
	}
	return nil
}

func countClasses(positive []bool) (n, m uint64) {
	for _, p := range positive {
		if p {
			m++
		} else {
			n++
		}
	}
	return n, m
}

// placements returns for each unit the share of the other class on its wrong side,
// ties counted half: for a positive the negatives below it, for a negative the
// positives above it. Their mean over either class is the AUC.
func placements(scores []float64, positive []bool, r AUCResult) (place []float64, auc float64) {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(scores[i], scores[j]) })
	place = make([]float64, len(scores))
	n, m := float64(r.Negatives), float64(r.Positives)
	var belowNeg, belowPos, wins float64
	for from := 0; from < len(order); {
		to := from
		var neg, pos float64
		for ; to < len(order) && scores[order[to]] == scores[order[from]]; to++ {
			if positive[order[to]] {
				pos++
			} else {
				neg++
			}
		}
		for _, i := range order[from:to] {
			if positive[i] {
				place[i] = (belowNeg + float64(neg/2)) / n
			} else {
				place[i] = 1 - (belowPos+float64(pos/2))/m
			}
		}
		wins += float64(pos * (belowNeg + float64(neg/2)))
		belowNeg += neg
		belowPos += pos
		from = to
	}
	return place, wins / (n * m)
}

// classVariance is var/m over the positives plus var/n over the negatives; +Inf
// when a class has one unit.
func classVariance(v []float64, positive []bool, r AUCResult) float64 {
	if r.Negatives < 2 || r.Positives < 2 {
		return math.Inf(1)
	}
	neg := make([]float64, 0, r.Negatives)
	pos := make([]float64, 0, r.Positives)
	for i, p := range positive {
		if p {
			pos = append(pos, v[i])
		} else {
			neg = append(neg, v[i])
		}
	}
	_, v0 := meanVariance(neg)
	_, v1 := meanVariance(pos)
	return v1/float64(r.Positives) + v0/float64(r.Negatives)
}
