package kayenta

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// JudgeName is the name by which a canary config asks for this judge.
const JudgeName = "NetflixACAJudge-v1.0"

// Config is a canary config in Kayenta's JSON form; read one with [ParseConfig].
// Only Metrics and Classifier matter to the judge.
type Config struct {
	ID                  string            `json:"id,omitempty"`
	Name                string            `json:"name"`
	Description         string            `json:"description,omitempty"`
	ConfigVersion       json.RawMessage   `json:"configVersion,omitempty"` // written as a string or as a number
	CreatedTimestamp    int64             `json:"createdTimestamp,omitempty"`
	CreatedTimestampIso string            `json:"createdTimestampIso,omitempty"`
	UpdatedTimestamp    int64             `json:"updatedTimestamp,omitempty"`
	UpdatedTimestampIso string            `json:"updatedTimestampIso,omitempty"`
	Applications        []string          `json:"applications,omitempty"`
	Judge               JudgeConfig       `json:"judge"`
	Metrics             []Metric          `json:"metrics"`
	Templates           map[string]string `json:"templates,omitempty"`
	Classifier          Classifier        `json:"classifier"`

	// Warnings are what the parser thinks worth saying about a valid config.
	Warnings []string `json:"-"`
}

// JudgeConfig names the judge that a config was written for.
type JudgeConfig struct {
	Name           string          `json:"name"`
	Configurations json.RawMessage `json:"judgeConfigurations,omitempty"` // not used by any judge
}

// Metric is one metric of a config.
type Metric struct {
	Name      string          `json:"name"`
	Query     json.RawMessage `json:"query,omitempty"` // of the metric store; kept as it is
	Groups    []string        `json:"groups"`          // a metric without a group counts nowhere
	Analysis  Analysis        `json:"analysisConfigurations"`
	ScopeName string          `json:"scopeName,omitempty"`
}

// Analysis wraps the settings of a metric, as in the file.
type Analysis struct {
	Canary Canary `json:"canary,omitzero"`
}

// Canary says how a metric is judged. The zero value holds Kayenta's defaults.
type Canary struct {
	// Direction of a change that fails the metric: increase, decrease or
	// either, which is also the meaning of any other text.
	Direction string `json:"direction,omitempty"`
	// NaNStrategy is remove or replace (by 0); any other text means remove.
	NaNStrategy  string     `json:"nanStrategy,omitempty"`
	Critical     bool       `json:"critical,omitempty"`     // its failure sets the score to 0
	MustHaveData bool       `json:"mustHaveData,omitempty"` // no data counts as a failed metric
	Muted        bool       `json:"muted,omitempty"`        // computed, not counted
	EffectSize   EffectSize `json:"effectSize,omitzero"`
	Outliers     Outliers   `json:"outliers,omitzero"`
}

// EffectSize bounds the effect that a significant difference must also have.
// The bounds are on the scale of Measure; nil means 1 for meanRatio and 0.5 for
// cles, at which they do not bind.
type EffectSize struct {
	Measure          string   `json:"measure,omitempty"` // cles; any other text means meanRatio
	AllowedIncrease  *float64 `json:"allowedIncrease,omitempty"`
	AllowedDecrease  *float64 `json:"allowedDecrease,omitempty"`
	CriticalIncrease *float64 `json:"criticalIncrease,omitempty"`
	CriticalDecrease *float64 `json:"criticalDecrease,omitempty"`
}

// Outliers says whether outliers are dropped before the judgement.
type Outliers struct {
	Strategy string   `json:"strategy,omitempty"`      // remove; any other text means keep
	Factor   *float64 `json:"outlierFactor,omitempty"` // of the interquartile range, above 0; nil means 3
}

// Classifier weighs the groups of metrics and sets the thresholds of the score.
type Classifier struct {
	// GroupWeights are percentages. Groups that are not named share what is
	// left of 100 equally.
	GroupWeights    map[string]float64 `json:"groupWeights"`
	ScoreThresholds Thresholds         `json:"scoreThresholds,omitzero"`
}

