/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/catalogmake.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "storage/blockfile.h"
#include "storage/bloombuild.h"
#include "storage/stream.h"

/* An address that is not there is told so in all but a few of a thousand cases. */
#define FILTER_FILLING_MAX 0.5

struct making {
	const char *path; /* whole */
	struct catalog_made made;
	struct bloombuild *build; /* NULL: the file has its own filter */
	catalog_hash_fn fn;
	void *arg;
};

static void add_address(struct making *making, struct ip ip)
{
	uint64_t hash = bloom_hash(ip);

	if (making->build) {
		bloombuild_add(making->build, hash);
	}
	if (making->fn) {
		making->fn(making->arg, hash);
	}
}

/* ---- block files ---- */

static int add_frames(struct making *making, struct chunk *chunk, uint32_t rows, struct err *err)
{
	struct ip ips[FRAME_ROWS];
	int rc = ST_OK;

	for (uint32_t row = 0; rc == ST_OK && row < rows; row += FRAME_ROWS) {
		uint32_t count = MIN(rows - row, FRAME_ROWS);

		rc = chunk_read_ip(chunk, row, count, ips, err);
		for (uint32_t i = 0; rc == ST_OK && i < count; i++) {
			add_address(making, ips[i]);
		}
	}
	return rc;
}

/* The addresses of one column of block i; those of a dictionary once. */
static int add_chunk(struct making *making, const struct blockfile *file, size_t i,
		     enum column column, struct chunk *chunk, struct blockfile_scratch *scratch,
		     struct err *err)
{
	struct chunk_dictionary dictionary = { 0 };
	int rc = blockfile_chunk(file, i, column, chunk, scratch, err);

	if (rc == ST_END) {
		add_address(making, ip_from_v4(0));
		return ST_OK;
	}
	if (rc == ST_OK) {
		chunk_dictionary(chunk, &dictionary);
	}
	if (rc == ST_OK && dictionary.count == 0) {
		return add_frames(making, chunk, blockfile_block(file, i)->rows, err);
	}
	for (uint32_t n = 0; rc == ST_OK && n < dictionary.count; n++) {
		add_address(making, dictionary.addresses[n]);
	}
	return rc;
}

static int add_block_addresses(struct making *making, const struct blockfile *file, struct err *err)
{
	struct blockfile_scratch *scratch = blockfile_scratch_new();
	struct chunk *chunk = chunk_new();
	int rc = ST_OK;

	for (size_t i = 0; rc == ST_OK && i < blockfile_count(file); i++) {
		rc = add_chunk(making, file, i, COLUMN_SIP, chunk, scratch, err);
		if (rc == ST_OK) {
			rc = add_chunk(making, file, i, COLUMN_DIP, chunk, scratch, err);
		}
	}
	chunk_free(chunk);
	blockfile_scratch_free(scratch);
	return rc;
}

/* fd is taken. */
static int make_of_blocks(struct making *making, int fd, struct err *err)
{
	struct catalog_made *made = &making->made;
	struct blockfile *file = NULL;
	int rc = blockfile_open(&file, fd, making->path, err);

	if (rc != ST_OK) {
		return rc;
	}
	made->kind = CATALOG_BLOCKS;
	made->summary = *blockfile_summary(file);
	if (blockfile_damage(file, 0)) {
		rc = err_set(err, ST_EFORMAT, "%s", blockfile_damage(file, 0));
	} else if (blockfile_torn(file) > 0) {
		rc = err_set(err, ST_EAGAIN, "%s: its last block is not whole", making->path);
	} else if (made->summary.filter) {
		made->filter = g_memdup2(made->summary.filter, made->summary.filter_size);
	} else {
		making->build = bloombuild_new(BLOOM_BYTES_MAX);
	}
	if (rc == ST_OK && (making->build || making->fn)) {
		rc = add_block_addresses(making, file, err);
	}
	blockfile_close(file);
	return rc;
}

/* ---- SiLK files ---- */

static bool is_icmp(const struct batch *batch, uint32_t row)
{
	return batch->protocol[row] == 1 || batch->protocol[row] == 58;
}

static void add_rows(struct making *making, const struct batch *batch, bool *has_icmp)
{
	for (uint32_t i = 0; i < batch->rows; i++) {
		struct record rec;

		batch_get(batch, i, &rec);
		summary_add_record(&making->made.summary, &rec);
		add_address(making, rec.sip);
		add_address(making, rec.dip);
		*has_icmp |= is_icmp(batch, i);
	}
}

static void widen(struct summary_range *range, uint16_t value)
{
	range->min = MIN(range->min, value);
	range->max = MAX(range->max, value);
}

