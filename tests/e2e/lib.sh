# SPDX-License-Identifier: GPL-3.0-or-later
# Shell tests with real programs, in TAP. A test file:
#
#	. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
#	test_case 'rwcut prints one line a record' '
#		rwcut --no-titles "$DATA/three.rwf" >out &&
#		test_lines out 3
#	'
#	test_done
#
# Each file has a scratch folder of its own as working folder. Commands are chained with &&; a tool
# under test is never piped. $DATA is tests/data. Programs of the build come first in PATH.

: "${TUSSAH_SRCDIR:?}" "${TUSSAH_BUILDDIR:?}"
DATA=$TUSSAH_SRCDIR/tests/data
PATH=$TUSSAH_BUILDDIR/query:$TUSSAH_BUILDDIR/packer:$TUSSAH_BUILDDIR/sensor:$TUSSAH_SRCDIR/conf:$PATH
export PATH DATA
unset SILK_CONFIG_FILE SILK_DATA_ROOTDIR SILK_PATH SILK_COMPRESSION_METHOD SILK_IPV6_POLICY \
	SILK_ICMP_SPORT_HANDLER SILK_HEADER_NOVERSION SILK_PAGER PAGER
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

test_number=0
test_failures=0
test_pids=
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/tussah-e2e-XXXXXX") || exit 99
# test_kill SIGNAL PID: what this script started, if it is still there. The number of one that has ended
# may be another's by now.
test_kill() {
	[ "$(ps -o ppid= -p "$2" 2>/dev/null | tr -d ' ')" = "$$" ] && kill "-$1" "$2"
}

test_cleanup() {
	for test_pid in $test_pids; do
		test_kill TERM "$test_pid"
	done
	cd / && rm -rf "$SCRATCH"
}
trap test_cleanup EXIT
trap 'exit 99' INT TERM HUP
cd "$SCRATCH" || exit 99

# In a function of its own, so that a script may return.
test_script() {
	eval "$1"
}

# test_case NAME SCRIPT: runs the script; prints its output as TAP comments when it fails.
test_case() {
	test_number=$((test_number + 1))
	if test_script "$2" >"$SCRATCH/.log" 2>&1; then
		echo "ok $test_number - $1"
	else
		echo "not ok $test_number - $1"
		sed 's/^/# /' "$SCRATCH/.log"
		test_failures=$((test_failures + 1))
	fi
}

# test_skip NAME REASON
test_skip() {
	test_number=$((test_number + 1))
	echo "ok $test_number - $1 # SKIP $2"
}

test_skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

test_done() {
	echo "1..$test_number"
	[ "$test_failures" -eq 0 ]
	exit
}

# The command fails with a message, it does not crash: status 1..125.
test_must_fail() {
	"$@"
	test_status=$?
	[ "$test_status" -ge 1 ] && [ "$test_status" -le 125 ] && return 0
	echo "status $test_status of: $*"
	return 1
}

test_cmp() {
	diff -u "$1" "$2"
}

# test_nothing_beside NAME: a program that was killed left no file beside NAME, where the file system has
# files without a name.
test_nothing_beside() {
	[ -z "$(ls -A | grep "^\..*-$1$")" ] && return 0
	rm -f .??????-"$1"
	! python3 -c 'import os; os.open(".", os.O_TMPFILE | os.O_RDWR)' 2>/dev/null
}

test_lines() {
	test_count=$(wc -l <"$1")
	[ "$test_count" -eq "$2" ] && return 0
	echo "$1: $test_count lines instead of $2"
	return 1
}

test_grep() {
	grep -q -e "$1" "$2" && return 0
	echo "no \"$1\" in $2:"
	tail -40 "$2"
	return 1
}

# test_wait SECONDS COMMAND...: until it succeeds; polls, so a fast machine does not wait.
test_wait() {
	test_deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$(date +%s)" -ge "$test_deadline" ]; then
			echo "gave up waiting for: $*"
			return 1
		fi
		sleep 0.05
	done
}

# test_start COMMAND...: in the background, ended at the end of the test file; its id in $test_pid.
test_start() {
	"$@" &
	test_pid=$!
	test_pids="$test_pids $test_pid"
}

# test_stop PID [SIGNAL]: and wait; its status is returned.
test_stop() {
	kill "-${2:-TERM}" "$1" && wait "$1"
}

# A TCP port that is free now.
test_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
