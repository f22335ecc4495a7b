/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making a block: records are kept as one array per column, of the column's own width. When the
 * block is built each is widened into the scratch array that the encoder takes, measured, encoded,
 * and compressed where that helps.
 */
#include "storage/flowblock.h"

#include "storage/bloom.h"
#include "storage/byteorder.h"
#include "storage/columnrange.h"
#include "storage/compress.h"
#include "storage/extension.h"
#include "storage/flowcolumns.h"
#include "storage/hashset.h"
#include "storage/quickcolumn.h"
#include "storage/varint.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#define SWAP            HOST_BIG_ENDIAN
#define FILTER_ROWS_MIN 64u         /* smaller blocks are read as fast as their filter */
#define EXTENSION_FULL  (32u << 20) /* bytes of extension values that end a block */
#define PLAIN_MAX       268435456u
#define COMPRESS_MIN    64u /* bytes that are worth trying */
#define COMPRESS_GAIN   8u  /* the part that must be saved: one of so many */
#define SMALL_BLOCK     4096u
/* What is gathered for the quick blocks of some files is to stay in the processor's cache. */
#define QUICK_ROWS 2048u

/* What is made when a block is built. Blocks of few rows give it back, since there may be many
 * builders that make no others. */
struct workspace {
	uint32_t rows; /* there is room for */
	struct encoder *encoder;
	struct compressor *compressor;
	uint64_t *numbers;
	uint64_t *presence;
	struct ip *addresses;
	struct encode_bytes *strings;
	GByteArray *plain;      /* the stream being encoded */
	GByteArray *compressed; /* of it */
	GByteArray *part;
};

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
	uint32_t rows;                            /* of the block that is being built */
	struct record defaults;
	struct extension_buffer *extensions;
	struct workspace *work; /* or NULL */
	struct hashset hashes;
	struct flowblock block; /* being built */
	GByteArray *body;
	GByteArray *stream; /* the chunk that is being encoded: in the workspace, or in the body */
	guint chunk_at;     /* where it begins */
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

	builder->opts = *opts;
	if (opts->quick) {
		builder->opts.compression = CHUNK_PLAIN;
		builder->opts.no_filter = true;
	}
	record_init(&builder->defaults);
	builder->defaults.sensor = opts->sensor;
	builder->defaults.flowtype = opts->flowtype;
	order_cores(builder->cores);
	flowcolumns_init(&builder->columns, &builder->defaults);
	builder->extensions = extension_buffer_new();
	builder->body = g_byte_array_new();
	builder->out = g_byte_array_new();
	return builder;
}

static struct workspace *workspace_new(uint8_t compression, bool quick, uint32_t rows)
{
	struct workspace *work = g_new0(struct workspace, 1);

	work->rows = rows;
	work->encoder = encoder_new();
	encoder_set_quick(work->encoder, quick);
	work->compressor = compressor_new(compression);
	work->numbers = g_new(uint64_t, rows);
	work->addresses = g_new(struct ip, rows);
	work->plain = g_byte_array_new();
	work->compressed = g_byte_array_new();
	work->part = g_byte_array_new();
	return work;
}

static void workspace_free(struct workspace *work)
{
	if (work == NULL) {
		return;
	}
	encoder_free(work->encoder);
	compressor_free(work->compressor);
	g_free(work->numbers);
	g_free(work->presence);
	g_free(work->addresses);
	g_free(work->strings);
	g_byte_array_unref(work->plain);
	g_byte_array_unref(work->compressed);
	g_byte_array_unref(work->part);
	g_free(work);
}

void flowblock_builder_free(struct flowblock_builder *builder)
{
	if (builder == NULL) {
		return;
	}
	flowcolumns_release(&builder->columns);
	extension_buffer_free(builder->extensions);
	workspace_free(builder->work);
	hashset_release(&builder->hashes);
	flowblock_release(&builder->block);
	g_byte_array_unref(builder->body);
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
	for (size_t i = 0; i < count; i++) {
		flowcolumns_add(&builder->columns, &rows[i]->rec);
	}
	return extension_put_rows(builder->extensions, first, rows, count);
}

/* ---- measuring ---- */

static void widen_u8(const void *from, uint32_t rows, uint64_t *to)
{
	const uint8_t *values = from;

	for (uint32_t i = 0; i < rows; i++) {
		to[i] = values[i];
	}
}

