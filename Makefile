# netlump: `make help` lists the targets. Everything built goes to build/ and dist/.
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory -j$(shell nproc 2>/dev/null || echo 2)
BUILD := build
# Make's own default for CC is "cc"; clang is preferred unless the caller chose.
ifeq ($(origin CC),default)
CC = $(shell command -v clang || echo cc)
endif
# A folder with cJSON.c and cJSON.h; by default Debian's patched source is fetched.
CJSON_DIR ?=
CJSON := $(or $(CJSON_DIR),$(BUILD)/cjson)
export CJSON_DIR
# A folder with stb_image.h; by default that of Debian's libstb-dev.
STB_DIR ?=
STB := $(BUILD)/stb
export STB_DIR
PORT ?= 8080
FUZZ_SECONDS ?= 600

CORE := $(wildcard src/*.c src/kernels/*.c)
HEADERS := $(wildcard src/*.h src/kernels/*.h)
INCLUDES := -Isrc -isystem $(CJSON) -isystem $(STB)
STRICT := -std=c11 -Wall -Wextra -Werror -Wconversion -Wshadow -ffp-contract=off -fno-fast-math
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*_test.c))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*_fuzz.c))
SCRIPTS := $(wildcard tests/*.test.js tests/page/*.test.js)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1

.PHONY: help run test test-long bench bench-paper wasm native dist fmt lint clean
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

# ---- what the machine must have ----------------------------------------------------------------------------------------

# Never a file, so each runs whenever something that needs it is made; that is quick when nothing is missing.
tools-%:
	@sh wasm/tools.sh $*

NPM := node_modules/.stamp
$(NPM): package.json package-lock.json
	@command -v npm >/dev/null || { echo "Node 20.16 or newer with npm is needed: install nodejs and npm." >&2; exit 1; }
	@node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 16) ? 0 : 1)' || \
	  { echo "Node 20.16 or newer is needed; this is $$(node --version)." >&2; exit 1; }
	npm ci --ignore-scripts || { sleep 5; npm ci --ignore-scripts; }
	@touch $@

# Real models and the libraries whose formats are read and written, some 500 MB: for the long tests and the benchmarks alone.
LONG := tests/long/node_modules/.stamp
$(LONG): tests/long/package.json tests/long/package-lock.json $(NPM)
	npm ci --ignore-scripts --prefix tests/long || { sleep 5; npm ci --ignore-scripts --prefix tests/long; }
	@touch $@

# cJSON.h comes along.
$(BUILD)/cjson/cJSON.c: wasm/fetch-cjson.sh | tools-cjson
	sh wasm/fetch-cjson.sh $(@D)

$(STB)/stb_image.h: wasm/patch-stb.sh | tools-stb
	sh wasm/patch-stb.sh $(or $(STB_DIR),/usr/include/stb) $(@D)

# Its code shifts and adds signed numbers out of their range, copies nothing from nowhere, and leaves functions unused that are
# all static here.
FOREIGN := -fwrapv -Wno-unused-function

# ---- WebAssembly -------------------------------------------------------------------------------------------------------

# NODE_PATH: Debian's emcc 3.1.6 runs node scripts that look for Debian's packages. NDEBUG: an assertion would drag stdio in.
# TOTAL_STACK is STACK_SIZE's older name, known to every version.
EMCC := NODE_PATH=/usr/share/nodejs emcc
EMFLAGS := -flto -std=c11 -Werror=incompatible-pointer-types -DNDEBUG -ffp-contract=off -fno-fast-math $(FOREIGN) $(INCLUDES)
# Linked as one (-flto), and made smaller until nothing gives.
EMLINK := $(EMCC) -Oz -flto -sBINARYEN_EXTRA_PASSES=--converge --no-entry -sSTANDALONE_WASM -sALLOW_MEMORY_GROWTH -sMAXIMUM_MEMORY=4GB -sTOTAL_STACK=1048576 -sMALLOC=emmalloc
# What wasm/exports.c imports, emcc does not know; tests/wasm.test.js says what may be imported.
EMLINK += -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0
# What the time goes into is made fast; the rest is made small: the page loads it all.
HOT := src/kernels/% src/function.c wasm/memory.c
# One that -O3 makes a third larger and no faster
WARM := src/kernels/product_f64.c
WASM := $(BUILD)/netlump.wasm $(BUILD)/netlump-scalar.wasm $(BUILD)/formats.wasm $(BUILD)/pictures.wasm

wasm: $(WASM) ## build the WebAssembly modules: SIMD, scalar, the formats in JSON, and the decoder of pictures

# What is fetched with the first model in JSON; what it knows of ONNX is in the core too.
FORMATS := $(wildcard src/json*.c) src/converter.c
ONNX := $(wildcard src/onnx*.c) src/arena.c src/decimal.c src/graph.c src/names.c src/status.c src/tensor.c src/wire.c

# module(file, folder, flags): one object a source
define module
$(BUILD)/wasm/$(2)/%.o: %.c $(HEADERS) wasm/boundary.h $(CJSON)/cJSON.c $(STB)/stb_image.h Makefile | tools-wasm
	@mkdir -p $$(@D)
	$(EMCC) $$(if $$(filter $(WARM),$$<),-O2,$$(if $$(filter $(HOT),$$<),-O3,-Oz)) $(3) $(EMFLAGS) -c $$< -o $$@
$(BUILD)/wasm/$(2)/cJSON.o: $(CJSON)/cJSON.c Makefile | tools-wasm
	@mkdir -p $$(@D)
	$(EMCC) -Oz $(3) $(EMFLAGS) -c $$< -o $$@
$(BUILD)/$(1): $(patsubst %.c,$(BUILD)/wasm/$(2)/%.o,$(filter-out src/image% $(FORMATS),$(CORE)) wasm/boundary.c wasm/exports.c wasm/memory.c) $(BUILD)/wasm/$(2)/cJSON.o
	$(EMLINK) $(3) $$^ -o $$@
endef
$(eval $(call module,netlump.wasm,simd,-msimd128))
$(eval $(call module,netlump-scalar.wasm,scalar,-DNL_KERNELS_SCALAR))
$(BUILD)/formats.wasm: $(patsubst %.c,$(BUILD)/wasm/scalar/%.o,$(FORMATS) $(ONNX) wasm/boundary.c wasm/formats.c wasm/memory.c) $(BUILD)/wasm/scalar/cJSON.o
	$(EMLINK) $^ -o $@
$(BUILD)/pictures.wasm: $(patsubst %.c,$(BUILD)/wasm/scalar/%.o,src/arena.c src/status.c src/image.c src/image_stb.c wasm/boundary.c wasm/memory.c wasm/pictures.c)
	$(EMLINK) $^ -o $@

# ---- native: build/FLAVOUR/libnetlump.a --------------------------------------------------------------------------------

# flavour(folder, compiler, flags): one object a source, one archive
define flavour
$(BUILD)/$(1)/%.o: %.c $(HEADERS) $(CJSON)/cJSON.c $(STB)/stb_image.h Makefile | tools-native
	@mkdir -p $$(@D)
	$(2) $(STRICT) $(3) $$(FOREIGN_HERE) $(INCLUDES) -c $$< -o $$@
$(BUILD)/$(1)/src/image_stb.o: FOREIGN_HERE := $(FOREIGN)
$(BUILD)/$(1)/cJSON.o: $(CJSON)/cJSON.c Makefile | tools-native
	@mkdir -p $$(@D)
	$(2) -std=c11 $(3) -c $$< -o $$@
$(BUILD)/$(1)/libnetlump.a: $(CORE:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/cJSON.o
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(eval $(call flavour,native,$$(CC),-O2 -g))
$(eval $(call flavour,gcc,gcc,-O2))
$(eval $(call flavour,asan,clang,$(SANITIZE) -fsanitize=fuzzer-no-link))
$(BUILD)/asan/src/image_stb.o: FOREIGN_HERE += -fno-sanitize=shift,signed-integer-overflow,nonnull-attribute

native: $(BUILD)/native/libnetlump.a ## build the core as a native library
	cp $< $(BUILD)/libnetlump.a

# test(folder, compiler, flags): the unit tests of that flavour
define unit
$(BUILD)/$(1)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(BUILD)/$(1)/libnetlump.a | tools-test
	@mkdir -p $$(@D)
	$(2) $(STRICT) $(3) $$(LINKED_SO) $(INCLUDES) $$< $(BUILD)/$(1)/libnetlump.a -lcmocka -lm -o $$@
# Lets the test's own functions stand between the core and the heap.
$(BUILD)/$(1)/unit/memory_test: LINKED_SO := $(foreach name,malloc calloc realloc aligned_alloc free,-Wl,--wrap=$(name))
endef
$(eval $(call unit,native,$$(CC),-O1 -g))
$(eval $(call unit,asan,clang,$(SANITIZE)))

$(BUILD)/native/pipeline: tests/native/pipeline.c $(BUILD)/native/libnetlump.a
	$(CC) $(STRICT) -O1 -g $(INCLUDES) $^ -lm -o $@

$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/asan/libnetlump.a | tools-fuzz
	@mkdir -p $(@D)
	clang $(STRICT) $(SANITIZE) -fsanitize=fuzzer $(INCLUDES) $< $(BUILD)/asan/libnetlump.a -lcmocka -lm -o $@

# The same on files alone: no fuzzer, no sanitizer.
$(BUILD)/replay/%: tests/fuzz/%.c tests/fuzz/replay.c $(wildcard tests/unit/*.h) $(BUILD)/native/libnetlump.a
	@mkdir -p $(@D)
	$(CC) $(STRICT) -O1 -g $(INCLUDES) $(filter %.c %.a,$^) -lcmocka -lm -o $@

# ---- page --------------------------------------------------------------------------------------------------------------

WEB := $(shell find web -type f 2>/dev/null) $(wildcard wasm/*.js)
dist: dist/index.html ## build the page into dist/
dist/index.html: $(WEB) $(WASM) $(NPM)
	node web/build.mjs --out dist
	@touch $@

run: dist ## lump a bundled sample, then serve the page (PORT=8080)
	node wasm/netlump.js web/samples/glycolysis.onnx --data web/samples/glycolysis.csv --labels 7 --epsilon 0.01 -o $(BUILD)/glycolysis-small.onnx
	node web/serve.mjs dist $(PORT)

# ---- tests -------------------------------------------------------------------------------------------------------------

# gcc's warnings are others than clang's: both compile every file.
.PHONY: gcc
gcc: $(if $(shell command -v gcc),$(CORE:%.c=$(BUILD)/gcc/%.o))

test: gcc dist $(BUILD)/native/pipeline $(FUZZ:%=$(BUILD)/replay/%) $(UNIT:%=$(BUILD)/native/unit/%) | tools-test ## everything short; ends with 'N passed, N failed'
	@node tests/count.mjs $(UNIT:%=$(BUILD)/native/unit/%) $(SCRIPTS)

test-long: dist $(LONG) $(UNIT:%=$(BUILD)/asan/unit/%) $(FUZZ:%=$(BUILD)/fuzz/%) | tools-test ## sanitizers, fuzzing (FUZZ_SECONDS=600 each), tests/long
	@node tests/count.mjs --fuzz $(FUZZ_SECONDS) $(UNIT:%=$(BUILD)/asan/unit/%) $(wildcard tests/long/*.test.js) $(FUZZ:%=$(BUILD)/fuzz/%)

# ---- benchmarks --------------------------------------------------------------------------------------------------------

KERNELS := tests/bench/kernels_bench.c src/linear_blocks.c $(wildcard src/kernels/*.c)
$(BUILD)/bench/scalar.wasm: BENCH = $(EMCC)
$(BUILD)/bench/simd.wasm: BENCH = $(EMCC) -msimd128
$(BUILD)/bench/scalar.wasm $(BUILD)/bench/simd.wasm: $(KERNELS) $(HEADERS) | tools-wasm
	@mkdir -p $(@D)
	$(BENCH) -O3 -ffp-contract=off --no-entry -sSTANDALONE_WASM -sINITIAL_MEMORY=67108864 -Isrc $(KERNELS) -o $@
$(BUILD)/bench/native: $(KERNELS) $(HEADERS) | tools-native
	@mkdir -p $(@D)
	$(CC) -O3 -march=native -ffp-contract=off -Isrc $(KERNELS) -lm -o $@

$(BUILD)/bench/partition: tests/bench/partition_bench.c $(BUILD)/native/libnetlump.a
	@mkdir -p $(@D)
	$(CC) -O2 $(INCLUDES) $^ -lm -o $@

# The objects of the module itself
ELIMINATION := $(patsubst %.c,$(BUILD)/wasm/simd/%.o,$(wildcard src/project*.c src/linear*.c src/arena.c src/status.c src/kernels/*.c))
$(BUILD)/bench/elimination.wasm: tests/bench/elimination_bench.c $(ELIMINATION)
	@mkdir -p $(@D)
	$(EMLINK) -msimd128 $(EMFLAGS) $^ -o $@

bench: $(BUILD)/bench/scalar.wasm $(BUILD)/bench/simd.wasm $(BUILD)/bench/native $(BUILD)/bench/partition $(BUILD)/bench/elimination.wasm dist $(LONG) | tools-numpy tools-peers tools-test ## time the kernels, the pipeline, the page
	node tests/bench/kernels.mjs $(BUILD)/bench/scalar.wasm $(BUILD)/bench/simd.wasm $(BUILD)/bench/native
	node tests/bench/elimination.mjs $(BUILD)/bench/elimination.wasm
	@for script in $(filter-out tests/bench/kernels.mjs tests/bench/elimination.mjs,$(wildcard tests/bench/*.mjs)); do echo "node $$script" && node $$script || exit 1; done

# Each of the experiment's networks is a file of its own, so that make -j trains several at once.
PYTHON ?= /usr/bin/python3
export PYTHON
PAPER := tests/bench/paper
PAPER_SYSTEMS := reaction htree polymerization glycolysis
PAPER_NETWORKS := tanh_64-64 relu_64-64 tanh_128-128-64 square_32-32
PAPER_ROWS := $(PAPER_SYSTEMS:%=$(BUILD)/paper/%_test.csv)
PAPER_MODELS := $(foreach network,$(PAPER_NETWORKS),$(PAPER_SYSTEMS:%=$(BUILD)/paper/%_$(network).onnx))
$(PAPER_ROWS): $(PAPER)/systems.py | tools-train
	@mkdir -p $(@D)
	$(PYTHON) $(PAPER)/systems.py $@
$(PAPER_MODELS): $(PAPER)/train.py $(PAPER)/systems.py | tools-train
	@mkdir -p $(@D)
	$(PYTHON) $(PAPER)/train.py $@

.PHONY: paper-tests
paper-tests: | tools-train
	$(PYTHON) $(PAPER)/systems_test.py

bench-paper: paper-tests $(PAPER_ROWS) $(PAPER_MODELS) $(WASM) $(NPM) ## the paper's experiment, hours: PAPER_FLAGS="--only hepc"
	node $(PAPER)/paper.mjs $(PAPER_FLAGS)

.PHONY: screenshots
screenshots: dist | tools-test ## take the README's two pictures of the page
	node tests/page/screenshots.mjs

# ---- order -------------------------------------------------------------------------------------------------------------

OURS := $(CORE) $(HEADERS) $(wildcard wasm/*.c tests/*/*.[ch])
fmt: | tools-format ## format the C sources
	clang-format -i $(OURS)

lint: $(NPM) $(CJSON)/cJSON.c $(STB)/stb_image.h | tools-native tools-format tools-lint ## clang-format, clang-tidy, cppcheck, tsc, eslint
	clang-format --dry-run --Werror $(OURS)
	clang-tidy --quiet --warnings-as-errors='*' $(filter-out %_stb.c,$(CORE)) wasm/exports.c -- -std=c11 $(INCLUDES)
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --suppress=internalAstError --enable=warning,performance,portability -Isrc $(CORE)
	npx --no-install tsc -p tests/jsconfig.json
	npx --no-install eslint -c tests/eslint.config.js --no-error-on-unmatched-pattern wasm web tests

clean: ## remove build/ and dist/
	rm -rf $(BUILD) dist
