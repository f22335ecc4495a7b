/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/group.h"

#include <pthread.h>
#include <string.h>

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define RECORDS 30000

/* What a bin must hold, worked out the slow way. */
struct expected {
	uint64_t records, packets, bytes;
	int64_t start_min, end_max;
	GHashTable *dips;
	GHashTable *starts; /* whole seconds */
};

static void free_expected(gpointer pointer)
{
	struct expected *expected = pointer;

	g_hash_table_destroy(expected->dips);
	g_hash_table_destroy(expected->starts);
	g_free(expected);
}

static void random_record(GRand *random, struct record *rec)
{
	record_init(rec);
	rec->sport = (uint16_t)g_rand_int_range(random, 0, 40);
	rec->protocol = (uint8_t)g_rand_int_range(random, 0, 20);
	rec->packets = (uint64_t)g_rand_int_range(random, 1, 1000);
	rec->bytes = rec->packets * 40;
	rec->dip = ip_from_v4((uint32_t)g_rand_int_range(random, 0, 30));
	rec->start_ns = g_rand_int_range(random, -5000, 5000) * NS_PER_MS;
	rec->duration_ns = (uint64_t)(g_rand_int_range(random, 0, 90000) * NS_PER_MS);
}

static int64_t floor_to(int64_t ns, int64_t unit)
{
	return (ns - ((ns % unit) + unit) % unit) / unit;
}

static void expect(GHashTable *bins, const struct record *rec)
{
	gpointer key = GINT_TO_POINTER(rec->sport * 256 + rec->protocol + 1);
	struct expected *bin = g_hash_table_lookup(bins, key);
	int64_t end = rec->start_ns + (int64_t)rec->duration_ns;

	if (!bin) {
		bin = g_new0(struct expected, 1);
		bin->dips = g_hash_table_new(NULL, NULL);
		bin->starts = g_hash_table_new(NULL, NULL);
		bin->start_min = rec->start_ns;
		bin->end_max = end;
		g_hash_table_insert(bins, key, bin);
	}
	bin->records++;
	bin->packets += rec->packets;
	bin->bytes += rec->bytes;
	bin->start_min = MIN(bin->start_min, rec->start_ns);
	bin->end_max = MAX(bin->end_max, end);
	g_hash_table_add(bin->dips, GINT_TO_POINTER(rec->dip.lo & 0xffff));
	g_hash_table_add(bin->starts, GINT_TO_POINTER(floor_to(rec->start_ns, NS_PER_S)));
}

static unsigned check_bin(GHashTable *bins, const struct group *group, const struct group_bin *bin)
{
	const struct expected *want;
	struct value sport, protocol;

	group_key(group, bin->key, 0, &sport);
	group_key(group, bin->key, 1, &protocol);
	want = g_hash_table_lookup(bins, GINT_TO_POINTER(sport.u * 256 + protocol.u + 1));
	return !want || bin->values[0] != want->records || bin->values[1] != want->packets ||
	       bin->values[2] != want->bytes || (int64_t)bin->values[3] != want->start_min ||
	       (int64_t)bin->values[4] != want->end_max ||
	       bin->values[5] != g_hash_table_size(want->dips) ||
	       bin->values[6] != g_hash_table_size(want->starts);
}

/* Batches in turn to so many workers, or to the group itself. */
#define WORKERS_MAX 3

