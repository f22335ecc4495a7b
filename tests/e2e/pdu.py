#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send datagrams of routers: pdu.py PORT COMMAND [; COMMAND ...], all from one UDP port.

	v5 SEQ [KEY=VALUE ...]	NetFlow v5 of one record; keys as of RECORD and HEADER below,
				count=N (copies), cut=N (bytes left off)
	v1, v7			likewise
	v8			a header of version 8
	pcap FILE		the UDP payloads of an Ethernet capture
	raw HEX			these bytes
"""
import socket
import struct
import sys
import time

RECORD = dict(sip='10.0.0.1', dip='10.0.0.2', nhip='10.0.0.3', input=11, output=12, packets=3, bytes=300,
	      first=1000, last=2000, sport=1024, dport=80, flags=0x1b, protocol=6, tos=0x28,
	      source_as=64512, destination_as=64513, source_mask=24, destination_mask=16)
HEADER = dict(uptime=100000, seconds=1700000000, nanoseconds=123456789, engine=0, sampling=0, count=1, cut=0)


def pdu(version, sequence, settings):
	r = dict(RECORD)
	h = dict(HEADER)
	for word in settings:
		key, value = word.split('=')
		(h if key in h else r)[key] = value if '.' in value else int(value, 0)
	body = b''.join(socket.inet_aton(r[k]) for k in ('sip', 'dip', 'nhip'))
	body += struct.pack('>HHIIIIHH', r['input'], r['output'], r['packets'], r['bytes'], r['first'], r['last'],
			    r['sport'], r['dport'])
	if version == 1:
		body += struct.pack('>HBBB11x', 0, r['protocol'], r['tos'], r['flags'])
	else:
		body += struct.pack('>BBBBHHBBH', 0, r['flags'], r['protocol'], r['tos'], r['source_as'],
				    r['destination_as'], r['source_mask'], r['destination_mask'], 0)
		body += b'\0' * (4 if version == 7 else 0)
	head = struct.pack('>HHIII', version, h['count'], h['uptime'], h['seconds'], h['nanoseconds'])
	if version != 1:
		head += struct.pack('>IHH', sequence, h['engine'], h['sampling'])
	whole = head + body * h['count']
	return whole[:len(whole) - h['cut']]


def pcap(path):
	data = open(path, 'rb').read()
	at = 24
	while at + 16 <= len(data):
		size = struct.unpack('<I', data[at + 8:at + 12])[0]
		frame = data[at + 16:at + 16 + size]
		at += 16 + size
		yield frame[62:] if frame[12:14] == b'\x86\xdd' else frame[42:]


def datagrams(words):
	if words[0] == 'pcap':
		yield from pcap(words[1])
	elif words[0] == 'raw':
		yield bytes.fromhex(words[1])
	elif words[0] == 'v8':
		yield struct.pack('>HHIII', 8, 1, 0, 0, 0) + b'\0' * 40
	else:
		yield pdu(int(words[0][1:]), int(words[1]), words[2:])


def main():
	out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	out.connect(('127.0.0.1', int(sys.argv[1])))
	for command in ' '.join(sys.argv[2:]).split(';'):
		for datagram in datagrams(command.split()):
			out.send(datagram)
			time.sleep(0.001)


main()
