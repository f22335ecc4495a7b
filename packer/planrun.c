/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/planrun.h"

#include "common/bigendian.h"
#include "packer/templateplan.h"

#define PLANRUN_SIGN (UINT64_C(1) << 63)

static uint64_t planrun_get(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = len > 8 ? len - 8 : 0; i < len; i++) {
		value = value << 8 | at[i];
	}
	return value;
}

static uint64_t planrun_get1(const uint8_t *at)
{
	return *at;
}

/* A loop over the ops of one kind; convert makes a value of type from the bytes at "at". */
#define PLANRUN(name, type, convert)                                                               \
	static const struct planrun_op *run_##name(                                                \
		const struct planrun_op *op, const struct planrun_op *end, const uint8_t *record,  \
		struct templateplan_values *values)                                                \
	{                                                                                          \
		const uint8_t kind = op->kind;                                                     \
                                                                                                   \
		do {                                                                               \
			const uint8_t *at = record + op->offset;                                   \
			type value = convert;                                                      \
                                                                                                   \
			memcpy((char *)values + op->to, &value, sizeof(value));                    \
			op++;                                                                      \
		} while (op < end && op->kind == kind);                                            \
		return op;                                                                         \
	}

PLANRUN(1to1, uint8_t, *at)
PLANRUN(1to2, uint16_t, (uint16_t)planrun_get1(at))
PLANRUN(1to4, uint32_t, (uint32_t)planrun_get1(at))
PLANRUN(1to8, uint64_t, planrun_get1(at))
PLANRUN(2to2, uint16_t, get_be16(at))
PLANRUN(2to4, uint32_t, get_be16(at))
PLANRUN(2to8, uint64_t, get_be16(at))
PLANRUN(4to4, uint32_t, get_be32(at))
PLANRUN(4to8, uint64_t, get_be32(at))
PLANRUN(8to8, uint64_t, get_be64(at))
PLANRUN(to1, uint8_t, (uint8_t)planrun_get(at, op->len))
PLANRUN(to2, uint16_t, (uint16_t)planrun_get(at, op->len))
PLANRUN(to4, uint32_t, (uint32_t)planrun_get(at, op->len))
PLANRUN(to8, uint64_t, planrun_get(at, op->len))

static uint64_t planrun_signed(const uint8_t *at, size_t len)
{
	uint64_t value = planrun_get(at, len);
	size_t spare = len < 8 ? 64 - 8 * len : 0;

	if (len == 0) {
		return PLANRUN_SIGN;
	}
	/* the sign goes all the way up */
	return (uint64_t)((int64_t)(value << spare) >> spare) ^ PLANRUN_SIGN;
}

/* RFC 7011 6.2: a float64 may be sent as a float32. */
static double planrun_double(const uint8_t *at, size_t len)
{
	uint64_t bits = planrun_get(at, len);
	double wide = 0;
	float narrow;

	if (len == sizeof(narrow)) {
		uint32_t narrow_bits = (uint32_t)bits;

		memcpy(&narrow, &narrow_bits, sizeof(narrow));
		return (double)narrow;
	}
	if (len == sizeof(wide)) {
		memcpy(&wide, &bits, sizeof(wide));
	}
	return wide;
}

static uint64_t planrun_time(const uint8_t *at, size_t len, bool micro)
{
	return (uint64_t)ipfix_time_from_ntp(planrun_get(at, len), micro) ^ PLANRUN_SIGN;
}

static struct ipfix_address6 planrun_raw(const uint8_t *at)
{
	struct ipfix_address6 address;

	memcpy(address.bytes, at, sizeof(address.bytes));
	return address;
}

static struct encode_bytes planrun_string(const uint8_t *at, size_t len)
{
	while (len > 0 && at[len - 1] == 0) {
		len--;
	}
	return (struct encode_bytes){ at, len };
}

PLANRUN(signed, uint64_t, planrun_signed(at, op->len))
PLANRUN(double, double, planrun_double(at, op->len))
PLANRUN(microseconds, uint64_t, planrun_time(at, op->len, true))
PLANRUN(nanoseconds, uint64_t, planrun_time(at, op->len, false))
PLANRUN(raw16, struct ipfix_address6, planrun_raw(at))
PLANRUN(ipv4, struct ip, ip_from_v4(get_be32(at)))
PLANRUN(ipv6, struct ip, ip_from_bytes(at))
PLANRUN(bytes, struct encode_bytes, ((struct encode_bytes){ at, op->len }))
PLANRUN(string, struct encode_bytes, planrun_string(at, op->len))
PLANRUN(list, struct template_bytes, ((struct template_bytes){ at, op->len }))

const planrun_fn planrun_table[PLANRUN_KINDS] = {
	[PLANRUN_1TO1] = run_1to1,
	[PLANRUN_1TO2] = run_1to2,
	[PLANRUN_1TO4] = run_1to4,
	[PLANRUN_1TO8] = run_1to8,
	[PLANRUN_2TO2] = run_2to2,
	[PLANRUN_2TO4] = run_2to4,
	[PLANRUN_2TO8] = run_2to8,
	[PLANRUN_4TO4] = run_4to4,
	[PLANRUN_4TO8] = run_4to8,
	[PLANRUN_8TO8] = run_8to8,
	[PLANRUN_TO1] = run_to1,
	[PLANRUN_TO2] = run_to2,
	[PLANRUN_TO4] = run_to4,
	[PLANRUN_TO8] = run_to8,
	[PLANRUN_SIGNED] = run_signed,
	[PLANRUN_DOUBLE] = run_double,
	[PLANRUN_MICROSECONDS] = run_microseconds,
	[PLANRUN_NANOSECONDS] = run_nanoseconds,
	[PLANRUN_RAW16] = run_raw16,
	[PLANRUN_IPV4] = run_ipv4,
	[PLANRUN_IPV6] = run_ipv6,
	[PLANRUN_BYTES] = run_bytes,
	[PLANRUN_STRING] = run_string,
	[PLANRUN_LIST] = run_list,
};

