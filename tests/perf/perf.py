#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the query tools on made-up flows, beside SiLK's and nfdump's when they are there.

    tests/perf/perf.py --build=build --records=10m --data=DIR [--only=count-all,copy-out]

PEER_SILK and PEER_NFDUMP name the folders of the others' programs, which have one core. All sides answer each question
in turn, as often as --runs says; a row shows the medians. The answers are compared first: where
they differ there is no ratio and the exit status is 1. Rows whose tool is not there are left out.
"""
import argparse
import dataclasses
import hashlib
import ipaddress
import os
import pathlib
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import typing
import zlib

from perfdata import Flows

SOURCE = pathlib.Path(__file__).resolve().parents[2]
YEAR_RECORDS = 26280 * 80
SUFFIXES = {"k": 10**3, "m": 10**6}
SET_ADDRESSES = 10**6
ADDRESSES = {"scattered": "1 M scattered IPv4 addresses", "dense": "1 M IPv4 addresses in 10,000 networks",
             "ipv6": "1 M scattered IPv6 addresses"}


@dataclasses.dataclass
class Side:
    """Whose programs, on which form of the records, on how many CPUs."""
    name: str
    family: str  # ours, silk or nfdump
    folder: pathlib.Path
    form: str
    cpus: int = 1
    is_beside: bool = False  # the same programs as another side, on another form

    def answers(self, row):
        """Can it do what the row asks?"""
        if self.family == "nfdump":
            return row.takes_nfdump
        if self.is_beside and row.tool != "rwfilter" and not row.by_form:
            return False  # it reads one file, of the same form for all
        return (self.folder / row.tool).exists()  # all of ours use the CPUs they are given

    def command(self, tool, *arguments):
        switches = []
        if self.family == "ours" and self._takes_threads(tool):
            switches = [f"--threads={self.cpus}"]
        return [str(self.folder / tool), *switches, *map(str, arguments)]

    def _takes_threads(self, tool):
        dump = subprocess.run([self.folder / tool, "--dump-options"], capture_output=True, text=True)
        return any(line.startswith("threads\t") for line in dump.stdout.splitlines())


@dataclasses.dataclass
class Bench:
    """What the rows are made of."""
    flows: Flows
    year: Flows
    scratch: pathlib.Path
    rare: str

    def output(self, side, suffix):
        return self.scratch / f"{side.name.replace(' ', '-')}.{suffix}"


@dataclasses.dataclass
class Row:
    """A question: command(bench, side) or None, and how the answer is read."""
    name: str
    title: str
    tool: str
    command: typing.Callable
    answer: typing.Callable
    flows: typing.Callable = lambda bench: bench.flows
    takes_nfdump: bool = False
    repeat: int = 1  # of the runs that --runs asks for
    by_form: bool = False  # each side reads the files of its form, not one file of all


def run_text(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"perf: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout + done.stderr


# Answers: what all sides must agree on.

def passed_records(_bench, _side, command):
    """Of a filter: how many records passed."""
    text = run_text(command)
    for pattern in (r"^ *Pass\| *(\d+)\|", r"Pass +(\d+)\.", r"^Summary: total flows: (\d+)"):
        found = re.search(pattern, text, re.M)
        if found:
            return int(found.group(1))
    sys.exit(f"perf: no count in what {' '.join(command)} printed: {text}")


def written_records(bench, side, command):
    """Of a command that writes records: how many."""
    run_text(command)
    output = bench.output(side, "out")
    if side.family == "nfdump":
        text = run_text(side.command("nfdump", "-I", "-r", output))
        return int(re.search(r"^Flows: (\d+)", text, re.M).group(1))
    text = run_text(side.command("rwfileinfo", "--fields=count-records", output))
    return int(re.search(r"count-records +(\d+)", text).group(1))


def printed_text(_bench, _side, command):
    """Of a command that prints: a digest of all of it."""
    digest = hashlib.sha256()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        while chunk := child.stdout.read(1 << 20):
            digest.update(chunk)
    if child.returncode != 0:
        sys.exit(f"perf: {' '.join(command)}: status {child.returncode}")
    return digest.hexdigest()[:16]


def printed_rows(_bench, _side, command):
    """The same where the forms have the records in another order: a digest that does not see it."""
    total = 0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        for line in child.stdout:
            total += zlib.crc32(line) << 32 | zlib.adler32(line)
    if child.returncode != 0:
        sys.exit(f"perf: {' '.join(command)}: status {child.returncode}")
    return f"{total % 2**64:016x}"


def printed_lines(_bench, _side, command):
    """Of a command that prints a line for each record: how many."""
    lines = 0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        while chunk := child.stdout.read(1 << 20):
            lines += chunk.count(b"\n")
    return lines


def written_text(tool, *switches):
    """Of a command that writes a file: a digest of what tool prints of it."""
    def answer(bench, side, command):
        run_text(command)
        return printed_text(bench, side, side.command(tool, *switches, bench.output(side, "out")))
    return answer


# Commands of the rows.

def filter_all(predicates, nfdump_filter, flows=lambda bench: bench.flows):
    """rwfilter over the repository, counting; the same of nfdump."""
    def command(bench, side):
        chosen = flows(bench)
        if side.family == "nfdump":
            return side.command("nfdump", "-N", "-R", chosen.root("nfdump"), "-o", "null",
                                *nfdump_filter(bench))
        return side.command("rwfilter", *chosen.selection(side.form), *predicates(bench),
                            "--print-volume-statistics")
    return command


def copy_out(bench, side):
    output = bench.output(side, "out")
    output.unlink(missing_ok=True)
    if side.family == "nfdump":
        return side.command("nfdump", "-R", bench.flows.root("nfdump"), "-y", "-w", output)
    return side.command("rwfilter", *bench.flows.selection(side.form), "--protocol=0-",
                        "--compression-method=lzo1x", f"--pass-destination={output}")


def start_up(bench, side):
    return side.command("rwfilter", bench.scratch / f"small.{side.form}", "--protocol=0-",
                        "--print-volume-statistics")


def on_records(tool, *switches):
    """A tool that prints, reading one file that holds every record."""
    def command(bench, side):
        return side.command(tool, f"--site-config-file={bench.flows.site}", *switches,
                            bench.scratch / "all.rw")
    return command


def on_files(tool, *switches):
    """A tool that prints, reading the files of the repository, each side those of its form."""
    def command(bench, side):
        return side.command(tool, f"--site-config-file={bench.flows.site}", *switches,
                            f"--xargs={bench.scratch / side.form}.names")
    return command


def print_csv(bench, side):
    """Every record as a line of values with commas between; SiLK has no CSV, and is asked for the nearest."""
    if side.family == "nfdump":
        return side.command("nfdump", "-q", "-N", "-R", bench.flows.root("nfdump"), "-o", "csv")
    form = "--delimited=," if side.family == "silk" else "--output-format=csv"
    return on_files("rwcut", "--no-titles", form)(bench, side)


def from_files(tool, *switches):
    """A tool that writes records into a file, from the files of the repository."""
    def command(bench, side):
        output = bench.output(side, "out")
        output.unlink(missing_ok=True)
        return on_files(tool, *switches, f"--output-path={output}")(bench, side)
    return command


def into_file(tool, switch, *switches, source="all.rw"):
    """A tool that writes a file."""
    def command(bench, side):
        output = bench.output(side, "out")
        output.unlink(missing_ok=True)
        return side.command(tool, *switches, switch.format(output), bench.scratch / source)
    return command


def into_two(tool, switches):
    """A tool that writes two files, of which the first is compared."""
    def command(bench, side):
        outputs = [bench.output(side, "out"), bench.output(side, "out2")]
        for output in outputs:
            output.unlink(missing_ok=True)
        filled = [switch.format(*outputs) for switch in switches]
        return side.command(tool, *filled, bench.scratch / "all.rw")
    return command


def built_from(addresses):
    """rwsetbuild of made-up addresses."""
    def command(bench, side):
        output = bench.output(side, "out")
        output.unlink(missing_ok=True)
        return side.command("rwsetbuild", bench.scratch / f"{addresses}-1.txt", output)
    return command


def of_sets(operation, addresses):
    """rwsettool on two sets of made-up addresses."""
    def command(bench, side):
        output = bench.output(side, "out")
        output.unlink(missing_ok=True)
        return side.command("rwsettool", f"--{operation}", f"--output-path={output}",
                            bench.scratch / f"{addresses}-1.set", bench.scratch / f"{addresses}-2.set")
    return command


def printed_set(addresses, *switches):
    """rwsetcat of made-up addresses."""
    return lambda bench, side: side.command("rwsetcat", *switches, bench.scratch / f"{addresses}-1.set")


def set_build(bench, side):
    output = bench.output(side, "out")
    output.unlink(missing_ok=True)
    return side.command("rwsetbuild", bench.scratch / "addresses.txt", output)


ROWS = [
    Row("count-all", "everything counted", "rwfilter",
        filter_all(lambda bench: ["--protocol=0-"], lambda bench: ["any"]),
        passed_records, takes_nfdump=True),
    Row("dport-bytes", "dport 443 and over 1,000,000 bytes", "rwfilter",
        filter_all(lambda bench: ["--dport=443", "--bytes=1000001-"],
                   lambda bench: ["dst port 443 and bytes > 1000000"]),
        passed_records, takes_nfdump=True),
    Row("one-address", "one rare address", "rwfilter",
        filter_all(lambda bench: [f"--any-address={bench.rare}"],
                   lambda bench: [f"ip {bench.rare}"]),
        passed_records, takes_nfdump=True),
    Row("anyset", "1,000 addresses", "rwfilter",
        filter_all(lambda bench: [f"--anyset={bench.scratch / 'hosts.set'}"],
                   lambda bench: ["-f", bench.scratch / "hosts.nfdump"]),
        passed_records, takes_nfdump=True),
    Row("year-address", "one rare address in a year of small files", "rwfilter",
        filter_all(lambda bench: [f"--any-address={bench.rare}"],
                   lambda bench: [f"ip {bench.rare}"], flows=lambda bench: bench.year),
        passed_records, flows=lambda bench: bench.year, takes_nfdump=True),
    Row("copy-out", "everything copied out", "rwfilter", copy_out, written_records,
        takes_nfdump=True),
    Row("start-up", "start-up: one small hour", "rwfilter", start_up, passed_records, repeat=10),
    Row("rwcut", "rwcut, default fields", "rwcut", on_files("rwcut"), printed_rows, by_form=True),
    Row("rwcut-csv", "rwcut, CSV", "rwcut", print_csv, printed_lines, takes_nfdump=True,
        by_form=True),
    Row("rwuniq-pairs", "rwuniq by source address and destination port", "rwuniq",
        on_files("rwuniq", "--fields=sip,dport", "--sort-output"), printed_text, by_form=True),
    Row("rwuniq", "rwuniq by server port and protocol", "rwuniq",
        on_files("rwuniq", "--fields=dport,protocol", "--values=records,bytes,packets",
                   "--sort-output"), printed_text, by_form=True),
    Row("rwuniq-hosts", "rwuniq by source address, distinct destinations", "rwuniq",
        on_files("rwuniq", "--fields=sip", "--values=records,distinct:dip", "--sort-output"),
        printed_text, by_form=True),
    Row("rwstats", "rwstats, top 20 pairs of hosts by bytes", "rwstats",
        on_files("rwstats", "--fields=sip,dip", "--values=bytes", "--count=20"), printed_text, by_form=True),
    Row("rwstats-hosts", "rwstats, top 10 sources by bytes", "rwstats",
        on_files("rwstats", "--fields=sip", "--values=bytes", "--count=10"), printed_text, by_form=True),
    Row("rwcount", "rwcount by hour", "rwcount",
        on_files("rwcount", "--bin-size=3600"), printed_text, by_form=True),
    Row("rwtotal", "rwtotal by source port", "rwtotal",
        on_files("rwtotal", "--sport", "--skip-zeroes"), printed_text, by_form=True),
    Row("rwtotal-network", "rwtotal by the first 16 bits of the source address", "rwtotal",
        on_files("rwtotal", "--sip-first-16", "--skip-zeroes"), printed_text, by_form=True),
    Row("rwaddrcount", "rwaddrcount by source address", "rwaddrcount",
        on_files("rwaddrcount", "--print-recs", "--sort-ips"), printed_text, by_form=True),
    Row("rwsort", "rwsort by start and source address", "rwsort",
        from_files("rwsort", "--fields=stime,sip", "--compression-method=none"),
        written_text("rwcut", "--fields=stime,sip"), by_form=True),
    Row("rwsort-lzo", "rwsort by start and source address, lzo1x", "rwsort",
        from_files("rwsort", "--fields=stime,sip", "--compression-method=lzo1x"),
        written_text("rwcut", "--fields=stime,sip"), by_form=True),
    Row("rwsort-tuple", "rwsort by addresses, ports and protocol", "rwsort",
        from_files("rwsort", "--fields=1-5", "--compression-method=none"),
        written_text("rwcut", "--fields=1-5"), by_form=True),
    Row("rwdedupe", "rwdedupe", "rwdedupe", from_files("rwdedupe", "--compression-method=none"),
        written_records, by_form=True),
    Row("rwcombine", "rwcombine", "rwcombine", from_files("rwcombine", "--compression-method=none"),
        written_records, by_form=True),
    Row("rwtuc", "rwtuc of what rwcut prints", "rwtuc",
        into_file("rwtuc", "--output-path={}", "--compression-method=none", source="records.txt"),
        written_text("rwcut")),
    Row("rwset", "rwset of all addresses", "rwset",
        into_file("rwset", "--any-file={}"), written_text("rwsetcat")),
    Row("rwsetbuild", "rwsetbuild of all addresses", "rwsetbuild", set_build,
        written_text("rwsetcat")),
    Row("rwset-two", "rwset of sources and of destinations", "rwset",
        into_two("rwset", ["--sip-file={0}", "--dip-file={1}"]), written_text("rwsetcat")),
    *(Row(f"setbuild-{addresses}", f"rwsetbuild, {title}", "rwsetbuild", built_from(addresses),
          written_text("rwsetcat")) for addresses, title in ADDRESSES.items()),
    *(Row(f"set-{operation}-{addresses}", f"{operation} of two sets, {title}", "rwsettool",
          of_sets(operation, addresses), written_text("rwsetcat"))
      for addresses, title in ADDRESSES.items() for operation in ("union", "intersect")),
    *(Row(f"setcat-{addresses}", f"rwsetcat, {title}", "rwsetcat", printed_set(addresses), printed_text)
      for addresses, title in ADDRESSES.items()),
    Row("setcat-count", "rwsetcat --count-ips, scattered IPv4", "rwsetcat",
        printed_set("scattered", "--count-ips"), printed_text),
    Row("rwbag-two", "rwbag of sources and of destinations", "rwbag",
        into_two("rwbag", ["--bag-file=sipv4,records,{0}", "--bag-file=dipv4,sum-bytes,{1}",
                           "--ipv6-policy=ignore"]), written_text("rwbagcat")),
    Row("rwbag", "rwbag of source addresses and flows", "rwbag",
        into_file("rwbag", "--bag-file=sipv4,records,{}", "--ipv6-policy=ignore"),
        written_text("rwbagcat")),
]


def files_of_records(bench, side):
    """The files that hold records, in the same order in every form."""
    return [path for path, _ in bench.flows.sizes(side.form) if ".catalog" not in path.parts]


def prepare(bench, ours, peers):
    """What the rows read besides the flows."""
    hosts = bench.flows.hosts
    run_text([str(ours.folder / "rwsetbuild"), str(hosts), str(bench.scratch / "hosts.set")])
    (bench.scratch / "hosts.nfdump").write_text("ip in [ " + " ".join(hosts.read_text().split()) + " ]\n")
    for side in [ours, *peers]:
        if side.family != "nfdump":
            sizes = sorted((size, path) for path, size in bench.flows.sizes(side.form)
                           if "in-S0" in path.name)
            (bench.scratch / f"{side.form}.names").write_text("".join(
                f"{path}\n" for path in files_of_records(bench, side)))
            small = bench.scratch / f"small.{side.form}"
            small.unlink(missing_ok=True)
            small.symlink_to(sizes[0][1])


def prepare_tools(bench, ours):
    """One file of all records, and all addresses as text."""
    records, addresses = bench.scratch / "all.rw", bench.scratch / "addresses.txt"
    run_text([str(ours.folder / "rwfilter"), *bench.flows.selection(ours.form), "--protocol=0-",
              "--compression-method=lzo1x", f"--pass-destination={records}"])
    with open(bench.scratch / "records.txt", "w") as out:
        subprocess.run([ours.folder / "rwcut", f"--site-config-file={bench.flows.site}", records], stdout=out,
                       check=True)
    every = bench.scratch / "all.set"
    run_text([str(ours.folder / "rwset"), f"--any-file={every}", str(records)])
    with open(addresses, "w") as out:
        subprocess.run([ours.folder / "rwsetcat", every], stdout=out, check=True)


def address_maker(kind, rng):
    """Draws addresses as text."""
    if kind == "ipv6":
        return lambda: str(ipaddress.IPv6Address(0x20010db8 << 96 | rng.getrandbits(96)))
    if kind == "scattered":
        return lambda: str(ipaddress.IPv4Address(rng.getrandbits(32)))
    networks = [rng.getrandbits(24) for _ in range(10000)]
    return lambda: str(ipaddress.IPv4Address(rng.choice(networks) << 8 | rng.getrandbits(8)))


def prepare_sets(bench, maker):
    """Two lists of made-up addresses of each kind, and their sets, made by the first peer if there is one."""
    for seed, kind in enumerate(ADDRESSES):
        for number in (1, 2):
            draw = address_maker(kind, random.Random(10 * seed + number))
            text = bench.scratch / f"{kind}-{number}.txt"
            text.write_text("\n".join(draw() for _ in range(SET_ADDRESSES)) + "\n")
            run_text([str(maker.folder / "rwsetbuild"), str(text), str(text.with_suffix(".set"))])


@dataclasses.dataclass
class Figures:
    """Of one side in one row."""
    side: Side
    command: list
    answer: object
    seconds: list
    cpu_seconds: list
    peak_kilobytes: int = 0

    @property
    def median(self):
        return statistics.median(self.seconds)


def measure(tool, side, command):
    done = subprocess.run([tool, str(side.cpus), *command], check=True, capture_output=True, text=True)
    seconds, cpu_seconds, kilobytes, status = done.stdout.split()
    if status != "0":
        sys.exit(f"perf: {' '.join(command)}: status {status}")
    return float(seconds), float(cpu_seconds), int(kilobytes)


def measure_row(bench, row, sides, runs, tool):
    """All sides in turn, so that what else the machine does hits them alike."""
    figures = []
    for side in sides:
        if side.answers(row):
            command = row.command(bench, side)
            figures.append(Figures(side, command, row.answer(bench, side, command), [], []))
    for _ in range(runs * row.repeat):
        for entry in figures:
            command = row.command(bench, entry.side)  # takes away the output of the run before
            seconds, cpu_seconds, kilobytes = measure(tool, entry.side, command)
            entry.seconds.append(seconds)
            entry.cpu_seconds.append(cpu_seconds)
            entry.peak_kilobytes = max(entry.peak_kilobytes, kilobytes)
    return figures


def ratio(figures, entry, family):
    """How many times faster than the side of that family; empty when there is nothing to say."""
    peers = [peer for peer in figures if peer.side.family == family]
    if entry.side.family != "ours" or not peers:
        return ""
    return f"{peers[0].median / entry.median:.1f}x"


def print_row(row, figures, records, out):
    agree = len({str(entry.answer) for entry in figures}) == 1
    for entry in figures:
        rate = records / entry.median / 1e6 if row.name != "start-up" and not row.name.startswith("set") else None
        cells = [row.title, entry.side.name, f"{entry.median:.4f}",
                 f"{min(entry.seconds):.4f}-{max(entry.seconds):.4f}",
                 f"{statistics.median(entry.cpu_seconds):.4f}",
                 f"{rate:.1f}" if rate else "", f"{entry.peak_kilobytes / 1024:.1f}",
                 ratio(figures, entry, "silk") if agree else "no",
                 ratio(figures, entry, "nfdump") if agree else "no",
                 str(entry.answer)]
        print("| " + " | ".join(cells) + " |", file=out, flush=True)
    if not agree:
        print(f"perf: {row.name}: the answers differ", file=sys.stderr)
    return agree


def print_sizes(flows, forms, out):
    print("\n| form | files | bytes | bytes a record |\n|---|---|---|---|", file=out)
    for form in forms:
        sizes = [size for _, size in flows.sizes(form)]
        print(f"| {form} | {len(sizes)} | {sum(sizes)} | {sum(sizes) / flows.records:.2f} |", file=out)


def print_machine(arguments, out):
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    print(f"{arguments.records} records, {arguments.runs} runs, medians; "
          f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, "
          f"Linux {platform.release()}, load {os.getloadavg()[0]:.2f}.\n", file=out)


def parse_count(text):
    return int(text[:-1]) * SUFFIXES[text[-1].lower()] if text[-1].lower() in SUFFIXES else int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(description="measure the query tools on made-up flows")
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build",
                        help="folder of the build")
    parser.add_argument("--data", type=pathlib.Path,
                        default=pathlib.Path(tempfile.gettempdir()) / "tussah-perf",
                        help="folder of the records, made at first use")
    parser.add_argument("--records", type=parse_count, default=10**6, help="1m, 10m, 50m")
    parser.add_argument("--one-flowtype", action="store_true",
                        help="one file for each sensor and hour in the week, too, as in the year")
    parser.add_argument("--year-records", type=parse_count, default=YEAR_RECORDS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--forms", default="block,silk", help="kinds of our files, the first to be compared")
    parser.add_argument("--only", default="", help="names of rows, with commas between")
    parser.add_argument("--commands", action="store_true", help="print the commands of the rows, too")
    parser.add_argument("--output", type=argparse.FileType("w"), default=sys.stdout)
    parser.add_argument("--list", action="store_true", help="list the rows and exit")
    return parser.parse_args()


def make_sides(build, forms):
    """Ours on one core and on two over the first form, on one over others, and the peers that the
    environment names."""
    tools = build / "query"
    sides = [Side("Tussah", "ours", tools, forms[0]), Side("Tussah, 2 cores", "ours", tools, forms[0], 2)]
    sides += [Side(f"Tussah, {form} files", "ours", tools, form, is_beside=True) for form in forms[1:]]
    if os.environ.get("PEER_SILK"):
        sides.append(Side("SiLK", "silk", pathlib.Path(os.environ["PEER_SILK"]), "silk"))
    if os.environ.get("PEER_NFDUMP"):
        sides.append(Side("nfdump", "nfdump", pathlib.Path(os.environ["PEER_NFDUMP"]), "nfdump"))
    return sides


def make_flows(bench, sides, rows, build):
    wanted = {id(flows): flows for flows in [bench.flows, *(row.flows(bench) for row in rows)]}
    for flows in wanted.values():
        for side in {side.form: side for side in sides}.values():
            flows.make(side.form, build, SOURCE, nfdump=side.folder)
            if side.form == "block":
                flows.catalog(build)


def main():
    arguments = parse_arguments()
    names = [name for name in arguments.only.split(",") if name]
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        sys.exit(f"perf: no such row: {', '.join(sorted(unknown))}")
    rows = [row for row in ROWS if not names or row.name in names]
    if arguments.list:
        print("\n".join(f"{row.name}: {row.title}" for row in ROWS))
        return 0
    build = arguments.build.resolve()
    data = arguments.data.resolve()
    rare = run_text([str(build / "tests/perf/flowgen"), "--show-rare"]).strip()
    week = (data / "week-one", arguments.records, 7, "--one-flowtype") if arguments.one_flowtype \
        else (data / "week", arguments.records, 7)
    bench = Bench(Flows(*week),
                  Flows(data / "year", arguments.year_records, 365, "--one-flowtype"),
                  data / "scratch", rare)
    sides = make_sides(build, arguments.forms.split(","))
    make_flows(bench, sides, rows, build)
    shutil.rmtree(bench.scratch, ignore_errors=True)
    bench.scratch.mkdir()
    prepare(bench, sides[0], sides[1:])
    if any(row.tool != "rwfilter" for row in rows):
        prepare_tools(bench, sides[0])
    if any(row.name.startswith(("set-", "setbuild-", "setcat-")) for row in rows):
        prepare_sets(bench, next((side for side in sides if side.family == "silk"), sides[0]))
    status = report(arguments, bench, rows, sides, build)
    shutil.rmtree(bench.scratch)
    return status


def report(arguments, bench, rows, sides, build):
    out = arguments.output
    commands = []
    agree = True
    print_machine(arguments, out)
    print("| row | side | seconds | from-to | CPU s | M records/s | peak MiB | to SiLK | to nfdump | answer |\n"
          "|---|---|---|---|---|---|---|---|---|---|", file=out)
    for row in rows:
        figures = measure_row(bench, row, sides, arguments.runs, build / "tests/perf/measure")
        agree = print_row(row, figures, row.flows(bench).records, out) and agree
        commands += [" ".join(entry.command) for entry in figures]
    print_sizes(bench.flows, {side.form: None for side in sides}, out)
    if arguments.commands:
        print("\n" + "\n".join(f"    {command}" for command in commands), file=out)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
