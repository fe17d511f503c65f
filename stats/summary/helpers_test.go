package summary_test

import (
	"encoding/json"
	"testing"
)

// text is the JSON form of v.
func text(t testing.TB, v json.Marshaler) string {
	t.Helper()
	b, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
