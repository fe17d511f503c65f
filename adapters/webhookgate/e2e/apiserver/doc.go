// Package apiserver pins the Kubernetes API server that the tests beside it start.
package apiserver
