#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures collection: the greatest rate of records over UDP that a collector stores without loss.

    tests/perf/collect.py --build=build [--formats=v5,v9,ipfix] [--sides=tussah,nfcapd,silk]

The same sender (tests/perf/exporter) sends the same datagrams to all sides, each side has one CPU and the sender
another. A trial sends for --seconds at one rate; it passes when every record sent is found in what
the collector stored. The rate is searched for by halving. CPU time is the collector's from start to end, divided by the records stored.
SiLK's rwflowpack comes from PEER_SILK, a folder with bin and sbin; nfcapd from PATH or PEER_NFDUMP. Never fails by time.
"""
import argparse
import contextlib
import dataclasses
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SITE = SOURCE / "conf/silk.conf"
BUFFER_BYTES = 4 << 20  # what every side asks for
PROBE_TYPES = {"v5": "netflow-v5", "v9": "netflow-v9", "ipfix": "ipfix"}
LEAST_RATE = 20_000
PATIENCE_S = 60


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def udp_sockets(port):
    """Bytes waiting and datagrams dropped of each UDP socket bound to the port."""
    found = []
    for name in ("/proc/net/udp", "/proc/net/udp6"):
        with contextlib.suppress(FileNotFoundError):
            for line in pathlib.Path(name).read_text().splitlines()[1:]:
                fields = line.split()
                if int(fields[1].rsplit(":", 1)[1], 16) == port:
                    found.append((int(fields[4].split(":")[1], 16), int(fields[-1])))
    return found


def wait_until(what, deadline_s=PATIENCE_S):
    until = time.monotonic() + deadline_s
    while not what():
        if time.monotonic() > until:
            raise TimeoutError("a collector did not get ready or done")
        time.sleep(0.02)


def output_of(command, **kwargs):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, **kwargs).stdout


def on_cpu(cpu):
    """Alone on its CPU as far as we may: others' work must not count as loss."""
    def prepare():
        os.sched_setaffinity(0, {cpu})
        os.setsid()  # a scheduling group of its own, where the kernel makes them
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -19)
            pathlib.Path("/proc/self/autogroup").write_text("-19", encoding="ascii")
    return prepare


class Side:
    """A collector: how it is started and how what it stored is counted."""
    name = ""
    formats = ("v5", "v9", "ipfix")

    def command(self, folder, kind, port):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ, SK_SOCKETBUFFER_TOTAL=str(BUFFER_BYTES), SK_SOCKETBUFFER_MINIMUM="65536")

    def records(self, folder):
        raise NotImplementedError


def write_sensor_conf(folder, kind, port, protocol=True):
    probe_type = PROBE_TYPES[kind]
    (folder / "sensor.conf").write_text(
        f"probe P {probe_type}\n    protocol udp\n    listen-on-port {port}\nend probe\n"
        f"sensor S0\n    {probe_type}-probes P\n    internal-ipblocks 198.18.0.0/16\n"
        "    external-ipblocks remainder\nend sensor\n")
    (folder / "root").mkdir()


class Packer(Side):
    """rwflowpack, ours or SiLK's."""
    def __init__(self, name, program, info, switches):
        self.name = name
        self.program = program
        self.info = info
        self.switches = switches

    def command(self, folder, kind, port):
        write_sensor_conf(folder, kind, port)
        return [self.program, "--no-daemon", f"--sensor-configuration={folder}/sensor.conf",
                f"--site-config-file={SITE}", f"--root-directory={folder}/root",
                f"--log-destination={folder}/log", *self.switches]

    def records(self, folder):
        files = sorted(str(path) for path in (folder / "root").rglob("*") if path.is_file() and path.name[0] != ".")
        files = [path for path in files if "S0_" in path]
        if not files:
            return 0
        text = output_of([self.info, "--no-titles", "--fields=count-records", *files])
        return sum(int(line) for line in text.split())


