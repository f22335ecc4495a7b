/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPset files, record versions 0 to 5 (silk-set-bag-pmap-files.md section 1), and ours with times. */
#include "storage/ipsetreading.h"

#include "common/bitcount.h"
#include "storage/ipsetform.h"
#include "storage/sightings.h"

#include <glib.h>

#define TAG_BITMAP  0x81 /* a bitmap of 256 addresses follows */
#define TAG_UPPER   0x82 /* version 5: the following items are lower halves */
#define V2_BLOCK    36   /* bytes: base address and bitmap */
#define ENTRY_LEN   24   /* payload of header entry 7 */
#define STEP_PIECES 256u

static int truncated(const struct ipset_reading *reading, struct err *err)
{
	return err_set(err, ST_ETRUNC, "%s: ends in the middle of an address block at %s",
		       reading->file->name, block_reader_place(reading->file->in));
}

static void show_waiting(struct ipset_reading *reading)
{
	if (reading->is_waiting) {
		reading->visitor->range(reading->arg, &reading->waiting);
		reading->is_waiting = false;
	}
}

/* Are the next addresses behind those before? After some that are not there will be none. */
static bool keeps_order(struct ipset_reading *reading, struct ip first, struct ip last)
{
	if (reading->has_last && ip_compare(first, reading->last) <= 0) {
		reading->lost_order = true;
	}
	reading->last = last;
	reading->has_last = true;
	return !reading->lost_order;
}

static void keep_span(struct ipset_reading *reading, struct ip first, struct ip last)
{
	struct ipset_spans *spans = reading->spans;

	if (!keeps_order(reading, first, last)) {
		return;
	}
	if (spans->count == spans->capacity) {
		spans->capacity = MAX(STEP_PIECES, 2 * spans->capacity);
		spans->at = g_renew(struct ipset_span, spans->at, spans->capacity);
	}
	spans->at[spans->count++] = (struct ipset_span){ first, last };
}

/* Show a range, joined with those that it touches. */
static void show_range(struct ipset_reading *reading, struct ip first, struct ip last)
{
	struct cidr *waiting = &reading->waiting;

	if (!keeps_order(reading, first, last)) {
		return;
	}
	if (reading->is_waiting && ip_equal(ip_next(waiting->last), first)) {
		waiting->last = last;
		return;
	}
	show_waiting(reading);
	*waiting = (struct cidr){ first, last, !ip_is_mapped(last) };
	reading->is_waiting = true;
}

static void load_range(struct ipset_reading *reading, struct ip first, struct ip last)
{
	if (reading->set) {
		ipset_load_range(reading->set, first, last);
	} else if (reading->spans) {
		keep_span(reading, first, last);
	} else {
		show_range(reading, first, last);
	}
}

/* One block of prefix bits; of a 32-bit address prefix is 96 more. */
static void load_block(struct ipset_reading *reading, struct ip ip, unsigned prefix)
{
	load_range(reading, ip_block_first(ip, prefix), ip_block_last(ip, prefix));
}

/* The bits of one word, for the 64 addresses from base upwards; what touches is joined anyway. */
static void load_word(struct ipset_reading *reading, struct ip base, uint64_t bits)
{
	while (bits) {
		unsigned first = (unsigned)__builtin_ctzll(bits);
		uint64_t run = ~(bits >> first); /* its lowest bit set ends the run */
		unsigned len = run ? (unsigned)__builtin_ctzll(run) : 64;
		struct ip from = { base.hi, base.lo + first };
		struct ip to = { base.hi, base.lo + first + len - 1 };

		load_range(reading, from, to);
		bits = first + len < 64 ? bits >> (first + len) << (first + len) : 0;
	}
}

/* Is the number of addresses enough? */
static bool wants_numbers(const struct ipset_reading *reading)
{
	return reading->visitor && reading->visitor->addresses;
}

static void show_number(struct ipset_reading *reading, uint64_t count)
{
	show_waiting(reading);
	if (count) {
		reading->visitor->addresses(reading->arg, count);
	}
}

/* 256 bits from base upwards, as ranges. */
static void load_bitmap(struct ipset_reading *reading, struct ip base, const uint8_t *bytes)
{
	uint64_t bits[4];

	if (wants_numbers(reading)) {
		if (keeps_order(reading, base, (struct ip){ base.hi, base.lo + 255 })) {
			show_number(reading, bitcount_bitmaps(bytes, 1, IPSET_BITMAP_LEN));
		}
		return;
	}
	ipset_bitmap_load(bytes, reading->file->swap, bits);
	for (unsigned i = 0; i < 4; i++) {
		load_word(reading, (struct ip){ base.hi, base.lo + 64 * i }, bits[i]);
	}
}

