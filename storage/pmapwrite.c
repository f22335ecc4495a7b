/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prefix maps into files, the same bytes as SiLK (silk-set-bag-pmap-files.md section 4). Files are
 * never compressed.
 */
#include "storage/pmap.h"

#include <string.h>

#include "storage/byteorder.h"
#include "storage/datafile.h"
#include "storage/pmapform.h"

#define CHUNK_BYTES 65536
#define NODE_BYTES  8

/* A buffer before the sink. */
struct writing {
	struct bytesink *sink;
	size_t len;
	uint8_t bytes[CHUNK_BYTES];
};

static int flush(struct writing *writing, struct err *err)
{
	int status = bytesink_write(writing->sink, writing->bytes, writing->len, err);

	writing->len = 0;
	return status;
}

static int put(struct writing *writing, const void *bytes, size_t len, struct err *err)
{
	const uint8_t *from = bytes;
	int status = ST_OK;

	while (status == ST_OK && len) {
		size_t part = MIN(len, CHUNK_BYTES - writing->len);

		memcpy(writing->bytes + writing->len, from, part);
		writing->len += part;
		from += part;
		len -= part;
		if (writing->len == CHUNK_BYTES) {
			status = flush(writing, err);
		}
	}
	return status;
}

static int put32(struct writing *writing, uint32_t value, struct err *err)
{
	uint8_t bytes[4];

	store32(bytes, value, false);
	return put(writing, bytes, sizeof(bytes), err);
}

static int put_nodes(struct writing *writing, const struct pmap *pmap, struct err *err)
{
	int status = put32(writing, pmap->node_count, err);

	for (uint32_t i = 0; status == ST_OK && i < pmap->node_count; i++) {
		uint8_t bytes[NODE_BYTES];

		store32(bytes, pmap->nodes[i].child[0], false);
		store32(bytes + 4, pmap->nodes[i].child[1], false);
		status = put(writing, bytes, sizeof(bytes), err);
	}
	return status;
}

/* Bytes of all words and holes, each with its NUL. */
static uint64_t words_bytes(const struct pmap *pmap)
{
	uint64_t bytes = pmap->word_limit;

	for (guint i = 0; i < pmap->words->len; i++) {
		bytes += strlen(g_array_index(pmap->words, struct pmap_word, i).text);
	}
	return bytes;
}

static int put_holes(struct writing *writing, uint32_t count, struct err *err)
{
	int status = ST_OK;

	for (uint32_t i = 0; status == ST_OK && i < count; i++) {
		status = put(writing, "", 1, err);
	}
	return status;
}

static int put_words(struct writing *writing, const struct pmap *pmap, struct err *err)
{
	int status = put32(writing, (uint32_t)words_bytes(pmap), err);
	uint32_t next = 0;

	for (guint i = 0; status == ST_OK && i < pmap->words->len; i++) {
		const struct pmap_word *word = &g_array_index(pmap->words, struct pmap_word, i);

		status = put_holes(writing, word->value - next, err);
		if (status == ST_OK) {
			status = put(writing, word->text, strlen(word->text) + 1, err);
		}
		next = word->value + 1;
	}
	return status == ST_OK ? put_holes(writing, pmap->word_limit - next, err) : status;
}

static void add_name(struct header *header, const char *name)
{
	size_t len = 4 + strlen(name) + 1;
	uint8_t *payload = g_malloc(len);

	store32_be(payload, 1);
	memcpy(payload + 4, name, len - 4);
	header_add(header, ENTRY_PREFIX_MAP, payload, len);
	g_free(payload);
}

/* Record versions, without and with words. */
static const uint8_t versions[][2] = {
	[PMAP_IPV4] = { 1, 2 },
	[PMAP_IPV6] = { 5, 4 },
	[PMAP_PROTO_PORT] = { 3, 3 },
};

static void fill_header(struct header *header, const struct pmap *pmap,
			const struct pmap_write_opts *opts)
{
	datafile_header(header, FORMAT_PREFIXMAP, versions[pmap->kind][pmap->word_limit > 0], 1,
			opts->no_silk_version);
	if (opts->entries) {
		header_add_entries(header, opts->entries);
	}
	if (pmap->name) {
		add_name(header, pmap->name);
	}
}

int pmap_write_to(const struct pmap *pmap, struct bytesink *sink,
		  const struct pmap_write_opts *opts, struct err *err)
{
	struct writing *writing;
	struct header header;
	int status;

	if (words_bytes(pmap) > UINT32_MAX) {
		return err_set(err, ST_ELIMIT, "the words of the prefix map exceed 4 GiB");
	}
	writing = g_new(struct writing, 1);
	writing->sink = sink;
	writing->len = 0;
	fill_header(&header, pmap, opts);
	status = header_write(&header, sink, err);
	if (status == ST_OK) {
		status = put_nodes(writing, pmap, err);
	}
	if (status == ST_OK && pmap->word_limit) {
		status = put_words(writing, pmap, err);
	}
	if (status == ST_OK) {
		status = flush(writing, err);
	}
	header_release(&header);
	g_free(writing);
	return status;
}

int pmap_write(const struct pmap *pmap, const char *path, const struct pmap_write_opts *opts,
	       struct err *err)
{
	struct bytesink *sink = NULL;
	int status = bytesink_create(&sink, path, opts->overwrite ? BYTESINK_OVERWRITE : 0, err);

	if (status == ST_OK) {
		status = pmap_write_to(pmap, sink, opts, err);
		if (status == ST_OK) {
			status = bytesink_close(sink, err);
		} else {
			bytesink_discard(sink);
		}
	}
	return status;
}
