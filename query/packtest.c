/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/packtest.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "common/numlist.h"
#include "common/tcpflags.h"
#include "common/timestamp.h"
#include "storage/ipset.h"

enum packtest_relation {
	PACKTEST_NEVER, /* a test that SiLK prints and that cannot fail */
	PACKTEST_BELOW,
	PACKTEST_ABOVE,
	PACKTEST_IN,     /* the list */
	PACKTEST_NOT_IN, /* the list */
};

enum packtest_list {
	PACKTEST_NUMBERS,
	PACKTEST_FLAGS,
	PACKTEST_ADDRESSES,
};

/* What tests look at, of one record. */
struct packtest_flow {
	const struct batch *batch;
	uint32_t row;
	uint64_t bytes_per_packet;
	uint64_t bytes_per_second;
};

struct packtest_row {
	const char *name; /* NULL: it cannot be changed */
	const char *title;
	enum packtest_relation relation;
	enum packtest_list list;
	uint64_t value; /* the default limit; the highest number of a list */
	int protocol;   /* only its records; -1: all */
	uint64_t (*number)(const struct packtest_flow *flow);
	const struct ip *(*address)(const struct packtest_flow *flow);
};

static uint64_t flow_bpp(const struct packtest_flow *flow)
{
	return flow->bytes_per_packet;
}

static uint64_t flow_bps(const struct packtest_flow *flow)
{
	return flow->bytes_per_second;
}

static uint64_t flow_elapsed_s(const struct packtest_flow *flow)
{
	return flow->batch->duration_ns[flow->row] / NS_PER_S;
}

static uint64_t flow_packets(const struct packtest_flow *flow)
{
	return flow->batch->packets[flow->row];
}

static uint64_t flow_bytes(const struct packtest_flow *flow)
{
	return flow->batch->bytes[flow->row];
}

static uint64_t flow_protocol(const struct packtest_flow *flow)
{
	return flow->batch->protocol[flow->row];
}

static uint64_t flow_flags(const struct packtest_flow *flow)
{
	return flow->batch->flags[flow->row];
}

static uint64_t flow_sport(const struct packtest_flow *flow)
{
	return flow->batch->sport[flow->row];
}

static uint64_t flow_dport(const struct packtest_flow *flow)
{
	return flow->batch->dport[flow->row];
}

static uint64_t flow_input(const struct packtest_flow *flow)
{
	return flow->batch->input[flow->row];
}

static uint64_t flow_output(const struct packtest_flow *flow)
{
	return flow->batch->output[flow->row];
}

static const struct ip *flow_sip(const struct packtest_flow *flow)
{
	return &flow->batch->sip[flow->row];
}

static const struct ip *flow_dip(const struct packtest_flow *flow)
{
	return &flow->batch->dip[flow->row];
}

static const struct ip *flow_nhip(const struct packtest_flow *flow)
{
	return &flow->batch->nhip[flow->row];
}

#define LIMITS(name_, title_, min, max, protocol_, number_)                                        \
	{ .name = "min-" name_,                                                                    \
	  .title = title_,                                                                         \
	  .relation = PACKTEST_BELOW,                                                              \
	  .value = min,                                                                            \
	  .protocol = protocol_,                                                                   \
	  .number = number_ },                                                                     \
	{                                                                                          \
		.name = "max-" name_, .title = title_, .relation = PACKTEST_ABOVE, .value = max,   \
		.protocol = protocol_, .number = number_                                           \
	}
#define MATCHES(name_, title_, list_, max, ...)                                                    \
	{ .name = "match-" name_,                                                                  \
	  .title = title_,                                                                         \
	  .relation = PACKTEST_IN,                                                                 \
	  .list = list_,                                                                           \
	  .value = max,                                                                            \
	  .protocol = -1,                                                                          \
	  __VA_ARGS__ },                                                                           \
	{                                                                                          \
		.name = "nomatch-" name_, .title = title_, .relation = PACKTEST_NOT_IN,            \
		.list = list_, .value = max, .protocol = -1, __VA_ARGS__                           \
	}

