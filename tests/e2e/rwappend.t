#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwappend: records behind those of another file.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
export SILK_HEADER_NOVERSION=1

# records ADDRESS COUNT: text for rwtuc
records() {
	echo 'sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration'
	awk -v address="$1" -v n="$2" 'BEGIN { for (i = 1; i <= n; i++)
		printf "%s|192.0.2.%d|%d|80|6|%d|%d|2024/03/05T10:00:%02d.500|1\n", address, i, 1024 + i, i, 40 * i, i }'
}
records 10.1.1.1 3 >a.txt && records 10.2.2.2 2 >b.txt && records 2001:db8::1 2 >six.txt &&
	rwtuc --output-path=a.rw --note-add=first a.txt && rwtuc --output-path=b.rw b.txt &&
	rwtuc --output-path=six.rw six.txt && rwcat --byte-order=big --compression-method=zlib \
	--output-path=big.rw --note-add="of the big one" a.rw || exit 99

count() {
	rwfileinfo --no-titles --fields=count-records "$1" >count && [ "$(cat count)" -eq "$2" ]
}
listing() {
	rwcut --fields=1-9 --no-titles "$@"
}

test_case 'records go behind those that are there' '
	cp a.rw t.rw && rwappend t.rw b.rw six.rw >out 2>err && test_lines out 0 && test_lines err 0 &&
	{ listing a.rw b.rw six.rw; } >want && listing t.rw >got && test_cmp want got &&
	rwfileinfo --no-titles --fields=annotations t.rw >info && echo first >want && test_cmp want info
'
test_case 'statistics' '
	cp a.rw t.rw && rwappend --print-statistics t.rw b.rw - six.rw <a.rw 2>err && cat >want <<E &&
rwappend: appended 2 records from b.rw to t.rw
rwappend: appended 3 records from - to t.rw
rwappend: appended 2 records from six.rw to t.rw
rwappend: appended 7 records from 3 files to t.rw
E
	test_cmp want err && count t.rw 10 &&
	rwappend --print-statistics t.rw 2>err &&
	echo "rwappend: appended 0 records from 0 files to t.rw" >want && test_cmp want err
'
test_case 'a target that is not there' '
	rm -f n.rw && test_must_fail rwappend n.rw a.rw 2>err && [ ! -e n.rw ] &&
	test_grep "n.rw: No such file or directory" err && test_grep "[-]-create" err &&
	rwappend --create n.rw a.rw b.rw && rwcat --output-path=cat.rw a.rw b.rw &&
	listing n.rw >got && listing cat.rw >want && test_cmp want got &&
	rwfileinfo --no-titles --fields=format,compression,byte-order n.rw >got &&
	rwfileinfo --no-titles --fields=format,compression,byte-order cat.rw >want && test_cmp want got &&
	rwappend --create n.rw a.rw && count n.rw 8 && rm n.rw && SILK_COMPRESSION_METHOD=zlib rwappend --create n.rw a.rw &&
	rwfileinfo --no-titles --fields=compression n.rw >info && test_grep lzo1x info
'
test_case 'like a template, whose records are not taken' '
	rm -f n.rw && rwappend --create=big.rw n.rw b.rw &&
	rwfileinfo --no-titles --fields=format,byte-order,compression,count-records,annotations n.rw >info && cat >want <<E &&
FT_RWIPV6ROUTING(0x0c)
BigEndian
zlib(1)
2
of the big one
E
	sed "s/^ *//" info | test_cmp want - &&
	test_must_fail rwappend --create=nosuch.rw m.rw b.rw 2>err && test_grep "Invalid create .nosuch.rw." err && [ ! -e m.rw ]
'
test_case 'IPv6 records where there is room for IPv4 alone' '
	rm -f v4.rw && rwcat --ipv4-output --output-path=v4.rw a.rw &&
	rwappend --print-statistics v4.rw six.rw b.rw 2>err && count v4.rw 5 &&
	test_grep "six.rw: 2 records left out, the first for this: IPv6 addresses" err &&
	test_grep "appended 0 records from six.rw" err