class Nfcapd(Side):
    def __init__(self, name, folder, switches):
        self.name = name
        self.folder = folder
        self.switches = switches

    def command(self, folder, _kind, port):
        (folder / "flows").mkdir()
        return [self.folder / "nfcapd", "-w", folder / "flows", "-p", str(port), "-b", "127.0.0.1", "-B", str(BUFFER_BYTES),
                "-t", "3600", *self.switches]

    def records(self, folder):
        text = output_of([self.folder / "nfdump", "-R", folder / "flows", "-I"])
        return sum(int(line.split(":")[1]) for line in text.splitlines() if line.startswith("Flows:"))


@dataclasses.dataclass
class Trial:
    sent: int
    stored: int
    seconds: float
    cpu_s: float
    peak_kib: int
    dropped: int

    @property
    def rate(self):
        return self.sent / self.seconds


class Bench:
    def __init__(self, options):
        self.options = options
        self.exporter = pathlib.Path(options.build) / "tests/perf/exporter"
        self.cpus = sorted(os.sched_getaffinity(0))

    def trial(self, side, kind, rate, records=None):
        """Run the collector once, from start to end."""
        records = records or int(rate * self.options.seconds)
        with tempfile.TemporaryDirectory(dir=self.options.scratch, prefix="collect-") as name:
            folder = pathlib.Path(name)
            port = free_port()
            with open(folder / "out", "wb") as out:
                collector = subprocess.Popen([str(part) for part in side.command(folder, kind, port)], stdout=out, stderr=out,
                                             env=side.environment(), preexec_fn=on_cpu(self.cpus[0]))
            try:
                wait_until(lambda: udp_sockets(port) or self.is_dead(collector))
                if not udp_sockets(port):
                    raise RuntimeError(f"{side.name} did not start: {(folder / 'out').read_text()}")
                sent, _, seconds = output_of(
                    [self.exporter, f"--port={port}", f"--format={kind}", f"--rate={rate}", f"--records={records}",
                     *(["--bundle"] if self.options.bundle else [])],
                    preexec_fn=on_cpu(self.cpus[-1])).split()
                wait_until(lambda: all(waiting == 0 for waiting, _ in udp_sockets(port)))
                dropped = sum(drops for _, drops in udp_sockets(port))
                time.sleep(0.2)
            finally:
                os.kill(collector.pid, signal.SIGTERM)
                _, status, usage = os.wait4(collector.pid, 0)
                collector.returncode = os.waitstatus_to_exitcode(status)
            if collector.returncode not in (0, -signal.SIGTERM):
                raise RuntimeError(f"{side.name}: status {collector.returncode}: {(folder / 'out').read_text()}")
            return Trial(int(sent), side.records(folder), float(seconds), usage.ru_utime + usage.ru_stime,
                         usage.ru_maxrss, dropped)

    @staticmethod
    def is_dead(collector):
        return os.waitid(os.P_PID, collector.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def passes(self, side, kind, rate):
        """The trial if nothing was lost and the sender kept its pace; after several attempts None."""
        for _ in range(self.options.attempts):
            trial = self.trial(side, kind, rate)
            self.say(f"{kind} {side.name} {rate}/s: sent {trial.sent} at {trial.rate:.0f}/s, stored {trial.stored}, dropped {trial.dropped}, "
                     f"{1e9 * trial.cpu_s / max(trial.stored, 1):.0f} ns CPU a record")
            if trial.stored == trial.sent and trial.rate > 0.95 * rate:
                return trial
        return None

    def search(self, side, kind):
        """The trial of the greatest rate that passes; None if not even the least does."""
        low, high, best = 0, None, None
        rate = self.options.start
        for _ in range(self.options.steps + 8):
            trial = self.passes(side, kind, rate)
            if trial:
                low, best = rate, trial
            else:
                high = rate
            if high is not None and high - low <= high * self.options.precision:
                break
            rate = low * 2 if high is None else (low + high) // 2
            if rate < LEAST_RATE:
                break
        return best

    def say(self, text):
        if self.options.verbose:
            print(text, file=sys.stderr, flush=True)


def find_sides(options):
    build = pathlib.Path(options.build)
    sides = {"tussah": Packer("Tussah", build / "packer/rwflowpack", build / "query/rwfileinfo", [])}
    nfdump = os.environ.get("PEER_NFDUMP") or os.path.dirname(shutil.which("nfcapd") or "")
    if nfdump:
        sides["nfcapd"] = Nfcapd("nfcapd", pathlib.Path(nfdump), [])
        sides["nfcapd-lzo"] = Nfcapd("nfcapd -z", pathlib.Path(nfdump), ["-z"])
    silk = os.environ.get("PEER_SILK")
    if silk:
        silk = pathlib.Path(silk)
        sides["silk"] = Packer("SiLK", silk / "sbin/rwflowpack", silk / "bin/rwfileinfo", ["--compression-method=lzo1x"])
    unknown = set(options.sides) - set(sides)
    for name in unknown:
        print(f"{name} is not there", file=sys.stderr)
    return [sides[name] for name in options.sides if name in sides]


def print_table(rows, options):
    with open("/proc/loadavg", encoding="ascii") as load:
        print(f"{options.seconds} s a trial, {options.runs} searches, medians; {platform.machine()}, {os.cpu_count()} cores, "
              f"Linux {platform.release()}, load {load.read().split()[0]}.\n")
    print("| format | collector | k records/s without loss | from-to | ns CPU a record | peak MiB | Tussah to it | by CPU |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in options.formats:
        ours = rows.get((kind, "Tussah"))
        for (row_kind, name), trials in rows.items():
            if row_kind != kind:
                continue
            rate, cpu = rate_of(trials), cpu_of(trials)
            ratios = "| "
            if ours and name != "Tussah":
                ratios = f"{rate_of(ours) / rate:.2f}x | {cpu / cpu_of(ours):.2f}x"
            print(f"| {kind} | {name} | {rate / 1e3:.0f} | {min(t.rate for t in trials) / 1e3:.0f}-{max(t.rate for t in trials) / 1e3:.0f} "
                  f"| {cpu:.0f} | {max(t.peak_kib for t in trials) / 1024:.0f} | {ratios} |")


def rate_of(trials):
    return statistics.median(trial.rate for trial in trials)


def cpu_of(trials):
    return statistics.median(1e9 * trial.cpu_s / trial.stored for trial in trials)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--formats", default="v5,v9,ipfix", type=lambda text: text.split(","))
    parser.add_argument("--sides", default="tussah,nfcapd,silk", type=lambda text: text.split(","))
    parser.add_argument("--seconds", default=5.0, type=float, help="how long a trial sends")
    parser.add_argument("--start", default=800_000, type=int, help="the rate that a search begins with")
    parser.add_argument("--runs", default=1, type=int, help="searches for each side, sides in turn")
    parser.add_argument("--attempts", default=3, type=int, help="at one rate; others use the machine too")
    parser.add_argument("--steps", default=6, type=int)
    parser.add_argument("--precision", default=0.05, type=float, help="of the rate, as a part of it")
    parser.add_argument("--rate", type=int, help="no search: one trial at this rate, with what is lost")
    parser.add_argument("--bundle", action="store_true", help="datagrams of a burst arrive as one, as from cards that coalesce; same for all")
    parser.add_argument("--scratch", help="folder for what the collectors store")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    rows = {}
    for kind in options.formats:
        for _ in range(options.runs):
            for side in find_sides(options):
                try:
                    trial = bench.trial(side, kind, options.rate) if options.rate else bench.search(side, kind)
                except (RuntimeError, TimeoutError) as failure:
                    print(f"{kind} {side.name}: {failure}", file=sys.stderr)
                    continue
                if trial:
                    rows.setdefault((kind, side.name), []).append(trial)
                if options.rate:
                    print(f"{kind} {side.name}: {trial.sent} sent, {trial.stored} stored, {1e9 * trial.cpu_s / max(trial.stored, 1):.0f} ns CPU a record, peak {trial.peak_kib // 1024} MiB")
    if not options.rate:
        print_table(rows, options)


if __name__ == "__main__":
    main()
