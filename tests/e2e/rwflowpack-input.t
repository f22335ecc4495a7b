#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# IPFIX over TCP and UDP and from a directory; hosts that are not welcome; output formats.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

MIX=$DATA/sensor/24-mix.pcap.gz
MANY=$DATA/sensor/20-many.pcap
tcp=$(test_port)
udp=$(test_port)
closed=$(test_port)
mkdir in archive error

cat >sensor.conf <<END
probe T ipfix
	protocol tcp
	listen-on-port $tcp
end probe
probe U ipfix
	protocol udp
	listen-on-port $udp
	accept-from-host 127.0.0.1
end probe
probe C ipfix
	protocol tcp
	listen-on-port $closed
	accept-from-host 192.0.2.1
end probe
probe D ipfix
	poll-directory $PWD/in
end probe
END
for pair in S0:T S1:U S2:C S3:D; do
	fixed_sensor "${pair%:*}" "${pair#*:}"
done >>sensor.conf

rwsensor --silk --uniflow --export=expected.ipfix "$MIX" 2>expected.log || exit 99
records=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' expected.log)

test_case 'the packer starts' '
	start_packer --polling-interval=1 --archive-directory="$PWD/archive" \
		--error-directory="$PWD/error" --file-format=silk --pack-interfaces --byte-order=big \
		--compression-method=none &&
	test_grep "Directory Reader poller for ipfix probe D on .*/in" packer.log
'

test_case 'over TCP' '
	rwsensor --silk --export="tcp://127.0.0.1:$tcp" "$MIX" 2>log &&
	test_wait 10 expect_count S0 "$records"
'

test_case 'over UDP' '
	rwsensor --silk --export="udp://127.0.0.1:$udp" "$MANY" 2>log &&
	test_wait 10 expect_count S1 50
'

test_case 'a host that is not welcome' '
	rwsensor --silk --drain-timeout=1s --export="tcp://127.0.0.1:$closed" "$MANY" 2>log;
	test_wait 10 grep -q "Connection prohibited from 127.0.0.1" packer.log && expect_count S2 0
'

test_case 'damage ends a session with one line, and nothing else' '
	python3 -c "import socket; s = socket.create_connection((\"127.0.0.1\", $tcp)); \
s.sendall(b\"GET / HTTP/1.0\" + bytes(64)); s.recv(1)" &&
	test_wait 10 grep -q "noticed disconnect by 127.0.0.1:[0-9]*: ." packer.log &&
	rwsensor --silk --export="tcp://127.0.0.1:$tcp" "$MIX" 2>log &&
	test_wait 10 expect_count S0 $((2 * records))
'

test_case 'a file in a directory is read and archived' '
	cp expected.ipfix in/.f && mv in/.f in/f &&
	test_wait 20 sh -c "find archive -name f | grep -q ." && expect_count S3 "$records" &&
	test_grep "Directory Reader processing ipfix file .f" packer.log && [ ! -e in/f ]
'

test_case 'a file that is none is put aside' '
	echo "not a flow in here" >in/bad && test_wait 20 test -e error/bad &&
	test_grep "in/bad. does not appear to be a valid ipfix file" packer.log && [ ! -e in/bad ]
'

test_case 'it stops, with a line for each probe' '
	stop_packer && test_grep "^[^:]*:[^:]*:[^:]*: .T.: forward [1-9][0-9]*, reverse" packer.log &&
	test_grep "/in-S3_[0-9.]*: [1-9][0-9]* recs" packer.log
'

test_case 'files are as asked for' '
	rwfileinfo --fields=format,byte-order,compression $(find root -name "in-S3_*" | head -1) >text &&
	test_grep FT_RWIPV6ROUTING text && test_grep BigEndian text && test_grep none text
'

test_case 'a bad file without an error directory stops the daemon, status 0' '
	start_packer --polling-interval=1 && echo "nothing in here" >in/bad &&
	wait "$packer" && test_grep "Finished shutting down" packer.log && [ -e in/bad ]
'

test_done
