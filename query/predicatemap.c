/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests by prefix maps. A map of addresses and the values that pass become a set of addresses, so
 * that files and blocks are told by it like by any other set; of ports, one bit each.
 */
#include "query/predicaterow.h"

#include <string.h>

#include "query/mapfile.h"
#include "storage/country.h"

#define TYPE_INSIDE     1
#define TYPE_NOT_INSIDE 3

#define PORT_BYTES (256 * 65536 / 8)

static void set_ipset(struct predicate *test, struct ipset *set)
{
	ipset_finish(set);
	test->ipset = set;
	test->narrow = predicate_narrow_ipset;
	test->cost = PREDICATE_COST_IPSET;
	test->columns = COLUMN_BIT(test->row->column) | COLUMN_BIT(test->row->other);
}

/* A set being made of a map. */
struct made {
	struct ipset *set;
	GHashTable *values;
	struct ip next; /* of a set of all that has no such value: the first not looked at */
};

static int add_range(void *arg, const struct pmap_range *range)
{
	struct made *made = arg;

	if (g_hash_table_contains(made->values, GUINT_TO_POINTER(range->value))) {
		ipset_add_range(made->set, range->first, range->last);
	}
	return 0;
}

struct ipset *predicate_map_addresses(const struct pmap *pmap, GHashTable *values)
{
	struct made made = { .set = ipset_new(), .values = values };

	pmap_each_range(pmap, add_range, &made);
	return made.set;
}

static int skip_range(void *arg, const struct pmap_range *range)
{
	struct made *made = arg;

	if (!g_hash_table_contains(made->values, GUINT_TO_POINTER(range->value))) {
		return 0;
	}
	if (ip_compare(made->next, range->first) < 0) {
		ipset_add_range(made->set, made->next, ip_prev(range->first));
	}
	made->next = ip_next(range->last);
	return 0;
}

/* All other addresses, those that the map cannot hold among them. */
static struct ipset *addresses_without(const struct pmap *pmap, GHashTable *values)
{
	const struct ip last = { UINT64_MAX, UINT64_MAX };
	struct made made = { .set = ipset_new(), .values = values };
	bool done;

	pmap_each_range(pmap, skip_range, &made);
	/* behind the last of all comes the first again */
	done = made.next.hi == 0 && made.next.lo == 0 &&
	       g_hash_table_contains(values, GUINT_TO_POINTER(pmap_lookup_ip(pmap, last)));
	if (!done) {
		ipset_add_range(made.set, made.next, last);
	}
	return made.set;
}

static int parse_countries(const char *text, GHashTable *values, struct err *err)
{
	char **words = g_strsplit(text, ",", -1);
	int st = ST_OK;

	for (char **word = words; st == ST_OK && *word; word++) {
		uint16_t code = country_parse(*word);

		if (**word && code == COUNTRY_INVALID) {
			st = err_set(err, ST_EINVAL, "Not a country: %s", *word);
		}
		if (**word) {
			g_hash_table_add(values, GUINT_TO_POINTER((guint)code));
		}
	}
	g_strfreev(words);
	return st;
}

int predicate_compile_country(struct predicate *test, const char *text, struct err *err)
{
	GHashTable *values = g_hash_table_new(NULL, NULL);
	struct pmap *pmap = NULL;
	int st = parse_countries(text, values, err);

	if (st == ST_OK) {
		st = mapfile_read_known(&pmap, MAPFILE_COUNTRY_CODES, NULL, err);
	}
	if (st == ST_OK) {
		set_ipset(test, predicate_map_addresses(pmap, values));
	}
	pmap_free(pmap);
	g_hash_table_unref(values);
	return st;
}

