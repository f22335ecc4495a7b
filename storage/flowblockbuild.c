/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/flowblockbuild.h"

#include "common/vectorized.h"
#include "storage/blockbody.h"
#include "storage/bloom.h"
#include "storage/columnencode.h"
#include "storage/extension.h"
#include "storage/flowcolumns.h"
#include "storage/hashset.h"
#include "storage/putbytes.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#define FILTER_ROWS_MIN 64u         /* smaller blocks are read as fast as their filter */
#define EXTENSION_FULL  (32u << 20) /* bytes of extension values that end a block */
/* Of fewer rows: room is given back, since there may be many builders that make no larger ones. */
#define SMALL_BLOCK 4096u
/* What is gathered for the quick blocks of some files is to stay in the processor's cache. */
#define QUICK_ROWS 2048u

/* A column to be built: a core column, or an extension. */
struct source_column {
	struct column_key key;
	enum column core;
	const struct extension_column *extension; /* NULL: core */
};

struct flowblock_builder {
	struct flowblock_opts opts;
	struct flowcolumns columns;               /* what was added */
	struct source_column cores[COLUMN_COUNT]; /* in the order of the directory */
	struct extension_buffer *extensions;
	struct columnencoder *encoder;
	struct hashset hashes;
	struct flowblock block; /* being built */
	struct blockbody body;  /* of it */
	GByteArray *out;
};

/* Into its place among those before. */
static void insert_source(struct source_column *sources, size_t count,
			  const struct source_column *source)
{
	size_t at = count;

	while (at > 0 && column_key_compare(&sources[at - 1].key, &source->key) > 0) {
		sources[at] = sources[at - 1];
		at--;
	}
	sources[at] = *source;
}

static void order_cores(struct source_column sources[COLUMN_COUNT])
{
	for (enum column core = 0; core < COLUMN_COUNT; core++) {
		const struct source_column source = { .core = core, .key = column_core(core)->key };

		insert_source(sources, core, &source);
	}
}

struct flowblock_builder *flowblock_builder_new(const struct flowblock_opts *opts)
{
	struct flowblock_builder *builder = g_new0(struct flowblock_builder, 1);
	struct record defaults;

	builder->opts = *opts;
	if (opts->quick) {
		builder->opts.compression = CHUNK_PLAIN;
		builder->opts.no_filter = true;
	}
	record_init(&defaults);
	defaults.sensor = opts->sensor;
	defaults.flowtype = opts->flowtype;
	order_cores(builder->cores);
	flowcolumns_init(&builder->columns, &defaults);
	builder->extensions = extension_buffer_new();
	builder->encoder = columnencoder_new(opts->quick, &defaults);
	blockbody_init(&builder->body, builder->opts.compression);
	builder->out = g_byte_array_new();
	return builder;
}

void flowblock_builder_free(struct flowblock_builder *builder)
{
	if (builder == NULL) {
		return;
	}
	flowcolumns_release(&builder->columns);
	extension_buffer_free(builder->extensions);
	columnencoder_free(builder->encoder);
	hashset_release(&builder->hashes);
	flowblock_release(&builder->block);
	blockbody_release(&builder->body);
	g_byte_array_unref(builder->out);
	g_free(builder);
}

uint32_t flowblock_rows(const struct flowblock_builder *builder)
{
	return builder->columns.rows;
}

static uint32_t rows_max(const struct flowblock_builder *builder)
{
	return builder->opts.quick ? QUICK_ROWS : FLOWBLOCK_ROWS_MAX;
}

bool flowblock_is_full(const struct flowblock_builder *builder)
{
	return builder->columns.rows >= rows_max(builder) ||
	       extension_bytes(builder->extensions) >= EXTENSION_FULL;
}

uint32_t flowblock_room(const struct flowblock_builder *builder)
{
	return flowblock_is_full(builder) ? 0 : rows_max(builder) - builder->columns.rows;
}

