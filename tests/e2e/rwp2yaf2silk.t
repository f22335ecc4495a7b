#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwp2yaf2silk: a capture file through the sensor and rwipfix2silk.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
TRACE=$DATA/trace/browsing.pcap

test_case 'the same as by hand' '
	rwp2yaf2silk --in="$TRACE" --out=a.rw && rwsensor --silk --uniflow --export=b.ipfix --log-destination=none "$TRACE" && rwipfix2silk --silk-output=b.rw b.ipfix &&
	rwcut --no-titles --all-fields b.rw >want && rwcut --no-titles --all-fields a.rw >got && test_cmp want got && [ -s got ] &&
	rwp2yaf2silk --in=stdin --out=stdout <"$TRACE" >c.rw && rwcut --no-titles --all-fields c.rw >got && test_cmp want got
'
test_case 'arguments of either program' '
	rwp2yaf2silk --in="$TRACE" --out=d.rw --yaf-args="--idle-timeout=0" --rwipfix2silk-args="--note-add=\"a b\"" &&
	rwfileinfo --no-titles --fields=annotations d.rw >info && test_grep "a b" info &&
	rwcut --no-titles d.rw >more && rwcut --no-titles a.rw >less && [ "$(wc -l <more)" -gt "$(wc -l <less)" ] &&
	echo "$TRACE" >list && rwp2yaf2silk --in=list --yaf-args=--caplist --out=e.rw && rwcut --no-titles --all-fields e.rw >got && test_cmp want got
'
test_case 'a dry run, and another meter' '
	rwp2yaf2silk --in="in put" --out=f.rw --dry-run --yaf-program=/opt/yaf >out && [ ! -e f.rw ] && cat >want2 <<"E" && test_cmp want2 out
'"'"'/opt/yaf'"'"' '"'"'--silk'"'"' '"'"'--uniflow'"'"' '"'"'--out'"'"' '"'"'-'"'"' '"'"'--in'"'"' '"'"'in put'"'"' | \
    '"'"'rwipfix2silk'"'"' '"'"'--silk-output=f.rw'"'"'
E
'
test_case 'failures of either program are failures' '
	test_must_fail rwp2yaf2silk --in=nosuch --out=g.rw 2>err && test_grep nosuch err &&
	test_must_fail rwp2yaf2silk --in="$TRACE" --out=a.rw 2>err && test_grep a.rw err &&
	rwp2yaf2silk --in="$TRACE" --out=h.rw --yaf-program=/nosuch 2>err || [ $? -eq 127 ] && test_grep "cannot run /nosuch" err
'
test_case 'switches that are wrong' '
	test_must_fail rwp2yaf2silk --in=x 2>err && [ $test_status -eq 2 ] && test_grep "[-]-in and --out" err && test_must_fail rwp2yaf2silk --in=x --out=y z 2>err &&
	test_must_fail rwp2yaf2silk --in=x --out=y --yaf-args="\"" 2>err
'
test_done
