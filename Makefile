# Needs make, git and Python 3.11 or newer; everything else goes into .venv.
#   make demo    gcelib with a cloud that lives in memory; ARGS="--listen 127.0.0.1:6000" moves it
#   make test    the tests
#   make check   what CI runs: style, types, tests
#   make docs    the pages that are made from the code
#   make site    README and docs/ as a site in build/site, its links looked after
#   make man     the manual pages, into packaging/man
#   make dist    the source distribution and the wheel with them, into dist
#   make dist-test  what is in dist, installed into empty environments on every Python that gcelib is for
#   make deb     the Debian package for this machine's own Python, into dist
#   make deb-test  it, installed, upgraded, removed and purged in a Debian that is booted for it; as root, with
#                debootstrap and systemd-nspawn; ARGS="--root TREE" copies a tree in place of making one
#   make image-test  the container file, built and run by podman or docker
#   make audit   known holes in what is installed, where pip-audit reaches its data
#   make lowest  a part of the tests with the oldest versions that setup.py allows
#   make backends  what every provider must do: over the simulator, Dummy, Moto's EC2, an untold driver, and OpenStack
#                  where OPENSTACK names its openrc, a file of `export OS_...=...`
#   make clients Ansible with Google's collection and Google's library for Node.js, into .venv, for their tests
#   make bench   the figures of README and docs/performance.md; ARGS="lists gets" for some
#   make gate    the part of them that CI holds: ratios
#   make soak    half an hour of clients, faults and kills, then the books compared, and each replica's memory;
#                ARGS="--minutes 8 --seed 2" makes it shorter, GCUTIL names a gcutil to be among the clients
#   make clean   remove what was made

VENV ?= .venv
ARGS ?=
TESTS ?= tests

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if "$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then echo "$$name"; break; fi; done)

PIP = $(VENV)/bin/python -m pip install -qq --disable-pip-version-check --no-input
SOURCES = setup.py pyproject.toml
ANSWERED = $(VENV)/answered

# Tests and figures start hundreds of processes: each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check style types docs site man dist dist-test deb deb-test image-test audit lowest backends clients bench gate soak clean

demo: $(VENV)/installed
	@exec $(VENV)/bin/gcelib demo $(ARGS)

# Most tests wait for servers and clients more than they compute: several at a time. What measures time goes alone;
# 5 is pytest's word for "there was none of these". At the end, what the clients of tests/contract had answered must be
# what `gcelib coverage` lists.
test: $(VENV)/installed-test
	@rm -rf $(ANSWERED) && mkdir -p $(ANSWERED)
	@ANSWERED=$(ANSWERED) $(VENV)/bin/python -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder \
	  -m "not alone and not paired" $(TESTS) || [ $$? -eq 5 ]
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadfile -m paired $(TESTS) || [ $$? -eq 5 ]
	@$(VENV)/bin/python -m pytest -q -m alone $(TESTS) || [ $$? -eq 5 ]
	@$(VENV)/bin/python -m tests.answered $(ANSWERED)

check: style types audit test

style: $(VENV)/installed-test
	@$(VENV)/bin/python -m ruff check .

types: $(VENV)/installed-test
	@$(VENV)/bin/python -m mypy --strict gcelib

docs: $(VENV)/installed-test
	@$(VENV)/bin/python -m gcelib.config > $(VENV)/configuration.md && mv $(VENV)/configuration.md docs/
	@$(VENV)/bin/python -m docs.generate

# Warnings are errors: a page in no list of docs/index.md, a link to no page. Links to other places are listed only.
site: $(VENV)/installed-docs
	@$(VENV)/bin/python -m sphinx -q -W --keep-going -c docs/site . build/site
	@$(VENV)/bin/python docs/site/links.py build/site

# What is packed is as old as the last commit, so that packing it twice makes the same.
EPOCH = SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || date +%s)

man: $(VENV)/installed-test
	@$(EPOCH) $(VENV)/bin/python packaging/manpages.py packaging/man

dist: man
	@rm -rf dist build
	@$(EPOCH) $(VENV)/bin/python -m build --outdir dist .
	@$(VENV)/bin/python -m twine check --strict dist/*

dist-test: $(VENV)/installed-test
	@$(VENV)/bin/python -m tests.packaging.installs

deb: $(VENV)/installed-test
	@$(EPOCH) $(VENV)/bin/python packaging/deb.py

deb-test: $(VENV)/installed-test
	@$(VENV)/bin/python -m tests.packaging.deb $(ARGS) $(lastword $(sort $(wildcard dist/gcelib_*.deb)))

image-test: $(VENV)/installed-test
	@$(VENV)/bin/python -m tests.packaging.image $(ARGS)

audit: $(VENV)/installed-test
	@$(VENV)/bin/python packaging/audit.py

# An environment of its own: the oldest versions of what gcelib needs, the newest of what its tests need.
lowest: packaging/lowest.txt $(SOURCES)
	@$(PYTHON) -m venv $(VENV)-lowest
	@$(VENV)-lowest/bin/python -m pip install -qq --disable-pip-version-check --no-input --constraint packaging/lowest.txt \
	  --editable . pytest hypothesis cs google-auth
	@$(VENV)-lowest/bin/python -m pytest -q tests/auth tests/drivers tests/unit/store tests/unit/config tests/security/roles

# Some 70 MB to fetch; without it those tests are skipped, and say so.
backends: $(VENV)/installed-test
	@$(if $(OPENSTACK),GCELIB_TEST_OPENSTACK=$(OPENSTACK)) $(VENV)/bin/python -m pytest -q -n 2 --dist loadfile \
	  $(if $(filter-out tests,$(TESTS)),$(TESTS),tests/conformance tests/providers tests/backends)

clients: $(VENV)/installed-test
	@$(VENV)/bin/python packaging/clients.py

bench: $(VENV)/installed-bench
	@$(VENV)/bin/python -m bench $(ARGS)

# Ratios to a reference in the same run. How many calls a request costs is held by tests/wire/test_calls_to_the_cloud.py.
gate: $(VENV)/installed-test
	@$(VENV)/bin/python -m bench --gate

soak: $(VENV)/installed-test
	@$(VENV)/bin/python -m tests.soak $(ARGS)

# An editable install: the sources are run from where they are, so only a change of what is needed installs again.
$(VENV)/installed: $(SOURCES) | $(VENV)/bin/python
	@echo "Installing gcelib into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/installed-test: $(SOURCES) | $(VENV)/bin/python
	@echo "Installing gcelib and what its tests need into $(VENV) ..."
	@$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-bench: $(VENV)/installed-test
	@$(PIP) --editable '.[bench]'
	@touch $@

$(VENV)/installed-docs: $(SOURCES) | $(VENV)/installed
	@$(PIP) --editable '.[docs]'
	@touch $@

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv was not found; name it: make PYTHON=/path/to/python"; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name another: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) $(VENV)-lowest build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
