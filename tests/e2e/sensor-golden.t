#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The flows of the golden captures: key, times, volume, flags, sequence numbers, end reason,
# attributes. tests/data/sensor/README.md says where the expected lines are from.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

GOLDEN=$DATA/sensor

# golden_expected NAME: the golden lines with the deviations applied, sorted.
golden_expected() {
	: >golden
	[ ! -f "$GOLDEN/$1.txt" ] || cp "$GOLDEN/$1.txt" golden
	awk -v name="$1" '
	FILENAME != "golden" {
		if ($1 == name) change[substr($2, 2)] = substr($2, 1, 1)
		next
	}
	($0 in change) && change[$0] == "-" { delete change[$0]; next }
	{ print }
	END { for (line in change) if (change[line] == "+") print line; else exit 1 }
	' "$GOLDEN/deviations.txt" golden >unsorted &&
		sort unsorted >expected
}

# golden NAME [SWITCH...]
golden() {
	golden_name=$1
	shift
	golden_pcap=$GOLDEN/${golden_name%%.*}.pcap
	[ -f "$golden_pcap" ] || golden_pcap=$golden_pcap.gz
	rwsensor "$@" --export=out.ipfix "$golden_pcap" 2>log &&
		python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows out.ipfix >flows &&
		sort flows >actual &&
		golden_expected "$golden_name" &&
		test_cmp expected actual
}

while IFS='|' read -r name switches; do
	# shellcheck disable=SC2086
	test_case "$name $switches" "golden $name $switches"
done <<END
01-tcp-fin|--silk
01-tcp-fin.export-options|--force-ip6-export --ingress 3 --egress 4 --delta --observation-domain 77 --mac
01-tcp-fin.uniflow|--silk --uniflow
02-tcp-rst|--silk
03-active-timeout|--silk
03b-active-edge|--silk
04-idle-timeout|--silk
04-idle-timeout.idle-60-active-120|--idle-timeout 60 --active-timeout 120
04-idle-timeout.idle-zero|--idle-timeout 0
05-dns|--silk
05-dns.uniflow|--uniflow
06-icmp|--silk
07-ipv6|--silk
07-ipv6.ip4-only|--ip4-only
07-ipv6.ip6-only|--ip6-only
08-vlan|--silk
08-vlan.no-vlan-in-key|--no-vlan-in-key
09-frag4|--silk
09-frag4.no-frag|--no-fragments
10-out-of-order|--silk
10-out-of-order.force-read-all|--accept-late
11-tunnels|--silk
12-odd|--silk
13-protocols|--silk
14-flowstats|--silk
15-tcp-states|--silk
16-mptcp|--silk
17-link-chdlc|--silk
17-link-dltraw12|--silk
17-link-ipv4|--silk
17-link-ipv6|--silk
17-link-juniper-eth|--silk
17-link-loop|--silk
17-link-null|--silk
17-link-ppp|--silk
17-link-pppoe51|--silk
17-link-raw|--silk
17-link-sll|--silk
17-link-sll2|--silk
18-nano|--silk
19-overflow|--silk
20-many|--silk
20-many.max-flows|--max-flows 10
21-labels|--silk
22-label-edge|--silk
23-dpi|--silk
24-mix|--silk
END

test_case 'compressed and plain, by name and from standard input, are one' '
	gzip -dc "$GOLDEN/24-mix.pcap.gz" >mix.pcap &&
	rwsensor --export=a "$GOLDEN/24-mix.pcap.gz" 2>log &&
	rwsensor --export=b mix.pcap 2>log &&
	rwsensor --export=- --read=- <mix.pcap >c 2>log &&
	rwsensor --export=d --read=- <"$GOLDEN/24-mix.pcap.gz" 2>log &&
	for file in a b c d; do
		python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows $file >$file.txt || return 1
	done &&
	test_lines a.txt 457 &&
	test_cmp a.txt b.txt && test_cmp a.txt c.txt && test_cmp a.txt d.txt
