#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print an IPFIX file as text: a slow, obvious reader, independent of libfixbuf.

usage: ipfixtext.py flows|names|options FILE

flows    one line a flow: addresses, ports, protocol, VLAN, start and end, delay of the reverse
         half, packets, bytes, TCP flags and sequence numbers, end reason, attributes, class of
         service; both directions, a reverse half that is absent as "-"
names    one line a data record: name=value of every field
options  as names, options records only

Sequence numbers and lengths of the messages are checked on the way.
"""
import socket
import struct
import sys

# (enterprise, element): (name, kind); u: number, a: address, m: MAC address, t: NTP time
ELEMENTS = {
    (0, 1): ("bytes", "u"), (0, 2): ("packets", "u"), (0, 4): ("protocol", "u"), (0, 5): ("tos", "u"),
    (0, 7): ("sport", "u"), (0, 8): ("sip", "a"), (0, 10): ("ingress", "u"), (0, 11): ("dport", "u"),
    (0, 12): ("dip", "a"), (0, 14): ("egress", "u"), (0, 27): ("sip", "a"), (0, 28): ("dip", "a"),
    (0, 42): ("flows", "u"), (0, 56): ("smac", "m"), (0, 58): ("vlan", "u"), (0, 80): ("dmac", "m"),
    (0, 85): ("bytes", "u"), (0, 86): ("packets", "u"), (0, 130): ("exporter", "a"),
    (0, 135): ("dropped", "u"), (0, 136): ("reason", "u"), (0, 144): ("process", "u"),
    (0, 149): ("domain", "u"), (0, 152): ("start", "u"), (0, 153): ("end", "u"),
    (0, 154): ("start", "t"), (0, 155): ("end", "t"), (0, 156): ("start", "t"), (0, 157): ("end", "t"),
    (0, 160): ("init", "u"), (0, 164): ("ignored", "u"), (0, 167): ("late", "u"),
    (0, 184): ("sequence", "u"), (0, 322): ("now", "u"),
    (6871, 14): ("initial", "u"), (6871, 15): ("union", "u"), (6871, 21): ("delta", "u"),
    (6871, 33): ("application", "u"), (6871, 40): ("attributes", "u"), (6871, 41): ("delta_us", "u"),
    (6871, 42): ("delta_ns", "u"), (6871, 100): ("expired", "u"), (6871, 101): ("assembled", "u"),
    (6871, 102): ("flow_rate", "u"), (6871, 103): ("packet_rate", "u"), (6871, 104): ("early", "u"),
    (6871, 105): ("peak", "u"),
}
FLOW = ("sip dip sport dport protocol vlan start end delta packets rpackets bytes rbytes "
        "initial union rinitial runion sequence rsequence reason attributes rattributes tos rtos").split()


def element(enterprise, number):
    """Name and kind; reverse elements (RFC 5103) have an r before the name."""
    if enterprise == 29305:
        name, kind = ELEMENTS[0, number]
        return "r" + name, kind
    if enterprise == 6871 and number & 0x4000:
        name, kind = ELEMENTS[enterprise, number & ~0x4000]
        return "r" + name, kind
    return ELEMENTS[enterprise, number]


def value(kind, octets):
    number = int.from_bytes(octets, "big")
    if kind == "a":
        return socket.inet_ntop(socket.AF_INET if len(octets) == 4 else socket.AF_INET6, octets)
    if kind == "m":
        return octets.hex(":")
    if kind == "t":
        return ((number >> 32) - 2208988800) * 10**9 + ((number & 0xFFFFFFFF) * 10**9 >> 32)
    return number


def read_templates(body, options, templates):
    at = 0
    while at + 4 <= len(body):
        number, count = struct.unpack_from("!HH", body, at)
        at += 6 if options else 4
        fields = []
        for _ in range(count):
            ident, length = struct.unpack_from("!HH", body, at)
            at += 4
            enterprise = 0
            if ident & 0x8000:
                (enterprise,) = struct.unpack_from("!I", body, at)
                at += 4
            fields.append((*element(enterprise, ident & 0x7FFF), length))
        templates[number] = (options, fields)


def records(stream):
    """Yield (is_options, {name: value}) of every data record."""
    templates = {}
    expected = at = 0
    while at < len(stream):
        version, length, _, sequence, _ = struct.unpack_from("!HHIII", stream, at)
        if version != 10 or at + length > len(stream):
            sys.exit("damaged message at %d" % at)
        if sequence != expected:
            sys.exit("sequence number %d instead of %d at %d" % (sequence, expected, at))
        end = at + length
        at += 16
        while at < end:
            number, length = struct.unpack_from("!HH", stream, at)
            body = stream[at + 4:at + length]
            at += length
            if number in (2, 3):
                read_templates(body, number == 3, templates)
                continue
            options, fields = templates[number]
            size = sum(field[2] for field in fields)
            for start in range(0, len(body) - size + 1, size):
                record = {}
                offset = start
                for name, kind, width in fields:
                    record[name] = value(kind, body[offset:offset + width])
                    offset += width
                expected += 1
                yield options, record


def main():
    form, path = sys.argv[1:]
    stream = sys.stdin.buffer.read() if path == "-" else open(path, "rb").read()
    for options, record in records(stream):
        if form == "flows" and not options:
            print("|".join(str(record.get(name, "-")) for name in FLOW))
        elif form == "names" or (form == "options" and options):
            print(" ".join("%s=%s" % pair for pair in record.items()))


main()
