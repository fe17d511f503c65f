// Package cdevents makes release events of CDEvents, the events of continuous
// delivery, as they come in CloudEvents over HTTP or in files.
//
// # How to use it
//
// From a file with an event on each line:
//
//	r, err := cdevents.Read(file, cdevents.Options{SignOffs: []string{"/risk-committee"}})
//	a, err := leadtime.Assemble(r.Events, leadtime.AssembleOptions{})
//
// From the network, by way of a file or a queue of your own:
//
//	receiver, err := cdevents.NewReceiver(cdevents.ReceiverOptions{Sink: store, Authenticate: check})
//	http.Handle("/events", receiver)
//
// Events belong together: what says which model version a test run was for may be
// another event of the same chain. So store the messages as they come, a
// [Message.Data] on each line is what [Read] reads, and give [Map] all there is.
//
// Every message is counted: it gives one event, or is in Skipped because it says
// nothing about releases, or in Bad because it should but cannot be understood.
// Messages delivered twice give events twice, which [leadtime.Assemble] drops.
//
// # Forms
//
// [Decode] takes the three forms of the HTTP binding of CloudEvents 1.0: structured,
// application/cloudevents+json; batched, application/cloudevents-batch+json; and
// binary, JSON with ce- headers. Lines hold structured events, batches or bare
// CDEvents.
//
// # What becomes what
//
//	approval.created, closed            start and end of the stage approval; closed as
//	                                    rejected is failed, as cancelled or expired cancelled
//	the same, from a source of SignOffs closed as approved is the sign-off, as rejected the end
//	                                    of the candidate, else it is withdrawn; created is skipped
//	build.started, artifact.packaged    start and end of the stage packaging
//	artifact.published                  registered
//	testsuiterun.started, finished      start and end of the stage that Stages has for the name
//	                                    of the suite, or validation
//	taskrun, pipelinerun, the same      likewise for the name of the task or pipeline, else
//	                                    skipped; the stage training is the training run
//	service.deployed, upgraded,         serving in the environment, all of its traffic unless
//	  published                         the event states a share; see Progressive
//	service.rolledback                  restored: the artifact is the one that is back
//	incident.detected, reported,        the incident of that id
//	  resolved
//	dev.cdeventsx.rollout-step.*        change of traffic to trafficPct; queued and started
//	                                    are skipped
//
// CDEvents has no event for a step of a canary. The custom event stands in for it:
// its subject has the content artifactId, environment and trafficPct, 0 to 100.
//
// Versions of event types play no part: subjects and predicates have kept their
// meaning.
//
// # Which model version
//
// Artifacts are package URLs, such as pkg:mlflow/fraud@12?run_id=3f2a: the name is
// the model and the version the version. They stand in artifactId, in the id of an
// artifact, or in the resourceTargetUrl of an approval. An event without one belongs
// to the artifact that the other events of its chainId name, when they name one only.
// For incidents the model of the service will do, see Models.
//
// Where tools can add to events, customData says it directly and wins:
//
//	"customData": {"rampguard": {"model": "fraud", "version": "12", "track": "fast_track"}}
//
// Its keys are kind, model, version, env, region, stage, attempt, track, outcome,
// traffic_pct and ref, as in package leadtime. With kind any CDEvent becomes an event:
// a sign-off that was revoked, a drift alert.
//
// # Attempts
//
// Runs of a stage are told apart by the id of their subject and numbered by their
// first time, so that suites which run at once and retries pair up rightly. Stages
// of packaging have no such id and are paired in order.
//
// References: CDEvents 0.5, https://cdevents.dev; CloudEvents 1.0.2,
// https://cloudevents.io; package URL, https://github.com/package-url/purl-spec.
package cdevents
