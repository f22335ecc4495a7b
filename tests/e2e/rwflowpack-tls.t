#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Sensors over TLS: who may write what, refusals, reload, and nothing lost over restarts.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

MIX=$DATA/sensor/24-mix.pcap.gz
make_pki || exit 99
port=$(test_port)

tls_probe() {
	printf 'probe %s ipfix\n\tprotocol tls\n\tlisten-as-host 127.0.0.1\n' "$1"
	printf '\tlisten-on-port %s\n\ttls-name %s\nend probe\n' "$port" "$2"
}

{
	tls_probe P1 sensor1
	tls_probe P2 sensor2
	fixed_sensor S0 P1
	fixed_sensor S1 P2
} >sensor.conf

# how many records the trace gives, by another way
rwsensor --silk --uniflow --export=expected.ipfix "$MIX" 2>expected.log || exit 99
records=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' expected.log)

test_case 'the packer starts' 'start_tls_packer && test_grep "probe .P2. on \[127.0.0.1\]:$port" packer.log'

test_case 'each certificate writes through its probe, on one port' '
	sensor sensor1 "$MIX" && sensor sensor2 "$DATA/sensor/20-many.pcap" &&
	expect_count S0 "$records" && expect_count S1 50 &&
	test_grep "waiting 0, dropped 0 " sensor1.log &&
	test_grep "certificate sensor1" packer.log && test_grep "certificate sensor2" packer.log
'

# refused NAME REASON: the sensor gives up, the packer says why, nothing is stored
refused() {
	test_must_fail sensor "$1" --drain-timeout=1s "$MIX" &&
		test_grep "not delivered" "$1.log" &&
		test_grep "refused connection from 127.0.0.1:[0-9]*: $2" packer.log &&
		expect_count S0 "$records"
}

test_case 'an expired certificate is refused and logged' '
	tussah-certs client pki old --expired && refused old "certificate expired (old)"
'

test_case 'a certificate of another authority is refused and logged' '
	tussah-certs ca other && tussah-certs client other foreign &&
	cp other/foreign.* pki/ && refused foreign "unknown authority"
'

test_case 'a certificate that no probe is bound to is refused and logged' '
	tussah-certs client pki sensor3 &&
	refused sensor3 "no probe here is bound to certificate name .sensor3."
'

test_case 'no certificate is refused and logged' '
	test_must_fail openssl s_client -connect 127.0.0.1:$port -CAfile pki/ca.pem -quiet \
		</dev/null >/dev/null 2>&1;
	test_grep "refused connection from 127.0.0.1:[0-9]*: no certificate" packer.log
'

test_case 'a bad configuration is refused, the old one stays' '
	cp sensor.conf good.conf && echo "probe" >>sensor.conf && kill -HUP "$packer" &&
	test_wait 10 grep -q "is refused; the old one stays" packer.log &&
	test_grep "probe requires a name and a type" packer.log &&
	sensor sensor1 "$MIX" && expect_count S0 $((2 * records)) && cp good.conf sensor.conf
'

test_case 'a good configuration is taken over' '
	sed "s/tls-name sensor1/tls-name sensor3/" good.conf >sensor.conf && kill -HUP "$packer" &&
	test_wait 10 grep -q "The new configuration is in use" packer.log &&
	sensor sensor3 "$MIX" && expect_count S0 $((3 * records)) &&
	test_must_fail sensor sensor1 --drain-timeout=1s "$MIX" &&
	test_grep "no probe here is bound to certificate name .sensor1." packer.log &&
	expect_count S0 $((3 * records))
'

test_case 'a port that cannot be opened refuses the configuration' '
	taken=$(test_port) &&
	test_start python3 -c "import socket, time; s = socket.socket(); \
s.bind((\"127.0.0.1\", $taken)); s.listen(); open(\"taken\", \"w\"); time.sleep(60)" &&
	test_wait 10 test -e taken &&
	{ cat good.conf; port=$taken; tls_probe P3 sensor3; fixed_sensor S2 P3; } >sensor.conf &&
	port=$(sed -n "s/.*listen-on-port //p" good.conf | head -1) &&
	kill -HUP "$packer" && test_wait 10 grep -q "cannot listen on 127.0.0.1 port $taken" packer.log &&
	sensor sensor3 "$MIX" && expect_count S0 $((4 * records)) && kill "$test_pid"
'

test_case 'SIGTERM ends it with status 0' '
	stop_packer && test_grep "Shutting down due to SIGTERM" packer.log &&
	test_grep "Finished shutting down" packer.log
'

# A large trace, so that the packer can be stopped in the middle of it, again and again.
python3 - <<'END'
import struct
flows = 120000
out = open("large.pcap", "wb")
out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
for i in range(flows):
    udp = struct.pack("!HHHH", 1024 + i % 60000, 53, 12, 0) + b"abcd"
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), i & 0xffff, 0, 64, 17, 0,
                     0x0a000000 + i, 0xc0a80000 + i % 5000)
    packet = bytes(12) + b"\x08\x00" + ip + udp
    out.write(struct.pack("<IIII", 1234396800 + i * 7200 // flows, 0, len(packet), len(packet)) + packet)
END

sensors_are_done() {
	! kill -0 "$first" 2>/dev/null && ! kill -0 "$second" 2>/dev/null
}

sensor_is_back() {
	grep -q "accepted connection" packer.log || sensors_are_done
}

# restart_packer N: once a sensor has come back to it, N times, or until they are done
restart_packer() {
	restarts=0
	while [ "$restarts" -lt "$1" ] && ! sensors_are_done; do
		test_wait 30 sensor_is_back && stop_packer && start_tls_packer || return 1
		restarts=$((restarts + 1))
	done
	[ "$restarts" -ge 1 ]
}

test_case 'two sensors, the packer stopped again and again: no record missing, none twice' '
	rm -rf root && mkdir root && cp good.conf sensor.conf && start_tls_packer &&
	{ sensor sensor1 large.pcap & first=$!; sensor sensor2 large.pcap & second=$!; } &&
	restart_packer 4 && wait "$first" && wait "$second" && stop_packer &&
	expect_count S0 120000 && expect_count S1 120000
'

test_done
