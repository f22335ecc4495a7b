/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/column.h"

#include "common/batch.h"

#include <assert.h>
#include <stdio.h>

#define PEN_CERT 6871
#define SIGN     (UINT64_C(1) << 63)

/* One row per type of RFC 5610. */
struct type_row {
	uint8_t form; /* enum column_form */
	bool unordered;
	uint64_t sign;
};

static const struct type_row types[COLUMN_TYPES] = {
	[COLUMN_OCTET_ARRAY] = { COLUMN_FORM_BYTES, true, 0 },
	[COLUMN_UNSIGNED8] = { COLUMN_FORM_NUMBER, false, 0 },
	[COLUMN_UNSIGNED16] = { COLUMN_FORM_NUMBER, false, 0 },
	[COLUMN_UNSIGNED32] = { COLUMN_FORM_NUMBER, false, 0 },
	[COLUMN_UNSIGNED64] = { COLUMN_FORM_NUMBER, false, 0 },
	[COLUMN_SIGNED8] = { COLUMN_FORM_NUMBER, false, SIGN },
	[COLUMN_SIGNED16] = { COLUMN_FORM_NUMBER, false, SIGN },
	[COLUMN_SIGNED32] = { COLUMN_FORM_NUMBER, false, SIGN },
	[COLUMN_SIGNED64] = { COLUMN_FORM_NUMBER, false, SIGN },
	[COLUMN_FLOAT32] = { COLUMN_FORM_NUMBER, true, 0 },
	[COLUMN_FLOAT64] = { COLUMN_FORM_NUMBER, true, 0 },
	[COLUMN_BOOLEAN] = { COLUMN_FORM_NUMBER, false, 0 },
	[COLUMN_MAC_ADDRESS] = { COLUMN_FORM_NUMBER, false, 0 },
	[COLUMN_STRING] = { COLUMN_FORM_BYTES, true, 0 },
	[COLUMN_SECONDS] = { COLUMN_FORM_NUMBER, false, 0 },
	[COLUMN_MILLISECONDS] = { COLUMN_FORM_NUMBER, false, 0 },
	[COLUMN_MICROSECONDS] = { COLUMN_FORM_NUMBER, false, SIGN },
	[COLUMN_NANOSECONDS] = { COLUMN_FORM_NUMBER, false, SIGN },
	[COLUMN_IPV4_ADDRESS] = { COLUMN_FORM_ADDRESS, false, 0 },
	[COLUMN_IPV6_ADDRESS] = { COLUMN_FORM_ADDRESS, false, 0 },
	[COLUMN_BASIC_LIST] = { COLUMN_FORM_BYTES, true, 0 },
	[COLUMN_SUB_TEMPLATE_LIST] = { COLUMN_FORM_BYTES, true, 0 },
	[COLUMN_SUB_TEMPLATE_MULTI_LIST] = { COLUMN_FORM_BYTES, true, 0 },
};

enum column_form column_form(uint8_t type)
{
	assert(type < COLUMN_TYPES);
	return types[type].form;
}

bool column_is_ordered(uint8_t type)
{
	assert(type < COLUMN_TYPES);
	return !types[type].unordered;
}

uint64_t column_sign(uint8_t type)
{
	assert(type < COLUMN_TYPES);
	return types[type].sign;
}

/* The element and type of each core column (storage/FORMAT.md 3.1). */
#define CORE(upper, member, enterprise, element, rfc5610)                                          \
	[COLUMN_##upper] = {                                                                       \
		.key = { .pen = (enterprise), .id = (element) },                                   \
		.type = COLUMN_##rfc5610,                                                          \
		.size = sizeof(((const struct record *)0)->member),                                \
		.record_offset = offsetof(struct record, member),                                  \
		.batch_offset = offsetof(struct batch, member),                                    \
	}

static const struct core_column core_columns[COLUMN_COUNT] = {
	CORE(START, start_ns, 0, 156, NANOSECONDS),
	CORE(DURATION, duration_ns, COLUMN_PEN_PRIVATE, 1, UNSIGNED64),
	CORE(SIP, sip, 0, 27, IPV6_ADDRESS),
	CORE(DIP, dip, 0, 28, IPV6_ADDRESS),
	CORE(NHIP, nhip, 0, 62, IPV6_ADDRESS),
	CORE(PACKETS, packets, 0, 2, UNSIGNED64),
	CORE(BYTES, bytes, 0, 1, UNSIGNED64),
	CORE(INPUT, input, 0, 10, UNSIGNED32),
	CORE(OUTPUT, output, 0, 14, UNSIGNED32),
	CORE(SPORT, sport, 0, 7, UNSIGNED16),
	CORE(DPORT, dport, 0, 11, UNSIGNED16),
	CORE(APPLICATION, application, PEN_CERT, 33, UNSIGNED16),
	CORE(SENSOR, sensor, PEN_CERT, 31, UNSIGNED16),
	CORE(MEMO, memo, COLUMN_PEN_PRIVATE, 2, UNSIGNED16),
	CORE(PROTOCOL, protocol, 0, 4, UNSIGNED8),
	CORE(FLOWTYPE, flowtype, PEN_CERT, 30, UNSIGNED8),
	CORE(FLAGS, flags, 0, 6, UNSIGNED8),
	CORE(INITIAL_FLAGS, initial_flags, PEN_CERT, 14, UNSIGNED8),
	CORE(SESSION_FLAGS, session_flags, PEN_CERT, 15, UNSIGNED8),
	CORE(STATE, state, PEN_CERT, 32, UNSIGNED8),
};

static const char *const names[COLUMN_COUNT] = {
#define X(upper, member, ctype) [COLUMN_##upper] = #member,
	RECORD_COLUMNS(X)
#undef X
};

const struct core_column *column_core(enum column column)
{
	assert(column < COLUMN_COUNT);
	return &core_columns[column];
}

enum column column_find(const struct column_key *key)
{
	enum column column = 0;

	while (column < COLUMN_COUNT && column_key_compare(&core_columns[column].key, key) != 0) {
		column++;
	}
	return column;
}

int column_key_compare(const struct column_key *a, const struct column_key *b)
{
	if (a->pen != b->pen) {
		return a->pen < b->pen ? -1 : 1;
	}
	return a->id < b->id ? -1 : a->id > b->id;
}

const char *column_name(const struct column_key *key, char out[COLUMN_NAME_MAX])
{
	enum column column = column_find(key);

	if (column < COLUMN_COUNT) {
		snprintf(out, COLUMN_NAME_MAX, "%s", names[column]);
	} else {
		snprintf(out, COLUMN_NAME_MAX, "%u/%u", key->pen, key->id);
	}
	return out;
}
