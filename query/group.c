/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/group.h"

#include <string.h>

#include <glib.h>

#include "common/extfield.h"
#include "common/timestamp.h"
#include "query/flowrate.h"
#include "query/sorter.h"
#include "storage/keytable.h"

#define MEMORY_DEFAULT_BYTES (UINT64_C(1) << 30)

/* How a field becomes part of a key. */
enum part_form {
	PART_PLAIN,
	PART_TIME, /* cut to unit_ns */
	PART_DURATION,
	PART_SPAN, /* a duration beside both times: the difference of what they are cut to */
};

struct part {
	const struct field *field;
	enum part_form form;
	int64_t unit_ns;
	size_t offset;
};

struct distinct {
	struct part part;
	struct keytable table; /* address of the group's row, then the value */
	struct sorter *sorter; /* after a spill: the group's key, then the value */
	const uint8_t *ahead;  /* next row of the sorter, NULL: none */
};

struct group {
	struct part *parts;
	size_t part_count;
	size_t key_size;
	struct group_value *values;
	size_t value_count;
	struct distinct *distincts; /* one a value, unused ones zero */
	uint32_t columns;
	bool presorted;
	uint64_t zero_ns;
	uint64_t memory_bytes;
	const char *temp_dir;

	struct keytable table; /* key, then a uint64_t a value */
	uint8_t *keys;         /* of the rows of a batch */
	uint8_t *pairs;
	uint64_t *rows[BATCH_ROWS]; /* the values of each row's group */

	struct sorter *sorter; /* key and values, sorted */
	bool spilled;
	uint32_t next;        /* row to hand out, without sorter */
	const uint8_t *ahead; /* next row of the sorter */
	uint8_t *out_key;
	uint64_t *out_values;
};

/* ---- values: how rows are added, how partial groups are merged ---- */

static void add_records(struct group *group, const struct batch *batch, size_t v)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		group->rows[i][v]++;
	}
}

static void add_packets(struct group *group, const struct batch *batch, size_t v)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		group->rows[i][v] += batch->packets[batch->selection[i]];
	}
}

static void add_bytes(struct group *group, const struct batch *batch, size_t v)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		group->rows[i][v] += batch->bytes[batch->selection[i]];
	}
}

static void add_payload(struct group *group, const struct batch *batch, size_t v)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		group->rows[i][v] += flow_payload(batch, batch->selection[i]);
	}
}

static void add_time(struct group *group, const struct batch *batch, size_t v)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint64_t duration_ns = batch->duration_ns[batch->selection[i]];

		group->rows[i][v] += duration_ns ? duration_ns : group->zero_ns;
	}
}

static uint64_t merge_sum(uint64_t a, uint64_t b)
{
	return a + b;
}

static uint64_t merge_min(uint64_t a, uint64_t b)
{
	return (int64_t)a < (int64_t)b ? a : b;
}

static uint64_t merge_max(uint64_t a, uint64_t b)
{
	return (int64_t)a > (int64_t)b ? a : b;
}

static void add_start(struct group *group, const struct batch *batch, size_t v)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint64_t *value = &group->rows[i][v];

		*value = merge_min(*value, (uint64_t)batch->start_ns[batch->selection[i]]);
	}
}

static void add_end(struct group *group, const struct batch *batch, size_t v)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];
		uint64_t *value = &group->rows[i][v];

		*value =
			merge_max(*value, (uint64_t)batch->start_ns[row] + batch->duration_ns[row]);
	}
}

static void add_distinct(struct group *group, const struct batch *batch, size_t v);

