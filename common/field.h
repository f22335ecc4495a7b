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
#include "common/timestamp.h"

/* One value of any kind. */
struct value {
	union {
		uint64_t u;
		int64_t ns;
		struct ip ip;
		struct batch_bytes bytes; /* of extension columns */
	};
	uint8_t ie_type; /* enum ie_type of a value of an extension column */
	bool is_v6;      /* addresses */
	bool blank;      /* nothing to print: an ICMP type of what is not ICMP */
};

/* How values become text; set up once per run from the output switches. */
struct field_context {
	const struct site *site; /* may be NULL: ids instead of names */
	unsigned ip_format;
	unsigned timestamp_format;
	struct timestamp_memo *times; /* of the table, for its speed; borrowed; may be NULL */
	bool integer_sensors;
	bool integer_tcp_flags;
	bool padded_flags;       /* columnar output: flag letters in their places */
	bool icmp_type_and_code; /* rwcut --icmp-type-and-code: ports hold them */
	bool ipv4_only;          /* no IPv6 address can appear: narrow address columns */
	char separator;          /* of the table, to be escaped in text; 0: CSV or JSON */
};

struct field;

#define VALUE_TEXT_MAX 128
#define VALUE_KEY_MAX  64

struct value_kind {
	const char *name;
	/* Write NUL-terminated text (VALUE_TEXT_MAX bytes; of extension columns TEXT_CELL_MAX),
	 * return its length. */
	size_t (*print)(char *out, const struct value *value, const struct field *field,
			const struct field_context *ctx);
	/*
	 * Key: key_size bytes whose memcmp() order is the order of the values, and back. What a
	 * key does not hold comes back as it can be told from the value: a mapped address is IPv4,
	 * nothing is blank.
	 */
	size_t key_size;
	void (*key)(uint8_t *out, const struct value *value);
	void (*from_key)(struct value *value, const uint8_t *key);
	int (*width)(const struct field_context *ctx); /* of fields that give none */
	bool json_number;                              /* printed without quotes in JSON */
	/* Printed so in this context, although json_number does not say it; NULL: never. */
	bool (*number_in)(const struct field_context *ctx);
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
	/* Keys (kind->key_size bytes) of all selected rows, stride apart; blank is 0. */
	void (*pack)(const struct batch *batch, uint8_t *out, size_t stride);
	int width;      /* column width, 0: the kind tells it */
	unsigned flags; /* enum field_flags */
	const char *help;
	bool is_extension; /* one of common/extfield.h */
	/* Of fields that are made at run time, in the place of load and pack, which are NULL. */
	void (*load_made)(const struct field *field, const struct batch *batch, uint32_t row,
			  struct value *out);
	void (*pack_made)(const struct field *field, const struct batch *batch, uint8_t *out,
			  size_t stride);
	/* Make ready, when it is named: read a map. NULL: nothing is to be done. */
	int (*prepare)(const struct field *field, struct err *err);
};

enum field_flags {
	FIELD_DEPRECATED = 1 << 0, /* a second name of rwcut and rwsort; not in other tools */
	FIELD_PAIR = 1 << 1,       /* stands for the two rows before it; never in a parsed list */
	FIELD_WEAK = 1 << 2,       /* a name that is cut short means others first */
};

extern const struct field field_table[];
extern const size_t field_table_count;

/* What a list of fields may hold. */
enum field_list_flags {
	FIELD_LIST_REPEATS = 1 << 0,       /* a field may stand in it twice */
	FIELD_LIST_NO_DEPRECATED = 1 << 1, /* rows with FIELD_DEPRECATED are unknown */
};

/* By name, alias, SiLK number or unambiguous prefix, any case. NULL with the reason in err. */
const struct field *field_find(const char *name, struct err *err);
/* The same with enum field_list_flags. */
const struct field *field_find_in(const char *name, unsigned flags, struct err *err);
/* The same among the table and the count fields of more. */
const struct field *field_find_among(const struct field *const *more, size_t count,
				     const char *name, unsigned flags, struct err *err);

/*
 * "sIP,dIP,3-5": names and ranges of numbers, in order; empty places are skipped.
 * *out: g_free(); *count fields. flags: enum field_list_flags.
 */
int field_parse_list(const char *text, unsigned flags, const struct field ***out, size_t *count,
		     struct err *err);

/* The same with a finder of its own in the place of field_find_in(), which gets arg. */
typedef const struct field *(*field_find_fn)(void *arg, const char *name, unsigned flags,
					     struct err *err);
int field_parse_list_by(const char *text, unsigned flags, field_find_fn find, void *arg,
			const struct field ***out, size_t *count, struct err *err);

/* COLUMN_BITs that load reads in this context. */
uint32_t field_columns(const struct field *field, const struct field_context *ctx);

/* Is what is printed in this context a number? */
bool field_is_number(const struct field *field, const struct field_context *ctx);

/* Width of the column in this context. */
int field_width(const struct field *field, const struct field_context *ctx);

/* What load() and pack() do, for fields of every sort. */
static inline void field_load(const struct field *field, const struct batch *batch, uint32_t row,
			      const struct field_context *ctx, struct value *out)
{
	if (field->load_made) {
		field->load_made(field, batch, row, out);
	} else {
		field->load(batch, row, ctx, out);
	}
}

static inline void field_pack(const struct field *field, const struct batch *batch, uint8_t *out,
			      size_t stride)
{
	if (field->pack_made) {
		field->pack_made(field, batch, out, stride);
	} else {
		field->pack(batch, out, stride);
	}
}

#endif
