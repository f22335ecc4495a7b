#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwscan: what each model calls a scan, how it is printed, and what can go wrong.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE
echo 20.0.0.0/24 | rwsetbuild - hosts.set || exit 99

# ask SOURCE NETWORK FIRST LAST FLAGS [PROTOCOL PORT]: one flow to each host of a network
ask() {
	ask_host=$3
	while [ "$ask_host" -le "$4" ]; do
		echo "$1|$2.$ask_host|5000|${7:-80}|${6:-6}|1|40|$5|$((1600000000 + ask_host))|0.5|"
		ask_host=$((ask_host + 1))
	done
}
{
	echo 'sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|'
	ask 10.0.0.1 30.0.0 1 40 S
	ask 10.0.0.2 20.0.0 1 40 S
	ask 10.0.0.3 30.0.0 1 3 S
	ask 10.0.0.4 30.0.0 1 40 SA
	ask 10.0.0.5 30.0.0 1 200 '' 17
	ask 10.0.0.6 20.0.0 1 100 '' 1 2048
	ask 10.0.0.7 30.0.0 1 31 '' 1 2048
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32; do ask 10.0.0.8 30.0.0 1 1 S; done
	ask 10.0.0.9 30.0.0 1 40 '' 47
	ask 2001:db8::1 2001:db8:: 1 1 S
} | sed 's/2001:db8::\.1/2001:db8::2/' >flows.txt
rwtuc flows.txt | rwsort --fields=sip,proto,dip --output-path=flows.rw || exit 99

test_case 'the walk alone' '
	rwscan --scan-model=1 --trw-internal-set=hosts.set --model-fields flows.rw >out &&
	cat >expected <<END &&
             sip| proto|                   stime|                   etime|     flows|   packets|     bytes|  scan_model| scan_prob|
        10.0.0.1|     6|     2020-09-13 12:26:41|     2020-09-13 12:27:20|        40|        40|      1600|           1|256.000000|
END
	test_cmp expected out &&
	rwscan --scan-model=1 --trw-sip-set=hosts.set --trw-theta0=0.9 --trw-theta1=0.1 --model-fields --delimited --no-titles flows.rw >out && test_grep "|1|729.000000$" out && test_lines out 2
'

test_case 'the regression alone' '
	rwscan --scan-model=2 --model-fields --scandb flows.rw >out &&
	cut -d"|" -f1,2,5,8 out >columns &&
	cat >expected <<END &&
167772161|6|40|2
167772162|6|40|2
167772165|17|200|2
167772166|1|100|2
167772168|6|32|2
END
	test_cmp expected columns && sed -n "1p;3p" out | cut -d"|" -f9 >out2 && printf "0.970014\n0.951079\n" >expected && test_cmp expected out2
'

test_case 'both: what the walk does not call a scan is asked about again, but for floods' '
	rwscan --trw-internal-set=hosts.set --model-fields --no-titles --delimited=, flows.rw >out && cut -d, -f1,2,8 out >columns &&
	cat >expected <<END &&
10.0.0.1,6,1
10.0.0.2,6,2
10.0.0.5,17,2
10.0.0.6,1,2
END
	test_cmp expected columns
'

test_case 'other forms, and a file for the output' '
	rwscan --scan-model=2 --output-format=json flows.rw >out && test_grep "^{\"sip\":\"10.0.0.5\",\"proto\":17,\"stime\":\"2020-09-13T12:26:41Z\",\"etime\":.*,\"flows\":200,\"packets\":200,\"bytes\":8000}" out &&
	rwscan --scan-model=2 --output-path=text.out flows.rw && test_lines text.out 6 &&
	rwscan --scan-model=2 --threads=4 --queue-depth=2 --integer-ips <flows.rw >out && test_lines out 6 && test_grep "^ *167772165|" out &&
	test_must_fail rwscan --scan-model=2 --output-path=text.out flows.rw 2>err && test_grep text.out err
'

