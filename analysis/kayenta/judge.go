package kayenta

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// Result is a judgement, in the JSON form of Kayenta's judge result.
type Result struct {
	JudgeName   string         `json:"judgeName"`
	Results     []MetricResult `json:"results"` // in the order of the pairs
	GroupScores []GroupScore   `json:"groupScores"`
	Score       Score          `json:"score"`
	// Thresholds are those that the score was held against; Kayenta's form has
	// no place for them.
	Thresholds Thresholds `json:"-"`
}

// MetricResult is the judgement of one pair of series.
type MetricResult struct {
	Name                 string            `json:"name"`
	Tags                 map[string]string `json:"tags"`
	ID                   string            `json:"id"`
	Classification       Label             `json:"classification"`
	ClassificationReason string            `json:"classificationReason,omitempty"`
	Groups               []string          `json:"groups"`
	ExperimentMetadata   Metadata          `json:"experimentMetadata"`
	ControlMetadata      Metadata          `json:"controlMetadata"`
	ResultMetadata       Comparison        `json:"resultMetadata"`
	Critical             bool              `json:"critical"` // failed critically, not: is a critical metric
	Muted                bool              `json:"muted"`
}

// Metadata describes one side of a pair, after cleaning.
type Metadata struct {
	Stats Stats `json:"stats"`
}

// Judge judges the pairs by the config, as NetflixACAJudge-v1.0 does: [Classify]
// with the settings of each pair's metric, then [WeightedSum], then
// [Thresholds.Class]. A metric may have several pairs, one for each set of tags,
// and each counts. Zero thresholds mean those of the config.
//
// The result depends on the arguments alone. Kayenta's noise for constant series
// is not added; see [Classify].
//
// Errors: [stats.ErrMismatch] for a pair whose metric is not in the config and for
// a metric without a pair (give it empty series instead); [stats.ErrEmpty] for a
// config without metrics; [stats.ErrDomain] for impossible settings and for
// missing thresholds.
func Judge(config Config, pairs []Pair, thresholds Thresholds) (Result, error) {
	if thresholds == (Thresholds{}) {
		thresholds = config.Classifier.ScoreThresholds
	}
	if err := thresholds.check(); err != nil {
		return Result{}, fmt.Errorf("kayenta: Judge: %w", err)
	}
	if err := config.check("Judge"); err != nil {
		return Result{}, err
	}
	metrics, judged := map[string]*Metric{}, map[string]bool{}
	for i := range config.Metrics {
		metrics[config.Metrics[i].Name] = &config.Metrics[i]
	}
	out := Result{JudgeName: JudgeName, Results: make([]MetricResult, 0, len(pairs)), Thresholds: thresholds}
	for i, p := range pairs {
		m := metrics[p.Name]
		if m == nil {
			return Result{}, fmt.Errorf("kayenta: Judge: pair %d: the config has no metric %q: %w", i, p.Name, stats.ErrMismatch)
		}
		judged[p.Name] = true
		r, err := m.judge(p)
		if err != nil {
			return Result{}, err
		}
		out.Results = append(out.Results, r)
	}
	for _, m := range config.Metrics {
		if !judged[m.Name] {
			return Result{}, fmt.Errorf("kayenta: Judge: metric %q has no pair of series: %w", m.Name, stats.ErrMismatch)
		}
	}
	groups, score, reason := WeightedSum(out.Results, config.Classifier.GroupWeights)
	out.GroupScores = append([]GroupScore{}, groups...)
	out.Score = Score{Score: score, Classification: thresholds.Class(score), ClassificationReason: reason}
	return out, nil
}

func (m *Metric) judge(p Pair) (MetricResult, error) {
	s := m.Analysis.Canary
	c, err := Classify(p.Control, p.Experiment, s, Options{})
	if err != nil {
		return MetricResult{}, err
	}
	r := MetricResult{
		Name: p.Name, ID: p.ID, Tags: p.Tags, Groups: m.Groups, Muted: s.Muted,
		Classification: c.Label, ClassificationReason: c.Reason, Critical: c.Critical,
		ControlMetadata: Metadata{c.Control}, ExperimentMetadata: Metadata{c.Experiment}, ResultMetadata: c.Comparison,
	}
	if r.Tags == nil {
		r.Tags = map[string]string{}
	}
	if r.Groups == nil {
		r.Groups = []string{}
	}
	return r, nil
}
