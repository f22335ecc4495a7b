#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwpcut: packets as text.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
TZ=UTC
export TZ

python3 "$TUSSAH_SRCDIR/tests/e2e/packets.py" make trace.pcap <<'E' || exit 99
0 10.0.0.1 192.0.2.1 6 1025 80 18 one
250.5 192.0.2.1 10.0.0.1 17 53 5353 0 two
1000 arp three
3000 10.0.0.1 192.0.2.1 1 8 0 0 four
E

test_case 'the usual fields' '
	rwpcut trace.pcap >out && cat >want <<E && test_cmp want out
time|sip|dip|sport|dport|proto|payhex|
2024-03-05 10:00:00.000000|10.0.0.1|192.0.2.1|1025|80|6|4500002b00000000400600000a000001c000020104010050000000010000000050120000000000006f6e65|
2024-03-05 10:00:00.250500|192.0.2.1|10.0.0.1|53|5353|17|4500001f0000000040110000c00002010a000001003514e9000b000074776f|
2024-03-05 10:00:03.000000|10.0.0.1|192.0.2.1|||1|4500002000000000400100000a000001c00002010800000000000000666f7572|
E
'
test_case 'columns' '
	rwpcut -c --fields=time,sip,dip,sport,dport,proto,flags,payascii trace.pcap >out && cat >want <<E && test_cmp want out
                      time|            sip|            dip|sport|dport|proto|   flags|payascii|
2024-03-05 10:00:00.000000|       10.0.0.1|      192.0.2.1| 1025|   80|    6| S  A   |E..+....@..............P........P.......one|
2024-03-05 10:00:00.250500|      192.0.2.1|       10.0.0.1|   53| 5353|   17|        |E.......@............5......two|
2024-03-05 10:00:03.000000|       10.0.0.1|      192.0.2.1|     |     |    1|        |E.. ....@...................four|
E
'
test_case 'other forms' '
	rwpcut --epoch-time --integer-ips --columnar -f timestamp,sip,dip trace.pcap >out && cat >want <<E && test_cmp want out &&
        timestamp|       sip|       dip|
1709632800.000000| 167772161|3221225985|
1709632800.250500|3221225985| 167772161|
1709632803.000000| 167772161|3221225985|
E
	rwpcut --zero-pad-ips --delimiter=", " --fields=sip,dip trace.pcap >out && sed -n 2p out >got && echo "010.000.000.001, 192.000.002.001, " | test_cmp - got &&
	rwpcut --fields=sport - trace.pcap <trace.pcap >out && test_lines out 7
'
test_case 'data' '
	rwpcut --output-format=json --fields=time,sip,sport,proto,flags trace.pcap >out && cat >want <<E && test_cmp want out &&
{"time":"2024-03-05T10:00:00.000000Z","sip":"10.0.0.1","sport":1025,"proto":6,"flags":" S  A   "}
{"time":"2024-03-05T10:00:00.250500Z","sip":"192.0.2.1","sport":53,"proto":17,"flags":""}
{"time":"2024-03-05T10:00:03.000000Z","sip":"10.0.0.1","sport":"","proto":1,"flags":""}
E
	rwpcut --output-format=json --fields=time,dip --epoch-time --integer-ips trace.pcap >out && sed -n 2p out >got &&
	echo "{\"time\":1709632800.250500,\"dip\":167772161}" | test_cmp - got &&
	rwpcut --output-format=csv --fields=time,sip,sport,payascii trace.pcap >out && cat >want <<E && test_cmp want out
time,sip,sport,payascii
2024-03-05 10:00:00.000000,10.0.0.1,1025,E..+....@..............P........P.......one
2024-03-05 10:00:00.250500,192.0.2.1,53,E.......@............5......two
2024-03-05 10:00:03.000000,10.0.0.1,,E.. ....@...................four
E
'
test_case 'VLANs, and packets that were cut' '
	python3 - <<E &&
