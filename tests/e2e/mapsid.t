#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# mapsid: names and numbers of sensors.
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

cat >silk.conf <<'E'
version 2
sensor 0 S0 "the \"first\""
sensor 1 S1
sensor 20 Edge-A "an edge"
sensor 300 Far
class all
    sensors S0 S1
    type 0 in in
end class
class alt
    sensors S1 Edge-A
    type 1 in altin
end class
E
SILK_CONFIG_FILE=silk.conf
export SILK_CONFIG_FILE

test_case 'all of them' '
	mapsid >out && cat >want <<E &&
    0 -> S0
    1 -> S1
   20 -> Edge-A
  300 -> Far
Total sensors 4
E
	test_cmp want out &&
	mapsid --print-classes --print-descriptions >out && cat >want <<E &&
    0 -> S0      [all]  "the "first""
    1 -> S1      [all,alt]
   20 -> Edge-A  [alt]  "an edge"
  300 -> Far     []
Total sensors 4
E
	test_cmp want out
'
test_case 'some of them' '
	mapsid edge-a 300 " +1" S1 >out && cat >want <<E &&
Edge-A ->    20
  300 -> Far
    1 -> S1
S1 ->     1
E
	test_cmp want out &&
	mapsid --print-classes 1 >out && echo "    1 -> S1  [all,alt]" >want && test_cmp want out &&
	mapsid --print-classes 1 Edge-A >out && cat >want <<E && test_cmp want out
    1 -> S1      [all,alt]
Edge-A ->    20  [alt]
E
'
test_case 'names of fewer than three letters' '
	printf "version 2\nsensor 0 A\nsensor 1 BB\nclass one\nsensors A BB\ntype 0 in\nend class\n" >short.conf &&
	SILK_CONFIG_FILE=short.conf mapsid --print-classes >out && cat >want <<E &&
    0 -> A    [one]
    1 -> BB   [one]
Total sensors 2
E
	test_cmp want out &&
	SILK_CONFIG_FILE=short.conf mapsid --print-classes 1 >out && echo "    1 -> BB  [one]" >want && test_cmp want out
'
test_case 'sensors that there are not' '
	mapsid nosuch 5 70000 "" S0 >out 2>err && echo "S0 ->     0" >want && test_cmp want out && test_lines err 4 &&
	test_grep "no sensor is called .nosuch." err && test_grep "no sensor has the number .5." err &&
	test_grep "70000.: Value is above maximum of 65534" err
'
test_case 'no site' '
	test_must_fail mapsid --site-config-file=nosuch 2>err && test_grep nosuch err &&
	echo "sensor x" >bad.conf && test_must_fail mapsid --site-config-file=bad.conf 2>err && test_grep "bad.conf:1" err
'
test_case 'a full disk' '
	test_must_fail mapsid >/dev/full 2>err && test_grep "cannot write" err
'
test_case 'data' '
	mapsid --output-format=csv --print-classes --print-descriptions >out && cat >want <<E && test_cmp want out &&
id,sensor,classes,description
0,S0,all,"the ""first"""
1,S1,"all,alt",
20,Edge-A,alt,an edge
300,Far,,
E
	mapsid --output-format=json edge-a 1 nowhere >out 2>err && cat >want <<E && test_cmp want out && test_grep nowhere err
{"id":20,"sensor":"Edge-A"}
{"id":1,"sensor":"S1"}
E
'
test_done
