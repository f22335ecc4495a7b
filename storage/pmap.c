/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prefix maps in memory: the tree of the file format as it is, so that a map that is read and
 * written again, or built in the same order, has the same nodes.
 */
#include "storage/pmap.h"

#include <stdio.h>
#include <string.h>

#include "storage/pmapform.h"

#define ROOM_FIRST 64

static guint word_hash(gconstpointer key)
{
	guint hash = 5381;

	for (const char *c = key; *c; c++) {
		hash = hash * 33 + (guchar)g_ascii_tolower(*c);
	}
	return hash;
}

static gboolean word_equal(gconstpointer a, gconstpointer b)
{
	return g_ascii_strcasecmp(a, b) == 0;
}

static void word_clear(void *word)
{
	g_free(((struct pmap_word *)word)->text);
}

struct pmap *pmap_new(enum pmap_kind kind)
{
	struct pmap *pmap = g_new0(struct pmap, 1);

	pmap->kind = kind;
	pmap->words = g_array_new(FALSE, FALSE, sizeof(struct pmap_word));
	g_array_set_clear_func(pmap->words, word_clear);
	pmap->by_text = g_hash_table_new(word_hash, word_equal);
	pmap_set_default(pmap, PMAP_NO_VALUE);
	return pmap;
}

void pmap_free(struct pmap *pmap)
{
	if (!pmap) {
		return;
	}
	g_hash_table_destroy(pmap->by_text);
	g_array_free(pmap->words, TRUE);
	g_free(pmap->nodes);
	g_free(pmap->name);
	g_free(pmap);
}

enum pmap_kind pmap_kind(const struct pmap *pmap)
{
	return pmap->kind;
}

void pmap_set_kind(struct pmap *pmap, enum pmap_kind kind)
{
	g_assert(pmap->node_count == 1);
	pmap->kind = kind;
}

const char *pmap_name(const struct pmap *pmap)
{
	return pmap->name;
}

void pmap_set_name(struct pmap *pmap, const char *name)
{
	g_free(pmap->name);
	pmap->name = g_strdup(name);
}

/* --- asking --- */

/* Can the map hold the key? Keys of 32 bits are the lower half of ip.lo, mapped or not. */
static bool holds(const struct pmap *pmap, struct ip key)
{
	switch (pmap->kind) {
	case PMAP_IPV4:
		return ip_is_mapped(key);
	case PMAP_PROTO_PORT:
		return key.hi == 0 && key.lo < 1u << 24;
	default:
		return true;
	}
}

/* Blocks of the tree can reach further, in maps of ports only. */
static struct ip last_port_key(void)
{
	return pmap_port_key(UINT8_MAX, UINT16_MAX);
}

/* The child in which the path of key ends; *open is how many bits of the key it leaves open. */
static uint32_t descend(const struct pmap *pmap, struct ip key, unsigned *open)
{
	bool wide = pmap->kind == PMAP_IPV6;
	uint64_t word = wide ? key.hi : key.lo << 32; /* the next bit is the highest one */
	unsigned left = pmap_bits(pmap->kind);
	uint32_t child = 0;

	do {
		child = pmap->nodes[child].child[word >> 63];
		word = --left == 64 ? key.lo : word << 1;
	} while (left && !(child & PMAP_LEAF));
	*open = left;
	return child;
}

uint32_t pmap_lookup_ip(const struct pmap *pmap, struct ip ip)
{
	unsigned open;

	if (pmap->kind == PMAP_PROTO_PORT || !holds(pmap, ip)) {
		return PMAP_NO_VALUE;
	}
	return descend(pmap, ip, &open) & ~PMAP_LEAF;
}

uint32_t pmap_lookup_port(const struct pmap *pmap, uint8_t protocol, uint16_t port)
{
	unsigned open;

	if (pmap->kind != PMAP_PROTO_PORT) {
		return PMAP_NO_VALUE;
	}
	return descend(pmap, pmap_port_key(protocol, port), &open) & ~PMAP_LEAF;
}

bool pmap_lookup_block(const struct pmap *pmap, struct ip key, struct pmap_range *out)
{
	unsigned open;

	if (!holds(pmap, key)) {
		return false;
	}
	out->value = descend(pmap, key, &open) & ~PMAP_LEAF;
	out->first = ip_block_first(key, 128 - open);
	out->last = ip_block_last(key, 128 - open);
	if (!holds(pmap, out->last)) {
		out->last = last_port_key();
	}
	return true;
}