static const struct value_op {
	uint32_t columns;
	uint64_t initial;
	void (*add)(struct group *group, const struct batch *batch, size_t v);
	uint64_t (*merge)(uint64_t a, uint64_t b);
} value_ops[GROUP_OP_COUNT] = {
	[GROUP_RECORDS] = { .add = add_records, .merge = merge_sum },
	[GROUP_PACKETS] = { .columns = COLUMN_BIT(COLUMN_PACKETS),
			    .add = add_packets,
			    .merge = merge_sum },
	[GROUP_BYTES] = { .columns = COLUMN_BIT(COLUMN_BYTES),
			  .add = add_bytes,
			  .merge = merge_sum },
	[GROUP_START_MIN] = { .columns = COLUMN_BIT(COLUMN_START),
			      .initial = INT64_MAX,
			      .add = add_start,
			      .merge = merge_min },
	[GROUP_END_MAX] = { .columns = COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION),
			    .initial = (uint64_t)INT64_MIN,
			    .add = add_end,
			    .merge = merge_max },
	[GROUP_PAYLOAD] = { .columns = FLOW_PAYLOAD_COLUMNS,
			    .add = add_payload,
			    .merge = merge_sum },
	[GROUP_TIME] = { .columns = COLUMN_BIT(COLUMN_DURATION),
			 .add = add_time,
			 .merge = merge_sum },
	[GROUP_DISTINCT] = { .add = add_distinct, .merge = merge_sum },
};

/* ---- keys ---- */

static void pack_part(const struct part *part, const struct batch *batch, uint8_t *out,
		      size_t stride)
{
	static const struct field_context ctx = { 0 };

	if (part->form == PART_PLAIN) {
		field_pack(part->field, batch, out + part->offset, stride);
		return;
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];
		struct value value;

		part->field->load(batch, row, &ctx, &value);
		if (part->form == PART_SPAN) {
			int64_t end_ns = batch->start_ns[row] + (int64_t)batch->duration_ns[row];

			value.ns = timestamp_floor(end_ns, part->unit_ns) -
				   timestamp_floor(batch->start_ns[row], part->unit_ns);
		} else {
			value.ns = timestamp_floor(value.ns, part->unit_ns);
		}
		part->field->kind->key(out + i * stride + part->offset, &value);
	}
}

/* Time fields are known by the columns that they read. */
static bool reads(const struct field *field, bool start, bool duration)
{
	return field->role == FIELD_ROLE_TIME &&
	       !(field->columns & COLUMN_BIT(COLUMN_START)) == !start &&
	       !(field->columns & COLUMN_BIT(COLUMN_DURATION)) == !duration;
}

static struct part make_part(const struct field *field, int64_t time_ns, int64_t duration_ns)
{
	struct part part = { .field = field };

	if (field->role == FIELD_ROLE_TIME) {
		bool is_time = field->columns & COLUMN_BIT(COLUMN_START);

		part.form = is_time ? PART_TIME : PART_DURATION;
		part.unit_ns = is_time ? time_ns : duration_ns;
	}
	return part;
}

static int make_parts(struct group *group, const struct group_spec *spec, struct err *err)
{
	bool has_start = false, has_end = false;

	group->parts = g_new0(struct part, spec->field_count + 1);
	group->part_count = spec->field_count;
	for (size_t i = 0; i < spec->field_count; i++) {
		has_start = has_start || reads(spec->fields[i], true, false);
		has_end = has_end || reads(spec->fields[i], true, true);
	}
	for (size_t i = 0; i < spec->field_count; i++) {
		struct part *part = &group->parts[i];

		*part = make_part(spec->fields[i], spec->bin_ns, spec->unit_ns);
		if (part->form == PART_DURATION && has_start && has_end) {
			part->form = PART_SPAN;
			part->unit_ns = spec->bin_ns;
			group->columns |= COLUMN_BIT(COLUMN_START);
		}
		part->offset = group->key_size;
		group->key_size += part->field->kind->key_size;
		group->columns |= part->field->columns;
	}
	if (group->key_size > GROUP_KEY_MAX) {
		return err_set(err, ST_ELIMIT, "the key is longer than %d bytes", GROUP_KEY_MAX);
	}
	return ST_OK;
}

