/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XXH3 of <xxhash.h>, for long runs of bytes: by the widest vectors that the processor has, where the
 * library brings code for several. */
#ifndef TUSSAH_COMMON_XXH3_H
#define TUSSAH_COMMON_XXH3_H

#ifdef HAVE_XXHASH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#endif
