# aniso: `make` builds, `make demo` runs an example, `make test` tests, `make help` lists the targets.
#
# Sources are found by wildcard, headers by the compiler (-MMD). Objects live in
# build/FLAVOUR, where FLAVOUR is release, mpi, asan, clang, tsan, fuzz or cover. Every target that compiles first
# runs third_party/deps, which finds the libraries, installs missing ones where permitted, and
# writes build/deps.mk; later builds only read that file.

FLAVOUR ?= release
PREFIX  ?= /usr/local
CFLAGS  ?= -O3 -g
JOBS    ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)

# Ranks that share a batch (engine/base/ranks): `make MPI=1` builds build/mpi/aniso.
ifeq ($(MPI),1)
FLAVOUR  := mpi
MPI_NAME := $(shell for name in ompi-c mpich; do pkg-config --exists $$name 2>/dev/null && echo $$name && break; done)
ifeq ($(MPI_NAME),)
$(error MPI=1 requires Open MPI or MPICH with its pkg-config file: on Debian, apt-get install libopenmpi-dev openmpi-bin)
endif
endif

BUILD := build/$(FLAVOUR)
GEN   := build/gen
ANISO := $(if $(filter release,$(FLAVOUR)),aniso,$(BUILD)/aniso)

# ── flags ────────────────────────────────────────────────────────────────────────────────
# A jump to a fixed address, a smashed stack, an overrun of a known buffer and a changed table of
# functions end the program. HARDEN= builds without.
HARDEN   := -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
RELRO    := -pie -Wl,-z,relro,-z,now,-z,noexecstack
SANITIZE := -g -DAN_CHECKED -fno-omit-frame-pointer
MODE_release := $(CFLAGS) $(HARDEN)
MODE_asan    := -O2 $(SANITIZE) -fsanitize=address,undefined -fno-sanitize-recover=undefined
MODE_mpi     := $(MODE_release)
ifdef MPI_NAME
MODE_mpi     += -DAN_MPI $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(MPI_NAME)))
MPI_LIBS     := $(shell pkg-config --libs $(MPI_NAME))
endif
# Pragmas that clang does not know only choose between loops of equal results.
MODE_clang   := $(MODE_release) -Wno-unknown-pragmas
# For a shared object, whose host sees luaopen_* alone (engine/bind/luaopen.c).
MODE_module  := $(CFLAGS) $(subst -fPIE,-fPIC,$(HARDEN)) -fPIC -fvisibility=hidden
MODE_tsan    := -O1 $(SANITIZE) -fsanitize=thread -Wno-unknown-pragmas
MODE_fuzz    := -O1 $(SANITIZE) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Wno-unknown-pragmas
MODE_cover   := -O1 -g -fprofile-instr-generate -fcoverage-mapping -Wno-unknown-pragmas
LINK_release := $(if $(HARDEN),$(RELRO))
LINK_mpi     := $(LINK_release)
LINK_clang   := $(LINK_release)
# Threads of OpenMP outlive the state that loaded the object, so it stays in memory.
LINK_module  := -shared -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodelete,--version-script=engine/bind/luaopen.map
ifneq ($(filter clang tsan fuzz cover,$(FLAVOUR)),)
CC := clang
endif
LANGUAGE := -std=c11 -D_GNU_SOURCE -Wall -Wextra -fopenmp -fno-math-errno -fno-trapping-math
COMPILE   = $(CC) $(LANGUAGE) $(MODE_$(FLAVOUR)) -Iengine -I. $(DEPS_CFLAGS) $(CPPFLAGS)
LINK      = $(CC) -fopenmp $(MODE_$(FLAVOUR)) $(LINK_$(FLAVOUR)) $(LDFLAGS)

# Targets without dependencies on libraries must work before these are installed.
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
-include build/deps.mk
endif
DEPS_LIBS += $(MPI_LIBS)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif
MAKEFLAGS += --no-print-directory

