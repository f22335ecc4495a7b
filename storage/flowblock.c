/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/flowblock.h"

#include "storage/bloom.h"
#include "storage/byteorder.h"
#include "storage/putbytes.h"
#include "storage/varint.h"

#include <assert.h>
#include <xxhash.h>

#define SWAP             HOST_BIG_ENDIAN /* files are little-endian */
#define HEADER_MIN       33u
#define PLAIN_MAX        268435456u
#define ENTRY_BYTES_MIN  14u /* pen, id, type, compression, flags, length, checksum */
#define FLAG_SORTED      1u
#define COLUMN_FLAGS     (FLOWBLOCK_RANGED | FLOWBLOCK_SUMMED | FLOWBLOCK_ABSENT)
#define COMPRESSIONS_MAX 4u

/* ---- prelude ---- */

static bool prelude_is_possible(const struct flowblock_prelude *prelude)
{
	bool is_block = prelude->magic == FLOWBLOCK_MAGIC;

	return prelude->header_len >= HEADER_MIN && prelude->header_len <= FLOWBLOCK_HEADER_MAX &&
	       prelude->body_len <= FLOWBLOCK_BODY_MAX &&
	       (!is_block || (prelude->count >= 1 && prelude->count <= FLOWBLOCK_ROWS_MAX));
}

int flowblock_parse_prelude(const uint8_t bytes[FLOWBLOCK_PRELUDE_BYTES],
			    struct flowblock_prelude *out, struct err *err)
{
	out->magic = load32(bytes, SWAP);
	out->header_len = load32(bytes + 4, SWAP);
	out->body_len = load32(bytes + 8, SWAP);
	out->count = load32(bytes + 12, SWAP);
	if (out->magic != FLOWBLOCK_MAGIC && out->magic != FLOWBLOCK_FOOTER_MAGIC) {
		return err_set(err, ST_EFORMAT, "no block begins here");
	}
	if (XXH64(bytes, 16, 0) != load64(bytes + 16, SWAP)) {
		return err_set(err, ST_EFORMAT, "prelude: checksum differs");
	}
	if (!prelude_is_possible(out)) {
		return err_set(err, ST_EFORMAT, "prelude: lengths or count out of bounds");
	}
	return ST_OK;
}

void flowblock_put_prelude(uint8_t bytes[FLOWBLOCK_PRELUDE_BYTES],
			   const struct flowblock_prelude *prelude)
{
	store32(bytes, prelude->magic, SWAP);
	store32(bytes + 4, prelude->header_len, SWAP);
	store32(bytes + 8, prelude->body_len, SWAP);
	store32(bytes + 12, prelude->count, SWAP);
	store64(bytes + 16, XXH64(bytes, 16, 0), SWAP);
}

/* ---- reading a directory ---- */

struct parse {
	const uint8_t *at;
	const uint8_t *end;
	struct err *err;
};

static int bad(struct parse *parse, const char *what)
{
	return err_set(parse->err, ST_EFORMAT, "directory: %s", what);
}

static int get_number(struct parse *parse, const char *what, uint64_t max, uint64_t *out)
{
	if (!varint_get(&parse->at, parse->end, out) || *out > max) {
		return bad(parse, what);
	}
	return ST_OK;
}

static int get_fixed(struct parse *parse, const char *what, size_t len, const uint8_t **out)
{
	if ((size_t)(parse->end - parse->at) < len) {
		return bad(parse, what);
	}
	*out = parse->at;
	parse->at += len;
	return ST_OK;
}

static int get_checksum(struct parse *parse, uint64_t *out)
{
	const uint8_t *bytes = NULL;
	int rc = get_fixed(parse, "ends inside a checksum", 8, &bytes);

	if (rc == ST_OK) {
		*out = load64(bytes, SWAP);
	}
	return rc;
}

/* First start, last start and last end; starts must not leave the range of times. */
static int get_times(struct parse *parse, struct summary *summary)
{
	uint64_t first = 0;
	uint64_t spread = 0;
	uint64_t end = 0;
	int rc = get_number(parse, "bad first start", UINT64_MAX, &first);

	if (rc == ST_OK) {
		rc = get_number(parse, "bad last start", UINT64_MAX, &spread);
	}
	if (rc == ST_OK) {
		rc = get_number(parse, "bad last end", UINT64_MAX, &end);
	}
	if (rc != ST_OK) {
		return rc;
	}
	summary->first_start_ns = zigzag_decode(first);
	if (spread > (uint64_t)INT64_MAX - (uint64_t)summary->first_start_ns) {
		return bad(parse, "bad last start");
	}
	summary->last_start_ns = (int64_t)((uint64_t)summary->first_start_ns + spread);
	summary->last_end_ns =
		(int64_t)((uint64_t)summary->first_start_ns + (uint64_t)zigzag_decode(end));
	return ST_OK;
}

