#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

# make FILE ENTRIES
make() {
	printf '%s\n' $2 | rwsetbuild - "$1"
}
make a.set '10.0.0.1 10.0.0.2 10.0.0.4 10.0.0.6'
make b.set '10.0.0.1 10.0.0.3 10.0.0.5 10.0.0.7'
make c.set '10.0.0.1 10.0.0.3 10.0.0.6 10.0.0.8'
make d.set ''
make v6.set '10.0.0.1 2001:db8::1 2001:db8::9'

# gives WANT SWITCHES: the last bytes of the addresses that come out.
gives() {
	rwsettool $2 >out.set && rwsetcat --cidr=0 out.set >out || return 1
	for n in $1; do
		echo "10.0.0.$n"
	done | test_cmp - out
}

# prints WANT SWITCHES: the blocks that come out.
prints() {
	rwsettool $2 >out.set && rwsetcat --cidr=1 out.set >out || return 1
	for n in $1; do
		echo "$n"
	done | test_cmp - out
}

test_case 'union' '
	gives "1 2 3 4 5 6 7" "--union a.set b.set" && gives "1 2 3 4 6 8" "--union a.set c.set" &&
	gives "1 2 3 4 5 6 7 8" "--union a.set b.set c.set d.set" &&
	gives "1 2 4 6" "--union a.set" && gives "1 2 4 6" "--union d.set a.set a.set" &&
	prints "10.0.0.1 10.0.0.2 10.0.0.4 10.0.0.6 2001:db8::1 2001:db8::9" "--union a.set v6.set"
'

test_case 'intersection' '
	gives "1" "--intersect a.set b.set" && gives "1 6" "--intersect a.set c.set" &&
	gives "1" "--intersect a.set b.set c.set" && gives "" "--intersect a.set d.set" &&
	gives "1 2 4 6" "--intersect a.set" && gives "1" "--intersect v6.set a.set"
'

test_case 'difference' '
	gives "2 4 6" "--difference a.set b.set" && gives "8" "--difference c.set b.set a.set" &&
	gives "1 3 6 8" "--difference c.set d.set" && gives "" "--difference d.set c.set" &&
	gives "2 4 6" "--difference a.set v6.set" &&
	prints "2001:db8::1 2001:db8::9" "--difference v6.set a.set"
'

test_case 'symmetric difference' '
	gives "2 3 4 5 6 7" "--symmetric a.set b.set" && gives "2 3 4 8" "--symmetric a.set c.set" &&
	gives "1 2 4 5 7 8" "--symmetric a.set b.set c.set" && gives "" "--symmetric a.set a.set"
'

test_case 'mask and fill' '
	gives "0" "--mask=24 a.set" && gives "0 2 4 6" "--mask=31 a.set" &&
	prints "10.0.0.0/29" "--fill-blocks=29 a.set" &&
	prints "10.0.0.0/30 2001:db8::/126 2001:db8::8/126" "--fill-blocks=126 v6.set" &&
	prints ":: 2001:db8::" "--mask=32 v6.set a.set" &&
	rwsettool --mask=33 a.set >out.set 2>err && test_grep "Ignoring mask of 33" err &&
	rwsetcat out.set >out && rwsetcat a.set | test_cmp - out &&
	make huge.set "2000::/3 4000::/3" &&
	test_must_fail rwsettool --mask=100 huge.set --output-path=no.set 2>err &&
	test_grep "more than 2^32 blocks" err && ! test -e no.set
'

