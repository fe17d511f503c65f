package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/adapters/arrowrows"
	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/labeldelay"
	"github.com/rampguard/rampguard/stats"
)

// labelsOptions are the flags of "rampguard labels".
type labelsOptions struct {
	logs                            []string
	served, labelled, label, by, at string
	share                           float64
	format                          string
}

// maxGroups bounds the curves, and with them the memory.
const maxGroups = 50

// labelsReport is everything that the command reports; it is the JSON form.
type labelsReport struct {
	At     time.Time      `json:"at"`
	Rows   uint64         `json:"rows"`
	Groups []*labelsGroup `json:"groups"`
	Left   leftOutRows    `json:"left_out"`
	share  float64
}

// leftOutRows counts rows that cannot say how long labels take.
type leftOutRows struct {
	Unserved uint64 `json:"without_served_time"`
	Future   uint64 `json:"served_after_at"`
	Timeless uint64 `json:"labels_without_arrival_time"`
	Early    uint64 `json:"labels_before_served"`
}

func (l leftOutRows) total() uint64 { return l.Unserved + l.Future + l.Timeless + l.Early }

func newLabels(stdout io.Writer) *cobra.Command {
	var o labelsOptions
	cmd := &cobra.Command{
		Use:   "labels --log PATTERN --served COLUMN --labelled COLUMN",
		Short: "Say how long labels take to arrive, and propose labels.maturity",
		Long: `labels reads prediction logs (Parquet, CSV, JSON Lines or Arrow) with the time at which a row
was served and the time at which its label arrived, and estimates the share of labels
that has arrived by age. Rows whose label has not arrived by --at are waited for: they
count as at risk up to their age then (Kaplan-Meier), not as labels that never come.

Memory does not grow with the number of rows: delays are counted in cells of 1/128
relative width. Without --at the logs are read twice, the first time for the last
time in them.

Exit status: 0 when the curve was printed, whatever it says; 2 when the logs could not
be read, or hold no row that can be used.`,
		Example: `  rampguard labels --log 'predictions*.parquet' --served ts --labelled label_ts
  rampguard labels --log log.csv --served ts --labelled label_ts --label label --at 2025-07-01T00:00:00Z
  rampguard labels --log 'log-*.parquet' --served ts --labelled label_ts --by arm --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), stdout) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.logs, "log", nil, "prediction log, or a quoted pattern of them; may be repeated")
	f.StringVar(&o.served, "served", "", "column with the time at which a row was served")
	f.StringVar(&o.labelled, "labelled", "", "column with the time at which its label arrived; missing: not yet")
	f.StringVar(&o.label, "label", "", "column of the label; a row without a value in it has no label, whatever the time says")
	f.StringVar(&o.by, "by", "", "a curve for each value of this column, such as the arm")
	f.StringVar(&o.at, "at", "", "when the logs were written; later labels count as not there yet (default: the last time in the logs)")
	f.Float64Var(&o.share, "share", 0.99, "share of the labels that arrive at all, which are to be there at maturity")
	f.StringVar(&o.format, "format", "text", "text, markdown or json")
	for _, name := range []string{"log", "served", "labelled"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return cmd
}

func (o *labelsOptions) run(ctx context.Context, stdout io.Writer) error {
	if err := checkFormat(o.format); err != nil {
		return err
	}
	if !(o.share > 0 && o.share < 1) {
		return fmt.Errorf("--share %v is not between 0 and 1, such as 0.99", o.share)
	}
	r, err := o.report(ctx)
	if err != nil {
		return err
	}
	return writePage(stdout, o.format, r.page(), r)
}

func (o *labelsOptions) report(ctx context.Context) (*labelsReport, error) {
	at, err := instant("--at", o.at, time.UTC)
	if err != nil {
		return nil, err
	}
	paths, err := expand(o.logs)
	if err != nil {
		return nil, err
	}
	var specs []analysis.ColumnSpec
	for _, name := range []string{o.served, o.labelled, o.label, o.by} {
		if name != "" {
			specs = append(specs, analysis.ColumnSpec{Name: name})
		}
	}
	if o.served == o.labelled {
		return nil, fmt.Errorf("--served and --labelled are both %s; name two columns of times", o.served)
	}
	spec, err := analysis.NewSpec(analysis.Binary, specs...)
	if err != nil {
		return nil, err
	}
	t := &delays{o: o, spec: spec, at: at.UnixMicro(), counts: map[string]*labeldelay.Counts{}}
	if at.IsZero() {
		if t.at, err = t.last(ctx, paths); err != nil {
			return nil, err
		}
	}
	if err := t.read(ctx, paths, t.add); err != nil {
		return nil, err
	}
	r := &labelsReport{At: time.UnixMicro(t.at).UTC(), Rows: t.rows, Left: t.left, share: o.share}
	for _, name := range slices.Sorted(maps.Keys(t.counts)) {
		g, err := newLabelsGroup(name, t.counts[name], o.share)
		if err != nil {
			return nil, err
		}
		r.Groups = append(r.Groups, g)
	}
	if len(r.Groups) == 0 {
		return nil, fmt.Errorf("none of the %s can be used: %s", plural(t.rows, "row"), r.Left)
	}
	return r, nil
}

// delays counts the rows of logs.
type delays struct {
	o      *labelsOptions
	spec   *analysis.Spec
	at     int64 // in microseconds
	rows   uint64
	left   leftOutRows
	counts map[string]*labeldelay.Counts

	dict   *analysis.Dict // of the codes in groups
	groups []*labeldelay.Counts
}

// rowReader is what all readers of logs are.
type rowReader interface {
	Next(b *analysis.Batch) error
	Close() error
}

func (t *delays) open(path string) (rowReader, error) {
	switch formatOf(path) {
	case formatText:
		return csvrows.Open(path, t.spec, csvrows.Options{
			Types: map[string]analysis.Type{t.o.served: analysis.Time, t.o.labelled: analysis.Time}})
	case formatArrow:
		return arrowrows.Open(path, t.spec, arrowrows.Options{})
	case formatParquet:
	}
	return parquetrows.Open(path, t.spec, parquetrows.Options{})
}

// read hands the batches of the logs to f, one file after the other.
func (t *delays) read(ctx context.Context, paths []string, f func(path string, b *analysis.Batch) error) error {
	for _, path := range paths {
		if err := t.readOne(ctx, path, f); err != nil {
			return err
		}
	}
	return nil
}

func (t *delays) readOne(ctx context.Context, path string, f func(path string, b *analysis.Batch) error) (err error) {
	r, err := t.open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var b analysis.Batch
	for {
		if err := cmp.Or(ctx.Err(), r.Next(&b)); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := f(path, &b); err != nil {
			return err
		}
	}
}

// column is the named column of a batch; nil for no name.
func (t *delays) column(b *analysis.Batch, name string) *analysis.Column {
	for i, c := range t.spec.Columns {
		if c.Name == name && name != "" {
			return &b.Columns[i]
		}
	}
	return nil
}

// times are the two columns of times of a batch. A column of labels that have all
// not arrived may be of any type without values.
func (t *delays) times(path string, b *analysis.Batch) (served, labelled *analysis.Column, err error) {
	served, labelled = t.column(b, t.o.served), t.column(b, t.o.labelled)
	for _, c := range []struct {
		name string
		c    *analysis.Column
	}{{t.o.served, served}, {t.o.labelled, labelled}} {
		switch {
		case c.c.Type == analysis.Absent && c.c == served:
			return nil, nil, fmt.Errorf("%s: there is no column %s; --served names the time at which a row was served", path, c.name)
		case c.c.Type != analysis.Absent && c.c.Type != analysis.Time:
			return nil, nil, fmt.Errorf("%s: column %s is of type %v, want times; write it as a timestamp", path, c.name, c.c.Type)
		}
	}
	return served, labelled, nil
}

func known(c *analysis.Column, i int) bool {
	return c.Type != analysis.Absent && (c.Valid == nil || c.Valid[i])
}

// last is the last time in the logs.
func (t *delays) last(ctx context.Context, paths []string) (int64, error) {
	last, found := int64(0), false
	err := t.read(ctx, paths, func(path string, b *analysis.Batch) error {
		served, labelled, err := t.times(path, b)
		if err != nil {
			return err
		}
		for _, c := range []*analysis.Column{served, labelled} {
			for i, x := range c.Ints {
				if known(c, i) && (!found || x > last) {
					last, found = x, true
				}
			}
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("no row of %s has a time in column %s", plural(len(paths), "log"), t.o.served)
	}
	return last, err
}

// add counts the rows of a batch.
func (t *delays) add(path string, b *analysis.Batch) error {
	served, labelled, err := t.times(path, b)
	if err != nil {
		return err
	}
	label, by := t.column(b, t.o.label), t.column(b, t.o.by)
	switch {
	case label != nil && label.Type == analysis.Absent:
		return fmt.Errorf("%s: there is no column %s, which --label names", path, t.o.label)
	case by != nil && by.Type == analysis.Absent:
		return fmt.Errorf("%s: there is no column %s, which --by names", path, t.o.by)
	}
	for i := range b.Rows {
		t.rows++
		arrived := known(labelled, i)
		if label != nil {
			switch has := known(label, i); {
			case has && !arrived:
				t.left.Timeless++
				continue
			case !has:
				arrived = false
			}
		}
		switch {
		case !known(served, i):
			t.left.Unserved++
			continue
		case served.Ints[i] > t.at:
			t.left.Future++
			continue
		case arrived && labelled.Ints[i] < served.Ints[i]:
			t.left.Early++
			continue
		}
		c, err := t.group(by, i)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if arrived && labelled.Ints[i] <= t.at {
			c.Arrived(float64(labelled.Ints[i]-served.Ints[i]) / 1e6)
		} else {
			c.Waiting(float64(t.at-served.Ints[i]) / 1e6)
		}
	}
	return nil
}

// group are the counts that a row belongs to.
func (t *delays) group(by *analysis.Column, i int) (*labeldelay.Counts, error) {
	if by == nil {
		return t.named("")
	}
	if !known(by, i) {
		return t.named("(none)")
	}
	switch by.Type {
	case analysis.String:
		code := int(by.Codes[i])
		if code < 0 || code >= len(by.Dict.Values) {
			return nil, fmt.Errorf("code %d of a dictionary of %d: %w", code, len(by.Dict.Values), stats.ErrMismatch)
		}
		if by.Dict != t.dict {
			t.dict, t.groups = by.Dict, t.groups[:0]
		}
		for len(t.groups) <= code {
			t.groups = append(t.groups, nil)
		}
		if t.groups[code] == nil {
			c, err := t.named(by.Dict.Values[code])
			if err != nil {
				return nil, err
			}
			t.groups[code] = c
		}
		return t.groups[code], nil
	case analysis.Bool:
		return t.named(strconv.FormatBool(by.Bools[i]))
	case analysis.Int:
		return t.named(strconv.FormatInt(by.Ints[i], 10))
	case analysis.Absent, analysis.Float, analysis.Time:
	}
	return nil, fmt.Errorf("column %s is of type %v; --by takes names, whole numbers, or yes and no", t.o.by, by.Type)
}

func (t *delays) named(name string) (*labeldelay.Counts, error) {
	c := t.counts[name]
	if c == nil {
		if len(t.counts) == maxGroups {
			return nil, fmt.Errorf("column %s has more than %d values; take one with fewer", t.o.by, maxGroups)
		}
		c = &labeldelay.Counts{}
		t.counts[name] = c
	}
	return c, nil
}
