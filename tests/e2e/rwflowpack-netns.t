#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Two sensors in network namespaces of their own, one watching its interface, the other reading a
# file, and a packer in a third that tells them apart by address and certificate.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

[ "$(id -u)" -eq 0 ] || test_skip_all 'needs root'
command -v ip >/dev/null && command -v ping >/dev/null || test_skip_all 'needs ip and ping'
ns=tussah$$
ip netns add "$ns-p" 2>/dev/null || test_skip_all 'network namespaces cannot be made'
ip netns exec "$ns-p" true 2>/dev/null || {
	ip netns del "$ns-p"
	test_skip_all 'programs cannot be run in network namespaces here'
}
netns_cleanup() {
	for netns in p 1 2; do
		ip netns del "$ns-$netns" 2>/dev/null
	done
}
trap 'netns_cleanup; test_cleanup' EXIT

. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

# join N: namespace N at 10.9.N.2, the packer's end at 10.9.N.1
join() {
	ip netns add "$ns-$1" &&
		ip link add "tp$1" netns "$ns-p" type veth peer name eth0 netns "$ns-$1" &&
		ip -n "$ns-p" addr add "10.9.$1.1/24" dev "tp$1" &&
		ip -n "$ns-$1" addr add "10.9.$1.2/24" dev eth0 &&
		ip -n "$ns-p" link set "tp$1" up && ip -n "$ns-$1" link set eth0 up
}

for n in 1 2; do
	printf 'probe P%s ipfix\n\tprotocol tls\n\tlisten-on-port 4740\n\ttls-name any\n' "$n"
	printf '\taccept-from-host 10.9.%s.2\nend probe\n' "$n"
	printf 'sensor S%s\n\tipfix-probes P%s\n\tinternal-ipblocks 10.9.%s.2\nend sensor\n' "$n" "$n" "$n"
done >sensor.conf

test_case 'namespaces, certificates, the packer' '
	make_pki && tussah-certs server pki packer 10.9.1.1 10.9.2.1 && join 1 && join 2 &&
	test_start ip netns exec "$ns-p" rwflowpack --no-daemon --log-pathname="$PWD/packer.log" \
		--root-directory="$PWD/root" --sensor-configuration=sensor.conf \
		--tls-ca=pki/ca.pem --tls-cert=pki/packer.pem --tls-key=pki/packer.key &&
	packer=$test_pid &&
	test_wait 10 grep -q "Starting flush timer" packer.log
'

# switches_of N
switches_of() {
	echo "--silk --no-daemon --export=tls://10.9.$1.1:4740 --tls-ca=pki/ca.pem
		--tls-cert=pki/sensor$1.pem --tls-key=pki/sensor$1.key --log-pathname=$PWD/sensor$1.log"
}

test_case 'one watches its interface' '
	test_start ip netns exec "$ns-1" rwsensor $(switches_of 1) --peer-timeout=3s --interface=eth0 --filter=icmp &&
	live=$test_pid &&
	test_wait 10 grep -q "accepted connection from 10.9.1.2" packer.log &&
	ip netns exec "$ns-1" ping -q -c 3 -i 0.2 10.9.1.1 >/dev/null
'

# times N TEXT LOG: so often
times() {
	[ "$(grep -c "$2" "$3")" -ge "$1" ]
}

test_case 'a cut network is noticed in seconds, in silence too, at both ends, and the sensor comes back' '
	ip -n "$ns-p" link set tp1 down && test_wait 20 grep -q "lost: " sensor1.log &&
	test_wait 60 grep -q "noticed disconnect by 10.9.1.2" packer.log && # half open: it heard nothing of the end
	ip -n "$ns-p" link set tp1 up && test_wait 30 times 2 "connected to" sensor1.log
'

# Both interfaces stay up, but what is sent goes to nobody.
swallow() {
	ip -n "$ns-p" neigh replace 10.9.1.2 lladdr 02:00:00:00:00:f1 dev tp1 nud permanent &&
		ip -n "$ns-1" neigh replace 10.9.1.1 lladdr 02:00:00:00:00:f2 dev eth0 nud permanent
}
swallow_no_more() {
	ip -n "$ns-p" neigh del 10.9.1.2 dev tp1 && ip -n "$ns-1" neigh del 10.9.1.1 dev eth0
}

test_case 'an established connection that nothing comes through is over in its time, at both ends: 3 and 20 seconds' '
	since=$(date +%s) && lost=$(grep -c "lost: " sensor1.log) && swallow &&
	test_wait 15 times $((lost + 1)) "lost: .*timed out" sensor1.log && sensor_s=$(($(date +%s) - since)) &&
	test_wait 40 times 2 "noticed disconnect by 10.9.1.2.*timed out" packer.log && packer_s=$(($(date +%s) - since)) &&
	echo "noticed after $sensor_s and $packer_s s" && [ "$sensor_s" -le 10 ] && [ "$packer_s" -ge 10 ] && [ "$packer_s" -le 30 ] &&
	swallow_no_more && test_wait 30 times 3 "connected to" sensor1.log
'

test_case 'the other reads a file' '
	ip netns exec "$ns-2" rwsensor $(switches_of 2) "$DATA/sensor/20-many.pcap" &&
	expect_count S2 50 && test_grep "P2.: accepted connection from 10.9.2.2" packer.log
'

test_case 'the live one ends; its pings are there, out and in' '
	test_stop "$live" && test_wait 20 expect_count S1 2 &&
	rwcut --no-titles --no-columns --no-final-delimiter --fields=sip,dip,protocol,packets,type $(find root -name "*-S1_*" | sort) >cut &&
	printf "10.9.1.1|10.9.1.2|1|3|in\n10.9.1.2|10.9.1.1|1|3|out\n" >expected && sort cut >actual &&
	test_cmp expected actual
'

test_case 'the packer ends' 'kill "$packer" && wait "$packer" && test_grep "Stopped logging" packer.log'

test_done
