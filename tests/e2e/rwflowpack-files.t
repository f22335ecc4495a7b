#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The packer's modes that read files, and those that write incremental files: what goes where, what is
# refused, and each record once whatever is killed.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"
mkdir in err arc incr send
killat="python3 $TUSSAH_SRCDIR/tests/e2e/killat.py"
python3 "$TUSSAH_SRCDIR/tests/e2e/pdufile.py" pdus 60 || exit 99
records=1800

cat >sensor.conf <<END
probe P netflow-v5
	read-from-file /dev/null
end probe
sensor S0
	netflow-v5-probes P
	internal-ipblocks 10.0.0.0/8
	external-ipblocks remainder
end sensor
END

# pdufile [SWITCHES]
pdufile() {
	rwflowpack --input-mode=pdufile --netflow-file=pdus --sensor-configuration=sensor.conf \
		--log-destination="$PWD/log" "$@"
}

# start_files MODE [SWITCHES]
start_files() {
	: >log
	files_mode=$1
	shift
	test_start rwflowpack --no-daemon --input-mode="$files_mode" --incoming-directory="$PWD/in" \
		--polling-interval=1 --flush-timeout=1 --log-pathname="$PWD/log" "$@" &&
		packer=$test_pid &&
		test_wait 10 grep -q 'Starting flush timer' log
}

stop_files() {
	test_stop "$packer" && test_grep 'Stopped logging' log
}

taken() {
	[ -z "$(ls in)" ]
}

# total FOLDER: records in all its files
total() {
	total_files=$(find "$1" -name ".rwflowpack*" -prune -o -type f ! -name ".*" ! -empty -print | sort) &&
		{ [ -z "$total_files" ] || rwfileinfo --no-titles --fields=count-records $total_files; } |
		awk '{ n += $1 } END { print n + 0 }'
}

# expect_total FOLDER N
expect_total() {
	found=$(total "$1")
	[ "$found" = "$2" ] && return 0
	echo "$1: $found records instead of $2"
	find "$1" | head -50
	return 1
}

# text FILES...: all records in a fixed order
text() {
	rwsort --fields=sTime,sIP,dIP,sPort,dPort,bytes "$@" >sorted && rwcut --delimited sorted
}

test_case 'a file of NetFlow v5 is packed, and stays' '
	pdufile --root-directory="$PWD/root" --file-format=silk &&
	expect_total root $records && test -s pdus &&
	test_grep "P.: Pkts 60/60, Recs $records, MissRecs 0, BadRecs 0" log &&
	test_grep "Finished processing PDU file" log && test_grep "Stopped logging" log &&
	[ -z "$(ls -a root | grep rwflowpack)" ] &&
	rwfileinfo root/in/2024/03/05/in-S0_20240305.12 >info && test_grep FT_RWSPLIT info &&
	rwfileinfo root/outweb/2024/03/05/ow-S0_20240305.12 >info && test_grep FT_RWWWW info &&
	text $(find root -type f) >want
'

test_case 'so it is from gzip, into block files, with interfaces' '
	gzip -c pdus >pdus.z && rm -rf root && mkdir root &&
	pdufile --netflow-file=pdus.z --root-directory="$PWD/root" &&
	text $(find root -type f) >got && test_cmp want got &&
	rm -rf root && mkdir root &&
	pdufile --root-directory="$PWD/root" --file-format=silk --pack-interfaces &&
	expect_total root $records &&
	rwfileinfo root/in/2024/03/05/in-S0_20240305.12 >info && test_grep FT_RWROUTED info
'

test_case 'two sensors, or zero packets as one, ask for the wide format' '
	{ cat sensor.conf && printf "sensor S1\n\tnetflow-v5-probes P\n\tsource-network external\n\tdestination-network internal\nend sensor\n"; } >two.conf &&
	rm -rf root && mkdir root &&
	pdufile --sensor-configuration=two.conf --root-directory="$PWD/root" --file-format=silk &&
	expect_total root $((records * 2)) &&
	rwfileinfo root/in/2024/03/05/in-S0_20240305.12 >info && test_grep "FT_RWIPV6(" info &&
	sed "s/read-from-file.*/&\n\tquirks zero-packets/" sensor.conf >zero.conf &&
	rm -rf root && mkdir root &&
	pdufile --sensor-configuration=zero.conf --root-directory="$PWD/root" --file-format=silk &&
	rwfileinfo root/in/2024/03/05/in-S0_20240305.12 >info && test_grep "FT_RWIPV6(" info
