# SPDX-License-Identifier: GPL-3.0-or-later
# For tests of the packer, after lib.sh: certificates, a running rwflowpack, the repository's counts.

mkdir root || exit 99
SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf
export SILK_CONFIG_FILE

# make_pki: authority, packer "localhost", sensors "sensor1" and "sensor2"
make_pki() {
	tussah-certs ca pki >/dev/null &&
		tussah-certs server pki localhost 127.0.0.1 >/dev/null &&
		tussah-certs client pki sensor1 >/dev/null &&
		tussah-certs client pki sensor2 >/dev/null
}

# start_packer [SWITCHES]: its id is in $packer, its log in packer.log
start_packer() {
	: >packer.log
	test_start rwflowpack --no-daemon --log-pathname="$PWD/packer.log" --root-directory="$PWD/root" \
		--sensor-configuration=sensor.conf --flush-timeout=1 "$@" &&
		packer=$test_pid &&
		test_wait 10 grep -q 'Starting flush timer' packer.log
}

stop_packer() {
	test_stop "$packer" && test_grep 'Stopped logging' packer.log
}

start_tls_packer() {
	start_packer --tls-ca=pki/ca.pem --tls-cert=pki/localhost.pem --tls-key=pki/localhost.key "$@"
}

# sensor NAME [SWITCHES] FILE: send over TLS with the certificate of that name; log in NAME.log
sensor() {
	sensor_name=$1
	shift
	rwsensor --silk --export="tls://127.0.0.1:$port" --tls-ca=pki/ca.pem \
		--tls-cert="pki/$sensor_name.pem" --tls-key="pki/$sensor_name.key" "$@" 2>"$sensor_name.log"
}

# count SENSOR: records in its files
count() {
	find root -type f -name "*-$1_*" ! -name ".*" | sort >files &&
		: >counts &&
		{ [ ! -s files ] || rwfileinfo --no-titles --fields=count-records $(cat files) >counts; } &&
		awk '{ n += $1 } END { print n + 0 }' counts
}

has_count() {
	found=$(count "$1")
	[ "$found" = "$2" ]
}

# expect_count SENSOR N: now, or when what was acknowledged is committed
expect_count() {
	test_wait 10 has_count "$1" "$2" && return 0
	echo "$1: $found records instead of $2"
	return 1
}

# fixed_sensor NAME PROBE: a sensor block that needs no addresses
fixed_sensor() {
	printf 'sensor %s\n\tipfix-probes %s\n\tsource-network external\n' "$1" "$2"
	printf '\tdestination-network internal\nend sensor\n'
}

# send_pdus PORT: the packets in the file pdus, 1464 bytes each, as datagrams
send_pdus() {
	python3 -c "
import socket, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.connect(('127.0.0.1', $1))
data = open('pdus', 'rb').read()
for at in range(0, len(data), 1464):
	out.send(data[at:at + 1464])
	time.sleep(0.0005)
"
}
