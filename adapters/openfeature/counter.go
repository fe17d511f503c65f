package exposure

import (
	"fmt"
	"sync"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Exposures are the evidence of a flag.
type Exposures struct {
	Baseline, Candidate *analysis.Snapshot
	Excluded            Excluded
}

// Excluded counts evaluations that are no exposure of either arm.
type Excluded struct {
	Codes   map[string]uint64 // ended in an error, by the code of OpenFeature; the caller got the default of the code
	Default uint64            // the default of the code or of the provider, which assigned nothing; a disabled flag
	Other   uint64            // another variant
	NoKey   uint64            // one of the two variants, but no targeting key
	// Errors are all evaluations that failed, those among the exposures as well
	// that failed in another hook after the variant was known.
	Errors uint64
}

// Failed is the number of evaluations that ended in an error before there was a
// variant: the sum of Codes.
func (e *Excluded) Failed() uint64 {
	n := uint64(0)
	for _, k := range e.Codes {
		n += k
	}
	return n
}

// add adds what another shard has left out.
func (e *Excluded) add(o Excluded) {
	e.Default += o.Default
	e.Other += o.Other
	e.NoKey += o.NoKey
	e.Errors += o.Errors
	for code, n := range o.Codes {
		if e.Codes == nil {
			e.Codes = map[string]uint64{}
		}
		e.Codes[code] += n
	}
}

// Snapshot returns what has been counted of a flag since the beginning or the last
// Take. A flag that the hook was not told about is an error wrapping
// [stats.ErrMismatch].
func (h *Hook) Snapshot(flag string) (Exposures, error) {
	return h.collect(flag, (*analysis.Collector).Snapshot, false)
}

// Take is Snapshot, after which the hook begins anew: at the end of a stage, whose
// evidence has to stay apart from that of the next.
func (h *Hook) Take(flag string) (Exposures, error) {
	return h.collect(flag, (*analysis.Collector).Take, true)
}

func (h *Hook) collect(flag string, read func(*analysis.Collector) (*analysis.Snapshot, error), anew bool) (Exposures, error) {
	n := h.flags[flag]
	if n == nil {
		return Exposures{}, fmt.Errorf("exposure: the hook does not count a flag %q: %w", flag, stats.ErrMismatch)
	}
	var out Exposures
	var parts [2][]*analysis.Snapshot
	for i := range n.shards {
		if err := n.shards[i].collect(&parts, &out.Excluded, read, anew); err != nil {
			return Exposures{}, fmt.Errorf("exposure: flag %q: %w", flag, err)
		}
	}
	var err error
	if out.Baseline, err = analysis.MergeSnapshots(parts[0]...); err == nil {
		out.Candidate, err = analysis.MergeSnapshots(parts[1]...)
	}
	if err != nil {
		return Exposures{}, fmt.Errorf("exposure: flag %q: %w", flag, err)
	}
	return out, nil
}

// counter counts one flag.
type counter struct {
	flag   Flag
	shards []shard
}

// shard counts the keys that fall to it, so that few evaluations wait for each other.
type shard struct {
	mu       sync.Mutex
	arms     [2]buffer
	excluded Excluded
	_        [64]byte // keeps the locks of two shards out of one line of the cache
}

func newCounter(spec *analysis.Spec, f Flag, shards int) *counter {
	n := &counter{flag: f, shards: make([]shard, shards)}
	for i := range n.shards {
		for k := range n.shards[i].arms {
			n.shards[i].arms[k] = newBuffer(spec)
		}
	}
	return n
}

// collect reads both arms of a shard in one moment.
func (s *shard) collect(parts *[2][]*analysis.Snapshot, excluded *Excluded, read func(*analysis.Collector) (*analysis.Snapshot, error), anew bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.arms {
		b := &s.arms[k]
		b.flush()
		part, err := read(b.collector)
		if err != nil {
			return err
		}
		b.forget()
		parts[k] = append(parts[k], part)
	}
	excluded.add(s.excluded)
	if anew {
		s.excluded = Excluded{}
	}
	return nil
}

// rowsPerBatch is how many rows wait for the collector.
const rowsPerBatch = 256

// buffer holds rows of one arm until there are enough for the collector. It has two
// dictionaries in turn, as the collector names the codes of one only when the next
// one comes.
type buffer struct {
	collector *analysis.Collector
	dicts     [2]*analysis.Dict
	turn      int
	codes     []int32 // 0, 1, 2, ...: each row has an entry of its own
	times     []int64
	columns   []analysis.Column
	unit      int // index of the column
	clock     int // or -1
}

func newBuffer(spec *analysis.Spec) buffer {
	b := buffer{
		collector: analysis.NewCollector(spec), codes: make([]int32, rowsPerBatch), times: make([]int64, 0, rowsPerBatch),
		columns: make([]analysis.Column, len(spec.Columns)), unit: spec.ByRole(analysis.Unit), clock: spec.ByRole(analysis.Clock),
	}
	for i := range b.codes {
		b.codes[i] = int32(i)
	}
	for i := range b.dicts {
		b.dicts[i] = &analysis.Dict{Values: make([]string, 0, rowsPerBatch)}
	}
	return b
}

func (b *buffer) add(key string, at int64) {
	d := b.dicts[b.turn]
	d.Values = append(d.Values, key)
	b.times = append(b.times, at)
	if len(b.times) == rowsPerBatch {
		b.flush()
	}
}

// flush hands the rows to the collector. A fault would stay in the collector, which
// then refuses to give a snapshot.
func (b *buffer) flush() {
	n := len(b.times)
	if n == 0 {
		return
	}
	b.columns[b.unit] = analysis.Column{Type: analysis.String, Codes: b.codes[:n], Dict: b.dicts[b.turn]}
	if b.clock >= 0 {
		b.columns[b.clock] = analysis.Column{Type: analysis.Time, Ints: b.times}
	}
	_ = b.collector.Add(&analysis.Batch{Rows: n, Columns: b.columns})
	b.turn = 1 - b.turn
	b.dicts[b.turn].Values = b.dicts[b.turn].Values[:0] // named when the last batch came
	b.times = b.times[:0]
}

// forget drops the keys, which have all been named once a snapshot was read.
func (b *buffer) forget() {
	for _, d := range b.dicts {
		clear(d.Values[:cap(d.Values)])
	}
	b.dicts[b.turn].Values = b.dicts[b.turn].Values[:0]
}
