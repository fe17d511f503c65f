// Package argogate lets Argo Rollouts ask rampguard as a metric provider and as a step
// of a canary. Both ask the gate of "rampguard serve" for the verdict on a rollout;
// the command rampguard-argo is both plugins. README.md leads from nothing to a
// rollout that is judged, with and without the plugins.
//
// # One verdict, two hosts
//
//	verdict         metric                                  step
//	continue        Successful                              Successful
//	pause, auto     Running, asks again                     Running, asks again
//	pause, manual   Inconclusive: the rollout is paused     Running, asks again
//	rollback        Failed: the rollout is aborted          Failed: the rollout is aborted
//	no verdict      Running until errorBudget has passed,   Error, which the controller
//	                then Inconclusive                       tries again after 30 s
//
// A measurement never has the phase Error, five of which in a row abort a rollout 40 s
// after a gate has gone down. A configuration that cannot be used is Inconclusive at
// once. A measurement that is terminated is Inconclusive, too: no evidence is no good
// news.
//
// A continue counts when the look was made since the analysis or the step began, and
// at the stage that the configuration names; until then it is an automatic pause.
//
// # Configuration
//
// In spec.metrics[].provider.plugin of an AnalysisTemplate, or in steps[].plugin.config
// of a Rollout:
//
//	policy         of the gate; the only key that is required
//	rollout        its name at the gate; {namespace}, {name} and {hash} (of the pods) are
//	               filled in. Default argo:{namespace}:{name}:{hash}
//	stage          of the policy
//	server, token  another gate than that of the arguments of the plugin
//	timeout        of a question, 10s
//	checkEvery     how often to ask; by default as the gate says, between 10s and 5m.
//	               The controller waits at least 10s between two runs of a step
//	errorBudget    how long there may be no verdict before a person is asked, 10m; metric only
//	waitLimit      how long an automatic pause may last before a person is asked; metric
//	               only, and by default the policy of the gate decides that
//	acceptEarlier  true: a continue from before the analysis began counts, too
//
// # Secrets
//
// The token of the plugin's arguments goes to the server of these arguments and to no
// other, so that who may write a template or a rollout can use it and cannot read it.
// Nothing is logged, and redirects are not followed.
//
// # Calls
//
// The controller's calls have no deadline, and all runs share one plugin process. So
// questions are asked in the background; a call returns within about a second. What
// has to last from call to call is in the metadata of the measurement or in the
// status of the step: a plugin that is killed loses nothing.
package argogate
