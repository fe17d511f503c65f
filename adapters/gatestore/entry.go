package gatestore

import (
	"fmt"

	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/stats"
)

// check refuses an entry that no store could find again.
func check(rollout string, e *webhookgate.Entry) error {
	if rollout == "" || e.Look == "" || e.Policy == "" || e.Number < 1 || len(e.Record) == 0 {
		return fmt.Errorf("gatestore: Append: an entry without a rollout, an id, a policy, a number or a record: %w", stats.ErrDomain)
	}
	return nil
}

// conflict says why an entry does not follow on what is there, or nothing.
func conflict(rollout string, e *webhookgate.Entry, have int, policy string, lookKnown bool) error {
	switch {
	case lookKnown:
		return fmt.Errorf("gatestore: rollout %s has a look %q: %w", rollout, e.Look, webhookgate.ErrConflict)
	case e.Number != have+1:
		return fmt.Errorf("gatestore: rollout %s has %d looks, so the next is not number %d: %w", rollout, have, e.Number, webhookgate.ErrConflict)
	case have > 0 && policy != e.Policy:
		return fmt.Errorf("gatestore: rollout %s is one of policy %q, not %q: %w", rollout, policy, e.Policy, webhookgate.ErrConflict)
	}
	return nil
}
