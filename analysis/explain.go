package analysis

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// TextOptions say how [Verdict.WriteText] writes.
type TextOptions struct {
	Width   int  // columns to wrap at; 0 means 100
	Verbose bool // show the numbers of findings that passed, and all slices, too
}

// WriteText writes the verdict for a person at a terminal: the decision, why,
// then each finding with its value, bound, sizes, and what would change it.
func (v *Verdict) WriteText(w io.Writer, o TextOptions) error {
	width := o.Width
	if width <= 0 {
		width = 100
	}
	var sb strings.Builder
	fmt.Fprintf(&sb, "%s\n", v.Headline())
	if v.Decision == Pause && v.Resume == Auto && v.CheckAfter > 0 {
		fmt.Fprintf(&sb, "Look again in about %s.\n", period(v.CheckAfter))
	}
	if line := v.stageLine(); line != "" {
		wrap(&sb, "", "", line, width)
	}
	if text := v.ifSound(); text != "" {
		wrap(&sb, "", "", text, width)
	}
	sb.WriteString("\nWhy\n")
	reasons := v.shownReasons(o.Verbose)
	for _, r := range reasons {
		if r.Code == ReasonWarning {
			continue
		}
		wrap(&sb, "  - ", "    ", label(r.Check)+r.Text, width)
	}
	if v.has(ReasonWarning) {
		sb.WriteString("\nWarnings\n")
		for _, r := range reasons {
			if r.Code == ReasonWarning {
				wrap(&sb, "  - ", "    ", label(r.Check)+r.Text, width)
			}
		}
	}
	sb.WriteString("\nFindings\n")
	findings, more := v.shown(o.Verbose)
	for _, f := range findings {
		f.writeText(&sb, width, o.Verbose)
		if n := more[f]; n > 0 {
			wrap(&sb, "  ", "      ", "[...] "+moreAlike(f, n), width)
		}
	}
	if len(v.Shadows) > 0 {
		sb.WriteString("\nShadow policies, which do not decide\n")
	}
	for i := range v.Shadows {
		wrap(&sb, "  - ", "    ", v.Shadows[i].line(""), width)
	}
	fmt.Fprintf(&sb, "\n%s\n", v.origin(""))
	_, err := io.WriteString(w, visible(sb.String()))
	return err
}

// stageLine says where a rollout in stages is and goes, or nothing.
func (v *Verdict) stageLine() string {
	switch {
	case v.Stage == "":
		return ""
	case v.Step == Advance:
		return fmt.Sprintf("Stage %s is over; stage %s may begin.", v.Stage, v.Next)
	case v.Step == Done:
		return fmt.Sprintf("Stage %s was the last: the rollout is done.", v.Stage)
	case v.Decision == Rollback:
		return fmt.Sprintf("Stage %s ends here.", v.Stage)
	}
	return fmt.Sprintf("Stay at stage %s.", v.Stage)
}

// line is a shadow verdict in one line.
func (s *ShadowVerdict) line(quote string) string {
	agrees := "agrees"
	if s.Disagrees {
		agrees = "disagrees"
	}
	text := fmt.Sprintf("policy %s%.12s%s %s: %v", quote, s.PolicyDigest, quote, agrees, s.Decision)
	if s.Decision == Pause {
		text += ", " + s.Resume.String()
	}
	switch {
	case s.Error != "":
		return text + ", because it could not be applied: " + s.Error
	case len(s.Reasons) > 0 && s.Disagrees:
		return text + ". " + label(s.Reasons[0].Check) + s.Reasons[0].Text
	}
	return text
}

// origin is the last line of a report: what the verdict was computed from.
func (v *Verdict) origin(quote string) string {
	short := func(digest string) string {
		if digest == "" {
			return "none"
		}
		return quote + digest[:min(len(digest), 12)] + quote
	}
	line := fmt.Sprintf("Engine %s, policy %s", v.Record.Engine, short(v.Record.PolicyDigest))
	if v.Record.Attempt > 1 {
		line += fmt.Sprintf(", attempt %d", v.Record.Attempt)
	}
	for _, in := range v.Record.Inputs {
		if in.Stage != "" {
			in.Arm += " of " + in.Stage
		}
		line += fmt.Sprintf(", %s %s (%s rows)", in.Arm, short(in.Digest), thousands(in.Rows))
	}
	return line
}

// visible replaces what cannot be seen, such as the escape sequences of a
// terminal: names of columns and values come from the data.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// period formats a wait in its largest fitting unit.
func period(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if d >= 2*u.unit {
			return fmt.Sprintf("%.0f %s", math.Round(float64(d)/float64(u.unit)), u.name)
		}
	}
	return fmt.Sprintf("%.0f seconds", d.Seconds())
}

