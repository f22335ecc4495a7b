/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VECTORIZED before a function with plain loops over arrays: compilers make vector instructions of
 * them, once for processors of any age and once for those with AVX2, and the program picks when it
 * starts. Not where sanitizers watch, who are not ready by then.
 */
#ifndef TUSSAH_COMMON_VECTORIZED_H
#define TUSSAH_COMMON_VECTORIZED_H

#include <features.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&       \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTORIZED __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define VECTORIZED
#endif

#endif
