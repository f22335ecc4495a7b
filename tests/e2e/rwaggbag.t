#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export TZ=0

cat >silk.conf <<'EOF'
version 2
sensor 0 S0
sensor 1 S1
class all
    sensors S0 S1
    type 0 in in
    type 1 out out
end class
class alt
    sensors S1
    type 2 in altin
    type 3 misc altmisc
end class
default-class all
packing-logic "packlogic-twoway.so"
EOF
export SILK_CONFIG_FILE=$PWD/silk.conf

cat >flows.txt <<'EOF'
sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|sensor|class|type|
10.0.0.1|192.168.0.1|1024|80|6|3|120|S|2024/02/28T12:00:00.900|2.200|S0|all|in|
10.0.0.2|192.168.0.1|1025|80|6|4|200|SA|2024/02/28T12:00:01|0|S0|all|out|
10.0.0.1|192.168.0.2|1024|53|17|1|60||2024/02/28T12:00:01|1|S1|alt|misc|
10.0.0.1|192.168.0.1|8|771|1|1|60||2024/02/28T12:00:01|1|S1|all|in|
2001:db8::1|2001:db8::2|1|2|6|1|60||2024/02/28T12:00:01|1|S1|all|in|
EOF
rwtuc --output-path=flows.rw flows.txt || exit 99

# --- rwaggbag and rwaggbagcat ---

# counts EXPECTED KEYS COUNTERS SWITCHES...
counts() {
	printf "$1" >expected
	keys=$2 counters=$3
	shift 3
	rm -f x.aggbag && rwaggbag --keys=$keys --counters=$counters --output-path=x.aggbag "$@" \
		flows.rw && rwaggbagcat --delimited --no-titles x.aggbag >out &&
		test_cmp expected out
}

test_case 'keys and counters' '
	counts "0.0.0.0|1\n10.0.0.1|3\n10.0.0.2|1\n" sipv4 records &&
	counts "::ffff:10.0.0.1|240\n::ffff:10.0.0.2|200\n2001:db8::1|60\n" SIPV6 sum-bytes &&
	counts "2|6|1|1\n53|17|1|1\n80|6|2|7\n771|1|1|1\n" protocol,dport sum-packets,records &&
	counts "2024/02/28T12:00:00|2|2024/02/28T12:00:03|2\n2024/02/28T12:00:01|1|2024/02/28T12:00:02|3\n" \
		stime,etime,duration sum-duration &&
	counts "|S1|all|in|2\n|S1|alt|misc|1\nS|S0|all|in|1\nSA|S0|all|out|1\n" \
		sensor,class,type,flags records &&
	counts "1|3|3|1\n6|0|0|3\n17|0|0|1\n" protocol,icmptype,icmpcode records &&
	counts "10.0.0.1|3\n10.0.0.2|1\n" sipv4 records --ipv6-policy=ignore
'

test_case 'wrong lists of fields' '
	while read -r switches; do
		test_must_fail rwaggbag $switches --output-path=y.aggbag flows.rw 2>err || return 1
		! test -e y.aggbag || return 1
	done <<-"EOF"
	--keys=sport
	--counters=records
	--keys=sip --counters=records
	--keys=sport,sport --counters=records
	--keys=any-port --counters=records
	--keys=records --counters=records
	--keys=sport --counters=custom-counter
	--keys=sport --counters=sum
	EOF
	rwaggbag --help-fields >out && test_grep sum-duration out
'

test_case 'columns, titles, chosen fields' '
	rm -f a.aggbag p.aggbag &&
	rwaggbag --keys=sipv4,dport --counters=records,sum-bytes --output-path=a.aggbag \
		--ipv6-policy=ignore flows.rw &&
	rwaggbag --keys=dport --counters=records --output-path=p.aggbag flows.rw &&
	rwaggbagcat a.aggbag >out &&
	cat >expected <<-"EOF" &&
	          sIPv4|dPort|   records|           sum-bytes|
	       10.0.0.1|   53|         1|                  60|
	       10.0.0.1|   80|         1|                 120|
	       10.0.0.1|  771|         1|                  60|
	       10.0.0.2|   80|         1|                 200|
	EOF
	test_cmp expected out &&
	rwaggbagcat --delimited a.aggbag p.aggbag >out && test "$(grep -c dPort out)" = 2 &&
	rwaggbagcat --delimited --fields=records,sipv4,scc --missing-field=sipv4=none a.aggbag \
		p.aggbag >out &&
	printf "%s\n" "records|sIPv4|scc" "1|10.0.0.1|" "1|10.0.0.1|" "1|10.0.0.1|" "1|10.0.0.2|" \
		"1|none|" "1|none|" "2|none|" "1|none|" | test_cmp - out &&
	rwaggbagcat --delimited --no-titles --ip-format=decimal --fields=sipv4 a.aggbag >out &&
	printf "%s\n" 167772161 167772161 167772161 167772162 | test_cmp - out &&
	test_must_fail rwaggbagcat --missing-field=scc=x a.aggbag 2>err &&
	test_must_fail rwaggbagcat --fields=dport --missing-field=scc=x a.aggbag 2>err &&
	test_must_fail rwaggbagcat --fields=dport,dport a.aggbag 2>err &&
	test_must_fail rwaggbagcat flows.rw 2>err && test_grep "not an aggregate bag" err &&
	test_must_fail rwaggbagcat nonexistent 2>err