static int get_filter(struct parse *parse, uint32_t body_len, struct flowblock *out)
{
	uint64_t len = 0;
	int rc =
		get_number(parse, "bad length of the filter", MIN(body_len, BLOOM_BYTES_MAX), &len);

	if (rc != ST_OK) {
		return rc;
	}
	if (len % BLOOM_UNIT_BYTES != 0) {
		return bad(parse, "bad length of the filter");
	}
	out->filter_len = (uint32_t)len;
	return len > 0 ? get_checksum(parse, &out->filter_checksum) : ST_OK;
}

static int get_key(struct parse *parse, struct flowblock_column *column)
{
	const uint8_t *bytes = NULL;
	uint64_t pen = 0;
	uint64_t id = 0;
	int rc = get_number(parse, "bad enterprise number", UINT32_MAX, &pen);

	if (rc == ST_OK) {
		rc = get_number(parse, "bad element id", UINT16_MAX, &id);
	}
	if (rc == ST_OK) {
		rc = get_fixed(parse, "ends inside a column", 3, &bytes);
	}
	if (rc != ST_OK) {
		return rc;
	}
	column->key = (struct column_key){ .pen = (uint32_t)pen, .id = (uint16_t)id };
	column->type = bytes[0];
	column->compression = bytes[1];
	column->flags = bytes[2];
	return ST_OK;
}

static int get_lengths(struct parse *parse, struct flowblock_column *column)
{
	uint64_t stored = 0;
	uint64_t plain;
	int rc = get_number(parse, "bad length of a chunk", FLOWBLOCK_BODY_MAX, &stored);

	plain = stored;
	if (rc == ST_OK && column->compression != CHUNK_PLAIN) {
		rc = get_number(parse, "bad plain length of a chunk", PLAIN_MAX, &plain);
	}
	if (rc == ST_OK && plain > PLAIN_MAX) {
		rc = bad(parse, "bad plain length of a chunk");
	}
	column->stored_len = (uint32_t)stored;
	column->plain_len = (uint32_t)plain;
	return rc == ST_OK ? get_checksum(parse, &column->checksum) : rc;
}

/* What this reader does not know is said by name. */
static int check_known(const struct flowblock_column *column, struct err *err)
{
	static const bool known[COMPRESSIONS_MAX + 1] = {
		[CHUNK_PLAIN] = true,
		[CHUNK_LZO1X] = true,
		[CHUNK_ZSTD] = true,
	};

	if (column->type >= COLUMN_TYPES) {
		return err_set(err, ST_EVERSION, "type %u is not known", column->type);
	}
	if (column->compression > COMPRESSIONS_MAX || !known[column->compression]) {
		return err_set(err, ST_EVERSION, "compression %u is not known",
			       column->compression);
	}
	if (column->flags & ~COLUMN_FLAGS) {
		return err_set(err, ST_EVERSION, "flags 0x%02x are not known", column->flags);
	}
	return ST_OK;
}

/* Flags that make no sense with the type; core columns have one type and a value in every row. */
static int check_sense(const struct flowblock_column *column, enum column core, struct err *err)
{
	bool ordered = column_is_ordered(column->type);
	bool summable = ordered && column_form(column->type) == COLUMN_FORM_NUMBER;

	if ((!ordered && (column->flags & FLOWBLOCK_RANGED)) ||
	    (!summable && (column->flags & FLOWBLOCK_SUMMED))) {
		return err_set(err, ST_EFORMAT, "directory: type %u has no range or sum",
			       column->type);
	}
	if (core < COLUMN_COUNT && column->type != column_core(core)->type) {
		return err_set(err, ST_EFORMAT, "directory: type %u where %u is needed",
			       column->type, column_core(core)->type);
	}
	if (core < COLUMN_COUNT && (column->flags & FLOWBLOCK_ABSENT)) {
		return err_set(err, ST_EFORMAT, "directory: rows without a value");
	}
	return ST_OK;
}

static int get_number_range(struct parse *parse, struct flowblock_column *column, enum column core)
{
	uint64_t limit = UINT64_MAX;
	uint64_t spread = 0;
	int rc;

	if (core < COLUMN_COUNT && column_core(core)->size < sizeof(uint64_t)) {
		limit = (UINT64_C(1) << (8 * column_core(core)->size)) - 1;
	}
	rc = get_number(parse, "bad minimum", limit, &column->min);
	if (rc == ST_OK) {
		rc = get_number(parse, "bad maximum", limit - column->min, &spread);
	}
	column->max = column->min + spread;
	return rc;
}

