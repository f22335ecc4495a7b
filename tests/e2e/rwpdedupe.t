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
# called LINK FILE OUT: the same packets, said to be of another link type
called() {
	python3 - "$@" <<'E'
import struct, sys
data = bytearray(open(sys.argv[2], "rb").read())
struct.pack_into("<I", data, 20, int(sys.argv[1], 0))
open(sys.argv[3], "wb").write(data)
E
}
link_of() {
	od -An -tx4 -j20 -N4 "$1" | tr -d ' '
}
test_case 'the link type as files number it, and what is said of the frame check sequence' '
	called 101 east.pcap raw.pcap && rwpdedupe --first-duplicate raw.pcap raw.pcap >out.pcap && [ "$(link_of out.pcap)" = 00000065 ] &&
	called 0x14000001 east.pcap fcs.pcap && rwpdedupe --first-duplicate fcs.pcap fcs.pcap >out.pcap && [ "$(link_of out.pcap)" = 14000001 ] &&
	merged --first-duplicate fcs.pcap east.pcap && [ "$(link_of out.pcap)" = 00000001 ] && test_lines got 4 &&
	test_must_fail rwpdedupe --first-duplicate east.pcap raw.pcap >out.pcap 2>err && test_grep "raw.pcap: .*link type" err && [ ! -s out.pcap ]
'
test_case 'packets are as long and their times as exact as in the inputs' '
	python3 - <<E &&
import struct
data = bytearray(open("west.pcap", "rb").read())
struct.pack_into("<I", data, 16, 40)
at, out = 24, bytes(data[:24])
while at < len(data):
    head = list(struct.unpack_from("<IIII", data, at))
    out += struct.pack("<IIII", head[0], head[1], min(40, head[2]), head[3]) + data[at + 16 : at + 16 + min(40, head[2])]
    at += 16 + head[2]
open("short.pcap", "wb").write(out)
data = bytearray(open("west.pcap", "rb").read())
struct.pack_into("<I", data, 0, 0xA1B23C4D)
struct.pack_into("<I", data, 28, 1000789)
open("nano.pcap", "wb").write(data)
E
	rwpdedupe --first-duplicate short.pcap east.pcap >out.pcap && rwpcut --fields=payascii out.pcap >got && test_grep "four" got &&
	rwpdedupe --first-duplicate nano.pcap nano.pcap >out.pcap && cmp nano.pcap out.pcap
'
test_case 'captures that are damaged, or none' '
	head -c 150 east.pcap >half.pcap && merged --first-duplicate half.pcap west.pcap && test_grep half.pcap err && test_lines got 6 &&
	test_must_fail rwpdedupe --first-duplicate east.pcap nosuch 2>err >out.pcap && test_grep nosuch err && [ ! -s out.pcap ] &&
	test_must_fail rwpdedupe --first-duplicate east.pcap west.pcap >/dev/full 2>err && test_grep stdout err
'
test_case 'switches that are wrong' '
	test_must_fail rwpdedupe east.pcap west.pcap 2>err && test_grep "must be given" err &&
	test_must_fail rwpdedupe --first-duplicate --random-duplicate east.pcap west.pcap 2>err && test_grep "exclude each other" err &&
	test_must_fail rwpdedupe --first-duplicate --first-duplicate east.pcap west.pcap 2>err && test_grep "multiple times" err &&
	test_must_fail rwpdedupe --random-duplicate=1 --random-duplicate=1 east.pcap west.pcap 2>err && test_grep "multiple times" err &&
	test_must_fail rwpdedupe --first-duplicate east.pcap 2>err && test_grep "two or more" err &&
	test_must_fail rwpdedupe --first-duplicate --threshold=1000001 east.pcap west.pcap 2>err && test_must_fail rwpdedupe --random-duplicate=x east.pcap west.pcap 2>err
'
test_done
