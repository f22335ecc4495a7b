#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwipfix2silk: files of IPFIX messages become records.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
export SILK_HEADER_NOVERSION=1 SILK_DATA_ROOTDIR=/nowhere

{
	echo 'sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|sensor|in|out|application'
	awk 'BEGIN { split("6 17 1 47 132", protocols, " ")
		for (i = 0; i < 2000; i++)
			printf "10.0.%d.1|192.0.2.1|%d|%d|%d|%d|%d|%s|2024/03/05T10:00:00.%03d|%d|%d|%d|%d|%d\n", i % 256,
				i % 5 == 2 || i % 5 == 3 ? 0 : i, i % 5 == 2 ? 2048 : i % 5 == 3 ? 0 : 80, protocols[i % 5 + 1], i + 1, i * 40 + 40,
				i % 5 ? "" : "SAF", i % 1000, i % 60, i % 9, i % 7, i % 3, i % 100 }'
} >flows.txt && rwtuc --output-path=flows.rw flows.txt && rwsilk2ipfix --ipfix-output=flows.ipfix flows.rw &&
	rwsilk2ipfix --single-template --ipfix-output=single.ipfix flows.rw || exit 99
FIELDS=1-13,in,out,application,sensor,nhIP,initialFlags,sessionFlags,attributes

listing() {
	rwcut --no-titles --fields=$FIELDS "$1"
}
listing flows.rw >want.txt

test_case 'there and back again' '
	rwipfix2silk --silk-output=a.rw flows.ipfix && listing a.rw >got && test_cmp want.txt got &&
	rwipfix2silk --silk-output=b.rw single.ipfix && listing b.rw >got && test_cmp want.txt got &&
	rwipfix2silk <flows.ipfix >c.rw && listing c.rw >got && test_cmp want.txt got
'
test_case 'several files, a list, statistics, notes' '
	printf "flows.ipfix\n\n" >list &&
	rwipfix2silk --xargs=list --print-statistics --note-add=why --silk-output=l.rw 2>err && test_grep "Wrote 2000 records to .l.rw." err &&
	SILK_COMPRESSION_METHOD=bogus rwipfix2silk flows.ipfix 2>err >two.rw && test_grep "invalid SILK_COMPRESSION_METHOD .bogus." err &&
	rwipfix2silk --print-statistics flows.ipfix - <single.ipfix 2>err >two.rw && test_grep "Wrote 4000 records to .-." err &&
	rwfileinfo --no-titles --fields=format,compression,count-records,command-lines,annotations l.rw >info && cat >want <<E &&
FT_RWIPV6ROUTING(0x0c)
lzo1x(2)
2000
rwipfix2silk --xargs=list --print-statistics --note-add=why --silk-output=l.rw
why
E
	sed "s/^ *//; s/^1  //" info | test_cmp want -
'
test_case 'what a sensor exports, both halves of its flows' '
	rwsensor --silk --read="$DATA/trace/browsing.pcap" --export=browsing.ipfix 2>log &&
	rwipfix2silk --silk-output=s.rw browsing.ipfix && rwfileinfo --no-titles --fields=count-records s.rw >count && [ "$(cat count)" -gt 50 ] &&
	rwipfix2silk --file-format=block --silk-output=s.tb browsing.ipfix && rwfileinfo --no-titles --fields=format s.tb >info && grep -qi block info &&
	rwcut --no-titles --fields=1-13 s.rw >want && rwcut --no-titles --fields=1-13 s.tb >got && test_cmp want got
'
test_case 'records that name no sensor and no type are of those with the number 0' '
	SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf rwcut --no-titles --delimited --integer-sensors --fields=sensor,class,type s.rw |
		sort -u >got && echo "0|all|in" | test_cmp - got
'
test_case 'VLANs as interfaces' '
	rwipfix2silk --interface-values=vlan --silk-output=v.rw flows.ipfix && rwcut --no-titles --delimited --fields=in,out v.rw | sort -u >got &&
	echo "0|0" | test_cmp - got
'
test_case 'the log' '
	rwipfix2silk --log-destination=log.txt --silk-output=d.rw flows.ipfix single.ipfix && cat >want <<E && grep forward log.txt | test_cmp want - &&
