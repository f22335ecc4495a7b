/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/maptest.h"

#include <string.h>

#include "common/numlist.h"
#include "query/pmapfile.h"

#define SIDES 3

struct maptest {
	struct pmapfile file;
	char *switches[SIDES];
	GHashTable *values[SIDES]; /* numbers as pointers; NULL: the switch was not given */
};

struct maptests {
	GPtrArray *maps;  /* struct maptest */
	GPtrArray *files; /* their arguments; borrowed */
	GArray *rows;     /* struct opt, that of SIDES of each map, and the end */
};

static const enum predicate_sides side_list[SIDES] = {
	PREDICATE_SOURCE,
	PREDICATE_DESTINATION,
	PREDICATE_EITHER,
};

static void free_map(void *pointer)
{
	struct maptest *map = pointer;

	for (size_t side = 0; side < SIDES; side++) {
		g_free(map->switches[side]);
		if (map->values[side]) {
			g_hash_table_unref(map->values[side]);
		}
	}
	pmapfile_release(&map->file);
	g_free(map);
}

/* ---- labels ---- */

/* A label that is a number means the value, if no label is spelled so. */
bool maptest_find_value(const struct pmap *pmap, const char *word, uint32_t *value)
{
	uint32_t limit = pmap_word_limit(pmap);
	uint64_t number;

	if (pmap_find_word(pmap, word, value)) {
		return true;
	}
	if (number_parse(word, 0, PMAP_VALUE_MAX, &number, NULL) != ST_OK ||
	    (limit > 0 && number >= limit)) {
		return false;
	}
	*value = (uint32_t)number;
	return true;
}

int maptest_parse_labels(const struct pmap *pmap, const char *text, GHashTable *values,
			 struct err *err)
{
	char **words = g_strsplit(text, ",", -1);
	int st = *text ? ST_OK : err_set(err, ST_EINVAL, "No label is given");

	for (char **word = words; st == ST_OK && *word; word++) {
		uint32_t value;

		if (!maptest_find_value(pmap, *word, &value)) {
			st = err_set(err, ST_EINVAL, "The label '%s' is not in the prefix map",
				     *word);
		} else {
			g_hash_table_add(values, GUINT_TO_POINTER(value));
		}
	}
	g_strfreev(words);
	return st;
}

static int parse_labels(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct maptests *maps = *(struct maptests **)dest;
	struct maptest *map = g_ptr_array_index(maps->maps, (guint)opt->tag / SIDES);
	GHashTable **values = &map->values[opt->tag % SIDES];

	if (!*values) {
		*values = g_hash_table_new(NULL, NULL);
	}
	return maptest_parse_labels(map->file.pmap, text, *values, err);
}

/* ---- maps ---- */

static void name_switches(struct maptest *map)
{
	static const char *const before[SIDES] = { "pmap-src-", "pmap-dst-", "pmap-any-" };
	static const char *const of_addresses[SIDES] = { "pmap-saddress", "pmap-daddress",
							 "pmap-any-address" };
	static const char *const of_ports[SIDES] = { "pmap-sport-proto", "pmap-dport-proto",
						     "pmap-any-port-proto" };
	bool ports = pmap_kind(map->file.pmap) == PMAP_PROTO_PORT;

	for (size_t side = 0; side < SIDES; side++) {
		map->switches[side] =
			map->file.name ? g_strconcat(before[side], map->file.name, NULL)
				       : g_strdup(ports ? of_ports[side] : of_addresses[side]);
	}
}

static void add_rows(struct maptests *maps, const struct maptest *map)
{
	static const char *const helps[] = {
		"pass flows whose source has one of these labels",
		"pass flows whose destination has one of these labels",
		"pass flows whose source or destination has one of these labels",
	};
	guint last = maps->rows->len - 1;
	intptr_t tag = ((intptr_t)maps->maps->len - 1) * SIDES;

	for (size_t side = 0; side < SIDES; side++) {
		const struct opt row = {
			.kind = OPT_KIND_CALL,
			.name = map->switches[side],
			.arg = "LABELS",
			.help = helps[side],
			.parse = parse_labels,
			.tag = tag + (intptr_t)side,
		};

		g_array_insert_val(maps->rows, last + (guint)side, row);
	}
}

static int check_name(const struct maptests *maps, const char *name, struct err *err)
{
	if (name && strchr(name, ',')) {
		return err_set(err, ST_EINVAL, "The mapname may not include a comma");
	}
	for (guint i = 0; i < maps->maps->len; i++) {
		const struct maptest *map = g_ptr_array_index(maps->maps, i);

		if (!name || !map->file.name) {
			return err_set(err, ST_EINVAL,
				       "Only one prefix map may be used when it has no mapname");
		}
		if (strcmp(map->file.name, name) == 0) {
			return err_set(err, ST_EINVAL, "Multiple pmaps use the mapname '%s'", name);
		}
	}
	return ST_OK;
}

static struct maptests *maps_new(void)
{
	static const struct opt end = OPT_END;
	struct maptests *maps = g_new0(struct maptests, 1);

	maps->maps = g_ptr_array_new_with_free_func(free_map);
	maps->files = g_ptr_array_new();
	maps->rows = g_array_new(FALSE, FALSE, sizeof(struct opt));
	g_array_append_val(maps->rows, end);
	return maps;
}

static int parse_file(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct maptests **maps = dest;
	struct maptest *map = g_new0(struct maptest, 1);
	int st = pmapfile_read(&map->file, text, err);

	if (!*maps) {
		*maps = maps_new();
	}
	if (st == ST_OK) {
		st = check_name(*maps, map->file.name, err);
	}
	if (st != ST_OK) {
		free_map(map);
		return st;
	}
	name_switches(map);
	g_ptr_array_add((*maps)->maps, map);
	g_ptr_array_add((*maps)->files, (gpointer)(uintptr_t)text);
	add_rows(*maps, map);
	return ST_OK;
}

static const struct opt *more_rows(const void *member)
{
	const struct maptests *maps = *(struct maptests *const *)member;

	return maps ? (const struct opt *)(const void *)maps->rows->data : NULL;
}

const struct opt maptest_opt_table[] = {
	OPT_CALL(
		struct maptest_opts, maps, "pmap-file", 0, "[NAME:]FILE", parse_file, 0,
		"add the switches --pmap-src-NAME, --pmap-dst-NAME and --pmap-any-NAME of this map"),
	OPT_MORE(struct maptest_opts, maps, more_rows),
	OPT_END,
};

/* ---- tests ---- */

void maptest_add(const struct maptest_opts *opts, struct predicates **tests)
{
	for (guint i = 0; opts->maps && i < opts->maps->maps->len; i++) {
		const struct maptest *map = g_ptr_array_index(opts->maps->maps, i);

		for (size_t side = 0; side < SIDES; side++) {
			if (map->values[side]) {
				predicates_add_map(tests, map->switches[side], map->file.pmap,
						   side_list[side], map->values[side]);
			}
		}
	}
}

void maptest_release(struct maptest_opts *opts)
{
	if (opts->maps) {
		g_ptr_array_unref(opts->maps->maps);
		g_ptr_array_unref(opts->maps->files);
		g_array_unref(opts->maps->rows);
		g_free(opts->maps);
		opts->maps = NULL;
	}
}

const GPtrArray *maptest_files(const struct maptest_opts *opts)
{
	return opts->maps ? opts->maps->files : NULL;
}