# ── files ────────────────────────────────────────────────────────────────────────────────
SOURCES  := $(filter-out engine/main.c,$(wildcard engine/*/*.c engine/*/*/*.c store/*.c third_party/*.c))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/gen/embedded.o
EMBEDDED := $(wildcard $(foreach depth,* */* */*/* */*/*/*,lua/aniso/$(depth).lua) store/*.sql store/known_schema.txt store/migrations/*.sql)
C_TESTS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/c/test_*.c))
LUA_FUZZ := $(patsubst %.lua,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.lua))
FUZZERS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c)) $(LUA_FUZZ)
FAULTS   := $(addprefix $(BUILD)/tests/faults/,calls.so memory.so powercut aniso_cells)
BENCHES  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))

.PHONY: all module demo test test-mpi check asan clang tsan threads fuzz fuzzers faults bench bench-db conform golden transcript lint install clean help
.DELETE_ON_ERROR:
.PRECIOUS: $(BUILD)/%.o $(BUILD)/tests/fuzz/%

all: $(ANISO)

# ── building ─────────────────────────────────────────────────────────────────────────────
build/deps.mk: third_party/deps
	@third_party/deps build $@

build/deps-test.mk: third_party/deps build/deps.mk
	@third_party/deps test $@

# Rewritten only when the flags change, so that everything is compiled again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); echo '$(COMPILE)' | cmp -s - $@ || echo '$(COMPILE)' > $@
FORCE:

# The list of embedded files, so that removing a file also regenerates embedded.c.
$(GEN)/embedded.list: FORCE
	@mkdir -p $(@D); echo '$(EMBEDDED)' | cmp -s - $@ || echo '$(EMBEDDED)' > $@

$(GEN)/embed: lua/embed.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O1 $(DEPS_CFLAGS) -o $@ $< $(DEPS_LIBS)

$(GEN)/embedded.c: $(GEN)/embed $(GEN)/embedded.list $(EMBEDDED)
	@$(GEN)/embed $(EMBEDDED) > $@

$(BUILD)/gen/embedded.o: $(GEN)/embedded.c engine/base/embedded.h $(BUILD)/flags
	@mkdir -p $(@D)
	@$(COMPILE) -c -o $@ $<

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "cc $<"
	@$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/libaniso.a: $(OBJECTS)
	@rm -f $@; ar rcs $@ $(OBJECTS)

$(ANISO): $(BUILD)/engine/main.o $(BUILD)/libaniso.a
	@echo "ld $@"
	@$(LINK) -o $@ $^ $(DEPS_LIBS)

module:
	@$(MAKE) FLAVOUR=module aniso.so

# Its host provides the functions of Lua.
aniso.so: $(OBJECTS) engine/bind/luaopen.map
	@echo "ld $@"
	@$(LINK) -o $@ $(OBJECTS) $(filter-out -llua%,$(DEPS_LIBS))

$(C_TESTS:%=%.o): | build/deps-test.mk

$(BUILD)/tests/c/%: $(BUILD)/tests/c/%.o $(BUILD)/libaniso.a build/deps-test.mk
	@echo "ld $@"
	@$(LINK) -o $@ $(filter %.o %.a,$^) -lcmocka $(DEPS_LIBS)

# libFuzzer has its own main(). All harnesses in Lua are one program, which reads its own name.
$(LUA_FUZZ): $(BUILD)/tests/fuzz/lua_harness
	@ln -f $< $@

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(if $(filter-out fuzz,$(FLAVOUR)),$(BUILD)/tests/fuzz/replay.o) $(BUILD)/libaniso.a
	@echo "ld $@"
	@$(LINK) -o $@ $^ $(DEPS_LIBS)

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libaniso.a
	@echo "ld $@"
	@$(LINK) -o $@ $^ $(DEPS_LIBS)

$(BUILD)/tests/conform/%: $(BUILD)/tests/conform/%.o $(BUILD)/libaniso.a
	@echo "ld $@"
	@$(LINK) -o $@ $^ $(DEPS_LIBS)

# Preloaded into a program: without its flags.
PRELOAD = $(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -O1 -g -shared -fPIC -o $@ $(filter %.c,$^) -ldl
$(BUILD)/tests/faults/calls.so: $(addprefix tests/faults/preload/,calls.c record.c plan.c record.h plan.h)
	@mkdir -p $(@D); echo "ld $@"
	@$(PRELOAD)

$(BUILD)/tests/faults/memory.so: $(addprefix tests/faults/preload/,memory.c plan.c plan.h)
	@mkdir -p $(@D); echo "ld $@"
	@$(PRELOAD)

$(BUILD)/tests/faults/powercut: $(BUILD)/tests/faults/powercut.o
	@echo "ld $@"
	@$(LINK) -o $@ $^

# Its own lua_alloc comes before that of the library.
$(BUILD)/tests/faults/aniso_cells: $(BUILD)/engine/main.o $(BUILD)/tests/faults/plain_lua_alloc.o $(BUILD)/libaniso.a
	@echo "ld $@"
	@$(LINK) -o $@ $^ $(DEPS_LIBS)

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d $(BUILD)/*/*/*/*.d)

# ── using ────────────────────────────────────────────────────────────────────────────────
# Each command is shown before its output. README.md shows the same (tests/cli/test_transcript.sh).
DEMO = 'run recipes/quickstart.lua' 'compare quickstart --section notes' \
       'curve quickstart -x schedule.lambda.gamma -y tail'
demo: all
	@for command in $(DEMO); do \
	    printf '\n$$ ./aniso %s\n' "$$command"; ./aniso $$command || exit; done
	@printf '\nThe runs are in runs.db:   ./aniso ls    ./aniso show @last    %s\n' \
	    './aniso report quickstart -o report.html'
	@echo "The recipe is one page:    recipes/quickstart.lua    (try --set train.epochs=20 --seeds 0..4)"
	@echo "Your own images:           README.md, or ./aniso help"

# Both end with the line `N passed, N failed`.
test: check
asan:
	@$(MAKE) FLAVOUR=asan check
clang:
	@$(MAKE) FLAVOUR=clang check
tsan:
	@$(MAKE) FLAVOUR=tsan threads
threads: $(ANISO) $(C_TESTS) build/deps-test.mk
	@tests/threads $(BUILD) ./$(ANISO)
check: $(ANISO) $(C_TESTS) $(FUZZERS) $(FAULTS) build/deps-test.mk $(if $(filter release,$(FLAVOUR)),module)
	@tests/run $(BUILD) ./$(ANISO)

# Builds with MPI first; `make test` runs the same where build/mpi/aniso exists.
test-mpi: $(ANISO)
	@$(MAKE) MPI=1 all
	@ANISO=./$(ANISO) sh tests/cli/test_ranks.sh

fuzz:
	@tests/fuzz/run check
	@$(MAKE) FLAVOUR=fuzz fuzzers
	@[ -z "$(COVERAGE)" ] || $(MAKE) FLAVOUR=cover fuzzers
	@tests/fuzz/run all
fuzzers: $(FUZZERS)

faults: $(ANISO) $(FAULTS)
	@tests/faults/run ./$(ANISO) $(BUILD)/tests/faults

lint: $(ANISO)
	@tests/lint/run ./$(ANISO) all

bench: $(ANISO) $(BENCHES)
	@tests/bench/run ./$(ANISO) $(BUILD)/tests/bench/conv_kernels

RUNS ?= 1000
bench-db: $(ANISO)
	@RUNS=$(RUNS) tests/bench/queries ./$(ANISO) $(BUILD)/bench-$(RUNS).db

conform: $(ANISO) $(BUILD)/tests/conform/read_images
	@tests/conform/run ./$(ANISO) $(BUILD)/tests/conform/read_images

transcript: $(ANISO)
	@ANISO=./$(ANISO) sh tests/cli/test_transcript.sh write
	@ANISO=./$(ANISO) sh tests/cli/test_pretrained.sh write
	@ANISO=./$(ANISO) sh tests/cli/test_slurm.sh write
	@ANISO=./$(ANISO) sh tests/cli/test_ranks.sh write
	@ANISO=./$(ANISO) sh tests/cli/test_results.sh write

golden:
	tests/golden/make_goldens.py

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/aniso/recipes
	install -m 755 aniso $(DESTDIR)$(PREFIX)/bin/aniso
	[ ! -e aniso.so ] || install -D -m 755 aniso.so $(DESTDIR)$(PREFIX)/lib/lua/5.4/aniso.so
	install -m 644 $(wildcard recipes/*.lua) $(DESTDIR)$(PREFIX)/share/aniso/recipes

clean:
	rm -rf build aniso aniso.so

help:
	@echo "make            build ./aniso (installs missing libraries with apt where permitted)"
	@echo "make module     build aniso.so, with which a plain lua5.4 can require \"aniso\" (lua/README.md)"
	@echo "make MPI=1      build build/mpi/aniso, which mpirun starts as ranks that share a batch (engine/base/ranks/README.md)"
	@echo "make demo       build, run recipes/quickstart.lua, show which differences exceed noise"
	@echo "make test       build and run all tests; the last line has the counts"
	@echo "make test-mpi   build with MPI and test that ranks give the bits of one process"
	@echo "make asan       the same tests under AddressSanitizer and UBSan, in build/asan"
	@echo "make clang      the same tests, compiled with clang, in build/clang"
	@echo "make tsan       what runs in several threads, under ThreadSanitizer (clang), in build/tsan"
	@echo "make fuzz       run the fuzzers of tests/fuzz for a minute each (clang), and print their table"
	@echo "make faults     fails every call, allocation and moment of a small study once (tests/README.md)"
	@echo "make lint       layers, references, text; clang-format, luacheck, cppcheck where installed"
	@echo "make bench      time the engine against PyTorch (tests/bench/README.md)"
	@echo "make bench-db   time ls, table and compare on RUNS=1000 runs (tests/bench/queries)"
	@echo "make conform    read every variant of JPEG, PNG, BMP, CSV, safetensors as other decoders do"
	@echo "make golden     regenerate the reference values of the tests with PyTorch (python3-torch)"
	@echo "make transcript rewrite the sessions that the READMEs show, from a real run"
	@echo "make install    copy aniso, aniso.so if it is built, and the recipes to PREFIX=$(PREFIX)"
	@echo "make clean      remove everything that was built"
	@echo "Variables: CC, CFLAGS='-O3 -g -march=native', PREFIX, DESTDIR, JOBS, TEST_JOBS, PYTHON"
