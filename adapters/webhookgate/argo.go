package webhookgate

import (
	"net/http"

	"github.com/rampguard/rampguard/analysis"
)

// measured is what the web provider of Argo Rollouts gets.
type measured struct {
	Verdict    string   `json:"verdict"`
	Resume     string   `json:"resume"`
	Score      int      `json:"score"` // 100 continue, 50 pause, 0 rollback
	Reasons    []string `json:"reasons"`
	Rollout    string   `json:"rollout"`
	Stage      string   `json:"stage,omitempty"`
	Next       string   `json:"next_stage,omitempty"`
	CheckAfter float64  `json:"check_after_seconds"`
	Record     string   `json:"record,omitempty"` // digest of the verdict
	DecidedAt  string   `json:"decided_at,omitempty"`
}

func score(d analysis.Decision) int {
	switch d {
	case analysis.Continue:
		return 100
	case analysis.Rollback:
		return 0
	case analysis.Pause:
	}
	return 50
}

// argoBody may say the stage; so may the query.
type argoBody struct {
	Stage string `json:"stage"`
}

func (g *Gate) argo(r *request, w http.ResponseWriter) error {
	policy, rollout := r.PathValue("policy"), r.PathValue("rollout")
	r.access.Rollout = rollout
	if !validName(rollout) {
		return badRequest("%.60q cannot name a rollout: at most 200 letters, digits and . _ : ~ @ + = -", rollout)
	}
	if err := r.may(policy); err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	asked := argoBody{Stage: r.URL.Query().Get("stage")}
	if len(body) > 0 {
		if err := strict(body, &asked); err != nil {
			return badRequest(`the body may say the stage, {"stage": "canary"}, and nothing else: %v`, err)
		}
	}
	s, err := g.ask(r.Context(), policy, rollout, asked.Stage, r.access.Client)
	if err != nil {
		return err
	}
	m := measured{Verdict: s.decision.String(), Resume: s.resume.String(), Score: score(s.decision), Reasons: s.reasons, Rollout: rollout}
	if v := s.verdict; v != nil {
		m.Stage, m.Next, m.CheckAfter, m.Record, m.DecidedAt = v.Stage, v.Next, v.CheckAfter.Seconds(), v.Record.Digest, v.Record.DecidedAt
	}
	r.access.Answer = m.Verdict
	return writeJSON(w, http.StatusOK, m)
}
