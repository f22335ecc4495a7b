#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rwidsquery: alerts and rules of Snort become rwfilter commands.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
unset RWFILTER

cat >alert.fast <<'E'
Nov  15 00:00:58 hostname snort[5214]: [1:1416:11] SNMP {broadcast} trap [Priority: 2]: {TCP} 192.168.0.1:4161 -> 127.0.0.1:139
Nov  16 00:00:58 hostname snort[5214]: [1:1:1] another {UDP} 10.0.0.1:1 -> 10.0.0.2:2
E
cat >alert.full <<'E'
[**] [1:469:3] ICMP PING NMAP [**]
[Classification: Attempted Information Leak] [Priority: 2]
01/02-03:04:05.678901 10.1.1.1 -> 10.2.2.2
ICMP TTL:45 TOS:0x0 ID:1234 IpLen:20 DgmLen:28
E
cat >snort.conf <<'E'
# a comment
ipvar HOME_NET [10.0.0.0/8,!10.9.0.0/16]
var EXTERNAL_NET !10.0.0.0/8
portvar WEB [80,8000:8080]
E
# ruled RULE SWITCHES: the predicates
ruled() {
	printf '# first a comment\n\nalert %s sid:1;)\n' "$1" >rule && shift &&
		rwidsquery --intype=rule --start-date=2024/03/05 --end-date=2024/03/06 --dry-run "$@" rule 2>err &&
		sed 's/.*--stime=2024.03.05-2024.03.06 //' err >got
}
is() {
	echo "$1" | test_cmp - got
}

test_case 'an alert in a line' '
	rwidsquery --intype=fast --year=2007 --tolerance=300 --dry-run alert.fast >out 2>err && [ ! -s out ] && cat >want <<E && test_cmp want err &&
rwfilter --start-date=2007/11/14:23 --end-date=2007/11/15:00 --stime=2007/11/14:23:55:58-2007/11/15:00:05:58 --saddress=192.168.0.1 --sport=4161 --daddress=127.0.0.1 --dport=139 --protocol=6 --pass=stdout
E
	rwidsquery -t fast -y 2007 --tolerance=300 --dry-run - <alert.fast 2>err && test_cmp want err &&
	rwidsquery --intype=fast --dry-run alert.fast 2>err && test_grep "start-date=$(date -u +%Y)/11/14:23 --end-date=$(date -u +%Y)/11/15:01" err
'
test_case 'an alert of several lines' '
	rwidsquery --intype=full --year=2024 --dry-run alert.full 2>err && cat >want <<E && test_cmp want err
rwfilter --start-date=2024/01/02:02 --end-date=2024/01/02:04 --stime=2024/01/02:02:04:05-2024/01/02:04:04:05 --saddress=10.1.1.1 --daddress=10.2.2.2 --protocol=1 --pass=stdout
E
'
test_case 'rules' '
	ruled "tcp 10.0.0.0/8 any -> any 80 (msg:\"x\"; flags:SA,12;" && is "--saddress=10.0.0.0/8 --dport=80 --tcp-flags=SA --protocol=6 --pass=stdout" &&
	ruled "udp any 1024: -> !192.0.2.1 :53 (msg:\"x\";" && is "--sport=1024-65535 --not-dcidr=192.0.2.1 --dport=0-53 --protocol=17 --pass=stdout" &&
	ruled "icmp any any -> any any (itype:>8; icode:0;" && is "--icmp-type=9-255 --icmp-code=0 --protocol=1 --pass=stdout" &&
	ruled "ip any any -> any any (ip_proto:47;" && is "--protocol=47 --pass=stdout" &&
	ruled "tcp [10.1.1.1, 10.1.2.0/24] any <> any [!80] (flags:!S;" && is "--scidr=10.1.1.1,10.1.2.0/24 --dport=0-79,81-65535 --protocol=6 --pass=stdout"
'
test_case 'variables' '
	ruled "tcp \$EXTERNAL_NET any -> \$HOME_NET \$WEB (msg:\"x\";" --config-file=snort.conf && is "--not-scidr=10.0.0.0/8 --daddress=10.0.0.0/8 --not-dcidr=10.9.0.0/16 --dport=80,8000-8080 --protocol=6 --pass=stdout" &&
	test_must_fail ruled "tcp \$EXTERNAL_NET any -> any any (msg:\"x\";" && test_grep "variable .EXTERNAL_NET is not known" err &&
	echo "var LOOP \$LOOP" >loop.conf && test_must_fail ruled "tcp \$LOOP any -> any any (msg:\"x\";" --config-file=loop.conf && test_grep "without end" err
'
test_case 'less and more than the rule' '
	ruled "tcp 10.0.0.0/8 any -> any 80 (msg:\"x\";" --mask=dport,protocol && is "--saddress=10.0.0.0/8 --pass=stdout" &&
	rwidsquery --intype=rule --start-date=2024/03/05 --end-date=2024/03/06 --dry-run -o out.rw rule -- --protocol=17 --fail=x 2>err &&
	test_grep "[-]-dport=80 --protocol=17 --fail=x --pass=out.rw" err
'
test_case 'and it runs' '
	echo "sIP|dIP|sPort|dPort|protocol|packets|bytes|sTime|duration
10.1.1.1|192.0.2.1|1025|80|6|1|40|2024/03/05T10:00:00|1
10.1.1.2|192.0.2.1|1025|81|6|1|40|2024/03/05T10:00:00|1" >flows.txt && rwtuc --output-path=flows.rw flows.txt &&
	echo "Mar  5 10:00:05 h snort[1]: [1:1:1] x {TCP} 10.1.1.1:1025 -> 192.0.2.1:80" >a.txt &&
	rwidsquery --intype=fast --year=2024 --mask=start-date,end-date --output-file=found.rw --verbose a.txt -- flows.rw 2>err && test_grep "^rwfilter " err &&
	rwcut --no-titles --fields=sip found.rw >out && test_lines out 1 && test_grep 10.1.1.1 out &&
	RWFILTER=/nosuch test_must_fail rwidsquery --intype=fast --year=2024 a.txt 2>err && test_grep "cannot run /nosuch" err
'
test_case 'what is wrong' '
	test_must_fail rwidsquery alert.fast 2>err && test_grep "[-]-intype must be given" err && test_must_fail rwidsquery --intype=slow alert.fast 2>err &&
	test_must_fail rwidsquery --intype=rule rule 2>err && test_grep "[-]-start-date" err &&
	test_must_fail rwidsquery --intype=fast --start-date=2024/03/05 alert.fast 2>err && [ $test_status -eq 2 ] && test_must_fail rwidsquery --intype=fast a b 2>err &&
	test_must_fail rwidsquery --intype=fast alert.full 2>err && test_grep "no alert of Snort" err && test_must_fail rwidsquery --intype=full alert.fast 2>err &&
	test_must_fail rwidsquery --intype=fast nosuch 2>err && [ $test_status -eq 1 ] && test_grep nosuch err && test_must_fail ruled "what is this (" && test_grep "no rule of Snort" err
'
test_done
