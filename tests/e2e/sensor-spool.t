#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The sensor's spool with trace files: drained at the end, kept for the next life, full, and two
# collectors with positions of their own.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

MIX=$DATA/sensor/24-mix.pcap.gz
make_pki || exit 99
port=$(test_port)
port2=$(test_port)

probe() {
	printf 'probe P1 ipfix\n\tprotocol tls\n\tlisten-as-host 127.0.0.1\n\tlisten-on-port %s\n\ttls-name any\nend probe\n' "$1"
	fixed_sensor S0 P1
}
probe "$port" >sensor.conf
probe "$port2" >second.conf

spool() {
	sensor sensor1 --spool-directory="$PWD/spool" "$@"
}

# start_second: another packer, with another repository
start_second() {
	mkdir -p root2 && : >second.log &&
		test_start rwflowpack --no-daemon --log-pathname="$PWD/second.log" \
			--root-directory="$PWD/root2" --sensor-configuration=second.conf \
			--flush-timeout=1 --tls-ca=pki/ca.pem --tls-cert=pki/localhost.pem \
			--tls-key=pki/localhost.key &&
		second=$test_pid &&
		test_wait 10 grep -q 'Starting flush timer' second.log
}

rwsensor --silk --uniflow --export=expected.ipfix "$MIX" 2>expected.log || exit 99
records=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' expected.log)

test_case 'a trace that ends is drained' '
	start_tls_packer && spool "$MIX" && expect_count S0 "$records" &&
	test_grep "spool .*/spool: new, positions 1 to 0 wait" sensor1.log &&
	test_grep "waiting 0, dropped 0 " sensor1.log &&
	stop_packer
'

test_case 'without a collector the messages stay, and the exit status says so' '
	test_must_fail spool --drain-timeout=1s "$MIX" && test_grep "messages were not delivered" sensor1.log &&
	test_must_fail spool --drain-timeout=1s --time-precision=ns --mac "$DATA/sensor/20-many.pcap" &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/spooltext.py" lives spool >lives && cat lives &&
	test_lines lives 3 # with the first one, which is acknowledged and in the same segment
'

test_case 'the next life sends them, each under the templates of its own' '
	start_tls_packer && spool "$DATA/sensor/20-many.pcap" && expect_count S0 $((2 * records + 50 + 50)) &&
	test_grep "waiting 0, dropped 0 " sensor1.log && test_grep "spool: found, positions" sensor1.log &&
	ls spool >names && test $(grep -c templates names) -eq 1
'

test_case 'nothing is sent again to a collector that knows less' '
	stop_packer && start_second &&
	spool --export="tls://127.0.0.1:$port2" "$DATA/sensor/20-many.pcap" &&
	test_grep "connected to tls://127.0.0.1:$port2" sensor1.log &&
	test_stop "$second" && mv root root1 && mv root2 root && expect_count S0 50 &&
	mv root root2 && mv root1 root && expect_count S0 $((2 * records + 100))
'

test_case 'what a collector has, acknowledged or not, is not sent again after a restart' '
	start_tls_packer && spool "$DATA/sensor/20-many.pcap" && expect_count S0 $((2 * records + 150)) &&
	stop_packer
'

test_case 'a second sensor may not use the folder' '
	test_start rwsensor --export=tcp://127.0.0.1:1 --spool-directory="$PWD/spool" \
		--log-pathname="$PWD/first.log" "$MIX" &&
	test_wait 10 grep -q "spool .* found" first.log &&
	test_must_fail rwsensor --export=tcp://127.0.0.1:1 --spool-directory="$PWD/spool" "$MIX" 2>other.log &&
	test_grep "used by another process" other.log && kill -KILL "$test_pid"
'

test_case 'a spool is for collectors' '
	test_must_fail rwsensor --export=x --spool-directory="$PWD/spool2" "$MIX" 2>other.log &&
	test_grep "a spool is for collectors only" other.log
'

test_done
