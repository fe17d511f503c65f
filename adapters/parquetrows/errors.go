package parquetrows

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding"
)

// Sentinel errors. Every error of this package that is due to the files wraps
// one of them or the error of the file system, and names the file and, as far as
// they are known, the row group and the column.
var (
	// ErrCorrupt says that a file is not a Parquet file, is truncated or
	// damaged, contradicts its own footer, or changed while it was read.
	ErrCorrupt = errors.New("damaged Parquet file")

	// ErrUnsupported says that a file may be sound but holds something that is
	// not read: a nested column, encryption, a type without a counterpart in
	// [analysis.Type], an unknown encoding or compression.
	ErrUnsupported = errors.New("not supported")

	// ErrNoFiles says that there is nothing to read: no pattern was given, or
	// one of them matches no file.
	ErrNoFiles = errors.New("no such file")
)

// corrupt reports what contradicts the format.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrCorrupt)
}

// unsupported reports what is not read.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrUnsupported)
}

// isUnsupported reports whether the library does not know an encoding.
func isUnsupported(err error) bool { return errors.Is(err, encoding.ErrNotSupported) }

// inFile, inGroup and inColumn say where an error happened.
func inFile(path string, err error) error {
	return fmt.Errorf("parquetrows: %s: %w", path, err)
}

func inGroup(group int, err error) error {
	return fmt.Errorf("row group %d: %w", group, err)
}

func inColumn(name string, err error) error {
	return fmt.Errorf("column %q: %w", name, err)
}
