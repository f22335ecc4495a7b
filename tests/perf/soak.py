#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collection for a long time: does memory stay as it is, and is everything stored?

    tests/perf/soak.py --build=build --seconds=3600 --rate=300000 [--samples=FILE]

Three senders (tests/perf/exporter) share the rate: NetFlow v5, v9 and IPFIX over UDP to one rwflowpack, each a probe and a sensor of its own.
With --clock-speed the senders' clock goes faster and ends now, so that an hour's files are over after minutes, and rates can be had of which
the disk holds no whole hour.
Every ten seconds memory, CPU time, the journal's size and the files' are noted. Hourly files that have been over for ten minutes are
counted and taken away, so that the disk need not hold all; no record comes for them any more. At the end: how many records were
sent, stored, and dropped by the kernel, and whether memory rose. At the turn of the hour files of two hours are open for a while, so what is
compared is the level below them: the least of each tenth of the run, lowest of the three after the first (which warms up) against
lowest of the last three. Exit status 1 when something is missing, or that level rose by more than a twentieth.

    tests/perf/soak.py --judge=FILE

judges the samples of an earlier run.
"""
import argparse
import dataclasses
import datetime
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from collect import PROBE_TYPES, SITE, free_port, output_of, udp_sockets, wait_until

SAMPLE_S = 10
HOURLY = re.compile(r"^[^.].*_\d{8}\.\d\d$")  # names of hourly files; others tell what was lost
OVER_S = 600  # an hourly file that has ended so long ago gets no more records
TENTHS = 10
COMPARED_TENTHS = 3
FLAT_PART = 0.05


@dataclasses.dataclass
class Sample:
    seconds: float
    rss_kib: int
    anonymous_kib: int
    cpu_s: float
    journal_bytes: int
    files: int
    file_bytes: int

    def line(self):
        return (f"{self.seconds:.0f},{self.rss_kib},{self.anonymous_kib},{self.cpu_s:.2f},{self.journal_bytes},"
                f"{self.files},{self.file_bytes}")


HEADINGS = "seconds,rss_kib,anonymous_kib,cpu_s,journal_bytes,files,file_bytes"


def write_sensor_conf(folder, ports):
    text = ""
    for sensor, (kind, port) in enumerate(ports.items()):
        text += (f"probe P-{kind} {PROBE_TYPES[kind]}\n    protocol udp\n    listen-on-port {port}\nend probe\n"
                 f"sensor S{sensor}\n    {PROBE_TYPES[kind]}-probes P-{kind}\n    internal-ipblocks 198.18.0.0/16\n"
                 "    external-ipblocks remainder\nend sensor\n")
    (folder / "sensor.conf").write_text(text)


def size_of(path):
    total = 0
    for entry in pathlib.Path(path).rglob("*"):
        try:
            total += entry.stat().st_size if entry.is_file() else 0
        except FileNotFoundError:
            pass
    return total


class Soak:
    def __init__(self, options, folder):
        self.options = options
        self.build = pathlib.Path(options.build)
        self.folder = folder
        self.root = folder / "root"
        self.state = folder / "state"
        self.root.mkdir()
        self.state.mkdir()
        self.taken_away = 0  # records
        self.behind_s = (options.clock_speed - 1) * options.seconds  # the senders' clock, at first
        self.samples = []

    # ---- the packer ----

    def start(self, ports):
        write_sensor_conf(self.folder, ports)
        command = [self.build / "packer/rwflowpack", "--no-daemon", f"--sensor-configuration={self.folder}/sensor.conf",
                   f"--site-config-file={SITE}", f"--root-directory={self.root}", f"--state-directory={self.state}",
                   f"--log-destination={self.folder}/log", f"--seal-delay={self.behind_s + 7200}"]
        environment = dict(os.environ, SK_SOCKETBUFFER_TOTAL=str(len(ports) * self.options.buffer << 20), SK_SOCKETBUFFER_MINIMUM="65536")
        with open(self.folder / "out", "wb") as out:
            self.packer = subprocess.Popen([str(part) for part in command], stdout=out, stderr=out, env=environment,
                                           preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, self.options.nice))
        wait_until(lambda: self.packer.poll() is not None or all(udp_sockets(port) for port in ports.values()))
        if self.packer.poll() is not None:
            raise RuntimeError(f"rwflowpack did not start: {(self.folder / 'out').read_text()}")

    def stop(self):
        os.kill(self.packer.pid, signal.SIGTERM)
        return self.packer.wait()

    # ---- watching ----

    def hourly_files(self):
        return [path for path in self.root.rglob("*") if HOURLY.search(path.name)]

    def sample(self, since):
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{self.packer.pid}/status").read_text().splitlines())
        stat = pathlib.Path(f"/proc/{self.packer.pid}/stat").read_text().rsplit(")", 1)[1].split()
        files = self.hourly_files()
        self.samples.append(Sample(
            time.monotonic() - since, int(status["VmRSS"].split()[0]), int(status["RssAnon"].split()[0]),
            (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"), size_of(self.state), len(files),
            sum(path.stat().st_size for path in files)))
        if self.options.samples:
            with open(self.options.samples, "a", encoding="ascii") as out:
                out.write(self.samples[-1].line() + "\n")

    def count(self, files):
        if not files:
            return 0
        text = output_of([self.build / "query/rwfileinfo", "--no-titles", "--fields=count-records", *files])
        return sum(int(line) for line in text.split())

    def take_away(self, since):
        """Hourly files whose hour has been over for long, by the senders' clock."""
        now = datetime.datetime.now(datetime.timezone.utc)
        now -= datetime.timedelta(seconds=max(self.behind_s - (self.options.clock_speed - 1) * (time.monotonic() - since), 0))
        over = []
        for path in self.hourly_files():
            hour = datetime.datetime.strptime(path.name.rsplit("_", 1)[1], "%Y%m%d.%H").replace(tzinfo=datetime.timezone.utc)
            if (now - hour).total_seconds() > 3600 + OVER_S:
                over.append(path)
        self.taken_away += self.count(over)
        for path in over:
            path.unlink()

    # ---- sending ----

    def send(self, ports):
        each = self.options.rate // len(ports)
        senders = [subprocess.Popen([str(self.build / "tests/perf/exporter"), f"--port={port}", f"--format={kind}", f"--rate={each}",
                                     f"--records={each * self.options.seconds}", f"--seed={seed}",
                                     f"--clock-speed={self.options.clock_speed}", f"--clock-behind={self.behind_s}"],
                                    stdout=subprocess.PIPE, text=True)
                   for seed, (kind, port) in enumerate(ports.items(), 1)]
        since = time.monotonic()
        next_sample = since
        while any(sender.poll() is None for sender in senders):
            if self.packer.poll() is not None:
                raise RuntimeError("rwflowpack has ended")
            if time.monotonic() >= next_sample:
                next_sample += SAMPLE_S
                self.sample(since)
                self.take_away(since)
            time.sleep(0.2)
        return {kind: int(sender.communicate()[0].split()[0]) for kind, sender in zip(ports, senders)}

    def run(self):
        ports = {}
        for kind in PROBE_TYPES:
            ports[kind] = free_port()
        self.start(ports)
        if self.options.samples:
            pathlib.Path(self.options.samples).write_text(HEADINGS + "\n", encoding="ascii")
        try:
            sent = self.send(ports)
            wait_until(lambda: all(waiting == 0 for port in ports.values() for waiting, _ in udp_sockets(port)))
            dropped = sum(drops for port in ports.values() for _, drops in udp_sockets(port))
        finally:
            status = self.stop()
        if status != 0:
            raise RuntimeError(f"rwflowpack: status {status}: {(self.folder / 'out').read_text()}")
        return sent, self.taken_away + self.count(self.hourly_files()), dropped