'

# --- rwaggbagbuild ---

# build TEXT SWITCHES...: as text in out
build() {
	printf "$1" >in
	shift
	rm -f b.aggbag && rwaggbagbuild --output-path=b.aggbag "$@" in 2>err &&
		rwaggbagcat --delimited b.aggbag >out
}

test_case 'rwaggbagbuild writes the bytes of the specification' '
	printf "%s\n" "sPort|protocol|sum-bytes|records" "443|6|1500|2" "53|17|80|1" "443|6|40|1" \
		"9|6|0|0" >in && rm -f b.aggbag &&
	rwaggbagbuild --invocation-strip --compression-method=none --output-path=b.aggbag in &&
	od -An -v -tx1 b.aggbag | tr -d " \n" >out &&
	printf "%s" deadbeef00091000002e1cb100130001 0000000800000018 00000001 00040002 \
		00020004c000c002 0000000000000011 000000000000000000 \
		003511 0000000000000001 0000000000000050 \
		01bb06 0000000000000003 0000000000000604 | test_cmp - out
'

test_case 'rwaggbagbuild takes titles, fields and constants' '
	build "sport|ignore|records\n5|x|6\n" && printf "sPort|records\n5|6\n" | test_cmp - out &&
	build "sport,dport|records\n5|7|6\n" && printf "sPort|dPort|records\n5|7|6\n" | test_cmp - out &&
	build "sport|records\n5|6\n" --fields=dport,records &&
	printf "dPort|records\n5|6\n" | test_cmp - out &&
	build "#c\n\n 5 , 6 ,\n5,1 # x\n" --fields=dport,records --column-separator=, &&
	printf "dPort|records\n5|7\n" | test_cmp - out &&
	build "sport|records\n5|6\n5|7\n" --constant-field=records=2 --constant-field=sensor=S1 &&
	printf "sPort|sensor|records\n5|S1|4\n" | test_cmp - out &&
	printf "sport|records\n5|6\n" >f1 && printf "records|dport|sport\n7|8|5\n" >f2 &&
	rwaggbagbuild f1 f2 >b.aggbag && rwaggbagcat --delimited b.aggbag >out &&
	printf "sPort|records\n5|13\n" | test_cmp - out &&
	build "class|type|records\nalt|misc|1\nall|misc|2\nno|in|3\n" &&
	printf "class|type|records\nall|255|2\nalt|misc|1\n?|255|3\n" | test_cmp - out &&
	build "sipv6|stime|flags|scc|records\n1.2.3.4|2024/02/28T12:00:00.5|SA|US|1\n" &&
	printf "flags|sTime|sIPv6|scc|records\n|2024/02/28T12:00:00|::ffff:1.2.3.4|us|1\n" |
		test_cmp - out
'

test_case 'rwaggbagbuild keeps lines that are wrong' '
	printf "%s\n" "sport|records" "5|6" "5|x  # why" "7" "8|" "1|2|3" "65536|1" "|3" "9|1|" >in &&
	rm -f b.aggbag && rwaggbagbuild --bad-input-lines=bad --output-path=b.aggbag in 2>err &&
	printf "%s\n" "in:3:5|x  " "in:4:7" "in:5:8|" "in:6:1|2|3" "in:7:65536|1" | test_cmp - bad &&
	test_grep "Could not parse 5 lines" err &&
	rwaggbagcat --delimited --no-titles b.aggbag >out && printf "0|3\n5|6\n9|1\n" |
		test_cmp - out &&
	rwaggbagbuild --verbose in 2>err >b.aggbag && test_grep "in:3: Invalid records" err &&
	test_must_fail rwaggbagbuild --stop-on-error in 2>err >b.aggbag &&
	test_grep "in:3: Invalid records" err &&
	rm bad && printf "sport|records\n5|6\n" >in && rwaggbagbuild --bad-input-lines=bad in >b.aggbag &&
	! test -e bad
