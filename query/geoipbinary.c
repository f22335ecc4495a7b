/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Binary databases of countries: the new one through libmaxminddb, the old one, which is a binary
 * tree like that of a prefix map, as it is.
 */
#include "query/geoip.h"

#include <glib.h>
#include <maxminddb.h>
#include <string.h>

/* --- the old one --- */

#define OLD_NODE_BYTES 6
#define OLD_LEAF       0xffff00u /* and up: a code; below: a node */
#define TREE_LEAF      UINT32_C(0x80000000)

/* Codes by the low octet of a leaf, two letters each. */
static const char old_codes[] = "--apeuadaeafagaialamcwaoaqarasat"
				"auawazbabbbdbebfbgbhbibjbmbnbobr"
				"bsbtbvbwbybzcacccdcfcgchcickclcm"
				"cncocrcucvcxcyczdedjdkdmdodzecee"
				"egeheresetfifjfkfmfofrsxgagbgdge"
				"gfghgiglgmgngpgqgrgsgtgugwgyhkhm"
				"hnhrhthuidieilinioiqirisitjmjojp"
				"kekgkhkikmknkpkrkwkykzlalblclilk"
				"lrlsltlulvlymamcmdmgmhmkmlmmmnmo"
				"mpmqmrmsmtmumvmwmxmymznancnenfng"
				"ninlnonpnrnunzompapepfpgphpkplpm"
				"pnprpsptpwpyqarerorurwsasbscsdse"
				"sgshsisjskslsmsnsosrstsvsysztctd"
				"tftgthtjtktmtntotltrtttvtwtzuaug"
				"umusuyuzvavcvevgvivnvuwfwsyeytrs"
				"zazmmezwa1a2o1axggimjeblmfbqsso1";
_Static_assert(sizeof(old_codes) == 256 * 2 + 1, "a code for each octet");

static uint32_t old_child(const uint8_t *at)
{
	uint32_t value = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
	const char *letters = &old_codes[(value & 0xff) * 2];

	return value < OLD_LEAF ? value
				: TREE_LEAF | (uint32_t)letters[0] << 8 | (uint32_t)letters[1];
}

int geoip_read_old_binary(struct geoip *geoip, struct bytesource *src, struct err *err)
{
	GArray *tree = g_array_new(FALSE, FALSE, sizeof(uint32_t[2]));
	const uint8_t *at;
	size_t len;
	int status;

	/* no node can be named that comes after OLD_LEAF others */
	while ((status = bytesource_view(src, OLD_NODE_BYTES, &at, &len, err)) == ST_OK &&
	       len >= OLD_NODE_BYTES && tree->len < OLD_LEAF) {
		const uint32_t node[2] = { old_child(at), old_child(at + 3) };

		g_array_append_val(tree, node);
		bytesource_consume(src, OLD_NODE_BYTES);
	}
	if (status == ST_OK) {
		const uint32_t(*nodes)[2] = (const uint32_t(*)[2])(void *)tree->data;

		status = pmap_from_tree(&geoip->map, PMAP_IPV4, nodes, tree->len, NULL);
		if (status != ST_OK) {
			status = pmap_from_tree(&geoip->map, PMAP_IPV6, nodes, tree->len, err);
		}
		if (status != ST_OK) {
			err_prefix(err, "%s", bytesource_name(src));
		}
	}
	g_array_free(tree, TRUE);
	return status;
}

/* --- the new one --- */

/* A database reaches its IPv4 part in a few ways; far more visits than nodes is a trap. */
#define VISITS_PER_NODE 64

struct walk {
	struct geoip *geoip;
	const MMDB_s *database;
	uint64_t visits_left;
	struct err *err;
};

bool geoip_is_new_binary(const char *path)
{
	MMDB_s database;

	if (MMDB_open(path, MMDB_MODE_MMAP, &database) != MMDB_SUCCESS) {
		return false;
	}
	MMDB_close(&database);
	return true;
}

static const char *const field_paths[][3] = {
	[GEOIP_LOCATION] = { "country", "iso_code", NULL },
	[GEOIP_REGISTERED] = { "registered_country", "iso_code", NULL },
	[GEOIP_REPRESENTED] = { "represented_country", "iso_code", NULL },
	[GEOIP_CONTINENT] = { "continent", "code", NULL },
};

/* The two letters of a field into text; false: it has none. */
static bool field_letters(MMDB_entry_s *entry, enum geoip_field field, char text[COUNTRY_TEXT_MAX])
{
	MMDB_entry_data_s found;

	if (MMDB_aget_value(entry, &found, field_paths[field]) != MMDB_SUCCESS || !found.has_data ||
	    found.type != MMDB_DATA_TYPE_UTF8_STRING || found.data_size != COUNTRY_TEXT_MAX - 1) {
		return false;
	}
	memcpy(text, found.utf8_string, COUNTRY_TEXT_MAX - 1);
	text[COUNTRY_TEXT_MAX - 1] = '\0';
	return true;
}

static bool has_trait(MMDB_entry_s *entry, const char *name)
{
	const char *const path[] = { "traits", name, NULL };
	MMDB_entry_data_s found;

	return MMDB_aget_value(entry, &found, path) == MMDB_SUCCESS && found.has_data &&
	       found.type == MMDB_DATA_TYPE_BOOLEAN && found.boolean;
}

