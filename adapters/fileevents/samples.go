package fileevents

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/sla"
)

// Samples is what a file of samples held.
type Samples struct {
	Samples []sla.Sample // in the order of the rows
	Intake
}

// ReadSamples reads service level samples: the columns time, good, total and, when
// it is there, source. The form is of no importance; see [Read] for the rest.
//
// Counts are read as they are. Those that cannot be right, such as NaN and more good
// events than events, are left out by package sla, which names the line.
func ReadSamples(r io.Reader, o Options) (Samples, error) {
	var out Samples
	c := &sampleReader{samples: &out.Samples}
	in, err := newInput(o, c, &out.Intake)
	if err != nil {
		return out, err
	}
	c.o = in.o
	return out, in.read(r, "")
}

// ReadSamplesFile reads the samples of a file; see [ReadSamples].
func ReadSamplesFile(path string, o Options) (Samples, error) {
	var out Samples
	c := &sampleReader{samples: &out.Samples}
	o.Name = path
	in, err := newInput(o, c, &out.Intake)
	if err != nil {
		return out, err
	}
	c.o = in.o
	return out, in.readFile(path)
}

type sampleReader struct {
	o       Options
	samples *[]sla.Sample
	sharing
}

func (r *sampleReader) begin(names []string, header bool) error {
	if !header {
		return nil
	}
	for _, name := range []string{"time", "good", "total"} {
		if !slices.Contains(names, name) {
			return fmt.Errorf("no column %q among %s: %w", name, clip(strings.Join(names, ", ")), ErrFormat)
		}
	}
	return nil
}

func (r *sampleReader) known(name string) bool {
	return name == "time" || name == "good" || name == "total" || name == "source"
}

func (r *sampleReader) take(line int, fields []field) fault {
	s := sla.Sample{Line: line, Source: r.o.Source}
	var bad fault
	needs := []string{"time", "good", "total"}
	for i := range fields {
		f := &fields[i]
		if f.kind == empty {
			continue
		}
		switch f.name {
		case "time":
			bad = f.time(&s.At, &r.o)
		case "good":
			bad = f.float(&s.Good)
		case "total":
			bad = f.float(&s.Total)
		case "source":
			bad = f.string(&s.Source, r.share)
		}
		if bad.reason != "" {
			return bad
		}
		needs = slices.DeleteFunc(needs, func(name string) bool { return name == f.name })
	}
	if len(needs) > 0 {
		return fault{field: needs[0], reason: ReasonMissing}
	}
	*r.samples = append(*r.samples, s)
	return fault{}
}
