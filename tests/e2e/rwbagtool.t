#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

# build NAME TEXT SWITCHES...
build() {
	name=$1
	printf "$2" >in
	shift 2
	rwbagbuild --bag-input=in --output-path="$name.bag" "$@" || exit 99
}
build a '1|5\n2|6\n3|9\n7|3\n' --key-type=sIPv4 --counter-type=records --note-add=one
build b '1|2\n2|6\n9|4\n3|20\n' --key-type=dIPv4 --counter-type=sum-bytes --note-add=two
build p '1|5\n2|6\n' --key-type=sPort --counter-type=records
build w '2001:db8::1|4\n10.0.0.1|2\n' --key-type=sIPv4 --counter-type=records
build max '1|18446744073709551614\n2|1\n' --key-type=sPort

# makes EXPECTED TYPES ARGUMENTS...
makes() {
	printf "$1" >expected
	echo "$2" >>expected
	shift 2
	rwbagtool "$@" >out.bag && rwbagcat --delimited --key-format=decimal out.bag >out &&
		rwfileinfo --no-titles --fields=bag out.bag |
		sed "s/.*key: \(.*\) @ .*counter: \(.*\) @.*/\1,\2/" >>out && test_cmp expected out
}

test_case 'operations' '
	makes "1|5\n2|6\n3|9\n7|3\n" sIPv4,records a.bag &&
	makes "1|7\n2|12\n3|29\n7|3\n9|4\n" any-IPv4,custom a.bag b.bag &&
	makes "1|10\n2|12\n3|9\n7|3\n" custom,records --add a.bag p.bag &&
	makes "1|3\n7|3\n" any-IPv4,custom --subtract a.bag b.bag &&
	makes "" any-IPv4,custom --subtract a.bag b.bag a.bag &&
	makes "1|2\n2|6\n3|9\n" sIPv4,records --minimize a.bag b.bag &&
	makes "1|2\n2|6\n" sIPv4,records --minimize a.bag b.bag p.bag &&
	makes "1|5\n2|6\n3|20\n7|3\n9|4\n" sIPv4,records --maximize a.bag b.bag &&
	makes "1|1\n2|1\n" custom,records --divide p.bag a.bag &&
	makes "1|6\n2|18\n3|60\n9|12\n" dIPv4,sum-bytes --scalar-multiply=3 b.bag &&
	makes "3|1\n" sIPv4,records --compare=lt a.bag b.bag &&
	makes "2|1\n3|1\n" sIPv4,records --compare=le a.bag b.bag &&
	makes "2|1\n" sIPv4,records --compare=eq a.bag b.bag &&
	makes "1|1\n2|1\n" sIPv4,records --compare=ge a.bag b.bag &&
	makes "1|1\n" sIPv4,records --compare=GT a.bag b.bag
'

test_case 'IPv4 and IPv6 together' '
	makes "281470681743361|5\n281470681743362|6\n281470681743363|9\n281470681743367|3\n281470849515521|2\n42540766411282592856903984951653826561|4\n" \
		any-IPv6,records a.bag w.bag &&
	makes "281470849515521|2\n" sIPv6,records --maxkey=10.0.0.9 w.bag &&
	rwbagtool --coverset w.bag >w.set && rwsetcat w.set >out &&
	printf "10.0.0.1\n2001:db8::1\n" | test_cmp - out
'

test_case 'quotients are rounded, halves up' '
	build n "1|1\n2|2\n3|3\n4|4\n5|5\n6|6\n" && build d "1|4\n2|4\n3|4\n4|4\n5|4\n6|4\n7|1\n" &&
	makes "2|1\n3|1\n4|1\n5|1\n6|2\n" custom,custom --divide n.bag d.bag
'

