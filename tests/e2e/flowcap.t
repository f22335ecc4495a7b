#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Files of probes for a packer elsewhere: what they are, when one ends, and each acknowledged record
# once whatever is killed.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"
mkdir out state in err
killat="python3 $TUSSAH_SRCDIR/tests/e2e/killat.py"
python3 "$TUSSAH_SRCDIR/tests/e2e/pdufile.py" pdus 100 || exit 99
records=3000
udp=$(test_port)
ipfix=$(test_port)

cat >sensor.conf <<END
probe V5 netflow-v5
	protocol udp
	listen-on-port $udp
	listen-as-host 127.0.0.1
end probe
probe IX ipfix
	protocol tcp
	listen-on-port $ipfix
end probe
sensor this-is-not-looked-at
	nor this
end sensor
END
cat >pack.conf <<END
probe V5 netflow-v5
	read-from-file /dev/null
end probe
sensor S0
	netflow-v5-probes V5
	ipfix-probes IX
	internal-ipblocks 10.0.0.0/8
	external-ipblocks remainder
end sensor
END

# start_flowcap [SWITCHES]
start_flowcap() {
	: >log
	test_start flowcap --no-daemon --log-pathname="$PWD/log" --destination-directory="$PWD/out" \
		--sensor-configuration=sensor.conf --max-file-size=10m --freespace-minimum=0 \
		--space-maximum-percent=100 "$@" &&
		flowcap=$test_pid &&
		test_wait 10 grep -q 'Started all reader threads' log
}

stop_flowcap() {
	test_stop "$flowcap" && test_grep 'Stopped logging' log
}

# total PATTERN: records of the files in out
total() {
	total_files=$(find out -maxdepth 1 -type f -name "$1" ! -empty | sort) &&
		{ [ -z "$total_files" ] || rwfileinfo --no-titles --fields=count-records $total_files; } |
		awk '{ n += $1 } END { print n + 0 }'
}

expect_total() {
	found=$(total "$1")
	[ "$found" = "$2" ] && return 0
	echo "$1: $found records instead of $2"
	ls -la out
	return 1
}

# text FILES...: all records in a fixed order, without what a site says of them
text() {
	rwsort --fields=sTime,sIP,dIP,sPort,dPort,bytes "$@" >sorted &&
		rwcut --delimited --fields=sIP,dIP,sPort,dPort,protocol,packets,bytes,flags,sTime,duration sorted
}

