// Flights_csv writes the flight logs of testdata/flights as CSV files, for the
// reference scripts, which have no reader of Parquet files:
//
//	go run ./testdata/reference/flights_csv FOLDER
//
// It also writes cells.json: for each candidate and column, the cells into which
// drift.Numeric puts the values of both arms, by their bounds, so that a script
// can count the rows of the CSV files in the same cells.
package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

type flight struct {
	Origin   string  `parquet:"origin"`
	Hour     int32   `parquet:"hour"`
	Dow      int32   `parquet:"dow"`
	Distance int32   `parquet:"distance"`
	Score    float64 `parquet:"score"`
	Action   string  `parquet:"action"`
	Label    *bool   `parquet:"label,optional"`
}

type cell struct {
	Kind string      `json:"kind"`
	Lo   stats.Float `json:"lo"`
	Hi   stats.Float `json:"hi"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: flights_csv FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "flights_csv:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	logs := map[string][]flight{}
	for _, name := range []string{"baseline", "candidate", "candidate_broken"} {
		rows, err := parquet.ReadFile[flight](filepath.Join("testdata", "flights", name+".parquet"))
		if err != nil {
			return err
		}
		if err := write(filepath.Join(out, name+".csv"), rows); err != nil {
			return err
		}
		logs[name] = rows
	}
	cells := map[string]map[string][]cell{}
	for _, name := range []string{"candidate", "candidate_broken"} {
		cells[name] = map[string][]cell{}
		for _, column := range []string{"score", "distance", "hour"} {
			cs, err := drift.Numeric(histogram(column, logs["baseline"]), histogram(column, logs[name]), drift.Options{})
			if err != nil {
				return err
			}
			for _, c := range cs.Info {
				cells[name][column] = append(cells[name][column], cell{c.Kind.String(), stats.Float(c.Lo), stats.Float(c.Hi)})
			}
		}
	}
	b, err := json.Marshal(cells)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "cells.json"), b, 0o600)
}

func histogram(column string, rows []flight) *summary.Histogram {
	h := &summary.Histogram{}
	if column == "score" {
		l, err := summary.NewLayout(summary.Probability)
		if err != nil {
			panic(err) // a constant layout
		}
		h = summary.NewHistogram(l)
	}
	for i := range rows {
		switch column {
		case "score":
			h.Add(rows[i].Score)
		case "distance":
			h.Add(float64(rows[i].Distance))
		case "hour":
			h.Add(float64(rows[i].Hour))
		}
	}
	return h
}

func write(path string, rows []flight) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	records := [][]string{{"origin", "hour", "dow", "distance", "score", "action", "label"}}
	for i := range rows {
		r := &rows[i]
		label := ""
		if r.Label != nil {
			label = map[bool]string{false: "0", true: "1"}[*r.Label]
		}
		records = append(records, []string{r.Origin, strconv.Itoa(int(r.Hour)), strconv.Itoa(int(r.Dow)), strconv.Itoa(int(r.Distance)),
			strconv.FormatFloat(r.Score, 'g', -1, 64), r.Action, label})
	}
	if err := w.WriteAll(records); err != nil {
		return err
	}
	return f.Close()
}
