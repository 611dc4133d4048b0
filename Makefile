# Every command a developer needs. `make demo` and `make test` do all set-up by themselves.
#
# Paths below are relative on purpose: the checkout may lie under a folder with a space in its name.

.DEFAULT_GOAL := help
.PHONY: help demo test fast check format pythons lowest coverage bench bench-compare fuzz kills gpu machines schemas findings pages docs completion lint-wild logs-wild harvest wheel matrices pyz collection dist publish clean

# The set-up is done once for this folder and this pyproject.toml, whatever the files' dates say.
KEY := $(shell { pwd; cat pyproject.toml; } | cksum | cut -d ' ' -f 1)
CORE := .venv/.core-$(KEY)
DEV := .venv/.dev-$(KEY)
DOCS := .venv/.docs-$(KEY)
# `-P`, which Python 3.10 does not know, keeps this folder out of where modules are looked for.
RUN = .venv/bin/python $(shell .venv/bin/python -c 'import sys; print("-P" * (sys.version_info >= (3, 11)))')
WORDS := *.md mkdocs.yml docs src templates matrices/README.md
SOURCES := src tests benchmarks packages ansible hatch_build.py noxfile.py
# What is compiled is kept: to compile the tests anew takes each worker four seconds.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

demo: $(CORE) ## set up, then show this machine and what it can run
	@$(RUN) -m cudafit inspect
	@echo
	@folder="$$(mktemp -d)" && cd "$$folder" && "$(CURDIR)/.venv/bin/python" -m cudafit resolve; code=$$?; rm -rf "$$folder"; exit $$code

# `make test T=resolve` and `make fast T=resolve` take tests/resolve and the tests of the command `cudafit resolve`.
T :=
FOUND = $(wildcard $(foreach one,$(T),tests/$(one) tests/test_$(one).py tests/cli/test_$(one).py tests/cli/test_$(one)_*.py))
PART = $(if $(T),$(or $(FOUND),$(error there are no tests for T=$(T))))

# One more than there are cores: some of them wait for the package index.
test: $(DEV) ## every test; T=resolve: those of tests/resolve and of the command
	$(RUN) -m pytest -n $$(( $$(.venv/bin/python -c 'import os; print(os.cpu_count() or 1)') + 1 )) --dist loadgroup $(PART)

# Its folders are made in memory where there is a gigabyte: on a disk they take a third of the time.
MEMORY = $(shell [ "$$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 {print $$4}')0" -gt 10000000 ] && echo TMPDIR=/dev/shm)

fast: $(DEV) ## the inner loop: no slow test, no network; T=... as for test
	$(MEMORY) $(RUN) -m pytest -n auto --dist loadgroup -m "not slow and not online" $(PART)

# P=3.10 takes one Python; T=... as for test.
P :=

pythons: $(DEV) ## `make fast` on each Python from 3.10 to 3.15 that is here; P=3.10: on that one
	$(RUN) -m nox --session $(if $(P),tests-$(P),tests) $(if $(PART),-- -n auto --dist loadgroup -m "not slow and not online" $(PART))

lowest: $(DEV) ## `make fast` with the oldest versions of what cudafit needs
	$(RUN) -m nox --session lowest

# The floor stands in pyproject.toml, and is raised there by what is measured.
coverage: $(DEV) ## how much of the code `make fast` runs; fails below the floor, which only rises
	$(RUN) -m coverage erase
	$(RUN) -m coverage run -m pytest -n auto --dist loadgroup -m "not slow and not online"
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage report --skip-covered --skip-empty --fail-under 0
	.venv/bin/python -m tests.floor

# Side by side, which halves the time on two cores; the tests are for Linux alone, where most of what they build is.
check: $(DEV) ## lint, format, types for three systems, import direction
	$(RUN) -m ruff check $(SOURCES)
	$(RUN) -m ruff format --check $(SOURCES)
	$(RUN) -m codespell_lib $(WORDS)
	@echo "mypy for linux, win32 and darwin"; \
	$(RUN) -m mypy --platform win32 --cache-dir .mypy_cache/win32 src & windows=$$!; \
	$(RUN) -m mypy --platform darwin --cache-dir .mypy_cache/darwin src & macos=$$!; \
	$(RUN) -m mypy --platform linux; code=$$?; \
	wait $$windows || code=1; wait $$macos || code=1; exit $$code
	$(RUN) -c 'import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())'

format: $(DEV) ## let ruff mend what it can
	$(RUN) -m ruff check --fix $(SOURCES)
	$(RUN) -m ruff format $(SOURCES)

# RECORD=1 keeps the ratios of this commit in benchmarks/results.
RECORD :=
REV := HEAD~1

