/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stdstreams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void stdstreams_guard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
			/* the lowest free number is this one; opened the wrong way round */
			int got = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);

			if (got < 0) {
				return; /* no /dev/null: nothing better to be done */
			}
		}
	}
}
