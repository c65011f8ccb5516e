# Each target sets up what it needs, once.
PYTHON ?= python3
RUN := venv/bin/python -m
# Only CI measures coverage, which slows the tests down.
ifeq ($(CI),true)
COVERAGE := --cov=handler --cov=infra --cov-branch --cov-report=term:skip-covered --cov-fail-under=95
endif

.PHONY: demo engine test lint bench picture lock clean

demo: venv/ready
	@$(RUN) cli demo $(if $(ORGANIZATION),--organization) $(if $(VERBOSE),--verbose)

# The Pulumi CLI where there is none; needs Go.
engine: venv/ready
	@$(RUN) sandbox.deployment.pulumi_cli

test: venv/ready
	@$(RUN) sandbox.lambda_host.runtime
	@$(RUN) sandbox.deployment.pulumi_cli || test "$$CI" != true
	$(RUN) pytest -n auto --dist worksteal $(COVERAGE)

lint: venv/ready
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

venv/ready: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed, $(PYTHON) is " + sys.version.split()[0])'
	@echo "Installing $$(grep -c '^[a-z].*==' $<) Python packages into venv/, once; this takes one to two minutes."
	@$(PYTHON) -m venv venv
	@venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

bench: venv/ready
	$(RUN) benchmarks

# The documents' pictures; needs Chromium.
picture: demo
	@$(RUN) tools.pictures .demo docs/pictures

# Pins what requirements-dev.in asks for, and keeps the versions that still fit; needs uv.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes --output-file requirements-dev.txt requirements-dev.in

clean:
	rm -rf venv .cache .demo
