/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of text into records: the engine of rwtuc. tuclines.h gives it the lines.
 *
 *	struct tuc *tuc = tuc_new(site, '|');
 *	tuc_fix(tuc, TUC_PROTOCOL, false, "6", err);		// for every record
 *	tuc_set_columns(tuc, "sIP,dIP,sTime", err);		// or tuc_read_titles()
 *	lines = tuclines_new(tuc);
 *	...
 *	tuc_free(tuc);
 *
 * Times are cut to milliseconds. Rules between fields are those of silk-flow-files.md section 6 and
 * rwtuc's manual page. Threads: any number parse, with a memo each.
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
 * else the column comes first. text is kept for messages. An end that is wrong is told with the columns, unless
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
/* The same from a line of titles. */
int tuc_read_titles(struct tuc *tuc, const char *line, struct err *err);

char tuc_separator(const struct tuc *tuc);

/* Has the line the name of a field where a value should be? */
bool tuc_is_title(const struct tuc *tuc, const char *line);

/* Have records no time of their own, so that now_ns is theirs? */
bool tuc_wants_now(const struct tuc *tuc);

/* What parsing remembers of the lines before, so that it is faster; kept is tuc. */
struct tuc_memo;
struct tuc_memo *tuc_memo_new(const struct tuc *tuc);
void tuc_memo_free(struct tuc_memo *memo);

/*
 * Parse the line of a text that *mark, one of the text's (tucmarks.h), is the first mark of, into
 * line->rec; *mark goes on to its end or, of a bad line, to any mark of it. The text is as it was
 * afterwards. now_ns is the start of records that are given none. Returns ST_OK, or ST_EINVAL with
 * the reason.
 */
struct tuc_line;
int tuc_parse(const struct tuc *tuc, struct tuc_memo *memo, char *text, const uint32_t **mark,
	      int64_t now_ns, struct tuc_line *line, struct err *err);

#endif
