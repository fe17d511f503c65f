//go:build tools

// Package e2e names the programs that scripts/e2e-argo.sh builds.
package e2e

import (
	_ "github.com/argoproj/argo-rollouts/cmd/rollouts-controller"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
)
