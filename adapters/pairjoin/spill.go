package pairjoin

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"
)

// ErrSpill says that what was written to a temporary file could not be read back
// as it was: the file was truncated or changed, or the disk is damaged. Nothing is
// wrong with the logs; another run may do.
var ErrSpill = errors.New("damaged temporary file")

// storage is what a spill file has to do; an [os.File] does it.
type storage interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// extent is a block of rows in a spill file.
type extent struct {
	at   int64
	size int32
	sum  uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// spill is a temporary file of blocks. Where the system allows it, the file has no
// name any more once it is open, so that even a killed process leaves nothing.
type spill struct {
	file  storage
	path  string
	named bool
	size  int64
}

// newSpill creates a spill file in a folder; empty means the one for temporary files.
func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, "rampguard-pairs-*")
	if err != nil {
		return nil, fmt.Errorf("pairjoin: a temporary file: %w; name a folder that can be written with Options.TempDir, or TMPDIR", err)
	}
	s := &spill{file: f, path: f.Name()}
	s.named = os.Remove(s.path) != nil
	return s, nil
}

func (s *spill) write(block []byte) (extent, error) {
	e := extent{at: s.size, size: int32(len(block)), sum: crc32.Checksum(block, castagnoli)}
	if _, err := s.file.WriteAt(block, s.size); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return e, fmt.Errorf("pairjoin: the disk with %s is full after %d bytes of rows: %w; free some room, name another folder with Options.TempDir or TMPDIR, or raise Options.MemoryLimit", s.path, s.size, err)
		}
		return e, fmt.Errorf("pairjoin: writing rows to a temporary file: %w", err)
	}
	s.size += int64(len(block))
	return e, nil
}

// read returns a block, in the memory of into.
func (s *spill) read(e extent, into []byte) ([]byte, error) {
	into = into[:e.size]
	if n, err := s.file.ReadAt(into, e.at); err != nil && n < len(into) {
		return nil, fmt.Errorf("pairjoin: %s: %d of %d bytes at %d: %w: %w", s.path, n, len(into), e.at, err, ErrSpill)
	}
	if sum := crc32.Checksum(into, castagnoli); sum != e.sum {
		return nil, fmt.Errorf("pairjoin: %s: %d bytes at %d have the checksum %08x, not %08x as they were written: %w", s.path, len(into), e.at, sum, e.sum, ErrSpill)
	}
	return into, nil
}

// close removes the file.
func (s *spill) close() error {
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.path))
	}
	if err != nil {
		return fmt.Errorf("pairjoin: removing a temporary file: %w", err)
	}
	return nil
}
