/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups are kept in sets by the highest bits of the hashes of their keys, each with a table for
 * narrow and for wide keys. With one thread there is one set.
 */
#include "query/group.h"

#include <pthread.h>
#include <string.h>

#include <glib.h>

#include "common/timestamp.h"
#include "query/grouporder.h"
#include "query/grouptable.h"
#include "query/sorter.h"

#define MEMORY_DEFAULT_BYTES (UINT64_C(1) << 30)
/* How many sets there are with several threads, if there is memory enough: twice as many, so that
 * one is free. */
#define SETS_PER_THREAD  2
#define SETS_MAX         16u
#define SETS_WORTH_BYTES (UINT64_C(256) << 20)
/* What a worker of several has of its own: so much, and all of them no more than this part. */
#define OWN_BYTES (UINT64_C(12) << 20)
#define OWN_PART  4

struct groupset {
	pthread_mutex_t lock;
	struct grouptable *tables[GROUPKEY_SHAPES]; /* NULL: not needed yet */
};

struct distinct {
	struct sorter *sorter; /* after a spill: the group's key, then the value */
	const uint8_t *ahead;  /* next row of the sorter, NULL: none */
};

struct group {
	struct groupkey key;
	struct group_value *values;
	size_t value_count; /* with that of the order */
	struct groupkey_part *distinct_parts;
	struct grouptable_spec specs[GROUPKEY_SHAPES];
	uint32_t columns;
	bool presorted;
	bool in_order;
	unsigned threads;
	uint64_t zero_ns;
	uint64_t memory_bytes;
	const char *temp_dir;

	uint64_t set_bytes; /* atomic: of what is in the sets */
	unsigned set_bits;
	unsigned set_count; /* in use: one, until a worker shares its groups */
	struct groupset sets[SETS_MAX];
	struct group_worker *worker; /* of group_add() */
	uint64_t position;           /* of its next batch */

	pthread_mutex_t spill_lock;
	bool spilled;
	struct sorter *sorter; /* key and values, sorted */
	struct distinct *distincts;
	const uint8_t *ahead; /* next row of the sorter */
	uint8_t *out_key;
	uint64_t *out_values;

	struct grouptable *tables[SETS_MAX * GROUPKEY_SHAPES]; /* of all sets */
	struct grouporder *order;
	uint64_t next; /* bin to hand out */
};

struct group_worker {
	struct group *group;
	bool shares;                             /* it adds to the sets */
	struct grouptable *own[GROUPKEY_SHAPES]; /* else to these */
	uint8_t *keys[GROUPKEY_SHAPES];          /* of the rows of a batch, padded */
	uint8_t **distincts;                     /* a value each: wide ones */
	uint32_t hashes[BATCH_ROWS];
	uint16_t order[SETS_MAX][BATCH_ROWS]; /* places of the rows of each set */
	uint32_t counts[SETS_MAX];
	uint16_t rows[GROUPKEY_SHAPES][BATCH_ROWS];
	uint16_t selection[BATCH_ROWS];
};

/* ---- the plan ---- */

static void make_values(struct group *group, const struct group_spec *spec)
{
	group->value_count = spec->value_count + group->in_order;
	group->values = g_new0(struct group_value, group->value_count + 1);
	memcpy(group->values, spec->values, spec->value_count * sizeof(*spec->values));
	if (group->in_order) {
		group->values[spec->value_count].op = GROUP_FIRST;
	}
	group->distinct_parts = g_new0(struct groupkey_part, group->value_count + 1);
	for (size_t v = 0; v < group->value_count; v++) {
		const struct group_value *value = &group->values[v];

		group->columns |= groupvalue_ops[value->op].columns;
		if (value->op == GROUP_DISTINCT) {
			group->distinct_parts[v] = groupkey_part(value->field, NS_PER_S, NS_PER_S);
			group->columns |= value->field->columns;
		}
	}
}

