/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tucmarks.h"

#include "common/bytemask.h"

/* Ends and blanks of a block. */
struct kinds {
	uint64_t ends;
	uint64_t blanks;
};

static struct kinds kinds_of(const char *block, char separator)
{
	struct kinds kinds = { 0 };

#pragma GCC unroll 4
	for (unsigned i = 0; i < BYTEMASK_BLOCK; i += BYTEMASK_PART) {
		const struct bytemask_part part = bytemask_load(block + i);
		const struct bytemask_part ends = bytemask_or(
			bytemask_or(bytemask_equal(part, separator), bytemask_equal(part, '\n')),
			bytemask_equal(part, '\0'));
		const struct bytemask_part blanks = bytemask_or(
			bytemask_or(bytemask_equal(part, ' '), bytemask_equal(part, '\t')),
			bytemask_or(bytemask_equal(part, '\r'), bytemask_equal(part, '\f')));

		kinds.ends |= bytemask_bits(ends) << i;
		kinds.blanks |= bytemask_bits(blanks) << i;
	}
	return kinds;
}

/* Places from + i of all bits i that are set. */
static uint32_t *add_places(uint32_t *at, size_t from, uint64_t bits)
{
	for (; bits; bits &= bits - 1) {
		*at++ = (uint32_t)from + (uint32_t)__builtin_ctzll(bits);
	}
	return at;
}

void tucmarks_find(struct tucmarks *marks, const char *text, size_t len, char separator)
{
	uint64_t before = 0; /* bit 0: is what stands before the block text of a column? */
	uint32_t *at;

	if (marks->room < len + 1) {
		g_free(marks->at);
		marks->room = len + 1;
		marks->at = g_new(uint32_t, marks->room);
	}
	at = marks->at;
	for (size_t from = 0; from < len; from += BYTEMASK_BLOCK) {
		const struct kinds kinds = kinds_of(text + from, separator);
		const uint64_t others = ~(kinds.ends | kinds.blanks);
		uint64_t found = kinds.ends | (others & ~(others << 1 | before));

		if (len - from < BYTEMASK_BLOCK) {
			found &= (UINT64_C(1) << (len - from)) - 1;
		}
		before = others >> (BYTEMASK_BLOCK - 1);
		at = add_places(at, from, found);
	}
	marks->count = (size_t)(at - marks->at);
}

void tucmarks_release(struct tucmarks *marks)
{
	g_free(marks->at);
	*marks = (struct tucmarks){ 0 };
}
