package promquery_test

import (
	"errors"
	"testing"

	"github.com/rampguard/rampguard/adapters/promquery"
)

// FuzzDecode: no answer makes the decoder panic, every refusal has its type, and
// what is taken for a histogram has a cell more than edges.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		vector(), vector(num("1", "le", "1"), num("2", "le", "+Inf")), vector(num("NaN")), vector(native("10", "12", `[1,"-2","-1","3"],[3,"-0.001","0.001","2"],[0,"2","4","5"]`)),
		vector(native("10", "12", `[0,"-Inf","+Inf","3"]`)), `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[3,"4"]]}]}}`,
		`{"status":"success","data":{"resultType":"scalar","result":[1.5,"-Inf"]}}`, `{"status":"error","error":"x"}`, `{"status":"success","isPartial":true}`, "<html>", "null", "",
		vector(`{"metric":{"a":"b"},"value":[1,"0x1p-2"]}`), vector(`{"metric":null,"value":[-1.,"1_0"]}`), vector(`{"value":[1.99999999999999,"1"],"histogram":null}`),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := promquery.Decode(body)
		if err != nil && !errors.Is(err, promquery.ErrProvider) {
			t.Errorf("untyped: %v", err)
		}
		edges, cells, err := promquery.Cells(body)
		switch {
		case err != nil:
			if !errors.Is(err, promquery.ErrProvider) && !errors.Is(err, promquery.ErrNoData) {
				t.Errorf("untyped: %v", err)
			}
		case len(cells) != len(edges)+1 && len(cells) != len(edges):
			t.Errorf("%d cells of %d edges", len(cells), len(edges))
		}
	})
}