'

test_case 'rwaggbagbuild tells what cannot be' '
	while IFS="!" read -r text switches; do
		printf "$text" >in
		test_must_fail rwaggbagbuild $switches in >b.aggbag 2>err || return 1
		! test -s b.aggbag || return 1
	done <<-"EOF"
	1|2\n!--no-titles
	sport|records\n1|2\n!--bad-input-lines=x --bad-input-lines=y
	1|2\n!--fields=sport,nope
	1|x\n!--fields=sport,records --stop-on-error
	!
	EOF
'

test_case 'rwaggbagbuild ends at an input that it cannot use, with an empty output' '
	while read -r text; do
		printf "$text" >in
		test_must_fail rwaggbagbuild in >b.aggbag 2>err && test_lines err 1 && ! test -s b.aggbag || return 1
	done <<-"EOF"
	sport\n1\n
	records\n1\n
	sport|nope\n1|2\n
	sport|sport|records\n1|2|3\n
	EOF
	printf "sport|records\n1|2\n" >in &&
	test_must_fail rwaggbagbuild in nonexistent >b.aggbag 2>err && test_lines err 1 && ! test -s b.aggbag &&
	test_must_fail rwaggbagbuild in . >b.aggbag 2>err && test_lines err 1 && ! test -s b.aggbag &&
	test_must_fail rwaggbagbuild --xargs=nonexistent --output-path=no.aggbag 2>err && test_lines err 1 && ! test -s no.aggbag &&
	for constant in "dport" "dport=x" "nope=1" "dport=3 --constant-field=dport=4"; do
		test_must_fail rwaggbagbuild --constant-field=$constant in >b.aggbag 2>err && ! test -s b.aggbag || return 1
	done
'

# --- rwaggbagtool ---

printf '%s\n' 'sipv4|dport|records|sum-bytes' '10.0.0.1|80|5|500' '10.0.0.1|443|1|40' \
	'10.0.0.2|80|7|70' >in && rwaggbagbuild --note-add=one in >one.aggbag || exit 99
printf '%s\n' 'sipv4|dport|records|sum-bytes' '10.0.0.1|80|2|200' '10.0.0.2|80|9|35' \
	'10.0.0.3|80|1|1' >in && rwaggbagbuild --note-add=two in >two.aggbag || exit 99

# makes EXPECTED ARGUMENTS...
makes() {
	printf "$1" >expected
	shift
	rwaggbagtool "$@" >out.aggbag && rwaggbagcat --delimited --no-titles out.aggbag >out &&
		test_cmp expected out
}

test_case 'rwaggbagtool adds, subtracts and divides' '
	makes "10.0.0.1|80|7|700\n10.0.0.1|443|1|40\n10.0.0.2|80|16|105\n10.0.0.3|80|1|1\n" \
		one.aggbag two.aggbag &&
	makes "10.0.0.1|80|3|300\n10.0.0.1|443|1|40\n10.0.0.2|80|0|35\n" --subtract one.aggbag \
		two.aggbag &&
	makes "10.0.0.1|80|3|3\n10.0.0.2|80|1|2\n" --divide --zero-divisor-result=remove one.aggbag \
		two.aggbag &&
	makes "10.0.0.1|80|3|3\n10.0.0.1|443|1|40\n10.0.0.2|80|1|2\n" --divide \
		--zero-divisor-result=nochange one.aggbag two.aggbag &&
	makes "10.0.0.1|80|3|3\n10.0.0.1|443|7|7\n10.0.0.2|80|1|2\n" --divide \
		--zero-divisor-result=7 one.aggbag two.aggbag &&
	test_must_fail rwaggbagtool --divide one.aggbag two.aggbag 2>err >out.aggbag &&
	test_grep "Division by zero" err
'

test_case 'rwaggbagtool chooses and inserts fields' '
	makes "80|12|570\n443|1|40\n" --remove-fields=sipv4 one.aggbag &&
	makes "10.0.0.1|6\n10.0.0.2|7\n" --select-fields=sipv4,records,scc one.aggbag &&
	makes "10.0.0.1|80|3|5|500\n10.0.0.1|443|3|1|40\n10.0.0.2|80|3|7|70\n" \
		--insert-field=input=3 one.aggbag &&
	makes "10.0.0.1|9|6|540\n10.0.0.2|9|7|70\n" --insert-field=dport=9 one.aggbag &&
	makes "10.0.0.1|80|5|500\n10.0.0.1|443|1|40\n10.0.0.2|80|7|70\n" --insert-field=records=9 \
		one.aggbag &&
	test_must_fail rwaggbagtool --remove-fields=sipv4,dport one.aggbag 2>err >out.aggbag &&
	test_must_fail rwaggbagtool --select-fields=sipv4 one.aggbag 2>err >out.aggbag &&
	test_must_fail rwaggbagtool --insert-field=input=3 --insert-field=input=4 one.aggbag 2>err &&
	test_must_fail rwaggbagtool one.aggbag p.aggbag 2>err >out.aggbag &&
	test_must_fail rwaggbagtool --add --divide one.aggbag 2>err
