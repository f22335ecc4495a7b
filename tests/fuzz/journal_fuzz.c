/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The segment and the state of a journal. The first octet chooses how many bytes a read gives, and
 * whether the checksums of what look like entries are put right first, so that what is behind them
 * is reached too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/journalformat.h"
#include "common/journalwalk.h"

#define KEY 0x7473686a6b6579u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct input {
	uint8_t *bytes;
	size_t size;
	size_t piece;
};

static int fill(struct journal_walk *walk, uint64_t offset, uint8_t *to, size_t room, size_t *got,
		struct err *err)
{
	const struct input *input = walk->ctx;
	size_t n = offset < input->size ? input->size - offset : 0;

	(void)err;
	n = n < room ? n : room;
	n = n < input->piece ? n : input->piece;
	memcpy(to, input->bytes + (n > 0 ? offset : 0), n);
	*got = n;
	return ST_OK;
}

static void repair(struct input *input)
{
	size_t at = JOURNALFORMAT_HEADER_BYTES;
	struct journalformat_entry entry;

	while (at < input->size) {
		uint64_t sum;

		journalformat_get_entry(input->bytes + at, input->size - at, KEY, &entry);
		if (entry.total == 0 || entry.total > input->size - at) {
			return;
		}
		sum = XXH3_64bits_withSeed(input->bytes + at + 8, entry.total - 8, KEY);
		memcpy(input->bytes + at, &sum, sizeof(sum));
		at += entry.total;
	}
}

static void walk_through(struct input *input)
{
	struct journal_walk walk;
	struct journal_entry entry;
	volatile uint8_t sum = 0;
	uint64_t next = 1;
	int rc;

	journal_walk_init(&walk, KEY, 1, fill, input);
	while ((rc = journal_walk_next(&walk, &entry, NULL)) != ST_END) {
		if (rc == ST_EFORMAT) {
			if (entry.position != next) {
				abort();
			}
			next = entry.position + entry.lost;
			continue;
		}
		if (rc != ST_OK || entry.position != next || entry.len == 0) {
			abort();
		}
		next++;
		for (uint32_t i = 0; i < entry.len; i++) {
			sum ^= entry.bytes[i];
		}
	}
	if (walk.offset > input->size && input->size >= JOURNALFORMAT_HEADER_BYTES) {
		abort();
	}
	journal_walk_release(&walk);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct journalformat_state state;
	struct input input;

	if (size < 1) {
		return 0;
	}
	input.size = size - 1;
	input.piece = (size_t)1 << (bytes[0] >> 1 & 15);
	input.bytes = malloc(input.size + 1);
	memcpy(input.bytes, bytes + 1, input.size);
	if (bytes[0] & 1) {
		repair(&input);
	}
	if (input.size >= JOURNALFORMAT_HEADER_BYTES) {
		journalformat_check_header(input.bytes, 1, KEY);
	}
	if (input.size >= JOURNALFORMAT_SLOT_BYTES) {
		journalformat_get_state(input.bytes, &state);
	}
	walk_through(&input);
	free(input.bytes);
	return 0;
}
