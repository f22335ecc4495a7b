#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwgeoip2ccmap: country maps from databases made up here in the four forms.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER SILK_IP_FORMAT

# mmdb ARGUMENTS...: a binary database, see there
mmdb() {
	python3 "$TUSSAH_SRCDIR/tests/e2e/mmdb.py" "$@"
}

# listing FILE: the ranges of a map that have a country
listing() {
	rwpmapcat --country-codes="$1" --no-titles --delimited=' ' --no-cidr-blocks --ignore-label=--
}

# ccmap SWITCHES...: the listing of the map that is made; its kind in ./kind
ccmap() {
	rm -f map.pmap
	rwgeoip2ccmap --output-path=map.pmap "$@" &&
		rwpmapcat --output-types=type --no-titles map.pmap >kind &&
		listing map.pmap
}

cat >old4.csv <<'E'
"1.0.0.0","1.0.0.255","16777216","16777471","AU","Australia"
"2.0.0.0","2.0.0.9","x","y","de","Germany, ""west"""
E
cat >old6.csv <<'E'
"2001:db8::", "2001:db8::ff", "1", "2", "CH", "Switzerland"
"1.0.0.0", "1.0.0.255", "16777216", "16777471", "AU", "Australia"
E

mkdir folder
cat >folder/GeoLite2-Country-Locations-en.csv <<'E'
geoname_id,locale_code,continent_code,continent_name,country_iso_code,country_name,is_in_european_union
1,en,NA,"North America",US,"United States",0
2,en,EU,Europe,DE,Germany,1
3,en,EU,Europe,,,0
E
titles=network,geoname_id,registered_country_geoname_id,represented_country_geoname_id,is_anonymous_proxy,is_satellite_provider
cat >folder/GeoLite2-Country-Blocks-IPv4.csv <<E
$titles
1.0.0.0/24,1,2,,0,0
2.0.0.0/24,3,2,,0,0
3.0.0.0/24,3,,,0,0
4.0.0.0/24,,,,1,0
5.0.0.0/24,,,,0,1
6.0.0.0/24,,,,0,0
E
printf '%s\r\n' "$titles" '2001:db8::/32,2,1,,0,0' >folder/GeoLite2-Country-Blocks-IPv6.csv

test_case 'the bytes of a map' '
	printf "\"128.0.0.0\",\"191.255.255.255\",\"2147483648\",\"3221225471\",\"US\",\"x\"\n" |
		rwgeoip2ccmap --mode=ipv4,csv,legacy --invocation-strip >small.pmap &&
	od -An -v -tx1 small.pmap | tr -d " \n" >got &&
	printf "%s" deadbeef00251000002e1cb1000100010000000000000008 \
		020000002d2d008001000000737500802d2d0080 >want &&
	test_cmp want got
'

test_case 'old CSV' '
	printf "1.0.0.0 1.0.0.255 au\n2.0.0.0 2.0.0.9 de\n" >want &&
	ccmap --input-path=old4.csv >out && test_cmp want out && test_grep IPv4 kind &&
	ccmap <old4.csv >out && test_cmp want out &&
	ccmap --csv-input --input-file=old4.csv >out && test_cmp want out &&
	printf "::ffff:1.0.0.0 ::ffff:1.0.0.255 au\n2001:db8:: 2001:db8::ff ch\n" >want &&
	ccmap --input-path=old6.csv >out && test_cmp want out && test_grep IPv6 kind &&
	ccmap --v6-csv-input --input-path=old6.csv >out && test_cmp want out &&
	echo "1.0.0.0 1.0.0.255 au" >want &&
	ccmap --mode=ipv4 --input-path=old6.csv >out && test_cmp want out && test_grep IPv4 kind
'

test_case 'old CSV, lines that are wrong' '
	(echo nonsense && cat old4.csv && echo "\"1.1.1.1\",\"1.1.1.2\",\"\",\"\",\"xxx\",\"x\"") >bad.csv &&
	printf "1.0.0.0 1.0.0.255 au\n2.0.0.0 2.0.0.9 de\n" >want &&
	ccmap --input-path=bad.csv >out 2>err && test_cmp want out &&
	test_grep "bad.csv:1: column 1 is not in quotes" err &&
	test_grep "2 lines were passed over" err &&
	echo "\"a\",\"b\"" >other.csv &&
	test_must_fail rwgeoip2ccmap --input-path=other.csv --output-path=other.pmap 2>err &&
	test ! -e other.pmap
