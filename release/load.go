package release

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

// Load reads a manifest in YAML or JSON; name is what messages call the file.
//
// The file is read strictly: unknown and duplicate keys and values of another kind
// than the key wants are faults; so are anchors, aliases, merge keys, tags, and
// more than one document. All faults are reported together, in the order of their
// place, as lines of the form
//
//	fraud.yaml:12:5: model: unknown key vrsion; known: name, version
//
// joined with [errors.Join], each of which wraps [ErrManifest]. A field that is
// left out is no fault of the file: the gate contract reports it, so that the
// report names all that is missing.
func Load(name string, data []byte) (*Manifest, error) {
	r := &reader{file: name}
	root := r.parse(data)
	if root == nil {
		return nil, r.err()
	}
	m := &Manifest{}
	m.read(r.mapping(root, ""))
	if err := r.err(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	m.Source = hex.EncodeToString(sum[:])
	return m, nil
}

// read takes the sections of the file.
func (m *Manifest) read(top *mapping) {
	if v := top.number("version"); v == nil || *v != 1 {
		top.r.fault(top.at("version"), "version must be 1, the form of the manifest")
	}
	top.within("model", func(s *mapping) { m.Name, m.Version = s.text("name"), s.text("version") })
	m.Owner = top.text("owner")
	m.Risk = map[string]Risk{"low": RiskLow, "high": RiskHigh}[top.word("risk", "low", "high")]
	top.within("labels", func(s *mapping) {
		m.Labels = map[string]string{}
		for _, k := range s.keys {
			m.Labels[k.Value] = s.text(k.Value)
		}
	})
	top.within("training_data", func(s *mapping) {
		t := &m.Training
		t.ID, t.Digest, t.Since, t.Until = s.text("id"), s.digest("digest"), s.instant("since"), s.instant("until")
		if !t.Since.IsZero() && !t.Until.IsZero() && !t.Since.Before(t.Until) {
			s.r.fault(s.at("until"), "%s must be after %s", s.name("until"), s.name("since"))
		}
	})
	top.within("features", func(s *mapping) { m.Features = readFeatures(s) })
	top.within("output", m.readOutput)
	top.within("runtime", func(s *mapping) { m.Image, m.Digest = s.text("image"), s.digest("digest") })
	top.within("evaluation", m.readEvaluation)
	top.within("gates", m.readGates)
	top.within("serving", func(s *mapping) {
		s.within("limits", func(s *mapping) { m.Serving.Limits = readResources(s) })
		s.within("measured", func(s *mapping) { m.Serving.Measured = readResources(s) })
	})
	top.within("rollback", func(s *mapping) {
		m.Rollback.Version, m.Rollback.KnownGoodSince = s.text("version"), s.instant("known_good_since")
		s.within("features", func(s *mapping) { m.Rollback.Features = readFeatures(s) })
	})
	top.within("thresholds", func(s *mapping) { m.Thresholds = s.text("version") })
	top.each("approvals", func(s *mapping) {
		a := Approval{Who: s.need("who"), Why: s.need("why"), At: s.instant("at"), Expires: s.instant("expires")}
		if a.At.IsZero() && s.values["at"] == nil {
			s.r.fault(s.node, "%s is missing; say when %s approved", s.name("at"), a.Who)
		}
		m.Approvals = append(m.Approvals, a)
	})
	top.done()
}

func readFeatures(s *mapping) FeatureSchema {
	f := FeatureSchema{Version: s.text("version")}
	seen := map[string]bool{}
	s.each("list", func(s *mapping) {
		var x Feature
		x.Name = s.need("name")
		if seen[x.Name] && x.Name != "" {
			s.r.fault(s.at("name"), "the feature %s is listed twice; keep one of them", shorten(x.Name))
		}
		seen[x.Name] = true
		words := []string{"float", "int", "bool", "string", "time"}
		w := s.need("type")
		i := slices.Index(words, w)
		if w != "" && i < 0 {
			s.word("type", words...)
		}
		x.Type = analysis.Type(i + 1)
		x.Nullable, x.Min, x.Max, x.MaxAge = s.truth("nullable"), s.number("min"), s.number("max"), s.length("max_age")
		if x.Min != nil && x.Max != nil && *x.Min > *x.Max {
			s.r.fault(s.at("max"), "%s is below %s", s.name("max"), s.name("min"))
		}
		if (x.Min != nil || x.Max != nil) && i >= 2 {
			s.r.fault(s.node, "%s is %s, which has no range; leave min and max out", shorten(x.Name), w)
		}
		f.List = append(f.List, x)
	})
	return f
}

func (m *Manifest) readOutput(s *mapping) {
	o := &m.Output
	if w := s.word("task", "binary", "multiclass", "regression"); w != "" {
		o.HasTask = o.Task.UnmarshalText([]byte(w)) == nil
	}
	o.Range, o.Classes, o.Actions = s.pair("score_range"), s.texts("classes"), s.texts("actions")
	if o.Range != nil && o.Range[0] == o.Range[1] {
		s.r.fault(s.at("score_range"), "%s is a single value; give two", s.name("score_range"))
	}
}

func (m *Manifest) readEvaluation(s *mapping) {
	m.Evaluation.Report = s.text("report")
	seen := map[[2]string]bool{}
	s.each("metrics", func(s *mapping) {
		x := Metric{Name: s.need("name"), Slice: s.text("slice"), N: s.whole("n"), Interval: s.pair("interval")}
		if v := s.number("value"); v != nil {
			x.Value = *v
		} else if s.values["value"] == nil {
			s.r.fault(s.node, "%s is missing; leave a metric out that was not measured", s.name("value"))
		}
		if x.Interval != nil && (x.Value < x.Interval[0] || x.Value > x.Interval[1]) {
			s.r.fault(s.at("interval"), "%s [%v, %v] does not hold the value %v", s.name("interval"), x.Interval[0], x.Interval[1], x.Value)
		}
		if id := [2]string{x.Name, x.Slice}; seen[id] && x.Name != "" {
			s.r.fault(s.at("name"), "%s%s is given twice; keep one of them", shorten(x.Name), where(x.Slice))
		} else {
			seen[id] = true
		}
		m.Evaluation.Metrics = append(m.Evaluation.Metrics, x)
	})
}

func (m *Manifest) readGates(s *mapping) {
	if s.get("primary") != nil {
		s.within("primary", func(s *mapping) {
			b := readBound(s)
			m.Gates.Primary = &b
		})
	}
	unlike := func(s *mapping, have []Bound, b Bound) []Bound {
		if slices.ContainsFunc(have, func(o Bound) bool { return o.Metric == b.Metric && o.Slice == b.Slice && o.AtMost == b.AtMost }) {
			s.r.fault(s.node, "%s%s has this bound already; keep one of them", shorten(b.Metric), where(b.Slice))
		}
		return append(have, b)
	}
	s.each("guardrails", func(s *mapping) { m.Gates.Guardrails = unlike(s, m.Gates.Guardrails, readBound(s)) })
	s.each("slices", func(s *mapping) {
		slice := s.need("slice")
		b := readBound(s)
		b.Slice = slice
		m.Gates.Slices = unlike(s, m.Gates.Slices, b)
	})
}

func readBound(s *mapping) Bound {
	b := Bound{Metric: s.need("metric")}
	least, most := s.number("at_least"), s.number("at_most")
	switch {
	case s.values["at_least"] != nil == (s.values["at_most"] != nil):
		s.r.fault(s.node, "%sgive one of at_least and at_most", label(s.path))
	case most != nil:
		b.Limit, b.AtMost = *most, true
	case least != nil:
		b.Limit = *least
	}
	return b
}

func readResources(s *mapping) Resources {
	return Resources{P99: s.positive("p99_ms"), MemoryMiB: s.positive("memory_mib"), QPS: s.positive("qps")}
}

// where names a slice in a sentence.
func where(slice string) string {
	if slice == "" {
		return ""
	}
	return fmt.Sprintf(" where %s", shorten(slice))
}
