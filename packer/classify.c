/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/classify.h"

#include <string.h>

#include "storage/header.h"

/* Bits for the networks that an end of a record lies in, and that a row of a table asks for. */
#define IN_NULL     (1U << NETWORK_NULL)
#define IN_EXTERNAL (1U << NETWORK_EXTERNAL)
#define IN_INTERNAL (1U << NETWORK_INTERNAL)
#define IN_ANY      (1U << NETWORKS) /* where every end lies */

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

static const struct packlogic_row {
	const char *name;
	const struct decision *decisions;
	uint8_t decision_count; /* the last one fits everything */
	bool filters;           /* discard-when and discard-unless count */
	int types;              /* the site's class "all" has this many */
} packlogics[PACKLOGICS] = {
	[PACKLOGIC_TWOWAY] = { "packlogic-twoway", twoway_decisions, G_N_ELEMENTS(twoway_decisions),
			       true, TYPE_COUNT },
	[PACKLOGIC_GENERIC] = { "packlogic-generic", generic_decisions,
				G_N_ELEMENTS(generic_decisions), false, TYPE_OUTNULL + 1 },
};

static const char *const type_names[TYPE_COUNT] = {
	[TYPE_IN] = "in",           [TYPE_OUT] = "out",         [TYPE_INWEB] = "inweb",
	[TYPE_OUTWEB] = "outweb",   [TYPE_INNULL] = "innull",   [TYPE_OUTNULL] = "outnull",
	[TYPE_INT2INT] = "int2int", [TYPE_EXT2EXT] = "ext2ext", [TYPE_INICMP] = "inicmp",
	[TYPE_OUTICMP] = "outicmp", [TYPE_OTHER] = "other",
};

int packlogic_parse(const char *name, enum packlogic *out, struct err *err)
{
	char *base = g_path_get_basename(name);
	int st = ST_EINVAL;

	if (g_str_has_suffix(base, ".so")) {
		base[strlen(base) - 3] = '\0';
	}
	for (int logic = 0; logic < PACKLOGICS; logic++) {
		const char *known = packlogics[logic].name;

		if (strcmp(base, known) == 0 || strcmp(base, strchr(known, '-') + 1) == 0) {
			*out = (enum packlogic)logic;
			st = ST_OK;
		}
	}
	g_free(base);
	return st == ST_OK ? st
			   : err_set(err, st,
				     "unknown packing logic '%s': packlogic-twoway and "
				     "packlogic-generic are built in",
				     name);
}

const char *packlogic_name(enum packlogic logic)
{
	return packlogics[logic].name;
}

int packlogic_check_site(enum packlogic logic, const struct site *site, struct err *err)
{
	int class_id = site_class_id(site, "all");

	if (class_id < 0) {
		return err_set(err, ST_EINVAL, "%s needs a class 'all', which the site has not",
			       packlogics[logic].name);
	}
	for (int type = 0; type < packlogics[logic].types; type++) {
		int id = site_flowtype_of(site, class_id, type_names[type]);

		if (id != type) {
			return err_set(
				err, ST_EINVAL,
				"%s needs type '%s' of class 'all' to have id %d; the site %s",
				packlogics[logic].name, type_names[type], type,
				id < 0 ? "has no such type" : "gives it another");
		}
	}
	for (int id = 0; id <= site_flowtype_max(site); id++) {
		if (id >= packlogics[logic].types && site_flowtype_class(site, id) == class_id) {
			return err_set(err, ST_EINVAL,
				       "%s knows no type '%s' (id %d) of class 'all'",
				       packlogics[logic].name, site_flowtype_type(site, id), id);
		}
	}
	return ST_OK;
}

/* One end of a record; ip is borrowed from it. */
struct record_end {
	const struct ip *ip;
	uint32_t interface;
	bool is_v6;
};

static bool end_in_list(const struct record_end *end, const struct network_list *list)
{
	return network_list_kind(list) == NETWORK_INTERFACES
		       ? network_list_has_interface(list, end->interface)
		       : network_list_has_ip(list, *end->ip, end->is_v6);
}

/* Is it in none of the lists (bits) of the kind that the remainder is of? silk-packing.md 2.8 */
static bool is_remainder(const struct sensor *sensor, const struct sensor_network *at,
			 unsigned listed)
{
	for (int other = 0; other < NETWORKS; other++) {
		if ((listed & 1U << other) &&
		    network_list_kind(sensor->networks[other].list) == at->kind) {
			return false;
		}
	}
	return true;
}

/* The networks of the sensor that the end lies in; the sensor may fix that (else fixed is -1). */
static unsigned end_networks(const struct sensor *sensor, const struct record_end *end, int fixed)
{
	unsigned listed = 0;
	unsigned networks = IN_ANY;

	if (fixed >= 0) {
		return IN_ANY | 1U << fixed;
	}
	for (int network = 0; network < NETWORKS; network++) {
		const struct network_list *list = sensor->networks[network].list;

		if (list && end_in_list(end, list)) {
			listed |= 1U << network;
		}
	}
	for (int network = 0; network < NETWORKS; network++) {
		const struct sensor_network *at = &sensor->networks[network];

		if (!at->list && at->remainder && is_remainder(sensor, at, listed)) {
			networks |= 1U << network;
		}
	}
	return networks | listed;
}

