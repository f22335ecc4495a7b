# SPDX-License-Identifier: GPL-3.0-or-later
# Block files as the library writes them, read by the second reader, which knows FORMAT.md only.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

tool=$TUSSAH_BUILDDIR/tests/format/blocktool
reader="python3 $TUSSAH_SRCDIR/tests/format/blockreader.py"

# both FILES: both readers say the same of them.
both() {
	: >ours
	for file; do
		"$tool" dump "$file" >>ours || return 1
	done
	$reader --extensions "$@" >theirs &&
	cmp ours theirs
}

seed=0
for kind in edge usual; do
	for compression in 0 2 4; do
		for seal in '' seal; do
			seed=$((seed + 1))
			test_case "$kind records, compression $compression $seal" '
				"$tool" make "a$seed" $seed 1 $kind $compression $seal &&
				"$tool" make "b$seed" $seed 1500 $kind $compression $seal &&
				both "a$seed" "b$seed" &&
				test_lines ours 1501
			'
		done
	done
done

test_case 'late records behind the footer' '
	"$tool" make late 1 1500 usual 2 seal &&
	"$tool" make late 2 300 usual 2 &&
	both late &&
	test_lines ours 1800
'

test_case 'a torn tail is passed over by both' '
	head -c -40 late >torn &&
	both torn &&
	[ "$(wc -l <ours)" -lt 1800 ] && [ "$(wc -l <ours)" -ge 1500 ]
'

test_case 'a block of all the records it can have, and a second one' '
	"$tool" make large 3 70000 usual 2 seal &&
	$reader large >theirs &&
	test_lines theirs 70000
'
test_done
