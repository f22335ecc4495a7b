/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as rows: what is packed is within the bound, and both readers of LZO1X give the bytes
 * again. The first byte says how often they come, so that few bytes make many rows.
 */
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lzo1x.h"
#include "storage/lzo1xrows.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool comes_back(const uint8_t *packed, size_t packed_len, const uint8_t *plain, size_t len)
{
	uint8_t *out = malloc(len); /* never NULL, even for 0 */
	size_t used = len;
	lzo_uint theirs = len;
	bool good = lzo1x_unpack(packed, packed_len, out, &used) && used == len &&
		    (len == 0 || memcmp(out, plain, len) == 0);

	good = good && lzo1x_decompress_safe(packed, packed_len, out, &theirs, NULL) == LZO_E_OK &&
	       theirs == len && (len == 0 || memcmp(out, plain, len) == 0);
	free(out);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct lzo1xrows *work = malloc(sizeof(*work));
	size_t times = size > 0 ? bytes[0] % 16 + 1u : 0;
	size_t len = times > 0 ? times * (size - 1) : 0;
	uint8_t *plain = malloc(len);
	uint8_t *packed = malloc(lzo1xrows_bound(len));
	size_t used;

	for (size_t i = 0; i < times; i++) {
		memcpy(plain + i * (size - 1), bytes + 1, size - 1);
	}
	used = lzo1xrows_pack(work, plain, len, packed);
	if (used > lzo1xrows_bound(len) || !comes_back(packed, used, plain, len)) {
		abort();
	}
	free(packed);
	free(plain);
	free(work);
	return 0;
}
