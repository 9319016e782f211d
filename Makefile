# make demo   environment, traces, a small model trained on the CPU, its evaluation, one HTML report
# make test   environment and the whole test suite
# make lint   ruff and pyright

PYTHON ?= python3
PROGRAM ?= examples/visit.py
CALL ?= visit(['a', 'b', 'c'])

BIN := .venv/bin
RUN := runs/demo
DATA := datasets/demo
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: demo test lint clean
.DELETE_ON_ERROR:

demo: $(RUN)/eval/heldout.json
	$(BIN)/python -m experiments.report runs=$(RUN) out=$(RUN)/report.html
	$(BIN)/python -m experiments.imagine run=$(RUN) program=$(PROGRAM) "call=$(CALL)"
	@echo "report: $(RUN)/report.html"

test: .venv/ready
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

.venv/ready: constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r constraints.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(DATA)/manifest.json: | .venv/ready
	$(BIN)/python -m experiments.trace corpus=demo limits.events=200 out=$(DATA)

$(RUN)/done: $(DATA)/manifest.json
	$(BIN)/python -m experiments.train experiment=demo dataset=$(DATA) run_dir=$(RUN)
	grep -q finished $(RUN)/status.json  # and not ended early by SIGTERM, which is no error
	touch $@

$(RUN)/eval/heldout.json: $(RUN)/done
	$(BIN)/python -m experiments.evaluate run=$(RUN) suite=heldout

clean:
	rm -rf $(RUN) $(DATA)