// ParseConfig reads a canary config from Kayenta's JSON.
//
// What Kayenta would ignore is kept out and named in Warnings: unknown fields,
// null values, unknown words that fall back to a default, settings that have no
// effect. So is what makes the score surprising: weights that do not add up to
// 100, a metric without a group, a weighted group without a metric.
//
// Errors name the line or the field: one wrapping [stats.ErrDomain] for malformed
// JSON, a value of the wrong type or range, a field that differs from a known one
// in case only, and a metric without a name or with the name of another;
// [stats.ErrEmpty] for a config without metrics.
func ParseConfig(b []byte) (Config, error) {
	var c Config
	if err := json.Unmarshal(b, &c); err != nil {
		return Config{}, parseError(b, err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		return Config{}, parseError(b, err)
	}
	if err := unknownFields("", tree, reflect.TypeFor[Config](), &c.Warnings); err != nil {
		return Config{}, err
	}
	if err := c.check("ParseConfig"); err != nil {
		return Config{}, err
	}
	c.advise()
	return c, nil
}

func parseError(b []byte, err error) error {
	offset := int64(len(b))
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	what := err.Error()
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
		what = fmt.Sprintf("%s holds a %s where a %v belongs", kind.Field, kind.Value, kind.Type)
	}
	line := 1 + bytes.Count(b[:min(max(offset, 0), int64(len(b)))], []byte("\n"))
	return fmt.Errorf("kayenta: ParseConfig: line %d: %s: %w", line, what, stats.ErrDomain)
}

// unknownFields walks the JSON value v beside the type it was decoded into and
// notes every field that the type does not have.
func unknownFields(path string, v any, t reflect.Type, warnings *[]string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case nil:
		*warnings = append(*warnings, fmt.Sprintf("%s is null, which is read as not set", path))
	case []any:
		if t.Kind() == reflect.Slice && t != reflect.TypeFor[json.RawMessage]() {
			for i, e := range v {
				if err := unknownFields(fmt.Sprintf("%s[%d]", path, i), e, t.Elem(), warnings); err != nil {
					return err
				}
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at := strings.TrimPrefix(path+"."+key, ".")
			if t.Kind() == reflect.Map && v[key] == nil {
				return fmt.Errorf("kayenta: ParseConfig: %s is null: %w", at, stats.ErrDomain)
			}
			if t.Kind() != reflect.Struct {
				continue
			}
			f, err := fieldOf(t, key)
			switch {
			case err != nil:
				return fmt.Errorf("kayenta: ParseConfig: %s: %w", at, err)
			case f == nil:
				*warnings = append(*warnings, fmt.Sprintf("%s is no field of a canary config and is ignored", at))
			default:
				if err := unknownFields(at, v[key], f, warnings); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// fieldOf is the type of the field of struct t whose JSON name is key, or nil. A
// name that differs in case is an error: encoding/json would take it for the
// field, Kayenta would not.
func fieldOf(t reflect.Type, key string) (reflect.Type, error) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == key:
			return t.Field(i).Type, nil
		case strings.EqualFold(name, key):
			return nil, fmt.Errorf("this field is written %s: %w", name, stats.ErrDomain)
		}
	}
	return nil, nil
}

// check returns an error for a config that cannot be judged by.
func (c *Config) check(fn string) error {
	if len(c.Metrics) == 0 {
		return fmt.Errorf("kayenta: %s: the config has no metrics: %w", fn, stats.ErrEmpty)
	}
	seen := map[string]bool{}
	for i, m := range c.Metrics {
		if m.Name == "" || seen[m.Name] {
			return fmt.Errorf("kayenta: %s: metrics[%d]: the name %q is empty or that of another metric: %w", fn, i, m.Name, stats.ErrDomain)
		}
		seen[m.Name] = true
		if err := m.Analysis.Canary.check(); err != nil {
			return fmt.Errorf("kayenta: %s: metric %s: %w", fn, m.Name, err)
		}
	}
	for _, g := range slices.Sorted(maps.Keys(c.Classifier.GroupWeights)) {
		if w := c.Classifier.GroupWeights[g]; math.IsNaN(w) || math.IsInf(w, 0) {
			return fmt.Errorf("kayenta: %s: groupWeights.%s is %v: %w", fn, g, w, stats.ErrDomain)
		}
	}
	return nil
}

func (s Canary) check() error {
	e := s.EffectSize
	for _, bound := range []struct {
		name string
		v    *float64
	}{{"allowedIncrease", e.AllowedIncrease}, {"allowedDecrease", e.AllowedDecrease}, {"criticalIncrease", e.CriticalIncrease}, {"criticalDecrease", e.CriticalDecrease}} {
		if bound.v != nil && math.IsNaN(*bound.v) {
			return fmt.Errorf("%s is NaN: %w", bound.name, stats.ErrDomain)
		}
	}
	return s.detector().check()
}

// advise notes what a reader of the score would not expect.
func (c *Config) advise() {
	warn := func(format string, args ...any) { c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...)) }
	if c.Judge.Name != JudgeName {
		warn("the config names the judge %q; it is judged by the rules of %s", c.Judge.Name, JudgeName)
	}
	groups := map[string]bool{}
	for _, m := range c.Metrics {
		if len(m.Groups) == 0 {
			warn("metric %s is in no group: only a critical failure of it can change the score", m.Name)
		}
		for _, g := range m.Groups {
			groups[g] = true
		}
		m.Analysis.Canary.advise(func(text string) { warn("metric %s: %s", m.Name, text) })
	}
	total, weights := 0.0, c.Classifier.GroupWeights
	for _, g := range slices.Sorted(maps.Keys(weights)) {
		total += weights[g]
		if !groups[g] {
			warn("group %s has a weight and no metric: the best score is lower by as much", g)
		}
		delete(groups, g)
	}
	switch {
	case len(groups) == 0 && math.Abs(total-100) > 1e-9:
		warn("the group weights add up to %v, not to 100", total)
	case len(groups) > 0 && total >= 100:
		warn("the group weights add up to %v: nothing is left for the groups without one", total)
	}
	if c.Classifier.ScoreThresholds == (Thresholds{}) {
		warn("the config has no score thresholds: they have to come with the call")
	}
}