test_case 'samples' '
	make net.set "10.0.0.0/16 2001:db8::/32" && make small.set "10.0.0.0/24" &&
	rwsettool --sample --size=10 net.set small.set >out.set && rwsetcat --count out.set >out &&
	echo 20 | test_cmp - out &&
	rwsettool --difference out.set net.set >rest.set && rwsetcat --count rest.set >out &&
	echo 0 | test_cmp - out &&
	rwsettool --sample --size=255 --seed=7 small.set >1.set &&
	rwsettool --sample --size=255 --seed=7 small.set >2.set &&
	rwsetcat 1.set >1 && rwsetcat 2.set >2 && test_cmp 1 2 && test_lines 1 255 &&
	rwsettool --sample --ratio=0.5 --seed=1 small.set >h.set && rwsetcat h.set >h &&
	test $(wc -l <h) -gt 90 && test $(wc -l <h) -lt 166 &&
	rwsettool --sample --size=3 --seed=1 --seed=7 small.set >s.set && rwsetcat s.set >out &&
	test_cmp - out <<-\EOF &&
	10.0.0.4
	10.0.0.192
	10.0.0.225
	EOF
	make tiny.set "10.1.0.0/28" &&
	rwsettool --sample --size=5 --seed=1 tiny.set small.set >s.set &&
	rwsetcat s.set >out && echo 10.0.0.5 10.0.0.157 10.0.0.179 10.0.0.220 10.0.0.232 10.1.0.5 10.1.0.6 10.1.0.8 10.1.0.12 10.1.0.15 |
		tr " " "\n" | test_cmp - out &&
	rwsettool --sample --ratio=0.02 --seed=1 small.set tiny.set >s.set &&
	rwsetcat s.set >out && echo 10.0.0.20 10.0.0.172 10.0.0.235 |
		tr " " "\n" | test_cmp - out &&
	rwsettool --sample --ratio=1 small.set >o.set && rwsetcat --count o.set >out &&
	echo 256 | test_cmp - out &&
	rwsettool --sample --ratio=0 small.set >o.set && rwsetcat --count o.set >out &&
	echo 0 | test_cmp - out &&
	rwsettool --sample --size=256 small.set >o.set && rwsetcat --count o.set >out &&
	echo 256 | test_cmp - out
'

test_case 'notes and command lines' '
	rwsettool --union --note-add=first a.set --output-path=n1.set &&
	rwsettool --union --note-add=second n1.set b.set --output-path=n2.set &&
	rwfileinfo --fields=annotations,command-lines n2.set >out && test_grep first out &&
	test_grep second out && test_grep "rwsettool --union --note-add=second" out &&
	rwsettool --union --note-strip --invocation-strip n2.set >n3.set &&
	rwfileinfo --fields=annotations,command-lines n3.set >out && test_lines out 1 &&
	rwsettool --symmetric --note-strip --note-add=third n2.set >n4.set &&
	rwfileinfo --fields=annotations,command-lines n4.set >out && test_grep first out &&
	test_must_fail grep -q third out && test_must_fail grep -q rwsettool out
'

test_case 'in place' '
	cp a.set io.set && chmod 640 io.set &&
	rwsettool --union --modify-inplace --backup-path=back.set --output-path=io.set io.set b.set &&
	gives "1 2 3 4 5 6 7" "--union io.set" && gives "1 2 4 6" "--union back.set" &&
	test $(stat -c %a io.set) = 640 &&
	test_must_fail rwsettool --union --modify-inplace --output-path=io.set io.set nope.set &&
	gives "1 2 3 4 5 6 7" "--union io.set" &&
	test_must_fail rwsettool --union --output-path=io.set a.set 2>err && test_grep io.set err
'

test_case 'where the old file is kept: a link to it, the link that leads to it, another file system' '
	cp a.set io.set && ln -s io.set kept.link &&
	rwsettool --union --modify-inplace --backup-path=kept.link --output-path=io.set io.set b.set &&
	[ ! -L kept.link ] && cmp a.set kept.link && gives "1 2 3 4 5 6 7" "--union io.set" &&
	cp a.set io.set && ln -s io.set own.link &&
	rwsettool --union --modify-inplace --backup-path=own.link --output-path=own.link own.link b.set &&
	[ -L own.link ] && gives "1 2 3 4 5 6 7" "--union own.link" &&
	if [ -w /dev/shm ] && [ "$(stat -c %d /dev/shm)" != "$(stat -c %d .)" ]; then
		far=$(mktemp -d /dev/shm/kept.XXXXXX) && cp a.set io.set && chmod 640 io.set &&
		rwsettool --union --modify-inplace --backup-path="$far" --output-path=io.set io.set b.set &&
		cmp a.set "$far/io.set" && [ "$(stat -c %a "$far/io.set")" = 640 ] && gives "1 2 3 4 5 6 7" "--union io.set"
		kept=$?
		rm -rf "$far" && [ "$kept" -eq 0 ]
	fi
