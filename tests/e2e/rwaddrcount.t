#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwaddrcount: rows, statistics, sets, limits, IPv6, and what can go wrong.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE
rwtuc --output-path=records.rw "$DATA/text/records.txt" || exit 99
cat >few.txt <<'END'
sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration
10.1.2.3|192.168.0.9|40000|80|6|5|500|1709169191.9|1.2
9.1.9.200|192.168.0.9|40001|443|6|1|60|1709169192|0
10.1.2.3|8.8.8.8|0|771|1|4294967295|4294967295|1709169100|0
::ffff:10.1.2.3|::ffff:8.8.8.8|53|53|17|2|100|1709169194|0
2001:db8:1::17|fe80::1|53|53|17|3|300|1709169195|0
END
rwtuc --output-path=few.rw few.txt || exit 99

test_case 'rows in columns' '
	rwaddrcount --print-recs --sort-ips few.rw >out &&
	cat >expected <<END &&
            sIP|               Bytes|   Packets|   Records|          Start_Time|            End_Time|
      9.1.9.200|                  60|         1|         1| 2024/02/29T01:13:12| 2024/02/29T01:13:12|
       10.1.2.3|          4294967895|4294967302|         3| 2024/02/29T01:11:40| 2024/02/29T01:13:14|
END
	test_cmp expected out
'

test_case 'rows agree with those of rwuniq' '
	for field in sip dip; do
		switch= && { test $field = sip || switch=--use-dest; } &&
		rwuniq --fields=$field --values=bytes,packets,records,stime,etime --ipv6-policy=asv4 --sort-output --no-titles --delimited=, records.rw >expected &&
		rwaddrcount --print-recs $switch --sort-ips --no-titles --delimited=, records.rw >out &&
		test -s out && test_cmp expected out &&
		rwaddrcount --print-recs $switch --no-titles --delimited=, records.rw >unsorted &&
		sort out >a && sort unsorted >b && test_cmp a b || return 1
	done
'

test_case 'addresses alone have no separator' '
	rwaddrcount --print-ips --sort-ips --use-dest few.rw >out &&
	printf "            dIP\n        8.8.8.8\n    192.168.0.9\n" >expected && test_cmp expected out
'

test_case 'statistics, with a second row when there are limits' '
	rwaddrcount --print-stat few.rw >out &&
	cat >expected <<END &&
          |  sIP_Uniq|               Bytes|        Packets|        Records|
     Total|         2|          4294967955|     4294967303|              4|
END
	test_cmp expected out &&
	rwaddrcount --print-stat --max-records=1 --delimited=, few.rw >out &&
	printf ",sIP_Uniq,Bytes,Packets,Records\nTotal,2,4294967955,4294967303,4\nQualifying,1,60,1,1\n" >expected && test_cmp expected out &&
	rwaddrcount --print-stat --min-bytes=0 --use-dest few.rw >out && test_lines out 2 && test_grep "dIP_Uniq" out
'

test_case 'limits, by new names and old ones' '
	for switch in --min-bytes=61 --byte-min=61 --min-packets=2 --packet-min=2 --min-records=3 --rec-min=3; do
		rwaddrcount --print-ips --no-titles --delimited $switch few.rw >out && echo 10.1.2.3 >expected && test_cmp expected out || return 1
	done &&
	for switch in --max-bytes=60 --byte-max=60 --max-packets=1 --packet-max=1 --max-records=2 --rec-max=2; do
		rwaddrcount --print-ips --no-titles --delimited $switch few.rw >out && echo 9.1.9.200 >expected && test_cmp expected out || return 1
	done &&
	test_must_fail rwaddrcount --print-ips --min-bytes=2 --byte-max=1 few.rw 2>err && test_grep "min-bytes is greater than --max-bytes: 2 > 1" err
'

test_case 'a set; the last switch says what is done' '
	rwaddrcount --print-recs --set-file=a.set few.rw >out && test ! -s out &&
	rwsetcat a.set >out && printf "9.1.9.200\n10.1.2.3\n" >expected && test_cmp expected out &&
	rwaddrcount --set-file=b.set --print-ips few.rw >out && test_lines out 3 && test ! -e b.set &&
	rwaddrcount --set-file=b.set --use-dest --min-records=2 few.rw && rwsetcat b.set >out && printf "8.8.8.8\n192.168.0.9\n" >expected && test_cmp expected out &&
	rwaddrcount --set-file=- few.rw >c.set && test_cmp a.set c.set &&
	test_must_fail rwaddrcount --set-file=a.set few.rw 2>err && test_grep "a.set" err &&
	SILK_CLOBBER=1 rwaddrcount --set-file=a.set --min-records=2 few.rw && rwsetcat a.set >out && test_lines out 1
'

