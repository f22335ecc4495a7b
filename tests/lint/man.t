#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Option tables against manual pages: every program has prose, every switch a help line of the right
# shape, no prose speaks of a switch that is not there, every page has the sections a reader expects.
# A page of no program has fewer sections; what it says of a program's switch must be of one there is.
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
# lint_sections PROSE SECTION...
lint_sections() {
	lint_prose=$1
	shift
	for section; do
		grep -q "^# $section\$" "$lint_prose" || echo "no section $section"
	done
}

# lint_names PROSE: each "**PROGRAM --SWITCH**" of a page is a switch of a program.
lint_names() {
	grep -oE '\*\*[a-z0-9]+ --[a-z0-9-]+' "$1" | tr -d '*' | sort -u | while read -r name switch; do
		program=$(printf '%s\n' $TUSSAH_PROGRAMS | grep -E "(^|/)$name\$")
		[ -n "$program" ] || echo "no program $name"
		[ -z "$program" ] || "$TUSSAH_BUILDDIR/$program" --dump-options | cut -f1 |
			grep -qx -e "${switch#--}" || echo "$name has no $switch"
	done
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
		lint_sections "$prose" NAME SYNOPSIS DESCRIPTION EXAMPLES 'SEE ALSO' >>"$log"
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
for prose in man/*.md; do
	name=$(basename "$prose" .md)
	case " $TUSSAH_PROGRAMS " in */"$name "*) continue ;; esac
	{
		lint_sections "$prose" NAME DESCRIPTION 'SEE ALSO'
		lint_names "$prose"
		grep -qx "	man/$name.md\\( \\\\\\)\\?" man/Makefile.inc || echo "not in man/Makefile.inc"
	} >"$log"
	result "$name: a page of no program"
done
echo "1..$number"
exit $failed
