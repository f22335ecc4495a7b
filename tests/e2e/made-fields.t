#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Fields that SiLK has in plug-ins: labels, countries, address types, rates, flow keys, rwmatch's
# numbers, inside and outside. What is expected is what SiLK 3.22.1 prints.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

cat >site.conf <<'EOF'
version 2
sensor 0 S0
class all
  sensors S0
  type 0 in in
  type 1 out out
end class
EOF
SILK_CONFIG_FILE=site.conf
export SILK_CONFIG_FILE

cat >flows.txt <<'EOF'
sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration|in|nhIP|class|type
10.0.0.1|192.0.2.7|40000|80|6|10|1000|2020/01/01|0|0|0.0.0.5|all|out
10.0.0.1|192.0.2.7|40000|80|6|10|1000|2020/01/01|2|1|1.0.0.5|all|out
192.0.2.7|10.0.0.2|53|5000|17|5|2000|2020/01/01|3|0|0.0.0.0|all|in
192.0.2.9|10.0.0.2|0|2048|1|1|10|2020/01/01|1|0|0.0.0.0|all|in
EOF
cat >flows6.txt <<'EOF'
sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration|in
2001:db8::1|2001:db8::2|40033|123|6|10|1000|2020/01/01|0|256
EOF
rwtuc --output-path=flows.rw flows.txt || exit 99
rwtuc --output-path=flows6.rw flows6.txt || exit 99

cat >office.txt <<'EOF'
map-name office
mode ipv4
label 0 elsewhere
label 1 a desk
default elsewhere
10.0.0.1/32 a desk
EOF
cat >nameless.txt <<'EOF'
mode proto-port
label 0 other
label 1 web
default other
6/80 6/80 web
EOF
cat >types.txt <<'EOF'
label 0 non-routable
label 1 internal
label 2 external
default external
10.0.0.0/8 internal
EOF
rwpmapbuild --input-file=office.txt --output-file=office.pmap || exit 99
rwpmapbuild --input-file=nameless.txt --output-file=nameless.pmap || exit 99
rwpmapbuild --input-file=types.txt --output-file=types.pmap || exit 99
cat >countries.csv <<'EOF'
"192.0.2.0","192.0.2.8","3221225984","3221225992","DE","Germany"
EOF
rwgeoip2ccmap --mode=ipv4,csv,legacy --input-path=countries.csv --output-path=countries.pmap || exit 99

test_case 'labels of addresses' '
	rwcut --pmap-file=office.pmap --fields=sIP,src-office,dst-office --ip-format=unmap-v6 --num-recs=3 --delimited flows.rw flows6.rw >out &&
	printf "sIP|src-office|dst-office\n10.0.0.1|a desk|elsewhere\n10.0.0.1|a desk|elsewhere\n192.0.2.7|elsewhere|elsewhere\n" >expected &&
	test_cmp expected out
'

test_case 'an IPv6 address has no label in a map of IPv4' '
	rwcut --pmap-file=office.pmap --fields=src-office --no-titles --delimited flows6.rw >out &&
	echo UNKNOWN >expected && test_cmp expected out
'

test_case 'a map of the command line has the name given there' '
	rwcut --pmap-file=x:office.pmap --pmap-file=y:nameless.pmap --fields=src-x,dst-y --delimited=, --num-recs=1 flows.rw >out &&
	printf "src-x,dst-y\na desk,web\n" >expected && test_cmp expected out
'

test_case 'a map without a name' '
	rwcut --pmap-file=nameless.pmap --fields=sval,dval --num-recs=1 flows.rw >out &&
	printf "   sval|   dval|\n  other|    web|\n" >expected && test_cmp expected out
'

test_case 'two maps of one name, or one without, are refused' '
	test_must_fail rwcut --pmap-file=office.pmap --pmap-file=office.pmap --fields=sIP flows.rw 2>err &&
	grep "Multiple pmaps use the mapname .office" err &&
	test_must_fail rwcut --pmap-file=office.pmap --pmap-file=nameless.pmap --fields=sIP flows.rw 2>err &&
	grep "Only one prefix map" err &&
	test_must_fail rwcut --pmap-file=flows.rw --fields=sIP flows.rw 2>err &&
	grep "Invalid pmap-file .flows.rw" err
'

