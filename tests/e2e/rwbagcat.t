#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
. "$TUSSAH_SRCDIR/tests/e2e/lib.sh"
export TZ=0

# build NAME TEXT SWITCHES...
build() {
	name=$1
	printf "$2" >in
	shift 2
	rwbagbuild --bag-input=in --output-path="$name.bag" "$@" || exit 99
}
build hosts '10.0.0.1|5\n10.0.0.2|3\n10.1.0.2|300\n192.168.1.1|70000\n' --key-type=sIPv4
build mixed '10.0.0.1|5\n2001:db8::1|3\n2001:db8::2|9\n' --key-type=sIPv4
build ports '1|5\n2|5\n3|5\n4|7\n' --key-type=sPort
build times '0|1\n1709121600|2\n' --key-type=sTime
build flags '2|1\n18|2\n' --key-type=flags
build counts '1|99\n2|100\n3|101\n4|999\n5|1000\n6|4294967296\n7|18446744073709551614\n'
build empty ''

# shows EXPECTED ARGUMENTS...
shows() {
	expected=$1
	shift
	rwbagcat "$@" >out && printf "$expected" | test_cmp - out
}

test_case 'columns' '
	shows "       10.0.0.1|                   5|\n       10.0.0.2|                   3|\n       10.1.0.2|                 300|\n    192.168.1.1|               70000|\n" hosts.bag &&
	shows "                        ::ffff:10.0.0.1|                   5|\n                            2001:db8::1|                   3|\n                            2001:db8::2|                   9|\n" mixed.bag &&
	shows "10.0.0.1,5\n10.0.0.2,3\n10.1.0.2,300\n192.168.1.1,70000\n" --delimited=, hosts.bag &&
	shows "" empty.bag
'

test_case 'formats of keys' '
	shows "167772161|5\n167772162|3\n167837698|300\n3232235777|70000\n" --delimited \
		--key-format=decimal hosts.bag &&
	shows "0a000001|5\n0a000002|3\n0a010002|300\nc0a80101|70000\n" --delimited \
		--key-format=hexadecimal,zero-padded hosts.bag &&
	shows "10.0.0.1|5\n2001:db8::1|3\n2001:db8::2|9\n" --delimited --key-format=unmap-v6 \
		mixed.bag &&
	shows "1970/01/01T00:00:00|1\n2024/02/28T12:00:00|2\n" --delimited times.bag &&
	shows "0|1\n1709121600|2\n" --delimited --key-format=epoch times.bag &&
	shows "1970-01-01 00:00:00|1\n2024-02-28 12:00:00|2\n" --delimited \
		--key-format=iso-time,utc times.bag &&
	shows "S|1\nSA|2\n" --delimited flags.bag &&
	shows "2|1\n12|2\n" --delimited --key-format=hexadecimal flags.bag &&
	shows "0000000001|5\n0000000002|5\n0000000003|5\n0000000004|7\n" --delimited \
		--key-format=zero-padded ports.bag
'

test_case 'formats that make no sense are refused' '
	while read -r bag format; do
		test_must_fail rwbagcat --key-format=$format $bag.bag >out 2>err || return 1
		test_grep "Nonsensical" err && test_lines out 0 || return 1
	done <<-EOF
	hosts timestamp
	hosts utc
	ports canonical
	ports map-v4
	ports epoch
	times decimal
	times canonical
	flags no-mixed
	EOF
	test_must_fail rwbagcat --key-format=nope hosts.bag 2>err &&
	test_must_fail rwbagcat --key-format=decimal --key-format=canonical hosts.bag 2>err
'

test_case 'order of counters' '
	shows "192.168.1.1|70000\n10.1.0.2|300\n10.0.0.1|5\n10.0.0.2|3\n" --delimited --sort-counters \
		hosts.bag &&
	shows "10.0.0.2|3\n10.0.0.1|5\n10.1.0.2|300\n192.168.1.1|70000\n" --delimited \
		--sort-counters=increasing hosts.bag &&
	shows "4|7\n3|5\n2|5\n1|5\n" --delimited --sort-counters ports.bag &&
	shows "192.168.1.1|70000\n10.1.0.2|300\n10.0.0.1|5\n10.0.0.2|3\n" --delimited --sort-counters \
		--network-structure=8 hosts.bag
'

test_case 'limits' '
	shows "10.0.0.2|3\n10.1.0.2|300\n" --delimited --minkey=10.0.0.2 --maxkey=10.1.0.2 \
		hosts.bag &&
	shows "10.0.0.1|5\n10.1.0.2|300\n" --delimited --mincounter=5 --maxcounter=300 hosts.bag &&
	printf "10.0.0.0/29\n" >in && rwsetbuild in m.set &&
	shows "10.0.0.1|5\n10.0.0.2|3\n" --delimited --mask-set=m.set hosts.bag &&
	shows "10.0.0.1|5\n10.0.0.2|3\n10.0.0.3|0\n" --delimited --zero-counts --minkey=10.0.0.1 \
		--maxkey=10.0.0.3 hosts.bag &&
	shows "10.0.0.2|3\n10.0.0.3|0\n10.0.0.4|0\n" --delimited --zero-counts --mask-set=m.set \
		--minkey=10.0.0.1 --maxkey=10.0.0.4 --maxcounter=4 hosts.bag &&
	test_must_fail rwbagcat --zero-counts hosts.bag 2>err && test_grep "must be specified" err &&
	test_must_fail rwbagcat --mincounter=5 --maxcounter=4 hosts.bag 2>err &&
	test_must_fail rwbagcat --minkey=2 --maxkey=1 hosts.bag 2>err &&
	test_must_fail rwbagcat --mincounter=0 hosts.bag 2>err &&
	test_must_fail rwbagcat --mask-set=m.set ports.bag 2>err && test_grep "sPort keys" err
