package foreign

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/rampguard/rampguard/analysis/kayenta"
	"go.yaml.in/yaml/v3"
)

// noticedRise and noticedFall are the change that the judge finds nine times in ten in 50 points of
// a metric with a tenth of noise; it stands for "any increase".
const (
	noticedRise = "1.1x"
	noticedFall = "0.9x"
)

// kayenta reads a canary config. The judge asks whether it can see a difference, a
// policy whether one that matters is ruled out.
func (in *importer) kayenta(docs []object) {
	in.out.title = "a canary config of Kayenta"
	if len(docs) != 1 {
		in.fault(&yaml.Node{Line: 1}, "a canary config is one document, not %d", len(docs))
		return
	}
	d := docs[0]
	config, err := kayenta.ParseConfig(in.data)
	if err != nil {
		in.fault(&yaml.Node{Line: 1}, "%v", err)
		return
	}
	for _, w := range config.Warnings {
		in.notes = append(in.notes, Note{in.name, d.node.Line, d.node.Column, "config", w, Approximated})
	}
	in.out.model = shorten(config.Name)
	in.out.about = []string{
		"A metric is a mean over units here, with its sum, its count and the sum of squares from a provider; Kayenta ranks points of time. " +
			"Where the config allows no size of an effect, a tenth was taken: set what matters to you.",
		"To go on judging as Kayenta does, use package analysis/kayenta with the config as it is.",
	}
	d.note("name", Mapped, "the name of the model")
	d.drop("says nothing about the judgement", "id", "description", "configVersion", "createdTimestamp", "createdTimestampIso", "updatedTimestamp", "updatedTimestampIso", "applications")
	d.drop("a policy names metrics; templates of queries belong to their provider", "templates")
	d.drop("a policy decides by bounds of the harm, not by the judge's ranks", "judge")
	classifier := d.object("classifier")
	classifier.drop("a policy has no score, so no weights of groups: each check decides for itself", "groupWeights")
	classifier.drop("a policy has no score: a limit called rollback takes the candidate out, one called pause holds it", "scoreThresholds")
	for i, o := range d.objects("metrics") {
		in.kayentaMetric(o, config.Metrics[i])
	}
}

func (in *importer) kayentaMetric(o object, m kayenta.Metric) {
	name := in.unique(m.Name)
	o.note("name", Mapped, "the name of the metric that a provider has to bring")
	o.drop("the query belongs to the provider of the metric", "query", "scopeName")
	o.drop("a policy has no groups: each check decides for itself", "groups")
	canary := o.object("analysisConfigurations").object("canary")
	s := m.Analysis.Canary
	canary.note("direction", Mapped, "the direction that is bad")
	canary.note("critical", Mapped, "a critical metric has a limit that rolls back, others one that pauses")
	canary.note("muted", Mapped, "the check is muted")
	canary.note("mustHaveData", Approximated, "every required check waits for its data, and none fails for want of it")
	canary.drop("a metric without a value is not 0 and passes nothing", "nanStrategy")
	canary.drop("a mean is of all units; a limit on a quantile stands firmer against outliers", "outliers")
	size := canary.object("effectSize")
	if s.EffectSize.Measure == "cles" {
		size.drop("a share of pairs is no multiple of the baseline", "measure", "allowedIncrease", "allowedDecrease", "criticalIncrease", "criticalDecrease")
		s.EffectSize = kayenta.EffectSize{}
	} else {
		size.note("measure", Mapped, "a multiple of the baseline's mean")
	}
	c := check{metric: "mean", of: name, muted: s.Muted}
	c.comments = []string{fmt.Sprintf("Line %d: metric %s in %s", o.line(), m.Name, cmp.Or(strings.Join(m.Groups, ", "), "no group"))}
	if s.Direction != "decrease" {
		c.direction = "lower"
		in.kayentaLimits(&c, size, s, "Increase", s.EffectSize.AllowedIncrease, s.EffectSize.CriticalIncrease, noticedRise)
		in.add(c)
		c.comments = nil
	} else {
		size.drop("an increase is not bad by the direction", "allowedIncrease", "criticalIncrease")
	}
	if s.Direction != "increase" {
		c.direction = "higher"
		in.kayentaLimits(&c, size, s, "Decrease", s.EffectSize.AllowedDecrease, s.EffectSize.CriticalDecrease, noticedFall)
		in.add(c)
	} else {
		size.drop("a decrease is not bad by the direction", "allowedDecrease", "criticalDecrease")
	}
}

// kayentaLimits takes the sizes of effects over as multiples of the baseline.
func (in *importer) kayentaLimits(c *check, size object, s kayenta.Canary, side string, allowed, critical *float64, noticed string) {
	rise := side == "Increase"
	use := func(key string, v *float64) string {
		switch {
		case v == nil:
			return ""
		case rise && *v > 1 || !rise && *v > 0 && *v < 1:
			size.note(key, Mapped, "the multiple of the baseline at which the change matters")
			return formatFloat(*v) + "x"
		}
		size.note(key, Approximated, "%s lets any change fail that the judge can see; %s was taken", formatFloat(*v), noticed)
		return ""
	}
	c.relative = limits{}
	first := use("allowed"+side, allowed)
	if first == "" {
		first = noticed
		c.comments = append(c.comments, fmt.Sprintf("Kayenta fails on any %s that it can see; %s was chosen here.", strings.ToLower(side), noticed))
	}
	if !s.Critical {
		size.drop("the metric is not critical", "critical"+side)
		c.relative.pause = first
		return
	}
	second := use("critical"+side, critical)
	v, w := parseFloat(strings.TrimSuffix(first, "x")), parseFloat(strings.TrimSuffix(second, "x"))
	if second == "" || rise && w <= v || !rise && w >= v {
		second = first
	} else {
		c.relative.pause = first
	}
	c.relative.rollback = second
}
