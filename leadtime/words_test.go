package leadtime_test

import (
	"encoding"
	"errors"
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

type named[T any] interface {
	*T
	encoding.TextUnmarshaler
}

// checkWords round-trips the names of n values and refuses what is beyond them.
func checkWords[T interface {
	~int8
	fmt.Stringer
	encoding.TextMarshaler
}, P named[T]](t *testing.T, n int) {
	t.Helper()
	seen := map[string]bool{}
	for i := range n {
		v := T(i)
		b, err := v.MarshalText()
		if err != nil || seen[string(b)] || v.String() != string(b) {
			t.Errorf("%T(%d) is %q, %v", v, i, b, err)
		}
		seen[string(b)] = true
		var back T
		if err := P(&back).UnmarshalText(b); err != nil || back != v {
			t.Errorf("%q is %v, %v", b, back, err)
		}
	}
	for _, v := range []T{T(n), T(-1)} {
		if b, err := v.MarshalText(); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%T(%d) is %q", v, int8(v), b)
		}
		if v.String() == "" {
			t.Errorf("%T(%d) has no String", v, int8(v))
		}
	}
	var v T
	if err := P(&v).UnmarshalText([]byte("nonsense")); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("%T: nonsense is %v", v, v)
	}
}

func TestWords(t *testing.T) {
	checkWords[leadtime.Kind](t, int(leadtime.Retrained)+1)
	checkWords[leadtime.Outcome](t, int(leadtime.Cancelled)+1)
	checkWords[leadtime.State](t, int(leadtime.StateWithdrawn)+1)
	checkWords[leadtime.Reason](t, int(leadtime.NothingToRestore)+1)
	checkWords[leadtime.Sharing](t, int(leadtime.Priority)+1)
	checkWords[leadtime.RegionPolicy](t, int(leadtime.FirstRegion)+1)
	for f := range leadtime.FlagImpliedRollback << 1 {
		b, err := f.MarshalText()
		var back leadtime.Flags
		if err != nil || back.UnmarshalText(b) != nil || back != f {
			t.Fatalf("flags %b are %q, %b, %v", f, b, back, err)
		}
	}
	if _, err := (leadtime.FlagImpliedRollback << 1).MarshalText(); !errors.Is(err, stats.ErrDomain) {
		t.Error("a flag without a name has a name")
	}
	var f leadtime.Flags
	if err := f.UnmarshalText([]byte("resigned,nonsense")); !errors.Is(err, stats.ErrDomain) {
		t.Error("nonsense is a flag")
	}
}
