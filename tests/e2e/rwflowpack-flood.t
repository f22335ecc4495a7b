#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Connections of strangers leave descriptors for the files of the repository.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

port=$(test_port)
{
	printf 'probe P1 ipfix\n\tprotocol tcp\n\tlisten-as-host 127.0.0.1\n'
	printf '\tlisten-on-port %s\nend probe\n' "$port"
	fixed_sensor S0 P1
} >sensor.conf
rwsensor --silk --uniflow --export=flows.ipfix "$DATA/sensor/24-mix.pcap.gz" 2>sensor.log || exit 99
records=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' sensor.log)

# One connection that is to send flows, then two processes full of silent ones, then the flows.
cat >flood.py <<'END'
import os, socket, sys, time

def dial():
    return socket.create_connection(("127.0.0.1", int(sys.argv[1])))

first = dial()
time.sleep(0.5)
child = os.fork()
others = [dial() for _ in range(150)]
if child == 0:
    time.sleep(2)
    os._exit(0)
time.sleep(1)
first.sendall(open("flows.ipfix", "rb").read())
first.close()
os.waitpid(child, 0)
END

ulimit -n 230 || exit 99
test_case 'the packer takes as many connections as its descriptors allow' '
	start_packer &&
	test_grep "230 open files are allowed: taking 38 connections on each port instead of 1024" \
		packer.log
'
test_case 'a flood of connections does not stop it from writing' '
	python3 flood.py "$port" &&
	test_wait 10 grep -q "refused connection from .*: 38 connections are open" packer.log &&
	test_wait 10 expect_count S0 "$records" && stop_packer
'
test_case 'connections that come and go do not fill the log' '
	start_packer &&
	python3 -c "
import socket, sys
for i in range(1000):
    socket.create_connection((\"127.0.0.1\", int(sys.argv[1]))).close()
" "$port" && stop_packer &&
	[ "$(grep -c "accepted connection" packer.log)" -le 210 ] &&
	[ "$(grep -c "noticed disconnect" packer.log)" -le 210 ] && test_grep "accepted connection" packer.log
'
test_done
