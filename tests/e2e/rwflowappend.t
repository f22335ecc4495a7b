#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Incremental files into hourly files: where they go, what is refused, and each record once
# whatever is killed.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf
export SILK_CONFIG_FILE
mkdir in root err arc
killat="python3 $TUSSAH_SRCDIR/tests/e2e/killat.py"

# flows FILE DAY/HOUR N [SWITCHES]: N records that begin in this hour
flows() {
	flows_file=$1 flows_hour=$2 flows_count=$3
	shift 3
	awk -v n="$flows_count" -v hour="$flows_hour" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "10.0.%d.%d|10.9.0.1|6|%d|80|3|300|%s:%02d:01|1|\n", i / 256, i % 256,
				1000 + i, hour, i % 60
	}' >flows.txt &&
	rwtuc --fields=sip,dip,proto,sport,dport,packets,bytes,stime,duration --output-path="$flows_file" "$@" flows.txt
}

# start_append [SWITCHES]
start_append() {
	: >log
	test_start rwflowappend --no-daemon --log-pathname="$PWD/log" --log-level=debug \
		--incoming-directory="$PWD/in" --root-directory="$PWD/root" \
		--error-directory="$PWD/err" --polling-interval=1 "$@" &&
		append=$test_pid &&
		test_wait 10 grep -q 'Started all appender threads' log
}

stop_append() {
	test_stop "$append" && test_grep 'Finishing appender thread' log && test_grep 'Stopped logging' log
}

# put FILE NAME: appears whole
put() {
	cp "$1" "in/.$2" && mv "in/.$2" "in/$2"
}

taken() {
	[ -z "$(ls in)" ]
}

# expect FILE N: an hourly file and its records
expect() {
	found=$(rwfileinfo --no-titles --fields=count-records "$1" | tr -d ' ')
	[ "$found" = "$2" ] && return 0
	echo "$1: $found records instead of $2"
	return 1
}

hour=root/in/2024/03/05/in-S0_20240305.12

test_case 'data' '
	flows three.rw 2024/03/05T12 3 --note-add="from a test" &&
	flows little.rw 2024/03/05T12 2000 &&
	rwconvert --file-format=block --output-path=blocks little.rw &&
	rwconvert --file-format=silk --byte-order=big --compression-method=none --output-path=big.rw blocks &&
	flows empty.rw 2024/03/05T12 0
'

test_case 'the hourly file is named by the name, made like the file, and appended to' '
	start_append --archive-directory="$PWD/arc" --post-command="echo %s 100%% >>$PWD/posts" \
		--hour-file-command="echo %s >>$PWD/hours" &&
	put three.rw in-S0_20240305.12.AAAAAA &&
	test_wait 20 taken && expect $hour 3 &&
	put big.rw in-S0_20240305.12.BBBBBB &&
	test_wait 20 taken && expect $hour 2003 &&
	test -s arc/in/2024/03/05/in-S0_20240305.12.AAAAAA &&
	test_cmp big.rw arc/in/2024/03/05/in-S0_20240305.12.BBBBBB &&
	test_wait 10 test -s hours && echo "$PWD/$hour" >want && test_cmp want hours &&
	test_wait 10 grep -q BBBBBB posts &&
	test_grep "^$PWD/arc/in/2024/03/05/in-S0_20240305.12.AAAAAA 100%$" posts &&
	test_grep "Opening new repository file .$PWD/$hour." log &&
	test_grep "APPEND OK .in-S0_20240305.12.AAAAAA. to .$PWD/$hour. @ 0$" log &&
	test_grep "APPEND OK .in-S0_20240305.12.BBBBBB. to .$PWD/$hour. @ [1-9]" log &&
	test_grep "Read 2000 recs from .in-S0_20240305.12.BBBBBB.; wrote 2000 recs" log &&
	stop_append &&
	rwfileinfo $hour >info &&
	test_grep "FT_RWIPV6ROUTING" info && test_grep "littleEndian" info && test_grep "lzo1x" info &&
	test_grep "2024/03/05T12:00:00Z in S0" info && test_grep "from a test" info
'

test_case 'the header of a file names its hourly file, whatever its own name' '
	start_append --archive-directory="$PWD/arc" --flat-archive &&
	put $hour anything &&
	test_wait 20 taken && expect $hour 4006 && test -s arc/anything && stop_append
