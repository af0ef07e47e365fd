# The two commands of the README's first screen are `make run` and `make test`.
.PHONY: run test build setup clean

build: setup
	@cmake --preset release $(if $(CI),-DMAEIL_WERROR=ON) > build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log
	cmake --build --preset release

run: build
	@mkdir -p workspace
	cd workspace && ../build/release/maeil run

test: build build/peers/ready build/peers/mongo-ready
	ctest --preset release -j 2

# The peers that tests compare with and Debian cannot give; a folder of its own, made once.
build/peers/ready:
	/usr/bin/python3 -m venv build/peers
	build/peers/bin/pip install -q scikit-learn
	@touch $@

# Servers that speak MongoDB's protocol, and mongosh: some minutes and 400 MB, made once.
build/peers/mongo-ready: tools/mongo_peers tools/ferret/main.go tools/ferret/go.mod
	tools/mongo_peers build/peers

setup:
	@tools/setup

clean:
	rm -rf build
