// The hook for OpenFeature, in a module of its own so that the SDK stays out of the
// requirements of the library.
module github.com/rampguard/rampguard/adapters/openfeature

go 1.26.0

replace github.com/rampguard/rampguard => ../..

require (
	github.com/open-feature/go-sdk v1.20.0
	github.com/rampguard/rampguard v0.0.0
)

require (
	go.uber.org/mock v0.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	gonum.org/v1/gonum v0.16.0 // indirect
)
