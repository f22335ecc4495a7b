#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Damaged and rare captures: never a crash, and every packet is accounted for. Of most use in a
# build with --enable-sanitizers.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

# odd FILE: ends with success or a plain failure; what was read adds up.
odd() {
	rwsensor --max-flows=100 --max-fragments=10 --mac --time-precision=ns --export=out "$1" 2>log
	odd_status=$?
	cat log
	[ "$odd_status" -le 1 ] || return 1
	! grep -q -e "runtime error" -e "Sanitizer" log &&
		awk '
		function number(name) { return match($0, name " [0-9]+") ? substr($0, RSTART + length(name) + 1, RLENGTH) + 0 : 0 }
		/statistics: packets / { packets = number("packets"); known = number("accepted") + number("held"); seen = 1 }
		/statistics: refused packets / { known += number("refused packets") }
		END { exit !(seen && packets == known) }' log
}

for file in "$DATA"/pcap-odd/*; do
	case $file in
	*LICENSE | *README.md) continue ;;
	esac
	test_case "$(basename "$file")" 'odd "$file"'
done

test_case 'all in one run' '
	ls "$DATA"/pcap-odd/* >list &&
	{ rwsensor --accept-late --read-list=list --export=out --uniflow 2>log; [ $? -le 1 ]; } &&
	! grep -e "runtime error" -e Sanitizer log &&
	python3 "$TUSSAH_SRCDIR/tests/e2e/ipfixtext.py" flows out >flows &&
	[ -s flows ]
'

test_done