int group_new(struct group **out, const struct group_spec *spec, struct err *err)
{
	struct group *group = g_new0(struct group, 1);
	int status = make_parts(group, spec, err);

	if (status != ST_OK) {
		group_free(group);
		return status;
	}
	group->memory_bytes = spec->memory_bytes ? spec->memory_bytes : MEMORY_DEFAULT_BYTES;
	group->presorted = spec->presorted;
	group->zero_ns = spec->zero_ns;
	group->temp_dir = spec->temp_dir;
	group->value_count = spec->value_count;
	group->values = g_memdup2(spec->values, spec->value_count * sizeof(*spec->values));
	group->distincts = g_new0(struct distinct, spec->value_count + 1);
	keytable_init(&group->table, group->key_size, spec->value_count * sizeof(uint64_t));
	group->keys = g_malloc0(BATCH_ROWS * group->table.padded + 8);
	group->pairs = g_malloc0(BATCH_ROWS * (sizeof(uint64_t) + keytable_padded(VALUE_KEY_MAX)));
	group->out_key = g_malloc0(group->key_size + 1);
	group->out_values = g_new0(uint64_t, spec->value_count + 1);
	for (size_t v = 0; v < spec->value_count; v++) {
		const struct field *field = spec->values[v].field;

		group->columns |= value_ops[spec->values[v].op].columns;
		if (spec->values[v].op == GROUP_DISTINCT) {
			struct distinct *distinct = &group->distincts[v];

			distinct->part = make_part(field, NS_PER_S, NS_PER_S);
			distinct->part.offset = sizeof(uint64_t);
			keytable_init(&distinct->table, sizeof(uint64_t) + field->kind->key_size,
				      0);
			group->columns |= field->columns;
		}
	}
	*out = group;
	return ST_OK;
}

void group_free(struct group *group)
{
	if (!group) {
		return;
	}
	for (size_t v = 0; v < group->value_count; v++) {
		keytable_release(&group->distincts[v].table);
		sorter_free(group->distincts[v].sorter);
	}
	keytable_release(&group->table);
	sorter_free(group->sorter);
	g_free(group->parts);
	g_free(group->values);
	g_free(group->distincts);
	g_free(group->keys);
	g_free(group->pairs);
	g_free(group->out_key);
	g_free(group->out_values);
	g_free(group);
}

uint32_t group_columns(const struct group *group)
{
	return group->columns;
}

/* ---- adding ---- */

static void add_distinct(struct group *group, const struct batch *batch, size_t v)
{
	struct distinct *distinct = &group->distincts[v];
	struct keytable *table = &distinct->table;
	size_t stride = table->padded;
	uint32_t hashes[BATCH_ROWS];
	bool added;

	memset(group->pairs, 0, batch->selected * stride);
	pack_part(&distinct->part, batch, group->pairs, stride);
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint8_t *pair = group->pairs + i * stride;

		memcpy(pair, &group->rows[i], sizeof(uint64_t));
		hashes[i] = keytable_hash(table, pair);
		keytable_prefetch(table, hashes[i]);
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		keytable_prefetch_row(table, hashes[i]);
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		keytable_find(table, group->pairs + i * stride, hashes[i], &added);
		group->rows[i][v] += added;
	}
}

static void start_row(const struct group *group, uint64_t *values)
{
	for (size_t v = 0; v < group->value_count; v++) {
		values[v] = value_ops[group->values[v].op].initial;
	}
}

/* The group of a row is that of the row before, or a new one. */
static void follow_rows(struct group *group, const struct batch *batch)
{
	struct keytable *table = &group->table;
	size_t stride = table->padded;

	for (uint32_t i = 0; i < batch->selected; i++) {
		const uint8_t *key = group->keys + i * stride;
		uint8_t *row = table->count > 0 ? keytable_row(table, table->count - 1) : NULL;
		bool added = !row || memcmp(row, key, group->key_size) != 0;

		if (added) {
			row = keytable_append(table, key);
		}
		group->rows[i] = (uint64_t *)(void *)(row + stride);
		if (added) {
			start_row(group, group->rows[i]);
		}
	}
}

