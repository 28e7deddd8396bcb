# Targets that are no files, beside the Makefile's rules.
.PHONY: deps bench-io
deps:
	@scripts/deps build
# Every object waits for the generated sources, and these for what makes them,
# so that make -j on a fresh machine installs first.
$(foreach e,c h,$(patsubst %.o,%.$(e),$(IMPORT_PB) $(LOADER_PB))): | deps

# Without GLPK its test skips. Asked when it is built, after deps.
HAVE_GLPK = $(if $(shell echo 'int main(void) { return 0; }' | $(CC) \
	-include glpk.h -x c - -o /dev/null -lglpk 2>&1 || echo no),,1)
GLPK_O := $(call obj,$(GLPK_C))
$(GLPK_O): private override CPPFLAGS += $(if $(HAVE_GLPK),-DMX_HAVE_GLPK=1)
$(BUILD)/tests/test_optimum_glpk: $(GLPK_O)
$(BUILD)/tests/test_optimum_glpk: private CLI_LIBS += $(if $(HAVE_GLPK),-lglpk)

check-build: deps $(BUILD)/memexec $(TESTS) $(BENCHES) $(EXAMPLES)

check: check-build
	@BUILD=$(BUILD) tests/run $(TESTS)

demo: all
	@BUILD=$(BUILD) scripts/demo

bench-ops: deps $(BUILD)/tests/bench_ops
	@$(BUILD)/tests/bench_ops

bench-io: deps $(BUILD)/tests/bench_io
	@BUILD=$(BUILD) scripts/bench-io

# Exit 77 is a machine without ONNX Runtime, and has said how to get it.
.PHONY: bench-engines
bench-engines: deps $(BUILD)/memexec
	@BUILD=$(BUILD) scripts/bench-engines || [ $$? -eq 77 ]

lint:
	@scripts/lint

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib
	install $(BUILD)/memexec $(DESTDIR)$(PREFIX)/bin/
	install -D -m 644 cli/memexec.1 $(DESTDIR)$(PREFIX)/share/man/man1/memexec.1
	install -m 644 $(BUILD)/libmxload.a $(BUILD)/libmemexec.a $(DESTDIR)$(PREFIX)/lib/
	install $(BUILD)/libmxload.so $(DESTDIR)$(PREFIX)/lib/libmxload.so.0
	install $(BUILD)/libmemexec.so $(DESTDIR)$(PREFIX)/lib/libmemexec.so.0
	ln -sf libmxload.so.0 $(DESTDIR)$(PREFIX)/lib/libmxload.so
	ln -sf libmemexec.so.0 $(DESTDIR)$(PREFIX)/lib/libmemexec.so
	for h in lib/attr.h lib/err.h lib/log.h lib/network.h lib/shape.h loader/mxload.h sched/memexec.h; do \
		install -D -m 644 $$h $(DESTDIR)$(PREFIX)/include/memexec/$$h; done

coverage:
	@scripts/coverage

check-arm64:
	@scripts/check-arm64

# Exit 77 is a machine that cannot do it, and has said why.
.PHONY: check-board
check-board: deps $(BUILD)/memexec
	@BUILD=$(BUILD) scripts/virtual-board || [ $$? -eq 77 ]

# Likewise.
.PHONY: check-instructions record-instructions
check-instructions: deps $(BUILD)/memexec $(BUILD)/tests/bench_instructions
	@BUILD=$(BUILD) CC="$(CC)" scripts/check-instructions || [ $$? -eq 77 ]
record-instructions: deps $(BUILD)/memexec $(BUILD)/tests/bench_instructions
	@BUILD=$(BUILD) CC="$(CC)" scripts/check-instructions --record

clean:
	rm -rf build
