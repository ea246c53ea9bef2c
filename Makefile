# make results runs the embedded study from an empty clone; make test checks the project; make docs makes its site.
# They set up .venv first, from requirements.lock, and skip that when it is done.

PYTHON ?= python3
CORES ?= all
# Further arguments, as in: make results ARGS="--configfile studies/coco.yaml"
ARGS ?=
# Processes of the tests, which take a file each, the longest (tests/longest.txt) first; 0: all in this one.
TESTERS ?= auto
SHARED_OUT = --numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder
PYTEST_ARGS ?=
# What make test-storage runs: small or embedded.
STUDY ?= small
# Where make test-kubernetes keeps what it compiled.
KUBERNETES ?= .kubernetes
# Where make test-image puts its layers; they go afterwards, unless the folder was there before.
IMAGE ?= .image

VENV := .venv
BIN := $(VENV)/bin
# Named after what it was installed from, so that a change of the pins installs anew.
INSTALLED := $(VENV)/installed-$(shell cat requirements.lock pyproject.toml | cksum | cut -d ' ' -f 1)

.DEFAULT_GOAL := help
.PHONY: help results report test test-all browser test-slurm test-storage test-kubernetes test-image faults lint format docs settings lock setup clean-results clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

results: $(INSTALLED) ## run the embedded study: results/
	$(BIN)/snakemake --cores $(CORES) $(ARGS)

report: results ## the same, and Snakemake's HTML report: report.html
	$(BIN)/snakemake --cores $(CORES) --report report.html $(ARGS)

test: lint browser ## check the style and run the tests
	$(BIN)/python -m pytest $(SHARED_OUT) -m "not exhaustive" $(PYTEST_ARGS)

test-all: lint browser ## the same, and those that say it of more networks and sizes
	$(BIN)/python -m pytest $(SHARED_OUT) $(PYTEST_ARGS)

browser: ## install Chromium for the tests of the atlas, where that can be done: as root on Debian
	@tests/atlas/browser.sh

test-slurm: $(INSTALLED) ## as root on Debian: bring a Slurm of one node up, and disturb a study on it (installs Slurm)
	FILTERSCOPE_SLURM=1 $(BIN)/python -m pytest tests/cluster/test_slurm.py $(PYTEST_ARGS)

test-storage: $(INSTALLED) ## a whole small study through an S3 server behind a bad network, a folder, and emulated Kubernetes pods; STUDY=embedded: the embedded one, without pods
	@command -v rsync > /dev/null || apt-get install --yes --quiet rsync > /dev/null 2>&1 || \
	    echo "There is no rsync, by which files reach a folder or a pod: those tests are skipped" >&2
	FILTERSCOPE_STORAGE=$(STUDY) $(BIN)/python -m pytest -rP tests/cluster/test_storage.py \
	    $(if $(filter small,$(STUDY)),tests/cluster/test_kubernetes.py) $(PYTEST_ARGS)

test-kubernetes: $(INSTALLED) ## as root on Debian 12: compile a real Kubernetes API and scheduler, and run the pods' tests on them
	@tests/cluster/kubernetes_server.sh $(KUBERNETES) || test $$? -eq 2  # not here: those tests are skipped
	FILTERSCOPE_KUBERNETES=$(KUBERNETES) $(BIN)/python -m pytest tests/cluster/test_kubernetes.py $(PYTEST_ARGS)

test-image: $(INSTALLED) ## as root on Debian: build envs/Dockerfile with buildah, and run a study in it (installs buildah)
	FILTERSCOPE_IMAGE=$(IMAGE) $(BIN)/python -m pytest -rP tests/cluster/test_image.py $(PYTEST_ARGS)

faults: $(INSTALLED) ## kill a small study at random moments and compare what comes out: ARGS="--kills 50 --seed 1"
	PYTHONPATH=workflow_scripts $(BIN)/python -m tests.faults.campaign $(ARGS)

lint: $(INSTALLED) ## check the style of the code and of the workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	PYTHONPATH=workflow_scripts $(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/snakemake --lint
	$(BIN)/python envs/audit.py requirements.lock

format: $(INSTALLED) ## put code and workflow into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

docs: $(INSTALLED) ## make the site of the documents: site/index.html
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --doctree-dir site/.doctrees docs site
	@echo "The site is made: site/index.html"

settings: $(INSTALLED) ## write config/README.md anew of the schema and config.yaml
	PYTHONPATH=workflow_scripts $(BIN)/python docs/extensions/configuration_reference.py

setup: $(INSTALLED) ## only install, into .venv

$(INSTALLED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Filterscope needs Python 3.11 or newer, as in: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing requirements.lock into $(VENV) (some 6 GB with torch's CUDA libraries)"
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@if $(BIN)/python -m pip install --quiet "$$(grep '^uv==' requirements.lock)"; then \
	    VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --compile-bytecode -r requirements.lock; \
	else \
	    false; \
	fi || $(BIN)/python -m pip install -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/installed-*
	@touch $@

lock: $(INSTALLED) ## pin anew what pyproject.toml allows: requirements.lock, envs/filterscope.yaml, envs/clip.yaml
	envs/pin.sh $(BIN)/uv $(ARGS)

clean-results: ## remove the results, so that everything is computed again
	find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +

clean: clean-results ## remove the results, the site, .venv and every cache
	rm -rf site docs/api docs/configuration.md $(VENV) .snakemake .pytest_cache .ruff_cache .hypothesis report.html
