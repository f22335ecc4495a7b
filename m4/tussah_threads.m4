dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([AX_TUSSAH_THREADS], [
  AC_CHECK_HEADER([pthread.h], [], [AC_MSG_ERROR([pthread.h is needed (Debian package: libc6-dev)])])
  AC_SEARCH_LIBS([pthread_create], [pthread])
])
