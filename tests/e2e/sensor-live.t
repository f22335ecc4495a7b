#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Live capture on the loopback interface of a network namespace of its own.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

unshare -rn true 2>/dev/null || unshare -n true 2>/dev/null ||
	test_skip_all 'no right to make a network namespace'
unshare=$(unshare -n true 2>/dev/null && echo 'unshare -n' || echo 'unshare -rn')
command -v ip >/dev/null || test_skip_all 'no ip program'

flows() {
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows "$1"
}

cat >talk.py <<'END'
import socket
import sys
import time

port = int(sys.argv[1])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", port))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(5):
    client.sendto(b"x" * 100, ("127.0.0.1", port))
    server.sendto(b"y" * 50, server.recvfrom(1000)[1])
END

# Runs in the namespace: the sensor, some traffic, then silence.
cat >inside.sh <<'END'
ip link set lo up || exit 77
rwsensor --interface=lo --no-daemon --filter='udp and not port 7' --idle-timeout=500ms \
	--export=live.ipfix --log-pathname="$PWD/live.log" --stats-interval=0 &
sensor=$!
test_wait 10 grep -q capturing live.log || exit 1
python3 talk.py 9999 && python3 talk.py 7 || exit 1
# The flow comes out although no packet follows it.
test_wait 10 sh -c "python3 $TUSSAH_SRCDIR/tests/e2e/ipfixtext.py flows live.ipfix | grep -q 9999" || exit 1
python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows live.ipfix >idle.txt
kill -USR1 $sensor && test_wait 10 grep -q statistics live.log || exit 1
python3 talk.py 9998 && kill -TERM $sensor && wait $sensor
END
sed -n '/^test_wait()/,/^}/p' "$TUSSAH_SRCDIR/tests/e2e/lib.sh" >wait.sh
cat wait.sh inside.sh >both.sh

test_case 'flows end in silence, and at the signal' '
	$unshare sh both.sh || { cat live.log; false; }
'

test_case 'both directions are counted, the filter is heeded' '
	flows live.ipfix >flows && cat flows &&
	test_lines idle.txt 1 && test_lines flows 2 &&
	test_grep "^127.0.0.1|127.0.0.1|[0-9]*|9999|17|0|.*|5|5|640|390|.*|1|" flows &&
	test_grep "|9998|.*|4|" flows
'

test_case 'the statistics tell it' '
	test_grep "packets 20, .* accepted 20, flows 2 (idle 1, active 0, closed 0, forced 1" live.log
'

test_done
