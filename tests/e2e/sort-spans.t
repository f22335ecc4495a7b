#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwsort by start time of block files, hour by hour: the same bytes as when all is sorted at once.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/tests/perf/silk.conf SILK_HEADER_NOVERSION=1 SILK_CLOBBER=1

mkdir flows blocks && cp "$SILK_CONFIG_FILE" flows/silk.conf &&
	"$TUSSAH_BUILDDIR/tests/perf/flowgen" --records=400000 --days=1 --root=flows \
		--site-config-file=flows/silk.conf --hosts=hosts >gen.log 2>&1 || exit 99
# named so that the order of names is not that of time
for file in $(find flows -name "*-S*"); do
	name=${file##*/}
	rwconvert --file-format=block --output-path="blocks/${name#*.}-${name%.*}" "$file" || exit 99
done
ls -r blocks/* >names && rwcat --xargs=names --output-path=all.rw || exit 99

# All is read from one file, or is seen in a pipe, so that it is sorted at once.
at_once() {
	rwsort "$@" --xargs=names | cat >want.rw
}

# same SWITCHES: the same records, in the same order, whatever the threads.
same() {
	at_once "$@" && rwcut --all-fields want.rw >want && test_lines want 400001 || return 1
	for same_threads in 1 2 3; do
		rwsort "$@" --threads=$same_threads --xargs=names --output-path=got.rw && rwcut --all-fields got.rw >got && cmp want got || return 1
	done
}

test_case 'by start time and more' 'same --fields=stime,sip && same --fields=stime'
test_case 'greatest first' 'same --fields=stime,dip,dport --reverse'
test_case 'by another field first' 'same --fields=sip,stime'

# so little memory that sorting all at once would write temporary files
test_case 'no more memory than for some hours' '
	test_must_fail rwsort --fields=sip,stime --memory=28m --temp-directory=/proc --threads=2 --xargs=names --output-path=no.rw 2>err && test_grep /proc err &&
	rwsort --fields=stime,sip --memory=28m --temp-directory=/proc --threads=2 --xargs=names --output-path=got.rw && rwsort --fields=stime,sip --output-path=want.rw all.rw &&
	rwcompare want.rw got.rw
'

test_case 'hours that overlap, an empty file, one that is named twice' '
	rwfilter --stime=2026/01/01-2026/12/31 --sport=0-20000 --pass=some.rw all.rw && rwconvert --file-format=block --output-path=some.block some.rw &&
	rwfilter --protocol=6 --max-pass-records=0 --packets=4000000000- --pass=empty.rw all.rw && rwconvert --file-format=block --output-path=empty.block empty.rw &&
	{ cat names; echo empty.block; sed 5q names; } >more && rwcat --xargs=more --output-path=more.rw &&
	rwsort --fields=stime,sip --output-path=want.rw more.rw && rwsort --fields=stime,sip --xargs=more --output-path=got.rw && rwcompare want.rw got.rw &&
	rwsort --fields=stime,sip --output-path=got.rw $(cat names) some.block && rwcat --output-path=more.rw $(cat names) some.block &&
	rwsort --fields=stime,sip --output-path=want.rw more.rw && rwcompare want.rw got.rw &&
	rwsort --fields=stime --output-path=got.rw empty.block && rwfileinfo --no-titles --fields=count-records got.rw >got && [ "$(cat got)" -eq 0 ]
'

test_case 'files of rows among them' '
	{ sed 20q names; echo all.rw; sed 1,20d names; } >mixed && rwcat --xargs=mixed --output-path=more.rw &&
	rwsort --fields=stime,dip --output-path=want.rw more.rw && rwsort --fields=stime,dip --xargs=mixed --output-path=got.rw && rwcompare want.rw got.rw
'

test_case 'standard input, though a file has its name' '
	first=$(sed 1q names) && cp "$first" ./- && cp "$first" stdin && rwfilter --dport=80 --pass=web.rw all.rw && rwcat --output-path=more.rw all.rw web.rw &&
	rwsort --fields=stime,dip --output-path=want.rw more.rw &&
	rwsort --fields=stime,dip --output-path=got.rw $(cat names) - <web.rw && rwcompare want.rw got.rw &&
	rwsort --fields=stime,dip --output-path=got.rw $(cat names) stdin <web.rw && rwcompare want.rw got.rw && rm ./- stdin
'

test_case 'notes and command lines go on, names are printed as they were given' '
	first=$(sed 1q names) && rwcat --note-add=kept --output-path=noted.rw "$first" && rwconvert --file-format=block --output-path="$first" noted.rw &&
	rwsort --fields=stime --xargs=names --print-filenames --output-path=got.rw 2>said && test_cmp names said &&
	rwfileinfo --fields=annotations,command-lines got.rw >info && test_grep kept info && test_grep "rwsort --fields=stime" info
'

test_case 'damage leaves no file, and is told' '
	last=$(sed -n \$p names) && cp "$last" whole && size=$(stat -c %s "$last") &&
	printf XXXXXXXX | dd of="$last" bs=1 seek=$((size / 2)) conv=notrunc 2>dd.err && rm -f got.rw &&
	for threads in 1 2; do
		test_must_fail rwsort --fields=stime --threads=$threads --xargs=names --output-path=no.rw 2>err && test_lines err 1 && test_grep "$last" err && test ! -s no.rw && rm no.rw || return 1
		echo old >old.rw && test_must_fail rwsort --fields=stime --threads=$threads --xargs=names --output-path=old.rw 2>err && [ "$(cat old.rw)" = old ] || return 1
	done &&
	rm "$last" && test_must_fail rwsort --fields=stime --xargs=names --output-path=no.rw 2>err && test_grep "$last" err && test ! -s no.rw && cp whole "$last"
'

test_case 'standard output that is a file' '
	cp whole "$last" && rwsort --fields=stime,sip --xargs=names >got.rw && rwsort --fields=stime,sip --output-path=want.rw all.rw && rwcompare want.rw got.rw &&
	rwsort --fields=stime,sip --memory=28m --temp-directory=/proc --threads=2 --xargs=names >got.rw && rwcompare want.rw got.rw &&
	rwsort --fields=stime,sip --memory=28m --temp-directory=/proc --threads=2 --xargs=names >/dev/null &&
	{ sed \$d names && echo none.block; } >missing && printf before >kept && test_must_fail rwsort --fields=stime --xargs=missing >>kept 2>err && [ "$(cat kept)" = before ] &&
	printf XXXXXXXX | dd of="$last" bs=1 seek=$((size / 2)) conv=notrunc 2>dd.err &&
	test_must_fail rwsort --fields=stime --xargs=names >>kept 2>err && [ "$(cat kept)" = before ] &&
	{ printf more && ! rwsort --fields=stime --xargs=names 2>err && printf end; } >kept && [ "$(cat kept)" = moreend ] &&
	{ ! rwsort --fields=stime --xargs=names 2>err; } | cat >kept && [ ! -s kept ] && cp whole "$last"
'

test_case 'a full disk, and a program that is killed' '
	rm -f no.rw && { (ulimit -f 4096 && trap "" XFSZ && exec rwsort --fields=stime --compression-method=none --output-path=no.rw --xargs=names) 2>err; [ $? -eq 1 ]; } && test ! -s no.rw &&
	rm -f no.rw && { (ulimit -f 4096 && exec rwsort --fields=stime --compression-method=none --output-path=no.rw --xargs=names) 2>err; [ $? -gt 128 ]; } && test ! -e no.rw && test_nothing_beside no.rw
'
test_done