static void check_group(uint64_t memory_bytes, bool sorted, unsigned workers)
{
	const struct field *fields[] = { field_find("sport", NULL), field_find("protocol", NULL) };
	const struct group_value values[] = {
		{ GROUP_RECORDS, NULL },
		{ GROUP_PACKETS, NULL },
		{ GROUP_BYTES, NULL },
		{ GROUP_START_MIN, NULL },
		{ GROUP_END_MAX, NULL },
		{ GROUP_DISTINCT, field_find("dip", NULL) },
		{ GROUP_DISTINCT, field_find("stime", NULL) },
	};
	const struct group_spec spec = {
		.fields = fields,
		.field_count = G_N_ELEMENTS(fields),
		.values = values,
		.value_count = G_N_ELEMENTS(values),
		.bin_ns = NS_PER_S,
		.unit_ns = NS_PER_S,
		.in_order = !sorted,
		.threads = workers,
		.memory_bytes = memory_bytes,
		.temp_dir = unit_scratch(),
	};
	struct group_worker *worker[WORKERS_MAX];
	GHashTable *bins = g_hash_table_new_full(NULL, NULL, NULL, free_expected);
	GRand *random = g_rand_new_with_seed(7);
	struct batch *batch = batch_new();
	uint8_t last[GROUP_KEY_MAX] = { 0 };
	unsigned bad = 0, unordered = 0, count = 0;
	struct group_bin bin;
	struct group *group;
	int status;

	CU_ASSERT_EQUAL_FATAL(group_new(&group, &spec, NULL), ST_OK);
	for (unsigned i = 0; i < workers; i++) {
		worker[i] = group_worker_new(group);
	}
	for (unsigned i = 0; i < RECORDS; i++) {
		struct record rec;

		random_record(random, &rec);
		expect(bins, &rec);
		batch_append(batch, &rec);
		if (batch->rows == BATCH_ROWS || i + 1 == RECORDS) {
			unsigned turn = workers ? i / BATCH_ROWS % workers : 0;

			CU_ASSERT_EQUAL(workers ? group_worker_add(worker[turn], batch,
								   i / BATCH_ROWS * BATCH_ROWS,
								   NULL)
						: group_add(group, batch, NULL),
					ST_OK);
			batch_clear(batch, COLUMNS_ALL);
		}
	}
	for (unsigned i = 0; i < workers; i++) {
		CU_ASSERT_EQUAL(group_worker_free(worker[i], NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(group_finish(group, sorted, NULL), ST_OK);
	while ((status = group_next(group, &bin, NULL)) == ST_OK) {
		bad += check_bin(bins, group, &bin);
		unordered += count > 0 && memcmp(last, bin.key, group_key_size(group)) >= 0;
		memcpy(last, bin.key, group_key_size(group));
		count++;
	}
	CU_ASSERT_EQUAL(status, ST_END);
	UNIT_ASSERT_U64(bad, 0);
	UNIT_ASSERT_U64(sorted ? unordered : 0, 0);
	UNIT_ASSERT_U64(count, g_hash_table_size(bins));
	group_free(group);
	batch_free(batch);
	g_rand_free(random);
	g_hash_table_destroy(bins);
}

static void test_groups(void)
{
	for (unsigned workers = 0; workers <= WORKERS_MAX; workers++) {
		unit_at("in memory, as it comes, %u workers", workers);
		check_group(0, false, workers);
		unit_at("in memory, sorted, %u workers", workers);
		check_group(0, true, workers);
		unit_at("little memory, %u workers", workers);
		check_group(100000, true, workers);
		unit_at("spilled at every batch, %u workers", workers);
		check_group(1, true, workers);
	}
}

#define MANY 400000

/* What a thread adds: the keys from number first on, all of them, once. */
struct share {
	struct group_worker *worker;
	uint32_t first;
	uint64_t position;
	int status;
};

static void *add_share(void *arg)
{
	struct share *share = arg;
	struct batch *batch = batch_new();
	struct record rec;

	record_init(&rec);
	for (uint32_t i = 0; i < MANY && share->status == ST_OK; i++) {
		uint32_t key = (share->first + i) % MANY;

		rec.sip = ip_from_v4(key * 7919);
		rec.sip.hi = key % 16 == 0; /* some are IPv6 */
		rec.sport = (uint16_t)share->position;
		batch_append(batch, &rec);
		if (batch->rows == BATCH_ROWS || i + 1 == MANY) {
			share->status = group_worker_add(
				share->worker, batch, share->position + i / BATCH_ROWS * BATCH_ROWS,
				NULL);
			batch_clear(batch, COLUMNS_ALL);
		}
	}
	batch_free(batch);
	return NULL;
}

/*
 * So many groups that workers share them, beside each other: each key comes to all, with another
 * port, and the order is that of the first share unless groups are sorted or come from files.
 */
static void check_shared(uint64_t memory_bytes, bool sorted, bool distinct, unsigned workers)
{
	const struct field *fields[] = { field_find("sIP", NULL) };
	const struct group_value values[] = { { GROUP_RECORDS, NULL },
					      { GROUP_DISTINCT, field_find("sPort", NULL) } };
	const struct group_spec spec = {
		.fields = fields,
		.field_count = 1,
		.values = values,
		.value_count = distinct ? 2 : 1,
		.in_order = !sorted,
		.threads = workers,
		.memory_bytes = memory_bytes,
		.temp_dir = unit_scratch(),
	};
	struct share shares[WORKERS_MAX];
	pthread_t threads[WORKERS_MAX];
	uint8_t last[GROUP_KEY_MAX] = { 0 };
	struct group_bin bin;
	struct group *group;
	uint32_t count = 0;
	unsigned bad = 0;

	CU_ASSERT_EQUAL_FATAL(group_new(&group, &spec, NULL), ST_OK);
	for (unsigned i = 0; i < workers; i++) {
		shares[i] = (struct share){
			.worker = group_worker_new(group),
			.first = i * 1000,
			.position = (uint64_t)i * 2 * MANY,
		};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, add_share, &shares[i]), 0);
	}
	for (unsigned i = 0; i < workers; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(shares[i].status, ST_OK);
	}
	for (unsigned i = 0; i < workers; i++) {
		CU_ASSERT_EQUAL(group_worker_free(shares[i].worker, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(group_finish(group, sorted, NULL), ST_OK);
	UNIT_ASSERT_U64(group_count(group), memory_bytes ? 0 : MANY);
	while (group_next(group, &bin, NULL) == ST_OK) {
		struct value value;

		group_key(group, bin.key, 0, &value);
		bad += memory_bytes || sorted
			       ? count > 0 && memcmp(last, bin.key, group_key_size(group)) >= 0
			       : (uint32_t)value.ip.lo != count * 7919;
		bad += bin.values[0] != workers || (distinct && bin.values[1] != workers);
		memcpy(last, bin.key, group_key_size(group));
		count++;
	}
	UNIT_ASSERT_U64(count, MANY);
	UNIT_ASSERT_U64(bad, 0);
	group_free(group);
}

static void test_shared(void)
{
	for (unsigned workers = 1; workers <= WORKERS_MAX; workers++) {
		unit_at("%u workers", workers);
		check_shared(0, false, true, workers);
		unit_at("%u workers, sorted", workers);
		check_shared(0, true, true, workers);
		unit_at("%u workers, one value", workers);
		check_shared(0, false, false, workers);
		unit_at("%u workers, one value, sorted", workers);
		check_shared(0, true, false, workers);
	}
}

/* Groups that take twice or three times the bound go to temporary files, and come back sorted. */
static void test_spilled(void)
{
	for (unsigned workers = 1; workers <= WORKERS_MAX; workers++) {
		unit_at("%u workers", workers);
		check_shared(UINT64_C(12) << 20, false, true, workers);
	}
}

/* How times are cut, by the fields that stand in the key. */
static void test_times(void)
{
	static const struct {
		const char *fields;
		int64_t bin_ns, unit_ns;
		int64_t expected[3];
		bool binned;
	} cases[] = {
		{ "stime", NS_PER_S, NS_PER_S, { 99 * NS_PER_S }, false },
		{ "etime", 60 * NS_PER_S, NS_PER_S, { 120 * NS_PER_S }, true },
		{ "dur,stime", 60 * NS_PER_S, NS_PER_S, { 51 * NS_PER_S, 60 * NS_PER_S }, true },
		{ "dur,stime,etime",
		  60 * NS_PER_S,
		  NS_PER_S,
		  { 60 * NS_PER_S, 60 * NS_PER_S, 120 * NS_PER_S },
		  true },
		{ "stime,dur,etime",
		  NS_PER_S,
		  NS_PER_S,
		  { 99 * NS_PER_S, 52 * NS_PER_S, 151 * NS_PER_S },
		  true },
		{ "stime,etime,dur",
		  NS_PER_S,
		  NS_PER_S,
		  { 99 * NS_PER_S, 151 * NS_PER_S, 52 * NS_PER_S },
		  false },
		{ "stime,dur,etime",
		  NS_PER_S,
		  NS_PER_S,
		  { 99 * NS_PER_S, 51 * NS_PER_S, 150 * NS_PER_S },
		  false },
		{ "dur,etime,stime",
		  NS_PER_S,
		  NS_PER_S,
		  { 51 * NS_PER_S, 151 * NS_PER_S, 100 * NS_PER_S },
		  false },
		{ "dur", NS_PER_S / 2, NS_PER_MS, { 51800 * NS_PER_MS }, true },
	};
	const struct group_value value = { GROUP_RECORDS, NULL };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct group_spec spec = {
			.values = &value,
			.value_count = 1,
			.bin_ns = cases[i].bin_ns,
			.binned = cases[i].binned,
			.unit_ns = cases[i].unit_ns,
			.temp_dir = unit_scratch(),
		};
		struct batch *batch = batch_new();
		const struct field **fields;
		struct group *group;
		struct group_bin bin;
		struct record rec;

		unit_at("%s", cases[i].fields);
		CU_ASSERT_EQUAL_FATAL(
			field_parse_list(cases[i].fields, 0, &fields, &spec.field_count, NULL),
			ST_OK);
		spec.fields = fields;
		record_init(&rec);
		rec.start_ns = 99999 * NS_PER_MS;
		rec.duration_ns = 51800 * NS_PER_MS + 7;
		batch_append(batch, &rec);
		CU_ASSERT_EQUAL_FATAL(group_new(&group, &spec, NULL), ST_OK);
		CU_ASSERT_EQUAL(group_add(group, batch, NULL), ST_OK);
		CU_ASSERT_EQUAL(group_finish(group, false, NULL), ST_OK);
		CU_ASSERT_EQUAL_FATAL(group_next(group, &bin, NULL), ST_OK);
		for (size_t k = 0; k < spec.field_count; k++) {
			struct value key;

			group_key(group, bin.key, k, &key);
			UNIT_ASSERT_U64(key.u, (uint64_t)cases[i].expected[k]);
		}
		CU_ASSERT_EQUAL(group_next(group, &bin, NULL), ST_END);
		group_free(group);
		g_free(fields);
		batch_free(batch);
	}
}

/*
 * Groups of sorted input end where the key changes, also when it comes again, and whether or not they
 * go to temporary files at every batch.
 */
static void check_presorted(uint64_t memory_bytes)
{
	static const uint16_t ports[] = { 3, 3, 1, 3, 3, 3, 2 };
	static const uint64_t counts[] = { 2, 1, 3, 1 };
	const struct field *field = field_find("sPort", NULL);
	const struct group_value values[] = { { GROUP_RECORDS, NULL },
					      { GROUP_DISTINCT, field_find("dPort", NULL) } };
	const struct group_spec spec = {
		.fields = &field,
		.field_count = 1,
		.values = values,
		.value_count = G_N_ELEMENTS(values),
		.bin_ns = NS_PER_S,
		.unit_ns = NS_PER_S,
		.presorted = true,
		.memory_bytes = memory_bytes,
		.temp_dir = unit_scratch(),
	};
	struct batch *batch = batch_new();
	struct group_bin bin;
	struct group *group;
	struct record rec;
	size_t count = 0;

	record_init(&rec);
	CU_ASSERT_EQUAL_FATAL(group_new(&group, &spec, NULL), ST_OK);
	/* a batch ends within a group */
	for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
		if (i % 4 == 0) {
			batch_clear(batch, COLUMNS_ALL);
		}
		rec.sport = ports[i];
		rec.dport = i % 2;
		batch_append(batch, &rec);
		if (i % 4 == 3 || i + 1 == G_N_ELEMENTS(ports)) {
			CU_ASSERT_EQUAL(group_add(group, batch, NULL), ST_OK);
		}
	}
	CU_ASSERT_EQUAL(group_finish(group, false, NULL), ST_OK);
	while (group_next(group, &bin, NULL) == ST_OK) {
		CU_ASSERT_FATAL(count < G_N_ELEMENTS(counts));
		UNIT_ASSERT_U64(bin.values[0], counts[count]);
		UNIT_ASSERT_U64(bin.values[1], MIN(counts[count], 2));
		count++;
	}
	UNIT_ASSERT_U64(count, G_N_ELEMENTS(counts));
	group_free(group);
	batch_free(batch);
}

static void test_presorted(void)
{
	unit_at("in memory");
	check_presorted(0);
	unit_at("in files");
	check_presorted(1);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "groups", test_groups },       { "groups that workers share", test_shared },
		{ "spilled", test_spilled },     { "times", test_times },
		{ "presorted", test_presorted }, { NULL, NULL },
	};

	return unit_run("group", cases);
}
