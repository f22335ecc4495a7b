#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwdedupe: what is a duplicate, temporary files, and what can go wrong.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE
rwtuc --output-path=records.rw "$DATA/text/records.txt" || exit 99

# contents FILE: all fields of all records, sorted
contents() {
	rwcut --all-fields --no-titles --delimited=, "$1" | sort
}

# near START,PACKETS,BYTES,DURATION...: records that differ in these only; then what is left by rwdedupe $switches
near() {
	echo 'sIP|sPort|sTime|packets|bytes|duration|' >near.txt
	for near_record in "$@"; do
		echo "1.1.1.1|5|16000000$(echo "$near_record" | tr , '|')|" >>near.txt
	done
	rm -f near.rw && rwtuc --output-path=near.rw near.txt &&
		rwdedupe $switches near.rw >left.rw && rwcut --fields=stime,packets,bytes,dur --timestamp-format=epoch --no-titles --delimited=, left.rw | sed 's/^16000000//' | sort | tr '\n' ' '
}

test_case 'each record once, however often it is read' '
	rwdedupe records.rw records.rw records.rw >once.rw &&
	contents records.rw | uniq >expected && contents once.rw >out && test -s out && test_cmp expected out &&
	yes records.rw | head -50 >names && rwdedupe --xargs=names --print-filenames >once.rw 2>err && contents once.rw >out && test_cmp expected out && test_lines err 50
'

test_case 'whole records come in the order of their bytes in memory, as in SiLK' '
	cat >order.txt <<-END &&
	sIP|dIP|sPort|sTime|packets
	0.0.0.1|10.0.0.2|5|1600000000.000|1
	255.0.0.0|10.0.0.2|5|1600000000.000|1
	::1|2001:db8::1|5|1600000000.000|1
	1.0.0.9|10.0.0.2|5|1600000000.257|1
	1.0.0.9|10.0.0.2|5|1600000001.002|1
	1.0.0.9|10.0.0.2|5|1600000001.002|1
	END
	rwtuc --output-path=order.rw order.txt && rwdedupe order.rw >out.rw &&
	rwcut --fields=sip,stime --no-titles --delimited=, --timestamp-format=epoch --ip-format=canonical out.rw | tr "\n" " " >out &&
	printf "%s " 255.0.0.0,1600000000.000 0.0.0.1,1600000000.000 ::1,1600000000.000 1.0.0.9,1600000000.257 1.0.0.9,1600000001.002 >expected && test_cmp expected out
'

test_case 'in little memory it is the same' '
	yes records.rw | head -60 >names && mkdir temp &&
	rwdedupe --xargs=names --buffer-size=88000 --temp-directory=temp >small.rw && contents records.rw | uniq >expected && contents small.rw >out && test_cmp expected out &&
	rwdedupe --xargs=names --memory=88000 --temp-directory=temp >small.rw && contents small.rw >out && test_cmp expected out && test -z "$(ls -A temp)" &&
	test_must_fail rwdedupe --xargs=names --memory=88000 --temp-directory=nosuch --output-path=no.rw 2>err && test_grep "nosuch" err && test ! -e no.rw && test -z "$(ls -A | grep -e -no.rw)"
'

test_case 'fields that do not matter' '
	rwdedupe --ignore-fields=1-8,9,10,12-15,20,26-29 records.rw >one.rw && rwcut --no-titles one.rw >out && test_lines out 1 &&
	rwdedupe --ignore-fields=sip,dip,sport,dport,packets,bytes,flags,stime,dur,sensor,in,out,nhip,type,26-29 records.rw >some.rw &&
	rwuniq --fields=proto --sort-output --no-titles --delimited=, --values=records records.rw | cut -d, -f1 >expected &&
	rwcut --fields=proto --no-titles --delimited some.rw | sort -n >out && test_cmp expected out
'

test_case 'numbers that may differ a little' '
	switches=--stime-delta=50 && test "$(near 10.000,1,1,1 10.050,1,1,1 10.100,1,1,1 10.150,1,1,1)" = "10.000,1,1,1.000 10.100,1,1,1.000 " &&
	switches=--stime-delta=49 && test "$(near 10.000,1,1,1 10.050,1,1,1 10.100,1,1,1 10.150,1,1,1 | wc -w)" = 4 &&
	switches="--packets-delta=1 --stime-delta=1000" && test "$(near 10,10,1,1 10.05,1,1,1 10.1,11,1,1 10.15,2,1,1)" = "10.000,10,1,1.000 10.050,1,1,1.000 " &&
	switches=--packets-delta=1 && test "$(near 10,10,1,1 10.05,1,1,1 10.1,11,1,1 10.15,2,1,1 | wc -w)" = 4 &&
	switches="--bytes-delta=1 --ignore-fields=stime" && test "$(near 10,1,5,1 11,1,6,1 12,1,7,1)" = "10.000,1,5,1.000 12.000,1,7,1.000 " &&
	switches="--duration-delta=100" && test "$(near 10,1,5,1 10,1,5,1.1 10,1,5,1.101)" = "10.000,1,5,1.000 10.000,1,5,1.101 "