static void find_rows(struct group *group, const struct batch *batch)
{
	struct keytable *table = &group->table;
	size_t stride = table->padded;
	uint32_t hashes[BATCH_ROWS];
	bool added;

	for (uint32_t i = 0; i < batch->selected; i++) {
		hashes[i] = keytable_hash(table, group->keys + i * stride);
		keytable_prefetch(table, hashes[i]);
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		keytable_prefetch_row(table, hashes[i]);
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint8_t *row = keytable_find(table, group->keys + i * stride, hashes[i], &added);

		group->rows[i] = (uint64_t *)(void *)(row + stride);
		if (added) {
			start_row(group, group->rows[i]);
		}
	}
}

static int spill_pairs(struct group *group, struct distinct *distinct, struct err *err)
{
	size_t value_size = distinct->part.field->kind->key_size;

	if (!distinct->sorter) {
		distinct->sorter = sorter_new(&(struct sorter_opts){
			.key_size = group->key_size + value_size,
			.row_size = group->key_size + value_size,
			.memory_bytes = group->memory_bytes / (group->value_count + 1),
			.temp_dir = group->temp_dir,
		});
	}
	for (uint32_t i = 0; i < distinct->table.count; i++) {
		const uint8_t *pair = keytable_row(&distinct->table, i);
		uint8_t *out = sorter_add(distinct->sorter, err);
		const uint8_t *values;

		if (!out) {
			return ST_EIO;
		}
		/* the pair holds the address of the group's values, which follow its key */
		memcpy(&values, pair, sizeof(values));
		memcpy(out, values - group->table.padded, group->key_size);
		memcpy(out + group->key_size, pair + sizeof(uint64_t), value_size);
	}
	keytable_clear(&distinct->table);
	return ST_OK;
}

/* Move all groups to the sorter; with pairs, also what distinct counts rest on. */
static int drain(struct group *group, bool pairs, struct err *err)
{
	size_t values_size = group->value_count * sizeof(uint64_t);

	if (!group->sorter) {
		group->sorter = sorter_new(&(struct sorter_opts){
			.key_size = group->key_size,
			.row_size = group->key_size + values_size,
			.memory_bytes = group->memory_bytes / (group->value_count + 1),
			.temp_dir = group->temp_dir,
		});
	}
	for (size_t v = 0; v < group->value_count && pairs; v++) {
		if (group->values[v].op == GROUP_DISTINCT &&
		    spill_pairs(group, &group->distincts[v], err) != ST_OK) {
			return ST_EIO;
		}
	}
	for (uint32_t i = 0; i < group->table.count; i++) {
		const uint8_t *row = keytable_row(&group->table, i);
		uint8_t *out = sorter_add(group->sorter, err);

		if (!out) {
			return ST_EIO;
		}
		memcpy(out, row, group->key_size);
		memcpy(out + group->key_size, row + group->table.padded, values_size);
	}
	keytable_clear(&group->table);
	return ST_OK;
}

static uint64_t memory_used(const struct group *group)
{
	uint64_t bytes = keytable_bytes(&group->table);

	for (size_t v = 0; v < group->value_count; v++) {
		if (group->values[v].op == GROUP_DISTINCT) {
			bytes += keytable_bytes(&group->distincts[v].table);
		}
	}
	return bytes;
}

int group_add(struct group *group, const struct batch *batch, struct err *err)
{
	for (size_t i = 0; i < group->part_count; i++) {
		pack_part(&group->parts[i], batch, group->keys, group->table.padded);
	}
	if (group->presorted) {
		follow_rows(group, batch);
	} else {
		find_rows(group, batch);
	}
	for (size_t v = 0; v < group->value_count; v++) {
		value_ops[group->values[v].op].add(group, batch, v);
	}
	if (memory_used(group) > group->memory_bytes) {
		group->spilled = true;
		return drain(group, true, err);
	}
	return ST_OK;
}

