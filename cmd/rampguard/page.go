package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/rampguard/rampguard/adapters/fileevents"
)

// page is a report of headings, sentences, tables and charts, to be written as
// plain text or as Markdown.
type page struct{ parts []part }

type part struct {
	kind  partKind
	text  string
	table [][]string // the first row is the header
}

type partKind int

const (
	heading partKind = iota
	sentence
	list
	grid
	chart
)

func (p *page) heading(format string, args ...any) {
	p.parts = append(p.parts, part{kind: heading, text: fmt.Sprintf(format, args...)})
}

func (p *page) say(format string, args ...any) {
	p.parts = append(p.parts, part{kind: sentence, text: fmt.Sprintf(format, args...)})
}

func (p *page) item(format string, args ...any) {
	p.parts = append(p.parts, part{kind: list, text: fmt.Sprintf(format, args...)})
}

// table leaves out columns that are empty in every row.
func (p *page) table(rows [][]string) {
	if len(rows) < 2 {
		return
	}
	out := make([][]string, len(rows))
	for col := range rows[0] {
		used := false
		for _, r := range rows[1:] {
			used = used || r[col] != ""
		}
		if !used {
			continue
		}
		for i, r := range rows {
			out[i] = append(out[i], r[col])
		}
	}
	p.parts = append(p.parts, part{kind: grid, table: out})
}

func (p *page) chart(text string) {
	p.parts = append(p.parts, part{kind: chart, text: text})
}

// shown replaces what cannot be seen, such as the escape sequences of a terminal:
// names come from the data.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

func (p *page) writeText(w io.Writer) error {
	var sb strings.Builder
	for i, part := range p.parts {
		if (part.kind == sentence || part.kind == chart) && i > 0 && (p.parts[i-1].kind == grid || p.parts[i-1].kind == chart) {
			sb.WriteString("\n")
		}
		switch part.kind {
		case heading:
			if i > 0 {
				sb.WriteString("\n")
			}
			sb.WriteString(shown(part.text) + "\n")
		case sentence:
			sb.WriteString("  " + shown(part.text) + "\n")
		case list:
			sb.WriteString("  - " + shown(part.text) + "\n")
		case chart:
			for _, line := range strings.Split(shown(part.text), "\n") {
				sb.WriteString("  " + strings.TrimRight(line, " ") + "\n")
			}
		case grid:
			tw := tabwriter.NewWriter(&sb, 0, 0, 2, ' ', 0)
			for _, row := range part.table {
				cells := make([]string, len(row))
				for i, c := range row {
					cells[i] = shown(strings.NewReplacer("\n", " ", "\t", " ").Replace(c))
				}
				if _, err := fmt.Fprintln(tw, "  "+strings.Join(cells, "\t")+"\t"); err != nil {
					return err
				}
			}
			if err := tw.Flush(); err != nil {
				return err
			}
		}
	}
	var out strings.Builder
	for _, line := range strings.SplitAfter(sb.String(), "\n") {
		out.WriteString(strings.TrimRight(line, " \n"))
		if strings.HasSuffix(line, "\n") {
			out.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (p *page) writeMarkdown(w io.Writer) error {
	cell := strings.NewReplacer(`\`, `\\`, "|", `\|`, "\n", " ", "*", `\*`, "_", `\_`, "[", `\[`, "`", "'", "<", "&lt;")
	var sb strings.Builder
	last := heading
	for i, part := range p.parts {
		if i > 0 && !(part.kind == list && last == list) {
			sb.WriteString("\n")
		}
		last = part.kind
		switch part.kind {
		case heading:
			sb.WriteString("## " + cell.Replace(shown(part.text)) + "\n")
		case sentence:
			sb.WriteString(cell.Replace(shown(part.text)) + "\n")
		case list:
			sb.WriteString("- " + cell.Replace(shown(part.text)) + "\n")
		case chart:
			sb.WriteString("```\n" + strings.ReplaceAll(shown(part.text), "```", "'''") + "\n```\n")
		case grid:
			for i, row := range part.table {
				sb.WriteString("|")
				for _, c := range row {
					sb.WriteString(" " + cell.Replace(shown(c)) + " |")
				}
				sb.WriteString("\n")
				if i == 0 {
					sb.WriteString(strings.Repeat("|---", len(row)) + "|\n")
				}
			}
		}
	}
	_, err := io.WriteString(w, sb.String())
	return err
}

// badRows lists the rows of a log that could not be read.
func (p *page) badRows(bad []fileevents.BadRow, total, rows int) {
	p.say("%s of %s could not be read:", group(total), plural(rows, "row"))
	for _, b := range bad {
		p.item("%s", b)
	}
	if n := total - len(bad); n > 0 {
		p.item("and %s more; --max-bad lists more of them", group(n))
	}
}

// group formats a count with separators: 12,400.
func group[N int | uint64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is a number of things: 1 flight, 2 flights.
func plural[N int | uint64](n N, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return group(n) + " " + thing
}

// amount formats a number that need not be whole, to two decimals.
func amount(x float64) string {
	if !(math.Abs(x) < 1e15) || x != 0 && math.Abs(x) < 0.01 {
		return fmt.Sprintf("%.4g", x)
	}
	hundredths := uint64(math.Round(100 * math.Abs(x)))
	s := group(hundredths / 100)
	if r := hundredths % 100; r > 0 {
		s += strings.TrimRight(fmt.Sprintf(".%02d", r), "0")
	}
	if x < 0 {
		s = "-" + s
	}
	return s
}

// span writes whole days as days, and leaves out units that are zero: 3d, 1h, 30m.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// bar draws a share as a row of blocks.
func bar(share float64, width int) string {
	eighths := int(min(max(share, 0), 1)*float64(width)*8 + 0.5)
	s := strings.Repeat("█", eighths/8)
	if r := eighths % 8; r > 0 {
		s += string([]rune(" ▏▎▍▌▋▊▉")[r])
	}
	return s
}
