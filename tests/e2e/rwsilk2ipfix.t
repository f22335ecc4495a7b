#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwsilk2ipfix: records as IPFIX messages, byte for byte.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER

cat >silk.conf <<'E'
version 2
sensor 1 S1
class all
    sensors S1
    type 3 outweb ow
end class
E
SILK_CONFIG_FILE=silk.conf
export SILK_CONFIG_FILE
cat >one.txt <<'E' && rwtuc --output-path=one.rw one.txt || exit 99
sIP|dIP|sPort|dPort|protocol|packets|bytes|initialFlags|sessionFlags|attributes|sTime|duration|sensor|class|type|in|out|nhIP|application
10.1.1.1|192.0.2.1|1025|80|6|3|120|S|A|T|2024/03/05T10:00:00.123|1.5|S1|all|outweb|7|9|10.9.9.9|80
E
cat >others.txt <<'E' && rwtuc --output-path=others.rw others.txt || exit 99
sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|sensor|in|out
10.1.1.2|192.0.2.1|1026|80|6|3|120|SF|2024/03/05T10:00:01|0|S1|65535|9
10.1.1.3|192.0.2.1|53|5353|17|4000000000|4294967295||2024/03/05T10:00:02|0|7|0|0
10.1.1.4|192.0.2.1|0|2048|1|1|84||2024/03/05T10:00:03|0|S1|0|0
10.1.1.5|192.0.2.1|0|0|47|1|84||2024/03/05T10:00:04|0|S1|0|0
2001:db8::1|2001:db8::2|1|2|6|1|60|R|2024/03/05T10:00:05|0|S1|0|0
2001:db8::1|2001:db8::2|0|32768|58|1|60||2024/03/05T10:00:06|0|S1|0|0
E
rwcat --output-path=flows.rw one.rw others.rw || exit 99

# no_time: messages without their export time; what is in them
cat >no_time.py <<'E'
import struct, sys
data = bytearray(sys.stdin.buffer.read())
at = 0
while at < len(data):
    version, length = struct.unpack_from(">HH", data, at)
    assert version == 10
    data[at + 4 : at + 8] = bytes(4)
    here = at + 16
    while here < at + length:
        number, size = struct.unpack_from(">HH", data, here)
        print("%x %s" % (number, "" if number < 256 else data[here + 4 : here + size].hex()))
        here += size
    at += length
E
contents() {
	rwsilk2ipfix "$@" flows.rw >out.ipfix && python3 no_time.py <out.ipfix >sets
}

test_case 'what SiLK has no room for is written, too' '
	"$TUSSAH_BUILDDIR/tests/format/columntool" wide.blk <<E &&
sip=10.0.0.1 dip=192.0.2.1 sport=1 dport=80 protocol=6 packets=4294967296 bytes=1 input=1 output=2
sip=10.0.0.2 dip=192.0.2.1 sport=2 dport=80 protocol=6 packets=1 bytes=9223372036854775807 input=3 output=4
sip=2001:db8::1 dip=2001:db8::2 sport=3 dport=53 protocol=17 packets=1 bytes=1 input=65536 output=6
sip=2001:db8::1 dip=2001:db8::2 sport=4 dport=53 protocol=17 packets=1 bytes=1 input=7 output=4294967295
sip=10.0.0.3 dip=192.0.2.1 sport=5 dport=53 protocol=17 packets=4294967295 bytes=4294967295 input=65535 output=65535
E
	rwsilk2ipfix wide.blk >wide.ipfix && rwipfix2silk --file-format=block --silk-output=back.blk wide.ipfix &&
	rwcut --fields=1-7,in,out,stime,duration wide.blk >want && rwcut --fields=1-7,in,out,stime,duration back.blk >got && test_cmp want got &&
	python3 no_time.py <wide.ipfix >sets && cut -d" " -f1 sets >numbers && printf "%s\n" 2 b000 2 b001 9dd2 | test_cmp - numbers &&
	rwsilk2ipfix --single-template wide.blk >wide.ipfix && rwipfix2silk --file-format=block wide.ipfix >back.blk && rwcut --fields=1-7,in,out,stime,duration back.blk >got && test_cmp want got
'
test_case 'information elements beyond the record are written, too' '
	"$TUSSAH_BUILDDIR/tests/format/columntool" ext.blk <<E &&