static void make_sets(struct group *group)
{
	for (unsigned i = 0; i < SETS_MAX; i++) {
		pthread_mutex_init(&group->sets[i].lock, NULL);
	}
	group->set_count = 1;
	pthread_mutex_init(&group->spill_lock, NULL);
	for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
		group->specs[shape] = (struct grouptable_spec){
			.key_size = group->key.size[shape],
			.values = group->values,
			.distincts = group->distinct_parts,
			.value_count = group->value_count,
		};
	}
}

int group_new(struct group **out, const struct group_spec *spec, struct err *err)
{
	struct groupkey key;
	struct group *group;

	if (groupkey_init(&key, spec, err) != ST_OK) {
		groupkey_release(&key);
		return ST_ELIMIT;
	}
	group = g_new0(struct group, 1);
	group->key = key;
	group->columns = key.columns;
	group->memory_bytes = spec->memory_bytes ? spec->memory_bytes : MEMORY_DEFAULT_BYTES;
	group->presorted = spec->presorted;
	group->in_order = spec->in_order && !spec->presorted;
	group->threads = MAX(spec->threads, 1);
	group->zero_ns = spec->zero_ns;
	group->temp_dir = spec->temp_dir;
	make_values(group, spec);
	make_sets(group);
	group->distincts = g_new0(struct distinct, group->value_count + 1);
	group->out_key = g_malloc0(group->key.size[GROUPKEY_WIDE] + 1);
	group->out_values = g_new0(uint64_t, group->value_count + 1);
	*out = group;
	return ST_OK;
}

void group_free(struct group *group)
{
	if (!group) {
		return;
	}
	group_worker_free(group->worker, NULL);
	grouporder_free(group->order);
	for (unsigned i = 0; i < SETS_MAX; i++) {
		for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
			grouptable_free(group->sets[i].tables[shape]);
		}
		pthread_mutex_destroy(&group->sets[i].lock);
	}
	pthread_mutex_destroy(&group->spill_lock);
	for (size_t v = 0; v < group->value_count; v++) {
		sorter_free(group->distincts[v].sorter);
	}
	sorter_free(group->sorter);
	groupkey_release(&group->key);
	g_free(group->values);
	g_free(group->distinct_parts);
	g_free(group->distincts);
	g_free(group->out_key);
	g_free(group->out_values);
	g_free(group);
}

uint32_t group_columns(const struct group *group)
{
	return group->columns;
}

/* ---- spilling ---- */

static struct sorter *make_sorter(const struct group *group, size_t key_size, size_t more)
{
	return sorter_new(&(struct sorter_opts){
		.key_size = key_size,
		.row_size = key_size + more,
		.memory_bytes = group->memory_bytes / (group->value_count + 1),
		.temp_dir = group->temp_dir,
	});
}

struct spill {
	struct group *group;
	enum groupkey_shape shape;
	size_t v;
};

static int spill_pair(void *arg, const uint8_t *key, const uint8_t *value, struct err *err)
{
	const struct spill *spill = arg;
	const struct group *group = spill->group;
	uint8_t *out = sorter_add(group->distincts[spill->v].sorter, err);

	if (!out) {
		return ST_EIO;
	}
	groupkey_widen(&group->key, spill->shape, key, out);
	memcpy(out + group->key.size[GROUPKEY_WIDE], value,
	       group->distinct_parts[spill->v].field->kind->key_size);
	return ST_OK;
}

static int spill_pairs(struct group *group, enum groupkey_shape shape,
		       const struct grouptable *table, struct err *err)
{
	size_t key_size = group->key.size[GROUPKEY_WIDE];
	int status = ST_OK;

	for (size_t v = 0; status == ST_OK && v < group->value_count; v++) {
		struct spill spill = { group, shape, v };
		struct sorter **sorter = &group->distincts[v].sorter;

		if (group->values[v].op != GROUP_DISTINCT) {
			continue;
		}
		if (!*sorter) {
			size_t size = group->distinct_parts[v].field->kind->key_size;

			*sorter = make_sorter(group, key_size + size, 0);
		}
		status = grouptable_each_pair(table, v, spill_pair, &spill, err);
	}
	return status;
}

