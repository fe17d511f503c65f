package analysis

import (
	"cmp"
	"slices"
)

// sortReasons puts the reasons that decided first, and before them what a person has
// to mend.
func (v *Verdict) sortReasons(worst Rule) {
	rank := func(r Reason) int {
		switch {
		case worst.Decision == Rollback && r.Code == worst.Reason:
			return -3
		case worst.Decision != Continue && r.Code == ReasonInvalid: // makes others untrusted
			return -2
		case worst.Decision != Continue && r.Code == ReasonHarm:
			return -1
		case r.Code == worst.Reason, worst.Decision == Continue && (r.Code == ReasonNoHarm || r.Code == ReasonOverride):
			return 0
		case r.Code == ReasonWarning:
			return 2
		}
		return 1
	}
	slices.SortStableFunc(v.Reasons, func(a, b Reason) int { return cmp.Compare(rank(a), rank(b)) })
}
