/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hourfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

struct hourfile_reader {
	struct stream *stream;
};

int hourfile_open(struct hourfile_reader **out, const char *path,
		  const struct stream_read_opts *opts, struct err *err)
{
	struct stream *stream;
	int rc = stream_open(&stream, path, opts, err);

	if (rc != ST_OK) {
		return rc;
	}
	*out = g_new0(struct hourfile_reader, 1);
	(*out)->stream = stream;
	return ST_OK;
}

int hourfile_read_batch(struct hourfile_reader *reader, struct batch *batch, uint32_t columns,
			struct err *err)
{
	return stream_read_batch(reader->stream, batch, columns, err);
}

const struct header *hourfile_header(const struct hourfile_reader *reader)
{
	return stream_header(reader->stream);
}

const struct blockfile *hourfile_blocks(const struct hourfile_reader *reader)
{
	return NULL;
}

void hourfile_close(struct hourfile_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	stream_close(reader->stream, NULL);
	g_free(reader);
}

struct hourfile_writer {
	struct stream *stream;
	uint64_t taken;       /* of the stream's records, by hourfile_take_records() */
	char *new_path;       /* of a file that was made, until its folders are synced; or NULL */
	unsigned new_folders; /* how many of them were made with it */
};

/* How many of the folders above path are not there yet? */
static unsigned count_missing_folders(const char *path)
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

static int make_folders(const char *path, struct err *err)
{
	char *folder = g_path_get_dirname(path);
	int rc = ST_OK;

	if (g_mkdir_with_parents(folder, 0777) != 0) {
		rc = err_errno(err, ST_EIO, errno, "%s", folder);
	}
	g_free(folder);
	return rc;
}

static int sync_folder(const char *folder, struct err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = ST_OK;

	/* File systems that cannot sync folders say EINVAL: as good as done. */
	if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) {
		rc = err_errno(err, ST_EIO, errno, "sync %s", folder);
	}
	if (fd >= 0) {
		close(fd);
	}
	return rc;
}

/* A new file is as durable as its name: the folder that has it, and those made on the way. */
static int sync_new_path(struct hourfile_writer *writer, struct err *err)
{
	char *folder;
	int rc = ST_OK;

	if (writer->new_path == NULL) {
		return ST_OK;
	}
	folder = g_path_get_dirname(writer->new_path);
	for (unsigned i = 0; rc == ST_OK && i <= writer->new_folders; i++) {
		char *parent = g_path_get_dirname(folder);

		rc = sync_folder(folder, err);
		g_free(folder);
		folder = parent;
	}
	g_free(folder);
	if (rc == ST_OK) {
		g_clear_pointer(&writer->new_path, g_free);
	}
	return rc;
}

int hourfile_append(struct hourfile_writer **out, const char *path, const struct hourfile_key *key,
		    const struct hourfile_write_opts *opts, bool *created, struct err *err)
{
	struct stream_write_opts write_opts = {
		.format = opts->format != 0 ? opts->format : FORMAT_RWIPV6,
		.compression = opts->compression,
		.byte_order = opts->byte_order,
		.no_silk_version = opts->no_silk_version,
		.append = true,
		.lock = !opts->no_locking,
	};
	struct stream *stream = NULL;
	struct header entries;
	struct stat st;
	bool existed = stat(path, &st) == 0 && st.st_size > 0;
	unsigned missing = existed ? 0 : count_missing_folders(path);
	int rc;

	if (opts->kind != HOURFILE_SILK && !existed) {
		return err_set(err, ST_ESUPPORT, "%s: block files cannot be written yet", path);
	}
	rc = make_folders(path, err);
	header_init(&entries);
	header_add_packed_file(&entries, key->hour_ns, key->flowtype, key->sensor);
	write_opts.entries = &entries;
	if (rc == ST_OK) {
		rc = stream_create(&stream, path, &write_opts, err);
	}
	header_release(&entries);
	/* The header goes out at once: a reader meets no empty file, only one without records. */
	if (rc == ST_OK) {
		rc = stream_flush(stream, err);
	}
	if (rc != ST_OK) {
		stream_close(stream, NULL);
		return rc;
	}
	*out = g_new0(struct hourfile_writer, 1);
	(*out)->stream = stream;
	(*out)->new_path = existed ? NULL : g_strdup(path);
	(*out)->new_folders = missing;
	if (created != NULL) {
		*created = !existed;
	}
	return ST_OK;
}

int hourfile_write(struct hourfile_writer *writer, const struct record *rec, struct err *err)
{
	return stream_write(writer->stream, rec, err);
}

int hourfile_flush(struct hourfile_writer *writer, bool sync, struct err *err)
{
	int rc = sync ? stream_sync(writer->stream, err) : stream_flush(writer->stream, err);

	return rc == ST_OK && sync ? sync_new_path(writer, err) : rc;
}

uint64_t hourfile_records(const struct hourfile_writer *writer)
{
	return stream_records(writer->stream) - writer->taken;
}

uint64_t hourfile_take_records(struct hourfile_writer *writer)
{
	uint64_t records = hourfile_records(writer);

	writer->taken += records;
	return records;
}

int hourfile_finish(struct hourfile_writer *writer, struct err *err)
{
	int rc;

	if (writer == NULL) {
		return ST_OK;
	}
	rc = stream_close(writer->stream, err);
	g_free(writer->new_path);
	g_free(writer);
	return rc;
}
