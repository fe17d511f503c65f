package pairjoin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Stream delivers the rows of the log of one model, in any order. A reader of
// package parquetrows or csvrows is one; [Files] reads several files as one.
type Stream interface {
	// Next fills b with the next rows, in memory that holds until the next call.
	// After the last row it returns io.EOF.
	Next(b *analysis.Batch) error
}

// Log is the log of one model.
type Log struct {
	Spec *analysis.Spec // of the columns of the batches; see [LogSpec]
	Rows Stream
}

// Options say how to join. The zero value is a good choice. Only the time of
// maturity changes what comes out.
type Options struct {
	// ID is the column of the id of a request, integers or texts; empty means the
	// unit of the spec.
	ID string
	// MemoryLimit bounds, in bytes, the rows and the table that are held at once;
	// 0 means 256 MiB, and less than 64 KiB is not enough. The batches of the
	// streams and the evidence come on top.
	MemoryLimit int64
	// Partitions is into how many parts rows are shared out at a time, 2 to 4096;
	// 0 means 64.
	Partitions int
	// TempDir is the folder of temporary files; empty means that of [os.TempDir].
	TempDir string
	// MatureBefore, when it is not zero, lets the labels of rows count only where
	// they were served before it; see [analysis.PairCollector.MatureBefore].
	MatureBefore time.Time

	create func() (*spill, error) // of tests
}

const (
	defaultMemory     = 256 << 20
	minMemory         = 64 << 10
	defaultPartitions = 64
	maxPartitions     = 4096
	maxBlock          = 64 << 10
)

func (o Options) check() (Options, error) {
	if o.MemoryLimit == 0 {
		o.MemoryLimit = defaultMemory
	}
	if o.Partitions == 0 {
		o.Partitions = defaultPartitions
	}
	switch {
	case o.MemoryLimit < minMemory:
		return o, fmt.Errorf("pairjoin: Options.MemoryLimit %d, want %d at least: %w", o.MemoryLimit, minMemory, stats.ErrDomain)
	case o.Partitions < 2 || o.Partitions > maxPartitions:
		return o, fmt.Errorf("pairjoin: Options.Partitions %d, want 2 to %d: %w", o.Partitions, maxPartitions, stats.ErrDomain)
	}
	if o.create == nil {
		dir := o.TempDir
		o.create = func() (*spill, error) { return newSpill(dir) }
	}
	return o, nil
}

// LogSpec is what a [Stream] has to read from the log of one model, whose score is
// in the column score, so that pairs can be made for spec: the score, the id, and
// the label, unit, time and slices of spec. An empty id means the unit of the spec.
//
// It is an error wrapping [stats.ErrMismatch] when neither names the id, when the
// score is also the id, the unit, the label or the time, and what
// [analysis.NewPairSpec] refuses.
func LogSpec(spec *analysis.PairSpec, score, id string) (*analysis.Spec, error) {
	spec, err := analysis.NewPairSpec(*spec)
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = spec.Unit
	}
	if id == "" {
		return nil, fmt.Errorf("pairjoin: LogSpec: there is no column to join by; name the unit of the pairs, or Options.ID: %w", stats.ErrMismatch)
	}
	columns := []analysis.ColumnSpec{{Name: score, Role: analysis.Score}, {Name: id, Role: analysis.Unit}}
	for _, c := range spec.Spec().Columns {
		switch c.Name {
		case spec.Baseline, spec.Candidate, id:
			continue
		case spec.Unit:
			c.Role = analysis.Feature // the id has that role
		}
		columns = append(columns, c)
	}
	return analysis.NewSpec(spec.Task, columns...)
}

// Side says what became of the rows of one log.
type Side struct {
	Rows      uint64 // all of them
	NoID      uint64 // without an id
	Only      uint64 // whose id is not in the other log
	Duplicate uint64 // whose id is more than once in either log
}

