#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
rwuniq, rwstats, rwcount, rwtotal and rwaddrcount against a plain reference, on random records:

    aggregates.py SEED          (in an empty folder, with the tools on PATH)

Every question is asked with 1, 2, 3 and 8 threads, and with little memory where a tool has that switch. Exits with 1 and
tells which command printed what it should not.
"""
import random
import subprocess
import sys
from collections import defaultdict

RECORDS = 40000
FILES = 4
FIELDS = "sIP,dIP,sPort,dPort,protocol,packets,bytes,flags,sTime,duration"
DAY_MS = 1709078400000


class Record:
    def __init__(self, rng):
        self.sip, self.dip = address(rng), address(rng)
        self.sport = rng.choice([0, 53, 443, 65535, rng.randrange(65536)])
        self.dport = rng.choice([80, rng.randrange(65536), rng.randrange(65536)])
        self.protocol = rng.choice([0, 6, 17, 255])
        self.packets = rng.randrange(1, 2**rng.randrange(1, 21))
        self.bytes = self.packets * rng.randrange(1, 2**rng.randrange(1, 11))
        self.flags = "".join(f for f in "FSRPAUEC" if rng.randrange(3) == 0)
        self.start = DAY_MS + rng.randrange(7200000) // rng.choice([1, 60, 3600])
        self.duration = rng.choice([0, rng.randrange(1000), rng.randrange(300000)])
        self.end = self.start + self.duration
        self.stime = self.start // 1000

    def line(self):
        return "|".join(map(str, (self.sip, self.dip, self.sport, self.dport, self.protocol, self.packets, self.bytes,
                                  self.flags, "%d.%03d" % divmod(self.start, 1000),
                                  "%d.%03d" % divmod(self.duration, 1000))))


def address(rng):
    if rng.randrange(10) == 0:
        return "2001:db8::%x" % rng.randrange(1, 2**rng.randrange(1, 16))
    if rng.randrange(3) == 0:
        return "10.0.0.%d" % rng.randrange(256)
    return ".".join(str(rng.randrange(1, 224)) for _ in range(4))


def make_files(records):
    """Row files and a block file; the records in their order."""
    names = []
    for i in range(FILES):
        part = records[i * RECORDS // FILES:(i + 1) * RECORDS // FILES]
        name = "part%d.rw" % i
        run(["rwtuc", "--no-titles", "--fields=" + FIELDS, "--output-path=" + name], "".join(r.line() + "\n" for r in part))
        if i == FILES - 1:
            run(["rwconvert", "--file-format=block", "--output-path=part.block", name])
            name = "part.block"
        names.append(name)
    return names


def run(command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        sys.exit("%s: status %d\n%s" % (" ".join(command), done.returncode, done.stderr))
    return done.stdout


class Asker:
    def __init__(self, names):
        self.names = names

    def ask(self, tool, switches, expected, memory=(), near=False):
        """All ways to ask, of which each prints the expected rows, in some order."""
        printed = None
        for threads in (1, 2, 3, 8):
            for more in ((),) + memory:
                command = [tool, *switches, *more, "--threads=%d" % threads, "--delimited", "--no-titles", *self.names]
                out = run(command)
                rows = sorted(out.splitlines())
                if not (all_near(rows, expected) if near else rows == sorted(expected)):
                    differ = sorted(set(rows) ^ set(expected))
                    sys.exit("%s: %d rows for %d\n%s" % (" ".join(command), len(rows), len(expected),
                                                          "\n".join(differ[:6])))
                if printed is not None and not more and out != printed:
                    sys.exit("%s: not the order of one thread" % " ".join(command))
                printed = out if not more else printed


def all_near(rows, expected):
    """Numbers with fractions are rounded as they are added."""
    expected = sorted(expected)
    return len(rows) == len(expected) and all(
        near_number(a, b) for r, e in zip(rows, expected) for a, b in zip(r.split("|"), e.split("|")))


def near_number(a, b):
    return abs(float(a) - float(b)) <= 0.011 + 1e-9 * abs(float(b))


VALUES = {
    "records": len,
    "packets": lambda group: sum(r.packets for r in group),
    "bytes": lambda group: sum(r.bytes for r in group),
    "sTime-Earliest": lambda group: min(r.start for r in group) // 1000,
    "eTime-Latest": lambda group: max(r.end for r in group) // 1000,
    "distinct:sip": lambda group: len({r.sip for r in group}),
    "distinct:dip": lambda group: len({r.dip for r in group}),
    "distinct:dport": lambda group: len({r.dport for r in group}),
}
KEYS = ["sip", "dip", "sport", "dport", "protocol", "flags", "packets", "bytes", "stime"]


def group_by(records, keys):
    groups = defaultdict(list)
    for r in records:
        groups[tuple(getattr(r, k) for k in keys)].append(r)
    return groups


def key_cells(keys, key):
    """Beside an IPv6 address an IPv4 one is printed as it lies in the record."""
    addresses = [v for k, v in zip(keys, key) if k in ("sip", "dip")]
    wide = any(":" in a for a in addresses)
    return ["::ffff:" + v if wide and k in ("sip", "dip") and ":" not in v else v for k, v in zip(keys, key)]


def ask_groups(asker, rng, records):
    for number in range(4):
        keys = rng.sample(KEYS, rng.randrange(1, 4)) if number else ["sip", "dport"]
        values = rng.sample(sorted(VALUES), rng.randrange(1, 5))
        values = [v for v in values if v.partition(":")[2] not in keys] or ["bytes"]
        rows = ["|".join(map(str, [*key_cells(keys, key), *(VALUES[v](group) for v in values)]))
                for key, group in group_by(records, keys).items()]
        little = (("--memory=1m", "--temp-directory=."),)
        time = ["--timestamp-format=epoch"]
        asker.ask("rwuniq", ["--fields=" + ",".join(keys), "--values=" + ",".join(values), *time], rows, little)
        asker.ask("rwuniq", ["--fields=" + ",".join(keys), "--values=" + ",".join(values), "--sort-output", *time], rows,
                  little)
        values = [v for v in values if "Time" not in v] or ["records"]
        rows = ["|".join(map(str, [*key_cells(keys, key), *(VALUES[v](group) for v in values)]))
                for key, group in group_by(records, keys).items()]
        asker.ask("rwstats", ["--fields=" + ",".join(keys), "--values=" + ",".join(values), "--count=0", "--no-percents",
                              *time], rows)


def ask_totals(asker, records):
    for switch, key in (("--sport", "sport"), ("--dport", "dport"), ("--proto", "protocol")):
        asker.ask("rwtotal", [switch, "--skip-zeroes"],
                  ["|".join(map(str, (*k, len(g), VALUES["bytes"](g), VALUES["packets"](g))))
                   for k, g in group_by(records, [key]).items()])
    for switches, key in (([], "sip"), (["--use-dest"], "dip")):
        asker.ask("rwaddrcount", ["--print-recs", "--ipv6-policy=mix", "--timestamp-format=epoch", *switches],
                  ["|".join(map(str, (*k, VALUES["bytes"](g), VALUES["packets"](g), len(g), VALUES["sTime-Earliest"](g),
                                      VALUES["eTime-Latest"](g))))
                   for k, g in group_by(records, [key]).items()])


def shares(scheme, r, size):
    """The bins of a record, and what part of its volume each gets."""
    first, last = r.start // size, r.end // size
    spikes = {"start-spike": r.start, "end-spike": r.end, "middle-spike": r.start + r.duration // 2}
    if scheme in spikes:
        return [(spikes[scheme] // size, 1)]
    bins = range(first, last + 1)
    if scheme == "maximum-volume":
        return [(b, 1) for b in bins]
    if scheme == "bin-uniform":
        return [(b, 1 / len(bins)) for b in bins]
    whole = r.duration + 1
    return [(b, (min(r.end + 1, (b + 1) * size) - max(r.start, b * size)) / whole) for b in bins]


def ask_counts(asker, rng, records):
    for scheme in ("start-spike", "end-spike", "middle-spike", "maximum-volume", "bin-uniform", "time-proportional"):
        size = rng.choice([500, 1000, 7500, 30000, 300000, 3600000])
        bins = defaultdict(lambda: [0, 0, 0])
        for r in records:
            for number, share in shares(scheme, r, size):
                for i, volume in enumerate((1, r.bytes, r.packets)):
                    bins[number][i] += volume * share
        asker.ask("rwcount", ["--bin-size=%s" % (size / 1000), "--load-scheme=" + scheme, "--skip-zeroes",
                              "--timestamp-format=epoch"],
                  ["%.3f|%.2f|%.2f|%.2f" % (number * size / 1000, *volumes) for number, volumes in bins.items()], near=True)


def main():
    rng = random.Random(int(sys.argv[1]))
    records = [Record(rng) for _ in range(RECORDS)]
    asker = Asker(make_files(records))
    ask_groups(asker, rng, records)
    ask_totals(asker, records)
    ask_counts(asker, rng, records)



main()
