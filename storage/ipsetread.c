/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPset files, record versions 0 to 5 (silk-set-bag-pmap-files.md section 1), into sets. Everything
 * is streamed: no count in a header decides how much memory is taken.
 */
#include "storage/ipset.h"

#include "storage/byteorder.h"
#include "storage/datafile.h"
#include "storage/ipsetform.h"
#include "storage/setblock.h"
#include "storage/sightings.h"

#include <glib.h>

#define TAG_BITMAP 0x81 /* a bitmap of 256 addresses follows */
#define TAG_UPPER  0x82 /* version 5: the following items are lower halves */
#define V2_BLOCK   36   /* bytes: base address and bitmap */
#define BITMAP     32   /* bytes */
#define ENTRY_LEN  24   /* payload of header entry 7 */

/* Header entry 7. */
struct entry {
	uint32_t children;
	uint32_t leaf_count;
	uint32_t leaf_size;
	uint32_t node_count;
	uint32_t node_size;
};

/* What a set is read for: see ipset_read(), ipset_read_growing(), ipset_read_for_adding(). */
enum purpose { FOR_ASKING, FOR_GROWING, FOR_ADDING };

struct reading {
	const struct datafile *file;
	bool swap; /* the file's */
	enum purpose purpose;
	struct ipset *set; /* NULL: shown to the visitor */
	const struct ipset_visitor *visitor;
	void *arg;
	struct cidr waiting; /* to be shown, if the next one does not touch it */
	bool is_waiting;
	struct ip last; /* that was come to */
	bool has_last;
	bool lost_order;
	struct entry entry;
	/* of a tree, not loaded into the set, if they are wanted */
	bool wants_nodes;
	bool wants_leaves;
	struct setblock_list nodes;
	struct setblock_list leaves;
	/* version 5 */
	bool expect_upper;
	bool expect_lower;
	uint64_t upper;
};

static int truncated(const struct reading *reading, struct err *err)
{
	return err_set(err, ST_ETRUNC, "%s: ends in the middle of an address block at %s",
		       reading->file->name, block_reader_place(reading->file->in));
}

static void show_waiting(struct reading *reading)
{
	if (reading->is_waiting) {
		reading->visitor->range(reading->arg, &reading->waiting);
		reading->is_waiting = false;
	}
}

/* Are the next addresses behind those before? After some that are not there will be none. */
static bool keeps_order(struct reading *reading, struct ip first, struct ip last)
{
	if (reading->has_last && ip_compare(first, reading->last) <= 0) {
		reading->lost_order = true;
	}
	reading->last = last;
	reading->has_last = true;
	return !reading->lost_order;
}

/* Show a range, joined with those that it touches. */
static void show_range(struct reading *reading, struct ip first, struct ip last)
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

static void load_range(struct reading *reading, struct ip first, struct ip last)
{
	if (reading->set) {
		ipset_load_range(reading->set, first, last);
	} else {
		show_range(reading, first, last);
	}
}

/* One block of prefix bits; of a 32-bit address prefix is 96 more. */
static void load_block(struct reading *reading, struct ip ip, unsigned prefix)
{
	load_range(reading, ip_block_first(ip, prefix), ip_block_last(ip, prefix));
}

/* The bits of one word, for the 64 addresses from base upwards; what touches is joined anyway. */
static void load_word(struct reading *reading, struct ip base, uint64_t bits)
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

/* 256 bits from base upwards, as ranges. */
static void load_bitmap(struct reading *reading, struct ip base, const uint8_t *bytes)
{
	uint64_t bits[4];

	for (unsigned i = 0; i < 4; i++) {
		uint64_t low = load32(bytes + 8 * i, reading->swap);
		uint64_t high = load32(bytes + 8 * i + 4, reading->swap);

		bits[i] = high << 32 | low;
	}
	if (!reading->set && reading->visitor->bitmap) {
		if (keeps_order(reading, base, (struct ip){ base.hi, base.lo + 255 })) {
			show_waiting(reading);
			reading->visitor->bitmap(reading->arg, base, bits);
		}
		return;
	}
	for (unsigned i = 0; i < 4; i++) {
		load_word(reading, (struct ip){ base.hi, base.lo + 64 * i }, bits[i]);
	}
}

/* --- version 0, 1, 2 --- */

static int read_blocks(struct reading *reading, struct err *err)
{
	const uint8_t *at;
	size_t len;
	int status;

	while ((status = block_reader_view(reading->file->in, V2_BLOCK, &at, &len, err)) == ST_OK &&
	       len >= V2_BLOCK) {
		size_t whole = len - len % V2_BLOCK;

		for (const uint8_t *end = at + whole; at < end; at += V2_BLOCK) {
			load_bitmap(reading, ip_from_v4(load32(at, reading->swap) & 0xffffff00),
				    at + 4);
		}
		block_reader_consume(reading->file->in, whole);
	}
	return status == ST_OK && len ? truncated(reading, err) : status;
}

