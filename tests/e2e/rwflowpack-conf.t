#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwflowpack's switches and what it says about configurations before it becomes a daemon.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

{
	printf 'probe P0 ipfix\n\tprotocol udp\n\tlisten-on-port %s\nend probe\n' "$(test_port)"
	fixed_sensor S0 P0
	fixed_sensor S1 P9
} >sensor.conf

test_case 'the sample configuration is good' '
	rwflowpack --sensor-configuration="$TUSSAH_SRCDIR/conf/sensor.conf" --verify-sensor-config >out 2>&1 &&
	test_lines out 0
'

test_case 'a good configuration is listed' '
	rwflowpack --sensor-configuration=sensor.conf --verify-sensor-config=1 >out 2>&1 &&
	printf "rwflowpack: Successfully parsed 2 probes:\n\tP0, P9\nrwflowpack: Successfully parsed 2 sensors:\n\tS0, S1\n" >expected &&
	test_cmp expected out
'

test_case 'a bad one is complained about' '
	echo "sensor S99" >bad.conf && echo "end sensor" >>bad.conf &&
	test_must_fail rwflowpack --sensor-configuration=bad.conf --verify-sensor-config >out 2>&1 &&
	printf "rwflowpack: Error while parsing file %s at line 1:\n\tThere is no known sensor named S99\nrwflowpack: Encountered 1 error while processing sensor '"'S99'"'\nrwflowpack: Errors while parsing sensor-configuration file '"'%s'"'\n" "$PWD/bad.conf" "$PWD/bad.conf" >expected &&
	test_cmp expected out
'

test_case 'a configuration without a probe that listens or polls is told' '
	{ printf "probe N netflow-v5\n\tread-from-file /dev/null\nend probe\n" &&
	  fixed_sensor S0 N | sed s/ipfix-/netflow-v5-/; } >v5.conf &&
	test_must_fail rwflowpack --sensor-configuration=v5.conf --root-directory="$PWD/root" \
		--log-destination=stderr --no-daemon >out 2>&1 &&
	test_grep "Found no probes to use for stream input mode" out &&
	rwflowpack --sensor-configuration=v5.conf --verify-sensor-config
'

test_case 'switches that are needed' '
	test_must_fail rwflowpack >out 2>&1 &&
	test_grep "The --sensor-configuration switch is required in Stream Input Mode" out &&
	test_grep "The --root-directory switch is required in Local-Storage Output Mode" out &&
	test_grep "Use .rwflowpack --help. for usage" out
'

test_case 'a TLS probe needs certificates' '
	test_must_fail rwflowpack --sensor-configuration="$TUSSAH_SRCDIR/conf/sensor.conf" \
		--root-directory="$PWD/root" --log-destination=stderr --no-daemon >out 2>&1 &&
	test_grep "rwflowpack: .*tls-ca" out
'

test_case 'only the sensors asked for' '
	test_must_fail rwflowpack --sensor-configuration=sensor.conf --root-directory="$PWD/root" \
		--log-destination=stderr --no-daemon --sensor-name=S0,S7 >out 2>&1 &&
	test_grep "Sensor configuration does not define sensor .S7." out
'

test_case 'as a daemon, with a pid file' '
	rwflowpack --sensor-configuration=sensor.conf --root-directory="$PWD/root" \
		--log-pathname="$PWD/packer.log" --pidfile="$PWD/pid" &&
	test_wait 10 grep -q "Starting flush timer" packer.log && test_wait 10 test -s pid &&
	kill "$(cat pid)" && test_wait 10 grep -q "Stopped logging" packer.log && [ ! -e pid ]
'

test_case 'a second one by mistake leaves the pid file of the first alone' '
	: >packer.log &&
	rwflowpack --sensor-configuration=sensor.conf --root-directory="$PWD/root" --pidfile="$PWD/pid" \
		--log-pathname="$PWD/packer.log" && test_wait 10 test -s pid && cp pid first &&
	test_wait 10 grep -q "Starting flush timer" packer.log &&
	rwflowpack --sensor-configuration=sensor.conf --root-directory="$PWD/root" --pidfile="$PWD/pid" \
		--log-pathname="$PWD/second.log" &&
	test_wait 10 grep -q "Stopped logging" second.log && test_cmp first pid &&
	test_grep "PID file .*pid. is that of a running process: left alone" second.log &&
	kill "$(cat pid)" && test_wait 10 grep -q "Stopped logging" packer.log && [ ! -e pid ]
'

# Only root may become another.
if [ "$(id -u)" = 0 ]; then
	chmod 755 . && mkdir theirs ours && chown nobody theirs && chmod 700 theirs ours
	port=$(test_port)
	sed "s/read-from-file .*/protocol udp\n\tlisten-on-port $port/" v5.conf >port.conf
	test_case 'what the packer makes is of the user that it becomes' '
		test_start rwflowpack --sensor-configuration=port.conf --root-directory="$PWD/theirs" --user=nobody \
			--log-pathname="$PWD/user.log" --no-daemon --flush-timeout=1 && packer=$test_pid &&
		test_wait 10 grep -q "Starting flush timer" user.log &&
		python3 "$TUSSAH_SRCDIR/tests/e2e/pdu.py" "$port" "v5 0 count=3" &&
		test_wait 10 grep -q ": 3 recs" user.log && test_stop "$packer" &&
		[ -z "$(find theirs ! -user nobody)" ]
	'
	test_case 'it does not start where that user may not write' '
		test_must_fail rwflowpack --sensor-configuration=port.conf --root-directory="$PWD/ours" --user=nobody \
			--log-destination=stderr --no-daemon >out 2>&1 &&
		test_grep "ours.*Permission denied" out
	'
fi

test_done
