/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/classifier.h"

#include <string.h>

/* Bits for the networks that an end of a record lies in, and that a row of a table asks for. */
#define IN_NULL     (1U << NETWORK_NULL)
#define IN_EXTERNAL (1U << NETWORK_EXTERNAL)
#define IN_INTERNAL (1U << NETWORK_INTERNAL)
#define IN_ANY      (1U << NETWORKS) /* where every end lies */
#define IN_SETS     (1U << NETWORKS) /* sets of the networks proper */

#define PAGES      256 /* of addresses with the same first byte */
#define PAGE       256 /* second bytes */
#define PAGE_MIXED 255 /* not all addresses that begin so lie in the same networks */

/* A row says: source in this network, destination in that one; the first row that fits wins. */
struct decision {
	uint8_t source;
	uint8_t destination;
	uint8_t type;
	uint8_t web_type; /* when a side is a web server */
};

/* silk-packing.md 3.1 */
static const struct decision twoway_decisions[] = {
	{ IN_EXTERNAL, IN_NULL, TYPE_INNULL, TYPE_INNULL },
	{ IN_EXTERNAL, IN_INTERNAL, TYPE_IN, TYPE_INWEB },
	{ IN_EXTERNAL, IN_EXTERNAL, TYPE_EXT2EXT, TYPE_EXT2EXT },
	{ IN_EXTERNAL, IN_ANY, TYPE_OTHER, TYPE_OTHER },
	{ IN_INTERNAL, IN_NULL, TYPE_OUTNULL, TYPE_OUTNULL },
	{ IN_INTERNAL, IN_EXTERNAL, TYPE_OUT, TYPE_OUTWEB },
	{ IN_INTERNAL, IN_INTERNAL, TYPE_INT2INT, TYPE_INT2INT },
	{ IN_INTERNAL, IN_ANY, TYPE_OTHER, TYPE_OTHER },
	{ IN_ANY, IN_ANY, TYPE_OTHER, TYPE_OTHER },
};

/* silk-packing.md 3.2 */
static const struct decision generic_decisions[] = {
	{ IN_EXTERNAL, IN_NULL, TYPE_INNULL, TYPE_INNULL },
	{ IN_EXTERNAL, IN_ANY, TYPE_IN, TYPE_INWEB },
	{ IN_ANY, IN_NULL, TYPE_OUTNULL, TYPE_OUTNULL },
	{ IN_ANY, IN_ANY, TYPE_OUT, TYPE_OUTWEB },
};

/* The last row of each fits everything. */
static const struct decision *const decisions[PACKLOGICS] = {
	[PACKLOGIC_TWOWAY] = twoway_decisions,
	[PACKLOGIC_GENERIC] = generic_decisions,
};

struct classifier {
	const struct sensor *sensor;
	bool by_interface;                  /* a network is of interfaces */
	bool paged;                         /* the pages are there */
	uint8_t types[2][IN_SETS][IN_SETS]; /* web, source, destination */
	uint8_t page_of[PAGES];
	uint8_t pages[][PAGE]; /* networks; as many as there are different ones */
};

/* One end of a record. */
struct record_end {
	struct ip ip;
	uint32_t interface;
	bool is_v6;
};

static bool is_of_interfaces(const struct sensor_network *at)
{
	return at->is_set && at->kind == NETWORK_INTERFACES;
}

/* Is it in none of the lists (bits) of the kind that the remainder is of? silk-packing.md 2.8 */
static bool is_remainder(const struct sensor *sensor, const struct sensor_network *at,
			 unsigned listed)
{
	for (int other = 0; other < NETWORKS; other++) {
		if ((listed & 1U << other) && sensor->networks[other].kind == at->kind) {
			return false;
		}
	}
	return true;
}

/* The networks that the end lies in, of those that are of interfaces, or of the others. */
static unsigned find_networks(const struct sensor *sensor, const struct record_end *end,
			      bool of_interfaces)
{
	unsigned listed = 0;
	unsigned networks = 0;

	for (int network = 0; network < NETWORKS; network++) {
		const struct sensor_network *at = &sensor->networks[network];

		if (at->list && is_of_interfaces(at) == of_interfaces &&
		    network_list_has(at->list, end->ip, end->is_v6, end->interface)) {
			listed |= 1U << network;
		}
	}
	for (int network = 0; network < NETWORKS; network++) {
		const struct sensor_network *at = &sensor->networks[network];

		if (!at->list && at->remainder && is_of_interfaces(at) == of_interfaces &&
		    is_remainder(sensor, at, listed)) {
			networks |= 1U << network;
		}
	}
	return networks | listed;
}

/* ---- preparing ---- */

static const struct decision *decide(enum packlogic logic, unsigned source, unsigned destination)
{
	const struct decision *row = decisions[logic];

	while (!(row->source & (source | IN_ANY)) || !(row->destination & (destination | IN_ANY))) {
		row++;
	}
	return row;
}

static void prepare_types(struct classifier *classifier, enum packlogic logic)
{
	for (unsigned source = 0; source < IN_SETS; source++) {
		for (unsigned destination = 0; destination < IN_SETS; destination++) {
			const struct decision *row = decide(logic, source, destination);

			classifier->types[false][source][destination] = row->type;
			classifier->types[true][source][destination] = row->web_type;
		}
	}
}