/* --- version 0, 1, 2 --- */

static uint32_t base_of(const uint8_t *at, bool swap)
{
	return load32(at, swap) & 0xffffff00;
}

/* What is said of blocks where the number of addresses is enough. */
enum { DIGEST_ADDRESSES, DIGEST_FIRST, DIGEST_LAST, DIGEST_IN_ORDER };

static void digest_blocks(const uint8_t *at, size_t count, bool swap, struct block_digest *digest)
{
	uint32_t last = base_of(at, swap);
	bool in_order = true;

	digest->numbers[DIGEST_FIRST] = last;
	for (size_t i = 1; i < count; i++) {
		uint32_t base = base_of(at + i * V2_BLOCK, swap);

		in_order &= base > last;
		last = base;
	}
	digest->numbers[DIGEST_LAST] = last;
	digest->numbers[DIGEST_IN_ORDER] = in_order;
	digest->numbers[DIGEST_ADDRESSES] = bitcount_bitmaps(at + 4, count, V2_BLOCK);
}

/* The whole ones of the bytes from offset on. */
static void digest_whole(uint64_t offset, const uint8_t *bytes, size_t len, bool swap,
			 struct block_digest *digest)
{
	size_t begin = (V2_BLOCK - offset % V2_BLOCK) % V2_BLOCK;
	size_t count = len > begin ? (len - begin) / V2_BLOCK : 0;

	digest->begin = (uint32_t)begin;
	digest->len = (uint32_t)(count * V2_BLOCK);
	if (count) {
		digest_blocks(bytes + begin, count, swap, digest);
	}
}

static void digest_native(uint64_t offset, const uint8_t *bytes, size_t len,
			  struct block_digest *digest)
{
	digest_whole(offset, bytes, len, false, digest);
}

static void digest_swapped(uint64_t offset, const uint8_t *bytes, size_t len,
			   struct block_digest *digest)
{
	digest_whole(offset, bytes, len, true, digest);
}

static void show_digest(struct ipset_reading *reading, const struct block_digest *digest)
{
	struct ip first = ip_from_v4((uint32_t)digest->numbers[DIGEST_FIRST]);
	struct ip last = ip_from_v4((uint32_t)digest->numbers[DIGEST_LAST] | 255);

	reading->lost_order = reading->lost_order || !digest->numbers[DIGEST_IN_ORDER];
	if (keeps_order(reading, first, last)) {
		show_number(reading, digest->numbers[DIGEST_ADDRESSES]);
	}
}

/* The next ones of len bytes at at, which are shown. Returns how many bytes were taken. */
static size_t count_blocks(struct ipset_reading *reading, const uint8_t *at, size_t len)
{
	struct block_digest own = { 0 };
	size_t before = len;
	const struct block_digest *digest = block_reader_digested(reading->file->in, &before);

	if (!digest || before) {
		digest_whole(0, at, before, reading->file->swap, &own);
		digest = &own;
	}
	show_digest(reading, digest);
	return digest->len;
}

/* As ipset_reading_step(). */
static int step_blocks(struct ipset_reading *reading, struct err *err)
{
	struct block_reader *in = reading->file->in;
	const uint8_t *at;
	size_t len;
	int status = block_reader_view(in, V2_BLOCK, &at, &len, err);
	size_t count = MIN(len / V2_BLOCK, STEP_PIECES);

	if (status != ST_OK) {
		return status;
	}
	if (!count) {
		return len ? truncated(reading, err) : ST_END;
	}
	if (wants_numbers(reading)) {
		block_reader_consume(in, count_blocks(reading, at, len));
		return ST_OK;
	}
	for (const uint8_t *end = at + count * V2_BLOCK; at < end; at += V2_BLOCK) {
		load_bitmap(reading, ip_from_v4(base_of(at, reading->file->swap)), at + 4);
	}
	block_reader_consume(in, count * V2_BLOCK);
	return ST_OK;
}

/* --- version 3 --- */

/* Go on by len bytes. */
static int skip(struct ipset_reading *reading, uint64_t len, struct err *err)
{
	uint64_t skipped;
	int status = block_reader_skip(reading->file->in, len, &skipped, err);

	return status == ST_OK && skipped < len ? truncated(reading, err) : status;
}

