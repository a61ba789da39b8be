# Every target is one script in scripts/; this file only names them.
.DEFAULT_GOAL := help
.PHONY: help build core install dist demo screenshots test foreign lint header slow smoke bench matrix tools clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/goat, with the Rust core linked in
	@scripts/build

core: ## only the Rust core, for plain `go build` and `go test` in go/
	@scripts/core

install: ## puts goat where `go install` would
	@scripts/install

dist: ## what a release consists of, in dist/
	@scripts/release "v$$(sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml)" dist

demo: ## a service, a release, real traffic, and the report of what ran
	@scripts/demo

screenshots: ## the pictures of the evidence page in docs/images
	@scripts/screenshots

test: ## the tests, with the Go on this machine
	@scripts/test

slow: ## the tests that CI runs in a job of their own: judges, releases, other people's tests
	@scripts/test --slow

foreign: ## instrumented programs of other systems, under qemu and wine
	@scripts/foreign

lint: ## formats and lints of Rust, Go and shell
	@scripts/lint

header: ## writes include/goat.h again after a change of the C ABI
	@scripts/header

smoke: ## the C caller of examples/c under AddressSanitizer
	@scripts/smoke

bench: ## ratios against plain go build and git diff
	@scripts/bench

matrix: ## goat against plain go on every Go version; writes docs/compatibility.md
	@scripts/matrix

tools: ## says which tools are missing and how to get them
	@scripts/tools

clean: ## removes what make built
	@rm -rf bin demo dist go/internal/native/lib go/internal/native/core_stamp.h
	@cargo clean
