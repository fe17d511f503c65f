package promquery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// envelope is what every answer of the query API is wrapped in. Nothing rests on
// errorType, whose words differ between servers.
type envelope struct {
	Status string `json:"status"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
	Error    string   `json:"error"`
	Warnings []string `json:"warnings"`
	Partial  bool     `json:"isPartial"`
}

// point is a time with a number, [1700000000.5,"1.25"]. Unlike model.SamplePair it
// takes nothing less: half a pair is not zero.
type point struct {
	at    time.Time
	value float64
}

func (p *point) UnmarshalJSON(b []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if len(raw) != 2 {
		return damage("there is no pair of a time and a value")
	}
	var at model.Time
	if err := at.UnmarshalJSON(raw[0]); err != nil {
		return err
	}
	var text *string
	if err := json.Unmarshal(raw[1], &text); err != nil || text == nil {
		return damage("a value is not a number in quotes")
	}
	v, err := strconv.ParseFloat(*text, 64)
	if err != nil {
		return damage("a value is not a number")
	}
	p.at, p.value = at.Time().UTC(), v
	return nil
}

// sample is one series of an instant query: with a number or a native histogram.
type sample struct {
	Metric    model.Metric               `json:"metric"`
	Value     *point                     `json:"value"`
	Histogram *model.SampleHistogramPair `json:"histogram"`
}

// stream is one series of a range query.
type stream struct {
	Metric     model.Metric      `json:"metric"`
	Values     []*point          `json:"values"`
	Histograms []json.RawMessage `json:"histograms"`
}

// result is the decoded data of an answer. A scalar is one sample without labels.
type result struct {
	scalar  bool
	samples []*sample // of an instant query
	streams []*stream // of a range query
}

// decode reads the body of an answer with status 200.
func decode(body []byte, who login) (result, error) {
	e, err := open(body, who)
	if err != nil {
		return result{}, err
	}
	switch {
	case e.Status == "error":
		return result{}, fmt.Errorf("%q: %w", shorten(e.Error, maxMessage), ErrRefused)
	case e.Status != "success":
		return result{}, fmt.Errorf("its status is %q: %w", shorten(e.Status, 40), ErrAnswer)
	case e.Partial:
		return result{}, fmt.Errorf("some of the storage did not answer: %w", ErrPartial)
	case len(e.Warnings) > 0:
		return result{}, fmt.Errorf("%d warnings, first %q: %w", len(e.Warnings), shorten(e.Warnings[0], maxMessage), ErrPartial)
	}
	return e.result()
}

// open reads the envelope, with credentials taken out of its texts, and says what
// came in its place.
func open(body []byte, who login) (envelope, error) {
	var e envelope
	text := bytes.TrimSpace(body)
	switch {
	case len(text) == 0:
		return e, fmt.Errorf("nothing: %w", ErrAnswer)
	case text[0] == '<':
		return e, fmt.Errorf("HTML or XML, a login page or a proxy?: %w", ErrAnswer)
	case text[0] != '{':
		return e, fmt.Errorf("no JSON object: %w", ErrAnswer)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, malformed(err)
	}
	for _, text := range []*string{&e.Status, &e.Data.ResultType, &e.Error} {
		*text = who.redact(*text)
	}
	for i, w := range e.Warnings {
		e.Warnings[i] = who.redact(w)
	}
	return e, nil
}

// damage is a fault of an answer, in words that hold nothing of it.
type damage string

func (d damage) Error() string { return string(d) }

// malformed says what is wrong with an answer without repeating any of it.
func malformed(err error) error {
	var syntax *json.SyntaxError
	var types *json.UnmarshalTypeError
	var own damage
	why := "a label or a number is malformed"
	switch {
	case errors.As(err, &own):
		why = own.Error()
	case errors.As(err, &syntax):
		why = syntax.Error()
	case errors.As(err, &types):
		why = "a " + shorten(types.Value, 20) + " is where something else belongs"
	}
	return fmt.Errorf("%s: %w", why, ErrAnswer)
}

func (e *envelope) result() (r result, err error) {
	raw := e.Data.Result
	if len(raw) == 0 || string(raw) == "null" {
		return r, fmt.Errorf("there is no result: %w", ErrAnswer)
	}
	switch e.Data.ResultType {
	case "vector":
		if err := json.Unmarshal(raw, &r.samples); err != nil {
			return result{}, malformed(err)
		}
		for _, s := range r.samples {
			if err := s.check(); err != nil {
				return result{}, malformed(err)
			}
		}
	case "matrix":
		r.streams = []*stream{}
		if err := json.Unmarshal(raw, &r.streams); err != nil {
			return result{}, malformed(err)
		}
		for _, s := range r.streams {
			if err := s.check(); err != nil {
				return result{}, malformed(err)
			}
		}
	case "scalar":
		p := new(point)
		if err := json.Unmarshal(raw, p); err != nil {
			return result{}, malformed(err)
		}
		r.scalar, r.samples = true, []*sample{{Value: p}}
	default:
		return r, fmt.Errorf("the result is a %q: %w", shorten(e.Data.ResultType, 40), ErrResult)
	}
	return r, nil
}

func (s *sample) check() error {
	switch {
	case s == nil:
		return damage("a series is null")
	case s.Value == nil && s.Histogram == nil:
		return damage("a series has no value")
	case s.Value != nil && s.Histogram != nil:
		return damage("a series has a value and a histogram")
	case s.Histogram != nil:
		return checkHistogram(s.Histogram.Histogram)
	}
	return nil
}

func (s *stream) check() error {
	if s == nil {
		return damage("a series is null")
	}
	for i, p := range s.Values {
		if p == nil || i > 0 && !s.Values[i-1].at.Before(p.at) {
			return damage("the values of a series are not in the order of time")
		}
	}
	return nil
}

// checkHistogram refuses a native histogram whose parts do not belong together.
// NaN values are in its count and in no bucket.
func checkHistogram(h *model.SampleHistogram) error {
	if h == nil {
		return damage("a histogram is null")
	}
	var total float64
	last := math.Inf(-1)
	for _, b := range h.Buckets {
		if b == nil {
			return damage("a bucket is null")
		}
		lo, hi, n := float64(b.Lower), float64(b.Upper), float64(b.Count)
		if !(lo <= hi) || !(lo >= last) || math.IsInf(lo, 1) || math.IsInf(hi, -1) {
			return damage("buckets are not in order")
		}
		if lo == hi && lo != 0 {
			return damage("a bucket has no width")
		}
		last, total = hi, total+n
	}
	if count := float64(h.Count); total > count+1e-6*math.Abs(count) {
		return damage("a histogram has more in its buckets than in all")
	}
	return nil
}