'

test_case 'unreadable content is an empty file; a file that is not there is an error' '
	rm -rf root && mkdir root && echo "no packets" >junk &&
	pdufile --netflow-file=junk --root-directory="$PWD/root" && expect_total root 0 &&
	test_grep "P.: Pkts 0/0, Recs 0" log &&
	dd if=/dev/zero of=zeros bs=1464 count=3 2>/dev/null &&
	pdufile --netflow-file=zeros --root-directory="$PWD/root" && test_grep "Pkts 0/3, Recs 0" log &&
	test_must_fail pdufile --netflow-file=none --root-directory="$PWD/root" && test_grep "none: No such file" log
'

test_case 'archived when asked' '
	cp pdus copy && pdufile --netflow-file="$PWD/copy" --root-directory="$PWD/root" --archive-directory="$PWD/arc" \
		--flat-archive --post-archive-command="echo %s >ran" && test ! -e copy && test_cmp pdus arc/copy &&
	test_wait 10 test -s ran && rm arc/copy
'

test_case 'incremental files: names, and nothing else in the directory' '
	pdufile --output-mode=incremental-files --incremental-directory="$PWD/incr" &&
	expect_total incr $records && text $(find incr -type f) >got && test_cmp want got &&
	[ -z "$(ls -A incr | grep -v "^[a-z2]*-S0_20240305\.1[1-3]\.[A-Za-z0-9]\{6\}$")" ] &&
	test_grep "Opening new incremental file .in-S0_20240305.12." log &&
	test_grep "$PWD/incr/.in-S0_20240305.12.[A-Za-z0-9]*: [0-9]* recs" log &&
	test_grep "Successfully moved [0-9]*/[0-9]* files." log &&
	rwfileinfo incr/in-S0_20240305.12.* >info && test_grep FT_RWSPLIT info && test_grep "packed-file-info.*in S0" info
'

test_case 'rwflowappend makes of them what the packer would have' '
	mkdir appended &&
	test_start rwflowappend --no-daemon --log-destination=none --polling-interval=1 --incoming-directory="$PWD/incr" \
		--root-directory="$PWD/appended" --error-directory="$PWD/err" &&
	append=$test_pid && test_wait 20 sh -c "[ -z \"\$(ls incr)\" ]" && test_stop "$append" && rm -f incr/.rwflowappend-lock &&
	text $(find appended -type f ! -name ".*") >got && test_cmp want got &&
	mkdir direct && pdufile --root-directory="$PWD/direct" --file-format=silk &&
	for file in $(cd direct && find . -type f ! -name ".*"); do cmp direct/$file appended/$file || return 1; done
'