test_case 'columns of labels can be made narrow, which cuts the title' '
	rwcut --pmap-file=office.pmap --pmap-column-width=3 --fields=src-office --num-recs=1 flows.rw >out &&
	printf "src|\na desk|\n" >expected && test_cmp expected out
'

test_case 'labels as keys and distinct values' '
	rwuniq --pmap-file=office.pmap --fields=src-office --values=distinct:dst-office,records --sort-output --delimited flows.rw flows6.rw >out &&
	printf "src-office|dst-office-Distinct|Records\nelsewhere|1|2\na desk|1|2\nUNKNOWN|1|1\n" >expected &&
	test_cmp expected out &&
	rwsort --pmap-file=office.pmap --fields=dst-office,sIP --output-path=sorted.rw flows.rw &&
	rwcut --pmap-file=office.pmap --fields=sIP --ip-format=unmap-v6 --no-titles --delimited sorted.rw >out &&
	printf "10.0.0.1\n10.0.0.1\n192.0.2.7\n192.0.2.9\n" >expected && test_cmp expected out
'

test_case 'labels as JSON and CSV' '
	rwcut --pmap-file=office.pmap --fields=src-office --output-format=json --num-recs=1 flows.rw >out &&
	echo "{\"src-office\":\"a desk\"}" >expected && test_cmp expected out
'

SILK_ADDRESS_TYPES=types.pmap
export SILK_ADDRESS_TYPES
test_case 'address types; of IPv6 none is known' '
	rwcut --fields=sType,17 --num-recs=3 flows.rw >out &&
	printf "s|d|\n1|2|\n1|2|\n2|1|\n" >expected && test_cmp expected out &&
	rwcut --fields=stype --no-titles flows6.rw >out &&
	echo "4294967295|" >expected && test_cmp expected out &&
	rwuniq --fields=stype --sort-output --delimited flows.rw flows6.rw >out &&
	printf "sType|Records\n1|2\n2|2\n255|1\n" >expected && test_cmp expected out
'

test_case 'a map that is missing is an error where it is needed' '
	test_must_fail rwcut --fields=scc flows.rw >out 2>err && test_lines out 0 &&
	grep "cannot find the country code map" err &&
	rwcut --all-fields --num-recs=0 flows.rw >out && grep "sType\|s|d|" out &&
	test_must_fail grep scc out
'

test_case 'a map of the command line that cannot be read is an error, even where no field is printed' '
	for line in "rwcut --num-recs=1" "rwuniq --fields=proto" "rwstats --overall-stats" "rwstats --detail-proto-stats=6"; do
		test_must_fail $line --pmap-file=nosuch flows.rw >out 2>err && test_lines out 0 && test_grep "nosuch: " err || return 1
	done
'

test_case 'countries' '
	SILK_COUNTRY_CODES=countries.pmap &&
	export SILK_COUNTRY_CODES &&
	rwcut --fields=scc,19 --delimited flows.rw >out &&
	printf "scc|dcc\n--|de\n--|de\nde|--\n--|--\n" >expected && test_cmp expected out &&
	rwcut --fields=scc --no-titles flows6.rw >out && echo " ??|" >expected && test_cmp expected out &&
	rwuniq --fields=scc --sort-output --delimited --no-titles flows.rw flows6.rw >out &&
	printf -- "--|3\nde|1\n??|1\n" >expected && test_cmp expected out
'

test_case 'payload and rates' '
	rwcut --fields=payload-bytes,payload-rate,pckts/sec,bytes/sec,bytes/packet --delimited flows.rw >out &&
	cat >expected <<-EOF &&
	payload-bytes|payload-rate|pckts/sec|bytes/sec|bytes/packet
	600|1500000.000|25000.000|2500000.000|100.000
	600|300.000|5.000|500.000|100.000
	1860|620.000|1.667|666.667|400.000
	0|0.000|1.000|10.000|10.000
	EOF
	test_cmp expected out &&
	rwcut --fields=payload-bytes,payload-rate --no-titles flows6.rw >out &&
	echo "            400|    1000000.000|" >expected && test_cmp expected out
'

test_case 'the duration that stands for 0 can be chosen' '
	rwcut --plugin=flowrate.so --flowrate-zero-duration=1000000 --fields=pckts/sec --num-recs=1 --no-titles flows.rw >out &&
	echo "         10.000|" >expected && test_cmp expected out &&
	test_must_fail rwcut --flowrate-zero-duration=0 --fields=pckts/sec flows.rw
