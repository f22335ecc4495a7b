#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# flowcap that forwards to a packer over the link: exporters of every kind come out as if they had sent
# to the packer, templates that were told once are known to every packer, and each acknowledged record
# is stored once, whatever is killed.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"
make_pki && tussah-certs relay pki flowcap1 localhost 127.0.0.1 >/dev/null || test_skip_all 'no certificates could be made'
python3 "$TUSSAH_SRCDIR/tests/e2e/pdufile.py" pdus 100 || exit 99
MANY=$DATA/sensor/20-many.pcap
rwsensor --silk --uniflow --export=expected.ipfix "$MANY" 2>expected.log || exit 99
many=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' expected.log)
rounds=8
[ "${TUSSAH_LONG-}" != yes ] || rounds=200
udp=$(test_port)
udp9=$(test_port)
tls=$(test_port)
first=$(test_port)
second=$(test_port)

cat >flowcap.conf <<END
probe V5 netflow-v5
	protocol udp
	listen-on-port $udp
	listen-as-host 127.0.0.1
end probe
probe V9 netflow-v9
	protocol udp
	listen-on-port $udp9
	listen-as-host 127.0.0.1
end probe
probe IX ipfix
	protocol tls
	listen-on-port $tls
	listen-as-host 127.0.0.1
	tls-name sensor1
end probe
END

# packer_conf PORT NAME: of the relay for IX
packer_conf() {
	sed -e "/listen-as-host/d; /tls-name/d; s/protocol .*/protocol tls/; s/listen-on-port .*/listen-on-port $1/" \
		-e 's/listen-on-port.*/&\n	relayed-by flowcap1/' flowcap.conf |
		sed "/probe IX/,\$s/flowcap1/$2/"
	fixed_sensor S0 V5 | sed s/ipfix-/netflow-v5-/
	fixed_sensor S1 V9 | sed s/ipfix-/netflow-v9-/
	fixed_sensor S2 IX
}

# start N: packer number N, if it is not there
start() {
	eval "old=\${packer$1-}"
	[ -n "$old" ] && kill -0 "$old" 2>/dev/null && return 0
	[ "$1" = 1 ] && port=$first || port=$second
	packer_conf "$port" flowcap1 >sensor.conf
	mkdir -p "state$1"
	start_tls_packer --state-directory="$PWD/state$1" || return 1
	eval "packer$1=$packer"
}
# end N SIGNAL
end() {
	eval "old=\${packer$1-}"
	eval "packer$1="
	[ -z "$old" ] || kill "-$2" "$old" && { wait "$old" 2>/dev/null || :; }
}

start_flowcap() {
	: >log
	test_start flowcap --no-daemon --log-pathname="$PWD/log" --forward="tls://127.0.0.1:$first,tls://127.0.0.1:$second" \
		--sensor-configuration=flowcap.conf --state-directory="$PWD/fcstate" --tls-ca=pki/ca.pem \
		--tls-cert=pki/flowcap1.pem --tls-key=pki/flowcap1.key "$@" &&
		flowcap=$test_pid && test_wait 10 grep -q 'Started all reader threads' log
}
send_many() {
	rwsensor --silk --uniflow --spool-directory="$PWD/spool" --export="tls://127.0.0.1:$tls" --drain-timeout=60s \
		--tls-ca=pki/ca.pem --tls-cert=pki/sensor1.pem --tls-key=pki/sensor1.key "$MANY" 2>>sensor.log
}

test_case 'mistakes are told' '
	test_must_fail flowcap --forward=tcp://127.0.0.1:1 --sensor-configuration=flowcap.conf --log-destination=none 2>err &&
	test_grep "flowcap: Invalid forward .tcp://127.0.0.1:1. does not begin with tls://" err &&
	test_grep "state-directory" err && test_grep "tls-ca" err &&
	test_must_fail flowcap --forward=tls://h:1 --destination-directory="$PWD" --sensor-configuration=flowcap.conf \
		--log-destination=none 2>err &&
	test_grep "Cannot use both --forward and --destination-directory" err
'

test_case 'exporters of every kind, as if they had sent to the packer' '
	mkdir fcstate && start 1 && start_flowcap && test_wait 20 grep -q "Relay: connected to tls://127.0.0.1:$first .*acknowledged" log &&
	send_pdus "$udp" && send_many &&
	{ test_start python3 "$TUSSAH_SRCDIR/tests/e2e/netflow9.py" "$udp9" "template ; data 0 500 ; wait go ; data 500 1000"; router=$test_pid; } &&
	expect_count S0 3000 && expect_count S1 500 && expect_count S2 "$many" &&
	mkdir direct && rwflowpack --input-mode=pdufile --netflow-file=pdus --root-directory="$PWD/direct" --log-destination=none \
		--sensor-configuration=/dev/stdin <<-END &&
		probe V5 netflow-v5
			read-from-file /dev/null
		end probe
		$(fixed_sensor S0 V5 | sed s/ipfix-/netflow-v5-/)
	END
	rwsort --fields=sTime,sIP,dIP,sPort,dPort $(find direct -name "*-S0_*") >sorted && rwcut --delimited sorted >want &&
	rwsort --fields=sTime,sIP,dIP,sPort,dPort $(find root -name "*-S0_*") >sorted && rwcut --delimited sorted >got &&
	test_cmp want got
