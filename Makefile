# The two commands of the README's first screen are `make run` and `make test`; docs/testing.md has `make check` and `make fuzz`.
.PHONY: run test peers check fuzz build arrow bench bench-growth bench-csv setup clean tell

TEST_JOBS = 2

build: setup
	@cmake --preset release $(if $(CI),-DMAEIL_WERROR=ON -DCMAKE_UNITY_BUILD=ON) > build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log
	cmake --build --preset release

run: build
	@mkdir -p workspace
	cd workspace && ../build/release/maeil run

peers: build/peers/ready build/peers/mongo-ready build/peers/airflow-ready build/peers/grafana-ready build/arrow/ready

test: tell peers build
	ctest --preset release -j $(TEST_JOBS)

# libmaeil_arrow.so, beside maeil in build/release, with which it reads and writes Parquet and Arrow files: Arrow C++ is inside of
# the Python package pyarrow, which is downloaded once (55 MB; 170 MB unpacked).
arrow: build/arrow/ready build
	@ls build/release/libmaeil_arrow.so

build/arrow/ready: | setup
	@echo "make arrow: downloads pyarrow and, for the tests, pandas from PyPI into build/arrow (85 MB; make clean removes it)"
	/usr/bin/python3 -m venv build/arrow
	build/arrow/bin/pip install -q "pyarrow>=26" "pandas<3"
	@touch $@

# Beforehand: what `make test` still has to download.
peer = $(if $(wildcard build/peers/$(1)),,@echo "  $(2)")
tell:
	@echo "make test: 20 to 40 minutes on 2 cores, after a build of 9. It downloads, once, into build/peers (1 GB; make clean removes it), about:"
	$(call peer,ready,scikit-learn and pandas from PyPI: 90 MB)
	$(if $(wildcard build/arrow/ready),,@echo "  pyarrow and pandas from PyPI, for Parquet and Arrow files: 85 MB")
	$(call peer,airflow-ready,Apache Airflow from PyPI: 65 MB)
	$(call peer,grafana-ready,Grafana's SDK for dashboards from PyPI: 1 MB)
	$(call peer,mongo-ready,servers that speak MongoDB's protocol and mongosh: 100 MB; 250 MB with Go and Node where they are missing)
	@$(if $(and $(wildcard build/arrow/ready),$(wildcard build/peers/ready),$(wildcard build/peers/airflow-ready),$(wildcard build/peers/grafana-ready),$(wildcard build/peers/mongo-ready)),echo "  nothing more: all is there",true)

# docs/testing.md: the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, those with threads under ThreadSanitizer,
# clang-tidy over src/, and ten seconds of each fuzzer. Two builds of their own.
check: setup
	@echo "make check: 20 to 30 minutes on 2 cores that do nothing else; it downloads nothing"
	@failed=0; \
	cmake --preset asan && cmake --build --preset asan && ctest --preset asan -j 2 || failed=1; \
	tools/check_tidy build/asan || failed=1; \
	cmake --preset tsan && cmake --build --preset tsan && ctest --preset tsan -j 2 || failed=1; \
	exit $$failed

# Each fuzzer for FUZZ_SECONDS, two at a time; FUZZ="csv pickle" names some. What it finds: build/asan/fuzz (tools/fuzz).
FUZZ_SECONDS = 600
FUZZ =
fuzz: setup
	cmake --preset asan && cmake --build build/asan --target fuzzers
	@echo "crashes and new inputs go to build/asan/fuzz/READER; each reader takes $(FUZZ_SECONDS) s, two at a time"
	tools/fuzz build/asan $(FUZZ_SECONDS) $(FUZZ)

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

# A large file beside its peers, and every dialect; DIR: a clone of HPI-Information-Systems/Pollock.
bench-csv: build build/bench-peers/ready
	cmake --build build/release --target csv_reading
	$(bench_python) -B benchmarks/csv_reading.py --write-docs
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
	build/peers/bin/pip install -q scikit-learn "pandas<3" aiosmtpd
	@touch $@

# Apache Airflow, as the tests of integrations/airflow were last seen to pass with it.
build/peers/airflow-ready: tests/airflow/requirements.txt integrations/airflow/pyproject.toml | setup
	/usr/bin/python3 -m venv build/peers/airflow
	build/peers/airflow/bin/pip install -q -r tests/airflow/requirements.txt
	build/peers/airflow/bin/pip install -q --no-deps ./integrations/airflow
	@touch $@

# What Grafana's own programs read a dashboard with: the dashboards of integrations/grafana are held against it.
build/peers/grafana-ready: | setup
	/usr/bin/python3 -m venv build/peers/grafana
	build/peers/grafana/bin/pip install -q "grafana-foundation-sdk==1769699379!11.6.0"
	@touch $@

# Servers that speak MongoDB's protocol, and mongosh: some minutes and 400 MB, made once.
build/peers/mongo-ready: tools/mongo_peers tools/ferret/main.go tools/ferret/go.mod | setup
	tools/mongo_peers build/peers

setup:
	@tools/setup

clean:
	rm -rf build
