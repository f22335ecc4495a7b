# SPDX-License-Identifier: GPL-3.0-or-later
# Tools that read flow files read block files as well: whole, through pipes, damaged.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

unhex() {
	sed -n "s/^$1 //p" "$DATA/streamvectors.txt" | python3 -c \
		'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'
}
# Converted files are sorted by start time.
unhex split-le >split.rw && unhex routing-le >unsorted.rw &&
	rwsort --fields=stime --output-path=routing.rw unsorted.rw || exit 99
rwconvert --output-path=split.blk split.rw && rwconvert --output-path=routing.blk routing.rw ||
	exit 99

# flip FILE OFFSET: change one byte
flip() {
	python3 -c '
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); byte = f.read(1)[0]
    f.seek(int(sys.argv[2])); f.write(bytes([byte ^ 0x40]))' "$1" "$2"
}

test_case 'rwfileinfo says what applies' '
	rwfileinfo --no-titles --fields=1-6,10,11,count-records,blocks,packed,probe split.blk >got &&
	cat >want <<END &&
TUSSAH_BLOCKS
1
littleEndian
none(0)
2
1, sealed
2024/03/05T06:00:00Z 3 1
DUMMY_PROBE
END
	test_cmp want got &&
	rwfileinfo --fields=time-range,file-size split.blk >got &&
	cat >want <<END &&
split.blk:
  file-size           $(wc -c <split.blk)
  time-range          2024/03/05T06:07:08.901 - 2024/03/05T07:30:00.006
END
	test_cmp want got
'

test_case 'rwfileinfo reads standard input' '
	{ cat routing.blk; } | rwfileinfo --no-titles --fields=format,count-records - >got &&
	printf "TUSSAH_BLOCKS\n3\n" | test_cmp - got
'

test_case 'rwcat makes the same file of either kind' '
	export SILK_HEADER_NOVERSION=1 &&
	rwcat --compression-method=none routing.rw split.rw >want.rw &&
	rwcat --compression-method=none routing.blk split.blk >got.rw &&
	cmp want.rw got.rw
'

test_case 'other tools print the same' '
	rwcut --fields=1-15,20-26,29 routing.rw split.rw >want &&
	rwcut --fields=1-15,20-26,29 routing.blk split.blk >got &&
	test_cmp want got &&
	rwuniq --fields=sip,dport --values=bytes --sort-output routing.rw >want &&
	rwuniq --fields=sip,dport --values=bytes --sort-output routing.blk >got &&
	test_cmp want got &&
	rwsort --fields=bytes routing.rw split.rw --output-path=sorted-want.rw &&
	rwsort --fields=bytes routing.blk split.blk --output-path=sorted-got.rw &&
	rwcut sorted-want.rw >want && rwcut sorted-got.rw >got &&
	test_cmp want got
'

test_case 'a block file that comes through a pipe, or is zipped' '
	rwcut split.rw >want &&
	{ cat split.blk; } | rwcut >got &&
	test_cmp want got &&
	gzip -k split.blk && rwcut split.blk.gz >got &&
	test_cmp want got
'

test_case 'damage is told, the other files are read, and the status says so' '
	cp routing.blk bad.blk && flip bad.blk $(($(wc -c <bad.blk) / 2)) &&
	rwcut --no-titles --num-recs=100 bad.blk split.blk >got 2>errors;
	test $? -ne 0 && grep -E "bad.blk: (block|footer)" errors &&
	rwcut --no-titles split.blk >want && tail -2 got | test_cmp want -
'

test_done
