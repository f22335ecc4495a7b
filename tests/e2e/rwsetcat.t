#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

printf '10.0.0.1\n10.0.0.3\n10.0.1.0/24\n10.0.2.0/23\n' >a.txt && rwsetbuild a.txt a.set
printf '10.0.0.1\n2001:db8::1\n2001:db8:1::/48\n' >m.txt && rwsetbuild m.txt m.set
printf '10.0.0.1\n10.0.0.8/30\n' >c.txt && rwsetbuild c.txt c.set
: >empty.txt && rwsetbuild empty.txt empty.set

# same NAME ARGUMENTS: the output is what stands in the file "want".
same() {
	rwsetcat $1 >out && test_cmp want out
}

test_case 'ranges' '
	cat >want <<-"EOF" &&
	         1|       10.0.0.1|       10.0.0.1|
	         1|       10.0.0.3|       10.0.0.3|
	       768|       10.0.1.0|     10.0.3.255|
	EOF
	same "--ip-ranges a.set"
'

test_case 'ranges with IPv6' '
	cat >want <<-"EOF" &&
	                                      1|                               10.0.0.1|                               10.0.0.1|
	                                      1|                            2001:db8::1|                            2001:db8::1|
	              1208925819614629174706176|                           2001:db8:1::|    2001:db8:1:ffff:ffff:ffff:ffff:ffff|
	EOF
	same "--ip-ranges m.set"
'

test_case 'counts and names' '
	printf "a.set:770\nm.set:1208925819614629174706178\n" >want && same "--count a.set m.set" &&
	printf "770\n" >want && same "--count a.set" &&
	printf "c.set:\n10.0.0.1\n10.0.0.8/30\n" >want && same "--print-filenames --cidr c.set" &&
	same "--print-filenames=1 --print-filenames=0 --cidr-blocks=1 --cidr-blocks=0 c.set"
'

test_case 'single addresses and blocks' '
	printf "10.0.0.1\n10.0.0.8\n10.0.0.9\n10.0.0.10\n10.0.0.11\n" >want && same c.set &&
	printf "10.0.0.1\n2001:db8::1\n2001:db8:1::/48\n" >want && same m.set &&
	printf "::ffff:10.0.0.1\n::ffff:10.0.0.8/126\n" >want && same "--cidr --ip-format=map-v4 c.set" &&
	printf "0167772161\n0167772168/30\n" >want && same "--cidr --ip-format=decimal,zero-padded c.set" &&
	printf "281470849515521\n" >want && rwsetcat --ip-format=decimal m.set >all &&
	head -1 all >out && test_cmp want out
'

test_case 'statistics' '
	printf "Network Summary\n\tminimumIP =        10.0.0.1\n\tmaximumIP =      10.0.3.255\n" >want &&
	printf "\t       770 hosts (/32s),    0.000018%% of 2^32\n" >>want &&
	printf "\t         1 occupied /8,     0.390625%% of 2^8\n" >>want &&
	printf "\t         1 occupied /16,    0.001526%% of 2^16\n" >>want &&
	printf "\t         4 occupied /24s,   0.000024%% of 2^24\n" >>want &&
	printf "\t        25 occupied /27s,   0.000019%% of 2^27\n" >>want &&
	same "--print-statistics a.set" &&
	rwsetcat --print-statistics empty.set >out && test_grep "minimumIP =               -" out &&
	rwsetcat --print-statistics m.set >out &&
	test_grep "                                      3 occupied /48s" out &&
	test_grep "              1208925819614629174706178 hosts (/128s)" out
'

test_case 'one table in CSV and JSON, whatever is printed of how many files' '
	cat >want <<-"EOF" && same "--print-statistics --count-ips --output-format=csv c.set" &&
	measure,value
	minimumIP,10.0.0.1
	maximumIP,10.0.0.11
	hosts,5
	/8,1
	/16,1
	/24,1
	/27,1
	EOF
	cat >want <<-"EOF" && same "--count-ips --output-format=csv a.set c.set empty.set" &&
	file,count
	a.set,770
	c.set,5
	empty.set,0
	EOF
	cat >want <<-"EOF" && same "--count-ips --ip-ranges --output-format=csv --print-filenames a.set c.set" &&
	file,measure,value
	a.set,hosts,770
	a.set,range,10.0.0.1-10.0.0.1
	a.set,range,10.0.0.3-10.0.0.3
	a.set,range,10.0.1.0-10.0.3.255
	c.set,hosts,5
	c.set,range,10.0.0.1-10.0.0.1
	c.set,range,10.0.0.8-10.0.0.11
	EOF
	cat >want <<-"EOF" && same "--count-ips --cidr-blocks --output-format=json c.set m.set" &&
	{"file":"c.set","measure":"hosts","value":5}
	{"file":"c.set","measure":"block","value":"10.0.0.1"}
	{"file":"c.set","measure":"block","value":"10.0.0.8/30"}
	{"file":"m.set","measure":"hosts","value":1208925819614629174706178}
	{"file":"m.set","measure":"block","value":"10.0.0.1"}
	{"file":"m.set","measure":"block","value":"2001:db8::1"}
	{"file":"m.set","measure":"block","value":"2001:db8:1::/48"}
	EOF
	cat >want <<-"EOF" && same "--network-structure=TS/8 --print-filenames --output-format=csv a.set c.set" &&
	file,block,hosts,/8
	a.set,TOTAL,770,1
	c.set,TOTAL,5,1
	EOF
	printf "count,first,last\n1,10.0.0.1,10.0.0.1\n4,10.0.0.8,10.0.0.11\n" >want && same "--ip-ranges --output-format=csv c.set" &&
	printf "a.set,1,10.0.0.1,10.0.0.1\n" >want && rwsetcat --ip-ranges --output-format=csv --print-filenames --no-titles a.set | head -n 1 | test_cmp want -
