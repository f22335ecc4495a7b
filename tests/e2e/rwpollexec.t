#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Commands on files that come into a directory: their ends, timeouts, the end of the daemon.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
mkdir in err arc

# start_poll COMMAND [SWITCHES]
start_poll() {
	poll_command=$1
	shift
	: >log
	test_start rwpollexec --no-daemon --log-pathname="$PWD/log" --incoming-directory="$PWD/in" \
		--error-directory="$PWD/err" --polling-interval=1 --command="$poll_command" "$@" &&
		poll=$test_pid &&
		test_wait 10 grep -q 'Started logging' log
}

# put NAME TEXT: appears whole
put() {
	echo "$2" >".$1" && mv ".$1" "in/$1"
}

stop_poll() {
	test_stop "$poll" && test_grep 'Stopped logging' log
}

test_case 'a good file is archived under date and hour, a bad one put aside' '
	start_poll "grep -q good %s" --archive-directory="$PWD/arc" &&
	put a good && put b bad &&
	test_wait 20 test -f err/b &&
	test_wait 20 sh -c "test -f arc/*/*/*/*/a" &&
	test_grep "Running \[[0-9]*\]: grep -q good .*/in/a" log &&
	test_grep "Command \[[0-9]*\] on .*/in/a has completed successfully" log &&
	test_grep "Command \[[0-9]*\] on .*/in/b has completed with a nonzero return status (1)" log &&
	test ! -e in/a && test ! -e in/b &&
	stop_poll
'

test_case 'flat archive; names with dots and empty files stay' '
	: >in/empty && echo x >in/.hidden &&
	start_poll "true 100%% %s" --archive-directory="$PWD/arc" --flat-archive &&
	put c text &&
	test_wait 20 test -f arc/c &&
	test_grep "Running \[[0-9]*\]: true 100% " log &&
	stop_poll &&
	test -e in/empty && test -e in/.hidden && rm in/empty in/.hidden
'

test_case 'without archive good files are deleted; one that the command took is let go' '
	start_poll "case %s in *keep) mv %s $PWD/taken;; esac" &&
	put d text && put keep text &&
	test_wait 20 sh -c "test ! -e in/d && test -e taken" &&
	stop_poll
'

test_case 'a command that takes too long gets the signals, with all that it started' '
	start_poll "sleep 300; true %s" --timeout=SIGterm,1 --timeout=9,2 &&
	put e text &&
	test_wait 20 test -f err/e &&
	test_grep "Sending SIGTERM to process \[[0-9]*\]" log &&
	test_grep "on .*/in/e was terminated by SIGTERM" log &&
	stop_poll
'

test_case 'so many at a time' '
	start_poll "echo \$\$ >running.\$\$; while [ ! -e go ]; do sleep 0.1; done; true %s" \
		--simultaneous=2 &&
	put f 1 && put g 2 && put h 3 &&
	test_wait 20 sh -c "[ \$(ls running.* | wc -l) = 2 ]" &&
	[ "$(grep -c "Running .[0-9]" log)" = 2 ] &&
	touch go &&
	test_wait 20 sh -c "[ -z \"\$(ls in)\" ]" &&
	[ "$(grep -c "completed successfully" log)" = 3 ] &&
	stop_poll && rm -f go running.*
'

test_case 'told to stop, it waits for what runs and starts nothing more' '
	start_poll "touch began; while [ ! -e go ]; do sleep 0.1; done; true %s" &&
	put i 1 && put j 2 &&
	test_wait 20 test -e began &&
	kill -TERM "$poll" &&
	test_wait 20 grep -q "Waiting for running commands to terminate" log &&
	touch go &&
	test_wait 20 grep -q "Stopped logging" log &&
	wait "$poll" &&
	[ "$(grep -c "Running .[0-9]" log)" = 1 ] &&
	[ "$(ls in | wc -l)" = 1 ] && rm -f in/*
'

test_case 'mistakes are told in one line' '
	refuse() {
		want=$1
		shift
		test_must_fail rwpollexec --no-daemon --log-destination=none --incoming-directory="$PWD/in" \
			--error-directory="$PWD/err" "$@" 2>err.txt &&
		head -1 err.txt >line && echo "rwpollexec: $want" >want && diff want line
	} &&
	refuse "The --command option is required" &&
	refuse "Invalid command: Empty string" --command= &&
	refuse "Invalid command '\''a%x'\'': Unknown conversion '\''%x'\''" --command=a%x &&
	refuse "Invalid timeout '\''TERM'\'': Timeout delay did not follow signal" --timeout=TERM &&
	refuse "Invalid timeout '\''FOO,3'\'': Error parsing signal: Unknown signal name '\''FOO'\''" --timeout=FOO,3 &&
	refuse "Invalid timeout '\''9,0'\'': Error parsing delay: Value is below minimum of 1" --timeout=9,0 &&
	refuse "Invalid simultaneous '\''51'\'': Value is above maximum of 50" --simultaneous=51 &&
	refuse "Invalid archive-directory: Nonexistent path '\''/nonexistent'\''" --archive-directory=/nonexistent
'
test_done