bench: $(DEV) ## speed, as ratios within one run; RECORD=1 keeps some of them
	$(RUN) benchmarks/startup.py
	$(RUN) benchmarks/matrix.py
	$(RUN) benchmarks/resolve.py
	$(RUN) benchmarks/lock.py
	$(RUN) benchmarks/doctor.py
	$(RUN) benchmarks/lint.py
	$(RUN) benchmarks/run.py
	$(RUN) benchmarks/repair.py
	$(RUN) benchmarks/conda.py
	$(RUN) benchmarks/growth.py
	$(RUN) benchmarks/compare.py $(if $(RECORD),--record)
	$(RUN) benchmarks/harvest.py

bench-compare: $(DEV) ## what commands cost now, by what they cost at REV
	$(RUN) benchmarks/compare.py '$(REV)'

# An environment with frameworks, made by cudafit itself where none is named.
GPU_ENV := .venv-gpu

kills: $(DEV) ## stop create, repair and rollback at 300 random moments, and look at what is there
	@folder="$$(mktemp -d)" && .venv/bin/python -m tests.hostile.kills "$$folder" 300; code=$$?; rm -rf "$$folder"; exit $$code

# In all so many seconds for each of so many processes; ONLY=word takes the targets with that word in their names.
SECONDS := 600
JOBS := 1
SEED := 1
ONLY :=

fuzz: $(DEV) ## texts that nobody would write, for every parser and for whole commands
	nice .venv/bin/python -m tests.fuzz --seconds $(SECONDS) --jobs $(JOBS) --seed $(SEED) --only '$(ONLY)'

gpu: $(DEV) ## on a GPU: all of `cudafit bench`, written to benchmarks/results
	@test -d "$(GPU_ENV)" || $(RUN) -m cudafit create "./$(GPU_ENV)" torch
	$(RUN) benchmarks/gpu.py "$(GPU_ENV)"

machines: $(DEV) ## write tests/machines/*.json anew from their descriptions
	.venv/bin/python -m tests.machines

harvest: $(DEV) ## read the published wheels again and write what is new into matrices/
	@$(RUN) -m cudafit matrix update --write; code=$$?; .venv/bin/python -m tests.pages && $(RUN) -m cudafit matrix check && exit $$code

wheel: $(DEV) ## build dist/*.whl
	$(RUN) -m pip wheel --quiet --no-deps --wheel-dir dist .

matrices: $(DEV) ## build dist/matrices/*.whl: the facts as a package of their own
	rm -rf dist/matrices
	$(RUN) -m uv build --quiet --no-config --wheel --out-dir dist/matrices packages/cudafit-matrices

pyz: $(DEV) ## build dist/pyz/cudafit.pyz: one file that runs with any Python from 3.10 on
	$(RUN) packages/pyz/build.py dist/pyz

collection: $(DEV) ## build dist/collection/cudafit-gpu-*.tar.gz: the modules for Ansible
	.venv/bin/ansible-galaxy collection build ansible --output-path dist/collection --force

dist: $(DEV) ## build what is published: the sdist, and from it the wheel
	rm -rf dist
	$(RUN) -m uv build --quiet --no-config

DIST := dist

publish: $(CORE) ## in the release workflow: upload $(DIST), as the one whom the package index trusts
	$(RUN) -m uv publish --no-config --trusted-publishing always $(DIST)/*

schemas: $(DEV) ## write the published JSON Schemas anew
	.venv/bin/python -m tests.schemas

lint-wild: $(DEV) ## lint over checkouts in FOLDER, against what was judged by reading (tests/lint/repositories.md)
	.venv/bin/python -m tests.lint.wild $(FOLDER)

logs-wild: $(DEV) ## read the logs without GPU trouble in FOLDER: nothing is to be named in them
	.venv/bin/python -m tests.messages.wild $(FOLDER)

findings: $(DEV) ## write docs/findings.md anew, from the catalogue
	.venv/bin/python -m tests.findings

completion: $(DEV) ## write the table of the words that shells complete anew
	.venv/bin/python -m tests.completion

pages: $(DEV) ## write docs/which-torch.md and its sisters anew, from the matrices, and the outputs that pages show
	.venv/bin/python -m tests.pages

docs: $(DOCS) ## build the site into site/; what is not as it should be fails
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict --quiet

clean: ## forget the set-up
	rm -rf .venv .nox build dist site .coverage .coverage.*

$(CORE): | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV): | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(CORE)

$(DOCS): | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	@touch $@ $(DEV) $(CORE)

# The first interpreter that is new enough and can make environments: `python3` may be an old one or a shim.
.venv/bin/python:
	@for python in $(PYTHON) python3 python3.15 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then \
	    echo "$$python -m venv .venv"; exec "$$python" -m venv .venv; \
	  fi; \
	done; \
	echo "error: no Python 3.10 or newer with its venv module was found" >&2; \
	echo "hint: install one (Debian, Ubuntu: apt install python3-venv), or name it: make demo PYTHON=/path/to/python3" >&2; \
	exit 1
