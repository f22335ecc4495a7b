/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a SiLK file cannot hold is found by encoding every batch, decoding it again and comparing:
 * that is right for whatever the layout tables say.
 */
#include "query/convert.h"

#include <string.h>
#include <unistd.h>

#include "storage/blockheader.h"
#include "storage/blockwriter.h"
#include "storage/lockedfile.h"
#include "storage/rowformat.h"
#include "storage/seal.h"

/* Of all formats the one that holds most. */
#define TARGET_FORMAT FORMAT_RWIPV6ROUTING

struct convert {
	const struct convert_opts *opts;
	const char *from;
	struct hourfile_reader *reader;
	struct convert_losses *losses;
	struct batch *batch;
	struct err *err;
};

bool convert_loses(const struct convert_losses *losses)
{
	for (unsigned column = 0; column < COLUMN_COUNT; column++) {
		if (losses->changed[column] > 0) {
			return true;
		}
	}
	return losses->refused > 0 || losses->columns != NULL;
}

void convert_losses_release(struct convert_losses *losses)
{
	g_free(losses->refusal);
	g_clear_pointer(&losses->columns, g_hash_table_destroy);
	*losses = (struct convert_losses){ 0 };
}

/* ---- to a block file ---- */

struct property_kind {
	uint32_t entry;
	enum blockfile_property_type property;
};

static const struct property_kind property_kinds[] = {
	{ ENTRY_ANNOTATION, BLOCKFILE_ANNOTATION },
	{ ENTRY_INVOCATION, BLOCKFILE_INVOCATION },
	{ ENTRY_PROBE_NAME, BLOCKFILE_PROBE_NAME },
};

static void describe_blocks(const struct header *header, struct blockfile_header *out)
{
	*out = (struct blockfile_header){
		.hour_ns = INT64_MIN,
		.sensor = RECORD_NO_SENSOR,
		.flowtype = RECORD_NO_FLOWTYPE,
	};
	header_packed_file(header, &out->hour_ns, &out->flowtype, &out->sensor);
	for (size_t i = 0; i < header->entry_count; i++) {
		const struct header_entry *entry = &header->entries[i];

		for (size_t k = 0; k < G_N_ELEMENTS(property_kinds); k++) {
			if (entry->id == property_kinds[k].entry) {
				blockheader_add(out, property_kinds[k].property,
						(const char *)entry->payload,
						strnlen((const char *)entry->payload, entry->len));
			}
		}
	}
}

static int copy_to_blocks(struct convert *convert, struct blockwriter *writer)
{
	struct record rec;
	int rc;

	while ((rc = hourfile_read_batch(convert->reader, convert->batch, COLUMNS_ALL,
					 convert->err)) == ST_OK) {
		for (uint32_t i = 0; rc == ST_OK && i < convert->batch->selected; i++) {
			batch_get(convert->batch, convert->batch->selection[i], &rec);
			rc = blockwriter_write(writer, &rec, convert->err);
		}
		if (rc != ST_OK) {
			return rc;
		}
		convert->losses->records += convert->batch->selected;
	}
	return rc == ST_END ? ST_OK : rc;
}

static int write_blocks(struct convert *convert, const char *path)
{
	struct blockwriter_opts write_opts = { .compression = convert->opts->compression };
	const struct seal_opts seal_opts = { .compression = convert->opts->compression };
	struct blockwriter *writer = NULL;
	struct seal_result result;
	int rc;

	describe_blocks(hourfile_header(convert->reader), &write_opts.header);
	rc = blockwriter_append(&writer, path, &write_opts, NULL, convert->err);
	blockheader_release(&write_opts.header);
	if (rc != ST_OK) {
		return rc;
	}
	rc = copy_to_blocks(convert, writer);
	if (rc != ST_OK) {
		blockwriter_discard(writer);
		return rc;
	}
	rc = blockwriter_close(writer, convert->err);
	return rc == ST_OK ? seal_file(path, &seal_opts, &result, convert->err) : rc;
}

