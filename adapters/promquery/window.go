package promquery

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Window is a span of time, its start included and its end not.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

func (w Window) length() time.Duration { return w.End.Sub(w.Start) }

// whole shrinks the window to whole seconds.
func (w Window) whole() Window {
	s := w.Start.Truncate(time.Second)
	if s.Before(w.Start) {
		s = s.Add(time.Second)
	}
	return Window{s.UTC(), w.End.Truncate(time.Second).UTC()}
}

// Ledger remembers which windows of a fixed length were added to evidence that
// accumulates, so that each counts once, however often and irregularly is looked.
//
// It is needed only by who adds up windows. The default is one window from the
// start of the stage to the present, asked for anew at each look: that needs no
// ledger, loses no increase between two windows, and fills gaps of ingestion by
// itself. Adding up is for rollouts that last longer than the server keeps its
// samples, or whose windows are too long for it to evaluate at once.
//
// The zero Ledger is not ready; make one with [NewLedger]. Its JSON is its state.
type Ledger struct {
	length time.Duration
	done   []Window // aligned, in order, neighbours joined
}

// NewLedger returns an empty ledger of windows of a length, which start at
// multiples of it since the Unix epoch. The length is whole seconds, one at least;
// else the error wraps [stats.ErrDomain].
func NewLedger(length time.Duration) (*Ledger, error) {
	if length < time.Second || length%time.Second != 0 {
		return nil, fmt.Errorf("promquery: NewLedger: length %v is not in whole seconds above 0: %w", length, stats.ErrDomain)
	}
	return &Ledger{length: length}, nil
}

// maxDue bounds what one look catches up with.
const maxDue = 1000

// Due lists the windows within [from, until) that are not done, oldest first, at
// most 1000 of them; until is a watermark such as [Provider.Watermark] gives.
func (l *Ledger) Due(from, until time.Time) []Window {
	var out []Window
	if l.length <= 0 {
		return nil
	}
	start := l.align(from)
	if start.Before(from) {
		start = start.Add(l.length)
	}
	for ; !start.Add(l.length).After(until) && len(out) < maxDue; start = start.Add(l.length) {
		w := Window{start, start.Add(l.length)}
		if i := slices.IndexFunc(l.done, w.overlaps); i >= 0 {
			start = l.done[i].End.Add(-l.length) // the last one done
			continue
		}
		out = append(out, w)
	}
	return out
}

// Done notes that a window was added. A window that the ledger would not have
// listed, or that is done already, is an error wrapping [stats.ErrMismatch].
func (l *Ledger) Done(w Window) error {
	w = Window{w.Start.UTC(), w.End.UTC()}
	switch {
	case w.length() != l.length || !l.align(w.Start).Equal(w.Start):
		return fmt.Errorf("promquery: Ledger: %v to %v is not a window of %v: %w", w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339), l.length, stats.ErrMismatch)
	case slices.ContainsFunc(l.done, w.overlaps):
		return fmt.Errorf("promquery: Ledger: the window from %v was added before: %w", w.Start.Format(time.RFC3339), stats.ErrMismatch)
	}
	l.done = append(l.done, w)
	l.join()
	return nil
}

// Windows lists what is done, neighbouring windows joined, oldest first.
func (l *Ledger) Windows() []Window { return slices.Clone(l.done) }

func (l *Ledger) align(t time.Time) time.Time {
	s := int64(l.length / time.Second)
	at := t.Unix()
	if at -= at % s; at > t.Unix() {
		at -= s
	}
	return time.Unix(at, 0).UTC()
}

func (w Window) overlaps(o Window) bool { return w.Start.Before(o.End) && o.Start.Before(w.End) }

func (l *Ledger) join() {
	slices.SortFunc(l.done, func(a, b Window) int { return a.Start.Compare(b.Start) })
	out := l.done[:0]
	for _, w := range l.done {
		if n := len(out); n > 0 && out[n-1].End.Equal(w.Start) {
			out[n-1].End = w.End
			continue
		}
		out = append(out, w)
	}
	l.done = out
}

type ledgerJSON struct {
	Seconds int64    `json:"window_seconds"`
	Done    []Window `json:"done"`
}

// MarshalJSON implements [json.Marshaler].
func (l *Ledger) MarshalJSON() ([]byte, error) {
	return json.Marshal(ledgerJSON{int64(l.length / time.Second), append([]Window{}, l.done...)})
}

// UnmarshalJSON implements [json.Unmarshaler]. Windows that are not in order, not
// aligned, or overlap are an error wrapping [stats.ErrMismatch]; l is then
// unchanged.
func (l *Ledger) UnmarshalJSON(b []byte) error {
	var j ledgerJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("promquery: Ledger: %w", err)
	}
	if j.Seconds < 1 || j.Seconds > 366*24*3600 {
		return fmt.Errorf("promquery: Ledger: windows of %d seconds: %w", j.Seconds, stats.ErrMismatch)
	}
	n := Ledger{length: time.Duration(j.Seconds) * time.Second}
	for i, w := range j.Done {
		w = Window{w.Start.UTC(), w.End.UTC()}
		if !w.Start.Before(w.End) || !n.align(w.Start).Equal(w.Start) || !n.align(w.End).Equal(w.End) || i > 0 && w.Start.Before(j.Done[i-1].End) {
			return fmt.Errorf("promquery: Ledger: window %d, from %v, does not fit: %w", i+1, w.Start.Format(time.RFC3339), stats.ErrMismatch)
		}
		n.done = append(n.done, w)
	}
	n.join()
	*l = n
	return nil
}
