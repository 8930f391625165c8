# A thin face over CMake's presets and scripts/. `make help` lists what there is.
PROMPT ?= Why is the sky blue?
override PROMPT := $(value PROMPT)
MODEL ?= models/smollm2-135m-instruct-q4_1.gguf
# What the default model's card recommends for sampling; the penalty keeps so small a model from saying one phrase for ever.
ARGS ?= --temp 0.2 --top-p 0.9 --repeat-penalty 1.1
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 30
JOBS := $(shell nproc)
PROGRAM := build/release/aplaca
# Directories too: their times change when a file comes or goes. When nothing is newer than the program, CMake is not asked.
SOURCES := $(shell find src include apl cmake CMakeLists.txt CMakePresets.json 2>/dev/null)
export PROMPT
MAKEFLAGS += --no-print-directory

.PHONY: all run test check bench install clean help setup
all: $(PROGRAM)

help:
	@echo 'make                 build build/release/aplaca (and install missing packages, as root)'
	@echo 'make run             answer PROMPT="...", with MODEL=FILE and more options in ARGS'
	@echo 'make test            build everything, run the whole suite'
	@echo 'make check           sanitizers, FUZZ_SECONDS=30 of each fuzz target, AArch64, long parity runs'
	@echo 'make bench           the benchmarks'
	@echo 'make install         under PREFIX=/usr/local, staged in DESTDIR'
	@echo 'make clean           remove build/ (models/ stays)'

setup:
	@scripts/setup

run: $(PROGRAM) $(filter models/smollm2-135m-instruct-q4_1.gguf,$(MODEL))
	@$(PROGRAM) run $(MODEL) -p "$$PROMPT" $(ARGS)

models/smollm2-135m-instruct-q4_1.gguf:
	@scripts/get-model $@

$(PROGRAM): $(SOURCES) | setup
	@mkdir -p build && cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset release -j$(JOBS) --target aplaca
	@touch $@

# Without the model its tests are reported as skipped.
test: setup
	-@scripts/get-model
	@cmake --preset release
	@cmake --build --preset release -j$(JOBS)
	@ctest --preset release -j$(JOBS)

check: test
	@scripts/setup check
	@cmake --preset asan && cmake --build --preset asan -j$(JOBS) && ctest --preset asan -j$(JOBS)
	@scripts/fuzz $(FUZZ_SECONDS)
	@scripts/check-aarch64
	@ctest --preset release -C long -L long --no-tests=ignore

bench: $(PROGRAM) $(MODEL)
	@cmake --build --preset release -j$(JOBS) --target attention_bench >/dev/null
	@bench/run $(PROGRAM) $(MODEL)

install: $(PROGRAM)
	@cmake --build --preset release -j$(JOBS) --target aplaca aplaca_SHARED aplaca_STATIC
	@DESTDIR='$(DESTDIR)' cmake --install build/release --prefix '$(PREFIX)'

clean:
	rm -rf build
