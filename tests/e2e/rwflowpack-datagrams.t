#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# NetFlow v1, v5, v7 and sFlow over UDP: one port for exporters of every kind, what is refused, and
# what is lost. The records and the lines of the log are those of SiLK's rwflowpack.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

port=$(test_port)
alone=$(test_port)
send() {
	python3 "$TUSSAH_SRCDIR/tests/e2e/pdu.py" "$@"
}

cat >sensor.conf <<END
probe V netflow
	protocol udp
	listen-on-port $port
end probe
probe X ipfix
	protocol udp
	listen-on-port $port
end probe
probe F sflow
	protocol udp
	listen-on-port $port
end probe
probe A netflow-v5
	protocol udp
	listen-on-port $alone
	listen-as-host 127.0.0.1
	log-flags none
end probe
END
fixed_sensor S0 V | sed s/ipfix-/netflow-/ >>sensor.conf
fixed_sensor S1 X >>sensor.conf
fixed_sensor S2 F | sed s/ipfix-/sflow-/ >>sensor.conf
fixed_sensor S3 A | sed s/ipfix-/netflow-v5-/ >>sensor.conf

# in the packer's log, without the times
said() {
	grep -qF "]: $1" packer.log || {
		echo "not said: $1"
		return 1
	}
}

cut_all() {
	rwcut --fields=sip,dip,sport,dport,protocol,packets,bytes,flags,stime,duration,in,out,nhip --no-columns \
		--no-titles --no-final-delimiter $(find root -name "*-$1_*" | sort)
}

test_case 'the packer starts' '
	start_packer &&
	said "Creating PDU Reader for probe '"'V'"' on $port" &&
	said "Creating IPFIX Reader for probe '"'X'"' on $port" &&
	said "Creating sFlow Reader for probe '"'F'"' on $port" &&
	said "Creating PDU Reader for probe '"'A'"' on [127.0.0.1]:$alone"
'

test_case 'NetFlow v5, v1 and v7' '
	send "$port" "v5 0 ; v5 1 protocol=1 sport=0x0304 dport=0 ; v5 2 first=4294967000 last=1000 ;
		v5 3 packets=0 ; v5 4 packets=5 bytes=4 ; v5 5 first=2000 last=1999 ; v1 0 sip=10.0.1.1 ;
		v7 0 sip=10.0.7.1" &&
	test_wait 20 expect_count S0 5 &&
	cut_all S0 | sort >out &&
	cat >expected <<END
10.0.0.1|10.0.0.2|0|1027|1|3|300|FSPA|2023/11/14T22:11:41.123|1.000|11|12|10.0.0.3
10.0.0.1|10.0.0.2|1024|80|6|3|300|FSPA|2023/11/14T22:11:39.827|1.296|11|12|10.0.0.3
10.0.0.1|10.0.0.2|1024|80|6|3|300|FSPA|2023/11/14T22:11:41.123|1.000|11|12|10.0.0.3
10.0.1.1|10.0.0.2|1024|80|6|3|300|FSPA|2023/11/14T22:11:41.123|1.000|11|12|10.0.0.3
10.0.7.1|10.0.0.2|1024|80|6|3|300|FSPA|2023/11/14T22:11:41.123|1.000|11|12|10.0.0.3
END
	test_cmp expected out &&
	said "'"'V'"': Netflow record has zero packets or bytes" &&
	said "'"'V'"': Netflow record has more packets them bytes" &&
	said "'"'V'"': Netflow record has earlier end time than start time"
'

test_case 'statistics have the form of their probe' '
	test_wait 20 grep -q "'"'V': Pkts 8/8, Recs 5, MissRecs 0, BadRecs 3"'" packer.log &&
	test_grep "'"'F': forward 0, reverse 0, ignored 0, sflow: missing-pkts 0; records 0"'" packer.log
'

test_case 'nothing is lost so far' '
	rwsiteinfo --fields=sensor,loss,loss-hours --no-columns --no-titles --no-final-delimiter \
		--data-rootdir=root --sensors=S0,S2 >out &&
	printf "S0|0|0\nS2|0|0\n" >expected && test_cmp expected out &&
	rwfilter --data-rootdir=root --type=all --start-date=2023/11/14T22 --protocol=0- --pass=stdout 2>err |
		cat >whole.rw &&
	test_cmp /dev/null err
'

test_case 'a gap, a late datagram, version 8 and rubbish' '
	send "$port" "v5 13 ; v5 6 ; v5 14 engine=0x0203 ; v8 ; v8 ; v5 14 count=0 ; raw 00050001 ; v5 14 count=2 cut=1" &&
	test_wait 20 expect_count S0 8 &&
	said "'"'V'"': Out-of-sequence packet: expecting 14, received 6, difference -8, elapsed 0.000000 sec, engine 0.0; treating 1 flows as arriving late" &&
	said "'"'V'"': Rejected PDU record reporting zero records" &&
	said "'"'V'"': Rejected PDU record due to truncated header" &&
	said "'"'V'"': Rejected PDU record due to truncated data section" &&
	! grep -q "rejected message of" packer.log &&
	test_wait 20 grep -q "'"'V': Pkts 3/8, Recs 3, MissRecs 0, BadRecs 0"'" packer.log