static uint16_t field_code(MMDB_entry_s *entry, enum geoip_field field)
{
	char letters[COUNTRY_TEXT_MAX];
	uint16_t code = COUNTRY_INVALID;

	if (field == GEOIP_FLAGS) {
		code = has_trait(entry, "is_anonymous_proxy")      ? country_parse("a1")
		       : has_trait(entry, "is_satellite_provider") ? country_parse("a2")
								   : COUNTRY_INVALID;
	} else if (field_letters(entry, field, letters)) {
		code = field == GEOIP_CONTINENT ? geoip_continent(letters) : country_parse(letters);
	}
	return code;
}

static int take_record(struct walk *walk, MMDB_entry_s *entry, struct ip first, unsigned prefix)
{
	const struct geoip_fields *fields = &walk->geoip->fields;
	uint16_t code = COUNTRY_INVALID;

	for (size_t i = 0; i < fields->count && code == COUNTRY_INVALID; i++) {
		code = field_code(entry, fields->order[i]);
	}
	if (code == COUNTRY_INVALID) {
		return ST_OK;
	}
	return pmap_add_range(walk->geoip->map, first, ip_block_last(first, prefix), code,
			      walk->err);
}

static int take_node(struct walk *walk, uint64_t node, struct ip first, unsigned prefix);

/* One side of a node: the block of prefix at first. */
static int take_side(struct walk *walk, uint8_t type, uint64_t node, MMDB_entry_s *entry,
		     struct ip first, unsigned prefix)
{
	switch (type) {
	case MMDB_RECORD_TYPE_EMPTY:
		return ST_OK;
	case MMDB_RECORD_TYPE_DATA:
		return take_record(walk, entry, first, prefix);
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		return take_node(walk, node, first, prefix);
	default:
		return err_set(walk->err, ST_EFORMAT, "a node of the database is damaged");
	}
}

/* The block of prefix (of 128) at first is decided by node. */
static int take_node(struct walk *walk, uint64_t node, struct ip first, unsigned prefix)
{
	MMDB_search_node_s found;
	unsigned bit = 127 - prefix;
	struct ip second = first;
	int status;

	if (prefix == 128 || !walk->visits_left) {
		return err_set(walk->err, ST_EFORMAT, "the tree of the database is too deep");
	}
	walk->visits_left--;
	if (MMDB_read_node(walk->database, (uint32_t)node, &found) != MMDB_SUCCESS) {
		return err_set(walk->err, ST_EFORMAT, "a node of the database is damaged");
	}
	if (bit < 64) {
		second.lo |= UINT64_C(1) << bit;
	} else {
		second.hi |= UINT64_C(1) << (bit - 64);
	}
	status = take_side(walk, found.left_record_type, found.left_record,
			   &found.left_record_entry, first, prefix + 1);
	if (status == ST_OK) {
		status = take_side(walk, found.right_record_type, found.right_record,
				   &found.right_record_entry, second, prefix + 1);
	}
	return status;
}

/* Only IPv4 is wanted from a tree of IPv6, which has it at ::/96. */
static int take_v4_part(struct walk *walk)
{
	MMDB_search_node_s found = { .left_record_type = MMDB_RECORD_TYPE_SEARCH_NODE };

	for (unsigned i = 0; i < 96 && found.left_record_type == MMDB_RECORD_TYPE_SEARCH_NODE;
	     i++) {
		if (MMDB_read_node(walk->database, (uint32_t)found.left_record, &found) !=
		    MMDB_SUCCESS) {
			return err_set(walk->err, ST_EFORMAT, "a node of the database is damaged");
		}
	}
	return take_side(walk, found.left_record_type, found.left_record, &found.left_record_entry,
			 ip_from_v4(0), 96);
}

static int take_tree(struct walk *walk)
{
	bool tree_of_v4 = walk->database->metadata.ip_version == 4;
	enum geoip_family family = walk->geoip->family;

	if (family == GEOIP_AUTO) {
		family = tree_of_v4 ? GEOIP_IPV4 : GEOIP_IPV6;
	}
	geoip_start_map(walk->geoip, family);
	walk->visits_left = (uint64_t)walk->database->metadata.node_count * VISITS_PER_NODE;
	if (tree_of_v4) {
		return take_node(walk, 0, ip_from_v4(0), 96);
	}
	return family == GEOIP_IPV4 ? take_v4_part(walk)
				    : take_node(walk, 0, (struct ip){ 0, 0 }, 0);
}

int geoip_read_new_binary(struct geoip *geoip, const char *path, struct err *err)
{
	struct walk walk = { .geoip = geoip, .err = err };
	MMDB_s database;
	int failure = MMDB_open(path, MMDB_MODE_MMAP, &database);
	int status;

	if (failure != MMDB_SUCCESS) {
		return err_set(err, failure == MMDB_FILE_OPEN_ERROR ? ST_ENOENT : ST_EFORMAT,
			       "%s: %s", path, MMDB_strerror(failure));
	}
	walk.database = &database;
	status = take_tree(&walk);
	MMDB_close(&database);
	return status == ST_OK ? ST_OK : err_prefix(err, "%s", path);
}