static int bad_prefix(const struct ipset_reading *reading, unsigned prefix, struct err *err)
{
	return err_set(err, ST_EFORMAT, "%s: prefix %u in an address block at %s",
		       reading->file->name, prefix, block_reader_place(reading->file->in));
}

/* Elements of an array of the tree, that many one behind the other. */
typedef int (*elements_fn)(struct ipset_reading *reading, const uint8_t *at, uint32_t count,
			   struct err *err);

static int load_leaves4(struct ipset_reading *reading, const uint8_t *at, uint32_t count,
			struct err *err)
{
	for (const uint8_t *end = at + (size_t)count * 8; at < end; at += 8) {
		if (at[0] > 32) {
			return bad_prefix(reading, at[0], err);
		}
		load_block(reading, ip_from_v4(load32(at + 4, reading->file->swap)), 96u + at[0]);
	}
	return ST_OK;
}

static int load_leaves6(struct ipset_reading *reading, const uint8_t *at, uint32_t count,
			struct err *err)
{
	for (const uint8_t *end = at + (size_t)count * 24; at < end; at += 24) {
		struct ip ip = { load64(at + 8, reading->file->swap),
				 load64(at + 16, reading->file->swap) };

		if (at[0] > 128) {
			return bad_prefix(reading, at[0], err);
		}
		if (reading->wants_leaves) {
			setblock_list_add(&reading->leaves, ip, 0, at[0]);
		} else if (at[0] == 128) {
			load_range(reading, ip, ip);
		} else {
			load_block(reading, ip, at[0]);
		}
	}
	return ST_OK;
}

static int note_nodes(struct ipset_reading *reading, const uint8_t *at, uint32_t count,
		      struct err *err)
{
	for (const uint8_t *end = at + (size_t)count * 96; at < end; at += 96) {
		struct ip ip = { load64(at + 80, reading->file->swap),
				 load64(at + 88, reading->file->swap) };

		setblock_list_add(&reading->nodes, ip, reading->nodes.count + 1, at[72]);
	}
	return ST_OK;
}

/* Pass the first element of an array of count, which is unused; *left: the others. */
static int begin_array(struct ipset_reading *reading, uint32_t count, uint32_t size, uint32_t *left,
		       struct err *err)
{
	*left = count ? count - 1 : 0;
	return count ? skip(reading, size, err) : ST_OK;
}

/* As ipset_reading_step(), of an array of which so many elements are left. */
static int step_array(struct ipset_reading *reading, uint32_t *left, uint32_t size,
		      elements_fn take, struct err *err)
{
	const uint8_t *at;
	size_t len;
	uint32_t count;
	int status;

	if (!*left) {
		return ST_END;
	}
	status = block_reader_view(reading->file->in, size, &at, &len, err);
	if (status == ST_OK && len < size) {
		status = truncated(reading, err);
	}
	if (status != ST_OK) {
		return status;
	}
	count = (uint32_t)MIN(MIN(len / size, *left), STEP_PIECES);
	status = take(reading, at, count, err);
	if (status == ST_OK) {
		block_reader_consume(reading->file->in, (size_t)count * size);
		*left -= count;
	}
	return status;
}

static int pass_nodes(struct ipset_reading *reading, struct err *err)
{
	const struct ipset_entry *entry = &reading->entry;
	uint32_t left;
	int status;

	if (!reading->wants_nodes) {
		return skip(reading, (uint64_t)entry->node_count * entry->node_size, err);
	}
	status = begin_array(reading, entry->node_count, entry->node_size, &left, err);
	while (status == ST_OK) {
		status = step_array(reading, &left, entry->node_size, note_nodes, err);
	}
	return status == ST_END ? ST_OK : status;
}

/*
 * As ipset_reading_step(). The leaves are the set; the nodes before them find leaves quickly and
 * tell a history.
 */
static int step_tree(struct ipset_reading *reading, struct err *err)
{
	const struct ipset_entry *entry = &reading->entry;
	int status = ST_OK;

	if (!reading->in_leaves) {
		reading->in_leaves = true;
		status = pass_nodes(reading, err);
		if (status == ST_OK) {
			status = begin_array(reading, entry->leaf_count, entry->leaf_size,
					     &reading->leaves_left, err);
		}
	}
	return status == ST_OK
		       ? step_array(reading, &reading->leaves_left, entry->leaf_size,
				    entry->leaf_size == 8 ? load_leaves4 : load_leaves6, err)
		       : status;
}

