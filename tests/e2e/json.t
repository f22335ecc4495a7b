#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# JSON of every tool that prints a table: an object a line, numbers as numbers, times in ISO 8601.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
{ cat "$DATA/text/silk.conf" && echo "default-class all"; } >silk.conf
SILK_CONFIG_FILE=$SCRATCH/silk.conf
SILK_DATA_ROOTDIR=$SCRATCH/data
export SILK_CONFIG_FILE SILK_DATA_ROOTDIR
unset SILK_TIMESTAMP_FORMAT SILK_IP_FORMAT

cat >check.py <<'E'
import json, re, sys
# parts of addresses, and names of files
TEXT = ("sIP_First16", "file", "File", "path")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]\d+)?$")
TIME = re.compile(r"\d{4}/\d\d/|\d\d/\d\d/\d{4}|\d{4}-\d\d-\d\d ")
rows = 0
for line in open(sys.argv[1]):
    for name, value in json.loads(line).items():
        if name not in TEXT and isinstance(value, str) and (NUMBER.match(value) or TIME.search(value)):
            sys.exit('"%s" is text: %s' % (name, line))
    rows += 1
if rows == 0:
    sys.exit("no rows")
E
# json COMMAND...: its output is right, and stays in the file out
json() {
	"$@" --output-format=json >out && python3 check.py out && return 0
	echo "not right: $*"
	cat out
	return 1
}

cat >flows.txt <<'E'
sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|sensor|class|type
10.0.0.1|192.0.2.1|1025|80|6|1|40|S|2024/03/05T10:02:00.123|1|S0|all|in
10.0.0.2|192.0.2.2|1025|81|17|1|40||2024/03/05T10:03:00|1|S0|all|in
10.0.1.3|192.0.2.2|5|82|6|1|40|SA|2024/03/05T10:04:00|1|S0|all|in
E
day=data/in/2024/03/05
mkdir -p $day && rwtuc --output-path=flows.rw flows.txt && rwconvert --output-path=hour.blk flows.rw && cp hour.blk $day/in-S0_20240305.10 &&
	rwset --sip-file=sip.set flows.rw && rwset --with-times --sip-file=times.set flows.rw &&
	rwbag --bag-file=sipv4,bytes,sip.bag --bag-file=dport,bytes,port.bag --bag-file=stime,bytes,time.bag flows.rw &&
	rwaggbag --keys=sIPv4,sPort,sTime,protocol,flags,sensor --counters=records,sum-bytes --output-path=flows.aggbag flows.rw &&
	printf 'map-name nets\nmode ip\ndefault none\n10.0.0.0/8 ten\n' >nets.txt && rwpmapbuild --input-file=nets.txt --output-file=nets.pmap || exit 99

test_case 'records, bins and counts' '
	json rwcut --all-fields flows.rw && json rwcut --fields=sip,stime,etime,dur,flags,sensor --timestamp-format=epoch --integer-tcp-flags --integer-sensors flows.rw && test_grep "\"sTime\":1709632920.123,.*\"flags\":2,\"sensor\":0" out &&
	json rwuniq --fields=stime,sip,sport --values=records,stime,etime,bytes,distinct:dip flows.rw && json rwuniq --fields=sip --values=stime,etime --timestamp-format=epoch flows.rw &&
	json rwstats --fields=sip,stime --count=3 --values=bytes flows.rw && json rwstats --overall-stats flows.rw && json rwstats --detail-proto-stats=6 flows.rw &&
	json rwcount flows.rw && json rwcount --timestamp-format=epoch flows.rw && json rwcount --bin-slots flows.rw && json rwtotal --dport --skip-zeroes flows.rw && json rwtotal --sip-first-16 --skip-zeroes flows.rw &&
	json rwaddrcount --print-recs flows.rw && json rwaddrcount --print-recs --timestamp-format=epoch flows.rw && json rwaddrcount --print-stat flows.rw && json rwaddrcount --print-ips flows.rw
'
test_case 'files, the repository and the site' '
	json rwfileinfo --summary flows.rw && json rwfileinfo $day/in-S0_20240305.10 && test_grep "time-range.*\"2024-03-05T10:02:00.123Z/2024-03-05T10:04:01.000Z\"" out && test_grep "\"field\":\"count-records\",\"value\":3" out &&
	json rwsiteinfo --fields=sensor,id-sensor,class,type,flowtype,id-flowtype,mark-defaults,repo-start-date,repo-end-date,repo-file-count && test_grep "\"2024-03-05T10:00:00Z\"" out &&
	json rwfilter --protocol=6 --print-statistics=stdout flows.rw && json rwfilter --protocol=6 --print-volume-statistics=stdout flows.rw &&
	json rwfglob --start-date=2024/03/05 && rwcatalog rebuild && json rwcatalog show
