#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The same records in SiLK files and in block files, sealed and not, answer every query in the same
# way, with one thread and with four, with the catalog and without; and what a damaged block costs.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/tests/perf/silk.conf SILK_HEADER_NOVERSION=1
DAYS='--start-date=2026/03/02 --end-date=2026/03/02 --type=all'

# make_tree FOLDER SWITCHES...
make_tree() {
	tree=$1
	shift
	mkdir "$tree" && cp "$SILK_CONFIG_FILE" "$tree/silk.conf" &&
		"$TUSSAH_BUILDDIR/tests/perf/flowgen" --records=9000 --days=1 --root="$tree" \
			--site-config-file="$tree/silk.conf" --hosts=hosts --pack-interfaces "$@"
}

# answer NAME ROOT SWITCHES...: NAME.all has the volumes counted and what passes and fails, in one
# order. $QUERY is not quoted: a line of the list below has several switches.
answer() {
	answer_name=$1
	answer_root=$2
	shift 2
	rm -f stats pass.rw fail.rw
	rwfilter --data-rootdir="$answer_root" $DAYS $QUERY "$@" --print-volume-statistics=stats \
		--pass=pass.rw --fail=fail.rw 2>err &&
		cp stats "$answer_name.all" && cat err >>"$answer_name.all" &&
		rwcut --all-fields --no-titles pass.rw >pass.txt && sort pass.txt >>"$answer_name.all" &&
		rwcut --all-fields --no-titles fail.rw >fail.txt && sort fail.txt >>"$answer_name.all"
}

# count NAME ROOT SWITCHES...: the same without outputs, which lets more be skipped
count() {
	count_name=$1
	count_root=$2
	shift 2
	rm -f stats
	rwfilter --data-rootdir="$count_root" $DAYS $QUERY "$@" --print-volume-statistics=stats \
		2>"$count_name.count" && cat stats >>"$count_name.count"
}

# same ROOT THREADS [SWITCH]: as the SiLK files, to the byte
same() {
	answer other "$1" --threads="$2" $3 && cmp silk.all other.all && return 0
	echo "differs: $QUERY ($*)"
	return 1
}

# same_count ROOT THREADS [SWITCH]
same_count() {
	count other "$1" --threads="$2" $3 && cmp silk.count other.count && return 0
	echo "count differs: $QUERY ($*)"
	return 1
}

# same_answers: to $QUERY, from every kind of tree; with TUSSAH_LONG in every way.
same_answers() {
	answer silk flows-silk --threads=1 && count silk flows-silk --threads=1 &&
		same flows-block 4 && same flows-sealed 1 && same_count flows-block 1 &&
		same_count flows-sealed 4 && same_count flows-sealed 1 --no-catalog || return 1
	[ -n "$TUSSAH_LONG" ] || return 0
	same flows-block 1 && same flows-sealed 4 && same_count flows-block 4 &&
		same_count flows-sealed 1 && same flows-silk 4 && same_count flows-silk 4 &&
		same flows-sealed 4 --no-catalog && same flows-silk 1 --no-catalog
}

test_case 'the same records in files of both kinds' '
	make_tree flows-silk --file-format=silk &&
	make_tree flows-block --file-format=block --unsealed &&
	make_tree flows-sealed --file-format=block &&
	rwcatalog --data-rootdir=flows-sealed rebuild && rwcatalog --data-rootdir=flows-silk rebuild &&
	head -5 hosts >few && rwsetbuild hosts hosts.set && rwsetbuild few few.set &&
	host=$(head -1 hosts) && : >none && rwsetbuild none none.set &&
	rwfilter --data-rootdir=flows-silk $DAYS --protocol=6 --max-pass-records=3 --pass=three.rw &&
	rwcut --fields=sip,dip,sport,dport,proto --delimited=\| three.rw >tuples
'
number=0
while read -r QUERY; do
	number=$((number + 1))
	QUERY=$(echo "$QUERY" | sed "s/HOST/$(head -1 hosts)/")
	test_case "query $number: $QUERY" same_answers
