// Command rampguard-argo is the metric plugin and the step plugin of rampguard for
// Argo Rollouts. The controller starts it; which of the two it is, the controller
// says in the environment.
package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	metric "github.com/argoproj/argo-rollouts/metricproviders/plugin/rpc"
	step "github.com/argoproj/argo-rollouts/rollout/steps/plugin/rpc"
	"github.com/hashicorp/go-plugin"

	"github.com/rampguard/rampguard/adapters/argogate"
)

const (
	cookie       = "ARGO_ROLLOUTS_RPC_PLUGIN"
	metricCookie = "metricprovider"
	stepCookie   = "step"
)

const usage = `rampguard-argo is a plugin of Argo Rollouts, to be started by its controller:

  kubectl -n argo-rollouts edit configmap argo-rollouts-config

  metricProviderPlugins: |
    - name: rampguard/verdict
      location: file:///rampguard/rampguard-argo
      args: [--server, "https://rampguard.rampguard:8080", --token-file, /rampguard/token/token]
  stepPlugins: |
    - the same

Before Argo Rollouts v1.7 there are no args; set the variables of the environment of
the controller instead. Flags:

`

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "rampguard-argo:", err)
		}
		os.Exit(2)
	}
}

func run(args []string, stderr io.Writer) error {
	f := flag.NewFlagSet("rampguard-argo", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() { fmt.Fprint(stderr, usage); f.PrintDefaults() }
	server := f.String("server", os.Getenv("RAMPGUARD_SERVER"), "URL of the gate; or RAMPGUARD_SERVER")
	tokenFile := f.String("token-file", os.Getenv("RAMPGUARD_TOKEN_FILE"), "file with the token for the gate; or RAMPGUARD_TOKEN_FILE, or the token itself in RAMPGUARD_TOKEN")
	caFile := f.String("ca-file", os.Getenv("RAMPGUARD_CA_FILE"), "PEM file with the authorities of the gate's certificate; or RAMPGUARD_CA_FILE")
	if err := f.Parse(args); err != nil {
		return err
	}
	o := argogate.Options{Server: *server, TokenFile: *tokenFile, Now: time.Now}
	if *tokenFile == "" {
		o.Token = argogate.Secret(os.Getenv("RAMPGUARD_TOKEN"))
	}
	if *caFile != "" {
		pem, err := os.ReadFile(*caFile)
		if err != nil {
			return fmt.Errorf("--ca-file: %w", err)
		}
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM(pem) {
			return fmt.Errorf("--ca-file: %s holds no certificate", *caFile)
		}
	}
	kind := os.Getenv(cookie)
	plugins, err := pluginsOf(kind, o)
	if err != nil {
		return err
	}
	if plugins == nil {
		f.Usage()
		return fmt.Errorf("start it from the controller of Argo Rollouts")
	}
	plugin.Serve(&plugin.ServeConfig{Plugins: plugins,
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: cookie, MagicCookieValue: kind}})
	return nil
}

// pluginsOf is what the controller wants, by the value of its cookie.
func pluginsOf(kind string, o argogate.Options) (map[string]plugin.Plugin, error) {
	switch kind {
	case metricCookie:
		p, err := argogate.NewMetric(o)
		return map[string]plugin.Plugin{"RpcMetricProviderPlugin": &metric.RpcMetricProviderPlugin{Impl: p}}, err
	case stepCookie:
		p, err := argogate.NewStep(o)
		return map[string]plugin.Plugin{"RpcStepPlugin": &step.RpcStepPlugin{Impl: p}}, err
	}
	return nil, nil
}
