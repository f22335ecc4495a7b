/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Country codes as prefix maps hold them: two letters of ISO 3166 in lower case as one number,
 * first letter high (silk-set-bag-pmap-files.md 4.4).
 *
 *	char text[COUNTRY_TEXT_MAX];
 *	country_print(text, country_lookup(pmap, ip));	// "us", "--", "??"
 */
#ifndef TUSSAH_STORAGE_COUNTRY_H
#define TUSSAH_STORAGE_COUNTRY_H

#include "storage/pmap.h"

#define COUNTRY_UNKNOWN  0x2d2d /* "--": nothing is known of the address */
#define COUNTRY_INVALID  0x7e7f /* no code at all */
#define COUNTRY_TEXT_MAX 3

/*
 * A letter and a letter or digit, upper or lower case, or "--"; nothing else around. Returns the
 * code or COUNTRY_INVALID.
 */
uint16_t country_parse(const char *text);

/* Always two characters and a NUL: "??" for what is no code. */
void country_print(char text[COUNTRY_TEXT_MAX], uint32_t code);

/* The code of an address in a country map; COUNTRY_INVALID: the map cannot hold the address. */
uint16_t country_lookup(const struct pmap *pmap, struct ip ip);

/*
 * As pmap_read(), of a map of addresses: one of protocols and ports is refused with ST_EFORMAT, as
 * SiLK does; one of addresses with words is not, its values print as "??".
 */
int country_map_read(struct pmap **out, const char *path, struct err *err);

#endif
