# SPDX-License-Identifier: GPL-3.0-or-later
# Information elements beyond the record: printed, sorted, grouped and kept by name.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

q="'"
columntool=$TUSSAH_BUILDDIR/tests/format/columntool
"$columntool" ext.blk <<'END' || exit 99
sip=10.0.0.1 dip=192.0.2.1 sport=1 dport=80 protocol=6 bytes=100 0/225:18=203.0.113.5 0/227:2=40001 0/305:3=1000 0/371:13=bob 0/56:12=0x00163e0a0b0c 0/136:1=3
sip=10.0.0.2 dip=192.0.2.1 sport=2 dport=80 protocol=6 bytes=200 0/305:3=100 0/371:13=al|i\x5cce\x0a 6871/500:3=7 0/352:0=\x0d\x00\x01\xc5
sip=10.0.0.3 dip=192.0.2.1 sport=3 dport=53 protocol=17 bytes=300
---
sip=2001:db8::1 dip=2001:db8::2 sport=4 dport=53 protocol=17 bytes=400 0/305:3=1000 0/371:13=bob 9/12:8=-5 9/13:9=0x3fc00000 9/14:11=1 9/15:15=1709618400123 9/16:17=1709618400123456789 9/17:19=2001:db8::9
END
# the same records in a file that has no room for them
rwsort --fields=stime --output-path=ext.rw ext.blk || exit 99

test_case 'rwcut prints elements by name, number and enterprise' '
	rwcut --delimited --fields=sport,postNATSourceIPv4Address,IE227,samplingpacketinterval,flowEndReason,sourceMacAddress,6871/500 ext.blk >got &&
	cat >want <<END &&
sPort|postNATSourceIPv4Address|postNAPTSourceTransportPort|samplingPacketInterval|flowEndReason|sourceMacAddress|smallPacketCount
1|203.0.113.5|40001|1000|3|00:16:3e:0a:0b:0c|
2|||100|||7
3||||||
4|||1000|||
END
	test_cmp want got
'
test_case 'each type has its text; unknown elements have their number as name' '
	rwcut --delimited=, --timestamp-format=epoch,frac-nano --fields=sport,9/12,9/13,9/14,9/15,9/16,9/17,9/99 ext.blk >got &&
	cat >want <<END &&
sPort,9/12,9/13,9/14,9/15,9/16,9/17,9/99
1,,,,,,,
2,,,,,,,
3,,,,,,,
4,-5,1.5,true,1709618400.123000000,1709618400.123456789,2001:db8::9,
END
	test_cmp want got
'
test_case 'text is escaped where it would break the table, and quoted as CSV and JSON have it' '
	rwcut --delimited --no-titles --fields=userName,ie352 --start-rec-num=2 --num-recs=1 ext.blk >got &&
	printf "%s\n" "al\\|i\\\\ce\\x0a|0x0d0001c5" >want &&
	test_cmp want got &&
	rwcut --output-format=csv --fields=userName,ie305 --start-rec-num=2 ext.blk >got &&
	printf "userName,samplingPacketInterval\n\"al|i\\\\ce\n\",100\n,\nbob,1000\n" >want &&
	test_cmp want got &&
	rwcut --output-format=json --fields=userName,ie305 --start-rec-num=2 --num-recs=2 ext.blk >got &&
	printf "%s\n" "{\"userName\":\"al|i\\\\ce\\u000a\",\"samplingPacketInterval\":100}" \
		"{\"userName\":\"\",\"samplingPacketInterval\":null}" >want &&
	test_cmp want got
'
test_case 'elements that are fields of every record are those fields' '
	rwcut --fields=octetDeltaCount,6871/14,sourceIPv4Address,ie7 ext.blk >got &&
	rwcut --fields=bytes,initialFlags,sIP,sPort ext.blk >want &&
	test_cmp want got
'
test_case 'the last records keep their elements' '
	rwcut --delimited --no-titles --tail-recs=3 --fields=sport,userName ext.blk >got &&
	printf "%s\n" "2|al\\|i\\\\ce\\x0a" "3|" "4|bob" >want &&
	test_cmp want got
