#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The generator of made-up flows: the same options give the same bytes, and what it writes is read.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset PEER_SILK PEER_NFDUMP
export PYTHONDONTWRITEBYTECODE=1

# flowgen FOLDER SWITCHES...: one day of 20,000 records below FOLDER.
flowgen() {
	flowgen_root=$1
	shift
	mkdir -p "$flowgen_root/flows" &&
		cp "$TUSSAH_SRCDIR/tests/perf/silk.conf" "$flowgen_root/flows/silk.conf" &&
		"$TUSSAH_BUILDDIR/tests/perf/flowgen" --records=20000 --days=1 \
			--root="$flowgen_root/flows" --site-config-file="$flowgen_root/flows/silk.conf" \
			--hosts="$flowgen_root/hosts" "$@"
}

# filter SWITCHES...: over all of the day.
filter() {
	rwfilter --data-rootdir=one/flows --site-config-file=one/flows/silk.conf --type=all \
		--start-date=2026/03/02 --end-date=2026/03/02 "$@"
}

# filter_count NUMBER SWITCHES...: so many records pass.
filter_count() {
	filter_wanted=$1
	shift
	filter "$@" --pass=counted.rw && rwcut --no-titles --fields=protocol counted.rw >counted &&
		rm counted.rw && test_lines counted "$filter_wanted"
}

test_case 'the same options give the same bytes' '
	mkdir -p one/netflow two/netflow &&
	flowgen one --netflow=one/netflow && flowgen two --netflow=two/netflow &&
	diff -r one two
'
test_case 'another seed gives others' '
	mkdir -p three/netflow &&
	flowgen three --seed=2 --netflow=three/netflow &&
	test_must_fail cmp one/netflow/2026030212.nf9 three/netflow/2026030212.nf9
'
test_case 'files that are there are not added to' '
	test_must_fail flowgen one
'
test_case 'as many records as were asked for' '
	filter_count 20000 --protocol=0-
'
test_case 'the planted host is met in ten records' '
	"$TUSSAH_BUILDDIR/tests/perf/flowgen" --show-rare >rare &&
	filter_count 10 --any-address="$(cat rare)"
'
test_case 'every hour and sensor, and IPv6' '
	filter --protocol=0- --pass=all.rw &&
	rwuniq --no-titles --bin-time=3600 --fields=sensor,stime all.rw >groups &&
	test_lines groups 72 &&
	filter --ip-version=6 --pass=v6.rw && rwcut --no-titles --fields=sip v6.rw >v6 &&
	[ "$(wc -l <v6)" -gt 400 ] && [ "$(wc -l <v6)" -lt 800 ]
'
test_case 'records of a file come in the order of their ends' '
	rwcut --site-config-file=one/flows/silk.conf --no-titles --no-columns --timestamp-format=epoch \
		--fields=etime one/flows/inweb/2026/03/02/iw-S0_20260302.12 >ends &&
	sort -c -n ends
'
test_case 'what was cut at 30 minutes goes on' '
	filter --attributes=T/T --pass=cut.rw && rwcut --no-titles --fields=duration cut.rw >cut &&
	[ -s cut ] && filter --attributes=C/C --pass=on.rw && rwcut --no-titles --fields=sip on.rw >on &&
	[ -s on ]
'
test_case '1,000 distinct hosts are drawn' '
	sort -u one/hosts >distinct && test_lines distinct 1000 &&
	rwsetbuild distinct hosts.set && filter --anyset=hosts.set --pass=met.rw &&
	rwset --any-file=met.set met.rw && rwsetcat met.set >met &&
	[ "$(wc -l <met)" -ge 1000 ]
'
test_case 'one flowtype: as many files as sensors and hours' '
	flowgen four --one-flowtype && find four/flows/in -type f >files && test_lines files 72
'
test_case 'block files are the same for the same options, too, and smaller' '
	flowgen five --one-flowtype --file-format=block &&
	flowgen six --one-flowtype --file-format=block && diff -r five six &&
	[ "$(du -sb five | cut -f 1)" -lt "$(du -sb four | cut -f 1)" ]
'
# volume FOLDER SWITCHES...: what passes in the one file a sensor and hour that FOLDER has.
volume() {
	volume_folder=$1
	shift
	rwfilter --data-rootdir="$volume_folder/flows" --site-config-file=four/flows/silk.conf \
		--start-date=2026/03/02 --end-date=2026/03/02 "$@" --print-volume-statistics 2>&1
}

for flags in --protocol=0- --any-address="$(cat rare)" --anyset=hosts.set; do
	test_case "block files hold the same records: $flags" '
		volume four "$flags" >silk.volume && volume five "$flags" >block.volume &&
		test_lines silk.volume 4 && test_cmp silk.volume block.volume
	'
done
test_case 'the runner asks its questions and prints a table' '
	python3 "$TUSSAH_SRCDIR/tests/perf/perf.py" --build="$TUSSAH_BUILDDIR" --data=perf --records=3k \
		--runs=1 --only=count-all,one-address,start-up,copy-out,rwcut,rwsort,rwset >table &&
	test_grep "^| everything counted | Tussah | .* | 3000 |" table &&
	test_grep "^| everything counted | Tussah, silk files | .* | 3000 |" table &&
	test_grep "^| one rare address | Tussah | .* | 10 |" table &&
	test_grep "^| everything copied out | Tussah | .* | 3000 |" table &&
	test_grep "^| block | [0-9]* | [0-9]* | [0-9.]* |" table &&
	test_grep "^| silk | [0-9]* | [0-9]* | [0-9.]* |" table
'
test_case 'records of another kind are not mixed up with those asked for' '
	test_must_fail python3 "$TUSSAH_SRCDIR/tests/perf/perf.py" --build="$TUSSAH_BUILDDIR" \
		--data=perf --records=4k --runs=1 --only=count-all
'
test_done
