/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/journalwalk.h"

#include <glib.h>
#include <string.h>

#include "common/journalformat.h"

#define WALK_BYTES (256 * 1024)
/* The most that one entry can need. */
#define WALK_BYTES_MAX (JOURNALFORMAT_ENTRY_TOTAL + 8)

void journal_walk_init(struct journal_walk *walk, uint64_t key, uint64_t first,
		       journal_fill_fn fill, void *ctx)
{
	memset(walk, 0, sizeof(*walk));
	walk->key = key;
	walk->fill = fill;
	walk->ctx = ctx;
	walk->size = WALK_BYTES;
	walk->buf = g_malloc(walk->size);
	journal_walk_restart(walk, first);
}

void journal_walk_restart(struct journal_walk *walk, uint64_t first)
{
	walk->next = first;
	walk->limit = JOURNAL_POSITION_MAX;
	walk->offset = JOURNALFORMAT_HEADER_BYTES;
	walk->damaged_to = 0;
	walk->fresh = UINT64_MAX;
	walk->ended = false;
	walk->start = 0;
	walk->end = 0;
}

void journal_walk_release(struct journal_walk *walk)
{
	g_free(walk->buf);
	walk->buf = NULL;
}

/* Have at least len bytes from offset on; ST_END: there are fewer. */
static int want(struct journal_walk *walk, size_t len, struct err *err)
{
	if (walk->end - walk->start >= len) {
		return ST_OK;
	}
	memmove(walk->buf, walk->buf + walk->start, walk->end - walk->start);
	walk->end -= walk->start;
	walk->start = 0;
	if (walk->size < len) {
		walk->size = WALK_BYTES_MAX;
		walk->buf = g_realloc(walk->buf, walk->size);
	}
	while (walk->end < len) {
		size_t got = 0;
		int rc = walk->fill(walk, walk->offset + walk->end, walk->buf + walk->end,
				    walk->size - walk->end, &got, err);

		if (rc != ST_OK) {
			return rc;
		}
		if (got == 0) {
			return ST_END;
		}
		walk->end += got;
	}
	return ST_OK;
}

static void advance(struct journal_walk *walk, size_t len)
{
	walk->start += len;
	walk->offset += len;
}

/* The entry at the offset as far as it is there. */
static int get_entry(const struct journal_walk *walk, struct journalformat_entry *entry)
{
	const uint8_t *at = walk->buf + walk->start;
	const size_t available = walk->end - walk->start;

	return walk->offset >= walk->fresh
		       ? journalformat_get_unchecked(at, available, entry)
		       : journalformat_get_entry(at, available, walk->key, entry);
}

/* The whole entry at the offset. ST_OK, ST_EFORMAT, ST_END (no bytes at all), or of fill. */
static int look(struct journal_walk *walk, struct journalformat_entry *entry, struct err *err)
{
	int rc = want(walk, JOURNALFORMAT_ENTRY_BYTES, err);

	if (rc == ST_END) {
		return walk->end > walk->start ? ST_EFORMAT : ST_END;
	}
	if (rc == ST_OK) {
		rc = get_entry(walk, entry);
	}
	if (rc == ST_ETRUNC) {
		rc = want(walk, entry->total, err);
		if (rc == ST_END) {
			return ST_EFORMAT;
		}
		if (rc == ST_OK) {
			rc = get_entry(walk, entry);
		}
	}
	return rc;
}

/* Could this be an entry further on? Cheap, so that few places are looked at closer. */
static bool is_plausible(const struct journal_walk *walk)
{
	struct journalformat_entry entry;
	int rc = journalformat_get_entry(walk->buf + walk->start, JOURNALFORMAT_ENTRY_BYTES,
					 walk->key, &entry);

	return (rc == ST_ETRUNC || (rc == ST_OK && entry.len == 0)) &&
	       entry.position >= walk->next &&
	       entry.position - (entry.len == 0 ? 1 : 0) <= walk->limit;
}

/* Go to the next whole entry, or the end of what there is. Entries lie at multiples of 8. */
static int pass_damage(struct journal_walk *walk, struct journal_entry *out, struct err *err)
{
	const uint64_t expected = walk->next;
	struct journalformat_entry entry;
	int rc;

	for (;;) {
		advance(walk, MIN(walk->end - walk->start, 8));
		rc = want(walk, JOURNALFORMAT_ENTRY_BYTES, err);
		if (rc == ST_END) {
			advance(walk, walk->end - walk->start);
			if (walk->limit < JOURNAL_POSITION_MAX && walk->next <= walk->limit) {
				walk->next = walk->limit + 1;
			}
			break;
		}
		if (rc != ST_OK) {
			return rc;
		}
		if (!is_plausible(walk)) {
			continue;
		}
		rc = look(walk, &entry, err);
		if (rc == ST_OK) {
			walk->next = entry.position;
			break;
		}
		if (rc != ST_EFORMAT) {
			return rc;
		}
	}
	walk->damaged_to = walk->offset;
	memset(out, 0, sizeof(*out));
	out->position = expected;
	out->lost = walk->next - expected;
	return err_set(err, ST_EFORMAT, "%llu entries from position %llu on are damaged",
		       (unsigned long long)out->lost, (unsigned long long)expected);
}

int journal_walk_next(struct journal_walk *walk, struct journal_entry *out, struct err *err)
{
	struct journalformat_entry entry;
	int rc = look(walk, &entry, err);

	if (rc == ST_OK && entry.len == 0 && entry.position == walk->next && !walk->ended) {
		walk->ended = true;
		advance(walk, entry.total);
		rc = look(walk, &entry, err);
	}
	if (rc == ST_EFORMAT ||
	    (rc == ST_OK && (walk->ended || entry.len == 0 || entry.position != walk->next))) {
		return pass_damage(walk, out, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	out->position = entry.position;
	out->records = entry.records;
	out->len = entry.len;
	out->bytes = entry.bytes;
	out->lost = 0;
	advance(walk, entry.total);
	walk->next++;
	return ST_OK;
}