/* ---- to a SiLK file ---- */

static void describe_rows(const struct blockfile_header *header, struct header *out)
{
	header_init(out);
	if (header->hour_ns != INT64_MIN) {
		header_add_packed_file(out, header->hour_ns, header->flowtype, header->sensor);
	}
	for (size_t i = 0; i < header->property_count; i++) {
		const struct blockfile_property *property = &header->properties[i];

		for (size_t k = 0; k < G_N_ELEMENTS(property_kinds); k++) {
			if (property->type == property_kinds[k].property) {
				header_add_text(out, property_kinds[k].entry, property->text);
			}
		}
	}
}

/* Space to write rows into and read them back from. */
struct mirror {
	const struct rowformat *format;
	uint8_t *bytes;
	struct batch *back;
};

static void count_changes(struct convert *convert, const struct mirror *mirror,
			  const uint16_t *rows, uint32_t count)
{
	for (unsigned column = 0; column < COLUMN_COUNT; column++) {
		const struct core_column *core = column_core(column);
		const uint8_t *before = (const uint8_t *)convert->batch + core->batch_offset;
		const uint8_t *after = (const uint8_t *)mirror->back + core->batch_offset;

		for (uint32_t i = 0; i < count; i++) {
			convert->losses->changed[column] +=
				memcmp(before + rows[i] * core->size, after + i * core->size,
				       core->size) != 0;
		}
	}
}

/* Select the rows that the format can hold, and count what it changes about them. */
static void weigh_batch(struct convert *convert, const struct mirror *mirror)
{
	struct batch *batch = convert->batch;
	struct rowview view = rowview_of_batch(batch);
	const struct rowwrite out = { .bytes = mirror->bytes, .stride = mirror->format->length };
	struct rowread in = {
		.bytes = mirror->bytes,
		.stride = mirror->format->length,
		.keep_icmp_sport = true,
	};
	struct err why;

	convert->losses->records += batch->rows;
	batch->selected = 0;
	for (uint32_t row = 0; row < batch->rows; row++) {
		if (rowformat_check(mirror->format, &view, row, 0, &why) == ST_OK) {
			batch->selection[batch->selected++] = (uint16_t)row;
			continue;
		}
		if (convert->losses->refused++ == 0) {
			convert->losses->refusal = g_strdup(why.text);
		}
	}
	in.rows = batch->selected;
	rowformat_encode(mirror->format, &out, &view, batch->selection, batch->selected);
	rowformat_decode(mirror->format, &in, COLUMNS_ALL, mirror->back);
	count_changes(convert, mirror, batch->selection, batch->selected);
}

static void note_extensions(struct convert *convert)
{
	const struct blockfile *file = hourfile_blocks(convert->reader);
	char name[COLUMN_NAME_MAX];

	for (size_t i = 0; i < blockfile_count(file); i++) {
		const struct flowblock *block = blockfile_block(file, i);

		for (size_t n = 0; n < block->column_count; n++) {
			if (column_find(&block->columns[n].key) != COLUMN_COUNT) {
				continue;
			}
			if (convert->losses->columns == NULL) {
				convert->losses->columns = g_hash_table_new_full(
					g_str_hash, g_str_equal, g_free, NULL);
			}
			g_hash_table_add(convert->losses->columns,
					 g_strdup(column_name(&block->columns[n].key, name)));
		}
	}
}

static int copy_to_rows(struct convert *convert, struct stream *out)
{
	struct mirror mirror = {
		.format = rowformat_find(TARGET_FORMAT, rowformat_default_version(TARGET_FORMAT)),
		.back = batch_new(),
	};
	int rc;

	mirror.bytes = g_malloc0((size_t)BATCH_ROWS * mirror.format->length);
	while ((rc = hourfile_read_batch(convert->reader, convert->batch, COLUMNS_ALL,
					 convert->err)) == ST_OK) {
		weigh_batch(convert, &mirror);
		rc = stream_write_batch(out, convert->batch, NULL, convert->err);
		if (rc != ST_OK) {
			break;
		}
	}
	g_free(mirror.bytes);
	batch_free(mirror.back);
	return rc == ST_END ? ST_OK : rc;
}

