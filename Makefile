# `make help` lists the targets.

CONFIGURATION := release
# Tuned for this processor, for another one (MARCH), or portable. Each has its own build folder, so switching
# rebuilds nothing.
ifdef PORTABLE
SCRATCH := .build-portable
TUNING :=
else ifdef MARCH
SCRATCH := .build-$(MARCH)
TUNING := -Xcc -march=$(MARCH)
else
SCRATCH := .build
TUNING := -Xcc $(if $(filter x86_64 i686,$(shell uname -m)),-march=native,-mcpu=native)
endif

SWIFT_FLAGS := -c $(CONFIGURATION) --scratch-path $(SCRATCH) $(TUNING)
# The tests use package access instead of @testable, so build and test share flags and objects.
TEST_FLAGS := $(SWIFT_FLAGS) --disable-testable-imports
CIFAR10 := data/cifar10/cifar-10-batches-bin/data_batch_1.bin
VQVAE := $(SCRATCH)/$(CONFIGURATION)/vqvae
SWIFT_SOURCES := Sources Tests Package.swift
FAULTS := default

.DEFAULT_GOAL := help
.PHONY: help setup build test test-fast tsan smoke same-bytes faults demo bench compare lint format goldens clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 13
	@echo "  PORTABLE=1 with build, test, test-fast, smoke, faults, demo, bench or compare: a build in .build-portable"
	@echo "  for every processor of this architecture, without the fast kernels; MARCH=x86-64-v3 builds for all with"
	@echo "  AVX2, in .build-x86-64-v3"

setup: ## Install missing system packages (apt-get)
	@scripts/install_packages.sh

build: setup ## Build .build/release/vqvae, tuned for this processor; several minutes the first time
	swift build $(SWIFT_FLAGS)

test: setup ## Run all tests
	swift build $(SWIFT_FLAGS)
	swift test $(TEST_FLAGS)
	Tests/Scripts/download_cifar10_test.sh

test-fast: setup ## Run all but the slowest tests in about a minute, with the time of each suite
	swift build $(SWIFT_FLAGS)
	@swift test list $(TEST_FLAGS) >/dev/null  # builds them
	python3 scripts/run_tests.py $(SCRATCH)/$(CONFIGURATION)

tsan: setup ## Train on four threads under ThreadSanitizer, in .build-tsan; fails on a race
	swift build -c debug --product vqvae --sanitize thread --scratch-path .build-tsan $(TUNING)
	scripts/tsan.sh .build-tsan/debug/vqvae

smoke: build ## Train, evaluate and reconstruct in seconds, and check the results
	scripts/smoke.sh $(VQVAE)

same-bytes: build ## Train with this build and one for AVX2, and compare the checkpoints byte for byte
	$(MAKE) build MARCH=x86-64-v3
	scripts/same_bytes.sh $(VQVAE) .build-x86-64-v3/release/vqvae

faults: build ## Test failures of files, memory, threads and signals; FAULTS=short, default or long
	@scripts/install_packages.sh --faults
	python3 scripts/faults --vqvae $(VQVAE) --scale $(FAULTS) $(FAULTS_FLAGS)

demo: build ## Train on synthetic images for about a minute, and write runs/make-demo/demo.png
	@scripts/demo.sh $(VQVAE)

bench: build ## Verify the kernels and measure a training step (preset zalando), in half a minute
	$(VQVAE) bench --config configs/cifar10-zalando.yaml --set quantizer.kind=vq \
	  $(if $(wildcard $(CIFAR10)),,--set data.kind=synthetic) $(BENCH_FLAGS)

compare: build ## Compare with PyTorch, onnxruntime and OpenVINO; options in COMPARE_FLAGS="--rounds 3"
	@scripts/compare.sh --vqvae $(VQVAE) $(COMPARE_FLAGS)

lint: ## Check the formatting
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

format: ## Format all Swift files
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

goldens: ## Regenerate the reference values in Tests/Goldens (Python with torch and safetensors)
	python3 scripts/goldens

clean: ## Remove the build folders
	rm -rf .build .build-*
