/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The library's side of the comparison with blockreader.py.
 *
 *	blocktool make FILE SEED RECORDS edge|usual COMPRESSION [seal]
 *	blocktool dump FILE		prints what blockreader.py --extensions prints
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/seal.h"
#include "tests/unit/blockrecords.h"

#define PEN 6871

static _Noreturn void fail(const struct err *err)
{
	fprintf(stderr, "blocktool: %s\n", err->text);
	exit(1);
}

/* ---- make ---- */

static const uint8_t extension_types[] = {
	COLUMN_OCTET_ARRAY, COLUMN_UNSIGNED8,    COLUMN_SIGNED16,     COLUMN_SIGNED64,
	COLUMN_FLOAT64,     COLUMN_MAC_ADDRESS,  COLUMN_STRING,       COLUMN_MILLISECONDS,
	COLUMN_NANOSECONDS, COLUMN_IPV4_ADDRESS, COLUMN_IPV6_ADDRESS,
};

static uint64_t random_number(GRand *rand, uint8_t type)
{
	static const uint8_t bits[COLUMN_TYPES] = {
		[COLUMN_UNSIGNED8] = 8,
		[COLUMN_MAC_ADDRESS] = 48,
	};
	uint64_t number = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

	if (type == COLUMN_SIGNED16) {
		number = (uint64_t)(int64_t)(int16_t)number ^ column_sign(type);
	}
	return bits[type] > 0 ? number >> (64 - bits[type]) : number;
}

static void set_extension(struct blockwriter *writer, GRand *rand, unsigned which)
{
	uint8_t text[40];
	struct flowblock_value value = {
		.key = { PEN, (uint16_t)(1000 + which) },
		.type = extension_types[which],
	};
	struct err err;

	for (unsigned i = 0; i < sizeof(text); i++) {
		text[i] = (uint8_t)('a' + g_rand_int_range(rand, 0, 3));
	}
	switch (column_form(value.type)) {
	case COLUMN_FORM_NUMBER:
		value.number = random_number(rand, value.type);
		break;
	case COLUMN_FORM_ADDRESS:
		value.ip = ip_from_v4(g_rand_int(rand) >> g_rand_int_range(rand, 0, 32));
		break;
	case COLUMN_FORM_BYTES:
		value.bytes = (struct encode_bytes){ text, (size_t)g_rand_int_range(rand, 0, 40) };
		break;
	}
	if (blockwriter_set(writer, &value, &err) != ST_OK) {
		fail(&err);
	}
}

static void write_records(struct blockwriter *writer, GRand *rand, unsigned count, bool edge)
{
	struct err err;

	for (unsigned i = 0; i < count; i++) {
		struct record rec = edge ? blockrecords_edge(rand) : blockrecords_usual(rand, i);

		if (blockwriter_write(writer, &rec, &err) != ST_OK) {
			fail(&err);
		}
		for (unsigned which = 0; which < G_N_ELEMENTS(extension_types); which++) {
			if (g_rand_int_range(rand, 0, 4) == 0) {
				set_extension(writer, rand, which);
			}
		}
		if (g_rand_int_range(rand, 0, 700) == 0 &&
		    blockwriter_flush(writer, false, &err) != ST_OK) {
			fail(&err);
		}
	}
}

static void make_file(int argc, char **argv)
{
	struct blockwriter_opts opts = {
		.compression = (uint8_t)atoi(argv[6]),
		.header = { .hour_ns = BLOCKRECORDS_HOUR_NS,
			    .sensor = BLOCKRECORDS_SENSOR,
			    .flowtype = BLOCKRECORDS_TYPE },
	};
	const struct seal_opts seal_opts = { .compression = opts.compression };
	GRand *rand = g_rand_new_with_seed((guint32)atoi(argv[3]));
	struct blockwriter *writer = NULL;
	struct seal_result result;
	struct err err;

	if (blockwriter_append(&writer, argv[2], &opts, NULL, &err) != ST_OK) {
		fail(&err);
	}
	write_records(writer, rand, (unsigned)atoi(argv[4]), strcmp(argv[5], "edge") == 0);
	g_rand_free(rand);
	if (blockwriter_close(writer, &err) != ST_OK ||
	    (argc > 7 && seal_file(argv[2], &seal_opts, &result, &err) != ST_OK)) {
		fail(&err);
	}
}

/* ---- dump ---- */

static void print_ip(struct ip ip)
{
	printf("%016" PRIx64 "%016" PRIx64, ip.hi, ip.lo);
}

