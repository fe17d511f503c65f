package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

var background = context.Background()

// refuses says what is wrong with the answer to something that has to be refused
// with an error that names it.
func (t *trial) refuses(got *analysis.Snapshot, err error, name string) string {
	base := filepath.Base(name)
	switch {
	case err == nil:
		return "no error"
	case got != nil:
		return fmt.Sprintf("a snapshot beside the error: %v", err)
	case !strings.Contains(err.Error(), base):
		return fmt.Sprintf("an error that does not name %q: %v", base, err)
	}
	return ""
}

func damageRule(t *trial) string {
	for _, workers := range []int{1, 2} {
		names, err := t.store(t.parts(3)...)
		if err != nil {
			return err.Error()
		}
		damage := t.Damage
		if damage == nil {
			damage = halve
		}
		if err := damage(names[1]); err != nil {
			return fmt.Sprintf("Damage: %v", err)
		}
		got, err := t.Collect(background, t.spec, t.options(workers), names...)
		if said := t.refuses(got, err, names[1]); said != "" {
			return said
		}
	}
	return ""
}

func halve(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return os.Truncate(name, info.Size()/2)
}

func cancelRule(t *trial) string {
	names, err := t.store(t.parts(5)...)
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	got, err := t.Collect(ctx, t.spec, t.options(2), names...)
	if !errors.Is(err, context.Canceled) || got != nil {
		return fmt.Sprintf("cancelled before the call: error %v", err)
	}
	late, stop := context.WithDeadline(background, time.Unix(1, 0))
	defer stop()
	if _, err := t.Collect(late, t.spec, t.options(2), names...); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("after the deadline: error %v", err)
	}
	if t.NoProgress {
		return ""
	}
	ctx, cancel = context.WithCancel(background)
	defer cancel()
	o := t.options(1)
	o.Progress = func(int64, int) { cancel() }
	if _, err := t.Collect(ctx, t.spec, o, names...); !errors.Is(err, context.Canceled) {
		return fmt.Sprintf("cancelled by the first report of progress, of five tables with one worker: error %v", err)
	}
	return ""
}

func goroutinesRule(t *trial) string {
	names, err := t.store(t.parts(5)...)
	if err != nil {
		return err.Error()
	}
	call := func(o Options, cancelled bool, names ...string) int {
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		if cancelled {
			o.Progress = func(int64, int) { cancel() }
		}
		before := runtime.NumGoroutine()
		_, _ = t.Collect(ctx, t.spec, o, names...) // other rules look at the answer
		left := 0
		for range 100 {
			if left = runtime.NumGoroutine() - before; left <= 0 {
				return 0
			}
			time.Sleep(5 * time.Millisecond)
		}
		return left
	}
	o := t.options(4)
	call(o, false, names...) // what is started once, such as a pool, may stay
	if n := call(o, false, names...); n > 0 {
		return fmt.Sprintf("%d are left after the call", n)
	}
	if n := call(o, false, append(names[:len(names):len(names)], names[0]+"-not-there")...); n > 0 {
		return fmt.Sprintf("%d are left after an error", n)
	}
	if n := call(o, true, names...); n > 0 {
		return fmt.Sprintf("%d are left after a cancellation", n)
	}
	return ""
}

func progressRule(t *trial) string {
	if t.NoProgress {
		return ""
	}
	parts := t.parts(7)
	names, err := t.store(parts...)
	if err != nil {
		return err.Error()
	}
	for _, workers := range []int{1, 3} {
		var busy atomic.Int32
		var mu sync.Mutex
		said := ""
		lastRows, lastTables := int64(0), 0
		o := t.options(workers)
		o.Progress = func(rows int64, tables int) {
			if busy.Add(1) > 1 {
				mu.Lock()
				said = "it is reported twice at once"
				mu.Unlock()
			}
			mu.Lock()
			if rows < lastRows || tables < lastTables {
				said = fmt.Sprintf("%d rows and %d tables come after %d and %d", rows, tables, lastRows, lastTables)
			}
			lastRows, lastTables = rows, tables
			mu.Unlock()
			time.Sleep(50 * time.Microsecond) // so that a second report can be met
			busy.Add(-1)
		}
		if _, err := t.Collect(background, t.spec, o, names...); err != nil {
			return fmt.Sprintf("an error: %v", err)
		}
		if said != "" {
			return said
		}
		if lastRows != int64(t.table.Rows()) || lastTables != len(parts) {
			return fmt.Sprintf("it ends with %d rows of %d and %d tables of %d", lastRows, t.table.Rows(), lastTables, len(parts))
		}
	}
	return ""
}
