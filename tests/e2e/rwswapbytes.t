#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwswapbytes: the same file in another byte order.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
export SILK_HEADER_NOVERSION=1

unhex() {
	sed -n "s/^$1 //p" "$DATA/streamvectors.txt" | python3 -c \
		'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'
}
unhex routing-be >big.rw && unhex routing-le >little.rw && unhex split-le >split.rw || exit 99

test_case 'to either order, byte for byte' '
	rwswapbytes --little-endian big.rw a.rw && cmp little.rw a.rw &&
	rwswapbytes --big-endian little.rw b.rw && cmp big.rw b.rw &&
	rwswapbytes --swap-endian big.rw c.rw && cmp little.rw c.rw &&
	rwswapbytes --swap-endian little.rw d.rw && cmp big.rw d.rw &&
	rwswapbytes --big-endian --big-endian big.rw e.rw && cmp big.rw e.rw &&
	rwswapbytes --native-endian big.rw f.rw && rwswapbytes --native-endian f.rw g.rw && cmp f.rw g.rw
'
test_case 'standard input and output' '
	rwswapbytes --little-endian <big.rw >out.rw && cmp little.rw out.rw &&
	rwswapbytes --little-endian big.rw >out.rw && cmp little.rw out.rw &&
	rwswapbytes --little-endian - stdout <big.rw >out.rw && cmp little.rw out.rw
'
test_case 'format, compression and header stay' '
	rwfileinfo split.rw | grep -v -e byte-order -e "^split" -e file-size >want && rwswapbytes --swap-endian split.rw s.rw &&
	rwfileinfo s.rw | grep -v -e byte-order -e "^s.rw" -e file-size >got && test_cmp want got &&
	rwswapbytes --swap-endian s.rw t.rw && cmp split.rw t.rw &&
	rwcat --compression-method=zlib --note-add=one --output-path=z.rw big.rw && rwswapbytes --big-endian --note-add=two z.rw y.rw &&
	rwfileinfo --no-titles --fields=compression,annotations y.rw >info && printf "zlib(1)\none\ntwo\n" >want && sed "s/^ *//" info | test_cmp want - &&
	rwswapbytes --big-endian big.rw x.rw.gz && gzip -dc x.rw.gz >x.rw && cmp big.rw x.rw
'
test_case 'an existing file' '
	test_must_fail rwswapbytes --little-endian big.rw a.rw 2>err && test_grep a.rw err &&
	SILK_CLOBBER=1 rwswapbytes --big-endian big.rw a.rw && cmp big.rw a.rw
'
test_case 'input that cannot be read' '
	head -c 300 big.rw >cut.rw && rwswapbytes --little-endian cut.rw mended.rw 2>err && test_grep "cut.rw: record 3 is incomplete" err &&
	rwfileinfo --no-titles --fields=count-records mended.rw >count && [ "$(cat count)" -eq 2 ] &&
	test_must_fail rwswapbytes --little-endian nosuch n.rw 2>err && test_grep nosuch err && [ ! -e n.rw ] &&
	test_must_fail rwswapbytes --little-endian "$DATA/filter.txt" n.rw 2>err && test_grep filter.txt err && [ ! -e n.rw ]
'
test_case 'a full disk' '
	test_must_fail rwswapbytes --little-endian big.rw /dev/full 2>err && test_grep "/dev/full: " err
'
test_case 'switches that are wrong' '
	test_must_fail rwswapbytes big.rw n.rw 2>err && test_grep "must be given" err &&
	test_must_fail rwswapbytes --big-endian --little-endian big.rw n.rw 2>err && test_grep "exclude each other" err &&
	test_must_fail rwswapbytes --big-endian a b c 2>err && test_grep "too many arguments" err
'
test_done
