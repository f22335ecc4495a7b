/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/inputspans.h"

#include <stdbool.h>
#include <stdlib.h>

#include <glib.h>

#include "common/timestamp.h"
#include "storage/bytesource.h"
#include "storage/hourfile.h"

struct inputspans {
	GArray *files; /* struct inputfile, by span and then as named */
	GArray *spans; /* struct range */
	uint64_t rows;
	uint64_t rows_max;
};

/* Files of a span: first..end-1. */
struct range {
	size_t first, end;
	uint64_t rows;
};

static void file_clear(gpointer file)
{
	g_free(((struct inputfile *)file)->name);
	header_release(&((struct inputfile *)file)->header);
}

/* Of the first blocks. */
static void look_at_blocks(const struct blockfile *blocks, size_t count, struct inputfile *file)
{
	file->first_ms = INT64_MAX;
	file->last_ms = INT64_MIN;
	file->rows = 0;
	for (size_t i = 0; i < count; i++) {
		const struct summary *summary = &blockfile_block(blocks, i)->summary;

		file->rows += blockfile_block(blocks, i)->rows;
		file->first_ms = MIN(file->first_ms, summary->first_start_ns / NS_PER_MS);
		file->last_ms = MAX(file->last_ms, summary->last_start_ns / NS_PER_MS);
	}
}

static bool look_at_file(const struct hourfile_reader *reader, struct inputfile *file)
{
	const struct blockfile *blocks = hourfile_blocks(reader);

	if (!blocks || blockfile_damage(blocks, 0) || blockfile_torn(blocks) > 0) {
		return false;
	}
	file->blocks = blockfile_count(blocks);
	look_at_blocks(blocks, file->blocks, file);
	header_add_entries(&file->header, hourfile_header(reader));
	return file->rows == 0 || file->first_ms > 0;
}

static bool add_file(struct inputspans *spans, const char *name,
		     const struct stream_read_opts *opts)
{
	struct inputfile file = { .order = spans->files->len };
	struct hourfile_reader *reader = NULL;
	struct err err;
	bool fits;

	if (!bytesource_is_file(name) || hourfile_open(&reader, name, opts, &err) != ST_OK) {
		return false;
	}
	file.name = g_strdup(name);
	header_init(&file.header);
	fits = look_at_file(reader, &file);
	hourfile_close(reader);
	g_array_append_val(spans->files, file);
	return fits;
}

static gint by_time(gconstpointer a, gconstpointer b)
{
	const struct inputfile *one = a;
	const struct inputfile *other = b;

	if (one->first_ms != other->first_ms) {
		return one->first_ms < other->first_ms ? -1 : 1;
	}
	return one->order < other->order ? -1 : 1;
}

static gint as_named(gconstpointer a, gconstpointer b)
{
	const struct inputfile *one = a;
	const struct inputfile *other = b;

	return one->order < other->order ? -1 : one->order > other->order;
}

/* Files in the order of time become spans; a file without rows, whose time is after all, none. */
static void make_spans(struct inputspans *spans)
{
	const struct inputfile *files = (const struct inputfile *)(void *)spans->files->data;
	size_t i = 0;

	while (i < spans->files->len && files[i].rows > 0) {
		struct range range = { .first = i };
		int64_t last_ms = files[i].last_ms;

		while (i < spans->files->len && files[i].rows > 0 && files[i].first_ms <= last_ms) {
			last_ms = MAX(last_ms, files[i].last_ms);
			range.rows += files[i++].rows;
		}
		range.end = i;
		spans->rows += range.rows;
		spans->rows_max = MAX(spans->rows_max, range.rows);
		qsort((void *)(files + range.first), range.end - range.first, sizeof(*files),
		      as_named);
		g_array_append_val(spans->spans, range);
	}
}

struct inputspans *inputspans_find(struct source *source)
{
	struct inputspans *spans = g_new0(struct inputspans, 1);
	size_t count;
	const char *const *names = source_names_ahead(source, &count);
	bool fits = true;

	spans->files = g_array_new(FALSE, FALSE, sizeof(struct inputfile));
	g_array_set_clear_func(spans->files, file_clear);
	spans->spans = g_array_new(FALSE, FALSE, sizeof(struct range));
	for (size_t i = 0; i < count && fits; i++) {
		fits = add_file(spans, names[i], source_read_opts(source));
	}
	if (fits) {
		g_array_sort(spans->files, by_time);
		make_spans(spans);
	}
	if (!fits || spans->rows == 0) {
		g_clear_pointer(&spans, inputspans_free);
	}
	return spans;
}

void inputspans_free(struct inputspans *spans)
{
	if (spans) {
		g_array_free(spans->files, TRUE);
		g_array_free(spans->spans, TRUE);
		g_free(spans);
	}
}

size_t inputspans_count(const struct inputspans *spans)
{
	return spans->spans->len;
}

struct inputspan inputspans_get(const struct inputspans *spans, size_t i)
{
	const struct range *range = &g_array_index(spans->spans, struct range, i);

	return (struct inputspan){
		.files = &g_array_index(spans->files, struct inputfile, range->first),
		.count = range->end - range->first,
		.rows = range->rows,
	};
}

uint64_t inputspans_rows(const struct inputspans *spans)
{
	return spans->rows;
}

uint64_t inputspans_rows_max(const struct inputspans *spans)
{
	return spans->rows_max;
}

void inputspans_tell_opened(const struct inputspans *spans, struct source *source)
{
	const size_t count = spans->files->len;
	const struct inputfile **named = g_new(const struct inputfile *, count);

	for (size_t i = 0; i < count; i++) {
		const struct inputfile *file = &g_array_index(spans->files, struct inputfile, i);

		named[file->order] = file;
	}
	for (size_t i = 0; i < count; i++) {
		source_opened(source, named[i]->name, &named[i]->header);
	}
	g_free(named);
}

static bool has_rows_of(const struct inputfile *file, const struct blockfile *blocks, size_t count)
{
	struct inputfile now;

	if (blockfile_count(blocks) < count) {
		return false;
	}
	look_at_blocks(blocks, count, &now);
	return now.rows == file->rows && now.first_ms == file->first_ms &&
	       now.last_ms == file->last_ms;
}

size_t inputspans_blocks(const struct inputfile *file, const struct blockfile *blocks)
{
	if (!blocks || blockfile_damage(blocks, 0)) {
		return 0;
	}
	if (has_rows_of(file, blocks, file->blocks)) {
		return file->blocks;
	}
	return has_rows_of(file, blocks, blockfile_count(blocks)) ? blockfile_count(blocks) : 0;
}
