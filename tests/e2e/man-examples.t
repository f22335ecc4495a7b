#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every example of every manual page runs: its blocks in the section EXAMPLES, one after the other, in a folder that
# has the files they name. One that exits with another status than 0, anywhere in a pipe, or prints an error of a
# program of ours, fails.
# In the source of a page a comment before a block says what else it is:
#	<!-- not run: WHY -->	needs what a test cannot have: a daemon's place, a network, root
#	<!-- file: NAME -->	no command, but the content of the file NAME
# The folders /data, /etc/tussah, /var and so on are those of the prepared folder.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_TIMESTAMP_FORMAT SILK_IP_FORMAT RWFILTER RWSCANRC
SILK_CLOBBER=1 # some make files that others read
RES_OPTIONS='timeout:1 attempts:1'
export SILK_CLOBBER RES_OPTIONS

BOX=$SCRATCH/box
titles='sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|sensor|class|type'
# flows DAY TYPE: some records of a day
flows() {
	echo "$titles"
	awk -v day="$1" -v type="$2" 'BEGIN { for (i = 0; i < 60; i++)
		printf "198.51.100.%d|192.0.2.%d|%d|%d|%d|%d|%d|S|%sT10:%02d:%02d|%d|S%d|all|%s\n", i % 9 + 1, i % 50 + 1,
			1024 + i, i % 3 ? 443 : i % 2 ? 53 : 22, i % 5 ? 6 : 17, i % 7 + 1, (i % 7 + 1) * 60, day, i, i, i % 20, i % 2, type }'
}
# hour DAY TYPE FLOWTYPE: an hourly file of each sensor
hour() {
	for sensor in 0 1; do
		mkdir -p "$BOX/data/$2/$1" && flows "$1" "$2" | grep -e sIP -e "|S$sensor|" |
			rwtuc | rwcat --output-path="$BOX/data/$2/$1/$3-S${sensor}_$(echo "$1" | tr -d /).10" || return 1
	done
}
export SILK_CONFIG_FILE=$BOX/data/silk.conf SILK_DATA_ROOTDIR=$BOX/data SILK_COUNTRY_CODES=$BOX/country_codes.pmap