'

printf 'label 0 x\nlabel 1 y\n10.0.0.0/8 1\n' >map.txt && rwpmapbuild --input-path=map.txt --output-path=map.pmap &&
	printf '10.0.0.1|1\n11.0.0.1|3\n' >mapped.txt && rwbagbuild --pmap-file=map.pmap --key-type=sip-pmap --bag-input=mapped.txt --output-path=mapped.bag || exit 99

test_case 'bins' '
	shows "99|1\n100|1\n101|1\n999|1\n1000|1\n4294967295|2\n" --delimited --bin-ips counts.bag &&
	shows "2^06 to 2^07-1|3\n2^09 to 2^10-1|2\n2^32 to 2^33-1|1\n2^63 to 2^64-1|1\n" \
		--delimited --bin-ips=binary counts.bag &&
	shows "99|1\n101|2\n989|1\n1011|1\n4315476755|1\n18408939976364277760|1\n" --delimited \
		--bin-ips=decimal counts.bag &&
	shows "1|1\n3|1\n" --delimited --bin-ips mapped.bag && shows "1|1\n3|1\n" --delimited --bin-ips --key-format=epoch mapped.bag &&
	test_must_fail rwbagcat --print-statistics mapped.bag 2>err && test_grep "pmap-file switch is required" err &&
	test_must_fail rwbagcat --bin-ips --network-structure hosts.bag 2>err
'

test_case 'networks' '
	shows "TOTAL|               70308| 4 hosts in 2 /8s, 3 /16s, 3 /24s, and 3 /27s\n" \
		--network-structure hosts.bag &&
	shows "  10.0.0.0/16       |                   8| 2 hosts in 1 /24\n  10.1.0.0/16       |                 300| 1 host in 1 /24\n10.0.0.0/8          |                 308| 3 hosts in 2 /16s and 2 /24s\n  192.168.0.0/16    |               70000| 1 host in 1 /24\n192.0.0.0/8         |               70000| 1 host in 1 /16 and 1 /24\n" \
		--network-structure=8,16/24 hosts.bag &&
	shows "TOTAL|17| 3 hosts in 2 /48s and 2 /64s\n" --delimited --network-structure=v6: \
		mixed.bag &&
	shows "10.0.0.0/16|8\n10.1.0.0/16|300\n192.168.0.0/16|70000\n" --delimited \
		--network-structure=16 hosts.bag &&
	test_must_fail rwbagcat --network-structure ports.bag 2>err && test_grep "sPort keys" err
'

cat >statistics <<'EOF'

Statistics
    number of keys:  4
   sum of counters:  70308
       minimum key:  10.0.0.1
       maximum key:  192.168.1.1
   minimum counter:  3
   maximum counter:  70000
              mean:  1.758e+04
          variance:  1.221e+09
standard deviation:  3.495e+04
              skew:  0.75
          kurtosis:  2.25
   nodes allocated:  0 (0 bytes)
   counter density:  inf%
EOF
test_case 'statistics of a bag of IPv6 addresses, which is a tree' '
	rwbagcat --print-statistics mixed.bag >out &&
	test_grep "^   nodes allocated:  3 (72 bytes)$" out &&
	test_grep "^   counter density:  100.00%$" out &&
	rwbagcat --print-statistics --mincounter=5 mixed.bag >out &&
	test_grep "^    number of keys:  2$" out &&
	test_grep "^   nodes allocated:  3 (72 bytes)$" out
'

test_case 'statistics' '
	rwbagcat --print-statistics hosts.bag >out && test_cmp statistics out &&
	rwbagcat --print-statistics --print-statistics hosts.bag >out && test_cmp statistics out &&
	rwbagcat --print-statistics=twice --print-statistics hosts.bag >out && ! test -s out && test_cmp statistics twice &&
	test_must_fail rwbagcat --print-statistics=x --print-statistics=y hosts.bag 2>err &&
	rwbagcat --print-statistics=stats --sort-counters --delimited hosts.bag >out &&
	test_cmp statistics stats && test_lines out 4 &&
	shows "\nStatistics\n  No entries in bag.\n" --print-statistics empty.bag &&
	shows "\nStatistics\n  No entries in bag within limits.\n" --print-statistics \
		--mincounter=80000 hosts.bag
'

test_case 'files: several, standard input, wrong ones' '
	rwbagcat --delimited - ports.bag <flags.bag >out && test_lines out 6 &&
	rwbagcat <hosts.bag >out && test_lines out 4 &&
	test_must_fail rwbagcat hosts.bag nonexistent.bag ports.bag >out 2>err &&
	test_lines out 4 && test_grep nonexistent.bag err &&
	test_must_fail rwbagcat m.set 2>err && test_grep "not a bag" err &&
	head -c 100 mixed.bag >cut.bag && test_must_fail rwbagcat cut.bag 2>err &&
	test_grep cut.bag err &&
	rwbagcat --output-path=o.txt --delimited hosts.bag && test_lines o.txt 4 &&
	test_must_fail rwbagcat --output-path=o.txt hosts.bag 2>err
'

test_done