'

test_case 'rates of groups are the sum of one by the sum of the other' '
	rwuniq --plugin=flowrate.so --fields=sIP --values=payload-bytes,payload-rate,pckts/sec,bytes/sec,bytes/packet --sort-output --delimited flows.rw >out &&
	cat >expected <<-EOF &&
	sIP|payload-bytes|payload-rate|pckts/sec|bytes/sec|bytes/packet
	10.0.0.1|1200|599.880|9.998|999.800|100.000
	192.0.2.7|1860|620.000|1.667|666.667|400.000
	192.0.2.9|0|0.000|1.000|10.000|10.000
	EOF
	test_cmp expected out
'

test_case 'groups ranked by a rate' '
	rwstats --plugin=flowrate.so --fields=sIP --values=pckts/sec,records --count=2 --delimited flows.rw >out &&
	cat >expected <<-EOF &&
	INPUT: 4 Records for 3 Bins
	OUTPUT: Top 2 Bins by pckts/sec
	sIP|pckts/sec|Records|%pckts/sec|cumul_%
	10.0.0.1|9.998|2|?|?
	192.0.2.7|1.667|1|?|?
	EOF
	test_cmp expected out &&
	rwstats --fields=sIP --values=pckts/sec --count=1 --bottom --output-format=json flows.rw >out &&
	echo "{\"sIP\":\"192.0.2.9\",\"pckts/sec\":1.000,\"%pckts/sec\":null,\"cumul_%\":null}" >expected &&
	test_cmp expected out
'

test_case 'what is worked out has no thresholds' '
	test_must_fail rwuniq --fields=sIP --values=bytes/packet --threshold=bytes/packet=1 flows.rw 2>err &&
	grep "no thresholds" err &&
	test_must_fail rwstats --fields=sIP --values=payload-bytes --threshold=5 flows.rw 2>err &&
	grep "only" err
'

test_case 'flow keys' '
	rwcut --plugin=flowkey.so --fields=flowkey --no-titles --delimited flows.rw flows6.rw >out &&
	printf "%s\n" 1447059990 1448108566 3392405965 3389004363 2405523515 >expected && test_cmp expected out
'

test_case 'numbers of rwmatch' '
	rwcut --plugin=cutmatch.so --fields=match --num-recs=3 flows.rw >out &&
	printf " <->Match#|\n->       5|\n<-       5|\n->        |\n" >expected && test_cmp expected out
'

test_case 'inside and outside' '
	rwcut --plugin=int-ext-fields.so --incoming-flowtypes=all/in --outgoing-flowtypes=all/out --fields=int-ip,int-port,ext-ip,ext-port --num-recs=3 --delimited flows.rw >out &&
	cat >expected <<-EOF &&
	int-ip|int-port|ext-ip|ext-port
	10.0.0.1|40000|192.0.2.7|80
	10.0.0.1|40000|192.0.2.7|80
	10.0.0.2|5000|192.0.2.7|53
	EOF
	test_cmp expected out &&
	printf "%s\n" "1.1.1.1|2.2.2.2|0|2048|1|all|in" "1.1.1.1|2.2.2.2|3|4|58|all|in" "2001::1|2.2.2.2|3|4|58|all|out" |
		rwtuc --no-titles --fields=sip,dip,sport,dport,proto,class,type --output-path=icmp.rw &&
	rwcut --plugin=int-ext-fields.so --incoming-flowtypes=all/in --outgoing-flowtypes=all/out --fields=int-port,ext-port --no-titles --delimited icmp.rw >out &&
	printf "%s\n" "0|0" "4|3" "0|0" >expected && test_cmp expected out &&
	INCOMING_FLOWTYPES=all/in OUTGOING_FLOWTYPES=all/out rwuniq --fields=int-ip --sort-output --delimited --no-titles flows.rw >out &&
	printf "10.0.0.1|2\n10.0.0.2|2\n" >expected && test_cmp expected out &&
	test_must_fail rwcut --fields=int-ip flows.rw 2>err && grep "needs --incoming-flowtypes" err &&
	test_must_fail rwcut --incoming-flowtypes=all/x --fields=sIP flows.rw 2>err && grep "Invalid incoming-flowtypes" err
'

