/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between tuc.c, which takes lines apart, and tucfield.c, which knows the fields: their names,
 * numbers and how the text of each is parsed.
 */
#ifndef TUSSAH_QUERY_TUCFIELD_H
#define TUSSAH_QUERY_TUCFIELD_H

#include <stddef.h>

#include "common/timestamp.h"
#include "query/tuc.h"

#define TUC_DURATION_MS_MAX UINT32_MAX

/*
 * The text of a column: begin..end-1. Behind its end so many bytes can be read, and the first of
 * them is a NUL for as long as a parser needs one there.
 */
#define TUC_TEXT_SLACK 16
struct tuc_text {
	char *begin;
	char *end;
};

/* A line while it is parsed: the record, and what goes into it only at the end. */
struct tuc_line {
	struct record rec;
	int64_t end_ns;
	int class_id;
	struct tuc_text type;
	uint8_t icmp_type;
	uint8_t icmp_code;
	bool is_v6;
};

/* Short texts of a kind and what they are: columns have few different ones. */
#define TUC_WORDS 64
struct tuc_words {
	uint64_t texts[TUC_WORDS]; /* up to eight characters and 0s; 0: none */
	uint16_t values[TUC_WORDS];
};

/* What parsers remember of the lines before. */
struct tuc_memo {
	const struct site *site;
	struct timestamp_read_memo minutes;
	struct tuc_words flags;
	struct tuc_words attributes;
	struct tuc_words sensors;
};

struct tuc_row {
	const char *name;
	const char *aliases[2];
	int numbers[2]; /* of SiLK's numbering; 0: none */
	int (*parse)(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		     const struct tuc_text *text, struct err *err);
	size_t offset; /* of the member in struct tuc_line */
	uint64_t min;
	uint64_t max;
	size_t words; /* of short texts: where struct tuc_memo has what they are */
	int (*parse_letters)(const char *text, uint8_t *out, struct err *err); /* of bits */
};

extern const struct tuc_row tuc_row_table[TUC_FIELD_COUNT];

/* Put a NUL behind the text; returns what was there, to be put back. */
static inline char tuc_text_cut(const struct tuc_text *text)
{
	char was = *text->end;

	*text->end = '\0';
	return was;
}

/* A column as it is named: sTime and sTime+msec are one field, but fixed one by one. */
struct tuc_named {
	enum tuc_field field;
	bool msec;
};

/* By name or unambiguous prefix of len characters; ST_ENOENT: none, ST_EINVAL: several. */
int tuc_find_name(const char *text, size_t len, struct tuc_named *out);
/* By SiLK's number; ST_ENOENT: none. */
int tuc_find_number(uint64_t number, struct tuc_named *out);

#endif
