package mlflowevents

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Millis is a stamp of MLflow: milliseconds since 1970. In JSON it is a number or
// a decimal string; null, absent and 0 mean that it is not known.
type Millis int64

// The last millisecond of the year 9999.
const maxMillis = 253402300799999

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (m *Millis) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `"`))
	if text == "null" && b[0] != '"' {
		*m = 0
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxMillis {
		return fmt.Errorf("stamp %s is no number of milliseconds since 1970: %w", shorten(string(b), maxValue), ErrAnswer)
	}
	*m = Millis(n)
	return nil
}

// Time is the instant in UTC, or the zero time when it is not known.
func (m Millis) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// Tag is a key and a value.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Alias is a name and the version it points to.
type Alias struct {
	Alias   string `json:"alias"`
	Version string `json:"version"`
}

// RegisteredModel is what the registry says of a model, as far as it is used.
type RegisteredModel struct {
	Name    string  `json:"name"`
	Created Millis  `json:"creation_timestamp"`
	Updated Millis  `json:"last_updated_timestamp"`
	Aliases []Alias `json:"aliases"`
}

// ModelVersion is what the registry says of a version, as far as it is used.
type ModelVersion struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Created Millis   `json:"creation_timestamp"`
	Updated Millis   `json:"last_updated_timestamp"`
	Stage   string   `json:"current_stage"`
	RunID   string   `json:"run_id"`
	Status  string   `json:"status"`
	Tags    []Tag    `json:"tags"`
	Aliases []string `json:"aliases"`
}

// Run is a training run, as far as it is used.
type Run struct {
	ID         string `json:"run_id"`
	Experiment string `json:"experiment_id"`
	Status     string `json:"status"`
	Started    Millis `json:"start_time"`
	Ended      Millis `json:"end_time"`
	Lifecycle  string `json:"lifecycle_stage"`
}

// over reports whether the run has reached a status it does not leave.
func (r Run) over() bool {
	return r.Status == "FINISHED" || r.Status == "FAILED" || r.Status == "KILLED"
}
