#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

SILK_CONFIG_FILE=$TUSSAH_SRCDIR/tests/perf/silk.conf
SILK_DATA_ROOTDIR=$SCRATCH/root
export SILK_CONFIG_FILE SILK_DATA_ROOTDIR
day=2026/03/02

# make_tree: unsealed block files of one day
make_tree() {
	rm -rf root hosts && mkdir root &&
		"$TUSSAH_BUILDDIR/tests/perf/flowgen" --records=5000 --days=1 --one-flowtype --file-format=block --unsealed \
			--root="$SCRATCH/root" --site-config-file="$SILK_CONFIG_FILE" --hosts=hosts >flowgen.out &&
		find root -type f -name "*_2026*" | sort >files && count=$(wc -l <files) && first=$(head -1 files)
}

# all OUT: every record of the day, sorted
all() {
	rm -f all.rwf && rwfilter --type=all --start-date=$day --proto=0- --pass=all.rwf &&
		rwcut --fields=1-15 --no-titles all.rwf >all.txt && sort all.txt >"$1"
}

test_case 'files are sealed, with the same records, and entered in the catalog' '
	make_tree && all before &&
	rwseal --start-date=$day --dry-run >out && test_lines out $count &&
	rwseal --start-date=$day --verbose >out && test_lines out $count &&
	test_grep "records, blocks [0-9]* to [0-9]*, bytes" out &&
	all after && test_cmp before after &&
	rwcatalog verify && rwcatalog show --no-titles --delimited >out && test_lines out $count &&
	rwseal --start-date=$day --dry-run >out && test_lines out 0 &&
	rwseal --start-date=$day --verbose >out && test_grep "sealed already" out
'
test_case 'again with other compressions' '
	for method in none zstd lzo1x; do
		rwseal --force --compression-method=$method "$first" && wc -c <"$first" >size.$method &&
			all after && test_cmp before after || return 1
	done &&
	[ $(cat size.zstd) -le $(cat size.none) ] && rwcatalog verify
'
test_case 'files by name, from anywhere' '
	make_tree &&
	(cd "$(dirname "$first")" && rwseal "$(basename "$first")") &&
	rwcatalog show --no-titles >out && test_lines out 1 &&
	cp "$first" elsewhere && rwseal --force --verbose elsewhere >out && test_lines out 1 &&
	rwcatalog show --no-titles >out && test_lines out 1 &&
	rwseal --no-catalog --start-date=$day && rwcatalog show --no-titles >out && test_lines out 1
'
test_case 'one that fails does not stop the others; SiLK files are left' '
	make_tree && second=$(sed -n 2p files) &&
	printf XXXX | dd of="$first" bs=1 seek=70 conv=notrunc 2>/dev/null &&
	rwtuc --output-path=rows.rwf </dev/null && cp rows.rwf "$second" &&
	test_must_fail rwseal --start-date=$day --verbose >out 2>err &&
	test_lines out $((count - 2)) && test_grep "not a block file" err && test_grep "$first" err &&
	test_cmp rows.rwf "$second" &&
	test_must_fail rwseal missing 2>err && test_grep missing err
'
test_case 'killed while sealing, nothing is lost' '
	make_tree && all before && for i in 1 3 5 7; do
		rwseal --force --start-date=$day & kill_at=0.0$i
		sleep $kill_at; kill -9 $!; wait $!
		all after && test_cmp before after || return 1
	done &&
	rwseal --start-date=$day && all after && test_cmp before after && rwcatalog update && rwcatalog verify
'
test_case 'usage' '
	test_must_fail rwseal 2>err && test_grep "No files are named" err &&
	test_must_fail rwseal --start-date=$day file 2>err && test_grep "Cannot name files" err
'
test_done
