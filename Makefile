# make matrix                  every cell on the Pythons there are; CELLS="py311-boto1.26 py311-boto1.44" a part, ARGS="-k multipart" for pytest
#                              RESUME=1 only what did not pass before; RESULTS=results/mine.json where the results go;
#                              SETS=all every set in every cell, also those that one cell of a class can run for all
# make test                    lint, types, the tests of both parts, and a few cells; ARGS="-n 0" one test at a time
# make representatives         each surface class of botocore on the oldest and the newest Python there is; RESUME=1 as above
# make python_botocore_tests   one cell: BOTO3_VERSION=1.26.24 BOTOCORE_VERSION=1.29.24, by default the latest, on the newest Python;
#                              MP_TESTCOUNT=2 how many processes of tests run at once, here and in each cell of a matrix
# make mutants                 small bugs put into copies of the patch, each of which the tests must catch; ARGS="location.py" a part,
#                              ARGS="--list" says which there are, ARGS="--help" what else there is
# make coverage                that the same tests run each line and each branch of the patch
# make report                  results/report.html: what is known of each cell, in a page; RESULTS="a.json b.json" for just these
# make test-report             that page in a real browser, which is installed where it is missing, as by `make chromium`
# make aio                     the tests of the asynchronous seam on four aiobotocores, each in an environment of its own
# make load                    the engine under 64 threads with failures, and with a gibibyte; LOAD_OPERATIONS=250 of each thread
# make bench                   what redirects, the import, a start of Python, a cell and a large matrix cost
# make pythons                 gets uv's builds of the Pythons of the matrix; PYTHONS="3.8 3.13" a part
# make setup · make lint · make clean · LOCKED=1 sets up the harness alone, in the releases of tools/locked; make lock renews them
#
# Needs Python 3, make and a package index; sets up the rest in .venv.

VENV := .venv
LOCK := tools/locked/requirements.txt
READY := $(VENV)/ready
RUN := $(VENV)/bin/python -m boto_matrix
OPTIONS := $(if $(filter-out 0 no false,$(RESUME)),--resume) $(if $(RESULTS),--results $(RESULTS)) $(if $(SETS),--sets $(SETS))
MUST_NOTICE := tests/aistore_patch tests/engine tests/unit/botocore_patch
OUR_CODE := $(wildcard aistore_patch boto_matrix tests benchmarks toxfile.py)

.PHONY: matrix test unit setup pythons few representatives python_botocore_tests mutants coverage aio load bench report test-report chromium lint lock clean

matrix: $(READY)
	@$(RUN) run $(CELLS) $(OPTIONS) $(if $(ARGS),-- $(ARGS))

test: lint unit few

unit: $(READY)
	$(VENV)/bin/python -m pytest -q -rs -n auto --dist loadfile $(ARGS)

setup: $(READY)

pythons: $(READY)
	$(VENV)/bin/uv python install $(or $(PYTHONS),$$($(RUN) list --pythons))

few: $(READY)
	@$(RUN) run --few

representatives: $(READY)
	@$(RUN) run --representatives $(OPTIONS)

python_botocore_tests: $(READY)
	@$(RUN) run --one $(OPTIONS) $(if $(ARGS),-- $(ARGS))

mutants: $(READY)
	@$(VENV)/bin/python -m tests.mutants $(ARGS)

coverage: $(READY)
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m pytest -q $(MUST_NOTICE) $(ARGS)
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage report

load: $(READY)
	$(VENV)/bin/python -m pytest -q tests/load $(ARGS)

bench: $(READY)
	$(VENV)/bin/python -m benchmarks.redirect_cost
	$(VENV)/bin/python -m benchmarks.import_cost
	$(VENV)/bin/python -m benchmarks.startup_cost
	$(VENV)/bin/python -m benchmarks.cell_cost
	$(VENV)/bin/python -m benchmarks.large_matrix
	$(VENV)/bin/python -m benchmarks.report_page

aio: $(READY)
	@$(VENV)/bin/python -m tests.aio $(ARGS)

report: $(READY)
	@$(RUN) report $(RESULTS)

test-report: $(READY) chromium
	REQUIRE_CHROMIUM=1 $(VENV)/bin/python -m pytest -q tests/boto_matrix/test_report_page.py $(ARGS)

# For whoever asks: without it the tests of the report's page are skipped, and say so.
chromium:
	@tools/chromium

lint: $(READY)
	$(VENV)/bin/ruff check $(OUR_CODE)
	$(VENV)/bin/mypy $(OUR_CODE)
	$(VENV)/bin/lint-imports --no-logo --no-cache
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/bin/zizmor --quiet --offline --pedantic .github
	tools/lint-workflows .github/workflows/*.yml

# uv installs from the index that pip is told of, where it is not told of one itself.
# Made anew when pyproject.toml changes. Bytecode is compiled now, since a machine may be told to write none later.
$(READY): pyproject.toml tools/find-python
	rm -rf $(VENV)
	python=$$(tools/find-python) && "$$python" -m venv $(VENV)
ifdef LOCKED
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(LOCK)
else
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(VENV)/bin/python -m boto_matrix.releases.index_settings $(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --compile-bytecode --group dev
endif
	touch $(READY)

# What a job that may write to the repository installs, to the byte: the group `harness`, on each Python from 3.12 on.
lock: $(READY)
	$(VENV)/bin/python -m boto_matrix.releases.index_settings $(VENV)/bin/uv pip compile --quiet --upgrade --group harness \
		--universal --python-version 3.12 --generate-hashes --no-header --no-annotate --output-file $(LOCK)

clean:
	rm -rf $(VENV) .tox results .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(OUR_CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
