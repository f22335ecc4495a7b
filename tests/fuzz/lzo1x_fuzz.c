/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams of LZO1X beside the library: both take a stream, and make the same of it, or neither. The first two
 * bytes are the room (little-endian).
 */
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lzo1x.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 2) {
		return 0;
	}
	size_t room = bytes[0] | (size_t)bytes[1] << 8;
	size_t used = room;
	lzo_uint want = room;
	uint8_t *out = malloc(room); /* never NULL, even for 0 */
	uint8_t *theirs = malloc(room);
	bool good = lzo1x_decompress_safe(bytes + 2, size - 2, theirs, &want, NULL) == LZO_E_OK;

	if (lzo1x_unpack(bytes + 2, size - 2, out, &used) != good ||
	    (good && (used != want || (used > 0 && memcmp(out, theirs, used) != 0)))) {
		abort();
	}
	free(out);
	free(theirs);
	return 0;
}