sip=10.0.0.1 dip=192.0.2.1 sport=1 dport=80 protocol=6 bytes=100 0/225:18=203.0.113.5 0/227:2=40001 0/305:3=1000 0/371:13=bob 0/56:12=0x00163e0a0b0c 0/136:1=3
sip=10.0.0.2 dip=192.0.2.1 sport=2 dport=80 protocol=6 bytes=200 0/305:3=100 0/371:13=al|i\x5cce\x0a 6871/500:3=7 0/95:0=\x0d\x00\x01\xc5 0/352:0=\x01
sip=10.0.0.3 dip=192.0.2.1 sport=3 dport=53 protocol=17 bytes=300
sip=10.0.0.4 dip=192.0.2.1 sport=4 dport=53 protocol=17 bytes=4294967296 0/276:11=2 0/311:10=0x3ff8000000000000 0/434:7=-5 0/130:18=198.51.100.7 0/371:13=
---
sip=2001:db8::1 dip=2001:db8::2 sport=5 dport=53 protocol=17 bytes=400 0/305:3=1000 0/371:13=bob 9/12:1=5 9/13:13=text 0/281:19=2001:db8::9
sip=2001:db8::1 dip=2001:db8::2 sport=6 dport=53 protocol=17 bytes=500 0/322:14=1709618400 0/323:15=1709618400123 0/324:16=1709618400123456000 0/325:17=1709618400123456789 0/292:20=\x03
sip=2001:db8::1 dip=2001:db8::2 sport=6 dport=53 protocol=17 bytes=600 0/293:22=\x03
E
	fields=1-9,ie225,ie227,ie305,userName,ie56,ie136,6871/500,ie95,ie276,ie311,ie434,ie130,ie281,ie322,ie323,ie324 &&
	rwsilk2ipfix ext.blk >ext.ipfix && rwipfix2silk --file-format=block --silk-output=ext2.blk ext.ipfix 2>err && test_lines err 0 &&
	rwcut --delimited --fields="$fields" ext.blk >want && rwcut --delimited --fields="$fields" ext2.blk >got && test_cmp want got && test_grep "bob" got && test_grep "06:00:00.123" got &&
	rwcut --delimited --timestamp-format=frac-nano --no-titles --fields=ie325,9/12,9/13,ie292 ext2.blk >got && printf "%s\n" "|||" "|||" "|||" "|||" "|0x05|0x74657874|" >want &&
	echo "2024/03/05T06:00:00.123456789|||" >>want && echo "|||" >>want && test_cmp want got &&
	rwcut --delimited --timestamp-format=frac-micro --no-titles --fields=ie324 ext2.blk | grep . >got && echo 2024/03/05T06:00:00.123456 | test_cmp - got &&
	rwsilk2ipfix --single-template ext.blk >ext.ipfix && rwipfix2silk --file-format=block ext.ipfix >ext3.blk && rwfileinfo --fields=extension-columns ext3.blk >got && test_must_fail grep userName got
'
test_case 'too many combinations of elements are told' '
	awk "BEGIN { for (i = 1; i < 2048; i++) { line = \"sip=10.0.0.1 dip=192.0.2.1 protocol=6 sport=\" i \" bytes=\" (i == 2047 ? 4294967296 : 1)
		for (bit = 0; bit < 11; bit++) if (int(i / 2 ^ bit) % 2) line = line \" 9/\" bit + 1 \":1=\" bit; print line } }" >many.txt &&
	"$TUSSAH_BUILDDIR/tests/format/columntool" many.blk <many.txt && rwsilk2ipfix many.blk >many.ipfix 2>err && test_lines err 1 && test_grep "1147 records written without" err &&
	rwipfix2silk --file-format=block --silk-output=many2.blk many.ipfix && rwcut --delimited --fields=sport,bytes many.blk >want && rwcut --delimited --fields=sport,bytes many2.blk >got && test_cmp want got &&
	rwfilter --where="9/1" --print-statistics many2.blk 2>got && test_grep "Pass *450" got
'
test_case 'a record of each kind, in its template, with names' '
	contents && cat >want <<E && test_cmp want sets
2 
9dd4 0000018e0e0e457b0000018e0e0e4b5700000003000000780007000900500001032106021012040100500a010101c00002010a090909026f7703616c6c066f7574776562025331
9dd3 0000018e0e0e48e80000018e0e0e48e80000000300000078ffff00090000000100000603040200500a010102c0000201000000000130013f0130025331
9dd2 0000018e0e0e4cd00000018e0e0e4cd0ee6b2800ffffffff0000000000000007000011003514e90a010103c0000201000000000130013f01300137
9dd1 0000018e0e0e50b80000018e0e0e50b80000000100000054000000000000000100000108000a010104c0000201000000000130013f0130025331
9dd0 0000018e0e0e54a00000018e0e0e54a00000000100000054000000000000000100002f0a010105c0000201000000000130013f0130025331
9ed3 0000018e0e0e58880000018e0e0e5888000000010000003c0000000000000001000006040001000220010db800000000000000000000000120010db800000000000000000000000200000000000000000000ffff000000000130013f0130025331
9ed1 0000018e0e0e5c700000018e0e0e5c70000000010000003c000000000000000100003a800020010db800000000000000000000000120010db800000000000000000000000200000000000000000000ffff000000000130013f0130025331
E
'
test_case 'without names' '
	contents --no-site-name-elements && cat >want <<E && test_cmp want sets &&
