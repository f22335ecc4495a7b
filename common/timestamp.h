/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points in time: int64 nanoseconds since 1970-01-01 UTC. */
#ifndef TUSSAH_COMMON_TIMESTAMP_H
#define TUSSAH_COMMON_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define NS_PER_US   INT64_C(1000)
#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_S    INT64_C(1000000000)
#define NS_PER_HOUR (INT64_C(3600) * NS_PER_S)

/* The last whole unit at or before ns, which may be before 1970. */
static inline int64_t timestamp_floor(int64_t ns, int64_t unit_ns)
{
	int64_t rest = ns % unit_ns;

	return ns - (rest < 0 ? rest + unit_ns : rest);
}

/* SiLK's --timestamp-format: one base form, a zone, and modifiers. */
enum timestamp_format {
	TIMESTAMP_DEFAULT = 0,  /* 2009/02/12T00:00:00.123 */
	TIMESTAMP_ISO = 1,      /* 2009-02-12 00:00:00.123 */
	TIMESTAMP_MDY = 2,      /* 02/12/2009 00:00:00.123 */
	TIMESTAMP_EPOCH = 3,    /* 1234396800.123 */
	TIMESTAMP_ISO_8601 = 4, /* 2009-02-12T00:00:00.123Z, ours */
	TIMESTAMP_BASE_MASK = 0x0f,
	TIMESTAMP_LOCAL = 0x100,   /* local zone instead of UTC */
	TIMESTAMP_NO_MSEC = 0x200, /* whole seconds */
	TIMESTAMP_MICRO = 0x400,   /* six digits, ours */
	TIMESTAMP_NANO = 0x800,    /* nine digits, ours */
};

enum timestamp_precision {
	TIMESTAMP_TO_DAY,
	TIMESTAMP_TO_HOUR,
	TIMESTAMP_TO_MINUTE,
	TIMESTAMP_TO_SECOND,
	TIMESTAMP_TO_FRACTION,
	TIMESTAMP_TO_EPOCH, /* given as whole seconds since the epoch */
};

#define TIMESTAMP_TEXT_MAX 40

/*
 * Parse YYYY/MM/DD[:HH[:MM[:SS[.frac]]]] (T may stand for the first colon), the same as ISO 8601
 * writes it (2009-02-12T13:14:15.6Z, also with a blank for the T), or seconds since the epoch
 * [.frac]. Years are 1970 to 2039; a number is seconds if it has nine digits or more. Digits after
 * the ninth of a fraction are dropped. local: the text is in the local zone. *precision (may be
 * NULL) tells how much was given. Returns ST_OK or ST_EINVAL with SiLK's words for the reason
 * (which part is out of range); *out_ns is then untouched.
 */
int timestamp_parse(const char *text, bool local, int64_t *out_ns,
		    enum timestamp_precision *precision, struct err *err);

/* Minutes that were read, for tables, whose times are near each other. Zeroed at first. */
#define TIMESTAMP_READ_MINUTES 16
struct timestamp_read_memo {
	struct {
		uint64_t text[2]; /* up to the minute; 0: none */
		int64_t start_ns;
	} at[TIMESTAMP_READ_MINUTES];
};
#define TIMESTAMP_USUAL_LENGTH 23
#define TIMESTAMP_USUAL_SLACK  1
/*
 * 2009/02/12T13:14:15.678, as all tools print it, in UTC: TIMESTAMP_USUAL_LENGTH characters, with
 * TIMESTAMP_USUAL_SLACK more to be read. false: it is another form, or something is wrong with it.
 */
bool timestamp_read_usual(struct timestamp_read_memo *memo, const char *text, int64_t *out_ns);

/*
 * Last nanosecond of the day, hour, minute or second (TIMESTAMP_TO_EPOCH too) that starts at ns. Of
 * a fraction: the last one of its millisecond, or ns itself when it is finer than that.
 */
int64_t timestamp_ceiling(int64_t ns, enum timestamp_precision precision);

/*
 * A range START[-END] as SiLK's --stime has it: both ends inclusive; END covers all of its day,
 * hour, minute or second; without END the range is the one millisecond at START. For other rules
 * (--start-date) use timestamp_parse() and timestamp_ceiling().
 */
int timestamp_parse_range(const char *text, bool local, int64_t *first_ns, int64_t *last_ns,
			  struct err *err);

/* Writes NUL-terminated text into out (TIMESTAMP_TEXT_MAX bytes), returns its length. Fractions
 * are cut, not rounded. Fast: days are converted by arithmetic; safe in hot paths. */
size_t timestamp_print(char *out, int64_t ns, unsigned format);

/* Minutes that were printed, for tables, whose times are near each other. Zeroed at first. */
#define TIMESTAMP_MEMO_MINUTES 8
#define TIMESTAMP_MINUTE_CHARS 17 /* up to the seconds */
struct timestamp_memo {
	struct timestamp_minute {
		int64_t minute; /* since the epoch */
		unsigned format;
		char text[TIMESTAMP_MINUTE_CHARS];
		bool known;
	} at[TIMESTAMP_MEMO_MINUTES];
};
/* As timestamp_print(). memo NULL: nothing is remembered. */
size_t timestamp_print_near(struct timestamp_memo *memo, char *out, int64_t ns, unsigned format);
int timestamp_print_width(unsigned format);
/* Is what is printed a number: seconds since the epoch? */
static inline bool timestamp_is_number(unsigned format)
{
	return (format & TIMESTAMP_BASE_MASK) == TIMESTAMP_EPOCH;
}
/* Names as of --timestamp-format: SiLK's and ours, rfc3339, frac-micro, frac-nano. */
int timestamp_format_parse(const char *text, unsigned *format, struct err *err);

#endif
