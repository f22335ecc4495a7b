/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/incremental.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/repo.h"

struct incremental_file {
	struct hourfile_key key;
	char *path; /* in the processing folder */
	struct stream *stream;
};

struct incremental {
	struct incremental_opts opts;
	GPtrArray *files; /* of struct incremental_file */
};

static void free_file(gpointer at)
{
	struct incremental_file *file = at;

	stream_close(file->stream, NULL);
	g_free(file->path);
	g_free(file);
}

struct incremental *incremental_new(const struct incremental_opts *opts)
{
	struct incremental *files = g_new(struct incremental, 1);

	files->opts = *opts;
	files->files = g_ptr_array_new_with_free_func(free_file);
	return files;
}

void incremental_free(struct incremental *files)
{
	if (files) {
		g_ptr_array_free(files->files, TRUE);
		g_free(files);
	}
}

/* Of a name that nobody else has. */
static int open_file(struct incremental *files, const struct hourfile_key *key,
		     struct incremental_file **out, struct err *err)
{
	struct header entries;
	const struct stream_write_opts write_opts = {
		.format = FORMAT_RWAUGMENTED,
		.compression = files->opts.compression,
		.no_silk_version = files->opts.no_silk_version,
		.entries = &entries,
	};
	char *path = repo_path(files->opts.site, "", key);
	struct incremental_file *file = g_new0(struct incremental_file, 1);
	int fd;
	int status;

	file->key = *key;
	file->path = g_strdup_printf("%s/%s.XXXXXX", files->opts.processing,
				     strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	g_free(path);
	fd = g_mkstemp_full(file->path, O_RDWR | O_CLOEXEC, 0666);
	if (fd < 0) {
		status = err_errno(err, ST_EIO, errno, "%s", file->path);
		free_file(file);
		return status;
	}
	header_init(&entries);
	header_add_packed_file(&entries, key->hour_ns, key->flowtype, key->sensor);
	status = stream_create_fd(&file->stream, fd, file->path, &write_opts, err);
	header_release(&entries);
	if (status != ST_OK) {
		free_file(file);
		return status;
	}
	g_ptr_array_add(files->files, file);
	*out = file;
	return ST_OK;
}

static struct incremental_file *find_file(const struct incremental *files,
					  const struct hourfile_key *key)
{
	for (guint i = 0; i < files->files->len; i++) {
		struct incremental_file *file = g_ptr_array_index(files->files, i);

		if (file->key.hour_ns == key->hour_ns && file->key.sensor == key->sensor &&
		    file->key.flowtype == key->flowtype) {
			return file;
		}
	}
	return NULL;
}

int incremental_write(struct incremental *files, const struct record *rec, struct err *err)
{
	const struct hourfile_key key = { record_hour_ns(rec), rec->sensor, rec->flowtype };
	struct incremental_file *file = find_file(files, &key);
	int status = ST_OK;

	if (!file && (!site_sensor_name(files->opts.site, key.sensor) ||
		      !site_flowtype_name(files->opts.site, key.flowtype))) {
		return err_set(err, ST_EINVAL, "the site has no sensor %u or no flowtype %u",
			       key.sensor, key.flowtype);
	}
	if (!file && files->files->len >= files->opts.files_max) {
		status = incremental_flush(files, err);
	}
	if (!file && status == ST_OK) {
		status = open_file(files, &key, &file, err);
	}
	return status == ST_OK ? stream_write(file->stream, rec, err) : status;
}

/* Give the file its name in the folder, unless there is one of that name: then with another end. */
static int publish(const struct incremental *files, const char *from, struct err *err)
{
	char *name = g_path_get_basename(from);
	char *path = g_build_filename(files->opts.output, name, NULL);
	char *end = strrchr(path, '.') + 1;
	int status = ST_OK;

	while (link(from, path) != 0) {
		if (errno != EEXIST) {
			status = err_errno(err, ST_EIO, errno, "cannot move %s to %s", from, path);
			break;
		}
		for (char *at = end; *at; at++) {
			*at = (char)g_random_int_range('A', 'Z' + 1);
		}
	}
	if (status == ST_OK && unlink(from) != 0) {
		status = err_errno(err, ST_EIO, errno, "%s", from);
	}
	g_free(name);
	g_free(path);
	return status;
}

static int move_file(const struct incremental *files, struct incremental_file *file,
		     struct err *err)
{
	int status = stream_close(file->stream, err);

	file->stream = NULL;
	return status == ST_OK ? publish(files, file->path, err) : status;
}

int incremental_flush(struct incremental *files, struct err *err)
{
	int status = ST_OK;

	for (guint i = 0; status == ST_OK && i < files->files->len; i++) {
		status = move_file(files, g_ptr_array_index(files->files, i), err);
	}
	g_ptr_array_set_size(files->files, 0);
	return status;
}