test_case 'forms of addresses and times' '
	rwaddrcount --print-recs --sort-ips --no-titles --delimited=, --ip-format=hexadecimal --timestamp-format=epoch few.rw >out &&
	printf "90109c8,60,1,1,1709169192,1709169192\na010203,4294967895,4294967302,3,1709169100,1709169194\n" >expected && test_cmp expected out &&
	rwaddrcount --print-recs --sort-ips --no-titles --delimited=, --integer-ips --legacy-timestamps few.rw >out && tail -1 out >last &&
	echo "167838211,4294967895,4294967302,3,02/29/2024 01:11:40,02/29/2024 01:13:14" >expected && test_cmp expected last &&
	SILK_IP_FORMAT=zero-padded rwaddrcount --print-ips --no-titles --sort-ips few.rw >out && printf "009.001.009.200\n010.001.002.003\n" >expected && test_cmp expected out
'

test_case 'IPv6 when it is asked for' '
	rwaddrcount --print-ips --sort-ips --no-titles --delimited --ipv6-policy=mix few.rw >out &&
	printf "9.1.9.200\n10.1.2.3\n2001:db8:1::17\n" >expected && test_cmp expected out &&
	rwaddrcount --print-ips --sort-ips --no-titles --delimited --ipv6-policy=force few.rw >out &&
	printf "::ffff:9.1.9.200\n::ffff:10.1.2.3\n2001:db8:1::17\n" >expected && test_cmp expected out &&
	rwaddrcount --print-stat --ipv6-policy=only --no-titles --delimited=, few.rw >out && echo Total,2,400,5,2 >expected && test_cmp expected out &&
	rwaddrcount --set-file=six.set --ipv6-policy=mix few.rw && rwsetcat six.set >out && test_lines out 3 && test_grep 2001:db8:1::17 out &&
	rwaddrcount --print-ips --ipv6-policy=mix few.rw >out && test_grep "^ \{36\}sIP" out
'

test_case 'JSON and CSV' '
	rwaddrcount --print-recs --sort-ips --max-records=1 --output-format=json --timestamp-format=epoch few.rw >out &&
	echo "{\"sIP\":\"9.1.9.200\",\"Bytes\":60,\"Packets\":1,\"Records\":1,\"Start_Time\":1709169192,\"End_Time\":1709169192}" >expected && test_cmp expected out &&
	rwaddrcount --print-stat --output-format=csv few.rw >out &&
	printf "Row,sIP_Uniq,Bytes,Packets,Records\nTotal,2,4294967955,4294967303,4\n" >expected && test_cmp expected out
'

test_case 'names of inputs, copies of them, a file for the text' '
	echo few.rw | rwaddrcount --print-stat --xargs --print-filenames --copy-input=copy.rw --output-path=text.out 2>err &&
	rwaddrcount --print-stat few.rw >expected && test_cmp expected text.out && test_grep "^few.rw$" err &&
	rwaddrcount --print-stat copy.rw >out && test_cmp expected out &&
	test_must_fail rwaddrcount --print-ips --output-path=text.out few.rw 2>err && test_grep "text.out" err
'

test_case 'what is wrong with the command line' '
	test_must_fail rwaddrcount few.rw >out 2>err && test_lines err 2 && test_grep "one of --print-recs" err &&
	test_must_fail rwaddrcount --print-rec --min-bytes=x few.rw 2>err && test_grep "Invalid min-bytes" err &&
	test_must_fail rwaddrcount --print-recs --sort-ip-s few.rw 2>err && test_grep "did you mean .--sort-ips" err &&
	test_must_fail rwaddrcount --print-recs --timestamp-format=no-msec few.rw 2>err && test_grep "no-msec" err &&
	test_must_fail rwaddrcount --print-recs --copy-input=- few.rw >out 2>err && test ! -s out
'

test_case 'files that are missing, of another kind, or damaged' '
	test_must_fail rwaddrcount --print-recs few.rw nosuch.rw >out 2>err && test ! -s out && test_lines err 1 && test_grep "nosuch.rw" err &&
	test_must_fail rwaddrcount --set-file=no.set few.txt 2>err && test_lines err 1 && test_grep "few.txt" err && test ! -e no.set &&
	rwcat --compression-method=none --output-path=plain.rw few.rw &&
	head -c "$(($(wc -c <plain.rw) - 10))" plain.rw >cut.rw &&
	test_must_fail rwaddrcount --print-stat --no-titles --delimited=, cut.rw few.rw >out 2>err &&
	test_lines err 1 && test_grep "cut.rw: record 5 is incomplete" err && echo Total,2,8589935910,8589934606,8 >expected && test_cmp expected out &&
	test_must_fail rwaddrcount --set-file=no.set cut.rw 2>err && test ! -s no.set
'

test_case 'nobody reads what is printed, or there is no room for it' '
	test_must_fail rwaddrcount --print-recs few.rw >/dev/full 2>err && test_lines err 1 && test_grep "No space left" err &&
	test_must_fail rwaddrcount --print-recs --output-path=/dev/full few.rw 2>err && test_grep "No space left" err &&
	test_must_fail rwaddrcount --set-file=- few.rw >/dev/full 2>err && test_grep "No space left" err &&
	rwaddrcount --print-recs records.rw | head -1 >out && test_grep Start_Time out
'
test_done
