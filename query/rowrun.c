/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowrun.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#define BUFFER_BYTES (256u * 1024)

struct rowrun {
	int fd;
	const char *temp_dir;
	size_t row_size;
	uint8_t *buffer;
	size_t capacity; /* whole rows */
	size_t used;     /* bytes written to or read into the buffer */
	size_t at;       /* next row to read */
};

int rowrun_new(struct rowrun **out, const char *temp_dir, size_t row_size, struct err *err)
{
	char *path = g_build_filename(temp_dir, "tussah-sort-XXXXXX", NULL);
	int fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
	struct rowrun *run;

	if (fd < 0) {
		err_errno(err, ST_EIO, errno, "cannot create a temporary file in '%s'", temp_dir);
		g_free(path);
		return ST_EIO;
	}
	unlink(path);
	g_free(path);
	run = g_new0(struct rowrun, 1);
	run->fd = fd;
	run->temp_dir = temp_dir;
	run->row_size = row_size;
	run->capacity = MAX(BUFFER_BYTES / row_size, 1) * row_size;
	run->buffer = g_malloc(run->capacity);
	*out = run;
	return ST_OK;
}

void rowrun_free(struct rowrun *run)
{
	if (run) {
		close(run->fd);
		g_free(run->buffer);
		g_free(run);
	}
}

static int flush_buffer(struct rowrun *run, struct err *err)
{
	size_t done = 0;

	while (done < run->used) {
		ssize_t n = write(run->fd, run->buffer + done, run->used - done);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_errno(err, ST_EIO, errno,
					 "cannot write a temporary file in '%s'", run->temp_dir);
		}
		done += (size_t)n;
	}
	run->used = 0;
	return ST_OK;
}

int rowrun_write(struct rowrun *run, const uint8_t *row, struct err *err)
{
	memcpy(run->buffer + run->used, row, run->row_size);
	run->used += run->row_size;
	return run->used == run->capacity ? flush_buffer(run, err) : ST_OK;
}

int rowrun_write_rows(struct rowrun *run, const uint8_t *rows, size_t count, struct err *err)
{
	int status = ST_OK;

	for (size_t i = 0; i < count && status == ST_OK; i++, rows += run->row_size) {
		status = rowrun_write(run, rows, err);
	}
	return status;
}

int rowrun_finish(struct rowrun *run, struct err *err)
{
	int status = flush_buffer(run, err);

	if (status == ST_OK && lseek(run->fd, 0, SEEK_SET) != 0) {
		status = err_errno(err, ST_EIO, errno, "cannot rewind a temporary file in '%s'",
				   run->temp_dir);
	}
	return status;
}

static int fill_buffer(struct rowrun *run, struct err *err)
{
	run->at = 0;
	run->used = 0;
	while (run->used < run->capacity) {
		ssize_t n = read(run->fd, run->buffer + run->used, run->capacity - run->used);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_errno(err, ST_EIO, errno, "cannot read a temporary file in '%s'",
					 run->temp_dir);
		}
		if (n == 0) {
			break;
		}
		run->used += (size_t)n;
	}
	return run->used >= run->row_size ? ST_OK : ST_END;
}

int rowrun_read(struct rowrun *run, const uint8_t **row, struct err *err)
{
	if (run->used - run->at < run->row_size) {
		int status = fill_buffer(run, err);

		if (status != ST_OK) {
			return status;
		}
	}
	*row = run->buffer + run->at;
	run->at += run->row_size;
	return ST_OK;
}

/* ---- merging: a heap of the runs' next rows ---- */

struct head {
	struct rowrun *run;
	guint order; /* in which it was added */
	const uint8_t *row;
};

struct rowmerge {
	size_t key_size;
	bool reverse;
	bool started;
	GArray *heads; /* struct head; the heap once started */
	uint8_t *row;  /* copy of what was handed out, as reading on reuses the buffer */
	size_t row_size;
};

struct rowmerge *rowmerge_new(size_t key_size, size_t row_size, bool reverse)
{
	struct rowmerge *merge = g_new0(struct rowmerge, 1);

	merge->key_size = key_size;
	merge->row_size = row_size;
	merge->reverse = reverse;
	merge->heads = g_array_new(FALSE, FALSE, sizeof(struct head));
	merge->row = g_malloc(row_size);
	return merge;
}

void rowmerge_free(struct rowmerge *merge)
{
	if (merge) {
		g_array_free(merge->heads, TRUE);
		g_free(merge->row);
		g_free(merge);
	}
}

void rowmerge_add(struct rowmerge *merge, struct rowrun *run)
{
	const struct head head = { .run = run, .order = merge->heads->len };

	g_array_append_val(merge->heads, head);
}

static bool head_before(const struct rowmerge *merge, const struct head *a, const struct head *b)
{
	int order = memcmp(a->row, b->row, merge->key_size);

	if (order == 0) {
		return a->order < b->order;
	}
	return (order < 0) != merge->reverse;
}

static void sift_down(struct rowmerge *merge, guint at)
{
	struct head *heads = (struct head *)(void *)merge->heads->data;
	guint len = merge->heads->len;

	for (;;) {
		guint child = 2 * at + 1;
		struct head swap;

		if (child >= len) {
			return;
		}
		if (child + 1 < len && head_before(merge, &heads[child + 1], &heads[child])) {
			child++;
		}
		if (!head_before(merge, &heads[child], &heads[at])) {
			return;
		}
		swap = heads[at];
		heads[at] = heads[child];
		heads[child] = swap;
		at = child;
	}
}

static int start(struct rowmerge *merge, struct err *err)
{
	for (guint i = 0; i < merge->heads->len;) {
		struct head *head = &g_array_index(merge->heads, struct head, i);
		int status = rowrun_read(head->run, &head->row, err);

		if (status == ST_OK) {
			i++;
		} else if (status == ST_END) {
			g_array_remove_index(merge->heads, i);
		} else {
			return status;
		}
	}
	for (guint i = merge->heads->len / 2; i-- > 0;) {
		sift_down(merge, i);
	}
	merge->started = true;
	return ST_OK;
}

int rowmerge_next(struct rowmerge *merge, const uint8_t **row, struct err *err)
{
	struct head *first;
	int status = merge->started ? ST_OK : start(merge, err);

	if (status != ST_OK) {
		return status;
	}
	if (merge->heads->len == 0) {
		return ST_END;
	}
	first = &g_array_index(merge->heads, struct head, 0);
	memcpy(merge->row, first->row, merge->row_size);
	*row = merge->row;
	status = rowrun_read(first->run, &first->row, err);
	if (status == ST_END) {
		*first = g_array_index(merge->heads, struct head, merge->heads->len - 1);
		g_array_set_size(merge->heads, merge->heads->len - 1);
		status = ST_OK;
	}
	if (status == ST_OK && merge->heads->len > 0) {
		sift_down(merge, 0);
	}
	return status;
}
