#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwsplit: files of limited size, and samples.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
export SILK_HEADER_NOVERSION=1

# Record N of 20 is of host 10.0.0.(N / 2) with N packets of 100 bytes.
{
	echo 'sIP|dIP|sPort|protocol|packets|bytes|sTime'
	awk 'BEGIN { for (i = 1; i <= 20; i++)
		printf "10.0.0.%d|192.0.2.1|%d|6|%d|%d|2024/03/05T10:00:%02d\n", int(i / 2), i, i, 100 * i, i }'
} >flows.txt && rwtuc --output-path=flows.rw --note-add=gone flows.txt || exit 99

# counts BASE: how many records each file has, in a line
counts() {
	for file in "$1".*; do
		rwfileinfo --no-titles --fields=count-records "$file"
	done | tr -d ' ' | tr '\n' ' '
}
# ports BASE: all records of all files by their ports
ports() {
	rwcut --no-titles --delimited --fields=sPort "$1".* | tr '\n' ' '
}

test_case 'by records' '
	rwsplit --basename=a --flow-limit=8 flows.rw >out 2>err && test_lines out 0 && test_lines err 0 &&
	ls >files && test_grep "^a.00000002.rwf$" files && [ "$(counts a)" = "8 8 4 " ] &&
	rwcut --all-fields flows.rw >want && rwcut --all-fields a.* >got && test_cmp want got &&
	rwsplit --basename=whole --flow-limit=20 flows.rw && [ "$(counts whole)" = "20 " ]
'
test_case 'by packets, bytes, addresses' '
	rwsplit --basename=p --packet-limit=50 flows.rw && [ "$(counts p)" = "10 4 4 2 " ] &&
	rwsplit --basename=b --byte-limit=5001 flows.rw && [ "$(counts b)" = "10 5 3 2 " ] &&
	rwsplit --basename=i --ip-limit=4 flows.rw && [ "$(counts i)" = "4 4 4 4 4 " ]
'
test_case 'what the headers hold' '
	rwsplit --basename=n --flow-limit=15 --note-add=new --compression-method=none flows.rw &&
	rwfileinfo --no-titles --fields=compression,command-lines,annotations n.00000001.rwf >info && cat >want <<E &&
none(0)
rwsplit --basename=n --flow-limit=15 --note-add=new --compression-method=none flows.rw
new
E
	sed "s/^ *//" info | test_cmp want -
'
test_case 'samples are the same for the same seed, and as SiLK draws them' '
	rwsplit --basename=s --flow-limit=4 --seed=1 --sample-ratio=4 flows.rw &&
	[ "$(ports s)" = "4 7 10 16 18 " ] && [ "$(counts s)" = "4 1 " ] &&
	rwsplit --basename=f --flow-limit=2 --seed=1 --file-ratio=4 flows.rw &&
	ls f.* | tr "\n" " " >files && echo "f.00000003.rwf f.00000006.rwf f.00000009.rwf " | tr -d "\n" | test_cmp - files &&
	rwsplit --basename=r --flow-limit=100 --sample-ratio=5 flows.rw && [ "$(counts r)" = "4 " ]
'
test_case 'no more files than asked for' '
	printf "flows.rw\nnosuch\n" >list &&
	rwsplit --basename=m --flow-limit=3 --max-outputs=2 --print-filenames --xargs=list 2>err &&
	[ "$(counts m)" = "3 3 " ] && echo flows.rw | test_cmp - err
'
test_case 'an existing file, and one that cannot be made' '
	test_must_fail rwsplit --basename=a --flow-limit=8 flows.rw 2>err && test_grep "a.00000000.rwf" err &&
	SILK_CLOBBER=1 rwsplit --basename=a --flow-limit=8 flows.rw &&
	test_must_fail rwsplit --basename=nodir/a --flow-limit=8 flows.rw 2>err && test_grep "nodir/a.00000000.rwf: No such file" err
'
test_case 'notes come before the command line, as in SiLK' '
	rwsplit --basename=order --flow-limit=50 --note-add=a-note --compression-method=none flows.rw &&
	note=$(grep -abo a-note order.00000000.rwf | head -n 1 | cut -d: -f1) &&
	line=$(grep -abo "rwsplit --basename" order.00000000.rwf | cut -d: -f1) && [ "$note" -lt "$line" ]
'
test_case 'no records, no files' '
	rwtuc --output-path=none.rw </dev/null 2>/dev/null; rwfilter --proto=99 --pass=none2.rw flows.rw &&
	rwsplit --basename=e --flow-limit=8 none2.rw && [ ! -e e.00000000.rwf ]
'
test_case 'input that cannot be read' '
	test_must_fail rwsplit --basename=x --flow-limit=15 flows.rw nosuch 2>err && test_grep nosuch err && [ "$(counts x)" = "15 5 " ] &&
	rwcat --compression-method=none --output-path=plain.rw flows.rw && head -c 500 plain.rw >cut.rw &&
	test_must_fail rwsplit --basename=y --flow-limit=15 cut.rw 2>err && test_grep "cut.rw: record" err && [ "$(counts y)" = "4 " ] &&
	test_must_fail rwsplit --basename=on --flow-limit=15 cut.rw flows.rw 2>err && test_lines err 1 && [ "$(counts on)" = "15 9 " ] &&
	test_must_fail rwsplit --basename=z --flow-limit=15 "$DATA/filter.txt" 2>err && test_grep filter.txt err
'
test_case 'switches that are wrong' '
	test_must_fail rwsplit flows.rw 2>err && test_grep "[-]-flow-limit" err &&
	test_must_fail rwsplit --flow-limit=3 flows.rw 2>err && test_grep "[-]-basename must be given" err &&
	test_must_fail rwsplit --basename=w --flow-limit=3 --ip-limit=3 flows.rw 2>err && test_grep "only one limit" err &&
	test_must_fail rwsplit --basename=w --flow-limit=0 flows.rw 2>err && test_grep "below minimum of 1" err &&
	test_must_fail rwsplit --basename=w --flow-limit=3 --seed=4294967296 flows.rw 2>err &&
	test_must_fail rwsplit --basename=w --flow-limit=3 --max-outputs=0 flows.rw 2>err && [ ! -e w.00000000.rwf ]
'
test_done
