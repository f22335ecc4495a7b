#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwresolve: addresses in columns become names. The only name to count on is that of 127.0.0.1.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

LOCAL=$(getent hosts 127.0.0.1 | awk '{ print $2 }')
[ -n "$LOCAL" ] || test_skip_all '127.0.0.1 has no name here'

# resolved TEXT SWITCHES
resolved() {
	printf "$1" >in && shift && rwresolve "$@" <in >out 2>err
}

test_case 'the first two columns' '
	resolved "  sIP|  127.0.0.1|  127.0.0.1|\n127.0.0.1  |x|y\n" && cat >want <<E && test_cmp want out
  sIP|$LOCAL|  127.0.0.1|
$LOCAL|x|y
E
'
test_case 'others, another delimiter, numbers' '
	resolved "127.0.0.1,127.0.0.1,2130706433\n\n" --ip-fields=2-3 --delimiter=, && echo "127.0.0.1,$LOCAL,$LOCAL" >want && test_cmp want out &&
	resolved "127.0.0.1|127.0.0.1\n" --ip-fields=1 --resolver=gethostbyaddr --max-requests=9 && echo "$LOCAL|127.0.0.1" >want && test_cmp want out
'
test_case 'at a width' '
	resolved " 127.0.0.1| none |\n" --column-width=40 && printf "%40s|%40s|\n" "$LOCAL" "none " >want && test_cmp want out &&
	resolved "127.0.0.1|abcdef\n" --column-width=3 && echo "$LOCAL|abcdef" >want && test_cmp want out &&
	resolved "  127.0.0.1|  abcdef|  x\n" --column-width=0 && echo "$LOCAL|abcdef|  x" >want && test_cmp want out
'
test_case 'switches that are wrong, a full disk' '
	test_must_fail resolved "1\n" --ip-fields=0 && test_grep "ip-fields" err && test_must_fail resolved "1\n" --resolver=adns &&
	test_must_fail resolved "1\n" --column-width=3000 && test_must_fail resolved "1\n" extra && test_grep "too many arguments" err &&
	echo x >in && test_must_fail rwresolve <in >/dev/full 2>err && test_grep "cannot write" err
'
test_done
