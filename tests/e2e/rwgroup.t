#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwgroup: keys, differences, summaries, numbers, and what can go wrong.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE
cat >few.txt <<'END'
sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|initialFlags|sessionFlags|nhIP|
1.1.1.1|9.9.9.9|10|80|6|1|100|S|1600000000.100|1.500|S|A|7.7.7.7|
1.1.1.1|9.9.9.9|11|80|6|2|200|A|1600000000.900|0.200|A|PA|7.7.7.7|
1.1.1.1|9.9.9.9|12|80|6|3|300|F|1600000003.900|10.250|||8.8.8.8|
1.1.1.2|9.9.9.9|12|80|6|3|300|F|1600000003.900|10.250|||8.8.8.8|
2.2.2.2|9.9.9.9|12|80|6|4|400|R|1600000013.900|10.250|||8.8.8.8|
2001:db8::1|2001:db8::2|13|80|17|4|400||1600000014.900|3.250|||::|
2001:db8::1|2001:db8::2|14|80|17|4|400||1600000015.900|3.250|||::|
END
rwtuc --output-path=few.rw few.txt || exit 99

# numbers SWITCHES...: sPort,nhIP of every record that comes out, in one line
numbers() {
	rm -f numbers.rw && rwgroup --output-path=numbers.rw "$@" few.rw && rwcut --fields=sport,nhip --no-titles --delimited=, numbers.rw | tr '\n' ' '
}

test_case 'groups of the same key' '
	test "$(numbers --id-fields=sip)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.0 12,0.0.0.1 12,0.0.0.2 13,::ffff:0.0.0.3 14,::ffff:0.0.0.3 " &&
	test "$(numbers --id-fields=dip,proto)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.0 12,0.0.0.0 12,0.0.0.0 13,::ffff:0.0.0.1 14,::ffff:0.0.0.1 " &&
	test "$(numbers --id-fields=nhip)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.1 12,0.0.0.1 12,0.0.0.1 13,::ffff:0.0.0.2 14,::ffff:0.0.0.2 "
'

test_case 'differences from the record before, or from the first' '
	test "$(numbers --delta-field=sport --delta-value=1)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.0 12,0.0.0.0 12,0.0.0.0 13,::ffff:0.0.0.0 14,::ffff:0.0.0.0 " &&
	test "$(numbers --delta-field=sport --delta-value=1 --objective)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.1 12,0.0.0.1 12,0.0.0.1 13,::ffff:0.0.0.1 14,::ffff:0.0.0.2 " &&
	test "$(numbers --delta-field=stime --delta-value=3)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.0 12,0.0.0.0 12,0.0.0.1 13,::ffff:0.0.0.1 14,::ffff:0.0.0.1 " &&
	test "$(numbers --delta-field=sip --delta-value=24)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.0 12,0.0.0.0 12,0.0.0.1 13,::ffff:0.0.0.2 14,::ffff:0.0.0.2 " &&
	test "$(numbers --id-fields=proto --delta-field=sip --delta-value=127)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.0 12,0.0.0.0 12,0.0.0.0 13,::ffff:0.0.0.1 14,::ffff:0.0.0.1 "
'

test_case 'groups of few records are left out, but counted' '
	test "$(numbers --id-fields=sip --rec-threshold=2)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.0 13,::ffff:0.0.0.3 14,::ffff:0.0.0.3 " &&
	test "$(numbers --id-fields=sip --rec-threshold=3)" = "10,0.0.0.0 11,0.0.0.0 12,0.0.0.0 "
'

test_case 'numbers start where they are told to' '
	test "$(numbers --id-fields=sip --rec-threshold=2 --group-offset=10.0.0.253)" = "10,10.0.0.253 11,10.0.0.253 12,10.0.0.253 13,::ffff:10.0.1.0 14,::ffff:10.0.1.0 " &&
	test "$(numbers --id-fields=sip --rec-threshold=2 --group-offset=4294967295)" = "10,255.255.255.255 11,255.255.255.255 12,255.255.255.255 13,::ffff:0.0.0.2 14,::ffff:0.0.0.2 " &&
	test "$(numbers --id-fields=proto --group-offset=2001::5 --summarize)" = "10,2001::5 13,2001::6 " &&
	rwcut --fields=sip --no-titles --num-recs=1 --delimited numbers.rw >out && echo ::ffff:1.1.1.1 >expected && test_cmp expected out
'

test_case 'summaries' '
	numbers --id-fields=sip --summarize >out &&
	rwcut --fields=sip,packets,bytes,flags,stime,dur,initialFlags,sessionFlags,nhip --timestamp-format=epoch --no-titles --delimited=, --num-recs=2 numbers.rw >out &&
	cat >expected <<END &&
1.1.1.1,6,600,FSPA,1600000000.100,14.050,S,PA,0.0.0.0
1.1.1.2,3,300,F,1600000003.900,10.250,,,0.0.0.1
END
	test_cmp expected out
'

test_case 'a summary that would be too large goes on in another record of the group' '
	cat >large.txt <<END &&
