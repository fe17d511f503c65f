package foreign

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// draft is the policy to be written.
type draft struct {
	title  string   // what it was made from
	about  []string // comments at the top
	model  string
	stages []stage
	checks []check
}

type stage struct {
	name     string
	weight   float64
	duration time.Duration
	comment  string
}

// check is a gauge, or a guardrail of a provider's metric.
type check struct {
	comments  []string
	metric    string // of a guardrail; "" for a gauge
	of        string
	direction string
	bounds    limits // of the candidate's own value
	relative  limits // of candidate over baseline
	baseline  string
	k, n      int    // breaches of windows, of a gauge
	outage    uint64 // looks without the provider before a pause; 0 for no limit
	muted     bool
	optional  bool
	better    string // a check that knows about noise, as a comment
}

// limits are quantities as they are written, "" for none.
type limits struct{ pause, rollback string }

func (l limits) String() string {
	var parts []string
	if l.pause != "" {
		parts = append(parts, "pause: "+l.pause)
	}
	if l.rollback != "" {
		parts = append(parts, "rollback: "+l.rollback)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (c check) String() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if c.metric == "" {
		add("check: gauge")
	} else {
		add("check: guardrail")
		add("metric: %s", c.metric)
	}
	add("of: %s", yamlText(c.of))
	add("direction: %s", c.direction)
	if c.bounds != (limits{}) {
		add("bounds: %v", c.bounds)
	}
	if c.relative != (limits{}) {
		add("relative: %v", c.relative)
	}
	if c.k > 0 && c.metric == "" {
		add("breach: {k: %d, of: %d}", c.k, c.n)
	}
	if c.baseline != "" {
		add("baseline: %s", c.baseline)
	}
	if c.outage > 0 {
		add("on_provider_error: {looks: %d, then: pause}", c.outage)
	}
	if c.optional {
		add("required: false")
	}
	if c.muted {
		add("muted: true")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Limits of a policy file; see analysis.LoadPolicy.
const (
	maxPolicySize = 256 << 10
	maxChecks     = 1000
)

func (d *draft) render(in *importer) ([]byte, error) {
	var sb strings.Builder
	line := func(format string, args ...any) {
		fmt.Fprintf(&sb, format, args...)
		sb.WriteByte('\n')
	}
	line("# Made from %s, %s. Read every line before you rely on it:", d.title, shorten(in.name))
	line("# what could not be taken over, and what differs, is in the notes of the import.")
	for _, text := range d.about {
		for _, l := range wrap(text, 96) {
			line("# %s", l)
		}
	}
	line("version: 1")
	if d.model != "" {
		line("model: {name: %s}", yamlText(d.model))
	}
	line("looks: continuous")
	if len(d.stages) > 0 {
		line("stages:")
		for _, s := range d.stages {
			text := fmt.Sprintf("  - {name: %s, weight: %s", yamlText(s.name), formatFloat(s.weight))
			if s.duration > 0 {
				text += ", duration: " + formatDuration(s.duration)
			}
			text += "}"
			if s.comment != "" {
				text += "  # " + printable(s.comment)
			}
			line("%s", text)
		}
	}
	line("checks:")
	for _, c := range d.checks {
		for _, text := range c.comments {
			for _, l := range wrap(text, 96) {
				line("  # %s", l)
			}
		}
		line("  - %v", c)
		if c.better != "" {
			line("  # Better, where the counts are at hand, because it knows their noise:")
			line("  # - %s", c.better)
		}
	}
	if len(d.checks) > maxChecks || sb.Len() > maxPolicySize {
		return nil, fmt.Errorf("foreign: Import: %s: %d checks in %d bytes are too many for a policy; split the file: %w", in.name, len(d.checks), sb.Len(), stats.ErrDomain)
	}
	return []byte(sb.String()), nil
}

// add takes a check over with a name of its own.
func (in *importer) add(c check) { in.out.checks = append(in.out.checks, c) }

// unique makes a name that no other metric has and that can be printed.
func (in *importer) unique(name string) string {
	name = cmp.Or(printable(name), "metric")
	out := name
	for i := 2; in.used[out]; i++ {
		out = fmt.Sprintf("%s-%d", name, i)
	}
	in.used[out] = true
	return out
}

// addStage takes a stage over. Weights that do not rise belong to the stage
// before.
func (in *importer) addStage(s stage) (own bool) {
	if n := len(in.out.stages); n > 0 && s.weight <= in.out.stages[n-1].weight {
		in.out.stages[n-1].duration += s.duration
		return false
	}
	s.name = fmt.Sprintf("step-%d", len(in.out.stages)+1)
	if s.weight == 100 {
		s.name = "full"
	}
	in.out.stages = append(in.out.stages, s)
	return true
}

var plainYAML = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// yamlText quotes a text where YAML would not read it back as it is.
func yamlText(s string) string {
	reserved := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	if plainYAML.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	return strconv.QuoteToGraphic(cmp.Or(printable(s), "?"))
}

// formatFloat writes a number as a person would.
func formatFloat(v float64) string {
	form := byte('g')
	if a := math.Abs(v); a >= 1e-6 && a < 1e16 {
		form = 'f'
	}
	return strconv.FormatFloat(v+0, form, -1, 64) // -0 becomes 0
}

// formatDuration writes 30m for 30m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// wrap breaks a text at spaces into lines of about width.
func wrap(text string, width int) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(printable(text)) {
		if line != "" && len(line)+1+len(w) > width {
			out = append(out, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+w, " ")
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}
