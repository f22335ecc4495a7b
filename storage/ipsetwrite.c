/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets into IPset files, record versions 2 to 5, the same bytes as SiLK
 * (silk-set-bag-pmap-files.md section 1). Versions 2, 4 and 5 walk the blocks of the set: large
 * ones go out as they are, those inside one group of 256 addresses together. Version 3 dumps a
 * tree.
 */
#include "storage/ipset.h"

#include <glib.h>
#include <string.h>

#include "storage/byteorder.h"
#include "storage/datafile.h"
#include "storage/ipsetform.h"

#define TAG_BITMAP     0x81
#define TAG_UPPER      0x82
#define ENTRY_LEN      24
#define GROUP_PREFIX   120 /* of the 256 addresses that share a bitmap */
#define CHILD_COUNT_V3 16
#define LEAVES_AT_ONCE 64u

struct writing;

/* Blocks inside one /120 (an IPv4 /24) that wait to be written together. */
struct group {
	struct ip base;
	unsigned blocks; /* 0: nothing waits */
	struct ip first; /* of the last block added, and its prefix */
	uint8_t prefix;
	uint32_t bits[8];
};

/* How a record version writes a block of prefix <= GROUP_PREFIX, and a group. */
struct layout {
	int (*block)(struct writing *writing, struct ip first, uint8_t prefix);
	int (*group)(struct writing *writing, const struct group *group);
};

struct writing {
	const struct ipset *set;
	const struct iptree *tree; /* version 3; else NULL */
	uint32_t node_size;        /* of version 3 */
	uint32_t leaf_size;
	struct block_writer *out;
	const struct layout *layout;
	bool wide;
	bool bitmap; /* neither wide nor in a tree */
	struct group group;
	bool has_upper; /* version 5: the upper half last written */
	uint64_t upper;
	struct err *err;
};

static int put(struct writing *writing, const void *bytes, size_t len)
{
	return block_writer_write(writing->out, bytes, len, writing->err);
}

static void store_bits(uint8_t *to, const uint32_t bits[8])
{
	for (int i = 0; i < 8; i++) {
		store32(to + 4 * i, bits[i], false);
	}
}

/* --- version 2 --- */

static int v2_put(struct writing *writing, uint32_t base, const uint32_t bits[8])
{
	uint8_t bytes[36];

	store32(bytes, base, false);
	store_bits(bytes + 4, bits);
	return put(writing, bytes, sizeof(bytes));
}

static int v2_block(struct writing *writing, struct ip first, uint8_t prefix)
{
	static const uint32_t full[8] = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
					  UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	uint64_t base = ip_to_v4(first);
	uint64_t last = ip_to_v4(ip_block_last(first, prefix));
	int status = ST_OK;

	for (; status == ST_OK && base < last; base += 256) {
		status = v2_put(writing, (uint32_t)base, full);
	}
	return status;
}

static int v2_group(struct writing *writing, const struct group *group)
{
	return v2_put(writing, ip_to_v4(group->base), group->bits);
}

/* --- version 4 --- */

static size_t v4_store(const struct writing *writing, uint8_t *to, struct ip ip, uint8_t tag)
{
	if (writing->wide) {
		ip_to_bytes(ip, to);
		to[16] = tag;
		return 17;
	}
	store32(to, ip_to_v4(ip), false);
	to[4] = tag;
	return 5;
}

static int v4_block(struct writing *writing, struct ip first, uint8_t prefix)
{
	uint8_t bytes[17];
	size_t len =
		v4_store(writing, bytes, first, writing->wide ? prefix : (uint8_t)(prefix - 96));

	return put(writing, bytes, len);
}

static int v4_group(struct writing *writing, const struct group *group)
{
	uint8_t bytes[17 + 32];
	size_t len;

	/* the bitmap form knows bitmaps only */
	if (!writing->bitmap && group->blocks == 1) {
		return v4_block(writing, group->first, group->prefix);
	}
	len = v4_store(writing, bytes, group->base, TAG_BITMAP);
	store_bits(bytes + len, group->bits);
	return put(writing, bytes, len + 32);
}

/* --- version 5 --- */

static int v5_half(struct writing *writing, uint64_t half, uint8_t tag)
{
	uint8_t bytes[9];

	store64(bytes, half, false);
	bytes[8] = tag;
	return put(writing, bytes, sizeof(bytes));
}

