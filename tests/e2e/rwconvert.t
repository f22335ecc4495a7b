# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_HEADER_NOVERSION=1

tool=$TUSSAH_BUILDDIR/tests/format/blocktool
fields=sIP,dIP,sPort,dPort,protocol,packets,bytes,flags,sTime,duration,sensor,in,out,nhIP,initialFlags,sessionFlags,attributes,application,type,iType,iCode

# same A B: the same records, in any order.
same() {
	rwsort --fields=1-9,11 "$1" >1.sorted && rwcut --fields=$fields 1.sorted | sort >1.text &&
	rwsort --fields=1-9,11 "$2" >2.sorted && rwcut --fields=$fields 2.sorted | sort >2.text &&
	[ -s 1.text ] && cmp 1.text 2.text
}
rwtuc --site-config-file="$DATA/text/silk.conf" "$DATA/text/records.txt" >plain.rw 2>tuc.log &&
	rwcat --note-add="from the field" --output-path=old.rw plain.rw || exit 99

test_case 'a SiLK file becomes a block file with the same records' '
	rwconvert --output-path=new.tb old.rw 2>said &&
	! [ -s said ] &&
	same old.rw new.tb
'

test_case 'the block file is sealed: its header names a footer' '
	[ "$(od -An -tu8 -j32 -N8 new.tb)" -gt 64 ]
'

test_case 'and back, without loss' '
	rwconvert --file-format=silk --output-path=back.rw new.tb 2>said &&
	! [ -s said ] &&
	same old.rw back.rw &&
	rwfileinfo back.rw >info &&
	test_grep "from the field" info
'

test_case 'to standard output' '
	rwconvert --file-format=silk --output-path=stdout new.tb >piped.rw &&
	same old.rw piped.rw
'

for method in none lzo1x zstd; do
	test_case "a block file compressed by $method" '
		rwconvert --compression-method=$method --output-path=$method.tb old.rw &&
		same old.rw $method.tb
	'
done

test_case 'in place, keeping the access rights' '
	cp old.rw here && chmod 640 here &&
	rwconvert --in-place here &&
	same old.rw here &&
	[ "$(stat -c %a here)" = 640 ] &&
	rwconvert --in-place --file-format=silk here &&
	same old.rw here &&
	ls -A >names && ! grep -q "^\.here" names
'

# Times in nanoseconds, wide counters and extension columns: more than a SiLK file holds.
"$tool" make rich 5 400 usual 2 || exit 99

test_case 'what a SiLK file cannot hold is told' '
	rwconvert --file-format=silk --output-path=poor.rw rich 2>said &&
	test_grep "extension columns left out: 6871/1000, 6871/1001" said
'

test_case 'times below the millisecond are cut, and it is told of how many' '
	"$tool" make fine 6 200 edge 2 &&
	test_must_fail rwconvert --in-place --file-format=silk fine 2>said &&
	test_grep "rwconvert: fine: [0-9]* of 200 records: column start_ns is cut" said &&
	test_grep "rwconvert: fine: [0-9]* of 200 records: column duration_ns is cut" said
'

test_case 'in place it is kept, unless loss is allowed' '
	cp rich keep &&
	test_must_fail rwconvert --in-place --file-format=silk keep 2>said &&
	test_grep "keep: kept as it is" said &&
	cmp rich keep &&
	rwconvert --in-place --allow-loss --file-format=silk keep 2>said &&
	cmp poor.rw keep
'

test_case 'what is of that kind already is told' '
	test_must_fail rwconvert --output-path=again new.tb 2>said &&
	test_grep "rwconvert: new.tb: is a block file already" said &&
	! [ -e again ] &&
	test_must_fail rwconvert --file-format=silk --output-path=again old.rw 2>said &&
	test_grep "old.rw: is a SiLK file already" said
'

test_case 'an existing target is refused' '
	cp old.rw there &&
	test_must_fail rwconvert --output-path=there old.rw 2>said &&
	test_grep "there: exists already" said &&
	cmp old.rw there &&
	SILK_CLOBBER=1 rwconvert --output-path=there old.rw &&
	same old.rw there
'

test_case 'a damaged input leaves nothing behind' '
	head -c -7 old.rw >cut.rw &&
	test_must_fail rwconvert --output-path=cut.tb cut.rw 2>said &&
	test_lines said 1 &&
	! [ -e cut.tb ] &&
	ls -A >names && ! grep -q "^\.cut" names
'

test_case 'switches that do not go together' '
	test_must_fail rwconvert old.rw 2>said &&
	test_grep "give one input and --output-path, or --in-place" said &&
	test_must_fail rwconvert --output-path=x old.rw plain.rw 2>said &&
	test_must_fail rwconvert --in-place --output-path=x old.rw 2>said &&
	test_grep "exclude each other" said &&
	test_must_fail rwconvert --output-path=stdout old.rw 2>said &&
	test_grep "cannot be written to standard output" said &&
	test_must_fail rwconvert --compression-method=zlib --output-path=x old.rw 2>said &&
	test_grep "compression-method=zlib is not for block files" said
'
test_done