make_records() {
	for name in flows a b c both sample5 sample6 results day; do
		flows 2024/03/05 in >flows.txt && rwtuc --output-path="$BOX/$name.rw" flows.txt || return 1
	done
	cp flows.txt "$BOX/flows.txt" && awk 'BEGIN { for (i = 1; i <= 40; i++)
		printf "10.0.0.1|192.0.2.%d|5000|80|6|1|40|S|2024/03/05T10:30:%02d|0.5|S0|all|in\n", i, i }' >>flows.txt &&
		rwtuc --output-path="$BOX/flows.rw" flows.txt && rwsort --fields=1,2,stime --output-path="$BOX/query.rw" "$BOX/a.rw" &&
		awk -F'|' -v OFS='|' 'NR > 1 { t = $1; $1 = $2; $2 = t; t = $3; $3 = $4; $4 = t } { print }' "$BOX/flows.txt" >back.txt &&
		rwtuc back.txt | rwsort --fields=2,1,stime --output-path="$BOX/response.rw"
}
make_repository() {
	hour 2024/03/05 in in && hour 2024/03/05 inweb iw && hour 2024/03/05 out out && hour 2024/02/12 in in &&
		hour 2025/03/18 in in && hour 2026/03/18 in in && hour 2011/03/18 inweb iw &&
		rwconvert --output-path="$BOX/in-S0_20240305.12" "$BOX/data/in/2024/03/05/in-S0_20240305.10" &&
		rwconvert --in-place "$BOX"/data/in/202[56]/03/18/* &&
		mv "$BOX/data/inweb/2024/03/05/iw-S0_20240305.10" "$BOX/data/inweb/2024/03/05/iw-S0_20240305.14" &&
		"$TUSSAH_BUILDDIR/tests/format/columntool" "$BOX/in-S0_20240305.06" <<-'E'
			sip=10.0.0.1 dip=192.0.2.1 sport=1 dport=80 protocol=6 bytes=100 0/225:18=203.0.113.5 0/371:13=bob
		E
}
make_sets() {
	printf '198.51.100.0/25\n192.0.2.1\n192.0.2.7\n' >"$BOX/list.txt" &&
		for name in hosts watch scanners inside; do
			rwsetbuild "$BOX/list.txt" "$BOX/$name.set" || return 1
		done
	for name in bytes total hour today yesterday; do
		rwbag --bag-file="sIPv4,bytes,$BOX/$name.bag" "$BOX/flows.rw" || return 1
	done
	for name in flows pairs; do
		rwaggbag --keys=sIPv4,dIPv4,dPort --counters=sum-bytes,records --output-path="$BOX/$name.aggbag" "$BOX/flows.rw" || return 1
	done
	printf '192.0.2.1,100\n192.0.2.2,200\n' >"$BOX/list.csv"
}
make_maps() {
	printf 'map-name unit\ndefault none\n192.0.2.0/28 chemistry\n192.0.2.16/28 physics\n' |
		rwpmapbuild --input-file=- --output-file="$BOX/departments.pmap" &&
		printf 'map-name site\ndefault outside\n192.0.2.0/24 inside\n' |
		rwpmapbuild --input-file=- --output-file="$BOX/site.pmap" &&
		printf '"192.0.2.0","192.0.2.255","3221225984","3221226239","DE","Germany"\n' >"$BOX/GeoIPCountryWhois.csv" &&
		rwgeoip2ccmap --mode=ipv4 --input-path="$BOX/GeoIPCountryWhois.csv" --output-path="$SILK_COUNTRY_CODES" &&
		python3 "$TUSSAH_SRCDIR/tests/e2e/mmdb.py" new "$BOX/GeoLite2-Country.mmdb" 6 24 192.0.2.0/24 location=DE
}
make_foreign() {
	trace=$DATA/sensor/05-dns.pcap
	for name in trace east west; do
		cp "$trace" "$BOX/$name.pcap" || return 1
	done
	gzip -c "$trace" >"$BOX/trace.pcap.gz" && cp "$DATA/ipfix/router.ipfix" "$BOX/flows.ipfix" &&
		python3 "$TUSSAH_SRCDIR/tests/e2e/pdufile.py" "$BOX/router.pdu" 4 &&
		echo 'Mar  5 10:00:05 h snort[1]: [1:1:1] x {TCP} 198.51.100.1:1024 -> 192.0.2.1:443' >"$BOX/alert.txt" &&
		printf 'ipvar HOME_NET 192.0.2.0/24\n' >"$BOX/snort.conf" &&
		echo 'alert tcp any any -> $HOME_NET 443 (msg:"x"; sid:1;)' >"$BOX/rule.txt" &&
		cp "$TUSSAH_SRCDIR/conf/sensor.conf" "$BOX/sensor.conf" && printf '2024/03/05T10:00:00,1.5,192.0.2.1,198.51.100.1,x,100\n' >"$BOX/in.csv" && cp "$SILK_CONFIG_FILE" "$BOX/silk.conf"
}
mkdir -p "$BOX/data" && cp "$TUSSAH_SRCDIR/conf/silk.conf" "$BOX/data/silk.conf" && make_records && make_repository &&
	make_sets && make_maps && make_foreign || exit 99

# blocks PAGE FOLDER: NUMBER.KIND for each block, KIND is run, skip or file; of a file the first line is its name
blocks() {
	awk -v folder="$2" '
		/^# / { on = $0 == "# EXAMPLES"; kind = "run" }
		!on { next }
		/^<!-- not run: .+ -->$/ { kind = "skip"; next }
		/^<!-- file: .+ -->$/ { kind = "file"; name = $3; next }
		/^    / {
			if (!out) {
				out = sprintf("%s/%02d.%s", folder, ++count, kind)
				if (kind == "file") print name >out
			}
			print substr($0, 5) >out
			next
		}
		out && /^$/ { blank = 1; next }
		out { close(out); out = ""; kind = "run" }
		!/^$/ { kind = "run" }' "$1"
}
# run_block FILE: in the working folder; who writes to a head that has seen enough may end of that
run_block() {
	{ echo 'trap "status=\$?; [ \$status -eq 141 ] || exit \$status" ERR' && sed "s,\([ =']\)/\(data\|var\|etc\)/*,\1$PWD/\2/,g" "$1" && echo :; } >"$1.sh" && : >"$1.err" &&
		bash -o pipefail "$1.sh" >"$1.out" 2>"$1.err" </dev/null
	block_status=$?
	if [ $block_status -ne 0 ] || grep -qE '^(rw[a-z0-9]+|flowcap|mapsid|num2dot): ' "$1.err"; then
		echo "status $block_status:"
		cat "$1.sh" "$1.err"
		return 1
	fi
}
# run_page PAGE
run_page() {
	page_folder=$SCRATCH/$(basename "$1" .md)
	page_blocks=$page_folder.blocks
	mkdir -p "$page_blocks" && cp -R "$BOX" "$page_folder" && blocks "$1" "$page_blocks" && cd "$page_folder" || return 1
	SILK_CONFIG_FILE=$page_folder/data/silk.conf
	SILK_DATA_ROOTDIR=$page_folder/data
	page_status=0
	for block in "$page_blocks"/*; do
		case $block in
		*.file) sed 1d "$block" >"$(head -1 "$block")" ;;
		*.run) run_block "$block" || page_status=1 ;;
		esac
	done
	cd "$SCRATCH" && rm -rf "$page_folder" "$page_blocks"
	return $page_status
}
for page in ${TUSSAH_PAGES:-"$TUSSAH_SRCDIR"/man/*.md}; do
	grep -q '^# EXAMPLES' "$page" || continue
	test_case "$(basename "$page" .md)" "run_page '$page'"
done
test_case 'few blocks are not run' '
	cat "$TUSSAH_SRCDIR"/man/*.md >pages && grep "^<!-- not run: " pages >skipped; [ "$(wc -l <skipped)" -le 10 ]
'
test_done
