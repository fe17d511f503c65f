package leadtime

import (
	"fmt"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// The words of the enumerations, in the order of their constants. They are the
// contract with files; the numbers are not.
var (
	kindWords = []string{"unknown", "signoff", "signoff_revoked", "stage_start", "stage_end", "serving", "traffic_change",
		"rollback_decided", "restored", "rejected", "withdrawn", "run_started", "run_ended", "registered",
		"incident_detected", "incident_resolved", "drift_alert", "retrained"}
	outcomeWords = []string{"unstated", "passed", "failed", "cancelled"}
	stateWords   = []string{"in_flight", "served", "rejected", "withdrawn"}
	sharingWords = []string{"equal_split", "priority"}
	regionWords  = []string{"last", "first"}
	reasonWords  = []string{"unknown", "unknown_kind", "missing_time", "time_out_of_range", "bad_interval", "missing_model",
		"missing_version", "missing_stage", "bad_attempt", "bad_traffic", "after_as_of", "duplicate", "other_environment",
		"no_signoff", "negative_lead_time", "after_end", "out_of_order_stage", "end_without_start", "nothing_to_revoke",
		"nothing_to_restore"}
	flagWords = []string{"clamped_skew", "interval_stamp", "resigned", "missing_stage_start", "out_of_order_stage",
		"implied_end", "open_stage", "implied_rollback"}
)

func word[T ~int8](words []string, v T) string {
	if int(v) < 0 || int(v) >= len(words) {
		return fmt.Sprintf("%T(%d)", v, int8(v))
	}
	return words[v]
}

func marshalWord[T ~int8](words []string, v T) ([]byte, error) {
	if int(v) < 0 || int(v) >= len(words) {
		return nil, fmt.Errorf("leadtime: %s has no name: %w", word(words, v), stats.ErrDomain)
	}
	return []byte(words[v]), nil
}

func unmarshalWord[T ~int8](words []string, v *T, what string, b []byte) error {
	for i, w := range words {
		if w == string(b) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("leadtime: %s %q is none of %s: %w", what, b, strings.Join(words, ", "), stats.ErrDomain)
}

// String returns the lower-case word used in files and reports.
func (k Kind) String() string { return word(kindWords, k) }

// MarshalText implements [encoding.TextMarshaler].
func (k Kind) MarshalText() ([]byte, error) { return marshalWord(kindWords, k) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *Kind) UnmarshalText(b []byte) error { return unmarshalWord(kindWords, k, "kind", b) }

// String returns the lower-case word used in files and reports.
func (o Outcome) String() string { return word(outcomeWords, o) }

// MarshalText implements [encoding.TextMarshaler].
func (o Outcome) MarshalText() ([]byte, error) { return marshalWord(outcomeWords, o) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *Outcome) UnmarshalText(b []byte) error { return unmarshalWord(outcomeWords, o, "outcome", b) }

// String returns the lower-case word used in files and reports.
func (s State) String() string { return word(stateWords, s) }

// MarshalText implements [encoding.TextMarshaler].
func (s State) MarshalText() ([]byte, error) { return marshalWord(stateWords, s) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *State) UnmarshalText(b []byte) error { return unmarshalWord(stateWords, s, "state", b) }

// String returns the lower-case word used in files and reports.
func (r Reason) String() string { return word(reasonWords, r) }

// MarshalText implements [encoding.TextMarshaler].
func (r Reason) MarshalText() ([]byte, error) { return marshalWord(reasonWords, r) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Reason) UnmarshalText(b []byte) error { return unmarshalWord(reasonWords, r, "reason", b) }

// String returns the lower-case word used in files and reports.
func (p RegionPolicy) String() string { return word(regionWords, p) }

// MarshalText implements [encoding.TextMarshaler].
func (p RegionPolicy) MarshalText() ([]byte, error) { return marshalWord(regionWords, p) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *RegionPolicy) UnmarshalText(b []byte) error {
	return unmarshalWord(regionWords, p, "region policy", b)
}

// String returns the lower-case word used in files and reports.
func (s Sharing) String() string { return word(sharingWords, s) }

// MarshalText implements [encoding.TextMarshaler].
func (s Sharing) MarshalText() ([]byte, error) { return marshalWord(sharingWords, s) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Sharing) UnmarshalText(b []byte) error { return unmarshalWord(sharingWords, s, "sharing", b) }

// String lists the names of the flags that are set, separated by commas.
func (f Flags) String() string { return strings.Join(f.names(), ",") }

func (f Flags) names() []string {
	var out []string
	for i, w := range flagWords {
		if f&(1<<i) != 0 {
			out = append(out, w)
		}
	}
	return out
}

// MarshalText implements [encoding.TextMarshaler]: the names, separated by commas.
func (f Flags) MarshalText() ([]byte, error) {
	if f >= 1<<len(flagWords) {
		return nil, fmt.Errorf("leadtime: Flags(%d) has no name: %w", uint16(f), stats.ErrDomain)
	}
	return []byte(f.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (f *Flags) UnmarshalText(b []byte) error {
	*f = 0
	if len(b) == 0 {
		return nil
	}
	for _, name := range strings.Split(string(b), ",") {
		var bit int8
		if err := unmarshalWord(flagWords, &bit, "flag", []byte(name)); err != nil {
			return err
		}
		*f |= 1 << bit
	}
	return nil
}
