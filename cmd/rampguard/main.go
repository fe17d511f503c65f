// Command rampguard says, from prediction logs, whether a model rollout may
// continue, must pause, or must roll back.
//
//	rampguard check --policy policy.yaml --baseline 'b*.parquet' --candidate c.parquet
//	rampguard policy init --log b.parquet > policy.yaml
//	rampguard policy check policy.yaml
//
// The exit status is the verdict: 0 continue, 75 pause until more evidence is
// there, 3 pause until a person has looked, 1 roll back, 2 the verdict could not
// be computed.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
