package analysis

import (
	"fmt"
	"slices"
	"time"
)

// Hysteresis says how the breaches of a threshold-only metric count: one whose
// noise nobody knows, so that a single value proves nothing.
type Hysteresis struct {
	K        int           `json:"k"`                  // breaches among the last Of windows that are harm; 0 means that each finding stands for itself
	Of       int           `json:"of"`                 // 0 means K
	Clear    int           `json:"clear"`              // windows in a row without a breach that end it; 0 means K
	Cooldown time.Duration `json:"cooldown,omitempty"` // how long after its end nothing passes; in JSON, nanoseconds
}

// withDefaults fills in what was left out.
func (h Hysteresis) withDefaults() Hysteresis {
	h.Of = max(h.Of, h.K)
	if h.Clear <= 0 {
		h.Clear = h.K
	}
	return h
}

// Windows are the last windows of one threshold-only metric.
type Windows struct {
	Key      string    `json:"key"`               // what the finding is about
	Breached []bool    `json:"breached"`          // oldest first, as many as the rule needs
	Last     time.Time `json:"last,omitzero"`     // end of the newest of them
	Tripped  bool      `json:"tripped,omitempty"` // whether the metric counts as harm
	Cleared  time.Time `json:"cleared,omitzero"`  // when it last ceased to
}

// settle replaces the outcome of findings with a Hysteresis by what the windows
// so far amount to, and keeps the windows in the state. A window that was seen
// before counts once, with the value it had first. Only Harm, Pass and Warn are
// windows with a value, and only while the evidence can be trusted.
func (v *Verdict) settle() {
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Hysteresis.K <= 0 || f.Untrusted || f.Outcome != Harm && f.Outcome != Pass && f.Outcome != Warn {
			continue
		}
		h := f.Hysteresis.withDefaults()
		key := f.key()
		j := slices.IndexFunc(v.State.Windows, func(w Windows) bool { return w.Key == key })
		if j < 0 {
			v.State.Windows = append(v.State.Windows, Windows{Key: key})
			j = len(v.State.Windows) - 1
		}
		w := &v.State.Windows[j]
		w.add(f.Outcome == Harm, f.Window, h)
		w.judge(f, h)
	}
	slices.SortFunc(v.State.Windows, func(a, b Windows) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
}

func (w *Windows) add(breach bool, end time.Time, h Hysteresis) {
	if !end.After(w.Last) {
		return
	}
	w.Last = end
	w.Breached = append(slices.Clone(w.Breached), breach)
	if n := len(w.Breached) - max(h.Of, h.Clear); n > 0 {
		w.Breached = w.Breached[n:]
	}
	breaches := count(w.Breached[max(0, len(w.Breached)-h.Of):])
	clean := len(w.Breached) >= h.Clear && count(w.Breached[len(w.Breached)-h.Clear:]) == 0
	switch {
	case !w.Tripped && breaches >= h.K:
		w.Tripped = true
	case w.Tripped && clean: // the breaches before are over and do not count again
		w.Tripped, w.Cleared = false, end
		w.Breached = w.Breached[len(w.Breached)-h.Clear:]
	}
}

// judge sets the outcome of the finding about the newest window.
func (w *Windows) judge(f *Finding, h Hysteresis) {
	breaches := count(w.Breached[max(0, len(w.Breached)-h.Of):])
	seen := min(len(w.Breached), h.Of)
	rule := fmt.Sprintf(" In breach: %d of the last %d windows; %d of %d count as harm, and %d clean ones in a row end it.", breaches, seen, h.K, h.Of, h.Clear)
	f.Message += rule
	switch {
	case w.Tripped:
		f.Outcome = Harm
	case breaches > 0:
		f.Outcome = Inconclusive
	case len(w.Breached) < h.K && w.Cleared.IsZero():
		f.Outcome = Insufficient
	case !w.Cleared.IsZero() && w.Last.Sub(w.Cleared) < h.Cooldown:
		f.Outcome = Inconclusive
		f.Message += fmt.Sprintf(" It cools down for another %s.", period(h.Cooldown-w.Last.Sub(w.Cleared)))
	case f.Outcome == Harm: // a window that came late or was revised: it is in no count
		f.Outcome = Inconclusive
	}
}

func count(bs []bool) int {
	n := 0
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}