static void print_core(const struct batch *batch, uint32_t row)
{
	printf("start=%" PRId64 " duration=%" PRIu64 " sip=", batch->start_ns[row],
	       batch->duration_ns[row]);
	print_ip(batch->sip[row]);
	printf(" dip=");
	print_ip(batch->dip[row]);
	printf(" nhip=");
	print_ip(batch->nhip[row]);
	printf(" packets=%" PRIu64 " bytes=%" PRIu64 " input=%u output=%u sport=%u dport=%u",
	       batch->packets[row], batch->bytes[row], batch->input[row], batch->output[row],
	       batch->sport[row], batch->dport[row]);
	printf(" application=%u sensor=%u memo=%u protocol=%u flowtype=%u flags=%u",
	       batch->application[row], batch->sensor[row], batch->memo[row], batch->protocol[row],
	       batch->flowtype[row], batch->flags[row]);
	printf(" initial_flags=%u session_flags=%u state=%u", batch->initial_flags[row],
	       batch->session_flags[row], batch->state[row]);
}

static void print_string(const struct encode_bytes *string)
{
	for (size_t i = 0; i < string->len; i++) {
		printf("%02x", string->bytes[i]);
	}
}

static void print_number(uint8_t type, uint64_t number)
{
	if (column_sign(type) != 0) {
		printf("%" PRId64, (int64_t)(number ^ column_sign(type)));
	} else {
		printf("%" PRIu64, number);
	}
}

static void print_extension(const struct flowblock_column *column, struct chunk *chunk,
			    uint32_t row)
{
	uint32_t frame = row / FRAME_ROWS * FRAME_ROWS;
	uint32_t at = row - frame;
	struct encode_bytes strings[FRAME_ROWS];
	uint64_t numbers[FRAME_ROWS];
	struct ip addresses[FRAME_ROWS];
	uint8_t present[FRAME_ROWS];
	struct err err;
	int rc = chunk_read_presence(chunk, frame, at + 1, present, &err);

	if (rc == ST_OK && !present[at]) {
		return;
	}
	printf(" %" PRIu32 "/%u=", column->key.pen, column->key.id);
	if (rc == ST_OK && column_form(column->type) == COLUMN_FORM_NUMBER) {
		rc = chunk_read_u64(chunk, frame, at + 1, numbers, &err);
		print_number(column->type, rc == ST_OK ? numbers[at] : 0);
	} else if (rc == ST_OK && column_form(column->type) == COLUMN_FORM_ADDRESS) {
		rc = chunk_read_ip(chunk, frame, at + 1, addresses, &err);
		print_ip(addresses[at]);
	} else if (rc == ST_OK) {
		rc = chunk_read_strings(chunk, frame, at + 1, strings, &err);
		print_string(&strings[at]);
	}
	if (rc != ST_OK) {
		fail(&err);
	}
}

/* Slow and simple: every chunk is opened again for every row of it that is printed. */
static void print_extensions(const struct blockfile *file, size_t i, uint32_t row,
			     struct chunk *chunk, struct blockfile_scratch *scratch)
{
	const struct flowblock *block = blockfile_block(file, i);
	struct err err;

	for (size_t n = 0; n < block->column_count; n++) {
		if (column_find(&block->columns[n].key) != COLUMN_COUNT) {
			continue;
		}
		if (blockfile_chunk_at(file, i, n, chunk, scratch, &err) != ST_OK) {
			fail(&err);
		}
		print_extension(&block->columns[n], chunk, row);
	}
}

static void dump_file(const char *path)
{
	struct blockfile_scratch *scratch = blockfile_scratch_new();
	struct blockfile_cursor *cursor = blockfile_cursor_new();
	struct batch *batch = batch_new();
	struct chunk *chunk = chunk_new();
	struct blockfile *file = NULL;
	struct err err;

	if (blockfile_open(&file, open(path, O_RDONLY | O_CLOEXEC), path, &err) != ST_OK) {
		fail(&err);
	}
	for (size_t i = 0; i < blockfile_count(file); i++) {
		uint32_t rows = blockfile_block(file, i)->rows;

		blockfile_cursor_set(cursor, file, i);
		for (uint32_t row = 0; row < rows; row++) {
			if (row % FRAME_ROWS == 0) {
				blockfile_cursor_frame(cursor, row, batch);
				if (blockfile_cursor_load(cursor, batch, COLUMNS_ALL, &err) !=
				    ST_OK) {
					fail(&err);
				}
			}
			print_core(batch, row % FRAME_ROWS);
			print_extensions(file, i, row, chunk, scratch);
			putchar('\n');
		}
	}
	blockfile_close(file);
	blockfile_cursor_free(cursor);
	blockfile_scratch_free(scratch);
	batch_free(batch);
	chunk_free(chunk);
}

int main(int argc, char **argv)
{
	if (argc >= 7 && strcmp(argv[1], "make") == 0) {
		make_file(argc, argv);
	} else if (argc == 3 && strcmp(argv[1], "dump") == 0) {
		dump_file(argv[2]);
	} else {
		fprintf(stderr, "usage: blocktool make FILE SEED RECORDS edge|usual COMPRESSION "
				"[seal] | dump FILE\n");
		return 2;
	}
	return 0;
}
