/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/bagkey.h"

#include "common/text.h"
#include "common/timestamp.h"
#include "storage/country.h"

#include <glib.h>
#include <string.h>

#define SECONDS(number) ((int64_t)(number)*NS_PER_S)

/* --- switches --- */

/* The names that bags have for formats of time; the others are those of records. */
static const struct {
	const char *name;
	const char *known;
} time_names[] = {
	{ "timestamp", "default" },
	{ "iso-time", "iso" },
	{ "localtime", "local" },
};

static int parse_time_format(const char *text, unsigned *out)
{
	char **parts = g_strsplit(text, ",", -1);
	char *known;
	int status;

	for (char **part = parts; *part; part++) {
		for (size_t i = 0; i < G_N_ELEMENTS(time_names); i++) {
			if (**part && g_str_has_prefix(time_names[i].name, *part)) {
				g_free(*part);
				*part = g_strdup(time_names[i].known);
				break;
			}
		}
	}
	known = g_strjoinv(",", parts);
	status = timestamp_format_parse(known, out, NULL);
	g_free(known);
	g_strfreev(parts);
	return status;
}

/* As addresses or numbers are shown, unless the text names times. */
static int parse_format(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct bagkey_format *format = dest;
	unsigned value;
	int status = ip_format_parse(text, &value, err);

	if (format->text) {
		return err_set(err, ST_EINVAL, "May only specify one IP format");
	}
	if (status == ST_OK) {
		*format = (struct bagkey_format){
			.text = text,
			.base_given = strstr(text, "canonical") || (value & IP_BASE_MASK),
			.ip_format = value,
		};
		return ST_OK;
	}
	if (parse_time_format(text, &value) != ST_OK || value & TIMESTAMP_NO_MSEC) {
		return status;
	}
	*format = (struct bagkey_format){
		.text = text,
		.is_time = true,
		.timestamp_format = value,
	};
	return ST_OK;
}

/* The old switches add to each other. */
static int add_format(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct bagkey_format *format = dest;

	format->text = format->text ? format->text : opt->name;
	format->is_time = false;
	format->ip_format |= (unsigned)opt->tag;
	format->base_given = format->base_given || (opt->tag & IP_BASE_MASK);
	return ST_OK;
}

const struct opt bagkey_opt_table[] = {
	OPT_CALL(struct bagkey_format, text, "key-format", 0, "FORMAT", parse_format, 0,
		 "print keys so: decimal, hexadecimal, canonical, zero-padded, epoch, timestamp"),
	OPT_CALL(struct bagkey_format, text, "integer-keys", 0, NULL, add_format, OPT_ARG_NONE,
		 "as --key-format=decimal", .tag = IP_DECIMAL),
	OPT_CALL(struct bagkey_format, text, "zero-pad-ips", 0, NULL, add_format, OPT_ARG_NONE,
		 "as --key-format=zero-padded", .tag = IP_ZERO_PADDED),
	OPT_END,
};

/* --- setting up --- */

static int nonsensical(const struct bagkey_format *format, const struct bag *bag, struct err *err)
{
	return err_set(err, ST_EINVAL,
		       "Invalid key-format '%s': Nonsensical for Bag containing %s keys",
		       format->text, bagtype_name(bag_key_type(bag)));
}

/* Is the format one that numbers can have: a base and padding? */
static bool fits_numbers(const struct bagkey_format *format)
{
	unsigned base = format->ip_format & IP_BASE_MASK;

	if (format->is_time || format->ip_format & (IP_MAP_V4 | IP_UNMAP_V6)) {
		return false;
	}
	return !format->base_given || base == IP_DECIMAL || base == IP_HEXADECIMAL;
}

static int apply_format(struct bagkey *key, const struct bagkey_format *format,
			const struct bag *bag, struct err *err)
{
	switch (key->kind) {
	case BAGKIND_CUSTOM:
		key->kind = format->is_time ? BAGKIND_TIME : BAGKIND_IP;
		break;
	case BAGKIND_IP:
		if (format->is_time) {
			return nonsensical(format, bag, err);
		}
		break;
	case BAGKIND_TIME:
		if (!format->is_time) {
			return nonsensical(format, bag, err);
		}
		break;
	case BAGKIND_NUMBER:
	case BAGKIND_FLAGS:
	case BAGKIND_ATTRIBUTES:
	case BAGKIND_SENSOR:
		if (!fits_numbers(format)) {
			return nonsensical(format, bag, err);
		}
		key->kind = BAGKIND_NUMBER;
		break;
	case BAGKIND_COUNTRY:
	case BAGKIND_IP_PMAP:
	case BAGKIND_PORT_PMAP:
		return nonsensical(format, bag, err);
	}
	key->ip_format = format->ip_format;
	key->ctx.timestamp_format = format->timestamp_format;
	return ST_OK;
}

