package webhookgate

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/kayenta"
)

type canaryConfig struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// kayentaConfigs lists the policies as canary configs.
func (g *Gate) kayentaConfigs(r *request, w http.ResponseWriter) error {
	all := []canaryConfig{}
	for _, name := range g.o.Policies.Names() {
		if r.may(name) == nil {
			all = append(all, canaryConfig{name, name})
		}
	}
	return writeJSON(w, http.StatusOK, all)
}

type scope struct {
	Scope string `json:"scope"`
}

type execution struct {
	Policy   string  `json:"policy"`
	Rollout  string  `json:"rollout"`
	Pass     float64 `json:"pass"`
	Marginal float64 `json:"marginal"`
}

// kayentaStart starts an execution. Its id holds all there is to know, so that any
// replica can answer for it.
func (g *Gate) kayentaStart(r *request, w http.ResponseWriter) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	var asked struct {
		Scopes map[string]struct {
			Experiment scope `json:"experimentScope"`
		} `json:"scopes"`
		Thresholds struct {
			Pass     float64 `json:"pass"`
			Marginal float64 `json:"marginal"`
		} `json:"thresholds"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		return badRequest("the body starts no canary: %v", err)
	}
	e := execution{Policy: r.PathValue("policy"), Pass: asked.Thresholds.Pass, Marginal: asked.Thresholds.Marginal}
	for _, name := range slices.Sorted(maps.Keys(asked.Scopes)) {
		s := asked.Scopes[name].Experiment.Scope
		if e.Rollout != "" && s != e.Rollout {
			return badRequest("the experimentScopes %q and %q name two rollouts", e.Rollout, s)
		}
		e.Rollout = s
	}
	if err := g.checkExecution(r, &e); err != nil {
		return err
	}
	r.access.Rollout = e.Rollout
	id, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]string{"canaryExecutionId": base64.RawURLEncoding.EncodeToString(id)})
}

func (g *Gate) checkExecution(r *request, e *execution) error {
	if err := r.may(e.Policy); err != nil {
		return err
	}
	if _, ok := g.o.Policies.Policy(e.Policy); !ok {
		return unknownPolicy(e.Policy)
	}
	switch {
	case !validName(e.Rollout):
		return badRequest("experimentScope.scope %.60q cannot name a rollout: at most 200 letters, digits and . _ : ~ @ + = -", e.Rollout)
	case !(e.Pass > 0 && e.Pass <= 100) || !(e.Marginal >= 0 && e.Marginal <= e.Pass):
		return badRequest("thresholds: pass has to be above 0 and at most 100, marginal between 0 and pass")
	}
	return nil
}

type judged struct {
	Complete bool     `json:"complete"`
	Status   string   `json:"status"`
	Reasons  []string `json:"reasons,omitempty"`
	Result   any      `json:"result,omitempty"`
}

// kayentaPoll answers for an execution. What waits for evidence is not complete, and
// the host asks again; nor is what cannot be known now.
func (g *Gate) kayentaPoll(r *request, w http.ResponseWriter) error {
	raw, err := base64.RawURLEncoding.DecodeString(r.PathValue("execution"))
	var e execution
	if err != nil || strict(raw, &e) != nil {
		return &fault{http.StatusNotFound, codeNotFound, "there is no such execution", nil}
	}
	if err := g.checkExecution(r, &e); err != nil {
		return err
	}
	r.access.Rollout = e.Rollout
	s, err := g.ask(r.Context(), e.Policy, e.Rollout, "", r.access.Client)
	if err != nil {
		r.access.Answer, r.access.Err = "unknown", err
		return writeJSON(w, http.StatusOK, judged{Status: "running", Reasons: []string{"The verdict is not known: " + told(err)}})
	}
	r.access.Answer = s.decision.String()
	points, known := e.score(s)
	if !known {
		return writeJSON(w, http.StatusOK, judged{Status: "running", Reasons: s.reasons})
	}
	return writeJSON(w, http.StatusOK, judged{Complete: true, Status: "succeeded", Reasons: s.reasons,
		Result: map[string]any{"judgeResult": map[string]any{"score": map[string]any{"score": points}}}})
}

// score is what makes the host do as the verdict says: at least pass to go on, at
// least marginal to wait for a person, less to abort. An automatic pause has none,
// nor has a manual one where the thresholds leave no room between them.
func (e *execution) score(s standing) (points float64, known bool) {
	switch s.decision {
	case analysis.Continue:
		return 100, true
	case analysis.Rollback:
		return min(0, math.Floor(e.Marginal)-1), true
	case analysis.Pause:
	}
	whole := math.Ceil(e.Marginal) // hosts cut the score to a whole number
	return whole, s.resume == analysis.Manual && whole < e.Pass
}

// kayentaJudge judges as Kayenta's own judge does; see package kayenta.
func (g *Gate) kayentaJudge(r *request, w http.ResponseWriter) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	var asked struct {
		Config     json.RawMessage    `json:"canaryConfig"`
		Thresholds kayenta.Thresholds `json:"scoreThresholds"`
		Pairs      []kayenta.Pair     `json:"metricSetPairList"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		return badRequest("the body asks no judge: %v", err)
	}
	config, err := kayenta.ParseConfig(asked.Config)
	if err != nil {
		return badRequest("canaryConfig: %v", err)
	}
	result, err := kayenta.Judge(config, asked.Pairs, asked.Thresholds)
	if err != nil {
		return badRequest("%v", err)
	}
	r.access.Answer = string(result.Score.Classification)
	return writeJSON(w, http.StatusOK, result)
}