'

test_case 'rwaggbagtool multiplies and limits' '
	makes "10.0.0.1|80|10|1000\n10.0.0.1|443|2|80\n10.0.0.2|80|14|140\n" --scalar-multiply=2 \
		one.aggbag &&
	makes "10.0.0.1|80|0|1000\n10.0.0.1|443|0|80\n10.0.0.2|80|0|140\n" --scalar-multiply=2 \
		--scalar-multiply=records=0 one.aggbag &&
	makes "10.0.0.1|80|5|500\n" --min-field=records=5 --max-field=sipv4=10.0.0.1 one.aggbag &&
	makes "10.0.0.1|80|5|500\n10.0.0.1|443|1|40\n10.0.0.2|80|7|70\n" --min-field=scc=us one.aggbag &&
	printf "10.0.0.1\n" >in && rwsetbuild in s.set &&
	makes "10.0.0.1|80|5|500\n10.0.0.1|443|1|40\n" --set-intersect=sipv4=s.set one.aggbag &&
	makes "10.0.0.2|80|7|70\n" --set-complement=sipv4=s.set one.aggbag &&
	(echo "sport|records" && seq 1 2000 | sed "s/\$/|1/") >in && rwaggbagbuild in >many.aggbag &&
	rwaggbagtool --scalar-multiply=3 many.aggbag >out.aggbag &&
	rwaggbagcat --no-titles --delimited --fields=records out.aggbag | sort -u >out && echo 3 |
		test_cmp - out
'

test_case 'rwaggbagtool makes bags and sets' '
	rwaggbagtool --to-bag=records,sipv4 one.aggbag >out.bag && rwbagcat --delimited out.bag >out &&
	printf "10.0.0.1|6\n10.0.0.2|7\n" | test_cmp - out &&
	rwfileinfo --fields=bag out.bag >out && test_grep "key: sIPv4.*counter: records" out &&
	rwaggbagtool --to-bag=sensor,records --insert-field=sensor=S1 one.aggbag >out.bag &&
	rwbagcat --delimited out.bag >out && printf "S1|13\n" | test_cmp - out &&
	rwaggbagtool --to-ipset=sipv4 --ipset-record-version=4 one.aggbag two.aggbag >out.set &&
	rwsetcat out.set >out && printf "10.0.0.1\n10.0.0.2\n10.0.0.3\n" | test_cmp - out &&
	rwaggbagtool --subtract --to-ipset=sipv4 one.aggbag two.aggbag >out.set &&
	rwsetcat out.set >out && printf "10.0.0.1\n" | test_cmp - out &&
	test_must_fail rwaggbagtool --to-bag=sipv4 one.aggbag 2>err >out.bag &&
	test_must_fail rwaggbagtool --to-ipset=dipv4 one.aggbag 2>err >out.set &&
	test_must_fail rwaggbagtool --to-ipset=sipv4 --insert-field=input=1 one.aggbag 2>err >out.set
'

test_case 'rwaggbagtool keeps notes, and modifies in place' '
	rwaggbagtool --note-add=three one.aggbag two.aggbag >out.aggbag &&
	rwfileinfo --fields=annotations out.aggbag >out &&
	test_grep one out && test_grep two out && test_grep three out &&
	cp one.aggbag t.aggbag &&
	rwaggbagtool --modify-inplace --backup-path=old.aggbag --output-path=t.aggbag t.aggbag \
		two.aggbag && cmp one.aggbag old.aggbag && rwaggbagcat t.aggbag >out &&
	test_lines out 5 &&
	test_must_fail rwaggbagtool --modify-inplace --output-path=t.aggbag t.aggbag nonexistent \
		2>err && rwaggbagcat t.aggbag >out && test_lines out 5
'

test_case 'rwaggbagtool: a later input that cannot be read is an error' '
	head -c 100 two.aggbag >cut.aggbag &&
	for bad in nonexistent cut.aggbag s.set . ""; do
		test_must_fail rwaggbagtool one.aggbag "$bad" two.aggbag >out.aggbag 2>err && test_lines err 1 && test ! -s out.aggbag || return 1
	done
'

test_done
