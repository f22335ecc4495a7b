#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a packer knows beside the records (losses, counters of interfaces, names of exporters) reaches the
# repository once by way of incremental files, whatever is killed.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

mkdir incr sender err arc
killat="python3 $TUSSAH_SRCDIR/tests/e2e/killat.py"
port=$(test_port)
send() {
	python3 "$TUSSAH_SRCDIR/tests/e2e/pdu.py" "$port" "$1"
}

cat >sensor.conf <<END
probe V netflow-v5
	protocol udp
	listen-on-port $port
end probe
probe F sflow
	protocol udp
	listen-on-port $port
end probe
END
fixed_sensor S0 V | sed s/ipfix-/netflow-v5-/ >>sensor.conf
fixed_sensor S2 F | sed s/ipfix-/sflow-/ >>sensor.conf

# start MODE [SWITCHES]: a packer that writes incremental files
start() {
	mode=$1
	shift
	: >packer.log
	test_start rwflowpack --no-daemon --log-pathname="$PWD/packer.log" --sensor-configuration=sensor.conf \
		--output-mode="$mode" --incremental-directory="$PWD/incr" --flush-timeout=1 "$@" &&
		packer=$test_pid &&
		test_wait 10 grep -q 'Starting flush timer' packer.log
}

append() {
	test_start rwflowappend --no-daemon --log-pathname="$PWD/append.log" --incoming-directory="$PWD/$1" \
		--root-directory="$PWD/root" --error-directory="$PWD/err" --archive-directory="$PWD/arc" --polling-interval=1 &&
		append=$test_pid &&
		test_wait 20 nothing_in "$1" && test_stop "$append"
}

nothing_in() {
	[ -z "$(find "$1" -maxdepth 1 -type f ! -name ".rw*")" ]
}

# expect_loss RECORDS [ROOT]
expect_loss() {
	rwsiteinfo --fields=sensor,loss --no-columns --no-titles --no-final-delimiter \
		--data-rootdir="${2:-root}" --sensors=S0 >loss && echo "S0|$1" | test_cmp - loss
}

has_notes() {
	grep -lqs "^.loss .*missing=49" incr/.notes_* incr/notes_* sender/notes_* cap/notes_* 2>/dev/null
}

test_case 'a gap and counters are noted in a file of their own' '
	start incremental-files &&
	send "v5 0 ; v5 50 ; pcap $DATA/sflow/sflow_multiple_counter_30_pdus.pcap" &&
	test_wait 30 has_notes && stop_packer &&
	head -qn 1 incr/notes_* | sort -u >heading && echo "tussah-notes 1" | test_cmp - heading &&
	nothing_hidden=$(find incr -type f -name ".notes*") && [ -z "$nothing_hidden" ]
'

test_case 'rwflowappend brings them to the repository' '
	mkdir kept && cp incr/notes_* kept &&
	append incr && expect_loss 49 &&
	test_grep "APPEND OK .notes_.*: [1-9][0-9]* lines about hours" append.log &&
	rwsiteinfo --interface-counters=2020/01/01-2039/12/31 --data-rootdir=root --no-columns --no-titles >out &&
	[ "$(wc -l <out)" -gt 90 ] &&
	ls arc/notes/notes_* >/dev/null && nothing_in err
'

test_case 'and the same file again changes nothing' '
	find root -type f ! -name ".rw*" -exec cksum {} + | sort >before &&
	for note in kept/*; do mv "$note" "incr/${note#kept/}" || return 1; done && append incr && expect_loss 49 &&
	find root -type f ! -name ".rw*" -exec cksum {} + | sort >after && test_cmp before after
'

test_case 'what a packer that was killed left is published by the next' '
	rm -rf root/.loss && printf "tussah-notes 1\n.loss 2023/11/14T22 S0 V received=1 missing=49 note=5\n" >left &&
	cp left incr/.notes_20240305.12.CCCCCC && : >incr/notes_20240305.12.CCCCCC &&
	start incremental-files && stop_packer && test -s incr/notes_20240305.12.CCCCCC &&
	append incr && expect_loss 49
'

test_case 'sending: they go to the other directory' '
	rm -rf root/.loss && start sending --sender-directory="$PWD/sender" && send "v5 0 ; v5 50" &&
	test_wait 30 has_notes && test_wait 20 nothing_in incr && stop_packer &&
	append sender && expect_loss 49
'

test_case 'flowcap notes what its probes miss, and rwflowpack whose it was' '
	rm -rf root/.loss && mkdir cap &&
	test_start flowcap --no-daemon --log-pathname="$PWD/flowcap.log" --sensor-configuration=sensor.conf \
		--destination-directory="$PWD/cap" --max-file-size=100k --timeout=2 && flowcap=$test_pid &&
	test_wait 20 grep -q "Started all reader threads" flowcap.log &&
	send "v5 0 ; v5 50" && test_wait 60 has_notes && test_stop "$flowcap" &&
	cat cap/notes_* >noted && test_grep "^.loss 2023/11/14T22 - V .*missing=49 note=" noted &&
	test_start rwflowpack --no-daemon --log-pathname="$PWD/files.log" --sensor-configuration=sensor.conf --input-mode=fcfiles \
		--incoming-directory="$PWD/cap" --root-directory="$PWD/root" --archive-directory="$PWD/arc" --polling-interval=1 &&
	packer=$test_pid && test_wait 20 nothing_in cap && test_stop "$packer" && expect_loss 49
'

test_case 'a file that is none goes to the error directory' '
	printf "tussah-notes 1\n.loss nonsense\n" >incr/notes_20240305.12.BBBBBB &&
	append incr && ls err/notes_20240305.12.BBBBBB && test_grep "has no hour" append.log
'

# killed N: killed at the Nth change, then again a little later, then left alone
killed() {
	mkdir -p "k$1/in" "k$1/root" "k$1/err" && cp arc/notes/* "k$1/in" || return 1
	for at in "$1" $(($1 % 5 + 1)) 0; do
		$killat "$at" rwflowappend --no-daemon --log-pathname="$PWD/k$1/log" \
			--incoming-directory="$PWD/k$1/in" --root-directory="$PWD/k$1/root" \
			--error-directory="$PWD/k$1/err" --polling-interval=1 &
		traced=$!
		until nothing_in "k$1/in" || ! kill -0 "$traced" 2>/dev/null; do sleep 0.1; done
		sleep 0.1
		kill -TERM "$traced" 2>/dev/null
		wait "$traced"
	done
	nothing_in "k$1/in" && expect_loss "$2" "k$1/root"
}

$killat 0 true
if [ $? = 77 ]; then
	test_skip 'killed at every change' 'programs cannot be traced here'
else
	test_case 'killed at every change of a file: each loss is there once' '
		mkdir whole && losses=$(cat arc/notes/* | grep -c "missing=49") && [ "$losses" -ge 3 ] &&
		for n in $(seq 1 14); do
			killed $n $((losses * 49)) >k$n.out 2>&1 || { cat k$n.out; return 1; }
		done
	'
fi

test_done