def levels(samples):
    """The least memory of each tenth of the run, MiB."""
    return [min(sample.rss_kib for sample in samples[len(samples) * part // TENTHS:len(samples) * (part + 1) // TENTHS]) / 1024
            for part in range(TENTHS)]


def is_flat(samples):
    """Tell the levels, and judge them."""
    if len(samples) < TENTHS:
        print(f"memory: {len(samples)} samples are too few to judge")
        return False
    least = levels(samples)
    before = min(least[1:1 + COMPARED_TENTHS])
    after = min(least[-COMPARED_TENTHS:])
    flat = after <= before * (1 + FLAT_PART)
    print(f"memory, MiB: at most {max(sample.rss_kib for sample in samples) / 1024:.1f}; least of each tenth "
          f"{' '.join(f'{level:.1f}' for level in least)}; from {before:.1f} to {after:.1f}: {'flat' if flat else 'not flat'}")
    return flat


def read_samples(path):
    lines = pathlib.Path(path).read_text(encoding="ascii").splitlines()
    return [Sample(*(field.type(cell) for field, cell in zip(dataclasses.fields(Sample), line.split(",")))) for line in lines[1:]]


def report(samples, sent, stored, dropped):
    total = sum(sent.values())
    seconds = samples[-1].seconds
    print(f"{total} records sent ({', '.join(f'{kind} {count}' for kind, count in sent.items())}), {total / seconds:.0f}/s for {seconds:.0f} s; "
          f"{stored} stored; the kernel dropped {dropped} datagrams")
    print(f"{1e9 * samples[-1].cpu_s / max(stored, 1):.0f} ns CPU a record; journal at most {max(s.journal_bytes for s in samples) >> 20} MiB, "
          f"{max(s.files for s in samples)} files, {max(s.file_bytes for s in samples) >> 20} MiB")
    return is_flat(samples) and stored == total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", default=3600, type=int)
    parser.add_argument("--rate", default=300_000, type=int, help="records a second, of all senders together")
    parser.add_argument("--nice", default=-10, type=int, help="of the packer")
    parser.add_argument("--buffer", default=4, type=int, help="MiB that each socket may hold: others use the machine too")
    parser.add_argument("--clock-speed", default=1, type=int, help="of the senders, more than 1: hours are shorter")
    parser.add_argument("--samples", help="file for the samples, as they come")
    parser.add_argument("--scratch", help="folder for what is stored")
    parser.add_argument("--judge", help="samples of an earlier run: nothing is sent")
    options = parser.parse_args()
    if options.judge:
        sys.exit(0 if is_flat(read_samples(options.judge)) else 1)
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="soak-") as name:
        soak = Soak(options, pathlib.Path(name))
        counts = soak.run()
        good = report(soak.samples, *counts)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
