#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwptoflow: a record for every packet.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
export SILK_HEADER_NOVERSION=1

packets() {
	python3 "$TUSSAH_SRCDIR/tests/e2e/packets.py" "$@"
}
packets make trace.pcap <<'E' || exit 99
0 10.0.0.1 192.0.2.1 6 1025 80 2 one
250.5 192.0.2.1 10.0.0.1 6 80 1025 18 two
1000 arp three
2000 10.0.0.1 192.0.2.1 17 53 5353 0 four
3000 10.0.0.1 192.0.2.1 1 8 0 0 five
4000 10.0.0.1 192.0.2.1 47 0 0 0 six
E

# fragment OFFSET-WORD OUT: the first packet alone, with these flags and offset; cut to BYTES
variant() {
	python3 - "$@" <<'E'
import struct, sys
word, size, path = int(sys.argv[1], 0), int(sys.argv[2]), sys.argv[3]
data = bytearray(open("trace.pcap", "rb").read())
length = struct.unpack_from("<I", data, 24 + 8)[0]
packet = data[40 : 40 + length]
struct.pack_into(">H", packet, 20, word)
out = data[:24] + data[24:40] + packet[:size]
struct.pack_into("<I", out, 24 + 8, len(packet[:size]))
open(path, "wb").write(out)
E
}
FIELDS=sip,dip,sport,dport,protocol,packets,bytes,flags,stime,duration,sensor,type,in,out,nhip
listing() {
	rwcut --no-titles --delimited=' ' --integer-sensors --fields=$FIELDS "$1"
}

test_case 'IPv4 packets become records' '
	rwptoflow --flow-output=a.rw trace.pcap && SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf listing a.rw >got && cat >want <<E && test_cmp want got &&
10.0.0.1 192.0.2.1 1025 80 6 1 43 S 2024/03/05T10:00:00.000 0.000 65535 in 0 0 0.0.0.0
192.0.2.1 10.0.0.1 80 1025 6 1 43 SA 2024/03/05T10:00:00.250 0.000 65535 in 0 0 0.0.0.0
10.0.0.1 192.0.2.1 53 5353 17 1 32  2024/03/05T10:00:02.000 0.000 65535 in 0 0 0.0.0.0
10.0.0.1 192.0.2.1 0 2048 1 1 32  2024/03/05T10:00:03.000 0.000 65535 in 0 0 0.0.0.0
10.0.0.1 192.0.2.1 0 0 47 1 23  2024/03/05T10:00:04.000 0.000 65535 in 0 0 0.0.0.0
E
	SILK_COMPRESSION_METHOD=bogus rwptoflow stdin <trace.pcap 2>err >b.rw && test_grep "invalid SILK_COMPRESSION_METHOD .bogus." err && listing b.rw >got2 && listing a.rw | test_cmp - got2 &&
	gzip -c trace.pcap >trace.pcap.gz && rwptoflow trace.pcap.gz >c.rw && listing c.rw | test_cmp got2 -
'
test_case 'what can be set, notes' '
	rwptoflow --set-sensorid=5 --set-inputindex=6 --set-outputindex=7 --set-nexthopip=1.2.3.4 --note-add=why --flow-output=s.rw trace.pcap &&
	listing s.rw >out && sed -n 1p out | cut -d " " -f 11,13- >got && echo "5 6 7 1.2.3.4" | test_cmp - got &&
	rwfileinfo --no-titles --fields=annotations,compression s.rw >info && test_grep why info && test_grep lzo1x info
'
test_case 'packets on either side' '
	rwptoflow --flow-output=d.rw --packet-pass-output=pass.pcap --packet-reject-output=reject.pcap trace.pcap &&
	packets list pass.pcap >got && cat >want <<E && test_cmp want got && packets list reject.pcap >got && echo "1000 three" | test_cmp - got &&
0 one
250.5 two
2000 four
3000 five
4000 six
E
	rwptoflow --flow-output=e.rw --packet-pass-output=all.pcap --packet-reject-output=all.pcap trace.pcap && cmp trace.pcap all.pcap &&
	rwptoflow --flow-output=f.rw --packet-pass-output=stdout trace.pcap >out.pcap && cmp pass.pcap out.pcap
'
test_case 'active time' '
	rwptoflow --active-time=2024/03/05:10:00:01-2024/03/05:10:00:03 --print-statistics trace.pcap 2>err >g.rw && cat >want <<E && test_cmp want err &&
Packet count statistics for trace.pcap
	                   6 read
	                   2 ignored: before active-time
	                   1 ignored: after active-time
	                   0 rejected: too short to get information
	                   1 rejected: not IPv4

	                   2 total written
	                   0 total fragmented packets
	                   0 zero-packet of a fragment
	                   0 incomplete (no ports and/or flags)
