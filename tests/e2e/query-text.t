#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What rwcut, rwuniq, rwstats and rwcount print, byte for byte: tests/data/text/commands.txt names
# each command, tests/data/text/expected holds what SiLK 3.22.1 prints for it. And rwsort.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE
rwtuc --output-path=records.rw "$DATA/text/records.txt" || exit 99

while read -r name command; do
	test_case "$name: $command" '
		$command records.rw >out &&
		test_cmp "$DATA/text/expected/$name.txt" out
	'
done <"$DATA/text/commands.txt"

test_case 'several files are one stream' '
	rwcut --fields=bytes --no-titles --start-rec-num=55 --num-recs=2 records.rw records.rw >out &&
	rwcut --fields=bytes --no-titles --tail-recs=1 records.rw >expected &&
	rwcut --fields=bytes --no-titles --num-recs=1 records.rw >>expected &&
	test_cmp expected out
'

test_case 'records that the IPv6 policy drops count when some are skipped' '
	rwcut --fields=bytes --no-titles --start-rec-num=3 --ipv6-policy=ignore records.rw >out &&
	rwcut --fields=bytes,sip --no-titles --delimited --start-rec-num=3 --ip-format=canonical records.rw >all &&
	grep -v : all | wc -l >expected && wc -l <out >lines && test_cmp expected lines
'

test_case 'an empty policy is the first one, a list of formats that names none is the default' '
	rwcut --ipv6-policy=ignore records.rw >expected && rwcut --ipv6-policy= records.rw >out && test_cmp expected out &&
	SILK_IPV6_POLICY= rwcut records.rw >out && test_cmp expected out &&
	rwcut --num-recs=3 records.rw >expected && rwcut --num-recs=3 --timestamp-format=, --ip-format=, records.rw >out && test_cmp expected out &&
	test_must_fail rwcut --ipv6-policy=none --ipv6-policy=mix records.rw >out 2>err && test_grep "none of ignore" err &&
	rwcut --timestamp-format=epoch --legacy-timestamps=0 --num-recs=3 records.rw >out && test_cmp expected out &&
	SILK_TIMESTAMP_FORMAT=epoch rwcut --legacy-timestamps=1 --legacy-timestamps=0 --num-recs=3 records.rw >out && test_cmp expected out &&
	test_must_fail rwcut --timestamp-format= records.rw >out 2>err && test_grep "list is empty" err
'

test_case 'rwcount: bins shorter than a second, and bins of nothing' '
	rwcount --bin-size=1.001 --skip-zeroes records.rw >out && rwcount --bin-size=1 --skip-zeroes records.rw >expected &&
	test_cmp expected out &&
	rwfilter --proto=250 --pass=none2.rw records.rw &&
	rwcount --start-time=2024/02/28 --end-time=2024/02/29 none2.rw >out && test_lines out 1 &&
	rwcount --start-time=1970/01/01 --bin-size=3600 records.rw >out && rwcount --bin-size=3600 records.rw | test_cmp - out
'

test_case 'rwsort puts keys in order, and keeps the records' '
	rwsort --fields=sip,stime --output-path=sorted.rw records.rw &&
	rwuniq --fields=sip,stime --sort-output --no-titles --timestamp-format=epoch --bin-time=0.001 --delimited=, records.rw >keys &&
	cut -d, -f1-2 keys >expected &&
	rwcut --fields=sip,stime --no-titles --timestamp-format=epoch --ip-format=unmap-v6 --delimited=, sorted.rw >lines &&
	uniq lines >out &&
	test_cmp expected out &&
	rwcut records.rw >before && sort before >before.sorted &&
	rwcut sorted.rw >after && sort after >after.sorted &&
	test_cmp before.sorted after.sorted
'

