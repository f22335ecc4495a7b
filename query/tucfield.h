/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between tuc.c, which takes lines apart, and tucfield.c, which knows the fields: their names,
 * numbers and how the text of each is parsed.
 */
#ifndef TUSSAH_QUERY_TUCFIELD_H
#define TUSSAH_QUERY_TUCFIELD_H

#include <stddef.h>

#include "query/tuc.h"

#define TUC_DURATION_MS_MAX UINT32_MAX

/* A line while it is parsed: the record, and what goes into it only at the end. */
struct tuc_line {
	struct record rec;
	int64_t end_ns;
	int class_id;
	const char *type;
	uint8_t icmp_type;
	uint8_t icmp_code;
	bool is_v6;
};

struct tuc_row {
	const char *name;
	const char *aliases[2];
	int numbers[2]; /* of SiLK's numbering; 0: none */
	int (*parse)(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		     const char *text, struct err *err);
	size_t offset; /* of the member in struct tuc_line */
	uint64_t min;
	uint64_t max;
};

extern const struct tuc_row tuc_row_table[TUC_FIELD_COUNT];

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
