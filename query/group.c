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
#include "query/groupbuffers.h"
#include "query/grouporder.h"
#include "query/groupspill.h"
#include "query/grouptable.h"

#define MEMORY_DEFAULT_BYTES (UINT64_C(1) << 30)
/* How many sets there are with several threads, if there is memory enough: twice as many, so that one
 * is free. With more, tables are smaller than large pages, and slower. */
#define SETS_PER_THREAD  2
#define SETS_MAX         ((unsigned)GROUPTABLE_PARTS_MAX)
#define SETS_WORTH_BYTES (UINT64_C(256) << 20)
/* What a worker of several has of its own: so much, and all of them no more than this part. It is
 * less where groups are of few records each, so that little is gained by it. */
#define OWN_BYTES       (UINT64_C(12) << 20)
#define OWN_FEW_BYTES   (UINT64_C(4) << 20)
#define OWN_FEW_RECORDS 2
#define OWN_PART        4

struct groupset {
	pthread_mutex_t lock;
	struct grouptable *tables[GROUPKEY_SHAPES]; /* NULL: not needed yet */
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
	struct groupspill *spill; /* NULL: all are in memory */
	uint8_t *out_key;

	struct grouptable *tables[SETS_MAX * GROUPKEY_SHAPES]; /* of all sets */
	struct grouporder *order;
	uint64_t next; /* bin to hand out */
};

struct group_worker {
	struct group *group;
	bool shares;                             /* it adds to the sets, */
	struct grouptable *own[GROUPKEY_SHAPES]; /* else to these; */
	uint64_t own_records;
	/* of several threads by way of these; NULL: not needed yet */
	struct groupbuffers *buffers[GROUPKEY_SHAPES];
	uint8_t *keys[GROUPKEY_SHAPES]; /* of the rows of a batch, padded */
	uint8_t **distincts;            /* a value each: wide ones */
	uint32_t hashes[BATCH_ROWS];
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
	group->out_key = g_malloc0(group->key.size[GROUPKEY_WIDE] + 1);
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
	groupspill_free(group->spill);
	groupkey_release(&group->key);
	g_free(group->values);
	g_free(group->distinct_parts);
	g_free(group->out_key);
	g_free(group);
}

uint32_t group_columns(const struct group *group)
{
	return group->columns;
}

/* ---- spilling ---- */

