# SPDX-License-Identifier: GPL-3.0-or-later
# The completion of switches as bash asks for it.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
command -v bash >/dev/null || test_skip_all 'no bash'
completion=$TUSSAH_BUILDDIR/conf/completion.bash

# complete WORD...: what is offered for the last word.
complete() {
	bash -c '
		. "$1" || exit 1
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_tussah "$1"
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$completion" "$@"
}

test_case 'switches of the program, with = where an argument is needed' '
	complete rwcut --num >got &&
	echo "--num-recs=" >want &&
	diff want got &&
	complete rwcut --no-t >got &&
	echo "--no-titles" >want &&
	diff want got &&
	complete rwcut --pmap-f >got &&
	echo "--pmap-file=" >want &&
	diff want got
'

test_case 'names of fields, also behind a comma' '
	complete rwcut --fields = sP >got &&
	echo sPort >want &&
	diff want got &&
	complete rwcut --fields = sIP,dP >got &&
	echo sIP,dPort >want &&
	diff want got &&
	complete rwsort --fields = stim >got &&
	printf "sTime\nsTime+msec\n" >want &&
	diff want got &&
	complete rwaggbag --keys = sipv >got &&
	printf "sIPv4\nsIPv6\n" >want &&
	diff want got &&
	complete rwfileinfo --fields = count >got &&
	echo count-records >want &&
	diff want got &&
	complete rwcut --fields = an >got &&
	echo >want &&
	diff want got
'

test_case 'what a switch may be' '
	complete rwcut --output-format = c >got &&
	printf "columns\ncsv\n" >want &&
	diff want got &&
	complete rwcut --ipv6-policy = as >got &&
	echo asv4 >want &&
	diff want got
'

test_case 'zsh: switches, what they may be, and names of fields' '
	command -v zsh >/dev/null || return 0
	cat >try.zsh <<-\E
		_call_program() { shift; eval "$*" }
		_arguments() { print -rl -- "$@" }
		_values() { print -rl -- "$@" }
		words=(rwcut)
		source <(grep -v "^_tussah " $1)
		_tussah
		_tussah_fields
	E
	zsh -f try.zsh "$TUSSAH_BUILDDIR/conf/completion.zsh" >got 2>err && test ! -s err &&
	test_grep "^--no-titles\[" got && test_grep "^--output-format=.*:(columns delimited csv json text)$" got &&
	test_grep "^--pmap-file=\[.*_files$" got && test_grep "^dPort$" got
'

test_case 'files for what is no switch' '
	touch flows.rw &&
	complete rwcut fl >got &&
	echo flows.rw >want &&
	diff want got
'

test_case 'every installed program is completed' '
	for program in rwfilter rwcut rwset rwbagtool rwflowpack rwsensor; do
		grep -q "^complete .* $program\( \|\$\)" "$completion" || return 1
	done
'
test_case 'prefixes of SiLK switches mean those, whatever switches we have' '
	test_must_fail flowcap --t=zz 2>err && test_grep "Invalid timeout .zz." err &&
	test_must_fail rwflowpack --c=zz 2>err && test_grep "Invalid compression-method .zz." err
'
test_done
