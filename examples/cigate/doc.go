// Package cigate shows how a model is held back by CI like code that fails its tests.
// It has no code but tests and two pipelines.
//
// # As a Go test
//
// gate_test.go is the whole gate. It loads the policy, which says how much worse the
// candidate may be and of what; reads the two logs in one pass each, the baseline's
// and the candidate's; and hands both to [analysistest.Gate], which fails the test
// unless the policy continues:
//
//	go test ./examples/cigate -run TestModel
//	go test ./examples/cigate -run TestModel -args -candidate ../../testdata/flights/candidate_broken.parquet
//
// The first passes: the candidate of the flights is sound. The second fails, and what
// it prints is the report that a person would get at the terminal: the decision, why,
// and each finding with its value, its bound and its sizes. TestFailureIsReadable runs
// the same gate against a recorder and shows that text with go test -v.
//
// Too little data fails as well. No evidence is no pass: a test that is green because
// nothing was looked at would be worse than none. GateOptions.AllowAutoPause is for
// those who want to merge before the evidence is there and look again in production.
//
// # As a pipeline
//
// Where the logs are not at hand when Go tests run, the command does the same. The
// pipelines in this folder, .github/workflows/model-gate.yml and .gitlab-ci.yml, are
// to be copied into the repository of the model: they are not active here. Each reads
// the logs once, keeps the evidence (a few hundred kilobytes), and writes two reports
// of it: JUnit for the test tab, Markdown for the pull request. The exit status decides:
//
//	status  GitHub: status of the commit  GitLab: job  what to do
//	     0  success                       passed       merge
//	    75  pending                       failed (75)  wait for more rows, run it again
//	     3  failure                       failed (3)   a person looks, and mends the data or accepts
//	     1  failure                       failed (1)   the candidate is worse: do not merge
//	     2  error                         failed (2)   no verdict: the policy or a log is broken
//
// A pending status blocks a merge where "model-gate" is a required check, and so does
// a failed job. A person accepts a finding in overrides.yaml, with a name, a reason and
// an end, in the same pull request, so that it is reviewed like everything else.
//
// pipelines_test.go runs the scripts of both files with the command of this repository,
// so that no flag in them can be out of date.
//
// [analysistest.Gate]: https://pkg.go.dev/github.com/rampguard/rampguard/analysis/analysistest#Gate
package cigate
