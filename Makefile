# memexec. Targets: all check lint format install clean demo bench-ops coverage
# check-arm64. SAN=address,undefined or SAN=thread: the same in another folder.
# V=1 shows commands.
CC ?= cc
PROTOC_C ?= protoc-c
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
SAN ?=
BUILD ?= build$(if $(SAN),/$(subst $(comma),-,$(SAN)))$(if $(COVERAGE),/coverage)
comma := ,
Q := $(if $(V),,@)

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wundef \
	-Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wwrite-strings \
	$(if $(CI),-Werror)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) \
	$(if $(COVERAGE),--coverage)
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -I. -I$(BUILD) -fPIC -pthread \
	-ffp-contract=off $(WARN) $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pthread $(SANFLAGS) $(LDFLAGS)
LOAD_LIBS := -lprotobuf-c
RUN_LIBS := $(LOAD_LIBS) -luring -lcgroup -lm -ldl
CLI_LIBS = $(RUN_LIBS) -ljpeg -lpng -lyaml

MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null || uname -m)))
ISAS := generic $(if $(filter x86_64,$(MACHINE)),avx2 avx512) \
	$(if $(filter aarch64,$(MACHINE)),neon)
# What compilers need to turn selects and square roots into vector code.
SIMD_OPT := -O3 -fno-math-errno -fno-trapping-math
ISA_generic := $(SIMD_OPT)
ISA_avx2 := $(SIMD_OPT) -mavx2 -mfma -ffp-contract=fast
ISA_avx512 := $(SIMD_OPT) -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma \
	-mprefer-vector-width=512 -ffp-contract=fast
ISA_neon := $(SIMD_OPT) -ffp-contract=fast

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
SIMD_C := $(wildcard lib/simd_*.c)
LIB_C := $(filter-out $(SIMD_C),$(wildcard lib/*.c))
SIMD_O := $(foreach i,$(ISAS),$(patsubst lib/%.c,$(BUILD)/lib/%.$(i).o,$(SIMD_C)))
LIB_O := $(call obj,$(LIB_C)) $(SIMD_O)
LOADER_PB := $(patsubst %.proto,$(BUILD)/%.pb-c.o,$(wildcard loader/*.proto))
LOADER_O := $(LOADER_PB) $(call obj,$(wildcard loader/*.c))
IMPORT_PB := $(patsubst %.proto,$(BUILD)/%.pb-c.o,$(wildcard loader/import/*.proto))
IMPORT_O := $(IMPORT_PB) $(call obj,$(wildcard loader/import/*.c))
# GLPK checks the optimum in a test: neither the libraries nor the program.
GLPK_C := sched/optimum_glpk.c
ENGINE_O := $(call obj,$(filter-out $(GLPK_C),$(wildcard pager/*.c sched/*.c)))
CLI_O := $(call obj,$(wildcard cli/*.c))
# lib's vocabulary: what libmxload needs of it.
VOCABULARY_O := $(call obj,lib/attr.c lib/err.c lib/log.c lib/network.c \
	lib/network_check.c lib/shape.c)

TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
BENCHES := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench_*.c))
EXAMPLES := $(patsubst examples/%.c,$(BUILD)/examples/%,$(wildcard examples/*.c))
ARCHIVES := $(BUILD)/libimport.a $(BUILD)/libmemexec.a

.PHONY: all check check-build lint format install clean demo bench-ops coverage check-arm64
.SECONDARY:
.DELETE_ON_ERROR:
all: deps $(BUILD)/memexec $(BUILD)/libmxload.a $(BUILD)/libmxload.so \
	$(BUILD)/libmemexec.a $(BUILD)/libmemexec.so $(EXAMPLES)

-include local.mk scripts/targets.mk

$(BUILD)/%.o: %.c | $(LOADER_PB:.o=.h)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $<")
	$(Q)$(CC) $(ALL_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

define isa_rule
$(BUILD)/lib/%.$(1).o: lib/%.c
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  CC    $$< ($(1))")
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(CPPFLAGS) $(ISA_$(1)) -DMX_ISA=$(1) -MMD -MP -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call isa_rule,$(i))))

$(BUILD)/%.pb-c.c $(BUILD)/%.pb-c.h: %.proto
	@mkdir -p $(@D)
	$(Q)$(PROTOC_C) --c_out=$(BUILD) $<
$(BUILD)/%.pb-c.o: $(BUILD)/%.pb-c.c
	$(Q)$(CC) $(ALL_CFLAGS) -w -c -o $@ $<
$(call obj,$(wildcard loader/import/*.c)): | $(IMPORT_PB)

$(BUILD)/libmxload.a: $(VOCABULARY_O) $(LOADER_O)
$(BUILD)/libmemexec.a: $(LIB_O) $(LOADER_O) $(ENGINE_O)
$(BUILD)/libimport.a: $(IMPORT_O)
$(BUILD)/%.a:
	$(if $(Q),@echo "  AR    $@")
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libmxload.so: $(VOCABULARY_O) $(LOADER_O)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,libmxload.so.0 -o $@ $^ $(LOAD_LIBS)
$(BUILD)/libmemexec.so: $(LIB_O) $(LOADER_O) $(ENGINE_O)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,libmemexec.so.0 -o $@ $^ $(RUN_LIBS)
$(BUILD)/memexec: $(CLI_O) $(ARCHIVES)
	$(if $(Q),@echo "  LD    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CLI_LIBS)
$(BUILD)/examples/%: examples/%.c $(BUILD)/libmxload.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(filter %.o %.a,$^) $(LOAD_LIBS)

# A test names what it wraps in its first lines: "/* wrap: malloc read */".
wraps = $(addprefix -Wl$(comma)--wrap=,$(shell sed -n 's|^/\* wrap: \(.*\) \*/$$|\1|p' $(1)))
$(BUILD)/tests/%: tests/%.c $(filter-out $(BUILD)/cli/main.o,$(CLI_O)) $(ARCHIVES)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  TEST  $<")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP $(call wraps,$<) -o $@ $< $(filter %.o %.a,$^) -lcmocka $(CLI_LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
