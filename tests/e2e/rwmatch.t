#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwmatch: which records match, the windows of time, numbers, and what can go wrong.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE

# records FILE FIRST_NUMBER SIP DIP START,DURATION...: bytes are numbers from FIRST_NUMBER on
records() {
	records_file=$1 records_number=$2 records_sip=$3 records_dip=$4
	shift 4
	echo 'sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration|' >records.txt
	for records_times in "$@"; do
		echo "$records_sip|$records_dip|5|6|6|1|$records_number|${records_times%,*}|${records_times#*,}|" >>records.txt
		records_number=$((records_number + 1))
	done
	rm -f "$records_file" && rwtuc --output-path="$records_file" records.txt
}

# matches SWITCHES...: bytes/match of each record, queries as 1/1, responses as 101/255.1
matches() {
	rwmatch --relate=sip,dip --relate=dip,sip "$@" q.rw r.rw - >matched.rw &&
		rwcut --fields=bytes,nhip --no-titles --delimited=, matched.rw | sed 's/,255.0.0./,r/; s/,0.0.0./,/' | tr '\n' ' '
}

test_case 'a response starts while the query lasts; others join' '
	records q.rw 1 1.1.1.1 2.2.2.2 1600000000,1 1600000005,1 && records r.rw 101 2.2.2.2 1.1.1.1 1600000000.5,1 1600000005.5,1 &&
	test "$(matches)" = "1,1 101,r1 2,2 102,r2 " &&
	records q.rw 1 1.1.1.1 2.2.2.2 1600000000,10 1600000001,1 1600000002,1 1600000012,1 &&
	records r.rw 101 2.2.2.2 1.1.1.1 1600000000.5,1 1600000001.5,1 1600000002.5,1 1600000011,1 1600000012.5,1 &&
	test "$(matches --unmatched=b)" = "1,1 101,r1 2,1 102,r1 3,1 103,r1 104,r0 4,2 105,r2 " &&
	test "$(matches --unmatched=q --unmatched=r)" = "$(matches --unmatched=b)" &&
	test "$(matches --unmatched=q)" = "1,1 101,r1 2,1 102,r1 3,1 103,r1 4,2 105,r2 " &&
	test "$(matches --time-delta=1)" = "1,1 101,r1 2,1 102,r1 3,1 103,r1 104,r1 4,2 105,r2 "
'

test_case 'windows of time' '
	records q.rw 1 1.1.1.1 2.2.2.2 1600000000,1 1600000000.2,1 1600000000.4,1 &&
	records r.rw 101 2.2.2.2 1.1.1.1 1600000000.3,1 1600000000.9,4 1600000001.1,1 1600000002.5,1 1600000090,1 &&
	test "$(matches --unmatched=B)" = "1,1 2,1 101,r1 3,1 102,r1 103,r0 104,r0 105,r0 " &&
	test "$(matches --absolute-delta)" = "1,1 2,1 101,r1 3,1 102,r1 " &&
	test "$(matches --relative-delta)" = "1,1 2,1 101,r1 3,1 102,r1 103,r1 104,r1 " &&
	test "$(matches --infinite-delta)" = "1,1 2,1 101,r1 3,1 102,r1 103,r1 104,r1 105,r1 "
'

test_case 'responses that come first' '
	records q.rw 1 1.1.1.1 2.2.2.2 1600000001,1 1600000002,1 && records r.rw 101 2.2.2.2 1.1.1.1 1600000000.5,1 1600000000.6,2 1600000003,1 1600000003.4,1 &&
	test "$(matches --unmatched=R)" = "101,r0 102,r0 2,1 103,r1 104,r0 " &&
	test "$(matches --symmetric-delta)" = "101,r1 102,r1 1,1 2,2 103,r2 " &&
	test "$(matches --symmetric-delta --infinite-delta)" = "101,r1 102,r1 1,1 2,1 103,r1 104,r1 "
'

test_case 'of records that start together that of the side which began comes first' '
	records q.rw 1 1.1.1.1 2.2.2.2 1600000001,1 1600000002,1 && records r.rw 101 2.2.2.2 1.1.1.1 1600000000.5,2 1600000001,1 1600000002,1 &&
	test "$(matches --symmetric-delta)" = "101,r1 102,r1 1,1 103,r1 2,1 " &&
	records q.rw 1 1.1.1.1 2.2.2.2 1600000000.5,2 1600000001,1 1600000002,1 && records r.rw 101 2.2.2.2 1.1.1.1 1600000001,1 1600000002,1 &&
	test "$(matches --symmetric-delta)" = "1,1 2,1 101,r1 3,1 102,r1 "
'

test_case 'IPv6 records, and their numbers' '
	records q.rw 1 2001::1 2001::2 1600000001,1 1600000009,1 && records r.rw 101 2001::2 2001::1 1600000001.5,1 1600000020,1 &&
	test "$(matches --unmatched=b)" = "1,::ffff:0.0.0.1 101,::ffff:255.0.0.1 2,::ffff:0.0.0.0 102,::ffff:255.0.0.0 " &&
	test "$(matches --unmatched=b --ipv6-policy=ignore)" = ""
