dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl AX_TUSSAH_SONAME(VARIABLE, LIBS, HEADER, FUNCTION, LIBRARY)
dnl Defines VARIABLE: by which name a program that is linked with LIBS and calls FUNCTION loads LIBRARY, as in libfoo.so.1,
dnl so that one that is not linked with it can do so, too. LIBRARY.so.1 where that cannot be seen.
AC_DEFUN([AX_TUSSAH_SONAME], [
  AC_REQUIRE([AC_PROG_SED])
  AC_CHECK_TOOL([READELF], [readelf], [false])
  AC_CACHE_CHECK([how $5 is loaded], [tussah_cv_soname_$5], [
    tussah_save_LIBS=$LIBS
    LIBS="$2 $LIBS"
    tussah_cv_soname_$5=$5.so.1
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$3>]], [[return $4 == 0;]])], [
      tussah_needed=`$READELF -d conftest$ac_exeext 2>/dev/null | $SED -n 's/.*NEEDED.*\($5@<:@^@:>@@:>@*\).*/\1/p'`
      AS_IF([test -n "$tussah_needed"], [tussah_cv_soname_$5=$tussah_needed])
    ])
    LIBS=$tussah_save_LIBS
  ])
  AC_DEFINE_UNQUOTED([$1], ["$tussah_cv_soname_$5"], [name by which $5 is loaded])
])
