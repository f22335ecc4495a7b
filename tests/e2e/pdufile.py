#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a file of NetFlow v5 packets: pdufile.py FILE PACKETS [SEED]

Thirty records in each, of several hours from 2024/03/05T11 on, between 10.0.0.0/8 and 192.0.0.0/8,
with web ports, ICMP, interfaces 0 to 6. The same seed makes the same file.
"""
import random
import struct
import sys

BASE = 1709640000  # 2024-03-05T12:00:00Z


def address(draw):
	return struct.pack('>BBBB', draw.choice((10, 192)), draw.randrange(256), draw.randrange(256),
			   draw.randrange(256))


def record(draw, uptime):
	packets = draw.randrange(1, 1000)
	first = uptime - draw.randrange(3600000)
	protocol = draw.choice((6, 6, 6, 17, 1))
	return (address(draw) + address(draw) + address(draw) +
		struct.pack('>HHIIIIHHBBBBHHBBH', draw.choice((0, 1, 2)), draw.choice((0, 5, 6)), packets,
			    packets * draw.randrange(40, 1500), first, min(uptime, first + draw.randrange(100000)),
			    draw.choice((80, 443, 1024, 53, 5555)), draw.choice((80, 22, 8080, 3000)), 0,
			    draw.randrange(64) if protocol == 6 else 0, protocol, 0, 0, 0, 0, 0, 0))


def main():
	packets = int(sys.argv[2])
	draw = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
	with open(sys.argv[1], 'wb') as out:
		for i in range(packets):
			uptime = 100000000 + i * 60000
			head = struct.pack('>HHIIIIBBH', 5, 30, uptime, BASE + i * 60, 0, i * 30, 0, 0, 0)
			out.write((head + b''.join(record(draw, uptime) for _ in range(30))).ljust(1464, b'\0'))


main()
