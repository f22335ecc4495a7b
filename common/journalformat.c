/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JOURNAL.md in code. Numbers are little-endian. */
#include "common/journalformat.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "common/xxh3.h"

static const char segment_magic[8] = { 'T', 'S', 'H', 'J', 'S', 'E', 'G', '\n' };
static const char state_magic[8] = { 'T', 'S', 'H', 'J', 'S', 'T', 'A', '\n' };

static void put32(uint8_t *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

static void put64(uint8_t *to, uint64_t value)
{
	value = htole64(value);
	memcpy(to, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return le64toh(value);
}

void journalformat_put_header(uint8_t out[JOURNALFORMAT_HEADER_BYTES], uint64_t first, uint64_t key)
{
	memset(out, 0, JOURNALFORMAT_HEADER_BYTES);
	memcpy(out, segment_magic, sizeof(segment_magic));
	put32(out + 8, JOURNALFORMAT_VERSION);
	put64(out + 16, first);
	put64(out + 24, key);
	put64(out + 56, XXH3_64bits(out, 56));
}

int journalformat_check_header(const uint8_t in[JOURNALFORMAT_HEADER_BYTES], uint64_t first,
			       uint64_t key)
{
	if (memcmp(in, segment_magic, sizeof(segment_magic)) != 0 ||
	    get64(in + 56) != XXH3_64bits(in, 56)) {
		return ST_EFORMAT;
	}
	if (get32(in + 8) != JOURNALFORMAT_VERSION) {
		return ST_EVERSION;
	}
	return get64(in + 16) == first && get64(in + 24) == key ? ST_OK : ST_EFORMAT;
}

void journalformat_put_entry(uint8_t *out, uint64_t key, uint64_t position, uint32_t records,
			     const struct iovec *iov, int iovcnt, size_t len)
{
	const size_t total = journalformat_total(len);
	uint8_t *to = out + JOURNALFORMAT_ENTRY_BYTES;

	put64(out + 8, position);
	put32(out + 16, (uint32_t)len);
	put32(out + 20, records);
	for (int i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len > 0) {
			memcpy(to, iov[i].iov_base, iov[i].iov_len);
			to += iov[i].iov_len;
		}
	}
	assert(to == out + JOURNALFORMAT_ENTRY_BYTES + len);
	memset(to, 0, (size_t)(out + total - to));
	put64(out, XXH3_64bits_withSeed(out + 8, total - 8, key));
}

int journalformat_get_unchecked(const uint8_t *in, size_t available,
				struct journalformat_entry *entry)
{
	entry->total = 0;
	if (available < JOURNALFORMAT_ENTRY_BYTES) {
		return ST_ETRUNC;
	}
	entry->position = get64(in + 8);
	entry->len = get32(in + 16);
	entry->records = get32(in + 20);
	if (entry->len > JOURNAL_ENTRY_MAX || entry->position == 0 ||
	    entry->position > JOURNAL_POSITION_MAX) {
		return ST_EFORMAT;
	}
	entry->total = journalformat_total(entry->len);
	if (available < entry->total) {
		return ST_ETRUNC;
	}
	entry->bytes = in + JOURNALFORMAT_ENTRY_BYTES;
	return ST_OK;
}

int journalformat_get_entry(const uint8_t *in, size_t available, uint64_t key,
			    struct journalformat_entry *entry)
{
	int rc = journalformat_get_unchecked(in, available, entry);

	if (rc == ST_OK && get64(in) != XXH3_64bits_withSeed(in + 8, entry->total - 8, key)) {
		rc = ST_EFORMAT;
	}
	return rc;
}

void journalformat_put_state(uint8_t out[JOURNALFORMAT_SLOT_BYTES],
			     const struct journalformat_state *state)
{
	memset(out, 0, JOURNALFORMAT_SLOT_BYTES);
	memcpy(out, state_magic, sizeof(state_magic));
	put32(out + 8, JOURNALFORMAT_VERSION);
	put32(out + 12, state->clean ? 1 : 0);
	put64(out + 16, state->generation);
	memcpy(out + 24, state->id, JOURNAL_ID_BYTES);
	put64(out + 40, state->key);
	put64(out + 48, state->released);
	put64(out + 56, state->durable);
	put64(out + 64, state->handed);
	put64(out + 72, state->dropped_entries);
	put64(out + 80, state->dropped_records);
	put64(out + 88, state->floor);
	put64(out + 96, state->dropping);
	put64(out + 120, XXH3_64bits(out, 120));
}

int journalformat_get_state(const uint8_t in[JOURNALFORMAT_SLOT_BYTES],
			    struct journalformat_state *state)
{
	if (memcmp(in, state_magic, sizeof(state_magic)) != 0 ||
	    get64(in + 120) != XXH3_64bits(in, 120)) {
		return ST_EFORMAT;
	}
	if (get32(in + 8) != JOURNALFORMAT_VERSION) {
		return ST_EVERSION;
	}
	state->clean = (get32(in + 12) & 1) != 0;
	state->generation = get64(in + 16);
	memcpy(state->id, in + 24, JOURNAL_ID_BYTES);
	state->key = get64(in + 40);
	state->released = get64(in + 48);
	state->durable = get64(in + 56);
	state->handed = get64(in + 64);
	state->dropped_entries = get64(in + 72);
	state->dropped_records = get64(in + 80);
	state->floor = get64(in + 88);
	state->dropping = get64(in + 96);
	return ST_OK;
}
