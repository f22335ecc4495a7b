/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/exporterstore.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/bigendian.h"
#include "storage/newfile.h"

#define EXPORTERSTORE_HEAD_BYTES 40
#define EXPORTERSTORE_TAIL_BYTES 8

static const uint8_t exporterstore_magic[8] = { 'T', 'S', 'E', 'X', 0, 0, 0, 1 };

static GByteArray *exporterstore_print(const struct exporterstore_head *head,
				       const GByteArray *state)
{
	GByteArray *bytes = g_byte_array_sized_new(state->len + EXPORTERSTORE_HEAD_BYTES +
						   EXPORTERSTORE_TAIL_BYTES);
	uint8_t number[8];

	g_byte_array_append(bytes, exporterstore_magic, sizeof(exporterstore_magic));
	g_byte_array_append(bytes, head->journal_id, sizeof(head->journal_id));
	put_be64(number, head->position);
	g_byte_array_append(bytes, number, sizeof(number));
	put_be64(number, state->len);
	g_byte_array_append(bytes, number, sizeof(number));
	g_byte_array_append(bytes, state->data, state->len);
	put_be64(number, XXH64(bytes->data, bytes->len, 0));
	g_byte_array_append(bytes, number, sizeof(number));
	return bytes;
}

int exporterstore_write(const char *directory, const struct exporterstore_head *head,
			const GByteArray *state, struct err *err)
{
	GByteArray *bytes = exporterstore_print(head, state);
	char *path = g_build_filename(directory, EXPORTERSTORE_FILE, NULL);
	char *temp = NULL;
	int fd = -1;
	int st = newfile_open(path, &temp, &fd, err);

	if (st != ST_OK) {
		goto done;
	}
	st = newfile_write(fd, 0, bytes->data, bytes->len, err);
	if (st == ST_OK && fsync(fd) != 0) {
		st = err_errno(err, err_status(errno), errno, "sync %s", temp);
	}
	close(fd);
	if (st == ST_OK && rename(temp, path) != 0) {
		st = err_errno(err, err_status(errno), errno, "rename %s", temp);
	}
	if (st != ST_OK) {
		unlink(temp);
		goto done;
	}
	st = newfile_sync_folder(path, err);
done:
	g_free(temp);
	g_free(path);
	g_byte_array_free(bytes, TRUE);
	return st;
}

/* Is all of it there, and as it was written? */
static bool exporterstore_is_whole(const uint8_t *bytes, size_t len)
{
	return len >= EXPORTERSTORE_HEAD_BYTES + EXPORTERSTORE_TAIL_BYTES &&
	       memcmp(bytes, exporterstore_magic, sizeof(exporterstore_magic)) == 0 &&
	       get_be64(bytes + 32) == len - EXPORTERSTORE_HEAD_BYTES - EXPORTERSTORE_TAIL_BYTES &&
	       get_be64(bytes + len - EXPORTERSTORE_TAIL_BYTES) ==
		       XXH64(bytes, len - EXPORTERSTORE_TAIL_BYTES, 0);
}

int exporterstore_read(const char *directory, struct exporterstore_head *head, GByteArray **state,
		       struct err *err)
{
	char *path = g_build_filename(directory, EXPORTERSTORE_FILE, NULL);
	char *bytes = NULL;
	gsize len = 0;
	GError *error = NULL;
	int st = ST_OK;

	if (!g_file_get_contents(path, &bytes, &len, &error)) {
		st = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? ST_ENOENT : ST_EIO;
		err_set(err, st, "%s", error->message);
		g_error_free(error);
	} else if (len > EXPORTERSTORE_BYTES_MAX ||
		   !exporterstore_is_whole((const uint8_t *)bytes, len)) {
		st = err_set(err, ST_EFORMAT, "%s: damaged", path);
	} else {
		memcpy(head->journal_id, bytes + 8, sizeof(head->journal_id));
		head->position = get_be64((const uint8_t *)bytes + 24);
		*state = g_byte_array_new();
		g_byte_array_append(
			*state, (const guint8 *)bytes + EXPORTERSTORE_HEAD_BYTES,
			(guint)(len - EXPORTERSTORE_HEAD_BYTES - EXPORTERSTORE_TAIL_BYTES));
	}
	g_free(bytes);
	g_free(path);
	return st;
}
