#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second, plain reader of a sensor's spool (common/JOURNAL.md, common/spool.h), for tests.

spooltext.py entries DIR   one line an entry: position, epoch, records, sequence number of the message
spooltext.py lives DIR     one line an epoch that has an entry left: epoch, records that were spooled
                           in it so far (sequence number of its last message, and what is in that)
Checksums are not looked at: a segment that is cut off in the middle of an entry ends there.
"""
import os
import struct
import sys


def entries(directory):
    for name in sorted(n for n in os.listdir(directory) if n.endswith(".seg")):
        data = open(os.path.join(directory, name), "rb").read()
        if len(data) < 64 or data[:8] != b"TSHJSEG\n":
            continue
        at = 64
        expected = int(name[:20])
        while at + 24 <= len(data):
            _, position, length, records = struct.unpack_from("<QQII", data, at)
            if position != expected or length == 0 or at + 24 + length > len(data):
                break
            content = data[at + 24 : at + 24 + length]
            epoch, version, size = struct.unpack_from(">QHH", content)
            assert version == 10 and size == length - 8, (name, at)
            yield position, epoch, records, struct.unpack_from(">I", content, 16)[0]
            at += (24 + length + 7) & ~7
            expected += 1


def main():
    if sys.argv[1] == "entries":
        for entry in entries(sys.argv[2]):
            print("%d %d %d %d" % entry)
    else:
        lives = {}
        for _, epoch, records, sequence in entries(sys.argv[2]):
            lives[epoch] = sequence + records
        for epoch, records in sorted(lives.items()):
            print("%d %d" % (epoch, records))


main()
