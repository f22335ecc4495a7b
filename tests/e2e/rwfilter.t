#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwfilter: inputs, outputs, limits, statistics and history. What passes which test is in
# tests/unit/predicate_test.c.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf SILK_HEADER_NOVERSION=1

# rows FILE: sPort:dPort of each record, one line in all
rows() {
	rwcut --no-titles --delimited=: --fields=sPort,dPort "$1" >rows.txt &&
		tr '\n' ' ' <rows.txt
}
# has FILE ROWS
has() {
	test_rows=$(rows "$1") && [ "$test_rows" = "$2" ] && return 0
	echo "$1 has \"$test_rows\" instead of \"$2\""
	return 1
}
# counts FILE FILES READ PASS FAIL
counts() {
	printf 'Files %5d.  Read %10d.  Pass %10d. Fail  %10d.\n' "$2" "$3" "$4" "$5" >expected &&
		test_cmp expected "$1"
}

test_case 'records of text' '
	rwtuc --output-path=a.rw "$DATA/filter.txt" &&
	rwtuc --protocol=6 --output-path=b.rw "$DATA/filter.txt" &&
	rwtuc --fields=sport --output-path=empty.rw </dev/null
'

test_case 'pass, fail and all, and statistics' '
	rwfilter --protocol=58 --pass=pass.rw --fail=fail.rw --all=all.rw --all=all2.rw \
		--print-statistics=stats.txt a.rw &&
	has pass.rw "0:769 0:769 " &&
	has fail.rw "49152:443 0:2048 53:33000 " &&
	cmp all.rw all2.rw &&
	has all.rw "49152:443 0:2048 53:33000 0:769 0:769 " &&
	counts stats.txt 1 5 2 3
'

test_case 'statistics go to standard error by default' '
	rwfilter --protocol=58 --print-statistics a.rw b.rw >out 2>err &&
	test_lines out 0 &&
	counts err 2 10 2 8
'

test_case 'statistics of volumes' '
	cat >expected <<-"END" &&
	     |              Recs|           Packets|               Bytes|     Files|
	Total|                 5|           1048594|           100004606|         1|
	 Pass|                 2|                 6|                 200|          |
	 Fail|                 3|           1048588|           100004406|          |
	END
	rwfilter --protocol=58 --print-volume-statistics=- a.rw >out &&
	test_cmp expected out
'

test_case 'tests are joined' '
	rwfilter --protocol=58 --ip-version=6 --pass=- a.rw >out.rw &&
	has out.rw "0:769 " &&
	rwfilter --protocol=58 --sport=53 --print-statistics=- a.rw >out &&
	counts out 1 5 0 5
'

test_case 'a limit on what passes ends reading' '
	rwfilter --protocol=0- --max-pass-records=2 --pass=- --print-statistics=stats2.txt a.rw b.rw >out.rw &&
	has out.rw "49152:443 0:2048 " &&
	counts stats2.txt 1 2 2 0
'

test_case 'a limit counts records up to the one that reaches it' '
	rwfilter --protocol=58 --max-pass-records=1 --pass=- --print-statistics=stats3.txt a.rw >out.rw &&
	has out.rw "0:769 " &&
	counts stats3.txt 1 4 1 3
'

test_case 'an output without limit is read for' '
	rwfilter --protocol=58 --max-pass-records=1 --pass=p1.rw --fail=f1.rw --print-statistics=s1.txt a.rw &&
	has p1.rw "0:769 " && has f1.rw "49152:443 0:2048 53:33000 " && counts s1.txt 1 5 2 3 &&
	rwfilter --protocol=58 --max-pass-records=1 --max-fail-records=1 --pass=p2.rw --fail=f2.rw \
		--print-statistics=s2.txt a.rw &&
	has p2.rw "0:769 " && has f2.rw "49152:443 " && counts s2.txt 1 4 1 3
'

