#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwtotal: every key against rwuniq or a count by hand, limits, IPv6, output forms, and what can go wrong.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE
rwtuc --output-path=records.rw "$DATA/text/records.txt" || exit 99
cat >few.txt <<'END'
sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration
10.1.2.3|192.168.0.9|40000|80|6|5|500|1709169191|1.9
10.1.9.200|192.168.0.9|40001|443|6|1|60|1709169192|0
10.200.2.3|8.8.8.8|0|771|1|20000000|4294967295|1709169193|4096
::ffff:10.1.2.3|::ffff:1.2.3.4|53|53|17|2|100|1709169194|0
2001:db8:1::17|fe80::1|53|53|17|3|300|1709169195|0
END
rwtuc --output-path=few.rw few.txt || exit 99

for key in sport dport proto; do
	field=$key
	test_case "--$key agrees with rwuniq" '
		rwtotal --$key --skip-zeroes --delimited=, --no-titles records.rw >out &&
		rwuniq --fields=$field --values=records,bytes,packets --sort-output --delimited=, --no-titles records.rw >expected &&
		test -s out && test_cmp expected out
	'
done

test_case 'columns are as wide as those of SiLK, and every value has its row' '
	rwtotal --proto few.rw >out &&
	test_lines out 257 &&
	sed -n "1,3p;257p" out >some &&
	cat >expected <<END &&
   protocol|        Records|               Bytes|          Packets|
          0|              0|                   0|                0|
          1|              1|          4294967295|         20000000|
        255|              0|                   0|                0|
END
	test_cmp expected some
'

test_case 'parts of addresses; IPv6 is left out, but for mapped addresses' '
	rwtotal --sip-first-24 --skip-zeroes --no-columns few.rw >out &&
	cat >expected <<END &&
sIP_First24|Records|Bytes|Packets|
 10.  1.  2|2|600|7|
 10.  1.  9|1|60|1|
 10.200.  2|1|4294967295|20000000|
END
	test_cmp expected out &&
	rwtotal --dip-last-16 --skip-zeroes --delimited=, few.rw >out &&
	cat >expected <<END &&
dIP_Last16,Records,Bytes,Packets
  0.  9,2,560,6
  3.  4,1,100,2
  8.  8,1,4294967295,20000000
END
	test_cmp expected out &&
	rwtotal --sip-last-8 --skip-zeroes --delimited=, --no-titles few.rw >out &&
	printf "3,3,4294967895,20000007\n200,1,60,1\n" >expected &&
	test_cmp expected out
'

test_case 'great numbers are counted in the last row' '
	rwtotal --packets --skip-zeroes --delimited=, --no-titles few.rw >out && tail -1 out >last &&
	echo 16777215,1,4294967295,20000000 >expected && test_cmp expected last &&
	rwtotal --bytes --skip-zeroes --delimited=, --no-titles few.rw >out && tail -1 out >last && test_cmp expected last &&
	rwtotal --duration --skip-zeroes --delimited=, few.rw >out &&
	printf "elapsed,Records,Bytes,Packets\n0,3,460,6\n1,1,500,5\n4095,1,4294967295,20000000\n" >expected && test_cmp expected out
'

test_case 'ICMP type and code of whatever record' '
	rwtotal --icmp-code --skip-zeroes few.rw >out &&
	cat >expected <<END &&
icmpTypeCod|        Records|               Bytes|          Packets|
      0  53|              2|                 400|                5|
      0  80|              1|                 500|                5|
      1 187|              1|                  60|                1|
      3   3|              1|          4294967295|         20000000|
END
	test_cmp expected out
'

test_case 'limits choose the rows, and the sums are of those' '
	rwtotal --proto --min-records=2 --max-packets=1000 --summation --delimited=, --no-titles few.rw >out &&
	printf "6,2,560,6\n17,2,400,5\nTOTALS,4,960,11\n" >expected && test_cmp expected out &&
	rwtotal --proto --skip-zeroes --max-bytes=400 --summation --delimited=, --no-titles few.rw >out &&
	printf "17,2,400,5\nTOTALS,2,400,5\n" >expected && test_cmp expected out &&
	test_must_fail rwtotal --proto --min-bytes=5 --max-bytes=4 few.rw >out 2>err && test_lines err 1 &&
	test_grep "min-bytes is greater than --max-bytes: 5 > 4" err &&
	test_must_fail rwtotal --proto --skip-zeroes --max-records=0 few.rw 2>err && test_grep "1 > 0" err
'

test_case 'IPv6 when it is asked for' '
	rwtotal --sip-first-24 --skip-zeroes --ipv6-policy=mix --no-titles few.rw >out &&
	cat >expected <<END &&
    10.  1.  2|              1|                 500|                5|
    10.  1.  9|              1|                  60|                1|
    10.200.  2|              1|          4294967295|         20000000|
          ::/24|              1|                 100|                2|
 2001:d00::/24|              1|                 300|                3|