test_case 'the end is that of SiLK: what begins in the second of the end so far does not move it' '
	{ echo "sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|" && i=0 && while [ $i -lt 40 ]; do
		case $i in 0) times="10.500|0.100" ;; 1) times="10.900|9" ;; 2) times="11.000|1.5" ;; 3) times="12.600|7" ;; *) times="10.000|0" ;; esac
		echo "10.0.0.1|30.0.0.$i|5000|80|6|1|40|S|16000000$times|" && i=$((i + 1)); done; } >ends.txt && rwtuc ends.txt >ends.rw &&
	rwscan --scan-model=2 --no-titles --delimited ends.rw >out && echo "10.0.0.1|6|2020-09-13 12:26:50|2020-09-13 12:26:52|40|40|1600" | test_cmp - out
'

test_case 'the same with any number of threads' '
	{ echo "sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|" && awk "BEGIN { for (s = 0; s < 400; s++) for (i = 0; i < 150; i++)
		printf \"10.0.%d.%d|30.%d.0.%d|%d|%d|%d|%d|60|S|%d|1|\\n\", s / 256, s % 256, s % 3 ? 0 : i, i, 1024 + i, i % (s + 1), s % 4 ? 17 : 6, i % 4 + 1, 1600000000 + i }"; } >many.txt &&
	rwtuc many.txt | rwsort --fields=sip,proto,dip --output-path=many.rw && rwscan --trw-internal-set=hosts.set --model-fields many.rw >want && test "$(wc -l <want)" -gt 50 &&
	for threads in 2 3 8; do rwscan --trw-internal-set=hosts.set --model-fields --threads=$threads many.rw >out && test_cmp want out || return 1; done &&
	rwscan --trw-internal-set=hosts.set --verbose-results --threads=4 many.rw >out 2>err && test_lines err 400 && rwscan --trw-internal-set=hosts.set many.rw >want && test_cmp want out
'

test_case 'what is told on the way' '
	rwscan --scan-model=2 --verbose-results=100 flows.rw >out 2>err && test_lines err 2 && test_grep "^10.0.0.5 \[17\] (200) scan 0.951079" err &&
	rwscan --scan-model=2 --verbose-progress=8 flows.rw >out 2>err && test_lines err 1 && test_grep "10.0.0.0/8" err &&
	rwscan --scan-model=2 --verbose-flows flows.rw >out 2>err && test_grep "^flow: 0a000001 6 1e000001" err
'

test_case 'what is wrong with the command line' '
	test_must_fail rwscan flows.rw >out 2>err && test ! -s out && test_grep "needs --trw-internal-set" err &&
	test_must_fail rwscan --scan-model=3 flows.rw 2>err && test_grep "scan-model" err &&
	test_must_fail rwscan --scan-model=2 --trw-theta0=1.5 flows.rw 2>err && test_grep "trw-theta0" err &&
	test_must_fail rwscan --scan-model=2 --verbose-results=x flows.rw 2>err && test_grep "verbose-results" err &&
	test_must_fail rwscan --trw-internal-set=flows.rw flows.rw 2>err && test_grep "flows.rw" err &&
	test_must_fail rwscan --scan-model=2 --trw-internal-set=a.set --trw-sip-set=b.set flows.rw >out 2>err && test ! -s out && test_grep "one set" err &&
	test_must_fail rwscan --trw-internal-set=nosuch.set flows.rw 2>err && test_lines err 1 && test_grep "nosuch.set" err
'

test_case 'inputs that cannot be read, and output that cannot be written' '
	rwscan --scan-model=2 flows.rw >expected && test -s expected &&
	test_must_fail rwscan --scan-model=2 nosuch.rw flows.rw 2>err >out && test_lines err 1 && test_grep nosuch.rw err && test_cmp expected out &&
	test_must_fail rwscan --scan-model=2 flows.txt 2>err >out && test_grep flows.txt err && test_lines out 1 &&
	rwcat --compression-method=none --output-path=plain.rw flows.rw && head -c 3000 plain.rw >cut.rw &&
	test_must_fail rwscan --scan-model=2 cut.rw 2>err >out && test_lines err 1 && test_grep "cut.rw: record .* is incomplete" err &&
	test_must_fail rwscan --scan-model=2 flows.rw >/dev/full 2>err && test_grep "No space left" err &&
	rwscan --scan-model=2 flows.rw | head -1 >out && test_grep sip out
'
test_done
