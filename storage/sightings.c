/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An array of sightings, found through a table of open addressing while it grows, then sorted. */
#include "storage/sightings.h"

#include <glib.h>
#include <stdlib.h>

#include "storage/byteorder.h"
#include "storage/datafile.h"
#include "storage/ipsetform.h"

#define SLOTS_FIRST 1024u
#define TIMES_BYTES 16u
#define ENTRY_LEN   24u /* payload of the header entry of sets */

struct sightings {
	struct sighting *at;
	size_t count;
	size_t capacity;
	uint32_t *slots; /* number of the sighting and 1; 0: free. NULL: finished */
	size_t slot_count;
};

struct sightings *sightings_new(void)
{
	struct sightings *seen = g_new0(struct sightings, 1);

	seen->slot_count = SLOTS_FIRST;
	seen->slots = g_new0(uint32_t, seen->slot_count);
	return seen;
}

void sightings_free(struct sightings *seen)
{
	if (seen) {
		g_free(seen->at);
		g_free(seen->slots);
		g_free(seen);
	}
}

/* The slot of the address, or the free one where it belongs. */
static uint32_t *find_slot(const struct sightings *seen, struct ip ip)
{
	uint64_t hash = (ip.hi ^ ip.hi >> 29) * UINT64_C(0xc2b2ae3d27d4eb4f) + ip.lo;
	size_t i = (size_t)((hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	for (;; i++) {
		uint32_t *slot = &seen->slots[i & (seen->slot_count - 1)];

		if (!*slot || ip_equal(seen->at[*slot - 1].ip, ip)) {
			return slot;
		}
	}
}

static void grow_slots(struct sightings *seen)
{
	g_free(seen->slots);
	seen->slot_count *= 2;
	seen->slots = g_new0(uint32_t, seen->slot_count);
	for (size_t i = 0; i < seen->count; i++) {
		*find_slot(seen, seen->at[i].ip) = (uint32_t)i + 1;
	}
}

static void push(struct sightings *seen, struct sighting sighting)
{
	if (seen->count == seen->capacity) {
		seen->capacity = MAX(SLOTS_FIRST, seen->capacity + seen->capacity / 2);
		seen->at = g_renew(struct sighting, seen->at, seen->capacity);
	}
	seen->at[seen->count++] = sighting;
}

void sightings_add(struct sightings *seen, struct ip ip, int64_t first_ms, int64_t last_ms)
{
	uint32_t *slot = find_slot(seen, ip);

	if (*slot) {
		struct sighting *sighting = &seen->at[*slot - 1];

		sighting->first_ms = MIN(sighting->first_ms, first_ms);
		sighting->last_ms = MAX(sighting->last_ms, last_ms);
		return;
	}
	push(seen, (struct sighting){ ip, first_ms, last_ms });
	*slot = (uint32_t)seen->count;
	if (seen->count * 2 > seen->slot_count) {
		grow_slots(seen);
	}
}

static int order(const void *a, const void *b)
{
	return ip_compare(((const struct sighting *)a)->ip, ((const struct sighting *)b)->ip);
}

void sightings_finish(struct sightings *seen)
{
	g_free(seen->slots);
	seen->slots = NULL;
	if (seen->count) {
		qsort(seen->at, seen->count, sizeof(*seen->at), order);
	}
}

bool sightings_have_ipv6(const struct sightings *seen)
{
	return seen->count &&
	       !(ip_is_mapped(seen->at[0].ip) && ip_is_mapped(seen->at[seen->count - 1].ip));
}

size_t sightings_count(const struct sightings *seen)
{
	return seen->count;
}

const struct sighting *sightings_at(const struct sightings *seen, size_t i)
{
	return &seen->at[i];
}

/* --- files --- */

static int check_header(const struct header *header, const char *name, uint32_t *address_size,
			struct err *err)
{
	size_t pos = 0;
	const struct header_entry *entry = header_next(header, ENTRY_IPSET, &pos);

	if (header->format != FORMAT_IPSET || header->record_version != SIGHTINGS_VERSION) {
		return err_set(err, ST_EFORMAT, "%s: not an IPset file with times", name);
	}
	if (!entry || entry->len != ENTRY_LEN || load32_be(entry->payload + 16) != TIMES_BYTES ||
	    (load32_be(entry->payload + 8) != 4 && load32_be(entry->payload + 8) != 16)) {
		return err_set(err, ST_EFORMAT,
			       "%s: header entry of the IPset is missing or does not fit", name);
	}
	*address_size = load32_be(entry->payload + 8);
	return ST_OK;
}

/* Sightings must ascend: then there are no repeats, and nothing need be sorted. */
static int read_one(struct sightings *seen, const uint8_t *at, uint32_t address_size, bool swap,
		    struct err *err)
{
	struct sighting sighting = {
		.ip = address_size == 4 ? ip_from_v4(load32(at, swap)) : ip_from_bytes(at),
		.first_ms = (int64_t)load64(at + address_size, swap),
		.last_ms = (int64_t)load64(at + address_size + 8, swap),
	};

	if (seen->count && ip_compare(seen->at[seen->count - 1].ip, sighting.ip) >= 0) {
		return err_set(err, ST_EFORMAT, "addresses do not ascend");
	}
	if (sighting.first_ms > sighting.last_ms) {
		return err_set(err, ST_EFORMAT, "an address was last seen before it was first");
	}
	if (sighting.first_ms < -SIGHTINGS_MS_MAX || sighting.last_ms > SIGHTINGS_MS_MAX) {
		return err_set(err, ST_EFORMAT, "a time is out of range");
	}
	push(seen, sighting);
	return ST_OK;
}

static int read_all(struct sightings *seen, struct block_reader *in, uint32_t address_size,
		    bool swap, struct err *err)
{
	size_t size = address_size + TIMES_BYTES;
	const uint8_t *at;
	size_t len;
	int status;

	while ((status = block_reader_view(in, size, &at, &len, err)) == ST_OK && len >= size) {
		status = read_one(seen, at, address_size, swap, err);
		if (status != ST_OK) {
			return err_prefix(err, "%s", block_reader_place(in));
		}
		block_reader_consume(in, size);
	}
	return status == ST_OK && len ? err_set(err, ST_ETRUNC, "ends in the middle of an address")
				      : status;
}

static int read_sightings(struct datafile *file, void *out, struct err *err)
{
	struct sightings *seen;
	uint32_t address_size = 0;
	int status = check_header(file->header, file->name, &address_size, err);

	if (status == ST_OK) {
		status = datafile_blocks(file, err);
	}
	if (status != ST_OK) {
		return status;
	}
	seen = sightings_new();
	status = read_all(seen, file->in, address_size, file->swap, err);
	if (status != ST_OK) {
		sightings_free(seen);
		return err_prefix(err, "%s", file->name);
	}
	sightings_finish(seen);
	*(struct sightings **)out = seen;
	return ST_OK;
}

int sightings_read_from(struct sightings **out, struct bytesource *src, struct header *header,
			struct err *err)
{
	return datafile_read_from(src, header, read_sightings, out, err);
}

int sightings_read(struct sightings **out, const char *path, struct header *header, struct err *err)
{
	return datafile_read(path, header, read_sightings, out, err);
}

static int write_one(struct block_writer *out, const struct sighting *sighting,
		     uint32_t address_size, struct err *err)
{
	uint8_t bytes[16 + TIMES_BYTES];

	if (address_size == 4) {
		store32(bytes, ip_to_v4(sighting->ip), false);
	} else {
		ip_to_bytes(sighting->ip, bytes);
	}
	store64(bytes + address_size, (uint64_t)sighting->first_ms, false);
	store64(bytes + address_size + 8, (uint64_t)sighting->last_ms, false);
	return block_writer_write(out, bytes, address_size + TIMES_BYTES, err);
}

static int write_all(void *what, struct block_writer *out, struct err *err)
{
	const struct sightings *seen = what;
	uint32_t address_size = sightings_have_ipv6(seen) ? 16 : 4;
	int status = ST_OK;

	for (size_t i = 0; status == ST_OK && i < seen->count; i++) {
		status = write_one(out, &seen->at[i], address_size, err);
	}
	return status;
}

int sightings_write_to(const struct sightings *seen, struct bytesink *sink,
		       const struct ipset_write_opts *opts, struct err *err)
{
	uint8_t payload[ENTRY_LEN] = { 0 };
	struct header header;
	int status;

	ipset_header(&header, SIGHTINGS_VERSION, opts, sink);
	store32_be(payload + 8, sightings_have_ipv6(seen) ? 16 : 4);
	store32_be(payload + 16, TIMES_BYTES);
	header_add(&header, ENTRY_IPSET, payload, sizeof(payload));
	status = datafile_write(sink, &header, write_all, (void *)seen, err);
	header_release(&header);
	return status;
}