/* By who has the set's lock. */
static int spill_set(struct group *group, struct groupset *set, struct err *err)
{
	int status = ST_OK;

	pthread_mutex_lock(&group->spill_lock);
	if (!group->spill) {
		group->spill = groupspill_new(&(struct groupspill_opts){
			.key = &group->key,
			.spec = &group->specs[GROUPKEY_WIDE],
			.presorted = group->presorted,
			.memory_bytes = group->memory_bytes,
			.temp_dir = group->temp_dir,
		});
	}
	for (enum groupkey_shape shape = 0; status == ST_OK && shape < GROUPKEY_SHAPES; shape++) {
		if (set->tables[shape]) {
			status = groupspill_add(group->spill, shape, set->tables[shape], err);
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

/* The buffer of set number s goes into its table. */
static int empty_buffer(struct group_worker *worker, enum groupkey_shape shape, unsigned s,
			struct err *err)
{
	struct group *group = worker->group;
	struct groupset *set = &group->sets[s];
	uint64_t before;
	int status;

	pthread_mutex_lock(&set->lock);
	before = bytes_of(set->tables);
	groupbuffers_empty(worker->buffers[shape], s, table_in(group, set->tables, shape));
	status = account(group, set, before, err);
	pthread_mutex_unlock(&set->lock);
	return status;
}

/* Those that are full, or all. */
static int empty_buffers(struct group_worker *worker, enum groupkey_shape shape, bool all,
			 struct err *err)
{
	const struct groupbuffers *buffers = worker->buffers[shape];
	int status = ST_OK;

	for (unsigned s = 0; status == ST_OK && s < worker->group->set_count; s++) {
		if (groupbuffers_is_full(buffers, s) ||
		    (all && groupbuffers_count(buffers, s) > 0)) {
			status = empty_buffer(worker, shape, s, err);
		}
	}
	return status;
}

/* The worker's groups are added to those of the sets. */
static int merge_own(struct group_worker *worker, enum groupkey_shape shape, struct err *err)
{
	struct group *group = worker->group;
	struct grouptable_parts *parts = grouptable_divide(worker->own[shape], group->set_bits);
	int status = ST_OK;

	for (unsigned s = 0; status == ST_OK && s < group->set_count; s++) {
		struct groupset *set = &group->sets[s];
		uint64_t before;

		pthread_mutex_lock(&set->lock);
		before = bytes_of(set->tables);
		grouptable_merge(table_in(group, set->tables, shape), parts, s);
		status = account(group, set, before, err);
		pthread_mutex_unlock(&set->lock);
	}
	grouptable_parts_free(parts);
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
		if (worker->buffers[shape] && status == ST_OK) {
			status = empty_buffers(worker, shape, true, err);
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
		groupbuffers_free(worker->buffers[shape]);
	}
	for (size_t v = 0; v < worker->group->value_count; v++) {
		g_free(worker->distincts[v]);
	}
	g_free(worker->distincts);
	g_free(worker);
	return status;
}

/* ---- adding ---- */

/* Of one thread: there is one set. */
static int add_to_set(struct group *group, enum groupkey_shape shape,
		      const struct grouptable_packed *packed, struct err *err)
{
	struct groupset *set = &group->sets[0];
	uint64_t before = bytes_of(set->tables);
	struct grouptable *table = table_in(group, set->tables, shape);

	if (group->presorted) {
		grouptable_follow(table, packed);
	} else {
		grouptable_add(table, packed);
	}
	return account(group, set, before, err);
}

/* Of several threads. */
static int add_to_buffers(struct group_worker *worker, enum groupkey_shape shape,
			  const struct grouptable_packed *packed, struct err *err)
{
	const struct group *group = worker->group;

	if (!worker->buffers[shape]) {
		worker->buffers[shape] = groupbuffers_new(&group->specs[shape], group->set_bits);
	}
	groupbuffers_add(worker->buffers[shape], packed);
	return empty_buffers(worker, shape, false, err);
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
	if (group->threads == 1) {
		return add_to_set(group, shape, &packed, err);
	}
	if (worker->shares) {
		return add_to_buffers(worker, shape, &packed, err);
	}
	grouptable_add(table_in(group, worker->own, shape), &packed);
	return ST_OK;
}

/* Has it groups enough of its own? */
static bool is_full(const struct group_worker *worker)
{
	const struct group *group = worker->group;
	const uint64_t max = MIN(OWN_BYTES, group->memory_bytes / OWN_PART / group->threads);
	const uint64_t bytes = bytes_of(worker->own);
	uint64_t groups = 0;

	if (bytes <= MIN(max, OWN_FEW_BYTES)) {
		return false;
	}
	for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
		groups += worker->own[shape] ? worker->own[shape]->rows.count : 0;
	}
	return bytes > max || worker->own_records < groups * OWN_FEW_RECORDS;
}

int group_worker_add(struct group_worker *worker, struct batch *batch, uint64_t position,
		     struct err *err)
{
	const uint32_t selected = batch->selected;
	uint32_t counts[GROUPKEY_SHAPES];
	int status = ST_OK;

	groupkey_split(&worker->group->key, batch, worker->rows, counts);
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
	worker->own_records += selected;
	if (status == ST_OK && !worker->shares && is_full(worker)) {
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

static int finish_spilled(struct group *group, struct err *err)
{
	int status = ST_OK;

	for (unsigned i = 0; i < group->set_count && status == ST_OK; i++) {
		status = spill_set(group, &group->sets[i], err);
	}
	return status == ST_OK ? groupspill_finish(group->spill, err) : status;
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
	struct hugeroom_part rooms[SETS_MAX * GROUPKEY_SHAPES];
	size_t room_count = 0;
	int status = group_worker_free(group->worker, err);

	group->worker = NULL;
	if (status != ST_OK) {
		return status;
	}
	if (group->spill) {
		return finish_spilled(group, err);
	}
	for (unsigned i = 0; i < group->set_count * GROUPKEY_SHAPES; i++) {
		group->tables[i] = group->sets[i / GROUPKEY_SHAPES].tables[i % GROUPKEY_SHAPES];
		if (group->tables[i]) {
			rooms[room_count++] = grouptable_seal(group->tables[i]);
		}
	}
	group->order = grouporder_new(&(struct grouporder_opts){
		.key = &group->key,
		.tables = group->tables,
		.table_count = (size_t)group->set_count * GROUPKEY_SHAPES,
		.by = choose_order(group, sorted),
		.first = group->value_count - 1,
		.threads = group->threads,
		.rooms = rooms,
		.room_count = room_count,
	});
	return ST_OK;
}

uint64_t group_count(const struct group *group)
{
	return group->spill ? 0 : grouporder_count(group->order);
}

void group_get(const struct group *group, uint64_t i, uint8_t *room, struct group_bin *bin)
{
	bin->values = grouporder_get(group->order, i, room);
	bin->key = room;
}

int group_next(struct group *group, struct group_bin *bin, struct err *err)
{
	if (group->spill) {
		return groupspill_next(group->spill, bin, err);
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
