/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/extvalue.h"

#include <endian.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/decimal.h"
#include "common/extfield.h"
#include "common/text.h"
#include "common/timestamp.h"

#define SIGN        (UINT64_C(1) << 63)
#define KEY_BYTES   (1 + EXT_PREFIX + sizeof(void *))
#define EXT_PREFIX  55
#define NUMBER_KEY  (1 + 8)
#define ADDRESS_KEY (1 + 16)

_Static_assert(KEY_BYTES <= VALUE_KEY_MAX && ADDRESS_KEY <= KEY_BYTES, "all keys fit");

/* ---- printing ---- */

typedef size_t (*print_fn)(char *out, const struct value *value, const struct field *field,
			   const struct field_context *ctx);

static size_t terminate(char *out, size_t len)
{
	out[len] = '\0';
	return len;
}

static size_t print_unsigned(char *out, const struct value *value, const struct field *field,
			     const struct field_context *ctx)
{
	return terminate(out, decimal_print(out, value->u));
}

static size_t print_signed(char *out, const struct value *value, const struct field *field,
			   const struct field_context *ctx)
{
	int64_t number = (int64_t)(value->u ^ SIGN);

	if (number >= 0) {
		return terminate(out, decimal_print(out, (uint64_t)number));
	}
	*out = '-';
	return terminate(out, 1 + decimal_print(out + 1, 0 - (uint64_t)number));
}

/* JSON has no word for what is not finite; its cell is null. */
static size_t print_real(char *out, double real, const char *format,
			 const struct field_context *ctx)
{
	if (!isfinite(real) && ctx->separator == '\0') {
		return terminate(out, 0);
	}
	g_ascii_formatd(out, VALUE_TEXT_MAX, format, real);
	return strlen(out);
}

static size_t print_float32(char *out, const struct value *value, const struct field *field,
			    const struct field_context *ctx)
{
	uint32_t bits = (uint32_t)value->u;
	float real;

	memcpy(&real, &bits, sizeof(real));
	return print_real(out, (double)real, "%.9g", ctx);
}

static size_t print_float64(char *out, const struct value *value, const struct field *field,
			    const struct field_context *ctx)
{
	double real;

	memcpy(&real, &value->u, sizeof(real));
	return print_real(out, real, "%.17g", ctx);
}

/* RFC 7011 6.1.5: 1 is true, 2 is false. */
static size_t print_boolean(char *out, const struct value *value, const struct field *field,
			    const struct field_context *ctx)
{
	if (value->u == 1 || value->u == 2) {
		return (size_t)g_snprintf(out, VALUE_TEXT_MAX, "%s",
					  value->u == 1 ? "true" : "false");
	}
	return print_unsigned(out, value, field, ctx);
}

static const char hex[] = "0123456789abcdef";

static size_t print_mac(char *out, const struct value *value, const struct field *field,
			const struct field_context *ctx)
{
	char *at = out;

	for (int shift = 40; shift >= 0; shift -= 8) {
		unsigned byte = (unsigned)(value->u >> shift) & 0xff;

		*at++ = hex[byte >> 4];
		*at++ = hex[byte & 15];
		*at++ = ':';
	}
	return terminate(out, (size_t)(at - out) - 1);
}

/* Seconds and milliseconds are unsigned: those that nanoseconds cannot tell are their number. */
static size_t print_unit(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx, int64_t unit_ns)
{
	if (value->u > (uint64_t)(INT64_MAX / unit_ns)) {
		return print_unsigned(out, value, field, ctx);
	}
	return timestamp_print(out, (int64_t)value->u * unit_ns, ctx->timestamp_format);
}

static size_t print_seconds(char *out, const struct value *value, const struct field *field,
			    const struct field_context *ctx)
{
	return print_unit(out, value, field, ctx, NS_PER_S);
}

static size_t print_milliseconds(char *out, const struct value *value, const struct field *field,
				 const struct field_context *ctx)
{
	return print_unit(out, value, field, ctx, NS_PER_MS);
}

static size_t print_nanoseconds(char *out, const struct value *value, const struct field *field,
				const struct field_context *ctx)
{
	return timestamp_print(out, (int64_t)(value->u ^ SIGN), ctx->timestamp_format);
}

static size_t print_ipv4(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	return ip_print(out, value->ip, !ip_is_mapped(value->ip), ctx->ip_format);
}

static size_t print_ipv6(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	return ip_print(out, value->ip, true, ctx->ip_format);
}

static size_t print_octets(char *out, const struct value *value, const struct field *field,
			   const struct field_context *ctx)
{
	size_t len = MIN(value->bytes.len, (EXTVALUE_TEXT_MAX - 8) / 2);
	char *at = out;

	*at++ = '0';
	*at++ = 'x';
	for (size_t i = 0; i < len; i++) {
		*at++ = hex[value->bytes.bytes[i] >> 4];
		*at++ = hex[value->bytes.bytes[i] & 15];
	}
	if (len < value->bytes.len) {
		memcpy(at, "...", 3);
		at += 3;
	}
	return terminate(out, (size_t)(at - out));
}

