#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwpmapcat: prefix maps as text.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER SILK_IP_FORMAT SILK_COUNTRY_CODES SILK_ADDRESS_TYPES

rwpmapbuild --output-path=v4.pmap <<'E'
map-name site
default outside
10.0.0.0/8 ten
10.9.0.0 10.9.255.255 guests
E
rwpmapbuild --output-path=v6.pmap <<'E'
mode ipv6
label 2 doc
label 0 rest
default rest
2001:db8::/32 doc
10.0.0.0/8 doc
E
rwpmapbuild --output-path=ports.pmap <<'E'
mode proto-port
6 6 TCP
6/22 6/22 TCP/SSH
E
# A map of country codes: everything in 128.0.0.0/2 is "us", the rest "--".
printf '%b' '\0336\0255\0276\0357\0\045\020\0\0\0\0\0\0\01\0\01\0\0\0\0\0\0\0\010' \
	'\02\0\0\0\055\055\0\0200\01\0\0\0\0163\0165\0\0200\055\055\0\0200' >cc.pmap

test_case 'blocks with their labels' '
	rwpmapcat v4.pmap >out &&
	test_grep "^           ipBlock|  label|" out &&
	test_grep "^       10.9.0.0/16| guests|" out &&
	test_grep "^       128.0.0.0/1|outside|" out &&
	test_lines out 18
'

test_case 'ranges' '
	cat >want <<E &&
        startIP|          endIP|  label|
        0.0.0.0|  9.255.255.255|outside|
       10.0.0.0|   10.8.255.255|    ten|
       10.9.0.0|   10.9.255.255| guests|
      10.10.0.0| 10.255.255.255|    ten|
       11.0.0.0|255.255.255.255|outside|
E
	rwpmapcat --no-cidr-blocks --map-file=v4.pmap >out &&
	test_cmp want out &&
	rwpmapcat --no-cidr-blocks <v4.pmap >out &&
	test_cmp want out
'

test_case 'IPv6, labels with a hole, all parts' '
	cat >want <<E &&
TYPE:  IPv6-address
NO MAPNAME IS PRESENT
LABELS:
rest

doc

                                startIP|                                  endIP|label|
                                     ::|                   ::ffff:9.255.255.255| rest|
                        ::ffff:10.0.0.0|                  ::ffff:10.255.255.255|  doc|
E
	rwpmapcat --output-types=ranges,l,t,mapname --no-cidr-blocks v6.pmap >out &&
	head -10 out >head && test_cmp want head &&
	rwpmapcat --ip-format=unmap-v6 v6.pmap >out &&
	test_grep "^                                 10.0.0.0/8|  doc|" out
'

test_case 'protocols and ports' '
	cat >want <<E &&
startPair|  endPair|label  |
      0/0|  5/65535|UNKNOWN|
      6/0|     6/21|TCP    |
     6/22|     6/22|TCP/SSH|
     6/23|  6/65535|TCP    |
      7/0|255/65535|UNKNOWN|
E
	rwpmapcat --left-justify-labels ports.pmap >out &&
	test_cmp want out
'

test_case 'labels that are left out' '
	printf "10.0.0.0-10.8.255.255-ten\n10.10.0.0-10.255.255.255-ten\n" >want &&
	printf "10.9.0.0-10.9.255.255-guests\n" >guests &&
	rwpmapcat --no-cidr-blocks --delimited=- --no-titles --ignore-label=OUTSIDE v4.pmap >out &&
	grep -v guests out >rest &&
	test_cmp want rest &&
	rwpmapcat --no-cidr-blocks --delimited=- --no-titles --ip-label-to-ignore=0.0.0.0 v4.pmap >out2 &&
	test_cmp out out2 &&
	rwpmapcat --ip-label-to-ignore=2001:db8::1 v4.pmap >out &&
	test_lines out 18 &&
	test_must_fail rwpmapcat --ignore-label=nobody v4.pmap 2>err >out &&
	test_must_fail rwpmapcat --ip-label-to-ignore=nobody v4.pmap 2>err >out &&
	test_must_fail rwpmapcat --ip-label-to-ignore=1 --ignore-label=ten v4.pmap 2>err >out &&
	test ! -s out
'

test_case 'country codes' '
	printf "0.0.0.0/1|--\n128.0.0.0/2|us\n192.0.0.0/2|--\n" >want &&
	rwpmapcat --country-codes=cc.pmap --delimited --no-titles >out &&
	test_cmp want out &&
	(SILK_COUNTRY_CODES=cc.pmap && export SILK_COUNTRY_CODES &&
		rwpmapcat --country-codes --delimited --no-titles) >out &&
	test_cmp want out &&
	mkdir -p root/share/silk && cp cc.pmap root/share/silk/country_codes.pmap &&
	(SILK_PATH=$PWD/root && export SILK_PATH &&
		rwpmapcat --country-codes --delimited --no-titles --ignore-label=US) >out &&
	grep -v us want >rest && test_cmp rest out &&
	rwpmapcat cc.pmap --delimited --output-types=l,r >out &&
	test_grep "^NO LABELS ARE PRESENT" out &&
	test_grep "^128.0.0.0/2|30067" out &&
	test_must_fail rwpmapcat --country-codes=nope.pmap 2>err &&
	test_must_fail rwpmapcat --country-codes=ports.pmap 2>err &&
	test_must_fail rwpmapcat --country-codes=cc.pmap --ignore-label=7 2>err
'

test_case 'address types' '
	(SILK_ADDRESS_TYPES=v4.pmap && export SILK_ADDRESS_TYPES && rwpmapcat --address-types) >out &&
	rwpmapcat v4.pmap >want &&
	test_cmp want out
'

test_case 'everything is one block' '
	printf "mode ipv6\n::/1 x\n8000::/1 x\n" | rwpmapbuild >all6.pmap &&
	rwpmapcat --delimited --no-titles all6.pmap >out &&
	printf "::/0|x\n" >want && test_cmp want out &&
	rwpmapbuild --mode=ipv4 </dev/null >all4.pmap &&
	rwpmapcat --delimited --no-titles all4.pmap >out &&
	printf "0.0.0.0/0|UNKNOWN\n" >want && test_cmp want out
'

test_case 'of several separators the last one counts' '
	rwpmapcat --delimited=, --column-separator=: v4.pmap >out && test_grep "^ipBlock:label" out &&
	rwpmapcat --column-separator=: --delimited=, v4.pmap >out && test_grep "^ipBlock,label" out &&
	rwpmapcat --column-separator=: --delimited v4.pmap >out && test_grep "^ipBlock:label" out
'

test_case 'inputs and switches that are wrong' '
	printf "not a map" >text && head -c 60 v4.pmap >short.pmap &&
	for file in nope text short.pmap; do
		test_must_fail rwpmapcat $file >out 2>err && test_grep $file err && test ! -s out || return 1
	done &&
	test_must_fail rwpmapcat v4.pmap v6.pmap 2>err &&
	test_must_fail rwpmapcat --map-file=v4.pmap v6.pmap 2>err &&
	test_must_fail rwpmapcat --map-file=v4.pmap --address-types=v6.pmap 2>err &&
	test_must_fail rwpmapcat --output-types=foo v4.pmap 2>err &&
	test_must_fail rwpmapcat --output-types= v4.pmap 2>err &&
	test_must_fail rwpmapcat --output-types=type --output-types=type v4.pmap 2>err
'

test_done
