package adaptertest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats/summary"
)

// differ says how a snapshot differs from the one that is wanted, or nothing.
func differ(got, want *analysis.Snapshot) string {
	if got == nil {
		return "neither a snapshot nor an error"
	}
	a, err := got.MarshalBinary()
	if err != nil {
		return err.Error()
	}
	b, err := want.MarshalBinary()
	if err != nil {
		return err.Error()
	}
	if bytes.Equal(a, b) {
		return ""
	}
	if got.RowCount != want.RowCount {
		return fmt.Sprintf("%d rows were counted, not %d", got.RowCount, want.RowCount)
	}
	for i := range min(len(want.Columns), len(got.Columns)) {
		if said := differColumn(&got.Columns[i], &want.Columns[i]); said != "" {
			return fmt.Sprintf("column %q: %s", want.Columns[i].Name, said)
		}
	}
	if len(want.Slices) > 0 {
		return "the slices differ"
	}
	return "the bytes of the snapshot differ"
}

func differColumn(got, want *analysis.ColumnSummary) string {
	switch {
	case got.Type != want.Type:
		return fmt.Sprintf("its type is %v, not %v", got.Type, want.Type)
	case got.AbsentRows != want.AbsentRows:
		return fmt.Sprintf("%d rows do not have it, not %d", got.AbsentRows, want.AbsentRows)
	case got.InvalidLabels != want.InvalidLabels:
		return fmt.Sprintf("%d labels are invalid, not %d", got.InvalidLabels, want.InvalidLabels)
	case got.Clock != want.Clock:
		return fmt.Sprintf("the times are %+v, not %+v", got.Clock, want.Clock)
	case got.Boolean != want.Boolean:
		return fmt.Sprintf("it was counted %+v, not %+v", got.Boolean, want.Boolean)
	}
	for _, part := range []struct {
		name      string
		got, want encoding.BinaryMarshaler
	}{
		{"numbers", &got.Numeric, &want.Numeric}, {"cuts", &got.Cuts, &want.Cuts}, {"names", &got.Category, &want.Category},
		{"units", &got.Units, &want.Units}, {"scores", &got.Scores, &want.Scores},
	} {
		a, errA := part.got.MarshalBinary()
		b, errB := part.want.MarshalBinary()
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			return fmt.Sprintf("the %s were counted as %s, not as %s", part.name, brief(part.got), brief(part.want))
		}
	}
	return ""
}

// brief describes a summary.
func brief(of any) string {
	switch of := of.(type) {
	case *summary.Histogram:
		return fmt.Sprintf("%d finite ones from %v to %v beside %+v", of.N(), of.Min(), of.Max(), of.Excluded())
	case *summary.Scores:
		return brief(of.All())
	}
	text, err := json.Marshal(of)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.300s", text)
}
