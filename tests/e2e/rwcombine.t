#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwcombine: what is joined, what becomes of it, statistics, and what can go wrong.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE

# pieces ATTRIBUTES,START,DURATION,PACKETS,BYTES...: of one session; START is in seconds after this
base=1600000000
pieces() {
	echo 'sIP|sPort|protocol|attributes|sTime|duration|packets|bytes|flags|initialFlags|sessionFlags|' >pieces.txt
	for piece in "$@"; do
		echo "$piece" | awk -F, -v base=$base '{ printf "1.1.1.1|5|6|%s|%.3f|%s|%s|%s|FSA|S|FA|\n", $1, base + $2, $3, $4, $5 }' >>pieces.txt
	done
	rm -f pieces.rw && rwtuc --output-path=pieces.rw pieces.txt
}

# combined SWITCHES...: attributes,start,duration,packets,bytes of what comes out, sorted
combined() {
	rwcombine "$@" pieces.rw >out.rw && rwcut --fields=attributes,stime,dur,packets,bytes --timestamp-format=epoch --no-titles --delimited=, out.rw |
		awk -F, -v OFS=, -v base=$base '{ $2 = sprintf("%.3f", $2 - base); print }' | sort | tr '\n' ' '
}

test_case 'pieces in any order become one record' '
	pieces C,30,5,3,900 T,10,10,1,100 TC,20,10,2,200 && test "$(combined)" = ",10.000,25.000,6,1200 " &&
	rwcut --fields=flags,26,27 --no-titles --delimited=, out.rw >out && echo FSA,S,FSA >expected && test_cmp expected out
'

test_case 'what lacks its start or its end' '
	pieces T,10,10,1,100 TC,20,10,2,200 && test "$(combined)" = "T,10.000,20.000,3,300 " &&
	pieces TC,10,10,1,100 C,20,10,2,200 && test "$(combined)" = "C,10.000,20.000,3,300 " &&
	pieces TC,10,10,1,100 TC,20,10,2,200 && test "$(combined)" = "TC,10.000,20.000,3,300 " &&
	pieces T,10,10,1,100 T,20,10,2,200 && test "$(combined)" = "T,10.000,10.000,1,100 T,20.000,10.000,2,200 "
'

test_case 'records without marks, and other sessions, stay as they are' '
	pieces ,10,10,1,100 C,20,10,2,200 && test "$(combined)" = ",10.000,10.000,1,100 C,20.000,10.000,2,200 " &&
	pieces T,10,10,1,100 && echo "2.2.2.2|5|6|C|$((base + 20))|10|2|200|A|A|A|" >>pieces.txt && rm pieces.rw && rwtuc --output-path=pieces.rw pieces.txt &&
	test "$(combined)" = "C,20.000,10.000,2,200 T,10.000,10.000,1,100 " &&
	test "$(combined --ignore-fields=sip)" = ",10.000,20.000,3,300 "
'

test_case 'the time between pieces' '
	pieces T,10,10,1,100 C,20.001,10,2,200 &&
	test "$(combined --max-idle-time=0)" = "C,20.001,10.000,2,200 T,10.000,10.000,1,100 " &&
	test "$(combined --max-idle-time=0.001)" = ",10.000,20.001,3,300 " &&
	pieces T,10,10,1,100 C,15,2,2,200 && test "$(combined --max-idle-time=0)" = ",10.000,7.000,3,300 "
'

test_case 'what would not fit is not joined' '
	pieces T,10,1,4294967290,7 C,20,1,6,7 && test "$(combined)" = "C,20.000,1.000,6,7 T,10.000,1.000,4294967290,7 " &&
	pieces T,10,1,4294967290,7 C,20,1,5,7 && test "$(combined)" = ",10.000,11.000,4294967295,14 " &&
	pieces T,10,4294000,1,1 C,4294970,10,1,1 && test "$(combined | wc -w)" = 2
'

test_case 'packets of one size' '
	pieces TS,10,1,2,200 CS,20,1,3,300 && test "$(combined)" = "S,10.000,11.000,5,500 " &&
	pieces TSF,10,1,2,200 C,20,1,3,300 && test "$(combined)" = "F,10.000,11.000,5,500 " &&
	pieces TS,10,1,2,200 CSF,20,1,3,303 && test "$(combined)" = ",10.000,11.000,5,503 "
'

test_case 'in little memory it is the same' '
	i=0 && echo "sIP|sPort|protocol|attributes|sTime|duration|packets|bytes|" >many.txt &&
	while [ $i -lt 3000 ]; do i=$((i + 1)); echo "1.1.1.1|$i|6|C|$((base + 2000 + i))|1|1|1|"; echo "1.1.1.1|$i|6|T|$((base + i))|1|1|1|"; done >>many.txt &&
	rwtuc --output-path=many.rw many.txt && rwcombine many.rw >a.rw && rwcombine --memory=88000 --temp-directory=. many.rw >b.rw &&
	rwcut --all-fields a.rw >expected && rwcut --all-fields b.rw >out && test_cmp expected out && test_lines out 3001
'

test_case 'statistics' '
	pieces ,5,1,1,1 T,10,10,1,1 TC,20.5,10,1,1 C,30.5,1,1,1 C,99,1,1,1 && rwcombine --print-statistics pieces.rw 2>out >out.rw &&
	cat >expected <<END &&