rwipfix2silk: '"'"'input0001'"'"': forward 2000, reverse 0, ignored 0
rwipfix2silk: '"'"'input0002'"'"': forward 2000, reverse 0, ignored 0
E
	rwipfix2silk --log-destination=stderr --log-flags=show-templates,sampling --silk-output=e.rw single.ipfix 2>err && test_grep flowStartMilliseconds err &&
	rwipfix2silk --log-destination=stdout --silk-output=f.rw single.ipfix >out && test_grep "forward 2000" out &&
	test_must_fail rwipfix2silk --log-flags=bogus --silk-output=g.rw single.ipfix 2>err && test_grep "no log flag .bogus." err &&
	test_must_fail rwipfix2silk --log-flags=none,bad --silk-output=g.rw single.ipfix 2>err &&
	test_must_fail rwipfix2silk --log-destination=stdout single.ipfix >out 2>err && test_grep "cannot both go to stdout" err && [ ! -s out ]
'
test_case 'damaged inputs are told, and the next one taken' '
	head -c 30000 flows.ipfix >cut.ipfix && { cat flows.ipfix; echo rubbish; } >tail.ipfix &&
	rwipfix2silk --print-statistics cut.ipfix flows.rw tail.ipfix 2>err >h.rw && test_grep "cut.ipfix: ends in the middle" err &&
	test_grep "flows.rw: not IPFIX" err && test_grep "tail.ipfix: not IPFIX" err && test_grep "Wrote 2000 records" err
'
# the first sets of the second message, and of those behind it, are longer than their message
cat flows.ipfix flows.ipfix flows.ipfix flows.ipfix >four.ipfix
cat >damage.py <<'E'
import struct, sys
data, at = bytearray(open("four.ipfix", "rb").read()), 0
for number in range(int(sys.argv[1])):
    at += struct.unpack_from(">H", data, at + 2)[0]
    struct.pack_into(">H", data, at + 18, 65535)
sys.stdout.buffer.write(data)
E
test_case 'a message that is damaged inside of its frame does not take the others with it' '
	python3 damage.py 1 >one.ipfix && rwipfix2silk --print-statistics --silk-output=one.rw one.ipfix 2>err && test_lines err 2 &&
	test_grep "one.ipfix: a set goes beyond its message" err && one=$(sed -n "s/.*Wrote \([0-9]*\) .*/\1/p" err) && [ "$one" -gt 6000 ] && [ "$one" -lt 8000 ] &&
	python3 damage.py 3 >three.ipfix && rwipfix2silk --print-statistics --silk-output=three.rw three.ipfix 2>err && test_lines err 2 &&
	test_grep "three.ipfix: 3 messages cannot be decoded: a set" err && three=$(sed -n "s/.*Wrote \([0-9]*\) .*/\1/p" err) && [ "$three" -gt 4000 ] && [ "$three" -lt "$one" ] &&
	listing three.rw | sort -u >got && sort want.txt | test_cmp - got
'
test_case 'inputs and outputs that there are not' '
	test_must_fail rwipfix2silk --silk-output=i.rw flows.ipfix nosuch 2>err && test_grep nosuch err &&
	test_must_fail rwipfix2silk --xargs=nosuch --silk-output=j.rw 2>err && test_grep nosuch err &&
	test_must_fail rwipfix2silk --xargs=list flows.ipfix 2>err && test_grep "[-]-xargs" err &&
	test_must_fail rwipfix2silk --silk-output=a.rw flows.ipfix 2>err && test_grep "a.rw" err &&
	test_must_fail rwipfix2silk --silk-output=nodir/a.rw flows.ipfix 2>err && test_grep "nodir/a.rw" err &&
	test_must_fail rwipfix2silk --silk-output=/dev/full flows.ipfix 2>err && test_grep "/dev/full" err &&
	test_must_fail rwipfix2silk --interface-values=x flows.ipfix 2>err && test_must_fail rwipfix2silk --bogus 2>err && test_grep unrecognized err
