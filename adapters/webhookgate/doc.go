// Package webhookgate answers rollout controllers over HTTP: Flagger, Argo Rollouts
// and Kayenta's clients ask whether a rollout may go on, and jobs post the evidence
// that the answer rests on. Nothing has to be installed in the controllers.
//
// # How to use it
//
//	gate, err := webhookgate.New(webhookgate.Options{
//		Store:    store, // see package gatestore
//		Policies: webhookgate.Policies{"fraud": {Rules: policy}},
//		Tokens:   []webhookgate.Token{{Name: "flagger", Secret: secret}},
//		Now:      time.Now,
//	})
//	server := gate.Server()
//	server.Addr = ":8080"
//	err = server.ListenAndServe() // and server.Shutdown to end it
//
// The command "rampguard serve" is this with flags.
//
// # Routes
//
//	POST /v1/decide                     makes a look from posted evidence, answers the verdict
//	GET  /v1/rollouts/ROLLOUT           the last verdict
//	GET  /v1/rollouts/ROLLOUT/records   the chain of verdicts; from=1, limit=100
//	POST /flagger/POLICY/HOOK           HOOK is the type of the webhook
//	GET  /argo/POLICY/ROLLOUT           for the web provider; also POST; stage=NAME
//	     /kayenta/...                   canaryConfig, canary/ID and judge, for Argo's kayenta provider and Spinnaker
//	GET  /healthz                       200 while the store can be used; open to all
//	GET  /metrics                       where Options.Metrics is set
//
// A verdict is the JSON of [analysis.Verdict], byte for byte as it was recorded. An
// error has a status from 400 on and {"error": {"code", "message"}}; from the routes
// of Flagger it is plain text, which Flagger shows to people. There is no status 200
// without an answer in it.
//
// # Looks
//
// The body of POST /v1/decide is
//
//	{"rollout": "fraud-v8",       what is rolled out; a candidate of its own
//	 "policy":  "fraud",
//	 "look":    "2026-01-31T12",  id of this look; a retry has the same id and bytes
//	 "stage":   "canary",         of the policy; without it the evidence stands alone
//	 "now":     "2026-01-31T12:00:00Z",  optional; never before the last look
//	 "evidence": [{"stage": "canary", "baseline": SNAPSHOT, "candidate": SNAPSHOT,
//	               "pairs": "..."}],  a PairSnapshot in base 64, of a shadow log
//	 "reference": SNAPSHOT, "previous": SNAPSHOT,
//	 "measurements": [{"arm", "metric", "start", "end", "total", "count", ...}],
//	 "given": [FINDING], "problems": [{"name", "arm", "text"}], "overrides": [OVERRIDE]}
//
// SNAPSHOT is its JSON form, or its binary form in base 64. Send the whole evidence
// of the present stage so far; that of the stages before is remembered. An unknown
// member is refused. A look is stored, with its evidence, before it is answered. The
// same id with the same bytes gives the stored answer and counts once, wherever it is
// sent; with other bytes it is refused with 409. Overrides are taken from the clients
// in Options.Overriders only.
//
// # Who looks
//
// A policy without a [Source] rests on what is posted; hosts get the last verdict.
// With one the hosts' questions make the looks, unless the last is younger than
// Options.MinInterval: also a GET or a HEAD of /argo, so let no probe ask there. A
// Continue older than Options.MaxAge is a pause to hosts, and so is one of another stage
// than the one that the host names.
//
// # One verdict, every host
//
//	verdict            Flagger rollout  confirm-*  rollback   Argo web         Kayenta facade
//	continue           200              200        403        "continue"       complete, 100
//	pause, auto        200              403        403        "pause"          not complete
//	pause, manual      200              403        403        "pause"          complete, marginal
//	rollback           403              403        200        "rollback"       complete, below marginal
//	not known, error   200              403        403        4xx or 5xx       not complete
//
// # Flagger
//
// To Flagger 200 is yes and a status above 202 is no. The hook rollout counts each no
// towards the threshold of the canary, at which it is rolled back, so a pause is no
// no there: configure rollout, confirm-traffic-increase, confirm-promotion and
// rollback together, or a pause holds nothing. pre-rollout says no to a known
// rollback only. A gate that cannot be reached is a no at every hook, too; give
// rollout and pre-rollout retries, and the threshold room for an outage.
//
// As long as the canary has no traffic there is no evidence, and a pause would never
// end. With metadata {first-step: allow} at confirm-traffic-increase, and pre-rollout
// configured, which Flagger asks only then, the first step is allowed while nothing
// but the evidence is missing: not at a rollback or a manual pause, nor when a source
// is known to have failed. confirm-rollout, before that, says no to a known rollback or
// manual pause of the rollout that metadata.rollout names.
// post-rollout and event are noted.
//
// A request that is refused is a no at every hook, and so a failed check at rollout and
// pre-rollout: 401 for a wrong token, 403 for a policy that is not the client's, 404 for
// an unknown policy, 400 and 413 for a body that is none of Flagger's or too large. Only
// 429 is not: a known client that asks too often is held at those two hooks.
//
// The rollback hook is the other way round: 200 makes Flagger roll back. It gets 200
// for a recorded rollback verdict of that very revision, and 403 or another refusal
// for everything else.
//
// The rollout of a canary is flagger:NAMESPACE:NAME:CHECKSUM. To post evidence under
// a name that you choose, give it to all hooks as metadata.rollout, another one for
// each revision: the first revision that asks under a name owns it, and no other gets
// its verdicts. The checksum is that of the revision before until the analysis has
// begun, so outside the phases Progressing and WaitingPromotion no rollout is bound,
// none is rolled back, and no continue counts. A second try of the same spec has the same checksum: it is
// the same rollout, and a proven rollback stands.
//
// # Argo Rollouts
//
// The web provider with successCondition result.verdict == "continue" and
// failureCondition result.verdict == "rollback" gives Successful, Failed, and
// Inconclusive for a pause; give inconclusiveLimit room for automatic pauses. An
// error is an Error to Argo, which aborts after consecutiveErrorLimit of them, 10 s
// apart. Name the rollout by the hash of the pods, which each revision has its own.
// Put no proxy in between that answers 200 with a page of its own: up to v1.10.1 at
// least a 200 that is no JSON counts as a success to Argo.
// With the kayenta provider an automatic pause is waited out instead: address is
// http://HOST/kayenta, canaryConfigName the policy, and experimentScope.scope the
// rollout.
//
// POST /kayenta/judge makes the gate a remote judge of Kayenta, with its own judge
// and not the policies; see package kayenta.
//
// # Safety
//
// A client shows a token, or a certificate that the server has verified. Flagger and
// Argo's kayenta provider cannot send headers: give the token as the password of
// their URL, http://flagger:TOKEN@HOST/..., and use HTTPS. Bodies, rates and times are
// bounded. Errors name no secrets; what a store says goes to Options.Served only.
//
// Who may post evidence for a policy decides about its rollouts, and every client may
// post for every policy unless Token.Policies names those that it may use; where a
// policy has a [Source], only Options.Posters may post. A certificate, /metrics and
// /kayenta/judge are bound to no policy.
package webhookgate
