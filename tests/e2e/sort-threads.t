#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Tools that sort write the same file, to the byte, whatever the number of threads and the memory.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/tests/perf/silk.conf SILK_HEADER_NOVERSION=1

# records FILE: how many it has, and what they are
records() {
	rwfileinfo --fields=count-records --no-titles "$1" &&
		rwcut --all-fields --no-titles --delimited "$1" | cksum
}

# same COMMAND...: records, messages and exit status with 1, 2 and 3 threads, and in little memory
same() {
	rm -rf with*
	for same_switches in --threads=1 --threads=2 --threads=3 "--threads=2 --memory=3m" "--threads=1 --memory=500k"; do
		same_folder=$(echo "with-$same_switches" | tr -d ' =-')
		mkdir "$same_folder" || return 1
		"$@" $same_switches --temp-directory=. --output-path=out.rw 2>"$same_folder/err" <large.rw
		echo $? >"$same_folder/status"
		test ! -e out.rw || { records out.rw >"$same_folder/records" && rm out.rw; }
		diff -r withthreads1 "$same_folder" || return 1
	done
	test "$(cat withthreads1/status)" = 0
}

test_case 'files of three days, of blocks and of rows' '
	mkdir flows && cp "$SILK_CONFIG_FILE" flows/silk.conf &&
	"$TUSSAH_BUILDDIR/tests/perf/flowgen" --records=150000 --days=3 --root=flows \
		--site-config-file=flows/silk.conf --hosts=hosts &&
	find "$PWD/flows" -name "*-S*" | sort >rows && rwcat --xargs=rows --output-path=large.rw &&
	rwconvert --file-format=block --output-path=large.block large.rw &&
	{ cat rows && echo "$PWD/large.block"; } >names
'
test_case 'rwsort' '
	same rwsort --fields=stime,sip --xargs=names && test "$(head -1 withthreads1/records)" -eq 300000 &&
	same rwsort --fields=1-5 --xargs=names &&
	same rwsort --fields=protocol,dip --reverse large.block &&
	same rwsort --fields=protocol &&
	same rwsort --fields=bytes,samplingInterval --xargs=names
'
test_case 'few files that may be open' '
	rwsort --fields=stime,sip --xargs=names --output-path=many.rw && (
		exec 9</dev/null 10</dev/null 11</dev/null 12</dev/null && ulimit -n 16 && rwsort --fields=stime,sip --xargs=names --memory=400k --temp-directory=. --output-path=few.rw &&
		rwdedupe large.rw --memory=400k --temp-directory=. --output-path=deduped.rw
	) && rwcompare many.rw few.rw && rwdedupe large.rw --output-path=all.rw && rwcompare all.rw deduped.rw
'
test_case 'rwdedupe' '
	same rwdedupe --xargs=names && test "$(head -1 withthreads1/records)" -eq "$(rwcut --all-fields --no-titles large.rw | sort -u | wc -l)" &&
	same rwdedupe --xargs=names --ignore-fields=sip,stime &&
	same rwdedupe --stime-delta=1000 --packets-delta=2 --ignore-fields=sport,bytes,dur
'
test_case 'rwcombine' '
	same rwcombine --ignore-fields=sport,dport --max-idle-time=100 large.block && test -s withthreads1/records &&
	same rwcombine --xargs=names --print-statistics && grep -q "^Read: *300000$" withthreads1/err &&
	same rwcombine --print-statistics && grep -q "^Read: *150000$" withthreads1/err
'
test_case 'rwsort is as SiLK sorts: stable, by the bytes of the fields' '
	rwsort --fields=stime,sip --threads=2 --output-path=sorted.rw large.block && rwcut --fields=stime,sip --timestamp-format=epoch --ip-format=zero-padded --no-titles --no-columns sorted.rw >got &&
	LC_ALL=C sort -s -c -t "|" -k 1,1n got
'
test_case 'a missing file ends the input, and leaves no record' '
	{ sed 30q names && echo "$PWD/none.rw" && sed 1,30d names; } >missing &&
	for threads in 1 2; do
		for tool in "rwsort --fields=sip" rwdedupe; do
			test_must_fail $tool --threads=$threads --xargs=missing --output-path=no.rw 2>err && test_lines err 1 && test_grep none.rw err && test ! -s no.rw && rm no.rw && test -z "$(ls -A | grep no.rw)" || exit 1
		done
	done
'
test_case 'a full disk leaves nothing, and is told' '
	for tool in "rwsort --fields=sip" rwdedupe rwcombine; do
		test_must_fail $tool --threads=2 --output-path=/dev/full large.rw 2>err && test_grep "No space left" err || exit 1
	done
'
# a file that grows too large ends whoever writes it by a signal, in the middle of it
test_case 'a killed run leaves nothing under the name' '
	for tool in "rwsort --fields=sip" rwdedupe rwcombine; do
		{ (ulimit -f 4096 && exec $tool --threads=2 --compression-method=none --output-path=no.rw large.rw); } 2>err
		test $? -gt 128 && test ! -e no.rw && test_nothing_beside no.rw || exit 1
	done
'
test_done