static int get_range(struct parse *parse, struct flowblock_column *column, enum column core)
{
	const uint8_t *bytes = NULL;
	int rc;

	if (!(column->flags & FLOWBLOCK_RANGED)) {
		return ST_OK;
	}
	if (column_form(column->type) == COLUMN_FORM_NUMBER) {
		return get_number_range(parse, column, core);
	}
	rc = get_fixed(parse, "ends inside a range", 32, &bytes);
	if (rc != ST_OK) {
		return rc;
	}
	column->min_ip = ip_from_bytes(bytes);
	column->max_ip = ip_from_bytes(bytes + 16);
	return ip_compare(column->min_ip, column->max_ip) <= 0 ? ST_OK : bad(parse, "bad maximum");
}

static int get_column(struct parse *parse, struct flowblock_column *column)
{
	char name[COLUMN_NAME_MAX];
	enum column core;
	int rc = get_key(parse, column);

	if (rc != ST_OK) {
		return rc;
	}
	core = column_find(&column->key);
	rc = check_known(column, parse->err);
	if (rc == ST_OK) {
		rc = check_sense(column, core, parse->err);
	}
	if (rc == ST_OK) {
		rc = get_lengths(parse, column);
	}
	if (rc == ST_OK) {
		rc = get_range(parse, column, core);
	}
	if (rc == ST_OK && (column->flags & FLOWBLOCK_SUMMED)) {
		rc = get_number(parse, "bad sum", UINT64_MAX, &column->sum);
	}
	if (rc != ST_OK && parse->err != NULL) {
		err_prefix(parse->err, "column %s", column_name(&column->key, name));
	}
	return rc;
}

/* The entries ascend, and their chunks fill the body behind the filter. */
static int get_columns(struct parse *parse, uint32_t body_len, struct flowblock *out)
{
	size_t left = (size_t)(parse->end - parse->at) / ENTRY_BYTES_MIN;
	uint64_t offset = out->filter_len;
	uint64_t count = 0;
	int rc = get_number(parse, "bad number of columns", MIN(left, FLOWBLOCK_COLUMNS_MAX),
			    &count);

	if (rc != ST_OK) {
		return rc;
	}
	out->column_count = count;
	out->columns = g_new0(struct flowblock_column, count);
	for (size_t i = 0; rc == ST_OK && i < count; i++) {
		struct flowblock_column *column = &out->columns[i];

		rc = get_column(parse, column);
		if (rc == ST_OK && i > 0 &&
		    column_key_compare(&column[-1].key, &column->key) >= 0) {
			rc = bad(parse, "columns out of order");
		}
		if (rc == ST_OK && column->stored_len > body_len - offset) {
			rc = bad(parse, "chunks longer than the body");
		}
		column->offset = (uint32_t)offset;
		offset += column->stored_len;
	}
	if (rc == ST_OK && parse->at != parse->end) {
		rc = bad(parse, "bytes behind the last column");
	}
	return rc == ST_OK && offset != body_len ? bad(parse, "chunks shorter than the body") : rc;
}

static void take_range(struct summary *summary, enum column core,
		       const struct flowblock_column *column)
{
	struct summary_range *range = &summary->range[core];

	if (!(column->flags & FLOWBLOCK_RANGED)) {
		return;
	}
	summary->ranged |= COLUMN_BIT(core);
	if (column_form(column->type) == COLUMN_FORM_ADDRESS) {
		range->min_ip = column->min_ip;
		range->max_ip = column->max_ip;
	} else {
		range->min = column->min;
		range->max = column->max;
	}
}

static void take_sum(struct summary *summary, enum column core,
		     const struct flowblock_column *column)
{
	if (!(column->flags & FLOWBLOCK_SUMMED)) {
		return;
	}
	if (core == COLUMN_PACKETS) {
		summary->packets = column->sum;
		summary->summed |= COLUMN_BIT(core);
	} else if (core == COLUMN_BYTES) {
		summary->bytes = column->sum;
		summary->summed |= COLUMN_BIT(core);
	}
}

