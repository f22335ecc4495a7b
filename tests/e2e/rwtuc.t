#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwtuc: files, titles, bad lines, output. What becomes of a line is in tests/unit/tuc_test.c.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf SILK_HEADER_NOVERSION=1

# has FILE ROWS: the packets of each record
has() {
	rwcut --no-titles --delimited=: --fields=packets "$1" >rows.txt &&
		test_rows=$(tr '\n' ' ' <rows.txt) && [ "$test_rows" = "$2" ] && return 0
	echo "$1 has \"$test_rows\" instead of \"$2\""
	return 1
}

test_case 'what rwcut prints becomes what it was' '
	rwtuc "$DATA/filter.txt" >a.rw &&
	rwcut --fields=1-15,20,21,26-29 a.rw >a.txt &&
	rwtuc a.txt >b.rw &&
	rwcut --fields=1-15,20,21,26-29 b.rw >b.txt &&
	test_cmp a.txt b.txt
'

test_case 'the bytes of a file' '
	rwtuc --note-add=x --compression-method=none "$DATA/filter.txt" >a.rw &&
	od -An -tx1 -N16 a.rw >head &&
	echo " de ad be ef 00 0c 10 00 00 00 00 00 00 58 00 01" >expected &&
	test_cmp expected head &&
	od -An -c -j16 a.rw | tr -d " \n" >text &&
	test_grep "003.*x.*rwtuc--note-add=x" text
'

printf 'pkts|sTime\n5|2020/01/01\n' >p1.txt
printf 'sTime|pkts|\n2020/01/01|9\n' >p2.txt

test_case 'every file has its own titles' '
	rwtuc p1.txt p2.txt >out.rw && has out.rw "5 9 " &&
	rwtuc - p2.txt <p1.txt >out.rw && has out.rw "5 9 " &&
	printf "p1.txt\np2.txt\n" | rwtuc --xargs >out.rw && has out.rw "5 9 " &&
	gzip -c p1.txt >p1.txt.gz && rwtuc p1.txt.gz >out.rw && has out.rw "5 "
'

test_case 'titles are skipped when the fields are given' '
	rwtuc --fields=pkts,stime p1.txt >out.rw && has out.rw "5 " &&
	rwtuc --fields=pkts,stime --no-titles --verbose p1.txt >out.rw 2>err && has out.rw "5 " &&
	test_grep "rwtuc: p1.txt:1:Invalid packets .pkts." err
'

test_case 'a file without final newline, without lines, with blank lines' '
	printf "pkts|sTime\n5|2020/01/01" | rwtuc >out.rw && has out.rw "5 " &&
	printf "\n  \npkts|sTime\r\n\n5|2020/01/01\r\n" | rwtuc >out.rw && has out.rw "5 " &&
	rwtuc </dev/null >out.rw && has out.rw ""
'

test_case 'bad lines are left out, counted, reported, copied' '
	printf "pkts|sTime\n0|2020/01/01\n5|2020/01/01\n|\n7|2020/01/01|8\n" >bad.in &&
	rwtuc bad.in >out.rw 2>err && has out.rw "5 " &&
	test_grep "Could not parse 3 lines" err &&
	rwtuc --bad-input-lines=bad.out bad.in >out.rw 2>err && has out.rw "5 " && test_lines err 1 && test_grep "[0-9] lines*, which went to .bad.out." err &&
	cat >expected <<-"END" &&
	bad.in:2:0|2020/01/01
	bad.in:4:|
	bad.in:5:7|2020/01/01|8
	END
	test_cmp expected bad.out &&
	rwtuc --bad-input-lines=none.out p1.txt >out.rw &&
	[ ! -e none.out ]
'

test_case 'stopping at the first bad line keeps what came before' '
	printf "pkts|sTime\n5|2020/01/01\nx|2020/01/01\n7|2020/01/01\n" >stop.in &&
	test_must_fail rwtuc --stop-on-error stop.in >out.rw 2>err &&
	has out.rw "5 " &&
	test_grep "rwtuc: stop.in:3:Invalid packets .x." err
