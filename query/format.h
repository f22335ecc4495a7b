/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The switches that say how values look: --timestamp-format, --ip-format and their old spellings,
 * --integer-sensors, --integer-tcp-flags; of several that say the same thing the last one wins.
 *
 *	OPT_GROUP(struct cut_opts, format, format_msec_opt_table),
 *	...
 *	format_context(&opts->format, site, &style, &ctx);
 */
#ifndef TUSSAH_QUERY_FORMAT_H
#define TUSSAH_QUERY_FORMAT_H

#include "common/field.h"
#include "common/opt.h"
#include "common/text.h"

struct format_choice {
	bool given;
	unsigned value;
};

struct format_opts {
	struct format_choice timestamp;
	struct format_choice ip;
	bool integer_sensors;
	bool integer_tcp_flags;
};

extern const struct opt format_opt_table[];         /* times without no-msec: rwuniq, rwstats */
extern const struct opt format_msec_opt_table[];    /* times with no-msec: rwcut */
extern const struct opt format_ip_opt_table[];      /* no times, no flags: rwsetcat */
extern const struct opt format_ip_time_opt_table[]; /* addresses and times: rwaddrcount */
extern const struct opt format_times_opt_table[];   /* --timestamp-format alone: rwsiteinfo */
extern const struct opt format_slots_opt_table[];   /* times only, with --epoch-slots: rwcount */

/*
 * Fill ctx from the switches, else from $SILK_TIMESTAMP_FORMAT and $SILK_IP_FORMAT (a wrong value
 * there is warned of and ignored); JSON has ISO 8601 where neither says anything. site is kept by
 * ctx. no_msec: whether the tool knows it.
 */
void format_context(const struct format_opts *opts, bool no_msec, const struct site *site,
		    const struct text_style *style, struct field_context *ctx);

/* The format of times alone, by the same rules, where the tool does not know no-msec. */
unsigned format_timestamp(const struct format_opts *opts, const struct text_style *style);

/* The format of addresses alone, by the same rules. */
unsigned format_ip(const struct format_opts *opts);

/* --help-fields: name, meaning and aliases of every field that flags (enum field_list_flags) let
 * through. */
void format_help_fields(unsigned flags);

#endif
