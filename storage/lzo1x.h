/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decompression of LZO1X, the method of most files of records and sets.
 *
 * The stream is a sequence of instructions (Linux, Documentation/staging/lzo.rst; version 0). Each
 * begins with a byte t and copies a match, i.e. bytes that were put out before, and then 0 to 3
 * literals S, i.e. bytes of the input; or, after an instruction without literals, a run of 4 and more:
 *
 *   t           more input                length           distance                       S
 *   0           zeros Z, byte n           18 + 255 Z + n   a run of literals              -
 *   1-15        none                      3 + t            a run of literals              -
 *   0-15        H       after 1-3 lit.    2                1 + 4 H + (t >> 2)             t & 3
 *   0-15        H       after a run       3                2049 + 4 H + (t >> 2)          t & 3
 *   16-31       [Z n], D of 16 bits       2 + (t & 7)      16384 + 2048 (t & 8) + (D >> 2)  D & 3
 *   32-63       [Z n], D of 16 bits       2 + (t & 31)     1 + (D >> 2)                   D & 3
 *   64-255      H                         1 + (t >> 5)     1 + 8 H + ((t >> 2) & 7)       t & 3
 *
 * D is in little-endian order; [Z n] is there if the bits of t are 0, and the length is then
 * 9 (33) + 255 Z + n. The distance 16384 of a t of 16-31 without bit 3 is the end. If the first byte
 * of all is above 17, it is a run of t - 17 literals.
 *
 * liblzo2 2.10 reads the same streams at 0.6 of the speed for records, 0.5 for sets of IPv4 addresses
 * (846 and 1323 MB/s, 855 and 1708 MB/s, blocks of 64 KiB, one core), and that was half of the time
 * of what reads such files. Streams are written by the library, those of most records by lzo1xrows.h.
 */
#ifndef TUSSAH_STORAGE_LZO1X_H
#define TUSSAH_STORAGE_LZO1X_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decompress a whole stream. Neither pointer is NULL. *out_len is the room of out and returns how
 * many bytes came; none beyond the room is ever written, none beyond len read. False: the stream is
 * damaged, wants more room, or ends before or after its end mark.
 */
bool lzo1x_unpack(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len);

#endif
