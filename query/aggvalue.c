/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/aggvalue.h"

#include "common/decimal.h"
#include "common/numlist.h"
#include "common/tcpflags.h"
#include "common/timestamp.h"
#include "storage/country.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#define UNKNOWN_BYTE 255 /* class or type */
/* SiLK makes room for numbers of sensors and flags, but shows names and letters all the same. */
#define INTEGER_FLAGS_WIDTH  3
#define INTEGER_SENSOR_WIDTH 5
#define SENSOR_MAX           (RECORD_NO_SENSOR - 1)

/* --- parsing --- */

/* Volumes of records keep their lower 32 bits; anything narrower must fit. */
static int parse_number(const struct aggfield *field, const char *text, uint8_t *out,
			struct err *err)
{
	uint64_t max = field->octets >= 4 ? UINT64_MAX : (UINT64_C(1) << (8 * field->octets)) - 1;
	uint64_t number;
	int status = number_parse(text, 0, max, &number, err);

	if (status == ST_OK) {
		agglayout_store(out, number, field->octets);
	}
	return status;
}

static int parse_address(const struct aggfield *field, const char *text, uint8_t *out,
			 struct err *err)
{
	struct ip ip;
	bool is_v6;
	int status = ip_parse(text, &ip, &is_v6, err);

	if (status != ST_OK) {
		return status;
	}
	if (field->kind == AGGKIND_IPV6) {
		ip_to_bytes(ip, out);
	} else {
		agglayout_store(out, ip_is_mapped(ip) ? ip_to_v4(ip) : 0, field->octets);
	}
	return ST_OK;
}

static int parse_time(const struct aggfield *field, const char *text, uint8_t *out, struct err *err)
{
	char *stripped = g_strstrip(g_strdup(text));
	int64_t ns = 0;
	int status = timestamp_parse(stripped, false, &ns, NULL, err);

	g_free(stripped);
	agglayout_store(out, (uint64_t)(ns / NS_PER_S), field->octets);
	return status;
}

static int parse_letters(const struct aggfield *field, const char *text, uint8_t *out,
			 struct err *err)
{
	uint8_t checked;

	*out = 0;
	return field->kind == AGGKIND_FLAGS ? tcpflags_parse(text, &checked, err)
					    : attributes_parse(text, &checked, err);
}

static int parse_sensor(const struct site *site, const char *text, uint8_t *out, struct err *err)
{
	const char *at = text + strspn(text, " \t");
	uint64_t number = RECORD_NO_SENSOR;
	int status = ST_OK;
	int id;

	if (g_ascii_isdigit(*at)) {
		status = number_parse(text, 0, SENSOR_MAX, &number, err);
	} else {
		id = site_sensor_id(site, text);
		number = id < 0 ? RECORD_NO_SENSOR : (uint64_t)id;
	}
	agglayout_store(out, number, 2);
	return status;
}

static uint8_t class_byte(const struct site *site, const char *text)
{
	int id = site_class_id(site, text);

	return id < 0 ? UNKNOWN_BYTE : (uint8_t)id;
}

uint8_t aggvalue_parse_type(const struct site *site, uint8_t class_id, const char *text)
{
	int id = class_id == UNKNOWN_BYTE ? -1 : site_flowtype_of(site, class_id, text);

	return id < 0 ? UNKNOWN_BYTE : (uint8_t)id;
}

int aggvalue_parse(const struct site *site, uint16_t id, const char *text, uint8_t *out,
		   struct err *err)
{
	const struct aggfield *field = aggfield_of(id);
	int default_class = site_default_class(site);

	switch (field->kind) {
	case AGGKIND_IPV4:
	case AGGKIND_IPV6:
		return parse_address(field, text, out, err);
	case AGGKIND_TIME:
		return parse_time(field, text, out, err);
	case AGGKIND_FLAGS:
	case AGGKIND_ATTRIBUTES:
		return parse_letters(field, text, out, err);
	case AGGKIND_SENSOR:
		return parse_sensor(site, text, out, err);
	case AGGKIND_CLASS:
		*out = class_byte(site, text);
		return ST_OK;
	case AGGKIND_TYPE:
		*out = aggvalue_parse_type(site, default_class < 0 ? 0 : (uint8_t)default_class,
					   text);
		return ST_OK;
	case AGGKIND_COUNTRY:
		agglayout_store(out, country_parse(text), field->octets);
		return ST_OK;
	default:
		return parse_number(field, text, out, err);
	}
}

void aggvalue_empty(uint16_t id, uint8_t *out)
{
	const struct aggfield *field = aggfield_of(id);

	memset(out, 0, field->octets);
	switch (field->kind) {
	case AGGKIND_SENSOR:
		agglayout_store(out, RECORD_NO_SENSOR, 2);
		break;
	case AGGKIND_CLASS:
	case AGGKIND_TYPE:
		*out = UNKNOWN_BYTE;
		break;
	case AGGKIND_COUNTRY:
		agglayout_store(out, COUNTRY_INVALID, 2);
		break;
	default:
		break;
	}
}

/* --- names --- */

int aggvalue_split(const char *text, unsigned which, uint16_t *id, const char **value,
		   struct err *err)
{
	const char *equals = strchr(text, '=');
	char *name;
	int status;

