/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/format.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "common/extfield.h"
#include "common/timestamp.h"
#include "query/tool.h"

/* Which of the switches may ask for whole seconds. */
enum { WITHOUT_NO_MSEC, WITH_NO_MSEC };

static int parse_timestamp_format(const char *text, bool no_msec, unsigned *out, struct err *err)
{
	int status = timestamp_format_parse(text, out, err);

	if (status == ST_OK && !no_msec && *out & TIMESTAMP_NO_MSEC) {
		return err_set(err, ST_EINVAL, "No match was found for the field 'no-msec'");
	}
	return status;
}

static int parse_timestamp(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct format_choice *choice = dest;

	choice->given = true;
	return parse_timestamp_format(text, opt->tag == WITH_NO_MSEC, &choice->value, err);
}

static int parse_epoch(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	*(struct format_choice *)dest = (struct format_choice){ true, TIMESTAMP_EPOCH };
	return ST_OK;
}

/* Without argument, or with one that begins with 1; any other is the default, whatever was asked before. */
static int parse_legacy(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct format_choice *choice = dest;

	*choice = (struct format_choice){ true, TIMESTAMP_DEFAULT };
	if (!text || !*text || *text == '1') {
		choice->value = TIMESTAMP_MDY;
		if (opt->tag == WITH_NO_MSEC) {
			choice->value |= TIMESTAMP_NO_MSEC;
		}
	}
	return ST_OK;
}

static int parse_ip(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct format_choice *choice = dest;

	choice->given = true;
	return ip_format_parse(text, &choice->value, err);
}

static int set_ip(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	*(struct format_choice *)dest = (struct format_choice){ true, (unsigned)opt->tag };
	return ST_OK;
}

#define EPOCH_ROW(name_)                                                                           \
	OPT_CALL(struct format_opts, timestamp, name_, 0, NULL, parse_epoch, OPT_ARG_NONE,         \
		 "as --timestamp-format=epoch")

#define FORMAT_ROW(tag_)                                                                           \
	OPT_CALL(struct format_opts, timestamp, "timestamp-format", 0, "FORMAT", parse_timestamp,  \
		 0, "print times so: default, iso, m/d/y, epoch; utc, local", .tag = tag_)

#define TIME_ROWS(tag_)                                                                            \
	FORMAT_ROW(tag_), OPT_CALL(struct format_opts, timestamp, "legacy-timestamps", 0, "0|1",   \
				   parse_legacy, OPT_ARG_OPTIONAL,                                 \
				   "print times as month/day/year", .tag = tag_)

#define IP_ROWS                                                                                    \
	OPT_CALL(struct format_opts, ip, "ip-format", 0, "FORMAT", parse_ip, 0,                    \
		 "print addresses so: canonical, no-mixed, decimal, hexadecimal, zero-padded"),    \
		OPT_CALL(struct format_opts, ip, "integer-ips", 0, NULL, set_ip, OPT_ARG_NONE,     \
			 "as --ip-format=decimal", .tag = IP_DECIMAL),                             \
		OPT_CALL(struct format_opts, ip, "zero-pad-ips", 0, NULL, set_ip, OPT_ARG_NONE,    \
			 "as --ip-format=zero-padded", .tag = IP_ZERO_PADDED)

#define OTHER_ROWS                                                                                 \
	IP_ROWS,                                                                                   \
		OPT_FLAG(struct format_opts, integer_sensors, "integer-sensors", 0,                \
			 "print sensors as numbers"),                                              \
		OPT_FLAG(struct format_opts, integer_tcp_flags, "integer-tcp-flags", 0,            \
			 "print TCP flags as numbers")

const struct opt format_opt_table[] = { TIME_ROWS(WITHOUT_NO_MSEC), EPOCH_ROW("epoch-time"),
					OTHER_ROWS, OPT_END };
const struct opt format_msec_opt_table[] = { TIME_ROWS(WITH_NO_MSEC), EPOCH_ROW("epoch-time"),
					     OTHER_ROWS, OPT_END };
const struct opt format_ip_opt_table[] = { IP_ROWS, OPT_END };
const struct opt format_ip_time_opt_table[] = { TIME_ROWS(WITHOUT_NO_MSEC), IP_ROWS, OPT_END };
const struct opt format_times_opt_table[] = { FORMAT_ROW(WITHOUT_NO_MSEC), OPT_END };
const struct opt format_slots_opt_table[] = { TIME_ROWS(WITHOUT_NO_MSEC), EPOCH_ROW("epoch-slots"),
					      OPT_END };

unsigned format_ip(const struct format_opts *opts)
{
	const char *text = tool_getenv("SILK_IP_FORMAT");
	unsigned format = IP_CANONICAL;
	struct err err;

	if (opts->ip.given) {
		return opts->ip.value;
	}
	if (text && ip_format_parse(text, &format, &err) != ST_OK) {
		tool_warn("invalid SILK_IP_FORMAT: %s", err.text);
		format = IP_CANONICAL;
	}
	return format;
}

static unsigned choose_timestamp(const struct format_opts *opts, bool no_msec, bool json)
{
	const char *text = tool_getenv("SILK_TIMESTAMP_FORMAT");
	unsigned format = opts->timestamp.value;
	struct err err;

	/* nobody says otherwise, and readers of JSON know one form of times */
	if (!opts->timestamp.given && !text && json) {
		return TIMESTAMP_ISO_8601;
	}
	/* one environment for all programs: no-msec stands there for those that know it */
	if (!opts->timestamp.given && text &&
	    parse_timestamp_format(text, true, &format, &err) != ST_OK) {
		tool_warn("invalid SILK_TIMESTAMP_FORMAT: %s", err.text);
		format = TIMESTAMP_DEFAULT;
	}
	return no_msec ? format : format & ~(unsigned)TIMESTAMP_NO_MSEC;
}

unsigned format_timestamp(const struct format_opts *opts, const struct text_style *style)
{
	return choose_timestamp(opts, false, style->form == TEXT_JSON);
}

void format_context(const struct format_opts *opts, bool no_msec, const struct site *site,
		    const struct text_style *style, struct field_context *ctx)
{
	*ctx = (struct field_context){
		.site = site,
		.timestamp_format = choose_timestamp(opts, no_msec, style->form == TEXT_JSON),
		.integer_sensors = opts->integer_sensors,
		.integer_tcp_flags = opts->integer_tcp_flags,
		.padded_flags = style->form == TEXT_COLUMNS,
		.separator = style->form <= TEXT_DELIMITED ? style->separator : '\0',
	};
	ctx->ip_format = format_ip(opts);
}

void format_help_fields(unsigned flags)
{
	for (size_t i = 0; i < field_table_count; i++) {
		const struct field *field = &field_table[i];
		const char *before = "; also ";

		if (flags & FIELD_LIST_NO_DEPRECATED && field->flags & FIELD_DEPRECATED) {
			continue;
		}
		printf("%-14s %s", field->name, field->help);
		for (size_t k = 0; k < G_N_ELEMENTS(field->aliases) && field->aliases[k]; k++) {
			printf("%s%s", before, field->aliases[k]);
			before = ", ";
		}
		putchar('\n');
	}
	for (size_t i = 0; i < extfield_label_count; i++) {
		printf("%-14s %s\n", extfield_labels[i].name, extfield_labels[i].help);
	}
	puts("and every information element by its name, as PEN/NUMBER or as ieNUMBER");
}
