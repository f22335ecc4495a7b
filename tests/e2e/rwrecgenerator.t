#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwrecgenerator: made-up records.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf
export SILK_CONFIG_FILE

generated() {
	rwrecgenerator --log-destination=none --start-time=2024/03/05:10 --end-time=2024/03/05:10:59:59 --time-step=10000 --events-per-step=5 "$@"
}
listing() {
	rwcat --output-path=all.rw "$@" && rwsort --fields=1-10 --output-path=sorted.rw all.rw && rwcut --no-titles --fields=1-12,sensor,class,type sorted.rw
	rm -f all.rw sorted.rw
}

test_case 'the same for the same seed, and sound' '
	generated --seed=1 --silk-output-path=a.rw && generated --seed=1 --silk-output-path=- >b.rw && listing a.rw >want && listing b.rw >got && test_cmp want got &&
	generated --seed=2 --silk-output-path=c.rw && listing c.rw >got && ! cmp -s want got &&
	rwfileinfo --no-titles --fields=format a.rw >info && test_grep FT_RWGENERIC info && [ "$(wc -l <want)" -gt 3000 ] &&
	rwfilter --saddress=0-127.x.x.x --daddress=128-255.x.x.x --pass=out.rw a.rw && rwfilter --daddress=0-127.x.x.x --saddress=128-255.x.x.x --pass=in.rw a.rw &&
	rwuniq --no-titles --delimited --fields=type out.rw --values=records --sort-output | cut -d "|" -f 1 | tr "\n" " " >types && printf "out outweb " | test_cmp - types &&
	rwuniq --no-titles --delimited --fields=type in.rw --values=records --sort-output | cut -d "|" -f 1 | tr "\n" " " >types && printf "in inweb " | test_cmp - types &&
	[ $(($(rwfileinfo --no-titles --fields=count-records out.rw) + $(rwfileinfo --no-titles --fields=count-records in.rw))) -eq "$(wc -l <want)" ]
'
test_case 'as text' '
	generated --seed=1 --text-output-path=text --no-titles --delimited && [ "$(wc -l <text)" -eq "$(wc -l <want)" ] &&
	generated --seed=1 --text-output-path=- --timestamp-format=epoch --time-step=0 >out && cat >titles <<E && head -1 out | test_cmp titles -
            sIP|            dIP|sPort|dPort|pro|   packets|     bytes|         sTime| duration|         eTime|sen|cla|   type|initialF|sessionF|attribut|appli|iTy|iCo|
E
'
test_case 'as incremental files' '
	mkdir -p done work && echo old >work/old && generated --seed=1 --output-directory=done --processing-directory=work --compression-method=none &&
	[ -z "$(ls work)" ] && listing done/* >got && test_cmp want got &&
	ls done | sed "s/_.*//" | sort -u | tr "\n" " " >names && printf "in-S0 iw-S0 out-S0 ow-S0 " | test_cmp - names &&
	mkdir few work2 && generated --seed=1 --output-directory=few --processing-directory=work2 --flush-timeout=100000000 --file-cache-size=100 && listing few/* >got && test_cmp want got &&
	[ "$(ls few | wc -l)" -lt "$(ls done | wc -l)" ] && rwfileinfo --no-titles --fields=format few/in-S0_20240305.10.* >info && test_grep FT_RWAUGMENTED info
'
test_case 'by several processes' '
	mkdir p1 p2 w1 && generated --seed=1 --output-directory=p1 --processing-directory=w1 --num-subprocesses=3 && listing p1/* >one && [ -z "$(ls w1)" ] &&
	generated --seed=1 --output-directory=p2 --processing-directory=w1 --num-subprocesses=3 && listing p2/* >two && test_cmp one two && [ "$(wc -l <one)" -gt 3000 ]
'
test_case 'sensors by address, other types, logs' '
	printf "version 2\nsensor 1 S1\nsensor 2 S2\nclass c\nsensors S1 S2\ntype 0 a\ntype 1 b\ntype 2 d\ntype 3 e\nend class\n" >other.conf &&
	printf "label 0 none\nlabel 1 one\nlabel 2 two\nmode ip\ndefault one\n0.0.0.0/2 two\n" >labels.txt &&
	rwpmapbuild --input-file=labels.txt --output-file=sensors.pmap &&
	generated --seed=1 --site-config-file=other.conf --sensor-prefix-map=sensors.pmap --flowtype-in=c/a --flowtype-inweb=c/b --flowtype-out=c/d --flowtype-outweb=c/e --silk-output-path=s.rw &&
	SILK_CONFIG_FILE=other.conf rwfilter --saddress=0-63.x.x.x --sensors=S1 --pass=wrong.rw s.rw && rwcut --no-titles wrong.rw >got && test_lines got 0 &&
	SILK_CONFIG_FILE=other.conf rwuniq --no-titles --delimited --fields=sensor --sort-output s.rw | cut -d "|" -f 1 | tr "\n" " " >names && printf "S1 S2 " | test_cmp - names &&
	rwrecgenerator --log-destination=stderr --silk-output-path=hour.rw 2>err && test_grep "records made" err
'
test_case 'what is wrong' '
	test_must_fail rwrecgenerator --log-destination=none 2>err && test_grep "must be given" err && test_must_fail rwrecgenerator --silk-output-path=x.rw 2>err && test_grep log-destination err &&
	test_must_fail generated --silk-output-path=x.rw --text-output-path=y 2>err && test_must_fail generated --output-directory=done 2>err && test_grep processing-directory err &&
	test_must_fail generated --silk-output-path=x.rw --end-time=2024/03/05:09 2>err && test_grep "before" err &&
	test_must_fail generated --silk-output-path=a.rw 2>err && test_grep a.rw err && test_must_fail generated --text-output-path=text 2>err && test_grep text err &&
	test_must_fail generated --silk-output-path=/dev/full 2>err && test_grep /dev/full err && test_must_fail generated --output-directory=nodir --processing-directory=work 2>err && test_grep nodir err &&
	test_must_fail generated --sensor-prefix-map=a --sensor-prefix-map=a --silk-output-path=x.rw 2>err && test_grep "multiple times" err &&
	test_must_fail generated --flowtype-in=all/nosuch --silk-output-path=x.rw 2>err && test_grep "no flowtype" err && test_must_fail generated --sensor-prefix-map=nosuch --silk-output-path=x.rw 2>err && [ ! -e x.rw ]
'
test_done
