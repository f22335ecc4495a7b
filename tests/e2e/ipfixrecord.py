#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of IPFIX, one for each line of standard input: ID/LENGTH=VALUE ... are the elements of its template and
of its one record, behind addresses, ports, protocol, packets and bytes. Exported at 1700000000."""
import struct
import sys

BASE = '8/4=167772161 12/4=167772162 7/2=1024 11/2=80 4/1=6 2/8=3 1/8=300'

for number, line in enumerate(sys.stdin):
	elements = [tuple(int(n) for n in word.replace('=', '/').split('/')) for word in (BASE + ' ' + line).split()]
	template = struct.pack('>HH', 300 + number, len(elements))
	template += b''.join(struct.pack('>HH', *element[:2]) for element in elements)
	record = b''.join(value.to_bytes(length, 'big') for _, length, value in elements)
	sets = struct.pack('>HH', 2, 4 + len(template)) + template
	sets += struct.pack('>HH', 300 + number, 4 + len(record)) + record
	sys.stdout.buffer.write(struct.pack('>HHIII', 10, 16 + len(sets), 1700000000, number, 1) + sets)
