/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One incremental file: where it belongs, what becomes of its records, where it goes. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/timestamp.h"
#include "packer/appender_internal.h"
#include "storage/blockout.h"
#include "storage/newfile.h"
#include "storage/repo.h"

/* ---- files that are not appended ---- */

int increment_put_aside(struct increment *in, struct err *err)
{
	int st;

	log_msg(LOG_LEVEL_INFO, "Moving incremental file '%s' to the error directory", in->name);
	st = disposal_bad(&in->appender->opts.disposal, in->path, err);
	return st == ST_OK ? newfile_sync_folder(in->path, err) : st;
}

int increment_refuse(struct increment *in, const char *why, struct err *err)
{
	log_msg(LOG_LEVEL_WARNING, "%s", why);
	return increment_put_aside(in, err);
}

/* NULL: the first record is within the hours; else why not. Returned: g_free(). */
char *increment_outside_window(const struct increment *in)
{
	const struct appender_opts *opts = &in->appender->opts;
	int64_t start_s = in->batch->start_ns[0] / NS_PER_S;
	int64_t hours = (int64_t)time(NULL) / 3600 - start_s / 3600;
	bool past = opts->hours_past >= 0 && hours > opts->hours_past;
	bool future = opts->hours_future >= 0 && -hours > opts->hours_future;

	if (!past && !future) {
		return NULL;
	}
	return g_strdup_printf("Skipping incremental file: First record's timestamp occurs %" PRId64
			       " hours in the %s: '%s'. Repository unchanged",
			       past ? hours : -hours, past ? "past" : "future", in->path);
}

/* ---- destination ---- */

/* From the header, else from the name; the site must know both. */
bool increment_find_key(struct increment *in)
{
	const struct site *site = in->appender->opts.site;
	const struct header *header = hourfile_header(in->reader);
	struct hourfile_key *key = &in->key;

	return (header_packed_file(header, &key->hour_ns, &key->flowtype, &key->sensor) &&
		site_sensor_name(site, key->sensor) && site_flowtype_name(site, key->flowtype)) ||
	       repo_parse_name(site, in->name, key) == ST_OK;
}

void increment_set_destination(struct increment *in)
{
	const struct appender_opts *opts = &in->appender->opts;

	in->hour_path = repo_path(opts->site, opts->root_directory, &in->key);
	in->hour_name = in->hour_path + strlen(opts->root_directory);
	in->hour_name += strspn(in->hour_name, "/");
}

/* What a new hourly file becomes; entries is filled for it. */
struct hourfile_write_opts increment_write_opts(const struct increment *in, struct header *entries)
{
	const struct appender_opts *opts = &in->appender->opts;
	const struct header *header = hourfile_header(in->reader);
	bool blocks = hourfile_blocks(in->reader) != NULL;
	struct hourfile_write_opts out = {
		.kind = opts->keep_kind ? (blocks ? HOURFILE_BLOCKS : HOURFILE_SILK) : opts->kind,
		.byte_order = opts->byte_order,
		.compression = opts->compression,
		.no_locking = opts->no_locking,
		.quick = in->appender->keeper != NULL, /* sealing makes it small */
		.entries = entries,
	};

	header_init(entries);
	if (blocks) {
		out.compression =
			out.compression == APPENDER_AS_IS ? COMPRESSION_DEFAULT : out.compression;
		return out;
	}
	out.format = header->format;
	out.record_version = header->record_version;
	if (opts->keep_byte_order) {
		out.byte_order = header->big_endian ? BYTE_ORDER_BIG : BYTE_ORDER_LITTLE;
	}
	if (out.compression == APPENDER_AS_IS) {
		out.compression = header->compression;
	}
	header_add_entries(entries, header);
	header_remove(entries, ENTRY_PACKED_FILE);
	return out;
}

/* ---- records ---- */

static int write_row(const struct increment *in, struct hourappend *out, uint32_t row,
		     struct err *err)
{
	struct record rec;
	int st;

