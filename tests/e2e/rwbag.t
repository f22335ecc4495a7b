#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export TZ=0

cat >flows.txt <<'EOF'
sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|sensor|nhIP|
10.0.0.1|192.168.0.1|1024|80|6|3|120|S|2024/02/28T12:00:00.900|2.200|0|172.16.0.1|
10.0.0.2|192.168.0.1|1025|80|6|4|200|SA|2024/02/28T12:00:01|0|0|172.16.0.1|
10.0.0.1|192.168.0.2|1024|53|17|1|60||2024/02/28T12:00:01|1|1|172.16.0.2|
EOF
cat >flows6.txt <<'EOF'
sIP|dIP|packets|bytes|
2001:db8::1|2001:db8::2|3|120|
EOF
rwtuc --output-path=flows.rw flows.txt && rwtuc --output-path=flows6.rw flows6.txt || exit 99

# bag ARGUMENTS...: one bag as text in out
bag() {
	spec=$1
	shift
	rm -f x.bag && rwbag --bag-file="$spec,x.bag" "$@" && rwbagcat --delimited x.bag >out
}

test_case 'every key and counter' '
	while IFS="!" read -r spec expected; do
		bag "$spec" flows.rw && printf "$expected" | test_cmp - out || return 1
	done <<-"EOF"
	sIPv4,records!10.0.0.1|2\n10.0.0.2|1\n
	sIPv6,flows!::ffff:10.0.0.1|2\n::ffff:10.0.0.2|1\n
	DIPV4,bytes!192.168.0.1|320\n192.168.0.2|60\n
	nhipv4,sum-packets!172.16.0.1|7\n172.16.0.2|1\n
	sPort,packets!1024|4\n1025|4\n
	dport,sum-bytes!53|60\n80|320\n
	protocol,records!6|2\n17|1\n
	packets,records!1|1\n3|1\n4|1\n
	bytes,records!60|1\n120|1\n200|1\n
	stime,records!2024/02/28T12:00:00|1\n2024/02/28T12:00:01|2\n
	etime,records!2024/02/28T12:00:01|1\n2024/02/28T12:00:02|1\n2024/02/28T12:00:03|1\n
	duration,records!0|1\n1|1\n2|1\n
	flags,records!|1\nS|1\nSA|1\n
	sensor,records!0|2\n1|1\n
	input,records!0|3\n
	output,records!0|3\n
	application,records!0|3\n
	attributes,records!|3\n
	initialf,records!|3\n
	sessionf,records!|3\n
	EOF
'

test_case 'several bags in one pass, and the old switches' '
	rwbag --bag-file=sipv4,records,a.bag --dip-bytes=b.bag --proto-flows=- flows.rw >c.bag &&
	rwbagcat --delimited a.bag b.bag c.bag >out &&
	printf "10.0.0.1|2\n10.0.0.2|1\n192.168.0.1|320\n192.168.0.2|60\n6|2\n17|1\n" |
		test_cmp - out &&
	rwfileinfo --fields=bag,record-version --no-titles a.bag c.bag >out &&
	printf "%s\n" 3 "key: sIPv4 @ 4 octets; counter: records @ 8 octets" \
		3 "key: protocol @ 4 octets; counter: records @ 8 octets" | test_cmp - out
'

test_case 'IPv6 makes a bag of IPv6 keys' '
	bag sipv4,bytes flows.rw flows6.rw &&
	printf "::ffff:10.0.0.1|180\n::ffff:10.0.0.2|200\n2001:db8::1|120\n" | test_cmp - out &&
	rwfileinfo --fields=bag,record-version --no-titles x.bag >out &&
	printf "%s\n" 4 "key: sIPv6 @ 16 octets; counter: sum-bytes @ 8 octets" | test_cmp - out &&
	bag sipv4,bytes --ipv6-policy=ignore flows.rw flows6.rw &&
	printf "10.0.0.1|180\n10.0.0.2|200\n" | test_cmp - out
'