/* Bytes of the UTF-8 character at text, 0: it is none. */
static size_t utf8_length(const uint8_t *text, size_t len)
{
	gunichar character = g_utf8_get_char_validated((const char *)text, (gssize)len);

	if (character == (gunichar)-1 || character == (gunichar)-2) {
		return 0;
	}
	return (size_t)g_unichar_to_utf8(character, NULL);
}

static char *put_escape(char *at, uint8_t byte)
{
	*at++ = '\\';
	*at++ = 'x';
	*at++ = hex[byte >> 4];
	*at++ = hex[byte & 15];
	return at;
}

/*
 * In tables a cell must not look like several: the separator, backslashes and control characters
 * are escaped. CSV and JSON have escapes of their own; there only what is not UTF-8 is replaced.
 */
static size_t print_string(char *out, const struct value *value, const struct field *field,
			   const struct field_context *ctx)
{
	const uint8_t *from = value->bytes.bytes;
	const uint8_t *end = from + value->bytes.len;
	bool table = ctx->separator != '\0';
	char *at = out;

	while (from < end && at - out < EXTVALUE_TEXT_MAX - 8) {
		size_t len = *from < 0x80 ? 1 : utf8_length(from, (size_t)(end - from));

		if (len == 0 || (table && (*from < 0x20 || *from == 0x7f))) {
			at = put_escape(at, *from++);
			continue;
		}
		if (table && (*from == '\\' || *from == (uint8_t)ctx->separator)) {
			*at++ = '\\';
		}
		memcpy(at, from, len);
		at += len;
		from += len;
	}
	if (from < end) {
		memcpy(at, "...", 3);
		at += 3;
	}
	return terminate(out, (size_t)(at - out));
}

/* ---- types ---- */

static const struct type_row {
	print_fn print;
	uint8_t width; /* 0: asked for */
	uint8_t key_size;
} types[IE_TYPES] = {
	[IE_OCTET_ARRAY] = { print_octets, 18, KEY_BYTES },
	[IE_UNSIGNED8] = { print_unsigned, 3, NUMBER_KEY },
	[IE_UNSIGNED16] = { print_unsigned, 5, NUMBER_KEY },
	[IE_UNSIGNED32] = { print_unsigned, 10, NUMBER_KEY },
	[IE_UNSIGNED64] = { print_unsigned, 20, NUMBER_KEY },
	[IE_SIGNED8] = { print_signed, 4, NUMBER_KEY },
	[IE_SIGNED16] = { print_signed, 6, NUMBER_KEY },
	[IE_SIGNED32] = { print_signed, 11, NUMBER_KEY },
	[IE_SIGNED64] = { print_signed, 20, NUMBER_KEY },
	[IE_FLOAT32] = { print_float32, 14, NUMBER_KEY },
	[IE_FLOAT64] = { print_float64, 22, NUMBER_KEY },
	[IE_BOOLEAN] = { print_boolean, 5, NUMBER_KEY },
	[IE_MAC_ADDRESS] = { print_mac, 17, NUMBER_KEY },
	[IE_STRING] = { print_string, 20, KEY_BYTES },
	[IE_SECONDS] = { print_seconds, 0, NUMBER_KEY },
	[IE_MILLISECONDS] = { print_milliseconds, 0, NUMBER_KEY },
	[IE_MICROSECONDS] = { print_nanoseconds, 0, NUMBER_KEY },
	[IE_NANOSECONDS] = { print_nanoseconds, 0, NUMBER_KEY },
	[IE_IPV4_ADDRESS] = { print_ipv4, 0, ADDRESS_KEY },
	[IE_IPV6_ADDRESS] = { print_ipv6, 0, ADDRESS_KEY },
	[IE_BASIC_LIST] = { print_octets, 18, KEY_BYTES },
	[IE_SUB_TEMPLATE_LIST] = { print_octets, 18, KEY_BYTES },
	[IE_SUB_TEMPLATE_MULTI_LIST] = { print_octets, 18, KEY_BYTES },
};

bool extvalue_is_bytes(unsigned type)
{
	return types[type].key_size == KEY_BYTES;
}

struct value extvalue_load(const struct batch_extension *column, uint32_t row)
{
	struct value value = { .ie_type = column->type };

	if (extvalue_is_bytes(column->type)) {
		value.bytes = column->strings[row];
	} else if (column->type == IE_IPV4_ADDRESS || column->type == IE_IPV6_ADDRESS) {
		value.ip = column->addresses[row];
	} else {
		value.u = column->numbers[row];
	}
	return value;
}

static size_t print_value(char *out, const struct value *value, const struct field *field,
			  const struct field_context *ctx)
{
	if (value->blank) {
		return terminate(out, 0);
	}
	return types[value->ie_type].print(out, value, field, ctx);
}

