#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Files of NetFlow v5 as records, and the interfaces in them: rwpdu2silk, rwguess.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
python3 "$TUSSAH_SRCDIR/tests/e2e/pdufile.py" a.pdu 20 || exit 99
python3 "$TUSSAH_SRCDIR/tests/e2e/pdufile.py" b.pdu 10 7 || exit 99

test_case 'records of files in their order; what they were is told' '
	rwpdu2silk --silk-output=out.rw --log-destination=stderr --print-statistics --note-add=why a.pdu b.pdu 2>err &&
	cat >want <<END && test_cmp want err && rwfileinfo out.rw >info &&
rwpdu2silk: '\''input0001'\'': Pkts 20/20, Recs 600, MissRecs 0, BadRecs 0
rwpdu2silk: '\''input0002'\'': Pkts 10/10, Recs 300, MissRecs 0, BadRecs 0
rwpdu2silk: Wrote 900 records to '\''out.rw'\''
END
	test_grep "FT_RWIPV6ROUTING" info && test_grep "count-records  *900" info && test_grep "1  why" info &&
	test_grep "rwpdu2silk --silk-output=out.rw" info &&
	rwcut --no-titles --delimited=, --num-recs=2 --fields=sIP,dIP,sPort,dPort,protocol,packets,bytes,flags,sTime,duration,in,out out.rw >got &&
	cat >want <<END && test_cmp want got
192.60.253.230,192.194.107.48,1024,22,6,138,202170,FRP,2024/03/05T11:20:12.586,58.377,2,0
10.13.4.195,10.216.14.113,53,8080,6,924,450912,S,2024/03/05T11:37:48.604,99.738,0,6
END
'

test_case 'through gzip, pipes and lists; block files keep what else was said' '
	gzip -c a.pdu >a.z && echo a.z >list && echo b.pdu >>list &&
	rwpdu2silk --xargs=list | rwcut >listed.txt && rwcut out.rw >want.txt && test_cmp want.txt listed.txt &&
	rwpdu2silk stdin b.pdu <a.pdu | rwcut >piped.txt && test_cmp want.txt piped.txt &&
	rwpdu2silk --file-format=block --silk-output=blocks a.pdu && rwfileinfo blocks >info && test_grep ipClassOfService info
'

test_case 'what is no packet is refused, and told in two lines' '
	{ head -c 1464 a.pdu; head -c 4392 /dev/zero; tail -c +1465 a.pdu; echo rest; } >zeros.pdu &&
	rwpdu2silk --log-destination=log zeros.pdu >zeros.rw && rwpdu2silk --log-destination=log a.pdu >/dev/null &&
	cat >want <<END && test_cmp want log
rwpdu2silk: '\''input0001'\'': Rejected PDU record not marked as version 5
rwpdu2silk: '\''input0001'\'': Rejected 2 additional PDU records not marked as version 5
rwpdu2silk: '\''input0001'\'': Pkts 20/23, Recs 600, MissRecs 0, BadRecs 0
rwpdu2silk: '\''input0001'\'': Pkts 20/20, Recs 600, MissRecs 0, BadRecs 0
END
'

test_case 'records that cannot be, and packets that are missing, are told when asked for' '
	python3 -c "
data = bytearray(open(\"a.pdu\", \"rb\").read())
data[24 + 16:24 + 20] = bytes(4)
open(\"odd.pdu\", \"wb\").write(data[:1464 * 5] + data[1464 * 7:])
" &&
	rwpdu2silk --log-destination=stderr odd.pdu >odd.rw 2>err && test_lines err 1 && test_grep "Recs 539, MissRecs 60, BadRecs 1" err &&
	rwpdu2silk --log-destination=stderr --log-flags=bad,missing odd.pdu 2>err >/dev/null && test_lines err 3 &&
	test_grep "Netflow record has zero packets or bytes" err && test_grep "Out-of-sequence packet: expecting 150, received 210" err
'

test_case 'a file of something else has no records; mistakes are told' '
	echo text >text && rwpdu2silk --print-statistics text >text.rw 2>err && test_grep "Wrote 0 records" err &&
	test_must_fail rwpdu2silk 2>err && test_grep "No input files specified on the command line" err &&
	test_must_fail rwpdu2silk none.pdu 2>err >/dev/null && test_grep "rwpdu2silk: none.pdu: No such file" err &&
	test_must_fail rwpdu2silk --silk-output=out.rw a.pdu 2>err && test_grep "out.rw" err &&
	SILK_CLOBBER=1 rwpdu2silk --silk-output=out.rw a.pdu &&
	test_must_fail rwpdu2silk --xargs=list a.pdu 2>err && test_must_fail rwpdu2silk --log-flags=none,bad --silk-output=x.rw a.pdu 2>err &&
	test_must_fail rwpdu2silk --log-flags=bad --log-flags=bad --silk-output=z.rw a.pdu 2>err && test_grep "multiple times" err &&
	test_must_fail rwpdu2silk --log-flags=foo --silk-output=y.rw a.pdu 2>err && test_grep "foo" err &&
	{ test_must_fail rwpdu2silk a.pdu >/dev/full 2>err; } && test_grep "No space left" err
'

test_case 'rwguess: the busiest interfaces, or all' '
	rwguess --top=2 a.pdu b.pdu >got && cat >want <<END && test_cmp want got &&
Top 2 (of 3) SNMP Input Interfaces
Index|  Input_Recs|
    0|         306|
    2|         301|

Top 2 (of 3) SNMP Output Interfaces
Index| Output_Recs|
    6|         321|
    0|         296|

END
	rwguess --print-all a.z >got && cat >want <<END && test_cmp want got &&
Index|  Input_Recs| Output_Recs|
    0|         203|         194|
    1|         202|           0|
    2|         195|           0|
    5|           0|         191|
    6|           0|         215|
END
	rwguess text >got && test_grep "Top 10 (of 0) SNMP Output Interfaces" got &&
	test_must_fail rwguess 2>err && test_grep "No PDU input files" err && test_must_fail rwguess --top=1 --print-all a.pdu 2>err &&
	test_grep "May only specify one of --top or --print-all" err && test_must_fail rwguess none 2>err && test_grep "none: No such file" err &&
	{ test_must_fail rwguess a.pdu >/dev/full 2>err; } && test_grep "cannot write standard output" err
'
test_case 'rwguess: data' '
	rwguess --top=2 --output-format=csv a.pdu b.pdu >got && cat >want <<END && test_cmp want got &&
direction,index,records
input,0,306
input,2,301
output,6,321
output,0,296
END
	rwguess --print-all --output-format=json a.z >got && test_lines got 5 && head -n 1 got >first &&
	echo "{\"index\":0,\"input-records\":203,\"output-records\":194}" | test_cmp - first &&
	{ test_must_fail rwguess --output-format=csv a.pdu >/dev/full 2>err; } && test_grep "No space left" err
'
test_case 'notes come before the command line, as in SiLK' '
	rwpdu2silk --silk-output=order.rw --note-add=a-note a.pdu &&
	note=$(grep -abo a-note order.rw | head -n 1 | cut -d: -f1) &&
	line=$(grep -abo "rwpdu2silk --silk" order.rw | cut -d: -f1) && [ "$note" -lt "$line" ]
'
test_done
