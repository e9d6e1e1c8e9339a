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

# For packages and installations: Swift's runtime linked in, and no paths of this machine inside. Tests cannot be
# linked in that way, so it has its own folder.
STATIC := .build-static
STATIC_VQVAE := $(STATIC)/release/vqvae
STATIC_FLAGS := -c release --product vqvae --scratch-path $(STATIC) --static-swift-stdlib --disable-local-rpath \
  -Xcc '-ffile-prefix-map=$(CURDIR)=.' -Xswiftc -file-prefix-map -Xswiftc '$(CURDIR)=.' -Xlinker --build-id=none
PREFIX ?= /usr/local
# Last, so that another Swift on the PATH comes first.
export PATH := $(PATH):$(or $(SWIFTLY_BIN_DIR),$(HOME)/.local/share/swiftly/bin)

.DEFAULT_GOAL := help
.PHONY: help setup build test test-fast tsan smoke check-kernels test-processors faults demo bench compare static \
  install uninstall package test-install test-package lint format goldens clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 19
	@echo "  INSTALL_SWIFT=1 with a target that compiles: installs Swift first, if it is missing"
	@echo "  KERNELS=avx512, avx2, neon, generic or openblas with test, test-fast, smoke, demo or bench: with those kernels"

setup: ## Install missing system packages (apt-get)
	@scripts/install_packages.sh

build: setup ## Build .build/release/vqvae; several minutes the first time
	swift build $(SWIFT_FLAGS)

test: setup ## Run all tests
	swift build $(SWIFT_FLAGS)
	swift test $(TEST_FLAGS)
	Tests/Scripts/download_cifar10_test.sh
	Tests/Scripts/install_swift_test.sh

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
	@scripts/install_packages.sh --kernels
	Tests/Scripts/check_kernels_test.sh
	scripts/check_kernels.py $(SCRATCH)/$(CONFIGURATION) --neon

test-processors: build ## Run the program on emulated processors with and without AVX2, and compare the checkpoints
	@scripts/install_packages.sh --emulator
	scripts/other_processors.sh $(VQVAE)

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

static: setup ## Build .build-static/release/vqvae, which needs no Swift where it runs
	swift build $(STATIC_FLAGS)

# Under sudo nothing is compiled: root's PATH often has no swift, and the build would then belong to root.
install: ## Install in PREFIX, by default /usr/local; with sudo, after make static
	@[ -n "$$SUDO_UID" ] || $(MAKE) static
	@scripts/install.sh install $(STATIC_VQVAE) $(STATIC)

uninstall: ## Remove exactly what make install put into PREFIX
	@scripts/install.sh uninstall

install uninstall: export PREFIX := $(PREFIX)
install uninstall: export DESTDIR := $(DESTDIR)

package: static ## Write a Debian package and a tar.gz into dist/
	@scripts/install_packages.sh --package
	@scripts/package.sh $(STATIC_VQVAE) $(STATIC) dist

test-install: static ## Test make install, the man page and the completions
	@scripts/install_packages.sh --package --test-package
	Tests/Scripts/install_test.sh $(STATIC_VQVAE) $(STATIC)

test-package: package ## Install the Debian package in a minimal Debian and use it there; needs root
	@scripts/install_packages.sh --test-package
	scripts/test_package.sh dist/vqvae_$$(scripts/version.sh $(STATIC_VQVAE) | sed 's/-/~/g')_*.deb

lint: ## Check the formatting
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

format: ## Format all Swift files
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

goldens: ## Regenerate the reference values in Tests/Goldens (Python with torch and safetensors)
	python3 scripts/goldens

clean: ## Remove the build folders and dist/
	rm -rf .build .build-* dist
