#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwnetmask: the first bits of addresses.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset SILK_CLOBBER
export SILK_HEADER_NOVERSION=1

cat >flows.txt <<'E' && rwtuc --output-path=flows.rw --note-add=gone flows.txt || exit 99
sIP|dIP|nhIP|packets|bytes|sTime
10.20.30.40|192.168.77.255|172.16.1.1|1|40|2024/03/05T10:00:00
2001:db8:1:2:3:4:5:6|2001:db8:ffff:ffff:ffff:ffff:ffff:ffff|fe80::1|1|40|2024/03/05T10:00:00
E

# masked SWITCHES: the addresses that come out
masked() {
	rwnetmask "$@" flows.rw >masked.rw && rwcut --no-titles --delimited=' ' --fields=sip,dip,nhip masked.rw
}

test_case 'each address of each family has a length of its own' '
	masked --4sip-prefix-length=8 --4dip-prefix-length=18 --6nhip-prefix-length=1 >out && cat >want <<E &&
10.0.0.0 192.168.64.0 172.16.1.1
2001:db8:1:2:3:4:5:6 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 8000::
E
	test_cmp want out &&
	masked --6sip-prefix-length=48 --6dip-prefix-length=127 --4nhip-prefix-length=1 >out && cat >want <<E &&
10.20.30.40 192.168.77.255 128.0.0.0
2001:db8:1:: 2001:db8:ffff:ffff:ffff:ffff:ffff:fffe fe80::1
E
	test_cmp want out &&
	masked --4sip-prefix-length=32 --6dip-prefix-length=128 >out &&
	rwcut --no-titles --delimited=" " --fields=sip,dip,nhip flows.rw >want && test_cmp want out
'
test_case 'the old names, and the last one counts' '
	masked --sip-prefix-length=24 --dip-prefix-length=16 --nhip-prefix-length=12 >out && head -1 out >got &&
	echo "10.20.30.0 192.168.0.0 172.16.0.0" >want && test_cmp want got &&
	masked --4sip-prefix-length=24 --sip-prefix-length=16 >out 2>err && test_grep "^10.20.0.0 " out && test_grep "more than once" err
'
test_case 'by the family after the policy' '
	masked --ipv6-policy=force --6sip-prefix-length=104 --4sip-prefix-length=1 >out && test_grep "^::ffff:10.0.0.0 " out &&
	masked --ipv6-policy=ignore --4sip-prefix-length=1 >out && test_lines out 1 &&
	SILK_IPV6_POLICY=only && export SILK_IPV6_POLICY && masked --4sip-prefix-length=1 >out && unset SILK_IPV6_POLICY && test_lines out 1
'
test_case 'into a file' '
	rwnetmask --4sip-prefix-length=8 --output-path=out.rw --note-add=new --print-filenames flows.rw 2>err &&
	echo flows.rw | test_cmp - err &&
	rwfileinfo --no-titles --fields=format,compression,count-records,command-lines,annotations out.rw >info && cat >want <<E &&
FT_RWIPV6ROUTING(0x0c)
lzo1x(2)
2
new
E
	sed "s/^ *//" info | test_cmp want - &&
	test_must_fail rwnetmask --4sip-prefix-length=8 --output-path=out.rw flows.rw 2>err && test_grep "out.rw" err &&
	test_must_fail rwnetmask --4sip-prefix-length=8 --output-path=nodir/out.rw flows.rw 2>err && test_grep "nodir/out.rw" err
'
test_case 'input that cannot be read' '
	rwcat --compression-method=none --output-path=plain.rw flows.rw && head -c 200 plain.rw >cut.rw &&
	rwnetmask --4sip-prefix-length=8 --output-path=go.rw cut.rw flows.rw 2>err && test_grep "cut.rw: record 2 is incomplete" err &&
	rwfileinfo --no-titles --fields=count-records go.rw >count && [ "$(cat count)" -eq 3 ] &&
	test_must_fail rwnetmask --4sip-prefix-length=8 nosuch >out 2>err && test_grep nosuch err &&
	test_must_fail rwnetmask --4sip-prefix-length=8 "$DATA/filter.txt" >out 2>err && test_grep filter.txt err
'
test_case 'a full disk' '
	test_must_fail rwnetmask --4sip-prefix-length=8 --output-path=/dev/full flows.rw 2>err && test_grep "/dev/full: " err
'
test_case 'switches that are wrong' '
	test_must_fail rwnetmask flows.rw 2>err && test_grep "at least one prefix length" err &&
	test_must_fail rwnetmask --4sip-prefix-length=33 flows.rw 2>err && test_grep "above maximum of 32" err &&
	test_must_fail rwnetmask --6sip-prefix-length=129 flows.rw 2>err && test_grep "above maximum of 128" err &&
	test_must_fail rwnetmask --4dip-prefix-length=0 flows.rw 2>err && test_grep "below minimum of 1" err
'
test_done