static const struct {
	uint8_t len, size, kind;
} planrun_exact[] = {
	{ 1, 1, PLANRUN_1TO1 }, { 1, 2, PLANRUN_1TO2 },    { 1, 4, PLANRUN_1TO4 },
	{ 1, 8, PLANRUN_1TO8 }, { 2, 2, PLANRUN_2TO2 },    { 2, 4, PLANRUN_2TO4 },
	{ 2, 8, PLANRUN_2TO8 }, { 4, 4, PLANRUN_4TO4 },    { 4, 8, PLANRUN_4TO8 },
	{ 8, 8, PLANRUN_8TO8 }, { 16, 16, PLANRUN_RAW16 },
};

uint8_t planrun_field_kind(uint16_t len, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(planrun_exact); i++) {
		if (planrun_exact[i].len == len && planrun_exact[i].size == size) {
			return planrun_exact[i].kind;
		}
	}
	return size == 1   ? PLANRUN_TO1
	       : size == 2 ? PLANRUN_TO2
	       : size == 4 ? PLANRUN_TO4
			   : PLANRUN_TO8;
}

/* Lengths of values that a type takes, and what a number that is longer is taken for. */
static const struct {
	uint8_t min, max, wider, kind;
} planrun_types[COLUMN_TYPES] = {
	[COLUMN_UNSIGNED8] = { 1, 1, COLUMN_UNSIGNED64, PLANRUN_TO8 },
	[COLUMN_UNSIGNED16] = { 1, 2, COLUMN_UNSIGNED64, PLANRUN_TO8 },
	[COLUMN_UNSIGNED32] = { 1, 4, COLUMN_UNSIGNED64, PLANRUN_TO8 },
	[COLUMN_UNSIGNED64] = { 1, 8, COLUMN_OCTET_ARRAY, PLANRUN_TO8 },
	[COLUMN_SIGNED8] = { 1, 1, COLUMN_SIGNED64, PLANRUN_SIGNED },
	[COLUMN_SIGNED16] = { 1, 2, COLUMN_SIGNED64, PLANRUN_SIGNED },
	[COLUMN_SIGNED32] = { 1, 4, COLUMN_SIGNED64, PLANRUN_SIGNED },
	[COLUMN_SIGNED64] = { 1, 8, COLUMN_OCTET_ARRAY, PLANRUN_SIGNED },
	[COLUMN_FLOAT32] = { 4, 4, COLUMN_OCTET_ARRAY, PLANRUN_TO8 },
	[COLUMN_FLOAT64] = { 4, 8, COLUMN_OCTET_ARRAY, PLANRUN_DOUBLE },
	[COLUMN_BOOLEAN] = { 1, 1, COLUMN_OCTET_ARRAY, PLANRUN_TO8 },
	[COLUMN_MAC_ADDRESS] = { 6, 6, COLUMN_OCTET_ARRAY, PLANRUN_TO8 },
	[COLUMN_STRING] = { 0, 255, COLUMN_STRING, PLANRUN_STRING },
	[COLUMN_SECONDS] = { 4, 4, COLUMN_UNSIGNED64, PLANRUN_TO8 },
	[COLUMN_MILLISECONDS] = { 1, 8, COLUMN_OCTET_ARRAY, PLANRUN_TO8 },
	[COLUMN_MICROSECONDS] = { 8, 8, COLUMN_OCTET_ARRAY, PLANRUN_MICROSECONDS },
	[COLUMN_NANOSECONDS] = { 8, 8, COLUMN_OCTET_ARRAY, PLANRUN_NANOSECONDS },
	[COLUMN_IPV4_ADDRESS] = { 4, 4, COLUMN_OCTET_ARRAY, PLANRUN_IPV4 },
	[COLUMN_IPV6_ADDRESS] = { 16, 16, COLUMN_OCTET_ARRAY, PLANRUN_IPV6 },
};

uint8_t planrun_column_type(uint8_t type, uint16_t len)
{
	if (column_form(type) == COLUMN_FORM_BYTES) {
		return type;
	}
	if (len >= planrun_types[type].min && len <= planrun_types[type].max) {
		return type;
	}
	if (len > 8 && len != TEMPLATE_VARLEN) {
		return COLUMN_OCTET_ARRAY;
	}
	/* a number of any length, but no other type, may be told with each record */
	if (len == TEMPLATE_VARLEN && (type == COLUMN_UNSIGNED64 || type == COLUMN_SIGNED64)) {
		return type;
	}
	return len > planrun_types[type].max ? planrun_types[type].wider : COLUMN_OCTET_ARRAY;
}

uint8_t planrun_column_kind(uint8_t column_type, uint16_t len)
{
	uint8_t kind = planrun_types[column_type].kind;

	if (column_form(column_type) == COLUMN_FORM_BYTES) {
		return column_type == COLUMN_STRING ? PLANRUN_STRING : PLANRUN_BYTES;
	}
	return kind == PLANRUN_TO8 ? planrun_field_kind(len, sizeof(uint64_t)) : kind;
}

size_t planrun_value_offset(uint8_t column_type)
{
	switch (column_form(column_type)) {
	case COLUMN_FORM_NUMBER:
		return offsetof(struct flowblock_value, number);
	case COLUMN_FORM_ADDRESS:
		return offsetof(struct flowblock_value, ip);
	case COLUMN_FORM_BYTES:
		break;
	}
	return offsetof(struct flowblock_value, bytes);
}
