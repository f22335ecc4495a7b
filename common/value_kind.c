/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/value_kind.h"

#include <string.h>

#include "common/decimal.h"
#include "common/duration.h"
#include "common/tcpflags.h"
#include "common/text.h"
#include "common/timestamp.h"

/* Columns of names are never narrower than this. */
#define NAME_WIDTH_MIN 3

/* ---- printing ---- */

static size_t terminate(char *out, size_t len)
{
	out[len] = '\0';
	return len;
}

static size_t print_ip(char *out, const struct value *value, const struct field *field,
		       const struct field_context *ctx)
{
	return ip_print(out, value->ip, value->is_v6, ctx->ip_format);
}

static size_t print_number(char *out, const struct value *value, const struct field *field,
			   const struct field_context *ctx)
{
	return terminate(out, decimal_print(out, value->u));
}

static size_t print_icmp(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	return terminate(out, value->blank ? 0 : decimal_print(out, value->u));
}

static size_t print_flags(char *out, const struct value *value, const struct field *field,
			  const struct field_context *ctx)
{
	if (ctx->integer_tcp_flags) {
		return terminate(out, decimal_print(out, value->u));
	}
	return terminate(out, tcpflags_print(out, (uint8_t)value->u, ctx->padded_flags));
}

static size_t print_attributes(char *out, const struct value *value, const struct field *field,
			       const struct field_context *ctx)
{
	return terminate(out, attributes_print(out, (uint8_t)value->u, ctx->padded_flags));
}

static size_t print_time(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	return timestamp_print_near(ctx->times, out, value->ns, ctx->timestamp_format);
}

static size_t print_time_msec(char *out, const struct value *value, const struct field *field,
			      const struct field_context *ctx)
{
	return timestamp_print_near(ctx->times, out, value->ns,
				    ctx->timestamp_format & ~TIMESTAMP_NO_MSEC);
}

static unsigned decimals(unsigned timestamp_format)
{
	if (timestamp_format & TIMESTAMP_NO_MSEC) {
		return 0;
	}
	if (timestamp_format & TIMESTAMP_NANO) {
		return 9;
	}
	return timestamp_format & TIMESTAMP_MICRO ? 6 : 3;
}

static size_t print_duration(char *out, const struct value *value, const struct field *field,
			     const struct field_context *ctx)
{
	return duration_print(out, value->u, decimals(ctx->timestamp_format));
}

static size_t print_duration_msec(char *out, const struct value *value, const struct field *field,
				  const struct field_context *ctx)
{
	return duration_print(out, value->u, decimals(ctx->timestamp_format & ~TIMESTAMP_NO_MSEC));
}

static size_t print_name(char *out, const char *name)
{
	size_t len = strlen(name);

	if (len >= VALUE_TEXT_MAX) {
		len = VALUE_TEXT_MAX - 1;
	}
	memcpy(out, name, len);
	return terminate(out, len);
}

/* The name if the site has one, else the number; "?" for the id that means none. */
static size_t print_sensor(char *out, const struct value *value, const struct field *field,
			   const struct field_context *ctx)
{
	const char *name = NULL;

	if (!ctx->integer_sensors) {
		if (value->u == RECORD_NO_SENSOR) {
			return print_name(out, "?");
		}
		if (ctx->site) {
			name = site_sensor_name(ctx->site, (int)value->u);
		}
	}
	return name ? print_name(out, name) : terminate(out, decimal_print(out, value->u));
}

static size_t print_class(char *out, const struct value *value, const struct field *field,
			  const struct field_context *ctx)
{
	int id = ctx->site ? site_flowtype_class(ctx->site, (int)value->u) : -1;

	return print_name(out, id < 0 ? "?" : site_class_name(ctx->site, id));
}

static size_t print_type(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	const char *name = NULL;

	if (ctx->site) {
		name = site_flowtype_type(ctx->site, (int)value->u);
	}
	return name ? print_name(out, name) : terminate(out, decimal_print(out, value->u));
}

/* ---- keys ---- */

static void put_big_endian(uint8_t *out, uint64_t number, size_t size)
{
	for (size_t i = size; i-- > 0; number >>= 8) {
		out[i] = (uint8_t)number;
	}
}

static uint64_t get_big_endian(const uint8_t *in, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++) {
		number = number << 8 | in[i];
	}
	return number;
}

#define NUMBER_KEY(bits)                                                                           \
	static void key_##bits(uint8_t *out, const struct value *value)                            \
	{                                                                                          \
		put_big_endian(out, value->u, bits / 8);                                           \
	}                                                                                          \
	static void from_key_##bits(struct value *value, const uint8_t *key)                       \
	{                                                                                          \
		*value = (struct value){ .u = get_big_endian(key, bits / 8) };                     \
	}
NUMBER_KEY(8);
NUMBER_KEY(16);
NUMBER_KEY(32);
NUMBER_KEY(64);

static void key_ip(uint8_t *out, const struct value *value)
{
	ip_to_bytes(value->ip, out);
}

static void from_key_ip(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .ip = ip_from_bytes(key) };
	value->is_v6 = !ip_is_mapped(value->ip);
}

/* Signed order in unsigned bytes: the sign bit turned. */
static void key_time(uint8_t *out, const struct value *value)
{
	put_big_endian(out, (uint64_t)value->ns ^ UINT64_C(1) << 63, 8);
}

