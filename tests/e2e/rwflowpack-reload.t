#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Reloading while datagrams come in: none is lost. Certificates are read again.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

exporter=$TUSSAH_BUILDDIR/tests/perf/exporter
port=$(test_port)
other_port=$(test_port)
reloads=0

# probe NAME PORT SENSOR
probe() {
	printf 'probe %s netflow-v5\n\tprotocol udp\n\tlisten-as-host 127.0.0.1\n' "$1"
	printf '\tlisten-on-port %s\nend probe\n' "$2"
	printf 'sensor %s\n\tnetflow-v5-probes %s\n\tsource-network external\n' "$3" "$1"
	printf '\tdestination-network internal\nend sensor\n'
}

reload() {
	kill -HUP "$packer" && reloads=$((reloads + 1)) &&
		test_wait 60 sh -c "[ \$(grep -c 'The new configuration is in use' packer.log) -ge $reloads ]"
}

# Another probe comes and goes beside the one that is sent to.
reload_often() {
	for round in 1 2 3 4 5 6 7 8 9 10; do
		probe P "$port" S0 >sensor.conf && reload &&
			{ probe P "$port" S0 && probe Q "$other_port" S1; } >sensor.conf && reload || return 1
	done
}

probe P "$port" S0 >sensor.conf
test_case 'twenty reloads under a steady stream lose no datagram' '
	start_packer &&
	test_start "$exporter" --port=$port --format=v5 --rate=10000 --records=60000 >sent && sender=$test_pid &&
	reload_often && kill -0 $sender && wait $sender &&
	read -r records rest <sent && [ "$records" -eq 60000 ] &&
	test_wait 60 expect_count S0 60000 &&
	"$exporter" --port=$other_port --format=v5 --records=30 >sent && test_wait 60 expect_count S1 30 &&
	stop_packer
'

test_case 'a configuration with an error leaves all as it is' '
	reloads=0 && start_packer && echo "probe" >>sensor.conf && kill -HUP $packer &&
	test_wait 60 test_grep "The new configuration is refused; the old one stays" packer.log &&
	"$exporter" --port=$port --format=v5 --records=30 >sent && test_wait 60 expect_count S0 60030 &&
	stop_packer
'

test_case 'a log that was moved away goes on in a new file' '
	probe P "$port" S0 >sensor.conf && reloads=0 && start_packer && mv packer.log moved.log && kill -HUP $packer &&
	test_wait 60 test_grep "The new configuration is in use" packer.log &&
	test_grep "Starting flush timer" moved.log && stop_packer
'

tls_port=$(test_port)
tls_conf() {
	printf 'probe T ipfix\n\tprotocol tls\n\tlisten-as-host 127.0.0.1\n\tlisten-on-port %s\n' "$tls_port"
	printf '\ttls-name sensor1\nend probe\n'
	fixed_sensor S2 T
}

test_case 'certificates are read again' '
	make_pki && tussah-certs ca other >/dev/null && cp pki/ca.pem trusted.pem &&
	tls_conf >sensor.conf && reloads=0 && port=$tls_port &&
	start_packer --tls-ca=trusted.pem --tls-cert=pki/localhost.pem --tls-key=pki/localhost.key &&
	sensor sensor1 "$DATA/sensor/20-many.pcap" && test_wait 60 expect_count S2 50 &&
	cp other/ca.pem trusted.pem && reload &&
	test_must_fail sensor sensor1 --drain-timeout=1s "$DATA/sensor/20-many.pcap" &&
	test_grep "refused connection from 127.0.0.1:[0-9]*: unknown authority" packer.log &&
	echo nonsense >trusted.pem && kill -HUP $packer &&
	test_wait 60 test_grep "The new configuration is refused" packer.log &&
	cp pki/ca.pem trusted.pem && reload &&
	sensor sensor1 "$DATA/sensor/20-many.pcap" && test_wait 60 expect_count S2 100 &&
	stop_packer
'

test_done
