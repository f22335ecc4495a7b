#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwtuc makes the same of its input, whatever the number of threads.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/tests/perf/silk.conf SILK_HEADER_NOVERSION=1

# same SWITCHES...: records, bad lines, messages and exit status with 1, 2 and 3 threads, of lines.txt
# by name and through a pipe
same() {
	rm -rf with*
	for same_threads in 1 2 3; do
		mkdir with-$same_threads with-$same_threads-pipe || return 1
		rwtuc --threads=$same_threads "$@" --bad-input-lines=bad --output-path=out.rw lines.txt 2>with-$same_threads/err
		echo $? >with-$same_threads/status
		rwcut --all-fields out.rw | cksum >with-$same_threads/records
		cp bad with-$same_threads/bad && rm bad out.rw || return 1
		diff -r with-1 with-$same_threads || return 1
		cat lines.txt | rwtuc --threads=$same_threads "$@" --bad-input-lines=bad >out.rw 2>with-$same_threads-pipe/err
		rwcut --all-fields out.rw | cksum >with-$same_threads-pipe/records
		sed "s/^[^:]*:/lines.txt:/" bad >with-$same_threads-pipe/bad && rm bad out.rw || return 1
		cmp with-1/records with-$same_threads-pipe/records && cmp with-1/bad with-$same_threads-pipe/bad || return 1
	done
}

test_case 'lines, some of them wrong' '
	"$TUSSAH_BUILDDIR/tests/perf/flowgen" --records=30000 --days=1 --root=flows \
		--site-config-file=$SILK_CONFIG_FILE --hosts=hosts &&
	find flows -name "*-S*" | sort >names && rwcut --xargs=names --output-path=all.txt &&
	awk "{ print } NR % 1777 == 0 { print \"what is this\" } NR % 2500 == 0 { print \"\"; print \"1.2.3.4|x\" }" all.txt >lines.txt &&
	test "$(wc -c <lines.txt)" -gt 2000000
'
test_case 'all records and all bad lines, in order' '
	same && test_lines with-1/bad 28 && test "$(cat with-1/status)" = 0 && same --verbose && test_lines with-1/err 28 &&
	grep -n -e what -e x lines.txt | sed -n "s/^\\([0-9]*\\):\\(what\\|1.2.3.4.x\\)/lines.txt:\\1:\\2/p" >expected && test_cmp expected with-1/bad &&
	rwtuc --threads=3 all.txt | rwcut >out && test_cmp all.txt out
'
test_case 'the first bad line ends it' '
	same --stop-on-error && test_lines with-1/bad 1 && test "$(cat with-1/status)" = 1
'
test_case 'a line that is too long ends it, and what came before it stays' '
	{ head -n 9001 all.txt && head -c 1100000 /dev/zero | tr "\\0" x && echo && tail -n 3 all.txt; } >long.txt &&
	for threads in 1 3; do
		test_must_fail rwtuc --threads=$threads --output-path=out.rw long.txt 2>err && test_grep "longer than" err && rwcut out.rw >out && head -n 9001 all.txt >expected && test_cmp expected out && rm out.rw || exit 1
	done
'
test_done
