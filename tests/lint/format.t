#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every C file is as clang-format 14 leaves it; functions stay within a screen.
cd "$TUSSAH_SRCDIR" || exit 99
failed=0
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
files=$(ls common/*.[ch] storage/*.[ch] sensor/*.[ch] packer/*.[ch] query/*.[ch] tests/*/*.[ch] 2>/dev/null)
format=$(command -v clang-format-14 || command -v clang-format)
if [ -z "$format" ]; then
	echo 'ok 1 - clang-format # SKIP clang-format is not installed'
elif $format --dry-run --Werror $files >"$log" 2>&1; then
	echo 'ok 1 - clang-format leaves every file as it is'
else
	echo 'not ok 1 - clang-format leaves every file as it is'
	grep 'error:' "$log" | sed 's/:.*//' | sort | uniq -c | sed 's/^/# /'
	failed=1
fi
if ! command -v pmccabe >/dev/null; then
	echo 'ok 2 - function sizes # SKIP pmccabe is not installed'
else
	pmccabe $(ls common/*.c storage/*.c sensor/*.c packer/*.c query/*.c) |
		awk -F '\t' '$5 > 100 || $2 > 25 { print $6 " " $7 ": " $5 " lines, complexity " $2 }' >"$log"
	if [ -s "$log" ]; then
		echo 'not ok 2 - no function over 100 lines or complexity 25'
		sed 's/^/# /' "$log"
		failed=1
	else
		echo 'ok 2 - no function over 100 lines or complexity 25'
	fi
fi
wc -l common/*.c storage/*.c sensor/*.c packer/*.c query/*.c |
	awk '$1 > 800 && $2 != "total" { print $2 ": " $1 " lines" }' >"$log"
if [ -s "$log" ]; then
	echo 'not ok 3 - no file over 800 lines'
	sed 's/^/# /' "$log"
	failed=1
else
	echo 'ok 3 - no file over 800 lines'
fi
echo '1..3'
exit $failed
