#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job: packets become flows, cross TLS, land in the hourly repository, answer every tool.
# What is expected was read from the trace by an independent program (tests/data/trace/README).
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

trace=$DATA/trace/browsing.pcap
flows=$DATA/trace/browsing.flows
day=2011/03/18
SILK_DATA_ROOTDIR=$PWD/root
export SILK_DATA_ROOTDIR
port=$(test_port)
cat >sensor.conf <<EOF
probe P1 ipfix
    protocol tls
    listen-as-host 127.0.0.1
    listen-on-port $port
    tls-name sensor1
end probe

sensor S0
    ipfix-probes P1
    internal-ipblocks 141.142.0.0/16 fe80::/10
    external-ipblocks remainder
end sensor
EOF

# expected AWK-PROGRAM: over the independent reading, sorted bytewise.
expected() {
	awk -F '|' "$1" "$flows" | LC_ALL=C sort
}
packets=$(awk -F '|' '{ n += $6 } END { print n }' "$flows")
bytes=$(awk -F '|' '{ n += $7 } END { print n }' "$flows")

test_case 'the packer starts' 'make_pki && start_tls_packer'
records=$(wc -l <"$flows")
test_case 'the sensor delivers a trace over TLS' 'sensor sensor1 "$trace" && expect_count S0 "$records"'

test_case 'rwfilter and rwuniq: every direction of every conversation, packets and bytes' '
	rwfilter --type=all --start-date=$day --proto=0- --pass=all.rwf &&
	rwuniq --fields=sIP,dIP,sPort,dPort,protocol --values=packets,bytes --no-titles --delimited \
		all.rwf >uniq.out &&
	LC_ALL=C sort uniq.out >uniq.sorted &&
	test_cmp "$flows" uniq.sorted
'
test_case 'rwfilter counts what passes' '
	rwfilter --type=all --start-date=$day --proto=17 --print-volume-statistics=stdout >volume.out &&
	udp=$(expected "\$5 == 17 { p += \$6; b += \$7 } END { print p, b }") &&
	awk -F "|" "/Pass/ { gsub(/ /, \"\"); print \$3, \$4 }" volume.out >volume.got &&
	echo "$udp" | test_cmp - volume.got
'
test_case 'rwfilter splits by type: web answers come in, requests go out' '
	rwfilter --type=inweb --start-date=$day --proto=0- --pass=inweb.rwf &&
	rwuniq --fields=sIP --values=bytes --no-titles --delimited inweb.rwf >inweb.out &&
	LC_ALL=C sort inweb.out >inweb.sorted &&
	expected "\$3 == 80 && \$5 == 6 && \$2 ~ /^141/ { b[\$1] += \$7 } END { for (k in b) print k \"|\" b[k] }" >want &&
	test_cmp want inweb.sorted
'
test_case 'rwcut prints every record once, with times of the trace' '
	rwcut --fields=sIP,dIP,packets --no-titles --delimited all.rwf >cut.out &&
	awk -F "|" "{ n += \$3 } END { print n }" cut.out >cut.packets &&
	echo "$packets" | test_cmp - cut.packets &&
	rwcut --fields=sTime --no-titles all.rwf >times.out &&
	! grep -v "^ *2011/03/18T19:06:[0-9.]*|$" times.out
'
test_case 'rwsort orders by bytes' '
	rwsort --fields=bytes --reverse all.rwf --output-path=sorted.rwf &&
	rwcut --fields=bytes --no-titles --delimited sorted.rwf >sorted.out &&
	sort -rn sorted.out | test_cmp - sorted.out &&
	test_lines sorted.out $(wc -l <cut.out)
'
test_case 'rwstats finds the top talkers' '
	rwstats --fields=sIP --values=bytes --count=3 --no-titles --delimited all.rwf >stats.out &&
	cut -d "|" -f 1,2 stats.out >stats.got &&
	awk -F "|" "{ b[\$1] += \$7 } END { for (k in b) print k \"|\" b[k] }" "$flows" |
		sort -t "|" -k 2,2nr | head -3 | test_cmp - stats.got
'
test_case 'rwcount keeps every packet and byte' '
	rwcount --bin-size=1 --no-titles --delimited all.rwf >count.out &&
	awk -F "|" "{ p += \$4; b += \$3 } END { printf \"%.0f %.0f\n\", p, b }" count.out >count.got &&
	echo "$packets $bytes" | test_cmp - count.got
'
test_case 'rwset and rwsetcat: the addresses seen' '
	rwset --any-file=any.set all.rwf &&
	rwsetcat --cidr-blocks=0 any.set >set.out &&
	LC_ALL=C sort set.out >set.sorted &&
	expected "{ print \$1; print \$2 }" | uniq | test_cmp - set.sorted
'
test_case 'rwsetbuild and the set as a partition' '
	echo 208.80.152.0/24 | rwsetbuild - wiki.set &&
	rwfilter --type=all --start-date=$day --dipset=wiki.set --pass=wiki.rwf &&
	rwuniq --fields=dIP --values=packets --no-titles --delimited wiki.rwf >wiki.out &&
	LC_ALL=C sort wiki.out >wiki.sorted &&
	expected "\$2 ~ /^208[.]80[.]152[.]/ { p[\$2] += \$6 } END { for (k in p) print k \"|\" p[k] }" |
		test_cmp - wiki.sorted
'
test_case 'rwcat joins, rwfileinfo counts' '
	rwcat --output-path=twice.rwf all.rwf all.rwf &&
	rwfileinfo --fields=count-records --no-titles all.rwf twice.rwf >info.out &&
	rows=$(wc -l <cut.out) &&
	test_grep "^ *$rows\$" info.out && test_grep "^ *$((2 * rows))\$" info.out
'
test_case 'rwtuc reads back what rwcut prints' '
	rwcut --fields=sIP,dIP,sPort,dPort,protocol,packets,bytes,sTime,duration,flags all.rwf >text.out &&
	rwtuc --output-path=back.rwf text.out &&
	rwcut --fields=sIP,dIP,sPort,dPort,protocol,packets,bytes,sTime,duration,flags back.rwf >again.out &&
	test_cmp text.out again.out
'
test_case 'rwfglob lists the hourly files, rwsiteinfo the site' '
	rwfglob --type=all --start-date=$day:19 --no-summary >glob.out &&
	test_grep "root/inweb/2011/03/18/iw-S0_20110318.19\$" glob.out &&
	rwsiteinfo --fields=sensor --no-titles --delimited >site.out &&
	test_grep "^S0\$" site.out
'
test_case 'the packer stops in order, its log counts what came' '
	stop_packer && test_grep "records $(wc -l <cut.out)," packer.log
'
test_done
