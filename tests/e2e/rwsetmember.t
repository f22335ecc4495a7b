#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

printf '10.0.0.1\n10.0.0.2\n10.0.0.3\n10.1.0.0/16\n' | rwsetbuild - a.set
printf '10.0.0.3\n2001:db8::1\n' | rwsetbuild - b.set
printf '10.0.0.0/8\n192.168.0.0/16\n' | rwsetbuild - c.set

# count WANT PATTERN FILES: what --count prints.
count() {
	printf "$1" >want && shift && rwsetmember --count "$@" >out && test_cmp want out
}

test_case 'names of the sets that match' '
	rwsetmember 10.0.0.1 a.set b.set c.set >out && printf "a.set\nc.set\n" | test_cmp - out &&
	rwsetmember 2001:db8::/32 a.set b.set >out && echo b.set | test_cmp - out &&
	test_must_fail rwsetmember 11.0.0.1 a.set b.set >out && test_cmp /dev/null out
'

test_case 'counts' '
	count "a.set:1\nb.set:0\nc.set:1\n" 10.0.0.1 a.set b.set c.set &&
	count "a.set:65539\nc.set:16777216\n" 10.0.0.0/8 a.set c.set &&
	count "a.set:1\n" 167772161 a.set &&
	count "b.set:1\na.set:65539\n" ::ffff:10.0.0.0/104 b.set a.set
'

test_case 'wildcards, however large' '
	count "a.set:2563\nb.set:1\nc.set:657920\n" x.x.x.1-10 a.set b.set c.set &&
	count "a.set:3\n" 10.0.0.1-3 a.set &&
	count "b.set:2\n" x:x:x:x:x:x:x:x b.set &&
	count "b.set:1\n" x:x:x:x:x:x:x:1 b.set &&
	printf "::/1\n8000::/1\n" | rwsetbuild - all.set &&
	count "all.set:340282366920938463463374607431768211456\n" x:x:x:x:x:x:x:x all.set &&
	count "all.set:20769187434139310514121985316880384\n" x:x:x:x:x:x:x:1,3-5 all.set
'

test_case 'data' '
	rwsetmember --output-format=csv 10.0.0.1 a.set b.set c.set >out && printf "set\na.set\nc.set\n" | test_cmp - out &&
	rwsetmember --output-format=json --count 10.0.0.1 a.set b.set >out &&
	printf "{\"set\":\"a.set\",\"count\":1}\n{\"set\":\"b.set\",\"count\":0}\n" | test_cmp - out &&
	rwsetmember --quiet --output-format=json 10.0.0.1 a.set >out && test_cmp /dev/null out
'

test_case 'quietly' '
	rwsetmember --quiet --count 10.0.0.1 b.set a.set >out && test_cmp /dev/null out &&
	test_must_fail rwsetmember --quiet 10.0.0.1 b.set >out && test_cmp /dev/null out
'

test_case 'standard input' '
	rwsetmember 10.0.0.1 <a.set >out && echo stdin | test_cmp - out &&
	rwsetmember --count 10.0.0.1 b.set - <a.set >out && printf "b.set:0\n-:1\n" | test_cmp - out
'

test_case 'files that are no sets are passed over' '
	rwsetmember 10.0.0.1 nope.set a.set >out 2>err && echo a.set | test_cmp - out &&
	test_grep nope.set err && head -c 100 a.set >cut.set &&
	test_must_fail rwsetmember 10.0.0.1 cut.set 2>err && test_grep cut.set err
'

test_case 'wrong patterns' '
	test_must_fail rwsetmember 2>err && test_grep "No pattern specified" err &&
	for pattern in ::/0 0.0.0.0/0 foo 10.0.0.1-10.0.0.3; do
		test_must_fail rwsetmember $pattern a.set 2>err || return 1
		test_grep "Invalid IP .$pattern." err || return 1
	done
'

test_done
