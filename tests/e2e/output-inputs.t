#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# An output file that is one of the inputs, with SILK_CLOBBER: read to its end, then replaced.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CLOBBER=1 SILK_HEADER_NOVERSION=1

awk 'BEGIN { for (i = 0; i < 3000; i++) {
	printf "10.0.%d.%d|192.0.2.%d|%d|%d|6|3|120|2024/03/05T12:%02d:%02d|1.5\n",
		i % 7, i % 250, i % 90, 1024 + i, 80 + i % 5, i / 60 % 60, i % 60 } }' >flows.txt
FIELDS=sip,dip,sport,dport,protocol,packets,bytes,stime,duration
rwtuc --fields=$FIELDS --output-path=a.rw flows.txt && rwsort --fields=dip --output-path=b.rw a.rw &&
	rwset --sip=a.set --dip=b.set a.rw && rwbag --sip-bytes=a.bag --dip-bytes=b.bag a.rw &&
	rwaggbag --keys=sport --counters=sum-bytes --output-path=a.aggbag a.rw &&
	rwsetcat a.set >set.txt && rwbagcat --delimited a.bag >bag.txt &&
	rwaggbagcat --delimited --no-titles a.aggbag >aggbag.txt &&
	printf "10.0.0.0/16 in\n192.0.2.0/24 out\n" >labels.txt && rwpmapbuild --input=labels.txt --output=a.pmap &&
	rwsilk2ipfix --ipfix-output=a.ipfix a.rw && rwscan --scan-model=2 a.rw >/dev/null &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/packets.py" make a.pcap <<'E' || exit 99
