#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain IPFIX collector: writes what it receives to a file, message by message.

usage: collector.py tcp|udp|tls PORT OUT [CERT KEY CA]

Ends when the first TCP or TLS peer has gone; with UDP it is ended by a signal. PORT.ready is made
when it listens.
"""
import socket
import ssl
import sys

form, port, path = sys.argv[1:4]
kind = socket.SOCK_DGRAM if form == "udp" else socket.SOCK_STREAM
sock = socket.socket(socket.AF_INET, kind)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(("127.0.0.1", int(port)))
if form != "udp":
    sock.listen(1)
open(port + ".ready", "w").close()
with open(path, "wb", buffering=0) as out:
    if form == "udp":
        while True:
            out.write(sock.recv(65536))
    peer, _ = sock.accept()
    if form == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
        context.load_verify_locations(sys.argv[6])
        context.verify_mode = ssl.CERT_REQUIRED
        peer = context.wrap_socket(peer, server_side=True)
    while True:
        received = peer.recv(65536)
        if not received:
            break
        out.write(received)
