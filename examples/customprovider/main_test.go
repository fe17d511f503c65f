package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// access writes a log of n requests of which every k-th failed.
func access(t *testing.T, n, k int, ms float64) string {
	t.Helper()
	var sb strings.Builder
	for i := range n {
		status := 200
		if i%k == k-1 {
			status = 503
		}
		fmt.Fprintln(&sb, status, ms+float64(i%20))
	}
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, []byte(sb.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVerdicts(t *testing.T) {
	sound := access(t, 5000, 100, 20)
	now := time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		why, candidate string
		want           analysis.Decision
		reason         string
	}{
		{"as many errors, as fast", access(t, 5000, 101, 20), analysis.Continue, analysis.ReasonNoHarm},
		{"ten times the errors", access(t, 5000, 10, 20), analysis.Rollback, analysis.ReasonHarm},
		{"slow", access(t, 5000, 100, 300), analysis.Pause, analysis.ReasonHarm},
		{"no requests yet", access(t, 0, 1, 0), analysis.Pause, analysis.ReasonNoEvidence},
		{"no log", filepath.Join(t.TempDir(), "none.log"), analysis.Pause, analysis.ReasonProvider},
	} {
		v, err := judge(sound, tt.candidate, now)
		if err != nil {
			t.Fatal(err)
		}
		if v.Decision != tt.want || v.Reasons[0].Code != tt.reason {
			t.Errorf("%s: %v because of %v, want %v because of %s", tt.why, v.Decision, v.Reasons, tt.want, tt.reason)
		}
	}
}