0 10.0.0.1 192.0.2.1 6 1025 80 2 one
10 10.0.0.1 192.0.2.1 6 1025 80 16 two
30 10.0.0.1 192.0.2.1 17 1 2 0 four
E
mkdir kept && cp ./*.* kept || exit 99

# What the header says of the command line tells the two runs apart; the rest is the same.
contents() {
	case "$(rwfileinfo --no-titles --fields=format "$1" 2>&1)" in
	*IPSET*) rwsetcat "$1" ;;
	*RWBAG*) rwbagcat "$1" ;;
	*AGGREGATEBAG*) rwaggbagcat "$1" ;;
	*PREFIXMAP*) rwpmapcat "$1" ;;
	*FT_*) rwcut --fields=1-15 "$1" ;;
	*) rwipfix2silk --silk-output=- "$1" >ipfix.rw 2>/dev/null && rwcut --fields=1-9 ipfix.rw && return 0 || cat "$1" ;;
	esac
}

# replaces FILE COMMAND: with the output OUT of the command in another place, and in that of its input FILE.
replaces() {
	cp kept/* . && OUT=apart.${1##*.} && rm -f "$OUT" && eval "$2" >said 2>&1 && contents "$OUT" >want && [ -s want ] &&
		cp kept/* . && chmod 640 "$1" && OUT=$1 && eval "$2" >said 2>&1 && contents "$1" >got && cmp want got &&
		[ "$(stat -c %a "$1")" = 640 ] && [ -z "$(ls -A | grep "^\..*$1")" ] && return 0
	echo "of: $2" && cat said
	return 1
}

while read -r file command; do
	test_case "$file: $command" 'replaces "$file" "$command"'
done <<'E'
a.rw rwfilter --protocol=6 --dport=80 --pass=$OUT a.rw b.rw
b.rw rwfilter --protocol=6 --dport=80 --pass=$OUT a.rw b.rw
a.rw rwfilter --dport=80 --fail=$OUT --print-statistics=said.too a.rw
a.rw rwfilter --dport=80 --pass=/dev/null --print-statistics=$OUT a.rw
a.rw rwcat --output-path=$OUT a.rw b.rw
b.rw rwcat --output-path=$OUT a.rw b.rw
a.rw rwsort --fields=sport --output-path=$OUT a.rw b.rw
a.rw rwdedupe --output-path=$OUT a.rw b.rw
a.rw rwgroup --id-fields=sip --output-path=$OUT a.rw
a.rw rwmatch --relate=1,1 a.rw b.rw $OUT
a.rw rwcombine --output-path=$OUT a.rw
a.rw rwnetmask --4sip-prefix=24 --output-path=$OUT a.rw
a.rw rwrandomizeip --seed=5 a.rw $OUT
a.rw rwswapbytes --big-endian a.rw $OUT
a.rw rwset --sip-file=$OUT a.rw
a.rw rwbag --sip-flows=$OUT a.rw
a.rw rwaggbag --keys=sipv4 --counters=records --output-path=$OUT a.rw
a.rw rwcut --fields=sip,dip --output-path=$OUT a.rw
a.rw rwuniq --fields=sip --values=records --sort-output --output-path=$OUT a.rw
a.rw rwstats --fields=dip --values=bytes --count=5 --output-path=$OUT a.rw b.rw
a.rw rwcount --bin-size=60 --output-path=$OUT a.rw
a.rw rwtotal --proto --skip-zero --output-path=$OUT a.rw
a.rw rwaddrcount --print-rec --use-dest --sort-ips --output-path=$OUT a.rw
a.rw rwscan --scan-model=2 --output-path=$OUT a.rw
a.rw rwsilk2ipfix --ipfix-output=$OUT a.rw
a.ipfix rwipfix2silk --silk-output=$OUT a.ipfix
flows.txt rwtuc --fields=sip,dip,sport,dport,protocol,packets,bytes,stime,duration --output-path=$OUT flows.txt
a.set rwsettool --union --output-path=$OUT a.set b.set
b.set rwsettool --union --output-path=$OUT a.set b.set
a.set rwsetcat --output-path=$OUT a.set
set.txt rwsetbuild set.txt $OUT
a.bag rwbagtool --add --output-path=$OUT a.bag b.bag
a.bag rwbagcat --output-path=$OUT a.bag
a.bag rwbagcat --print-statistics=$OUT a.bag
bag.txt rwbagbuild --bag-input=bag.txt --output-path=$OUT
a.aggbag rwaggbagtool --add --output-path=$OUT a.aggbag a.aggbag
a.aggbag rwaggbagcat --output-path=$OUT a.aggbag
aggbag.txt rwaggbagbuild --fields=sport,sum-bytes --output-path=$OUT aggbag.txt
labels.txt rwpmapbuild --input-path=labels.txt --output-path=$OUT
a.pmap rwpmapcat --output-path=$OUT a.pmap
a.rw rwconvert --output-path=$OUT a.rw
a.pcap rwptoflow --flow-output=$OUT a.pcap
a.pcap rwptoflow --flow-output=flows.rw --packet-pass-output=$OUT a.pcap
E

test_case 'through a link: the file that it names' '
	mkdir -p far && cp kept/a.rw far/x.rw && ln -sf far/x.rw a.rw && rwcat --output-path=a.rw a.rw kept/b.rw &&
	[ -L a.rw ] && contents far/x.rw >got && { contents kept/a.rw; contents kept/b.rw | sed 1d; } | test_cmp - got && rm a.rw
'

test_case 'gzip by its name' '
	cp kept/a.rw . && rwcat --output-path=a.rw.gz a.rw && contents a.rw.gz >want && rwsort --fields=1-9 --output-path=a.rw.gz a.rw.gz &&
	rwcat --output-path=a.rw.gz a.rw.gz && rwsort --fields=1-9 --output-path=plain.rw a.rw && contents plain.rw >want &&
	contents a.rw.gz >got && test_cmp want got && od -An -tx1 -N2 a.rw.gz | grep -q "1f 8b"
'

test_case 'a failure leaves the file as it was, and nothing beside it' '
	cp kept/* . && head -c 5000 a.rw >cut.rw && printf "no set\n" >bad.set && : >err && before=$(ls -A) &&
	test_must_fail rwsort --fields=sip --output-path=b.rw a.rw cut.rw nosuch.rw 2>err && cmp b.rw kept/b.rw &&
	test_must_fail rwbagtool --add --output-path=b.bag a.bag bad.set 2>err && cmp b.bag kept/b.bag &&
	test_must_fail rwsettool --union --output-path=b.set a.set bad.set 2>err && cmp b.set kept/b.set &&
	test_must_fail rwuniq --fields=sip --output-path=b.rw nosuch.rw 2>err && cmp b.rw kept/b.rw &&
	[ "$(ls -A)" = "$before" ]
'

test_case 'so does a full disk, and a program that is killed' '
	cp kept/* . && : >err && before=$(ls -A) &&
	{ (ulimit -f 16 && trap "" XFSZ && exec rwcat --compression-method=none --output-path=a.rw a.rw b.rw) 2>err; [ $? -ne 0 ]; } &&
	cmp a.rw kept/a.rw &&
	{ (ulimit -f 16 && exec rwcat --compression-method=none --output-path=a.rw a.rw b.rw) 2>err; [ $? -gt 128 ]; } &&
	cmp a.rw kept/a.rw && rm -f core* && test_nothing_beside a.rw && [ "$(ls -A)" = "$before" ]
'

# too_long COMMAND: its text does not fit, which is told and leaves the file as it was.
too_long() {
	cp kept/flows.txt old.txt && { (ulimit -f 4 && trap "" XFSZ && exec "$@" --output-path=old.txt) 2>err; [ $? -eq 1 ]; } &&
		test_grep "File too large" err && cmp old.txt kept/flows.txt
}

test_case 'text on a full disk' '
	export SILK_CONFIG_FILE="$TUSSAH_SRCDIR/tests/perf/silk.conf" && rwbag --sport-flows=ports.bag a.rw &&
	awk "BEGIN { for (i = 0; i < 1000; i++) { printf \"10.%d.%d.0/24 x%d\\n\", i / 256, i % 256, i } }" >many.txt && rwpmapbuild --input-path=many.txt --output-path=many.pmap &&
	too_long rwcut a.rw && too_long rwuniq --fields=sport a.rw && too_long rwsetcat a.set && too_long rwsetcat --network-structure=T32 a.set &&
	too_long rwbagcat ports.bag && too_long rwaggbagcat a.aggbag && too_long rwpmapcat many.pmap && too_long rwpmapcat --output-format=json many.pmap &&
	too_long rwsiteinfo --fields=class,type,sensor,id-sensor,describe-sensor,default-class,mark-defaults,type:list,class:list
'

test_case 'a file that may not be written to stays' '
	[ "$(id -u)" -ne 0 ] && { chmod 444 b.rw; test_must_fail rwcat --output-path=b.rw a.rw 2>err && test_grep "denied" err; } ||
	[ "$(id -u)" -eq 0 ]
'
test_done
