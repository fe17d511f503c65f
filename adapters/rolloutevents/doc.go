// Package rolloutevents makes lead-time events of what progressive-delivery
// controllers say: the status and the notifications of Argo Rollouts, and the
// event webhooks of Flagger. It imports neither.
//
// # How to use it
//
//	batch, err := rolloutevents.DecodeArgo(body, received, rolloutevents.Options{Version: "image-tag"})
//	batch, err := rolloutevents.DecodeFlagger(body, rolloutevents.Options{})
//
// or as a [net/http.Handler] that the controller calls:
//
//	h, err := rolloutevents.NewArgoReceiver(rolloutevents.ReceiverOptions{Now: time.Now, Sink: store})
//
// Events are the same however often a status is seen: each has an ID made of the
// object, its revision and what happened, and [leadtime.Assemble] keeps the first.
//
// # Names
//
// Options.Model and Options.Version say where the names come from, the first that
// gives something:
//
//	name                 of the Rollout or Canary (the default model)
//	namespace/name       both
//	label:KEY            of the object, then of its pod template (Argo Rollouts)
//	annotation:KEY       likewise
//	image-tag            of the first container (Argo Rollouts)
//	image-tag:NAME       of the container with that name
//	metadata:KEY         of the webhook (Flagger)
//	revision             pod template hash or checksum (the default version)
//
// for example Version: "label:model-version|image-tag|revision". A revision says
// that something was rolled out, not which model version: unless sign-offs use
// the same names, flights will not meet their rollouts.
//
// # Argo Rollouts
//
// A body is a Rollout object, or {"trigger": ..., "rollout": {...}}, which this
// notification template sends:
//
//	template.rampguard: |
//	  webhook:
//	    rampguard:
//	      method: POST
//	      body: '{"trigger":"on-rollout-completed","rollout":{{toJson .rollout}}}'
//
// From status.duration, where the controller has it:
//
//	rolloutStartedAt                 StageStart
//	finishedAt, Promoted             StageEnd passed, Serving
//	finishedAt, FastPromoted         the same on Options.FastTrack
//	finishedAt, Aborted              StageEnd failed, RollbackDecided (canary)
//	finishedAt, Superseded           StageEnd cancelled
//	finishedAt, RolledBack, FastRolledBack
//	                                 Restored, for the version that came back
//
// The terminal signal is finishedAt, not completionStatus, which is set earlier.
// The stage is canary or, for blue-green, promotion. After a roll back the status
// names the version that returned and not the one that left; nothing is told of
// the latter. Superseded appears in logs and metrics, hardly in a status. How
// long people kept an attempt waiting is in [Attempt.ManualPause]: a sum, without
// the stamps that a stage would need.
//
// Without status.duration, conditions and abortedAt serve: Completed is Serving,
// and a body with the trigger on-rollout-updated is the start.
//
// While an attempt runs, the share of traffic is that of status.canary.weights,
// or of the last setWeight step that is done; it is stamped with the time the
// body was received, for the status has none.
//
// # Flagger
//
// By phase:
//
//	Progressing          StageStart canary; "Advance ... canary weight N": TrafficChange
//	WaitingPromotion     StageStart approval
//	Promoting            StageEnd canary passed, StageStart promotion (also at "Copying
//	                     ... template spec"); with "Routing all traffic to primary"
//	                     also StageEnd promotion passed, Serving; with "Promotion of ... failed" StageEnd promotion failed
//	Finalising           StageEnd promotion passed, Serving
//	Succeeded            the same, for those who missed Finalising; a skipped analysis
//	                     is on Options.FastTrack
//	Failed               StageEnd canary failed, RollbackDecided (also at "Rolling back")
//	Waiting, Initializing, Initialized, Terminating, Terminated
//	                     nothing; counted in Batch.Ignored
//
// Flagger computes the checksum from the status before it notes a new revision.
// Its "New revision detected!" events, and the phase Waiting, which comes before
// the analysis, therefore carry the checksum of the revision before. They are
// ignored, but for a restart of the analysis, which cancels the canary of that
// checksum. A second try of the same spec has the same checksum and cannot be
// told from the first.
//
// # Receivers
//
// The body is bounded, a body that was seen before is not passed on, and the
// answer is 200: Flagger takes anything above 202 for a failure. 503 says that
// the sink did not take it, and the controller tries again. Neither controller
// signs what it sends: set Token where the sender can add a header (Argo Rollouts
// can), and keep the receiver inside the cluster.
package rolloutevents
