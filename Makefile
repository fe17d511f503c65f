# What a newcomer needs is two targets: demo and test. `make help` lists all.
GO ?= go
FUZZTIME ?= 2m
export GOFLAGS ?= -buildvcs=false

.PHONY: help demo test lint race unit fuzz bench reference

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

demo: ## the main job on real data: two flight-delay logs in, a verdict out
	@$(GO) build -o bin/rampguard ./cmd/rampguard
	@./bin/rampguard check --policy testdata/flights/policy.yaml \
	  --baseline testdata/flights/baseline.parquet \
	  --candidate testdata/flights/candidate.parquet; \
	 status=$$?; echo "exit status $$status"; test $$status -ne 2

test: lint unit ## everything CI runs: formatting, vet, linters, all tests with the race detector

unit: ## all tests, with the race detector, in random order
	$(GO) test -race -shuffle=on ./...

lint: ## gofmt, go vet, go mod tidy, staticcheck, golangci-lint
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff
	$(GO) tool -modfile=go.tools.mod staticcheck ./...
	$(GO) tool -modfile=go.lint.mod golangci-lint run ./...

fuzz: ## each fuzz target for FUZZTIME (default 2m)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

bench: ## the whole pass over a 2M-row log against a bare decode, in one run
	$(GO) test -run '^$$' -bench 'Collect' -benchtime 3x ./adapters/parquetrows

reference: ## recompute the reference numbers (needs Debian's python3-scipy, -statsmodels, -sklearn, r-base-core, r-cran-survival)
	@set -e; for f in testdata/reference/*.py; do echo "== $$f"; /usr/bin/python3 $$f; done; \
	 for f in testdata/reference/*.R; do echo "== $$f"; Rscript $$f; done
