#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program and kill it (SIGKILL) when it is about to change a file for the Nth time.

	killat.py N COMMAND ...		exits with 9 when it killed the program, else as the program does
	killat.py 0 true		exits with 77 where a program cannot be traced

Counted in all threads, in the order in which they come: writes at an offset, truncations, syncs,
renames, links and removals. SIGTERM is handed on.
"""
import ctypes
import os
import platform
import signal
import sys

TRACEME, CONT_SYSCALL, SETOPTIONS, SYSCALL_INFO = 0, 24, 0x4200, 0x420e
OPTIONS = 1 | 8 | 0x100000  # TRACESYSGOOD, TRACECLONE, EXITKILL
CHANGES = {
	# pwrite64 pwritev fsync fdatasync ftruncate rename link unlink renameat linkat unlinkat
	# renameat2
	'x86_64': {18, 296, 74, 75, 77, 82, 86, 87, 264, 265, 263, 316},
	'aarch64': {68, 70, 82, 83, 46, 38, 37, 35, 276},
}.get(platform.machine())
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Info(ctypes.Structure):
	_fields_ = [('op', ctypes.c_uint8), ('pad', ctypes.c_uint8 * 3), ('arch', ctypes.c_uint32),
		    ('ip', ctypes.c_uint64), ('sp', ctypes.c_uint64), ('nr', ctypes.c_uint64),
		    ('rest', ctypes.c_uint64 * 8)]


def begins_change(pid):
	info = Info()
	got = libc.ptrace(SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
	if got < 0:
		sys.exit(77)
	return info.op == 1 and info.nr in CHANGES


def follow(main, at):
	changes = 0
	while True:
		pid, status = os.waitpid(-1, 0x40000000)  # __WALL
		if os.WIFEXITED(status) or os.WIFSIGNALED(status):
			if pid == main:
				return 9 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
			continue
		number = os.WSTOPSIG(status)
		hand_on = 0
		if number == signal.SIGTRAP | 0x80:
			changes += begins_change(pid)
			if at and changes == at:
				os.kill(main, signal.SIGKILL)
				at = 0
				continue
		elif number not in (signal.SIGTRAP, signal.SIGSTOP):
			hand_on = number
		libc.ptrace(CONT_SYSCALL, pid, None, hand_on)


def main():
	if not CHANGES:
		sys.exit(77)
	pid = os.fork()
	if pid == 0:
		libc.ptrace(TRACEME, 0, None, None)
		os.execvp(sys.argv[2], sys.argv[2:])
	signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
	os.waitpid(pid, 0)
	if libc.ptrace(SETOPTIONS, pid, None, OPTIONS) < 0:
		os.kill(pid, signal.SIGKILL)
		sys.exit(77)
	libc.ptrace(CONT_SYSCALL, pid, None, None)
	sys.exit(follow(pid, int(sys.argv[1])))


main()
