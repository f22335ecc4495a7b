#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# So much at once that blocks go to disk past the system's cache: what a killed (-9) packer leaves of
# it does not count, and what it packs again is what a packer that nobody killed stores.
# TUSSAH_LONG=yes: many more kills.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

records=600000 # a packet each
runs=2
[ "$TUSSAH_LONG" != yes ] || runs=40
make_pki || exit 99
port=$(test_port)
{
	printf 'probe P1 ipfix\n\tprotocol tls\n\tlisten-as-host 127.0.0.1\n'
	printf '\tlisten-on-port %s\n\ttls-name any\nend probe\n' "$port"
	fixed_sensor S0 P1
} >sensor.conf
"$TUSSAH_BUILDDIR/tests/perf/packets" --packets=$records >trace.pcap 2>/dev/null || exit 99
head -c 24 trace.pcap >empty.pcap

# send SPOOL TRACE [SWITCH]: until everything is acknowledged
send() {
	sensor sensor1 --uniflow --idle-timeout=0 --no-stats --spool-directory="$PWD/$1" "$2" $3
}

# digest: of all records, in an order of their own
digest() {
	find root -type f -name '*-S0_*' ! -name '.*' >files &&
		rwsort --fields=sip,dip,sport,dport,proto,stime,etime,packets,bytes,flags $(cat files) |
		rwcut --fields=1-12 --no-titles | md5sum
}

test_case 'a sensor fills its spool' '
	test_must_fail send spool-full trace.pcap --drain-timeout=0 && test -s "$(ls spool-full/*.seg | head -n 1)"
'

test_case 'nobody is killed' '
	cp -r spool-full spool && mkdir -p root && start_tls_packer && send spool empty.pcap && stop_packer &&
	expect_count S0 $records && digest >expected && mv root clean && rm -r spool &&
	test -n "$(find clean -type f -name "*-S0_*" -size +1024k)"
'

# killed: the packer, every now and then, while a sensor sends and what it sent is packed
killed() {
	rm -rf root spool
	cp -r spool-full spool && mkdir root
	start_tls_packer || return 1
	send spool empty.pcap &
	sender=$!
	for turn in 1 2 3 4; do
		sleep "$(python3 -c 'import random; print(random.random() * 0.6)')"
		kill -KILL "$packer"
		wait "$packer"
		start_tls_packer || return 1
	done
	wait "$sender" && stop_packer && expect_count S0 $records && digest >actual && cmp expected actual
}

run=0
while [ $run -lt $runs ]; do
	run=$((run + 1))
	test_case "killed four times ($run)" 'killed'
done

test_done