test_case 'limits, masks, inverse and cover' '
	makes "2|6\n3|9\n7|3\n" sIPv4,records --minkey=2 --maxkey=0.0.0.7 a.bag &&
	makes "2|6\n" sIPv4,records --mincounter=6 --maxcounter=8 a.bag &&
	printf "0.0.0.1\n0.0.0.3\n" >in && rwsetbuild in s.set &&
	makes "1|5\n3|9\n" sIPv4,records --intersect=s.set a.bag &&
	makes "2|6\n7|3\n" sIPv4,records --complement-intersect=s.set a.bag &&
	printf "0.0.0.2\n" >in && rwsetbuild in t.set &&
	makes "1|5\n3|9\n" sIPv4,records --intersect=t.set --intersect=s.set a.bag &&
	makes "3|1\n5|1\n6|1\n9|1\n" records,custom --invert a.bag &&
	makes "1|1\n4294967295|1\n" custom,custom --invert max.bag &&
	rwbagtool --coverset --ipset-record-version=4 --output-path=c.set a.bag &&
	rwsetcat c.set >out && printf "0.0.0.1\n0.0.0.2\n0.0.0.3\n0.0.0.7\n" | test_cmp - out &&
	rwfileinfo --no-titles --fields=record-version c.set >out && echo 4 | test_cmp - out
'

test_case 'notes are those of the inputs and our own' '
	rwbagtool --add --note-add=three --output-path=notes.bag a.bag b.bag &&
	rwfileinfo --fields=annotations notes.bag >out &&
	test_grep one out && test_grep two out && test_grep three out &&
	rwfileinfo --fields=command-lines notes.bag >out && test_must_fail grep -q rwbag.ool out &&
	rwbagtool --note-strip a.bag >out.bag && rwfileinfo --fields=annotations out.bag >out &&
	test_must_fail grep -q one out
'

test_case 'a file can be modified in place' '
	cp a.bag t.bag && chmod 640 t.bag &&
	rwbagtool --modify-inplace --backup-path=old.bag --output-path=t.bag t.bag p.bag &&
	cmp a.bag old.bag && rwbagcat --delimited --key-format=decimal t.bag >out &&
	printf "1|10\n2|12\n3|9\n7|3\n" | test_cmp - out &&
	test "$(stat -c %a t.bag)" = 640 && mkdir keep &&
	rwbagtool --modify-inplace --backup-path=keep --output-path=t.bag t.bag &&
	test -e keep/t.bag &&
	rwbagtool --modify-inplace --output-path=new.bag a.bag && test -e new.bag &&
	test_must_fail rwbagtool --modify-inplace --output-path=t.bag t.bag nonexistent.bag 2>err &&
	rwbagcat t.bag >out && test_lines out 4 && test "$(ls -A | grep -c XXX)" = 0 &&
	test "$(ls -A . | grep -c "^\..*-t.bag")" = 0 &&
	test_must_fail rwbagtool --modify-inplace --output-path=keep a.bag 2>err &&
	test_grep "regular file" err &&
	test_must_fail rwbagtool --backup-path=x --output-path=y.bag a.bag 2>err
'

test_case 'a later input that is none is an error' '
	printf bad >bad.bag &&
	for bad in nonexistent.bag bad.bag . "" s.set; do
		test_must_fail rwbagtool --add --output-path=part.bag a.bag "$bad" p.bag 2>err && test_lines err 1 && test -e part.bag && test ! -s part.bag && rm part.bag || return 1
	done
'

test_case 'what cannot be done is told' '
	test_must_fail rwbagtool --divide a.bag b.bag >out.bag 2>err &&
	test_grep "key 0.0.0.7 not in divisor bag" err && ! test -s out.bag &&
	test_must_fail rwbagtool --add max.bag p.bag >out.bag 2>err && test_grep Overflow err &&
	rwbagtool --scalar-multiply=3 max.bag 2>err >out.bag && test_grep Overflow err &&
	rwbagcat --delimited out.bag >out && printf "1|18446744073709551610\n2|3\n" |
		test_cmp - out &&
	while read -r switches; do
		test_must_fail rwbagtool $switches >out.bag 2>err || return 1
		! test -s out.bag || return 1
	done <<-"EOF"
	--divide a.bag
	--divide a.bag b.bag p.bag
	--compare=lt a.bag
	--compare=foo a.bag b.bag
	--scalar-multiply=2 a.bag b.bag
	--scalar-multiply=0 a.bag
	--add --subtract a.bag
	--mincounter=8 --maxcounter=6 a.bag
	--minkey=8 --maxkey=6 a.bag
	--intersect=nonexistent.set a.bag
	--intersect=nonexistent.set --intersect=s.set a.bag
	--intersect=a.bag a.bag
	a.bag nonexistent.bag
	a.bag s.set
	--coverset --ipset-record-version=2 w.bag
	EOF
'

test_done
