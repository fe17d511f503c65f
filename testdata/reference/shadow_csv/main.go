// Shadow_csv writes testdata/flights/shadow.parquet, in which two models scored the
// same flights, as a CSV file, for the reference script pairs.py:
//
//	go run ./testdata/reference/shadow_csv FILE
package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

type flight struct {
	Origin     string  `parquet:"origin"`
	Champion   float64 `parquet:"champion_score"`
	Challenger float64 `parquet:"challenger_score"`
	Label      *bool   `parquet:"label,optional"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: shadow_csv FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "shadow_csv:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	rows, err := parquet.ReadFile[flight](filepath.Join("testdata", "flights", "shadow.parquet"))
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"origin", "champion", "challenger", "label"})
	for _, r := range rows {
		label := ""
		if r.Label != nil {
			label = "0"
			if *r.Label {
				label = "1"
			}
		}
		_ = w.Write([]string{r.Origin, strconv.FormatFloat(r.Champion, 'g', -1, 64), strconv.FormatFloat(r.Challenger, 'g', -1, 64), label})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return f.Close()
}