E
	rwptoflow --active-time=2024/03/06 trace.pcap >h.rw && rwfileinfo --no-titles --fields=count-records h.rw >count && [ "$(cat count)" -eq 0 ] &&
	rwptoflow --active-time=2024/03/05 trace.pcap >h.rw && rwfileinfo --no-titles --fields=count-records h.rw >count && [ "$(cat count)" -eq 5 ]
'
test_case 'statistics as data' '
	rwptoflow --print-statistics --output-format=csv trace.pcap 2>err >m.rw && cat >want <<E && test_cmp want err &&
read,before-active-time,after-active-time,too-short,not-ipv4,rejected-fragments,rejected-nonzero-fragments,rejected-incomplete,written,fragments,first-fragments,incomplete
6,0,0,0,1,0,0,0,5,0,0,0
E
	rwptoflow --active-time=2024/03/06 --print-statistics --output-format=json trace.pcap 2>err >m.rw && test_grep "^{\"read\":6,\"before-active-time\":6,.*\"written\":0," err
'
test_case 'fragments and packets that were cut' '
	variant 0x2000 57 first.pcap && variant 0x0005 57 later.pcap && variant 0 40 cut.pcap && variant 0 30 short.pcap &&
	counted() { rwptoflow "$@" >x.rw && rwfileinfo --no-titles --fields=count-records x.rw | tr -d " "; } &&
	[ "$(counted first.pcap)$(counted later.pcap)$(counted cut.pcap)$(counted short.pcap)" = 1110 ] &&
	[ "$(counted --reject-all-fragments first.pcap)$(counted --reject-all-fragments later.pcap)$(counted --reject-all-fragments cut.pcap)" = 001 ] &&
	[ "$(counted --reject-nonzero-fragments first.pcap)$(counted --reject-nonzero-fragments later.pcap)" = 10 ] &&
	[ "$(counted --reject-incomplete first.pcap)$(counted --reject-incomplete later.pcap)$(counted --reject-incomplete cut.pcap)" = 110 ] &&
	rwptoflow later.pcap >x.rw && listing x.rw | cut -d " " -f 3-4 >got && echo "0 0" | test_cmp - got
'
test_case 'capture files say of packets what the one that was read says' '
	packets odd trace.pcap odd.pcap &&
	rwptoflow --flow-output=odd.rw --packet-pass-output=odd.out --packet-reject-output=odd.out odd.pcap && cmp odd.pcap odd.out
'
test_case 'ports count without the flags, when the packet was cut between them' '
	variant 0 40 noflags.pcap && rwptoflow noflags.pcap >x.rw && listing x.rw | cut -d " " -f 3-4,8 >got && echo "1025 80 " | test_cmp - got &&
	variant 0 37 noports.pcap && rwptoflow noports.pcap >x.rw && listing x.rw | cut -d " " -f 3-4,8 >got && echo "0 0 " | test_cmp - got
'
test_case 'captures that are damaged, or none' '
	head -c 250 trace.pcap >half.pcap && rwptoflow --flow-output=i.rw half.pcap 2>err && test_grep half.pcap err &&
	test_must_fail rwptoflow --flow-output=j.rw nosuch 2>err && test_grep nosuch err && [ ! -e j.rw ] &&
	test_must_fail rwptoflow --flow-output=j.rw "$DATA/filter.txt" 2>err && test_grep filter.txt err && [ ! -e j.rw ]
'
test_case 'outputs that cannot be written' '
	test_must_fail rwptoflow --flow-output=a.rw trace.pcap 2>err && test_grep a.rw err &&
	test_must_fail rwptoflow --flow-output=k.rw --packet-pass-output=pass.pcap trace.pcap 2>err && test_grep pass.pcap err &&
	SILK_CLOBBER=1 rwptoflow --flow-output=a.rw --packet-pass-output=pass.pcap trace.pcap &&
	test_must_fail rwptoflow --flow-output=/dev/full trace.pcap 2>err && test_grep /dev/full err &&
	test_must_fail rwptoflow --flow-output=l.rw --packet-pass-output=/dev/full trace.pcap 2>err && test_grep /dev/full err
'
test_case 'switches that are wrong' '
	test_must_fail rwptoflow 2>err && test_grep "one capture file" err && test_must_fail rwptoflow trace.pcap trace.pcap 2>err &&
	test_must_fail rwptoflow --packet-pass-output=stdout trace.pcap 2>err && test_grep "only one of the outputs" err &&
	test_must_fail rwptoflow --active-time=2024 trace.pcap 2>err && test_grep active-time err &&
	test_must_fail rwptoflow --set-sensorid=65535 trace.pcap 2>err && test_must_fail rwptoflow --set-nexthopip=::1 trace.pcap 2>err && test_grep IPv4 err
'
test_done
