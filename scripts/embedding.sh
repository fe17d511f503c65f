#!/usr/bin/env bash
# Builds a program that embeds the core inside the module graphs of two rollout
# controllers, so that what we require breaks neither of them: Argo Rollouts v1.10.1
# and Flagger v1.43.0, each with the package of its own that reads Prometheus.
# It downloads some hundred modules. Usage: scripts/embedding.sh
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # module, version, package of it to build beside
  local dir
  dir=$(cd "$work" && GOFLAGS=-mod=mod go mod download -json "$1@$2" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  mkdir -p "$work/$2" && cd "$work/$2"
  cp "$dir/go.mod" "$dir/go.sum" . && chmod u+w go.mod go.sum
  go mod edit -module=example.org/embeds -require="$1@$2" \
    -require=github.com/rampguard/rampguard@v0.0.0 -replace="github.com/rampguard/rampguard=$here"
  cat > main.go <<GO
package main

import (
	"fmt"

	_ "$1/$3"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	_ "github.com/rampguard/rampguard/leadtime"
	_ "github.com/rampguard/rampguard/sla"
)

func main() {
	_, err := analysis.LoadPolicy("p.yaml", []byte("version: 1\nchecks: [{check: schema}]"), checks.Builtin())
	fmt.Println("$1 $2: engine", analysis.EngineVersion, err)
}
GO
  GOFLAGS=-mod=mod go build -o embeds . && ./embeds
  go list -m github.com/prometheus/client_golang gonum.org/v1/gonum go.yaml.in/yaml/v3
}

build github.com/argoproj/argo-rollouts v1.10.1 metricproviders/prometheus
build github.com/fluxcd/flagger v1.43.0 pkg/metrics/providers