/* Move the groups of a table to the sorter, and what distinct counts rest on. */
static int spill_table(struct group *group, enum groupkey_shape shape, struct grouptable *table,
		       struct err *err)
{
	size_t key_size = group->key.size[GROUPKEY_WIDE];
	size_t values_size = group->value_count * sizeof(uint64_t);
	int status = spill_pairs(group, shape, table, err);

	if (!group->sorter) {
		group->sorter = make_sorter(group, key_size, values_size);
	}
	for (uint32_t i = 0; status == ST_OK && i < table->rows.count; i++) {
		uint8_t *out = sorter_add(group->sorter, err);

		if (!out) {
			return ST_EIO;
		}
		groupkey_widen(&group->key, shape, keytable_row(&table->rows, i), out);
		memcpy(out + key_size, grouptable_values(table, i), values_size);
	}
	grouptable_clear(table);
	return status;
}

/* By who has the set's lock. */
static int spill_set(struct group *group, struct groupset *set, struct err *err)
{
	int status = ST_OK;

	pthread_mutex_lock(&group->spill_lock);
	group->spilled = true;
	for (enum groupkey_shape shape = 0; status == ST_OK && shape < GROUPKEY_SHAPES; shape++) {
		if (set->tables[shape]) {
			status = spill_table(group, shape, set->tables[shape], err);
		}
	}
	pthread_mutex_unlock(&group->spill_lock);
	return status;
}

static uint64_t bytes_of(struct grouptable *const tables[GROUPKEY_SHAPES])
{
	uint64_t bytes = 0;

	for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
		bytes += tables[shape] ? grouptable_bytes(tables[shape]) : 0;
	}
	return bytes;
}

/*
 * The set has grown from so many bytes, by who has its lock. One bound counts for all sets: whether
 * anything is ever spilled, which is seen in the order of the groups, follows from the groups alone and not
 * from how they are divided.
 */
static int account(struct group *group, struct groupset *set, uint64_t before, struct err *err)
{
	uint64_t now = bytes_of(set->tables);
	uint64_t all = __atomic_add_fetch(&group->set_bytes, now - before, __ATOMIC_RELAXED);
	int status = ST_OK;

	if (all > group->memory_bytes) {
		status = spill_set(group, set, err);
		__atomic_sub_fetch(&group->set_bytes, now - bytes_of(set->tables),
				   __ATOMIC_RELAXED);
	}
	return status;
}

/* ---- workers ---- */

struct group_worker *group_worker_new(struct group *group)
{
	struct group_worker *worker = g_new0(struct group_worker, 1);

	worker->group = group;
	worker->shares = group->threads == 1;
	worker->distincts = g_new0(uint8_t *, group->value_count + 1);
	for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
		worker->keys[shape] =
			g_malloc0(BATCH_ROWS * keytable_padded(group->key.size[shape]) + 8);
	}
	for (size_t v = 0; v < group->value_count; v++) {
		if (group->values[v].op == GROUP_DISTINCT) {
			worker->distincts[v] = g_malloc0((size_t)BATCH_ROWS * VALUE_KEY_MAX);
		}
	}
	return worker;
}

static struct grouptable *table_in(const struct group *group,
				   struct grouptable *tables[GROUPKEY_SHAPES],
				   enum groupkey_shape shape)
{
	if (!tables[shape]) {
		tables[shape] = grouptable_new(&group->specs[shape]);
	}
	return tables[shape];
}

static unsigned set_of(const struct group *group, uint32_t hash)
{
	return (unsigned)((uint64_t)hash << group->set_bits >> 32);
}

