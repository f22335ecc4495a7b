/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is sorted by: the wide key; in front of it, with presorted input, the number of the group. The
 * values follow. Distinct counts rest on sorted rows of what is sorted by and the counted value.
 */
#include "query/groupspill.h"

#include <endian.h>
#include <string.h>

#include <glib.h>

#include "query/sorter.h"

/* Bytes of a group's number. */
#define NUMBER sizeof(uint64_t)

/* Sorted rows, of which the next one is known. */
struct rows {
	struct sorter *sorter; /* NULL: none were added */
	const uint8_t *ahead;  /* NULL: there is none */
};

struct groupspill {
	const struct groupkey *key;
	const struct grouptable_spec *spec;
	bool presorted;
	uint64_t memory_bytes;
	const char *temp_dir;
	size_t key_at;     /* where the key begins in what is sorted by */
	size_t size;       /* bytes of that */
	unsigned beside;   /* sorters there are beside one: of each distinct count */
	uint64_t number;   /* presorted: of the first group of the next table */
	uint8_t *last_key; /* of the last group of the table before */
	struct rows groups;
	struct rows *distincts; /* a value each */
	uint8_t *out;
	uint64_t *out_values;
};

struct groupspill *groupspill_new(const struct groupspill_opts *opts)
{
	struct groupspill *spill = g_new0(struct groupspill, 1);
	size_t key_size = opts->key->size[GROUPKEY_WIDE];

	spill->key = opts->key;
	spill->spec = opts->spec;
	spill->presorted = opts->presorted;
	spill->memory_bytes = opts->memory_bytes;
	spill->temp_dir = opts->temp_dir;
	spill->key_at = opts->presorted ? NUMBER : 0;
	spill->size = spill->key_at + key_size;
	for (size_t v = 0; v < opts->spec->value_count; v++) {
		spill->beside += opts->spec->values[v].op == GROUP_DISTINCT;
	}
	spill->last_key = g_malloc0(key_size + 1);
	spill->distincts = g_new0(struct rows, opts->spec->value_count + 1);
	spill->out = g_malloc0(spill->size + 1);
	spill->out_values = g_new0(uint64_t, opts->spec->value_count + 1);
	return spill;
}

void groupspill_free(struct groupspill *spill)
{
	if (!spill) {
		return;
	}
	for (size_t v = 0; v < spill->spec->value_count; v++) {
		sorter_free(spill->distincts[v].sorter);
	}
	sorter_free(spill->groups.sorter);
	g_free(spill->last_key);
	g_free(spill->distincts);
	g_free(spill->out);
	g_free(spill->out_values);
	g_free(spill);
}

/* ---- writing ---- */

static uint8_t *add_row(struct groupspill *spill, struct rows *rows, size_t key_size, size_t more,
			struct err *err)
{
	if (!rows->sorter) {
		rows->sorter = sorter_new(&(struct sorter_opts){
			.key_size = key_size,
			.row_size = key_size + more,
			.memory_bytes = spill->memory_bytes / (spill->spec->value_count + 1),
			.temp_dir = spill->temp_dir,
			.beside = spill->beside,
		});
	}
	return sorter_add(rows->sorter, err);
}

/* A table that is being written. */
struct writing {
	struct groupspill *spill;
	enum groupkey_shape shape;
	const struct grouptable *table;
	size_t v;
};

/* What row number i is sorted by. */
static void write_key(const struct writing *writing, uint32_t i, uint8_t *out)
{
	const struct groupspill *spill = writing->spill;
	uint64_t number = htobe64(spill->number + i);

	memcpy(out, &number, spill->key_at);
	groupkey_widen(spill->key, writing->shape, keytable_row(&writing->table->rows, i),
		       out + spill->key_at);
}

static size_t distinct_size(const struct groupspill *spill, size_t v)
{
	return spill->spec->distincts[v].field->kind->key_size;
}

static int write_pair(void *arg, uint32_t row, const uint8_t *value, struct err *err)
{
	const struct writing *writing = arg;
	struct groupspill *spill = writing->spill;
	size_t value_size = distinct_size(spill, writing->v);
	uint8_t *out =
		add_row(spill, &spill->distincts[writing->v], spill->size + value_size, 0, err);

	if (!out) {
		return ST_EIO;
	}
	write_key(writing, row, out);
	memcpy(out + spill->size, value, value_size);
	return ST_OK;
}

static int write_pairs(struct writing *writing, struct err *err)
{
	const struct grouptable_spec *spec = writing->spill->spec;
	int status = ST_OK;

	for (size_t v = 0; status == ST_OK && v < spec->value_count; v++) {
		writing->v = v;
		if (spec->values[v].op == GROUP_DISTINCT) {
			status = grouptable_each_pair(writing->table, v, write_pair, writing, err);
		}
	}
	return status;
}