END
	sed "s/^ *//" expected >a && sed "s/^ *//" out >b && test_cmp a b &&
	rwtotal --sip-last-16 --skip-zeroes --ipv6-policy=only --delimited=, --no-titles few.rw >out &&
	printf "::17,1,300,3\n::203,1,100,2\n" >expected && test_cmp expected out &&
	rwtotal --sip-first-8 --ipv6-policy=force few.rw >out && test_lines out 257 && test_grep " ::/8|  *4|" out &&
	rwtotal --proto --skip-zeroes --ipv6-policy=only --delimited=, --no-titles few.rw >out && echo 17,2,400,5 >expected && test_cmp expected out &&
	SILK_IPV6_POLICY=ignore rwtotal --proto --skip-zeroes --delimited=, --no-titles few.rw >out && test_grep "^17,2," out
'

test_case 'JSON and CSV' '
	rwtotal --sip-first-16 --skip-zeroes --summation --output-format=json few.rw >out &&
	cat >expected <<END &&
{"sIP_First16":"10.1","Records":3,"Bytes":660,"Packets":8}
{"sIP_First16":"10.200","Records":1,"Bytes":4294967295,"Packets":20000000}
{"sIP_First16":"TOTALS","Records":4,"Bytes":4294967955,"Packets":20000008}
END
	test_cmp expected out &&
	rwtotal --proto --min-records=1 --output-format=json few.rw >out && test_grep "^{\"protocol\":1,\"Records\":1," out &&
	rwtotal --proto --skip-zeroes --summation --output-format=json few.rw >out && tail -1 out >last && test_grep "^{\"protocol\":null,\"Records\":5," last &&
	rwtotal --icmp-code --min-records=2 --output-format=csv few.rw >out &&
	printf "icmpTypeCod,Records,Bytes,Packets\n0 53,2,400,5\n" >expected && test_cmp expected out
'

test_case 'names of inputs, copies of them, a file for the text' '
	echo few.rw | rwtotal --proto --skip-zeroes --xargs --print-filenames --copy-input=copy.rw --output-path=text.out 2>err &&
	rwtotal --proto --skip-zeroes few.rw few.rw >out &&
	test_grep "^few.rw$" err && rwtotal --proto --skip-zeroes copy.rw copy.rw >expected && test_cmp expected out &&
	test_must_fail rwtotal --proto --output-path=text.out few.rw 2>err && test_grep "text.out" err &&
	SILK_CLOBBER=1 rwtotal --proto --output-path=text.out few.rw && test_lines text.out 257 &&
	test_must_fail rwtotal --proto --copy-input=- few.rw >out 2>err && test ! -s out
'

test_case 'what is wrong with the command line is told in one line and a hint' '
	test_must_fail rwtotal few.rw >out 2>err && test_lines err 2 && test_grep "rwtotal: no key is given" err &&
	test_must_fail rwtotal --proto --sport few.rw 2>err && test_grep "only one key may be given: --sport" err &&
	test_must_fail rwtotal --proto --proto few.rw 2>err && test_grep "only one key" err &&
	test_must_fail rwtotal --sip-first-9 few.rw 2>err && test_grep "did you mean .--sip-first-8" err &&
	test_must_fail rwtotal --proto --min-bytes=18446744073709551616 few.rw 2>err && test_grep "Invalid min-bytes" err &&
	test_must_fail rwtotal --sip-first-8 --ipv6-policy=some few.rw 2>err && test_grep "nvalid ipv6-policy" err &&
	test ! -s out
'

test_case 'files that are missing, of another kind, or damaged' '
	test_must_fail rwtotal --proto few.rw nosuch.rw >out 2>err && test ! -s out && test_lines err 1 && test_grep "nosuch.rw" err &&
	test_must_fail rwtotal --proto few.txt >out 2>err && test ! -s out && test_lines err 1 && test_grep "few.txt" err &&
	rwset --sip-file=some.set few.rw &&
	test_must_fail rwtotal --proto some.set >out 2>err && test ! -s out && test_lines err 1 && test_grep "some.set" err &&
	rwcat --compression-method=none --output-path=plain.rw few.rw &&
	head -c "$(($(wc -c <plain.rw) - 10))" plain.rw >cut.rw &&
	test_must_fail rwtotal --proto --skip-zeroes --summation --delimited=, cut.rw few.rw >out 2>err &&
	test_lines err 1 && test_grep "cut.rw: record 5 is incomplete" err && test_grep "^TOTALS,9," out
'

test_case 'nobody reads what is printed, or there is no room for it' '
	test_must_fail rwtotal --sport few.rw >/dev/full 2>err && test_lines err 1 && test_grep "No space left" err &&
	test_must_fail rwtotal --proto --output-path=/dev/full few.rw 2>err && test_grep "No space left" err &&
	test_must_fail rwtotal --proto --copy-input=/dev/full few.rw >out 2>err && test_grep "/dev/full" err &&
	rwtotal --bytes few.rw | head -1 >out && test_grep "bytes" out
'

test_case 'limits behind --skip-zeroes let zeroes pass again' '
	rwtotal --proto --skip-zeroes --no-titles few.rw >some && rwtotal --proto --no-titles few.rw >all && test_lines all 256 &&
	rwtotal --proto --skip-zeroes --min-bytes=0 --min-packets=0 --min-records=0 --no-titles few.rw | test_cmp all - &&
	rwtotal --proto --min-bytes=0 --min-packets=0 --min-records=0 --skip-zeroes --no-titles few.rw | test_cmp some - &&
	rwtotal --proto --skip-zeroes --min-bytes=0 --no-titles few.rw | test_cmp some -
'

test_done
