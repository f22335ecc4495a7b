#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The sensor sends to plain collectors over TCP, UDP and TLS what it writes to a file.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

MIX=$DATA/sensor/24-mix.pcap.gz
COLLECTOR=$TUSSAH_SRCDIR/tests/e2e/collector.py
flows() {
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows "$1"
}

rwsensor --silk --export=file.ipfix "$MIX" 2>log && flows file.ipfix >expected || exit 99

test_case 'to a file' 'test_lines expected 457'

test_case 'over TCP' '
	port=$(test_port) && test_start python3 "$COLLECTOR" tcp "$port" tcp.ipfix &&
	test_wait 10 test -e "$port.ready" &&
	rwsensor --silk --export="tcp://127.0.0.1:$port" "$MIX" 2>log &&
	wait "$test_pid" && flows tcp.ipfix >actual && test_cmp expected actual &&
	test_grep "acknowledged [1-9][0-9]*, waiting 0, dropped 0 " log
'

test_case 'over TCP, the collector comes later' '
	port=$(test_port) &&
	test_start rwsensor --silk --export="tcp://127.0.0.1:$port" "$MIX" --log-pathname="$PWD/late.log" &&
	sensor=$test_pid &&
	test_wait 10 grep -q "127.0.0.1" late.log &&
	test_start python3 "$COLLECTOR" tcp "$port" late.ipfix &&
	wait "$sensor" && wait "$test_pid" && flows late.ipfix >actual && test_cmp expected actual
'

test_case 'over UDP, in messages that fit a packet' '
	port=$(test_port) && test_start python3 "$COLLECTOR" udp "$port" udp.ipfix &&
	test_wait 10 test -e "$port.ready" &&
	rwsensor --silk --export="udp://127.0.0.1:$port" "$DATA/sensor/20-many.pcap" 2>log &&
	test_wait 10 grep -q . udp.ipfix &&
	test_wait 10 sh -c "[ \$(python3 $TUSSAH_SRCDIR/tests/e2e/ipfixtext.py flows udp.ipfix | wc -l) -eq 50 ]"
	kill "$test_pid"; flows udp.ipfix >actual && test_lines actual 50
'

test_case 'without standard error the log does not end in the file' '
	rwsensor --silk --export=closed.ipfix "$MIX" 2>&- && flows closed.ipfix >actual &&
	test_cmp expected actual && [ "$(wc -c <closed.ipfix)" = "$(wc -c <file.ipfix)" ]
'

test_case 'a log that cannot be opened, help that cannot be printed: a line and a failure' '
	test_must_fail rwsensor --log-pathname=/nonexistent/log --export=none.ipfix "$MIX" 2>log &&
	test_grep "/nonexistent/log.: No such file" log && [ ! -e none.ipfix ] &&
	test_must_fail rwsensor --help >/dev/full 2>log && test_grep "No space left" log &&
	test_must_fail rwflowpack --help >/dev/full 2>log && test_grep "No space left" log
'

test_case 'nobody there: a failure that says what is missing' '
	port=$(test_port) &&
	test_must_fail rwsensor --export="tcp://127.0.0.1:$port" --drain-timeout=200ms "$MIX" 2>log &&
	test_grep "messages were not delivered" log &&
	test_grep "Connection refused" log
'

if command -v openssl >/dev/null; then
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
			-keyout ca.key -out ca.pem &&
			for name in collector sensor; do
				openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
					-keyout $name.key -out $name.csr &&
					echo "subjectAltName=IP:127.0.0.1,DNS:$name" >$name.ext &&
					openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
						-days 2 -extfile $name.ext -out $name.pem || exit 99
			done
	} >openssl.log 2>&1

	test_case 'over TLS to a collector that knows no acknowledgements' '
		port=$(test_port) &&
		test_start python3 "$COLLECTOR" tls "$port" tls.ipfix collector.pem collector.key ca.pem &&
		test_wait 10 test -e "$port.ready" &&
		rwsensor --silk --export="tls://127.0.0.1:$port" --tls-ca=ca.pem --tls-cert=sensor.pem \
			--tls-key=sensor.key "$MIX" 2>log &&
		wait "$test_pid" && flows tls.ipfix >actual && test_cmp expected actual
	'

	test_case 'over TLS with a certificate of another name' '
		port=$(test_port) &&
		openssl x509 -req -in collector.csr -CA ca.pem -CAkey ca.key -days 2 -out other.pem &&
		test_start python3 "$COLLECTOR" tls "$port" no.ipfix other.pem collector.key ca.pem &&
		test_wait 10 test -e "$port.ready" &&
		test_must_fail rwsensor --export="tls://127.0.0.1:$port" --tls-ca=ca.pem --tls-cert=sensor.pem \
			--tls-key=sensor.key --drain-timeout=1s "$MIX" 2>log &&
		test_grep "name mismatch" log && [ ! -s no.ipfix ]
	'
else
	test_skip 'over TLS' 'no openssl program'
fi

test_case 'a second signal ends the wait for a collector that is away' '
	port=$(test_port) &&
	test_start rwsensor --silk --export="tcp://127.0.0.1:$port" --drain-timeout=600 \
		--log-destination="$SCRATCH/away.log" "$MIX" && away=$test_pid &&
	test_wait 10 grep -q "cannot connect" away.log && kill -TERM "$away" && kill -INT "$away" &&
	test_wait 10 grep -q "were not delivered" away.log && test_must_fail wait "$away"
'

test_case 'TLS files are checked at the start' '
	test_must_fail rwsensor --export=tls://127.0.0.1 --tls-ca=/nowhere.pem --tls-cert=x --tls-key=x "$MIX" 2>log &&
	test_grep "/nowhere.pem" log
'

test_done
