#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwcompare: the exit status and the message of every outcome.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$DATA/text/silk.conf
export SILK_CONFIG_FILE
rwtuc --output-path=a.rw "$DATA/text/records.txt" || exit 99
rwsort --fields=sip,stime,bytes --output-path=b.rw a.rw || exit 99

# status_is STATUS COMMAND...: output in out and err
status_is() {
	status_expected=$1
	shift
	"$@" >out 2>err
	status_found=$?
	[ $status_found -eq "$status_expected" ] && return 0
	echo "status $status_found of: $*"
	return 1
}

test_case 'the same records, whatever the file is like' '
	rwcat --compression-method=zlib --byte-order=big --output-path=zlib.rw a.rw &&
	status_is 0 rwcompare a.rw a.rw && test ! -s out && test ! -s err &&
	status_is 0 rwcompare a.rw zlib.rw && test ! -s out &&
	status_is 0 rwcompare - a.rw <zlib.rw && status_is 0 rwcompare zlib.rw stdin <a.rw
'

test_case 'a block file holds the same' '
	rwfilter --proto=0- --file-format=block --pass=a.blk a.rw && status_is 0 rwcompare a.blk a.rw && test ! -s err
'

test_case 'records that differ' '
	status_is 1 rwcompare a.rw b.rw && echo "a.rw b.rw differ: record 1" >expected && test_cmp expected out &&
	rwtuc --output-path=one.rw --fields=sip,stime,bytes - <<END &&
1.1.1.1|1600000000|5|
1.1.1.1|1600000001|5|
END
	rwtuc --output-path=two.rw --fields=sip,stime,bytes - <<END &&
1.1.1.1|1600000000|5|
1.1.1.1|1600000001|6|
END
	status_is 1 rwcompare one.rw two.rw && echo "one.rw two.rw differ: record 2" >expected && test_cmp expected out &&
	status_is 1 rwcompare --quiet one.rw two.rw && test ! -s out
'

test_case 'a file that ends first' '
	rwcat a.rw a.rw >twice.rw && rwcut --no-titles a.rw >lines &&
	status_is 1 rwcompare a.rw twice.rw && echo "a.rw twice.rw differ: EOF a.rw" >expected && test_cmp expected out &&
	status_is 1 rwcompare twice.rw - <a.rw && echo "twice.rw - differ: EOF -" >expected && test_cmp expected out
'

test_case 'what cannot be read' '
	status_is 2 rwcompare a.rw nosuch.rw && test_lines err 1 && test_grep nosuch.rw err && test ! -s out &&
	status_is 2 rwcompare --quiet a.rw nosuch.rw && test ! -s err &&
	status_is 2 rwcompare expected a.rw && test_grep expected err &&
	rwset --sip-file=a.set a.rw && status_is 2 rwcompare a.rw a.set && test_grep a.set err &&
	rwcat --compression-method=none --output-path=plain.rw a.rw && head -c 1000 plain.rw >cut.rw &&
	status_is 2 rwcompare cut.rw a.rw && test_grep "cut.rw: record .* is incomplete" err &&
	status_is 2 rwcompare a.rw cut.rw && test_grep "cut.rw: record .* is incomplete" err &&
	status_is 2 rwcompare - - <a.rw && test_grep "only one" err
'

test_case 'the command line' '
	status_is 1 rwcompare a.rw && test_grep "two files" err && status_is 1 rwcompare a.rw a.rw a.rw && status_is 1 rwcompare --loud a.rw a.rw && test_grep "unrecognized option" err &&
	test_must_fail rwcompare a.rw b.rw >/dev/full 2>err && test_grep "No space left" err
'
test_case 'data' '
	rwfilter --proto=0- --max-pass=2 --pass=first2.rw a.rw && rwfilter --proto=0- --max-pass=1 --pass=first1.rw a.rw &&
	status_is 1 rwcompare --output-format=csv first2.rw first1.rw && printf "file1,file2,record,ended\nfirst2.rw,first1.rw,2,first1.rw\n" | test_cmp - out &&
	rwsort --reverse --fields=stime,sip,bytes --output-path=back.rw first2.rw && rwsort --fields=stime,sip,bytes --output-path=forth.rw first2.rw &&
	status_is 1 rwcompare --output-format=json back.rw forth.rw &&
	echo "{\"file1\":\"back.rw\",\"file2\":\"forth.rw\",\"record\":1,\"ended\":\"\"}" | test_cmp - out &&
	status_is 0 rwcompare --output-format=json first2.rw first2.rw && test ! -s out &&
	status_is 1 rwcompare --output-format=json --quiet first2.rw first1.rw && test ! -s out &&
	status_is 2 rwcompare --output-format=csv first2.rw nosuch && test ! -s out
'
test_done
