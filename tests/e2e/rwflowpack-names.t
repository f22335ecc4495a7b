#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Names that an exporter gives to its interfaces and applications, in option records, are there for
# queries.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

port=$(test_port)
printf 'probe X ipfix\n\tprotocol udp\n\tlisten-as-host 127.0.0.1\n\tlisten-on-port %s\nend probe\n' "$port" >sensor.conf
fixed_sensor S0 X >>sensor.conf

# export_names: IPFIX with two interfaces and an application by name, and a flow that has them
export_names() {
	python3 - "$port" <<-'END'
		import socket, struct, sys, time
		now = int(time.time())
		def record_set(number, body):
		    return struct.pack(">HH", number, 4 + len(body)) + body
		def text(string):
		    return bytes([len(string)]) + string.encode()
		# options templates: ingressInterface -> interfaceName; applicationId -> applicationName
		options = struct.pack(">HHHHHHH", 300, 2, 1, 10, 4, 82, 65535) + struct.pack(">HHHHHHH", 301, 2, 1, 95, 4, 96, 65535)
		names = struct.pack(">I", 3) + text("ge-0/0/3") + struct.pack(">I", 7) + text("uplink")
		applications = b"\x0d\x00\x01\xc5" + text("dns over tea")
		fields = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 8), (1, 8), (150, 4), (151, 4), (10, 4), (14, 4), (95, 4)]
		template = struct.pack(">HH", 256, len(fields)) + b"".join(struct.pack(">HH", *f) for f in fields)
		flow = socket.inet_aton("10.0.0.1") + socket.inet_aton("192.168.0.1") + struct.pack(
		    ">HHBQQIIII", 1024, 80, 6, 3, 300, now - 2, now - 1, 3, 7) + b"\x0d\x00\x01\xc5"
		body = record_set(3, options) + record_set(2, template) + record_set(300, names) + record_set(301, applications) + record_set(256, flow)
		message = struct.pack(">HHIII", 10, 16 + len(body), now, 0, 1) + body
		socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(message, ("127.0.0.1", int(sys.argv[1])))
	END
}

test_case 'names come with the flows' 'start_packer && export_names && expect_count S0 1 && stop_packer'

test_case 'templates are in the log when the environment asks for them' '
	! grep -q sourceIPv4Address packer.log &&
	SILK_IPFIX_PRINT_TEMPLATES=1 && export SILK_IPFIX_PRINT_TEMPLATES &&
	cp -r root kept && start_packer && unset SILK_IPFIX_PRINT_TEMPLATES && export_names && expect_count S0 2 &&
	stop_packer && test_grep "sourceIPv4Address" packer.log && rm -r root && mv kept root
'

test_case 'and are kept in the repository' '
	sed -n "2,\$p" root/.labels >labels && cat labels &&
	test_grep "ge-0/0/3" labels && test_grep uplink labels && test_grep "dns over tea" labels
'

test_case 'queries print them' '
	SILK_DATA_ROOTDIR=$PWD/root rwcut --fields=inName,outName,applicationName --no-titles --delimited=, \
		$(find root -name "*-S0_*" ! -name ".*") >out && cat out &&
	echo "ge-0/0/3,uplink,dns over tea" | test_cmp - out
'

test_done