'

test_case 'new CSV' '
	cat >want <<E &&
::ffff:1.0.0.0 ::ffff:1.0.0.255 us
::ffff:2.0.0.0 ::ffff:2.0.0.255 de
::ffff:3.0.0.0 ::ffff:3.0.0.255 eu
::ffff:4.0.0.0 ::ffff:4.0.0.255 a1
::ffff:5.0.0.0 ::ffff:5.0.0.255 a2
2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff de
E
	ccmap --input-path=folder >out && test_cmp want out && test_grep IPv6 kind &&
	grep ffff: want | sed "s/::ffff://g;/^2001/d" >want4 &&
	ccmap --mode=ipv4,geoip2 --input-path=folder >out && test_cmp want4 out && test_grep IPv4 kind &&
	printf "1.0.0.0 1.0.0.255 de\n2.0.0.0 2.0.0.255 de\n" >want &&
	ccmap --mode=ipv4 --fields=registered --input-path=folder >out && test_cmp want out &&
	printf "1.0.0.0 1.0.0.255 us\n2.0.0.0 2.0.0.255 eu\n3.0.0.0 3.0.0.255 eu\n" >want &&
	ccmap --mode=ipv4 --fields=continent,LOC,reg --input-path=folder >out && test_cmp want out
'

test_case 'new CSV, files that are wrong' '
	cp -r folder bad && echo "1.0.0.0/24,x,,,0,0" >>bad/GeoLite2-Country-Blocks-IPv4.csv &&
	echo "1.0.0.0/24" >>bad/GeoLite2-Country-Blocks-IPv4.csv &&
	ccmap --input-path=bad >out 2>err && test_grep "Blocks-IPv4.csv:8: invalid geoname_id .x." err &&
	test_grep "Blocks-IPv4.csv:9: 1 columns instead of 6" err &&
	sed -i 1d bad/GeoLite2-Country-Blocks-IPv4.csv &&
	test_must_fail rwgeoip2ccmap --input-path=bad >out 2>err && test_grep "title of column 1" err &&
	rm bad/GeoLite2-Country-Blocks-IPv4.csv &&
	test_must_fail rwgeoip2ccmap --input-path=bad >out 2>err &&
	rm bad/GeoLite2-Country-Locations-en.csv &&
	test_must_fail rwgeoip2ccmap --input-path=bad >out 2>err && test_grep "neither GeoIP2" err &&
	test_must_fail rwgeoip2ccmap --mode=legacy --input-path=folder 2>err
'

for bits in 24 28 32; do
	test_case "new binary, records of $bits bits" '
		mmdb new new.mmdb 6 $bits ::1.0.0.0/104 location=US,registered=DE,continent=NA \
			::2.0.0.0/105 registered=DE,continent=EU 2001:db8::/32 represented=FR \
			::3.0.0.0/120 continent=AS,anonymous=1 ::4.0.0.0/120 anonymous=1 ::5.0.0.0/120 satellite=1 \
			::6.0.0.0/120 anonymous=0 ::ffff:0:0/96 alias=::/96 &&
		cat >want <<E &&
1.0.0.0 1.255.255.255 us
2.0.0.0 2.127.255.255 de
3.0.0.0 3.0.0.255 ap
4.0.0.0 4.0.0.255 a1
5.0.0.0 5.0.0.255 a2
E
		ccmap --mode=ipv4 --input-path=new.mmdb >out && test_cmp want out && test_grep IPv4 kind &&
		(sed "s/\\([0-9.]*\\) \\([0-9.]*\\)/::\\1 ::\\2/" want &&
			sed "s/\\([0-9.]*\\) \\([0-9.]*\\)/::ffff:\\1 ::ffff:\\2/" want &&
			echo "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff fr") >want6 &&
		ccmap --input-path=new.mmdb >out && test_cmp want6 out && test_grep IPv6 kind &&
		ccmap --mode=ipv4,geoip2 --fields=flags,continent,represented --input-path=new.mmdb >out &&
		printf "1.0.0.0 1.255.255.255 xn\n2.0.0.0 2.127.255.255 eu\n3.0.0.0 4.0.0.255 a1\n" |
			sed "s/3.0.0.0 4.0.0.255 a1/3.0.0.0 3.0.0.255 a1/" >want &&
		printf "4.0.0.0 4.0.0.255 a1\n5.0.0.0 5.0.0.255 a2\n" >>want && test_cmp want out
	'