done <<'END'
--protocol=0-
--protocol=6
--protocol=17 --dport=53
--protocol=1 --icmp-type=8
--protocol=250
--dport=443 --bytes=1000001-
--sport=1024- --dport=0-1023
--aport=53,123
--aport=25,6000-6010
--bytes=40-100 --packets=1
--packets=2-
--bytes-per-packet=1000-
--bytes-per-second=100000-
--packets-per-second=0-1.5
--duration=0
--duration=10-
--flags-all=S/SA
--flags-initial=S/SAFR --flags-session=A/A
--syn-flag=1 --ack-flag=0
--attributes=T/T
--ip-version=6
--ip-version=4 --protocol=58
--any-address=HOST
--not-any-address=HOST
--saddress=10.x.x.1-100
--scidr=10.0.0.0/8
--not-scidr=10.0.0.0/8,192.168.0.0/16
--any-cidr=10.1.0.0/16,2001:db8::/32
--anyset=hosts.set
--not-anyset=hosts.set
--sipset=few.set --dport=80,443
--anyset=few.set
--dipset=none.set
--next-hop-id=0.0.0.0
--input-index=1-3
--any-index=9999
--application=80,443
--stime=2026/03/02T10-2026/03/02T12
--stime=2026/03/02T10:15:30.5-2026/03/03T01:00
--etime=2026/03/02T10-2026/03/02T11
--active-time=2026/03/02T10:30-2026/03/02T10:31
--tuple-file=tuples --tuple-direction=both
--sensors=S1 --protocol=6,17
END

# damage FILE: two bytes in its middle
damage() {
	damage_at=$(($(wc -c <"$1") / 2)) &&
		printf "\\377\\001" | dd of="$1" bs=1 seek="$damage_at" conv=notrunc 2>/dev/null
}
test_case 'a damaged block is told of, and the rest is read' '
	QUERY=--protocol=0- && answer silk flows-silk && head -2 silk.all >whole &&
	file=$(find flows-block -name "in-S1*" -size +1k | sort | sed -n 5p) && damage "$file" &&
	test_must_fail rwfilter --data-rootdir=flows-block $DAYS --protocol=0- --all=all.rw \
		--print-statistics=stats.txt 2>err &&
	test_grep "rwfilter: $file: block" err &&
	rwfilter --data-rootdir=flows-block $DAYS --protocol=0- --print-statistics=stats2.txt &&
	test_must_fail cmp stats.txt stats2.txt &&
	printf "TUSSAH" >"$file" &&
	rwfilter --data-rootdir=flows-block $DAYS --protocol=0- --print-statistics=stats3.txt 2>err &&
	test_grep "$file" err
'
test_case 'blocks and files that need not be read are told of' '
	explained() {
		rm -f s.txt && rwfilter --data-rootdir=flows-sealed $DAYS --explain \
			--print-statistics=s.txt "$@" 2>err
	}
	files=$(find flows-sealed -name "*-S*" | wc -l) &&
	explained --protocol=0- &&
	test_grep "^files: $files in all, $files answered by the catalog, 0 by their footers, 0 read" err &&
	test_grep "^bytes: 0 read" err && test_must_fail test_grep " 0 of the catalog" err &&
	explained --protocol=0- --no-catalog &&
	test_grep " 0 answered by the catalog, $files by their footers, 0 read" err &&
	test_grep " 0 of the catalog" err &&
	explained --anyset=hosts.set && test_grep "by dictionaries" err &&
	explained --any-address=198.51.100.77 && test_grep ", 0 read$" err
'
test_case 'a catalog is believed of nothing that has changed' '
	file=$(find flows-sealed -name "in-S2*" -size +1k | sort | sed -n 3p) &&
	QUERY=--protocol=0- && rm -f stats* &&
	rwfilter --data-rootdir=flows-sealed $DAYS $QUERY --print-statistics=stats1.txt &&
	rm "$file" && cp flows-silk/"${file#flows-sealed/}" "$file" &&
	rwfilter --data-rootdir=flows-sealed $DAYS $QUERY --print-statistics=stats2.txt --explain 2>err &&
	cmp stats1.txt stats2.txt && test_grep ", 1 read" err &&
	rm "$file" &&
	rwfilter --data-rootdir=flows-sealed $DAYS $QUERY --print-statistics=stats3.txt &&
	rwfilter --data-rootdir=flows-sealed $DAYS $QUERY --print-statistics=stats4.txt --no-catalog &&
	cmp stats3.txt stats4.txt && test_must_fail cmp stats1.txt stats3.txt
'
test_case 'names are told of files that the catalog answers' '
	rm -f stats* && rwfilter --data-rootdir=flows-sealed $DAYS --protocol=250 --print-filenames \
		--print-statistics=stats5.txt 2>err && sort err >names1 &&
	find flows-sealed -name "*-S*" | sort >names2 && cmp names1 names2 &&
	find .catalog flows-sealed/.catalog -type f 2>/dev/null | while read -r name; do
		printf damaged >"$name"
	done &&
	rwfilter --data-rootdir=flows-sealed $DAYS --protocol=250 --print-statistics=stats6.txt &&
	cmp stats5.txt stats6.txt
'
test_done
