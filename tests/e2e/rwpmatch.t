#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwpmatch: the packets of records, the way of rwptoflow back.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

packets() {
	python3 "$TUSSAH_SRCDIR/tests/e2e/packets.py" "$@"
}
packets make trace.pcap <<'E' && rwptoflow --flow-output=all.rw trace.pcap || exit 99
0 10.0.0.1 192.0.2.1 6 1025 80 2 one
250.5 192.0.2.1 10.0.0.1 6 80 1025 18 two
300 10.0.0.1 192.0.2.1 6 1026 80 2 three
1000 arp four
2000 10.0.0.1 192.0.2.1 17 53 5353 0 five
2000.7 10.0.0.1 192.0.2.1 17 53 5353 0 six
3000 10.0.0.1 192.0.2.1 1 8 0 0 seven
E
matched() {
	rwpmatch "$@" >out.pcap 2>err && packets list out.pcap >got
}

test_case 'all the way back' '
	matched --flow-file=all.rw --msec-compare --ports-compare trace.pcap && packets list trace.pcap | grep -v four | test_cmp - got &&
	matched --flow-file=- trace.pcap <all.rw && packets list trace.pcap | grep -v four | test_cmp - got &&
	matched --flow-file=all.rw stdin <trace.pcap && packets list trace.pcap | grep -v four | test_cmp - got
'
test_case 'some of them, by second, millisecond and ports' '
	rwfilter --sport=1026 --pass=one.rw all.rw && matched --flow-file=one.rw trace.pcap && echo "0 one" | test_cmp - got &&
	matched --flow-file=one.rw --ports-compare trace.pcap && echo "300 three" | test_cmp - got &&
	matched --flow-file=all.rw --flow-file=one.rw --ports-compare trace.pcap && echo "300 three" | test_cmp - got &&
	matched --flow-file=one.rw --msec-compare trace.pcap && echo "300 three" | test_cmp - got &&
	rwfilter --proto=17 --pass=udp.rw all.rw && matched --flow-file=udp.rw trace.pcap && printf "2000 five\n2000.7 six\n" | test_cmp - got
'
test_case 'in any order within a second' '
	rwsort --fields=sport --output-path=mixed.rw one.rw udp.rw 2>/dev/null; rwsort --fields=dip,sport,stime --output-path=swapped.rw all.rw &&
	rwfilter --stime=2024/03/05:10:00:00-2024/03/05:10:00:00 --pass=second.rw swapped.rw && matched --flow-file=second.rw --ports-compare trace.pcap && test_lines got 3
'
test_case 'packets that are not in order of time, and records in either order' '
	packets make late.pcap <<E && rwptoflow --flow-output=late.rw late.pcap &&
5000 10.0.0.1 192.0.2.1 6 1025 80 2 one
1000 10.0.0.2 192.0.2.1 6 1026 80 2 two
9000 10.0.0.3 192.0.2.1 6 1027 80 2 three
3000 10.0.0.4 192.0.2.1 6 1028 80 2 four
E
	matched --flow-file=late.rw --msec-compare late.pcap && packets list late.pcap | test_cmp - got &&
	rwsort --fields=stime --output-path=sorted.rw late.rw && matched --flow-file=sorted.rw late.pcap && packets list late.pcap | test_cmp - got &&
	packets make sorted.pcap <<E && matched --flow-file=late.rw sorted.pcap && packets list sorted.pcap | test_cmp - got
1000 10.0.0.2 192.0.2.1 6 1026 80 2 two
3000 10.0.0.4 192.0.2.1 6 1028 80 2 four
5000 10.0.0.1 192.0.2.1 6 1025 80 2 one
9000 10.0.0.3 192.0.2.1 6 1027 80 2 three
E
'
test_case 'records without a packet' '
	rwnetmask --4sip-prefix-length=8 --output-path=others.rw all.rw && test_must_fail matched --flow-file=others.rw trace.pcap && test_grep "records have no packet" err &&
	rwfilter --proto=99 --pass=none.rw all.rw && matched --flow-file=none.rw trace.pcap && test_lines got 0
'
test_case 'the capture file is like the one that was read' '
	packets odd trace.pcap odd.pcap &&
	rwpmatch --flow-file=all.rw odd.pcap >out.pcap && head -c 32 odd.pcap >want && head -c 32 out.pcap | cmp - want
'
test_case 'what cannot be read or written' '
	test_must_fail rwpmatch trace.pcap 2>err && test_grep "[-]-flow-file must be given" err && test_must_fail rwpmatch --flow-file=all.rw 2>err &&
	test_must_fail rwpmatch --flow-file=nosuch trace.pcap 2>err && test_grep nosuch err &&
	test_must_fail rwpmatch --flow-file=all.rw nosuch 2>err && test_grep nosuch err &&
	test_must_fail rwpmatch --flow-file=trace.pcap trace.pcap 2>err && test_grep trace.pcap err &&
	test_must_fail rwpmatch --flow-file=all.rw all.rw 2>err && test_grep all.rw err &&
	test_must_fail rwpmatch --flow-file=all.rw trace.pcap >/dev/full 2>err && test_grep stdout err
'
test_done