'
test_case 'rows of SiLK files have no elements' '
	rwcut --delimited --no-titles --fields=sport,userName,ie305 ext.rw ext.blk >got &&
	printf "%s\n" "1||" "2||" "3||" "4||" "1|bob|1000" "2|al\\|i\\\\ce\\x0a|100" "3||" "4|bob|1000" >want &&
	test_cmp want got
'
test_case 'rwsort sorts by elements, those without first' '
	rwsort --fields=userName,sport --output-path=sorted ext.blk &&
	rwcut --delimited --no-titles --fields=sport sorted >got &&
	printf "%s\n" 3 2 1 4 >want && test_cmp want got &&
	rwsort --fields=9/12,ie305 --reverse --output-path=sorted2 ext.blk &&
	rwcut --delimited --no-titles --fields=sport sorted2 >got &&
	printf "%s\n" 4 1 2 3 >want && test_cmp want got
'
test_case 'rwuniq groups by elements and counts different ones' '
	rwuniq --delimited --no-titles --fields=userName,ie305 --values=bytes,records,distinct:sip --sort-output ext.blk >got &&
	printf "%s\n" "||300|1|1" "al\\|i\\\\ce\\x0a|100|200|1|1" "bob|1000|500|2|2" >want &&
	test_cmp want got &&
	rwuniq --delimited --fields=dport --values=distinct:userName,distinct:ie225 --sort-output ext.blk >got &&
	printf "%s\n" "dPort|userName-Distinct|postNATSourceIPv4Address-Distinct" "53|2|1" "80|2|2" >want &&
	test_cmp want got
'
test_case 'rwstats ranks elements' '
	rwstats --delimited --no-titles --no-percents --fields=samplingPacketInterval --values=bytes --count=2 ext.blk >got &&
	printf "%s\n" "1000|500" "|300" >want && test_cmp want got
'
test_case 'rwfilter writes block files that keep them, also down a pipe' '
	rwfilter --file-format=block --sport=2- --pass-destination=pass.blk --fail-destination=stdout ext.blk >fail.blk &&
	rwcut --delimited --no-titles --fields=sport,userName,9/12 pass.blk >got &&
	printf "%s\n" "2|al\\|i\\\\ce\\x0a|" "3||" "4|bob|-5" >want && test_cmp want got &&
	rwcut --delimited --no-titles --fields=sport,userName,ie225 - <fail.blk >got &&
	echo "1|bob|203.0.113.5" >want && test_cmp want got &&
	mkfifo pipe && { rwfilter --file-format=block --all-destination=stdout ext.blk ext.rw >pipe & } &&
	rwcut --all-fields <pipe >got && wait &&
	rwcut --all-fields ext.blk >want && rwcut --all-fields --no-titles ext.rw >>want && test_cmp want got
'
# where EXPR SPORTS: the source ports of the records of ext.blk that pass
where() {
	rm -f passed.blk &&
	rwfilter --where="$1" --pass-destination=passed.blk --file-format=block ext.blk &&
	rwcut --fields=sport --no-titles --delimited passed.blk >got &&
	printf "%s" "$2" | tr " " "\n" >want && [ -z "$2" ] || echo >>want
	cmp -s want got && return 0
	echo "$1:" && diff want got
}

test_case 'rwfilter --where tests elements' '
	where "userName = bob" "1 4" && where "userName ~ ^al" 2 && where "userName != bob" 2 &&
	where "userName" "1 2 4" && where "not userName" 3 && where "not userName = bob" "2 3" &&
	where "samplingPacketInterval in 100-500, 1000 and userName !~ i" "1 4" &&
	where "ie305 > 100 or bytes = 300" "1 3 4" && where "6871/500 = 7" 2 &&
	where "postNATSourceIPv4Address in 203.0.113.0/24" 1 && where "9/17 = 2001:db8::9" 4 &&
	where "9/12 = -5 and 9/12 < -4 and 9/12 > -6" 4 && where "9/13 = 1.5 and 9/13 in 1-2" 4 && where "9/14 = true" 4 &&
	where "9/15 in 2024/03/05 and 9/15 >= 2024/03/05T06:00:00 and 9/15 < 2024/03/06" 4 &&
	where "sourceMacAddress = \"00:16:3e:0a:0b:0c\"" 1 && where "ie352 = 0x0d0001c5" 2