test_case 'rwuniq and rwstats in temporary files print what they do in memory, and leave no file' '
	yes records.rw | head -300 >names && mkdir temp &&
	for fields in sip,sport,stime bytes,dip; do
		for values in bytes,records,distinct:dport payload-rate,stime-earliest; do
			rwuniq --fields=$fields --values=$values --sort-output --bin-time=0.001 --xargs=names >expected &&
			rwuniq --fields=$fields --values=$values --sort-output --bin-time=0.001 --xargs=names --memory=1m --temp-directory=temp >out &&
			test_cmp expected out || return 1
		done
	done &&
	rwstats --fields=sip,stime --values=bytes --count=20 --xargs=names >expected &&
	rwstats --fields=sip,stime --values=bytes --count=20 --xargs=names --memory=1m --temp-directory=temp >out &&
	test_cmp expected out && ls temp >left && test_lines left 0 &&
	test_must_fail rwuniq --fields=sip --memory=1k records.rw 2>err && grep "Invalid memory .1k." err &&
	rwsort --fields=sip,bytes --xargs=names --memory=400000 --temp-directory=temp --compression-method=none --output-path=m.rw &&
	rwsort --fields=sip,bytes --xargs=names --compression-method=none --output-path=n.rw && rwcut m.rw >out && rwcut n.rw >expected && test_cmp expected out
'

test_case 'a folder for temporary files that is not there, needed or not' '
	for line in "rwuniq --fields=proto" "rwstats --fields=proto --count=3" "rwsort --fields=proto --output-path=no.rw" \
			"rwdedupe --output-path=no.rw" "rwcombine --output-path=no.rw"; do
		test_must_fail $line --temp-directory=nosuch records.rw >out 2>err && test_lines err 1 && test_grep ": Temporary directory .nosuch. does not exist$" err &&
		test_must_fail env SILK_TMPDIR=records.rw $line records.rw >>out 2>err && test_lines err 1 && test_grep ": Temporary directory .records.rw. does not exist$" err &&
		test_must_fail env SILK_TMPDIR= TMPDIR=/tmp $line records.rw >>out 2>err && test_lines err 1 &&
		test_grep ": Temporary directory .. does not exist$" err &&
		test_must_fail env TMPDIR= $line records.rw >>out 2>err && test_lines err 1 && test_grep "directory .. does not" err &&
		test ! -s out && test ! -e no.rw || return 1
	done &&
	SILK_TMPDIR=nosuch rwaddrcount --print-stat records.rw >out
'

test_case 'rwsort in runs on disk equals rwsort in memory' '
	yes records.rw | head -200 >names &&
	rwsort --fields=bytes,sip --xargs=names --sort-buffer-size=360000 --temp-directory=. --compression-method=none --output-path=runs.rw &&
	rwsort --fields=bytes,sip --xargs=names --compression-method=none --output-path=memory.rw &&
	rwcut --all-fields runs.rw >out && rwcut --all-fields memory.rw >expected &&
	test_cmp expected out && test_lines out 11001
'

test_case 'rwsort reversed, by a pipe' '
	rwsort --fields=packets --reverse records.rw >out.rw &&
	rwcut --fields=packets --no-titles --no-columns --no-final-delimiter out.rw >out &&
	sort -rn out >expected &&
	test_cmp expected out
'

test_case 'JSON and CSV hold the same records' '
	rwcut --fields=sip,bytes,flags,itype --num-recs=3 --output-format=json records.rw >json &&
	python3 -c "
