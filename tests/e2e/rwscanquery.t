#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwscanquery: scans of rwscan go into a database, reports come out, and what can go wrong.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset RWSCANRC RWFILTER SILK_CLOBBER
HOME=$SCRATCH
{ cat "$DATA/text/silk.conf" && echo "default-class all"; } >silk.conf
SILK_CONFIG_FILE=$SCRATCH/silk.conf
SILK_DATA_ROOTDIR=$SCRATCH/data
export HOME SILK_CONFIG_FILE SILK_DATA_ROOTDIR

cat >scans.txt <<'E'
167772161|6|2024-03-05 10:01:56|2024-03-05 10:08:39|256|256|10240|1|256.000000
167772162|17|2024-03-05 09:30:00|2024-03-05 12:41:16|1023|1023|30175|2|0.970014
167772163|1|2024-03-05 11:00:00|2024-03-05 11:59:59|100|100|4000|2|0.951079
167772161|6|2024-03-06 00:00:00|2024-03-06 00:00:01|5000000000|6000000000|900000000000|2|0.500001
E
columns='sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration|sensor|class|type'
cat >flows.txt <<'E'
10.0.0.1|192.0.2.1|1025|80|6|1|40|2024/03/05T10:02:00|1|S0|all|in
10.0.0.2|192.0.2.2|1025|81|6|1|40|2024/03/05T10:03:00|1|S0|all|in
10.9.9.9|192.0.2.1|1025|82|6|1|40|2024/03/05T10:04:00|1|S0|all|in
E
mkdir -p data/in/2024/03/05 data/out/2024/03/05 &&
	{ echo "$columns" && cat flows.txt; } >in.txt &&
	{ echo "$columns" && sed 's/in$/out/; s/^\([^|]*\)|\([^|]*\)/\2|\1/' flows.txt; } >out.txt &&
	rwtuc --output-path=data/in/2024/03/05/in-S0_20240305.10 in.txt &&
	rwtuc --output-path=data/out/2024/03/05/out-S0_20240305.10 out.txt || exit 99
query() {
	rwscanquery --database=scans.sqlite "$@"
}
# ids WANT: of the report in the file out, one line in all
ids() {
	test_ids=$(cut -d'|' -f1 out | tr '\n' ' ')
	[ "$test_ids" = "$1" ] && return 0
	echo "\"$test_ids\" instead of \"$1\""
	return 1
}

test_case 'scans are imported once' '
	query --import=scans.txt >out && echo "4 scans added, 0 were there already" | test_cmp - out &&
	query --import=- <scans.txt >out && echo "0 scans added, 4 were there already" | test_cmp - out &&
	query --report=export --start-date=2024/03/05 --end-date=2024/03/06 >out && cut -d"|" -f2- out >got && sed "s/256.000000/256/" scans.txt >want && test_cmp want got &&
	rwscanquery --database=copy.sqlite --import=out >counts && test_grep "^4 scans added" counts
'

test_case 'rwscan feeds it' '
	{ echo "sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|" &&
		i=1 && while [ $i -le 40 ]; do echo "10.0.0.1|30.0.0.$i|5000|80|6|1|40|S|$((1600000000 + i))|0.5|" && i=$((i + 1)); done; } >syn.txt &&
	rwtuc --output-path=syn.rw syn.txt && rwscan --scan-model=2 --model-fields syn.rw >text && rwscan --scan-model=2 --scandb syn.rw >rows &&
	rwscanquery --database=fed.sqlite --import=text >out && test_grep "^1 scans added" out && rwscanquery --database=fed.sqlite --import=rows >out && test_grep "^0 scans added, 1 " out &&
	rwscanquery --database=fed.sqlite --start-date=2020/09/13:12 >out && echo "1|2020-09-13 12:26:41|2020-09-13 12:27:20|6|10.0.0.1|40|40|1600" | test_cmp - out
'

test_case 'what was active within a span' '
	query --start-date=2024/03/05:10 >out && ids "1 2 " &&
	query --start-date=2024/03/05 >out && ids "1 2 3 " &&
	query --start-date=2024/03/05:11 --end-date=2024/03/06:00 >out && ids "2 3 4 " &&
	query --start-date=2023/01/01 --end-date=2024/03/04 >out && ids "" && query >out && ids ""