test_case 'sending: files go to the other directory' '
	pdufile --output-mode=sending --incremental-directory="$PWD/incr" --sender-directory="$PWD/send" &&
	[ -z "$(ls -A incr)" ] && expect_total send $records && text $(find send -type f) >got && test_cmp want got && rm send/*
'

test_case 'SiLK files again, as they are filed' '
	cp direct/in/2024/03/05/in-S0_20240305.12 in/one && rwcat direct/out/2024/03/05/* >in/two &&
	n=$(total in) && rm -rf root && mkdir root && echo junk >in/junk &&
	start_files respool --root-directory="$PWD/root" --error-directory="$PWD/err" --archive-directory="$PWD/arc" &&
	test_wait 20 taken && stop_files && expect_total root $n && [ "$(ls err)" = junk ] && rm err/junk &&
	[ "$(find arc -type f | wc -l)" = 2 ] && test_grep "Using packing logic from respool" log &&
	test_grep "$PWD/in/one: Recs  *[0-9]*$" log && test_grep "File .*/in/junk. does not appear to be a valid SiLK Flow file" log &&
	text $(find root -type f ! -name ".*") >got && text $(find arc -type f) >respooled && test_cmp respooled got && rm -rf arc/*
'

test_case 'a record that is filed under what the site does not know puts its file aside whole' '
	rwtuc --fields=sip,dip,proto,packets,bytes,stime,duration,sensor,type --output-path=known.rw <<END &&
10.0.0.1|10.0.0.2|6|1|40|2024/03/05T12:00:00|0|S0|in|
10.0.0.1|10.0.0.2|6|1|40|2024/03/05T12:00:00|0||
END
	cp known.rw in/unknown && rm -rf root && mkdir root &&
	start_files respool --root-directory="$PWD/root" --error-directory="$PWD/err" &&
	test_wait 20 taken && stop_files && expect_total root 0 && test -s err/unknown && rm err/unknown &&
	test_grep "Unable to generate pathname to file" log
'

test_case 'without an error directory a bad file stops the packer, and stays' '
	echo junk >in/junk && start_files respool --root-directory="$PWD/root" &&
	wait "$packer" && test -s in/junk && rm in/junk && test_grep "does not appear to be a valid" log
'

test_case 'one packer reads a directory' '
	start_files respool --root-directory="$PWD/root" &&
	test_must_fail rwflowpack --no-daemon --input-mode=respool --incoming-directory="$PWD/in" \
		--root-directory="$PWD/root" --log-destination=stderr 2>err.txt &&
	test_grep "another rwflowpack reads" err.txt && stop_files
'

test_case 'flushed in time: incremental files appear while the packer runs; what sending has not sent stays' '
	cp direct/in/2024/03/05/in-S0_20240305.12 in/one && n=$(total in) &&
	start_files respool --output-mode=incremental-files --incremental-directory="$PWD/incr" &&
	test_wait 20 sh -c "ls incr/in-S0_20240305.12.* && [ -s incr/in-S0_20240305.12.* ]" && stop_files && expect_total incr $n &&
	rm incr/* && cp direct/in/2024/03/05/in-S0_20240305.12 in/one &&
	start_files respool --output-mode=sending --incremental-directory="$PWD/incr" --sender-directory="$PWD/send" \
		--flush-timeout=600 &&
	test_wait 20 taken && stop_files && [ -z "$(ls send)" ] && [ -e incr/in-S0_20240305.12.* ] &&
	start_files respool --output-mode=sending --incremental-directory="$PWD/incr" --sender-directory="$PWD/send" &&
	stop_files && expect_total send $n && [ -z "$(ls incr)" ] && rm send/*
'

# killed_pdus N SWITCHES...: killed about the 11Nth change, and again, then left alone. So many records are
# committed three times, with about 120 changes each.
many=24000
killed_pdus() {
	killed=$1
	shift
	for at in $((killed * 11)) $((killed * 7 % 40 + 1)) 0; do
		$killat "$at" rwflowpack --input-mode=pdufile --netflow-file=many --sensor-configuration=sensor.conf \
			--file-cache-size=4 --log-destination="$PWD/k$killed/log" "$@"
		[ $? != 9 ] && break
	done
	true
}

# killed_respool N SWITCHES...
killed_respool() {
	killed=$1
	shift
	mkdir -p "k$killed/in" && cp direct/in/2024/03/05/in-S0_20240305.1* "k$killed/in" || return 1
	for at in "$killed" $((killed * 5 % 40 + 1)) 0; do
		$killat "$at" rwflowpack --no-daemon --input-mode=respool --incoming-directory="$PWD/k$killed/in" \
			--polling-interval=1 --flush-timeout=1 --log-destination="$PWD/k$killed/log" "$@" &
		traced=$!
		until { [ -z "$(ls "k$killed/in")" ] && [ -z "$(ls -A "k$killed/incr" 2>/dev/null | grep '^\.[a-z]*-S0')" ]; } ||
			! kill -0 "$traced" 2>/dev/null; do
			sleep 0.1
		done
		kill -TERM "$traced" 2>/dev/null
		wait "$traced"
	done
	[ -z "$(ls "k$killed/in")" ]
}

test_case 'datagrams into incremental files, while the packer runs and when it ends' '
	port=$(test_port) &&
	sed "s/read-from-file.*/protocol udp\n\tlisten-on-port $port\n\tlisten-as-host 127.0.0.1/" sensor.conf >udp.conf &&
	: >log &&
	test_start rwflowpack --no-daemon --sensor-configuration=udp.conf --output-mode=incremental-files \
		--incremental-directory="$PWD/incr" --flush-timeout=1 --log-pathname="$PWD/log" &&
	packer=$test_pid && test_wait 10 grep -q "Starting flush timer" log &&
	send="
