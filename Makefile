# `make help` lists the targets.

CONFIGURATION := release
SCRATCH := .build
SWIFT_FLAGS := -c $(CONFIGURATION) --scratch-path $(SCRATCH)
# The tests use package access instead of @testable, so build and test share flags and objects.
TEST_FLAGS := $(SWIFT_FLAGS) --disable-testable-imports
CIFAR10 := data/cifar10/cifar-10-batches-bin/data_batch_1.bin
VQVAE := $(SCRATCH)/$(CONFIGURATION)/vqvae
SWIFT_SOURCES := Sources Tests Package.swift
FAULTS := default
ifdef KERNELS
export VQVAE_KERNELS := $(KERNELS)
endif

# For `vqvae --version`. A folder without .git is not in the repository that may be around it.
ifneq ($(wildcard .git),)
VQVAE_COMMIT := $(shell git rev-parse HEAD)$(if $(shell git status --porcelain), with uncommitted changes)
export VQVAE_COMMIT
endif

.DEFAULT_GOAL := help
.PHONY: help setup build test test-fast tsan smoke check-kernels faults demo bench compare lint format goldens clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 13
	@echo "  KERNELS=avx512, avx2, neon, generic or openblas with test, test-fast, smoke, demo or bench: with those kernels"

setup: ## Install missing system packages (apt-get)
	@scripts/install_packages.sh

build: setup ## Build .build/release/vqvae; several minutes the first time
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
	swift build -c debug --product vqvae --sanitize thread --scratch-path .build-tsan
	scripts/tsan.sh .build-tsan/debug/vqvae

smoke: build ## Train, evaluate and reconstruct in seconds, and check the results
	scripts/smoke.sh $(VQVAE)

check-kernels: build ## Check that one binary runs on every processor, and that no register tile spills
	scripts/check_kernels.py $(SCRATCH)/$(CONFIGURATION) --neon

faults: build ## Test failures of files, memory, threads and signals; FAULTS=short, default or long
	@scripts/install_packages.sh --faults
	python3 scripts/faults --vqvae $(VQVAE) --scale $(FAULTS) $(FAULTS_FLAGS)

demo: build ## Train on synthetic images for about a minute, and write runs/make-demo/demo.png
	@rm -rf runs/make-demo  # a folder of this target alone, so the demo can be run again
	@$(VQVAE) demo runs/make-demo

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
