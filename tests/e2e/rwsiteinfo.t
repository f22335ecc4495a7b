#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"

cat >silk.conf <<'EOF'
version 2
sensor 5 E "fifth"
sensor 1 A
sensor 3 C "third one"
sensor 9 Z
group h
sensors A Z
end group
group g
sensors E C A
end group
class z
type 4 b
type 1 a
type 9 c
sensors E C A
default-types c b
end class
class a
sensors A @g
type 3 b
type 7 q
default-types q
end class
class n
type 2 b
end class
default-class z
EOF
SILK_CONFIG_FILE=$PWD/silk.conf
export SILK_CONFIG_FILE

# rows FIELDS SWITCHES WANTED: rows without titles, joined by blanks.
rows() {
	rwsiteinfo --no-titles --delimited --fields=$1 $2 >out || return 1
	got=$(tr '\n' ' ' <out)
	[ "$got" = "$3 " ] && return 0
	echo "$1 $2: \"$got\" instead of \"$3\""
	return 1
}

test_case 'one dimension' '
	rows class "" "z a n" && rows type "" "a b b b q c" && rows flowtype "" "za nb ab zb aq zc" &&
	rows id-sensor,sensor,describe-sensor "" "1|A| 3|C|third one 5|E|fifth 9|Z|" &&
	rows group "" "h g" && rows default-class "" z && rows default-type "" "c b q"
'

test_case 'of two site files the first counts' '
	printf "class other\ntype 1 x\nend class\n" >other.conf &&
	rows class "--site-config-file=silk.conf --site-config-file=other.conf" "z a n" &&
	rows class "--site-config-file=other.conf --site-config-file=nosuch" "other" 2>err && test_grep "only the first" err
'

test_case 'all types' '
	rows type --types=all "a b b b q c" && rows flowtype "--types=q,all --classes=a,n" "nb ab aq" &&
	rows flowtype "--types=@ --classes=a,n" "aq"
'

test_case 'several dimensions' '
	rows class,type "" "z|b z|a z|c a|b a|q n|b" &&
	rows class,sensor "" "z|E z|C z|A a|A a|E a|C n|" &&
	rows sensor,class "" "A|z A|a C|z C|a E|z E|a Z|" &&
	rows group,sensor "" "h|A h|Z g|E g|C g|A" &&
	rows class,type,mark-defaults "" "z|b|+* z|a|+ z|c|+* a|b| a|q|* n|b|" &&
	rows class,default-type "" "z|c z|b a|q n|"
'

test_case 'lists' '
	rows class:list,sensor:list "" "z,a,n|A,C,E,Z" &&
	rows class,type:list,sensor:list "" "z|b,a,c|E,C,A a|b,q|A,E,C n|b|" &&
	rows sensor,group:list "" "A|h,g C|g E|g Z|h" &&
	rows sensor,default-type:list "--sensors=E,Z" "E|c,b E|q Z|" && rows sensor,class,default-type:list "--sensors=Z" "Z||" &&
	rows class:list "--list-delimiter=;" "z;a;n"
'

test_case 'filters' '
	rows group --sensors=Z h &&
	rows class,sensor --sensors=C "z|C a|C" && rows type --classes=@ "a b c" &&
	rows class --types=@ "z a" && rows class,type "--flowtypes=a/b" "a|b" &&
	rows class "--classes=z,a --types=a" "z a" &&
	rows sensor,class,type:list "--classes=z,a --types=a" "A|z|a A|a| C|z|a C|a| E|z|a E|a|" &&
	rows sensor,default-type,class "--sensors=E,Z" "E|c|z E|b|z E|q|a Z||" &&
	rows sensor,default-type,class "--types=a --sensors=A" "A||z" &&
	rows sensor --groups=h "A Z" && rows group,sensor "--groups=g --sensors=A" "g|A"
'