import socket, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.connect((\"127.0.0.1\", $port))
data = open(\"pdus\", \"rb\").read()
for at in range(0, len(data), 1464): out.send(data[at:at + 1464]); time.sleep(0.001)" &&
	python3 -c "$send" &&
	test_wait 20 sh -c "ls incr/in-S0_20240305.12.* && [ -s incr/in-S0_20240305.12.* ]" &&
	test_wait 20 sh -c "[ -z \"\$(ls -A incr | grep \"^[.][a-z]*-S0\")\" ]" &&
	python3 -c "$send" && stop_files &&
	expect_total incr $((records * 2)) && test_grep "Successfully moved" log &&
	[ -z "$(ls -A incr | grep -v -e "-S0_20240305" -e "^.rwflowpack")" ] && rm -rf incr && mkdir incr
'

test_case 'directories of NetFlow v5 and of flow records, for probes' '
	mkdir pdu-in silk-in && rm -rf root polled && mkdir root polled &&
	cat >poll.conf <<END &&
probe P netflow-v5
	poll-directory $PWD/pdu-in
end probe
probe R silk
	poll-directory $PWD/silk-in
end probe
END
	for pair in P:S0:netflow-v5 R:S1:silk; do
		probe=${pair%%:*} rest=${pair#*:} &&
		printf "sensor %s\n\t%s-probes %s\n\tinternal-ipblocks 10.0.0.0/8\n\texternal-ipblocks remainder\nend sensor\n" \
			"${rest%:*}" "${rest#*:}" "$probe"
	done >>poll.conf &&
	pdufile --root-directory="$PWD/root" && rm -rf arc/* &&
	cp pdus pdu-in/pdus && echo junk >pdu-in/bad && { head -c 1464 pdus; head -c 1464 /dev/zero; tail -c +1465 pdus; } | gzip >pdu-in/zeros &&
	rwcat direct/*/2024/03/05/* >silk-in/good && echo junk >silk-in/junk && rwtuc --output-path=silk-in/empty </dev/null &&
	: >log &&
	test_start rwflowpack --no-daemon --sensor-configuration=poll.conf --root-directory="$PWD/polled" --polling-interval=1 \
		--flush-timeout=1 --file-format=silk --error-directory="$PWD/err" --archive-directory="$PWD/arc" --log-pathname="$PWD/log" &&
	packer=$test_pid && test_wait 30 sh -c "[ -z \"\$(ls pdu-in silk-in | grep -v :)\" ]" && stop_files &&
	[ "$(ls err | tr "\n" " ")" = "bad junk " ] && rm err/* && [ "$(find arc -type f | wc -l)" = 4 ] &&
	test_grep "Creating Directory Reader poller for netflow-v5 probe P on .$PWD/pdu-in." log &&
	test_grep "P.: Directory Reader processing netflow-v5 file .pdus." log &&
	test_grep "P.: Pkts 60/60, Recs $records, MissRecs 0, BadRecs 0" log && test_grep "P.: Pkts 60/61, Recs $records" log &&
	test_grep "File .$PWD/pdu-in/bad. does not appear to be a valid netflow-v5 file" log &&
	test_grep " good: Recs  *$records$" log && test_grep " empty: Recs  *0$" log &&
	[ "$(find polled -name "*-S0_*" | xargs rwfileinfo --no-titles --fields=count-records | awk "{ n += \$1 } END { print n }")" = $((records * 2)) ] &&
	text $(find root -type f ! -name ".*") | sed "s/|S[01]$//" >want.s && text $(find polled -name "*-S1_*") | sed "s/|S[01]$//" >got && test_cmp want.s got &&
	rwfileinfo polled/in/2024/03/05/in-S0_20240305.12 >info && test_grep FT_RWSPLIT info &&
	rwfileinfo polled/in/2024/03/05/in-S1_20240305.12 >info && test_grep "FT_RWIPV6(" info
'

test_case 'extension columns of block files stay, through a probe' '
	rm -rf silk-in polled/* && mkdir silk-in && sed "/^probe P/,/^end probe/d; /^sensor S0/,/^end sensor/d" poll.conf >silk.conf &&
	mkdir blocks && pdufile --root-directory="$PWD/blocks" && blocks=$(find blocks -type f ! -name ".*") &&
	rwfileinfo --no-titles --fields=extension-columns $blocks >columns && test_grep ipClassOfService columns &&
	cp $blocks silk-in/ && : >log &&
	test_start rwflowpack --no-daemon --sensor-configuration=silk.conf --root-directory="$PWD/polled" --polling-interval=1 \
		--flush-timeout=1 --log-pathname="$PWD/log" &&
	packer=$test_pid && test_wait 30 sh -c "[ -z \"\$(ls silk-in)\" ]" && stop_files &&
	fields=sIP,dIP,sPort,dPort,bytes,sTime,ipClassOfService &&
	rwcut --delimited --fields=$fields $blocks | sort >want && rwcut --delimited --fields=$fields $(find polled -name "*-S1_*") | sort >got &&
	test_lines want $((records + 1)) && test_cmp want got
'

kill_step=3
[ "${TUSSAH_LONG-}" != yes ] || kill_step=1

# each_kill LAST FUNCTION FOLDER N: in all folders k1 ... side by side
each_kill() {
	killers=
	for n in $(seq 1 $kill_step "$1"); do
		(
			mkdir -p k$n/root k$n/incr k$n/send && $2 $n >k$n/out 2>&1 && expect_total k$n/$3 $4
		) >k$n.failed 2>&1 &
		killers="$killers $!"
	done
	for killer in $killers; do
		wait $killer || { cat k*.failed; for d in k*/; do tail -2 $d/log; done; return 1; }
	done
	rm -rf k[0-9]*
}

pdus_local() { killed_pdus "$1" --root-directory="$PWD/k$1/root"; }
pdus_incremental() { killed_pdus "$1" --output-mode=incremental-files --incremental-directory="$PWD/k$1/incr"; }
respool_local() { killed_respool "$1" --root-directory="$PWD/k$1/root"; }
respool_sending() {
	killed_respool "$1" --output-mode=sending --incremental-directory="$PWD/k$1/incr" --sender-directory="$PWD/k$1/send"
}

# killed_stream N SWITCHES...: with files for a probe to read
killed_stream() {
	killed=$1
	shift
	mkdir -p "k$killed/in" && cp flows.$stream_type "k$killed/in/one" && cp flows.$stream_type "k$killed/in/two" || return 1
	printf "probe D $stream_type\n\tpoll-directory %s\nend probe\n" "$PWD/k$killed/in" >"k$killed/sensor.conf"
	fixed_sensor S0 D | sed "s/ipfix-/$stream_type-/" >>"k$killed/sensor.conf"
	set -- rwflowpack --no-daemon --sensor-configuration="k$killed/sensor.conf" --polling-interval=1 --flush-timeout=1 \
		--log-destination="$PWD/k$killed/log" "$@"
	for at in $((killed * 4)) $((killed * 5 % 40 + 1)); do
		$killat "$at" "$@" &
		traced=$!
		until [ -z "$(ls "k$killed/in")" ] || ! kill -0 "$traced" 2>/dev/null; do
			sleep 0.1
		done
		kill -TERM "$traced" 2>/dev/null
		wait "$traced"
	done
	rm -f "k$killed/log"
	"$@" &
	traced=$!
	until [ -z "$(ls "k$killed/in")" ] && grep -q "Starting flush timer" "k$killed/log"; do
		kill -0 "$traced" || return 1
		sleep 0.1
	done
	kill -TERM "$traced" && wait "$traced"
}
stream_local() { killed_stream "$1" --root-directory="$PWD/k$1/root"; }
stream_incremental() { killed_stream "$1" --output-mode=incremental-files --incremental-directory="$PWD/k$1/incr"; }

$killat 0 true
if [ $? = 77 ]; then
	test_skip 'killed at every change' 'programs cannot be traced here'
else
	in=$(total direct/in)
	python3 - <<END
one = open("pdus", "rb").read(1464 * 20)
open("many", "wb").write(one * (24000 // 600))
END
	test_case 'killed in the middle of a file, it goes on there: into hourly files' '
		each_kill 32 pdus_local root $many
	'
	test_case 'and into incremental files' '
		each_kill 32 pdus_incremental incr $many
	'
	test_case 'killed among several files: into hourly files' "
		each_kill 36 respool_local root $in
	"
	test_case 'and into files that are sent' "
		each_kill 36 respool_sending send $in
	"
	rwsensor --silk --uniflow --export=flows.ipfix "$DATA/sensor/24-mix.pcap.gz" 2>sensor.log || exit 99
	in=$(sed -n "s/.*, records \([0-9]*\)$/\1/p" sensor.log)
	stream_type=ipfix
	test_case 'through the journal into incremental files' "
		each_kill 36 stream_incremental incr $((in * 2))
	"
	stream_type=silk
	rwipfix2silk --silk-output=flows.silk flows.ipfix || exit 99
	test_case 'files of flow records through the journal' "
		each_kill 36 stream_local root $((in * 2))
	"
fi

test_case 'switches that do not go with a mode are told' '
	refuse() {
		want=$1
		shift
		test_must_fail rwflowpack --no-daemon --log-destination=none "$@" 2>err.txt &&
		grep -v "^Use" err.txt >lines && printf "%b" "$want" | sed "s/^\([^\t]\)/rwflowpack: \1/" >want.txt && diff want.txt lines
	} &&
	{ cat sensor.conf && sed "s/probe P/probe Q/; s/probes P/probes Q/; s/S0/S1/" sensor.conf; } >many.conf &&
	S="--sensor-configuration=sensor.conf" && D="--root-directory=$PWD/root" &&
	refuse "The --incoming-directory switch is required in Respool SiLK Files Input Mode\nThe --root-directory switch is required in Local-Storage Output Mode\n" \
		--input-mode=respool &&
	refuse "The --sensor-configuration switch is illegal in Respool SiLK Files Input Mode\nThe --netflow-file switch is illegal in Respool SiLK Files Input Mode\n" \
		--input-mode=respool --incoming-directory="$PWD/in" $S $D --netflow-file=x &&
	refuse "The --sensor-configuration switch is required in PDU-File Input Mode\nThe --netflow-file switch is required in PDU-File Input Mode\n" \
		--input-mode=pdufile $D &&
	refuse "The --sensor-name switch is illegal in Flowcap Files Input Mode\n" \
		--input-mode=fcfiles --incoming-directory="$PWD/in" $S $D --sensor-name=S0 &&
	refuse "The --root-directory switch is illegal in Sending Output Mode\nThe --incremental-directory switch is required in Sending Output Mode\nThe --sender-directory switch is required in Sending Output Mode\n" \
		--output-mode=sending $S $D &&
	refuse "Invalid input-mode '\''file'\''\n" --input-mode=file &&
	refuse "Multiple netflow-v5 probes specified.  The pdufile input\n\tmode requires a single probe that reads from a file.\n" \
		--input-mode=pdufile --netflow-file=pdus $D --sensor-configuration=many.conf
'
test_done
