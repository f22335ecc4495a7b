# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

# Three records, one of them IPv6, in two files of different kinds.
unhex() {
	sed -n "s/^$1 //p" "$DATA/streamvectors.txt" | python3 -c \
		'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'
}
unhex routing-be >routing.rw && unhex split-le >split.rw || exit 99
export SILK_HEADER_NOVERSION=1

count() {
	rwfileinfo --no-titles --fields=count-records "$1" >count && [ "$(cat count)" -eq "$2" ]
}

test_case 'a big-endian file comes out little-endian, byte for byte' '
	unhex routing-le >want &&
	rwcat --byte-order=little --compression-method=none routing.rw >got &&
	cmp want got
'

test_case 'files of several formats are joined' '
	rwcat --output-path=both.rw routing.rw split.rw &&
	count both.rw 5 &&
	rwfileinfo --fields=format,compression both.rw >info &&
	test_grep "FT_RWIPV6ROUTING(0x0c)" info &&
	test_grep "lzo1x(2)" info
'

test_case 'standard input, and a pipe is not compressed' '
	mkfifo pipe &&
	{ cat pipe >piped.rw & } &&
	rwcat - split.rw <routing.rw >pipe &&
	wait $! &&
	count piped.rw 5 &&
	rwfileinfo --no-titles --fields=compression piped.rw >info &&
	test_grep "none(0)" info
'

test_case 'names from a list' '
	printf "routing.rw\n\nsplit.rw\n" >list &&
	rwcat --xargs=list --output-path=listed.rw &&
	count listed.rw 5 &&
	test_must_fail rwcat --xargs=. --output-path=unread.rw 2>err &&
	test_grep "Is a directory" err
'

test_case 'an existing file is kept unless SILK_CLOBBER says otherwise' '
	test_must_fail rwcat --output-path=both.rw split.rw &&
	count both.rw 5 &&
	SILK_CLOBBER=1 rwcat --output-path=both.rw split.rw &&
	count both.rw 2
'

test_case 'a variable that is not understood is told and passed over' '
	SILK_COMPRESSION_METHOD=bogus rwcat --output-path=odd.rw split.rw 2>err &&
	test_grep "invalid SILK_COMPRESSION_METHOD .bogus." err && test_lines err 1 &&
	SILK_COMPRESSION_METHOD= rwcat --output-path=even.rw split.rw 2>err && test_lines err 0 && cmp odd.rw even.rw &&
	SILK_IPV6_POLICY=bogus rwcat split.rw 2>err >even.rw && test_lines err 0 &&
	SILK_IPV6_POLICY=bogus rwcut routing.rw 2>err >out && test_grep "invalid SILK_IPV6_POLICY .bogus." err &&
	test_lines err 1 && rwcut routing.rw >want && test_cmp want out
'

test_case 'IPv4 only' '
	rwcat --ipv4-output --output-path=v4.rw routing.rw &&
	count v4.rw 2 &&
	rwfileinfo --no-titles --fields=format v4.rw >info &&
	test_grep FT_RWGENERIC info
'

test_case 'through gzip and back' '
	rwcat --output-path=z.rw.gz routing.rw &&
	gzip -t z.rw.gz &&
	rwcat --compression-method=none z.rw.gz >back.rw &&
	rwcat --compression-method=none routing.rw >direct.rw &&
	cmp back.rw direct.rw
'

test_case 'a damaged file is copied up to the damage, and the next one too' '
	head -c 300 routing.rw >cut.rw &&
	rwcat --print-filenames --output-path=mended.rw cut.rw split.rw 2>log &&
	count mended.rw 4 &&
	test_grep "cut.rw: record 3 is incomplete at byte 264" log &&
	test_grep "^Read 2 Wrote 2$" log &&
	test_grep "^split.rw$" log
'

test_case 'a file that is not there ends the run' '
	test_must_fail rwcat --output-path=missing.rw routing.rw nosuch split.rw 2>log &&
	test_grep nosuch log &&
	count missing.rw 3
'

test_case 'notes go into the header' '
	rwcat --note-add="one two" --note-add=three --output-path=noted.rw split.rw &&
	rwfileinfo --no-titles --fields=annotations noted.rw >info &&
	printf "one two\nthree\n" >want &&
	test_cmp want info
'

test_done
