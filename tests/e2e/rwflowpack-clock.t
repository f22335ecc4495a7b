#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The packer's wall clock jumps, hours and days forth and back, while it works, and it is killed in
# between: nothing is lost, nothing is there twice, no timer stands still.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

case $(nm "$TUSSAH_BUILDDIR/packer/rwflowpack" 2>/dev/null) in *__asan_init*) test_skip_all 'not under a sanitizer' ;; esac
${CC:-cc} -shared -fPIC -o clockjump.so "$TUSSAH_SRCDIR/tests/e2e/clockjump.c" 2>cc.log ||
	test_skip_all 'the clock cannot be replaced'
port=$(test_port)
udp9=$(test_port)
MANY=$DATA/sensor/20-many.pcap
rwsensor --silk --uniflow --export=expected.ipfix "$MANY" 2>expected.log || exit 99
many=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' expected.log)
{
	printf 'probe P ipfix\n\tprotocol tls\n\tlisten-on-port %s\n\ttls-name sensor1\nend probe\n' "$port"
	printf 'probe V9 netflow-v9\n\tprotocol udp\n\tlisten-on-port %s\nend probe\n' "$udp9"
	fixed_sensor S0 P
	fixed_sensor S1 V9 | sed s/ipfix-/netflow-v9-/
} >sensor.conf
export CLOCKJUMP="$PWD/offset"

# clock SECONDS: the packer's clock is so far off from now on
clock() {
	python3 -c "
import struct, sys
out = open('offset', 'r+b')
out.write(struct.pack('=q', $1))
"
}
head -c 8 /dev/zero >offset
# certificates are valid in the past, too
clock -2000000 && (LD_PRELOAD="$PWD/clockjump.so" && export LD_PRELOAD && make_pki) || test_skip_all 'no certificates could be made'
clock 0
start() {
	: >packer.log
	LD_PRELOAD="$PWD/clockjump.so" start_tls_packer
}
send() {
	sensor sensor1 --uniflow --spool-directory="$PWD/spool" --drain-timeout=60s "$MANY"
}
flushes() {
	[ "$(grep -c 'Flushing files' packer.log)" -ge "$1" ]
}

test_case 'the clock is off for the packer' '
	clock 864000 && start && tomorrow=$(date -u -d "+10 days" +%Y-%m-%d) && test_grep "Started logging at $tomorrow" packer.log &&
	clock 0 && { test_start python3 "$TUSSAH_SRCDIR/tests/e2e/netflow9.py" "$udp9" \
		"template ; data 0 100 ; wait go1 ; data 100 200 ; wait go2 ; data 200 300"; router=$test_pid; } && expect_count S1 100
'

total=0
test_case 'jumps while it works: each record once, and at once' '
	for jump in 3600 -3600 259200 -864000 0 40000000 0; do
		clock "$jump" && total=$((total + many)) && before=$(grep -c "Flushing files" packer.log) &&
		send && expect_count S0 $total && test_wait 10 flushes $((before + 2)) || { echo "at $jump"; return 1; }
	done
'

test_case 'an exporter goes on behind a jump' '
	clock -172800 && : >go1 && expect_count S1 200 && clock 3600 && : >go2 && expect_count S1 300 && wait "$router"
'

test_case 'killed, and back in another time' '
	for jump in 7200 -7200 0; do
		send & sending=$!
		sleep 0.1
		kill -KILL "$packer"; wait "$packer"
		clock "$jump" && start && wait $sending || return 1
		total=$((total + many))
	done
	expect_count S0 $total && stop_packer && expect_count S0 $total && expect_count S1 300
'

test_done