test_case 'a plug-in that is not built in is refused' '
	test_must_fail rwcut --plugin=elsewhere.so --fields=sIP flows.rw 2>err &&
	grep "Invalid plugin .elsewhere.so" err
'

# passes COUNT SWITCHES...: rwfilter passes that many records of both files
passes() {
	count=$1
	shift
	rm -f stat.txt
	rwfilter "$@" --print-statistics=stat.txt --pass-destination=/dev/null flows.rw flows6.rw || return 1
	echo "Files     2.  Read          5.  Pass          $count. Fail           $((5 - count))." >expected
	test_cmp expected stat.txt || { echo "rwfilter $*"; return 1; }
}

test_case 'rwfilter: labels' '
	passes 2 --pmap-file=office.pmap --pmap-src-office="A Desk" &&
	passes 2 --pmap-file=office.pmap --pmap-src-office=1 &&
	passes 4 --pmap-file=office.pmap --pmap-any-office=elsewhere &&
	passes 4 --pmap-file=office.pmap --pmap-src-office=elsewhere --pmap-src-office="a desk" &&
	passes 2 --pmap-file=x:office.pmap --pmap-s="a desk" &&
	passes 2 --pmap-file=nameless.pmap --pmap-dport-proto=web &&
	passes 0 --pmap-file=nameless.pmap --pmap-sport-proto=web &&
	passes 2 --pmap-file=nameless.pmap --pmap-any-port-proto=web
'

test_case 'rwfilter: labels and maps that are not there' '
	test_must_fail rwfilter --pmap-file=office.pmap --pmap-src-office=yard --all=/dev/null flows.rw 2>err &&
	grep "label .yard. is not in the prefix map" err && test_lines err 2 &&
	test_must_fail rwfilter --pmap-file=office.pmap --pmap-src-office= --all=/dev/null flows.rw 2>err &&
	test_must_fail rwfilter --pmap-src-office=1 --pmap-file=office.pmap --all=/dev/null flows.rw 2>err &&
	grep "unrecognized option .--pmap-src-office" err &&
	test_must_fail rwfilter --pmap-file=flows.rw --all=/dev/null flows.rw 2>err && grep "Invalid pmap-file" err &&
	test_must_fail rwfilter --pmap-file=office.pmap --pmap-file=office.pmap --all=/dev/null flows.rw 2>err &&
	grep "Multiple pmaps" err
'

test_case 'rwfilter: address types, which IPv6 addresses have not' '
	passes 2 --stype=1 && passes 2 --dtype=1 && passes 0 --stype=0 && passes 2 --stype=2 && passes 3 --stype=3 &&
	test_must_fail rwfilter --stype=4 --all=/dev/null flows.rw 2>err && grep "Invalid stype .4." err
'

test_case 'rwfilter: countries' '
	SILK_COUNTRY_CODES=countries.pmap &&
	passes 1 --scc=de && passes 2 --dcc=DE && passes 3 --any-cc=de && passes 4 --scc=de,-- && passes 0 --scc=fr,, &&
	test_must_fail rwfilter --scc=deu --all=/dev/null flows.rw 2>err && grep "Not a country: deu" err &&
	test_must_fail env SILK_COUNTRY_CODES=missing rwfilter --scc=de --all=/dev/null flows.rw 2>err &&
	grep "cannot find the country code map" err
'

test_case 'rwfilter: block files are told by their summaries as well' '
	SILK_COUNTRY_CODES=countries.pmap &&
	rwfilter --all-destination=flows.blk --file-format=block flows.rw &&
	for switch in --scc=de --any-cc=de --stype=3 --dtype=1 --payload-bytes=600 --flowkey=3392405965 \
		"--pmap-file=office.pmap --pmap-src-office=1" "--pmap-file=nameless.pmap --pmap-dport-proto=web"; do
		rwfilter $switch --pass-destination=from-rows.rw flows.rw &&
		rwfilter $switch --pass-destination=from-blocks.rw flows.blk &&
		rwcut from-rows.rw >expected && rwcut from-blocks.rw >out && test_cmp expected out &&
		! test_lines out 1 || return 1
		rm -f from-rows.rw from-blocks.rw
	done
'