void flowblock_add(struct flowblock_builder *builder, const struct record *rec)
{
	assert(builder->columns.rows < FLOWBLOCK_ROWS_MAX);
	flowcolumns_add(&builder->columns, rec);
}

int flowblock_set(struct flowblock_builder *builder, const struct flowblock_value *value,
		  struct err *err)
{
	assert(builder->columns.rows > 0);
	return extension_put(builder->extensions, builder->columns.rows - 1, value, err);
}

size_t flowblock_add_rows(struct flowblock_builder *builder, struct flowblock_row *const *rows,
			  size_t count)
{
	const uint32_t first = builder->columns.rows;

	assert(first + count <= FLOWBLOCK_ROWS_MAX);
	for (size_t at = 0; at < count; at += FLOWCOLUMNS_STAGED) {
		const struct record *records[FLOWCOLUMNS_STAGED];
		size_t some = MIN(count - at, FLOWCOLUMNS_STAGED);

		for (size_t i = 0; i < some; i++) {
			records[i] = &rows[at + i]->rec;
		}
		flowcolumns_add_rows(&builder->columns, records, some);
	}
	return extension_put_rows(builder->extensions, first, rows, count);
}

VECTORIZED static void measure_times(const struct flowblock_builder *builder,
				     struct flowblock *block)
{
	const int64_t *start_ns = builder->columns.values[COLUMN_START];
	const uint64_t *duration_ns = builder->columns.values[COLUMN_DURATION];
	int64_t first_start_ns = start_ns[0];
	int64_t last_start_ns = start_ns[0];
	int64_t last_end_ns = INT64_MIN;
	int64_t falls = 0;

	for (uint32_t i = 0; i < builder->columns.rows; i++) {
		int64_t end_ns = (int64_t)((uint64_t)start_ns[i] + duration_ns[i]);

		first_start_ns = MIN(first_start_ns, start_ns[i]);
		last_start_ns = MAX(last_start_ns, start_ns[i]);
		last_end_ns = MAX(last_end_ns, end_ns);
	}
	for (uint32_t i = 1; i < builder->columns.rows; i++) {
		falls |= start_ns[i - 1] > start_ns[i];
	}
	summary_init(&block->summary);
	block->summary.first_start_ns = first_start_ns;
	block->summary.last_start_ns = last_start_ns;
	block->summary.last_end_ns = last_end_ns;
	block->sorted = falls == 0;
}

/* ---- the block ---- */

/* All columns in the order of the directory. */
static struct source_column *list_sources(const struct flowblock_builder *builder, size_t *count)
{
	size_t extensions = extension_count(builder->extensions);
	struct source_column *sources = g_new(struct source_column, COLUMN_COUNT + extensions);

	memcpy(sources, builder->cores, sizeof(builder->cores));
	*count = COLUMN_COUNT;
	for (size_t i = 0; i < extensions; i++) {
		struct source_column source = { .extension =
							extension_column(builder->extensions, i) };

		source.key = extension_key(source.extension);
		insert_source(sources, (*count)++, &source);
	}
	return sources;
}

static int build_columns(struct flowblock_builder *builder, struct err *err)
{
	struct flowblock *block = &builder->block;
	size_t count;
	struct source_column *sources = list_sources(builder, &count);
	int rc = ST_OK;

	block->columns = g_new0(struct flowblock_column, count);
	for (size_t i = 0; rc == ST_OK && i < count; i++) {
		struct flowblock_column *column = &block->columns[block->column_count];
		GByteArray *stream;

		*column = (struct flowblock_column){ .key = sources[i].key };
		stream = blockbody_begin(&builder->body);
		if (sources[i].extension != NULL) {
			columnencoder_extension(builder->encoder, sources[i].extension, stream,
						column);
		} else if (!columnencoder_core(builder->encoder, sources[i].core, stream, column)) {
			continue;
		}
		rc = blockbody_end(&builder->body, column, err);
		block->column_count++;
	}
	g_free(sources);
	return rc;
}