// Result is what a join has found. Of each side, Rows less NoID, Only and Duplicate
// are the pairs.
type Result struct {
	// Pairs is the evidence. OnlyBaseline and OnlyCandidate in it are the rows
	// without a partner, those without an id included.
	Pairs               *analysis.PairSnapshot
	Baseline, Candidate Side
	// LabelConflicts are pairs in which the two logs have different labels. They
	// have none, and Pairs holds their number.
	LabelConflicts uint64
	// Spilled is how many bytes went to temporary files: none when the rows fit into
	// memory. It depends on Options.
	Spilled int64
}

// Join makes pairs of the rows of two logs that have the same id, and counts them
// as an [analysis.PairCollector] does.
//
// A pair has the score of each log. Its label is that of either log; where both
// have one and they differ it has none ([Result.LabelConflicts]). Its unit, time
// and slices are those of the baseline's row, or of the candidate's for a column
// that the baseline's log does not have. An id that is more than once in one log
// is in no pair, whatever the other log has, since nobody can say which rows belong
// together; rows without an id are in no pair. [Result] counts them all.
//
// The result depends neither on the order of the rows nor on Options, but for
// Options.MatureBefore. It is all or nothing: the first error of a stream ends the
// call. Ids that are integers in one log and texts in the other, an id that is
// neither, a log without the column of the ids, and a column whose type changes are
// errors wrapping [stats.ErrMismatch]. When ctx is cancelled, Join returns its error
// soon. Temporary files are gone when it returns.
//
// Rows wait in memory, up to half of the limit, else in a temporary file, shared
// out by a hash of the id; then one part after another is put into a hash table,
// and a part that is too large is shared out once more. So memory depends on the
// limit, not on the rows. Texts of slices are held once each. Cost: linear in the
// rows; what does not fit is written once and read once. The file needs 8 bytes a
// row for each column, and 8 more where ids are texts.
func Join(ctx context.Context, baseline, candidate Log, spec *analysis.PairSpec, o Options) (*Result, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	p, err := newPairing(spec, &o, [2]*analysis.Spec{baseline.Spec, candidate.Spec})
	if err != nil {
		return nil, err
	}
	out, err := p.run(ctx, baseline.Rows, candidate.Rows)
	if p.split != nil {
		err = errors.Join(err, p.split.close())
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// run reads both logs, joins them, and says what came of it.
func (p *pairing) run(ctx context.Context, logs ...Stream) (*Result, error) {
	out := new(Result)
	for side, rows := range logs {
		s := []*Side{&out.Baseline, &out.Candidate}[side]
		if err := p.read(ctx, side, rows, s); err != nil {
			return nil, err
		}
	}
	if err := p.join(ctx); err != nil {
		return nil, err
	}
	var err error
	if out.Pairs, err = p.collector.Snapshot(); err != nil {
		return nil, err
	}
	if j := p.joiner; j != nil {
		out.Spilled = j.spilled
		for side, s := range []*Side{&out.Baseline, &out.Candidate} {
			s.Only, s.Duplicate = j.count.only[side], j.count.duplicates(side)
		}
	}
	out.LabelConflicts, out.Pairs.LabelConflicts = p.conflicts, p.conflicts
	out.Pairs.OnlyBaseline = out.Baseline.Only + out.Baseline.NoID
	out.Pairs.OnlyCandidate = out.Candidate.Only + out.Candidate.NoID
	out.Pairs.DuplicateBaseline, out.Pairs.DuplicateCandidate = out.Baseline.Duplicate, out.Candidate.Duplicate
	return out, nil
}

var sides = [2]string{"baseline", "candidate"}

// place finds a column in the spec of each log.
func place(name [2]string, specs [2]*analysis.Spec) (at [2]int, err error) {
	for side, s := range specs {
		at[side] = slices.IndexFunc(s.Columns, func(c analysis.ColumnSpec) bool { return c.Name == name[side] })
		if at[side] < 0 {
			return at, fmt.Errorf("pairjoin: the rows of the %s come without the column %q; read what LogSpec says: %w", sides[side], name[side], stats.ErrMismatch)
		}
	}
	return at, nil
}
