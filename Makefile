# Each target is a thin line over a command that also works alone: see `python3 run.py help`.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help run test test-services lint bench screenshots requirements

help:           ## list the targets
	@grep -E '^[a-z-]+: +##' Makefile | sed -E 's/^([a-z-]+): +## /  make \1\t/' | expand -t 22
run:            ## the clinic on http://127.0.0.1:8000 (HOST, PORT)
	@$(PYTHON) run.py
test:           ## the whole suite on SQLite
	@$(PYTHON) run.py test
test-services:  ## the same suite on PostgreSQL and Redis
	@$(PYTHON) run.py test-services
lint:           ## ruff, house rules, templates, migrations
	@$(PYTHON) run.py lint
bench:          ## the benchmarks, each against its floor
	@$(PYTHON) run.py bench
screenshots:    ## docs/screenshots/*.png from the demo clinic
	@$(PYTHON) run.py screenshots
requirements:   ## pin requirements*.txt anew
	@$(PYTHON) run.py requirements
