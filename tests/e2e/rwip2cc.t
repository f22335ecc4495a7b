#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwip2cc: country codes of addresses.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER

# Everything in 128.0.0.0/2 is "us", the rest "--".
printf '%b' '\0336\0255\0276\0357\0\045\020\0\0\0\0\0\0\01\0\01\0\0\0\0\0\0\0\010' \
	'\02\0\0\0\055\055\0\0200\01\0\0\0\0163\0165\0\0200\055\055\0\0200' >cc.pmap
SILK_COUNTRY_CODES=cc.pmap
export SILK_COUNTRY_CODES

test_case 'one address' '
	rwip2cc --address=128.0.0.1 >out && echo us >want && test_cmp want out &&
	rwip2cc --address=1 --map-file=cc.pmap --print-ips=1 >out &&
	echo "        0.0.0.1|--|" >want && test_cmp want out &&
	rwip2cc --address=1 --integer-ips >out && echo "              1|--|" >want && test_cmp want out &&
	rwip2cc --address=1 --zero-pad-ips --print-ips=0 --pager= >out && echo "--" >want && test_cmp want out &&
	rwip2cc --address=2001:db8::1 >out && echo "??" >want && test_cmp want out
'

test_case 'the last of several outputs counts' '
	rm -f out other && rwip2cc --address=128.0.0.1 --output-path=out --output-path=other &&
	test ! -e out && echo us >want && test_cmp want other
'

test_case 'a file' '
	printf "128.0.0.1 # one\n\n  127.255.255.254/31\n191.255.255,x.255\n192.0-1.0.0\n" >bad.txt &&
	printf "128.0.0.1 # one\n\n  127.255.255.254/31\n192.0-1.0.0\n::ffff:1.1.1.1\n" >ips.txt &&
	cat >want <<E &&
128.0.0.1|us
127.255.255.254|--
127.255.255.255|--
192.0.0.0|--
192.1.0.0|--
::ffff:1.1.1.1|--
E
	rwip2cc --input-file=ips.txt --delimited >out && test_cmp want out &&
	rwip2cc --input-file=- --delimited --print-ips=0 <ips.txt >out &&
	sed "s/.*|//" want >codes && test_cmp codes out &&
	test_must_fail rwip2cc --input-file=bad.txt --delimited >out 2>err &&
	head -3 want >first && test_cmp first out &&
	test_grep "bad.txt: line 4" err
'

test_case 'switches that are wrong' '
	test_must_fail rwip2cc 2>err &&
	test_must_fail rwip2cc --address=1 --input-file=ips.txt 2>err &&
	test_must_fail rwip2cc --address=1 2 2>err &&
	test_must_fail rwip2cc --address=nobody 2>err &&
	test_must_fail rwip2cc --address=1 --print-ips=2 2>err &&
	test_must_fail rwip2cc --address=1 --map-file=nope 2>err &&
	test_must_fail rwip2cc --input-file=nope 2>err
'

test_done
