/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prefix map files, record versions 1 to 5 (silk-set-bag-pmap-files.md section 4). The counts in a
 * file do not decide how much memory is taken, the bytes that follow them do.
 */
#include "storage/pmap.h"

#include <string.h>

#include "storage/byteorder.h"
#include "storage/datafile.h"
#include "storage/pmapform.h"

#define NODE_BYTES  8
#define CHUNK_BYTES 65536

struct reading {
	const struct datafile *file;
	struct pmap *pmap;
};

static const struct version {
	bool known;
	enum pmap_kind kind;
	bool has_words;
} versions[] = {
	{ false, PMAP_IPV4, false },     { true, PMAP_IPV4, false }, { true, PMAP_IPV4, true },
	{ true, PMAP_PROTO_PORT, true }, { true, PMAP_IPV6, true },  { true, PMAP_IPV6, false },
};

/* --- the tree --- */

static int read_count(struct reading *reading, uint32_t *out, struct err *err)
{
	uint8_t bytes[4];
	int status = bytesource_read(reading->file->src, bytes, sizeof(bytes), err);

	*out = status == ST_OK ? load32(bytes, reading->file->swap) : 0;
	return status;
}

static int read_nodes(struct reading *reading, struct err *err)
{
	uint32_t left;
	int status = read_count(reading, &left, err);

	if (status == ST_OK && (left == 0 || left > PMAP_NODES_MAX)) {
		return err_set(err, ST_EFORMAT, "%s: prefix map of %u nodes", reading->file->name,
			       left);
	}
	reading->pmap->node_count = 0;
	while (status == ST_OK && left) {
		uint8_t bytes[CHUNK_BYTES];
		uint32_t count = MIN(left, CHUNK_BYTES / NODE_BYTES);

		status =
			bytesource_read(reading->file->src, bytes, (size_t)count * NODE_BYTES, err);
		for (uint32_t i = 0; status == ST_OK && i < count; i++) {
			const uint8_t *at = bytes + (size_t)i * NODE_BYTES;
			struct pmap_node node = { { load32(at, reading->file->swap),
						    load32(at + 4, reading->file->swap) } };

			pmap_append_node(reading->pmap, node);
		}
		left -= count;
	}
	return status;
}

/* Nodes before the first one that names a node that is not there, if none before it needs more. */
static bool cut_tail(struct pmap *pmap)
{
	uint32_t count = pmap->node_count;
	uint32_t highest = 0; /* node that is named so far */

	for (uint32_t i = 0; i < count; i++) {
		for (int side = 0; side < 2; side++) {
			uint32_t child = pmap->nodes[i].child[side];

			if (child & PMAP_LEAF) {
				continue;
			}
			if (child >= count) {
				pmap->node_count = i;
				return i > 0 && highest < i;
			}
		}
		for (int side = 0; side < 2; side++) {
			uint32_t child = pmap->nodes[i].child[side];

			highest = child & PMAP_LEAF ? highest : MAX(highest, child);
		}
	}
	return true;
}

/* Where a search in depth stands: at which side of which node. */
struct step {
	uint32_t node;
	uint8_t side;
	uint8_t height; /* of what is below, so far */
};

/*
 * Does every path end within the bits of a key? Nodes may be reached in several ways, so the height
 * of each is remembered; a circle is deeper than any key.
 */
static bool paths_end(const struct pmap *pmap)
{
	unsigned bits = pmap_bits(pmap->kind);
	uint8_t *heights = g_malloc0(pmap->node_count); /* 0: not known */
	struct step path[128 + 1];
	unsigned depth = 1;
	bool good = true;

	path[0] = (struct step){ 0, 0, 0 };
	while (good && depth) {
		struct step *step = &path[depth - 1];
		uint32_t child;

		if (step->side == 2) {
			uint8_t height = step->height + 1;

			heights[step->node] = height;
			depth--;
			if (depth) {
				path[depth - 1].height = MAX(path[depth - 1].height, height);
			}
			good = depth + height <= bits;
			continue;
		}
		child = pmap->nodes[step->node].child[step->side++];
		if (child & PMAP_LEAF) {
			continue;
		}
		if (heights[child]) {
			step->height = MAX(step->height, heights[child]);
			good = depth + heights[child] <= bits;
		} else if (depth == bits) {
			good = false;
		} else {
			path[depth++] = (struct step){ child, 0, 0 };
		}
	}
	g_free(heights);
	return good;
}

static int check_tree(struct pmap *pmap, struct err *err)
{
	if (!cut_tail(pmap)) {
		return err_set(err, ST_EFORMAT, "node %u of the prefix map names a missing one",
			       pmap->node_count);
	}
	if (!paths_end(pmap)) {
		return err_set(err, ST_EFORMAT, "the tree of the prefix map is too deep");
	}
	return ST_OK;
}

