# Everything a developer or a first user types. `make mosaic` and `make test` set themselves up.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: mosaic test check prove bench bench-quality bench-quality-real docs lock clean

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "senard needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

lock: ## resolve the dependencies anew; no index address is written
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

check: $(READY) ## style, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(READY) ## the whole suite, offline, under 8 minutes on 2 cores
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not prove and not live" tests

docs: $(READY) ## the reference pages that follow from the code
	$(BIN)/python docs/write_reference.py

mosaic: $(READY) ## a sample archive, and the main job on it
	@test -f sample/area.geojson || $(BIN)/senard simulate sample
	$(BIN)/senard mosaic --aoi sample/area.geojson --start 2024-05-01 --end 2024-07-31 --archive sample --outdir mosaic --name sample --njobs 2
	@echo "The mosaic lies in $$(ls -d mosaic/sample_*): open quicklook.png, report.html, or mosaic_10.vrt in QGIS."

prove: $(READY) ## long proofs: real pixels, kills without end
	$(BIN)/python -m pytest -m prove -s tests

SIZE ?= full
bench: $(READY) ## what the main job costs as dates are added, against bare decoding and writing, and against others; SIZE=small is quick, SIZE=download fetches against curl; ARGS="--only job --dates 8"
	$(BIN)/python -m bench $(SIZE) $(ARGS)

bench-quality: $(READY) ## senard and published methods on simulated seasons of known truth; REGIMES=dry,snow SEEDS=61 OUT=folder ARGS="--variants"
	$(BIN)/python -m bench.quality $(SIZE) --regimes "$(REGIMES)" --seeds "$(SEEDS)" $(if $(OUT),--out "$(OUT)") $(ARGS)

bench-quality-real: $(READY) ## senard and others on real acquisitions kept at 120 m; wants ../shared/data, or DATA=folder; OUT=folder for pictures
	$(BIN)/python -m bench.quality_real $(if $(DATA),--data "$(DATA)") $(if $(OUT),--out "$(OUT)") $(ARGS)
