# mig: small programs that make changing a database safe.
# make, make check, make lint, make asan, make install; the rest is below.

VERSION = 0.1.0
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man

-include config.mk

CC ?= cc
B ?= build
# One name for one folder: by it is written down what depends on what.
override B := $(patsubst $(CURDIR)/%,%,$(abspath $(B)))
SAN ?=
WERROR ?=
OPTIMIZE ?= -O2
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla $(WERROR)
PQ_INCLUDE := $(addprefix -I,$(shell pg_config --includedir 2> /dev/null))
CPPFLAGS += -Ilib $(PQ_INCLUDE) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-DSQLITE_ENABLE_PREUPDATE_HOOK -DMIG_VERSION='"$(VERSION)"'
CFLAGS += -std=c11 -g $(OPTIMIZE) $(WARN) $(HARDEN) $(SAN) -pthread
LDFLAGS += $(HARDEN_LD) $(SAN) -pthread
LDLIBS += -lsqlite3 -lzstd -lcrypto -ljansson -lpq -lz

PROGRAMS = mig-status mig-backup mig-verify mig-apply mig-rollback mig-gen
LIB_SRC = $(wildcard lib/*/*.c lib/*/*/*.c)
SQL = $(wildcard lib/db/*/*.sql)
LIB_OBJ = $(LIB_SRC:%.c=$(B)/%.o) $(SQL:%.sql=$(B)/%.sql.o)
UNIT_SRC = $(wildcard tests/unit/*.c)
UNIT = $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
FUZZ_SRC = $(wildcard tests/fuzz/*.c)
BIN = $(PROGRAMS:%=$(B)/bin/%)
TOOLS = $(B)/bench/generate

all: $(BIN)

$(B)/libmig.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/bin/%: $(B)/cmd/%.o $(B)/libmig.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(B)/libmig.a $(LDLIBS)

$(B)/unit/%: $(B)/tests/unit/%.o $(B)/libmig.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(B)/libmig.a $(LDLIBS)

$(B)/bench/%: $(B)/tests/bench/%.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(LDLIBS)

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# lib/db/sqlite/ledger.sql becomes the string sqlite_ledger_sql.
$(B)/%.sql.c: %.sql scripts/sql2c.awk
	@mkdir -p $(@D)
	awk -v name=$(notdir $(patsubst %/,%,$(dir $*)))_$(notdir $*)_sql \
		-f scripts/sql2c.awk $< > $@

$(B)/%.sql.o: $(B)/%.sql.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The fast half of the tests: no server, under a minute.
check: all $(UNIT)
	B=$(B) scripts/run-tests fast

# Everything that needs no server of its own.
check-all: all $(UNIT) $(TOOLS)
	B=$(B) scripts/run-tests all

asan:
	$(MAKE) B=build-asan OPTIMIZE=-O1 HARDEN= HARDEN_LD= \
		SAN="-fsanitize=address,undefined -fno-omit-frame-pointer" \
		check

lint: all
	B=$(B) scripts/lint

# FUZZ_TIME seconds for each target; needs clang.
FUZZ_TIME ?= 60
fuzz:
	scripts/fuzz $(FUZZ_TIME)

bench: all $(TOOLS)
	B=$(B) scripts/bench
	B=$(B) scripts/bench-postgresql

cover:
	$(MAKE) B=build-cover OPTIMIZE=-O0 HARDEN= HARDEN_LD= SAN=--coverage \
		check-all
	cd build-cover && find lib -name '*.gcda' -exec gcov -n {} + | \
		awk '/^File .lib/ { f = $$2 } /^Lines/ && f { print f, $$2; f = "" }' | \
		sort -u

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7
	install -m 755 $(BIN) $(DESTDIR)$(BINDIR)
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 man/*.7 $(DESTDIR)$(MANDIR)/man7

uninstall:
	rm -f $(PROGRAMS:%=$(DESTDIR)$(BINDIR)/%)
	rm -f $(patsubst man/%.1,$(DESTDIR)$(MANDIR)/man1/%.1,$(wildcard man/*.1))
	rm -f $(patsubst man/%.5,$(DESTDIR)$(MANDIR)/man5/%.5,$(wildcard man/*.5))
	rm -f $(patsubst man/%.7,$(DESTDIR)$(MANDIR)/man7/%.7,$(wildcard man/*.7))

dist:
	@mkdir -p $(B)
	git archive --prefix=mig-$(VERSION)/ -o $(B)/mig-$(VERSION).tar.gz HEAD

clean:
	rm -rf build build-*

-include $(LIB_OBJ:.o=.d) $(PROGRAMS:%=$(B)/cmd/%.d) \
	$(UNIT_SRC:%.c=$(B)/%.d)
.SECONDARY:
.PHONY: all check check-all asan lint fuzz bench cover install uninstall \
	dist clean
