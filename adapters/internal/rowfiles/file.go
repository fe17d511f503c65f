package rowfiles

import "os"

// File is an open file of a Set.
type File struct {
	Path  string
	Index int // in the Set
	Size  int64

	os    *os.File
	set   *Set
	stamp stamp
	bytes int64 // read, some of them more than once
	told  int64 // bytes that have been reported
}

func (s *Set) open(i int) (*File, error) {
	k := s.files[i]
	o, err := os.Open(k.path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: k.path, Index: i, Size: k.stamp.size, os: o, set: s, stamp: k.stamp}
	if err := f.Same(); err != nil {
		_ = o.Close()
		return nil, err
	}
	return f, nil
}

// Open opens a file that is read by itself.
func Open(adapter, path string) (*File, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = Unsupported("it is a directory")
	}
	if err != nil {
		return nil, in(adapter, path, err)
	}
	s := &Set{o: Options{Adapter: adapter}, files: []known{{path, stamp{info.Size(), info.ModTime()}}}}
	f, err := s.open(0)
	if err != nil {
		return nil, s.In(0, err)
	}
	return f, nil
}

// Close closes a file that was opened with Open.
func (f *File) Close() error { return f.os.Close() }

// In says that an error happened in the file.
func (f *File) In(err error) error { return f.set.In(f.Index, err) }

// Read implements [io.Reader].
func (f *File) Read(b []byte) (int, error) {
	n, err := f.os.Read(b)
	f.bytes += int64(n)
	return n, err
}

// ReadAt implements [io.ReaderAt].
func (f *File) ReadAt(b []byte, at int64) (int, error) {
	n, err := f.os.ReadAt(b, at)
	f.bytes += int64(n)
	return n, err
}

// Seek implements [io.Seeker].
func (f *File) Seek(offset int64, whence int) (int64, error) { return f.os.Seek(offset, whence) }

// Done reports rows that have been collected, with the bytes read since the last
// report.
func (f *File) Done(rows int) { f.step(Progress{Rows: int64(rows)}) }

func (f *File) step(p Progress) {
	s := f.set
	if s.o.Progress == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Rows += p.Rows
	s.state.Files += p.Files
	now := min(f.bytes, f.Size)
	if p.Files > 0 {
		now = f.Size
	}
	s.state.Bytes += now - f.told
	f.told = now
	s.o.Progress(s.state)
}

// Same makes sure that the file is still the one that was found.
func (f *File) Same() error {
	info, err := f.os.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.stamp.size || !info.ModTime().Equal(f.stamp.modified) {
		return Corrupt("it changed while it was read")
	}
	return nil
}