test_case 'standard input, by name, as pipe, and lists of names' '
	rwfilter --protocol=6 --pass=- - <a.rw >out.rw && has out.rw "49152:443 " &&
	rwfilter --protocol=6 --pass=- --input-pipe=stdin <a.rw >out.rw && has out.rw "49152:443 " &&
	printf "a.rw\n\na.rw\n" >names &&
	rwfilter --protocol=6 --pass=- --xargs <names >out.rw && has out.rw "49152:443 49152:443 " &&
	rwfilter --protocol=6 --pass=- --xargs=names >out.rw && has out.rw "49152:443 49152:443 "
'

test_case 'a file that cannot be read is left out' '
	rwfilter --protocol=6 --print-statistics=- none.rw "$DATA/filter.txt" a.rw >out 2>err &&
	counts out 1 5 1 4 &&
	test_grep "rwfilter: .*none.rw" err &&
	test_grep "rwfilter: .*filter.txt" err
'

test_case 'a damaged file is read up to the damage' '
	rwfilter --all=- --compression-method=none a.rw >plain.rw &&
	head -c 500 plain.rw >cut.rw &&
	rwfilter --protocol=0- --print-statistics=- cut.rw b.rw >out 2>err &&
	test_grep "Files     2" out &&
	test_grep "rwfilter: .*cut.rw" err
'

test_case 'history: the first input, this line, the notes' '
	rwtuc --note-add=old --output-path=noted.rw "$DATA/filter.txt" &&
	rwfilter --protocol=6 --note-add=new --pass=hist.rw noted.rw b.rw &&
	rwfileinfo --fields=command-lines,annotations hist.rw >out &&
	cat >expected <<-END &&
	hist.rw:
	  command-lines       
	                   1  rwtuc --note-add=old --output-path=noted.rw $DATA/filter.txt
	                   2  rwfilter --protocol=6 --note-add=new --pass=hist.rw noted.rw b.rw
	  annotations         
	                   1  old
	                   2  new
	END
	test_cmp expected out &&
	rwfilter --threads=2 --protocol=6 --pass=hist2.rw noted.rw &&
	rwfileinfo --fields=command-lines,annotations hist2.rw >out &&
	test_must_fail grep -q rwtuc out
'

test_case 'outputs exist even without input' '
	rwfilter --protocol=6 --pass=none1.rw none.rw 2>err &&
	has none1.rw "" &&
	rwfilter --protocol=6 --pass=none2.rw empty.rw &&
	has none2.rw ""
'

test_case 'what is wrong on the command line' '
	test_must_fail rwfilter &&
	test_must_fail rwfilter a.rw &&
	test_must_fail rwfilter --protocol=6 a.rw &&
	test_must_fail rwfilter --print-statistics a.rw &&
	test_must_fail rwfilter --all=w1.rw --pass=w2.rw a.rw &&
	test_must_fail rwfilter --protocol=256 --print-statistics a.rw &&
	test_must_fail rwfilter --protocol=6 --protocol=6 --print-statistics a.rw &&
	test_must_fail rwfilter --protocol=6 --print-statistics --print-volume-statistics a.rw &&
	test_must_fail rwfilter --protocol=6 --pass=- --fail=- a.rw &&
	test_must_fail rwfilter --protocol=6 --pass=- --print-statistics=- a.rw &&
	test_must_fail rwfilter --protocol=6 --pass=stderr a.rw &&
	test_must_fail rwfilter --protocol=6 --pass=a.rw b.rw &&
	test_must_fail rwfilter --protocol=6 --pass=no/where.rw a.rw &&
	test_must_fail rwfilter --protocol=6 --print-statistics --input-pipe=a.rw &&
	test_must_fail rwfilter --protocol=6 --print-statistics --input-pipe=- a.rw &&
	test_must_fail rwfilter --protocol=6 --print-statistics --start-date=2024/03/05 a.rw &&
	test_must_fail rwfilter --python-expr=1 --print-statistics a.rw 2>err &&
	test_grep "not supported" err &&
	test_must_fail rwfilter --icmp-type=3 --protocol=6 --print-statistics a.rw &&
	test_must_fail rwfilter --no-such-switch --print-statistics a.rw
