package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestJudgesTheFlights(t *testing.T) {
	db, err := warehouse(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out bytes.Buffer
	if err := judge(context.Background(), db, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"baseline: 60185 rows", "candidate: CONTINUE", "candidate_broken: PAUSE"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}
