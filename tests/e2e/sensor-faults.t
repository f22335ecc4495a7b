#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A live sensor that is killed (-9) at random moments, while the packer comes and goes: what the spool
# had is in the repository, none missing, none twice. Every flow has an address of its own, so equal
# numbers of records and of addresses say so. TUSSAH_LONG=yes: many more times.
if [ -z "$TUSSAH_INSIDE" ]; then
	unshare=
	unshare -rn true 2>/dev/null && unshare='unshare -rn'
	unshare -n true 2>/dev/null && unshare='unshare -n'
	{ [ -n "$unshare" ] && command -v ip >/dev/null; } || {
		echo '1..0 # SKIP no right to make a network namespace, or no ip'
		exit 0
	}
	TUSSAH_INSIDE=yes exec $unshare sh "$0"
fi
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

ip link set lo up || exit 99
make_pki || exit 99
port=4740
lives=${TUSSAH_LIVES:-8} # a multiple of 4: the packer is there at the end
[ "$TUSSAH_LONG" != yes ] || lives=200

{
	printf 'probe P1 ipfix\n\tprotocol tls\n\tlisten-as-host 127.0.0.1\n'
	printf '\tlisten-on-port %s\n\ttls-name any\nend probe\n' $port
	fixed_sensor S0 P1
} >sensor.conf

# One datagram a flow, each to an address of its own in 127/8, until killed.
cat >talk.py <<'END'
import socket
import sys
import time

number = int(sys.argv[1]) << 14
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for _ in range(20):
        number += 1
        try:
            sender.sendto(b"x", ("127.%d.%d.%d" % (1 + (number >> 16), number >> 8 & 255, number & 255), 9))
        except OSError:
            pass
    time.sleep(0.002)
END

# start_sensor: with the switches in $spool
spool="--spool-directory=$PWD/spool --spool-size=64m"
start_sensor() {
	: >sensor.log
	test_start rwsensor --silk --uniflow --no-stats --no-daemon --interface=lo \
		--filter='udp and dst port 9' --idle-timeout=50ms $spool \
		--export="tls://127.0.0.1:$port" --tls-ca=pki/ca.pem \
		--tls-cert=pki/sensor1.pem --tls-key=pki/sensor1.key --log-pathname="$PWD/sensor.log"
	sensor=$test_pid
	test_wait 20 grep -q capturing sensor.log
}

# one_life N: some traffic, then the end
one_life() {
	start_sensor || return 1
	test_start python3 talk.py "$1"
	talker=$test_pid
	sleep "$(python3 -c 'import random; print(random.random() * 1.2)')"
	kill -KILL "$sensor"
	wait "$sensor"
	kill "$talker"
	wait "$talker"
	python3 "$TUSSAH_SRCDIR/tests/e2e/spooltext.py" lives spool >>lives
}

many_lives() {
	life=0
	while [ $life -lt $lives ]; do
		case $((life % 4)) in
		1) stop_packer || return 1 ;;
		3) start_tls_packer || return 1 ;;
		esac
		life=$((life + 1))
		one_life $life || return 1
	done
}

test_case 'killed again and again' 'start_tls_packer && many_lives && cat lives'

test_case 'the last life sends what is left' '
	start_sensor && test_wait 60 grep -q "connected to" sensor.log && test_stop "$sensor" &&
	test_grep "waiting 0, dropped 0 " sensor.log && stop_packer
'

test_case 'what was spooled is there, none missing, none twice' '
	spooled=$(sort -k1,1n -k2,2n lives | awk "{ most[\$1] = \$2 } END { for (e in most) n += most[e]; print n }") &&
	echo "spooled $spooled" && test "$spooled" -gt 100 && expect_count S0 "$spooled" &&
	rwcut --no-titles --no-columns --fields=dip $(cat files) | sort -u >addresses &&
	test_lines addresses "$spooled"
'

dropped_so_far() {
	grep -q "the spool is full: dropped" sensor.log
}

test_case 'what a full spool drops is counted, to the record' '
	rm -rf root && mkdir root && spool="--spool-directory=$PWD/small --spool-size=1m" &&
	start_sensor && { test_start python3 talk.py 300; talker=$test_pid; } &&
	test_wait 90 dropped_so_far && kill "$talker" && { test_stop "$sensor" || :; } &&
	test_grep "messages stay in the spool" sensor.log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/spooltext.py" lives small >lives && cat lives &&
	spooled=$(awk "{ print \$2 }" lives) && start_tls_packer && start_sensor &&
	test_wait 60 grep -q "connected to" sensor.log && test_stop "$sensor" && stop_packer &&
	dropped=$(sed -n "s/.*, dropped in all [0-9]* with \([0-9]*\) records$/\1/p" sensor.log | tail -1) &&
	echo "spooled $spooled, dropped $dropped" && test "$dropped" -gt 0 &&
	expect_count S0 $((spooled - dropped))
'

test_done
