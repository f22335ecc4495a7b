/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hourfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/blockwriter.h"
#include "storage/newfile.h"

struct hourfile_writer {
	struct stream *stream; /* or */
	struct blockwriter *blocks;
	uint64_t cut_bytes;
	uint64_t taken;       /* of the records, by hourfile_take_records() */
	char *new_path;       /* of a file that was made, until its folders are synced; or NULL */
	unsigned new_folders; /* how many of them were made with it */
};

int hourfile_key_compare(const struct hourfile_key *a, const struct hourfile_key *b)
{
	if (a->sensor != b->sensor) {
		return a->sensor < b->sensor ? -1 : 1;
	}
	if (a->flowtype != b->flowtype) {
		return a->flowtype < b->flowtype ? -1 : 1;
	}
	return a->hour_ns < b->hour_ns ? -1 : a->hour_ns > b->hour_ns;
}

unsigned hourfile_missing_folders(const char *path)
{
	char *folder = g_path_get_dirname(path);
	unsigned missing = 0;

	while (!g_file_test(folder, G_FILE_TEST_EXISTS)) {
		char *parent = g_path_get_dirname(folder);

		g_free(folder);
		folder = parent;
		missing++;
	}
	g_free(folder);
	return missing;
}

int hourfile_sync_folders(const char *file, unsigned made, struct err *err)
{
	char *path = g_strdup(file);
	int rc = ST_OK;

	for (unsigned i = 0; rc == ST_OK && i <= made; i++) {
		char *folder = g_path_get_dirname(path);

		rc = newfile_sync_folder(path, err);
		g_free(path);
		path = folder;
	}
	g_free(path);
	return rc;
}

int hourfile_make_folders(const char *path, struct err *err)
{
	char *folder = g_path_get_dirname(path);
	int rc = ST_OK;

	if (g_mkdir_with_parents(folder, 0777) != 0) {
		rc = err_errno(err, err_status(errno), errno, "%s", folder);
	}
	g_free(folder);
	return rc;
}

/* A new file is as durable as its name. */
static int sync_new_path(struct hourfile_writer *writer, struct err *err)
{
	int rc = writer->new_path != NULL
			 ? hourfile_sync_folders(writer->new_path, writer->new_folders, err)
			 : ST_OK;

	if (rc == ST_OK) {
		g_clear_pointer(&writer->new_path, g_free);
	}
	return rc;
}

static int append_silk(struct hourfile_writer *writer, const char *path,
		       const struct hourfile_key *key, const struct hourfile_write_opts *opts,
		       struct err *err)
{
	struct stream_write_opts write_opts = {
		.format = opts->format != 0 ? opts->format : FORMAT_RWIPV6,
		.record_version = opts->record_version,
		.compression = opts->compression,
		.byte_order = opts->byte_order,
		.no_silk_version = opts->no_silk_version,
		.append = true,
		.lock = !opts->no_locking,
	};
	struct header entries;
	int rc;

	header_init(&entries);
	if (!opts->no_hour) {
		header_add_packed_file(&entries, key->hour_ns, key->flowtype, key->sensor);
	}
	if (opts->entries) {
		header_add_entries(&entries, opts->entries);
	}
	write_opts.entries = &entries;
	rc = stream_create(&writer->stream, path, &write_opts, err);
	header_release(&entries);
	/* The header goes out at once: a reader meets no empty file, only one without records. */
	return rc == ST_OK ? stream_flush(writer->stream, err) : rc;
}

uint8_t hourfile_chunk_method(uint8_t compression)
{
	switch (compression) {
	case COMPRESSION_NONE:
		return CHUNK_PLAIN;
	case COMPRESSION_ZLIB:
	case COMPRESSION_BEST:
	case CHUNK_ZSTD:
		return CHUNK_ZSTD;
	default:
		return CHUNK_LZO1X;
	}
}

static int append_blocks(struct hourfile_writer *writer, const char *path,
			 const struct hourfile_key *key, const struct hourfile_write_opts *opts,
			 struct err *err)
{
	const struct blockwriter_opts write_opts = {
		.compression = hourfile_chunk_method(opts->compression),
		.quick = opts->quick,
		.no_locking = opts->no_locking,
		.header = { .hour_ns = key->hour_ns,
			    .sensor = key->sensor,
			    .flowtype = key->flowtype },
	};

	return blockwriter_append(&writer->blocks, path, &write_opts, &writer->cut_bytes, err);
}

/* Is it to be a block file? One that has bytes already decides that itself. */
static bool wants_blocks(const char *path, const struct hourfile_write_opts *opts, bool existed)
{
	int fd = existed ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool blocks = opts->kind == HOURFILE_BLOCKS;

	if (fd >= 0) {
		blocks = hourfile_is_blocks(fd);
		close(fd);
	}
	return blocks;
}

int hourfile_append(struct hourfile_writer **out, const char *path, const struct hourfile_key *key,
		    const struct hourfile_write_opts *opts, bool *created, struct err *err)
{
	struct hourfile_writer *writer;
	struct stat st;
	bool existed = stat(path, &st) == 0 && st.st_size > 0;
	unsigned missing = existed ? 0 : hourfile_missing_folders(path);
	int rc = hourfile_make_folders(path, err);

	if (rc != ST_OK) {
		return rc;
	}
	writer = g_new0(struct hourfile_writer, 1);
	rc = wants_blocks(path, opts, existed) ? append_blocks(writer, path, key, opts, err)
					       : append_silk(writer, path, key, opts, err);
	if (rc != ST_OK) {
		stream_close(writer->stream, NULL);
		g_free(writer);
		return rc;
	}
	writer->new_path = existed ? NULL : g_strdup(path);
	writer->new_folders = missing;
	if (created != NULL) {
		*created = !existed;
	}
	*out = writer;
	return ST_OK;
}

int hourfile_write(struct hourfile_writer *writer, const struct record *rec, struct err *err)
{
	return writer->blocks != NULL ? blockwriter_write(writer->blocks, rec, err)
				      : stream_write(writer->stream, rec, err);
}

int hourfile_set(struct hourfile_writer *writer, const struct flowblock_value *value,
		 struct err *err)
{
	return writer->blocks != NULL ? blockwriter_set(writer->blocks, value, err) : ST_OK;
}

int hourfile_flush(struct hourfile_writer *writer, bool sync, struct err *err)
{
	int rc;

	if (writer->blocks != NULL) {
		rc = blockwriter_flush(writer->blocks, sync, err);
	} else {
		rc = sync ? stream_sync(writer->stream, err) : stream_flush(writer->stream, err);
	}
	return rc == ST_OK && sync ? sync_new_path(writer, err) : rc;
}

uint64_t hourfile_records(const struct hourfile_writer *writer)
{
	uint64_t records = writer->blocks != NULL ? blockwriter_records(writer->blocks)
						  : stream_records(writer->stream);

	return records - writer->taken;
}

uint64_t hourfile_take_records(struct hourfile_writer *writer)
{
	uint64_t records = hourfile_records(writer);

	writer->taken += records;
	return records;
}

uint64_t hourfile_cut_bytes(const struct hourfile_writer *writer)
{
	return writer->cut_bytes;
}

int hourfile_finish(struct hourfile_writer *writer, struct err *err)
{
	int rc;

	if (writer == NULL) {
		return ST_OK;
	}
	rc = writer->blocks != NULL ? blockwriter_close(writer->blocks, err)
				    : stream_close(writer->stream, err);
	g_free(writer->new_path);
	g_free(writer);
	return rc;
}