/* All rows are looked at: which one it will be cannot be foreseen, and waiting for that costs more.
 */
static const struct decision *decide(const struct packlogic_row *logic, unsigned source,
				     unsigned destination)
{
	unsigned fits = 0;

	for (unsigned i = 0; i < logic->decision_count; i++) {
		const struct decision *row = &logic->decisions[i];

		fits |= (unsigned)(!!(row->source & source) & !!(row->destination & destination))
			<< i;
	}
	return &logic->decisions[__builtin_ctz(fits)];
}

static bool sensor_discards(const struct sensor *sensor, const struct record_end *source,
			    const struct record_end *destination)
{
	for (guint i = 0; i < sensor->filters->len; i++) {
		const struct sensor_filter *filter =
			&g_array_index(sensor->filters, struct sensor_filter, i);
		bool match =
			(filter->side != FILTER_DESTINATION && end_in_list(source, filter->list)) ||
			(filter->side != FILTER_SOURCE && end_in_list(destination, filter->list));

		if (match != filter->unless) {
			return true;
		}
	}
	return false;
}

static bool is_web_port(uint16_t port)
{
	return (port == 80) | (port == 443) | (port == 8080);
}

static bool record_is_web(const struct record *rec)
{
	return (rec->protocol == 6) & (is_web_port(rec->sport) | is_web_port(rec->dport));
}

/* Code of a firewall event in the memo: what becomes of the type (silk-packing.md 3.4). */
static uint8_t firewall_type(uint8_t type, uint16_t memo)
{
	static const struct {
		uint16_t memo;
		bool always; /* for any type; else by the table of types */
		uint8_t type;
	} events[] = {
		{ 3, false, 0 },    { 1001, true, TYPE_INNULL }, { 1002, true, TYPE_OUTNULL },
		{ 1003, false, 0 }, { 1004, false, 0 },
	};
	static const uint8_t denied[TYPE_COUNT] = {
		[TYPE_IN] = TYPE_INNULL,       [TYPE_OUT] = TYPE_OUTNULL,
		[TYPE_INWEB] = TYPE_INNULL,    [TYPE_OUTWEB] = TYPE_OUTNULL,
		[TYPE_INNULL] = TYPE_INNULL,   [TYPE_OUTNULL] = TYPE_OUTNULL,
		[TYPE_INT2INT] = TYPE_OUTNULL, [TYPE_EXT2EXT] = TYPE_INNULL,
		[TYPE_INICMP] = TYPE_INNULL,   [TYPE_OUTICMP] = TYPE_OUTNULL,
		[TYPE_OTHER] = TYPE_OTHER,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
		if (memo == events[i].memo) {
			return events[i].always ? events[i].type : denied[type];
		}
	}
	return type;
}

size_t classify(enum packlogic logic, const struct probe *probe, const struct record *rec,
		struct classify_output *outputs)
{
	const struct packlogic_row *row = &packlogics[logic];
	const bool is_v6 = record_is_ipv6(rec);
	const struct record_end source = { &rec->sip, rec->input, is_v6 };
	const struct record_end destination = { &rec->dip, rec->output, is_v6 };
	bool web = record_is_web(rec);
	size_t count = 0;

	for (guint i = 0; i < probe->sensors->len && count < CLASSIFY_OUTPUTS_MAX; i++) {
		const struct sensor *sensor = g_ptr_array_index(probe->sensors, i);
		const struct decision *decision;
		uint8_t type;

		if (row->filters && sensor_discards(sensor, &source, &destination)) {
			continue;
		}
		decision = decide(row, end_networks(sensor, &source, sensor->source_network),
				  end_networks(sensor, &destination, sensor->destination_network));
		type = web ? decision->web_type : decision->type;
		if (probe->quirks & PROBE_QUIRK_FIREWALL_EVENT) {
			type = firewall_type(type, rec->memo);
		}
		outputs[count++] =
			(struct classify_output){ .flowtype = type, .sensor = sensor->id };
	}
	return count;
}

/* Only NetFlow v5 knows nothing that the short formats cannot hold; and they name one sensor. */
uint8_t classify_format(enum packlogic logic, const struct probe *probe, uint8_t flowtype)
{
	if (logic != PACKLOGIC_TWOWAY || probe->type != PROBE_NETFLOW_V5 ||
	    probe->sensors->len != 1 || (probe->quirks & PROBE_QUIRK_ZERO_PACKETS)) {
		return 0;
	}
	return flowtype == TYPE_INWEB || flowtype == TYPE_OUTWEB ? FORMAT_RWWWW : FORMAT_RWSPLIT;
}
