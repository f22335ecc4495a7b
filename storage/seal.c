/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of up to ROWS_MAX records is sorted in memory at once. A larger one is cut into windows of
 * start time, each with no more records than that as far as a histogram of the start times can
 * tell, and the blocks that overlap a window are read once for each.
 */
#include "storage/seal.h"

#include <glib.h>
#include <unistd.h>

#include "storage/appendlog.h"
#include "storage/flowblockbuild.h"
#include "storage/lockedfile.h"
#include "storage/sealrows.h"
#include "storage/sealwriter.h"

/* About 150 bytes each in memory. */
#define ROWS_MAX (2u << 20)
/* Slices of the file's span of start times, the grain of its windows. */
#define SLICES 65536u

struct seal {
	const char *path;
	struct blockfile *file;
	struct flowblock_builder *builder;
	struct sealwriter *writer;
	struct sealrows *rows;
	struct err *err;
};

/* ---- windows of start time ---- */

struct histogram {
	int64_t first_ns;
	uint64_t slice_ns;
	uint32_t *records; /* of each of SLICES */
};

static int count_starts(struct seal *seal, struct histogram *histogram)
{
	struct blockfile_cursor *cursor = blockfile_cursor_new();
	struct batch *batch = batch_new();
	int rc = ST_OK;

	for (size_t i = 0; rc == ST_OK && i < blockfile_count(seal->file); i++) {
		uint32_t rows = blockfile_block(seal->file, i)->rows;

		blockfile_cursor_set(cursor, seal->file, i);
		for (uint32_t row = 0; rc == ST_OK && row < rows; row += FRAME_ROWS) {
			uint32_t count = blockfile_cursor_frame(cursor, row, batch);

			rc = blockfile_cursor_load(cursor, batch, COLUMN_BIT(COLUMN_START),
						   seal->err);
			for (uint32_t k = 0; rc == ST_OK && k < count; k++) {
				uint64_t past_ns = (uint64_t)batch->start_ns[k] -
						   (uint64_t)histogram->first_ns;

				histogram->records[past_ns / histogram->slice_ns]++;
			}
		}
	}
	blockfile_cursor_free(cursor);
	batch_free(batch);
	return rc;
}

/* ---- blocks ---- */

static int flush_block(struct seal *seal)
{
	const uint8_t *bytes;
	size_t len;
	size_t count;
	const uint64_t *hashes;
	int rc;

	if (flowblock_rows(seal->builder) == 0) {
		return ST_OK;
	}
	rc = flowblock_build(seal->builder, &bytes, &len, seal->err);
	if (rc == ST_OK) {
		rc = sealwriter_add(seal->writer, bytes, len, seal->err);
	}
	if (rc == ST_OK) {
		hashes = flowblock_address_hashes(seal->builder, &count);
		sealwriter_add_addresses(seal->writer, hashes, count);
	}
	return rc;
}

/* Write the records that start from first_ns to last_ns, both inclusive. */
static int seal_window(struct seal *seal, int64_t first_ns, int64_t last_ns)
{
	int rc = ST_OK;

	sealrows_clear(seal->rows);
	for (size_t i = 0; rc == ST_OK && i < blockfile_count(seal->file); i++) {
		rc = sealrows_take(seal->rows, seal->file, i, first_ns, last_ns, seal->err);
	}
	if (rc == ST_OK) {
		sealrows_sort(seal->rows);
	}
	for (size_t k = 0; rc == ST_OK && k < sealrows_count(seal->rows); k++) {
		if (flowblock_is_full(seal->builder)) {
			rc = flush_block(seal);
		}
		if (rc == ST_OK) {
			rc = sealrows_put(seal->rows, k, seal->builder, seal->err);
		}
	}
	return rc;
}

