#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwpmaplookup: single keys in prefix maps.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER SILK_IP_FORMAT SILK_COUNTRY_CODES SILK_ADDRESS_TYPES

rwpmapbuild --output-path=v4.pmap <<'E'
default outside
10.0.0.0/8 ten
10.9.0.0 10.9.255.255 guests
E
rwpmapbuild --output-path=v6.pmap <<'E'
mode ipv6
2001:db8::/32 doc
10.0.0.0/8 ten
E
rwpmapbuild --output-path=ports.pmap <<'E'
mode proto-port
6 6 TCP
6/22 6/22 TCP/SSH
E
printf '%b' '\0336\0255\0276\0357\0\045\020\0\0\0\0\0\0\01\0\01\0\0\0\0\0\0\0\010' \
	'\02\0\0\0\055\055\0\0200\01\0\0\0\0163\0165\0\0200\055\055\0\0200' >cc.pmap
printf '10.9.9.9\n\n# none\n 10.1.1.1 # ten\nnobody\n2001:db8::1\n::ffff:10.9.0.1\n167772161\n' >keys.txt

test_case 'addresses of a text file' '
	cat >want <<E &&
            key|  value|
       10.9.9.9| guests|
       10.1.1.1|    ten|
       10.9.0.1| guests|
       10.0.0.1|    ten|
E
	rwpmaplookup --map-file=v4.pmap keys.txt >out 2>err &&
	test_cmp want out &&
	test_grep "invalid address .nobody. at keys.txt:5" err &&
	rwpmaplookup --map-file=v4.pmap --no-errors <keys.txt >out 2>err &&
	test_cmp want out && test ! -s err &&
	echo keys.txt >list &&
	rwpmaplookup --map-file=v4.pmap --no-errors --xargs=list >out 2>err &&
	test_cmp want out
'

test_case 'all fields, a row for every input' '
	cat >want <<E &&
input,key,value,block,start-block,end-block
10.9.9.9,10.9.9.9,guests,10.9.0.0/16,10.9.0.0,10.9.255.255
nobody,,,,,
2001:db8::1,,,,,
11.0.0.1,11.0.0.1,outside,11.0.0.0/8,11.0.0.0,11.255.255.255
E
	rwpmaplookup --map-file=v4.pmap --delimited=, --fields=input,KEY,val,block,start,end-block \
		--no-files 10.9.9.9 nobody 2001:db8::1 11.0.0.1 >out 2>err &&
	test_cmp want out &&
	test_grep "among the arguments" err
'

test_case 'a map of IPv6' '
	cat >want <<E &&
                                    key|  value|
                        ::ffff:10.1.1.1|    ten|
                             2001:db8::|    doc|
                                    ::1|UNKNOWN|
E
	rwpmaplookup --map-file=v6.pmap --no-files 10.1.1.1 2001:db8:: ::1 >out &&
	test_cmp want out &&
	printf "10.1.1.1|10.0.0.0/8\n" >want &&
	rwpmaplookup --map-file=v6.pmap --no-titles --delimited --fields=key,block \
		--ip-format=unmap-v6 --no-files 10.1.1.1 >out &&
	test_cmp want out
'

test_case 'protocols and ports' '
	cat >want <<E &&
      key|  value|              block|start-blo|                 input|
     6/22|TCP/SSH|          6/22 6/22|     6/22|                  6/22|
     17/0|UNKNOWN|      16/0 31/65535|     16/0|                 17/ 0|
         |       |                   |         |                 6 /22|
         |       |                   |         |                    22|
         |       |                   |         |               6/65536|
E
	printf "6/22\n17/ 0\n6 /22\n22\n6/65536\n" >ports.txt &&
	rwpmaplookup --map-file=ports.pmap --fields=key,value,block,start,input ports.txt >out 2>err &&
	test_cmp want out &&
	test_grep "invalid protocol and port .22. at ports.txt:4" err
'

test_case 'IPsets' '
	printf "10.9.255.254/31\n10.10.0.0\n" | rwsetbuild >a.set &&
	cat >want <<E &&
key|value|input
10.9.255.254|guests|10.9.255.254
10.9.255.255|guests|10.9.255.255
10.10.0.0|ten|10.10.0.0
E
	rwpmaplookup --map-file=v4.pmap --ipset-files --delimited --fields=key,value,input a.set >out &&
	test_cmp want out &&
	rwpmaplookup --map-file=v4.pmap --ipset-files --delimited --fields=key,value,input <a.set >out &&
	test_cmp want out &&
	printf "::ffff:10.9.0.0\n2001:db8::1\n" | rwsetbuild >b.set &&
	rwpmaplookup --map-file=v4.pmap --ipset-files --delimited --no-titles b.set >out &&
	printf "10.9.0.0|guests\n" >want && test_cmp want out &&
	rwpmaplookup --country-codes=cc.pmap --ipset-files --delimited --no-titles b.set >out &&
	printf "::ffff:10.9.0.0|--\n2001:db8::1|??\n" >want && test_cmp want out &&
	test_must_fail rwpmaplookup --map-file=ports.pmap --ipset-files a.set 2>err &&
	test_must_fail rwpmaplookup --map-file=v4.pmap --ipset-files keys.txt 2>err
'

test_case 'country codes and address types' '
	printf "0.0.0.1|--\n128.2.0.1|us\n" >want &&
	rwpmaplookup --country-codes=cc.pmap --delimited --no-titles --no-files 1 128.2.0.1 >out &&
	test_cmp want out &&
	(SILK_COUNTRY_CODES=cc.pmap && export SILK_COUNTRY_CODES &&
		rwpmaplookup --country-codes --delimited --no-titles --no-files 1 128.2.0.1) >out &&
	test_cmp want out &&
	rwpmaplookup --map-file=cc.pmap --delimited --no-titles --no-files --fields=value 128.2.0.1 >out &&
	echo 30067 >want && test_cmp want out &&
	rwpmaplookup --address-types=v4.pmap --delimited --no-titles --no-files --fields=value 10.9.1.1 >out &&
	echo guests >want && test_cmp want out
'

test_case 'lines that are too long' '
	printf "10.0.0.1%2038s\n10.0.0.2%2039s\n10.0.0.3" "" "" >long.txt &&
	rwpmaplookup --map-file=v4.pmap --delimited --no-titles --fields=key long.txt >out 2>err &&
	printf "10.0.0.1\n10.0.0.3\n" >want && test_cmp want out &&
	test_grep "long.txt:2 is too long" err
'

test_case 'a file that cannot be read ends the run' '
	test_must_fail rwpmaplookup --map-file=v4.pmap --no-titles nope keys.txt >out 2>err &&
	test_grep nope err && test ! -s out
'

test_case 'switches that are wrong' '
	test_must_fail rwpmaplookup --no-files 1 2>err &&
	test_must_fail rwpmaplookup --map-file=v4.pmap --no-files 2>err &&
	test_must_fail rwpmaplookup --map-file=v4.pmap --no-files --ipset-files 1 2>err &&
	test_must_fail rwpmaplookup --map-file=v4.pmap --map-file=v6.pmap --no-files 1 2>err &&
	test_must_fail rwpmaplookup --map-file=v4.pmap --fields=key,foo --no-files 1 2>err &&
	test_must_fail rwpmaplookup --map-file=v4.pmap --fields=key,key --no-files 1 2>err &&
	test_must_fail rwpmaplookup --map-file=v4.pmap --fields= --no-files 1 2>err &&
	test_must_fail rwpmaplookup --address-types=ports.pmap --no-files 1 2>err &&
	test_must_fail rwpmaplookup --map-file=nope --no-files 1 2>err
'

test_done
