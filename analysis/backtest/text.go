package backtest

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText writes the report for people: what would have happened when, and the
// decisions over time, with equal ones in one line.
func (r Report) WriteText(out io.Writer) error {
	var sb strings.Builder
	line := func(format string, args ...any) {
		sb.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
	}
	n := len(r.Looks)
	line("%d looks: %d continue, %d pause, %d rollback.", n, r.Continues, r.Pauses, r.Rollbacks)
	for _, e := range []struct {
		what string
		at   *time.Time
	}{{"first pause", r.Paused}, {"harm proven", r.Harm}, {"rollback", r.RolledBack}, {"last stage done", r.Done}} {
		if e.at != nil {
			line("  %-16s %s", e.what, stamp(*e.at))
		}
	}
	line("")
	line("%-20s %5s  %-12s %13s %14s  %-9s %-8s %s", "from", "looks", "stage", "baseline rows", "candidate rows", "decision", "step", "reason")
	for i := 0; i < n; {
		j := i + 1
		for j < n && r.Looks[j].like(&r.Looks[i]) {
			j++
		}
		l, end := r.Looks[i], r.Looks[j-1]
		line("%-20s %5d  %-12s %13d %14d  %-9v %-8v %s", stamp(l.At), j-i, l.Stage, end.Rows.Baseline, end.Rows.Candidate, l.Decision, l.Step, l.why())
		i = j
	}
	if n > 0 {
		line("")
		line("At the end: %s", r.Looks[n-1].Reason.Text)
	}
	_, err := io.WriteString(out, sb.String())
	return err
}

// like reports whether two looks say the same.
func (l *Look) like(o *Look) bool {
	return l.Stage == o.Stage && l.Decision == o.Decision && l.Step == o.Step && l.why() == o.why()
}

func (l *Look) why() string {
	return strings.Join(strings.Fields(l.Reason.Code+" "+l.Reason.Check+" "+l.Reason.Metric), " ")
}
