#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What is in the journal is stored, once: after the packer was killed before it had committed anything,
# when the repository's disk is full, when the journal is full too. The disks are small file systems
# in memory.
if [ -z "$TUSSAH_INSIDE" ]; then
	unshare=
	unshare -rm true 2>/dev/null && unshare='unshare -rm'
	unshare -m true 2>/dev/null && unshare='unshare -m'
	[ -n "$unshare" ] || {
		echo '1..0 # SKIP no right to mount'
		exit 0
	}
	TUSSAH_INSIDE=yes exec $unshare sh "$0"
fi
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"
packer=
cleanup() {
	[ -z "$packer" ] || kill_packer 2>/dev/null
	umount -l root state 2>/dev/null
	test_cleanup
}
trap cleanup EXIT

exporter=$TUSSAH_BUILDDIR/tests/perf/exporter
udp=$(test_port)
port=$(test_port)
make_pki || exit 99
{
	printf 'probe U netflow-v5\n\tprotocol udp\n\tlisten-as-host 127.0.0.1\n'
	printf '\tlisten-on-port %s\nend probe\n' "$udp"
	printf 'probe X ipfix\n\tprotocol udp\n\tlisten-as-host 127.0.0.1\n'
	printf '\tlisten-on-port %s\nend probe\n' "$udp"
	printf 'probe T ipfix\n\tprotocol tls\n\tlisten-as-host 127.0.0.1\n'
	printf '\tlisten-on-port %s\n\ttls-name sensor1\nend probe\n' "$port"
	printf 'sensor S0\n\tnetflow-v5-probes U\n\tsource-network external\n'
	printf '\tdestination-network internal\nend sensor\n'
	fixed_sensor S1 T
	fixed_sensor S2 X
} >sensor.conf

mkdir state
# start [SWITCHES]: commits are left to quiet and to what they say
start() {
	[ -z "$packer" ] || test_kill KILL "$packer" # of a case that failed
	: >packer.log
	start_tls_packer --flush-timeout=86400 --metrics=127.0.0.1:0 --state-directory="$PWD/state" "$@" &&
		url=$(sed -n 's|.*Metrics at \(http://[^ ]*\)|\1|p' packer.log) && [ "$url" ]
}
kill_packer() {
	test_kill KILL "$packer" && { wait "$packer" 2>/dev/null || :; }
}
# metric NAME: its value
metric() {
	python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())' \
		"$url" | awk -v name="$1" '$1 == name { print $2 }'
}
has_metric() {
	[ "$(metric "$1")" = "$2" ]
}
more_metric() {
	[ "$(metric "$1")" -gt "$2" ]
}
# in_journal MESSAGES: so many have come, and the journal was synced since
in_journal() {
	test_wait 30 has_metric tussah_messages_total "$1" &&
		syncs=$(metric tussah_journal_syncs_total) &&
		{ more_metric tussah_journal_syncs_total "$((syncs - 1))"; } &&
		sleep 0.3
}
# all_counted MESSAGES: so many were taken in or dropped; $drops: dropped
all_counted() {
	drops=$(metric "tussah_probe_journal_drops_total{probe=\"U\"}") &&
		[ $(($(metric tussah_messages_total) + drops)) = "$1" ]
}
send_v5() {
	"$exporter" --port="$udp" --format=v5 --records="$1" --rate=100000 >sent
}

test_case 'datagrams that were not committed outlive a kill' '
	start && send_v5 3000 && in_journal 100 && kill_packer &&
	start && expect_count S0 3000
'

# datagram PART: of an IPFIX exporter that has one port all its life; its template, or a record
from=$(test_port)
datagram() {
	python3 - "$from" "$udp" "$1" <<-'END'
		import socket, struct, sys, time
		template = struct.pack(">HH" + "HH" * 9, 256, 9, 8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 2, 8, 1, 8, 150, 4, 151, 4)
		now = int(time.time())
		record = socket.inet_aton("10.0.0.1") + socket.inet_aton("192.168.0.1") + struct.pack(
		    ">HHBQQII", 1024, 80, 6, 3, 300, now - 2, now - 1)
		number, body = (2, template) if sys.argv[3] == "template" else (256, record)
		message = struct.pack(">HHIIIHH", 10, 20 + len(body), now, 0, 1, number, 4 + len(body)) + body
		sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		sender.bind(("127.0.0.1", int(sys.argv[1])))
		sender.sendto(message, ("127.0.0.1", int(sys.argv[2])))
	END
}