static int seal_windows(struct seal *seal, const struct summary *summary)
{
	uint64_t span_ns = (uint64_t)summary->last_start_ns - (uint64_t)summary->first_start_ns;
	struct histogram histogram = {
		.first_ns = summary->first_start_ns,
		.slice_ns = span_ns / SLICES + 1,
		.records = g_new0(uint32_t, SLICES),
	};
	uint64_t records = 0;
	uint64_t first = 0; /* slice of the window that is being made */
	int rc = count_starts(seal, &histogram);

	for (uint64_t slice = 0; rc == ST_OK && slice < SLICES; slice++) {
		bool last = slice == SLICES - 1;

		records += histogram.records[slice];
		if (!last && records + histogram.records[slice + 1] <= ROWS_MAX) {
			continue;
		}
		rc = seal_window(seal, histogram.first_ns + (int64_t)(first * histogram.slice_ns),
				 last ? summary->last_start_ns
				      : histogram.first_ns +
						 (int64_t)((slice + 1) * histogram.slice_ns) - 1);
		first = slice + 1;
		records = 0;
	}
	g_free(histogram.records);
	return rc;
}

static int seal_blocks(struct seal *seal)
{
	const struct summary *summary = blockfile_summary(seal->file);
	int rc;

	if (summary->records <= ROWS_MAX) {
		rc = seal_window(seal, INT64_MIN, INT64_MAX);
	} else {
		rc = seal_windows(seal, summary);
	}
	return rc == ST_OK ? flush_block(seal) : rc;
}

/* ---- the file ---- */

static int check_damage(const struct seal *seal)
{
	const char *damage = blockfile_damage(seal->file, 0);

	return damage == NULL
		       ? ST_OK
		       : err_set(seal->err, ST_EFORMAT, "%s: not sealed: %s", seal->path, damage);
}

static int rewrite(struct seal *seal, const struct seal_opts *opts, struct seal_result *out)
{
	const struct blockfile_header *header = blockfile_header(seal->file);
	const struct flowblock_opts block_opts = {
		.compression = opts->compression,
		/* The filter of a file of one block is in the footer. */
		.no_filter = out->records <= FLOWBLOCK_ROWS_MAX,
		.sensor = header->sensor,
		.flowtype = header->flowtype,
	};
	int rc = sealwriter_create(&seal->writer, seal->path, header, blockfile_stat(seal->file),
				   seal->err);

	if (rc != ST_OK) {
		return rc;
	}
	seal->builder = flowblock_builder_new(&block_opts);
	seal->rows = sealrows_new();
	rc = seal_blocks(seal);
	if (rc == ST_OK) {
		out->blocks = sealwriter_blocks(seal->writer);
		rc = sealwriter_commit(seal->writer, &out->bytes, seal->err);
	}
	out->sealed = rc == ST_OK;
	sealrows_free(seal->rows);
	flowblock_builder_free(seal->builder);
	sealwriter_free(seal->writer);
	return rc;
}

int seal_file(const char *path, const struct seal_opts *opts, struct seal_result *out,
	      struct err *err)
{
	struct seal seal = { .path = path, .err = err };
	int lock_fd = -1;
	int rc = lockedfile_open(path, opts->no_wait ? LOCKEDFILE_NO_WAIT : 0, &lock_fd, err);

	*out = (struct seal_result){ 0 };
	if (rc != ST_OK) {
		return rc;
	}
	if (opts->root && appendlog_is_claimed(opts->root, path)) {
		rc = err_set(err, ST_EAGAIN, "%s: a packer has died in it and is to put it right",
			     path);
		goto done;
	}
	/* The descriptor that has the lock stays open until the new file has the name. */
	rc = blockfile_open(&seal.file, dup(lock_fd), path, err);
	if (rc != ST_OK) {
		goto done;
	}
	out->records = blockfile_summary(seal.file)->records;
	out->blocks_before = blockfile_count(seal.file);
	out->bytes_before = (uint64_t)blockfile_stat(seal.file)->st_size;
	out->torn_bytes = blockfile_torn(seal.file);
	out->blocks = out->blocks_before;
	out->bytes = out->bytes_before;
	rc = check_damage(&seal);
	if (rc != ST_OK || (blockfile_is_sealed(seal.file) && !opts->force)) {
		goto done;
	}
	rc = rewrite(&seal, opts, out);
done:
	blockfile_close(seal.file);
	close(lock_fd);
	return rc;
}