'

test_case 'nanoseconds go through' '
	rwsensor --time-precision=ns --export=out "$GOLDEN/18-nano.pcap" 2>log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" names out >names &&
	test_grep "start=1700000000000000123 end=1700000001999999999 " names &&
	test_grep " delta_ns=123456666 " names
'

test_case 'the statistics record adds up' '
	rwsensor --export=out "$GOLDEN/12-odd.pcap" 2>log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" options out >options &&
	test_lines options 1 &&
	test_grep " flows=13 packets=13 dropped=0 ignored=21 late=0 " options &&
	test_grep "packets 34, .* accepted 13, flows 13 (.*forced 12, table full 0)" log &&
	test_grep "refused packets 21, link-short 1, arp 1, lldp 1" log &&
	rwsensor --no-stats --export=out "$GOLDEN/12-odd.pcap" 2>log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" options out >options &&
	test_lines options 0
'

test_case 'a list of files is one stream; a bad one is told and the rest read' '
	printf "# list\n%s\n\n%s\n" "$GOLDEN/01-tcp-fin.pcap" "$GOLDEN/20-many.pcap" >list &&
	rwsensor --read-list=list --export=out --accept-late 2>log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows out >flows &&
	test_lines flows 51 &&
	test_must_fail rwsensor /nowhere.pcap list "$GOLDEN/20-many.pcap" --export=out 2>log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows out >flows &&
	test_lines flows 50 &&
	test_grep "/nowhere.pcap: No such file" log &&
	test_grep "list: " log
'

test_case 'a cut capture gives what it has, and a failure' '
	gzip -dc "$GOLDEN/24-mix.pcap.gz" | head -c 100000 >cut.pcap &&
	test_must_fail rwsensor cut.pcap --export=out 2>log &&
	test_grep "cut.pcap: truncated" log &&
	test_grep "accepted [1-9]" log &&
	head -c 100000 "$GOLDEN/24-mix.pcap.gz" >cut.pcap.gz &&
	test_must_fail rwsensor cut.pcap.gz --export=out 2>log &&
	test_grep "cut.pcap.gz: " log
'

test_case 'a filter' '
	rwsensor --filter="port 5301" --export=out "$GOLDEN/05-dns.pcap" 2>log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows out >flows &&
	test_lines flows 1 &&
	test_must_fail rwsensor --filter="port port" --export=out "$GOLDEN/05-dns.pcap" 2>log &&
	test_grep "filter .port port.: " log
'

test_case 'switches from a file, overruled by the command line' '
	printf "[rwsensor]\nexport = out\nidle-timeout = 0\nread = %s\n" "$GOLDEN/04-idle-timeout.pcap" >conf &&
	rwsensor --config=conf 2>log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows out >flows &&
	sort flows >actual &&
	test_cmp "$GOLDEN/04-idle-timeout.idle-zero.txt" actual &&
	rwsensor --config=conf --idle-timeout=300 2>log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows out >flows &&
	test_lines flows 9 &&
	echo "nonsense = 1" >>conf &&
	test_must_fail rwsensor --config=conf 2>log &&
	test_grep nonsense log
'

test_case 'what cannot be is refused' '
	test_must_fail rwsensor --export=out 2>log &&
	test_grep "either --interface or capture files" log &&
	test_must_fail rwsensor "$GOLDEN/05-dns.pcap" 2>log &&
	test_grep "export is needed" log &&
	test_must_fail rwsensor --export=/nowhere/out "$GOLDEN/05-dns.pcap" 2>log &&
	test_grep "/nowhere/out: No such file" log &&
	test_must_fail rwsensor --export=/dev/full "$GOLDEN/05-dns.pcap" 2>log &&
	test_grep "No space left" log &&
	test_must_fail rwsensor --interface=nowhere0 --no-daemon --export=out 2>log &&
	test_grep nowhere0 log
'

test_done
