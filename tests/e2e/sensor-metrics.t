#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The sensor's metrics over HTTP, its signs of life, and --check-config.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

# fetch_metrics: into metrics; there may be none yet of the link
fetch_metrics() {
	python3 -c "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())" "$url" >metrics &&
		grep -q tussah_sensor_queued_bytes metrics
}

# No collector: the sensor waits, with everything in its buffer. The pipe keeps it reading.
test_case 'packets, flows and what waits are told while it runs' '
	mkfifo pipe &&
	test_start python3 "$TUSSAH_SRCDIR/tests/e2e/manager.py" --said=said --watchdog=1 \
		rwsensor --silk --export=tcp://127.0.0.1:$(test_port) --metrics=127.0.0.1:0 --drain-timeout=0 \
		--log-destination=stderr --read=pipe 2>sensor.log && manager=$test_pid &&
	exec 9>pipe && cat "$DATA/sensor/20-many.pcap" >&9 &&
	test_wait 60 test_grep "Metrics at" sensor.log &&
	url=$(sed -n "s|.*Metrics at \(http://[^ ]*\)|\1|p" sensor.log) && [ "$url" ] &&
	test_wait 60 test_grep READY=1 said &&
	test_wait 60 fetch_metrics &&
	test_grep "^tussah_sensor_packets_total [0-9]" metrics &&
	test_grep "^tussah_sensor_queued_bytes [0-9]" metrics &&
	test_grep "^tussah_sensor_connected 0" metrics &&
	exec 9>&- &&
	test_wait 60 test_grep STOPPING=1 said && test_grep READY=1 said
	status=$?
	exec 9>&-
	wait $manager
	return $status
'

test_case 'a good configuration passes the check, a bad one does not' '
	make_pki &&
	tls="--tls-ca=pki/ca.pem --tls-cert=pki/sensor1.pem" &&
	rwsensor --check-config --interface=lo --export=tls://packer.example:1 $tls --tls-key=pki/sensor1.key >found &&
	test_grep "interface .lo.: is there" found && test_grep "certificate and key belong together" found &&
	test_must_fail rwsensor --check-config --interface=lo --export=tls://packer.example:1 $tls \
		--tls-key=pki/sensor2.key 2>found && test_grep "rwsensor: error: destination" found &&
	test_must_fail rwsensor --check-config --interface=nosuch0 --export=out.ipfix 2>found &&
	test_grep "rwsensor: error: interface .nosuch0.: " found && [ ! -e out.ipfix ] &&
	test_must_fail rwsensor --check-config --export=out.ipfix gone.pcap 2>found &&
	test_grep "capture file .gone.pcap.: " found &&
	test_must_fail rwsensor --check-config --metrics=x --export=out.ipfix gone.pcap 2>found &&
	test_grep "Invalid metrics" found
'

# Only root may become another.
if [ "$(id -u)" = 0 ]; then
	low=$(python3 -c "
import socket
for port in range(700, 1024):
    try:
        socket.socket().bind((\"127.0.0.1\", port))
    except OSError:
        continue
    print(port)
    break
")
	is_nobodys() {
		[ "$(stat -c %U "/proc/$1")" = nobody ]
	}
	test_case 'metrics at a port that only root may open' '
		chmod 755 . && mkfifo -m 644 pipe2 && exec 9<>pipe2 && test_start rwsensor --user=nobody --metrics="127.0.0.1:$low" --log-destination=stderr \
			--export=tcp://127.0.0.1:$(test_port) --drain-timeout=0 --read=pipe2 2>low.log && low_sensor=$test_pid &&
		test_wait 20 test_grep "Metrics at http://127.0.0.1:$low/" low.log &&
		test_wait 20 is_nobodys "$low_sensor"
		status=$?
		exec 9>&-
		kill -KILL "$low_sensor"
		wait "$low_sensor"
		return $status
	'
fi

test_done
