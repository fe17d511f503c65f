package arrow18rows_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTwin makes sure that this package and the one for version 17 of the library
// stay the same, but for the names that the versions give to things.
func TestTwin(t *testing.T) {
	rename := strings.NewReplacer(
		"github.com/apache/arrow/go/v17", "github.com/apache/arrow-go/v18",
		"arrowrows", "arrow18rows",
		"arrow.Record ", "arrow.RecordBatch ", "arrow.Record)", "arrow.RecordBatch)", "arrow.Record,", "arrow.RecordBatch,",
		"arrow.Record{", "arrow.RecordBatch{", "arrow.Record\n", "arrow.RecordBatch\n",
		".Record()", ".RecordBatch()", "array.NewRecord(", "array.NewRecordBatch(", ".NewRecord()", ".NewRecordBatch()",
	)
	for _, name := range []string{"collect", "types", "source", "record", "write_test", "types_test", "record_test", "damage_test", "conformance_test"} {
		theirs, err := os.ReadFile("../arrowrows/" + name + ".go")
		if err != nil {
			t.Fatal(err)
		}
		ours, err := os.ReadFile(name + ".go")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rename.Replace(string(theirs)), string(ours)); diff != "" {
			t.Errorf("%s.go is not the twin of that in arrowrows:\n%s", name, diff)
		}
	}
}
