# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

unhex() {
	sed -n "s/^$1 //p" "$DATA/streamvectors.txt" | python3 -c \
		'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'
}
unhex split-le >split.rw && unhex split-legacy >ow-S1_20240305.06 && unhex routing-le >routing.rw ||
	exit 99
cat >site.conf <<'END'
version 2
sensor 1 S1
class all
    sensors S1
    type 3 outweb ow
    default-types outweb
end class
END

test_case 'all fields, names from the site' '
	rwfileinfo --site-config-file=site.conf split.rw >got &&
	cat >want <<END &&
split.rw:
  format(id)          FT_RWSPLIT(0x12)
  version             16
  byte-order          littleEndian
  compression(id)     none(0)
  header-length       72
  record-length       24
  record-version      5
  silk-version        0
  count-records       2
  file-size           120
  packed-file-info    2024/03/05T06:00:00Z ow S1
  probe-name          DUMMY_PROBE
END
	test_cmp want got
'

test_case 'numbers without a site' '
	rwfileinfo --fields=packed-file-info --no-titles split.rw >got &&
	echo "2024/03/05T06:00:00Z 3 1" >want &&
	test_cmp want got
'

test_case 'flowtype and sensor of a legacy file are in its name' '
	rwfileinfo --fields=2,packed --no-titles --site-config-file=site.conf \
		ow-S1_20240305.06 >got &&
	printf "5\n2024/03/05T06:00:00Z ow S1\n" >want &&
	test_cmp want got
'

test_case 'the summary adds up' '
	rwfileinfo --summary --fields=count-records,8 split.rw routing.rw >got &&
	cat >want <<END &&
split.rw:
  count-records       2
  file-size           120
routing.rw:
  count-records       3
  file-size           352
**SUMMARY**:
  number-files        2
  total-records       5
  all-file-sizes      472
END
	test_cmp want got
'

test_case 'standard input has no size' '
	rwfileinfo --no-titles --fields=7,8 - <routing.rw >got &&
	printf "3\n0\n" >want &&
	test_cmp want got
'

test_case 'a damaged file is described, with status 1' '
	head -c 100 split.rw >cut.rw &&
	test_must_fail rwfileinfo --no-titles --fields=count-records cut.rw split.rw >got 2>log &&
	printf "1\n2\n" >want &&
	test_cmp want got &&
	test_grep "cut.rw: the last record has 4 of 24 bytes" log
'

test_case 'what is no SiLK file is named' '
	test_must_fail rwfileinfo site.conf 2>log &&
	test_grep "site.conf: not a SiLK file" log
'

test_case 'wrong fields are named' '
	test_must_fail rwfileinfo --fields=co split.rw 2>log &&
	test_grep "The field .co. matches multiple keys" log &&
	test_must_fail rwfileinfo --fields=19 split.rw 2>log &&
	test_must_fail rwfileinfo --fields=3-1 split.rw 2>log &&
	test_must_fail rwfileinfo --fields= split.rw 2>log &&
	test_must_fail rwfileinfo 2>log
'

test_case 'the fields are described' '
	rwfileinfo --help-fields >got &&
	test_grep aggregate-bag got
'

test_done
