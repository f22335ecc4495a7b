/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The field table: one row per thing that users name in --fields. Everything that names a field
 * reads it: columns of rwcut, sort and group keys, JSON and CSV names, manual pages.
 *
 * A row says where the value comes from (columns of the batch, load) and of which kind it is; the
 * kind table says how values of that kind are printed, parsed, made into sort keys and back.
 *
 *	const struct field *f = field_find("sIP", &err);
 *	struct value v;
 *	f->load(batch, row, ctx, &v);
 *	len = f->kind->print(out, &v, f, ctx);
 */
#ifndef TUSSAH_COMMON_FIELD_H
#define TUSSAH_COMMON_FIELD_H

#include "common/batch.h"
#include "common/site.h"

/* One value of any kind. */
struct value {
	union {
		uint64_t u;
		int64_t ns;
		struct ip ip;
	};
	bool is_v6; /* addresses */
};

/* How values become text; set up once per run from the output switches. */
struct field_context {
	const struct site *site; /* may be NULL: ids instead of names */
	unsigned ip_format;
	unsigned timestamp_format;
	bool integer_sensors;
	bool integer_tcp_flags;
	bool padded_flags;       /* columnar output: flag letters in their places */
	bool icmp_type_and_code; /* rwcut --icmp-type-and-code */
};

struct field;

#define VALUE_TEXT_MAX 128
#define VALUE_KEY_MAX  17

struct value_kind {
	const char *name;
	/* Write NUL-terminated text (VALUE_TEXT_MAX bytes), return its length. */
	size_t (*print)(char *out, const struct value *value, const struct field *field,
			const struct field_context *ctx);
	/* Key: key_size bytes whose memcmp() order is the order of the values, and back. */
	size_t key_size;
	void (*key)(uint8_t *out, const struct value *value);
	void (*from_key)(struct value *value, const uint8_t *key);
	bool json_number; /* printed without quotes in JSON */
};

enum field_role {
	FIELD_ROLE_KEY, /* describes the flow */
	FIELD_ROLE_SUM, /* volume: adds up */
	FIELD_ROLE_TIME,
};

struct field {
	const char *name;       /* "sIP", also the column title */
	const char *aliases[4]; /* "1" (SiLK's number) and others */
	const struct value_kind *kind;
	enum field_role role;
	uint32_t ie_pen; /* IPFIX: enterprise (0 IANA) and element; 0/0 none */
	uint16_t ie_id;
	uint32_t columns; /* COLUMN_BITs that load reads */
	void (*load)(const struct batch *batch, uint32_t row, const struct field_context *ctx,
		     struct value *out);
	int width; /* column width, 0: asks the kind by context */
	const char *help;
};

extern const struct field field_table[];
extern const size_t field_table_count;

/* By name, alias, SiLK number or unambiguous prefix, any case. NULL with the reason in err. */
const struct field *field_find(const char *name, struct err *err);

/*
 * "sIP,dIP,3-5": names and ranges of numbers, in order. Repeats are an error unless allowed.
 * *out: g_free(); *count fields.
 */
int field_parse_list(const char *text, bool allow_repeats, const struct field ***out, size_t *count,
		     struct err *err);

/* Width of the column in this context. */
int field_width(const struct field *field, const struct field_context *ctx);

#endif
