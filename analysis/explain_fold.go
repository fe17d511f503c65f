package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// shownAlike is how many reasons or findings of slices are shown that differ in the
// slice only: a log with a hundred countries would hide what else there is to see.
const shownAlike = 5

// alike groups findings that differ in nothing but the slice.
type alike struct {
	check, code, metric, word string
}

func (f *Finding) alike() alike { return alike{f.Check, f.Code, f.Metric, f.verdictWord()} }

// shown picks the findings that a report shows: of those alike in slices the worst,
// by how far beyond the limit they are, in the order in which they stand. more tells,
// at the last one shown, how many others there are.
func (v *Verdict) shown(all bool) (findings []*Finding, more map[*Finding]int) {
	more = map[*Finding]int{}
	groups := map[alike][]*Finding{}
	for i := range v.Findings {
		if f := &v.Findings[i]; len(f.Slice) > 0 && !all {
			groups[f.alike()] = append(groups[f.alike()], f)
		}
	}
	hidden := map[*Finding]bool{}
	for _, g := range groups {
		if len(g) <= shownAlike+1 { // a line that says "1 more" is no shorter
			continue
		}
		worst := slices.Clone(g)
		slices.SortStableFunc(worst, func(a, b *Finding) int { return cmp.Compare(b.excess(), a.excess()) })
		for _, f := range worst[shownAlike:] {
			hidden[f] = true
		}
		for _, f := range slices.Backward(g) {
			if !hidden[f] {
				more[f] = len(g) - shownAlike
				break
			}
		}
	}
	for i := range v.Findings {
		if f := &v.Findings[i]; !hidden[f] {
			findings = append(findings, f)
		}
	}
	return findings, more
}

// excess is how far the estimate is beyond its limit.
func (f *Finding) excess() float64 {
	if x := f.Estimate.Point - float64(f.Limit); !math.IsNaN(x) {
		return x
	}
	return math.Inf(-1)
}

// moreAlike says that findings were left out.
func moreAlike(f *Finding, n int) string {
	return fmt.Sprintf("%d more slices of %s are %s; those shown are the worst.", n, f.Check+" "+f.Metric, f.verdictWord())
}

// shownReasons are the reasons of a report: of those of one check with one code the
// first, and a line about the others.
func (v *Verdict) shownReasons(all bool) []Reason {
	count, seen := map[[3]string]int{}, map[[3]string]int{}
	key := func(r *Reason) [3]string { return [3]string{r.Check, r.Code, r.Metric} }
	for i := range v.Reasons {
		count[key(&v.Reasons[i])]++
	}
	var out []Reason
	for _, r := range v.Reasons {
		k := key(&r)
		seen[k]++
		n := count[k]
		switch {
		case all || n <= shownAlike+1 || seen[k] < shownAlike:
			out = append(out, r)
		case seen[k] == shownAlike:
			out = append(out, r, Reason{Code: r.Code, Check: r.Check, Metric: r.Metric, Text: fmt.Sprintf("%d more reasons like these; the findings have the worst, and all are in the JSON form.", n-shownAlike)})
		}
	}
	return out
}
