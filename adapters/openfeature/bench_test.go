package exposure_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	sdk "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	exposure "github.com/rampguard/rampguard/adapters/openfeature"
)

// What the hook costs by itself, with many users and all processors.
func BenchmarkFinally(b *testing.B) {
	_, spec := policyOf(b, policyFile)
	h := hook(b, spec, exposure.Options{})
	const users = 1 << 16
	contexts := make([]sdk.HookContext, users)
	for n := range contexts {
		contexts[n] = sdk.NewHookContext("ranker", sdk.String, "old", sdk.NewClientMetadata(""), sdk.Metadata{}, user(n))
	}
	var details [2]sdk.InterfaceEvaluationDetails
	for i, v := range []string{"v7", "v8"} {
		details[i].Variant, details[i].Reason = v, sdk.SplitReason
	}
	var worker atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		n := int(mixed(int(worker.Add(1))) % users)
		for pb.Next() {
			n = (n + 1) % users
			h.Finally(context.Background(), contexts[n], details[n&1], sdk.HookHints{})
		}
	})
}

// A whole evaluation of the SDK, without and with the hook.
func BenchmarkEvaluation(b *testing.B) {
	_, spec := policyOf(b, policyFile)
	users := make([]sdk.EvaluationContext, 1<<12)
	for n := range users {
		users[n] = user(n)
	}
	for _, with := range []bool{false, true} {
		b.Run(fmt.Sprintf("hook=%v", with), func(b *testing.B) {
			var hooks []sdk.Hook
			if with {
				hooks = append(hooks, hook(b, spec, exposure.Options{}))
			}
			flags := map[string]memprovider.InMemoryFlag{"ranker": {Key: "ranker", State: memprovider.Enabled, DefaultVariant: "v8", Variants: map[string]any{"v7": "old", "v8": "new"}}}
			c := client(b, hooks, flags)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				c.String(context.Background(), "ranker", "old", users[n%len(users)])
			}
		})
	}
}