/* A walk over the leaves that joins neighbours. */
struct walk {
	const struct pmap *pmap;
	pmap_range_fn fn;
	void *arg;
	bool open; /* range holds something not yet told */
	struct pmap_range range;
};

static int walk_leaf(struct walk *walk, struct ip first, unsigned bits, uint32_t value)
{
	struct ip last = ip_block_last(first, 128 - bits);
	int stop = 0;

	if (walk->open && walk->range.value == value) {
		walk->range.last = last;
		return 0;
	}
	if (walk->open) {
		stop = walk->fn(walk->arg, &walk->range);
	}
	walk->range = (struct pmap_range){ first, last, value };
	walk->open = true;
	return stop;
}

/* The children of a node, whose block begins at first; bit is the one that it decides on. As deep
 * as a key has bits. */
static int walk_node(struct walk *walk, uint32_t node, struct ip first, unsigned bit)
{
	int stop = 0;

	for (int side = 0; !stop && side < 2; side++) {
		uint32_t child = walk->pmap->nodes[node].child[side];

		if (side == 1 && bit < 64) {
			first.lo |= UINT64_C(1) << bit;
		} else if (side == 1) {
			first.hi |= UINT64_C(1) << (bit - 64);
		}
		if (!holds(walk->pmap, first)) {
			break; /* behind protocol 255 */
		}
		stop = child & PMAP_LEAF ? walk_leaf(walk, first, bit, child & ~PMAP_LEAF)
					 : walk_node(walk, child, first, bit - 1);
	}
	return stop;
}

int pmap_each_range(const struct pmap *pmap, pmap_range_fn fn, void *arg)
{
	struct walk walk = { .pmap = pmap, .fn = fn, .arg = arg };
	struct ip first = pmap->kind == PMAP_IPV4 ? ip_from_v4(0) : (struct ip){ 0, 0 };
	int stop = walk_node(&walk, 0, first, pmap_bits(pmap->kind) - 1);

	if (stop || !walk.open) {
		return stop;
	}
	if (!holds(pmap, walk.range.last)) {
		walk.range.last = last_port_key();
	}
	return fn(arg, &walk.range);
}

/* --- words --- */

static const struct pmap_word *word_at(const struct pmap *pmap, guint i)
{
	return &g_array_index(pmap->words, struct pmap_word, i);
}