test_case 'a file for each probe, in its own format' '
	start_flowcap && send_pdus "$udp" &&
	rwsensor --silk --uniflow --export=tcp://127.0.0.1:$ipfix "$DATA/sensor/24-mix.pcap.gz" 2>sensor.log &&
	sent=$(sed -n "s/.*, records \([0-9]*\)$/\1/p" sensor.log) &&
	test_wait 20 sh -c "ls -A out | grep -q _V5 && ls -A out | grep -q _IX" && stop_flowcap &&
	expect_total "*_V5.*" $records && expect_total "*_IX.*" "$sent" &&
	[ -z "$(ls out | grep -v "^[0-9]\{14\}_\(V5\|IX\)\.[A-Za-z0-9]\{6\}$")" ] &&
	rwfileinfo out/*_V5.* >info && test_grep "FT_FLOWCAP" info && test_grep BigEndian info &&
	test_grep "record-version  *5" info && test_grep "probe-name  *V5" info && ! grep packed-file info &&
	rwfileinfo out/*_IX.* >info && test_grep "FT_RWIPV6ROUTING" info && test_grep "probe-name  *IX" info &&
	test_grep "V5.: Closing file .[0-9]*_V5.[A-Za-z0-9]*.: [0-9]* seconds, $records records, [0-9]* bytes, *[0-9.]*% compression" log &&
	test_grep "V5.: Reader thread started" log && test_grep "Finished closing .[0-9]*_V5" log &&
	test_grep "V5.: Pkts 100/100, Recs $records, MissRecs 0, BadRecs 0" log
'

test_case 'rwflowpack makes of them what it makes of the packets' '
	mkdir direct packed &&
	rwflowpack --input-mode=pdufile --netflow-file=pdus --sensor-configuration=pack.conf --root-directory="$PWD/direct" \
		--log-destination=none &&
	cp out/*_V5.* in/ &&
	test_start rwflowpack --no-daemon --input-mode=fcfiles --incoming-directory="$PWD/in" --polling-interval=1 \
		--sensor-configuration=pack.conf --root-directory="$PWD/packed" --error-directory="$PWD/err" \
		--log-pathname="$PWD/pack.log" &&
	packer=$test_pid && test_wait 20 sh -c "[ -z \"\$(ls in)\" ]" && cp out/*_IX.* in/ && echo junk >in/junk &&
	rwcat direct/in/2024/03/05/*12 >in/noprobe &&
	test_wait 20 sh -c "[ -z \"\$(ls in)\" ]" && test_stop "$packer" &&
	text $(find direct -type f ! -name ".*") >want && text $(find packed -name "*_20240305.*") >got && test_cmp want got &&
	test_grep "Processed file $PWD/in/[0-9]*_V5.[A-Za-z0-9]*, $records records" pack.log &&
	test_grep "No probename header in $PWD/in/noprobe" pack.log && [ "$(ls err | tr "\n" " ")" = "junk noprobe " ] &&
	rm -rf out/[0-9]* err/*
'

test_case 'a probe that feeds no sensor, or is unknown, makes its files bad ones' '
	start_flowcap --probes=V5 && send_pdus "$udp" && test_wait 20 sh -c "ls -A out | grep -q _V5" && stop_flowcap &&
	cp out/*_V5.* in/one && sed "/netflow-v5-probes/d" pack.conf >none.conf && sed "/^probe/,/^end probe/d; /netflow-v5-probes/d" pack.conf >unknown.conf &&
	for conf in none unknown; do
		test_start rwflowpack --no-daemon --input-mode=fcfiles --incoming-directory="$PWD/in" --polling-interval=1 \
			--sensor-configuration=$conf.conf --root-directory="$PWD/packed" --error-directory="$PWD/err" \
			--log-pathname="$PWD/$conf.log" &&
		packer=$test_pid && test_wait 20 sh -c "[ -z \"\$(ls in)\" ]" && test_stop "$packer" && mv err/one in/one || return 1
	done &&
	test_grep "Probe .V5. is not associated with a sensor" none.log &&
	test_grep "The sensor configuration file does not define probe .V5." unknown.log && rm -rf out/[0-9]* in/*
'

test_case 'a file ends when it is large enough, or has been open for so long' '
	start_flowcap --max-file-size=60k --compression-method=none && send_pdus "$udp" &&
	test_wait 20 sh -c "[ \$(ls out | grep -c _V5) -ge 1 ]" && stop_flowcap && expect_total "*_V5.*" $records &&
	[ "$(ls out | wc -l)" -ge 2 ] && for file in out/*; do [ "$(wc -c <$file)" -lt 140000 ] || return 1; done &&
	rm out/* && start_flowcap --timeout=1 --fc-version=3 && send_pdus "$udp" &&
	test_wait 20 sh -c "ls out | grep -q _V5 && [ -s out/*_V5.* ]" && stop_flowcap && expect_total "*_V5.*" $records &&
	rwfileinfo $(ls out/* | head -1) >info && test_grep "record-version  *3" info && rm out/*
'

test_case 'no room: it does not start' '
	test_must_fail flowcap --no-daemon --log-destination=stderr --destination-directory="$PWD/out" \
		--sensor-configuration=sensor.conf --max-file-size=1m --freespace-minimum=900t 2>err.txt &&
	test_grep "Free disk space limit overrun: free=[0-9]* < min=[0-9]* (used [0-9.]*%)" err.txt &&
	test_must_fail flowcap --no-daemon --log-destination=stderr --destination-directory="$PWD/out" \
		--sensor-configuration=sensor.conf --max-file-size=1m --freespace-minimum=0 --space-maximum-percent=0.001 2>err.txt &&
	test_grep "Free disk space limit overrun: used=[0-9.]*% > max=0.0010% (free [0-9]* bytes)" err.txt
'

test_case 'switches and configurations' '
	refuse() {
		want=$1
		shift
		test_must_fail flowcap --no-daemon --log-destination=none "$@" 2>err.txt &&
		grep -v "^Use" err.txt >lines && printf "%b" "$want" | sed "s/^\([^\t]\)/flowcap: \1/" >want.txt && diff want.txt lines
	} &&
	D="--destination-directory=$PWD/out --max-file-size=1m" &&
	refuse "The --sensor-configuration option is required\nThe --destination-directory option is required\nThe --max-file-size option is required\n" &&
	refuse "No probes have the name '\''X'\''\n" $D --sensor-configuration=sensor.conf --probes=X,V5 &&
	refuse "Invalid fc-version '\''6'\'': Value is above maximum of 5\n" $D --sensor-configuration=sensor.conf --fc-version=6 &&
	refuse "Invalid space-maximum-percent '\''101'\'': Value is above maximum of 100.000000\n" $D --sensor-configuration=sensor.conf --space-maximum-percent=101 &&
	refuse "The probe '\''V5'\'' is named twice\n" $D --sensor-configuration=sensor.conf --probes=V5,IX,V5 &&
	refuse "Invalid timeout '\''4294967295'\'': Value is above maximum of 4294967294\n" $D --sensor-configuration=sensor.conf \
		--timeout=4294967295 &&
	refuse "Cannot set facility unless log-destination is '\''syslog'\'' or '\''both'\''\n" $D --sensor-configuration=sensor.conf \
		--log-sysfacility=local1 &&
	start_flowcap --probes=,IX, --timeout=1000000 --clock-time=100000 && stop_flowcap && ! grep V5 log &&
	percent=$(df --output=pcent "$PWD/out" | tr -dc 0-9) &&
	start_flowcap --space-maximum-percent=$((percent + 2)) && stop_flowcap &&
	printf "probe A silk\n\tpoll-directory /tmp\nend probe\n" >files.conf &&
	test_must_fail flowcap $D --log-destination=none --sensor-configuration=files.conf 2>err.txt &&
	test_grep "Reading flow data from files is not supported in flowcap" err.txt &&
	printf "sensor X\nend sensor\n" >empty.conf &&
	refuse "No probe definitions exist in '\''empty.conf'\''\n" $D --sensor-configuration=empty.conf &&
	flowcap --sensor-configuration=sensor.conf --verify-sensor-config=1 >verified &&
	printf "flowcap: Successfully parsed 2 probes:\n\tV5, IX\n" >want.txt && test_cmp want.txt verified
'

$killat 0 true
if [ $? = 77 ]; then
	test_skip 'killed at changes of files' 'programs cannot be traced here'
elif ! make_pki; then
	test_skip 'killed at changes of files' 'no certificates could be made'
else
	tls=$(test_port)
	printf "probe T ipfix\n\tprotocol tls\n\tlisten-on-port %s\n\ttls-name sensor1\nend probe\n" "$tls" >tls.conf
	rwsensor --silk --uniflow --export=expected.ipfix "$DATA/sensor/20-many.pcap" 2>sensor.log || exit 99
	expected=$(sed -n "s/.*, records \([0-9]*\)$/\1/p" sensor.log)
	port=$tls
	test_case 'killed at changes of files: each acknowledged record is in one file' '
		rm -rf out && mkdir out || return 1
		sensor sensor1 --uniflow --drain-timeout=120s "$DATA/sensor/20-many.pcap" &
		sending=$!
		for at in 12 25 31 38 44 52 61 70 83 0; do
			$killat "$at" flowcap --no-daemon --log-pathname="$PWD/kill.log" --destination-directory="$PWD/out" \
				--sensor-configuration=tls.conf --max-file-size=8k --freespace-minimum=0 --space-maximum-percent=100 \
				--timeout=2 --tls-ca=pki/ca.pem --tls-cert=pki/localhost.pem --tls-key=pki/localhost.key &
			traced=$!
			while kill -0 "$traced" 2>/dev/null && kill -0 "$sending" 2>/dev/null; do sleep 0.1; done
			kill -0 "$sending" 2>/dev/null || break
		done
		wait "$sending" || { cat sensor1.log; return 1; }
		kill -TERM "$traced" 2>/dev/null
		wait "$traced"
		rm -f log && start_flowcap --sensor-configuration=tls.conf --tls-ca=pki/ca.pem \
			--tls-cert=pki/localhost.pem --tls-key=pki/localhost.key && stop_flowcap && expect_total "*_T.*" "$expected"
	'
fi
# Only root may become another.
if [ "$(id -u)" = 0 ]; then
	chmod 755 . && rm -rf out && mkdir out && chown nobody out && chmod 700 out
	low=$(python3 -c "
import socket
for port in range(700, 1024):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind((\"127.0.0.1\", port))
    except OSError:
        continue
    print(port)
    break
")
	sed "s/listen-on-port $udp/listen-on-port $low/" sensor.conf >low.conf
	test_case 'a port that only root may open, files of who it becomes' '
		start_flowcap --sensor-configuration=low.conf --user=nobody --timeout=1 &&
		[ "$(stat -c %U "/proc/$flowcap")" = nobody ] &&
		python3 "$TUSSAH_SRCDIR/tests/e2e/pdu.py" "$low" "v5 0 count=3" &&
		test_wait 10 expect_total "*_V5.*" 3 && stop_flowcap && [ -z "$(find out ! -user nobody)" ]
	'
fi
test_done