'

test_case 'the header has the history of all inputs, and our notes' '
	rwdedupe --note-add=mine --output-path=a.rw records.rw && rwdedupe --output-path=b.rw a.rw records.rw &&
	rwfileinfo --fields=command-lines,annotations b.rw >out && test_grep "1 *rwtuc" out && test_grep "2 *rwdedupe --note-add=mine" out && test_grep "4 *rwdedupe --output-path=b.rw" out && test_grep "1 *mine" out
'

test_case 'an address of an IPv4 record is none of an IPv6 record' '
	two_families() {
		printf "sip|dip|proto|packets|bytes|stime|duration|attributes\n%s|%s|6|1|40|2024/01/01T00:00:%s|1|%s\n" "$@"
	} &&
	two_families 10.0.0.1 10.0.0.2 0 T >four.txt && two_families ::ffff:10.0.0.1 ::ffff:10.0.0.2 0 T >six.txt &&
	rwtuc --output-path=four.rw four.txt && rwtuc --output-path=six.rw six.txt &&
	rwdedupe --ignore-fields=sensor six.rw four.rw >both.rw && rwcut --fields=sip --no-titles --delimited=, both.rw >out && printf "10.0.0.1\n::ffff:10.0.0.1\n" >expected && test_cmp expected out &&
	rwdedupe --stime-delta=500 six.rw four.rw >both.rw && rwcut --fields=sip --no-titles --delimited=, both.rw >out && test_cmp expected out &&
	rwdedupe --ignore-fields=sip,dip,nhip six.rw four.rw >one.rw && rwcut --no-titles one.rw >out && test_lines out 1
'

test_case 'what is wrong with the command line' '
	test_must_fail rwdedupe --ignore-fields=etime records.rw >out 2>err && test ! -s out && test_grep "eTime" err &&
	test_must_fail rwdedupe --ignore-fields= records.rw 2>err && test_grep "ignore-fields" err &&
	test_must_fail rwdedupe --ignore-fields=stime,9 records.rw 2>err && test_grep "ignore-fields" err &&
	test_must_fail rwdedupe --packets-delta=-1 records.rw 2>err && test_grep "packets-delta" err &&
	test_must_fail rwdedupe --buffer-size=1 records.rw 2>err && test_grep "buffer-size" err &&
	rwdedupe --help-fields >out && test_grep "^sIP" out
'

test_case 'an empty file is left behind when an input cannot be read, nothing when there is no room' '
	test_must_fail rwdedupe --output-path=no.rw records.rw nosuch.rw 2>err && test_lines err 1 && test_grep nosuch.rw err && test -e no.rw && test ! -s no.rw && rm no.rw &&
	test_must_fail rwdedupe --output-path=no.rw near.txt 2>err && test_grep near.txt err && test -e no.rw && test ! -s no.rw && rm no.rw &&
	rwcat --compression-method=none --output-path=plain.rw records.rw && head -c "$(($(wc -c <plain.rw) - 9))" plain.rw >cut.rw &&
	test_must_fail rwdedupe --output-path=part.rw cut.rw 2>err && test_lines err 1 && test_grep "cut.rw: record .* is incomplete" err && test -e part.rw && test ! -s part.rw &&
	test -z "$(ls -A | grep -e -no.rw)" &&
	test_must_fail rwdedupe records.rw >/dev/full 2>err && test_grep "No space left" err &&
	test_must_fail rwdedupe --output-path=/dev/full records.rw 2>err && test_grep "No space left" err &&
	test_must_fail rwdedupe --output-path=plain.rw records.rw 2>err && test_grep "plain.rw: file exists" err
'

test_case 'a killed run leaves nothing under the name' '
	mkfifo slow && { rwdedupe --output-path=no.rw slow & } && killed=$! && exec 7>slow && kill -9 $killed && { wait $killed; exec 7>&-; } && test ! -e no.rw
'
test_done