static void widen_u16(const void *from, uint32_t rows, uint64_t *to)
{
	const uint16_t *values = from;

	for (uint32_t i = 0; i < rows; i++) {
		to[i] = values[i];
	}
}

static void widen_u32(const void *from, uint32_t rows, uint64_t *to)
{
	const uint32_t *values = from;

	for (uint32_t i = 0; i < rows; i++) {
		to[i] = values[i];
	}
}

static void widen_u64(const void *from, uint32_t rows, uint64_t *to)
{
	memcpy(to, from, rows * sizeof(*to));
}

static void (*const wideners[])(const void *from, uint32_t rows, uint64_t *to) = {
	[1] = widen_u8,
	[2] = widen_u16,
	[4] = widen_u32,
	[8] = widen_u64,
};

static void measure_times(const struct flowblock_builder *builder, struct flowblock *block)
{
	const int64_t *start_ns = builder->columns.values[COLUMN_START];
	const uint64_t *duration_ns = builder->columns.values[COLUMN_DURATION];
	struct summary *summary = &block->summary;

	summary_init(summary);
	block->sorted = true;
	for (uint32_t i = 0; i < builder->rows; i++) {
		int64_t end_ns = (int64_t)((uint64_t)start_ns[i] + duration_ns[i]);

		block->sorted &= i == 0 || start_ns[i - 1] <= start_ns[i];
		summary->first_start_ns = MIN(summary->first_start_ns, start_ns[i]);
		summary->last_start_ns = MAX(summary->last_start_ns, start_ns[i]);
		summary->last_end_ns = MAX(summary->last_end_ns, end_ns);
	}
}

/* ---- chunks ---- */

/* Chunks that are not compressed are encoded where they stay. */
static void begin_chunk(struct flowblock_builder *builder)
{
	if (builder->opts.compression == CHUNK_PLAIN) {
		builder->stream = builder->body;
		builder->chunk_at = builder->body->len;
	} else {
		builder->stream = builder->work->plain;
		builder->chunk_at = 0;
		g_byte_array_set_size(builder->stream, 0);
	}
}

/* The chunk is in the body; compressed, where that makes it smaller by enough. */
static int store_chunk(struct flowblock_builder *builder, struct flowblock_column *column,
		       struct err *err)
{
	struct workspace *work = builder->work;
	const GByteArray *chunk = work->plain;
	size_t plain_len = work->plain->len;
	size_t len = 0;

	if (plain_len >= COMPRESS_MIN) {
		g_byte_array_set_size(work->compressed,
				      (guint)compress_bound(builder->opts.compression, plain_len));
		if (compress_block(work->compressor, work->plain->data, plain_len,
				   work->compressed->data, &len, err) != ST_OK) {
			return ST_EIO;
		}
		if (len < plain_len - plain_len / COMPRESS_GAIN) {
			g_byte_array_set_size(work->compressed, (guint)len);
			chunk = work->compressed;
			column->compression = builder->opts.compression;
		}
	}
	builder->chunk_at = builder->body->len;
	g_byte_array_append(builder->body, chunk->data, chunk->len);
	return ST_OK;
}

/* The stream since begin_chunk() becomes a chunk at the end of the body. */
static int end_chunk(struct flowblock_builder *builder, struct flowblock_column *column,
		     struct err *err)
{
	size_t plain_len = builder->stream->len - builder->chunk_at;
	int rc = ST_OK;

	if (plain_len > PLAIN_MAX) {
		return err_set(err, ST_ELIMIT, "a column of %zu bytes", plain_len);
	}
	column->compression = CHUNK_PLAIN;
	column->plain_len = (uint32_t)plain_len;
	if (builder->stream != builder->body) {
		rc = store_chunk(builder, column, err);
	}
	if (rc == ST_OK && builder->body->len > FLOWBLOCK_BODY_MAX) {
		rc = err_set(err, ST_ELIMIT, "a block of more than %u bytes", FLOWBLOCK_BODY_MAX);
	}
	if (rc == ST_OK) {
		column->stored_len = builder->body->len - builder->chunk_at;
		column->checksum =
			XXH64(builder->body->data + builder->chunk_at, column->stored_len, 0);
	}
	return rc;
}

