#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Expected texts: SiLK 3.22.1's on the same records.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

cat >bad.txt <<'END'
sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration|nhIP|in|out
1.2.3.4|5.6.7.8|10|20|17|10|5|S|2020/01/01T00:00:00|1.5|9.9.9.9|1|2
1.2.3.4|5.6.7.8|10|20|1|1|4000000000|S|2020/01/01T00:00:00|4096|9.9.9.9|1|2
1.2.3.4|5.6.7.8|10|20|58|100|4000|S|2020/01/01T00:00:00|4096.999|9.9.9.9|1|2
::1|::2|10|20|58|100|4000|S|2020/01/01T00:00:00|4097|::3|1|2
END
cat >good.txt <<'END'
sIP|dIP|sPort|dPort|protocol|packets|bytes|flags|sTime|duration
1.2.3.4|5.6.7.8|10|20|6|100|4000|S|2020/01/01T00:00:00|1
END
rwtuc --output-path=bad.rw bad.txt && rwtuc --output-path=good.rw good.txt || exit 99

test_case 'what is unusual about a file' '
	cat >want <<END &&
bad.rw:
                   3/4 flows are bad or unusual
                   1 flows where Elapsed Time > 4096
                   1 flows where Byte/Packet Ratio < 1
                   1 flows where Byte/Packet Ratio > 16384
                   1 flows where UDP Byte/Packet Ratio < 1
                   1 flows where ICMP Byte/Packet Ratio > 16384
END
	test_must_fail rwpackchecker bad.rw good.rw >got && test_cmp want got
'

test_case 'data' '
	test_must_fail rwpackchecker --output-format=csv bad.rw good.rw >got && cat >want <<END && test_cmp want got &&
file,test,limit,flows,records
bad.rw,any,,3,4
bad.rw,Elapsed Time,4096,1,4
bad.rw,min-bpp-ratio,1,1,4
bad.rw,max-bpp-ratio,16384,1,4
bad.rw,min-udp-bpp-ratio,1,1,4
bad.rw,max-icmp-bpp-ratio,16384,1,4
END
	rwpackchecker --output-format=json --print-all good.rw >got && test_lines got 17 &&
	test_grep "^{\"file\":\"good.rw\",\"test\":\"max-bytes\",\"limit\":4294967295,\"flows\":0,\"records\":1}$" got
'

test_case 'nothing about a clean one' '
	rwpackchecker good.rw >got && test_lines got 0 &&
	rwpackchecker --print-all good.rw >got && test_lines got 18
'

test_case 'allowed counts, standard input, lists of names' '
	set -- --allow=min-bpp=1 --allow=max-bpp=1 --allow=min-udp=1 --allow=max-icmp=1 &&
	test_must_fail rwpackchecker "$@" <bad.rw >got && test_lines got 3 && test_grep "^-:" got &&
	test_must_fail rwpackchecker "$@" stdin <bad.rw >got && test_lines got 3 && test_grep "^stdin:" got &&
	echo good.rw >names && rwpackchecker --xargs=names
'

test_case 'lists: ports, and addresses of a set' '
	echo 1.2.3.0/24 >ips && rwsetbuild ips s.set &&
	test_must_fail rwpackchecker --value=match-sip=s.set --value=nomatch-dp=20 bad.rw >got &&
	test_grep "^                   3 flows where Source IP inside the match set" got &&
	! grep "Destination Port" got
'

test_case 'a file that cannot be read is told, and the next one checked' '
	echo "no flows here, not even one" >junk && head -c 100 bad.rw >cut &&
	test_must_fail rwpackchecker nosuch junk cut bad.rw >got 2>log &&
	test_grep "nosuch" log && test_grep "junk" log && test_grep "cut" log && test_grep "^bad.rw" got
'

test_case 'settings that make no sense' '
	test_must_fail rwpackchecker --value=min-packets good.rw 2>log &&
	test_grep "rwpackchecker: Missing .=. in argument to --value switch" log &&
	test_must_fail rwpackchecker --value=foo=3 good.rw 2>log &&
	test_grep "Invalid threshold name .foo. in --value switch" log &&
	test_must_fail rwpackchecker --allow=min-packets=-1 good.rw 2>log &&
	test_grep "Invalid allowable-count for .min-packets. threshold: Unexpected character .-." log
'

test_done