test_case 'notes and command lines of inputs are kept' '
	rwtuc --note-add=first --output-path=noted.rw flows.txt &&
	rm -f x.bag && rwbag --bag-file=sport,records,x.bag --note-add=second noted.rw &&
	rwfileinfo --fields=command-lines,annotations x.bag >out &&
	test_grep "rwtuc --note-add=first" out && test_grep "rwbag --bag-file" out &&
	test_grep first out && test_grep second out &&
	rm x.bag && rwbag --bag-file=sport,records,x.bag --note-strip --invocation-strip noted.rw &&
	rwfileinfo --fields=command-lines,annotations --no-titles x.bag >out && test_lines out 0
'

test_case 'keys by country and prefix map' '
	printf "10.0.0.0/24 office\n192.168.0.0/16 lab\n" >map.txt &&
	rwpmapbuild --input-path=map.txt --output-path=map.pmap &&
	rm -f x.bag && rwbag --pmap-file=m:map.pmap --bag-file=dip-pmap:m,records,x.bag flows.rw &&
	test_must_fail rwbagcat x.bag 2>err && test_grep "pmap-file switch is required" err &&
	rwbagcat --delimited --pmap-file=map.pmap x.bag >out && printf "lab|3\n" | test_cmp - out &&
	printf "mode proto-port\n6/80 6/80 web\n17/53 17/53 dns\n" >ports.txt &&
	rwpmapbuild --input-path=ports.txt --output-path=ports.pmap &&
	rm -f x.bag &&
	rwbag --pmap-file=p:ports.pmap --bag-file=dport-pmap:p,records,x.bag flows.rw &&
	rwbagcat --delimited --pmap-file=ports.pmap x.bag >out &&
	printf "web|2\ndns|1\n" | test_cmp - out &&
	test_must_fail rwbagcat --pmap-file=map.pmap x.bag 2>err && test_grep "Cannot use" err
'

test_case 'wrong switches are told, and leave no file' '
	while IFS="!" read -r spec words; do
		test_must_fail rwbag --bag-file="$spec" flows.rw 2>err || return 1
		test_grep "$words" err || return 1
	done <<-"EOF"
	sip,records,y.bag!Ambiguous key name
	nope,records,y.bag!Unknown or unsupported key name
	any-ipv4,records,y.bag!Unknown or unsupported key name
	sipv4,nope,y.bag!counter name
	sipv4,records!expected KEY,COUNTER,PATH
	sipv4,records,!expected KEY,COUNTER,PATH
	sip-pmap,records,y.bag!must follow the key
	sip-pmap:m,records,y.bag!No prefix map has map-name
	sport:m,records,y.bag!takes no map
	EOF
	! test -e y.bag &&
	test_must_fail rwbag flows.rw 2>err && test_grep "required" err &&
	test_must_fail rwbag --bag-file=sport,records,- --bag-file=dport,records,stdout flows.rw \
		2>err && test_grep "Only one output" err &&
	test_must_fail rwbag --bag-file=sport,records,y.bag nonexistent.rw 2>err &&
	test -e y.bag && ! test -s y.bag && rm y.bag &&
	rwbag --bag-file=sport,records,y.bag flows.rw &&
	test_must_fail rwbag --bag-file=sport,records,y.bag flows.rw 2>err && test_grep y.bag err &&
	SILK_CLOBBER=1 rwbag --bag-file=sport,records,y.bag flows.rw &&
	rwbag --legacy-help >out && test_grep "nhip-packets" out
'

# --- rwbagbuild ---

# build TEXT SWITCHES...: the bag of a text, as text in out
build() {
	printf "$1" >in
	shift
	rm -f b.bag && rwbagbuild --bag-input=in --output-path=b.bag "$@" &&
		rwbagcat --delimited b.bag >out
}

