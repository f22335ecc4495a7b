/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/parts.h"

#include <string.h>

#include "tests/unit/unit.h"

#define PIECE_BYTES 50000u

static void put_pieces(struct parts *parts, unsigned count, uint8_t first)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t piece[PIECE_BYTES];

		memset(piece, first + (int)i, sizeof(piece));
		g_byte_array_append(parts_tail(parts), piece, sizeof(piece));
	}
}

/* All pieces are there in their order, none torn between two parts. */
static void test_order(void)
{
	struct parts parts;
	const struct iovec *vectors;
	uint8_t next = 7;
	size_t count;

	parts_init(&parts, NULL);
	CU_ASSERT_EQUAL(parts_len(&parts), 0);
	parts_vectors(&parts, &count);
	CU_ASSERT_EQUAL(count, 0);
	put_pieces(&parts, 100, next);
	CU_ASSERT_EQUAL(parts_len(&parts), 100 * PIECE_BYTES);
	vectors = parts_vectors(&parts, &count);
	CU_ASSERT(count > 1);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *bytes = vectors[i].iov_base;

		CU_ASSERT_EQUAL(vectors[i].iov_len % PIECE_BYTES, 0);
		for (size_t at = 0; at < vectors[i].iov_len; at += PIECE_BYTES, next++) {
			CU_ASSERT_EQUAL(bytes[at], next);
			CU_ASSERT_EQUAL(bytes[at + PIECE_BYTES - 1], next);
		}
	}
	CU_ASSERT_EQUAL(next, 107);
	parts_clear(&parts);
	CU_ASSERT_EQUAL(parts_len(&parts), 0);
	parts_release(&parts);
	parts_release(&parts);
}

/* What one gathered in is there for the next. */
static void test_shared(void)
{
	struct partpool *pool = partpool_new();
	struct parts one;
	struct parts other;
	GByteArray *used;

	parts_init(&one, pool);
	parts_init(&other, pool);
	put_pieces(&one, 1, 1);
	used = parts_tail(&one);
	CU_ASSERT_PTR_NOT_EQUAL(parts_tail(&other), used);
	parts_release(&other);
	parts_clear(&one);
	parts_init(&other, pool);
	put_pieces(&other, 2, 2);
	CU_ASSERT_EQUAL(parts_len(&other), 2 * PIECE_BYTES);
	CU_ASSERT_PTR_EQUAL(parts_tail(&other), used);
	CU_ASSERT_EQUAL(parts_tail(&other)->data[0], 2);
	parts_release(&one);
	parts_release(&other);
	partpool_free(pool);
	partpool_free(NULL);
}

/* What was taken between two trims stays. */
static void test_trim(void)
{
	struct partpool *pool = partpool_new();
	struct parts parts;
	GByteArray *first;
	GByteArray *last;

	parts_init(&parts, pool);
	put_pieces(&parts, 4, 1);
	first = parts_tail(&parts);
	parts_clear(&parts);
	partpool_trim(pool);
	last = parts_tail(&parts);
	CU_ASSERT_PTR_EQUAL(last, first);
	parts_clear(&parts);
	/* one of the two was not needed since */
	partpool_trim(pool);
	CU_ASSERT_PTR_EQUAL(parts_tail(&parts), last);
	parts_clear(&parts);
	partpool_trim(pool);
	partpool_trim(pool);
	put_pieces(&parts, 1, 1);
	CU_ASSERT_EQUAL(parts_len(&parts), PIECE_BYTES);
	parts_release(&parts);
	partpool_free(pool);
}

/* One piece may be longer than a part is otherwise. */
static void test_long(void)
{
	struct partpool *pool = partpool_new();
	struct parts parts;
	const struct iovec *vectors;
	size_t count;

	parts_init(&parts, pool);
	for (unsigned round = 0; round < 2; round++) {
		g_byte_array_set_size(parts_tail(&parts), 3u << 20);
		put_pieces(&parts, 1, 9);
		vectors = parts_vectors(&parts, &count);
		CU_ASSERT_EQUAL(count, 2);
		CU_ASSERT_EQUAL(vectors[0].iov_len, 3u << 20);
		CU_ASSERT_EQUAL(vectors[1].iov_len, PIECE_BYTES);
		parts_clear(&parts);
	}
	parts_release(&parts);
	partpool_free(pool);
}

/* A block is kept for the next who asks, until nobody has asked between two trims. */
static void test_blocks(void)
{
	struct partpool *pool = partpool_new();
	void *one = partpool_borrow(pool);
	void *other = partpool_borrow(pool);

	CU_ASSERT_EQUAL((uintptr_t)one % PARTPOOL_BLOCK_ALIGN, 0);
	CU_ASSERT(one && other && one != other);
	memset(one, 1, PARTPOOL_BLOCK_BYTES);
	memset(other, 2, PARTPOOL_BLOCK_BYTES);
	partpool_return(pool, one);
	partpool_return(pool, other);
	partpool_trim(pool);
	CU_ASSERT_PTR_EQUAL(partpool_borrow(pool), one);
	partpool_return(pool, one);
	partpool_trim(pool);
	partpool_trim(pool);
	partpool_free(pool);
	one = partpool_borrow(NULL);
	CU_ASSERT(one != NULL);
	partpool_return(NULL, one);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "order", test_order },      { "shared memory", test_shared },
		{ "long pieces", test_long }, { "trimmed", test_trim },
		{ "blocks", test_blocks },    { NULL, NULL },
	};

	return unit_run("parts", cases);
}
