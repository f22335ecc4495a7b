/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/sealwriter.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "storage/blockheader.h"
#include "storage/bloom.h"
#include "storage/lockedfile.h"
#include "storage/putbytes.h"

#define CHECKSUM_BYTES 8u

/* With more distinct addresses the largest filter answers "perhaps" too often to be worth it. */
#define ADDRESSES_MAX (4u << 20)

struct sealwriter {
	char *path;
	char *temporary; /* NULL once it has the name */
	int fd;
	struct blockfile_header header; /* its properties are not ours */
	GByteArray *head; /* the header's bytes, to be written again with the footer's place */
	uint64_t size;    /* written so far */
	uint64_t records;
	uint64_t blocks;
	GByteArray *entries; /* of the footer */
	GArray *hashes;      /* uint64_t; the first `distinct` of them ascend */
	guint distinct;
	bool too_many; /* addresses */
};

static int write_at(const struct sealwriter *writer, const uint8_t *bytes, size_t len,
		    uint64_t offset, struct err *err)
{
	while (len > 0) {
		ssize_t done = pwrite(writer->fd, bytes, len, (off_t)offset);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done <= 0) {
			return err_errno(err, ST_EIO, done < 0 ? errno : ENOSPC, "%s",
					 writer->temporary);
		}
		bytes += done;
		len -= (size_t)done;
		offset += (uint64_t)done;
	}
	return ST_OK;
}

int sealwriter_create(struct sealwriter **out, const char *path,
		      const struct blockfile_header *header, const struct stat *like,
		      struct err *err)
{
	struct sealwriter *writer = g_new0(struct sealwriter, 1);
	int rc;

	writer->path = g_strdup(path);
	writer->header = *header;
	writer->head = g_byte_array_new();
	writer->entries = g_byte_array_new();
	writer->hashes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	writer->fd = -1;
	rc = lockedfile_temporary(path, like, &writer->temporary, &writer->fd, err);
	if (rc == ST_OK) {
		rc = blockheader_put(header, writer->head, err);
	}
	if (rc == ST_OK) {
		rc = write_at(writer, writer->head->data, writer->head->len, 0, err);
	}
	writer->size = writer->head->len;
	if (rc != ST_OK) {
		sealwriter_free(writer);
		return rc;
	}
	*out = writer;
	return ST_OK;
}