/* In the order they are printed in. */
static const struct packtest_row packtest_rows[] = {
	{ .title = "BPP Calculation", .relation = PACKTEST_NEVER, .number = flow_bpp },
	{ .title = "Elapsed Time",
	  .relation = PACKTEST_ABOVE,
	  .value = 4096,
	  .protocol = -1,
	  .number = flow_elapsed_s },
	LIMITS("bpp-ratio", "Byte/Packet Ratio", 1, 16384, -1, flow_bpp),
	LIMITS("bps-ratio", "Byte/Second Ratio", 0, UINT32_MAX, -1, flow_bps),
	LIMITS("packets", "Packet Count", 1, 67108864, -1, flow_packets),
	LIMITS("bytes", "Byte Count", 1, UINT32_MAX, -1, flow_bytes),
	LIMITS("tcp-bpp-ratio", "TCP Byte/Packet Ratio", 1, 16384, 6, flow_bpp),
	LIMITS("udp-bpp-ratio", "UDP Byte/Packet Ratio", 1, 16384, 17, flow_bpp),
	LIMITS("icmp-bpp-ratio", "ICMP Byte/Packet Ratio", 1, 16384, 1, flow_bpp),
	MATCHES("protocol", "Protocol", PACKTEST_NUMBERS, UINT8_MAX, .number = flow_protocol),
	MATCHES("flags", "TCP Flag Combination", PACKTEST_FLAGS, UINT8_MAX, .number = flow_flags),
	MATCHES("sip", "Source IP", PACKTEST_ADDRESSES, 0, .address = flow_sip),
	MATCHES("dip", "Destination IP", PACKTEST_ADDRESSES, 0, .address = flow_dip),
	MATCHES("sport", "Source Port", PACKTEST_NUMBERS, UINT16_MAX, .number = flow_sport),
	MATCHES("dport", "Destination Port", PACKTEST_NUMBERS, UINT16_MAX, .number = flow_dport),
	MATCHES("nhip", "Next Hop IP", PACKTEST_ADDRESSES, 0, .address = flow_nhip),
	MATCHES("input", "SNMP Input", PACKTEST_NUMBERS, UINT16_MAX, .number = flow_input),
	MATCHES("output", "SNMP Output", PACKTEST_NUMBERS, UINT16_MAX, .number = flow_output),
};

#define PACKTEST_ROWS G_N_ELEMENTS(packtest_rows)

struct packtest_state {
	bool active;
	uint64_t value;
	uint64_t allowed;
	uint64_t failed;
	struct numset *numbers;
	struct ipset *addresses;
};

struct packtest {
	struct packtest_state states[PACKTEST_ROWS];
	uint64_t records; /* of this file */
	uint64_t unusual; /* of them */
};

static bool packtest_has_list(const struct packtest_row *row)
{
	return row->relation == PACKTEST_IN || row->relation == PACKTEST_NOT_IN;
}

struct packtest *packtest_new(void)
{
	struct packtest *tests = g_new0(struct packtest, 1);

	for (size_t i = 0; i < PACKTEST_ROWS; i++) {
		tests->states[i].active = !packtest_has_list(&packtest_rows[i]);
		tests->states[i].value = packtest_rows[i].value;
	}
	return tests;
}

void packtest_free(struct packtest *tests)
{
	if (tests) {
		for (size_t i = 0; i < PACKTEST_ROWS; i++) {
			g_free(tests->states[i].numbers);
			ipset_free(tests->states[i].addresses);
		}
		g_free(tests);
	}
}

/* ---- limits ---- */

/* The row with this name, or the only one that it is a prefix of. */
static int packtest_find(const char *name, size_t *out, struct err *err)
{
	size_t found = 0;

	for (size_t i = 0; i < PACKTEST_ROWS; i++) {
		const char *row = packtest_rows[i].name;

		if (!row || !g_str_has_prefix(row, name)) {
			continue;
		}
		*out = i;
		if (strcmp(row, name) == 0) {
			return ST_OK;
		}
		found++;
	}
	if (found == 1) {
		return ST_OK;
	}
	return err_set(err, ST_EINVAL, "The test name '%s' is %s", name,
		       found ? "ambiguous" : "not recognized");
}