int extvalue_width(unsigned type, const struct field_context *ctx)
{
	if (type >= IE_TYPES) {
		return types[IE_OCTET_ARRAY].width;
	}
	if (types[type].width > 0) {
		return types[type].width;
	}
	if (types[type].key_size == ADDRESS_KEY) {
		return ip_print_width(ctx->ip_format, type == IE_IPV6_ADDRESS);
	}
	return timestamp_print_width(ctx->timestamp_format);
}

/* ---- keys ---- */

static void put_number(uint8_t *out, uint64_t number)
{
	uint64_t big_endian = htobe64(number);

	memcpy(out, &big_endian, sizeof(big_endian));
}

static uint64_t get_number(const uint8_t *key)
{
	uint64_t big_endian;

	memcpy(&big_endian, key, sizeof(big_endian));
	return be64toh(big_endian);
}

/* Bits of floats in the order of the numbers: negative ones turned, others behind them. */
static uint64_t order_float(uint64_t bits, uint64_t sign)
{
	return bits & sign ? (sign | (sign - 1)) & ~bits : bits | sign;
}

static uint64_t unorder_float(uint64_t order, uint64_t sign)
{
	return order & sign ? order & ~sign : (sign | (sign - 1)) & ~order;
}

static uint64_t float_sign(unsigned type)
{
	return type == IE_FLOAT32 ? UINT64_C(1) << 31 : type == IE_FLOAT64 ? SIGN : 0;
}

static void key_number(uint8_t *out, const struct value *value)
{
	uint64_t sign = float_sign(value->ie_type);

	put_number(out, sign ? order_float(value->u, sign) : value->u);
}

static void key_bytes(uint8_t *out, const struct value *value)
{
	size_t len = MIN(value->bytes.len, EXT_PREFIX);

	memcpy(out, value->bytes.bytes, len);
	/* short strings are all in the prefix, but those that end in zeros are told apart, too */
	memcpy(out + EXT_PREFIX, &value->bytes.bytes, sizeof(value->bytes.bytes));
}

static void make_key(uint8_t *out, const struct value *value, size_t size)
{
	size_t needed = value->blank ? 0 : types[value->ie_type].key_size;

	memset(out, 0, size);
	if (needed == 0 || needed > size) {
		return;
	}
	out[0] = (uint8_t)(value->ie_type + 1);
	if (needed == NUMBER_KEY) {
		key_number(out + 1, value);
	} else if (needed == ADDRESS_KEY) {
		ip_to_bytes(value->ip, out + 1);
	} else {
		key_bytes(out + 1, value);
	}
}

static void read_key(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .blank = key[0] == 0 };
	if (key[0] == 0) {
		return;
	}
	value->ie_type = (uint8_t)(key[0] - 1);
	switch (types[value->ie_type].key_size) {
	case NUMBER_KEY: {
		uint64_t sign = float_sign(value->ie_type);

		value->u = get_number(key + 1);
		value->u = sign ? unorder_float(value->u, sign) : value->u;
		break;
	}
	case ADDRESS_KEY:
		value->ip = ip_from_bytes(key + 1);
		break;
	default:
		memcpy(&value->bytes.bytes, key + 1 + EXT_PREFIX, sizeof(value->bytes.bytes));
		value->bytes.len = extfield_kept_length(value->bytes.bytes);
		break;
	}
}

static void key_of_number(uint8_t *out, const struct value *value)
{
	make_key(out, value, NUMBER_KEY);
}

static void key_of_address(uint8_t *out, const struct value *value)
{
	make_key(out, value, ADDRESS_KEY);
}

static void key_of_bytes(uint8_t *out, const struct value *value)
{
	make_key(out, value, KEY_BYTES);
}

static const struct value_kind kind_number = { .name = "element",
					       .print = print_value,
					       .key_size = NUMBER_KEY,
					       .key = key_of_number,
					       .from_key = read_key,
					       .json_number = true };
static const struct value_kind kind_word = { .name = "element",
					     .print = print_value,
					     .key_size = NUMBER_KEY,
					     .key = key_of_number,
					     .from_key = read_key };
static const struct value_kind kind_address = { .name = "element",
						.print = print_value,
						.key_size = ADDRESS_KEY,
						.key = key_of_address,
						.from_key = read_key };
static const struct value_kind kind_bytes = { .name = "element",
					      .print = print_value,
					      .key_size = KEY_BYTES,
					      .key = key_of_bytes,
					      .from_key = read_key };

const struct value_kind *extvalue_kind(unsigned type)
{
	if (type >= IE_TYPES || extvalue_is_bytes(type)) {
		return &kind_bytes;
	}
	if (types[type].key_size == ADDRESS_KEY) {
		return &kind_address;
	}
	return type <= IE_BOOLEAN ? &kind_number : &kind_word;
}