/* --- version 4 and 5 --- */

/* Show an item of len bytes with the bitmap that may follow; *used is 0 at the end. */
static int view_tagged(struct ipset_reading *reading, size_t len, const uint8_t **at, size_t *used,
		       struct err *err)
{
	size_t got;
	int status = block_reader_view(reading->file->in, len + IPSET_BITMAP_LEN, at, &got, err);

	*used = 0;
	if (status != ST_OK || !got) {
		return status;
	}
	if (got < len || ((*at)[len - 1] == TAG_BITMAP && got < len + IPSET_BITMAP_LEN)) {
		return truncated(reading, err);
	}
	*used = (*at)[len - 1] == TAG_BITMAP ? len + IPSET_BITMAP_LEN : len;
	return ST_OK;
}

static int bad_tag(const struct ipset_reading *reading, unsigned tag, struct err *err)
{
	return err_set(err, ST_EFORMAT, "%s: unexpected prefix or tag 0x%02x at %s",
		       reading->file->name, tag, block_reader_place(reading->file->in));
}

/* One item of version 4, of len bytes but for its bitmap. */
static int load_tagged(struct ipset_reading *reading, const uint8_t *at, size_t len,
		       struct err *err)
{
	bool wide = reading->entry.leaf_size == 16;
	unsigned tag = at[len - 1];
	struct ip ip = wide ? ip_from_bytes(at) : ip_from_v4(load32(at, reading->file->swap));

	if (tag == TAG_BITMAP) {
		ip.lo &= ~UINT64_C(255);
		load_bitmap(reading, ip, at + len);
	} else if (tag > (wide ? 128 : 32) || (wide && !tag)) {
		return bad_tag(reading, tag, err);
	} else {
		load_block(reading, ip, wide ? tag : 96 + tag);
	}
	return ST_OK;
}

/* One item of version 5: halves of addresses, grouped under their upper half. */
static int load_half(struct ipset_reading *reading, const uint8_t *at, size_t len, struct err *err)
{
	uint64_t half = load64(at, reading->file->swap);
	unsigned tag = at[8];
	bool is_upper = tag == TAG_UPPER || (tag >= 1 && tag <= 64);

	if (tag == 0 || tag > TAG_UPPER || (tag > 128 && tag < TAG_BITMAP) ||
	    (is_upper ? reading->expect_lower : reading->expect_upper)) {
		return bad_tag(reading, tag, err);
	}
	reading->expect_lower = tag == TAG_UPPER;
	reading->expect_upper = tag <= 64;
	if (tag == TAG_UPPER) {
		reading->upper = half;
	} else if (tag == TAG_BITMAP) {
		load_bitmap(reading, (struct ip){ reading->upper, half & ~UINT64_C(255) },
			    at + len);
	} else if (is_upper) {
		load_block(reading, (struct ip){ half, 0 }, tag);
	} else {
		load_block(reading, (struct ip){ reading->upper, half }, tag);
	}
	return ST_OK;
}

/* As ipset_reading_step(), of items of len bytes that each end in a tag. */
static int step_items(struct ipset_reading *reading, size_t len,
		      int (*load)(struct ipset_reading *reading, const uint8_t *at, size_t len,
				  struct err *err),
		      struct err *err)
{
	for (unsigned i = 0; i < STEP_PIECES; i++) {
		const uint8_t *at;
		size_t used;
		int status = view_tagged(reading, len, &at, &used, err);

		if (status == ST_OK) {
			status = used ? load(reading, at, len, err) : ST_END;
		}
		if (status != ST_OK) {
			return status;
		}
		block_reader_consume(reading->file->in, used);
	}
	return ST_OK;
}

static int step_tagged(struct ipset_reading *reading, struct err *err)
{
	return step_items(reading, reading->entry.leaf_size + 1, load_tagged, err);
}

static int step_halves(struct ipset_reading *reading, struct err *err)
{
	int status = step_items(reading, 9, load_half, err);

	return status == ST_END && reading->expect_lower ? truncated(reading, err) : status;
}

/* --- our version with times, which are passed over --- */

static int step_sightings(struct ipset_reading *reading, struct err *err)
{
	const struct ipset_entry *entry = &reading->entry;
	size_t size = entry->leaf_size + entry->node_size;
	const uint8_t *at;
	size_t len;
	int status = block_reader_view(reading->file->in, size, &at, &len, err);

	if (status == ST_OK && len < size) {
		status = len ? truncated(reading, err) : ST_END;
	}
	if (status == ST_OK) {
		struct ip ip = entry->leaf_size == 4 ? ip_from_v4(load32(at, reading->file->swap))
						     : ip_from_bytes(at);

		load_range(reading, ip, ip);
		block_reader_consume(reading->file->in, size);
	}
	return status;
}

