package webhookgate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/webhookgate"
)

// A continue that was said at one stage does not let a host pass that asks about
// another one; a host that names no stage gets the last verdict, with its time.
func TestHostAsksAboutStage(t *testing.T) {
	staged := rules + "stages:\n  - {name: canary, weight: 50}\n  - {name: full, weight: 100}\n"
	g := newGate(t, func(o *webhookgate.Options) { o.Policies = webhookgate.Policies{"fraud": loadPolicy(t, staged)} })
	at := func(stage string, errors int) string {
		return strings.Replace(look("r", stage, errors), `"look"`, fmt.Sprintf(`"stage": %q, "look"`, stage), 1)
	}
	ask := func(stage string) (verdict, reason string) {
		t.Helper()
		status, body := g.send("GET", "/argo/fraud/r"+stage, "")
		var m struct {
			Verdict   string
			Reasons   []string
			DecidedAt time.Time `json:"decided_at"`
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil || status != 200 || !m.DecidedAt.Equal(began) || len(m.Reasons) == 0 {
			t.Fatal(status, err, body)
		}
		return m.Verdict, m.Reasons[0]
	}
	g.decide(t, at("canary", goOn))
	for stage, want := range map[string]string{"": "continue", "?stage=canary": "continue", "?stage=full": "pause"} {
		verdict, reason := ask(stage)
		if verdict != want || want == "pause" && reason != `The last look was at stage "canary"; post the evidence of stage full.` {
			t.Errorf("%s: %s %s", stage, verdict, reason)
		}
	}
	g.decide(t, at("full", rollBack))
	for _, stage := range []string{"", "?stage=canary", "?stage=full"} {
		if verdict, _ := ask(stage); verdict != "rollback" {
			t.Errorf("%s: %s", stage, verdict)
		}
	}
}
