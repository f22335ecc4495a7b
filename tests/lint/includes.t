#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Include arrows: common knows nobody, storage knows common, the three tiers never each other;
# libraries with one edge file are included nowhere else.
cd "$TUSSAH_SRCDIR" || exit 99
number=0
failed=0
# forbid NAME PATTERN FILES...
forbid() {
	name=$1 pattern=$2
	shift 2
	number=$((number + 1))
	found=$(grep -nE "$pattern" "$@" /dev/null)
	if [ -z "$found" ]; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		echo "$found" | sed 's/^/# /'
		failed=1
	fi
}
forbid 'common includes no other tier' '^#include "(storage|sensor|packer|query)/' common/*.[ch]
forbid 'storage includes common only' '^#include "(sensor|packer|query)/' storage/*.[ch]
forbid 'sensor includes no other tier' '^#include "(packer|query)/' sensor/*.[ch]
forbid 'packer includes no other tier' '^#include "(sensor|query)/' packer/*.[ch]
forbid 'query includes no other tier' '^#include "(sensor|packer)/' query/*.[ch]
forbid 'includes name their folder' '^#include "[^/"]+"' common/*.[ch] storage/*.[ch] sensor/*.[ch] \
	packer/*.[ch] query/*.[ch] tests/unit/*.[ch]
forbid 'OpenSSL is known to common/tls.c alone' '^#include <openssl/' \
	$(ls common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch] | grep -v '^common/tls\.c$')
forbid 'libmicrohttpd is known to common/metricsd.c alone' '^#include <microhttpd' \
	$(ls common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch] | grep -v '^common/metricsd\.c$')
forbid 'libfixbuf is known to its edge files alone' '^#include <fixbuf/' \
	$(ls common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch] |
		grep -vE '^(common/iemodel\.c$|sensor/export|packer/ipfix|query/ipfix)')
forbid 'compression libraries are known to storage/compress.c, snappylib and gzip edges alone' \
	'^#include <(lzo/|snappy|zlib)' \
	$(ls common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch] |
		grep -vE '^(storage/(compress|bytes|source|gzip)[a-z]*\.c|storage/snappylib\.[ch]|sensor/capture[a-z]*\.c)$')
forbid 'libpcap is known to the capture edge alone' '^#include <pcap' \
	$(ls common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch] |
		grep -vE '^sensor/capture')
forbid 'nobody includes config.h: the build forces it' '^#include .config\.h' */*.[ch]
forbid 'unsafe calls' '[^_a-z0-9](strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca|tmpnam|mktemp)\(' \
	common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch]
forbid 'storage and common read no environment' '[^_a-z](getenv|secure_getenv|exit|abort)\(' \
	$(ls common/*.c storage/*.c | grep -vE '^common/(log|daemon)\.c$')
forbid 'no open ends' '(TODO|FIXME|[^X]XXX[^X])' common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch]
echo "1..$number"
exit $failed