/* --- version 3 --- */

/* Go on by len bytes. */
static int skip(struct reading *reading, uint64_t len, struct err *err)
{
	uint64_t skipped;
	int status = block_reader_skip(reading->file->in, len, &skipped, err);

	return status == ST_OK && skipped < len ? truncated(reading, err) : status;
}

static int bad_prefix(const struct reading *reading, unsigned prefix, struct err *err)
{
	return err_set(err, ST_EFORMAT, "%s: prefix %u in an address block at %s",
		       reading->file->name, prefix, block_reader_place(reading->file->in));
}

/* Elements of an array of the tree, that many one behind the other. */
typedef int (*elements_fn)(struct reading *reading, const uint8_t *at, uint32_t count,
			   struct err *err);

static int load_leaves4(struct reading *reading, const uint8_t *at, uint32_t count, struct err *err)
{
	for (const uint8_t *end = at + (size_t)count * 8; at < end; at += 8) {
		if (at[0] > 32) {
			return bad_prefix(reading, at[0], err);
		}
		load_block(reading, ip_from_v4(load32(at + 4, reading->swap)), 96u + at[0]);
	}
	return ST_OK;
}

static int load_leaves6(struct reading *reading, const uint8_t *at, uint32_t count, struct err *err)
{
	for (const uint8_t *end = at + (size_t)count * 24; at < end; at += 24) {
		struct ip ip = { load64(at + 8, reading->swap), load64(at + 16, reading->swap) };

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

static int note_nodes(struct reading *reading, const uint8_t *at, uint32_t count, struct err *err)
{
	for (const uint8_t *end = at + (size_t)count * 96; at < end; at += 96) {
		struct ip ip = { load64(at + 80, reading->swap), load64(at + 88, reading->swap) };

		setblock_list_add(&reading->nodes, ip, reading->nodes.count + 1, at[72]);
	}
	return ST_OK;
}

/* An array of count elements of this size, of which the first one is unused. */
static int read_array(struct reading *reading, uint32_t count, uint32_t size, elements_fn take,
		      struct err *err)
{
	int status = count ? skip(reading, size, err) : ST_OK;
	uint32_t left = count ? count - 1 : 0;

	while (status == ST_OK && left) {
		const uint8_t *at;
		size_t len;
		uint32_t whole = 0;

		status = block_reader_view(reading->file->in, size, &at, &len, err);
		if (status == ST_OK && len < size) {
			status = truncated(reading, err);
		}
		if (status == ST_OK) {
			whole = (uint32_t)MIN(left, len / size);
			status = take(reading, at, whole, err);
		}
		if (status == ST_OK) {
			block_reader_consume(reading->file->in, (size_t)whole * size);
			left -= whole;
		}
	}
	return status;
}

/* The leaves are the set; the nodes before them find leaves quickly and tell a history. */
static int read_tree(struct reading *reading, struct err *err)
{
	const struct entry *entry = &reading->entry;
	int status;

	if (reading->wants_nodes) {
		status = read_array(reading, entry->node_count, entry->node_size, note_nodes, err);
	} else {
		status = skip(reading, (uint64_t)entry->node_count * entry->node_size, err);
	}
	if (status == ST_OK) {
		status = read_array(reading, entry->leaf_count, entry->leaf_size,
				    entry->leaf_size == 8 ? load_leaves4 : load_leaves6, err);
	}
	return status;
}

/* --- version 4 and 5 --- */

/* Show an item of len bytes with the bitmap that may follow; *used is 0 at the end. */
static int view_tagged(struct reading *reading, size_t len, const uint8_t **at, size_t *used,
		       struct err *err)
{
	size_t got;
	int status = block_reader_view(reading->file->in, len + BITMAP, at, &got, err);

	*used = 0;
	if (status != ST_OK || !got) {
		return status;
	}
	if (got < len || ((*at)[len - 1] == TAG_BITMAP && got < len + BITMAP)) {
		return truncated(reading, err);
	}
	*used = (*at)[len - 1] == TAG_BITMAP ? len + BITMAP : len;
	return ST_OK;
}

static int bad_tag(const struct reading *reading, unsigned tag, struct err *err)
{
	return err_set(err, ST_EFORMAT, "%s: unexpected prefix or tag 0x%02x at %s",
		       reading->file->name, tag, block_reader_place(reading->file->in));
}

static int read_tagged(struct reading *reading, struct err *err)
{
	bool wide = reading->entry.leaf_size == 16;
	size_t len = reading->entry.leaf_size + 1;
	const uint8_t *at;
	size_t used;
	int status;

	while ((status = view_tagged(reading, len, &at, &used, err)) == ST_OK && used) {
		unsigned tag = at[len - 1];
		struct ip ip = wide ? ip_from_bytes(at) : ip_from_v4(load32(at, reading->swap));

		if (tag == TAG_BITMAP) {
			ip.lo &= ~UINT64_C(255);
			load_bitmap(reading, ip, at + len);
		} else if (tag > (wide ? 128 : 32) || (wide && !tag)) {
			return bad_tag(reading, tag, err);
		} else {
			load_block(reading, ip, wide ? tag : 96 + tag);
		}
		block_reader_consume(reading->file->in, used);
	}
	return status;
}

/* One item of version 5: halves of addresses, grouped under their upper half. */
static int load_half(struct reading *reading, const uint8_t *at, struct err *err)
{
	uint64_t half = load64(at, reading->swap);
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
		load_bitmap(reading, (struct ip){ reading->upper, half & ~UINT64_C(255) }, at + 9);
	} else if (is_upper) {
		load_block(reading, (struct ip){ half, 0 }, tag);
	} else {
		load_block(reading, (struct ip){ reading->upper, half }, tag);
	}
	return ST_OK;
}

static int read_halves(struct reading *reading, struct err *err)
{
	const uint8_t *at;
	size_t used;
	int status;

	reading->expect_upper = true;
	while ((status = view_tagged(reading, 9, &at, &used, err)) == ST_OK && used) {
		status = load_half(reading, at, err);
		if (status != ST_OK) {
			return status;
		}
		block_reader_consume(reading->file->in, used);
	}
	if (status == ST_OK && reading->expect_lower) {
		status = truncated(reading, err);
	}
	return status;
}

/* --- our version with times, which are passed over --- */

static int read_sightings(struct reading *reading, struct err *err)
{
	size_t size = reading->entry.leaf_size + reading->entry.node_size;
	const uint8_t *at;
	size_t len;
	int status;

	while ((status = block_reader_view(reading->file->in, size, &at, &len, err)) == ST_OK &&
	       len >= size) {
		struct ip ip = reading->entry.leaf_size == 4 ? ip_from_v4(load32(at, reading->swap))
							     : ip_from_bytes(at);

		load_range(reading, ip, ip);
		block_reader_consume(reading->file->in, size);
	}
	return status == ST_OK && len ? truncated(reading, err) : status;
}

/* --- header --- */

static bool entry_is_tree(const struct entry *entry)
{
	return entry->children == 16 && ((entry->leaf_size == 8 && entry->node_size == 80) ||
					 (entry->leaf_size == 24 && entry->node_size == 96));
}

static bool entry_is_list(const struct entry *entry)
{
	return !entry->children && !entry->leaf_count && !entry->node_count && !entry->node_size &&
	       (entry->leaf_size == 4 || entry->leaf_size == 16);
}

static bool entry_is_halves(const struct entry *entry)
{
	return entry_is_list(entry) && entry->leaf_size == 16;
}

static bool entry_is_sightings(const struct entry *entry)
{
	return !entry->children && !entry->leaf_count && !entry->node_count &&
	       entry->node_size == 16 && (entry->leaf_size == 4 || entry->leaf_size == 16);
}

static const struct version {
	bool (*entry_fits)(const struct entry *entry); /* NULL: no entry needed */
	int (*read)(struct reading *reading, struct err *err);
} versions[] = {
	{ NULL, read_blocks },          { NULL, read_blocks },
	{ NULL, read_blocks },          { entry_is_tree, read_tree },
	{ entry_is_list, read_tagged }, { entry_is_halves, read_halves },
};
static const struct version sightings_version = { entry_is_sightings, read_sightings };

/* NULL: unknown. */
static const struct version *find_version(unsigned number)
{
	if (number == SIGHTINGS_VERSION) {
		return &sightings_version;
	}
	return number < sizeof(versions) / sizeof(versions[0]) ? &versions[number] : NULL;
}

static int read_entry(struct reading *reading, const struct header *header, struct err *err)
{
	const struct version *version = find_version(header->record_version);
	struct entry *entry = &reading->entry;
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

static int check_header(struct reading *reading, const struct header *header, struct err *err)
{
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
	return read_entry(reading, header, err);
}

static bool is_wide_file(const struct reading *reading, const struct header *header)
{
	return header->record_version >= 3 && reading->entry.leaf_size >= 16;
}

static void load_listed(struct reading *reading)
{
	for (uint32_t i = 0; i < reading->leaves.count; i++) {
		load_block(reading, reading->leaves.at[i].ip, reading->leaves.at[i].prefix);
	}
	ipset_finish(reading->set);
}

/* The tree as it was read; if it is no tree of SiLK's, only what it holds. */
static void use_tree(struct reading *reading)
{
	struct iptree *tree = iptree_adopt(reading->leaves.at, reading->leaves.count,
					   reading->nodes.at, reading->nodes.count);

	if (tree) {
		ipset_use_tree(reading->set, tree);
		reading->leaves.at = NULL;
		return;
	}
	load_listed(reading);
	ipset_regrow_tree(reading->set);
}

static void use_leaves(struct reading *reading)
{
	if (setblock_are_leaves(reading->leaves.at, reading->leaves.count)) {
		ipset_use_blocks(reading->set, reading->leaves.at, reading->leaves.count);
		reading->leaves.at = NULL;
	} else {
		load_listed(reading);
	}
}

static int read_content(struct reading *reading, struct err *err)
{
	const struct header *header = reading->file->header;
	bool wide = is_wide_file(reading, header);
	int status;

	reading->wants_leaves =
		reading->purpose != FOR_ASKING && wide && header->record_version == 3;
	reading->wants_nodes = reading->wants_leaves && reading->purpose == FOR_GROWING;
	reading->set = wide ? ipset_new_wide() : ipset_new();
	status = find_version(header->record_version)->read(reading, err);
	if (status != ST_OK) {
		return status;
	}
	if (reading->wants_nodes && reading->leaves.count) {
		use_tree(reading);
	} else if (reading->leaves.count) {
		use_leaves(reading);
	} else if (reading->purpose == FOR_GROWING && wide) {
		ipset_finish(reading->set);
		ipset_regrow_tree(reading->set);
	} else {
		ipset_finish(reading->set);
	}
	return ST_OK;
}

struct visit {
	const struct ipset_visitor *visitor;
	void *arg;
};

static int visit_ranges(struct datafile *file, void *out, struct err *err)
{
	const struct visit *visit = out;
	struct reading reading = {
		.file = file,
		.swap = file->swap,
		.visitor = visit->visitor,
		.arg = visit->arg,
	};
	int status = check_header(&reading, file->header, err);

	if (status == ST_OK) {
		status = datafile_blocks(file, err);
	}
	if (status != ST_OK) {
		return status;
	}
	visit->visitor->begin(visit->arg, file->header, is_wide_file(&reading, file->header));
	status = find_version(file->header->record_version)->read(&reading, err);
	show_waiting(&reading);
	if (status == ST_OK && reading.lost_order) {
		status =
			err_set(err, ST_EFORMAT, "%s: address blocks are not in order", file->name);
	}
	return status;
}

static int read_set(struct datafile *file, enum purpose purpose, struct ipset **out,
		    struct err *err)
{
	struct reading reading = { .file = file, .swap = file->swap, .purpose = purpose };
	int status = check_header(&reading, file->header, err);

	if (status == ST_OK) {
		status = datafile_blocks(file, err);
	}
	if (status == ST_OK) {
		status = read_content(&reading, err);
	}
	if (status == ST_OK) {
		*out = reading.set;
		reading.set = NULL;
	}
	g_free(reading.nodes.at);
	g_free(reading.leaves.at);
	ipset_free(reading.set);
	return status;
}

static int read_plain(struct datafile *file, void *out, struct err *err)
{
	return read_set(file, FOR_ASKING, out, err);
}

static int read_growing(struct datafile *file, void *out, struct err *err)
{
	return read_set(file, FOR_GROWING, out, err);
}

static int read_for_adding(struct datafile *file, void *out, struct err *err)
{
	return read_set(file, FOR_ADDING, out, err);
}

int ipset_read_from(struct ipset **out, struct bytesource *src, struct header *header,
		    struct err *err)
{
	return datafile_read_from(src, header, read_plain, out, err);
}

int ipset_read_growing_from(struct ipset **out, struct bytesource *src, struct header *header,
			    struct err *err)
{
	return datafile_read_from(src, header, read_growing, out, err);
}

int ipset_read(struct ipset **out, const char *path, struct header *header, struct err *err)
{
	return datafile_read(path, header, read_plain, out, err);
}

int ipset_read_growing(struct ipset **out, const char *path, struct header *header, struct err *err)
{
	return datafile_read(path, header, read_growing, out, err);
}

int ipset_read_for_adding(struct ipset **out, const char *path, struct header *header,
			  struct err *err)
{
	return datafile_read(path, header, read_for_adding, out, err);
}

int ipset_visit(const char *path, const struct ipset_visitor *visitor, void *arg, struct err *err)
{
	struct visit visit = { visitor, arg };

	return datafile_read(path, NULL, visit_ranges, &visit, err);
}