test_case 'so does what an exporter said of its templates' '
	datagram template && datagram record && expect_count S2 1 && kill_packer &&
	start && datagram record && in_journal 1 && kill_packer &&
	start && stop_packer && start && datagram record && expect_count S2 3 && kill_packer
'

test_case 'killed before, in and after commits: everything once' '
	total=3000 lives=0
	while [ "$lives" -lt 6 ]; do
		lives=$((lives + 1))
		start --file-format=silk && send_v5 600 && in_journal 20 || return 1
		[ $((lives % 3)) != 0 ] || expect_count S0 $((total + 600)) || return 1
		kill_packer
		total=$((total + 600))
	done
	start && expect_count S0 $total && stop_packer
'

test_case 'what the journal has of a probe that is gone is told, to the record' '
	rwsensor --silk --uniflow --export=expected.ipfix "$DATA/sensor/20-many.pcap" 2>expected.log &&
	expected=$(sed -n "s/.*, records \([0-9]*\)$/\1/p" expected.log) && [ "$expected" -gt 0 ] && cp sensor.conf kept.conf &&
	start && sensor sensor1 --uniflow "$DATA/sensor/20-many.pcap" && kill_packer &&
	sed "s/^probe T/probe T2/; s/ipfix-probes T/ipfix-probes T2/" kept.conf >sensor.conf && start && stop_packer &&
	cp kept.conf sensor.conf && rm -f kept.conf &&
	test_grep "what 127.0.0.1:[0-9]* sent is dropped: the probe is no longer configured" packer.log &&
	test_grep "'\''T'\'': Records categorized 0, dropped $expected$" packer.log
'

test_case 'a small journal is emptied in time' '
	start --journal-size=8m --file-format=block &&
	"$exporter" --port="$udp" --format=v5 --records=300000 --rate=30000 >sent &&
	test_wait 60 all_counted 10000 && [ "$drops" = 0 ] && expect_count S0 $((total + 300000)) && stop_packer
'

# A repository of 256 KiB and a state of its own.
small_root() {
	mv root root.before 2>/dev/null
	mkdir -p root && mount -t tmpfs -o size=256k tussah-root root
}
big_root() {
	mount -o remount,size=64m root
}

test_case 'a full repository: what comes in waits, and is stored when there is room' '
	rm -rf state root.before && mkdir state && small_root && start &&
	send_v5 30000 && test_wait 30 grep -q "No room: .*waits in the journal" packer.log &&
	sensor sensor1 "$DATA/sensor/24-mix.pcap.gz" &&
	big_root && expect_count S0 30000 && expect_count S1 721 &&
	test_grep "There is room again" packer.log && stop_packer
'

test_case 'killed and stopped while it is full' '
	umount root && small_root && start && send_v5 30000 &&
	test_wait 30 grep -q "No room: .*waits in the journal" packer.log && in_journal 1000 && kill_packer &&
	start && test_wait 30 grep -q "No room: .*waits in the journal" packer.log &&
	kill "$packer" && wait "$packer" && test_grep "what is not stored stays in the journal" packer.log &&
	big_root && start && expect_count S0 30000 && stop_packer
'

test_case 'the journal full too: datagrams are counted, connections wait' '
	umount root && rm -rf state && mkdir state && mount -t tmpfs -o size=4m tussah-state state && small_root &&
	start --journal-size=1m && send_v5 90000 &&
	test_wait 30 grep -q "no room in the journal" packer.log &&
	test_wait 30 all_counted 3000 && [ "$drops" -gt 0 ] || return 1
	sensor sensor1 --drain-timeout=60s "$DATA/sensor/24-mix.pcap.gz" &
	sending=$!
	test_wait 30 grep -q "accepted connection" packer.log && big_root &&
	wait $sending && expect_count S0 $((90000 - 30 * drops)) && expect_count S1 721 && stop_packer &&
	rwsiteinfo --fields=sensor,loss --data-rootdir=root >loss && test_grep "S0| *$drops|" loss
'

test_done