// ifSound says what the untrusted findings would have asked for.
func (v *Verdict) ifSound() string {
	var names []string
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Untrusted && f.Outcome == Harm && f.Severity == SeverityRollback && !slices.Contains(names, f.title()) {
			names = append(names, f.title())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "Were the data sound, this would be a rollback (" + strings.Join(names, "; ") + "). Consider taking the candidate out by hand."
}

func (v *Verdict) has(code string) bool {
	return slices.ContainsFunc(v.Reasons, func(r Reason) bool { return r.Code == code })
}

// Headline is the decision in one line, with the models it is about.
func (v *Verdict) Headline() string {
	what := "PAUSE for more evidence"
	switch {
	case v.Decision == Continue:
		what = "CONTINUE"
	case v.Decision == Rollback:
		what = "ROLL BACK"
	case v.Resume == Manual:
		what = "PAUSE until a person has looked"
	}
	if v.Model.Name == "" {
		return what
	}
	return fmt.Sprintf("%s: %s, %s -> %s", what, v.Model.Name, v.Model.Baseline, v.Model.Candidate)
}

func label(check string) string {
	if check == "" {
		return ""
	}
	return check + ": "
}

func (f *Finding) writeText(sb *strings.Builder, width int, verbose bool) {
	wrap(sb, "  ", "      ", "["+f.verdictWord()+"] "+f.title(), width)
	wrap(sb, "      ", "      ", f.Message, width)
	if f.Outcome == Pass && !verbose {
		return
	}
	if line := f.numbers(); line != "" {
		wrap(sb, "      ", "      ", line, width)
	}
	if c := f.wouldChange(); c != "" {
		wrap(sb, "      ", "      ", c, width)
	}
	for _, w := range f.Warnings {
		wrap(sb, "      ! ", "        ", w.Message, width)
	}
}

func (f *Finding) verdictWord() string {
	w := f.Outcome.String()
	if f.Outcome == Harm {
		w += "/" + f.Severity.String()
	}
	if f.Untrusted {
		w += ", untrusted"
	}
	return w
}

func (f *Finding) title() string {
	t := f.Check
	if f.Metric != "" && f.Metric != f.Check {
		t += " " + f.Metric
	}
	if f.Column != "" {
		t += " of " + f.Column
	}
	if len(f.Slice) > 0 {
		t += " where " + f.Slice.String()
	}
	if f.Stage != "" {
		t += " in stage " + f.Stage
	}
	return t
}

// numbers is one line with the estimate, the limit and, unless the message has
// them, the sizes.
func (f *Finding) numbers() string {
	var parts []string
	if !math.IsNaN(f.Estimate.Point) {
		e := "estimate " + f.quantity(f.Estimate.Point)
		if f.Estimate.Level > 0 && !math.IsInf(f.Estimate.Hi-f.Estimate.Lo, 0) {
			e += fmt.Sprintf(", %s%% interval %s to %s", trim(100*f.Estimate.Level), f.quantity(f.Estimate.Lo), f.quantity(f.Estimate.Hi))
		}
		parts = append(parts, e)
	}
	if !math.IsNaN(float64(f.Limit)) {
		parts = append(parts, "limit "+f.quantity(float64(f.Limit)))
	}
	if f.N != (Counts{}) && (!strings.Contains(f.Message, thousands(f.N.Baseline)) || !strings.Contains(f.Message, thousands(f.N.Candidate))) {
		parts = append(parts, fmt.Sprintf("n = %s baseline, %s candidate", thousands(f.N.Baseline), thousands(f.N.Candidate)))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}

// wouldChange says in one sentence what evidence would change the outcome, or
// nothing when that is plain from the message.
func (f *Finding) wouldChange() string {
	switch f.Outcome {
	case Inconclusive, Insufficient:
		if f.UnitsNeeded == 0 {
			return ""
		}
		units := "units per arm"
		switch {
		case f.Pairs && len(f.Slice) > 0:
			units = "pairs of this slice"
		case f.Pairs:
			units = "pairs"
		case len(f.Slice) > 0:
			units = "units of this slice per arm"
		}
		if f.Outcome == Insufficient {
			return fmt.Sprintf("About %s more %s are asked for before it is judged.", thousands(f.UnitsNeeded), units)
		}
		return fmt.Sprintf("About %s more %s would decide.", thousands(f.UnitsNeeded), units)
	case Harm:
		if f.Alpha > 0 && !math.IsNaN(float64(f.HarmBound)) && !math.IsNaN(float64(f.Limit)) {
			return fmt.Sprintf("It is harm because it is at least %s with an error of %s; it would not be if that bound were at or below %s.",
				f.quantity(float64(f.HarmBound)), trim(f.Alpha), f.quantity(float64(f.Limit)))
		}
	case Pass:
		if f.Estimate.Level > 0 && f.Estimate.Hi < float64(f.Limit) {
			return fmt.Sprintf("It would no longer pass if the upper end of the interval reached %s.", f.quantity(float64(f.Limit)))
		}
	case Warn, NoData, ProviderError, Invalid, Muted:
	}
	return ""
}

// quantity formats a number in the finding's unit.
func (f *Finding) quantity(x float64) string {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return trim(x)
	}
	switch f.Unit {
	case "relative", "share":
		return trim(100*x) + "%"
	case "pp":
		return trim(100*x) + " pp"
	case "ratio":
		return trim(x) + "x"
	case "":
		return trim(x)
	}
	return trim(x) + " " + f.Unit
}

// trim formats a number with four significant digits, and one from a thousand on,
// as far as a float64 is exact, with all those before the point.
func trim(x float64) string {
	if a := math.Abs(x); a >= 1000 && a < 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// thousands formats a count with separators.
func thousands(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// wrap writes text in lines of at most width columns. Line ends in it count as
// spaces, so that no name can start a line of its own.
func wrap(sb *strings.Builder, first, rest, text string, width int) {
	prefix, used := first, 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > width {
			sb.WriteString("\n")
			used = 0
			prefix = rest
		}
		if used == 0 {
			sb.WriteString(prefix)
			used = utf8.RuneCountInString(prefix) + n
		} else {
			sb.WriteString(" ")
			used += 1 + n
		}
		sb.WriteString(word)
	}
	if used > 0 {
		sb.WriteString("\n")
	}
}

// WriteMarkdown writes the verdict for a pull request or a wiki: a headline, the
// reasons, and one table of findings.
func (v *Verdict) WriteMarkdown(w io.Writer) error {
	var sb strings.Builder
	fmt.Fprintf(&sb, "## %s\n\n", escape(v.Headline()))
	if v.Decision == Pause && v.Resume == Auto && v.CheckAfter > 0 {
		fmt.Fprintf(&sb, "Look again in about %s.\n\n", period(v.CheckAfter))
	}
	if line := v.stageLine(); line != "" {
		fmt.Fprintf(&sb, "%s\n\n", escape(line))
	}
	if text := v.ifSound(); text != "" {
		fmt.Fprintf(&sb, "%s\n\n", escape(text))
	}
	for _, r := range v.shownReasons(false) {
		mark := ""
		if r.Code == ReasonWarning {
			mark = "warning, "
		}
		if who := mark + strings.TrimSuffix(label(r.Check), " "); who != "" {
			fmt.Fprintf(&sb, "- **%s** %s\n", escape(who), escape(r.Text))
		} else {
			fmt.Fprintf(&sb, "- %s\n", escape(r.Text))
		}
	}
	sb.WriteString("\n| outcome | finding | estimate | interval | limit | n baseline | n candidate |\n|---|---|---|---|---|---:|---:|\n")
	findings, more := v.shown(false)
	for _, f := range findings {
		fmt.Fprintf(&sb, "| %s | %s | %s | %s | %s | %s | %s |\n", escape(f.verdictWord()), escape(f.title()),
			f.cell(f.Estimate.Point), f.intervalCell(), f.cell(float64(f.Limit)), thousands(f.N.Baseline), thousands(f.N.Candidate))
		if n := more[f]; n > 0 {
			fmt.Fprintf(&sb, "| ... | %s | | | | | |\n", escape(moreAlike(f, n)))
		}
	}
	for i := range v.Shadows {
		fmt.Fprintf(&sb, "\nShadow %s\n", escape(v.Shadows[i].line("")))
	}
	fmt.Fprintf(&sb, "\n%s\n", v.origin("`"))
	_, err := io.WriteString(w, visible(sb.String()))
	return err
}

func (f *Finding) cell(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return f.quantity(x)
}

func (f *Finding) intervalCell() string {
	if f.Estimate.Level == 0 || math.IsNaN(f.Estimate.Lo) {
		return ""
	}
	return fmt.Sprintf("%s to %s (%s%%)", f.quantity(f.Estimate.Lo), f.quantity(f.Estimate.Hi), trim(100*f.Estimate.Level))
}

// escape keeps text from breaking a Markdown table or list, and from becoming a
// link or a tag. In a pull request a value of the log must not call a person
// (@name), refer to an issue (#12, !12) or become an address, which the hosts of
// code look for after the Markdown is read: a space of no width stands in between.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "\n", " ", "\r", " ", "*", `\*`, "_", `\_`, "[", `\[`, "`", "'", "<", "&lt;", "&", "&amp;",
		"~", `\~`, "@", "@&#8203;", "#", "#&#8203;", "!", "!&#8203;", "://", ":&#8203;//", "www.", "www&#8203;.").Replace(s)
}