static int check_map(const struct bagkey *key, const struct bag *bag, struct err *err)
{
	const char *type = bagtype_name(bag_key_type(bag));

	if (key->kind != BAGKIND_IP_PMAP && key->kind != BAGKIND_PORT_PMAP) {
		return ST_OK;
	}
	if (!key->map) {
		return err_set(err, ST_EINVAL,
			       "The --pmap-file switch is required for Bags containing %s keys",
			       type);
	}
	if ((pmap_kind(key->map) == PMAP_PROTO_PORT) != (key->kind == BAGKIND_PORT_PMAP)) {
		return err_set(
			err, ST_EINVAL, "Cannot use %s prefix map for Bag containing %s keys",
			pmap_kind(key->map) == PMAP_PROTO_PORT ? "proto-port" : "address", type);
	}
	return ST_OK;
}

/* The field of flow records that is shown as these keys are. */
static const struct field *field_of(enum bagtype_kind kind)
{
	const char *name = kind == BAGKIND_SENSOR       ? "sensor"
			   : kind == BAGKIND_FLAGS      ? "flags"
			   : kind == BAGKIND_ATTRIBUTES ? "attributes"
							: NULL;

	return name ? field_find(name, NULL) : NULL;
}

int bagkey_init(struct bagkey *key, const struct bagkey_format *format, const struct bag *bag,
		const struct site *site, const struct pmap *map, struct err *err)
{
	int status = ST_OK;

	*key = (struct bagkey){
		.kind = bagtype_kind(bag_key_type(bag)),
		.wide = bag_is_wide(bag),
		.ctx = { .site = site },
		.map = map,
	};
	if (format->text) {
		status = apply_format(key, format, bag, err);
	} else if (key->kind == BAGKIND_CUSTOM) {
		key->kind = BAGKIND_IP;
	}
	key->ctx.timestamp_format |= TIMESTAMP_NO_MSEC;
	if (key->kind == BAGKIND_NUMBER && (key->ip_format & IP_BASE_MASK) == IP_CANONICAL) {
		key->ip_format |= IP_DECIMAL;
	}
	key->field = field_of(key->kind);
	return status == ST_OK ? check_map(key, bag, err) : status;
}

/* --- printing --- */

int bagkey_width(const struct bagkey *key)
{
	switch (key->kind) {
	case BAGKIND_CUSTOM:
	case BAGKIND_IP:
		return ip_print_width(key->ip_format, key->wide);
	case BAGKIND_NUMBER:
		return ip_print_width(key->ip_format, false);
	case BAGKIND_TIME:
		return timestamp_print_width(key->ctx.timestamp_format);
	case BAGKIND_COUNTRY:
		return COUNTRY_TEXT_MAX - 1;
	case BAGKIND_IP_PMAP:
	case BAGKIND_PORT_PMAP:
		return (int)pmap_word_bytes_max(key->map);
	default:
		return field_width(key->field, &key->ctx);
	}
}

bool bagkey_is_shown(const struct bagkey *key, struct ip ip)
{
	return key->kind == BAGKIND_IP || ip_is_mapped(ip);
}

static size_t print_map(const struct bagkey *key, char *out, uint32_t value)
{
	char digits[PMAP_TEXT_MAX];
	const char *text = pmap_text(key->map, value, digits);
	size_t len = MIN(strlen(text), (size_t)TEXT_CELL_MAX);

	memcpy(out, text, len);
	return len;
}

static size_t print_field(const struct bagkey *key, char *out, uint32_t number)
{
	/* keys are 32 bits, flags and attributes the last 8 of them */
	struct value value = { .u = key->kind == BAGKIND_SENSOR ? (uint16_t)number
								: (uint8_t)number };

	return key->field->kind->print(out, &value, key->field, &key->ctx);
}

bool bagkey_is_number(const struct bagkey *key)
{
	return (key->kind == BAGKIND_NUMBER && key->ip_format == IP_DECIMAL) ||
	       (key->kind == BAGKIND_TIME && timestamp_is_number(key->ctx.timestamp_format));
}

size_t bagkey_print(const struct bagkey *key, char *out, struct ip ip)
{
	switch (key->kind) {
	case BAGKIND_CUSTOM:
	case BAGKIND_IP:
		return ip_print(out, ip, key->wide, key->ip_format);
	case BAGKIND_NUMBER:
		return ip_print(out, ip, key->wide && !ip_is_mapped(ip), key->ip_format);
	case BAGKIND_TIME:
		return timestamp_print(out, SECONDS(ip_to_v4(ip)), key->ctx.timestamp_format);
	case BAGKIND_COUNTRY:
		country_print(out, ip_to_v4(ip));
		return strlen(out);
	case BAGKIND_IP_PMAP:
	case BAGKIND_PORT_PMAP:
		return print_map(key, out, ip_to_v4(ip));
	default:
		return print_field(key, out, ip_to_v4(ip));
	}
}