/* Where the value's word is, or would be. */
static guint word_place(const struct pmap *pmap, uint32_t value)
{
	guint from = 0;
	guint to = pmap->words->len;

	/* without holes each word stands at its value */
	if (value < to && word_at(pmap, value)->value == value) {
		return value;
	}
	while (from < to) {
		guint middle = from + (to - from) / 2;

		if (word_at(pmap, middle)->value < value) {
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	return from;
}

uint32_t pmap_word_limit(const struct pmap *pmap)
{
	return pmap->word_limit;
}

const char *pmap_word(const struct pmap *pmap, uint32_t value)
{
	guint i = word_place(pmap, value);

	return i < pmap->words->len && word_at(pmap, i)->value == value ? word_at(pmap, i)->text
									: NULL;
}

bool pmap_find_word(const struct pmap *pmap, const char *word, uint32_t *value)
{
	gpointer found;

	if (!g_hash_table_lookup_extended(pmap->by_text, word, NULL, &found)) {
		return false;
	}
	*value = GPOINTER_TO_UINT(found);
	return true;
}

size_t pmap_word_bytes_max(const struct pmap *pmap)
{
	return pmap->word_bytes_max;
}

const char *pmap_text(const struct pmap *pmap, uint32_t value, char digits[PMAP_TEXT_MAX])
{
	const char *word = pmap_word(pmap, value);

	if (word) {
		return word;
	}
	if (value == PMAP_NO_VALUE) {
		return "UNKNOWN";
	}
	if (value < pmap_word_limit(pmap)) {
		return "";
	}
	snprintf(digits, PMAP_TEXT_MAX, "%u", value);
	return digits;
}

/* --- building --- */

bool pmap_append_node(struct pmap *pmap, struct pmap_node node)
{
	if (pmap->node_count == PMAP_NODES_MAX) {
		return false;
	}
	if (pmap->node_count == pmap->node_room) {
		pmap->node_room = pmap->node_room ? pmap->node_room * 2 : ROOM_FIRST;
		pmap->nodes = g_renew(struct pmap_node, pmap->nodes, pmap->node_room);
	}
	pmap->nodes[pmap->node_count++] = node;
	return true;
}

void pmap_set_default(struct pmap *pmap, uint32_t value)
{
	pmap->node_count = 0;
	pmap_append_node(pmap, (struct pmap_node){ { value | PMAP_LEAF, value | PMAP_LEAF } });
}

/*
 * first..last is inside the block of node, which decides on bit. The left half is done with all its
 * new nodes before the right one is looked at: the order of nodes in the file follows from it.
 */
static bool add_at(struct pmap *pmap, uint32_t node, unsigned bit, const unsigned __int128 ends[2],
		   uint32_t leaf)
{
	const unsigned __int128 rest = ((unsigned __int128)1 << bit) - 1;
	bool has[2] = { !(ends[0] >> bit & 1), ends[1] >> bit & 1 };

	for (int side = 0; side < 2; side++) {
		/* only the bits below bit matter from here on */
		const unsigned __int128 part[2] = {
			side == 1 && has[0] ? 0 : ends[0] & rest,
			side == 0 && has[1] ? rest : ends[1] & rest,
		};
		uint32_t child = pmap->nodes[node].child[side];

		if (!has[side]) {
			continue;
		}
		if (part[0] == 0 && part[1] == rest) {
			pmap->nodes[node].child[side] = leaf;
			continue;
		}
		if (child & PMAP_LEAF) {
			if (!pmap_append_node(pmap, (struct pmap_node){ { child, child } })) {
				return false;
			}
			child = pmap->node_count - 1;
			pmap->nodes[node].child[side] = child;
		}
		if (!add_at(pmap, child, bit - 1, part, leaf)) {
			return false;
		}
	}
	return true;
}

int pmap_add_range(struct pmap *pmap, struct ip first, struct ip last, uint32_t value,
		   struct err *err)
{
	unsigned bits = pmap_bits(pmap->kind);
	unsigned __int128 ends[2] = { ip_number(first), ip_number(last) };

	if (ip_compare(first, last) > 0 || !holds(pmap, first) || !holds(pmap, last) ||
	    value > PMAP_NO_VALUE) {
		return err_set(err, ST_EINVAL, "range or value does not fit the prefix map");
	}
	if (bits == 32) {
		ends[0] = (uint32_t)ends[0];
		ends[1] = (uint32_t)ends[1];
	}
	if (!add_at(pmap, 0, bits - 1, ends, value | PMAP_LEAF)) {
		return err_set(err, ST_ELIMIT, "too many nodes for a prefix map");
	}
	return ST_OK;
}

static void insert_word(struct pmap *pmap, guint place, uint32_t value, const char *text)
{
	struct pmap_word word = { value, g_strdup(text) };

	g_array_insert_val(pmap->words, place, word);
	g_hash_table_insert(pmap->by_text, word.text, GUINT_TO_POINTER(value));
	pmap->word_bytes_max = MAX(pmap->word_bytes_max, strlen(text));
	pmap->word_limit = MAX(pmap->word_limit, value + 1);
}

int pmap_put_word(struct pmap *pmap, uint32_t value, const char *word, struct err *err)
{
	guint place = word_place(pmap, value);
	uint32_t other;

	if (value > PMAP_NO_VALUE || !word[0]) {
		return err_set(err, ST_EINVAL, "no value or word of a prefix map");
	}
	if (place < pmap->words->len && word_at(pmap, place)->value == value) {
		if (word_equal(word_at(pmap, place)->text, word)) {
			return ST_OK;
		}
		return err_set(err, ST_EEXIST, "value %u has the word '%s'", value,
			       word_at(pmap, place)->text);
	}
	if (pmap_find_word(pmap, word, &other)) {
		return err_set(err, ST_EEXIST, "word '%s' has the value %u", word, other);
	}
	insert_word(pmap, place, value, word);
	return ST_OK;
}

int pmap_add_word(struct pmap *pmap, const char *word, uint32_t *value, struct err *err)
{
	uint32_t next = pmap->word_limit;

	if (pmap_find_word(pmap, word, value)) {
		return ST_OK;
	}
	if (next > PMAP_VALUE_MAX) {
		return err_set(err, ST_ELIMIT, "too many words for a prefix map");
	}
	insert_word(pmap, pmap->words->len, next, word);
	*value = next;
	return ST_OK;
}
