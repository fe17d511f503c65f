package sla_test

import (
	"encoding"
	"errors"
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
)

type enum[T any] interface {
	*T
	encoding.TextUnmarshaler
}

// words checks that the values from 0 on have these words, and no others.
func words[T interface {
	~int8
	fmt.Stringer
	encoding.TextMarshaler
}, P enum[T]](t *testing.T, want ...string) {
	t.Helper()
	for i, w := range want {
		v := T(i)
		var back T
		b, err := v.MarshalText()
		if err != nil || string(b) != w || v.String() != w || P(&back).UnmarshalText(b) != nil || back != v {
			t.Errorf("%T %d: %q %v", v, i, b, err)
		}
	}
	unknown := T(len(want))
	if _, err := unknown.MarshalText(); !errors.Is(err, stats.ErrDomain) || unknown.String() != fmt.Sprintf("unknown(%d)", len(want)) {
		t.Errorf("%T: %v %v", unknown, unknown, err)
	}
	back := T(1)
	if err := P(&back).UnmarshalText([]byte("nonsense")); !errors.Is(err, stats.ErrDomain) || back != 1 {
		t.Errorf("%T: %v %v", back, back, err)
	}
}

// The zero values are the safe ones: no data, the page, the halt, the promotion.
func TestEnums(t *testing.T) {
	words[sla.Method](t, "occurrences", "timeslices", "ratio_timeslices")
	words[sla.MissingPolicy](t, "ignore", "bad", "good", "no_data")
	words[sla.State](t, "no_data", "ok", "at_risk", "exhausted")
	words[sla.Severity](t, "page", "ticket")
	words[sla.Decision](t, "halt", "warn", "allow")
	words[sla.Action](t, "promote", "fast_fix", "rollback")
	words[sla.NoDataPolicy](t, "hold", "warn", "allow")
	words[sla.IntervalMethod](t, "wilson", "clopper_pearson", "jeffreys")
	words[sla.CompositeMode](t, "worst_of", "serial", "parallel")
	words[sla.Unit](t, "rolling", "day", "week", "month", "quarter", "year")
}