	if (!equals) {
		return err_set(err, ST_EINVAL, "expected FIELD=VALUE");
	}
	name = g_strndup(text, (size_t)(equals - text));
	status = aggfield_find(name, which, id, err);
	g_free(name);
	*value = equals + 1;
	return status;
}

int aggvalue_parse_list(const char *text, unsigned which, struct agglayout *layout, uint16_t *ids,
			struct err *err)
{
	char **names = g_strsplit(text, ",", -1);
	int status = *text ? ST_OK : err_set(err, ST_EINVAL, "Field list is empty");

	for (char **name = names; *name && status == ST_OK; name++) {
		uint16_t id;

		if (!**name) {
			continue;
		}
		status = aggfield_find(*name, which, &id, err);
		if (status != ST_OK) {
			break;
		}
		if (ids) {
			ids[layout->count] = id;
		}
		if (!agglayout_add(layout, id)) {
			status = err_set(err, ST_EINVAL, "Duplicate name '%s'", *name);
		}
	}
	g_strfreev(names);
	return status;
}

void aggvalue_help(unsigned which)
{
	for (size_t i = 0; i < aggfield_count; i++) {
		const struct aggfield *field = &aggfield_table[i];
		unsigned kind = aggfield_is_counter(field->id) ? AGGFIELD_COUNTERS : AGGFIELD_KEYS;

		if (field->sets & which && kind & which) {
			printf("%-14s %s\n", aggfield_name(field->id), field->help);
		}
	}
}

/* --- printing --- */

/* The field of flow records that looks the same. */
static const struct field *like_field(uint8_t kind)
{
	static const char *const names[] = {
		[AGGKIND_FLAGS] = "flags",   [AGGKIND_ATTRIBUTES] = "attributes",
		[AGGKIND_SENSOR] = "sensor", [AGGKIND_CLASS] = "class",
		[AGGKIND_TYPE] = "type",     [AGGKIND_TIME] = "sTime",
	};

	return kind < G_N_ELEMENTS(names) && names[kind] ? field_find(names[kind], NULL) : NULL;
}

bool aggvalue_is_number(uint16_t id, const struct field_context *ctx)
{
	enum aggfield_kind kind = aggfield_of(id)->kind;
	const struct field *like = like_field(kind);

	return kind == AGGKIND_NUMBER || kind == AGGKIND_COUNTER ||
	       (like && field_is_number(like, ctx));
}

int aggvalue_width(uint16_t id, const struct field_context *ctx)
{
	const struct aggfield *field = aggfield_of(id);

	switch (field->kind) {
	case AGGKIND_IPV4:
		return ip_print_width(ctx->ip_format, false);
	case AGGKIND_IPV6:
		return ip_print_width(ctx->ip_format, true);
	case AGGKIND_TIME:
		return timestamp_print_width(ctx->timestamp_format | TIMESTAMP_NO_MSEC);
	case AGGKIND_SENSOR:
		return ctx->integer_sensors ? INTEGER_SENSOR_WIDTH
					    : field_width(like_field(field->kind), ctx);
	case AGGKIND_CLASS:
	case AGGKIND_TYPE:
		return field_width(like_field(field->kind), ctx);
	case AGGKIND_FLAGS:
		return ctx->integer_tcp_flags ? INTEGER_FLAGS_WIDTH : field->width;
	default:
		return field->width;
	}
}

static size_t print_text(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len + 1);
	return len;
}

static size_t print_class_or_type(char *out, const struct aggfield *field, uint8_t id,
				  const struct site *site)
{
	const char *name = field->kind == AGGKIND_CLASS ? site_class_name(site, id)
							: site_flowtype_type(site, id);

	if (name) {
		return print_text(out, name);
	}
	return field->kind == AGGKIND_CLASS ? print_text(out, "?") : decimal_print(out, id);
}

static size_t print_like_field(char *out, const struct aggfield *field, uint64_t number,
			       const struct field_context *ctx)
{
	const struct field *like = like_field(field->kind);
	const struct value value = { .u = number };
	const struct field_context names = { .site = ctx->site };

	return like->kind->print(out, &value, like, &names);
}

size_t aggvalue_print(char *out, uint16_t id, const uint8_t *value, const struct field_context *ctx)
{
	const struct aggfield *field = aggfield_of(id);
	uint64_t number = field->octets <= 8 ? agglayout_load(value, field->octets) : 0;

	switch (field->kind) {
	case AGGKIND_IPV4:
		return ip_print(out, ip_from_v4((uint32_t)number), false, ctx->ip_format);
	case AGGKIND_IPV6:
		return ip_print(out, ip_from_bytes(value), true, ctx->ip_format);
	case AGGKIND_TIME:
		return timestamp_print(out, (int64_t)number * NS_PER_S,
				       ctx->timestamp_format | TIMESTAMP_NO_MSEC);
	case AGGKIND_CLASS:
	case AGGKIND_TYPE:
		return print_class_or_type(out, field, (uint8_t)number, ctx->site);
	case AGGKIND_SENSOR:
	case AGGKIND_FLAGS:
	case AGGKIND_ATTRIBUTES:
		return print_like_field(out, field, number, ctx);
	case AGGKIND_COUNTRY:
		country_print(out, (uint32_t)number);
		return strlen(out);
	default:
		return decimal_print(out, number);
	}
}
