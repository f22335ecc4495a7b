/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/geoip.h"

#include <glib.h>
#include <stdarg.h>

const struct geoip_fields geoip_default_fields = {
	GEOIP_FIELD_COUNT,
	{ GEOIP_LOCATION, GEOIP_REGISTERED, GEOIP_REPRESENTED, GEOIP_CONTINENT, GEOIP_FLAGS },
};

void geoip_start_map(struct geoip *geoip, enum geoip_family family)
{
	geoip->map = pmap_new(family == GEOIP_IPV6 ? PMAP_IPV6 : PMAP_IPV4);
	pmap_set_default(geoip->map, COUNTRY_UNKNOWN);
}

int geoip_fault(struct geoip *geoip, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	geoip->faults++;
	geoip->warn(text);
	g_free(text);
	return ST_EINVAL;
}

uint16_t geoip_continent(const char *letters)
{
	static const struct {
		const char *letters;
		const char *code;
	} continents[] = {
		{ "AF", "xf" }, { "AN", "xa" }, { "AS", "ap" }, { "EU", "eu" },
		{ "NA", "xn" }, { "OC", "xo" }, { "SA", "xs" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(continents); i++) {
		if (g_ascii_strcasecmp(continents[i].letters, letters) == 0) {
			return country_parse(continents[i].code);
		}
	}
	return COUNTRY_INVALID;
}