'

test_case 'sources' '
	query --start-date=2024/03/05 --saddress=10.0.0.1,10.0.0.3-10.0.0.9 >out && ids "1 3 " &&
	query --start-date=2024/03/05 --saddress=10.0.0.2/31 >out && ids "2 3 " &&
	echo 10.0.0.2 | rwsetbuild - two.set && query --start-date=2024/03/05 --sipset=two.set >out && ids "2 " &&
	query --start-date=2024/03/05 --sipset=two.set --saddress=10.0.0.1 >out && ids ""
'

test_case 'forms of text' '
	query --start-date=2024/03/06 --show-header --columnar --output-path=col.txt && cat >want <<E && test_cmp want col.txt &&
   scan-id start-time          end-time            protocol   source-address       flows    packets          bytes
         4 2024-03-06 00:00:00 2024-03-06 00:00:01 6          10.0.0.1        5000000000 6000000000   900000000000
E
	query --report=volume --start-date=2024/03/05 --end-date=2024/03/06 --show-header --output-path=col.txt && cat >want <<E && test_cmp want col.txt &&
date|flows|packets|bytes
2024/03/05|1379|1379|44415
2024/03/06|5000000000|6000000000|900000000000
E
	query --start-date=2024/03/06 --output-format=json >out && cat >want <<E && test_cmp want out &&
{"scan-id":4,"stime":"2024-03-06T00:00:00Z","etime":"2024-03-06T00:00:01Z","proto":6,"srcaddr":"10.0.0.1","flows":5000000000,"packets":6000000000,"bytes":900000000000}
E
	query --report=volume --start-date=2024/03/06 --output-format=csv --show-header >out && printf "date,flows,packets,bytes\n2024/03/06,5000000000,6000000000,900000000000\n" | test_cmp - out
'

test_case 'the set of scanners' '
	query --start-date=2024/03/05 --report=scanset --output-path=all.set && rwsetcat all.set >out && printf "10.0.0.1\n10.0.0.2\n10.0.0.3\n" | test_cmp - out &&
	test_must_fail query --start-date=2024/03/05 --report=scanset --output-path=all.set 2>err && test_grep "all.set" err &&
	query --start-date=2024/03/05 --report=scanset --daddress=192.0.2.1 >some.set && rwsetcat some.set >out && echo 10.0.0.1 | test_cmp - out &&
	echo 192.0.2.2 | rwsetbuild - target.set && query --start-date=2024/03/05:10 --report=scanset --dipset=target.set --output-path=target.out && rwsetcat target.out >out && echo 10.0.0.2 | test_cmp - out
'

test_case 'flows of scanners, and answers' '
	query --start-date=2024/03/05:10 --report=scanflows --output-path=flows.rw && rwcut --no-titles --delimited --fields=sip,dport flows.rw >out && printf "10.0.0.1|80\n10.0.0.2|81\n" | test_cmp - out &&
	query --start-date=2024/03/05 --report=scanflows --daddress=192.0.2.2 >some.rw && rwcut --no-titles --delimited --fields=sip,dport some.rw >out && echo "10.0.0.2|81" | test_cmp - out &&
	query --start-date=2024/03/05 --report=respflows >none.rw && rwcut --no-titles none.rw >out && test ! -s out &&
	printf "db_driver=sqlite\ndb_instance=scans.sqlite\nrw_out_class=all\nrw_out_type=out\n" >.rwscanrc &&
	rwscanquery --start-date=2024/03/05 --report=respflows --daddress=192.0.2.1 >resp.rw && rwcut --no-titles --delimited --fields=sip,dip,dport resp.rw >out && echo "192.0.2.1|10.0.0.1|80" | test_cmp - out
'

test_case 'the command that rwfilter gets' '
	printf "#!/bin/sh\necho \"\$*\" >>%s/args\nexit 3\n" "$SCRATCH" >fake && chmod +x fake && RWFILTER=$SCRATCH/fake && export RWFILTER &&
	test_must_fail query --start-date=2024/03/05 --report=respflows --dipset=target.set --output-path=x.rw &&
	test_must_fail query --start-date=2024/03/05:10 --report=scanset --daddress=1.2.3.x --output-path=x.set 2>err && test_grep "fake has failed" err && test ! -e x.set &&
	RWFILTER=/nosuch && test_must_fail query --start-date=2024/03/05:10 --report=scanflows 2>err && test_lines err 1 && test_grep "cannot run /nosuch" err &&
	test_must_fail query --start-date=2024/03/05:10 --report=scanset --dipset=target.set --output-path=x.set 2>err && test_grep "/nosuch has failed" err && test ! -e x.set &&
	unset RWFILTER && sort args >got && cat >want <<E && test_cmp want got
