#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwcut, rwuniq, rwstats, rwcount, rwtotal and rwaddrcount print the same, to the byte, whatever the number of threads.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/tests/perf/silk.conf SILK_HEADER_NOVERSION=1

# same COMMAND...: output, messages and exit status with 1, 2 and 3 threads, of standard input if the
# command names no file.
same() {
	rm -rf with-1 with-2 with-3
	for same_threads in 1 2 3; do
		mkdir with-$same_threads || return 1
		"$@" --threads=$same_threads >with-$same_threads/out 2>with-$same_threads/err <large.rw
		echo $? >with-$same_threads/status
		diff -r with-1 with-$same_threads || return 1
	done
}

test_case 'files of three days, of blocks and of rows, and one large one of each' '
	mkdir flows && cp "$SILK_CONFIG_FILE" flows/silk.conf &&
	"$TUSSAH_BUILDDIR/tests/perf/flowgen" --records=60000 --days=3 --root=flows \
		--site-config-file=flows/silk.conf --hosts=hosts &&
	find "$PWD/flows" -name "*-S*" | sort >rows &&
	rwcat --xargs=rows --output-path=large.rw &&
	rwconvert --file-format=block --output-path=large.block large.rw &&
	sed 20q rows | while read -r name; do
		rwconvert --file-format=block --output-path="$PWD/$(basename "$name").block" "$name" &&
		echo "$PWD/$(basename "$name").block"
	done >blocks &&
	sed 1,20d rows >>blocks && echo "$PWD/large.block" >>blocks
'
test_case 'rwcut' '
	same rwcut --xargs=rows && test_lines with-1/out 60001 &&
	same rwcut --xargs=blocks && test_lines with-1/out 120001 &&
	same rwcut && test_lines with-1/out 60001 &&
	same rwcut large.block && test_lines with-1/out 60001 &&
	same rwcut --xargs=blocks --output-format=json --all-fields &&
	same rwcut --xargs=blocks --ipv6-policy=only --print-filenames &&
	same rwcut --xargs=blocks --sampling=scale --fields=bytes,packets --output-format=csv &&
	same rwcut --xargs=blocks --fields=sip,samplingInterval --no-titles
'
test_case 'rwcut: parts of the input' '
	same rwcut --xargs=blocks --num-recs=100 && test_lines with-1/out 101 &&
	same rwcut --xargs=blocks --start-rec-num=30000 --num-recs=70000 &&
	same rwcut --xargs=blocks --tail-recs=7 && test_lines with-1/out 8