import csv, json, subprocess, sys
rows = [json.loads(line) for line in open(\"json\")]
text = subprocess.run([\"rwcut\", \"--fields=sip,bytes,flags,itype\", \"--num-recs=3\", \"--output-format=csv\", \"records.rw\"], capture_output=True, text=True, check=True).stdout
other = list(csv.DictReader(text.splitlines()))
assert len(rows) == 3
for a, b in zip(rows, other):
    assert {k: \"\" if v is None else str(v) for k, v in a.items()} == b, (a, b)
    assert isinstance(a[\"bytes\"], int)
"
'

test_case 'an existing output is kept unless SILK_CLOBBER is set' '
	echo old >out.txt &&
	test_must_fail rwcut --output-path=out.txt records.rw &&
	test_lines out.txt 1 &&
	SILK_CLOBBER=1 rwcut --output-path=out.txt records.rw &&
	test_lines out.txt 56
'

test_case 'a full disk is told' '
	test_must_fail rwcut --output-path=/dev/full records.rw 2>log &&
	test_grep "No space left" log
'

test_case 'lists of nothing: empty text is refused, commas mean what they mean to SiLK' '
	test_must_fail rwcut --fields= records.rw >out 2>err && test_lines err 2 && test_lines out 0 &&
	rwcut --fields=, --num-recs=1 records.rw >out && rwcut --all-fields --num-recs=1 records.rw >expected && test_cmp expected out &&
	printf "map-name m\nmode ipv4\nlabel 0 a\ndefault a\n" >map.txt && rwpmapbuild --input-path=map.txt --output-path=m.pmap &&
	rwcut --fields=, --pmap-file=m.pmap --num-recs=1 records.rw >out && test_cmp expected out &&
	rwcut --all-fields --pmap-file=m.pmap --num-recs=1 records.rw >out && test_grep " src-m|" out &&
	for line in "rwuniq --fields=," "rwsort --fields=," "rwgroup --delta-field=9 --delta-value=1 --id-fields=" "rwdedupe --ignore-fields=" \
			"rwaggbag --counters=records --keys=," "rwaggbag --keys=sIPv4 --counters=,"; do
		test_must_fail $line records.rw >out 2>err && test_lines out 0 || return 1
	done &&
	rwdedupe --ignore-fields=, records.rw >a.rw && rwcut a.rw | sort >out && rwdedupe records.rw >b.rw && rwcut b.rw | sort >expected && test_cmp expected out &&
	rwcombine --actions=, --ignore-fields=, records.rw >a.rw && rwcombine records.rw >b.rw && rwcut a.rw >out && rwcut b.rw >expected && test_cmp expected out
'

test_case 'rwcut: an end of 0 is no end' '
	rwcut --start-rec-num=2 records.rw >expected && rwcut --start-rec-num=2 --end-rec-num=0 records.rw >out && test_cmp expected out &&
	test_must_fail rwcut --start-rec-num=0 records.rw >out 2>err && test_grep "start-rec-num" err
'

test_case 'statistics of all protocols are left out where one has all records' '
	rwfilter --protocol=6 --pass=tcp.rw records.rw && rwstats --detail-proto-stats=6,17 tcp.rw >out &&
	test_must_fail grep "ALL PROTOCOLS" out && test_grep "PROTOCOL 6:" out && test_grep "PROTOCOL 17:  0/" out &&
	rwstats --detail-proto-stats=17 tcp.rw >out && test_grep "ALL PROTOCOLS" out &&
	rwstats --detail-proto-stats=6,17 records.rw >out && test_grep "ALL PROTOCOLS" out
'
test_case 'the overall statistics of a file that is cut off and the next one' '
	rwcat --compression-method=none --output-path=plain.rw records.rw && size=$(wc -c <plain.rw) && head -c $((size - 10)) plain.rw >cut.rw &&
	test_must_fail rwstats --overall-stats cut.rw plain.rw >out 2>err && test_lines err 1 && test_grep "cut.rw: record .* is incomplete at byte" err &&
	all=$(rwcut --no-titles plain.rw | wc -l) && test_grep "ALL PROTOCOLS:  $((all + all - 1)) records" out
'

test_case 'a file that is cut off, or missing, costs the exit status' '
	test_must_fail rwuniq --fields=sip cut.rw >out 2>err && test_lines err 1 && test ! -s out &&
	test_must_fail rwstats --fields=sip --count=1 --presorted-input cut.rw >out 2>err && test_lines err 1 &&
	test_must_fail rwstats --fields=sip --count=1 cut.rw >out 2>err && test_lines err 1 && test ! -s out &&
	test_must_fail rwsort --fields=sip --output-path=part.rw cut.rw 2>err && test_lines err 1 && test -e part.rw && test ! -s part.rw &&
	test_must_fail rwuniq --fields=sip --presorted-input missing.rw >out 2>err && test_lines err 1 && test_lines out 1 && test_grep Records out &&
	test_must_fail rwsort --fields=sip --output-path=no.rw missing.rw 2>err && test -e no.rw && test ! -s no.rw
'

test_case 'the copy of an input without records is an empty file' '
	rwfilter --protocol=99 --pass=none.rw plain.rw && rwuniq --fields=sip --no-titles --copy-input=copy.rw none.rw >out && test -e copy.rw && test ! -s copy.rw &&
	for line in rwcut "rwuniq --fields=sip" "rwset --sip-file=no.set" "rwbag --sport-flows=no.bag"; do
		test_must_fail $line --copy-input=once.rw --copy-input=twice.rw plain.rw >out 2>err && test ! -e once.rw && test ! -e twice.rw || return 1
	done &&
	rwcut --num-recs=1 --copy-input=one.rw plain.rw >out && rwcut --no-titles one.rw >out && test -s out
'

test_case 'the old switches of rwstats, one by one and in pairs' '
	for pair in "--sip --dip" "--sport --dport"; do
		rwstats $pair --count=0 records.rw >expected &&
		rwstats ${pair#* } ${pair% *} --count=0 records.rw >out && test_cmp expected out || return 1
	done &&
	rwstats --fields=sport,dport --count=0 records.rw >out && test_cmp expected out &&
	for line in "--sip --sport" "--dport --protocol" "--sip --sip" "--sip --dip --sport" "--sip --fields=dip" "--sip --values=bytes --packets"; do
		test_must_fail rwstats $line --count=1 records.rw >out 2>err && test_lines out 0 || return 1
	done
'

test_case 'one SILK_TIMESTAMP_FORMAT for all programs, also for those without no-msec' '
	for line in "rwuniq --fields=stime --sort-output" "rwcount --bin-size=3600" "rwaddrcount --print-rec --sort-ips" "rwstats --fields=stime --count=1"; do
		$line --timestamp-format=m/d/y records.rw >expected &&
		SILK_TIMESTAMP_FORMAT=m/d/y,no-msec $line records.rw >out 2>err && test_cmp expected out && test_lines err 0 || return 1
		test_must_fail $line --timestamp-format=m/d/y,no-msec records.rw 2>err || return 1
	done &&
	rwcut --timestamp-format=m/d/y,no-msec records.rw >expected && SILK_TIMESTAMP_FORMAT=m/d/y,no-msec rwcut records.rw >out && test_cmp expected out
'

test_case 'old switches with a number of bits' '
	printf "sip\n2001:db8:1:2::8\n102:304:506:708::9\n1.2.3.4\n" >wide.txt && rwtuc --stime=2020/01/01 wide.txt >wide.rw &&
	rwstats --sip=8 --count=0 --no-titles --no-percents --delimited=, wide.rw | cut -d, -f1 | sort >out && printf "0:4:506:708::9\n0:b8:1:2::8\n1.0.0.0\n" | test_cmp - out &&
	rwstats --sip=24 --count=0 --no-titles --no-percents --delimited=, wide.rw | cut -d, -f1 | sort >out && printf "1.2.3.0\n1:db8:1:2::8\n2:304:506:708::9\n" | test_cmp - out &&
	test_must_fail rwstats --sip=32 --count=0 wide.rw 2>err
'

test_case 'wrong switches and files fail' '
	test_must_fail rwcut --fields=nothing records.rw &&
	test_must_fail rwcut --tail-recs=1 --start-rec-num=1 records.rw &&
	test_must_fail rwcut missing.rw &&
	test_must_fail rwuniq records.rw &&
	test_must_fail rwuniq --fields=sip,sip records.rw &&
	test_must_fail rwuniq --fields=sip --values=distinct:sip records.rw &&
	test_must_fail rwstats --fields=sip records.rw &&
	test_must_fail rwstats --fields=sip --count=1 --threshold=1 records.rw &&
	test_must_fail rwcount --bin-size=0 records.rw &&
	test_must_fail rwcount --load-scheme=m records.rw &&
	test_must_fail rwcount --bin-size=0.001 --start-time=2000/01/01 --end-time=2020/01/01 records.rw &&
	test_must_fail rwsort --fields=sip --input-pipe=- records.rw </dev/null &&
	test_must_fail rwsort --fields=sip --input-pipe=nosuch --input-pipe=- <records.rw 2>err && test_grep "multiple times" err &&
	test_must_fail rwsort records.rw
'

test_case 'a list of names that cannot be read is told' '
	test_must_fail rwcut --xargs=/tmp 2>log >out && test_grep "/tmp: Is a directory" log
'

test_case 'a name that is nearly one is told' '
	test_must_fail rwtuc --fields=siip </dev/null 2>err && test_grep "did you mean .sIP" err &&
	test_must_fail rwbag --bag-file=sprt,bytes,x.bag records.rw 2>err && test_grep "did you mean .sPort" err &&
	test_must_fail rwbag --bag-file=sport,byts,x.bag records.rw 2>err && test_grep "did you mean .bytes" err &&
	test_must_fail rwbagbuild --key-type=dprot --bag-input=- </dev/null 2>err && test_grep "did you mean .dPort" err &&
	test_must_fail rwaggbag --keys=sIPv5 --counters=records records.rw 2>err && test_grep "did you mean .sIPv[46]" err
'
test_done
