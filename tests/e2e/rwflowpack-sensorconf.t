#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Each configuration of tests/data/sensorconf.txt is accepted or refused as it says there.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
SILK_CONFIG_FILE=$TUSSAH_SRCDIR/conf/silk.conf
export SILK_CONFIG_FILE
echo 10.0.0.0/8 >inside.txt && rwsetbuild inside.txt inside.set && : >none.txt && rwsetbuild none.txt empty.set || exit 99
grep -vE '^ *type +([6-9]|10) ' "$SILK_CONFIG_FILE" | sed 's/inicmp *$//' >generic.conf
awk '/^== / { file = $2 ".conf"; print $2, $3, ($4 ? $4 : "twoway"); printf "" >file; next }
	/^# / && !file { next } file { print >file }' "$DATA/sensorconf.txt" >cases || exit 99

# judge NAME VERDICT LOGIC
judge() {
	site=$SILK_CONFIG_FILE
	[ "$3" = twoway ] || site=generic.conf
	rwflowpack --sensor-configuration="$1.conf" --verify-sensor-config --site-config-file="$site" \
		--packing-logic="packlogic-$3" >out 2>&1
	status=$?
	cat out
	case $2 in
	good) [ "$status" = 0 ] ;;
	*) [ "$status" = 1 ] && [ -s out ] ;;
	esac
}

while read -r name verdict logic; do
	test_case "$name: $verdict" "judge $name $verdict $logic"
done <cases
test_done