/* Does every row have the default? Only start times have none. */
static bool is_default(const struct flowblock_builder *builder, enum column core,
		       const struct flowblock_column *column)
{
	const uint8_t *value =
		(const uint8_t *)&builder->defaults + column_core(core)->record_offset;
	uint64_t number;
	struct ip ip;

	if (core == COLUMN_START) {
		return false;
	}
	if (column_form(column->type) == COLUMN_FORM_ADDRESS) {
		memcpy(&ip, value, sizeof(ip));
		return ip_equal(column->min_ip, ip) && ip_equal(column->max_ip, ip);
	}
	wideners[column_core(core)->size](value, 1, &number);
	return column->min == number && column->max == number;
}

static void invert(uint64_t *values, uint32_t rows, uint64_t bits)
{
	for (uint32_t i = 0; bits != 0 && i < rows; i++) {
		values[i] ^= bits;
	}
}

/* Of a core column, which may be kept narrow. */
static const struct ip *core_addresses(struct flowblock_builder *builder, enum column core)
{
	const uint32_t *narrow = builder->columns.values[core];

	if (!builder->columns.narrow) {
		return builder->columns.values[core];
	}
	for (uint32_t i = 0; i < builder->rows; i++) {
		builder->work->addresses[i] = ip_from_v4(narrow[i]);
	}
	return builder->work->addresses;
}

/* Each of these measures a core column; *listed: it is encoded, too; one of defaults is left out.
 */
typedef void (*build_core_fn)(struct flowblock_builder *builder, enum column core,
			      struct flowblock_column *column, bool *listed);

static void build_core_addresses(struct flowblock_builder *builder, enum column core,
				 struct flowblock_column *column, bool *listed)
{
	const struct ip *values = core_addresses(builder, core);

	columnrange_addresses(values, NULL, builder->rows, column);
	*listed = !is_default(builder, core, column);
	if (*listed) {
		encode_addresses(builder->work->encoder, values, builder->rows, builder->stream);
	}
}

static void build_core_numbers(struct flowblock_builder *builder, enum column core,
			       struct flowblock_column *column, bool *listed)
{
	struct workspace *work = builder->work;

	wideners[column_core(core)->size](builder->columns.values[core], builder->rows,
					  work->numbers);
	invert(work->numbers, builder->rows, column_sign(column->type));
	columnrange_numbers(work->numbers, NULL, builder->rows, column);
	*listed = !is_default(builder, core, column);
	if (*listed) {
		encode_numbers(work->encoder, work->numbers, builder->rows, builder->stream);
	}
}

/* The values of a signed column are not needed as they were any more. */
static struct quickcolumn measure_core(struct flowblock_builder *builder, enum column core)
{
	struct quickcolumn quick = {
		.values = builder->columns.values[core],
		.size = flowcolumns_size(&builder->columns, core),
		.rows = builder->rows,
	};
	uint64_t sign = column_sign(column_core(core)->type);

	if (sign != 0) {
		invert(builder->columns.values[core], builder->rows, sign);
	}
	quickcolumn_measure(&quick);
	return quick;
}

static void build_core_quick_v4(struct flowblock_builder *builder, enum column core,
				struct flowblock_column *column, bool *listed)
{
	struct quickcolumn quick = measure_core(builder, core);

	column->min_ip = ip_from_v4((uint32_t)quick.min);
	column->max_ip = ip_from_v4((uint32_t)quick.max);
	column->flags |= FLOWBLOCK_RANGED;
	*listed = !is_default(builder, core, column);
	if (*listed) {
		quickcolumn_put_v4(&quick, builder->stream);
	}
}

static void build_core_quick_numbers(struct flowblock_builder *builder, enum column core,
				     struct flowblock_column *column, bool *listed)
{
	struct quickcolumn quick = measure_core(builder, core);

	column->min = quick.min;
	column->max = quick.max;
	column->flags |= FLOWBLOCK_RANGED;
	*listed = !is_default(builder, core, column);
	if (*listed) {
		quickcolumn_put(&quick, builder->stream);
	}
}

static build_core_fn core_fn(const struct flowblock_builder *builder, bool is_address)
{
	if (is_address) {
		return builder->opts.quick && builder->columns.narrow ? build_core_quick_v4
								      : build_core_addresses;
	}
	return builder->opts.quick ? build_core_quick_numbers : build_core_numbers;
}

