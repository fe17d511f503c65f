package webhookgate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/rampguard/rampguard/analysis"
)

// canary is what Flagger posts. Members that a later version adds are passed over:
// to refuse them would count as a failed check of the canary.
type canary struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Checksum  string            `json:"checksum"`
	Metadata  map[string]string `json:"metadata"`
}

// The hooks of Flagger, as the last part of the path.
const (
	hookConfirmRollout   = "confirm-rollout"
	hookPreRollout       = "pre-rollout"
	hookRollout          = "rollout"
	hookConfirmTraffic   = "confirm-traffic-increase"
	hookConfirmPromotion = "confirm-promotion"
	hookPostRollout      = "post-rollout"
	hookRollback         = "rollback"
	hookEvent            = "event"
)

const canaryPrefix = "flagger:"

// firstStep is the key of the metadata that allows the first step without evidence.
const firstStep = "first-step"

// unmoved knows the revisions of which Flagger has just asked pre-rollout. It does so
// at each interval as long as the canary has no traffic, and never after.
type unmoved struct {
	mu sync.Mutex
	of map[string]bool
}

func (u *unmoved) put(key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.of == nil || len(u.of) >= maxBuckets { // those that are forgotten wait an interval
		u.of = map[string]bool{}
	}
	u.of[key] = true
}

// take reports whether pre-rollout was the last that was asked, and forgets it.
func (u *unmoved) take(key string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	known := u.of[key]
	delete(u.of, key)
	return known
}

// key names the canary with its revision. No part can hold a colon.
func (c *canary) key() string {
	return canaryPrefix + c.Namespace + ":" + c.Name + ":" + c.Checksum
}

// rollout names the rollout of the canary: what metadata.rollout says, else the key.
func (c *canary) rollout() string {
	if named := c.Metadata["rollout"]; named != "" {
		return named
	}
	return c.key()
}

// current reports whether the checksum is that of the revision under analysis.
// Before the analysis Flagger sends that of the revision before.
func (c *canary) current() bool { return c.Phase == "Progressing" || c.Phase == "WaitingPromotion" }

func (c *canary) check() error {
	for _, n := range []struct{ key, value string }{{"name", c.Name}, {"namespace", c.Namespace}, {"checksum", c.Checksum}} {
		if !validName(n.value) || strings.Contains(n.value, ":") {
			return badRequest("%s %.60q is none that Flagger sends", n.key, n.value)
		}
	}
	if first := c.Metadata[firstStep]; first != "" && first != "allow" {
		return badRequest("metadata.%s %.60q is not allow", firstStep, first)
	}
	if named := c.Metadata["rollout"]; named != "" && (!validName(named) || strings.HasPrefix(named, canaryPrefix)) {
		return badRequest("metadata.rollout %.60q cannot name a rollout: at most 200 letters, digits and . _ : ~ @ + = -, and not the one of another canary", named)
	}
	return nil
}

// flagger answers a hook: 200 is yes, anything above 202 is no.
func (g *Gate) flagger(r *request, w http.ResponseWriter) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	var c canary
	if err := json.Unmarshal(body, &c); err != nil {
		return badRequest("the body is no webhook of Flagger: %v", err)
	}
	if err := c.check(); err != nil {
		return err
	}
	policy, hook := r.PathValue("policy"), r.PathValue("hook")
	if err := r.may(policy); err != nil {
		return err
	}
	if _, ok := g.o.Policies.Policy(policy); !ok {
		return unknownPolicy(policy)
	}
	r.access.Rollout = c.rollout()
	yes, text := false, ""
	switch hook {
	case hookEvent, hookPostRollout:
		yes, text = true, "noted"
	case hookRollback:
		yes, text, err = g.mayRollBack(r.Context(), policy, &c)
	case hookRollout, hookPreRollout, hookConfirmRollout, hookConfirmTraffic, hookConfirmPromotion:
		yes, text, err = g.mayGoOn(r, policy, hook, &c)
	default:
		return &fault{http.StatusNotFound, codeNotFound, fmt.Sprintf("Flagger has no hook %.40q", hook), nil}
	}
	r.access.Answer = map[bool]string{true: "yes", false: "no"}[yes]
	r.access.Err = err
	if yes {
		return writeText(w, http.StatusOK, text)
	}
	return writeText(w, http.StatusForbidden, text)
}