/* The worker's groups are added to those of the sets. */
static int merge_own(struct group_worker *worker, enum groupkey_shape shape, struct err *err)
{
	struct group *group = worker->group;
	const struct grouptable *own = worker->own[shape];
	uint32_t *hashes = g_new(uint32_t, own->rows.count + 1);
	uint8_t *parts = g_malloc(own->rows.count + 1);
	struct grouptable_part part = {
		.from = own,
		.hashes = hashes,
		.parts = parts,
		.map = g_new(uint32_t, own->rows.count + 1),
	};
	int status = ST_OK;

	for (uint32_t i = 0; i < own->rows.count; i++) {
		hashes[i] = keytable_hash(&own->rows, keytable_row(&own->rows, i));
		parts[i] = (uint8_t)set_of(group, hashes[i]);
	}
	for (unsigned s = 0; status == ST_OK && s < group->set_count; s++) {
		struct groupset *set = &group->sets[s];

		uint64_t before;

		part.part = (uint8_t)s;
		pthread_mutex_lock(&set->lock);
		before = bytes_of(set->tables);
		grouptable_merge(table_in(group, set->tables, shape), &part);
		status = account(group, set, before, err);
		pthread_mutex_unlock(&set->lock);
	}
	g_free(hashes);
	g_free(parts);
	g_free(part.map);
	return status;
}

/* If there is one set, and nothing in it, the worker's table becomes its. */
static bool give_own(struct group_worker *worker, enum groupkey_shape shape, int *status,
		     struct err *err)
{
	struct group *group = worker->group;
	struct groupset *set = &group->sets[0];
	bool given;

	pthread_mutex_lock(&set->lock);
	given = group->set_count == 1 && !set->tables[shape];
	if (given) {
		uint64_t before = bytes_of(set->tables);

		set->tables[shape] = worker->own[shape];
		worker->own[shape] = NULL;
		*status = account(group, set, before, err);
	}
	pthread_mutex_unlock(&set->lock);
	return given;
}

/* The first worker that shares its groups makes room for those of all; no set is in use yet. */
static void divide_sets(struct group *group)
{
	pthread_mutex_lock(&group->spill_lock);
	if (group->set_count == 1 && group->memory_bytes >= SETS_WORTH_BYTES) {
		while (group->set_count < MIN(SETS_PER_THREAD * group->threads, SETS_MAX)) {
			group->set_bits++;
			group->set_count *= 2;
		}
	}
	pthread_mutex_unlock(&group->spill_lock);
}

static int hand_in_all(struct group_worker *worker, struct err *err)
{
	int status = ST_OK;

	for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
		if (worker->own[shape] && status == ST_OK &&
		    !give_own(worker, shape, &status, err)) {
			status = merge_own(worker, shape, err);
		}
		grouptable_free(worker->own[shape]);
		worker->own[shape] = NULL;
	}
	worker->shares = true;
	return status;
}

int group_worker_free(struct group_worker *worker, struct err *err)
{
	int status;

	if (!worker) {
		return ST_OK;
	}
	status = hand_in_all(worker, err);
	for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
		g_free(worker->keys[shape]);
	}
	for (size_t v = 0; v < worker->group->value_count; v++) {
		g_free(worker->distincts[v]);
	}
	g_free(worker->distincts);
	g_free(worker);
	return status;
}

/* ---- adding ---- */

/* Places of the rows by the set of their keys. */
static void order_rows(struct group_worker *worker, const struct grouptable_packed *packed)
{
	const struct group *group = worker->group;
	const uint32_t count = packed->rows.batch->selected;

	memset(worker->counts, 0, sizeof(worker->counts));
	for (uint32_t i = 0; i < count; i++) {
		unsigned s = worker->shares ? set_of(group, packed->hashes[i]) : 0;

		worker->order[s][worker->counts[s]++] = (uint16_t)i;
	}
}

static int add_to_set(struct group_worker *worker, unsigned s, enum groupkey_shape shape,
		      const struct grouptable_packed *packed, struct err *err)
{
	struct group *group = worker->group;
	struct groupset *set = &group->sets[s];
	uint64_t before = bytes_of(set->tables);
	struct grouptable *table = table_in(group, set->tables, shape);

	if (group->presorted) {
		grouptable_follow(table, packed);
	} else {
		grouptable_add(table, packed, worker->order[s], worker->counts[s]);
	}
	return account(group, set, before, err);
}