--start-date=2024/03/05T00 --end-date=2024/03/05T23 --class=all --type=out --dipset=/dev/stdin --sipset=target.set --pass-destination=x.rw
--start-date=2024/03/05T10 --end-date=2024/03/05T10 --sipset=/dev/stdin --daddress=1.2.3.x --pass-destination=stdout
E
'

test_case 'a text that is wrong leaves the database as it was' '
	{ cat scans.txt && echo "1|2|3"; } | sed "s/2024-/2025-/g" >bad.txt && cp scans.sqlite before.sqlite && test_must_fail query --import=bad.txt 2>err && test_lines err 1 && test_grep "bad.txt: line 5: 3 fields" err && cmp before.sqlite scans.sqlite &&
	test_must_fail rwscanquery --database=new.sqlite --import=bad.txt 2>err && test ! -e new.sqlite &&
	test_must_fail rwscanquery --database=in.txt --import=scans.txt 2>err && test_grep "in.txt: file is not a database" err &&
	test_must_fail rwscanquery --database=nosuch/x.sqlite --import=scans.txt 2>err && test_grep "nosuch/x.sqlite" err &&
	test_must_fail query --import=nosuch.txt 2>err && test_grep nosuch.txt err
'

test_case 'what is wrong with the command line' '
	test_must_fail query --start-date=2024/03/05:10:30 2>err && test_grep "finer than an hour" err &&
	test_must_fail query --start-date=2024/13/05 2>err && test_grep "Invalid start-date" err &&
	test_must_fail query --end-date=2024/03/05 2>err && test_grep "without --start-date" err &&
	test_must_fail query --start-date=2024/03/05 --end-date=2024/03/04 2>err && test_grep "earlier than" err &&
	test_must_fail query --report=nothing 2>err && test_grep report err &&
	test_must_fail query --saddress=10.0.0.x 2>err && test_grep "Invalid saddress" err &&
	test_must_fail query --sipset=flows.txt 2>err && test_grep flows.txt err &&
	test_must_fail query extra 2>err && test_grep "too many arguments: .extra" err
'

test_case 'databases that cannot be read, and output that cannot be written' '
	test_must_fail rwscanquery --database=nosuch.sqlite --start-date=2024/03/05 2>err && test_lines err 1 && test_grep "no database nosuch.sqlite" err && test ! -e nosuch.sqlite &&
	test_must_fail rwscanquery --database=in.txt --start-date=2024/03/05 2>err && test_lines err 1 && test_grep "in.txt: file is not a database" err &&
	head -c 6000 scans.sqlite >cut.sqlite && test_must_fail rwscanquery --database=cut.sqlite --start-date=2024/03/05 2>err && test_lines err 1 && test_grep "cut.sqlite: database disk image is malformed" err &&
	test_must_fail query --start-date=2024/03/05 >/dev/full 2>err && test_grep "No space left" err &&
	test_must_fail query --start-date=2024/03/05 --report=scanset >/dev/full 2>err && test_grep "No space left" err &&
	test_must_fail query --start-date=2024/03/05 --output-path=nosuch/out 2>err && test_grep nosuch/out err
'

test_case 'configuration' '
	echo "db_driver=oracle" >rc && RWSCANRC=rc test_must_fail rwscanquery 2>err && test_lines err 1 && test_grep "rc:1: db_driver .oracle. is not supported" err &&
	RWSCANRC=nosuch test_must_fail rwscanquery 2>err && test_grep nosuch err &&
	echo "db_instance=copy.sqlite" >rc && RWSCANRC=rc rwscanquery --start-date=2024/03/06 >out && test_lines out 1 &&
	rm -f .rwscanrc && test_must_fail rwscanquery 2>err && test_grep "no database SCAN" err
'
test_done