sIP|sPort|packets|bytes|sTime|duration|
1.1.1.1|1|4294967290|4294967290|1600000000|1|
1.1.1.1|2|5|5|1600000000|1|
1.1.1.1|3|1|1|1600000000|1|
1.1.1.1|4|1|1|1600000000.001|4294967.295|
END
	rwtuc --output-path=large.rw large.txt &&
	rwgroup --id-fields=sip --summarize --group-offset=9 large.rw >out.rw &&
	rwcut --fields=sport,packets,dur,nhip --no-titles --delimited=, out.rw >out &&
	printf "1,4294967295,1.000,0.0.0.9\n3,1,1.000,0.0.0.9\n4,1,4294967.295,0.0.0.9\n" >expected && test_cmp expected out &&
	rwgroup --id-fields=sip --summarize --rec-threshold=5 large.rw >out.rw && rwcut --no-titles out.rw >out && test ! -s out
'

test_case 'the header has the history, and our notes' '
	rwgroup --id-fields=sip --note-add=mine --output-path=one.rw few.rw &&
	rwgroup --id-fields=sip --note-add=again --output-path=two.rw one.rw &&
	rwfileinfo --fields=command-lines,annotations two.rw >out &&
	test_grep "1 *rwtuc" out && test_grep "2 *rwgroup --id-fields=sip --note-add=mine" out && test_grep "3 *rwgroup.*again" out && test_grep "1 *mine" out && test_grep "2 *again" out
'

test_case 'input by a pipe, and a copy of it' '
	rwgroup --id-fields=sip --copy-input=copy.rw <few.rw >piped.rw &&
	rwgroup --id-fields=sip few.rw >direct.rw &&
	rwcut --all-fields direct.rw >expected && rwcut --all-fields piped.rw >out && test_cmp expected out &&
	rwcut few.rw >expected && rwcut copy.rw >out && test_cmp expected out
'

test_case 'a warning about records in another order' '
	rwgroup --id-fields=bytes few.rw >out.rw 2>err && test ! -s err &&
	rwgroup --id-fields=dur few.rw >out.rw 2>err && test_lines err 1 && test_grep "not sorted" err
'

test_case 'what is wrong with the command line' '
	test_must_fail rwgroup few.rw >out 2>err && test ! -s out && test_grep "id-fields or --delta-field is needed" err &&
	test_must_fail rwgroup --delta-field=sip few.rw 2>err && test_grep "needs --delta-value" err &&
	test_must_fail rwgroup --id-fields=1 --delta-value=5 few.rw 2>err && test_grep "needs --delta-field" err &&
	test_must_fail rwgroup --id-fields=nosuchfield few.rw 2>err && test_grep "nosuchfield" err &&
	test_must_fail rwgroup --delta-field=flags --delta-value=1 few.rw 2>err && test_grep "cannot be measured" err &&
	test_must_fail rwgroup --delta-field=sip,dip --delta-value=1 few.rw 2>err && test_grep "one field" err &&
	test_must_fail rwgroup --delta-field=sport --delta-value=65535 few.rw 2>err && test_grep "greatest for sPort is 65534" err &&
	test_must_fail rwgroup --id-fields=1 few.rw few.rw 2>err && test_grep "only one input" err &&
	test_must_fail rwgroup --id-fields=1 --group-offset=4294967296 few.rw 2>err && test_grep "group-offset" err &&
	test_must_fail rwgroup --id-fields=1 --copy-input=- few.rw >out 2>err && test ! -s out
'

test_case 'nothing is left behind when the input cannot be read, or there is no room' '
	test_must_fail rwgroup --id-fields=1 --output-path=no.rw nosuch.rw 2>err && test_lines err 1 && test_grep nosuch.rw err && test ! -e no.rw &&
	test_must_fail rwgroup --id-fields=1 --output-path=no.rw few.txt 2>err && test_grep few.txt err && test ! -e no.rw &&
	rwcat --compression-method=none --output-path=plain.rw few.rw && head -c 600 plain.rw >cut.rw &&
	test_must_fail rwgroup --id-fields=1 --output-path=no.rw cut.rw 2>err && test_lines err 1 && test_grep "cut.rw: record 6 is incomplete" err && test ! -e no.rw &&
	test -z "$(ls -A | grep -e "-no.rw")" &&
	test_must_fail rwgroup --id-fields=1 few.rw >/dev/full 2>err && test_grep "No space left" err &&
	test_must_fail rwgroup --id-fields=1 --output-path=few.rw few.rw 2>err && test_grep "few.rw: file exists" err &&
	test_must_fail rwgroup --id-fields=1 --output-path=nosuch/out.rw few.rw 2>err && test_grep "nosuch/out.rw" err &&
	SILK_CLOBBER=1 rwgroup --id-fields=1 --output-path=plain.rw few.rw && rwcut --fields=nhip --num-recs=1 --no-titles --delimited plain.rw >out && echo 0.0.0.0 >expected && test_cmp expected out
'
test_done