test_case 'columns' '
	rwsiteinfo --fields=class,type,mark-defaults,sensor --classes=z --sensors=C >out &&
	cat >want <<-"EOF" &&
	Class|Type|Defaults|Sensor|
	    z|   b|      +*|     C|
	    z|   a|      + |     C|
	    z|   c|      +*|     C|
	EOF
	test_cmp want out
'

test_case 'files of the repository' '
	mkdir -p data/z/b/2020/01/01 data/z/b/2020/01/03 data/a/q/2020/01/02 &&
	echo "path-format \"%C/%T/%Y/%m/%d/%x\"" >>silk.conf &&
	b=$(rwsiteinfo --flowtypes=z/b --fields=flowtype --no-titles --delimited) &&
	q=$(rwsiteinfo --flowtypes=a/q --fields=flowtype --no-titles --delimited) &&
	: >"data/z/b/2020/01/01/$b-E_20200101.05" && : >"data/z/b/2020/01/03/$b-C_20200103.23.gz" &&
	: >"data/z/b/2020/01/01/$b-E_20200103.05" && : >"data/a/q/2020/01/02/$q-A_20200102.00" &&
	rwsiteinfo --data-rootdir=data --fields=class,repo-start-date,repo-end-date,repo-file-count --delimited >out &&
	cat >want <<-EOF &&
	Class|Start-Date|End-Date|File-Count
	z|2020/01/01T05:00:00|2020/01/03T23:00:00|2
	a|2020/01/02T00:00:00|2020/01/02T00:00:00|1
	n|||0
	EOF
	test_cmp want out &&
	rwsiteinfo --data-rootdir=data --fields=sensor,repo-file-count --sensors=E,A --delimited --no-titles >out &&
	printf "A|1\nE|1\n" >want && test_cmp want out &&
	rwsiteinfo --data-rootdir=data --fields=repo-start-date,repo-file-count --timestamp-format=epoch >out &&
	printf "Start-Date|File-Count|\n1577854800|         3|\n" >want && test_cmp want out &&
	for format in "/%C/%T/%Y/%m/%d/%x" "%C//%T/%Y/%m/%d//%x"; do
		sed "s,^path-format.*,path-format \"$format\"," silk.conf >slashes.conf &&
		rwsiteinfo --site-config-file=slashes.conf --data-rootdir=data --fields=repo-file-count --no-titles --delimited >out &&
		echo 3 | test_cmp - out || return 1
	done &&
	test_must_fail rwsiteinfo --data-rootdir=nowhere --fields=sensor 2>err && test_grep "does not exist" err
'

test_case 'errors' '
	while IFS="!" read -r switch words; do
		test_must_fail rwsiteinfo --fields=class $switch 2>err || return 1
		test_grep "$words" err || return 1
	done <<-"EOF"
	--classes=x!Error parsing classes .x.: The class name .x. is not recognized
	--types=x!The type name .x. is not recognized in the specified class(es)
	--flowtypes=x/b!The flowtype .x/b. uses an unrecognized class name
	--sensors=x,y!Found multiple errors
	--groups=x!The sensor-group name .x. is not recognized
	--classes=z --flowtypes=z/b!Cannot use --flowtypes
	EOF
	test_must_fail rwsiteinfo 2>err && test_grep "The --fields switch is required" err &&
	test_must_fail rwsiteinfo --fields=foo 2>err && test_grep "No match was found" err
'

test_case 'errors of the site file are all shown' '
	printf "sensor 1 A\nsensor 1 B\nfoo\n" >bad.conf &&
	test_must_fail rwsiteinfo --site-config-file=bad.conf --fields=class 2>err &&
	test_grep "A sensor with id .1. already exists" err && test_grep "Unknown command .foo." err &&
	rwsiteinfo --site-config-file="$TUSSAH_SRCDIR/conf/silk.conf" --fields=type:list >out &&
	test_grep "in,out,inweb,outweb,innull,outnull,int2int,ext2ext,inicmp,outicmp,other" out
'

test_done