FLOW RECORD COUNTS:
Read:                                     5
Initially Complete:           -           1 *
Sorted & Examined:            =           4
Missing end:                  -           0 *
Missing start & end:          -           0 *
Missing start:                -           1 *
Prior to combining:           =           3
Eliminated:                   -           2
Made complete:                =           1 *
Written:                                  3 (sum of *)

IDLE TIMES:
Minimum:        0:00:00:00.000
Penultimate:    0:00:00:00.000
Maximum:        0:00:00:00.500
END
	test_cmp expected out && rwcombine --print-statistics=stats.txt --output-path=a2.rw pieces.rw && test_cmp expected stats.txt &&
	rwcombine --print-statistics=- --output-path=a3.rw pieces.rw >out && test_cmp expected out &&
	pieces T,10,10,1,1 C,19.8,10,1,1 && rwcombine --print-statistics pieces.rw 2>out >out.rw && test_grep "^Minimum: *213503982334:14:25:51.416" out &&
	test_must_fail rwcombine --print-statistics=- pieces.rw >out 2>err && test ! -s out &&
	test_must_fail rwcombine --print-statistics=stats.txt pieces.rw >out.rw 2>err && test_grep "stats.txt" err
'

test_case 'statistics as data' '
	pieces ,5,1,1,1 T,10,10,1,1 TC,20.5,10,1,1 C,30.5,1,1,1 C,99,1,1,1 && rwcombine --print-statistics --output-format=csv pieces.rw 2>out >out.rw && cat >expected <<E && test_cmp expected out &&
read,initially-complete,examined,missing-end,missing-start-and-end,missing-start,prior-to-combining,eliminated,made-complete,written,idle-minimum-ms,idle-penultimate-ms,idle-maximum-ms
5,1,4,0,0,1,3,2,1,3,0,0,500
E
	rwcombine --print-statistics=- --output-format=json --output-path=json.rw pieces.rw >out && test_lines out 1 && test_grep "^{\"read\":5,\"initially-complete\":1,\"examined\":4,.*\"written\":3," out &&
	test_must_fail rwcombine --print-statistics=/dev/full --output-format=json --output-path=full.rw pieces.rw 2>err && test_grep "No space left" err
'

test_case 'an address of an IPv4 record is none of an IPv6 record' '
	two_families() {
		printf "sip|dip|proto|packets|bytes|stime|duration|attributes\n%s|%s|6|1|40|2024/01/01T00:00:%s|1|%s\n" "$@"
	} &&
	two_families 10.0.0.1 10.0.0.2 0 T >four.txt && two_families ::ffff:10.0.0.1 ::ffff:10.0.0.2 5 C >six.txt &&
	rwtuc --output-path=four.rw four.txt && rwtuc --output-path=six.rw six.txt &&
	rwcombine four.rw six.rw >both.rw && rwcut --fields=sip --no-titles --no-columns --delimited=, both.rw >out && printf "10.0.0.1\n::ffff:10.0.0.1\n" >expected && test_cmp expected out &&
	rwcombine --ignore-fields=sip,dip,nhip four.rw six.rw >one.rw && rwcut --fields=duration --no-titles --delimited=, one.rw >out && echo 6.000 >expected && test_cmp expected out
'

test_case 'what is wrong with the command line' '
	test_must_fail rwcombine --actions=fragments pieces.rw >out 2>err && test_grep "fragments" err &&
	test_must_fail rwcombine --actions=all,timeout pieces.rw 2>err && test_grep "stands alone" err &&
	test_must_fail rwcombine --actions= pieces.rw 2>err && test_grep "no action" err &&
	test_must_fail rwcombine --max-idle-time=-1 pieces.rw 2>err && test_grep "max-idle-time" err &&
	test_must_fail rwcombine --ignore-fields=stime pieces.rw 2>err && test_grep "sTime" err &&
	test_must_fail rwcombine --print-statistics=nosuch --print-statistics pieces.rw 2>err && test_grep "multiple times" err &&
	rwcombine --actions=time pieces.rw >out.rw && rwcombine --help-fields >out && test_grep "^nhIP" out
'

test_case 'an empty file is left behind when an input cannot be read, nothing when there is no room' '
	test_must_fail rwcombine --output-path=no.rw pieces.rw nosuch.rw 2>err && test_lines err 1 && test_grep nosuch.rw err && test -e no.rw && test ! -s no.rw && rm no.rw &&
	test_must_fail rwcombine --output-path=no.rw pieces.txt 2>err && test_grep pieces.txt err && test -e no.rw && test ! -s no.rw && rm no.rw &&
	rwcat --compression-method=none --output-path=plain.rw many.rw && head -c 1000 plain.rw >cut.rw &&
	test_must_fail rwcombine --output-path=part.rw cut.rw 2>err && test_lines err 1 && test_grep "cut.rw: record .* is incomplete" err && test -e part.rw && test ! -s part.rw &&
	test -z "$(ls -A | grep -e -no.rw)" &&
	test_must_fail rwcombine pieces.rw >/dev/full 2>err && test_grep "No space left" err &&
	test_must_fail rwcombine --print-statistics=/dev/full --output-path=a4.rw pieces.rw 2>err && test_grep "No space left" err &&
	test_must_fail rwcombine --output-path=plain.rw pieces.rw 2>err && test_grep "plain.rw: file exists" err
'
test_done
