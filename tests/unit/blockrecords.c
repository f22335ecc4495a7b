/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/blockrecords.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static uint64_t random64(GRand *rand)
{
	return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

/* Often an end of the range, or near one; sometimes small, sometimes anything. */
static uint64_t edge(GRand *rand)
{
	switch (g_rand_int_range(rand, 0, 6)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return (UINT64_C(1) << g_rand_int_range(rand, 0, 64)) - 1;
	case 3:
		return UINT64_C(1) << g_rand_int_range(rand, 0, 64);
	case 4:
		return (uint64_t)g_rand_int_range(rand, 0, 100);
	default:
		return random64(rand);
	}
}

static struct ip edge_ip(GRand *rand)
{
	switch (g_rand_int_range(rand, 0, 4)) {
	case 0:
		return ip_from_v4((uint32_t)edge(rand));
	case 1:
		return ip_from_v4((uint32_t)g_rand_int_range(rand, 0, 50));
	default:
		return (struct ip){ edge(rand), edge(rand) };
	}
}

struct record blockrecords_edge(GRand *rand)
{
	struct record rec;

#define X(upper, member, type) _Generic(rec.member, struct ip : edge_ip, default : edge)(rand),
	rec = (struct record){ RECORD_COLUMNS(X) };
#undef X
	return rec;
}

struct record blockrecords_usual(GRand *rand, unsigned number)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = BLOCKRECORDS_HOUR_NS + number * NS_PER_MS +
		       g_rand_int_range(rand, 0, 60) * NS_PER_S;
	rec.duration_ns = (uint64_t)g_rand_int_range(rand, 0, 10000) * 1000000;
	rec.sip = ip_from_v4(0x0a000000 + (uint32_t)g_rand_int_range(rand, 0, 300));
	rec.dip = ip_from_v4(g_rand_int(rand));
	rec.packets = (uint64_t)g_rand_int_range(rand, 1, 100);
	rec.bytes = rec.packets * (uint64_t)g_rand_int_range(rand, 40, 1500);
	rec.sport = (uint16_t)g_rand_int_range(rand, 1024, 65536);
	rec.dport = g_rand_boolean(rand) ? 443 : 53;
	rec.protocol = rec.dport == 443 ? 6 : 17;
	rec.sensor = BLOCKRECORDS_SENSOR;
	rec.flowtype = BLOCKRECORDS_TYPE;
	return rec;
}

bool blockrecords_equal(const struct record *a, const struct record *b)
{
	bool equal =
		ip_equal(a->sip, b->sip) && ip_equal(a->dip, b->dip) && ip_equal(a->nhip, b->nhip);

	equal &= a->start_ns == b->start_ns && a->duration_ns == b->duration_ns;
	equal &= a->packets == b->packets && a->bytes == b->bytes;
	equal &= a->input == b->input && a->output == b->output;
	equal &= a->sport == b->sport && a->dport == b->dport;
	equal &= a->application == b->application && a->sensor == b->sensor;
	equal &= a->memo == b->memo && a->protocol == b->protocol && a->flowtype == b->flowtype;
	equal &= a->flags == b->flags && a->initial_flags == b->initial_flags;
	return equal && a->session_flags == b->session_flags && a->state == b->state;
}

void blockrecords_assert(const GArray *got, const GArray *want)
{
	UNIT_ASSERT_U64(got->len, want->len);
	for (guint i = 0; i < MIN(got->len, want->len); i++) {
		if (!blockrecords_equal(&g_array_index(got, struct record, i),
					&g_array_index(want, struct record, i))) {
			unit_at("record %u of %u", i, want->len);
			CU_FAIL("the records differ");
			return;
		}
	}
}

void blockrecords_append(const char *path, const GArray *records, size_t first, size_t count,
			 uint8_t compression)
{
	const struct blockwriter_opts opts = {
		.compression = compression,
		.header = { .hour_ns = BLOCKRECORDS_HOUR_NS,
			    .sensor = BLOCKRECORDS_SENSOR,
			    .flowtype = BLOCKRECORDS_TYPE },
	};
	struct blockwriter *writer = NULL;
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, path, &opts, NULL, &err), ST_OK);
	for (size_t i = first; i < first + count; i++) {
		CU_ASSERT_EQUAL(
			blockwriter_write(writer, &g_array_index(records, struct record, i), &err),
			ST_OK);
	}
	CU_ASSERT_EQUAL(blockwriter_close(writer, &err), ST_OK);
}

/* Damage of a block costs the rest of it. */
static void read_block(struct blockfile_cursor *cursor, const struct blockfile *file, size_t i,
		       GArray *out, int *damage)
{
	struct batch *batch = batch_new();
	struct err err = { 0, "" };

	blockfile_cursor_set(cursor, file, i);
	for (uint32_t row = 0; blockfile_cursor_frame(cursor, row, batch) > 0; row += FRAME_ROWS) {
		if (blockfile_cursor_load(cursor, batch, COLUMNS_ALL, &err) != ST_OK) {
			CU_ASSERT(err.text[0] != '\0');
			++*damage;
			break;
		}
		for (uint32_t k = 0; k < batch->rows; k++) {
			struct record rec;

			batch_get(batch, k, &rec);
			g_array_append_val(out, rec);
		}
	}
	batch_free(batch);
}

GArray *blockrecords_read_fd(int fd, const char *path, int *damage)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct record));
	struct blockfile_cursor *cursor = blockfile_cursor_new();
	struct blockfile *file = NULL;
	struct err err = { 0, "" };

	*damage = 0;
	if (blockfile_open(&file, fd, path, &err) != ST_OK) {
		CU_ASSERT(err.text[0] != '\0');
		*damage = -1;
	} else {
		while (blockfile_damage(file, (size_t)*damage) != NULL) {
			++*damage;
		}
		for (size_t i = 0; i < blockfile_count(file); i++) {
			read_block(cursor, file, i, out, damage);
		}
		blockfile_close(file);
	}
	blockfile_cursor_free(cursor);
	return out;
}

GArray *blockrecords_read(const char *path, int *damage)
{
	return blockrecords_read_fd(open(path, O_RDONLY | O_CLOEXEC), path, damage);
}
