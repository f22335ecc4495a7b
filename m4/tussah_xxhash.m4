dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl XXH3 for several kinds of x86 processors, of which the library picks: common/xxh3.h
AC_DEFUN([AX_TUSSAH_XXHASH_DISPATCH], [
  AC_CACHE_CHECK([for XXH3 by the widest vectors], [tussah_cv_xxhash_dispatch], [
    tussah_libs=$LIBS
    tussah_cflags=$CFLAGS
    LIBS="$LIBS $XXHASH_LIBS"
    CFLAGS="$CFLAGS $XXHASH_CFLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <xxh_x86dispatch.h>]],
      [[return (int)XXH3_64bits_withSeed("", 0, 0);]])],
      [tussah_cv_xxhash_dispatch=yes], [tussah_cv_xxhash_dispatch=no])
    LIBS=$tussah_libs
    CFLAGS=$tussah_cflags
  ])
  AS_IF([test "$tussah_cv_xxhash_dispatch" = yes],
    [AC_DEFINE([HAVE_XXHASH_DISPATCH], [1], [xxHash has code for several kinds of x86 processors])])
])