2 
9dd4 0000018e0e0e457b0000018e0e0e4b5700000003000000780007000900500001032106021012040100500a010101c00002010a090909
9dd3 0000018e0e0e48e80000018e0e0e48e80000000300000078ffff00090000000100000603040200500a010102c000020100000000
9dd2 0000018e0e0e4cd00000018e0e0e4cd0ee6b2800ffffffff0000000000000007000011003514e90a010103c000020100000000
9dd1 0000018e0e0e50b80000018e0e0e50b80000000100000054000000000000000100000108000a010104c000020100000000
9dd0 0000018e0e0e54a00000018e0e0e54a00000000100000054000000000000000100002f0a010105c000020100000000
9ed3 0000018e0e0e58880000018e0e0e5888000000010000003c0000000000000001000006040001000220010db800000000000000000000000120010db800000000000000000000000200000000000000000000ffff00000000
9ed1 0000018e0e0e5c700000018e0e0e5c70000000010000003c000000000000000100003a800020010db800000000000000000000000120010db800000000000000000000000200000000000000000000ffff00000000
E
	SILK_CONFIG_FILE= SILK_DATA_ROOTDIR=/nowhere contents && test_cmp want sets
'
test_case 'one template' '
	contents --single-template && cat >want <<E && test_cmp want sets
2 
afea 0000018e0e0e457b0000018e0e0e4b5700000000000000000000000000000000000000000000000000000000000000000a010101c0000201040100500a09090900000000000000000000000000000000000000070000000900000000000000030000000000000078060300011202102100500000000000000000018e0e0e48e80000018e0e0e48e800000000000000000000000000000000000000000000000000000000000000000a010102c00002010402005000000000000000000000000000000000000000000000ffff0000000900000000000000030000000000000078060000010300000000000000000000000000018e0e0e4cd00000018e0e0e4cd000000000000000000000000000000000000000000000000000000000000000000a010103c0000201003514e90000000000000000000000000000000000000000000000000000000000000000ee6b280000000000ffffffff110000070000000000000000000000000000018e0e0e50b80000018e0e0e50b800000000000000000000000000000000000000000000000000000000000000000a010104c0000201000008000000000000000000000000000000000000000000000000000000000000000000000000010000000000000054010000010000000000000000000000000000018e0e0e54a00000018e0e0e54a000000000000000000000000000000000000000000000000000000000000000000a010105c00002010000000000000000000000000000000000000000000000000000000000000000000000000000000100000000000000542f0000010000000000000000000000000000018e0e0e58880000018e0e0e588820010db800000000000000000000000120010db80000000000000000000000020000000000000000000100020000000000000000000000000000ffff0000000000000000000000000000000000000001000000000000003c060000010400000000000000000000000000018e0e0e5c700000018e0e0e5c7020010db800000000000000000000000120010db80000000000000000000000020000000000000000000080000000000000000000000000000000ffff0000000000000000000000000000000000000001000000000000003c3a000001000000000000000000000000
E
'
test_case 'more records than a message holds, and none' '
	awk "BEGIN { print \"sIP|dIP|sPort|protocol|packets|bytes|sTime\"
		for (i = 0; i < 3000; i++) printf \"10.0.0.1|192.0.2.1|%d|%d|1|40|2024/03/05T10:00:00\\n\", i, i % 256 }" </dev/null >many.txt &&
	rwtuc --output-path=many.rw many.txt && rwsilk2ipfix --print-statistics --ipfix-output=many.ipfix many.rw 2>err &&
	echo "rwsilk2ipfix: Wrote 3000 IPFIX records to .many.ipfix." >want && test_grep "$(cat want)" err &&
	python3 no_time.py <many.ipfix >sets && [ "$(grep -c "^2 " sets)" -eq 1 ] && [ "$(wc -c <many.ipfix)" -gt 131072 ] &&
	rwfilter --proto=999 --pass=none.rw many.rw 2>/dev/null; rwfilter --sport=60000 --pass=none.rw many.rw &&
	rwsilk2ipfix none.rw >none.ipfix && python3 no_time.py <none.ipfix >sets && echo "2 " | test_cmp - sets
'
test_case 'inputs that cannot be read' '
	rwsilk2ipfix --print-statistics flows.rw nosuch >some.ipfix 2>err && test_grep nosuch err && test_grep "Wrote 7 IPFIX records to .-.$" err &&
	rwcat --compression-method=none --output-path=plain.rw flows.rw && head -c 500 plain.rw >cut.rw &&
	rwsilk2ipfix --print-statistics cut.rw one.rw >some.ipfix 2>err && test_grep "cut.rw: record" err && test_grep "Wrote 5 IPFIX records" err &&
	rwsilk2ipfix --print-statistics "$DATA/filter.txt" >some.ipfix 2>err && test_grep "filter.txt: " err
'
test_case 'outputs that cannot be written' '
	echo x >there && test_must_fail rwsilk2ipfix --ipfix-output=there flows.rw 2>err && test_grep there err && [ "$(cat there)" = x ] &&
	test_must_fail rwsilk2ipfix --ipfix-output=nodir/x flows.rw 2>err && test_grep nodir/x err &&
	test_must_fail rwsilk2ipfix --ipfix-output=/dev/full flows.rw 2>err && test_grep "/dev/full: " err &&
	SILK_CLOBBER=1 rwsilk2ipfix --ipfix-output=there flows.rw && [ "$(wc -c <there)" -gt 1000 ]
'
test_done
