package analysistest

import "math"

var inf = math.Inf(1)

// rule is what a check keeps to, and why.
type rule struct{ name, why string }

// The rules of [CheckConformance].
var (
	ruleName = rule{"a check has a name",
		"policies and findings call it by that name"}
	ruleColumns = rule{"a check asks for the same every time",
		"what is collected is decided once, and shards are collected apart"}
	rulePanic = rule{"a check does not panic on data",
		"a panic is reported as invalid evidence, and wakes a person for nothing"}
	ruleError = rule{"a check does not fail on data",
		"bad or missing data is an outcome such as no_data or invalid; an error means that the check was misused"}
	ruleSilence = rule{"a check reports at least one finding",
		"silence could be taken for a pass; report no_data or insufficient"}
	ruleMutation = rule{"a check leaves the evidence alone",
		"other checks and the record read the same snapshots"}
	ruleDeterminism = rule{"the same evidence gives the same findings",
		"a verdict is replayed from its record; no clock, no randomness, no order of a map may change it, nor state that is kept between calls"}
	ruleFindingName = rule{"a finding carries the name of its check, or none",
		"the decision asks for a finding of every required check by its name"}
	ruleFindingText = rule{"a finding has a code in snake_case, a metric and a message",
		"programs read the code, people the message, overrides the metric"}
	ruleKnown = rule{"outcome and severity are known words",
		"a verdict with an unknown word cannot be stored, so it is turned into invalid"}
	ruleMuted = rule{"a check does not mute itself",
		"what is not acted on is for the policy to say"}
	ruleNumber = rule{"a pass or a warning rests on a number",
		"both let the rollout go on; a NaN or an infinite loss is no evidence of no harm"}
	ruleEmpty = rule{"no rows are no evidence",
		"a candidate that has served nothing has neither passed nor done harm; report no_data"}
	ruleAlpha = rule{"a finding spends no more than its share of the error budget",
		"the shares of all checks add up to the probability of a false alarm that the policy promises"}
	ruleJSON = rule{"a finding reads back from JSON",
		"the record of a verdict is JSON, and its digest is taken over it"}
	ruleMerge = rule{"parts of a log add up to the log",
		"a verdict must not depend on how a log was cut into files, on the order of the parts, or on whether they were stored"}
)
