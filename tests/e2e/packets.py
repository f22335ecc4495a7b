#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a capture file of Ethernet packets from lines of text, or list one.

usage: packets.py make FILE <TEXT; packets.py list FILE; packets.py odd FILE OUT

A line: milliseconds since 2024/03/05T10:00:00, source, destination, protocol, source port (ICMP:
type), destination port (ICMP: code), TCP flags as a number, payload; "-" ends what is wanted. The
source may be "arp": then the destination is the payload of an ARP frame. Listed are milliseconds
and the payload.
"""
import struct
import sys

START = 1709632800


def ip_bytes(text):
    return bytes(int(part) for part in text.split("."))


def frame(words):
    head = bytes([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1])
    if words[1] == "arp":
        return head + struct.pack(">H", 0x0806) + words[2].encode()
    protocol, sport, dport, flags = (int(word) for word in words[3:7])
    if protocol == 6:
        transport = struct.pack(">HHIIBBHHH", sport, dport, 1, 0, 0x50, flags, 0, 0, 0)
    elif protocol == 17:
        transport = struct.pack(">HHHH", sport, dport, 8 + len(words[7]), 0)
    elif protocol == 1:
        transport = struct.pack(">BBHI", sport, dport, 0, 0)
    else:
        transport = b""
    body = transport + words[7].encode()
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0)
    return head + struct.pack(">H", 0x0800) + ip + ip_bytes(words[1]) + ip_bytes(words[2]) + body


def make(path):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for line in sys.stdin:
            words = line.split()
            data = frame(words)
            micros = round(float(words[0]) * 1000)
            out.write(struct.pack("<IIII", START + micros // 10**6, micros % 10**6, len(data), len(data)))
            out.write(data)


def show(path):
    data = open(path, "rb").read()
    at = 24
    while at < len(data):
        seconds, micros, size, _ = struct.unpack_from("<IIII", data, at)
        packet = data[at + 16 : at + 16 + size]
        at += 16 + size
        body = packet[14:] if packet[12:14] == b"\x08\x06" else packet[34:]
        if packet[12:14] == b"\x08\x00":
            body = body[{6: 20, 17: 8, 1: 8}.get(packet[23], 0) :]
        print("%g %s" % ((seconds - START) * 1000 + micros / 1000, body.decode()))


def make_odd(path, out):
    """The same packets in a file with nanoseconds, and with bits about frame checks."""
    data = bytearray(open(path, "rb").read())
    struct.pack_into("<I", data, 0, 0xA1B23C4D)
    struct.pack_into("<I", data, 20, 0x14000001)
    struct.pack_into("<I", data, 28, 789)
    open(out, "wb").write(data)


if sys.argv[1] == "make":
    make(sys.argv[2])
elif sys.argv[1] == "odd":
    make_odd(sys.argv[2], sys.argv[3])
else:
    show(sys.argv[2])