'

test_case 'mapped addresses equal IPv4 ones; fields of different kinds can be related' '
	records q.rw 1 1.1.1.1 2.2.2.2 1600000001,1 && records r.rw 101 ::ffff:2.2.2.2 ::ffff:1.1.1.1 1600000001.5,1 &&
	test "$(matches)" = "1,1 101,::ffff:255.0.0.1 " &&
	rwmatch --relate=dport,proto q.rw r.rw out.rw && rwcut --no-titles out.rw >out && test_lines out 2 &&
	rwmatch --relate=sip,proto --unmatched=b q.rw r.rw out2.rw && rwcut --no-titles --fields=nhip --delimited out2.rw >out &&
	printf "::ffff:255.0.0.0\n0.0.0.0\n" >expected && test_cmp expected out
'

test_case 'a class is that of the record, whatever its type' '
	printf "%s\n" "sip|stime|duration|class|type" "1.1.1.1|1600000000|9|all|in" | rwtuc >q.rw && rm -f r.rw &&
	printf "%s\n" "sip|stime|duration|class|type" "1.1.1.1|1600000001|9|all|out" | rwtuc >r.rw &&
	rwmatch --relate=class,class q.rw r.rw - >matched.rw && rwcut --no-titles matched.rw >out && test_lines out 2 &&
	rwmatch --relate=type,type q.rw r.rw - >matched.rw && rwcut --no-titles matched.rw >out && test_lines out 0
'

test_case 'one file by a pipe; the header has our command line and notes' '
	records q.rw 1 1.1.1.1 2.2.2.2 1600000001,1 && records r.rw 101 2.2.2.2 1.1.1.1 1600000001.5,1 &&
	rwmatch --relate=1,2 --note-add=hello - r.rw piped.rw <q.rw && rwmatch --relate=1,2 q.rw stdin piped2.rw <r.rw &&
	rwcut piped.rw >out && rwcut piped2.rw >expected && test_cmp expected out && test_lines out 3 &&
	rwfileinfo --fields=command-lines,annotations piped.rw >out && test_grep "1 *rwmatch --relate=1,2" out && test_grep "1 *hello" out && ! test_grep rwtuc out
'

test_case 'what is wrong with the command line' '
	test_must_fail rwmatch q.rw r.rw no.rw 2>err && test_grep "relate is needed" err &&
	test_must_fail rwmatch --relate=1,2 q.rw r.rw 2>err && test_grep "OUTPUT_FILE is missing" err &&
	test_must_fail rwmatch --relate=1,2 q.rw r.rw no.rw more 2>err && test_grep "more" err &&
	test_must_fail rwmatch --relate=1 q.rw r.rw no.rw 2>err && test_grep "two fields" err &&
	test_must_fail rwmatch --relate=stime,stime q.rw r.rw no.rw 2>err && test_grep "cannot be related by sTime" err &&
	test_must_fail rwmatch --relate=1,2 --absolute-delta --infinite-delta q.rw r.rw no.rw 2>err && test_grep "one window of time" err &&
	test_must_fail rwmatch --relate=1,2 --absolute-delta --absolute-delta q.rw r.rw no.rw 2>err && test_grep "one window of time" err &&
	test_must_fail rwmatch --relate=1,2 --unmatched=x q.rw r.rw no.rw 2>err && test_grep "q, r or b" err &&
	test_must_fail rwmatch --relate=1,2 --time-delta=-1 q.rw r.rw no.rw 2>err && test_grep "time-delta" err &&
	test_must_fail rwmatch --relate=1,2 - - no.rw 2>err <q.rw && test_grep "only one file" err &&
	rwmatch --help-relate >out && test_grep "^sIP" out && test ! -e no.rw
'

test_case 'nothing is left behind when an input cannot be read, or there is no room' '
	test_must_fail rwmatch --relate=1,2 q.rw nosuch.rw no.rw 2>err && test_lines err 1 && test_grep nosuch.rw err && test ! -e no.rw &&
	test_must_fail rwmatch --relate=1,2 records.txt r.rw no.rw 2>err && test_grep records.txt err && test ! -e no.rw &&
	rwcat --compression-method=none --output-path=plain.rw q.rw && head -c "$(($(wc -c <plain.rw) - 9))" plain.rw >cut.rw &&
	test_must_fail rwmatch --relate=1,2 cut.rw r.rw no.rw 2>err && test_grep "cut.rw: record 1 is incomplete" err && test ! -e no.rw &&
	test -z "$(ls -A | grep -e "-no.rw")" &&
	test_must_fail rwmatch --relate=1,2 q.rw r.rw - >/dev/full 2>err && test_grep "No space left" err &&
	test_must_fail rwmatch --relate=1,2 q.rw r.rw plain.rw 2>err && test_grep "plain.rw: file exists" err
'
test_done
