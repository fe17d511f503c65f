package exposure_test

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	exposure "github.com/rampguard/rampguard/adapters/openfeature"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// A flag gives two of five users the new model, though half was intended.
func ExampleNewHook() {
	policy, err := analysis.LoadPolicy("policy.yaml", []byte(`
version: 1
columns: {unit: user}
split: {baseline: 0.5, candidate: 0.5}
checks:
  - {check: srm}
`), checks.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, err := policy.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	hook, err := exposure.NewHook(spec, []exposure.Flag{{Key: "ranker", Baseline: "v7", Candidate: "v8"}}, exposure.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = sdk.SetNamedProviderAndWait("shop", memprovider.NewInMemoryProvider(flag(func(user string) (string, sdk.Reason, *sdk.ResolutionError) {
		if number(user)%5 < 2 {
			return "v8", sdk.SplitReason, nil
		}
		return "v7", sdk.SplitReason, nil
	})))
	if err != nil {
		fmt.Println(err)
		return
	}
	client := sdk.NewClient("shop")
	client.AddHooks(hook)
	for n := range 2000 {
		client.String(context.Background(), "ranker", "old", sdk.NewEvaluationContext(fmt.Sprint("user-", n), nil))
	}

	e, err := hook.Take("ranker") // at the end of a stage
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := analysis.Evaluate(policy, e.Baseline, e.Candidate, nil, time.Time{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Headline())
	fmt.Println(v.Findings[0].N, "excluded:", e.Excluded.Failed()+e.Excluded.Default+e.Excluded.Other+e.Excluded.NoKey)
	// Output:
	// PAUSE until a person has looked
	// {1200 800} excluded: 0
}