'
cat >times <<'E'
152/8=1699999995000 153/8=1699999999000
153/8=1699999995000
150/4=1699999995 151/4=1699999999
154/8=16788979037102931968 155/8=16788979053209059328
156/8=16788979037102931969 157/8=16788979053209059328
158/4=5000000 159/4=1000000
22/4=90000 21/4=91000 160/8=1699999900000
22/4=90000 21/4=91000
22/4=4294967000 21/4=1000 160/8=1699999998000
22/4=1000 21/4=2000 160/8=1695705032704
21/4=90000 160/8=1699999900000

161/4=4000
152/8=1699999995000 162/4=4000000
153/8=1699999995000 161/4=4000
152/8=1699999995000 323/8=1699999999000
258/8=1699999995000
152/8=1699999995000 151/4=1699999999
E
cat >times.want <<'E'
2023/11/14T22:13:15.000Z, dur=4.000s from incoming record flowStartMilliseconds=1699999995000, flowEndMilliseconds=1699999999000
1970/01/01T00:00:00.000Z, dur=4294967.295s from incoming record flowStartMilliseconds=0, flowEndMilliseconds=1699999995000
2023/11/14T22:13:15.000Z, dur=4.000s from incoming record flowStartSeconds=1699999995, flowEndSeconds=1699999999
2023/11/14T22:13:15.500Z, dur=3.750s from incoming record flowStartMicroseconds=16788979037102931968, flowEndMicroseconds=16788979053209059328
2023/11/14T22:13:15.500Z, dur=3.750s from incoming record flowStartNanoseconds=16788979037102931969, flowEndNanoseconds=16788979053209059328
2023/11/14T22:13:15.000Z, dur=4.000s from incoming record flowStartDeltaMicroseconds=5000000, flowEndDeltaMicroseconds=1000000, exportTimeSeconds=1700000000
2023/11/14T22:13:10.000Z, dur=1.000s from incoming record flowStartSysUpTime=90000, flowEndSysUpTime=91000, systemInitTimeMilliseconds=1699999900000, exportTimeSeconds=1700000000, calculated sysUpTime=100000
2023/11/14T22:13:19.000Z, dur=1.000s from incoming record flowStartSysUpTime=90000, flowEndSysUpTime=91000, no systemInitTimeMilliseconds, set end to exportTimeSeconds=1700000000
2023/11/14T22:13:17.704Z, dur=1.296s from incoming record flowStartSysUpTime=4294967000, flowEndSysUpTime=1000, systemInitTimeMilliseconds=1699999998000, exportTimeSeconds=1700000000, calculated sysUpTime=2000, assume sysUpTime rollover, assume flowEndSysUpTime rollover
2023/11/14T22:13:21.000Z, dur=1.000s from incoming record flowStartSysUpTime=1000, flowEndSysUpTime=2000, systemInitTimeMilliseconds=1695705032704, exportTimeSeconds=1700000000, calculated sysUpTime=4294967296, assume flowStartSysUpTime rollover
2023/11/14T22:13:20.000Z, dur=0.000s based on exportTimeSeconds=1700000000
2023/11/14T22:13:20.000Z, dur=0.000s based on exportTimeSeconds=1700000000
2023/11/14T22:13:16.000Z, dur=4.000s from incoming record flowDurationMilliseconds=4000, set end to exportTimeSeconds=1700000000
2023/11/14T22:13:15.000Z, dur=4.000s from incoming record flowStartMilliseconds=1699999995000, flowDurationMicroseconds=4000000
2023/11/14T22:13:11.000Z, dur=4.000s from incoming record flowDurationMilliseconds=4000, flowEndMilliseconds=1699999995000
2023/11/14T22:13:15.000Z, dur=4.000s from incoming record flowStartMilliseconds=1699999995000, flowEndMilliseconds=1699999999000
2023/11/14T22:13:15.000Z, dur=0.000s from incoming record collectionTimeMilliseconds=1699999995000
2023/11/14T22:13:15.000Z, dur=4.000s from incoming record flowStartMilliseconds=1699999995000, flowEndSeconds=1699999999
E
test_case 'what the times come from' '
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixrecord.py" <times >times.ipfix &&
	rwipfix2silk --log-destination=stderr --log-flags=record-timestamps --silk-output=times.rw times.ipfix 2>err &&
	sed -n "s/^rwipfix2silk: .input0001.: Set sTime=//p" err >got && test_cmp times.want got
'
test_done
