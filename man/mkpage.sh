#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Make one manual page: mkpage.sh PROSE.md PROGRAM|- VERSION
# The prose stands in PROSE.md; the line @OPTIONS@ is replaced by the section OPTIONS, which PROGRAM itself
# prints with --dump-options, so that no switch is described in two places.
set -e
prose=$1
program=$2
version=$3
name=$(basename "$prose" .md)
case $name in
*.conf) section=5 ;;
tussah-*) section=7 ;;
flowcap | rwflowappend | rwflowpack | rwguess | rwpollexec | rwsensor) section=8 ;;
*) section=1 ;;
esac

options=$(mktemp)
trap 'rm -f "$options"' EXIT
if [ "$program" != - ]; then
	printf '# OPTIONS\n\n' >"$options"
	"$program" --dump-options | awk -F '\t' '
	{
		gsub(/[\\*_<>]/, "\\\\&", $3)
		gsub(/[\\*_<>|]/, "\\\\&", $5)
		arg = $3 == "-" ? "" : ($3 ~ /^\[.*\]$/ ? "[=*" substr($3, 2, length($3) - 2) "*]" : "=*" $3 "*")
		printf "**\\-\\-%s**%s", $1, arg
		if ($2 != "-") printf ", **\\-%s**", $2
		printf "\n: %s", toupper(substr($5, 1, 1)) substr($5, 2) "."
		if ($4 != "-") printf " Default: %s.", $4
		printf "\n\n"
	}' >>"$options"
fi
awk -v options="$options" '
$0 == "@OPTIONS@" { while ((getline line < options) > 0) print line; next }
{ print }' "$prose" |
	lowdown -s -Tman --out-no-smarty -M "title=$(echo "$name" | tr a-z A-Z)" -M "section=$section" \
		-M "source=Tussah $version" -M "volume=Tussah manual" -