static int build_core(struct flowblock_builder *builder, enum column core,
		      struct flowblock_column *column, bool *listed, struct err *err)
{
	*listed = !(builder->columns.usual_columns & COLUMN_BIT(core));
	if (!*listed) {
		return ST_OK;
	}
	column->type = column_core(core)->type;
	core_fn(builder, column_form(column->type) == COLUMN_FORM_ADDRESS)(builder, core, column,
									   listed);
	if (!*listed) {
		return ST_OK;
	}
	if (core == COLUMN_PACKETS || core == COLUMN_BYTES) {
		columnrange_sum(builder->columns.values[core], builder->rows, column);
	}
	if (core == COLUMN_START) {
		column->flags &= (uint8_t)~FLOWBLOCK_RANGED; /* the directory has them anyway */
	}
	return end_chunk(builder, column, err);
}

static void append_varint(GByteArray *out, uint64_t value)
{
	uint8_t bytes[VARINT_BYTES_MAX];

	g_byte_array_append(out, bytes, (guint)varint_put(bytes, value));
}

/* Which rows have a value, if not all have; returns that as an array. */
static const uint64_t *encode_presence(struct flowblock_builder *builder,
				       const struct extension_column *extension,
				       struct flowblock_column *column)
{
	struct workspace *work = builder->work;

	if (extension_present(extension) == builder->rows) {
		return NULL;
	}
	if (work->presence == NULL) {
		work->presence = g_new(uint64_t, work->rows);
	}
	memset(work->presence, 0, builder->rows * sizeof(*work->presence));
	extension_presence(extension, work->presence);
	column->flags |= FLOWBLOCK_ABSENT;
	g_byte_array_set_size(work->part, 0);
	encode_numbers(work->encoder, work->presence, builder->rows, work->part);
	append_varint(builder->stream, work->part->len);
	g_byte_array_append(builder->stream, work->part->data, work->part->len);
	return work->presence;
}

static void encode_extension_strings(struct flowblock_builder *builder,
				     const struct extension_column *extension)
{
	struct workspace *work = builder->work;

	if (work->strings == NULL) {
		work->strings = g_new(struct encode_bytes, work->rows);
	}
	for (uint32_t i = 0; i < builder->rows; i++) {
		work->strings[i] = (struct encode_bytes){ .bytes = (const uint8_t *)"" };
	}
	extension_strings(extension, work->strings);
	encode_strings(work->encoder, work->strings, builder->rows, builder->stream);
}

static void encode_extension_addresses(struct flowblock_builder *builder,
				       const struct extension_column *extension,
				       const uint64_t *presence, struct flowblock_column *column)
{
	struct workspace *work = builder->work;

	for (uint32_t i = 0; i < builder->rows; i++) {
		work->addresses[i] = ip_from_v4(0);
	}
	extension_addresses(extension, work->addresses);
	columnrange_addresses(work->addresses, presence, builder->rows, column);
	encode_addresses(work->encoder, work->addresses, builder->rows, builder->stream);
}

/* Of all rows; 0 where there is none. */
static const uint64_t *extension_values(struct flowblock_builder *builder,
					const struct extension_column *extension)
{
	uint64_t *numbers = builder->work->numbers;

	memset(numbers, 0, builder->rows * sizeof(*numbers));
	extension_numbers(extension, numbers);
	return numbers;
}

/* Of all rows, as narrow as they are kept. */
static void encode_extension_quickly(struct flowblock_builder *builder,
				     const struct extension_column *extension,
				     const uint64_t *presence, struct flowblock_column *column)
{
	struct quickcolumn quick = { .rows = builder->rows };

	quick.values = extension_dense_numbers(extension, builder->rows, &quick.size);
	if (quick.values == NULL) {
		quick.values = extension_values(builder, extension);
		quick.size = sizeof(uint64_t);
	}
	quickcolumn_measure(&quick);
	quickcolumn_put(&quick, builder->stream);
	if (column_is_ordered(column->type) && presence == NULL) {
		column->min = quick.min;
		column->max = quick.max;
		column->flags |= FLOWBLOCK_RANGED;
	} else if (column_is_ordered(column->type)) {
		columnrange_numbers(quick.values, presence, builder->rows, column);
	}
}

static void encode_extension_numbers(struct flowblock_builder *builder,
				     const struct extension_column *extension,
				     const uint64_t *presence, struct flowblock_column *column)
{
	const uint64_t *values;

	if (builder->opts.quick) {
		encode_extension_quickly(builder, extension, presence, column);
		return;
	}
	values = extension_values(builder, extension);
	encode_numbers(builder->work->encoder, values, builder->rows, builder->stream);
	if (column_is_ordered(column->type)) {
		columnrange_numbers(values, presence, builder->rows, column);
	}
}

