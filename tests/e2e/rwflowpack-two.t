#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Two packers that share a repository, and a sensor that knows both: one or the other is killed while
# it has messages that the sensor has heard nothing of. Each record is stored once.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

make_pki || test_skip_all 'no certificates could be made'
rounds=8
[ "${TUSSAH_LONG-}" != yes ] || rounds=200
first=$(test_port)
second=$(test_port)
MANY=$DATA/sensor/20-many.pcap
rwsensor --silk --uniflow --export=expected.ipfix "$MANY" 2>expected.log || exit 99
records=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' expected.log)

# start N: packer number N, if it is not there
start() {
	eval "old=\${packer$1-}"
	[ -n "$old" ] && kill -0 "$old" 2>/dev/null && return 0
	[ "$1" = 1 ] && port=$first || port=$second
	printf 'probe P ipfix\n\tprotocol tls\n\tlisten-on-port %s\n\ttls-name sensor1\nend probe\n' "$port" >sensor.conf
	fixed_sensor S0 P >>sensor.conf
	mkdir -p "state$1"
	start_tls_packer --state-directory="$PWD/state$1" || return 1
	eval "packer$1=$packer"
	cp packer.log "packer$1.log"
}
end() {
	eval "old=\${packer$1-}"
	eval "packer$1="
	[ -z "$old" ] || kill "-$2" "$old" && { wait "$old" 2>/dev/null || :; }
}
send() {
	rwsensor --silk --uniflow --spool-directory="$PWD/spool" --export="tls://127.0.0.1:$first" \
		--export="tls://127.0.0.1:$second" --drain-timeout=60s --tls-ca=pki/ca.pem --tls-cert=pki/sensor1.pem \
		--tls-key=pki/sensor1.key "$MANY" 2>"sensor$1.log"
}

test_case "one of two killed, $rounds times" '
	round=0
	while [ "$round" -lt "$rounds" ]; do
		round=$((round + 1))
		start 1 && start 2 || return 1
		send $round & sending=$!
		sleep "$(awk -v n=$round "BEGIN { print n * 37 % 30 / 100 }")"
		end $((1 + round / 2 % 2)) KILL
		wait $sending || return 1
	done
'
test_case 'each record is there once' '
	start 1 && start 2 && expect_count S0 $((rounds * records)) && sleep 3 &&
	end 1 TERM && end 2 TERM && expect_count S0 $((rounds * records))
'

test_done