/* path NULL: standard output. */
static int write_rows(struct convert *convert, const char *path)
{
	struct header entries;
	struct stream_write_opts write_opts = {
		.format = TARGET_FORMAT,
		.compression = convert->opts->compression,
		.byte_order = convert->opts->byte_order,
		.no_silk_version = convert->opts->no_silk_version,
		.overwrite = true,
		.entries = &entries,
	};
	struct stream *out = NULL;
	int closed;
	int rc;

	note_extensions(convert);
	describe_rows(blockfile_header(hourfile_blocks(convert->reader)), &entries);
	rc = stream_create(&out, path != NULL ? path : "stdout", &write_opts, convert->err);
	header_release(&entries);
	if (rc != ST_OK) {
		return rc;
	}
	rc = copy_to_rows(convert, out);
	if (rc == ST_OK && path != NULL) {
		rc = stream_sync(out, convert->err);
	}
	closed = stream_close(out, rc == ST_OK ? convert->err : NULL);
	return rc == ST_OK ? closed : rc;
}

/* ---- any ---- */

static int write_target(struct convert *convert, const char *path)
{
	return convert->opts->kind == HOURFILE_BLOCKS ? write_blocks(convert, path)
						      : write_rows(convert, path);
}

/* Write to a name of its own first, and take the name when all went well. */
static int replace_target(struct convert *convert, const char *to, const struct stat *like)
{
	char *temporary = NULL;
	int fd = -1;
	int rc = lockedfile_temporary(to, like, &temporary, &fd, convert->err);

	if (rc != ST_OK) {
		return rc;
	}
	close(fd);
	rc = write_target(convert, temporary);
	if (rc == ST_OK && convert->opts->keep_if_lossy && convert_loses(convert->losses)) {
		rc = err_set(convert->err, ST_ERANGE, "%s: kept as it is", convert->from);
	}
	if (rc == ST_OK) {
		rc = lockedfile_replace(temporary, to, convert->err);
	}
	if (rc != ST_OK) {
		unlink(temporary);
	}
	g_free(temporary);
	return rc;
}

int convert_file(const char *from, const char *to, const struct convert_opts *opts,
		 struct convert_losses *losses, struct err *err)
{
	struct convert convert = { .opts = opts, .from = from, .losses = losses, .err = err };
	bool in_place = to != NULL && strcmp(from, to) == 0;
	bool is_blocks;
	struct stat st;
	int lock_fd = -1;
	int rc = in_place ? lockedfile_open(from, 0, &lock_fd, err) : ST_OK;

	if (rc == ST_OK) {
		rc = hourfile_open(&convert.reader, from, &opts->read_opts, err);
	}
	if (rc != ST_OK) {
		goto done;
	}
	is_blocks = hourfile_blocks(convert.reader) != NULL;
	if (is_blocks == (opts->kind == HOURFILE_BLOCKS)) {
		rc = err_set(err, ST_EEXIST, "%s: is a %s file already", from,
			     is_blocks ? "block" : "SiLK");
		goto done;
	}
	if (stat(from, &st) != 0) {
		st = (struct stat){ .st_mode = 0644, .st_uid = geteuid(), .st_gid = getegid() };
	}
	convert.batch = batch_new();
	rc = to == NULL ? write_target(&convert, NULL) : replace_target(&convert, to, &st);
done:
	batch_free(convert.batch);
	hourfile_close(convert.reader);
	if (lock_fd >= 0) {
		close(lock_fd);
	}
	return rc;
}
