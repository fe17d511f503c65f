package promquery

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// fieldError is a fault of a field of the configuration, such as metrics.2.events.
type fieldError struct {
	path string
	err  error
}

func (e fieldError) Error() string { return e.path + ": " + e.err.Error() }
func (e fieldError) Unwrap() error { return e.err }

// LoadConfig reads a configuration in YAML or JSON; name is what errors call the
// file. It is read strictly: unknown and duplicate keys, values of another type and
// more than one document are errors, as is everything that [New] refuses. Errors
// name the file, the line and the field, wrap [stats.ErrDomain], and never repeat a
// value of auth.
func LoadConfig(name string, data []byte) (Config, error) {
	var c Config
	if len(data) > 1<<20 {
		return c, fmt.Errorf("%s: %d bytes is no configuration: %w", name, len(data), stats.ErrDomain)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	err := d.Decode(&c)
	if err == nil {
		if err = d.Decode(new(yaml.Node)); errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = errors.New("more than one document")
		}
	} else if errors.Is(err, io.EOF) {
		err = errors.New("the file is empty")
	}
	if err != nil {
		if at := kindLine(data); at > 0 { // the library does not say where
			name = fmt.Sprintf("%s:%d", name, at)
		}
		return Config{}, fmt.Errorf("%s: %s: %w", name, strings.TrimSuffix(hush(err), ": "+stats.ErrDomain.Error()), stats.ErrDomain)
	}
	if _, err := c.plan(); err != nil {
		var f fieldError
		if errors.As(err, &f) {
			return Config{}, fmt.Errorf("%s:%d: %w", name, line(data, f.path), err)
		}
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

var quoted = regexp.MustCompile("(?s)`[^`]*`")

// hush takes the values out of the text of an error of the YAML library, one of
// which may be a credential.
func hush(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	return shorten(quoted.ReplaceAllString(text, "the value"), maxMessage)
}

// kindLine finds the first metric whose kind is none; 0 when there is none such.
func kindLine(data []byte) int {
	var file struct {
		Metrics []struct {
			Kind yaml.Node `yaml:"kind"`
		} `yaml:"metrics"`
	}
	if yaml.Unmarshal(data, &file) != nil {
		return 0
	}
	for _, m := range file.Metrics {
		if k := m.Kind; k.Line > 0 && new(analysis.MetricKind).UnmarshalText([]byte(k.Value)) != nil {
			return k.Line
		}
	}
	return 0
}

// line finds the line of a field, or of the nearest one around it.
func line(data []byte, path string) int {
	var root yaml.Node
	if yaml.Unmarshal(data, &root) != nil || len(root.Content) == 0 {
		return 1
	}
	n, at := root.Content[0], 1
	for key := range strings.SplitSeq(path, ".") {
		next := (*yaml.Node)(nil)
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == key {
					at, next = n.Content[i].Line, n.Content[i+1]
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(key); err == nil && i < len(n.Content) {
				next = n.Content[i]
				at = next.Line
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return at
}

// plan is a configuration made ready: defaults filled in, queries checked.
type plan struct {
	Config
	metrics []metricPlan
}

type metricPlan struct {
	Metric
	parts map[string]template // by the key of the query
	main  string              // the query that has a series whenever the arm is served
}

func or[T int | int64 | time.Duration](v *T, def T) {
	switch {
	case *v == 0:
		*v = def
	case *v < 0:
		*v = 0
	}
}

func (c Config) plan() (*plan, error) {
	p := &plan{Config: c}
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"timeout", c.Timeout}, {"deadline", c.Deadline}, {"backoff", c.Backoff}, {"max_wait", c.MaxWait}, {"step", c.Step}} {
		if f.d < 0 {
			return nil, fieldError{f.name, fmt.Errorf("%v is negative: %w", f.d, stats.ErrDomain)}
		}
	}
	if c.MaxBytes < 0 {
		return nil, fieldError{"max_bytes", fmt.Errorf("%d is negative: %w", c.MaxBytes, stats.ErrDomain)}
	}
	or(&p.Timeout, 10*time.Second)
	or(&p.Deadline, time.Minute)
	or(&p.Retries, 2)
	or(&p.Backoff, 200*time.Millisecond)
	or(&p.MaxWait, 15*time.Second)
	or(&p.MaxBytes, 16<<20)
	or(&p.Lag, 30*time.Second)
	or(&p.MaxAge, 5*time.Minute)
	or(&p.Step, time.Minute)
	if p.Step%time.Second != 0 {
		return nil, fieldError{"step", fmt.Errorf("%v is not in whole seconds: %w", p.Step, stats.ErrDomain)}
	}
	if p.MaxAge%time.Second != 0 {
		return nil, fieldError{"max_age", fmt.Errorf("%v is not in whole seconds: %w", p.MaxAge, stats.ErrDomain)}
	}
	if err := p.server(); err != nil {
		return nil, err
	}
	if err := c.Arms.check(); err != nil {
		return nil, err
	}
	for i, m := range c.Metrics {
		path := "metrics." + strconv.Itoa(i)
		if m.Name == "" || slices.ContainsFunc(c.Metrics[:i], func(o Metric) bool { return o.Name == m.Name }) {
			return nil, fieldError{path, fmt.Errorf("the name %q is empty or taken: %w", m.Name, stats.ErrDomain)}
		}
		mp, err := m.plan(path, c.Arms)
		if err != nil {
			return nil, err
		}
		p.metrics = append(p.metrics, mp)
	}
	return p, nil
}

// server checks the address. Errors do not repeat it: it may hold a password.
func (p *plan) server() error {
	fault := func(why string) error {
		return fieldError{"server", fmt.Errorf("%s: %w", why, stats.ErrDomain)}
	}
	u, err := url.Parse(p.Server)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fault("the address is no http or https URL")
	case u.User != nil:
		return fault("the address holds credentials; give them under auth")
	case u.RawQuery != "" || u.Fragment != "":
		return fault("the address has a query or a fragment")
	}
	if why := p.Auth.fault(); why != "" {
		return fieldError{"auth", fmt.Errorf("%s: %w", why, stats.ErrDomain)}
	}
	return p.checkPlaintext(u.Scheme, u.Hostname())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// queries lists the queries of a metric by their keys.
func (m Metric) queries() map[string]string {
	all := map[string]string{"events": m.Events, "units": m.Units, "exposure": m.Exposure, "sum": m.Sum, "count": m.Count,
		"squares": m.Squares, "histogram": m.Histogram, "value": m.Value}
	for key, q := range all {
		if q == "" {
			delete(all, key)
		}
	}
	return all
}

// forms are the queries that make up a metric of a kind, the main one first.
var forms = map[analysis.MetricKind][][]string{
	analysis.RatioMetric:        {{"units", "events"}},
	analysis.AverageMetric:      {{"count", "sum", "squares"}, {"count", "sum", "histogram"}, {"histogram"}},
	analysis.RateMetric:         {{"events"}, {"events", "exposure"}},
	analysis.DistributionMetric: {{"histogram"}},
	analysis.GaugeMetric:        {{"value"}},
}

func (m Metric) plan(path string, arms Arms) (metricPlan, error) {
	out := metricPlan{Metric: m, parts: map[string]template{}}
	fault := func(field, format string, args ...any) (metricPlan, error) {
		return out, fieldError{path + field, fmt.Errorf("metric %q: %w", shorten(m.Name, 80), fmt.Errorf(format+": %w", append(args, stats.ErrDomain)...))}
	}
	have := m.queries()
	for _, form := range forms[m.Kind] {
		if len(form) == len(have) && !slices.ContainsFunc(form, func(k string) bool { return have[k] == "" }) {
			out.main = form[0]
		}
	}
	if out.main == "" {
		var want []string
		for _, form := range forms[m.Kind] {
			want = append(want, strings.Join(form, ", "))
		}
		if len(want) == 0 {
			return fault(".kind", "the kind is missing; one of ratio, average, count_rate, distribution, gauge")
		}
		return fault("", "a %v is made of the queries %s", m.Kind, strings.Join(want, "; or of "))
	}
	for _, key := range []string{"events", "units", "exposure", "sum", "count", "squares", "histogram", "value"} {
		if have[key] == "" {
			continue
		}
		t, err := newTemplate(have[key], arms)
		if err != nil {
			return fault("."+key, "%v", err)
		}
		if !t.window && m.Kind != analysis.GaugeMetric {
			return fault("."+key, "the query does not name {{.Window}}, so it would count something else than the window")
		}
		out.parts[key] = t
	}
	buckets := m.Kind == analysis.DistributionMetric
	switch {
	case len(m.Edges) > 0 && !buckets:
		return fault(".edges", "edges are for distributions")
	case len(m.Edges) > 1<<12:
		return fault(".edges", "%d edges, at most %d", len(m.Edges), 1<<12)
	case m.PerOctave != 0 && (!buckets || len(m.Edges) > 0):
		return fault(".per_octave", "per_octave is for distributions without edges")
	case m.PerOctave != 0 && !slices.Contains([]int{1, 2, 4, 8, 16}, m.PerOctave):
		return fault(".per_octave", "%d is not one of 1, 2, 4, 8, 16", m.PerOctave)
	case m.Max != nil && (m.Kind != analysis.AverageMetric || m.Histogram == "" || !(*m.Max > 0) || math.IsInf(*m.Max, 1)):
		return fault(".max", "max is a number above 0, for averages with a histogram")
	case m.ZeroWhenAbsent && m.Units == "" && m.Exposure == "":
		return fault(".zero_when_absent", "zero_when_absent is for events that have units or exposure beside them")
	}
	for i, e := range m.Edges {
		if math.IsNaN(e) || math.IsInf(e, 0) || i > 0 && !(m.Edges[i-1] < e) {
			return fault(".edges", "edge %v is not finite or not above the one before", e)
		}
	}
	if out.PerOctave == 0 {
		out.PerOctave = 8
	}
	return out, nil
}
