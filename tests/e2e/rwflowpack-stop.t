#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A packer that is to stop while its files are another's, with more waiting than memory is to hold:
# it goes on with commits until all is packed.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
. "$TUSSAH_SRCDIR/tests/e2e/packer.sh"

port=$(test_port)
{
	printf 'probe P netflow-v5\n\tprotocol udp\n\tlisten-as-host 127.0.0.1\n'
	printf '\tlisten-on-port %s\nend probe\n' "$port"
	fixed_sensor S0 P | sed s/ipfix-/netflow-v5-/
} >sensor.conf
RECORDS=120000  # makes the files
MANY=2000000    # 100 MB of messages, 64 of which are held
export SK_SOCKETBUFFER_TOTAL=8388608

send() {
	"$TUSSAH_BUILDDIR/tests/perf/exporter" --port="$port" --rate=500000 --records="$1" >sent
}

# Hold every hourly file until the file "release" is there.
cat >hold.py <<'END'
import fcntl, glob, os, sys, time

held = [open(path, "r+b") for path in glob.glob("root/**/*-S0_*", recursive=True)]
for file in held:
    fcntl.lockf(file, fcntl.LOCK_EX)
print(len(held), flush=True)
while not os.path.exists("release"):
    time.sleep(0.1)
END

some() {
	[ "$(count S0)" -gt 0 ]
}

test_case 'files are there' '
	start_packer && send $RECORDS && test_wait 20 some
'
test_case 'all is packed, though commits had to wait' '
	{ python3 hold.py >held & } && holder=$! && test_wait 10 test -s held &&
	send $MANY && kill -TERM "$packer" && sleep 1 && : >release && wait "$holder" &&
	wait "$packer" && test_grep "Stopped logging" packer.log &&
	! grep "stays in the journal" packer.log && stored=$(count S0) && [ "$stored" -gt $RECORDS ]
'
test_case 'nothing was left to the next' '
	start_packer && stop_packer && expect_count S0 "$stored"
'
test_done
