# `make demo` and `make test` work on a fresh machine; `make help` lists the rest.

CARGO   ?= cargo
PROFILE ?= release

# rustup's own folder, for shells that were open before Rust was installed.
export PATH := $(PATH):$(HOME)/.cargo/bin

# The tests trust no public authority: reading the system's certificates, once for each service that they start, took half of
# their time.
NO_ROOTS := --config 'target."cfg(all())".runner = ["env", "SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/dev/null"]'

.DEFAULT_GOAL := help
# The summary of the tests comes last, also under `make -j`.
.NOTPARALLEL:
.PHONY: help setup setup-checks setup-soak demo build man test test-clients soak fuzz check check-deploy fmt lint doc deny bench-cpu bench-credentials

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the build needs, or say what is missing
	@scripts/setup.sh

setup-checks:
	@scripts/setup.sh checks

setup-soak:
	@scripts/setup.sh soak

demo: setup ## play the vendor's flow against a mock Salesforce org (PROFILE=dev builds faster)
	$(CARGO) run --locked --profile $(PROFILE) -- demo

build: setup ## target/release/scv-bridge
	$(CARGO) build --locked --release

man: setup ## target/man: a manual page for each command
	$(CARGO) run --locked --quiet --example man -- target/man

test: setup-checks lint doc ## formatting, clippy, rustdoc, all tests
	$(CARGO) test --locked --workspace $(NO_ROOTS)

test-clients: setup-checks ## real OAuth and Salesforce clients against a running bridge (needs curl, npm, python3)
	$(CARGO) build --locked
	scripts/clients/run.sh

soak: setup-soak ## everything at once that breaks calls (MINUTES=30); a day of 50,000 calls in bad weather (CALLS=...)
	SOAK=1 $(CARGO) test --locked --test kill -- --test-threads=1 --include-ignored
	SOAK=1 $(CARGO) test --locked --release --test day

fuzz: setup-checks ## look for hostile input with libFuzzer (SECONDS=60 for each target; TARGETS="...")
	scripts/fuzz.sh $(or $(SECONDS),60) $(TARGETS)

check-deploy: ## deploy/ with the tools of Kubernetes, systemd and Prometheus (needs Python)
	@scripts/check-deploy.sh

check: setup ## does it compile?
	$(CARGO) check --locked --workspace --all-targets

fmt: setup-checks ## format the sources
	$(CARGO) fmt --all

lint: setup-checks ## formatting and clippy, warnings denied; one TLS stack
	$(CARGO) fmt --all --check
	CARGO="$(CARGO)" scripts/one-tls-stack.sh
	CARGO="$(CARGO)" scripts/pattern-features.sh
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

doc: setup ## rustdoc, warnings denied
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

bench-cpu: build ## CPU of a createVoiceCall beside nginx (needs wrk and nginx); docs/performance.md
	scripts/bench/cpu.sh

bench-credentials: setup ## does the time of a refusal tell anything? Wants a quiet machine; docs/performance.md
	$(CARGO) bench --locked --bench credentials

deny: ## licences, advisories and banned crates (needs cargo-deny)
	$(CARGO) deny --locked check