static int v5_upper(struct writing *writing, uint64_t upper, uint8_t tag)
{
	writing->has_upper = true;
	writing->upper = upper;
	return v5_half(writing, upper, tag);
}

static int v5_block(struct writing *writing, struct ip first, uint8_t prefix)
{
	int status = ST_OK;

	if (prefix <= 64) {
		return v5_upper(writing, first.hi, prefix);
	}
	if (!writing->has_upper || writing->upper != first.hi) {
		status = v5_upper(writing, first.hi, TAG_UPPER);
	}
	return status == ST_OK ? v5_half(writing, first.lo, prefix) : status;
}

static int v5_group(struct writing *writing, const struct group *group)
{
	uint8_t bytes[32];
	int status;

	if (group->blocks == 1) {
		return v5_block(writing, group->first, group->prefix);
	}
	status = v5_block(writing, group->base, TAG_BITMAP);
	store_bits(bytes, group->bits);
	return status == ST_OK ? put(writing, bytes, sizeof(bytes)) : status;
}

/* --- the walk --- */

static int flush_group(struct writing *writing)
{
	int status = ST_OK;

	if (writing->group.blocks) {
		status = writing->layout->group(writing, &writing->group);
		writing->group.blocks = 0;
	}
	return status;
}

static void group_add(struct group *group, struct ip first, uint8_t prefix)
{
	unsigned from = first.lo & 255;
	unsigned count = 1u << (128 - prefix);

	for (unsigned i = from; i < from + count; i++) {
		group->bits[i / 32] |= 1u << (i % 32);
	}
	group->blocks++;
	group->first = first;
	group->prefix = prefix;
}

static int walk_block(void *arg, struct ip first, uint8_t prefix)
{
	struct writing *writing = arg;
	struct group *group = &writing->group;
	struct ip base = { first.hi, first.lo & ~UINT64_C(255) };
	int status = ST_OK;

	if (prefix <= GROUP_PREFIX) {
		status = flush_group(writing);
		return status == ST_OK ? writing->layout->block(writing, first, prefix) : status;
	}
	if (group->blocks && !ip_equal(group->base, base)) {
		status = flush_group(writing);
	}
	if (!group->blocks) {
		*group = (struct group){ .base = base };
	}
	group_add(group, first, prefix);
	return status;
}

/* Bits first..last of a group. */
static void set_bits(uint32_t bits[8], unsigned first, unsigned last)
{
	for (unsigned i = first / 32; i <= last / 32; i++) {
		uint32_t mask = UINT32_MAX;

		if (i == first / 32) {
			mask &= UINT32_MAX << (first % 32);
		}
		if (i == last / 32) {
			mask &= UINT32_MAX >> (31 - last % 32);
		}
		bits[i] |= mask;
	}
}

/* A piece of one group, smaller than it, of which only the bits will be written. */
static int walk_piece(struct writing *writing, struct ip first, unsigned last)
{
	struct group *group = &writing->group;
	struct ip base = { first.hi, first.lo & ~UINT64_C(255) };
	int status = ST_OK;

	if (group->blocks && !ip_equal(group->base, base)) {
		status = flush_group(writing);
	}
	if (!group->blocks) {
		*group = (struct group){ .base = base };
	}
	group->blocks++;
	set_bits(group->bits, first.lo & 255, last);
	return status;
}

/*
 * A range of a set that is written as bitmaps whatever its blocks are: the pieces at its ends need
 * not be taken apart. The groups between them give the same blocks as the range.
 */
static int walk_range(struct writing *writing, struct cidr range)
{
	unsigned last = range.last.lo & 255;
	int status = ST_OK;

	if ((range.first.lo & 255) || range.first.lo >> 8 == range.last.lo >> 8) {
		bool ends = range.first.lo >> 8 == range.last.lo >> 8;

		if (ends && !(range.first.lo & 255) && last == 255) {
			return walk_block(writing, range.first, GROUP_PREFIX);
		}
		status = walk_piece(writing, range.first, ends ? last : 255);
		if (ends || status != ST_OK) {
			return status;
		}
		range.first.lo = (range.first.lo | 255) + 1;
	}
	if (last != 255) {
		struct ip piece = { range.last.hi, range.last.lo & ~UINT64_C(255) };

		range.last.lo = piece.lo - 1;
		if (range.first.lo <= range.last.lo) {
			status = iptree_each_block(range.first, range.last, walk_block, writing);
		}
		return status == ST_OK ? walk_piece(writing, piece, last) : status;
	}
	return iptree_each_block(range.first, range.last, walk_block, writing);
}

