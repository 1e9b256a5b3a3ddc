# Everything a person needs, one verb each. `make` alone prints them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODELS := .venv-models
# The folder holds everything: no cache elsewhere, no question asked.
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-cache-dir -q

# Debian and Ubuntu ship Python without what makes an environment; where we may, we add it, else we say how.
VENV_PACKAGE = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Adding python3-venv…" && \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null

help:  ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Comptoir needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making $(VENV)…"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(VENV_PACKAGE) && $(PYTHON) -m venv $(VENV); } || { rm -rf $(VENV); \
		echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.runtime: $(BIN)/python requirements.lock pyproject.toml
	@echo "Installing Comptoir (about a minute; 700 MB)…"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing the tools of the tests…"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# Torch has an environment of its own, which also sees what .venv holds: the product runs without it.
$(MODELS)/.ready: $(VENV)/.dev
	@echo "Making $(MODELS) with torch (a minute or two; about 1 GB)…"
	@$(BIN)/python -m venv $(MODELS)
	@$(BIN)/python -c 'import site; print(site.getsitepackages()[0])' > \
		"$$($(MODELS)/bin/python -c 'import site; print(site.getsitepackages()[0])')/of_venv.pth"
	@$(MODELS)/bin/python -m pip --disable-pip-version-check --no-cache-dir -q install $$($(BIN)/python -c \
		'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["models"])')
	@touch $@

setup: $(VENV)/.runtime  ## make .venv with the comptoir command in it, and nothing outside this folder

run: setup  ## open the demo shop (or your own sources): worker and dashboard, one command
	@$(BIN)/comptoir run

run-networks: $(VENV)/.dev  ## the whole product against fake networks on this machine: hear, answer, see the answer arrive
	@$(BIN)/python -m tests.networks

test: $(VENV)/.dev browser  ## run the tests (SQLite, PostgreSQL, a real Chromium): under 8 minutes on 2 cores
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not peers"

test-slow: $(VENV)/.dev browser  ## the checks that take minutes: a kill at every boundary, large files
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

test-peers: $(VENV)/.dev  ## conversations with real servers on this machine: mastodon-mock, snac, Dovecot; installs them
	@sh tests/peers/install.sh || echo "Not all peers could be installed: the tests of those that are missing say so and are skipped."
	@$(BIN)/python -m pytest -m peers tests/peers/test_mastodon_peers.py tests/peers/test_mail_peers.py

test-models: $(MODELS)/.ready  ## the tests that need torch: hub models, and the recipe of the weights
	@$(MODELS)/bin/python -m pytest tests/nlp/test_hub.py tests/nlp/train

check: $(VENV)/.dev  ## style, types, who may import whom, docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/docs

bench: $(VENV)/.dev  ## speed of import, of analyze + route and of understanding, memory; ratios side by side
	@$(if $(wildcard $(MODELS)/.ready),$(MODELS),$(VENV))/bin/python -m benchmarks

bench-models: $(MODELS)/.ready  ## speed of understanding beside transformers and VADER (DATA=folder); writes docs/benchmarks
	@$(MODELS)/bin/python -m benchmarks.understanding $(if $(DATA),--data $(DATA)) $(if $(ROUNDS),--rounds $(ROUNDS)) --out docs

evaluate: $(VENV)/.dev  ## quality of the analyzer on the labelled data (DATA=folder)
	@$(BIN)/python -m nlp.scorecard $(or $(DATA),../shared/data)

train: $(MODELS)/.ready  ## make the weights of the shipped model again: about 1.5 processor hours, resumes (DATA=folder OUT=folder)
	@$(MODELS)/bin/python -m pip --disable-pip-version-check --no-cache-dir -q install $$($(BIN)/python -c \
		'import tomllib; e = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["train"]; \
		print(*(p for p in e if not p.startswith("torch")))')
	@$(MODELS)/bin/python -m nlp.train $(or $(DATA),../shared/data) $(or $(OUT),data/train)

screenshots: $(VENV)/.dev browser  ## take the pictures of the README in a real Chromium
	@$(BIN)/python -m tests.browser.screenshots docs/screenshots

browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || command -v chromium-browser >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium for the browser tests…" && \
		  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji >/dev/null; } || \
		echo "No Chromium here: the browser tests will say so. Install it with your system, or: $(BIN)/playwright install chromium"

lock: $(BIN)/python  ## write the lock files again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-dev.lock

.PHONY: help setup run run-networks test test-slow test-peers test-models check bench bench-models evaluate train screenshots browser lock
