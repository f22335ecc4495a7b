/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Databases of countries as comma-separated values, the old one and the new one. */
#include "query/geoip.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/cidr.h"
#include "common/numlist.h"
#include "query/csvline.h"
#include "storage/byteline.h"

#define LINE_BYTES_MAX 4096

/* One file while it is read. */
struct table {
	struct geoip *geoip;
	const char *name;
	unsigned line;
	struct csvline row;
	/* the old one */
	bool seen_row; /* with addresses and a code */
	/* the new one */
	GHashTable *places; /* geoname id -> struct place */
	size_t columns;     /* that the title has */
};

static int fault(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fault(struct table *table, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	geoip_fault(table->geoip, "%s:%u: %s", table->name, table->line, text);
	g_free(text);
	return ST_EINVAL;
}

/* take returns ST_OK, ST_EINVAL after fault(), or another status with err set, which ends it. */
static int each_row(struct table *table, struct bytesource *src,
		    int (*take)(struct table *table, struct err *err), struct err *err)
{
	GString *line = g_string_new(NULL);
	int status = ST_OK;

	for (table->line = 1; status == ST_OK; table->line++) {
		struct err reason;

		status = byteline_read(src, LINE_BYTES_MAX, line, err);
		if (status == ST_ELIMIT) {
			fault(table, "longer than %d bytes", LINE_BYTES_MAX);
			status = ST_OK;
			continue;
		}
		if (status != ST_OK || !line->str[strspn(line->str, " \t\r")]) {
			continue;
		}
		while (line->len && line->str[line->len - 1] == '\r') {
			g_string_truncate(line, line->len - 1);
		}
		status = csvline_split(&table->row, line->str, &reason) == ST_OK
				 ? take(table, err)
				 : fault(table, "%s", reason.text);
		status = status == ST_EINVAL ? ST_OK : status;
	}
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

static int add_range(struct table *table, struct ip first, struct ip last, uint16_t code)
{
	struct err err;

	return pmap_add_range(table->geoip->map, first, last, code, &err) == ST_OK
		       ? ST_OK
		       : fault(table, "%s", err.text);
}

/* --- the old one: first, last, and both as numbers, code, name --- */

#define OLD_COLUMNS 6
enum old_column { OLD_FIRST, OLD_LAST, OLD_CODE = 4 };

static int check_old_row(struct table *table, struct err *err)
{
	if (table->row.count != OLD_COLUMNS) {
		/* a first row of another shape: this is some other file */
		return table->seen_row
			       ? fault(table, "%zu columns instead of %d", table->row.count,
				       OLD_COLUMNS)
			       : err_set(err, ST_EFORMAT, "%s:%u: %zu columns instead of %d",
					 table->name, table->line, table->row.count, OLD_COLUMNS);
	}
	for (size_t i = 0; i < OLD_COLUMNS; i++) {
		if (table->row.quoted[i] && !table->row.columns[i][0]) {
			return fault(table, "column %zu is empty", i + 1);
		}
		if (!table->row.quoted[i] && table->row.columns[i][0]) {
			return fault(table, "column %zu is not in quotes", i + 1);
		}
	}
	return ST_OK;
}

static int parse_end(struct table *table, const char *text, struct ip *ip, bool *is_v6)
{
	struct err err;

	return ip_parse(text, ip, is_v6, &err) == ST_OK
		       ? ST_OK
		       : fault(table, "invalid address '%s': %s", text, err.text);
}

static int take_old_row(struct table *table, struct err *err)
{
	char *const *columns = table->row.columns;
	struct geoip *geoip = table->geoip;
	struct ip ends[2];
	bool is_v6[2];
	uint16_t code;
	int status;

	if (!table->row.quoted[0]) {
		return fault(table, "column 1 is not in quotes");
	}
	status = check_old_row(table, err);
	for (int i = 0; i < 2 && status == ST_OK; i++) {
		status = parse_end(table, columns[OLD_FIRST + i], &ends[i], &is_v6[i]);
	}
	if (status != ST_OK) {
		return status;
	}
	code = country_parse(columns[OLD_CODE]);
	if (code == COUNTRY_INVALID) {
		return fault(table, "invalid country code '%s'", columns[OLD_CODE]);
	}
	table->seen_row = true;
	if (!geoip->map) {
		geoip_start_map(geoip, is_v6[0] ? GEOIP_IPV6 : GEOIP_IPV4);
	}
	if (pmap_kind(geoip->map) == PMAP_IPV4 &&
	    !(ip_is_mapped(ends[0]) && ip_is_mapped(ends[1]))) {
		return ST_OK;
	}
	if (ip_compare(ends[0], ends[1]) > 0) {
		return fault(table, "the start of the range is behind its end");
	}
	return add_range(table, ends[0], ends[1], code);
}

int geoip_read_old_csv(struct geoip *geoip, struct bytesource *src, struct err *err)
{
	struct table table = { .geoip = geoip, .name = bytesource_name(src) };
	int status;

	if (geoip->family != GEOIP_AUTO) {
		geoip_start_map(geoip, geoip->family);
	}
	status = each_row(&table, src, take_old_row, err);
	if (status == ST_OK && !geoip->map) {
		geoip_start_map(geoip, GEOIP_IPV4);
	}
	return status;
}

/* --- the new one: a file of places, and files of blocks that refer to them --- */

/* What a geoname id stands for; 0: nothing is said. */
struct place {
	uint16_t country;
	uint16_t continent;
};

/* Titles of the columns that must be there, in order. */
struct titles {
	size_t count;
	const char *names[6];
};

static const struct titles place_titles = {
	6,
	{ "geoname_id", "locale_code", "continent_code", "continent_name", "country_iso_code",
	  "country_name" },
};
enum place_column { PLACE_ID = 0, PLACE_CONTINENT = 2, PLACE_COUNTRY = 4 };

static const struct titles block_titles = {
	6,
	{ "network", "geoname_id", "registered_country_geoname_id",
	  "represented_country_geoname_id", "is_anonymous_proxy", "is_satellite_provider" },
};
enum block_column { BLOCK_NETWORK, BLOCK_PLACES, BLOCK_ANONYMOUS = 4, BLOCK_SATELLITE };

static int check_titles(struct table *table, const struct titles *titles, struct err *err)
{
	if (table->row.count < titles->count) {
		return err_set(err, ST_EFORMAT, "%s:%u: %zu title columns, %zu are needed",
			       table->name, table->line, table->row.count, titles->count);
	}
	for (size_t i = 0; i < titles->count; i++) {
		if (strcmp(table->row.columns[i], titles->names[i]) != 0) {
			return err_set(err, ST_EFORMAT,
				       "%s:%u: title of column %zu is not '%s' but '%s'",
				       table->name, table->line, i + 1, titles->names[i],
				       table->row.columns[i]);
		}
	}
	table->columns = table->row.count;
	return ST_OK;
}

static int check_columns(struct table *table)
{
	return table->row.count == table->columns ? ST_OK
						  : fault(table, "%zu columns instead of %zu",
							  table->row.count, table->columns);
}

static int parse_id(struct table *table, const char *name, const char *text, uint32_t *id)
{
	uint64_t number;
	struct err err;

	if (number_parse(text, 0, UINT32_MAX, &number, &err) != ST_OK) {
		return fault(table, "invalid %s '%s': %s", name, text, err.text);
	}
	*id = (uint32_t)number;
	return ST_OK;
}

static int take_place(struct table *table, struct err *err)
{
	char *const *columns = table->row.columns;
	struct place place = { 0 };
	uint32_t id = 0;

	if (!table->columns) {
		return check_titles(table, &place_titles, err);
	}
	if (check_columns(table) != ST_OK ||
	    parse_id(table, "geoname_id", columns[PLACE_ID], &id) != ST_OK) {
		return ST_EINVAL;
	}
	if (columns[PLACE_COUNTRY][0]) {
		place.country = country_parse(columns[PLACE_COUNTRY]);
		if (place.country == COUNTRY_INVALID) {
			return fault(table, "invalid country code '%s'", columns[PLACE_COUNTRY]);
		}
	} else if (columns[PLACE_CONTINENT][0]) {
		place.continent = geoip_continent(columns[PLACE_CONTINENT]);
		if (place.continent == COUNTRY_INVALID) {
			return fault(table, "unknown continent '%s'", columns[PLACE_CONTINENT]);
		}
	}
	if (g_hash_table_contains(table->places, GUINT_TO_POINTER(id))) {
		return fault(table, "geoname_id %u is there already", id);
	}
	g_hash_table_insert(table->places, GUINT_TO_POINTER(id), g_memdup2(&place, sizeof(place)));
	return ST_OK;
}

/* The continent of the first field before the i-th that has one. */
static uint16_t earlier_continent(const struct geoip_fields *fields, size_t count,
				  const struct place *const places[])
{
	for (size_t i = 0; i < count; i++) {
		enum geoip_field field = fields->order[i];

		if (field < GEOIP_COUNTRY_COUNT && places[field]->continent) {
			return places[field]->continent;
		}
	}
	return 0;
}

static uint16_t flag_code(const struct table *table)
{
	if (strcmp(table->row.columns[BLOCK_ANONYMOUS], "1") == 0) {
		return country_parse("a1");
	}
	return strcmp(table->row.columns[BLOCK_SATELLITE], "1") == 0 ? country_parse("a2") : 0;
}

/*
 * The code of a block; 0: none. A field without a country gives its continent if the continent is
 * looked at earlier, else when its turn comes.
 */
static uint16_t choose(const struct table *table, const struct place *const places[])
{
	const struct geoip_fields *fields = &table->geoip->fields;
	bool continents = false;
	uint16_t code = 0;

	for (size_t i = 0; i < fields->count && !code; i++) {
		enum geoip_field field = fields->order[i];

		if (field == GEOIP_FLAGS) {
			code = flag_code(table);
		} else if (field == GEOIP_CONTINENT) {
			continents = true;
			code = earlier_continent(fields, i, places);
		} else {
			code = places[field]->country;
			if (!code && continents) {
				code = places[field]->continent;
			}
		}
	}
	return code;
}

static int take_block(struct table *table, struct err *err)
{
	static const struct place nowhere;
	const struct place *places[GEOIP_COUNTRY_COUNT];
	char *const *columns = table->row.columns;
	struct cidr block;
	struct err reason;
	uint16_t code;

	if (!table->columns) {
		return check_titles(table, &block_titles, err);
	}
	if (check_columns(table) != ST_OK) {
		return ST_EINVAL;
	}
	if (cidr_parse_min(columns[BLOCK_NETWORK], 1, &block, &reason) != ST_OK) {
		return fault(table, "invalid network '%s': %s", columns[BLOCK_NETWORK],
			     reason.text);
	}
	for (int i = 0; i < GEOIP_COUNTRY_COUNT; i++) {
		const char *text = columns[BLOCK_PLACES + i];
		uint32_t id = 0;

		places[i] = NULL;
		if (text[0]) {
			if (parse_id(table, block_titles.names[BLOCK_PLACES + i], text, &id) !=
			    ST_OK) {
				return ST_EINVAL;
			}
			places[i] = g_hash_table_lookup(table->places, GUINT_TO_POINTER(id));
		}
		places[i] = places[i] ? places[i] : &nowhere;
	}
	code = choose(table, places);
	return code ? add_range(table, block.first, block.last, code) : ST_OK;
}

static int read_table(struct table *table, const char *path,
		      int (*take)(struct table *table, struct err *err), struct err *err)
{
	struct bytesource *src = NULL;
	int status = bytesource_open(&src, path, err);

	table->name = path;
	table->columns = 0;
	if (status == ST_OK) {
		status = each_row(table, src, take, err);
	}
	bytesource_close(src);
	return status;
}

/* The files of a folder have one of these before their names. */
static const char *find_prefix(const char *folder)
{
	static const char *const prefixes[] = { "GeoIP2", "GeoLite2" };

	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		char *path = g_strdup_printf("%s/%s-Country-Locations-en.csv", folder, prefixes[i]);
		bool found = access(path, F_OK) == 0;

		g_free(path);
		if (found) {
			return prefixes[i];
		}
	}
	return NULL;
}

int geoip_read_new_csv(struct geoip *geoip, const char *folder, struct err *err)
{
	/* in which order SiLK takes them; the first one is read in any case, as SiLK wants all */
	static const struct {
		const char *name;
		int (*take)(struct table *table, struct err *err);
		bool only_v6;
	} files[] = {
		{ "Locations-en", take_place, false },
		{ "Blocks-IPv6", take_block, true },
		{ "Blocks-IPv4", take_block, false },
	};
	struct table table = { .geoip = geoip };
	const char *prefix = find_prefix(folder);
	int status = ST_OK;

	if (!prefix) {
		return err_set(err, ST_ENOENT,
			       "%s: neither GeoIP2- nor GeoLite2-Country-Locations-en.csv is there",
			       folder);
	}
	geoip_start_map(geoip, geoip->family == GEOIP_AUTO ? GEOIP_IPV6 : geoip->family);
	table.places = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	for (size_t i = 0; i < G_N_ELEMENTS(files) && status == ST_OK; i++) {
		char *path = g_strdup_printf("%s/%s-Country-%s.csv", folder, prefix, files[i].name);

		if (!files[i].only_v6 || pmap_kind(geoip->map) == PMAP_IPV6) {
			status = read_table(&table, path, files[i].take, err);
		}
		g_free(path);
	}
	g_hash_table_destroy(table.places);
	return status;
}
