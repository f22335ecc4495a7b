#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every header compiles alone and says whose it is; every source carries its licence line.
cd "$TUSSAH_SRCDIR" || exit 99
number=0
failed=0
result() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		sed 's/^/# /' "$scratch/log"
		failed=1
	fi
}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
flags=$(pkg-config --cflags glib-2.0 libfixbuf openssl liburcu libpcap cunit 2>/dev/null)
for header in common/*.h storage/*.h sensor/*.h packer/*.h query/*.h; do
	[ -f "$header" ] || continue
	echo "#include \"$header\"" >"$scratch/alone.c"
	${CC:-cc} -std=gnu11 -Wall -Wextra -Wno-unused-parameter -include "$TUSSAH_BUILDDIR/config.h" -I. $flags \
		-fsyntax-only "$scratch/alone.c" >"$scratch/log" 2>&1
	result $? "$header compiles alone"
done
for file in common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch] tests/*/*.[ch]; do
	[ -f "$file" ] || continue
	head -1 "$file" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' || echo "$file"
done >"$scratch/log"
[ ! -s "$scratch/log" ]
result $? 'every C file begins with its licence'
echo "1..$number"
exit $failed
