package fileevents_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rampguard/rampguard/adapters/fileevents"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/sla"
)

// A spreadsheet with a row for each release. The second one lacks an offset.
func ExampleRead() {
	sheet := `model,version,sign_off,validation_start,validation_end,serving
fraud,12,2025-03-01T09:00:00+01:00,2025-03-01T10:00:00+01:00,2025-03-02T10:00:00+01:00,2025-03-03T09:00:00+01:00
fraud,13,2025-03-10T09:00:00,,,2025-03-11T09:00:00+01:00
`
	r, err := fileevents.Read(strings.NewReader(sheet), fileevents.Options{Name: "releases.csv"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(r.Events), "events of", r.Rows, "rows")
	for _, bad := range r.Bad {
		fmt.Println(bad)
	}
	a, err := leadtime.Assemble(r.Events, leadtime.AssembleOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range a.Flights {
		fmt.Println(f.Key, f.Lead(nil))
	}
	// Output:
	// 4 events of 2 rows
	// releases.csv:3: sign_off: no_offset: "2025-03-10T09:00:00"
	// fraud/12#1 48h0m0s
}

func ExampleReadSamples() {
	r, err := fileevents.ReadSamples(strings.NewReader("time,good,total\n1740787200,9990,10000\n1740787500,9700,10000\n"),
		fileevents.Options{EpochUnit: time.Second})
	if err != nil {
		log.Fatal(err)
	}
	now := r.Samples[len(r.Samples)-1].At
	o := sla.Objective{Name: "answered", Target: 0.99, Method: sla.Occurrences, Window: sla.Rolling(28 * 24 * time.Hour)}
	b, err := sla.Budget(o, r.Samples, now)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f bad events, %.0f%% of the budget used\n", b.Bad, 100*float64(b.Consumed))
	// Output: 310 bad events, 155% of the budget used
}

func ExampleReadFile() {
	dir, done := folder(map[string]string{"a.jsonl": `{"kind":"signoff","model":"fraud","version":"12","at":"2025-03-01T09:00:00Z","team":"risk"}`})
	defer done()
	r, err := fileevents.ReadFile(filepath.Join(dir, "a.jsonl"), fileevents.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Events[0].Kind, r.Events[0].Version, "- not read:", r.Ignored)
	// Output: signoff 12 - not read: [team]
}

func ExampleReadFiles() {
	dir, done := folder(map[string]string{
		"monday.jsonl": `{"kind":"signoff","model":"fraud","version":"12","at":"2025-03-03T09:00:00Z"}`,
		"friday.csv":   "kind,model,version,at\nserving,fraud,12,2025-03-07T09:00:00Z\n",
	})
	defer done()
	r, err := fileevents.ReadFiles([]string{filepath.Join(dir, "monday.jsonl"), filepath.Join(dir, "friday.csv")}, fileevents.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range r.Events {
		fmt.Println(e.Kind, e.At.Weekday())
	}
	// Output:
	// signoff Monday
	// serving Friday
}

func ExampleReadSamplesFile() {
	dir, done := folder(map[string]string{"s.csv": "time,good,total\n2025-03-01T00:00:00Z,99,100\n2025-03-01T00:05:00Z,98,\n"})
	defer done()
	r, err := fileevents.ReadSamplesFile(filepath.Join(dir, "s.csv"), fileevents.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(r.Samples), "sample,", r.Bad[0].Field, r.Bad[0].Reason, "in line", r.Bad[0].Line)
	// Output: 1 sample, total missing in line 3
}

// folder writes files for an example.
func folder(files map[string]string) (dir string, done func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}