static int packtest_parse_flags(const char *text, struct numset *numbers, struct err *err)
{
	char **words = g_strsplit(text, ",", -1);
	int st = ST_OK;

	for (size_t i = 0; st == ST_OK && words[i]; i++) {
		uint8_t flags = 0;

		st = tcpflags_parse(words[i], &flags, err);
		numset_add(numbers, flags);
	}
	g_strfreev(words);
	return st;
}

static void packtest_empty_list(const struct packtest_row *row, struct packtest_state *state)
{
	g_clear_pointer(&state->numbers, g_free);
	g_clear_pointer(&state->addresses, ipset_free);
	if (row->list == PACKTEST_ADDRESSES) {
		state->addresses = ipset_new();
		ipset_finish(state->addresses);
	} else {
		state->numbers = g_new0(struct numset, 1);
	}
}

static int packtest_set_list(const struct packtest_row *row, struct packtest_state *state,
			     const char *text, struct err *err)
{
	int st = ST_OK;

	packtest_empty_list(row, state);
	switch (row->list) {
	case PACKTEST_NUMBERS:
		st = numset_parse(text, (unsigned)row->value, state->numbers, err);
		return st == ST_OK ? ST_OK : err_prefix(err, "Invalid %s '%s'", row->name, text);
	case PACKTEST_FLAGS:
		st = packtest_parse_flags(text, state->numbers, NULL);
		return st == ST_OK
			       ? ST_OK
			       : err_set(err, st, "Unable to parse %s value '%s'", row->name, text);
	default:
		g_clear_pointer(&state->addresses, ipset_free);
		return ipset_read(&state->addresses, text, NULL, err);
	}
}

int packtest_set_value(struct packtest *tests, const char *name, const char *text, struct err *err)
{
	const struct packtest_row *row;
	struct packtest_state *state;
	size_t index = 0;
	int st = packtest_find(name, &index, err);

	if (st != ST_OK) {
		return st;
	}
	row = &packtest_rows[index];
	state = &tests->states[index];
	state->active = true;
	if (packtest_has_list(row)) {
		return packtest_set_list(row, state, text, err);
	}
	st = number_parse(text, 0, UINT64_MAX, &state->value, err);
	return st == ST_OK ? ST_OK : err_prefix(err, "Invalid %s '%s'", row->name, text);
}

int packtest_set_allowed(struct packtest *tests, const char *name, const char *text,
			 struct err *err)
{
	struct packtest_state *state;
	size_t index = 0;
	int st = packtest_find(name, &index, err);

	if (st != ST_OK) {
		return st;
	}
	state = &tests->states[index];
	if (!state->active) {
		packtest_empty_list(&packtest_rows[index], state);
		state->active = true;
	}
	return number_parse(text, 0, UINT64_MAX, &state->allowed, err);
}

/* ---- counting ---- */

static bool packtest_is_listed(const struct packtest_row *row, const struct packtest_state *state,
			       const struct packtest_flow *flow)
{
	uint64_t number;

	if (row->address) {
		return ipset_contains(state->addresses, *row->address(flow));
	}
	number = row->number(flow);
	return number <= UINT16_MAX && numset_contains(state->numbers, (uint16_t)number);
}

static bool packtest_fails(const struct packtest_row *row, const struct packtest_state *state,
			   const struct packtest_flow *flow)
{
	if (row->protocol >= 0 && flow->batch->protocol[flow->row] != row->protocol) {
		return false;
	}
	switch (row->relation) {
	case PACKTEST_BELOW:
		return row->number(flow) < state->value;
	case PACKTEST_ABOVE:
		return row->number(flow) > state->value;
	case PACKTEST_IN:
		return packtest_is_listed(row, state, flow);
	case PACKTEST_NOT_IN:
		return !packtest_is_listed(row, state, flow);
	default:
		return false;
	}
}

