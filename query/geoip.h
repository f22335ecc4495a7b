/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Databases of the countries of addresses, as MaxMind distributes them, into country maps: of the
 * kind called GeoIP2 ("new") and of the one before, GeoIP Legacy ("old"), each as CSV or binary.
 *
 *	struct geoip geoip = { .family = GEOIP_AUTO, .fields = geoip_default_fields, .warn = warn };
 *	geoip_read_old_csv(&geoip, src, err);
 *	pmap_write(geoip.map, ...);
 *	pmap_free(geoip.map);
 */
#ifndef TUSSAH_QUERY_GEOIP_H
#define TUSSAH_QUERY_GEOIP_H

#include "storage/country.h"

enum geoip_family {
	GEOIP_AUTO, /* what the database suggests */
	GEOIP_IPV4,
	GEOIP_IPV6,
};

/* What a new database says about an address block. */
enum geoip_field {
	GEOIP_LOCATION,
	GEOIP_REGISTERED,
	GEOIP_REPRESENTED,
	GEOIP_CONTINENT,
	GEOIP_FLAGS,
	GEOIP_FIELD_COUNT,
};
#define GEOIP_COUNTRY_COUNT (GEOIP_REPRESENTED + 1) /* fields that name a country */

/* In which order they are looked at; the first one that says something counts. */
struct geoip_fields {
	size_t count;
	enum geoip_field order[GEOIP_FIELD_COUNT];
};
extern const struct geoip_fields geoip_default_fields;

struct geoip {
	enum geoip_family family;
	struct geoip_fields fields;
	void (*warn)(const char *text); /* of a line or record that was passed over */
	unsigned faults;                /* how many of these */
	struct pmap *map; /* returned: pmap_free(), also after a failure; NULL: none */
};

/*
 * Each returns ST_OK, also when it has passed over faults, or a reason to make no map: ST_EIO,
 * ST_ENOENT, ST_EFORMAT, ST_ELIMIT. Errors name the file. src is kept by the caller.
 */
int geoip_read_old_csv(struct geoip *geoip, struct bytesource *src, struct err *err);
int geoip_read_new_csv(struct geoip *geoip, const char *folder, struct err *err);
/* The family is decided by the depth of the tree alone, as in SiLK. */
int geoip_read_old_binary(struct geoip *geoip, struct bytesource *src, struct err *err);
int geoip_read_new_binary(struct geoip *geoip, const char *path, struct err *err);

/* Is the file a new binary database? */
bool geoip_is_new_binary(const char *path);

/* --- for the readers --- */

/* Make the map, with "--" everywhere. */
void geoip_start_map(struct geoip *geoip, enum geoip_family family);
/* Count a fault and tell of it; returns ST_EINVAL. */
int geoip_fault(struct geoip *geoip, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The code of a continent from its two letters; unknown ones give COUNTRY_INVALID. */
uint16_t geoip_continent(const char *letters);

#endif