static int write_groups(struct writing *writing, struct err *err)
{
	struct groupspill *spill = writing->spill;
	size_t values_size = spill->spec->value_count * sizeof(uint64_t);

	for (uint32_t i = 0; i < writing->table->rows.count; i++) {
		uint8_t *out = add_row(spill, &spill->groups, spill->size, values_size, err);

		if (!out) {
			return ST_EIO;
		}
		write_key(writing, i, out);
		memcpy(out + spill->size, grouptable_values(writing->table, i), values_size);
	}
	return ST_OK;
}

/* Does the group go on that the table before has ended with? Its keys are wide. */
static bool goes_on(const struct groupspill *spill, const struct grouptable *table)
{
	return spill->number > 0 && memcmp(keytable_row(&table->rows, 0), spill->last_key,
					   spill->key->size[GROUPKEY_WIDE]) == 0;
}

int groupspill_add(struct groupspill *spill, enum groupkey_shape shape, struct grouptable *table,
		   struct err *err)
{
	struct writing writing = { .spill = spill, .shape = shape, .table = table };
	uint32_t count = table->rows.count;
	int status;

	if (count == 0) {
		return ST_OK;
	}
	if (spill->presorted && goes_on(spill, table)) {
		spill->number--;
	}
	status = write_pairs(&writing, err);
	if (status == ST_OK) {
		status = write_groups(&writing, err);
	}
	if (spill->presorted) {
		spill->number += count;
		memcpy(spill->last_key, keytable_row(&table->rows, count - 1),
		       spill->key->size[GROUPKEY_WIDE]);
	}
	grouptable_clear(table);
	return status;
}

/* ---- reading ---- */

static int read_ahead(struct rows *rows, struct err *err)
{
	int status = sorter_next(rows->sorter, &rows->ahead, err);

	if (status == ST_END) {
		rows->ahead = NULL;
		status = ST_OK;
	}
	return status;
}

static int start(struct rows *rows, struct err *err)
{
	int status = rows->sorter ? sorter_finish(rows->sorter, err) : ST_OK;

	return rows->sorter && status == ST_OK ? read_ahead(rows, err) : status;
}

int groupspill_finish(struct groupspill *spill, struct err *err)
{
	int status = start(&spill->groups, err);

	for (size_t v = 0; v < spill->spec->value_count && status == ST_OK; v++) {
		status = start(&spill->distincts[v], err);
	}
	return status;
}

/* Are the next of these rows of the group at hand? */
static bool is_next(const struct groupspill *spill, const struct rows *rows)
{
	return rows->ahead && memcmp(rows->ahead, spill->out, spill->size) == 0;
}

/* Count the different pairs of the group at hand. */
static int count_pairs(struct groupspill *spill, size_t v, struct err *err)
{
	struct rows *rows = &spill->distincts[v];
	size_t size = spill->size + distinct_size(spill, v);
	uint8_t last[NUMBER + GROUP_KEY_MAX + VALUE_KEY_MAX];
	uint64_t count = 0;
	int status = ST_OK;

	while (status == ST_OK && is_next(spill, rows)) {
		count += count == 0 || memcmp(last, rows->ahead, size) != 0;
		memcpy(last, rows->ahead, size);
		status = read_ahead(rows, err);
	}
	spill->out_values[v] = count;
	return status;
}

static void merge_values(struct groupspill *spill, const uint8_t *from)
{
	for (size_t v = 0; v < spill->spec->value_count; v++) {
		enum group_op op = spill->spec->values[v].op;
		uint64_t value;

		memcpy(&value, from + v * sizeof(value), sizeof(value));
		spill->out_values[v] = groupvalue_ops[op].merge(spill->out_values[v], value);
	}
}

int groupspill_next(struct groupspill *spill, struct group_bin *bin, struct err *err)
{
	struct rows *rows = &spill->groups;
	int status;

	if (!rows->ahead) {
		return ST_END;
	}
	memcpy(spill->out, rows->ahead, spill->size);
	memcpy(spill->out_values, rows->ahead + spill->size,
	       spill->spec->value_count * sizeof(uint64_t));
	status = read_ahead(rows, err);
	while (status == ST_OK && is_next(spill, rows)) {
		merge_values(spill, rows->ahead + spill->size);
		status = read_ahead(rows, err);
	}
	for (size_t v = 0; v < spill->spec->value_count && status == ST_OK; v++) {
		if (spill->distincts[v].sorter) {
			status = count_pairs(spill, v, err);
		}
	}
	*bin = (struct group_bin){ spill->out + spill->key_at, spill->out_values };
	return status;
}
