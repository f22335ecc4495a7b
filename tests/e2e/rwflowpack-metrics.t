#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Metrics over HTTP, and --check-config.
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

# fetch PATH: status on the first line, then the body
fetch() {
	python3 - "$1" <<-'END'
		import sys, urllib.error, urllib.request
		try:
		    answer = urllib.request.urlopen(sys.argv[1], timeout=20)
		except urllib.error.HTTPError as error:
		    answer = error
		print(answer.status, answer.headers["Content-Type"])
		print(answer.read().decode())
	END
}

# expect_metric LINE: the packer says so now
expect_metric() {
	fetch "$url" >metrics && grep -qxF "$1" metrics
}

test_case 'the packer says where its metrics are' '
	start_packer --metrics=127.0.0.1:0 &&
	url=$(sed -n "s|.*Metrics at \(http://[^ ]*\)|\1|p" packer.log) && [ "$url" ] &&
	fetch "$url" >metrics && test_grep "^200 text/plain; version=0.0.4" metrics
'

test_case 'counters of probes and listeners are those of what was sent' '
	"$exporter" --port=$port --format=v5 --records=300 --rate=10000 >sent &&
	test_wait 60 expect_metric "tussah_probe_records_total{probe=\"P\"} 300" &&
	expect_metric "tussah_listener_messages_total{listener=\"udp $port 127.0.0.1\"} 10" &&
	expect_metric "tussah_listener_sessions{listener=\"udp $port 127.0.0.1\"} 1" &&
	expect_metric "# TYPE tussah_probe_records_total counter"
'

test_case 'each family stands once, each line is well formed' '
	fetch "$url" | tail -n +2 >metrics &&
	[ "$(grep "^# TYPE" metrics | sort | uniq -d)" = "" ] &&
	! grep -vE "^(# (HELP|TYPE) tussah_[a-z0-9_]+ .+|tussah_[a-z0-9_]+(\{[a-z_]+=\"[^\"]*\"\})? [0-9.e+-]+|)$" metrics
'

test_case 'health, and nothing else' '
	fetch "${url%/metrics}/health" >health && test_grep "^200 " health && test_grep "^ok" health &&
	fetch "${url%/metrics}/" >other && test_grep "^404 " other &&
	stop_packer
'

test_case 'an address that is taken stops the start' '
	start_packer --metrics=127.0.0.1:0 &&
	taken=$(sed -n "s|.*Metrics at http://\([^/]*\)/.*|\1|p" packer.log) &&
	mkdir root2 && sed "s/$port/$(test_port)/" sensor.conf >other.conf &&
	test_must_fail rwflowpack --no-daemon --log-destination=stderr --root-directory="$PWD/root2" \
		--sensor-configuration=other.conf --metrics=$taken 2>log &&
	test_grep "cannot serve metrics at $taken" log && stop_packer &&
	test_must_fail rwflowpack --no-daemon --log-destination=stderr --root-directory="$PWD/root2" \
		--sensor-configuration=other.conf --metrics=nonsense 2>log &&
	test_grep "Invalid metrics .nonsense.: not HOST:PORT" log
'

# check_config [SWITCHES]: findings in found
check_config() {
	rwflowpack --check-config --log-destination=none --root-directory="$PWD/root" \
		--sensor-configuration=sensor.conf "$@" >found 2>&1
}

test_case 'a good configuration passes the check' '
	check_config --metrics=127.0.0.1:9100 &&
	test_grep "rwflowpack: sensor configuration: 1 probes (1 listen), 1 sensors" found &&
	test_grep "root directory .*/root.: writable" found && test_grep "metrics: 127.0.0.1:9100" found &&
	! grep error found
'

test_case 'certificates are looked at' '
	make_pki && check_config --tls-ca=pki/ca.pem --tls-cert=pki/localhost.pem --tls-key=pki/localhost.key &&
	test_grep "TLS: certificate .*/pki/localhost.pem. and key belong together" found &&
	test_must_fail check_config --tls-ca=pki/ca.pem --tls-cert=pki/localhost.pem --tls-key=pki/sensor1.key &&
	test_grep "rwflowpack: error: TLS: " found &&
	sed "s/protocol udp/protocol tls/; s/netflow-v5/ipfix/" sensor.conf >tls.conf &&
	printf "	tls-name x\n" >name && sed "/listen-on-port/r name" tls.conf >tls2.conf &&
	test_must_fail check_config --sensor-configuration=tls2.conf && test_grep "rwflowpack: error: TLS: " found
'

test_case 'a site or sensors that cannot be read fail the check' '
	echo "probe" >bad.conf &&
	test_must_fail rwflowpack --check-config --log-destination=none --root-directory="$PWD/root" \
		--sensor-configuration=bad.conf >found 2>&1 && test_grep "bad.conf" found
'

test_case 'directories must be writable' '
	sed "/^end probe/,\$d; /listen/d; /protocol/d; s/netflow-v5/ipfix/" sensor.conf >poll.conf &&
	printf "\tpoll-directory %s/gone\nend probe\n" "$PWD" >>poll.conf &&
	sed -n "/^sensor/,\$ { s/netflow-v5/ipfix/; p; }" sensor.conf >>poll.conf &&
	test_must_fail rwflowpack --check-config --log-destination=none --root-directory="$PWD/root" \
		--sensor-configuration=poll.conf >found 2>&1 &&
	test_grep "gone" found
'

test_case 'a running packer is seen' '
	check_config && ! grep "running packer" found && start_packer && check_config &&
	test_grep "state directory .*/root.: a running packer has it" found && stop_packer &&
	check_config && ! grep "running packer" found
'

# only root becomes another user
if [ "$(id -u)" -eq 0 ]; then
	test_case 'directories are looked at as the user that the daemon will be' '
		mkdir theirs && chown nobody theirs && chmod 700 theirs && chmod 755 . &&
		test_must_fail check_config --user=nobody --state-directory="$PWD/theirs" &&
		test_grep "error: root directory .*/root.: Permission denied" found &&
		{ test_grep "state directory .*/theirs.: writable" found || ! su nobody -s /bin/sh -c "cd \"$PWD\""; } &&
		test_must_fail check_config --user=nosuchuser && test_grep "Invalid user .nosuchuser." found
	'
fi

test_done
