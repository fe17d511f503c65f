package rowfiles_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
)

func files(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.log", i)), []byte("data"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestFirstError returns the error of the first file, however long it takes to
// come to it.
func TestFirstError(t *testing.T) {
	dir := files(t, 6)
	set, err := rowfiles.Find(rowfiles.Options{Adapter: "test", Workers: 3}, []string{dir + "/*.log", dir + "/3.log"})
	if err != nil || set.Len() != 6 {
		t.Fatal(set, err)
	}
	var calls atomic.Int32
	for range 20 {
		err = set.Each(context.Background(), func(ctx context.Context, _ int, f *rowfiles.File) error {
			calls.Add(1)
			switch f.Index {
			case 1:
				time.Sleep(2 * time.Millisecond)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return errors.New("slow")
			case 2:
				return errors.New("quick")
			}
			return nil
		})
		if err == nil || !strings.HasSuffix(err.Error(), "1.log: slow") {
			t.Fatalf("error %v", err)
		}
	}
}

// TestChange writes to a file while it is read, and before.
func TestChange(t *testing.T) {
	for _, early := range []bool{false, true} {
		dir := files(t, 2)
		set, err := rowfiles.Find(rowfiles.Options{Adapter: "test", Workers: 1}, []string{dir + "/*"})
		if err != nil {
			t.Fatal(err)
		}
		err = set.Each(context.Background(), func(_ context.Context, _ int, f *rowfiles.File) error {
			at := 1
			if early {
				at = 0
			}
			if f.Index == at {
				return os.WriteFile(dir+"/1.log", []byte("more data"), 0o600)
			}
			return nil
		})
		if !errors.Is(err, rowfiles.ErrCorrupt) || !strings.Contains(err.Error(), "1.log: it changed") {
			t.Errorf("before it is read %v: error %v", early, err)
		}
	}
}

func TestCause(t *testing.T) {
	set, err := rowfiles.Find(rowfiles.Options{Adapter: "test"}, []string{files(t, 1) + "/*"})
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("enough")
	ctx, stop := context.WithCancelCause(context.Background())
	stop(cause)
	if err := set.Each(ctx, func(context.Context, int, *rowfiles.File) error { return nil }); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
}
