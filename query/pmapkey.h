/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys, blocks and values of prefix maps as text.
 *
 *	struct pmapkey key = { .pmap = pmap, .ip_format = format_ip(&opts->format) };
 *	text_add_column(text, "key", pmapkey_width(&key), false);
 *	text_cell_done(text, pmapkey_print(&key, text_cell(text), ip));
 */
#ifndef TUSSAH_QUERY_PMAPKEY_H
#define TUSSAH_QUERY_PMAPKEY_H

#include "storage/pmap.h"

struct pmapkey {
	const struct pmap *pmap;
	unsigned ip_format;
	bool countries; /* values are country codes */
};

/* Columns of a key; of a block. */
int pmapkey_width(const struct pmapkey *key);
int pmapkey_block_width(const struct pmapkey *key);

/* An address or PROTOCOL/PORT. Writes at most TEXT_CELL_MAX bytes, returns how many. */
size_t pmapkey_print(const struct pmapkey *key, char *out, struct ip ip);

/* ADDRESS/LENGTH, where prefix counts in 128 bits, as the other side does. */
size_t pmapkey_print_block(const struct pmapkey *key, char *out, struct ip first, unsigned prefix);

/* The text of a value: a word of the map, or written into digits. */
const char *pmapkey_value(const struct pmapkey *key, uint32_t value, char digits[PMAP_TEXT_MAX]);

#endif