	batch_get(in->batch, row, &rec);
	st = hourappend_write(out, &rec, err);
	for (size_t i = 0; st == ST_OK && i < batch_extension_count(in->batch); i++) {
		const struct batch_extension *column = batch_extension(in->batch, i);

		if (column->any && column->present[row]) {
			struct flowblock_value value = blockout_value(column, row);

			st = hourappend_set(out, &value, err);
		}
	}
	return st;
}

/* A column has one type in all of a block: has one of the batch another than before? */
static bool types_differ(struct increment *in)
{
	bool differ = false;

	for (size_t i = 0; i < batch_extension_count(in->batch); i++) {
		const struct batch_extension *column = batch_extension(in->batch, i);
		uint64_t key = (uint64_t)column->key.pen << 32 | column->key.id;
		gpointer type = GUINT_TO_POINTER(column->type + 1u);
		gpointer before = g_hash_table_lookup(in->types, &key);

		differ |= column->any && before && before != type;
		if (column->any) {
			g_hash_table_replace(in->types, g_memdup2(&key, sizeof(key)), type);
		}
	}
	return differ;
}

static int write_batch(struct increment *in, struct hourappend *out, struct err *err)
{
	int st = types_differ(in) ? hourappend_stage(out, err) : ST_OK;

	for (uint32_t row = 0; st == ST_OK && row < in->batch->rows; row++) {
		st = write_row(in, out, row, err);
	}
	in->records += in->batch->rows;
	return st;
}

/* The first batch has been read. *damage tells what ended the reading too early. */
int increment_encode(struct increment *in, struct hourappend *out, struct err *err)
{
	int st = write_batch(in, out, err);
	int read = ST_OK;

	while (st == ST_OK && (read = hourfile_read_batch(in->reader, in->batch, COLUMNS_ALL,
							  &in->damage)) == ST_OK) {
		st = write_batch(in, out, err);
	}
	in->damage.status = read == ST_OK || read == ST_END ? ST_OK : read;
	return st == ST_OK ? hourappend_stage(out, err) : st;
}

/* ---- from begin to end ---- */

/* ST_OK, ST_END (no records), or why it is no good. */
int increment_open(struct increment *in, struct err *err)
{
	const struct stream_read_opts opts = { .site = in->appender->opts.site };
	int st = hourfile_open(&in->reader, in->path, &opts, err);

	if (st != ST_OK) {
		return st;
	}
	in->batch = batch_new();
	in->types = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	if (hourfile_blocks(in->reader)) {
		batch_want_every(in->batch);
	}
	return hourfile_read_batch(in->reader, in->batch, COLUMNS_ALL, err);
}

void increment_close(struct increment *in)
{
	hourfile_close(in->reader);
	batch_free(in->batch);
	g_clear_pointer(&in->types, g_hash_table_destroy);
	in->reader = NULL;
	in->batch = NULL;
	in->records = 0;
	g_clear_pointer(&in->hour_path, g_free);
}

int increment_move(struct increment *in, struct err *err)
{
	char *folder = g_path_get_dirname(in->hour_name);
	int st;

	if (in->damage.status == ST_OK) {
		st = disposal_good_under(&in->appender->opts.disposal, in->path, folder, err);
	} else {
		log_msg(LOG_LEVEL_WARNING, "%s; the %" PRIu64 " records before are appended",
			in->damage.text, in->records);
		log_msg(LOG_LEVEL_INFO, "Moving incremental file '%s' to the error directory",
			in->name);
		st = disposal_bad(&in->appender->opts.disposal, in->path, err);
	}
	g_free(folder);
	return st;
}

void increment_tell(const struct increment *in, uint64_t old_size, uint64_t new_size)
{
	log_msg(LOG_LEVEL_DEBUG,
		"Read %" PRIu64 " recs from '%s'; wrote %" PRIu64 " recs to '%s'; old size %" PRIu64
		"; new size %" PRIu64,
		in->records, in->name, in->records, strrchr(in->hour_path, '/') + 1, old_size,
		new_size);
	log_msg(LOG_LEVEL_INFO, "APPEND OK '%s' to '%s' @ %" PRIu64, in->name, in->hour_path,
		old_size);
}
