#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the service manager for one daemon: passes it a bound UDP socket, notes what it tells.

    manager.py --said=FILE [--udp=HOST:PORT] [--start-when=FILE] [--watchdog=SECONDS] COMMAND...

Each message of the daemon becomes a line of the file --said, line feeds in it blanks. The socket is open from the
beginning, the daemon starts when the file --start-when is there. SIGTERM and SIGHUP are handed on;
the status is the daemon's.
"""
import argparse
import os
import signal
import socket
import sys
import time


def open_udp(where):
    host, port = where.rsplit(":", 1)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    udp.bind((host, int(port)))
    return udp


def start(options, udp, path):
    daemon = os.fork()
    if daemon != 0:
        return daemon
    os.environ["NOTIFY_SOCKET"] = path
    if options.watchdog:
        os.environ["WATCHDOG_USEC"] = str(int(options.watchdog * 1e6))
        os.environ["WATCHDOG_PID"] = str(os.getpid())
    if udp:
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = "1"
        if udp.fileno() == 3:
            os.set_inheritable(3, True)
        else:
            os.dup2(udp.fileno(), 3)
    os.execvp(options.command[0], options.command)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--said", required=True)
    parser.add_argument("--udp")
    parser.add_argument("--start-when")
    parser.add_argument("--watchdog", type=float)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    udp = open_udp(options.udp) if options.udp else None
    path = os.path.abspath(options.said + ".socket")
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(path)
    notify.settimeout(0.05)
    with open(options.said, "w", encoding="utf-8", buffering=1) as said:
        said.write("open\n")
        while options.start_when and not os.path.exists(options.start_when):
            time.sleep(0.02)
        daemon = start(options, udp, path)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda got, _frame: os.kill(daemon, got))
        status = None
        while True:
            try:
                said.write(notify.recv(4096).decode().replace("\n", " ") + "\n")
            except TimeoutError:
                if status is not None:
                    break
                ended, code = os.waitpid(daemon, os.WNOHANG)
                status = os.waitstatus_to_exitcode(code) if ended else None
    sys.exit(status if status >= 0 else 128 - status)


main()
