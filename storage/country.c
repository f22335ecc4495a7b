/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/country.h"

#include <glib.h>

#define CODE(a, b) ((uint16_t)((uint8_t)(a) << 8 | (uint8_t)(b)))

uint16_t country_parse(const char *text)
{
	if (g_strcmp0(text, "--") == 0) {
		return COUNTRY_UNKNOWN;
	}
	if (!g_ascii_isalpha(text[0]) || !g_ascii_isalnum(text[1]) || text[2]) {
		return COUNTRY_INVALID;
	}
	return CODE(g_ascii_tolower(text[0]), g_ascii_tolower(text[1]));
}

void country_print(char text[COUNTRY_TEXT_MAX], uint32_t code)
{
	bool known = code >= 0x2020 && code <= 0x7e7e;

	text[0] = known ? (char)(code >> 8) : '?';
	text[1] = known ? (char)(code & 0xff) : '?';
	text[2] = '\0';
}

uint16_t country_lookup(const struct pmap *pmap, struct ip ip)
{
	uint32_t value = pmap_lookup_ip(pmap, ip);

	return value > UINT16_MAX ? COUNTRY_INVALID : (uint16_t)value;
}

int country_map_read(struct pmap **out, const char *path, struct err *err)
{
	struct pmap *pmap = NULL;
	int status = pmap_read(&pmap, path, NULL, err);

	if (status != ST_OK) {
		return status;
	}
	if (pmap_kind(pmap) == PMAP_PROTO_PORT) {
		pmap_free(pmap);
		return err_set(err, ST_EFORMAT, "%s: Map contains protocol/port pairs", path);
	}
	*out = pmap;
	return ST_OK;
}