func (s Canary) advise(warn func(string)) {
	for _, w := range []struct {
		field, value, fallback string
		known                  []string
	}{
		{"direction", s.Direction, "either", []string{"increase", "decrease", "either"}},
		{"nanStrategy", s.NaNStrategy, "remove", []string{"remove", "replace"}},
		{"outliers.strategy", s.Outliers.Strategy, "keep", []string{"remove", "keep"}},
		{"effectSize.measure", s.EffectSize.Measure, "meanRatio", []string{"meanRatio", "cles"}},
	} {
		if w.value != "" && !slices.Contains(w.known, w.value) {
			warn(fmt.Sprintf("%s %q is unknown and means %s", w.field, w.value, w.fallback))
		}
	}
	if e := s.EffectSize; !s.Critical && (e.CriticalIncrease != nil || e.CriticalDecrease != nil) {
		warn("criticalIncrease and criticalDecrease have no effect, because the metric is not critical")
	}
	if s.MustHaveData && s.Critical {
		warn("mustHaveData has no effect on a critical metric, whose lack of data fails the canary anyway")
	}
	if s.MustHaveData && s.replaces() {
		warn("mustHaveData has no effect with nanStrategy replace: no data at all is a Pass")
	}
	if s.Outliers.Factor != nil && !s.removes() {
		warn("outlierFactor has no effect, because outliers are kept")
	}
}

func (s Canary) replaces() bool { return s.NaNStrategy == "replace" }
func (s Canary) removes() bool  { return s.Outliers.Strategy == "remove" }
func (s Canary) upIsBad() bool  { return s.Direction != "decrease" }
func (s Canary) downIsBad() bool {
	return s.Direction != "increase"
}

// bound is a bound of the effect size, or its default.
func (e EffectSize) bound(v *float64) float64 {
	switch {
	case v != nil:
		return *v
	case e.cles():
		return 0.5
	}
	return 1
}

func (e EffectSize) cles() bool { return e.Measure == "cles" }