void packtest_begin_file(struct packtest *tests)
{
	tests->records = 0;
	tests->unusual = 0;
}

void packtest_take(struct packtest *tests, const struct batch *batch)
{
	struct packtest_flow flow = { .batch = batch };

	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];
		uint64_t ms = batch->duration_ns[row] / NS_PER_MS;
		uint64_t packets = batch->packets[row];
		bool unusual = false;

		flow.row = row;
		flow.bytes_per_packet = packets ? batch->bytes[row] / packets : UINT32_MAX;
		/* 32 bits, which wrap, as SiLK's: the same records are told with the same limits */
		flow.bytes_per_second = (uint32_t)(batch->bytes[row] / (1 + ms) * 1000);
		for (size_t t = 0; t < PACKTEST_ROWS; t++) {
			struct packtest_state *state = &tests->states[t];

			if (state->active && packtest_fails(&packtest_rows[t], state, &flow)) {
				state->failed++;
				unusual = true;
			}
		}
		tests->unusual += unusual;
	}
	tests->records += batch->selected;
}

bool packtest_is_unusual(const struct packtest *tests)
{
	bool beyond = false;

	for (size_t i = 0; i < PACKTEST_ROWS; i++) {
		beyond |= tests->states[i].failed > tests->states[i].allowed;
	}
	return beyond && tests->unusual > 0;
}

static void packtest_print_one(const struct packtest_row *row, const struct packtest_state *state,
			       FILE *out)
{
	fprintf(out, "%20" PRIu64 " flows where %s ", state->failed, row->title);
	switch (row->relation) {
	case PACKTEST_BELOW:
		fprintf(out, "< %" PRIu64 "\n", state->value);
		break;
	case PACKTEST_ABOVE:
		fprintf(out, "> %" PRIu64 "\n", state->value);
		break;
	case PACKTEST_IN:
		fputs("inside the match set\n", out);
		break;
	case PACKTEST_NOT_IN:
		fputs("outside the nomatch set\n", out);
		break;
	default:
		fputs("is incorrect\n", out);
		break;
	}
}

void packtest_print(const struct packtest *tests, bool all, FILE *out)
{
	fprintf(out, "%20" PRIu64 "/%" PRIu64 " flows are bad or unusual\n", tests->unusual,
		tests->records);
	for (size_t i = 0; i < PACKTEST_ROWS; i++) {
		const struct packtest_state *state = &tests->states[i];

		if (state->active && (all || state->failed > state->allowed)) {
			packtest_print_one(&packtest_rows[i], state, out);
		}
	}
}

const char *const packtest_columns[] = { "file", "test", "limit", "flows", "records", NULL };

static void packtest_put_row(struct text *table, const char *file, const char *test,
			     const uint64_t *limit, uint64_t flows, uint64_t records)
{
	const uint64_t numbers[] = { flows, records };

	text_cell_string(table, file);
	text_cell_string(table, test);
	text_cell_is_number(table, limit != NULL);
	if (limit) {
		text_cell_u64(table, *limit);
	} else {
		text_cell_string(table, "");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		text_cell_number(table, numbers[i]);
	}
	text_row_done(table);
}

void packtest_put(const struct packtest *tests, bool all, const char *file, struct text *table)
{
	packtest_put_row(table, file, "any", NULL, tests->unusual, tests->records);
	for (size_t i = 0; i < PACKTEST_ROWS; i++) {
		const struct packtest_row *row = &packtest_rows[i];
		const struct packtest_state *state = &tests->states[i];
		bool limited = row->relation == PACKTEST_BELOW || row->relation == PACKTEST_ABOVE;

		if (state->active && (all || state->failed > state->allowed)) {
			packtest_put_row(table, file, row->name ? row->name : row->title,
					 limited ? &state->value : NULL, state->failed,
					 tests->records);
		}
	}
}