int pmap_from_tree(struct pmap **out, enum pmap_kind kind, const uint32_t (*nodes)[2], size_t count,
		   struct err *err)
{
	struct pmap *pmap;
	int status;

	if (count == 0 || count > PMAP_NODES_MAX) {
		return err_set(err, ST_EFORMAT, "prefix map of %zu nodes", count);
	}
	pmap = pmap_new(kind);
	pmap->node_count = 0;
	for (size_t i = 0; i < count; i++) {
		pmap_append_node(pmap, (struct pmap_node){ { nodes[i][0], nodes[i][1] } });
	}
	status = check_tree(pmap, err);
	if (status == ST_OK) {
		*out = pmap;
	} else {
		pmap_free(pmap);
	}
	return status;
}

/* --- words --- */

/* Take the words that end in text; bytes of the last one, which does not, stay. */
static int take_words(struct reading *reading, GByteArray *text, uint32_t *value, struct err *err)
{
	const char *at = (const char *)text->data;
	const char *limit = at + text->len;
	const char *end;

	while (at < limit && (end = memchr(at, '\0', (size_t)(limit - at)))) {
		if (end > at && pmap_put_word(reading->pmap, *value, at, err) != ST_OK) {
			err_prefix(err, "%s", reading->file->name);
			return ST_EFORMAT;
		}
		(*value)++;
		at = end + 1;
	}
	if (at > (const char *)text->data) {
		g_byte_array_remove_range(text, 0, (guint)(at - (const char *)text->data));
	}
	return ST_OK;
}

static int read_words(struct reading *reading, struct err *err)
{
	GByteArray *text = g_byte_array_new();
	uint32_t value = 0;
	uint32_t left;
	int status = read_count(reading, &left, err);

	while (status == ST_OK && left) {
		uint32_t len = MIN(left, CHUNK_BYTES);
		guint before = text->len;

		g_byte_array_set_size(text, before + len);
		status = bytesource_read(reading->file->src, text->data + before, len, err);
		left -= len;
		if (status == ST_OK) {
			status = take_words(reading, text, &value, err);
		}
	}
	reading->pmap->word_limit = value;
	g_byte_array_free(text, TRUE);
	return status;
}

/* --- header --- */

static int check_header(const struct reading *reading, const struct header *header, struct err *err)
{
	if (header->format != FORMAT_PREFIXMAP) {
		return err_set(err, ST_EFORMAT, "%s: not a prefix map file", reading->file->name);
	}
	if (header->record_version >= G_N_ELEMENTS(versions) ||
	    !versions[header->record_version].known) {
		return err_set(err, ST_EVERSION, "%s: prefix map version %u is not known",
			       reading->file->name, header->record_version);
	}
	if (header->compression != COMPRESSION_NONE) {
		return err_set(err, ST_EFORMAT, "%s: prefix maps cannot be compressed",
			       reading->file->name);
	}
	return ST_OK;
}

/* The name is that of the first entry whose layout is known. */
static void take_name(struct pmap *pmap, const struct header *header)
{
	size_t pos = 0;
	const struct header_entry *entry = header_next(header, ENTRY_PREFIX_MAP, &pos);

	if (entry && entry->len > 4 && load32_be(entry->payload) == 1) {
		char *name = g_strndup((const char *)entry->payload + 4, entry->len - 4);

		pmap_set_name(pmap, name);
		g_free(name);
	}
}

static int read_body(struct reading *reading, const struct header *header, struct err *err)
{
	const struct version *version = &versions[header->record_version];
	int status;

	reading->pmap = pmap_new(version->kind);
	take_name(reading->pmap, header);
	status = read_nodes(reading, err);
	if (status == ST_OK) {
		status = check_tree(reading->pmap, err);
		if (status != ST_OK) {
			err_prefix(err, "%s", reading->file->name);
		}
	}
	if (status == ST_OK && version->has_words) {
		status = read_words(reading, err);
	}
	return status;
}

static int read_pmap(struct datafile *file, void *out, struct err *err)
{
	struct reading reading = { .file = file };
	int status = check_header(&reading, file->header, err);

	if (status == ST_OK) {
		status = read_body(&reading, file->header, err);
	}
	if (status == ST_OK) {
		*(struct pmap **)out = reading.pmap;
	} else {
		pmap_free(reading.pmap);
	}
	return status;
}

int pmap_read_from(struct pmap **out, struct bytesource *src, struct header *header,
		   struct err *err)
{
	return datafile_read_from(src, header, read_pmap, out, err);
}

int pmap_read(struct pmap **out, const char *path, struct header *header, struct err *err)
{
	return datafile_read(path, header, read_pmap, out, err);
}
