/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of text into records: the engine of rwtuc.
 *
 *	struct tuc *tuc = tuc_new(site, '|');
 *	tuc_fix(tuc, TUC_PROTOCOL, false, "6", err);		// for every record
 *	tuc_set_columns(tuc, "sIP,dIP,sTime", err);		// or tuc_read_titles()
 *	if (tuc_parse(tuc, line, now_ns, &rec, err) == ST_OK) ...
 *	tuc_free(tuc);
 *
 * Lines are taken apart in place. Times are cut to milliseconds. Rules between fields are those of
 * silk-flow-files.md section 6 and rwtuc's manual page. Threads: one per tuc.
 */
#ifndef TUSSAH_QUERY_TUC_H
#define TUSSAH_QUERY_TUC_H

#include "common/record.h"
#include "common/site.h"

enum tuc_field {
	TUC_SIP,
	TUC_DIP,
	TUC_SPORT,
	TUC_DPORT,
	TUC_PROTOCOL,
	TUC_PACKETS,
	TUC_BYTES,
	TUC_FLAGS,
	TUC_STIME,
	TUC_DURATION,
	TUC_ETIME,
	TUC_SENSOR,
	TUC_IN,
	TUC_OUT,
	TUC_NHIP,
	TUC_INITIAL_FLAGS,
	TUC_SESSION_FLAGS,
	TUC_ATTRIBUTES,
	TUC_APPLICATION,
	TUC_CLASS,
	TUC_TYPE,
	TUC_ICMP_TYPE,
	TUC_ICMP_CODE,
	TUC_IGNORE,
	TUC_FIELD_COUNT
};

/* "sIP" ... */
const char *tuc_field_name(enum tuc_field field);

struct tuc;

/* site is kept. */
struct tuc *tuc_new(const struct site *site, char separator);
void tuc_free(struct tuc *tuc);

/*
 * Give the field this value in every record; a column of it is skipped. msec: the switch was of the
 * +msec kind; as in SiLK it rules columns of that kind only, and the others rule the other columns:
 * else the column comes first. text is kept. An end that is wrong is told with the columns, unless
 * they tell of start and duration, as nothing looks at it then.
 */
int tuc_fix(struct tuc *tuc, enum tuc_field field, bool msec, const char *text, struct err *err);

/* Do fixed class and type name a flow type of the site? Returns ST_OK or ST_EINVAL. */
int tuc_check_fixed(const struct tuc *tuc, struct err *err);

/*
 * Say which columns the lines have: names, their unambiguous prefixes, numbers and ranges of
 * numbers. Also checks that fields which need each other are all there.
 * Returns ST_OK; ST_EINVAL: the list is wrong; ST_ENOENT: it lacks a field that another needs, or
 * a fixed value is wrong.
 */
int tuc_set_columns(struct tuc *tuc, const char *list, struct err *err);
/* The same from a line of titles, which is taken apart. */
int tuc_read_titles(struct tuc *tuc, char *line, struct err *err);

/* Has the line the name of a field where a value should be? It is not changed. */
bool tuc_is_title(const struct tuc *tuc, const char *line);

/* Have records no time of their own, so that now_ns is theirs? */
bool tuc_wants_now(const struct tuc *tuc);

/*
 * Parse a line, which is taken apart, into *rec. now_ns is the start of records that are given
 * none. Returns ST_OK, or ST_EINVAL with the reason.
 */
int tuc_parse(struct tuc *tuc, char *line, int64_t now_ns, struct record *rec, struct err *err);

#endif
