# `make help` lists the targets.

CONFIGURATION := release
# Tuned for this machine, or for any of its kind. Each has a build folder of its own, so that a switch
# between the two rebuilds nothing.
ifdef PORTABLE
SCRATCH := .build-portable
TUNING :=
else
SCRATCH := .build
TUNING := -Xcc $(if $(filter x86_64 i686,$(shell uname -m)),-march=native,-mcpu=native)
endif

SWIFT_FLAGS := -c $(CONFIGURATION) --scratch-path $(SCRATCH) $(TUNING)
# The tests use package access, so that build and test share their flags and their objects.
TEST_FLAGS := $(SWIFT_FLAGS) --disable-testable-imports
CIFAR10 := data/cifar10/cifar-10-batches-bin/data_batch_1.bin
VQVAE := $(SCRATCH)/$(CONFIGURATION)/vqvae
SWIFT_SOURCES := Sources Tests Package.swift
FAULTS := default

.DEFAULT_GOAL := help
.PHONY: help setup build test test-fast tsan smoke faults demo bench compare lint format goldens clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 12
	@echo "  PORTABLE=1 with build, test, test-fast, smoke, faults, demo, bench or compare: for any machine of this kind, in .build-portable"

setup: ## Install the system packages that are missing
	@scripts/install_packages.sh

build: setup ## Build .build/release/vqvae, tuned for this machine
	swift build $(SWIFT_FLAGS)

test: setup ## Run all tests
	swift build $(SWIFT_FLAGS)
	swift test $(TEST_FLAGS)
	Tests/Scripts/download_cifar10_test.sh

test-fast: setup ## Run all tests but those of determinism, the command line and faults; says what each suite took
	swift build $(SWIFT_FLAGS)
	@swift test list $(TEST_FLAGS) >/dev/null  # builds them
	python3 scripts/run_tests.py $(SCRATCH)/$(CONFIGURATION)

tsan: setup ## Train on four threads under ThreadSanitizer, in .build-tsan; fails on a race
	swift build -c debug --product vqvae --sanitize thread --scratch-path .build-tsan $(TUNING)
	scripts/tsan.sh .build-tsan/debug/vqvae

smoke: build ## Train, evaluate and reconstruct in seconds, and check what comes out
	scripts/smoke.sh $(VQVAE)

faults: build ## Break files, disk, memory and signals, and check the promises; FAULTS=short, default or long
	@scripts/install_packages.sh --faults
	python3 scripts/faults --vqvae $(VQVAE) --scale $(FAULTS) $(FAULTS_FLAGS)

demo: build ## Train a small model on synthetic images for about a minute, and show what it learned
	@scripts/demo.sh $(VQVAE)

bench: build ## Verify the kernels and measure a training step of the usual model, in half a minute
	$(VQVAE) bench --config configs/cifar10-zalando.yaml --set quantizer.kind=vq \
	  $(if $(wildcard $(CIFAR10)),,--set data.kind=synthetic) $(BENCH_FLAGS)

compare: build ## Compare with PyTorch on this machine, 6 minutes; COMPARE_FLAGS="--rounds 3" and others
	@scripts/compare.sh --vqvae $(VQVAE) $(COMPARE_FLAGS)

lint: ## Check the formatting
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

format: ## Format all Swift files
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

goldens: ## Make the reference values in Tests/Goldens anew (needs Python with torch and safetensors)
	python3 scripts/goldens

clean: ## Remove what was built
	rm -rf .build .build-portable .build-tsan
