package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

type reporter func(io.Writer, *analysis.Verdict) error

// reportWriter returns the writer of a format.
func reportWriter(format string, verbose bool) (reporter, error) {
	switch format {
	case "text":
		return func(w io.Writer, v *analysis.Verdict) error {
			return v.WriteText(w, analysis.TextOptions{Verbose: verbose})
		}, nil
	case "markdown":
		return func(w io.Writer, v *analysis.Verdict) error { return v.WriteMarkdown(w) }, nil
	case "json":
		return func(w io.Writer, v *analysis.Verdict) error { return writeJSON(w, v) }, nil
	case "junit":
		return writeJUnit, nil
	}
	return nil, fmt.Errorf("--format %q is not known; use text, markdown, json or junit", format)
}

// checkFormat refuses a --format that no report without a verdict has.
func checkFormat(format string) error {
	if !slices.Contains([]string{"text", "markdown", "json"}, format) {
		return fmt.Errorf("--format %q is not known; use text, markdown or json", format)
	}
	return nil
}

// writeJSON writes a value as people read it.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// writePage writes a report in a format: the page, or as JSON what it is made of.
func writePage(w io.Writer, format string, p *page, of any) error {
	switch format {
	case "json":
		return writeJSON(w, of)
	case "markdown":
		return p.writeMarkdown(w)
	}
	return p.writeText(w)
}

// report writes the verdict to standard output, or to the file asked for.
func (o *checkOptions) report(v analysis.Verdict, write reporter, stdout io.Writer) error {
	if o.output == "" {
		return write(stdout, &v)
	}
	var buf bytes.Buffer
	if err := write(&buf, &v); err != nil {
		return err
	}
	if err := writeFile(o.output, buf.Bytes()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "%s (%s)\n", v.Headline(), o.output)
	return err
}