'

test_case 'rwfilter --where goes with switches, and is the same for rows and with threads' '
	rwfilter --protocol=6 --where="dport = 80" --where="bytes >= 150 and not sip in 10.0.0.3" --pass=stdout ext.blk >passed.rw &&
	rwcut --fields=sport --no-titles --delimited passed.rw >got && echo 2 >want && test_cmp want got &&
	for expr in "sport in 2-3 or not proto = 6" "dip ~ 192" "flags = S/SA or dport = 53 and sip in 10.x.0.3"; do
		rwfilter --where="$expr" --pass=stdout ext.blk >from-blocks.rw && rwfilter --where="$expr" --threads=3 --pass=stdout ext.rw >from-rows.rw &&
		rwcut from-blocks.rw >got && rwsort --fields=stime from-rows.rw >sorted.rw && rwcut sorted.rw >want && test_cmp want got || return 1
	done &&
	rwfilter --where="userName = bob" --print-statistics=stdout ext.rw >got && grep "Pass          0. Fail           4" got
'

test_case 'rwfilter --where with sets, maps and labels' '
	printf "10.0.0.2\n2001:db8::1\n" | rwsetbuild - some.set &&
	printf "map-name m\nmode ipv6\nlabel 0 other\nlabel 1 a b\ndefault other\n::ffff:10.0.0.0/127 a b\n" >map.txt &&
	rwpmapbuild --input-file=map.txt --output-file=map.pmap &&
	where "sip in set some.set" "2 4" && where "sip not in set some.set" "1 3" &&
	where "sip in map map.pmap \"a b\"" 1 && where "sip not in map map.pmap (\"a b\", other)" "" &&
	rwfilter --pmap-file=map.pmap --where="src-m != other" --pass=stdout ext.blk >passed.rw &&
	rwcut --fields=sport --no-titles --delimited passed.rw >got && echo 1 >want && test_cmp want got
'

test_case 'a mistake in --where is shown with a caret under the place' '
	test_must_fail rwfilter --where="sport = 53 and byts > 5" --pass=no.rw ext.blk 2>got && ! test -e no.rw &&
	cat >want <<END &&
rwfilter: Invalid where: No match was found for the field ${q}byts${q}; did you mean ${q}bytes${q}?
  sport = 53 and byts > 5
                 ^
END
	test_cmp want got &&
	test_must_fail rwfilter --where="sip in set missing.set" --pass=no.rw ext.blk 2>got && grep "missing.set: No such file" got
'

test_case 'counts of sampled records can be multiplied' '
	rwcut --fields=bytes --no-titles --delimited --sampling=scale ext.blk >got && printf "%s\n" 100000 20000 300 400000 >want && test_cmp want got &&
	rwcut --fields=bytes --no-titles --delimited --sampling=scale --tail-recs=2 ext.blk >got && printf "%s\n" 300 400000 >want && test_cmp want got &&
	rwuniq --fields=dport --values=records,bytes --sort-output --sampling=scale --no-titles --delimited ext.blk >got &&
	printf "%s\n" "53|2|400300" "80|2|120000" >want && test_cmp want got &&
	rwstats --fields=dport --values=bytes --count=1 --sampling=scale --no-titles --no-percents --delimited ext.blk >got && echo "53|400300" >want && test_cmp want got &&
	rwstats --overall-stats --sampling=scale ext.blk >got && test_grep "BYTES min 300; max 400000" got && rwstats --detail-proto-stats=6 --sampling=scale ext.blk >got && test_grep "BYTES min 20000; max 100000" got &&
	rwcount --bin-size=100000 --sampling=scale --no-titles --delimited ext.blk >got && echo 520300.00 >want && cut -d"|" -f3 got >bytes && test_cmp want bytes &&
	rwcut --fields=bytes --sampling=none ext.blk >got && rwcut --fields=bytes ext.blk >want && test_cmp want got &&
	rwcut --fields=samplingPacketInterval,bytes --no-titles --delimited --sampling=scale --num-recs=1 ext.blk >got && echo "1000|100000" >want && test_cmp want got
