# The only door. `make help` reads the notes behind ## below.
#
# Everything is installed from requirements-*.txt, by hash, into .venv and .venv-sam; tools keep their caches in .cache.
# A stamp named after its requirements tells whether an environment is current, whatever the files' dates are.

PYTHON ?= python3
BIN := .venv/bin
SAM := .venv-sam/bin/sam
DEV_STAMP := .venv/.installed-$(shell cksum < requirements-dev.txt | tr ' ' -)
SAM_STAMP := .venv-sam/.installed-$(shell cksum < requirements-sam.txt | tr ' ' -)
CHECKOV_STAMP := .venv-checkov/.installed-$(shell cksum < requirements-checkov.txt | tr ' ' -)
ENGINE_SOURCES := $(addprefix tests/engine/server/,Cargo.toml Cargo.lock src/main.rs)
ENGINE := .cache/engine/release/engine
CARGO_SETTINGS = $(wildcard $(or $(CARGO_HOME),$(HOME)/.cargo)/config.toml)
RUST = $(shell rustc --version | cut -d ' ' -f 2)
found = $(shell command -v $(1) >/dev/null && echo yes)
# The store's contract, and R1, R2 and R6.
ON_THE_ENGINE := tests/engine \
  $(patsubst %,tests/integration/test_%.py,key_store kept_answers handover metering removal dynamodb) \
  $(addprefix tests/reliability/test_interleavings.py::,test_pairs test_triples) \
  tests/reliability/test_histories.py::test_what_a_crowd_saw_has_one_explanation \
  tests/reliability/test_single_faults.py::test_a_fault_anywhere_leaves_all_or_nothing_and_a_retry_settles_it
EXPANDED := .cache/template.expanded.json
PERMISSIONS := $(CURDIR)/.cache/permissions

# Bytecode is kept, whatever the caller's environment says of it, and out of the sources: the tests start hundreds of
# interpreters, and compiling costs three times what running does.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/pycache

# The layer and the functions, where Lambda would have them.
RUN_PATH := $(CURDIR)/layers/keywright:$(CURDIR)/functions

# sam asks AWS nothing here, yet wants a region, credentials and a word on telemetry; the layer's Makefile finds uv in
# .venv, and must not take this make's flags for its own.
SAM_ENV := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PATH="$(CURDIR)/.venv/bin:$(CURDIR)/.venv-sam/bin:$$PATH" SAM_CLI_TELEMETRY=0 \
  AWS_DEFAULT_REGION=eu-west-1 AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_EC2_METADATA_DISABLED=true

# $(call environment,folder,requirements): a fresh virtual environment. Where Python came without ensurepip (Debian's
# does), its own pip fills an environment that has none.
define environment
	$(if $(shell $(PYTHON) -c 'import sys; print("new" if sys.version_info >= (3, 11) else "")' 2>/dev/null),,\
	  $(error Keywright needs Python 3.11 or newer, and $(PYTHON) is $(or $(shell command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1),not there). \
	  Name another one: make PYTHON=/path/to/python3))
	@echo "Installing $(2) into $(1) ..."
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
	   $(PYTHON) -m venv --clear $(1) && $(1)/bin/python -m pip $(PIP_INSTALL) -r $(2); \
	 else \
	   $(PYTHON) -m venv --clear --without-pip $(1) && $(PYTHON) -m pip --python $(1)/bin/python $(PIP_INSTALL) -r $(2); \
	 fi
endef
PIP_INSTALL := --quiet --disable-pip-version-check install --require-hashes --no-deps --no-compile

.PHONY: help
help: ## this list
	@awk -F ' ## ' '/^[a-z0-9-]+:.* ## / { sub(/:.*/, "", $$1); printf "  make %-11s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: $(DEV_STAMP) ## .venv with what running and testing need; every other target does it by itself

$(DEV_STAMP):
	$(call environment,.venv,requirements-dev.txt)
	@touch $@

$(SAM_STAMP):
	$(call environment,.venv-sam,requirements-sam.txt)
	@touch $@

$(CHECKOV_STAMP):
	$(call environment,.venv-checkov,requirements-checkov.txt)
	@touch $@

.PHONY: run
run: $(DEV_STAMP) ## the whole bundle on this machine, on port 3000 or PORT; the stand-in for AWS on 4566 or AWS_PORT
	@PYTHONPATH="$(RUN_PATH)" exec $(BIN)/python -m local

.PHONY: test
test: $(DEV_STAMP) ## unit, integration, contract and structure tests, on every core; ARGS go to pytest
	@$(BIN)/pytest -n auto --dist loadfile $(ARGS)

.PHONY: e2e
e2e: $(DEV_STAMP) $(SAM_STAMP) ## the running gateway, real clients, the built functions under the Lambda runtime client
	@$(SAM_ENV) $(BIN)/pytest --ignore tests/e2e/test_contract_fuzz.py tests/e2e $(ARGS)

.PHONY: engine
engine: $(ENGINE) $(DEV_STAMP) ## the store and the proofs against a second DynamoDB engine, which needs Rust and cc; ARGS go to pytest
	@KEYWRIGHT_ENGINE="$(CURDIR)/$(ENGINE)" $(BIN)/pytest -n auto --dist load $(ON_THE_ENGINE) $(ARGS)