done

test_case 'new binary of IPv4' '
	mmdb new new4.mmdb 4 24 1.0.0.0/8 location=US &&
	echo "1.0.0.0 1.255.255.255 us" >want &&
	ccmap --input-path=new4.mmdb >out && test_cmp want out && test_grep IPv4 kind &&
	echo "::ffff:1.0.0.0 ::ffff:1.255.255.255 us" >want &&
	ccmap --mode=ipv6 --input-path=new4.mmdb >out && test_cmp want out
'

test_case 'new binary, cut and damaged' '
	size=$(wc -c <new.mmdb) &&
	for at in 0 1 3 7 100 200 400 700 $((size - 5)) $((size - 60)) $((size - 200)) $((size - 300)); do
		head -c $at new.mmdb >cut.mmdb &&
		test_must_fail rwgeoip2ccmap --mode=geoip2 --input-path=cut.mmdb >out 2>err || return 1
		test ! -s out || return 1
	done &&
	for at in $(seq 0 37 $size); do
		(head -c $at new.mmdb && printf "\\377" && tail -c +$((at + 2)) new.mmdb) >damaged.mmdb &&
		rwgeoip2ccmap --mode=geoip2 --input-path=damaged.mmdb >out 2>err
		[ $? -le 1 ] || return 1
	done
'

test_case 'a new binary whose tree never ends' '
	python3 -c "
import struct
node = lambda left, right: left.to_bytes(3, \"big\") + right.to_bytes(3, \"big\")
data = open(\"new4.mmdb\", \"rb\").read()
count = data.index(bytes(16)) // 6
open(\"circle.mmdb\", \"wb\").write(node(1, 1) * count + data[count * 6:])
" &&
	test_must_fail rwgeoip2ccmap --input-path=circle.mmdb >out 2>err &&
	test_grep "too deep" err
'

test_case 'old binary' '
	mmdb old old4.dat ipv4 1.0.0.0/8 225 2.0.0.0/9 56 &&
	printf "1.0.0.0 1.255.255.255 us\n2.0.0.0 2.127.255.255 de\n" >want &&
	ccmap --input-path=old4.dat >out && test_cmp want out && test_grep IPv4 kind &&
	ccmap --encoded-input <old4.dat >out && test_cmp want out &&
	(cat old4.dat && printf "GEO trailing text \\377\\377\\377") >tail.dat &&
	ccmap --mode=binary --input-path=tail.dat >out && test_cmp want out &&
	mmdb old old6.dat ipv6 2001:db8::/32 225 ::1/128 77 &&
	printf "::1 ::1 gb\n2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff us\n" >want &&
	ccmap --input-path=old6.dat >out && test_cmp want out && test_grep IPv6 kind &&
	head -c 20 old4.dat >cut.dat &&
	test_must_fail rwgeoip2ccmap --input-path=cut.dat >out 2>err && test_grep "cut.dat: " err
'

test_case '--dry-run, notes' '
	rwgeoip2ccmap --dry-run --input-path=old4.csv --output-path=dry.pmap && test ! -e dry.pmap &&
	rwgeoip2ccmap --note-add=hello --input-path=old4.csv >noted.pmap &&
	rwfileinfo --fields=annotations,command-lines noted.pmap >out &&
	test_grep hello out && test_grep "rwgeoip2ccmap --note-add=hello" out
'

test_case 'switches that are wrong' '
	for switch in --mode=ipv4,ipv6 --mode=csv,binary --mode=geoip2,legacy --mode=ipv --mode= --mode=foo \
		"--mode=ipv4 --mode=ipv4" "--csv-input --encoded-input" --fields= --fields=foo --fields=loc,loc \
		"--fields=loc --fields=reg" --mode=binary --mode=geoip2 more; do
		test_must_fail rwgeoip2ccmap $switch --input-path=old4.csv >out 2>err || return 1
		test ! -s out || return 1
	done &&
	test_must_fail rwgeoip2ccmap --mode=csv --input-path=old4.dat 2>err &&
	test_must_fail rwgeoip2ccmap --mode=geoip2 <new.mmdb 2>err &&
	test_must_fail rwgeoip2ccmap --input-path=nope 2>err
'

test_done