/* Ports that ICMP records have for those who do not want them repaired are in the ranges too. */
static int add_unrepaired_ports(struct making *making, struct batch *batch, struct err *err)
{
	const struct stream_read_opts opts = { .keep_icmp_sport = true };
	const uint32_t columns =
		COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_SPORT) | COLUMN_BIT(COLUMN_DPORT);
	struct summary_range *ranges = making->made.summary.range;
	struct stream *stream = NULL;
	int rc = stream_open(&stream, making->path, &opts, err);

	while (rc == ST_OK && (rc = stream_read_batch(stream, batch, columns, err)) == ST_OK) {
		for (uint32_t i = 0; i < batch->rows; i++) {
			if (is_icmp(batch, i)) {
				widen(&ranges[COLUMN_SPORT], batch->sport[i]);
				widen(&ranges[COLUMN_DPORT], batch->dport[i]);
			}
		}
	}
	stream_close(stream, NULL);
	return rc == ST_END ? ST_OK : rc;
}

static int make_of_rows(struct making *making, struct err *err)
{
	struct batch *batch = batch_new();
	struct stream *stream = NULL;
	bool has_icmp = false;
	int rc = stream_open(&stream, making->path, NULL, err);

	making->made.kind = CATALOG_ROWS;
	making->build = bloombuild_new(BLOOM_BYTES_MAX);
	summary_init(&making->made.summary);
	if (rc == ST_OK && stream_header(stream)->file_version < 16) {
		rc = err_set(err, ST_ESUPPORT, "%s: a file with a legacy header", making->path);
	}
	while (rc == ST_OK && (rc = stream_read_batch(stream, batch, COLUMNS_ALL, err)) == ST_OK) {
		add_rows(making, batch, &has_icmp);
	}
	rc = rc == ST_END ? ST_OK : rc;
	if (rc == ST_OK && has_icmp) {
		rc = add_unrepaired_ports(making, batch, err);
	}
	stream_close(stream, NULL);
	batch_free(batch);
	return rc;
}

/* ---- any file ---- */

static int make(struct making *making, int fd, struct err *err)
{
	uint8_t magic[BLOCKFILE_MAGIC_BYTES];

	if (pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	    memcmp(magic, blockfile_magic, sizeof(magic)) == 0) {
		return make_of_blocks(making, fd, err);
	}
	close(fd);
	return make_of_rows(making, err);
}

static bool identity_equal(const struct catalog_identity *a, const struct catalog_identity *b)
{
	return a->inode == b->inode && a->size == b->size && a->changed_ns == b->changed_ns &&
	       a->modified_ns == b->modified_ns;
}

static void finish_filter(struct making *making)
{
	struct catalog_made *made = &making->made;

	if (making->build) {
		made->filter = bloombuild_finish(making->build, FILTER_FILLING_MAX,
						 &made->summary.filter_size);
	}
	made->summary.filter = made->filter;
	making->build = NULL;
}

int catalog_make(struct catalog_made *out, const char *root, const char *path, catalog_hash_fn fn,
		 void *arg, struct err *err)
{
	char *whole = g_strdup_printf("%s/%s", root, path);
	struct making making = { .path = whole, .fn = fn, .arg = arg };
	struct catalog_identity after;
	struct stat st = { 0 };
	int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc = ST_OK;

	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = err_errno(err, errno == ENOENT ? ST_ENOENT : ST_EIO, errno, "%s", whole);
	} else if (!S_ISREG(st.st_mode)) {
		rc = err_set(err, ST_EFORMAT, "%s: not a regular file", whole);
	}
	if (rc == ST_OK) {
		making.made.identity = catalog_identify(&st);
		rc = make(&making, fd, err);
	} else if (fd >= 0) {
		close(fd);
	}
	/* by name again: a SiLK file was opened by it, and it must still be that one */
	if (rc == ST_OK && stat(whole, &st) != 0) {
		rc = err_errno(err, errno == ENOENT ? ST_ENOENT : ST_EIO, errno, "%s", whole);
	}
	after = catalog_identify(&st);
	if (rc == ST_OK && !identity_equal(&after, &making.made.identity)) {
		rc = err_set(err, ST_EAGAIN, "%s: changed while it was read", whole);
	}
	if (rc == ST_OK) {
		finish_filter(&making);
		*out = making.made;
	} else {
		bloombuild_free(making.build);
		g_free(making.made.filter);
	}
	g_free(whole);
	return rc;
}

void catalog_made_release(struct catalog_made *made)
{
	g_free(made->filter);
	memset(made, 0, sizeof(*made));
}