'

test_case 'another packer knows the templates that were told once' '
	start 2 && end 1 KILL && : >go && wait "$router" && expect_count S1 1000 &&
	test_grep "Relay: connected to tls://127.0.0.1:$second" log
'

test_case 'and so does flowcap that was killed' '
	rm go && { test_start python3 "$TUSSAH_SRCDIR/tests/e2e/netflow9.py" "$udp9" "template ; data 1000 1100 ; wait go ; data 1100 1500"; router=$test_pid; } &&
	expect_count S1 1100 && kill -KILL "$flowcap" && { wait "$flowcap"; end 2 TERM && start 1 && start_flowcap; } &&
	: >go && wait "$router" && expect_count S1 1500
'

test_case "each record once, one or the other killed $rounds times" '
	round=0 &&
	while [ "$round" -lt "$rounds" ]; do
		round=$((round + 1))
		start $((1 + round % 2)) || return 1
		send_many & sending=$!
		sleep "$(awk -v n=$round "BEGIN { print n * 37 % 50 / 100 }")"
		case $((round % 4)) in
		0) end 1 KILL ; start 1 || return 1 ;;
		1) end 2 KILL ; start 2 || return 1 ;;
		*) kill -KILL "$flowcap"; wait "$flowcap"; start_flowcap || return 1 ;;
		esac
		wait $sending || return 1
	done
	start 1 && start 2 && expect_count S2 $(((rounds + 1) * many)) && sleep 3 && expect_count S2 $(((rounds + 1) * many))
'

sent=$((rounds + 1))
# many_more: once more, all of it stored
many_more() {
	sent=$((sent + 1))
	send_many && expect_count S2 $((sent * many))
}
test_case 'the packers are swapped, and back; one does not answer' '
	test_stop "$flowcap" && start_flowcap --return-interval=1 --peer-timeout=2 && many_more &&
	end 1 KILL && many_more && test_grep "Relay: connected to tls://127.0.0.1:$second" log &&
	start 1 && test_wait 20 grep -q "leaving tls://127.0.0.1:$second to look for the first" log && many_more &&
	kill -STOP "$packer2" && end 1 KILL && send_many && test_wait 30 grep -q "tls://127.0.0.1:$second: .*no progress" log &&
	start 1 && sent=$((sent + 1)) && expect_count S2 $((sent * many)) && kill -CONT "$packer2" && many_more &&
	sleep 3 && expect_count S2 $((sent * many)) && test_stop "$flowcap" && start_flowcap
'

test_case 'a probe that is not its own is refused, and nothing is lost' '
	end 1 TERM && end 2 TERM && test_stop "$flowcap" && packer_conf "$first" other >sensor.conf &&
	start_tls_packer --state-directory="$PWD/state1" && start_flowcap && send_many &&
	test_wait 20 grep -q "no probe .IX. is relayed by certificate name .flowcap1." packer.log &&
	packer_conf "$first" flowcap1 >sensor.conf && kill -HUP "$packer" &&
	test_wait 20 has_count S2 $(((sent + 1) * many)) && test_stop "$flowcap" && stop_packer &&
	! grep -q "stays in the journal" log && expect_count S2 $(((sent + 1) * many)) &&
	expect_count S0 3000 && expect_count S1 1500
'

# noted: datagrams of V5 that the packer has noted as dropped for want of room, in flowcap's journal or its socket
noted() {
	cat root/.loss/*/*/* 2>/dev/null | awk '/ S0 V5 / {
		for (i = 1; i <= NF; i++)
			if (split($i, word, "=") == 2 && (word[1] == "journal" || word[1] == "kernel"))
				n += word[2]
	}
	END { print n + 0 }'
}
# all_stored RECORDS: so many more are stored than before, but for those noted
all_stored() {
	[ "$(noted)" -gt 0 ] && has_count S0 $((before + $1 - 30 * $(noted)))
}

exporter=$TUSSAH_BUILDDIR/tests/perf/exporter
test_case 'what flowcap has no room for is noted by the packer, once' '
	[ -x "$exporter" ] && before=$(count S0) && [ "$(noted)" = 0 ] && start_flowcap --journal-size=16m &&
	"$exporter" --port="$udp" --format=v5 --records=600000 --rate=200000 >sent && test_grep "^600000 20000 " sent &&
	test_wait 20 grep -q "no room in the journal" log && start_tls_packer --state-directory="$PWD/state1" &&
	test_wait 30 grep -q "Relay: connected to .*acknowledged" log && test_stop "$flowcap" &&
	test_wait 30 all_stored 600000 && dropped=$(noted) && kill -KILL "$packer" && { wait "$packer" || :; } &&
	start_tls_packer --state-directory="$PWD/state1" && stop_packer && [ "$(noted)" = "$dropped" ]
'

test_done