'

test_case 'values for every record' '
	rwtuc --packets=77 --saddress=2001:db8::1 --type=out --stime=2024/03/05 p1.txt >out.rw &&
	rwcut --no-titles --delimited --fields=sip,packets,stime,type,bytes out.rw >out &&
	echo "2001:db8::1|77|2024/03/05T00:00:00.000|out|77" >expected &&
	test_cmp expected out
'

test_case 'what is wrong on the command line' '
	test_must_fail rwtuc --no-titles p1.txt &&
	test_must_fail rwtuc --fields=what p1.txt &&
	test_must_fail rwtuc --fields=initialFlags p1.txt &&
	test_must_fail rwtuc --bytes=0 p1.txt &&
	test_must_fail rwtuc --class=all --type=what p1.txt &&
	test_must_fail rwtuc --column-separator= p1.txt &&
	test_must_fail rwtuc --xargs=p1.txt p1.txt &&
	test_must_fail rwtuc --bad-input-lines=- p1.txt &&
	test_must_fail rwtuc --output-path=p1.txt p1.txt &&
	test_must_fail rwtuc --output-path=/nonexistent/x p1.txt &&
	test_must_fail rwtuc none.txt
'

test_case 'titles that cannot be understood end the tool' '
	test_must_fail rwtuc --output-path=never.rw "$TUSSAH_SRCDIR/COPYING" 2>err &&
	test_grep "Unable to determine fields" err
'

test_case 'a very long line is an error, not a crash' '
	head -c 3000000 /dev/zero | tr "\0" "x" >long &&
	test_must_fail rwtuc --fields=pkts long 2>err &&
	test_grep "longer than" err
'

test_case 'a device for bad lines stays what it is' '
	ln -s /dev/null nowhere &&
	rwtuc --bad-input-lines=nowhere p1.txt >out.rw && test -L nowhere &&
	SILK_CLOBBER=1 rwtuc --bad-input-lines=nowhere p1.txt >out.rw && test -L nowhere
'

test_case 'so does a link, as to standard output' '
	ln -s /dev/stdout to-stdout && SILK_CLOBBER=1 rwtuc --bad-input-lines=to-stdout --output-path=out.rw p1.txt >said && test -L to-stdout && test ! -s said
'

test_case 'a folder among the inputs is told, and the others are read' '
	rwtuc . "$DATA/filter.txt" >a.rw 2>err && test_lines err 1 && rwtuc "$DATA/filter.txt" >b.rw &&
	rwcut a.rw >a.txt && rwcut b.rw >b.txt && test_cmp b.txt a.txt &&
	test_must_fail rwtuc nosuch "$DATA/filter.txt" >a.rw 2>err
'

test_case 'an end that is wrong matters where start and duration do not tell it' '
	printf "stime|dur\n2020/01/01|3\n" >both.txt && printf "stime\n2020/01/01\n" >start.txt &&
	rwtuc --etime=BAD both.txt >a.rw && rwcut --no-titles --delimited --fields=etime a.rw >out && echo 2020/01/01T00:00:03.000 | test_cmp - out &&
	rwtuc --etime=BAD --duration=3 start.txt >a.rw && rwcut --no-titles --delimited --fields=etime a.rw | test_cmp out - &&
	test_must_fail rwtuc --etime=BAD --output-path=no.rw start.txt 2>err && test_lines err 1 && test_grep "default eTime value .BAD." err && test ! -s no.rw
'

test_case 'an empty file is left where a default is wrong' '
	for default in --sport=99999 --stime=BAD "--class=all --type=nope"; do
		test_must_fail rwtuc $default --output-path=empty.rw "$DATA/filter.txt" 2>err && test -e empty.rw && test ! -s empty.rw && rm empty.rw || return 1
	done
'

test_done