'

test_case 'the first file decides what a new hourly file is, unless switches do' '
	start_append --byte-order=little --compression-method=zlib &&
	put big.rw out-S1_20240305.12.CCCCCC && test_wait 20 taken && stop_append &&
	rwfileinfo root/out/2024/03/05/out-S1_20240305.12 >info &&
	test_grep littleEndian info && test_grep zlib info &&
	start_append &&
	put big.rw out-S2_20240305.12.DDDDDD && test_wait 20 taken && stop_append &&
	rwfileinfo root/out/2024/03/05/out-S2_20240305.12 >info &&
	test_grep BigEndian info && test_grep "none(0)" info &&
	start_append --file-format=block &&
	put big.rw out-S3_20240305.12.EEEEEE && test_wait 20 taken && stop_append &&
	expect root/out/2024/03/05/out-S3_20240305.12 2000 &&
	rwfileinfo root/out/2024/03/05/out-S3_20240305.12 >info && test_grep "[Bb]lock" info &&
	start_append &&
	put root/out/2024/03/05/out-S3_20240305.12 again && test_wait 20 taken && stop_append &&
	expect root/out/2024/03/05/out-S3_20240305.12 4000
'

test_case 'what cannot be appended is put aside, and the repository is as it was' '
	cp $hour before &&
	start_append &&
	echo "no flows at all" >junk && put junk in-S0_20240305.12.FFFFFF &&
	put three.rw misnamed && put three.rw in-S99_20240305.12.GGGGGG &&
	dd if=three.rw of=cut bs=1 count=100 2>/dev/null && put cut in-S0_20240305.12.HHHHHH &&
	test_wait 20 taken &&
	for name in in-S0_20240305.12.FFFFFF misnamed in-S99_20240305.12.GGGGGG in-S0_20240305.12.HHHHHH; do
		test -s err/$name || return 1
	done &&
	test_grep "Moving incremental file .misnamed. to the error directory" log &&
	test_grep "Error reading header from incremental file: .*FFFFFF: .*. Repository unchanged" log &&
	stop_append && test_cmp before $hour && rm -f err/*
'

test_case 'a file without records is done with, and makes no hourly file' '
	start_append --archive-directory="$PWD/arc" &&
	put empty.rw in-S4_20240305.12.IIIIII && put empty.rw misnamed && test_wait 20 taken &&
	test -s arc/in/2024/03/05/in-S4_20240305.12.IIIIII && test -s err/misnamed &&
	test ! -e root/in/2024/03/05/in-S4_20240305.12 &&
	test_grep "No records found in incremental file .in-S4_20240305.12.IIIIII.. Repository unchanged" log &&
	stop_append && rm -f err/*
'

test_case 'records before damage are kept, the file is put aside' '
	flows many.rw 2024/03/05T12 3000 --compression-method=none &&
	size=$(wc -c <many.rw) && dd if=many.rw of=torn bs=1 count=$((size - 5)) 2>/dev/null &&
	start_append &&
	put torn in-S5_20240305.12.JJJJJJ && test_wait 20 taken && stop_append &&
	expect root/in/2024/03/05/in-S5_20240305.12 2999 &&
	test -s err/in-S5_20240305.12.JJJJJJ && test_grep "the 2999 records before are appended" log && rm -f err/*
'

test_case 'hours too far in the past or the future are refused; the limit itself is not' '
	hours_from_now() { date -u -d "@$(($(date +%s) + $1 * 3600))" +%Y/%m/%dT%H; } &&
	name() { echo "in-S6_$(hours_from_now "$1" | tr -d / | tr T .).$2"; } &&
	# not within the last minute of an hour
	test_wait 90 sh -c "[ \$(date +%M) -lt 59 ]" &&
	for h in -3 -2 2 3; do flows h$h.rw "$(hours_from_now $h)" 1 || return 1; done &&
	start_append --reject-hours-past=2 --reject-hours-future=2 &&
	for h in -3 -2 2 3; do put h$h.rw "$(name $h h$h)" || return 1; done &&
	test_wait 20 taken && stop_append &&
	test -s "err/$(name -3 h-3)" && test -s "err/$(name 3 h3)" && [ "$(ls err | wc -l)" = 2 ] &&
	test_grep "Skipping incremental file: First record.s timestamp occurs 3 hours in the past: " log &&
	test_grep "Skipping incremental file: First record.s timestamp occurs 3 hours in the future: " log &&
	rm -f err/*
'

test_case 'a file that somebody holds a lock on is left for later' '
	put three.rw in-S7_20240305.12.KKKKKK &&
	test_start python3 -c "
import fcntl, os, time
fd = os.open(\"in/in-S7_20240305.12.KKKKKK\", os.O_RDWR)
fcntl.lockf(fd, fcntl.LOCK_EX)
open(\"held\", \"w\").close()
while not os.path.exists(\"let-go\"): time.sleep(0.05)
" && test_wait 10 test -e held &&
	start_append &&
	test_wait 20 grep -q "in use" log && test -e in/in-S7_20240305.12.KKKKKK && touch let-go &&
	test_wait 20 taken && stop_append && expect root/in/2024/03/05/in-S7_20240305.12 3
'

test_case 'one directory is watched by one program' '
	start_append &&
	test_must_fail rwflowappend --no-daemon --log-destination=stderr --incoming-directory="$PWD/in" \
		--root-directory="$PWD/root" --error-directory="$PWD/err" 2>err.txt &&
	test_grep "another rwflowappend watches" err.txt && stop_append
'

test_case 'many threads, many hours' '
	for i in $(seq 40); do
		put three.rw in-S8_20240305.0$((i % 5)).M$i || return 1
	done &&
	start_append --threads=4 && test_wait 30 taken && stop_append &&
	for i in 0 1 2 3 4; do expect root/in/2024/03/05/in-S8_20240305.0$i 24 || return 1; done
'

test_case 'hours that are over are sealed, and sealed files are appended to' '
	start_append --file-format=block --seal-delay=1 &&
	put big.rw in-S10_20240305.12.OOOOOO && test_wait 20 grep -q "Sealed .*in-S10_20240305.12" log &&
	rwfileinfo root/in/2024/03/05/in-S10_20240305.12 >info && test_grep "[Ss]ealed" info &&
	put three.rw in-S10_20240305.12.PPPPPP && test_wait 20 taken && stop_append &&
	expect root/in/2024/03/05/in-S10_20240305.12 2003
'

test_case 'small files are appended together, whatever else there is' '
	for i in $(seq 0 19); do
		put three.rw in-S11_20240305.$(printf %02d $i).$i || return 1
	done &&
	put big.rw in-S11_20240305.03.again && put empty.rw in-S12_20240305.03.empty && put junk in-S11_20240305.04.junk &&
	start_append && test_wait 30 taken && stop_append &&
	for i in $(seq 0 19); do
		want=3
		[ $i != 3 ] || want=2003
		expect root/in/2024/03/05/in-S11_20240305.$(printf %02d $i) $want || return 1
	done &&
	test_grep "APPEND OK .in-S11_20240305.07.7. to .$PWD/root/in/2024/03/05/in-S11_20240305.07. @ 0$" log &&
	test_grep "No records found in incremental file .in-S12_20240305.03.empty." log &&
	test "$(ls err)" = in-S11_20240305.04.junk && rm -f err/*
'

test_case 'one hourly file that cannot be written: the files of the others are not harmed' '
	for i in 0 1 2; do put three.rw in-S13_20240305.0$i.$i || return 1; done &&
	mkdir -p root/in/2024/03/05/in-S13_20240305.01 &&
	start_append && test_wait 20 grep -q "Aborting due to append error" log && ! wait "$append" &&
	test -s in/in-S13_20240305.01.1 && rmdir root/in/2024/03/05/in-S13_20240305.01 &&
	start_append && test_wait 20 taken && stop_append &&
	for i in 0 1 2; do expect root/in/2024/03/05/in-S13_20240305.0$i 3 || return 1; done
'

test_case 'a repository that cannot be written stops the daemon; nothing is lost' '
	put three.rw in-S9_20240305.12.NNNNNN &&
	mkdir -p root/in/2024/03/05/in-S9_20240305.12 &&
	start_append && test_wait 20 grep -q "Aborting due to append error" log &&
	! wait "$append" && test -s in/in-S9_20240305.12.NNNNNN &&
	rmdir root/in/2024/03/05/in-S9_20240305.12 &&
	start_append && test_wait 20 taken && stop_append && expect root/in/2024/03/05/in-S9_20240305.12 3
'

# killed N KIND: killed at the Nth change, then again a little later, then left alone
killed() {
	mkdir -p "k$1/in" "k$1/root" "k$1/err" && killed_files "$@" || return 1
	for at in "$1" $(($1 % 7 + 1)) 0; do
		$killat "$at" rwflowappend --no-daemon --log-pathname="$PWD/k$1/log" \
			--incoming-directory="$PWD/k$1/in" --root-directory="$PWD/k$1/root" \
			--error-directory="$PWD/k$1/err" --polling-interval=1 --file-format="$2" &
		traced=$!
		until [ -z "$(ls "k$1/in")" ] || ! kill -0 "$traced" 2>/dev/null; do sleep 0.1; done
		sleep 0.1
		kill -TERM "$traced" 2>/dev/null
		wait "$traced"
	done
	[ -z "$(ls "k$1/in")" ] && killed_expect "$1"
}
# two for one hour
killed_files() {
	cp three.rw "k$1/in/in-S0_20240305.12.one" && cp big.rw "k$1/in/in-S0_20240305.12.two"
}
killed_expect() {
	expect "k$1/root/in/2024/03/05/in-S0_20240305.12" 2003
}

$killat 0 true
if [ $? = 77 ]; then
	test_skip 'killed at every change' 'programs cannot be traced here'
else
	for kind in silk block; do
		test_case "killed at every change of a file: each record is there once ($kind)" "
			killers= &&
			for n in \$(seq 1 34); do
				killed \$n $kind >k\$n.out 2>&1 &
				killers=\"\$killers \$!\"
			done &&
			for killer in \$killers; do
				wait \$killer || { cat k*.out; return 1; }
			done &&
			rm -rf k[0-9]*
		"
	done

	# five for five hours, of which one has records
	killed_files() {
		for i in 0 1 2 3 4; do cp three.rw "k$1/in/in-S0_20240305.1$i.$i" || return 1; done
		mkdir -p "k$1/root/in/2024/03/05" && cp big.rw "k$1/root/in/2024/03/05/in-S0_20240305.12"
	}
	killed_expect() {
		for i in 0 1 2 3 4; do
			want=3
			[ $i != 2 ] || want=2003
			expect "k$1/root/in/2024/03/05/in-S0_20240305.1$i" $want || return 1
		done
	}
	for kind in silk block; do
		test_case "killed at every change of files that are appended together ($kind)" "
			for first in 1 17 33 49; do
				killers= &&
				for n in \$(seq \$first \$((first + 15))); do
					killed \$n $kind >k\$n.out 2>&1 &
					killers=\"\$killers \$!\"
				done &&
				for killer in \$killers; do
					wait \$killer || { cat k*.out; return 1; }
				done || return 1
			done &&
			rm -rf k[0-9]*
		"
	done
fi

test_case 'mistakes are told in one line' '
	refuse() {
		want=$1
		shift
		test_must_fail rwflowappend --no-daemon --log-destination=none --incoming-directory="$PWD/in" \
			--root-directory="$PWD/root" "$@" 2>err.txt &&
		head -1 err.txt >line && echo "rwflowappend: $want" >want && diff want line
	} &&
	refuse "The --error-directory option is required" &&
	refuse "The --post-command switch is only allowed when --archive-directory is specified" \
		--error-directory="$PWD/err" --post-command=true &&
	refuse "Invalid hour-file-command '\''a%x'\'': Unknown conversion '\''%x'\''" \
		--error-directory="$PWD/err" --hour-file-command=a%x &&
	refuse "Invalid threads '\''0'\'': Value is below minimum of 1" --error-directory="$PWD/err" --threads=0 &&
	refuse "Invalid compression-method '\''x'\'': Value does not match any known method" \
		--error-directory="$PWD/err" --compression-method=x &&
	refuse "Invalid error-directory: Nonexistent path '\''/nonexistent'\''" --error-directory=/nonexistent &&
	rwflowappend --help >help && test_grep "reject-hours-past" help && ! grep -q pad-header help
'
test_done
