// Package mlflowevents makes lead-time events of an MLflow registry: from tags,
// from webhooks, and by looking at the registry again and again.
//
// # How to use it
//
// Once, or every few minutes, with the state kept in a file between the looks:
//
//	c, err := mlflowevents.NewClient("https://mlflow.example.com", mlflowevents.ClientOptions{Token: token})
//	p, err := mlflowevents.NewPoller(c, mlflowevents.PollOptions{Now: time.Now})
//	got, err := p.Poll(ctx, state) // got.Events, got.Problems, got.Warnings
//	state = got.State
//
// And for changes as they happen, a [net/http.Handler]:
//
//	h, err := mlflowevents.NewWebhook(mlflowevents.WebhookOptions{Secret: secret, Now: time.Now, Sink: store})
//
// Both may run side by side: an event that both see has the same Source and ID,
// and [leadtime.Assemble] keeps one.
//
// # What a registry can tell
//
// MLflow keeps no history. Tags and aliases have no time of their own, setting
// one does not touch last_updated_timestamp, and an alias is a label: that a
// version is called champion does not say that it serves. Stamps come from, in
// order of worth:
//
//	tags of the convention below    exact: the value is the time
//	webhooks                        the sender's clock when the change was made
//	two looks, without and with     an interval: Earliest and At
//	creation_timestamp              when the version was registered, no more
//	the run's start and end         cycle time, and the lint of the clock
//
// # Tags
//
// On the model version, all times RFC 3339 with an offset:
//
//	rollout.signoff_at                  SignOff
//	rollout.signoff_by                  who: the Ref of the sign-off
//	rollout.track                       standard, fast_track or a name of your own
//	rollout.stage.<name>.started_at     StageStart
//	rollout.stage.<name>.finished_at    StageEnd, outcome not stated
//	rollout.serving_at                  Serving, all traffic of Options.Env
//
// Other keys that begin with rollout. are mistakes and come back as a [Problem],
// as do values that are no time. A sign-off tag that is changed is a new
// sign-off; one that is deleted is a sign-off revoked. A track that is set after
// the sign-off is told by a TrafficChange event of zero percent, which changes
// nothing but states the track.
//
// Aliases, stages and other tags mean nothing until Options.Meanings says what:
//
//	Meanings: map[string]mlflowevents.Meaning{
//		"alias:champion":               {Kind: leadtime.Serving},
//		"alias:challenger":             {Kind: leadtime.StageStart, Stage: "canary"},
//		"tag:validation_status=passed": {Kind: leadtime.StageEnd, Stage: "validation", Outcome: leadtime.Passed},
//		"stage:Archived":               {Kind: leadtime.Withdrawn},
//	}
//
// When the label of a StageStart goes, the stage has ended. Other labels that go
// tell nothing.
//
// # Looks
//
// [Poller.Poll] compares the registry with a [State] and gives what is new. A
// stamp is the interval from the beginning of the last look to the end of this
// one, and begins no earlier than the version itself. What is there at the first
// look of all has no lower bound: such labels come back as problems, not as
// events. A look that fails gives no events and no state; look again with the
// old one.
//
// # The client
//
// It only reads. Requests are tried again after 429 and 5xx answers and broken
// connections, a bounded number of times and after as long as Retry-After says;
// when that is longer than MaxWait, it gives up at once and says so. Redirects
// are not followed: they lead to login pages. Bodies are bounded. Lists are read
// until the page token is empty; a token that repeats is an error. Servers that
// know no tokens answer one page; when that is full, List.Cut says that more may
// exist. Credentials are a [Secret] and appear in no error, whatever the server
// answers.
//
// Errors are an [Error] that wraps one of the sentinels.
//
// # Webhooks
//
// MLflow signs `id.timestamp.body` with HMAC-SHA256. The handler compares in
// constant time, refuses stamps further than Tolerance from its clock, bounds
// the body, and answers a delivery it has seen before without passing it on. It
// answers 204 when the sink took the delivery; 503 when not, and MLflow sends it
// again under the same id.
//
// A deleted alias does not name its version, and a moved one arrives as created;
// what such a move ends is only seen by a look. Tags arrive one by one, so a
// sign-off that comes this way does not say by whom.
package mlflowevents
