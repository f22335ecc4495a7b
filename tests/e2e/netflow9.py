#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router that tells its template once: netflow9.py PORT COMMAND [; COMMAND ...], from one UDP port.

	template	the template alone
	data A B	one record a datagram, from 10.9.x.y, numbers A to B - 1
	wait FILE	until it is there

Goes to 127.0.0.1. Sequence numbers go on over all commands.
"""
import os
import socket
import struct
import sys
import time

FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4), (22, 4), (21, 4))


def header(sequence):
	return struct.pack('>HHIIII', 9, 1, 100000, int(time.time()), sequence, 7)


def template():
	body = struct.pack('>HH', 300, len(FIELDS)) + b''.join(struct.pack('>HH', *field) for field in FIELDS)
	return struct.pack('>HH', 0, 4 + len(body)) + body


def data(number):
	body = struct.pack('>IIHHBIIII', 0x0a090000 + number, 0xc0000201, 1024, 443, 6, 3, 300, 90000, 91000)
	body += b'\0' * (-len(body) % 4)
	return struct.pack('>HH', 300, 4 + len(body)) + body


def main():
	out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	out.connect(('127.0.0.1', int(sys.argv[1])))
	sequence = 0
	for words in (command.split() for command in ' '.join(sys.argv[2:]).split(';')):
		if words[0] == 'wait':
			while not os.path.exists(words[1]):
				time.sleep(0.02)
			continue
		sets = [template()] if words[0] == 'template' else [data(n) for n in range(int(words[1]), int(words[2]))]
		for one in sets:
			out.send(header(sequence) + one)
			sequence += 1
			time.sleep(0.0005)


main()