static void from_key_time(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .ns = (int64_t)(get_big_endian(key, 8) ^ UINT64_C(1) << 63) };
}

/* ---- widths ---- */

static int ip_width(const struct field_context *ctx)
{
	return ip_print_width(ctx->ip_format, !ctx->ipv4_only);
}

static int flags_width(const struct field_context *ctx)
{
	return ctx->integer_tcp_flags ? 3 : 8;
}

static int time_width(const struct field_context *ctx)
{
	return timestamp_print_width(ctx->timestamp_format);
}

static int time_msec_width(const struct field_context *ctx)
{
	return timestamp_print_width(ctx->timestamp_format & ~TIMESTAMP_NO_MSEC);
}

static int wider(int width, const char *name)
{
	return name && (int)strlen(name) > width ? (int)strlen(name) : width;
}

static int sensor_width(const struct field_context *ctx)
{
	int width = NAME_WIDTH_MIN;

	if (ctx->integer_sensors) {
		return 5;
	}
	for (int id = 0; ctx->site && id <= site_sensor_max(ctx->site); id++) {
		width = wider(width, site_sensor_name(ctx->site, id));
	}
	return width;
}

static int class_width(const struct field_context *ctx)
{
	int width = NAME_WIDTH_MIN;

	for (int id = 0; ctx->site && id < site_class_count(ctx->site); id++) {
		width = wider(width, site_class_name(ctx->site, id));
	}
	return width;
}

static int type_width(const struct field_context *ctx)
{
	int width = NAME_WIDTH_MIN;

	for (int id = 0; ctx->site && id <= site_flowtype_max(ctx->site); id++) {
		width = wider(width, site_flowtype_type(ctx->site, id));
	}
	return width;
}

/* Five digits of seconds, and the fraction with its point. */
static int duration_width(const struct field_context *ctx)
{
	unsigned fraction = decimals(ctx->timestamp_format);

	return fraction ? 6 + (int)fraction : 5;
}

static int duration_msec_width(const struct field_context *ctx)
{
	return 6 + (int)decimals(ctx->timestamp_format & ~TIMESTAMP_NO_MSEC);
}

static bool times_are_numbers(const struct field_context *ctx)
{
	return timestamp_is_number(ctx->timestamp_format);
}

static bool flags_are_numbers(const struct field_context *ctx)
{
	return ctx->integer_tcp_flags;
}

static bool sensors_are_numbers(const struct field_context *ctx)
{
	return ctx->integer_sensors;
}

/* clang-format off */
const struct value_kind kind_ip = {
	.name = "ip", .width = ip_width, .print = print_ip, .key_size = 16, .key = key_ip, .from_key = from_key_ip };
const struct value_kind kind_u8 = {
	.name = "number", .print = print_number, .key_size = 1, .key = key_8,
	.from_key = from_key_8, .json_number = true };
const struct value_kind kind_u16 = {
	.name = "number", .print = print_number, .key_size = 2, .key = key_16,
	.from_key = from_key_16, .json_number = true };
const struct value_kind kind_u32 = {
	.name = "number", .print = print_number, .key_size = 4, .key = key_32,
	.from_key = from_key_32, .json_number = true };
const struct value_kind kind_u64 = {
	.name = "number", .print = print_number, .key_size = 8, .key = key_64,
	.from_key = from_key_64, .json_number = true };
const struct value_kind kind_icmp = {
	.name = "icmp", .print = print_icmp, .key_size = 1, .key = key_8,
	.from_key = from_key_8, .json_number = true };
const struct value_kind kind_flags = {
	.name = "flags", .width = flags_width, .print = print_flags, .key_size = 1, .key = key_8,
	.from_key = from_key_8,
	.number_in = flags_are_numbers };
const struct value_kind kind_attributes = {
	.name = "attributes", .print = print_attributes, .key_size = 1, .key = key_8,
	.from_key = from_key_8 };
const struct value_kind kind_time = {
	.name = "time", .width = time_width, .print = print_time, .key_size = 8, .key = key_time,
	.from_key = from_key_time,
	.number_in = times_are_numbers };
const struct value_kind kind_time_msec = {
	.name = "time", .width = time_msec_width, .print = print_time_msec, .key_size = 8, .key = key_time,
	.from_key = from_key_time,
	.number_in = times_are_numbers };
const struct value_kind kind_duration = {
	.name = "duration", .width = duration_width, .print = print_duration, .key_size = 8, .key = key_64,
	.from_key = from_key_64, .json_number = true };
const struct value_kind kind_duration_msec = {
	.name = "duration", .width = duration_msec_width, .print = print_duration_msec, .key_size = 8, .key = key_64,
	.from_key = from_key_64, .json_number = true };
const struct value_kind kind_sensor = {
	.name = "sensor", .width = sensor_width, .print = print_sensor, .key_size = 2, .key = key_16,
	.from_key = from_key_16,
	.number_in = sensors_are_numbers };
const struct value_kind kind_class = {
	.name = "class", .width = class_width, .print = print_class, .key_size = 1, .key = key_8,
	.from_key = from_key_8 };
const struct value_kind kind_type = {
	.name = "type", .width = type_width, .print = print_type, .key_size = 1, .key = key_8,
	.from_key = from_key_8 };
/* clang-format on */
