# The two commands of the README's first screen are `make run` and `make test`.
.PHONY: run test build bench bench-growth bench-csv setup clean

build: setup
	@cmake --preset release $(if $(CI),-DMAEIL_WERROR=ON) > build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log
	cmake --build --preset release

run: build
	@mkdir -p workspace
	cd workspace && ../build/release/maeil run

test: build/peers/ready build/peers/mongo-ready build/peers/airflow-ready build
	ctest --preset release -j 2

# maeil beside PyTorch, SDV, pandas and scikit-learn: docs/performance.md. The peers go into a folder of their own (some GB);
# MAEIL_BENCH_PYTHON=... names an interpreter that has them already.
ifeq ($(MAEIL_BENCH_PYTHON),)
bench bench-growth: build/bench-peers/ready
bench: build/bench-sdv-newest/ready
endif
bench_python = $(or $(MAEIL_BENCH_PYTHON),build/bench-peers/bin/python)

bench: build
	$(bench_python) -B benchmarks/run.py --write-docs
	$(bench_python) -B benchmarks/synthesis.py

# DIR: a clone of HPI-Information-Systems/Pollock.
bench-csv: build build/bench-peers/ready
	$(bench_python) -B benchmarks/csv_dialects.py --write-docs $(DIR)

bench-growth: build
	$(bench_python) -B benchmarks/growth.py --write-docs

build/bench-peers/ready: | setup
	/usr/bin/python3 -m venv build/bench-peers
	build/bench-peers/bin/pip install -q -r benchmarks/requirements.txt
	@touch $@

# The newest SDV, for the comparison of synthesizers: it does not live beside 1.32.
build/bench-sdv-newest/ready: | setup
	/usr/bin/python3 -m venv build/bench-sdv-newest
	build/bench-sdv-newest/bin/pip install -q sdv
	@touch $@

# The peers that tests compare with and Debian cannot give; a folder of its own, made once.
build/peers/ready: | setup
	/usr/bin/python3 -m venv build/peers
	build/peers/bin/pip install -q scikit-learn "pandas<3"
	@touch $@

# Apache Airflow, as the tests of integrations/airflow were last seen to pass with it.
build/peers/airflow-ready: tests/airflow/requirements.txt integrations/airflow/pyproject.toml | setup
	/usr/bin/python3 -m venv build/peers/airflow
	build/peers/airflow/bin/pip install -q -r tests/airflow/requirements.txt
	build/peers/airflow/bin/pip install -q --no-deps ./integrations/airflow
	@touch $@

# Servers that speak MongoDB's protocol, and mongosh: some minutes and 400 MB, made once.
build/peers/mongo-ready: tools/mongo_peers tools/ferret/main.go tools/ferret/go.mod | setup
	tools/mongo_peers build/peers

setup:
	@tools/setup

clean:
	rm -rf build
