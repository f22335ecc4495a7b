#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

cat >a.txt <<'EOF'
# two hosts, two networks
10.0.0.1
10.0.0.3

 10.0.1.0/24  # all of it
10.0.2.0/23
EOF
cat >b.txt <<'EOF'
2001:db8::1
2001:db8::5
2001:db8:0:0:1::/80
2001:db8:1::/48
EOF
cat >flows.txt <<'EOF'
sIP|dIP|nhIP|
10.0.0.1|192.168.0.1|172.16.0.1|
10.0.0.2|192.168.0.1|172.16.0.1|
10.0.0.1|192.168.0.2|172.16.0.2|
EOF

test_case 'rwsetbuild writes every version, rwsetcat reads them back' '
	for v in 0 2 3 4; do
		rwsetbuild --record-version=$v a.txt a$v.set &&
		rwsetcat --cidr-blocks a$v.set >out || return 1
		printf "10.0.0.1\n10.0.0.3\n10.0.1.0/24\n10.0.2.0/23\n" | test_cmp - out || return 1
	done &&
	for v in 0 3 4 5; do
		rwsetbuild --record-version=$v b.txt b$v.set &&
		rwsetcat b$v.set >out || return 1
		printf "2001:db8::1\n2001:db8::5\n2001:db8:0:0:1::/80\n2001:db8:1::/48\n" |
			test_cmp - out || return 1
	done
'

test_case 'versions and header entries are as rwfileinfo shows them' '
	rwfileinfo --fields=record-version --no-titles a0.set b0.set >out &&
	printf "2\n3\n" | test_cmp - out &&
	rwsetbuild --note-add=hello a.txt note.set && rwfileinfo note.set >out &&
	test_grep "rwsetbuild --note-add=hello a.txt note.set" out && test_grep hello out &&
	rwsetbuild --invocation-strip a.txt strip.set && rwfileinfo strip.set >out &&
	test_must_fail grep -q rwsetbuild out
'

test_case 'rwsetbuild takes wildcards, numbers and ranges' '
	printf "10.0-1.0.x\n167772161\n" >in && rwsetbuild in w.set && rwsetcat --cidr w.set >out &&
	printf "10.0.0.0/24\n10.1.0.0/24\n" | test_cmp - out &&
	printf "10.0.0.1-10.0.0.6\n10.0.1.0/30\n9\n" >in && rwsetbuild --ip-ranges in - >r.set &&
	rwsetcat --ip-ranges --delimited r.set >out &&
	printf "1|0.0.0.9|0.0.0.9\n6|10.0.0.1|10.0.0.6\n4|10.0.1.0|10.0.1.3\n" | test_cmp - out
'

test_case 'rwsetbuild names the line that is wrong and leaves no file' '
	while IFS="!" read -r line words; do
		printf "10.0.0.1\n%s\n" "$line" >in
		test_must_fail rwsetbuild in bad.set 2>err || return 1
		test_grep "$words" err && ! test -e bad.set || return 1
	done <<-"EOF"
	foo!Invalid IP Wildcard on line 2: Unexpected character .f.
	10.0.0.1/33!on line 2: Value is above maximum of 32
	10.0.0.1/0!on line 2: Value is below minimum of 1
	10.0.0.1-10.0.0.5!Multiple IPs on single line; did you intend to use --ip-ranges?
	10.0.0.5-2!on line 2: Range is invalid
	EOF
	printf "5\n::1\n" >in && test_must_fail rwsetbuild in bad.set 2>err &&
	test_grep "May not mix IPv6 addresses and integer IPs" err
'

test_case 'existing files are refused but for SILK_CLOBBER' '
	test_must_fail rwsetbuild a.txt a2.set 2>err && test_grep "a2.set" err &&
	SILK_CLOBBER=1 rwsetbuild a.txt a2.set
'

test_case 'rwset makes the four sets' '
	rwtuc --output-path=flows.rw flows.txt &&
	rwset --sip-file=s.set --dip-file=d.set --nhip-file=n.set --any-file=any.set flows.rw &&
	rwsetcat s.set >out && printf "10.0.0.1\n10.0.0.2\n" | test_cmp - out &&
	rwsetcat d.set >out && printf "192.168.0.1\n192.168.0.2\n" | test_cmp - out &&
	rwsetcat n.set >out && printf "172.16.0.1\n172.16.0.2\n" | test_cmp - out &&
	rwsetcat --count any.set >out && echo 4 | test_cmp - out
'

test_case 'rwset copies the history of its inputs unless told not to' '
	rwtuc --note-add="of the flows" --output-path=noted.rw flows.txt &&
	rwset --sip-file=h1.set --note-add=mine noted.rw && rwfileinfo h1.set >out &&
	test_grep rwtuc out && test_grep "of the flows" out && test_grep mine out &&
	rwset --sip-file=h2.set --note-strip --invocation-strip noted.rw && rwfileinfo h2.set >out &&
	! grep -e rwtuc -e "of the flows" -e rwset out
'

test_case 'rwset refuses what cannot work and leaves no file' '
	test_must_fail rwset flows.rw 2>err && test_grep "No output specified" err &&
	test_must_fail rwset --sip-file=- --dip-file=stdout flows.rw 2>err &&
	test_grep "Multiple outputs are trying to use stdout" err &&
	test_must_fail rwset --sip-file=none.set nope.rw && test -e none.set && ! test -s none.set && rm none.set &&
	test_must_fail rwset --sip-file=none.set --record-version=1 flows.rw 2>err &&
	test_grep "Illegal version number" err
'