int sealwriter_add(struct sealwriter *writer, const uint8_t *block, size_t len, struct err *err)
{
	struct flowblock_prelude prelude;
	int rc = flowblock_parse_prelude(block, &prelude, err);

	if (rc == ST_OK) {
		rc = write_at(writer, block, len, writer->size, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	put_varint(writer->entries, writer->size);
	put_varint(writer->entries, prelude.header_len);
	put_varint(writer->entries, prelude.body_len);
	put_varint(writer->entries, prelude.count);
	g_byte_array_append(writer->entries, block + FLOWBLOCK_PRELUDE_BYTES,
			    prelude.header_len - FLOWBLOCK_PRELUDE_BYTES - CHECKSUM_BYTES);
	writer->size += len;
	writer->records += prelude.count;
	writer->blocks++;
	return ST_OK;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void drop_repeats(struct sealwriter *writer)
{
	uint64_t *hashes = (uint64_t *)(void *)writer->hashes->data;
	guint kept = 0;

	g_array_sort(writer->hashes, compare_hashes);
	for (guint i = 0; i < writer->hashes->len; i++) {
		if (kept == 0 || hashes[i] != hashes[kept - 1]) {
			hashes[kept++] = hashes[i];
		}
	}
	g_array_set_size(writer->hashes, kept);
	writer->distinct = kept;
}

void sealwriter_add_addresses(struct sealwriter *writer, const uint64_t *hashes, size_t count)
{
	if (writer->too_many) {
		return;
	}
	g_array_append_vals(writer->hashes, hashes, (guint)count);
	/* Sorted when it has doubled: n log n in all, and twice the distinct ones in memory. */
	if (writer->hashes->len > 2 * writer->distinct + FLOWBLOCK_ROWS_MAX) {
		drop_repeats(writer);
	}
	if (writer->distinct > ADDRESSES_MAX) {
		writer->too_many = true;
		g_array_set_size(writer->hashes, 0);
	}
}

uint64_t sealwriter_blocks(const struct sealwriter *writer)
{
	return writer->blocks;
}

/* The filter over all addresses; *size 0: none. Returned: g_free(). */
static uint8_t *make_filter(struct sealwriter *writer, size_t *size)
{
	uint8_t *filter;

	drop_repeats(writer);
	*size = bloom_size(writer->hashes->len);
	filter = g_malloc0(*size);
	for (guint i = 0; i < writer->hashes->len; i++) {
		bloom_add(filter, *size, g_array_index(writer->hashes, uint64_t, i));
	}
	return filter;
}

/* Prelude, directory, checksum and body of the footer. */
static int build_footer(struct sealwriter *writer, GByteArray *out, struct err *err)
{
	struct flowblock_prelude prelude = { .magic = FLOWBLOCK_FOOTER_MAGIC };
	size_t filter_len;
	uint8_t *filter = make_filter(writer, &filter_len);

	g_byte_array_set_size(out, FLOWBLOCK_PRELUDE_BYTES);
	put_varint(out, writer->records);
	put_varint(out, filter_len);
	if (filter_len > 0) {
		put_u64(out, XXH64(filter, filter_len, 0));
	}
	g_byte_array_append(out, writer->entries->data, writer->entries->len);
	prelude.header_len = out->len + CHECKSUM_BYTES;
	prelude.body_len = (uint32_t)filter_len;
	prelude.count = (uint32_t)writer->blocks;
	flowblock_put_prelude(out->data, &prelude);
	put_u64(out, XXH64(out->data, out->len, 0));
	g_byte_array_append(out, filter, (guint)filter_len);
	g_free(filter);
	return prelude.header_len <= FLOWBLOCK_HEADER_MAX
		       ? ST_OK
		       : err_set(err, ST_ELIMIT, "%s: too many blocks for a footer", writer->path);
}

static int take_name(struct sealwriter *writer, struct err *err)
{
	int rc;

	if (fsync(writer->fd) != 0) {
		return err_errno(err, ST_EIO, errno, "sync %s", writer->temporary);
	}
	rc = lockedfile_replace(writer->temporary, writer->path, err);
	if (rc == ST_OK) {
		g_clear_pointer(&writer->temporary, g_free);
	}
	return rc;
}

int sealwriter_commit(struct sealwriter *writer, uint64_t *bytes, struct err *err)
{
	GByteArray *footer = g_byte_array_new();
	int rc = build_footer(writer, footer, err);

	if (rc == ST_OK) {
		rc = write_at(writer, footer->data, footer->len, writer->size, err);
	}
	if (rc == ST_OK) {
		writer->header.footer_offset = writer->size;
		writer->header.footer_len = footer->len;
		g_byte_array_set_size(writer->head, 0);
		rc = blockheader_put(&writer->header, writer->head, err);
	}
	if (rc == ST_OK) {
		rc = write_at(writer, writer->head->data, writer->head->len, 0, err);
	}
	*bytes = writer->size + footer->len;
	g_byte_array_free(footer, TRUE);
	return rc == ST_OK ? take_name(writer, err) : rc;
}

void sealwriter_free(struct sealwriter *writer)
{
	if (writer == NULL) {
		return;
	}
	if (writer->temporary != NULL) {
		unlink(writer->temporary);
	}
	if (writer->fd >= 0) {
		close(writer->fd);
	}
	g_byte_array_free(writer->head, TRUE);
	g_byte_array_free(writer->entries, TRUE);
	g_array_free(writer->hashes, TRUE);
	g_free(writer->temporary);
	g_free(writer->path);
	g_free(writer);
}