'

test_case 'statistics and headers as data' '
	rwfilter --protocol=6 --print-statistics=stdout --output-format=json ext.blk >got &&
	echo "{\"files\":1,\"read\":4,\"pass\":2,\"fail\":2}" >want && test_cmp want got &&
	rwfilter --protocol=6 --print-volume-statistics=stdout --output-format=csv ext.blk >got && grep "^1,4,2,2,.*,1000,300,700$" got &&
	rwfileinfo --output-format=json --fields=count-records ext.blk >got &&
	echo "{\"file\":\"ext.blk\",\"field\":\"count-records\",\"value\":4}" >want && test_cmp want got &&
	rwfileinfo --output-format=csv --fields=format --summary ext.blk >got && test_lines got 3 &&
	rwstats --overall-stats --output-format=json ext.blk >got && python3 -c "import json,sys; rows=[json.loads(l) for l in open(\"got\")]; assert len(rows)==30 and rows[0][\"protocol\"] is None" &&
	rwcut --fields=sTime --output-format=json --num-recs=1 ext.blk >got && grep "T..:..:..\.[0-9]*Z" got &&
	rwcut --output-format=text ext.blk >got && rwcut ext.blk >want && test_cmp want got
'

test_case 'limits and statistics are those of other outputs' '
	rwfilter --file-format=block --sport=2- --max-pass-records=2 --pass-destination=two.blk --print-statistics=stats ext.blk &&
	rwcut --delimited --no-titles --fields=sport two.blk >got && printf "%s\n" 2 3 >want && test_cmp want got &&
	rwfilter --sport=2- --max-pass-records=2 --pass-destination=two.rw --print-statistics=stats2 ext.blk &&
	test_cmp stats2 stats &&
	test_must_fail rwfilter --file-format=block --all-destination=two.blk ext.blk 2>err && grep "two.blk" err
'
test_case 'without --file-format rwfilter writes what SiLK reads' '
	rwfilter --all-destination=plain.rw ext.blk && rwfileinfo --no-titles --fields=format plain.rw >got &&
	grep FT_RWIPV6ROUTING got
'
test_case 'sealing keeps them; rwfileinfo lists them' '
	cp ext.blk sealed.blk && rwseal sealed.blk && rwcut --fields=sport,userName,ie305,9/12 sealed.blk >got &&
	rwcut --fields=sport,userName,ie305,9/12 ext.blk >want && test_cmp want got &&
	rwfileinfo --no-titles --fields=extension-columns ext.blk >got &&
	cat >want <<END &&
sourceMacAddress 0/56 macAddress, in 1 of 2 blocks
flowEndReason 0/136 unsigned8, in 1 of 2 blocks
postNATSourceIPv4Address 0/225 ipv4Address, in 1 of 2 blocks
postNAPTSourceTransportPort 0/227 unsigned16, in 1 of 2 blocks
samplingPacketInterval 0/305 unsigned32, in 2 of 2 blocks
layer2OctetDeltaCount 0/352 octetArray, in 1 of 2 blocks
userName 0/371 string, in 2 of 2 blocks
9/12 signed64, in 1 of 2 blocks
9/13 float32, in 1 of 2 blocks
9/14 boolean, in 1 of 2 blocks
9/15 dateTimeMilliseconds, in 1 of 2 blocks
9/16 dateTimeNanoseconds, in 1 of 2 blocks
9/17 ipv6Address, in 1 of 2 blocks
smallPacketCount 6871/500 unsigned32, in 1 of 2 blocks
END
	test_cmp want got && rwfileinfo --no-titles --fields=extension-columns ext.rw >got && test_cmp /dev/null got