test_case 'an output that fails is removed only when it is a file' '
	ln -s /dev/full full && seq -f "10.0.0.%g" 1 9 >text.in &&
	test_must_fail rwsetbuild text.in full 2>log && test_grep "No space left" log &&
	test -L full && test -c /dev/full
'

test_case 'threat lists' '
	cat >list <<-"EOF" &&
	# a feed
	; with comments
	// of all kinds
	192.0.2.1
	192.0.2.2,scanner,2026-01-01
	"192.0.2.3","bot"
	192.0.2.4 ; SBL1
	192.0.2.16/28 // net
	192[.]0[.]2[.]5	tab
	192.0.2.6 words behind
	192.0.2.40 - 192.0.2.41
	[ipv4-addr:value = '"'192.0.2.7'"' OR ipv6-addr:value = '"'2001:db8::7'"']
	id,address
	17,192.0.2.99
	x.x.x.x
	10.0.0.300
	EOF
	rwsetbuild --lenient list threat.set 2>err &&
	test_grep "skipped 4 of 16 lines without an address, the first is line 13" err &&
	rwsetcat --cidr threat.set >out && cat >want <<-"EOF" &&
	192.0.2.1
	192.0.2.2/31
	192.0.2.4/30
	192.0.2.16/28
	192.0.2.40/31
	2001:db8::7
	EOF
	test_cmp want out &&
	printf "192.0.2.1\n" >clean && rwsetbuild --lenient clean clean.set 2>err &&
	test_cmp /dev/null err &&
	test_must_fail rwsetbuild --lenient --ip-ranges clean no.set 2>err &&
	test_grep "Cannot combine" err &&
	test_must_fail rwsetbuild list no.set 2>err
'

test_case 'times of sightings' '
	cat >times.txt <<-"EOF" &&
	sIP|dIP|sTime|duration|
	10.0.0.1|10.0.0.9|2026/03/01T00:00:00.250|1.500|
	10.0.0.2|10.0.0.9|2026/03/02T00:00:00.000|0.000|
	10.0.0.1|10.0.0.9|2026/03/03T12:00:00.000|60.000|
	EOF
	rwtuc times.txt >times.rw && rwset --sip-file=seen.set --with-times times.rw &&
	rwsetcat --with-times --delimited seen.set >out && cat >want <<-"EOF" &&
	10.0.0.1|2026/03/01T00:00:00.250|2026/03/03T12:01:00.000
	10.0.0.2|2026/03/02T00:00:00.000|2026/03/02T00:00:00.000
	EOF
	test_cmp want out &&
	rwset --sip-file=plain.set times.rw && rwsetcat plain.set >want && rwsetcat seen.set >out &&
	test_cmp want out && rwfilter --sipset=seen.set --print-statistics times.rw 2>out &&
	test_grep "Read *3\. *Pass *3" out &&
	test_must_fail rwsetcat --with-times plain.set 2>err && test_grep "not an IPset file with times" err &&
	test_must_fail rwset --sip-file=x.set --with-times --record-version=4 times.rw
'

test_case 'a watch list ages' '
	rwsettool --union --seen-since=2026/03/03 seen.set >young.set && rwsetcat young.set >out &&
	echo 10.0.0.1 | test_cmp - out &&
	rwsettool --union --seen-before=2026/03/03 seen.set >old.set && rwsetcat old.set >out &&
	echo 10.0.0.2 | test_cmp - out &&
	printf "sIP|sTime|\n10.0.0.2|2026/03/05T00:00:00|\n10.0.0.3|2026/03/06T00:00:00|\n" >more.txt &&
	rwtuc more.txt >more.rw && rwset --sip-file=more.set --with-times more.rw &&
	rwsettool --union --with-times --seen-since=2026/03/04 seen.set more.set >both.set &&
	rwsettool --union --with-times seen.set more.set >all.set &&
	rwsetcat --with-times --delimited all.set >out && cat >want <<-"EOF" &&
	10.0.0.1|2026/03/01T00:00:00.250|2026/03/03T12:01:00.000
	10.0.0.2|2026/03/02T00:00:00.000|2026/03/05T00:00:00.000
	10.0.0.3|2026/03/06T00:00:00.000|2026/03/06T00:00:00.000
	EOF
	test_cmp want out && rwsetcat --count both.set >out && echo 2 | test_cmp - out &&
	test_must_fail rwsettool --union --seen-since=2026/03/04 plain.set >x.set 2>err &&
	test_grep "not an IPset file with times" err &&
	test_must_fail rwsettool --intersect --with-times seen.set >x.set
'

test_case 'a faulty site file is told, and fatal only where it is needed' '
	printf "version 2\nsensor 0 S0\nclass all\n  sensors NOPE\n  type 0 in\nend class\n" >faulty.conf &&
	rwset --site-config-file=faulty.conf --sip-file=faulty.set flows.rw 2>err &&
	test_grep "faulty.conf:4" err && rwsetcat --count faulty.set >out && echo 2 | test_cmp - out &&
	test_must_fail rwfilter --site-config-file=faulty.conf --sensor=S0 --pass=- flows.rw 2>err >out &&
	test_grep "faulty.conf:4" err && test ! -s out &&
	test_must_fail rwset --site-config-file=none.conf --sip-file=none.set flows.rw 2>err &&
	test_grep none.conf err
'

test_case 'a list of inputs is taken once' '
	echo flows.rw >list &&
	test_must_fail rwset --xargs=list --xargs=list --sip-file=twice.set 2>err &&
	test_grep "Switch used multiple times" err && test ! -e twice.set
'

test_case 'no file is left when one of them cannot be made' '
	rm -f one.out && test_must_fail rwset --sip-file=one.out --dip-file=no/such/folder/two.out </dev/null 2>err && test_grep two.out err && test ! -e one.out
'

test_done