static void hash_addresses(struct flowblock_builder *builder, enum column core)
{
	const struct ip *values;

	if (builder->opts.quick) {
		return;
	}
	values = columnencoder_addresses(builder->encoder, core);
	for (uint32_t i = 0; i < builder->columns.rows; i++) {
		if (i == 0 || !ip_equal(values[i], values[i - 1])) {
			hashset_add(&builder->hashes, bloom_hash(values[i]));
		}
	}
}

static void build_filter(struct flowblock_builder *builder)
{
	const struct hashset *hashes = &builder->hashes;
	size_t size = bloom_size(hashes->count);

	if (builder->opts.no_filter || builder->columns.rows < FILTER_ROWS_MIN) {
		return;
	}
	g_byte_array_set_size(builder->body.bytes, (guint)size);
	memset(builder->body.bytes->data, 0, size);
	for (size_t i = 0; i < hashes->count; i++) {
		bloom_add(builder->body.bytes->data, size, hashes->values[i]);
	}
	builder->block.filter_len = (uint32_t)size;
	builder->block.filter_checksum = XXH64(builder->body.bytes->data, size, 0);
}

/* Prelude, directory and their checksum, then the body, at the end of out. */
static int assemble(struct flowblock_builder *builder, GByteArray *out, struct err *err)
{
	const guint at = out->len;
	struct flowblock_prelude prelude = {
		.magic = FLOWBLOCK_MAGIC,
		.body_len = builder->body.bytes->len,
		.count = builder->columns.rows,
	};

	g_byte_array_set_size(out, at + FLOWBLOCK_PRELUDE_BYTES);
	flowblock_put_directory(&builder->block, out);
	prelude.header_len = out->len - at + (uint32_t)sizeof(uint64_t);
	if (prelude.header_len > FLOWBLOCK_HEADER_MAX) {
		return err_set(err, ST_ELIMIT, "a directory of %u bytes", out->len - at);
	}
	flowblock_put_prelude(out->data + at, &prelude);
	put_u64(out, XXH64(out->data + at, out->len - at, 0));
	g_byte_array_append(out, builder->body.bytes->data, builder->body.bytes->len);
	return ST_OK;
}

static void clear_rows(struct flowblock_builder *builder)
{
	if (builder->columns.rows < (builder->opts.quick ? QUICK_ROWS : SMALL_BLOCK)) {
		columnencoder_trim(builder->encoder);
		blockbody_trim(&builder->body);
	}
	flowcolumns_clear(&builder->columns);
	extension_clear(builder->extensions);
}

int flowblock_append(struct flowblock_builder *builder, GByteArray *out, struct err *err)
{
	const guint at = out->len;
	int rc;

	assert(builder->columns.rows > 0);
	flowcolumns_settle(&builder->columns);
	columnencoder_begin(builder->encoder, &builder->columns);
	flowblock_release(&builder->block);
	builder->block = (struct flowblock){ .rows = builder->columns.rows };
	blockbody_clear(&builder->body);
	hashset_clear(&builder->hashes);
	measure_times(builder, &builder->block);
	hash_addresses(builder, COLUMN_SIP);
	hash_addresses(builder, COLUMN_DIP);
	build_filter(builder);
	rc = build_columns(builder, err);
	if (rc == ST_OK) {
		rc = assemble(builder, out, err);
	}
	if (rc != ST_OK) {
		g_byte_array_set_size(out, at);
	}
	clear_rows(builder);
	return rc;
}

int flowblock_build(struct flowblock_builder *builder, const uint8_t **bytes, size_t *len,
		    struct err *err)
{
	int rc;

	g_byte_array_set_size(builder->out, 0);
	rc = flowblock_append(builder, builder->out, err);
	*bytes = builder->out->data;
	*len = builder->out->len;
	return rc;
}

const uint64_t *flowblock_address_hashes(const struct flowblock_builder *builder, size_t *count)
{
	*count = builder->hashes.count;
	return builder->hashes.values;
}
