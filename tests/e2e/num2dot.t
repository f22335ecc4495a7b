#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# num2dot: numbers in columns become addresses.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

# converted TEXT SWITCHES
converted() {
	printf "$1" >in && shift && num2dot "$@" <in >out 2>err
}

test_case 'the first column, titles and other text' '
	converted "       sIP|bytes|\n  16909060|   40|\n4294967295|1|\n4294967296|2|\n -1|3|\n+7 |4\n" && cat >want <<E && test_cmp want out
            sIP|bytes|
        1.2.3.4|   40|
255.255.255.255|1|
     4294967296|2|
             -1|3|
        0.0.0.7|4
E
'
test_case 'other columns' '
	converted "1|2|3|4\n" --ip-fields=4,2-3 && echo "1|        0.0.0.2|        0.0.0.3|        0.0.0.4" >want && test_cmp want out &&
	converted "1|2|\n" --ip-fields=3 && echo "1|2|" >want && test_cmp want out &&
	converted "1|2| \n" --ip-fields=3 && echo "1|2|               " >want && test_cmp want out &&
	converted "1|2\n" --ip-fields=1000 && echo "1|2" >want && test_cmp want out &&
	converted "  x|2\n" --ip-fields=2 && echo "  x|        0.0.0.2" >want && test_cmp want out &&
	converted "  longer than an address|2\n" && echo "longer than an address|2" >want && test_cmp want out
'
test_case 'another delimiter' '
	converted "1,2,x\n" --delimiter=, --ip-fields=2 && echo "1,        0.0.0.2,x" >want && test_cmp want out &&
	test_must_fail converted "1\n" --delimiter=
'
test_case 'empty lines, ends of lines, and a long one' '
	converted "\n1|\n  \n2|x" && printf "        0.0.0.1|\n        0.0.0.2|x\n" >want && test_cmp want out &&
	converted "1|2\r\n" --ip-fields=2 && echo "1|        0.0.0.2" >want && test_cmp want out &&
	awk "BEGIN { printf \"1|\"; for (i = 0; i < 100000; i++) printf \"x\"; print \"\" }" >long && num2dot <long >out && [ "$(wc -c <out)" -eq 100017 ] &&
	{ printf "7|\\000x\\n"; head -c 5000 /dev/zero; printf "\\n8|\\n"; } >binary && num2dot <binary >out 2>err && printf "        0.0.0.7|\n        0.0.0.8|\n" >want && test_cmp want out && test_grep "line 2 is no text" err
'
test_case 'a list of columns that is wrong' '
	for list in 0 1- x 1025 "" 1-2-3; do
		converted "1|2\n" --ip-fields="$list" && echo "        0.0.0.1|2" >want && test_cmp want out && test_grep "invalid ip-fields" err || return 1
	done &&
	converted "1|2\n" --ip-fields=2 --ip-fields=1 && echo "1|        0.0.0.2" >want && test_cmp want out && test_grep "more than once" err
'
test_case 'arguments, a full disk' '
	test_must_fail num2dot x 2>err && test_grep "too many arguments" err &&
	echo 1 >in && test_must_fail num2dot <in >/dev/full 2>err && test_grep "cannot write" err
'
test_done
