#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf
SILK_DATA_ROOTDIR=$SCRATCH/root
export SILK_CONFIG_FILE SILK_DATA_ROOTDIR

# flows DAY HOUR N: N records of hosts 10.DAY.HOUR.x
flows() {
	echo 'sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration'
	awk -v day="$1" -v hour="$2" -v n="$3" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "10.%d.%d.%d|192.168.0.%d|%d|%d|%d|%d|%d|2026/03/%02d:%02d:%02d:00|%d\n",
				day, hour, i, i % 7, 1024 + i, i % 3 ? 443 : 53, i % 3 ? 6 : 17,
				1 + i, 40 * (1 + i), day, hour, i % 60, i
	}'
}

# make_file DAY HOUR N
make_file() {
	folder=root/in/2026/03/$1
	mkdir -p "$folder" && rm -f "$folder/in-S0_202603$1.$2" && flows "$1" "${2#0}" "$3" >flows.txt &&
		rwtuc --output-path="$folder/in-S0_202603$1.$2" flows.txt
}

make_tree() {
	rm -rf root && for hour in 00 01 02 03; do
		make_file 18 $hour 20 && make_file 19 $hour 30 || return 1
	done
}

# ask NAME: several questions, answers in NAME
ask() {
	: >"$1" &&
		for tests in --proto=0- --sport=1030 --saddress=10.18.2.5 --saddress=10.77.0.1 \
			'--any-address=10.19.0.0/16 --dport=53' '--stime=2026/03/18:02-2026/03/18:03' \
			'--bytes=1000- --packets=26-' --sport=1024-1030; do
			rwfilter --type=all --start-date=2026/03/18 --end-date=2026/03/19 $tests --pass=stdout \
				>one.rwf &&
				rwcut --fields=1-9 --no-titles one.rwf >>"$1" || return 1
		done
}

test_case 'a catalog is made, checked and shown' '
	make_tree &&
	rwcatalog rebuild --verbose >out &&
	printf "2026/03/%s: 4 files read, 0 kept, 0 dropped, 0 refused\n" 18 19 >want &&
	sed "s/, [0-9]* bytes//" out | test_cmp want - &&
	rwcatalog verify >out && test_lines out 0 &&
	rwcatalog verify --verbose >out && echo "8 files checked, 0 differences" | test_cmp - out &&
	rwcatalog show --delimited --no-titles >out && test_lines out 8 &&
	cut -d "|" -f 1-8 out | sed -n 3p >row &&
	echo "in/2026/03/18/in-S0_20260318.02|rows|fresh|20|2026/03/18T02:00:00.000|2026/03/18T02:19:19.000|210|8400" |
		test_cmp - row
'
test_case 'a selection of files' '
	rwcatalog show --start-date=2026/03/19:01 --no-titles >out && test_lines out 1 &&
	rm -r root/.catalog &&
	rwcatalog rebuild --start-date=2026/03/18:00 --end-date=2026/03/18:01 &&
	rwcatalog show --no-titles >out && test_lines out 2 &&
	rwcatalog rebuild --start-date=2026/03/18:02 --verbose >out && test_grep "1 files read, 2 kept" out &&
	rwcatalog update --start-date=2026/03/18 --verbose >out && test_grep "1 files read, 3 kept" out &&
	rwcatalog update --start-date=2026/03/18 --verbose >out && test_grep "0 files read, 4 kept" out &&
	test_must_fail rwcatalog verify >out && test_grep "20260319.00: not in the catalog" out &&
	test_grep "^8 files checked, 4 differences" out
'
test_case 'what has changed is named' '
	rwcatalog rebuild && make_file 18 01 21 && rm root/in/2026/03/18/in-S0_20260318.02 &&
	make_file 18 09 5 &&
	test_must_fail rwcatalog verify >out &&
	test_grep "20260318.01: the file has changed" out &&
	test_grep "20260318.02: the file is gone" out &&
	test_grep "20260318.09: not in the catalog" out &&
	rwcatalog show --delimited --no-titles >out &&
	cut -d "|" -f 3 out | sort | uniq -c | awk "{ print \$2, \$1 }" >got &&
	printf "changed 1\nfresh 6\ngone 1\n" | test_cmp - got &&
	rwcatalog update && rwcatalog verify
'
# lie CATALOG FILE: the first entry is of FILE as it is now, and has 19 records
cat >lie.py <<'EOF'
import os, struct, sys

M = 2**64 - 1
P = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)


def rotate(x, n):
    return (x << n | x >> 64 - n) & M


def turn(acc, word):
    return rotate((acc + word * P[1]) & M, 31) * P[0] & M


