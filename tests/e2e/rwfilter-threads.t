#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwfilter gives the same answers, to the byte, whatever the number of threads.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export SILK_CONFIG_FILE=$TUSSAH_SRCDIR/tests/perf/silk.conf SILK_HEADER_NOVERSION=1

# same SWITCHES...: the statistics, messages and outputs, as far as there are any, of all files of
# the list with 1, 2 and 4 threads, which the environment asks for, so that no header tells.
same() {
	rm -rf with-1 with-2 with-4
	for same_threads in 1 2 4; do
		mkdir with-$same_threads &&
			(cd with-$same_threads && SILK_RWFILTER_THREADS=$same_threads rwfilter \
				--xargs=../files "$@" --print-volume-statistics=stats 2>err) &&
			diff -r with-1 with-$same_threads || return 1
	done
}

test_case 'files of three days' '
	mkdir flows && cp "$SILK_CONFIG_FILE" flows/silk.conf &&
	"$TUSSAH_BUILDDIR/tests/perf/flowgen" --records=60000 --days=3 --root=flows \
		--site-config-file=flows/silk.conf --hosts=hosts &&
	find "$PWD/flows" -name "*-S*" | sort >files &&
	rwsetbuild hosts hosts.set
'
test_case 'counting' '
	same --protocol=0- &&
	same --protocol=17 --dport=53 &&
	same --anyset="$PWD/hosts.set" &&
	same --bytes=1000001- --stime=2026/03/02T12-2026/03/03T03
'
test_case 'one output' '
	same --protocol=6 --pass=pass.rw --compression-method=lzo1x &&
	same --protocol=6 --pass=pass.rw --compression-method=none &&
	same --protocol=6 --fail=fail.rw --compression-method=zlib &&
	same --protocol=1 --pass=pass.rw
'
test_case 'several outputs' '
	same --protocol=6 --pass=pass.rw --fail=fail.rw --all=all.rw &&
	same --dport=53 --pass=pass.rw --pass=pass2.rw --fail=fail.rw --compression-method=none
'
test_case 'limits' '
	same --protocol=17 --pass=pass.rw --max-pass-records=1 &&
	same --protocol=17 --pass=pass.rw --max-pass-records=5000 &&
	same --protocol=17 --pass=pass.rw --fail=fail.rw --max-pass-records=300 &&
	same --protocol=17 --pass=pass.rw --fail=fail.rw --max-pass-records=300 --max-fail-records=3000 &&
	same --protocol=17 --pass=pass.rw --max-pass-records=100000
'
test_case 'one large file, and standard input' '
	rwcat --xargs=files --output-path=large.rw && echo "$PWD/large.rw" >>files &&
	same --protocol=17 --pass=pass.rw --fail=fail.rw &&
	rwfilter --protocol=17 --pass=p1.rw --threads=1 - <large.rw &&
	rwfilter --protocol=17 --pass=p4.rw --threads=4 - <large.rw &&
	rwcat p1.rw --output-path=r1.rw && rwcat p4.rw --output-path=r4.rw &&
	rwcut r1.rw >r1 && rwcut r4.rw >r4 && cmp r1 r4
'
test_case 'names and damage are told in order' '
	head -c 3000 large.rw >cut.rw &&
	{ echo "$PWD/none.rw" && sed 50q files && echo "$PWD/cut.rw" && sed 1,50d files; } >files2 &&
	mv files2 files &&
	same --protocol=6 --print-filenames --pass=pass.rw &&
	test_grep cut.rw with-4/err && test_grep none.rw with-4/err && test_grep "^/.*/large.rw" with-4/err
'
test_case 'the number of threads comes from the environment, and is looked at' '
	SILK_RWFILTER_THREADS=3 rwfilter --xargs=files --protocol=6 --pass=env.rw 2>err &&
	test_must_fail rwfilter --threads=0 --xargs=files --protocol=6 --pass=no.rw &&
	test_must_fail rwfilter --threads=x --xargs=files --protocol=6 --pass=no.rw
'
test_case 'what was done is told, and how far it is' '
	rwfilter --threads=2 --xargs=files --protocol=6 --anyset=hosts.set --dport=80 --explain \
		--pass=explained.rw 2>err &&
	test_grep "^test 1: protocol (byte)" err && test_grep "^test 2: dport (list of numbers)" err &&
	test_grep "^test 3: anyset (set of addresses)" err && test_grep "^threads: 2" err &&
	test_grep "^files: $(wc -l <files) in all" err &&
	rwfilter --xargs=files --protocol=6 --progress --pass=shown.rw 2>err &&
	test_grep "records/s" err &&
	rwfilter --protocol=6 --progress --print-statistics=- large.rw 2>err &&
	test_grep "100 %" err &&
	rwfilter --xargs=files --protocol=6 --no-progress --progress --pass=hidden.rw 2>err &&
	test_must_fail grep records/s err
'
test_case 'a full disk and a closed pipe end the tool' '
	test_must_fail rwfilter --threads=4 --xargs=files --all=- >/dev/full 2>err &&
	test_grep "rwfilter: " err &&
	{ rwfilter --threads=4 --xargs=files --all=- 2>err || echo $? >status; } | head -c 100 >head &&
	! test_grep "0" status
'
test_case 'an output that nobody reads is left out, the others are whole' '
	rwfilter --threads=1 --xargs=files --protocol=6 --fail=want.rw --pass=want-pass.rw &&
	for threads in 1 4; do
		{ rwfilter --threads=$threads --xargs=files --protocol=6 --pass=- --pass=more.rw --fail=rest.rw \
			--print-statistics=counts 2>err; echo $? >status; } | head -c 100 >head &&
		test_wait 10 grep 0 status && ! grep -i pipe err && test_grep Read counts &&
		rwcompare rest.rw want.rw && rwcompare more.rw want-pass.rw &&
		rm rest.rw more.rw counts status || return 1
	done
'
test_case 'nobody reads the only output: status 1, no message' '
	for threads in 1 4; do
		{ rwfilter --threads=$threads --xargs=files --all=- 2>err; echo $? >status; } | head -c 100 >head &&
		test_wait 10 grep 1 status && ! grep -i pipe err && rm status || return 1
	done
'
test_done
