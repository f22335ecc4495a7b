/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/putbytes.h"

#include <string.h>

#include "tests/unit/unit.h"

static void test_forms(void)
{
	static const uint8_t want[] = {
		'a',              /* before */
		0xfe,             /* a byte */
		0x00,             /* varints: 0, 127, 128 */
		0x7f, 0x80, 0x01, /* */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, /* the largest */
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
	};
	GByteArray *out = g_byte_array_new();

	g_byte_array_append(out, (const uint8_t *)"a", 1);
	put_byte(out, 0xfe);
	put_varint(out, 0);
	put_varint(out, 127);
	put_varint(out, 128);
	put_varint(out, UINT64_MAX);
	put_u64(out, UINT64_C(0x0102030405060708));
	UNIT_ASSERT_U64(out->len, sizeof(want));
	CU_ASSERT_EQUAL(memcmp(out->data, want, sizeof(want)), 0);
	g_byte_array_unref(out);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "forms", test_forms },
		{ NULL, NULL },
	};

	return unit_run("putbytes", cases);
}
