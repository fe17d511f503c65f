package pairjoin

import (
	"context"
	"math/bits"
)

// pool hands out blocks of memory that hold the same number of rows.
type pool struct {
	block int // bytes
	rows  int // per block
	used  int // blocks that are out
	held  int // blocks, those that came back included
	free  [][]byte
}

func newPool(rowBytes, blockBytes int) *pool {
	rows := max(1, blockBytes/rowBytes)
	return &pool{block: rows * rowBytes, rows: rows}
}

func (p *pool) get() []byte {
	p.used++
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b[:0]
	}
	p.held++
	return make([]byte, 0, p.block)
}

func (p *pool) put(b []byte) {
	p.used--
	p.free = append(p.free, b)
}

// bytes is the memory that the pool holds on to.
func (p *pool) bytes() int64 { return int64(p.held) * int64(p.block) }

// bucket is the rows of one side of one partition: in memory, or in a file.
type bucket struct {
	blocks  [][]byte // all full but the last, as long as none is in the file
	extents []extent
	rows    int64
}

// split is rows of both sides shared out over partitions by the hash of their id,
// so that the two rows of an id are in the same one.
type split struct {
	*joiner
	level int // how often the rows have been shared out before
	parts [][2]bucket
	file  *spill // nil as long as all rows are in memory
}

func newSplit(j *joiner, level int) *split {
	return &split{joiner: j, level: level, parts: make([][2]bucket, j.partitions)}
}

// place returns the memory for a row with the given key, to be written at once.
func (s *split) place(side int, k key) ([]byte, error) {
	part, _ := bits.Mul64(k.hash(s.level), uint64(len(s.parts)))
	b := &s.parts[part][side]
	if n := len(b.blocks); n == 0 || len(b.blocks[n-1]) == s.pool.block {
		if s.pool.used >= s.buffers {
			if err := s.flush(); err != nil {
				return nil, err
			}
		}
		b.blocks = append(b.blocks, s.pool.get())
	}
	last := &b.blocks[len(b.blocks)-1]
	n := len(*last)
	*last = (*last)[:n+s.layout.size]
	b.rows++
	return (*last)[n:], nil
}

// flush moves all rows to the file.
func (s *split) flush() error {
	if s.file == nil {
		var err error
		if s.file, err = s.create(); err != nil {
			return err
		}
	}
	for p := range s.parts {
		for side := range s.parts[p] {
			b := &s.parts[p][side]
			for _, block := range b.blocks {
				e, err := s.file.write(block)
				if err != nil {
					return err
				}
				s.spilled += int64(len(block))
				b.extents = append(b.extents, e)
				s.pool.put(block)
			}
			b.blocks = b.blocks[:0]
		}
	}
	return nil
}

// settle ends the adding of rows: they are then all in memory or all in the file.
func (s *split) settle() error {
	if s.file == nil {
		return nil
	}
	return s.flush()
}

// each calls do for every block of a bucket. With consume, the memory of a block
// goes back to the pool afterwards.
func (s *split) each(ctx context.Context, b *bucket, consume bool, do func(block []byte) error) error {
	if len(b.extents) > 0 {
		into := s.pool.get()
		defer func() { s.pool.put(into) }()
		for _, e := range b.extents {
			if ctx.Err() != nil {
				return stopped(ctx)
			}
			block, err := s.file.read(e, into)
			if err != nil {
				return err
			}
			if err := do(block); err != nil {
				return err
			}
		}
		return nil
	}
	for _, block := range b.blocks {
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		if err := do(block); err != nil {
			return err
		}
		if consume {
			s.pool.put(block)
		}
	}
	if consume {
		b.blocks = nil
	}
	return nil
}

// close gives all memory back and removes the file.
func (s *split) close() error {
	for p := range s.parts {
		for side := range s.parts[p] {
			s.drop(&s.parts[p][side])
		}
	}
	if s.file == nil {
		return nil
	}
	return s.file.close()
}

// drop forgets the rows of a bucket.
func (s *split) drop(b *bucket) {
	for _, block := range b.blocks {
		s.pool.put(block)
	}
	*b = bucket{}
}