'
test_case 'many small files, and few that may be open' '
	mkdir small && sed 9q rows | while read -r name; do rwcat "$name" --output-path="small/$(basename "$name")" || return 1; done &&
	for i in $(seq 40); do ls -d "$PWD"/small/*; done >many &&
	(
		ulimit -n 16 && same rwcut --xargs=many --print-filenames && test_lines with-1/err 360 &&
		same rwuniq --xargs=many --fields=protocol && same rwstats --xargs=many --fields=sip --count=3 &&
		same rwcount --xargs=many --bin-size=3600 && same rwtotal --xargs=many --proto --skip-zeroes &&
		same rwaddrcount --xargs=many --print-stat && test "$(cat with-3/status)" = 0
	)
'
test_case 'rwuniq' '
	same rwuniq --xargs=blocks --fields=sip,dport &&
	same rwuniq --xargs=blocks --fields=sip,dport --sort-output &&
	same rwuniq --xargs=rows --fields=protocol --all-counts &&
	same rwuniq --fields=sip --values=distinct:dip,distinct:dport,bytes &&
	same rwuniq --xargs=blocks --fields=dip,stime --bin-time=3600 --values=distinct:sip &&
	same rwuniq --xargs=blocks --fields=sip --sip-distinct 2>/dev/null &&
	same rwuniq --fields=dport --packets=5- --ipv6-policy=force --sort-output &&
	rwsort --fields=sip large.rw >sorted.rw && same rwuniq --fields=sip --presorted-input sorted.rw &&
	same rwuniq --xargs=blocks --fields=sip,samplingInterval --sampling=scale
'
test_case 'rwuniq in little memory' '
	same rwuniq --xargs=blocks --fields=sip,dip,dport --values=records,distinct:sport --memory=1m --temp-directory=. &&
	cp with-1/out little && cp little little-1 &&
	rwuniq --xargs=blocks --fields=sip,dip,dport --values=records,distinct:sport --sort-output >out && cmp out little &&
	rwuniq --fields=sip,dport,stime --values=records,distinct:dip --presorted-input large.rw >out &&
	rwuniq --fields=sip,dport,stime --values=records,distinct:dip --presorted-input --memory=1m --temp-directory=. \
		large.rw >little && cmp out little &&
	(
		ulimit -n 16 &&
		rwuniq --xargs=blocks --fields=sip,dip,dport --values=records,distinct:sport --memory=1m --temp-directory=. >few &&
		cmp little-1 few && rwstats --xargs=blocks --fields=sip,dip,dport --percentage=0 --memory=1m --temp-directory=. >few
	) && rwstats --xargs=blocks --fields=sip,dip,dport --percentage=0 >out && cmp out few
'
test_case 'rwstats' '
	same rwstats --xargs=blocks --fields=sip --values=bytes --count=10 &&
	same rwstats --xargs=blocks --fields=sip,dip --values=records --count=20 &&
	same rwstats --xargs=blocks --fields=dport --values=distinct:sip --percentage=1 &&
	same rwstats --fields=sip --values=packets,distinct:dip --threshold=100 --bottom
'
test_case 'rwcount: shares of bins are added in the order of the input' '
	for scheme in 0 1 2 3 4 5 6; do
		same rwcount --xargs=blocks --bin-size=7 --load-scheme=$scheme || return 1
	done &&
	same rwcount --xargs=rows --bin-size=0.3 --skip-zeroes &&
	for size in 1 30 3600 86400 1000000; do
		same rwcount --bin-size=$size && same rwcount --xargs=blocks --bin-size=$size || return 1
	done &&
	same rwcount --xargs=blocks --start-time=2026/03/03 --end-time=2026/03/03:20 --bin-slots &&
	same rwcount --xargs=blocks --sampling=scale --output-format=csv &&
	sed "1!G;h;\$!d" blocks >backwards && same rwcount --xargs=backwards --bin-size=7 --bin-slots &&
	printf "2000/01/01\n2020/01/01\n" | rwtuc --fields=sTime --output-path=apart.rw &&
	same rwcount --bin-size=0.001 apart.rw large.rw && test "$(cat with-1/status)" = 1
'
test_case 'rwtotal' '
	for key in sip-first-8 sip-last-16 dip-first-24 sport proto bytes duration icmp-code; do
		same rwtotal --xargs=blocks --$key --skip-zeroes --summation || return 1
	done &&
	same rwtotal --dip-first-16 --ipv6-policy=mix --min-records=3 && same rwtotal --sport large.block
'
test_case 'rwaddrcount' '
	same rwaddrcount --xargs=blocks --print-recs && same rwaddrcount --xargs=rows --print-recs --sort-ips --use-dest &&
	same rwaddrcount --print-stat --min-bytes=1000 --ipv6-policy=mix &&
	same rwaddrcount --xargs=blocks --print-ips --max-records=3 &&
	for threads in 1 2 3; do
		rwaddrcount --xargs=blocks --set-file=$threads.set --threads=$threads || return 1
	done && cmp 1.set 2.set && cmp 1.set 3.set
'
test_case 'all records are copied' '
	rwcut --threads=1 --xargs=blocks --copy-input=copy1.rw >out1 &&
	rwcut --threads=2 --xargs=blocks --copy-input=copy2.rw >out2 && cmp out1 out2 &&
	rwcut copy2.rw >copied && cmp copied out1 && rwcut copy1.rw >copied && cmp copied out1
'
test_case 'missing files and damage are told in order, and end the input' '
	{ sed 30q blocks && echo "$PWD/none.rw" && sed 1,30d blocks; } >missing &&
	same rwcut --xargs=missing --print-filenames && test_lines with-1/err 31 &&
	test "$(cat with-1/status)" = 1 &&
	same rwuniq --xargs=missing --print-filenames --fields=sip && test_lines with-1/err 31 &&
	head -c 300000 large.rw >cut.rw &&
	{ sed 30q blocks && echo "$PWD/cut.rw" && sed 1,30d blocks; } >damaged &&
	same rwcut --xargs=damaged --print-filenames && test_lines with-1/err 32 &&
	test "$(cat with-1/status)" = 1 &&
	same rwcount --xargs=damaged && same rwtotal --sport --xargs=damaged && same rwaddrcount --print-recs --xargs=damaged &&
	test "$(cat with-1/status)" = 1 && same rwaddrcount --print-recs --xargs=missing && same rwtotal --sport --xargs=missing
'
test_case 'a damaged block costs that block' '
	rwcat large.rw large.rw large.rw --output-path=larger.rw &&
	rwconvert --file-format=block --output-path=damaged.block larger.rw &&
	printf XXXXXXXX | dd of=damaged.block bs=1 seek=100000 conv=notrunc 2>dd.err &&
	same rwcut damaged.block large.rw && grep -q damaged.block with-1/err &&
	test "$(wc -l <with-1/out)" -gt 60001 && test "$(wc -l <with-1/out)" -lt 240001 &&
	test "$(cat with-1/status)" = 1
'
test_done
