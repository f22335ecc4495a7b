/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What rwuniq and rwstats share around the grouping engine: the switches that name key fields and
 * values, the columns that show them, and the cells of a bin.
 *
 *	bins_init(&bins, &opts->made, env, &opts->site);
 *	bins_set_fields(&bins, "sIP,proto", err);
 *	bins_add_values(&bins, "bytes,distinct:dip", err);
 *	bins_start(&bins, ..., err);			// the columns are in bins.text
 *	... group_add(bins.group, batch, err) ...
 *	bins_print_key(&bins, &bin); bins_print_values(&bins, &bin);
 *	bins_release(&bins);
 */
#ifndef TUSSAH_QUERY_BINS_H
#define TUSSAH_QUERY_BINS_H

#include <glib.h>

#include "common/text.h"
#include "query/format.h"
#include "query/group.h"
#include "query/madefields.h"
#include "query/sampling.h"
#include "query/source.h"

/* --bin-time[=SECONDS] */
struct bin_time {
	int64_t bin_ns; /* 0: not given */
};
int bin_time_parse(const struct opt *opt, const char *text, void *dest, struct err *err);

/* What a value is divided by. */
enum bin_divisor { BIN_WHOLE, BIN_PER_SECOND, BIN_PER_PACKET };

/* A value column. */
struct bin_value {
	struct group_value value;
	char *title;
	bool made; /* of one of SiLK's plug-ins: neither thresholds nor parts of a total */
	enum bin_divisor divisor;
	size_t divisor_at; /* place of the value that it is divided by */
	bool hidden;       /* not a column; others are divided by it */
	bool limited;      /* by a threshold */
	bool settled;      /* there must be no threshold any more */
	uint64_t min, max;
};

/* Bits of IPv4 addresses that are kept; 0: all. */
struct bins_mask {
	unsigned sip_bits;
	unsigned dip_bits;
};

struct bins {
	struct extfields *ext;
	struct madefields *made;
	struct labelling *labelling;
	const struct field **fields;
	size_t field_count;
	GArray *values; /* struct bin_value */
	struct field_context ctx;
	bool force_ipv6; /* mapped addresses are not shown as IPv4 */
	int protocol_at; /* place of the protocol in the key, or -1: decides whether ICMP is blank
			  */
	int dport_at;    /* places of others, or -1 */
	int itype_at;
	int icode_at;
	int64_t shift_ns; /* 0, or records are moved to bins of this, as the key has times: */
	bool shift_start;
	bool shift_end;
	struct bins_mask mask;
	bool want_total;     /* count the first value over all records, too: bins_total() */
	struct group *total; /* one bin of all records */
	uint64_t zero_ns;    /* stands for a duration of 0 in rates */
	uint64_t records;    /* read */
	unsigned threads;    /* that read */
	struct group *group;
	struct text *text;
	bool no_marks; /* what is not known is left out, not marked */
};

void bins_init(struct bins *bins, const struct madefield_opts *made, struct tool_env *env,
	       const struct site_opts *site);
void bins_release(struct bins *bins);

int bins_set_fields(struct bins *bins, const char *list, struct err *err);

/* Names from --values; repeats are errors. times: sTime-Earliest and eTime-Latest are known. */
int bins_add_values(struct bins *bins, const char *list, bool times, struct err *err);

/* One value by its name, added unless it is there already. Returned: its index, or -1. */
int bins_want_value(struct bins *bins, const char *name, bool times, struct err *err);

/* The same, and no threshold may be set for it afterwards. */
int bins_settle_value(struct bins *bins, const char *name, struct err *err);

/* "NAME=MIN", "NAME=MIN-MAX": add the value unless there, and limit it. */
int bins_add_threshold(struct bins *bins, const char *text, struct err *err);

/* Least bound on memory. */
#define BINS_MEMORY_MIN (UINT64_C(1) << 20)

struct bins_start_opts {
	struct tool_env *env;
	const struct format_opts *format;
	const struct text_opts *text;
	const struct output_opts *output;
	const struct source_opts *source;
	const struct site_opts *site;
	const struct sampling_opts *sampling;
	struct bin_time bin_time;
	bool presorted;        /* as struct group_spec has it */
	bool in_order;         /* and this */
	unsigned threads;      /* at most */
	uint64_t memory_bytes; /* 0: not given */
	const char *temp_dir;  /* NULL: $SILK_TMPDIR, $TMPDIR or /tmp */
};

/* All switches are known: make group, context and text with a column for each key and value. */
int bins_start(struct bins *bins, const struct bins_start_opts *opts, struct err *err);

/* Is there one input, which may be taken as it comes? */
bool bins_has_one_input(const struct source_opts *source, int argc);

/* Read everything into bins->group. Returns an enum tool_exit. */
int bins_read(struct bins *bins, const struct bins_start_opts *opts, int argc, char **argv);

/* The first value over all records; needs want_total, once all are read. */
uint64_t bins_total(struct bins *bins);

/* The value as a number to compare by: of ratios another one, which ascends with them. */
uint64_t bins_rank(const struct bins *bins, const struct group_bin *bin, size_t i);

/* Within all thresholds? */
bool bins_passes(const struct bins *bins, const struct group_bin *bin);

/* The cells of a bin, without the end of the row. */
void bins_print_key(struct bins *bins, const struct group_bin *bin);
void bins_print_values(struct bins *bins, const struct group_bin *bin);

/* Nothing more is read: titles and the rows of all bins that pass, sorted by key or as they came.
 * ST_OK, or ST_EIO of temporary files. */
int bins_print(struct bins *bins, bool sorted, struct err *err);

/* The folder for temporary files: $SILK_TMPDIR, $TMPDIR or /tmp, whether or not there is one. As in
 * SiLK a variable that is set counts, even if it is empty, and no folder has that name. */
const char *bins_default_temp_dir(void);
/* For tools with --temp-directory: that, or the one above. The tool ends if there is none. */
const char *bins_temp_dir(const char *option);

#endif
