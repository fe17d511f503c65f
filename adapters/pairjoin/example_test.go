package pairjoin_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/adapters/pairjoin"
	"github.com/rampguard/rampguard/analysis"
)

// Two models scored the same requests and logged them by themselves, in any order.
func ExampleJoin() {
	spec, err := analysis.NewPairSpec(analysis.PairSpec{Task: analysis.Binary, Baseline: "champion", Candidate: "challenger", Label: "fraud", Unit: "request"})
	if err != nil {
		fmt.Println(err)
		return
	}
	columns, err := pairjoin.LogSpec(spec, "score", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "logs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log := func(name, text string) pairjoin.Log {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			fmt.Println(err)
		}
		open := func(path string) (pairjoin.File, error) { return csvrows.Open(path, columns, csvrows.Options{}) }
		return pairjoin.Log{Spec: columns, Rows: pairjoin.NewFiles(open, path)}
	}
	r, err := pairjoin.Join(context.Background(),
		log("champion.csv", "request,score,fraud\n1,0.9,true\n2,0.2,false\n3,0.4,\n4,0.1,false\n4,0.1,false\n"),
		log("challenger.csv", "request,score,fraud\n3,0.8,true\n5,0.3,\n1,0.7,false\n2,0.1,\n"),
		spec, pairjoin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("pairs:", r.Pairs.RowCount, "with contradicting labels:", r.LabelConflicts)
	fmt.Printf("champion:   %+v\n", r.Baseline)
	fmt.Printf("challenger: %+v\n", r.Candidate)
	// Output:
	// pairs: 3 with contradicting labels: 1
	// champion:   {Rows:5 NoID:0 Only:0 Duplicate:2}
	// challenger: {Rows:4 NoID:0 Only:1 Duplicate:0}
}

// The flights of the example were scored by both models.
func ExampleCollect() {
	spec, err := analysis.NewPairSpec(analysis.PairSpec{Task: analysis.Binary, Baseline: "champion_score", Candidate: "challenger_score", Label: "label", Unit: "request_id"})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := pairjoin.NewFiles(pairjoin.Parquet(spec.Spec()), "../../testdata/flights/shadow.parquet")
	s, err := pairjoin.Collect(context.Background(), spec, rows, pairjoin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ids, _ := s.Units.Sampled()
	fmt.Println(s.RowCount, "pairs, rows per id in the sample:", s.Units.Clustering(), ids > 0)
	// Output:
	// 60000 pairs, rows per id in the sample: 1 true
}

// What each of the two logs has to bring.
func ExampleLogSpec() {
	spec := &analysis.PairSpec{Task: analysis.Binary, Baseline: "champion", Candidate: "challenger", Label: "fraud", Unit: "person"}
	columns, err := pairjoin.LogSpec(spec, "score", "request")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(columns.Names())
	// Output:
	// [fraud person request score]
}
