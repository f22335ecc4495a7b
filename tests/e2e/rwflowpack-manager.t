#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Under a service manager: sockets passed in, readiness, signs of life, reload, the end.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

port=$(test_port)
exporter=$TUSSAH_BUILDDIR/tests/perf/exporter
{
	printf 'probe P netflow-v5\n\tprotocol udp\n\tlisten-as-host 127.0.0.1\n'
	printf '\tlisten-on-port %s\nend probe\n' "$port"
	printf 'sensor S0\n\tnetflow-v5-probes P\n\tsource-network external\n'
	printf '\tdestination-network internal\nend sensor\n'
} >sensor.conf

start_managed() {
	: >packer.log
	rm -f said said.socket
	test_start python3 "$TUSSAH_SRCDIR/tests/e2e/manager.py" --said=said "$@"
	manager=$test_pid
}

packer_command="rwflowpack --no-daemon --log-pathname=$PWD/packer.log --root-directory=$PWD/root
	--sensor-configuration=sensor.conf --flush-timeout=1"

test_case 'what came to a passed socket before the daemon ran is not lost' '
	start_managed --udp=127.0.0.1:$port --start-when=go --watchdog=1 $packer_command &&
	test_wait 20 test_grep open said &&
	"$exporter" --port=$port --format=v5 --records=300 --rate=10000 >sent &&
	: >go &&
	test_wait 60 test_grep READY=1 said &&
	test_wait 60 expect_count S0 300
'

test_case 'it says that it is alive while it works' '
	test_wait 60 sh -c "[ \$(grep -c ^WATCHDOG=1\$ said) -ge 4 ]" &&
	test_grep "^STATUS=[0-9]* messages" said
'

test_case 'a reload is told, and its end' '
	kill -HUP $manager &&
	test_wait 60 sh -c "[ \$(grep -c ^READY=1\$ said) -eq 2 ]" &&
	test_grep "^RELOADING=1 MONOTONIC_USEC=[0-9]" said &&
	"$exporter" --port=$port --format=v5 --records=30 >sent &&
	test_wait 60 expect_count S0 330
'

test_case 'a standing packer says nothing, and the end of waiting' '
	daemon=$(pgrep -P $manager) && kill -STOP $daemon && sleep 0.2 &&
	before=$(grep -c WATCHDOG said) && sleep 1 &&
	[ "$(grep -c WATCHDOG said)" -eq "$before" ] &&
	kill -CONT $daemon && test_wait 60 sh -c "[ \$(grep -c WATCHDOG said) -gt $before ]"
'

test_case 'the end is told' '
	test_stop $manager && test_grep "^STOPPING=1" said && test_grep "Stopped logging" packer.log
'

test_case 'a passed socket where no probe listens is reported' '
	start_managed --udp=127.0.0.1:$(test_port) $packer_command &&
	test_wait 60 test_grep READY=1 said &&
	test_grep "1 passed sockets are bound where no probe listens" packer.log &&
	test_stop $manager
'

# says NAME COMMAND...: it is ready, and then that it ends; the others give signs of life, too
says() {
	name=$1
	shift
	rm -f said said.socket
	test_start python3 "$TUSSAH_SRCDIR/tests/e2e/manager.py" --said=said --watchdog=1 "$@" --no-daemon --log-pathname="$PWD/$name.log" &&
		test_wait 60 test_grep READY=1 said && { [ "$name" = rwflowappend ] || test_wait 60 test_grep WATCHDOG=1 said; } &&
		test_stop $test_pid && test_grep "^STOPPING=1" said && test_grep "Stopped logging" "$name.log"
}

test_case 'the small daemons say it, too' '
	mkdir in bad out &&
	says rwpollexec rwpollexec --command=true --incoming-directory="$PWD/in" --error-directory="$PWD/bad" &&
	says rwflowappend rwflowappend --incoming-directory="$PWD/in" --root-directory="$PWD/root" --error-directory="$PWD/bad" &&
	says flowcap flowcap --sensor-configuration=sensor.conf --destination-directory="$PWD/out" --max-file-size=1m \
		--freespace-minimum=0 --space-maximum-percent=100
'

test_case 'the unit files are good' '
	command -v systemd-analyze >/dev/null || return 0
	mkdir units && for unit in flowcap rwflowappend rwflowpack rwpollexec rwsensor; do
		for kind in service socket; do
			[ ! -f "$TUSSAH_SRCDIR/conf/$unit.$kind" ] || sed -e "s|^ExecStart=/usr/sbin/[a-z]*|ExecStart=/bin/true|" \
				-e "/^Documentation=/d" "$TUSSAH_SRCDIR/conf/$unit.$kind" >units/$unit.$kind
		done
	done
	systemd-analyze verify --man=no "$PWD"/units/* >verify.log 2>&1
	! grep units/ verify.log
'

test_done
