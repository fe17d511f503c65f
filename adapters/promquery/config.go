package promquery

import (
	"net/http"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// Config says which server is asked, how, and for what. Its form in a file is
// described at the top of this page; [LoadConfig] reads it.
type Config struct {
	// Server is the address, such as https://prometheus.example.com or
	// https://host/prefix, without credentials.
	Server string `yaml:"server"`
	Auth   Auth   `yaml:"auth"`
	// CAFile is a PEM file with the authorities that the server's certificate may
	// be from, in place of those of the system.
	CAFile string `yaml:"ca_file"`

	Timeout  time.Duration `yaml:"timeout"`   // of one try; default 10 s
	Deadline time.Duration `yaml:"deadline"`  // of one collection; default 1 min
	Retries  int           `yaml:"retries"`   // after the first try; default 2, negative for none
	Backoff  time.Duration `yaml:"backoff"`   // before the first retry, doubled for each further one; default 200 ms
	MaxWait  time.Duration `yaml:"max_wait"`  // the longest wait, also for Retry-After; default 15 s
	MaxBytes int64         `yaml:"max_bytes"` // of one answer, decompressed; default 16 MiB

	// Lag is how long samples take to arrive; nothing younger is asked for.
	// Default 30 s, negative for none.
	Lag time.Duration `yaml:"lag"`
	// MaxAge is how old the newest sample of an arm may be at the end of a window;
	// beyond it the source counts as failed. It has to span two scrapes at least.
	// Default 5 min, negative for no limit.
	MaxAge time.Duration `yaml:"max_age"`
	// Step is the distance of the values of a gauge; default 1 min.
	Step time.Duration `yaml:"step"`

	Arms    Arms     `yaml:"arms"`
	Metrics []Metric `yaml:"metrics"`

	// Transport replaces the one that Config would make; CAFile is then not used.
	Transport http.RoundTripper `yaml:"-"`
}

// Arms tells the arms apart: by the values of one label. An arm without a value
// is not asked for.
type Arms struct {
	Label     string `yaml:"label"`
	Baseline  string `yaml:"baseline"`
	Candidate string `yaml:"candidate"`
}

// Metric says how one metric is asked for. Each kind has its own queries; see the
// top of this page for what they have to bring.
type Metric struct {
	Name string              `yaml:"name"`
	Kind analysis.MetricKind `yaml:"kind"`

	Events   string `yaml:"events"`   // ratio, count_rate
	Units    string `yaml:"units"`    // ratio
	Exposure string `yaml:"exposure"` // count_rate; without it the seconds of the window

	Sum     string `yaml:"sum"`     // average
	Count   string `yaml:"count"`   // average
	Squares string `yaml:"squares"` // average; else Histogram

	Histogram string `yaml:"histogram"` // distribution, average
	Value     string `yaml:"value"`     // gauge

	// Edges are those of a distribution. Classic histograms must have them among
	// theirs; without Edges all of theirs are taken.
	Edges []float64 `yaml:"edges"`
	// PerOctave is the number of cells between a value and its double, 1, 2, 4, 8
	// or 16, of a native histogram without Edges; default 8.
	PerOctave int `yaml:"per_octave"`
	// Max is the largest value possible, for an average whose squares come from a
	// histogram with values in the bucket without an end.
	Max *float64 `yaml:"max"`
	// ZeroWhenAbsent says that a query for events that finds no series in any arm
	// means no event. Without it that is no data, as for a name misspelt.
	ZeroWhenAbsent bool `yaml:"zero_when_absent"`
}
