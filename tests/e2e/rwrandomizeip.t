#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwrandomizeip: other addresses, and the same for the same seed.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
export SILK_HEADER_NOVERSION=1

{
	echo 'sIP|dIP|nhIP|bytes|sTime'
	awk 'BEGIN { for (i = 0; i < 300; i++)
		printf "203.0.%d.%d|198.51.100.%d|192.0.2.1|%d|2024/03/05T10:00:00\n", i / 100, i % 100, i % 7, i + 1 }'
} >flows.txt && rwtuc --output-path=flows.rw --note-add=kept flows.txt &&
	rwswapbytes --big-endian flows.rw big.rw || exit 99

addresses() {
	rwcut --no-titles --delimited=' ' --fields=sip,dip "$@"
}

test_case 'private addresses, the same for the same seed, as SiLK draws them' '
	rwrandomizeip --seed=1 flows.rw a.rw && addresses a.rw >got && head -3 got >three && cat >want <<E && test_cmp want three &&
10.213.215.100 10.53.204.233
10.75.85.196 10.171.141.122
172.19.93.131 10.195.234.162
E
	! grep -v -E "^(10\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.)[0-9.]+ (10\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.)" got &&
	rwcut --no-titles --fields=nhip,bytes,stime a.rw >got && rwcut --no-titles --fields=nhip,bytes,stime flows.rw >want && test_cmp want got &&
	rwrandomizeip --seed=1 <flows.rw >b.rw && cmp a.rw b.rw && rwrandomizeip --seed=2 flows.rw - >c.rw && ! cmp -s a.rw c.rw &&
	rwrandomizeip flows.rw d.rw && rwrandomizeip flows.rw e.rw && ! cmp -s d.rw e.rw
'
test_case 'the same address for the same, and a table for other days' '
	rwrandomizeip --seed=1 --save-table=table flows.rw f.rw && [ "$(wc -c <table)" -eq 1048 ] &&
	rwrandomizeip --seed=1 --consistent flows.rw g.rw && cmp f.rw g.rw &&
	rwrandomizeip --load-table=table flows.rw h.rw && cmp f.rw h.rw &&
	rwset --sip-file=before.set flows.rw && rwset --sip-file=after.set f.rw &&
	rwsetcat --count-ips before.set >want && rwsetcat --count-ips after.set >got && test_cmp want got &&
	printf "10.10.10.10|10.10.10.11\n" >ten.txt && rwtuc --fields=sip,dip --output-path=ten.rw ten.txt && rwrandomizeip --load-table=table ten.rw i.rw &&
	addresses i.rw >got && echo "119.239.66.132 119.239.66.160" >want && test_cmp want got
'
test_case 'sets' '
	rwset --dip-file=d.set flows.rw && rwrandomizeip --seed=1 --dont-change-set=d.set flows.rw j.rw &&
	rwcut --no-titles --fields=dip flows.rw >want && rwcut --no-titles --fields=dip j.rw >got && test_cmp want got &&
	rwcut --no-titles --fields=sip flows.rw >want && rwcut --no-titles --fields=sip j.rw >got && ! cmp -s want got &&
	rwrandomizeip --only-change-set=d.set flows.rw k.rw && rwcut --no-titles --fields=sip k.rw >got && test_cmp want got &&
	rwrandomizeip --only-change-set=d.set --dont-change-set=d.set flows.rw l.rw && cmp flows.rw l.rw
'
test_case 'the form of the input stays' '
	rwrandomizeip --seed=1 big.rw m.rw && rwfileinfo --no-titles --fields=format,byte-order,compression,count-records,annotations m.rw >got &&
	rwfileinfo --no-titles --fields=format,byte-order,compression,count-records,annotations big.rw >want && test_cmp want got
'
test_case 'IPv6' '
	printf "2001:db8::1|2001:db8::2\n::ffff:10.0.0.1|::ffff:10.0.0.2\n" >six.txt && rwtuc --fields=sip,dip --output-path=six.rw six.txt &&
	rwrandomizeip --seed=1 six.rw n.rw 2>err && test_grep "1 records with IPv6 addresses left out" err &&
	addresses n.rw >got && echo "10.213.215.100 10.53.204.233" >want && test_cmp want got
'
test_case 'what cannot be read or written' '
	test_must_fail rwrandomizeip nosuch o.rw 2>err && test_grep nosuch err && [ ! -e o.rw ] &&
	test_must_fail rwrandomizeip --load-table=flows.rw flows.rw o.rw 2>err && test_grep "not a table" err &&
	head -c 500 table >cut.table && test_must_fail rwrandomizeip --load-table=cut.table flows.rw o.rw 2>err && test_grep "cut short" err &&
	test_must_fail rwrandomizeip --only-change-set=flows.rw flows.rw o.rw 2>err && test_grep flows.rw err &&
	test_must_fail rwrandomizeip --save-table=table flows.rw o.rw 2>err && test_grep table err && [ ! -e o.rw ] &&
	test_must_fail rwrandomizeip flows.rw a.rw 2>err && test_grep a.rw err &&
	rwcat --compression-method=none --output-path=plain.rw flows.rw && head -c 400 plain.rw >cut.rw && rwrandomizeip cut.rw p.rw 2>err && test_grep "cut.rw: record" err &&
	test_must_fail rwrandomizeip flows.rw /dev/full 2>err && test_grep /dev/full err
'
test_case 'switches that are wrong' '
	test_must_fail rwrandomizeip --save-table=x --load-table=table flows.rw o.rw 2>err && test_grep "exclude each other" err &&
	test_must_fail rwrandomizeip a b c 2>err && test_grep "too many arguments" err &&
	test_must_fail rwrandomizeip --seed=x flows.rw o.rw 2>err
'
test_done