/* Where the core columns are and what is known of them; those not listed are constant. */
static void summarise(struct flowblock *block, uint16_t sensor, uint8_t flowtype)
{
	struct summary *summary = &block->summary;
	struct summary defaults;
	struct record rec;

	record_init(&rec);
	rec.sensor = sensor;
	rec.flowtype = flowtype;
	summary_init(&defaults);
	summary_add_record(&defaults, &rec);
	for (enum column core = 0; core < COLUMN_COUNT; core++) {
		block->core[core] = -1;
	}
	for (size_t i = 0; i < block->column_count; i++) {
		enum column core = column_find(&block->columns[i].key);

		if (core < COLUMN_COUNT) {
			block->core[core] = (int16_t)i;
			take_range(summary, core, &block->columns[i]);
			take_sum(summary, core, &block->columns[i]);
		}
	}
	for (enum column core = 0; core < COLUMN_COUNT; core++) {
		if (block->core[core] < 0) {
			summary->range[core] = defaults.range[core];
			summary->ranged |= COLUMN_BIT(core);
			summary->summed |= defaults.summed & COLUMN_BIT(core);
		}
	}
	summary->ranged |= COLUMN_BIT(COLUMN_START);
	summary->range[COLUMN_START].min_ns = summary->first_start_ns;
	summary->range[COLUMN_START].max_ns = summary->last_start_ns;
}

int flowblock_parse(const uint8_t *directory, size_t len, uint32_t rows, uint32_t body_len,
		    uint16_t sensor, uint8_t flowtype, struct flowblock *out, struct err *err)
{
	struct parse parse = { .at = directory, .end = directory + len, .err = err };
	uint64_t flags = 0;
	int rc;

	*out = (struct flowblock){ .rows = rows };
	summary_init(&out->summary);
	out->summary.records = rows;
	rc = get_times(&parse, &out->summary);
	if (rc == ST_OK) {
		rc = get_number(&parse, "bad flags", UINT64_MAX, &flags);
	}
	if (rc == ST_OK && (flags & ~(uint64_t)FLAG_SORTED)) {
		rc = err_set(err, ST_EVERSION, "directory: flags 0x%llx are not known",
			     (unsigned long long)flags);
	}
	out->sorted = flags & FLAG_SORTED;
	if (rc == ST_OK) {
		rc = get_filter(&parse, body_len, out);
	}
	if (rc == ST_OK) {
		rc = get_columns(&parse, body_len, out);
	}
	if (rc == ST_OK) {
		summarise(out, sensor, flowtype);
		if (out->core[COLUMN_START] < 0) {
			rc = bad(&parse, "no column of start times");
		}
	}
	if (rc != ST_OK) {
		flowblock_release(out);
	}
	return rc;
}

void flowblock_release(struct flowblock *block)
{
	g_free(block->columns);
	block->columns = NULL;
	block->column_count = 0;
}

/* ---- writing a directory ---- */

static void put_range(GByteArray *out, const struct flowblock_column *column)
{
	uint8_t bytes[32];

	if (column_form(column->type) == COLUMN_FORM_ADDRESS) {
		ip_to_bytes(column->min_ip, bytes);
		ip_to_bytes(column->max_ip, bytes + 16);
		g_byte_array_append(out, bytes, sizeof(bytes));
	} else {
		put_varint(out, column->min);
		put_varint(out, column->max - column->min);
	}
}

static void put_column(GByteArray *out, const struct flowblock_column *column)
{
	const uint8_t bytes[3] = { column->type, column->compression, column->flags };

	put_varint(out, column->key.pen);
	put_varint(out, column->key.id);
	g_byte_array_append(out, bytes, sizeof(bytes));
	put_varint(out, column->stored_len);
	if (column->compression != CHUNK_PLAIN) {
		put_varint(out, column->plain_len);
	}
	put_u64(out, column->checksum);
	if (column->flags & FLOWBLOCK_RANGED) {
		put_range(out, column);
	}
	if (column->flags & FLOWBLOCK_SUMMED) {
		put_varint(out, column->sum);
	}
}

void flowblock_put_directory(const struct flowblock *block, GByteArray *out)
{
	const struct summary *summary = &block->summary;
	uint64_t first = (uint64_t)summary->first_start_ns;

	put_varint(out, zigzag_encode(summary->first_start_ns));
	put_varint(out, (uint64_t)summary->last_start_ns - first);
	put_varint(out, zigzag_encode((int64_t)((uint64_t)summary->last_end_ns - first)));
	put_varint(out, block->sorted ? FLAG_SORTED : 0);
	put_varint(out, block->filter_len);
	if (block->filter_len > 0) {
		put_u64(out, block->filter_checksum);
	}
	put_varint(out, block->column_count);
	for (size_t i = 0; i < block->column_count; i++) {
		put_column(out, &block->columns[i]);
	}
}
