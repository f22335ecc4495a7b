/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/pcapngsnap.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void add32(GByteArray *out, uint32_t value, bool swapped)
{
	value = swapped ? __builtin_bswap32(value) : value;
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

/* body: words between the two lengths */
static void add_block(GByteArray *out, bool swapped, uint32_t type, const uint32_t *body, size_t n)
{
	add32(out, type, swapped);
	add32(out, (uint32_t)(12 + 4 * n), swapped);
	for (size_t i = 0; i < n; i++) {
		add32(out, body[i], swapped);
	}
	add32(out, (uint32_t)(12 + 4 * n), swapped);
}

/* A section with two interfaces, whose limits are these, and a packet that looks like one. */
static void add_section(GByteArray *out, bool swapped, uint32_t first, uint32_t second)
{
	const uint32_t section[] = { 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX };
	const uint32_t one[] = { 1, first };
	const uint32_t two[] = { 1, second, 0, 0 };
	const uint32_t packet[] = { 0, 1, 2, 8, 8, 1, 20 };

	add_block(out, swapped, 0x0a0d0d0a, section, 4);
	add_block(out, swapped, 1, one, 2);
	add_block(out, swapped, 3, NULL, 0);
	add_block(out, swapped, 1, two, 4);
	add_block(out, swapped, 6, packet, 7);
}

static void check(const GByteArray *given, const GByteArray *expected)
{
	for (size_t piece = 1; piece <= given->len; piece++) {
		struct pcapngsnap snap = { 0 };
		uint8_t *copy = g_memdup2(given->data, given->len);

		unit_at("pieces of %zu", piece);
		for (size_t at = 0; at < given->len; at += piece) {
			pcapngsnap_lift(&snap, copy + at, MIN(piece, given->len - at));
		}
		CU_ASSERT_EQUAL(memcmp(copy, expected->data, given->len), 0);
		g_free(copy);
	}
}

static void test_sections(void)
{
	GByteArray *given = g_byte_array_new();
	GByteArray *expected = g_byte_array_new();

	for (int i = 0; i < 3; i++) {
		add_section(given, i == 1, 65535, 8192);
		add_section(expected, i == 1, 0, 0);
	}
	check(given, expected);
	g_byte_array_unref(given);
	g_byte_array_unref(expected);
}

/* From the damage on it stays as it is; and no length of a block leads astray. */
static void test_damage(void)
{
	static const uint32_t lengths[] = { 0, 11, 12, 13, 20, 1000, UINT32_MAX };

	for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
		GByteArray *bytes = g_byte_array_new();
		struct pcapngsnap snap = { 0 };

		unit_at("length %u", lengths[i]);
		add_section(bytes, false, 1, 2);
		memcpy(bytes->data + 4, &lengths[i], sizeof(lengths[i]));
		pcapngsnap_lift(&snap, bytes->data, bytes->len);
		CU_ASSERT(lengths[i] >= 12 || snap.lost);
		g_byte_array_unref(bytes);
	}
}

static void test_others(void)
{
	GByteArray *bytes = g_byte_array_new();

	add32(bytes, 0xa1b2c3d4, false);
	add_section(bytes, false, 1, 2);
	check(bytes, bytes);
	g_byte_array_set_size(bytes, 5);
	check(bytes, bytes);
	g_byte_array_unref(bytes);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "sections of both byte orders", test_sections },
		{ "damage", test_damage },
		{ "other files", test_others },
		{ NULL, NULL },
	};

	return unit_run("pcapngsnap", cases);
}
