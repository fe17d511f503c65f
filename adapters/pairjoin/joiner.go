package pairjoin

import (
	"context"
	"errors"
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// maxLevels bounds how often rows are shared out anew. Each time divides what is too
// large by the number of partitions, so that it is out of reach.
const maxLevels = 64

// joiner is a hash join (Kitsuregawa, Tanaka and Moto-oka 1983, "grace"): the rows of
// both sides are shared out over partitions by the hash of their id, and the
// partitions are joined one by one.
type joiner struct {
	layout     layout
	partitions int
	limit      int64 // bytes of blocks and table together
	buffers    int   // blocks that rows may wait in before they go to a file
	create     func() (*spill, error)
	pool       *pool
	table      table
	emit       func(baseline, candidate []byte) error // takes a pair
	count      counts
	spilled    int64 // bytes written
}

// counts are rows by side.
type counts struct {
	rows  [2]uint64 // with an id
	only  [2]uint64 // whose id is not on the other side
	pairs uint64
}

// duplicates is the number of rows of a side that are in no pair because their id
// is there more than once on one of the sides.
func (c *counts) duplicates(side int) uint64 { return c.rows[side] - c.only[side] - c.pairs }

func stopped(ctx context.Context) error { return fmt.Errorf("pairjoin: %w", context.Cause(ctx)) }

// errLarge says that a partition does not fit into memory.
var errLarge = errors.New("pairjoin: the partition is too large")

// join joins all partitions of a split.
func (j *joiner) join(ctx context.Context, s *split) error {
	for p := range s.parts {
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		part := &s.parts[p]
		err := j.load(ctx, s, part)
		if err == nil {
			err = j.match()
		}
		j.release()
		if errors.Is(err, errLarge) {
			err = j.again(ctx, s, part)
		}
		if err != nil {
			return err
		}
		s.drop(&part[0])
		s.drop(&part[1])
	}
	return nil
}

// again shares out the rows of a partition once more and joins what comes of it.
func (j *joiner) again(ctx context.Context, s *split, part *[2]bucket) (err error) {
	if s.level == maxLevels {
		return fmt.Errorf("pairjoin: %d rows do not fit into %d bytes: %w", part[0].rows+part[1].rows, j.limit, stats.ErrNoConvergence)
	}
	j.table.slots = nil // finer partitions need less
	finer := newSplit(j, s.level+1)
	defer func() { err = errors.Join(err, finer.close()) }()
	for side := range part {
		err := s.each(ctx, &part[side], true, func(block []byte) error {
			for ; len(block) > 0; block = block[j.layout.size:] {
				row := block[:j.layout.size]
				to, err := finer.place(side, j.layout.key(row))
				if err != nil {
					return err
				}
				copy(to, row)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := finer.settle(); err != nil {
		return err
	}
	return j.join(ctx, finer)
}

// load puts the rows of a partition into the table: those in memory where they are,
// of those in a file the first of each id. It returns errLarge when they do not fit.
func (j *joiner) load(ctx context.Context, s *split, part *[2]bucket) error {
	j.table.clear()
	for side := range part {
		b := &part[side]
		st := &j.table.rows[side]
		st.own = len(b.extents) > 0
		if !st.own {
			st.blocks = b.blocks
		}
		err := s.each(ctx, b, false, func(block []byte) error {
			for ; len(block) > 0; block = block[j.layout.size:] {
				if !j.insert(side, block[:j.layout.size]) {
					return errLarge
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// insert counts a row in the table. It reports whether there was room.
func (j *joiner) insert(side int, row []byte) bool {
	t := &j.table
	if t.full() {
		if j.pool.bytes()+t.grown() > j.limit {
			return false
		}
		j.grow()
	}
	st := &t.rows[side]
	if st.n == maxRowCount {
		return false
	}
	s := j.find(j.layout.key(row))
	switch {
	case s[side] < 0:
	case s[side] > 0:
		s[side] = -s[side]
	case st.own && !j.keep(st, row):
		return false
	default:
		if *s == (slot{}) {
			t.used++
		}
		s[side] = int32(st.n + 1)
		st.n++
		return true
	}
	if !st.own { // its place is taken all the same
		st.n++
	}
	return true
}

// keep copies a row into memory of the table, if there is room.
func (j *joiner) keep(st *store, row []byte) bool {
	if st.n%j.pool.rows == 0 {
		if len(j.pool.free) == 0 && j.pool.bytes()+int64(j.pool.block)+j.table.bytes() > j.limit {
			return false
		}
		st.blocks = append(st.blocks, j.pool.get())
	}
	last := &st.blocks[len(st.blocks)-1]
	*last = append(*last, row...)
	return true
}

// release empties the stores of the table.
func (j *joiner) release() {
	for side := range j.table.rows {
		st := &j.table.rows[side]
		if st.own {
			for _, block := range st.blocks {
				j.pool.put(block)
			}
		}
		*st = store{}
	}
}

// match hands over the pairs in the table and counts the rest. What is in no pair
// and not alone is a duplicate.
func (j *joiner) match() error {
	for _, s := range j.table.slots {
		switch {
		case s[0] > 0 && s[1] > 0:
			j.count.pairs++
			if err := j.emit(j.row(0, int(s[0])-1), j.row(1, int(s[1])-1)); err != nil {
				return err
			}
		case s[0] > 0 && s[1] == 0:
			j.count.only[0]++
		case s[0] == 0 && s[1] > 0:
			j.count.only[1]++
		}
	}
	return nil
}