'

test_case 'the last bytes do not fit: the old file comes back' '
	rwsettool --union --output-path=io.set.gz a.set && cp io.set.gz before.gz &&
	rwsettool --union --modify-inplace --backup-path=back.gz --output-path=io.set.gz io.set.gz b.set && size=$(stat -c %s io.set.gz) &&
	for less in 1 5 9 13 40; do
		rm -f back.gz && cp before.gz io.set.gz && (trap "" XFSZ && ! prlimit --fsize=$((size - less)) rwsettool --union --modify-inplace --backup-path=back.gz --output-path=io.set.gz io.set.gz b.set 2>err) &&
			cmp before.gz io.set.gz && test_nothing_beside io.set.gz || return 1
	done
'

test_case 'record versions' '
	for version in 2 3 4; do
		rwsettool --union --record-version=$version a.set b.set >made.set || return 1
		gives "1 2 3 4 5 6 7" "--union made.set" || return 1
	done &&
	rwsettool --union --record-version=5 v6.set a.set >made.set &&
	prints "10.0.0.1 10.0.0.2 10.0.0.4 10.0.0.6 2001:db8::1 2001:db8::9" "--union made.set" &&
	test_must_fail rwsettool --union --record-version=2 v6.set --output-path=v2.set 2>err &&
	test_grep "does not allow IPv6" err
'

# Into a file, sets of bitmaps are never held; what is written does not depend on it.
test_case 'from file to file' '
	for operation in union intersect difference symmetric-difference; do
		rwsettool --$operation --invocation-strip a.set b.set c.set >piped &&
		rm -f direct && rwsettool --$operation --invocation-strip --output-path=direct a.set b.set c.set &&
		cmp piped direct || return 1
	done
'
# As in SiLK, neither the switch nor the environment says how a symmetric difference is packed.
test_case 'a symmetric difference is packed in one way' '
	for method in none zlib; do
		rm -f direct &&
		SILK_COMPRESSION_METHOD=$method rwsettool --symmetric-difference --output-path=direct a.set b.set &&
		rwfileinfo --fields=compression direct | grep -q "lzo1x" || return 1
	done
'
test_case 'nothing is written when an input is damaged' '
	head -c 60 b.set >cut.set && rm -f direct &&
	test_must_fail rwsettool --union --output-path=direct a.set cut.set 2>err && test ! -s direct &&
	grep "cut.set" err
'

test_case 'wrong switches' '
	while IFS="!" read -r switches words; do
		test_must_fail rwsettool $switches a.set 2>err >/dev/null || return 1
		test_grep "$words" err || return 1
	done <<-"EOF"
	--note-strip!is required
	--union --intersect!Switches --union and --intersect are incompatible
	--mask=24 --fill=8!Switches --mask and --fill-blocks are incompatible
	--sample!requires a valid --size or --ratio
	--sample --size=1 --ratio=.5!Switches size and ratio are incompatible
	--sample --size=0!below minimum of 1
	--sample --ratio=1.5!above maximum
	--sample --size=1 --size=2!multiple times
	--mask=129!above maximum of 128
	--union --backup-path=x!modify-inplace
	EOF
'

test_case 'a mask and blocks take the union of the inputs, which may be said' '
	rwsettool --mask=30 a.set b.set >expected && rwsettool --union --mask=30 a.set b.set >out && test_cmp <(rwsetcat expected) <(rwsetcat out) &&
	rwsettool --fill-blocks=30 a.set b.set >expected && rwsettool --fill-blocks=30 --union a.set b.set >out && test_cmp <(rwsetcat expected) <(rwsetcat out) &&
	test_must_fail rwsettool --intersect --mask=30 a.set b.set 2>err && test_grep "intersect and --mask are incompatible" err
'

test_done