'
test_case 'records outside the hour of an hourly file' '
	SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf && export SILK_CONFIG_FILE &&
	sed -n "s/^split-le //p" "$DATA/streamvectors.txt" | python3 -c \
		"import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))" >hour.rw &&
	rwfileinfo --no-titles --fields=count-records hour.rw >before && rwappend hour.rw a.rw 2>err &&
	rwfileinfo --no-titles --fields=count-records hour.rw >after && test_cmp before after &&
	test_grep "a.rw: 3 records left out, the first for this: " err
'
test_case 'a block file stays one' '
	rm -f b.tb && rwconvert --file-format=block --output-path=b.tb a.rw && rwappend b.tb b.rw && count b.tb 5 &&
	listing b.tb >got && listing a.rw b.rw >want && test_cmp want got &&
	rm -f c.tb && rwappend --create=b.tb c.tb six.rw && count c.tb 2 &&
	rwfileinfo --no-titles --fields=format c.tb >info && rwfileinfo --no-titles --fields=format b.tb >want && test_cmp want info &&
	rm -f s.rw && rwappend --create=a.rw s.rw b.tb && count s.rw 5
'
test_case 'sources that cannot be read are told, and others taken' '
	cp a.rw t.rw && rwcat --compression-method=none --output-path=plain.rw a.rw && head -c 300 plain.rw >cut.rw &&
	rwappend t.rw nosuch cut.rw "$DATA/filter.txt" b.rw 2>err && count t.rw 7 &&
	test_grep "nosuch: " err && test_grep "cut.rw: record 3 is incomplete" err && test_grep "filter.txt: " err
'
test_case 'never to itself' '
	cp a.rw t.rw && ln -sf t.rw link.rw && rwappend t.rw ./t.rw link.rw b.rw 2>err && count t.rw 5 &&
	test_grep "./t.rw: left out, being the target itself" err && test_grep "link.rw: left out" err
'
test_case 'what cannot be a target' '
	test_must_fail rwappend 2>err && test_grep "name of the target file is missing" err &&
	test_must_fail rwappend /dev/null a.rw 2>err && test_grep "/dev/null: not a regular file" err &&
	cp "$DATA/filter.txt" text && test_must_fail rwappend text a.rw 2>err && test_grep "^rwappend: text: " err &&
	test_cmp "$DATA/filter.txt" text && : >empty && test_must_fail rwappend empty a.rw 2>err && [ ! -s empty ] &&
	gzip -c a.rw >a.rw.gz && test_must_fail rwappend a.rw.gz a.rw 2>err && test_grep "cannot append to a gzip file" err &&
	test_must_fail rwappend --create - a.rw >out 2>err && [ ! -s out ] && test_grep "must be a file" err &&
	test_must_fail rwappend --create nodir/n.rw a.rw 2>err && test_grep nodir err &&
	test_must_fail rwappend --bogus 2>err && test_grep "unrecognized option" err
'
test_case 'a full disk' '
	cp a.rw t.rw &&
	records 10.9.9.9 60000 | sed "s/T10:00:[0-9.]*/T10:00:00/" >many.txt && rwtuc --output-path=many.rw many.txt &&
	cp t.rw before.rw &&
	(trap "" XFSZ; ulimit -f 4 && test_must_fail rwappend t.rw many.rw 2>err) && test_grep "^rwappend: t.rw: " err &&
	rwcut --num-recs=3 --no-titles --fields=1-9 t.rw >got && listing before.rw >want && test_cmp want got
'
test_case 'statistics as data' '
	cp a.rw t.rw && rwappend --print-statistics --output-format=csv t.rw b.rw - six.rw <a.rw 2>err && cat >want <<E && test_cmp want err &&
source,target,records
b.rw,t.rw,2
-,t.rw,3
six.rw,t.rw,2
E
	rwappend --print-statistics --output-format=json t.rw b.rw 2>err && echo "{\"source\":\"b.rw\",\"target\":\"t.rw\",\"records\":2}" | test_cmp - err &&
	rwappend --output-format=json t.rw b.rw 2>err && test ! -s err
'
test_done
