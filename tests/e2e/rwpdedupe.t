#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwpdedupe: what several taps saw, once.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

packets() {
	python3 "$TUSSAH_SRCDIR/tests/e2e/packets.py" "$@"
}
packets make east.pcap <<'E' && packets make west.pcap <<'F' || exit 99
0 10.0.0.1 192.0.2.1 6 1025 80 2 one
10 10.0.0.1 192.0.2.1 6 1025 80 16 two
20 arp three
30 10.0.0.1 192.0.2.1 17 1 2 0 four
E
1 10.0.0.1 192.0.2.1 6 1025 80 2 one
10 10.0.0.1 192.0.2.1 6 1025 80 16 two
15 192.0.2.1 10.0.0.1 6 80 1025 16 back
20 arp three
30.5 10.0.0.1 192.0.2.1 17 1 2 0 fore
F
merged() {
	rwpdedupe "$@" >out.pcap 2>err && packets list out.pcap >got
}

test_case 'the same time' '
	merged --first-duplicate east.pcap west.pcap && cat >want <<E && test_cmp want got
0 one
1 one
10 two
15 back
20 three
30 four
30.5 fore
E
'
test_case 'a little later' '
	merged --first-duplicate --threshold=1 west.pcap east.pcap && sed 2d want >less && test_cmp less got &&
	merged --first-duplicate --threshold=1 east.pcap - <west.pcap && test_cmp less got &&
	merged --first-duplicate --threshold=1000 east.pcap east.pcap east.pcap && packets list east.pcap | test_cmp - got
'
test_case 'any of them' '
	for seed in 1 2 3 4 5 6 7 8; do merged --random-duplicate=$seed --threshold=1 east.pcap west.pcap && head -1 got || return 1; done >firsts &&
	test_grep "^0 one" firsts && test_grep "^1 one" firsts && merged --random-duplicate --threshold=1 east.pcap west.pcap && test_lines got 6 &&
	merged --random-duplicate=3 --threshold=1 east.pcap west.pcap && cp got again && merged --random-duplicate=3 --threshold=1 east.pcap west.pcap && test_cmp again got
'
test_case 'captures that are damaged, or none' '
	head -c 150 east.pcap >half.pcap && merged --first-duplicate half.pcap west.pcap && test_grep half.pcap err && test_lines got 6 &&
	test_must_fail rwpdedupe --first-duplicate east.pcap nosuch 2>err >out.pcap && test_grep nosuch err && [ ! -s out.pcap ] &&
	test_must_fail rwpdedupe --first-duplicate east.pcap west.pcap >/dev/full 2>err && test_grep stdout err
'
test_case 'switches that are wrong' '
	test_must_fail rwpdedupe east.pcap west.pcap 2>err && test_grep "must be given" err &&
	test_must_fail rwpdedupe --first-duplicate --random-duplicate east.pcap west.pcap 2>err && test_grep "exclude each other" err &&
	test_must_fail rwpdedupe --first-duplicate east.pcap 2>err && test_grep "two or more" err &&
	test_must_fail rwpdedupe --first-duplicate --threshold=1000001 east.pcap west.pcap 2>err && test_must_fail rwpdedupe --random-duplicate=x east.pcap west.pcap 2>err
'
test_done
