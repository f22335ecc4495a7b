#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The hourly files are, byte for byte, those that SiLK 3.22.1's rwflowpack makes of the same
# messages. tests/data/packer/*.sha256 were made by running it with the same switches.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

# pack FILE [SWITCHES]: the repository of one file of messages in root, its digests in actual
pack() {
	rm -rf root in && mkdir root in || return 1
	printf 'probe D ipfix\n\tpoll-directory %s\nend probe\ninclude "%s"\n' "$PWD/in" \
		"$DATA/packer/sensor.conf" >sensor.conf
	pack_file=$1
	shift
	mv "$pack_file" in/ &&
		start_packer --polling-interval=1 --file-format=silk --compression-method=none --byte-order=little "$@" &&
		test_wait 20 test ! -e "in/$pack_file" && stop_packer &&
		(cd root && find . -type f ! -path '*/.rwflowpack*' | sort | xargs sha256sum) >actual
}

for trace in 06-icmp 07-ipv6 20-many 24-mix; do
	file=$(ls "$DATA/sensor/$trace".pcap*)
	test_case "$trace, both directions in one record" "
		rwsensor --silk --ingress=1 --egress=2 --export=m.ipfix $file 2>log &&
		pack m.ipfix && test_cmp $DATA/packer/$trace-biflow.sha256 actual
	"
	test_case "$trace, one direction a record, with interfaces" "
		rwsensor --silk --uniflow --delta --ingress=3 --export=m.ipfix $file 2>log &&
		pack m.ipfix --pack-interfaces && test_cmp $DATA/packer/$trace-uniflow.sha256 actual
	"
done

test_done