static int write_walk(struct writing *writing, const struct ipset *set)
{
	struct ipset_cursor cursor;
	struct cidr range;
	int status = ST_OK;

	ipset_cursor_start(&cursor, set);
	while (status == ST_OK && ipset_cursor_next(&cursor, &range)) {
		status = writing->bitmap
				 ? walk_range(writing, range)
				 : iptree_each_block(range.first, range.last, walk_block, writing);
	}
	return status == ST_OK ? flush_group(writing) : status;
}

/* --- version 3 --- */

static void store_node(const struct writing *writing, uint32_t index, uint8_t *to)
{
	struct iptree_node node;

	iptree_node(writing->tree, index, &node);
	memset(to + 72, 0, writing->node_size - 72);
	for (int s = 0; s < IPTREE_SLOTS; s++) {
		store32(to + 4 * s, node.child[s], false);
	}
	store32(to + 64, node.leaf_bits, false);
	store32(to + 68, node.repeat_bits, false);
	if (writing->wide) {
		to[72] = node.prefix;
		store64(to + 80, node.ip.hi, false);
		store64(to + 88, node.ip.lo, false);
	} else {
		to[72] = (uint8_t)(node.prefix - 96);
		store32(to + 76, ip_to_v4(node.ip), false);
	}
}

static void store_nodes(const struct writing *writing, uint32_t index, uint32_t count, uint8_t *to)
{
	for (uint32_t i = 0; i < count; i++, to += writing->node_size) {
		store_node(writing, index + i, to);
	}
}

static void store_leaf(const struct writing *writing, struct iptree_leaf leaf, uint8_t *to)
{
	memset(to, 0, 8);
	if (writing->wide) {
		to[0] = leaf.prefix;
		store64(to + 8, leaf.ip.hi, false);
		store64(to + 16, leaf.ip.lo, false);
	} else {
		to[0] = (uint8_t)(leaf.prefix - 96);
		store32(to + 4, ip_to_v4(leaf.ip), false);
	}
}

static void store_leaves(const struct writing *writing, uint32_t index, uint32_t count, uint8_t *to)
{
	struct iptree_leaf leaves[LEAVES_AT_ONCE];

	while (count) {
		uint32_t some = MIN(count, LEAVES_AT_ONCE);

		iptree_leaves(writing->tree, index, some, leaves);
		for (uint32_t i = 0; i < some; i++, to += writing->leaf_size) {
			store_leaf(writing, leaves[i], to);
		}
		index += some;
		count -= some;
	}
}

/* One of the two arrays of a tree. The first element is unused. */
struct array {
	uint32_t size; /* of an element */
	void (*store)(const struct writing *writing, uint32_t index, uint32_t count, uint8_t *to);
};

/* len bytes of the array, from offset on. */
static void fill_array(const struct writing *writing, struct array array, uint64_t offset,
		       uint8_t *to, size_t len)
{
	while (len) {
		uint32_t index = (uint32_t)(offset / array.size);
		size_t skipped = offset % array.size;
		size_t whole = skipped || !index ? 0 : len / array.size;
		size_t part = whole * array.size;

		if (whole) {
			array.store(writing, index, (uint32_t)whole, to);
		} else {
			uint8_t bytes[96] = { 0 };

			part = MIN(array.size - skipped, len);
			if (index) {
				array.store(writing, index, 1, bytes);
			}
			memcpy(to, bytes + skipped, part);
		}
		offset += part;
		to += part;
		len -= part;
	}
}

/* Nodes, then leaves. */
static void fill_tree(const void *arg, uint64_t offset, uint8_t *to, size_t len)
{
	const struct writing *writing = arg;
	uint64_t leaves_at = (uint64_t)iptree_node_count(writing->tree) * writing->node_size;

	if (offset < leaves_at) {
		size_t part = (size_t)MIN(leaves_at - offset, len);

		fill_array(writing, (struct array){ writing->node_size, store_nodes }, offset, to,
			   part);
		offset += part;
		to += part;
		len -= part;
	}
	if (len) {
		fill_array(writing, (struct array){ writing->leaf_size, store_leaves },
			   offset - leaves_at, to, len);
	}
}