data = bytearray(open("trace.pcap", "rb").read())
import struct
size = struct.unpack_from("<I", data, 32)[0]
packet = data[40 : 40 + size]
tagged = packet[:12] + b"\\x81\\x00\\x00\\x07" + packet[12:]
open("vlan.pcap", "wb").write(data[:32] + struct.pack("<II", len(tagged), len(tagged)) + tagged)
open("short.pcap", "wb").write(data[:32] + struct.pack("<II", 44, size) + packet[:44])
E
	rwpcut --fields=sip,payascii vlan.pcap >out && sed -n 2p out >got && rwpcut --fields=sip,payascii trace.pcap >out && sed -n 2p out | test_cmp - got &&
	rwpcut --fields=sip,payhex short.pcap >out && sed -n 2p out >got && echo "10.0.0.1|4500002b00000000400600000a000001c000020104010050000000010000|" | test_cmp - got
'
test_case 'ports and flags where they were captured' '
	python3 - <<E &&
import struct
data = bytearray(open("trace.pcap", "rb").read())
size = struct.unpack_from("<I", data, 32)[0]
packet = data[40 : 40 + size]
def cut(name, length, fragment):
    packet[20:22] = struct.pack(">H", fragment)
    open(name, "wb").write(data[:32] + struct.pack("<II", length, size) + packet[:length])
cut("first.pcap", size, 0x2000)
cut("later.pcap", size, 0x2001)
cut("noflags.pcap", 40, 0)
cut("noports.pcap", 37, 0)
E
	rwpcut --fields=sport,dport,flags first.pcap later.pcap noflags.pcap noports.pcap >out && cat >want <<E && test_cmp want out
sport|dport|flags|
1025|80| S  A   |
|||
1025|80||
|||
E
'
test_case 'wireless networks and NFLOG' '
	python3 - <<E &&
import struct
data = open("trace.pcap", "rb").read()
size = struct.unpack_from("<I", data, 32)[0]
ip = data[54 : 40 + size]
snap = bytes.fromhex("aaaa030000000800")
wireless = bytes.fromhex("08020000020000000001020000000002020000000003" "1000") + snap + ip
frames = {105: wireless, 127: bytes.fromhex("0000080000000000") + wireless, 239: bytes([2, 0, 0, 0]) + struct.pack("<HH", 4 + len(ip), 9) + ip}
for link, frame in frames.items():
    with open("link-%d.pcap" % link, "wb") as out:
        out.write(data[:20] + struct.pack("<I", link) + data[24:32] + struct.pack("<II", len(frame), len(frame)) + frame)
E
	rwpcut trace.pcap >out && head -n 2 out >want && for link in 105 127 239; do rwpcut link-$link.pcap >out && test_cmp want out || return 1; done
'
test_case 'interfaces of pcapng with different limits' '
	python3 - <<E &&
import struct
data = open("trace.pcap", "rb").read()
def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
out += block(1, struct.pack("<HHI", 1, 0, 60)) + block(1, struct.pack("<HHI", 1, 0, 65535))
at, number = 24, 0
while at < len(data):
    seconds, micros, size, wire = struct.unpack_from("<IIII", data, at)
    time = seconds * 10**6 + micros
    out += block(6, struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, size, wire) + data[at + 16 : at + 16 + size])
    at, number = at + 16 + size, 1
open("limits.pcapng", "wb").write(out)
E
	rwpcut trace.pcap >want && rwpcut limits.pcapng >out && test_cmp want out &&
	rwpdedupe --first-duplicate limits.pcapng trace.pcap >both.pcap && rwpcut both.pcap >out && test_cmp want out
'
test_case 'captures that are damaged, or none' '
	head -c 150 trace.pcap >half.pcap && test_must_fail rwpcut --fields=sip half.pcap trace.pcap >out 2>err && test_lines out 5 && test_grep half.pcap err &&
	test_must_fail rwpcut nosuch >out 2>err && test_grep nosuch err && test_must_fail rwpcut "$DATA/filter.txt" 2>err &&
	test_must_fail rwpcut trace.pcap >/dev/full 2>err && test_grep "cannot write" err
'
test_case 'switches that are wrong' '
	test_must_fail rwpcut --bogus 2>err && [ $test_status -eq 2 ] &&
	test_must_fail rwpcut 2>err && [ $test_status -eq 1 ] && test_grep "must be named" err && test_must_fail rwpcut --fields=sip,bogus trace.pcap 2>err && test_grep "no field .bogus." err &&
	test_must_fail rwpcut --fields= trace.pcap 2>err
'
test_done
