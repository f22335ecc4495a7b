#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every fuzz target takes its seeds and finds again, whole, cut and with single bytes inverted.
number=0
failed=0
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
for target in "$TUSSAH_BUILDDIR"/tests/fuzz/*_fuzz; do
	[ -x "$target" ] || continue
	name=$(basename "$target" _fuzz)
	number=$((number + 1))
	if "$target" "$TUSSAH_SRCDIR/tests/fuzz/$name" >"$log" 2>&1; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		tail -50 "$log" | sed 's/^/# /'
		failed=1
	fi
done
[ "$number" -gt 0 ] || number="0 # SKIP no fuzz targets"
echo "1..$number"
exit $failed
