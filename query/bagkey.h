/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of bags as text: --key-format, and what the type of the keys makes of it.
 *
 *	struct bagkey key;
 *	if (bagkey_init(&key, &opts->format, bag, site, map, err) == ST_OK) {
 *		text_add_column(text, "key", bagkey_width(&key), false);
 *		text_cell_done(text, bagkey_print(&key, text_cell(text), cursor.key));
 *	}
 */
#ifndef TUSSAH_QUERY_BAGKEY_H
#define TUSSAH_QUERY_BAGKEY_H

#include "common/field.h"
#include "common/opt.h"
#include "storage/bag.h"
#include "storage/pmap.h"

struct bagkey_format {
	const char *text;   /* as it was given; NULL: not at all */
	bool is_time;       /* of a time, else of an address */
	bool base_given;    /* decimal, canonical ...: more than how they are padded or mapped */
	unsigned ip_format; /* enum ip_format */
	unsigned timestamp_format;
};
extern const struct opt bagkey_opt_table[]; /* --key-format --integer-keys --zero-pad-ips */

struct bagkey {
	enum bagtype_kind kind; /* what keys are shown as */
	bool wide;
	unsigned ip_format;
	const struct field *field; /* of sensors, flags and attributes */
	struct field_context ctx;
	const struct pmap *map; /* of types that need one */
};

/*
 * Set up for the keys of a bag; site and map (NULL: none) are kept. ST_OK, or ST_EINVAL: the format
 * makes no sense for them, or they need another map.
 */
int bagkey_init(struct bagkey *key, const struct bagkey_format *format, const struct bag *bag,
		const struct site *site, const struct pmap *map, struct err *err);

/* Width of a column of keys. */
int bagkey_width(const struct bagkey *key);
/* False: the key is an address where the type wants a number, and is not listed. */
bool bagkey_is_shown(const struct bagkey *key, struct ip ip);
/* Are keys numbers without leading zeros? */
bool bagkey_is_number(const struct bagkey *key);
/* Text of at most TEXT_CELL_MAX bytes into out; returns its length. */
size_t bagkey_print(const struct bagkey *key, char *out, struct ip ip);

#endif
