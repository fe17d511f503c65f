package foreign

import (
	"strconv"
	"strings"
	"time"
)

// argoRollout takes the canary steps of a Rollout over as stages.
func (in *importer) argoRollout(d object) {
	d.note("apiVersion", Mapped, "read as version v1alpha1")
	d.note("kind", Mapped, "the canary steps become stages")
	in.metadata(d)
	d.drop("the outcome of a past rollout", "status")
	spec := d.object("spec")
	spec.drop("what is deployed, not how it is judged", "replicas", "selector", "template", "workloadRef", "minReadySeconds", "rollbackWindow", "revisionHistoryLimit", "paused", "restartAt", "analysis")
	spec.drop("whether pods come up is the controller's to watch", "progressDeadlineSeconds", "progressDeadlineAbort")
	strategy := spec.object("strategy")
	strategy.drop("blue-green has no stages: the policy is asked before and after the switch", "blueGreen")
	canary := strategy.object("canary")
	scale := 100.0
	if routing := canary.object("trafficRouting"); routing.has("maxTrafficWeight") {
		if v, ok := routing.number("maxTrafficWeight"); ok && v > 0 {
			scale = v
		}
		routing.note("maxTrafficWeight", Mapped, "the weights of the stages are percentages of it")
		for i := 0; i+1 < len(routing.node.Content); i += 2 {
			if key := routing.node.Content[i].Value; key != "maxTrafficWeight" {
				routing.drop("how traffic is routed is the controller's business", key)
			}
		}
	} else {
		canary.drop("how traffic is routed is the controller's business", "trafficRouting")
	}
	canary.drop("how pods and traffic are moved is the controller's business", "canaryService", "stableService", "maxUnavailable", "maxSurge", "antiAffinity", "canaryMetadata", "stableMetadata",
		"scaleDownDelaySeconds", "scaleDownDelayRevisionLimit", "abortScaleDownDelaySeconds", "dynamicStableScale", "pingPong", "minPodsPerReplicaSet", "replicaProgressThreshold")
	background := canary.object("analysis")
	in.argoAnalysis(background)
	background.note("startingStep", Approximated, "a policy has the same checks at all stages")
	steps := canary.objects("steps")
	for _, step := range steps {
		in.argoStep(step, scale)
	}
	if n := len(in.out.stages); n > 0 && in.out.stages[n-1].weight < 100 {
		in.addStage(stage{weight: 100, comment: "after the last step Argo gives all traffic to the candidate"})
	}
}

// argoAnalysis notes what starts an analysis.
func (in *importer) argoAnalysis(o object) {
	for _, t := range o.objects("templates") {
		t.note("templateName", Approximated, "a policy has the same checks at all stages; the template has to stand in the same file")
		t.drop("a policy has no clusters", "clusterScope")
	}
	o.drop("arguments are given when a run starts; a policy has none", "args")
	o.drop("mute the checks in the policy instead", "dryRun")
	o.drop("a policy has no runs", "measurementRetention", "analysisRunMetadata")
}

// argoStep reads one step of the canary.
func (in *importer) argoStep(o object, scale float64) {
	if o.has("setWeight") {
		w, ok := o.number("setWeight")
		w = w / scale * 100
		n := len(in.out.stages)
		switch {
		case !ok:
		case w < 0 || w > 100:
			_, v := o.find("setWeight")
			o.wrong(v, "setWeight", "a percentage of the traffic")
		case w == 0:
			o.drop("a stage has some traffic", "setWeight")
		case n > 0 && w <= in.out.stages[n-1].weight:
			o.note("setWeight", Approximated, "weights of stages rise, so this belongs to the stage before")
		default:
			in.addStage(stage{weight: w})
			o.note("setWeight", Mapped, "a stage")
		}
	}
	if o.has("pause") {
		in.argoPause(o)
	}
	analysis := o.object("analysis")
	in.argoAnalysis(analysis)
	o.drop("an experiment runs beside the rollout; a policy compares the arms of the rollout itself", "experiment")
	o.drop("how pods and traffic are moved is the controller's business", "setCanaryScale", "setHeaderRoute", "setMirrorRoute", "replicaProgressThreshold")
	o.drop("a plugin decides by itself", "plugin")
}

// argoPause adds a pause to the stage that it happens in.
func (in *importer) argoPause(o object) {
	pause := o.object("pause")
	n := len(in.out.stages)
	if !pause.has("duration") {
		if n == 0 {
			o.drop("the candidate has no traffic yet", "pause")
			return
		}
		o.note("pause", Approximated, "it waits for a person; a stage ends when its evidence suffices. Keep the pause in the controller where a person has to agree")
		in.out.stages[n-1].comment = "the rollout paused here for a person"
		return
	}
	text := pause.text("duration")
	d, err := time.ParseDuration(text)
	if s, numErr := strconv.ParseUint(strings.TrimSpace(text), 10, 31); numErr == nil {
		d, err = time.Duration(s)*time.Second, nil
	}
	switch {
	case err != nil || d < 0:
		_, v := pause.find("duration")
		pause.wrong(v, "duration", "a number of seconds or a duration such as 5m")
	case n == 0:
		pause.drop("the candidate has no traffic yet", "duration")
	default:
		in.out.stages[n-1].duration += d
		pause.note("duration", Mapped, "the least time that the stage lasts")
	}
}