'
test_case 'sets, bags and maps' '
	json rwsetcat sip.set && test_grep "^{\"ip\":\"10.0.0.1\"}" out && json rwsetcat --cidr-blocks sip.set && test_grep "^{\"block\":\"10.0.0.1\"}" out && json rwsetcat --ip-ranges sip.set && json rwsetcat --count-ips sip.set sip.set && test_lines out 2 &&
	json rwsetcat --print-statistics sip.set && test_grep "^{\"measure\":\"/24\",\"value\":2}" out && json rwsetcat --print-statistics --count-ips --print-ips sip.set && json rwsetcat --with-times times.set && json rwsetcat --network-structure=v4:TXS/8,24 sip.set && test_grep "^{\"block\":\"TOTAL\",\"hosts\":3,\"/8\":1,\"/24\":2,\"/27\":2}" out &&
	json rwbagcat sip.bag && json rwbagcat port.bag && test_grep "^{\"key\":80,\"counter\":40}" out && json rwbagcat time.bag && json rwbagcat --key-format=epoch time.bag && json rwbagcat --bin-ips sip.bag && json rwbagcat --bin-ips=binary sip.bag &&
	json rwbagcat --print-statistics sip.bag && test_grep "^{\"measure\":\"minimum key\",\"value\":\"10.0.0.1\"}" out && json rwbagcat --print-statistics time.bag && json rwbagcat --network-structure=TS/8,16 sip.bag && test_grep "^{\"block\":\"TOTAL\",\"counter\":120,\"hosts\":3,\"/8\":1,\"/16\":1}" out &&
	json rwbagcat --print-statistics --mincounter=1000 sip.bag && test_lines out 1 &&
	json rwaggbagcat flows.aggbag && json rwaggbagcat --missing-field=dPort=none --fields=sPort,dPort flows.aggbag && json rwaggbagcat --fields=sPort,sTime,records --timestamp-format=epoch flows.aggbag &&
	json rwpmapcat nets.pmap && json rwpmapcat --output-type=type,mapname,labels nets.pmap && test_lines out 4 &&
	json rwpmapcat --output-type=labels,ranges nets.pmap && test_grep "\"part\":\"label\",\"value\":\"ten\"" out &&
	printf "part,value\nlabel,none\nlabel,ten\n" >want && rwpmapcat --output-type=labels --output-format=csv nets.pmap >out && diff want out && json rwpmaplookup --map-file=nets.pmap --no-files 10.1.1.1
'
test_case 'scans' '
	{ head -1 flows.txt && i=1 && while [ $i -le 40 ]; do echo "10.0.0.1|30.0.0.$i|5000|80|6|1|40|S|$((1700000000 + i))|0.5|S0|all|in" && i=$((i + 1)); done; } >scan.txt &&
	rwtuc --output-path=scan.rw scan.txt && json rwscan --scan-model=2 --model-fields scan.rw && test_grep "\"stime\":\"2023-11-14T22:13:21Z\"" out && rwscan --scan-model=2 --scandb --output-path=scans.out scan.rw &&
	rwscanquery --database=scans.sqlite --import=scans.out && for report in standard volume export; do json rwscanquery --database=scans.sqlite --start-date=2023/11/14 --report=$report || return 1; done
'
test_case 'CSV of sets' '
	rwsetcat --output-format=csv --network-structure=v4:TS/8,24 --no-titles sip.set >out && echo "TOTAL,3,1,2" | test_cmp - out && rwsetcat --output-format=csv sip.set >out && printf "10.0.0.1\n10.0.0.2\n10.0.1.3\n" | test_cmp - out
'
test_case 'CSV of bags is one table' '
	rwbagcat --output-format=csv port.bag port.bag >out && printf "key,counter\n80,40\n81,40\n82,40\n80,40\n81,40\n82,40\n" | test_cmp - out &&
	rwbagcat --output-format=csv --network-structure=T sip.bag sip.bag >out && printf "block,counter,hosts\nTOTAL,120,3\nTOTAL,120,3\n" | test_cmp - out &&
	rwbagcat --output-format=csv --bin-ips --print-statistics=stats.csv port.bag port.bag >out && printf "bin,keys\n40,3\n40,3\n" | test_cmp - out &&
	grep -c measure,value stats.csv >out && echo 1 | test_cmp - out &&
	test_must_fail rwbagcat --output-format=csv --bin-ips --print-statistics port.bag 2>err && test_grep "one table" err &&
	rwaggbag --keys=sPort --counters=records --output-path=other.aggbag flows.rw &&
	rwaggbagcat --output-format=csv other.aggbag other.aggbag >out && printf "sPort,records\n5,1\n1025,2\n5,1\n1025,2\n" | test_cmp - out &&
	rwaggbagcat --output-format=csv other.aggbag flows.aggbag >out && grep -c records out >count && echo 2 | test_cmp - count &&
	rwaggbagcat other.aggbag other.aggbag >out && grep -c records out >count && echo 2 | test_cmp - count
'
test_done