static int build_extension(struct flowblock_builder *builder,
			   const struct extension_column *extension,
			   struct flowblock_column *column, struct err *err)
{
	const uint64_t *presence;

	column->type = extension_type(extension);
	presence = encode_presence(builder, extension, column);
	switch (column_form(column->type)) {
	case COLUMN_FORM_NUMBER:
		encode_extension_numbers(builder, extension, presence, column);
		break;
	case COLUMN_FORM_ADDRESS:
		encode_extension_addresses(builder, extension, presence, column);
		break;
	case COLUMN_FORM_BYTES:
		encode_extension_strings(builder, extension);
		break;
	}
	return end_chunk(builder, column, err);
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
		bool listed = true;

		*column = (struct flowblock_column){ .key = sources[i].key };
		begin_chunk(builder);
		rc = sources[i].extension != NULL
			     ? build_extension(builder, sources[i].extension, column, err)
			     : build_core(builder, sources[i].core, column, &listed, err);
		block->column_count += listed;
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
	values = core_addresses(builder, core);
	for (uint32_t i = 0; i < builder->rows; i++) {
		if (i == 0 || !ip_equal(values[i], values[i - 1])) {
			hashset_add(&builder->hashes, bloom_hash(values[i]));
		}
	}
}

static void build_filter(struct flowblock_builder *builder)
{
	const struct hashset *hashes = &builder->hashes;
	size_t size = bloom_size(hashes->count);

	if (builder->opts.no_filter || builder->rows < FILTER_ROWS_MIN) {
		return;
	}
	g_byte_array_set_size(builder->body, (guint)size);
	memset(builder->body->data, 0, size);
	for (size_t i = 0; i < hashes->count; i++) {
		bloom_add(builder->body->data, size, hashes->values[i]);
	}
	builder->block.filter_len = (uint32_t)size;
	builder->block.filter_checksum = XXH64(builder->body->data, size, 0);
}

/* Prelude, directory and their checksum, then the body, at the end of out. */
static int assemble(struct flowblock_builder *builder, GByteArray *out, struct err *err)
{
	const guint at = out->len;
	struct flowblock_prelude prelude = {
		.magic = FLOWBLOCK_MAGIC,
		.body_len = builder->body->len,
		.count = builder->rows,
	};
	uint8_t checksum[8];

	g_byte_array_set_size(out, at + FLOWBLOCK_PRELUDE_BYTES);
	flowblock_put_directory(&builder->block, out);
	prelude.header_len = out->len - at + (uint32_t)sizeof(checksum);
	if (prelude.header_len > FLOWBLOCK_HEADER_MAX) {
		return err_set(err, ST_ELIMIT, "a directory of %u bytes", out->len - at);
	}
	flowblock_put_prelude(out->data + at, &prelude);
	store64(checksum, XXH64(out->data + at, out->len - at, 0), SWAP);
	g_byte_array_append(out, checksum, sizeof(checksum));
	g_byte_array_append(out, builder->body->data, builder->body->len);
	return ST_OK;
}

static void need_workspace(struct flowblock_builder *builder)
{
	if (builder->work == NULL || builder->work->rows < builder->rows) {
		workspace_free(builder->work);
		builder->work = workspace_new(builder->opts.compression, builder->opts.quick,
					      MAX(builder->rows, SMALL_BLOCK));
	}
}

static void clear_rows(struct flowblock_builder *builder)
{
	if (builder->rows < (builder->opts.quick ? QUICK_ROWS : SMALL_BLOCK)) {
		workspace_free(builder->work);
		builder->work = NULL;
	}
	builder->rows = 0;
	flowcolumns_clear(&builder->columns);
	extension_clear(builder->extensions);
}

int flowblock_append(struct flowblock_builder *builder, GByteArray *out, struct err *err)
{
	const guint at = out->len;
	int rc;

	assert(builder->columns.rows > 0);
	flowcolumns_settle(&builder->columns);
	builder->rows = builder->columns.rows;
	need_workspace(builder);
	flowblock_release(&builder->block);
	builder->block = (struct flowblock){ .rows = builder->rows };
	g_byte_array_set_size(builder->body, 0);
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