static int write_tree(struct writing *writing)
{
	uint64_t nodes = iptree_node_count(writing->tree);
	uint64_t leaves = iptree_leaf_count(writing->tree);

	return block_writer_fill(writing->out,
				 nodes * writing->node_size + leaves * writing->leaf_size,
				 fill_tree, writing, writing->err);
}

/* The tree that the set grew in, or one from its ranges; *own says which: iptree_free() it. */
static const struct iptree *tree_of(const struct ipset *set, struct iptree **own)
{
	if (ipset_tree(set)) {
		return ipset_tree(set);
	}
	*own = ipset_grow_tree(set);
	return *own;
}

/* --- header --- */

static const struct layout layouts[] = {
	[2] = { v2_block, v2_group },
	[4] = { v4_block, v4_group },
	[5] = { v5_block, v5_group },
};

/* The version that is written when the caller asks for one, or for none with 0. */
static int choose_version(const struct ipset *set, unsigned asked, unsigned *out, struct err *err)
{
	bool v6 = ipset_has_ipv6(set);

	if (asked == 1 || asked > 5) {
		return err_set(err, ST_EVERSION, "IPset version %u cannot be written", asked);
	}
	if (asked == 2 && v6) {
		return err_set(err, ST_EINVAL, "IPset does not allow IPv6 addresses");
	}
	*out = asked ? asked : v6 ? 3 : 2;
	if (*out == 5 && !v6) {
		*out = 4;
	}
	return ST_OK;
}

static void add_entry(struct header *header, const struct writing *writing)
{
	const struct iptree *tree = writing->tree;
	uint8_t payload[ENTRY_LEN] = { 0 };

	if (tree) {
		store32_be(payload, CHILD_COUNT_V3);
		store32_be(payload + 4, iptree_leaf_count(tree));
		store32_be(payload + 8, writing->leaf_size);
		store32_be(payload + 12, iptree_node_count(tree));
		store32_be(payload + 16, writing->node_size);
		store32_be(payload + 20, iptree_root(tree));
	} else {
		store32_be(payload + 8, writing->wide ? 16 : 4);
	}
	header_add(header, ENTRY_IPSET, payload, sizeof(payload));
}

void ipset_header(struct header *header, unsigned version, const struct ipset_write_opts *opts,
		  const struct bytesink *sink)
{
	datafile_header(header, FORMAT_IPSET, (uint16_t)version, 1, opts->no_silk_version);
	header->compression = block_compression(opts->compression, sink);
	if (opts->entries) {
		header_add_entries(header, opts->entries);
	}
}

static int write_content(void *what, struct block_writer *out, struct err *err)
{
	struct writing *writing = what;

	writing->out = out;
	writing->err = err;
	return writing->tree ? write_tree(writing) : write_walk(writing, writing->set);
}

int ipset_write_to(const struct ipset *set, struct bytesink *sink,
		   const struct ipset_write_opts *opts, struct err *err)
{
	struct writing writing = {
		.set = set,
		.wide = ipset_is_wide(set),
		.bitmap = !ipset_is_wide(set) && !ipset_is_shrunk(set),
	};
	struct iptree *own_tree = NULL;
	struct header header;
	unsigned version;
	int status = choose_version(set, opts->record_version, &version, err);

	if (status != ST_OK) {
		return status;
	}
	ipset_header(&header, version, opts, sink);
	if (version == 3) {
		writing.tree = tree_of(set, &own_tree);
		writing.node_size = writing.wide ? 96 : 80;
		writing.leaf_size = writing.wide ? 24 : 8;
	} else {
		writing.layout = &layouts[version];
	}
	if (version > 2) {
		add_entry(&header, &writing);
	}
	status = datafile_write(sink, &header, write_content, &writing, err);
	header_release(&header);
	iptree_free(own_tree);
	return status;
}

int ipset_write(const struct ipset *set, const char *path, const struct ipset_write_opts *opts,
		struct err *err)
{
	struct bytesink *sink = NULL;
	unsigned version;
	int status = choose_version(set, opts->record_version, &version, err);

	if (status == ST_OK) {
		status =
			bytesink_create(&sink, path, opts->overwrite ? BYTESINK_OVERWRITE : 0, err);
	}
	if (status == ST_OK) {
		status = ipset_write_to(set, sink, opts, err);
		if (status == ST_OK) {
			status = bytesink_close(sink, err);
		} else {
			bytesink_discard(sink);
		}
	}
	return status;
}
