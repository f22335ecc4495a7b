#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Hourly files after their hour: sealed, entered in the catalog, also after a crash.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

export SILK_DATA_ROOTDIR="$PWD/root"
MIX=$DATA/sensor/24-mix.pcap.gz
mkdir in archive
printf 'probe D ipfix\n\tpoll-directory %s\nend probe\n' "$PWD/in" >sensor.conf
fixed_sensor S0 D >>sensor.conf
rwsensor --silk --uniflow --export=mix.ipfix "$MIX" 2>expected.log || exit 99
records=$(sed -n 's/.*, records \([0-9]*\)$/\1/p' expected.log)

start() {
	start_packer --polling-interval=1 --archive-directory="$PWD/archive" --flat-archive "$@"
}

# feed: hand over the messages once more, and wait until they are taken in
feed() {
	rm -f archive/*; cp mix.ipfix in/.mix && mv in/.mix in/mix.ipfix && test_wait 20 test -e archive/mix.ipfix
}

listed() {
	sed 1d root/.rwflowpack-unsealed >unsealed && test ! -s unsealed
}

# no file of the repository waits for being sealed
all_sealed() {
	rwseal --data-rootdir="$PWD/root" --dry-run >out && test_lines out 0
}

test_case 'hours that are over are sealed and in the catalog' '
	start --seal-delay=1 && feed && test_wait 20 listed && stop_packer &&
	test_grep "Sealed .*root/in/" packer.log && all_sealed && expect_count S0 "$records" &&
	rwcatalog verify && rwcatalog show --no-titles --delimited >out && test_grep "|blocks|fresh|" out
'
test_case 'late records are appended, and the file sealed again' '
	start --seal-delay=1 && feed && test_wait 20 listed && stop_packer &&
	all_sealed && expect_count S0 $((2 * records)) && rwcatalog verify
'
test_case 'what was not due is done by the next' '
	start --seal-delay=600 && sed -n 1p root/.rwflowpack-unsealed >title &&
	feed && stop_packer && test_must_fail all_sealed && expect_count S0 $((3 * records)) &&
	start --seal-delay=1 && test_grep "files were left unsealed" packer.log && test_wait 20 listed &&
	stop_packer && all_sealed && expect_count S0 $((3 * records)) && rwcatalog verify
'
test_case 'killed while sealing, nothing is lost' '
	for round in 4 5 6; do
		start --seal-delay=1 && feed && test_wait 20 expect_count S0 $((round * records)) &&
		test_wait 20 grep -q "Sealed" packer.log && kill -9 "$packer" && { wait "$packer"; expect_count S0 $((round * records)); } ||
			return 1
	done &&
	start --seal-delay=1 && test_wait 20 listed && stop_packer && all_sealed &&
	expect_count S0 $((6 * records)) && rwcatalog update && rwcatalog verify &&
	find root -name ".*S0_*" >out && test_lines out 0
'
test_case 'a torn block is cut off, and told' '
	file=$(find root/in -type f -name "in-S0*" | head -1) && printf "TBLK" >>"$file" &&
	start --seal-delay=1 && feed && test_wait 20 listed && stop_packer &&
	test_grep "cut off 4 bytes of a block that was not whole" packer.log && expect_count S0 $((7 * records))
'
test_case 'other compressions' '
	for method in none zstd best zlib snappy; do
		rm -rf root && mkdir root && start --seal-delay=1 --compression-method=$method && feed &&
		test_wait 20 listed && stop_packer && expect_count S0 "$records" || return 1
	done
'
test_case 'SiLK files are entered as well' '
	rm -rf root && mkdir root && start --seal-delay=1 --file-format=silk && feed && test_wait 20 listed &&
	stop_packer && expect_count S0 "$records" && rwcatalog verify &&
	rwcatalog show --no-titles --delimited >out && test_grep "|rows|fresh|" out && ! grep "|blocks|" out
'
test_case 'a method that files of SiLK do not know' '
	test_must_fail rwflowpack --file-format=silk --compression-method=zstd --sensor-configuration=sensor.conf --root-directory="$PWD/root" 2>err &&
	test_grep "compression-method is not one of" err
'
test_done
