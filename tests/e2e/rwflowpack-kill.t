#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The packer is killed (SIGKILL) again and again while sensors send; nothing acknowledged is missing
# or there twice, in block files and in SiLK's.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"
make_pki || test_skip_all 'no certificates could be made'

rounds=12
[ "${TUSSAH_LONG-}" != yes ] || rounds=300
port=$(test_port)
cat >sensor.conf <<END
probe A ipfix
	protocol tls
	listen-on-port $port
	tls-name sensor1
end probe
probe B ipfix
	protocol tls
	listen-on-port $port
	tls-name sensor2
end probe
END
{ fixed_sensor S0 A; fixed_sensor S1 B; } >>sensor.conf

# What the sensor makes of the trace, by itself: as text, one line a record.
MANY=$DATA/sensor/20-many.pcap
columns=sIP,dIP,sPort,dPort,protocol,packets,bytes,sTime,duration,flags
rwsensor --silk --uniflow --export=expected.ipfix "$MANY" 2>expected.log || exit 99
records=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' expected.log)

# kill_packer: as hard as it goes
kill_packer() {
	kill -KILL "$packer" && { wait "$packer" 2>/dev/null || :; }
}

# near_commit N: wait until the packer's first commit, of --flush-timeout=1, is about to be or just was
near_commit() {
	sleep "$(awk -v n="$1" 'BEGIN { print 0.85 + n % 40 / 100 }')"
}

# send_rounds FORMAT: both sensors send the trace ROUNDS times, the packer dies in each at a moment
# that the round's number picks.
send_rounds() {
	round=0
	while [ "$round" -lt "$rounds" ]; do
		round=$((round + 1))
		start_tls_packer --file-format="$1" || return 1
		sensor sensor1 --uniflow --drain-timeout=120s "$MANY" &
		first=$!
		sensor sensor2 --uniflow --drain-timeout=120s "$MANY" &
		second=$!
		near_commit $((round * 37))
		kill_packer
		start_tls_packer --file-format="$1" || return 1
		near_commit $((round * 53))
		kill_packer
		start_tls_packer --file-format="$1" || return 1
		wait "$first" && wait "$second" || return 1
		kill_packer
	done
}

# settle FORMAT: what was acknowledged last may still be in the journal only
settle() {
	start_tls_packer --file-format="$1" && expect_count S0 $((records * rounds)) &&
		expect_count S1 $((records * rounds)) && stop_packer
}

# expect_rounds SENSOR: every record of the trace, ROUNDS times
expect_rounds() {
	find root -type f -name "*-$1_*" ! -name ".*" | sort >files &&
		rwcut --no-titles --fields="$columns" --delimited=, $(cat files) >all &&
		sort all | uniq -c | awk '{ print $1 }' | sort -n | uniq -c >times &&
		[ "$(wc -l <all)" = $((records * rounds)) ] &&
		awk -v rounds="$rounds" '$2 % rounds != 0 { bad = 1 } END { exit bad }' times ||
		{ cat times; wc -l all; return 1; }
}

for format in block silk; do
	test_case "killed $((rounds * 3)) times, $format files: all is sent" "
		send_rounds $format
	"
	test_case "$format files hold each record as often as it was sent" "
		settle $format && expect_rounds S0 && expect_rounds S1
	"
	rm -rf root && mkdir root
done
test_done