# What cargo fetches and builds stays in .cache; where crates come from is the machine's own setting.
$(ENGINE): $(ENGINE_SOURCES)
	$(if $(call found,cc),,$(error The second engine needs a C compiler, and cc is not there))
	$(if $(and $(call found,cargo),$(call found,rustc)),,$(error The second engine needs Rust 1.88 or newer, and cargo is not there))
	$(if $(shell printf '%s\n' 1.88.0 $(RUST) | sort -VC && echo new),,\
	  $(error The second engine needs Rust 1.88 or newer, and this is $(RUST)))
	@echo "Building the second engine ..."
	@CARGO_HOME="$(CURDIR)/.cache/cargo" cargo $(addprefix --config ,$(CARGO_SETTINGS)) build --quiet --locked --release \
	  --manifest-path tests/engine/server/Cargo.toml --target-dir .cache/engine
	@touch $@

.PHONY: fuzz
fuzz: $(DEV_STAMP) ## 20,000 requests made from the description of the API, against the running gateway
	@KEYWRIGHT_FUZZ_REQUESTS=20000 $(BIN)/pytest tests/e2e/test_contract_fuzz.py $(ARGS)

.PHONY: reliability
reliability: $(DEV_STAMP) ## every order and every fault, in minutes; writes what is proven to docs/operations/promises.md
	@KEYWRIGHT_RELIABILITY=daily $(BIN)/pytest -n auto --dist load tests/reliability $(ARGS)

.PHONY: nightly
nightly: $(DEV_STAMP) ## make reliability at the full figures
	@KEYWRIGHT_RELIABILITY=nightly KEYWRIGHT_SWEEP_KEYS=10000 $(BIN)/pytest -n auto --dist load tests/reliability $(ARGS)

.PHONY: bench
bench: $(DEV_STAMP) ## take the figures of docs/performance.md anew, side by side with what they are compared with
	@PYTHONPATH="$(RUN_PATH):$(CURDIR)" $(BIN)/python -m tests.benchmarks $(ARGS)

.PHONY: check
check: lint types templates ## make lint, make types and make templates

.PHONY: lint
lint: $(DEV_STAMP) ## ruff: rules and format
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: types
types: $(DEV_STAMP) ## mypy --strict
	@$(BIN)/mypy

.PHONY: templates
templates: $(DEV_STAMP) $(SAM_STAMP) ## cfn-lint on the template and on its expansion, sam validate --lint
	@$(BIN)/cfn-lint template.yaml
	@mkdir -p .cache && $(BIN)/python -m local.template > $(EXPANDED)
	@$(BIN)/cfn-lint $(EXPANDED)
	@$(SAM_ENV) $(SAM) validate --lint

.PHONY: checkov
checkov: $(DEV_STAMP) $(CHECKOV_STAMP) ## checkov on the expanded template; .checkov.yaml says what is left out, and why
	@mkdir -p .cache && $(BIN)/python -m local.template > $(EXPANDED)
	@.venv-checkov/bin/checkov --config-file .checkov.yaml --file $(EXPANDED)

.PHONY: permissions
permissions: $(DEV_STAMP) ## the whole suite, and then `make rights`
	@rm -rf $(PERMISSIONS)
	@KEYWRIGHT_RECORD_PERMISSIONS=$(PERMISSIONS) $(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory rights

.PHONY: rights
rights: $(DEV_STAMP) ## did the tests that kept what they did use every right of template.yaml, and no other? ARGS: of these functions
	@$(BIN)/python -m tests.permissions $(PERMISSIONS) $(ARGS)

.PHONY: mutation
mutation: $(DEV_STAMP) ## take each condition and each guard away in turn, and write what no test noticed; ARGS: the modules
	@PYTHONPATH="$(RUN_PATH):$(CURDIR)" $(BIN)/python -m tests.mutation $(ARGS)

.PHONY: build
build: $(DEV_STAMP) $(SAM_STAMP) ## sam build: the layer by uv, for the runtime of the template, whatever Python is here; ARGS go to it
	@$(SAM_ENV) $(SAM) build $(ARGS)

.PHONY: routes
routes: $(DEV_STAMP) ## write the layer's list of routes from template.yaml
	@$(BIN)/python -m local.routes

.PHONY: openapi
openapi: $(DEV_STAMP) ## write the description of the API and the Postman collection from the code
	@PYTHONPATH="$(RUN_PATH)" $(BIN)/python -m local.openapi

.PHONY: format
format: $(DEV_STAMP) ## let ruff repair and format what it can
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command "make lock" $(ARGS)

.PHONY: lock
lock: $(DEV_STAMP) ## pin by hash what pyproject.toml names and all that it pulls; ARGS=--upgrade takes newer
	@$(COMPILE) pyproject.toml -o layers/keywright/requirements.txt
	@$(COMPILE) pyproject.toml --group dev -c layers/keywright/requirements.txt -o requirements-dev.txt
	@$(COMPILE) --group sam -o requirements-sam.txt
	@$(COMPILE) --group checkov -o requirements-checkov.txt

.PHONY: clean
clean: ## remove everything that was installed, built or cached here
	rm -rf .venv .venv-sam .venv-checkov .cache .aws-sam .local .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