'

test_case 'networks' '
	cat >want <<-"EOF" &&
	    10.0.0.0/24       | 2 hosts in 1 /27
	    10.0.1.0/24       | 256 hosts in 8 /27s
	    10.0.2.0/24       | 256 hosts in 8 /27s
	    10.0.3.0/24       | 256 hosts in 8 /27s
	  10.0.0.0/16         | 770 hosts in 4 /24s and 25 /27s
	TOTAL                 | 770 hosts in 1 /8, 1 /16, 4 /24s, and 25 /27s
	EOF
	same "--network-structure=TBCS a.set" &&
	printf "TOTAL| 770 hosts in 1 /8, 1 /16, 4 /24s, and 25 /27s\n" >want &&
	same "--network-structure a.set" &&
	printf "       10.0.0.0/8| 770\n" >want && same "--network-structure=A a.set" &&
	printf "       10.0.0.1|\n       10.0.0.8|\n       10.0.0.9|\n      10.0.0.10|\n      10.0.0.11|\n" >want &&
	same "--network-structure=H c.set" &&
	printf "TOTAL| 0\n" >want && same "--network-structure=TC empty.set" &&
	printf "TOTAL| 0 hosts in 0 /8s, 0 /16s, 0 /24s, and 0 /27s\n" >want && same "--ip-format=map-v4 --network-structure empty.set" &&
	printf "TOTAL| 1208925819614629174706178 hosts in 3 /48s and 65538 /64s\n" >want &&
	same "--network-structure=v6: m.set" &&
	printf "       10.0.0.0/8 770\n" >want && same "--network-structure=A --column-separator= a.set"
'

test_case 'wrong structures' '
	while IFS="!" read -r text words; do
		test_must_fail rwsetcat "--network-structure=$text" a.set 2>err || return 1
		test_grep "$words" err || return 1
	done <<-"EOF"
	Q!Invalid network-structure character .Q.
	33!Value is above maximum of 32; prepend
	v6:129!Value is above maximum of 128
	v5:T!Only .v6. or .v4. may precede
	/24!must precede
	8/H/16!Only one ./. is allowed
	,!must be specified
	EOF
	test_must_fail rwsetcat --network=T --cidr a.set 2>err && test_grep "Cannot combine" err &&
	test_must_fail rwsetcat --cidr=2 a.set 2>err && test_grep "Value must be 0 or 1" err
'

test_case 'a file that cannot be read does not hide the others' '
	rwsetcat --count nope.set c.set >out 2>err &&
	echo c.set:5 | test_cmp - out && test_grep nope.set err &&
	echo garbage >text.set && rwsetcat --count text.set c.set >out 2>err &&
	printf "text.set:c.set:5\n" | test_cmp - out && test_grep text.set err &&
	head -c 40 a.set >cut.set && rwsetcat cut.set 2>err && test_grep cut.set err &&
	printf "TOTAL| 0\n" >want && same "--network-structure=T text.set" &&
	: >want && same "--network-structure=T nope.set"
'

test_case 'standard input and output files' '
	rwsetcat --count <c.set >out && echo 5 | test_cmp - out &&
	rwsetcat --output-path=file.txt --count c.set && echo 5 | test_cmp - file.txt
'

test_case 'IPv4 inside a larger IPv6 block is not counted as IPv4' '
	printf "::/24\n" | rwsetbuild - low.set && printf "TOTAL| 0\n" >want &&
	same "--network-structure=T low.set" &&
	printf "::ffff:0:0/96\n" | rwsetbuild - mapped.set && printf "TOTAL| 4294967296\n" >want &&
	same "--network-structure=T mapped.set"
'

