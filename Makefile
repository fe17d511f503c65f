# What a newcomer needs is two targets: demo and test. `make help` lists all.
GO ?= go
FUZZTIME ?= 2m
export GOFLAGS ?= -buildvcs=false

# Modules of their own, for what the root module must not require.
NESTED = $(shell find . -name go.mod -not -path ./go.mod -not -path "*/e2e/*" -printf '%h\n' | sort)

.PHONY: help demo test deps lint race unit nested fuzz bench reference opchar acceptance embedding servers shadowjoin faults crash e2e-argo e2e-flagger

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

demo: ## the main job on real data: two flight-delay logs in, a verdict out
	@$(GO) build -o bin/rampguard ./cmd/rampguard
	@./bin/rampguard check --policy testdata/flights/policy.yaml \
	  --baseline testdata/flights/baseline.parquet \
	  --candidate testdata/flights/candidate.parquet; \
	 status=$$?; echo "exit status $$status"; test $$status -ne 2

test: deps lint unit nested ## everything CI runs: formatting, vet, linters, all tests with the race detector

deps: ## install what the tests start (a Prometheus, a PostgreSQL, g++ for DuckDB) where it is missing; needs Debian and root
	@missing=""; \
	 command -v prometheus >/dev/null && command -v promtool >/dev/null || missing="$$missing prometheus"; \
	 ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	 command -v g++ >/dev/null || missing="$$missing g++"; \
	 test -z "$$missing" || { echo "installing$$missing"; apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

# A test that needs a server fails without it, instead of being skipped.
unit nested: export RAMPGUARD_REQUIRE_PROMETHEUS = 1
unit nested: export RAMPGUARD_REQUIRE_POSTGRES = 1

unit: ## all tests of the root module in random order, with the race detector but for those of the root folder, which run one verdict after the other
	$(GO) test -race -shuffle=on -timeout 20m $$($(GO) list ./... | grep -v -x github.com/rampguard/rampguard)
	$(GO) test -shuffle=on -timeout 20m .

nested: ## vet and tests of the modules below this one
	@set -e; for m in $(NESTED); do echo "== $$m"; (cd $$m && $(GO) vet ./... && $(GO) test -timeout 20m ./...); done

lint: ## gofmt, go vet, go mod tidy, staticcheck, golangci-lint
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff
	$(GO) tool -modfile=go.tools.mod staticcheck ./...
	$(GO) tool -modfile=go.lint.mod golangci-lint run ./...

fuzz: ## each fuzz target for FUZZTIME (default 2m)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 2s $$pkg; \
	  done; done

bench: ## the whole pass over a 2M-row log against a bare decode, in one run
	$(GO) test -run '^$$' -bench 'Collect' -benchtime 3x ./adapters/parquetrows

opchar: ## the operating characteristics of the sequential methods (some minutes)
	$(GO) run ./stats/sequential/internal/opchar -seed 1

acceptance: ## the example policy over 2,000 made-up rollouts and more with planted harm (long)
	$(GO) run ./analysis/simulation/internal/acceptance

servers: ## adapters against more servers: VictoriaMetrics, two ClickHouse with a Distributed table, one killed on the way (installs both)
	@command -v victoria-metrics >/dev/null && command -v clickhouse-server >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends victoria-metrics clickhouse-server >/dev/null; }
	RAMPGUARD_REQUIRE_VICTORIAMETRICS=1 $(GO) test -count=1 -v -run VictoriaMetrics ./adapters/promquery
	cd adapters/sqlquery/sqltest && RAMPGUARD_REQUIRE_CLICKHOUSE=1 $(GO) test -count=1 -v -run ClickHouse ./...

shadowjoin: ## join two shuffled logs of 5 million rows each: time and peak memory (half a minute, some disk)
	RAMPGUARD_PAIR_ROWS=5000000 $(GO) test -count=1 -v -run ShadowJoinMemory ./adapters/pairjoin

faults: ## 100 random splits of sound flights: how many raise an alarm (a minute or two)
	RAMPGUARD_SPLITS=100 $(GO) test -count=1 -v -run UnchangedCandidate .

crash: ## the gate under 200 clients for 30 s, and killed 100 times with each store while looks come in (some minutes)
	RAMPGUARD_REQUIRE_POSTGRES=1 RAMPGUARD_SERVE_LOAD=30s RAMPGUARD_SERVE_KILLS=100 $(GO) test -count=1 -v -run 'TestServe(UnderLoad|Killed)' ./cmd/rampguard

e2e-argo: ## a real Argo Rollouts on a real API server carries out the gate's verdicts (builds both; some 10 minutes at first)
	scripts/e2e-argo.sh

e2e-flagger: ## the same with a real Flagger (as long)
	scripts/e2e-flagger.sh

embedding: ## build a program that embeds the core inside the module graphs of Argo Rollouts and Flagger (downloads a lot)
	scripts/embedding.sh

reference: ## recompute the reference numbers (needs Debian's python3-scipy, -statsmodels, -sklearn, -mpmath, r-base-core, r-cran-survival)
	@set -e; for f in testdata/reference/*.py; do echo "== $$f"; /usr/bin/python3 $$f; done; \
	 for f in testdata/reference/*.R; do echo "== $$f"; Rscript $$f; done; \
	 echo "== adapters/promquery/testdata/history.py"; cd adapters/promquery/testdata && /usr/bin/python3 history.py
