// Package faults makes logs with one planted fault each out of the real flight
// logs, for tests of what a verdict says about them. The command in make writes
// them as files.
package faults

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
)

// Flight is a row of the logs of testdata/flights, with what a fault needs beside.
type Flight struct {
	RequestID   int64     `parquet:"request_id"`
	TS          time.Time `parquet:"ts,timestamp(millisecond)"`
	Origin      string    `parquet:"origin,dict"`
	Destination string    `parquet:"destination,dict"`
	Hour        int32     `parquet:"hour"`
	Dow         int32     `parquet:"dow"`
	Distance    float64   `parquet:"distance"` // miles
	Score       float64   `parquet:"score"`
	Action      string    `parquet:"action,dict"`
	Label       *bool     `parquet:"label,optional"`
	Policy      string    `parquet:"policy_version,dict"` // of the thresholds behind Action
}

// logged is a row as the files of testdata/flights have it.
type logged struct {
	RequestID   int64     `parquet:"request_id"`
	TS          time.Time `parquet:"ts,timestamp(millisecond)"`
	Origin      string    `parquet:"origin"`
	Destination string    `parquet:"destination"`
	Hour        int32     `parquet:"hour"`
	Dow         int32     `parquet:"dow"`
	Distance    int32     `parquet:"distance"`
	Score       float64   `parquet:"score"`
	Action      string    `parquet:"action"`
	Label       *bool     `parquet:"label,optional"`
}

// Version is that of the thresholds in testdata/flights.
const Version = "2001-03"

// Read reads the named log of a folder such as testdata/flights.
func Read(dir, name string) ([]Flight, error) {
	rows, err := parquet.ReadFile[logged](filepath.Join(dir, name+".parquet"))
	if err != nil {
		return nil, err
	}
	out := make([]Flight, len(rows))
	for i, r := range rows {
		out[i] = Flight{r.RequestID, r.TS, r.Origin, r.Destination, r.Hour, r.Dow, float64(r.Distance), r.Score, r.Action, r.Label, Version}
	}
	return out, nil
}

// Write writes a log as Parquet.
func Write(w io.Writer, rows []Flight) error {
	p := parquet.NewGenericWriter[Flight](w, parquet.Compression(&parquet.Zstd))
	if _, err := p.Write(rows); err != nil {
		return err
	}
	return p.Close()
}

// Split deals the flights into two halves by a hash of their ids, another for each
// seed: an experiment without an effect.
func Split(rows []Flight, seed uint64) (a, b []Flight) {
	for _, r := range rows {
		if mix(uint64(r.RequestID)+mix(seed))&1 == 0 {
			a = append(a, r)
		} else {
			b = append(b, r)
		}
	}
	return a, b
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Fault is what goes wrong in a log.
type Fault struct {
	Name string
	Text string // what it does
	Do   func([]Flight)
}

// Airport is where the score is inverted.
const Airport = "ATL"

// All are the faults that can be planted.
func All() []Fault {
	return []Fault{
		{"inverted", "the score is inverted at " + Airport + " only", each(func(f *Flight) {
			if f.Origin == Airport {
				f.set(1 - f.Score)
			}
		})},
		{"unit", "the distance is in kilometres", each(func(f *Flight) { f.Distance *= 1.609344 })},
		{"distorted", "scores are raised to the power 0.8: the order stays", each(func(f *Flight) { f.set(math.Pow(f.Score, 0.8)) })},
		{"two_valued", "the score is 0.1 or 0.3", each(func(f *Flight) {
			if f.Score >= 0.2 {
				f.set(0.3)
			} else {
				f.set(0.1)
			}
		})},
		{"thresholds", "from the middle of the month on the thresholds are those of another version", func(rows []Flight) {
			from := middle(rows, 0.5)
			for i := range rows {
				if f := &rows[i]; !f.TS.Before(from) {
					f.Policy = "2001-04"
				}
			}
		}},
		{"labels_swapped", "delayed is called punctual and the other way round", each(func(f *Flight) {
			if f.Label != nil {
				swapped := !*f.Label
				f.Label = &swapped
			}
		})},
		{"labels_missing", "no labels from the last quarter of the month on", func(rows []Flight) {
			from := middle(rows, 0.75)
			for i := range rows {
				if f := &rows[i]; !f.TS.Before(from) {
					f.Label = nil
				}
			}
		}},
	}
}

func each(do func(*Flight)) func([]Flight) {
	return func(rows []Flight) {
		for i := range rows {
			do(&rows[i])
		}
	}
}

// set gives a flight another score and the action that follows from it.
func (f *Flight) set(score float64) {
	f.Score = score
	switch {
	case score >= 0.25:
		f.Action = "block"
	case score >= 0.15:
		f.Action = "review"
	default:
		f.Action = "allow"
	}
}

// middle is the time up to which a share of the flights was served.
func middle(rows []Flight, share float64) time.Time {
	times := make([]time.Time, len(rows))
	for i := range rows {
		times[i] = rows[i].TS
	}
	slices.SortFunc(times, time.Time.Compare)
	if len(times) == 0 {
		return time.Time{}
	}
	return times[int(share*float64(len(times)-1))]
}

// Plant returns a copy of the flights with the named fault.
func Plant(name string, rows []Flight) ([]Flight, error) {
	for _, f := range All() {
		if f.Name == name {
			out := slices.Clone(rows)
			f.Do(out)
			return out, nil
		}
	}
	return nil, fmt.Errorf("faults: %q is not known", name)
}
