package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/rampguard/rampguard/analysis"
)

// readOverrides reads a YAML or JSON list of overrides.
func readOverrides(path string) ([]analysis.Override, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var raw []map[string]any
	dec := yaml.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&raw); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: not a list of overrides such as [{action: accept, check: srm, who: ann, why: known outage, expires: 2026-01-31T15:00:00Z}]: %w", path, err)
	}
	var out []analysis.Override
	for i, m := range raw {
		j, err := json.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("%s: override %d: %w", path, i+1, err)
		}
		var o analysis.Override
		strict := json.NewDecoder(bytes.NewReader(j))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&o); err != nil {
			return nil, fmt.Errorf("%s: override %d: %w", path, i+1, err)
		}
		out = append(out, o)
	}
	return out, nil
}

// measurement is one line of a file of measurements.
type measurement struct {
	Arm     string    `json:"arm"`
	Metric  string    `json:"metric"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Total   *float64  `json:"total"`
	Count   *float64  `json:"count"`
	Squares *float64  `json:"squares"`
	Edges   []float64 `json:"edges"`
	Buckets []uint64  `json:"buckets"`
}

// readMeasurements adds what a JSON Lines file holds of the metrics of the two
// arms to their snapshots.
func readMeasurements(path string, baseline, candidate *analysis.Snapshot) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	type window struct{ arm, metric, start string }
	first := map[window]int{}
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var m measurement
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&m); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		arm := map[string]*analysis.Snapshot{"baseline": baseline, "candidate": candidate}[m.Arm]
		if arm == nil {
			return fmt.Errorf("%s:%d: arm %q is neither baseline nor candidate", path, n, m.Arm)
		}
		w := window{m.Arm, m.Metric, m.Start.UTC().Format(time.RFC3339Nano)}
		if before, twice := first[w]; twice {
			return fmt.Errorf("%s:%d: a window of %s of the %s that begins at %s is on line %d, too, and would count twice", path, n, m.Metric, m.Arm, w.start, before)
		}
		first[w] = n
		if err := arm.AddMeasurement(analysis.Measurement{Metric: m.Metric, Start: m.Start, End: m.End,
			Total: m.Total, Count: m.Count, Squares: m.Squares, Edges: m.Edges, Buckets: m.Buckets}); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// isSnapshot tells stored snapshots from logs by their name.
func isSnapshot(path string) bool {
	ext := filepath.Ext(path)
	return ext == ".snapshot" || ext == ".json"
}