/* ---- handing out ---- */

static int read_ahead(struct sorter *sorter, const uint8_t **ahead, struct err *err)
{
	int status = sorter_next(sorter, ahead, err);

	if (status == ST_END) {
		*ahead = NULL;
		status = ST_OK;
	}
	return status;
}

static int start_sorter(struct sorter *sorter, const uint8_t **ahead, struct err *err)
{
	int status = sorter_finish(sorter, err);

	return status == ST_OK ? read_ahead(sorter, ahead, err) : status;
}

int group_finish(struct group *group, bool sorted, struct err *err)
{
	int status;

	if (!sorted && !group->spilled) {
		return ST_OK;
	}
	status = drain(group, group->spilled, err);
	if (status == ST_OK) {
		status = start_sorter(group->sorter, &group->ahead, err);
	}
	for (size_t v = 0; v < group->value_count && status == ST_OK; v++) {
		struct distinct *distinct = &group->distincts[v];

		if (distinct->sorter) {
			status = start_sorter(distinct->sorter, &distinct->ahead, err);
		}
	}
	return status;
}

/* Count the different pairs of the group whose key is in out_key. */
static int count_pairs(struct group *group, struct distinct *distinct, uint64_t *count,
		       struct err *err)
{
	size_t size = group->key_size + distinct->part.field->kind->key_size;
	uint8_t last[GROUP_KEY_MAX + VALUE_KEY_MAX];
	int status = ST_OK;

	*count = 0;
	while (status == ST_OK && distinct->ahead &&
	       memcmp(distinct->ahead, group->out_key, group->key_size) == 0) {
		*count += *count == 0 || memcmp(last, distinct->ahead, size) != 0;
		memcpy(last, distinct->ahead, size);
		status = read_ahead(distinct->sorter, &distinct->ahead, err);
	}
	return status;
}

/* Merge the partial groups of the next key. */
static int next_sorted(struct group *group, struct group_bin *bin, struct err *err)
{
	size_t values_size = group->value_count * sizeof(uint64_t);
	int status = ST_OK;

	if (!group->ahead) {
		return ST_END;
	}
	memcpy(group->out_key, group->ahead, group->key_size);
	memcpy(group->out_values, group->ahead + group->key_size, values_size);
	status = read_ahead(group->sorter, &group->ahead, err);
	while (status == ST_OK && group->ahead &&
	       memcmp(group->ahead, group->out_key, group->key_size) == 0) {
		for (size_t v = 0; v < group->value_count; v++) {
			uint64_t value;

			memcpy(&value, group->ahead + group->key_size + v * sizeof(value),
			       sizeof(value));
			group->out_values[v] =
				value_ops[group->values[v].op].merge(group->out_values[v], value);
		}
		status = read_ahead(group->sorter, &group->ahead, err);
	}
	for (size_t v = 0; v < group->value_count && status == ST_OK; v++) {
		if (group->distincts[v].sorter) {
			status = count_pairs(group, &group->distincts[v], &group->out_values[v],
					     err);
		}
	}
	*bin = (struct group_bin){ group->out_key, group->out_values };
	return status;
}

int group_next(struct group *group, struct group_bin *bin, struct err *err)
{
	const uint8_t *row;

	if (group->sorter) {
		return next_sorted(group, bin, err);
	}
	if (group->next == group->table.count) {
		return ST_END;
	}
	row = keytable_row(&group->table, group->next++);
	bin->key = row;
	bin->values = (const uint64_t *)(const void *)(row + group->table.padded);
	return ST_OK;
}

size_t group_key_size(const struct group *group)
{
	return group->key_size;
}

void group_key(const struct group *group, const uint8_t *key, size_t i, struct value *out)
{
	const struct part *part = &group->parts[i];

	part->field->kind->from_key(out, key + part->offset);
}
