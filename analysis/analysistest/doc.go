// Package analysistest helps to test what is built on package analysis: a policy
// by stories in plain text ([RunStories]), a model in CI ([Gate]), and a check of
// one's own ([CheckConformance]). It is meant for tests only.
//
// # Stories
//
// A story says what happened at one or several looks at a rollout and what the
// policy has to decide. It needs no data: the findings are written down.
//
//	policy
//	  require error_rate latency
//	  optional drift warn
//
//	story an outage is not harm
//	# A provider that times out has proven nothing about the candidate.
//	at 12:00
//	findings
//	  error_rate provider_error
//	  latency    pass
//	decide
//	expect pause auto provider_error
//
// A file holds any number of stories. Each begins with a line story NAME and says
// in a comment why its expectation is right; a story without one is refused. What
// stands before the first story is the beginning of every story in the file. Lines
// that are indented belong to the line above them. Text of several words stands
// in double quotes. The commands, each of which holds until it is given again:
//
//	policy               the policy; see below. Another one starts a new attempt
//	policy yaml          a policy file, indented; its checks are not run, the findings speak for them
//	policy file NAME     the same, from a file beside the story
//	shadow ...           as policy, for one that is applied beside it and never decides
//	candidate NAME       another version of the model is being rolled out
//	at TIME              12:00, 2026-02-01T09:00, +30m, or never for a look without a time
//	stage NAME           the present stage
//	traffic N [over D]   units of each arm in this stage so far, and how long they took
//	traffic N M [over D] the same for baseline and candidate apart
//	traffic none         no arm has evidence; this is how a story begins
//	traffic same N       both arms are one and the same log
//	override ACTION [CHECK [METRIC]] who=ann why="..." until=14:00
//	                     a decision of a person: accept, continue, pause or rollback
//	withdraw             all overrides are taken back
//	forget               the controller has lost the state of the rollout
//
// and those that hold for the next look only:
//
//	findings             lines of the form CHECK OUTCOME [SEVERITY] [OPTIONS], indented
//	problem TEXT [metric=M] [arm=candidate]
//	                     a source failed; every check of a policy in short form reads
//	                     a metric of its own name
//	decide               the look: the policy evaluates it
//	decide findings      the look of a controller that hands over bare findings
//
// The outcome of a finding is one of those of [analysis.Outcome], or panics, fails
// or silent for a check that is broken. Without a severity it has that of the
// policy. A policy with several checks of one name has them as NAME#1, NAME#2 in
// their order; others OUTCOME speaks for all checks that no other line names. The
// options are
//
//	nan, inf             its estimate is no number, or infinite
//	metric=M column=C slice=country:DE,os:ios stage=S
//	value=0.02 needs=4200 (units that would decide)
//	k=2 of=3 clear=2 cooldown=10m window=12:05
//	                     breaches count only as k of the last windows
//	local                invalid for this finding alone
//	required, optional   with decide findings; otherwise the policy says so
//	says="..."           its message
//
// Each look is followed by what it must have led to, the decision first:
//
//	expect continue|pause|rollback [auto|manual] [CODE of the first reason]
//	expect step stay | advance STAGE | done
//	expect [no] reason CODE [CHECK]
//	expect [no] text "..."            in the report for people
//	expect finding CHECK WORD...      its outcome, untrusted, trusted, required or a kind of baseline
//	expect wait 10m                   when to look again
//	expect shadow continue|pause|rollback [auto|manual] [agrees|disagrees]
//	expect attempt N, expect look N, expect exit N
//	expect error "..."                the look was refused; no decision then
//
// A policy in short form has lines of the form
//
//	require NAME... [SEVERITY]       checks that the rollout waits for; rollback unless said
//	optional NAME... [SEVERITY]      checks that it does not wait for; warn unless said
//	mute NAME...                     computed and not acted on
//	auto_resume NAME...              their pauses end by themselves
//	baseline NAME KIND               concurrent, previous_window, reference or absolute
//	looks continuous | once | N
//	exposure [units=N] [duration=D]
//	stage NAME WEIGHT [units=N] [duration=D]
//	deadline [CHECK] no_data|provider_error|undecided [after=D] [looks=N] then=pause|rollback|continue
//	table empty                      a decision table that leaves everything out
//	table OUTCOME SEVERITY required|optional DECISION [RESUME] [CODE]
//	                                 one rule of the decision table, replacing the default
//
// Beyond what a story expects, every look is held against the promises of the
// engine: findings in another order and twice give the same bytes, the verdict
// and its state read back from JSON, its record follows on the one before, and a
// replay gives the same verdict.
package analysistest