/* --- header --- */

static bool entry_is_tree(const struct ipset_entry *entry)
{
	return entry->children == 16 && ((entry->leaf_size == 8 && entry->node_size == 80) ||
					 (entry->leaf_size == 24 && entry->node_size == 96));
}

static bool entry_is_list(const struct ipset_entry *entry)
{
	return !entry->children && !entry->leaf_count && !entry->node_count && !entry->node_size &&
	       (entry->leaf_size == 4 || entry->leaf_size == 16);
}

static bool entry_is_halves(const struct ipset_entry *entry)
{
	return entry_is_list(entry) && entry->leaf_size == 16;
}

static bool entry_is_sightings(const struct ipset_entry *entry)
{
	return !entry->children && !entry->leaf_count && !entry->node_count &&
	       entry->node_size == 16 && (entry->leaf_size == 4 || entry->leaf_size == 16);
}

static const struct version {
	bool (*entry_fits)(const struct ipset_entry *entry); /* NULL: no entry needed */
	int (*step)(struct ipset_reading *reading, struct err *err);
} versions[] = {
	{ NULL, step_blocks },          { NULL, step_blocks },
	{ NULL, step_blocks },          { entry_is_tree, step_tree },
	{ entry_is_list, step_tagged }, { entry_is_halves, step_halves },
};
static const struct version sightings_version = { entry_is_sightings, step_sightings };

/* NULL: unknown. */
static const struct version *find_version(unsigned number)
{
	if (number == SIGHTINGS_VERSION) {
		return &sightings_version;
	}
	return number < sizeof(versions) / sizeof(versions[0]) ? &versions[number] : NULL;
}

static int read_entry(struct ipset_reading *reading, struct err *err)
{
	const struct header *header = reading->file->header;
	const struct version *version = find_version(header->record_version);
	struct ipset_entry *entry = &reading->entry;
	size_t pos = 0;
	const struct header_entry *raw = header_next(header, ENTRY_IPSET, &pos);

	if (!version->entry_fits) {
		return ST_OK;
	}
	if (raw && raw->len == ENTRY_LEN) {
		entry->children = load32_be(raw->payload);
		entry->leaf_count = load32_be(raw->payload + 4);
		entry->leaf_size = load32_be(raw->payload + 8);
		entry->node_count = load32_be(raw->payload + 12);
		entry->node_size = load32_be(raw->payload + 16);
	}
	if (!version->entry_fits(entry)) {
		return err_set(
			err, ST_EFORMAT,
			"%s: header entry of the IPset is missing or does not fit version %u",
			reading->file->name, header->record_version);
	}
	return ST_OK;
}

static int check_header(struct ipset_reading *reading, struct err *err)
{
	const struct header *header = reading->file->header;

	if (header->format != FORMAT_IPSET) {
		return err_set(err, ST_EFORMAT, "%s: not an IPset file", reading->file->name);
	}
	if (!find_version(header->record_version)) {
		return err_set(err, ST_EVERSION, "%s: IPset version %u is not known",
			       reading->file->name, header->record_version);
	}
	/* legacy headers do not tell the length */
	if (header->record_length > 1) {
		return err_set(err, ST_EFORMAT, "%s: record length %u in an IPset file",
			       reading->file->name, header->record_length);
	}
	return read_entry(reading, err);
}

int ipset_reading_begin(struct ipset_reading *reading, struct datafile *file, struct err *err)
{
	int status;

	reading->file = file;
	reading->expect_upper = true;
	status = check_header(reading, err);
	if (status == ST_OK) {
		status = datafile_blocks(file, err);
	}
	if (status == ST_OK && wants_numbers(reading) && file->header->record_version <= 2) {
		block_reader_digest(file->in, file->swap ? digest_swapped : digest_native);
	}
	return status;
}

bool ipset_reading_is_wide(const struct ipset_reading *reading)
{
	return reading->file->header->record_version >= 3 && reading->entry.leaf_size >= 16;
}

int ipset_reading_step(struct ipset_reading *reading, struct err *err)
{
	int status = find_version(reading->file->header->record_version)->step(reading, err);

	if (status != ST_OK) {
		show_waiting(reading);
	}
	return status;
}
