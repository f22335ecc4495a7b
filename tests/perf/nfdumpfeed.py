#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands the packets of flowgen --netflow to nfcapd, so that nfdump can be measured on the same
records: one nfcapd file for each hour, compressed with LZ4.

    nfdumpfeed.py [--nfdump=BIN] PACKETS OUT

Nothing is lost: the queue of nfcapd's socket is watched, and the flows that nfcapd says it stored
are compared with those that were sent.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

QUEUE_BYTES_MAX = 300_000
PACKETS_BETWEEN_LOOKS = 32


def queued_bytes(port):
    """Bytes that wait in the queue of the UDP socket bound to port, or None: no such socket."""
    wanted = f":{port:04X}"
    with open("/proc/net/udp") as table:
        for line in table:
            columns = line.split()
            if columns[1].endswith(wanted):
                return int(columns[4].split(":")[1], 16)
    return None


def wait_until(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"nfdumpfeed: gave up waiting until {what}")
        time.sleep(0.001)


def is_waiting(process):
    """Does it sleep, as it does when it waits for the next packet?"""
    stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "S"


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def packets_of(path):
    content = path.read_bytes()
    place = 0
    while place < len(content):
        (length,) = struct.unpack_from(">H", content, place)
        yield content[place + 2 : place + 2 + length]
        place += 2 + length


def feed_hour(nfdump, path, out):
    """One run of nfcapd; returns how many flows are in its file."""
    port = free_port()
    with tempfile.TemporaryDirectory(dir=out) as folder:
        command = [os.path.join(nfdump, "nfcapd"), "-C", "none", "-y", "-t", "3600", "-B", "4000000"]
        command += ["-b", "127.0.0.1", "-p", str(port), "-w", folder]
        collector = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: queued_bytes(port) is not None, "nfcapd listens")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", port))
            for number, packet in enumerate(packets_of(path)):
                if number % PACKETS_BETWEEN_LOOKS == 0:
                    wait_until(lambda: queued_bytes(port) < QUEUE_BYTES_MAX, "nfcapd reads")
                sender.send(packet)
        # A signal while it works on the last packet would lose that.
        wait_until(lambda: queued_bytes(port) == 0 and is_waiting(collector),
                   "nfcapd has read everything")
        collector.send_signal(signal.SIGTERM)
        collector.wait()
        files = [name for name in pathlib.Path(folder).iterdir() if name.stat().st_size > 0]
        if len(files) != 1:
            sys.exit(f"nfdumpfeed: nfcapd left {len(files)} files of one hour: run again")
        target = out / f"nfcapd.{path.stem}00"
        shutil.move(files[0], target)
    summary = subprocess.run([os.path.join(nfdump, "nfdump"), "-I", "-r", str(target)],
                             check=True, capture_output=True, text=True)
    return int(re.search(r"^Flows: (\d+)", summary.stdout, re.M).group(1))


def main():
    parser = argparse.ArgumentParser(description="hand NetFlow packets of flowgen to nfcapd")
    parser.add_argument("--nfdump", default="/usr/bin", help="folder of nfcapd and nfdump")
    parser.add_argument("packets", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    flows = 0
    for path in sorted(arguments.packets.glob("*.nf9")):
        flows += feed_hour(arguments.nfdump, path, arguments.out)
    print(flows)


if __name__ == "__main__":
    main()
