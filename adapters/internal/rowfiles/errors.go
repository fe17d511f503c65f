package rowfiles

import (
	"errors"
	"fmt"
)

// Sentinel errors, which the adapters export.
var (
	ErrNoFiles     = errors.New("no such file")
	ErrCorrupt     = errors.New("damaged file")
	ErrUnsupported = errors.New("not supported")
)

// Corrupt reports what contradicts the format of a file.
func Corrupt(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrCorrupt)
}

// Unsupported reports what is not read.
func Unsupported(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrUnsupported)
}

// InColumn says in which column an error happened.
func InColumn(name string, err error) error {
	return fmt.Errorf("column %q: %w", name, err)
}

// in says in which file an error happened.
func in(adapter, path string, err error) error {
	return fmt.Errorf("%s: %s: %w", adapter, path, err)
}
