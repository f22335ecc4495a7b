#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Whatever the number of threads and the memory, what is grouped and counted is what a plain program finds in the same records.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/tests/perf/silk.conf

seeds="1 2"
test "$TUSSAH_LONG" = no || seeds="1 2 3 4"
for seed in $seeds; do
	test_case "random records, questions and ways to ask them, seed $seed" '
		mkdir '"$seed"' && cd '"$seed"' && python3 "$TUSSAH_SRCDIR/tests/e2e/aggregates.py" '"$seed"'
	'
done
test_done