'

test_case 'an existing file is replaced when asked' '
	echo old >old.rw &&
	SILK_CLOBBER=1 rwfilter --protocol=6 --pass=old.rw a.rw &&
	has old.rw "49152:443 " && cp old.rw was.rw &&
	for no in "" 0 00 0x; do
		export SILK_CLOBBER=$no
		for command in "rwfilter --protocol=17 --pass=old.rw" "rwfilter --protocol=17 --print-statistics=old.rw" \
			"rwcut --output-path=old.rw" "rwsilk2ipfix --ipfix-output=old.rw" "rwset --sip-file=old.rw"; do
			test_must_fail $command a.rw 2>err && cmp old.rw was.rw || return 1
		done
	done
	unset SILK_CLOBBER
'

test_case 'tuples' '
	printf "sIP|dPort # a comment\n\n192.0.2.0/28|443,500-600\n10.0.0.0/8|0-1000|\n" >tuples &&
	rwfilter --tuple-file=tuples --pass=- a.rw >out.rw &&
	has out.rw "49152:443 0:769 0:769 " &&
	rwfilter --tuple-file=tuples --tuple-direction=reverse --print-statistics=- a.rw >out &&
	counts out 1 5 2 3 &&
	printf "6,2001:db8::2\n17,2001:db8::2\n" >tuples6 &&
	rwfilter --tuple-file=tuples6 --tuple-fields=5,dip --tuple-delimiter=, --pass=- a.rw >out.rw &&
	has out.rw "53:33000 " &&
	rwfilter --tuple-file=tuples6 --tuple-fields=protocol,sip --tuple-delimiter=, \
		--tuple-direction=both --pass=- a.rw >out.rw &&
	has out.rw "53:33000 " &&
	printf "sIP|dPort\n10.0.0.1\n" >short &&
	test_must_fail rwfilter --tuple-file=short --print-statistics a.rw &&
	test_must_fail rwfilter --tuple-file=none --print-statistics a.rw &&
	rwfilter --tuple-file=- --pass=- a.rw <tuples >out.rw && has out.rw "49152:443 0:769 0:769 " &&
	test_must_fail rwfilter --tuple-file=tuples --tuple-delimiter= --print-statistics a.rw 2>err && test_grep "delimiter is empty" err &&
	printf "sIP|dIP\n10.0.0.1|\n" >title && test_must_fail rwfilter --tuple-file=title --tuple-fields=sip --print-statistics a.rw 2>err && test_grep "line 1: 2 fields" err &&
	test_must_fail rwfilter --tuple-file=tuples --tuple-fields=what --print-statistics a.rw &&
	for wrong in --tuple-fields=what --tuple-fields= --tuple-fields=1-6 --tuple-fields=sip,1 --tuple-delimiter=; do
		test_must_fail rwfilter $wrong --protocol=6 --print-statistics a.rw || return 1
	done &&
	rwfilter --tuple-fields=sip --tuple-direction=both --protocol=58 --pass=- a.rw >out.rw && has out.rw "0:769 0:769 "
'

test_case 'a cut name that fits several tests is an error' '
	for switch in --flags=S/SA --any=10.0.0.0/8 --byte=1-100 --not-s=10.0.0.1; do
		test_must_fail rwfilter $switch --pass=some.rw a.rw 2>err && test_grep "is ambiguous" err &&
			[ ! -e some.rw ] || return 1
	done
'

test_case 'selection switches test records of files' '
	rwfilter --types=in --pass=- a.rw >out.rw && has out.rw "0:2048 " &&
	rwfilter --flowtypes=all/in,all/int2int --pass=- a.rw >out.rw &&
	has out.rw "0:2048 53:33000 0:769 0:769 " &&
	rwfilter --class=all --pass=- a.rw >out.rw && has out.rw "0:2048 " &&
	rwfilter --sensors=1,S2 --pass=- a.rw >out.rw && has out.rw "49152:443 0:2048 "