// mayRollBack says yes to a recorded rollback of this very revision, and to nothing
// else: yes makes Flagger roll back at once.
func (g *Gate) mayRollBack(ctx context.Context, policy string, c *canary) (yes bool, text string, err error) {
	if !c.current() {
		return false, fmt.Sprintf("No rollback: in phase %.40q the revision is not known.", c.Phase), nil
	}
	s, err := g.read(ctx, policy, c.rollout())
	switch {
	case err != nil:
		return false, "No rollback: the verdict is not known: " + told(err), err
	case s.verdict == nil:
		return false, "No rollback: nobody has looked yet.", nil
	case c.Metadata["rollout"] != "" && s.owner != c.key():
		return false, fmt.Sprintf("No rollback: rollout %s does not belong to this revision.", c.rollout()), nil
	case s.verdict.Decision != analysis.Rollback:
		return false, fmt.Sprintf("No rollback: the verdict is %s.", s.verdict.Decision), nil
	}
	return true, "Roll back: " + strings.Join(s.reasons, " "), nil
}

// mayGoOn answers the hooks at which yes goes on. A pause and a fault hold the
// rollout where it is: at the hooks that count failures they are a yes, at those
// that move traffic a no.
func (g *Gate) mayGoOn(r *request, policy, hook string, c *canary) (yes bool, text string, err error) {
	first := hook == hookConfirmTraffic && c.current() && g.unmoved.take(c.key()) && c.Metadata[firstStep] == "allow"
	if hook == hookPreRollout && c.current() {
		g.unmoved.put(c.key())
	}
	s, err := g.standing(r, policy, hook, c)
	counts := hook == hookRollout || hook == hookPreRollout
	if err != nil {
		return counts, "The verdict is not known: " + told(err), err
	}
	text = fmt.Sprintf("%s: %s", s.decision, strings.Join(s.reasons, " "))
	switch {
	case s.decision == analysis.Rollback:
		return false, text, nil
	case s.decision == analysis.Continue, counts:
		return true, text, nil
	case first && s.resume == analysis.Auto && awaitsUnits(s.verdict):
		return true, "The canary has no traffic yet, and its first step is allowed: " + text, nil
	case hook == hookConfirmRollout: // before there can be evidence
		return s.verdict == nil || s.resume != analysis.Manual, text, nil
	}
	return false, text, nil
}

// awaitsUnits reports whether nothing but more units can end a pause: then no source
// has failed, no data is wrong and no rule of the policy is broken.
func awaitsUnits(v *analysis.Verdict) bool {
	return v == nil || !slices.ContainsFunc(v.Reasons, func(r analysis.Reason) bool {
		switch r.Code {
		case analysis.ReasonNoEvidence, analysis.ReasonInsufficient, analysis.ReasonInconclusive, analysis.ReasonExposure, analysis.ReasonWarning, analysis.ReasonNoHarm:
			return false
		}
		return true
	})
}

// standing looks at the rollout of a canary, or reads what was found before where
// there is nothing to look at yet.
func (g *Gate) standing(r *request, policy, hook string, c *canary) (standing, error) {
	ctx, rollout := r.Context(), c.rollout()
	if hook == hookConfirmRollout {
		if c.Metadata["rollout"] == "" { // the checksum is that of the revision before
			return standing{decision: analysis.Pause, reasons: []string{"Nothing is known yet that speaks against a start."}}, nil
		}
		return g.read(ctx, policy, rollout)
	}
	if !c.current() {
		return standing{decision: analysis.Pause, reasons: []string{fmt.Sprintf("In phase %.40q the checksum is not that of the revision under analysis, so no verdict is known to be its own.", c.Phase)}}, nil
	}
	if c.Metadata["rollout"] != "" {
		owner, err := g.o.Store.Bind(ctx, rollout, c.key())
		if err != nil {
			return standing{}, storeFault(err)
		}
		if owner != c.key() {
			return standing{}, &fault{http.StatusConflict, codeReused, fmt.Sprintf("rollout %s belongs to another revision, %s; give metadata.rollout a name of its own for each revision", rollout, owner), nil}
		}
	}
	if hook == hookPreRollout {
		return g.read(ctx, policy, rollout)
	}
	return g.ask(ctx, policy, rollout, c.Metadata["stage"], r.access.Client)
}
