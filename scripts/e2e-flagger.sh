#!/usr/bin/env bash
# Lets a real Flagger carry out what "rampguard serve" decides: its webhook client
# against every answer of the gate, and its controller, on a real API server, through
# a promotion, a wait, a rollback and a gate that is away. Nothing has to be installed
# before but Go; on Debian it installs etcd, as root. The first run builds Flagger and
# the API server: some 10 minutes on 2 cores and 2 GB of downloads. Later runs take 3
# minutes. Everything listens on the loopback, on ports from 22379 to 29090.
#
# Usage: scripts/e2e-flagger.sh
#   RAMPGUARD_E2E_BIN=DIR  keep the programs here; those that are there are not built
#   RAMPGUARD_RECORD=1     write what Flagger sends to adapters/webhookgate/testdata
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
module=$here/adapters/webhookgate/e2e
export GOFLAGS=${GOFLAGS:--buildvcs=false}

missing=""
command -v etcd >/dev/null || missing="$missing etcd-server"
command -v openssl >/dev/null || missing="$missing openssl"
if test -n "$missing"; then
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of packages
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

work=$(mktemp -d)
logs=$work/logs
bin=${RAMPGUARD_E2E_BIN:-$work/bin}
mkdir -p "$logs" "$bin"
bin=$(cd "$bin" && pwd)
end() {
  status=$?
  if test $status -eq 0; then
    rm -rf "$work"
  else
    echo "failed; the logs of all programs are in $logs" >&2
  fi
}
trap end EXIT

if ! test -x "$bin/kube-apiserver"; then
  echo "== building kube-apiserver"
  version=$(cd "$module/apiserver" && go list -m -f '{{.Version}}' k8s.io/kubernetes)
  IFS=. read -r major minor _ <<<"${version#v}"
  set=k8s.io/component-base/version
  (cd "$module/apiserver" && go build -o "$bin/kube-apiserver" \
    -ldflags "-X $set.gitVersion=$version -X $set.gitMajor=$major -X $set.gitMinor=$minor" k8s.io/kubernetes/cmd/kube-apiserver)
fi
if ! test -x "$bin/flagger"; then
  echo "== building flagger"
  (cd "$module" && go build -o "$bin/flagger" github.com/fluxcd/flagger/cmd/flagger)
fi
echo "== building rampguard"
(cd "$here" && go build -o "$bin/rampguard" ./cmd/rampguard)

echo "== $("$bin/kube-apiserver" --version), $("$bin/flagger" -version 2>/dev/null || true), $(etcd --version | head -1)"
cd "$module"
go vet ./...
RAMPGUARD_E2E_BIN=$bin RAMPGUARD_E2E_LOGS=$logs go test -count=1 -v -parallel 4 -timeout 15m .
