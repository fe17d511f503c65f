package arrowcols

import (
	"fmt"
	"unsafe"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
)

// Allocator gives memory to the Arrow library, up to a limit: a damaged file can
// ask for any amount. Beyond the limit it panics with an error, as the library
// knows no other way; whoever calls the library recovers.
type Allocator struct {
	Limit int64
	used  int64
}

const alignment = 64

// Allocate implements the interface of the library.
func (a *Allocator) Allocate(size int) []byte {
	if size < 0 || int64(size) > a.Limit-a.used {
		panic(fmt.Errorf("%d bytes of memory beside %d in use, of %d allowed: %w", size, a.used, a.Limit, rowfiles.ErrUnsupported))
	}
	a.used += int64(size)
	b := make([]byte, size+alignment)
	skip := 0
	if rest := int(uintptr(unsafe.Pointer(unsafe.SliceData(b))) % alignment); rest > 0 {
		skip = alignment - rest
	}
	return b[skip:][:size:size]
}

// Reallocate implements the interface of the library.
func (a *Allocator) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	out := a.Allocate(size)
	copy(out, b)
	a.Free(b)
	return out
}

// Free implements the interface of the library.
func (a *Allocator) Free(b []byte) { a.used = max(0, a.used-int64(len(b))) }