test_case 'rwbagbuild takes numbers, addresses, blocks and wildcards' '
	build "80|5\n443|7\n 80 | 1 |x\n# c\n\n8\n9|\n10|0\n" --key-type=dPort &&
	printf "8|1\n9|1\n80|6\n443|7\n" | test_cmp - out &&
	build "10.0.0.0/30|2\n10.0-1.0.1|4\n" &&
	printf "10.0.0.0|2\n10.0.0.1|6\n10.0.0.2|2\n10.0.0.3|2\n10.1.0.1|4\n" | test_cmp - out &&
	build "10.0.0.1|5\n2001:db8::1|7\n2001:db8::0|0\n" --key-type=sipv4 &&
	printf "::ffff:10.0.0.1|5\n2001:db8::1|7\n" | test_cmp - out &&
	build "1,2\n3,x\n" --delimiter=, --default-count=9 --key-type=sport &&
	printf "1|9\n3|9\n" | test_cmp - out &&
	build "5|18446744073709551614\n5|1\n" --key-type=sport 2>err && test_grep WARNING err &&
	printf "5|18446744073709551614\n" | test_cmp - out
'

test_case 'rwbagbuild writes the bytes of the specification' '
	printf "80|5\n443|7\n80|1\n" >in && rm -f b.bag &&
	rwbagbuild --bag-input=in --key-type=dPort --counter-type=records --invocation-strip \
		--compression-method=none --output-path=b.bag &&
	od -An -v -tx1 b.bag | tr -d " \n" >out &&
	printf "%s" deadbeef00211000002e1cb1000c0003 0000000600000010 00030004001c0008 \
		00000000000000100000000000000000 500000000600000000000000 \
		bb0100000700000000000000 | test_cmp - out
'

test_case 'rwbagbuild names the line that is wrong and leaves no file' '
	while IFS="!" read -r line words; do
		printf "1|1\n%s\n" "$line" >in && rm -f b.bag
		test_must_fail rwbagbuild --bag-input=in --output-path=b.bag 2>err || return 1
		test_grep "$words" err && ! test -e b.bag || return 1
	done <<-"EOF"
	abc|7!Error parsing IP on line 2
	|7!Error parsing IP on line 2
	4294967296|7!Error parsing IP on line 2
	1.2.3.4/0|7!line 2
	5|-1!Error parsing count on line 2
	5||7!Error parsing count on line 2
	5|6 7!Error parsing count on line 2
	5|18446744073709551615!Value is above maximum of 18446744073709551614
	2001:db8::1|1!May not mix integer keys with IPv6 keys
	EOF
'

test_case 'rwbagbuild takes sets, countries and prefix maps' '
	printf "10.0.0.1\n10.0.0.3\n" >in && rwsetbuild in s.set && rm -f b.bag &&
	rwbagbuild --set-input=s.set --default-count=3 --output-path=b.bag &&
	rwbagcat --delimited b.bag >out && printf "10.0.0.1|3\n10.0.0.3|3\n" | test_cmp - out &&
	rwfileinfo --fields=bag b.bag >out && test_grep any-IPv4 out && rm b.bag &&
	rwbagbuild --set-input=s.set --key-type=sip-pmap --pmap-file=map.pmap --output-path=b.bag &&
	rwbagcat --delimited --pmap-file=map.pmap b.bag >out && printf "office|2\n" |
		test_cmp - out && rm b.bag &&
	printf "6|80|5\n6|80\n17|53|2\n" >in &&
	rwbagbuild --bag-input=in --key-type=sport-pmap --pmap-file=ports.pmap \
		--output-path=b.bag &&
	rwbagcat --delimited --pmap-file=ports.pmap b.bag >out &&
	printf "web|6\ndns|2\n" | test_cmp - out &&
	test_must_fail rwbagbuild --bag-input=in --key-type=sip-pmap 2>err &&
	test_grep "pmap-file switch is required" err &&
	test_must_fail rwbagbuild --bag-input=in --set-input=s.set 2>err &&
	test_must_fail rwbagbuild 2>err && test_grep "Must specify" err
'

test_case 'no file is left when one of them cannot be made' '
	rm -f one.out && test_must_fail rwbag --bag-file=sipv4,records,one.out --bag-file=dipv4,records,no/such/folder/two.out </dev/null 2>err && test_grep two.out err && test ! -e one.out
'

test_done
