#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwpmapbuild: text into prefix map files.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER

cat >demo.txt <<'E'
map-name demo
default other
128.0.0.0/2 lab
192.0.0.0 223.255.255.255 Lab two
E
printf '10.0.0.0/8 x\n10.0.0.0/33 y\n' >bad.txt

# dump FILE: its bytes as one line of hexadecimal digits
dump() {
	od -An -v -tx1 "$1" | tr -d ' \n'
}

test_case 'the bytes of a map of IPv4' '
	rwpmapbuild --invocation-strip --input-path=demo.txt --output-path=demo.pmap &&
	dump demo.pmap >got &&
	printf "%s" deadbeef00251000002e1cb100010002000000050000001100000001 \
		64656d6f000000000000000008030000000000008001000000010000800200000002000080 \
		00000080120000006f74686572006c6162004c61622074776f00 >want &&
	test_cmp want got
'

test_case 'standard input and output, and the old names of the switches' '
	rwpmapbuild --invocation-strip <demo.txt >stdout.pmap &&
	rwpmapbuild --invocation-strip --input-file=- --output-file=- <demo.txt >dash.pmap &&
	cmp demo.pmap stdout.pmap &&
	cmp demo.pmap dash.pmap
'

test_case 'maps of IPv6 and of ports have their own versions' '
	printf "mode ipv6\n8000::/1 x\n" | rwpmapbuild >v6.pmap &&
	rwfileinfo --fields=record-version,prefix-map v6.pmap >v6.out &&
	test_grep "record-version  *4" v6.out &&
	printf "6 6 x\n" | rwpmapbuild --mode=proto-port >ports.pmap &&
	rwfileinfo --fields=record-version ports.pmap >ports.out &&
	test_grep "record-version  *3" ports.out
'

test_case 'the header tells the command line, notes and the name' '
	rwpmapbuild --input-path=demo.txt --note-add=one --note-file-add=bad.txt >noted.pmap &&
	rwfileinfo --fields=command-lines,annotations,prefix-map noted.pmap >noted.out &&
	test_grep "rwpmapbuild --input-path=demo.txt --note-add=one" noted.out &&
	test_grep "1  *one" noted.out &&
	test_grep "10.0.0.0/33 y" noted.out &&
	test_grep "v1: demo" noted.out
'

test_case 'a wrong statement: nothing is written, and an old file stays' '
	test_must_fail rwpmapbuild --input-path=bad.txt --output-path=new.pmap 2>err &&
	test_grep "bad.txt: line 2: invalid block .10.0.0.0/33." err &&
	test_grep "nothing is written" err &&
	test ! -e new.pmap &&
	cp demo.pmap old.pmap &&
	(SILK_CLOBBER=1 && export SILK_CLOBBER &&
		test_must_fail rwpmapbuild --input-path=bad.txt --output-path=old.pmap) 2>err &&
	cmp demo.pmap old.pmap
'

test_case '--ignore-errors writes the rest' '
	rwpmapbuild --ignore-errors --input-path=bad.txt --output-path=rest.pmap 2>err &&
	test -s rest.pmap &&
	printf "label x a\n10.0.0.0/8 a\n" >labels.txt &&
	test_must_fail rwpmapbuild --ignore-errors --input-path=labels.txt --output-path=none.pmap 2>err &&
	test ! -e none.pmap
'

test_case '--dry-run tells by its status and writes nothing' '
	test_must_fail rwpmapbuild --dry-run --input-path=demo.txt --output-path= 2>err && test_grep "empty" err &&
	rwpmapbuild --dry-run --input-path=demo.txt --output-path=dry.pmap &&
	test ! -e dry.pmap &&
	test_must_fail rwpmapbuild --dry-run --ignore-errors --input-path=bad.txt 2>err
'

test_case 'switches that are wrong' '
	test_must_fail rwpmapbuild --mode=ip <demo.txt >out 2>err &&
	test_must_fail rwpmapbuild --mode=ipv6 --mode=ipv6 <demo.txt >out 2>err &&
	test_must_fail rwpmapbuild demo.txt >out 2>err &&
	test_must_fail rwpmapbuild --input-path=nope >out 2>err &&
	test_grep nope err &&
	test_must_fail rwpmapbuild --input-path=demo.txt --output-path=demo.pmap 2>err &&
	test ! -s out
'

test_case 'a gzip file, and a line that is too long' '
	gzip <demo.txt >demo.txt.gz &&
	rwpmapbuild --invocation-strip --input-path=demo.txt.gz --output-path=gz.pmap &&
	cmp demo.pmap gz.pmap &&
	head -c 17000000 /dev/zero | tr "\0" x >long.txt &&
	test_must_fail rwpmapbuild --ignore-errors --input-path=long.txt 2>err >out &&
	test_grep "a line is longer" err &&
	test ! -s out
'

test_done