test_case 'rwfilter: payload, rates and flow keys' '
	passes 2 --payload-bytes=600 && passes 4 --payload-bytes=1- && passes 1 --payload-rate=300 &&
	passes 2 --plugin=flowrate.so --packets-per-second=1000- &&
	passes 0 --packets-per-second=1000- --flowrate-zero-duration=1000000 &&
	passes 1 --plugin=flowkey.so --flowkey=3392405965 && passes 1 --flowkey=1,0xCA3401CD &&
	test_must_fail rwfilter --flowkey=0xg --all=/dev/null flows.rw 2>err && grep "Invalid flowkey .0xg." err
'

test_case 'rwfilter: applications that do not match a port' '
	printf "sPort|dPort|protocol|application\n80|5|6|80\n5|80|6|80\n5|6|6|80\n5|6|17|53\n5|6|6|0\n5|6|1|80\n" >apps.txt &&
	rwtuc --output-path=apps.rw apps.txt &&
	rwfilter --plugin=app-mismatch.so --pass=stdout apps.rw >passed.rw &&
	rwcut --fields=application --no-titles --delimited passed.rw >out &&
	printf "80\n53\n" >expected && test_cmp expected out &&
	rwfilter --app-mismatch --pass=stdout apps.rw >passed2.rw && rwcut passed2.rw >out && test_lines out 3
'

test_case 'where a worm looks for itself' '
	printf "17|10.10.10.10|23332|192.168.192.168|16514\n6|10.10.10.10|44781|192.168.192.168|1\n1|10.10.10.10|44781|1.2.3.4|1\n17|2001:db8::1|44781|::1|16514\n" |
	rwtuc --fields=protocol,sIP,sPort,dIP,dPort --output-path=worm.rw &&
	rwcut --plugin=conficker-c.so --conficker-seed=8888 --fields=sPort,sconf,dconficker --delimited=, worm.rw >out &&
	printf "sPort,sconficker,dconficker\n23332,1,1\n44781,1,0\n44781,0,0\n44781,0,0\n" >expected && test_cmp expected out &&
	rwuniq --conficker-seed=8888 --fields=sconficker,dconficker --sort-output --no-titles --delimited worm.rw >out &&
	printf "0|0|2\n1|0|1\n1|1|1\n" >expected && test_cmp expected out &&
	passed() { want=$1; shift; rwfilter --pass=stdout "$@" worm.rw >worm-passed.rw && [ "$(rwcut --no-titles worm-passed.rw | wc -l)" -eq "$want" ]; } &&
	passed 2 --plugin=conficker-c.so --conficker-seed=8888 --s-conficker && passed 1 --d-conficker --conficker-seed=8888 &&
	passed 2 --a-conficker --conficker-seed=8888 && passed 1 --s-conficker --d-conficker --conficker-seed=8888 &&
	passed 0 --d-conficker &&
	test_must_fail rwfilter --s-conficker --conficker-seed=-1 --all=/dev/null worm.rw 2>err && grep "Invalid conficker-seed .-1." err
'

test_case 'sorted input is taken as it comes' '
	rwuniq --presorted-input --fields=protocol --delimited --no-titles flows.rw >out &&
	printf "6|2\n17|1\n1|1\n" >expected && test_cmp expected out &&
	rwuniq --presorted-input --fields=sPort --delimited --no-titles --xargs <<-EOF >out &&
	flows.rw
	flows6.rw
	EOF
	printf "0|1\n53|1\n40000|2\n40033|1\n" >expected && test_cmp expected out
'

test_case 'no Python, and a clear word about it' '
	for tool in "rwfilter --protocol=6" rwcut "rwuniq --fields=sip" "rwsort --fields=sip" "rwgroup --id-fields=sip" "rwstats --fields=sip"; do
		for switch in --python-file=x.py --python-expr=1; do
			test_must_fail $tool $switch flows.rw 2>err && test_grep "${switch%%=*} is not supported: .*runs no Python" err || return 1
		done
	done
'

test_case 'rwfilter --help lists the switches that a map adds' '
	rwfilter --pmap-file=office.pmap --help >out && test_grep "^--pmap-src-office=LABELS Req Arg. Pass flows whose source has" out && test_grep "^--pmap-any-office=" out &&
	rwfilter --pmap-file=elsewhere:office.pmap --help >out && test_grep "^--pmap-dst-elsewhere=" out &&
	rwfilter --help --pmap-file=office.pmap >out && ! grep -e "--pmap-src-office" out
'
test_done