int predicate_compile_address_type(struct predicate *test, const char *text, struct err *err)
{
	GHashTable *values = g_hash_table_new(NULL, NULL);
	struct pmap *pmap = NULL;
	uint64_t type;
	int st = number_parse(text, 0, TYPE_NOT_INSIDE, &type, err);

	if (st == ST_OK) {
		st = mapfile_read_known(&pmap, MAPFILE_ADDRESS_TYPES, NULL, err);
	}
	if (st == ST_OK) {
		bool negated = type == TYPE_NOT_INSIDE;

		g_hash_table_add(values, GUINT_TO_POINTER(negated ? TYPE_INSIDE : (guint)type));
		set_ipset(test, negated ? addresses_without(pmap, values)
					: predicate_map_addresses(pmap, values));
	}
	pmap_free(pmap);
	g_hash_table_unref(values);
	return st;
}

/* ---- ports ---- */

static bool port_passes(const struct predicate *test, uint8_t protocol, uint16_t port)
{
	uint32_t bit = (uint32_t)protocol << 16 | port;

	return test->ports[bit >> 3] >> (bit & 7) & 1;
}

static uint32_t narrow_ports(const struct predicate *test, const struct batch *batch,
			     uint16_t *selection, uint32_t count)
{
	const uint16_t *a = test->row->column == COLUMN_SPORT ? batch->sport : batch->dport;
	const uint16_t *b = test->row->other == COLUMN_SPORT ? batch->sport : batch->dport;
	const bool negated = test->row->flags & PREDICATE_NEGATED;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint16_t row = selection[i];
		const uint8_t protocol = batch->protocol[row];

		selection[kept] = row;
		kept += (port_passes(test, protocol, a[row]) ||
			 port_passes(test, protocol, b[row])) != negated;
	}
	return kept;
}

static void release_ports(struct predicate *test)
{
	g_free(test->ports);
}

struct marked {
	uint8_t *ports;
	GHashTable *values;
};

static int mark_ports(void *arg, const struct pmap_range *range)
{
	const struct marked *marked = arg;

	if (!g_hash_table_contains(marked->values, GUINT_TO_POINTER(range->value))) {
		return 0;
	}
	for (uint64_t bit = range->first.lo; bit <= range->last.lo; bit++) {
		marked->ports[bit >> 3] |= (uint8_t)(1u << (bit & 7));
	}
	return 0;
}

uint8_t *predicate_map_ports(const struct pmap *pmap, GHashTable *values)
{
	struct marked marked = { .ports = g_malloc0(PORT_BYTES), .values = values };

	pmap_each_range(pmap, mark_ports, &marked);
	return marked.ports;
}

void predicate_set_ports(struct predicate *test, uint8_t *ports)
{
	test->ports = ports;
	test->narrow = narrow_ports;
	test->release = release_ports;
	test->cost = PREDICATE_COST_BLOCK;
	test->columns = COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(test->row->column) |
			COLUMN_BIT(test->row->other);
}

/* ---- maps of the user ---- */

void predicates_add_map(struct predicates **tests, const char *name, const struct pmap *pmap,
			enum predicate_sides sides, GHashTable *values)
{
	static const struct predicate_row address_rows[] = {
		[PREDICATE_SOURCE] = { .column = COLUMN_SIP, .other = COLUMN_SIP },
		[PREDICATE_DESTINATION] = { .column = COLUMN_DIP, .other = COLUMN_DIP },
		[PREDICATE_EITHER] = { .column = COLUMN_SIP, .other = COLUMN_DIP },
	};
	static const struct predicate_row port_rows[] = {
		[PREDICATE_SOURCE] = { .column = COLUMN_SPORT, .other = COLUMN_SPORT },
		[PREDICATE_DESTINATION] = { .column = COLUMN_DPORT, .other = COLUMN_DPORT },
		[PREDICATE_EITHER] = { .column = COLUMN_SPORT, .other = COLUMN_DPORT },
	};
	bool ports = pmap_kind(pmap) == PMAP_PROTO_PORT;
	struct predicate *test =
		predicates_append(tests, ports ? &port_rows[sides] : &address_rows[sides]);

	test->own_row = *test->row;
	test->own_row.name = name;
	test->row = &test->own_row;
	if (ports) {
		predicate_set_ports(test, predicate_map_ports(pmap, values));
	} else {
		set_ipset(test, predicate_map_addresses(pmap, values));
	}
}