'

# A repository of two files: the flow types and hours of the records of a.rw.
test_case 'files of the repository' '
	mkdir -p data/in/2024/03/05 data/outweb/2024/03/05 &&
	rwfilter --types=in --pass=data/in/2024/03/05/in-S2_20240305.06 a.rw &&
	rwfilter --types=outweb --pass=data/outweb/2024/03/05/ow-S1_20240305.06 a.rw &&
	rwfilter --data-rootdir=data --start-date=2024/03/05 --types=in,outweb --all=- >out.rw &&
	has out.rw "0:2048 49152:443 " &&
	rwfilter --data-rootdir=data --start-date=2024/03/05:06 --all=- >out.rw &&
	has out.rw "0:2048 " &&
	rwfilter --data-rootdir=data --start-date=2024/03/05:07 --protocol=0- --print-statistics=- >out &&
	counts out 0 0 0 0 &&
	rwfilter --data-rootdir=data --start-date=2024/03/05:06 --types=in --sensors=1,2 \
		--print-missing-files --print-filenames --protocol=0- --print-statistics=- >out 2>err &&
	counts out 1 1 1 0 &&
	cat >expected <<-"END" &&
	Missing data/in/2024/03/05/in-S1_20240305.06
	data/in/2024/03/05/in-S2_20240305.06
	END
	test_cmp expected err &&
	test_must_fail rwfilter --data-rootdir=nowhere --protocol=6 --print-statistics
'

test_case 'a site program is told of each run' '
	cat >teller <<-"END" && chmod +x teller && rm -f told &&
	#!/bin/sh
	for word; do echo "$word"; done >telling && mv telling told
	END
	SILK_LOGSTATS=./teller rwfilter --dport=443 --pass=x.rw --fail=y.rw --all=z.rw --max-fail-records=1 a.rw b.rw &&
	test_wait 10 test -e told && sed -n "3,4p" told >times && test "$(grep -c "^[1-9][0-9]*$" times)" = 2 &&
	sed "3,4d;/rwfilter$/d" told >out && rwfilter --dport=443 --pass=- a.rw b.rw >n.rw &&
	read=$(($(rwfileinfo --fields=count-records --no-titles a.rw b.rw | tr "\n" "+")0)) &&
	passed=$(rwfileinfo --fields=count-records --no-titles n.rw | tr -d " ") &&
	printf "%s\n" v0001 2 $read $((read + passed + 1)) --dport=443 --pass=x.rw --fail=y.rw --all=z.rw --max-fail-records=1 a.rw b.rw >expected &&
	test_cmp expected out && test "$(head -1 told)" = rwfilter
'

test_case 'what is no program is passed over, and told when asked' '
	for name in teller ./nosuch . ./a.rw; do
		SILK_LOGSTATS=$name rwfilter --all=- a.rw 2>err >out && test_lines err 0 &&
		SILK_LOGSTATS=$name SILK_LOGSTATS_DEBUG=1 rwfilter --all=- a.rw 2>err >out && test_lines err 1 && test_grep "SILK_LOGSTATS: $name: " err || return 1
	done &&
	SILK_LOGSTATS=./nosuch SILK_LOGSTATS_DEBUG=1 SILK_LOGSTATS_RWFILTER= rwfilter --all=- a.rw 2>err >out && test_lines err 0
'

test_case 'a dry run prints names and makes nothing' '
	rwfilter --data-rootdir=data --start-date=2024/03/05 --types=outweb --dry-run --all=dry.rw >out &&
	echo data/outweb/2024/03/05/ow-S1_20240305.06 >expected &&
	test_cmp expected out &&
	[ ! -e dry.rw ] &&
	rwfilter --protocol=6 --dry-run --pass=a.rw b.rw >out &&
	echo b.rw >expected &&
	test_cmp expected out
'

test_done
