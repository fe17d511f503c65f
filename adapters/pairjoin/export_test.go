package pairjoin

import "io"

// Storage is what a spill file has to do.
type Storage interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// WithStorage makes a join spill to what create returns.
func (o Options) WithStorage(create func() (Storage, error)) Options {
	o.create = func() (*spill, error) {
		s, err := create()
		return &spill{file: s, path: "storage"}, err
	}
	return o
}