/* The sets that are free first; when all are taken, wait for one. */
static int add_to_sets(struct group_worker *worker, enum groupkey_shape shape,
		       const struct grouptable_packed *packed, struct err *err)
{
	struct group *group = worker->group;
	unsigned left = group->set_count;
	bool waits = false;
	int status = ST_OK;

	while (left > 0 && status == ST_OK) {
		unsigned before = left;

		left = 0;
		for (unsigned s = 0; s < group->set_count && status == ST_OK; s++) {
			struct groupset *set = &group->sets[s];

			if (worker->counts[s] == 0) {
				continue;
			}
			if (waits) {
				pthread_mutex_lock(&set->lock);
			} else if (pthread_mutex_trylock(&set->lock) != 0) {
				left++;
				continue;
			}
			waits = false;
			status = add_to_set(worker, s, shape, packed, err);
			worker->counts[s] = 0;
			pthread_mutex_unlock(&set->lock);
		}
		waits = left == before;
	}
	return status;
}

/* The selected rows all have this shape. */
static int add_shape(struct group_worker *worker, enum groupkey_shape shape,
		     const struct batch *batch, uint64_t position, struct err *err)
{
	struct group *group = worker->group;
	size_t stride = keytable_padded(group->key.size[shape]);
	const struct grouptable_packed packed = {
		.keys = worker->keys[shape],
		.hashes = worker->hashes,
		.distincts = worker->distincts,
		.rows = { .batch = batch, .zero_ns = group->zero_ns, .position = position },
	};

	groupkey_pack(&group->key, shape, batch, worker->keys[shape], stride);
	keytable_hash_all(packed.keys, stride, batch->selected, worker->hashes);
	for (size_t v = 0; v < group->value_count; v++) {
		if (group->values[v].op == GROUP_DISTINCT) {
			groupkey_pack_part(&group->distinct_parts[v], batch, worker->distincts[v],
					   VALUE_KEY_MAX);
		}
	}
	order_rows(worker, &packed);
	if (worker->shares) {
		return add_to_sets(worker, shape, &packed, err);
	}
	grouptable_add(table_in(group, worker->own, shape), &packed, worker->order[0],
		       worker->counts[0]);
	return ST_OK;
}

static uint64_t own_bytes_max(const struct group *group)
{
	return MIN(OWN_BYTES, group->memory_bytes / OWN_PART / group->threads);
}

int group_worker_add(struct group_worker *worker, struct batch *batch, uint64_t position,
		     struct err *err)
{
	const struct group *group = worker->group;
	const uint32_t selected = batch->selected;
	uint32_t counts[GROUPKEY_SHAPES];
	int status = ST_OK;

	groupkey_split(&group->key, batch, worker->rows, counts);
	memcpy(worker->selection, batch->selection, selected * sizeof(batch->selection[0]));
	for (enum groupkey_shape shape = 0; status == ST_OK && shape < GROUPKEY_SHAPES; shape++) {
		if (counts[shape] > 0) {
			memcpy(batch->selection, worker->rows[shape],
			       counts[shape] * sizeof(batch->selection[0]));
			batch->selected = counts[shape];
			status = add_shape(worker, shape, batch, position, err);
		}
	}
	memcpy(batch->selection, worker->selection, selected * sizeof(batch->selection[0]));
	batch->selected = selected;
	if (status == ST_OK && !worker->shares && bytes_of(worker->own) > own_bytes_max(group)) {
		divide_sets(worker->group);
		status = hand_in_all(worker, err);
	}
	return status;
}

