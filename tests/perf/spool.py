#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPFIX over TLS from a sensor's spool: how fast it is taken in, journalled, synced and acknowledged.

    tests/perf/spool.py --build=build [--packets=5000000] [--lives=2] [--runs=3]

Each life of a sensor puts one record for every packet of a made-up trace into the spool, with no collector there. Then the packer is started
on one CPU and the next sensor on another: the time from its start until it has ended is that until everything is acknowledged.
Records are counted in the repository. Never fails by time.
"""
import argparse
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from collect import SITE, SOURCE, free_port, on_cpu, output_of, wait_until


class Spool:
    def __init__(self, options, folder):
        self.options = options
        self.build = pathlib.Path(options.build)
        self.folder = folder
        self.port = free_port()
        self.cpus = sorted(os.sched_getaffinity(0))

    def prepare(self):
        """Certificates, a trace, an empty one, and a full spool."""
        for args in (["ca", "pki"], ["server", "pki", "localhost", "127.0.0.1"], ["client", "pki", "sensor1"]):
            output_of(["sh", SOURCE / "conf/tussah-certs", *args], cwd=self.folder)
        with open(self.folder / "trace.pcap", "wb") as trace:
            subprocess.run([self.build / "tests/perf/packets", f"--packets={self.options.packets}"], stdout=trace, check=True)
        with open(self.folder / "trace.pcap", "rb") as trace:
            (self.folder / "empty.pcap").write_bytes(trace.read(24))  # its header
        for _ in range(self.options.lives):
            self.sensor(self.folder / "full", "--drain-timeout=0", self.folder / "trace.pcap")
        (self.folder / "sensor.conf").write_text(
            f"probe P ipfix\n    protocol tls\n    listen-as-host 127.0.0.1\n    listen-on-port {self.port}\n"
            "    tls-name any\nend probe\n"
            "sensor S0\n    ipfix-probes P\n    internal-ipblocks 198.18.0.0/16\n    external-ipblocks remainder\nend sensor\n")

    def sensor(self, spool, *switches):
        pki = self.folder / "pki"
        command = [self.build / "sensor/rwsensor", "--silk", "--uniflow", "--idle-timeout=0", f"--export=tls://127.0.0.1:{self.port}",
                   f"--tls-ca={pki}/ca.pem", f"--tls-cert={pki}/sensor1.pem", f"--tls-key={pki}/sensor1.key",
                   f"--spool-directory={spool}", "--spool-size=20g", *switches]
        with open(self.folder / "sensor.log", "ab") as log:
            ended = subprocess.run([str(part) for part in command], stderr=log, check=False, preexec_fn=on_cpu(self.cpus[-1]))
        return ended.returncode

    def start_packer(self, root):
        root.mkdir()
        pki = self.folder / "pki"
        command = [self.build / "packer/rwflowpack", "--no-daemon", f"--sensor-configuration={self.folder}/sensor.conf",
                   f"--site-config-file={SITE}", f"--root-directory={root}", f"--log-destination={self.folder}/packer.log",
                   f"--tls-ca={pki}/ca.pem", f"--tls-cert={pki}/localhost.pem", f"--tls-key={pki}/localhost.key"]
        packer = subprocess.Popen([str(part) for part in command], preexec_fn=on_cpu(self.cpus[0]))
        log = self.folder / "packer.log"
        wait_until(lambda: packer.poll() is not None or (log.exists() and "Starting flush timer" in log.read_text()))
        if packer.poll() is not None:
            raise RuntimeError(f"rwflowpack ended with {packer.returncode}")
        return packer

    def run(self):
        """Seconds until all is acknowledged, CPU seconds of the packer, records stored."""
        spool, root = self.folder / "spool", self.folder / "root"
        shutil.copytree(self.folder / "full", spool)
        os.sync()
        packer = self.start_packer(root)
        began = time.monotonic()
        status = self.sensor(spool, self.folder / "empty.pcap")
        seconds = time.monotonic() - began
        os.kill(packer.pid, signal.SIGTERM)
        _, _, usage = os.wait4(packer.pid, 0)
        files = sorted(root.rglob("*-S0_*"))
        text = output_of([self.build / "query/rwfileinfo", "--no-titles", "--fields=count-records", *files])
        for path in (spool, root):
            shutil.rmtree(path)
        (self.folder / "packer.log").unlink()
        if status != 0:
            raise RuntimeError(f"the sensor ended with {status}: {(self.folder / 'sensor.log').read_text()[-2000:]}")
        return seconds, usage.ru_utime + usage.ru_stime, sum(int(line) for line in text.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--packets", default=5_000_000, type=int, help="of the trace, each a record")
    parser.add_argument("--lives", default=2, type=int, help="sensors that fill the spool")
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument("--scratch", help="folder for spool, journal and repository")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="spool-") as name:
        spool = Spool(options, pathlib.Path(name))
        spool.prepare()
        rates = []
        for _ in range(options.runs):
            seconds, cpu_s, records = spool.run()
            rates.append(records / seconds)
            print(f"{records} records acknowledged in {seconds:.2f} s: {records / seconds / 1e6:.2f} M/s; "
                  f"packer {1e9 * cpu_s / records:.0f} ns CPU a record", flush=True)
        print(f"median {statistics.median(rates) / 1e6:.2f} M records/s")


if __name__ == "__main__":
    main()