'

test_case 'sFlow, and NetFlow among it' '
	send "$port" "pcap $DATA/sflow/sflow_expanded.pcap ; pcap $DATA/sflow/sflow_multiple_counter_30_pdus.pcap ;
		pcap $DATA/sflow/sflow-print-v6.pcap" &&
	test_wait 20 expect_count S2 14 &&
	test_wait 20 expect_count S0 15 &&
	rwcut --fields=sip,dip,sport,dport,protocol,packets,bytes,flags,in,nhip --no-columns --no-titles \
		--no-final-delimiter $(find root -name "*-S2_*" | sort) >out &&
	test_grep "^52.52.52.52|53.53.53.53|22|52237|6|1|126| *PA *|29001|54.54.54.54$" out
'

test_case 'extension columns' '
	rwcut --fields=sip,samplingInterval,ipClassOfService,bgpSourceAsNumber,bgpDestinationAsNumber,vlanId,sourceMacAddress \
		--no-columns --no-titles --no-final-delimiter $(find root -name "*-S2_*" | sort) >out &&
	test_grep "^52.52.52.52|1000|8|203476|203361|809|94:8e:d3:0a:71:3b$" out &&
	send "$port" "v5 0 sip=10.9.9.9 sampling=0x4064" && test_wait 20 expect_count S0 16 &&
	rwcut --fields=sip,samplingInterval,samplingAlgorithm,ipClassOfService,bgpSourceAsNumber,bgpDestinationAsNumber,sourceIPv4PrefixLength \
		--no-columns --no-titles --no-final-delimiter $(find root -name "*-S0_*" | sort) >out &&
	test_grep "^10.9.9.9|100|1|40|64512|64513|24$" out
'

test_case 'an address of its own' '
	send "$alone" "v5 0 ; v5 50" && test_wait 20 expect_count S3 2 && ! grep "'"'A'"': Out-of" packer.log
'

test_case 'the packer stops' 'stop_packer'

test_case 'counters of interfaces are kept' '
	cat $(find root/.interfaces -type f) >lines &&
	awk "!seen[\$2, \$3, \$4, \$5]++" lines >interfaces && test_lines interfaces 109 &&
	test_grep "^[0-9/T]* F 15.184.8.4 2 55 time=[0-9]* type=117 speed=1000000000 direction=1 status=3 in-bytes=820721 in-unicast=9601 in-broadcast=1302 out-bytes=178785248 out-unicast=9736 out-multicast=132958 out-broadcast=2213534$" lines &&
	rwsiteinfo --interface-counters=2020/01/01-2039/12/31 --data-rootdir=root --no-columns >out &&
	test_grep "^Hour|Probe|Agent|Sub-Agent|Interface|type|speed|direction|status|in-bytes|in-unicast|" out &&
	test_grep "^[0-9/T]*|F|15.184.8.4|2|55|117|1000000000|1|3|820721|9601|0|1302|0|0|0|178785248|9736|132958|2213534|0|0|$" out &&
	rwsiteinfo --interface-counters=2020/01/01 --data-rootdir=root --no-columns --no-titles >out &&
	test_cmp /dev/null out &&
	test_must_fail rwsiteinfo --interface-counters=yesterday --data-rootdir=root >out 2>&1 &&
	test_grep "Invalid interface-counters .yesterday." out
'

test_case 'what was lost is told' '
	test_grep "'"'V'"': NetFlow version 8 .*is not collected" packer.log &&
	[ "$(grep -c "NetFlow version 8" packer.log)" = 1 ] &&
	rwsiteinfo --fields=sensor,loss,loss-hours --no-columns --no-titles --no-final-delimiter \
		--data-rootdir=root --sensors=S3 >out &&
	printf "S3|49|1\n" >expected && test_cmp expected out &&
	awk "/ S3 A /" root/.loss/2023/11/14 >line &&
	test_grep "^2023/11/14T22 S3 A received=[12] missing=49$" line
'

test_case 'rwfilter warns, and changes nothing else' '
	rwfilter --data-rootdir=root --type=all --sensors=S3 --start-date=2023/11/14T22 --protocol=0- \
		--print-statistics=stats --pass=warned.rw 2>err &&
	printf "rwfilter: the selected data are known to be short: 49 records (missing) in 1 hour of sensors, first 2023/11/14T22 of S3\n" >expected &&
	test_cmp expected err &&
	rwfilter --data-rootdir=root --type=all --sensors=S3 --start-date=2023/11/14T22 --protocol=0- \
		--no-loss-warning --print-statistics=stats2 --pass=silent.rw 2>err &&
	test_cmp /dev/null err && test_cmp stats stats2 &&
	rwcut warned.rw >a && rwcut silent.rw >b && test_cmp a b &&
	rwfilter --data-rootdir=root --type=all --sensors=S3 --start-date=2023/11/14T21 --protocol=0- \
		--pass=none.rw 2>err &&
	test_cmp /dev/null err
'

test_done
