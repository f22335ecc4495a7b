#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Option tables against manual pages: every program has prose, every switch a help line of the right
# shape, no prose speaks of a switch that is not there, every page has the sections a reader expects.
cd "$TUSSAH_SRCDIR" || exit 99
number=0
failed=0
log=$(mktemp) || exit 99
dump=$(mktemp) || exit 99
trap 'rm -f "$log" "$dump"' EXIT
result() {
	number=$((number + 1))
	if [ ! -s "$log" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# /' "$log"
		failed=1
	fi
}
for program in $TUSSAH_PROGRAMS; do
	name=$(basename "$program")
	prose=man/$name.md
	: >"$log"
	"$TUSSAH_BUILDDIR/$program" --dump-options >"$dump" 2>>"$log" || echo "--dump-options failed" >>"$log"
	awk -F '\t' 'NF != 5 { print "not five columns: " $0 }
		length($5) < 8 { print "--" $1 ": no help" }
		$5 ~ /\.$/ { print "--" $1 ": help ends in a full stop" }
		$5 ~ /^[A-Z][a-z]/ { print "--" $1 ": help begins in upper case: " $5 }' "$dump" >>"$log"
	if [ ! -f "$prose" ]; then
		echo "no $prose" >>"$log"
	else
		for section in NAME SYNOPSIS DESCRIPTION EXAMPLES 'SEE ALSO'; do
			grep -q "^# $section\$" "$prose" || echo "no section $section" >>"$log"
		done
		grep -q '^@OPTIONS@$' "$prose" || echo 'no line @OPTIONS@' >>"$log"
		# Switches of this program that the prose names in bold
		grep -oE '\*\*--[a-z0-9-]+' "$prose" | sed 's/^\*\*--//' | sort -u | while read -r switch; do
			cut -f1 "$dump" | grep -qx -e "$switch" -e help -e version ||
				case $switch in help | version | dump-options) ;; *)
					echo "prose for --$switch, which is not an option" ;;
				esac
		done >>"$log"
	fi
	result "$name: options and manual page agree"
done
echo "1..$number"
exit $failed