test_case 'the name of a file that is no set, where the set is not needed before it is printed' '
	echo none >none.set && printf "10.0.0.1\n" >ip.txt && rwsetbuild ip.txt one.set &&
	rwsetcat --count-ips none.set one.set >out 2>err && printf "none.set:one.set:1\n" | test_cmp - out &&
	for list in --print-ips --cidr-blocks --ip-ranges; do
		rwsetcat --count-ips $list --no-columns none.set one.set >out 2>err && head -1 out >first && echo one.set:1 | test_cmp - first || return 1
	done
'

test_case 'what comes before damage is printed' '
	i=0 && while [ $i -lt 600 ]; do echo 10.$((i / 256)).$((i % 256)).1 && i=$((i + 1)); done >ip.txt &&
	rwsetbuild --compression-method=none ip.txt whole.set && rwsetcat whole.set >all &&
	size=$(wc -c <whole.set) && head -c $((size - 50)) whole.set >cut.set &&
	rwsetcat cut.set >out 2>err && head -n 598 all | test_cmp - out && test_grep cut.set err &&
	rwsetcat --network-structure=24 cut.set >out 2>err && test $(wc -l <out) -eq 598 &&
	test_grep cut.set err && rwsetcat --ip-ranges cut.set >out 2>err && test $(wc -l <out) -eq 598 &&
	rwsetcat --count-ips cut.set >out 2>err && test ! -s out && test_grep cut.set err
'

test_case 'addresses are counted the same from blocks of all kinds' '
	i=0 && while [ $i -lt 20000 ]; do echo 10.$((i / 256)).$((i % 256)).$((i * 7 % 256)) && i=$((i + 1)); done >many.txt &&
	rwsetbuild --compression-method=none many.txt many.set && rwsetcat --count-ips many.set >out && echo 20000 | test_cmp - out &&
	rwsetbuild --compression-method=lzo1x many.txt packed.set && rwsetcat --count-ips packed.set >out && echo 20000 | test_cmp - out &&
	rwsetcat --count-ips <packed.set >out && echo 20000 | test_cmp - out &&
	size=$(wc -c <packed.set) && head -c $((size - 50)) packed.set >half.set &&
	rwsetcat --count-ips half.set >out 2>err && test ! -s out && test_grep half.set err
'

cat >turn.py <<'END'
# A set packed by zlib, from standard input, in the other byte order
import struct, sys, zlib

data = bytearray(sys.stdin.buffer.read())
at = 16
while struct.unpack_from('>I', data, at)[0] != 0:
    at += struct.unpack_from('>I', data, at + 4)[0]
at += struct.unpack_from('>I', data, at + 4)[0]
data[4] ^= 1
out = data[:at]
while at < len(data):
    size = struct.unpack_from('>I', data, at)[0]
    plain = zlib.decompress(bytes(data[at + 8:at + 8 + size]))
    words = struct.unpack('<%dI' % (len(plain) // 4), plain)
    packed = zlib.compress(struct.pack('>%dI' % len(words), *words))
    out += struct.pack('>II', len(packed), len(plain)) + packed
    at += 8 + size
sys.stdout.buffer.write(out)
END

test_case 'addresses are counted the same from a machine of the other byte order' '
	rwsetbuild --compression-method=zlib --record-version=2 many.txt here.set && python3 turn.py <here.set >there.set &&
	test_must_fail cmp -s here.set there.set && rwsetcat here.set >out && rwsetcat there.set | test_cmp out - &&
	rwsetcat --count-ips there.set >out && echo 20000 | test_cmp - out &&
	rwsetcat --count-ips here.set >out && echo 20000 | test_cmp - out
'

test_case 'blocks that are not in order are not counted' '
	head -c -72 many.set >twisted.set && tail -c 36 many.set >>twisted.set && tail -c 72 many.set | head -c 36 >>twisted.set &&
	rwsetcat --count-ips twisted.set >out 2>err && test ! -s out && test_grep "not in order" err
'

test_case 'Snappy is needed for what it has packed, and for nothing else' '
	name=$(sed -n "s/#define SNAPPY_SONAME \"\(.*\)\"/\1/p" "$TUSSAH_BUILDDIR/config.h") && test -n "$name" && mkdir none && : >"none/$name" &&
	rwsetbuild --compression-method=snappy many.txt snappy.set && rwsetcat --count-ips snappy.set >out && echo 20000 | test_cmp - out &&
	LD_LIBRARY_PATH=none rwsetcat --count-ips packed.set >out && echo 20000 | test_cmp - out &&
	LD_LIBRARY_PATH=none rwsetcat --count-ips snappy.set >out 2>err && test ! -s out && test_grep "library for snappy cannot be loaded" err &&
	LD_LIBRARY_PATH=none test_must_fail rwsetbuild --compression-method=snappy many.txt no.set 2>err && test_grep "library for snappy cannot be loaded" err
'

test_done