'
test_case 'names of interfaces and applications are looked up in the labels of the repository' '
	mkdir root && printf "version 2\nsensor 7 S7\nclass all\n  sensors S7\n  type 0 in in\nend class\n" >root/silk.conf &&
	printf "# tussah labels 1\n%s\t192.0.2.1\t%s\t%s\t%s\n%s\t%s\t%s\t%s\t%s\n%s\t%s\t%s\t%s\t%s\n" \
		S7 interface 3 "up|link" S7 192.0.2.2 interface 4 Gi4 - - application 936748722493063621 nbar-http >root/.labels &&
	printf "%s\n" "sport=1 sensor=7 input=3 output=4 bytes=10" "sport=2 sensor=8 input=3 0/95:0=\\x0d\\x00\\x01\\xc5" \
		"sport=3 sensor=7 output=5 0/95:0=\\x0d\\x00\\x01\\xc5 0/96:13=told" | "$columntool" labels.blk &&
	SILK_DATA_ROOTDIR=$PWD/root rwcut --delimited --no-titles --fields=sport,inName,OUTNAME,applicationName labels.blk >got &&
	printf "%s\n" "1|up\\|link|Gi4|" "2|||nbar-http" "3|||told" >want && test_cmp want got &&
	SILK_DATA_ROOTDIR=$PWD/root rwuniq --delimited --no-titles --fields=inName --values=bytes --sort-output labels.blk >got &&
	printf "%s\n" "|2" "up\\|link|10" >want && test_cmp want got &&
	SILK_DATA_ROOTDIR=$PWD/root rwsort --fields=applicationName,inName --output-path=labels.rw labels.blk &&
	rwcut --delimited --no-titles --fields=sport labels.rw >got && printf "%s\n" 1 2 3 >want && test_cmp want got &&
	rwcut --delimited --no-titles --fields=sport,inName labels.blk >got && printf "%s\n" "1|" "2|" "3|" >want && test_cmp want got
'
# labelled EXPR PORTS: what passes, of the block file and by several threads of a file of rows
labelled() {
	SILK_DATA_ROOTDIR=$PWD/root rwfilter --where="$1" --pass=stdout labels.blk >labelled.rw &&
		rwcut --delimited --no-titles --fields=sport labelled.rw >ports && test_ports=$(tr "\n" " " <ports) && [ "$test_ports" = "$2" ] && return 0
	echo "$1: \"$test_ports\" instead of \"$2\""
	return 1
}
test_case 'rwfilter --where tests what is looked up' '
	labelled "inName = \"up|link\"" "1 " && labelled "outName ~ ^Gi and inName" "1 " && labelled "inName" "1 " && labelled "applicationName in nbar-http, other" "2 " &&
	labelled "applicationName = told or outName = Gi4" "1 3 " && labelled "applicationName != told" "2 " && labelled "not applicationName" "1 " &&
	SILK_DATA_ROOTDIR=$PWD/root rwfilter --where="inName ~ link" --threads=2 --print-statistics=stdout labels.rw labels.rw >got && grep "Pass          2. Fail           4" got &&
	rwfilter --where="inName" --print-statistics=stdout labels.blk >got && grep "Pass          0. Fail           3" got
'
test_case 'damaged labels are told of, and records are printed without' '
	echo nothing >root/.labels &&
	SILK_DATA_ROOTDIR=$PWD/root rwcut --delimited --no-titles --fields=sport,inName labels.blk >got 2>err &&
	test_cmp want got && grep "is no file of labels" err
'
test_case 'a name that is none is told' '
	test_must_fail rwcut --fields=sip,noSuchElement ext.blk 2>err &&
	grep "No match was found for the field .noSuchElement" err &&
	test_must_fail rwcut --fields=6871/65536 ext.blk 2>err && test_must_fail rwcut --fields=/1 ext.blk 2>err &&
	test_must_fail rwuniq --fields=userName,371x ext.blk 2>err
'
test_done