int group_add(struct group *group, struct batch *batch, struct err *err)
{
	uint64_t position = group->position;

	if (!group->worker) {
		group->worker = group_worker_new(group);
	}
	group->position += BATCH_ROWS;
	return group_worker_add(group->worker, batch, position, err);
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

static int finish_spilled(struct group *group, struct err *err)
{
	int status = ST_OK;

	for (unsigned i = 0; i < group->set_count && status == ST_OK; i++) {
		status = spill_set(group, &group->sets[i], err);
	}
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

/* Do groups lie in the order of their first records? One thread puts them so into its tables, and
 * there must be one table. */
static bool lie_in_order(const struct group *group)
{
	const struct groupset *set = &group->sets[0];

	return group->threads == 1 &&
	       (!set->tables[GROUPKEY_NARROW] || !set->tables[GROUPKEY_WIDE]);
}

static enum grouporder_by choose_order(const struct group *group, bool sorted)
{
	if (sorted) {
		return GROUPORDER_BY_KEY;
	}
	return group->in_order && !lie_in_order(group) ? GROUPORDER_BY_FIRST : GROUPORDER_NONE;
}

int group_finish(struct group *group, bool sorted, struct err *err)
{
	int status = group_worker_free(group->worker, err);

	group->worker = NULL;
	if (status != ST_OK) {
		return status;
	}
	if (group->spilled) {
		return finish_spilled(group, err);
	}
	for (unsigned i = 0; i < group->set_count * GROUPKEY_SHAPES; i++) {
		group->tables[i] = group->sets[i / GROUPKEY_SHAPES].tables[i % GROUPKEY_SHAPES];
		if (group->tables[i]) {
			grouptable_seal(group->tables[i]);
		}
	}
	group->order = grouporder_new(&(struct grouporder_opts){
		.key = &group->key,
		.tables = group->tables,
		.table_count = (size_t)group->set_count * GROUPKEY_SHAPES,
		.by = choose_order(group, sorted),
		.first = group->value_count - 1,
		.threads = group->threads,
	});
	return ST_OK;
}

/* Count the different pairs of the group whose key is in out_key. */
static int count_pairs(struct group *group, size_t v, uint64_t *count, struct err *err)
{
	struct distinct *distinct = &group->distincts[v];
	size_t size =
		group->key.size[GROUPKEY_WIDE] + group->distinct_parts[v].field->kind->key_size;
	uint8_t last[GROUP_KEY_MAX + VALUE_KEY_MAX];
	int status = ST_OK;

	*count = 0;
	while (status == ST_OK && distinct->ahead &&
	       memcmp(distinct->ahead, group->out_key, group->key.size[GROUPKEY_WIDE]) == 0) {
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
	memcpy(group->out_key, group->ahead, group->key.size[GROUPKEY_WIDE]);
	memcpy(group->out_values, group->ahead + group->key.size[GROUPKEY_WIDE], values_size);
	status = read_ahead(group->sorter, &group->ahead, err);
	while (status == ST_OK && group->ahead &&
	       memcmp(group->ahead, group->out_key, group->key.size[GROUPKEY_WIDE]) == 0) {
		for (size_t v = 0; v < group->value_count; v++) {
			uint64_t value;

			memcpy(&value,
			       group->ahead + group->key.size[GROUPKEY_WIDE] + v * sizeof(value),
			       sizeof(value));
			group->out_values[v] = groupvalue_ops[group->values[v].op].merge(
				group->out_values[v], value);
		}
		status = read_ahead(group->sorter, &group->ahead, err);
	}
	for (size_t v = 0; v < group->value_count && status == ST_OK; v++) {
		if (group->distincts[v].sorter) {
			status = count_pairs(group, v, &group->out_values[v], err);
		}
	}
	*bin = (struct group_bin){ group->out_key, group->out_values };
	return status;
}

uint64_t group_count(const struct group *group)
{
	return group->spilled ? 0 : grouporder_count(group->order);
}

void group_get(const struct group *group, uint64_t i, uint8_t *room, struct group_bin *bin)
{
	bin->values = grouporder_get(group->order, i, room);
	bin->key = room;
}

int group_next(struct group *group, struct group_bin *bin, struct err *err)
{
	if (group->spilled) {
		return next_sorted(group, bin, err);
	}
	if (group->next == grouporder_count(group->order)) {
		return ST_END;
	}
	group_get(group, group->next++, group->out_key, bin);
	return ST_OK;
}

size_t group_key_size(const struct group *group)
{
	return group->key.size[GROUPKEY_WIDE];
}

void group_key(const struct group *group, const uint8_t *key, size_t i, struct value *out)
{
	const struct groupkey_part *part = &group->key.parts[i];

	part->field->kind->from_key(out, key + part->offset[GROUPKEY_WIDE]);
}
