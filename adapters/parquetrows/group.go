package parquetrows

import (
	"io"
	"os"
	"time"

	"github.com/parquet-go/parquet-go/format"

	"github.com/rampguard/rampguard/analysis"
)

// input is an open file.
type input struct {
	path  string
	meta  *format.FileMetaData
	os    *os.File
	stamp stamp
}

// stamp tells whether a file has been written to.
type stamp struct {
	size     int64
	modified time.Time
}

func stampOf(f *os.File) (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	if info.IsDir() {
		return stamp{}, unsupported("it is a directory; name its files, as in dir/*.parquet")
	}
	return stamp{info.Size(), info.ModTime()}, nil
}

// open opens a file and reads its footer.
func open(path string) (*input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, inFile(path, err)
	}
	in := &input{path: path, os: f}
	if in.stamp, err = stampOf(f); err == nil {
		in.meta, err = readFooter(f, in.stamp.size)
	}
	if err != nil {
		_ = f.Close()
		return nil, inFile(path, err)
	}
	return in, nil
}

func (in *input) close() error { return in.os.Close() }

// same makes sure that the file is still the one with the given stamp.
func (in *input) same(s stamp) error {
	now, err := stampOf(in.os)
	if err != nil {
		return inFile(in.path, err)
	}
	if now.size != s.size || !now.modified.Equal(s.modified) {
		return inFile(in.path, corrupt("it changed while it was read"))
	}
	return nil
}

// source is the column of a file for a column of the spec.
type source struct {
	name string
	leaf *leaf // nil: the file has no such column, or it is always null
	unit bool
}

// sources finds the columns of the spec in a file and makes sure that they can
// be read.
func (in *input) sources(spec *analysis.Spec) ([]source, error) {
	leaves := leavesOf(in.meta)
	out := make([]source, len(spec.Columns))
	for i, c := range spec.Columns {
		l, err := find(leaves, c.Name)
		if err != nil {
			return nil, inFile(in.path, inColumn(c.Name, err))
		}
		out[i] = source{name: c.Name, unit: c.Role == analysis.Unit}
		if l == nil || l.form == alwaysNull {
			continue
		}
		out[i].leaf = l
		if group, err := in.checkChunks(l); err != nil {
			return nil, inFile(in.path, inGroup(group, inColumn(c.Name, err)))
		}
	}
	return out, nil
}

// checkChunks makes sure that the chunks of a column can be read and agree with
// the rest of the footer.
func (in *input) checkChunks(l *leaf) (group int, err error) {
	for i := range in.meta.RowGroups {
		g := &in.meta.RowGroups[i]
		chunk := &g.Columns[l.index]
		switch meta := &chunk.MetaData; {
		case chunk.FilePath != "":
			return i, unsupported("it is in another file, %q", chunk.FilePath)
		case chunk.CryptoMetadata.Value != nil:
			return i, unsupported("it is encrypted")
		case !known(meta.Codec):
			return i, unsupported("compression %v", meta.Codec)
		case meta.Type != l.stored:
			return i, corrupt("it is stored as %v, the schema says %v", meta.Type, l.stored)
		case meta.NumValues != g.NumRows:
			return i, corrupt("the footer counts %d values in %d rows", meta.NumValues, g.NumRows)
		}
	}
	return 0, nil
}

// group reads a row group, block by block. Its memory serves one row group after
// another.
type group struct {
	block   int // rows per batch
	memory  []cursor
	cursors []cursor // those in use
	tools   tools
	columns []source

	path  string
	index int   // of the row group
	rows  int64 // not read yet
	at    int   // the column being read
}

// newGroup returns a group for up to n columns at once.
func newGroup(n, block int) *group {
	return &group{block: block, memory: make([]cursor, n)}
}

// start begins with the given columns of row group i of a file.
func (g *group) start(in *input, columns []source, i int) error {
	g.path, g.index, g.columns = in.path, i, columns
	g.rows = in.meta.RowGroups[i].NumRows
	g.cursors = g.memory[:len(columns)]
	for k, s := range columns {
		g.at = k
		c := &g.cursors[k]
		if c.leaf = nil; s.leaf == nil {
			continue
		}
		if err := c.start(&g.tools, in, s.leaf, i, s.unit); err != nil {
			return g.where(err)
		}
	}
	return nil
}

// next fills b with the next rows. After the last it makes sure that no column
// has more, and returns io.EOF.
func (g *group) next(b *analysis.Batch) (err error) {
	defer g.rescue(&err)
	if g.rows == 0 {
		for i := range g.cursors {
			if g.at = i; g.cursors[i].leaf == nil {
				continue
			}
			if err := g.cursors[i].finish(); err != nil {
				return g.where(err)
			}
		}
		return io.EOF
	}
	b.Rows = int(min(g.rows, int64(g.block)))
	b.Columns = grow(b.Columns, len(g.cursors))
	for i := range g.cursors {
		g.at = i
		c, out := &g.cursors[i], &b.Columns[i]
		if c.leaf == nil {
			*out = analysis.Column{}
			continue
		}
		if err := c.fill(out, b.Rows); err != nil {
			return g.where(err)
		}
	}
	g.rows -= int64(b.Rows)
	return nil
}

// rescue turns a panic into an error: decoders of the libraries trust the counts
// they find in pages.
func (g *group) rescue(err *error) {
	if p := recover(); p != nil {
		*err = g.where(corrupt("decoding: %v", p))
	}
}

// where says where an error happened.
func (g *group) where(err error) error {
	return inFile(g.path, inGroup(g.index, inColumn(g.columns[g.at].name, err)))
}
