// Package e2e drives the gate with Flagger's own webhook client and with a real
// Flagger controller on a real API server. It is a module of its own, so that the
// root module requires nothing of Kubernetes.
package e2e