def xxh64(b):
    at, h = 0, P[4]
    if len(b) >= 32:
        v = [(P[0] + P[1]) & M, P[1], 0, -P[0] & M]
        while at + 32 <= len(b):
            v = [turn(v[i], struct.unpack_from("<Q", b, at + 8 * i)[0]) for i in range(4)]
            at += 32
        h = sum(rotate(v[i], (1, 7, 12, 18)[i]) for i in range(4)) & M
        for x in v:
            h = ((h ^ turn(0, x)) * P[0] + P[3]) & M
    h = (h + len(b)) & M
    while at + 8 <= len(b):
        h = (rotate(h ^ turn(0, struct.unpack_from("<Q", b, at)[0]), 27) * P[0] + P[3]) & M
        at += 8
    if at + 4 <= len(b):
        h = (rotate(h ^ struct.unpack_from("<I", b, at)[0] * P[0] & M, 23) * P[1] + P[2]) & M
        at += 4
    for c in b[at:]:
        h = rotate(h ^ c * P[4] & M, 11) * P[0] & M
    h = (h ^ h >> 33) * P[1] & M
    h = (h ^ h >> 29) * P[2] & M
    return h ^ h >> 32


f = bytearray(open(sys.argv[1], "rb").read())
st = os.stat(sys.argv[2])
count, names, union = struct.unpack_from("<I8xII", f, 12)
head = 64 + 128 * count + names + (union + 4095) // 4096 * 8
struct.pack_into("<QQqq", f, 64, st.st_ino, st.st_size, st.st_ctime_ns, st.st_mtime_ns)
struct.pack_into("<Q", f, 64 + 48, 19)
struct.pack_into("<Q", f, 40, xxh64(bytes(f[64:head])))
struct.pack_into("<Q", f, 56, xxh64(bytes(f[:56])))
open(sys.argv[1], "wb").write(f)
EOF
test_case 'an entry that lies is found' '
	make_tree && rwcatalog rebuild && touch root/in/2026/03/18/in-S0_20260318.00 &&
	python3 lie.py root/.catalog/2026/03/18 root/in/2026/03/18/in-S0_20260318.00 &&
	test_must_fail rwcatalog verify >out &&
	test_grep "20260318.00: wrong number of records" out && test_lines out 2
'
test_case 'the same answers with a catalog, without one, with a damaged and a stale one' '
	make_tree && ask none && test_grep 10.19.3.29 none &&
	rwcatalog rebuild && ask fresh && test_cmp none fresh &&
	rm root/.catalog/2026/03/18 && ask half && test_cmp none half &&
	rwcatalog rebuild && for at in 3 20 70 200 700 1500 3000; do
		printf X | dd of=root/.catalog/2026/03/18 bs=1 seek=$at conv=notrunc 2>/dev/null &&
		ask damaged && test_cmp none damaged || return 1
	done &&
	echo rubbish >root/.catalog/2026/03/19 && ask damaged && test_cmp none damaged &&
	test_must_fail rwcatalog show >out 2>err && test_grep "not a catalog" err &&
	rwcatalog rebuild && rwcatalog verify
'
test_case 'files overwritten, replaced and deleted under a catalog' '
	make_tree && rwcatalog rebuild &&
	flows 18 7 20 | sed s/10.18.7/10.18.77/ >flows.txt && rwtuc --output-path=other.rwf flows.txt &&
	cat other.rwf >root/in/2026/03/18/in-S0_20260318.01 &&
	mv other.rwf root/in/2026/03/18/in-S0_20260318.02 &&
	rm root/in/2026/03/18/in-S0_20260318.03 && ask stale &&
	rm -r root/.catalog && ask none && test_cmp none stale && test_grep 10.18.77.3 stale
'
test_case 'damaged files get no entry, others do' '
	make_tree && echo rubbish >root/in/2026/03/18/in-S0_20260318.01 &&
	test_must_fail rwcatalog rebuild 2>err && test_grep "20260318.01" err &&
	rwcatalog show --no-titles >out && test_lines out 7 && ! grep 20260318.01 out
'
test_case 'two at once' '
	make_tree && { rwcatalog rebuild & rwcatalog update && wait $!; } && rwcatalog verify &&
	[ -z "$(find root/.catalog -name "*.new")" ]
'
test_case 'commands that are none' '
	test_must_fail rwcatalog 2>err && test_grep "is needed" err &&
	test_must_fail rwcatalog mend 2>err && test_grep "no such command" err &&
	test_must_fail rwcatalog show show 2>err
'
test_done
