package argogate

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
)

// Step is the step of a canary that waits for a verdict. It is safe for use by
// several goroutines. None of its calls panics or lasts longer than a moment.
type Step struct{ asker *asker }

// NewStep makes a step to be served as rpc.RpcStepPlugin.
//
// Errors: options that cannot be used.
func NewStep(o Options) (*Step, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Step{newAsker(o)}, nil
}

// InitPlugin does nothing; the step is ready.
func (p *Step) InitPlugin() types.RpcError { return types.RpcError{} }

// Type names the step.
func (p *Step) Type() string { return "rampguard" }

// Run asks for a verdict, or comes back for an answer.
func (p *Step) Run(rollout *v1alpha1.Rollout, step *types.RpcStepContext) (out types.RpcStepResult, fault types.RpcError) {
	defer func() {
		if r := recover(); r != nil {
			out, fault = failedStep(fmt.Errorf("panic: %v", r)), types.RpcError{}
		}
	}()
	now := p.asker.o.Now()
	c, err := p.asker.o.parse(step.Config)
	if err == nil {
		err = c.fill(revision{rollout.Namespace, rollout.Name, rollout.Status.CurrentPodHash})
	}
	if err != nil {
		return failedStep(fmt.Errorf("the configuration of the step cannot be used: %w", err)), fault
	}
	past := memory{Since: now}
	if len(step.Status) > 0 {
		if err := json.Unmarshal(step.Status, &past); err != nil || past.Since.IsZero() {
			past = memory{Since: now}
		}
	}
	j := p.asker.ask(stepKey(rollout, step, c), c)
	switch {
	case j == nil && past.Decision == "":
		return past.running("rampguard asks the gate", soon), fault
	case j == nil:
		return past.running("rampguard asks the gate; before it said "+past.value(), soon), fault
	case j.err != nil:
		return failedStep(j.err), fault
	}
	d := past.decided(&c, &j.answer, past.Since, now)
	out = past.running(d.message, d.after)
	switch d.effect {
	case goOn:
		out.Phase, out.RequeueAfter = types.PhaseSuccessful, 0
	case abandon:
		out.Phase, out.RequeueAfter = types.PhaseFailed, 0
	case wait, person: // the step waits for both
	}
	return out, fault
}

// Terminate ends the question of a step that is skipped.
func (p *Step) Terminate(rollout *v1alpha1.Rollout, step *types.RpcStepContext) (types.RpcStepResult, types.RpcError) {
	return p.end(rollout, step, "rampguard was told to end before there was a verdict")
}

// Abort ends the question of a step of a rollout that is aborted.
func (p *Step) Abort(rollout *v1alpha1.Rollout, step *types.RpcStepContext) (types.RpcStepResult, types.RpcError) {
	return p.end(rollout, step, "rampguard has nothing to undo")
}

func (p *Step) end(rollout *v1alpha1.Rollout, step *types.RpcStepContext, message string) (out types.RpcStepResult, fault types.RpcError) {
	out = types.RpcStepResult{Phase: types.PhaseSuccessful, Message: message}
	defer func() { _ = recover() }() // there is nothing that has to be ended
	c, err := p.asker.o.parse(step.Config)
	if err == nil && c.fill(revision{rollout.Namespace, rollout.Name, rollout.Status.CurrentPodHash}) == nil {
		p.asker.stop(stepKey(rollout, step, c))
	}
	return out, fault
}

// running is a step that waits; the controller keeps the memory.
func (m *memory) running(message string, after time.Duration) types.RpcStepResult {
	status, err := json.Marshal(m)
	if err != nil {
		return failedStep(err)
	}
	return types.RpcStepResult{Phase: types.PhaseRunning, Message: message, RequeueAfter: after, Status: status}
}

// failedStep is a step without a verdict. The controller runs it again after 30 s, and
// does not abort.
func failedStep(err error) types.RpcStepResult {
	return types.RpcStepResult{Phase: types.PhaseError, Message: "rampguard has no verdict: " + clip(err.Error(), 400)}
}

// stepKey names the question of a step.
func stepKey(rollout *v1alpha1.Rollout, step *types.RpcStepContext, c config) string {
	return rollout.Namespace + "/" + rollout.Name + "/" + string(rollout.UID) + "/" + step.PluginName + "/" + c.Rollout + "/" + c.Stage
}
