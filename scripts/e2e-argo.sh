#!/usr/bin/env bash
# Lets a real Argo Rollouts carry out what "rampguard serve" decides: its web and
# kayenta providers against every answer of the gate, its analysis controller with the
# metric plugin, and the whole controller on a real API server with both plugins: a
# rollout that is promoted, one that is paused, one that the metric aborts, one that
# the step aborts, and one whose gate is down, with the plugins killed on the way.
# Nothing has to be installed before but Go; on Debian it installs etcd, as root. The
# first run builds the API server and the controller: some 10 minutes on 2 cores. Later
# runs take 3 minutes. Everything listens on the loopback, on free ports.
#
# Usage: scripts/e2e-argo.sh
#   RAMPGUARD_E2E_BIN=DIR  keep the programs here; those that are there are not built
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
export GOFLAGS=${GOFLAGS:--buildvcs=false}

missing=""
command -v etcd >/dev/null || missing="$missing etcd-server"
command -v openssl >/dev/null || missing="$missing openssl"
command -v pgrep >/dev/null || missing="$missing procps"
if test -n "$missing"; then
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of packages
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin=${RAMPGUARD_E2E_BIN:-$work}
mkdir -p "$bin"
bin=$(cd "$bin" && pwd)

cd "$here/adapters/argogate/e2e"
version=k8s.io/component-base/version
test -x "$bin/kube-apiserver" ||
  go build -ldflags "-X $version.gitVersion=v1.34.4 -X $version.gitMajor=1 -X $version.gitMinor=34" -o "$bin/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
test -x "$bin/rollouts-controller" ||
  go build -o "$bin/rollouts-controller" github.com/argoproj/argo-rollouts/cmd/rollouts-controller

# Argo's own log lines begin with time=; a failed test shows those of its programs.
RAMPGUARD_E2E_BIN=$bin go test -count=1 -timeout 10m -v . 2>&1 | grep --line-buffered -v '^time=\|^....-..-..T.*plugin'