/* The pages that are alike are kept once. */
static uint8_t keep_page(struct classifier *classifier, const uint8_t page[PAGE], unsigned *count)
{
	for (unsigned i = 0; i < *count; i++) {
		if (memcmp(classifier->pages[i], page, PAGE) == 0) {
			return (uint8_t)i;
		}
	}
	memcpy(classifier->pages[*count], page, PAGE);
	return (uint8_t)(*count)++;
}

/* Returns how many there are. */
static unsigned prepare_pages(struct classifier *classifier, const uint8_t *marks)
{
	uint8_t page[PAGE];
	uint8_t networks = PAGE_MIXED;
	unsigned count = 0;

	for (unsigned prefix = 0; prefix < NETWORK_PREFIXES; prefix++) {
		const struct record_end end = { .ip = ip_from_v4(prefix << 16) };

		if (marks[prefix] & NETWORK_MIXED) {
			networks = PAGE_MIXED;
		} else if (networks == PAGE_MIXED || marks[prefix] & NETWORK_EDGE) {
			networks = (uint8_t)find_networks(classifier->sensor, &end, false);
		}
		page[prefix % PAGE] = networks;
		if (prefix % PAGE == PAGE - 1) {
			classifier->page_of[prefix / PAGE] = keep_page(classifier, page, &count);
		}
	}
	classifier->paged = true;
	return count;
}

struct classifier *classifier_new(const struct sensor *sensor, enum packlogic logic)
{
	struct classifier *classifier = g_malloc0(sizeof(*classifier) + PAGES * PAGE);
	uint8_t *marks = g_new0(uint8_t, NETWORK_PREFIXES);
	unsigned pages = 0;
	bool paged = true;

	classifier->sensor = sensor;
	for (int network = 0; network < NETWORKS; network++) {
		const struct sensor_network *at = &sensor->networks[network];

		classifier->by_interface |= is_of_interfaces(at);
		if (at->list && !is_of_interfaces(at)) {
			paged &= network_list_mark(at->list, marks);
		}
	}
	prepare_types(classifier, logic);
	if (paged) {
		pages = prepare_pages(classifier, marks);
	}
	g_free(marks);
	return g_realloc(classifier, sizeof(*classifier) + pages * PAGE);
}

void classifier_free(struct classifier *classifier)
{
	g_free(classifier);
}

/* ---- records ---- */

/* The networks of an IPv4 address by its page; PAGE_MIXED: more of it must be looked at. */
static inline unsigned page_networks(const struct classifier *classifier, struct ip ip)
{
	uint32_t v4 = ip_to_v4(ip);

	return classifier->pages[classifier->page_of[v4 >> 24]][v4 >> 16 & 0xff];
}

/*
 * What the sensor has fixed for this end (else fixed is -1) comes to the networks whose lists have it
 * (silk-packing.md 2.8); which of them counts is for the table.
 */
static inline unsigned end_networks(const struct classifier *classifier, struct ip ip,
				    uint32_t interface, bool is_v6, int fixed)
{
	const struct record_end end = { ip, interface, is_v6 };
	unsigned networks = PAGE_MIXED;

	if (classifier->paged && !is_v6 && ip_is_mapped(ip)) {
		networks = page_networks(classifier, ip);
	}
	if (networks == PAGE_MIXED) {
		networks = find_networks(classifier->sensor, &end, false);
	}
	if (classifier->by_interface) {
		networks |= find_networks(classifier->sensor, &end, true);
	}
	return fixed >= 0 ? networks | 1U << fixed : networks;
}

uint8_t classifier_type(const struct classifier *classifier, const struct record *rec, bool web)
{
	const struct sensor *sensor = classifier->sensor;
	const bool is_v6 = record_is_ipv6(rec);
	unsigned source =
		end_networks(classifier, rec->sip, rec->input, is_v6, sensor->source_network);
	unsigned destination =
		end_networks(classifier, rec->dip, rec->output, is_v6, sensor->destination_network);

	return classifier->types[web][source][destination];
}

/* Do pages say all there is to know of most addresses? */
static bool goes_by_pages(const struct classifier *classifier)
{
	return classifier->paged && !classifier->by_interface &&
	       classifier->sensor->source_network < 0 &&
	       classifier->sensor->destination_network < 0;
}

void classifier_file_rows(const struct classifier *classifier, struct flowblock_row *rows,
			  size_t count)
{
	const bool by_pages = goes_by_pages(classifier);
	const uint16_t sensor = classifier->sensor->id;

	for (size_t i = 0; i < count; i++) {
		struct record *rec = &rows[i].rec;
		const bool web = classifier_is_web(rec);
		unsigned source = PAGE_MIXED;
		unsigned destination = PAGE_MIXED;

		if (by_pages && !record_is_ipv6(rec) && ip_is_mapped(rec->sip) &&
		    ip_is_mapped(rec->dip)) {
			source = page_networks(classifier, rec->sip);
			destination = page_networks(classifier, rec->dip);
		}
		rec->flowtype = source == PAGE_MIXED || destination == PAGE_MIXED
					? classifier_type(classifier, rec, web)
					: classifier->types[web][source][destination];
		rec->sensor = sensor;
		rec->memo = 0;
	}
}
