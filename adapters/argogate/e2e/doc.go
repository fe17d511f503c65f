// Package e2e tests the plugins of argogate and the gate with Argo Rollouts itself:
// its web and kayenta providers, its analysis controller, and the whole controller on
// a real API server. scripts/e2e-argo.sh runs it.
package e2e
