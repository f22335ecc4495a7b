/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/sensor.h"

#include <string.h>

#include "packer/classifier.h"
#include "packer/probe.h"

static const char *const network_names[NETWORKS] = {
	[NETWORK_NULL] = "null",
	[NETWORK_EXTERNAL] = "external",
	[NETWORK_INTERNAL] = "internal",
};

static int network_parse(const char *name)
{
	for (int network = 0; network < NETWORKS; network++) {
		if (strcmp(name, network_names[network]) == 0) {
			return network;
		}
	}
	return -1;
}

static void sensor_filter_clear(void *pointer)
{
	struct sensor_filter *filter = pointer;

	network_list_free(filter->list);
}

struct sensor *sensor_new(const char *name, uint16_t id)
{
	struct sensor *sensor = g_new0(struct sensor, 1);

	sensor->name = g_strdup(name);
	sensor->id = id;
	sensor->source_network = -1;
	sensor->destination_network = -1;
	sensor->filters = g_array_new(FALSE, FALSE, sizeof(struct sensor_filter));
	g_array_set_clear_func(sensor->filters, sensor_filter_clear);
	sensor->isp_ips = g_array_new(FALSE, FALSE, sizeof(struct ip));
	sensor->probes = g_ptr_array_new();
	return sensor;
}

void sensor_free(struct sensor *sensor)
{
	if (sensor) {
		classifier_free(sensor->classifier);
		for (int network = 0; network < NETWORKS; network++) {
			network_list_free(sensor->networks[network].list);
		}
		g_array_free(sensor->filters, TRUE);
		g_array_free(sensor->isp_ips, TRUE);
		g_ptr_array_free(sensor->probes, TRUE);
		g_free(sensor->name);
		g_free(sensor);
	}
}

static void sensor_add_group(struct network_list *list, const struct confline *line,
			     const char *name, GHashTable *groups, struct confreport *report)
{
	struct network_list *group = NULL;
	enum network_kind kind = network_list_kind(list);

	if (!g_hash_table_lookup_extended(groups, name, NULL, (gpointer *)&group)) {
		confreport_at(report, line, "Error in %s: group '%s' is not defined",
			      line->words[0].text, name);
	} else if (!group || network_list_kind(group) != kind) {
		confreport_at(report, line, "Error in %s: the '%s' group does not contain %s",
			      line->words[0].text, name, network_kind_names(kind));
	} else {
		network_list_add_list(list, group);
	}
}

void sensor_values(struct network_list **list, enum network_kind kind, const struct confline *line,
		   size_t first, GHashTable *groups, struct confreport *report)
{
	if (!*list) {
		*list = network_list_new(kind);
	}
	for (size_t i = first; i < line->count; i++) {
		const struct confword *word = &line->words[i];
		struct err err;

		if (word->text[0] == '@' && !word->quoted) {
			sensor_add_group(*list, line, word->text + 1, groups, report);
		} else if (network_list_add(*list, word->text, &err) != ST_OK) {
			confreport_at(report, line, "%s", err.text);
		}
	}
}

static void sensor_syntax_error(const struct sensor *sensor, const struct confline *line,
				struct confreport *report)
{
	confreport_at(report, line,
		      "Error in sensor %s: Missing \"end sensor\" or invalid keyword or value",
		      sensor->name);
}

/* Does a value list from word first on read well: quotes only around set files, remainder nowhere?
 */
static bool sensor_list_reads_well(const struct confline *line, size_t first, bool quotes)
{
	for (size_t i = first; i < line->count; i++) {
		if (line->words[i].quoted ? !quotes
					  : strcmp(line->words[i].text, "remainder") == 0) {
			return false;
		}
	}
	return true;
}

static void sensor_probes_statement(struct sensor *sensor, const struct confline *line, int type,
				    const struct sensor_scope *scope, struct confreport *report)
{
	for (size_t i = 1; i < line->count; i++) {
		const char *name = line->words[i].text;
		struct probe *probe = NULL;

		if (line->words[i].quoted || !probe_name_ok(name)) {
			sensor_syntax_error(sensor, line, report);
			continue;
		}
		for (guint p = 0; !probe && p < scope->probes->len; p++) {
			struct probe *known = g_ptr_array_index(scope->probes, p);

			probe = strcmp(known->name, name) == 0 ? known : NULL;
		}
		if (!probe) {
			probe = probe_new(name, (enum probe_type)type);
			probe->ephemeral = true;
			g_ptr_array_add(scope->probes, probe);
		}
		if (probe->type != (enum probe_type)type) {
			confreport_at(report, line,
				      "Attempt to use %s probe '%s' in a %s statement",
				      probe_type_name(probe->type), name, line->words[0].text);
		} else {
			g_ptr_array_add(sensor->probes, probe);
		}
	}
}

static void sensor_fixed_statement(struct sensor *sensor, const struct confline *line,
				   const struct sensor_scope *scope, struct confreport *report)
{
	const char *keyword = line->words[0].text;
	const char *value = line->count > 1 ? line->words[1].text : "";
	int *slot = keyword[0] == 's' ? &sensor->source_network : &sensor->destination_network;
	int network = network_parse(value);

	(void)scope;
	if (line->count < 2) {
		confreport_at(report, line, "Missing arguments for %s statement", keyword);
	} else if (line->count > 2 || line->words[1].quoted) {
		sensor_syntax_error(sensor, line, report);
	} else if (network < 0) {
		confreport_at(report, line,
			      "Cannot set %s for sensor '%s' because\n"
			      "\tthe '%s' network is not defined",
			      keyword, sensor->name, value);
	} else if (*slot >= 0 || sensor->networks[network].is_set) {
		if (*slot >= 0) {
			confreport_note(report,
					"Error setting %s on sensor '%s':\n"
					"\tCannot overwrite existing value",
					keyword, sensor->name);
		} else {
			confreport_note(report,
					"Error setting %s on sensor '%s':\n"
					"\tA %s-%s value has already been set",
					keyword, sensor->name, value,
					network_kind_name(sensor->networks[network].kind));
		}
		confreport_at(report, line, "Cannot set %s for sensor '%s' to %s", keyword,
			      sensor->name, value);
	} else {
		*slot = network;
	}
}

/* Why the sensor can have no list for network; NULL: it can. Returned: g_free(). */
static char *sensor_list_conflict(const struct sensor *sensor, enum network network)
{
	if (sensor->networks[network].is_set) {
		return g_strdup_printf("Cannot overwrite existing %s network value",
				       network_names[network]);
	}
	if (sensor->source_network == (int)network) {
		return g_strdup_printf("All flows are assumed to be coming from the %s network",
				       network_names[network]);
	}
	if (sensor->destination_network == (int)network) {
		return g_strdup_printf("All flows are assumed to be going to the %s network",
				       network_names[network]);
	}
	return NULL;
}

static void sensor_network_statement(struct sensor *sensor, const struct confline *line,
				     const char *name, enum network_kind kind,
				     const struct sensor_scope *scope, struct confreport *report)
{
	bool remainder = line->count == 2 && !line->words[1].quoted &&
			 strcmp(line->words[1].text, "remainder") == 0;
	int network = network_parse(name);
	char *conflict;

	if (!remainder && !sensor_list_reads_well(line, 1, kind == NETWORK_IPSETS)) {
		sensor_syntax_error(sensor, line, report);
		return;
	}
	if (network < 0) {
		confreport_at(report, line,
			      "Cannot set %s for sensor '%s' because\n"
			      "\tthe '%s' network is not defined",
			      line->words[0].text, sensor->name, name);
		return;
	}
	conflict = sensor_list_conflict(sensor, (enum network)network);
	if (conflict) {
		confreport_error(report, "Error setting %s on sensor '%s':\n\t%s",
				 network_kind_names(kind), sensor->name, conflict);
		g_free(conflict);
		return;
	}
	sensor->networks[network].is_set = true;
	sensor->networks[network].kind = kind;
	sensor->networks[network].remainder = remainder;
	if (!remainder) {
		sensor_values(&sensor->networks[network].list, kind, line, 1, scope->groups,
			      report);
		network_list_finish(sensor->networks[network].list);
	}
}

/* "any-ipblocks" to side and kind. */
static bool sensor_filter_parse(const char *word, enum filter_side *side, enum network_kind *kind)
{
	static const char *const sides[FILTER_SIDES] = {
		[FILTER_SOURCE] = "source-",
		[FILTER_DESTINATION] = "destination-",
		[FILTER_ANY] = "any-",
	};

	for (int i = 0; i < FILTER_SIDES; i++) {
		if (g_str_has_prefix(word, sides[i])) {
			int parsed = network_kind_parse(word + strlen(sides[i]));

			*side = (enum filter_side)i;
			*kind = (enum network_kind)MAX(parsed, 0);
			return parsed >= 0;
		}
	}
	return false;
}

static void sensor_discard_statement(struct sensor *sensor, const struct confline *line,
				     const struct sensor_scope *scope, struct confreport *report)
{
	const char *keyword = line->words[0].text;
	struct sensor_filter filter = { .unless = strcmp(keyword, "discard-unless") == 0 };
	enum network_kind kind = NETWORK_INTERFACES;

	if (line->count < 2 || !sensor_filter_parse(line->words[1].text, &filter.side, &kind)) {
		confreport_at(report, line, "Missing or invalid type for %s", keyword);
		return;
	}
	if (line->count < 3) {
		confreport_at(report, line, "Missing arguments for %s statement", keyword);
		return;
	}
	if (line->words[1].comma || !sensor_list_reads_well(line, 2, kind == NETWORK_IPSETS)) {
		sensor_syntax_error(sensor, line, report);
		return;
	}
	for (guint i = 0; i < sensor->filters->len; i++) {
		const struct sensor_filter *have =
			&g_array_index(sensor->filters, struct sensor_filter, i);

		if (have->side == filter.side && network_list_kind(have->list) == kind) {
			confreport_error(report,
					 "Error setting %s list on sensor '%s':\n"
					 "\tMay not overwrite existing %s list",
					 keyword, sensor->name, line->words[1].text);
			return;
		}
	}
	sensor_values(&filter.list, kind, line, 2, scope->groups, report);
	network_list_finish(filter.list);
	g_array_append_val(sensor->filters, filter);
}

static void sensor_isp_statement(struct sensor *sensor, const struct confline *line,
				 const struct sensor_scope *scope, struct confreport *report)
{
	(void)scope;
	if (line->count < 2) {
		confreport_at(report, line, "Missing arguments for %s statement",
			      line->words[0].text);
		return;
	}
	if (sensor->isp_ips->len > 0) {
		confreport_at(report, line,
			      "Attempt to overwrite previous isp-ip value for sensor '%s'",
			      sensor->name);
		return;
	}
	for (size_t i = 1; i < line->count; i++) {
		struct err err;
		struct ip ip;
		bool is_v6 = false; /* left alone by a text that is no address */

		if (ip_parse(line->words[i].text, &ip, &is_v6, &err) != ST_OK || is_v6) {
			confreport_at(report, line, "Invalid IP addresses '%s'%s%s",
				      line->words[i].text, is_v6 ? "" : ": ",
				      is_v6 ? "" : err.text);
			return;
		}
		g_array_append_val(sensor->isp_ips, ip);
	}
}

/* NET-KIND or TYPE-probes: the word before the last hyphen says which. */
static void sensor_hyphen_statement(struct sensor *sensor, const struct confline *line,
				    const struct sensor_scope *scope, struct confreport *report)
{
	const char *keyword = line->words[0].text;
	const char *dash = strrchr(keyword, '-');
	bool probes = dash && strcmp(dash, "-probes") == 0;
	int kind = dash ? network_kind_parse(dash + 1) : -1;
	char *name = dash ? g_strndup(keyword, (gsize)(dash - keyword)) : NULL;

	if (!probes && kind < 0) {
		confreport_at(report, line, "Unrecognized keyword '%s'", keyword);
	} else if (probes && probe_type_parse(name) < 0) {
		confreport_at(report, line, "Do not recognize probe type '%s'", name);
	} else if (line->count < 2) {
		confreport_at(report, line, "Missing arguments for %s statement", keyword);
	} else if (probes) {
		sensor_probes_statement(sensor, line, probe_type_parse(name), scope, report);
	} else {
		sensor_network_statement(sensor, line, name, (enum network_kind)kind, scope,
					 report);
	}
	g_free(name);
}

static const struct sensor_statement_row {
	const char *name;
	void (*parse)(struct sensor *, const struct confline *, const struct sensor_scope *,
		      struct confreport *);
} sensor_statements[] = {
	{ "destination-network", sensor_fixed_statement },
	{ "discard-unless", sensor_discard_statement },
	{ "discard-when", sensor_discard_statement },
	{ "isp-ip", sensor_isp_statement },
	{ "isp-ips", sensor_isp_statement },
	{ "source-network", sensor_fixed_statement },
};

void sensor_statement(struct sensor *sensor, const struct confline *line,
		      const struct sensor_scope *scope, struct confreport *report)
{
	if (line->words[0].quoted || line->stray_comma) {
		sensor_syntax_error(sensor, line, report);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(sensor_statements); i++) {
		if (strcmp(line->words[0].text, sensor_statements[i].name) == 0) {
			sensor_statements[i].parse(sensor, line, scope, report);
			return;
		}
	}
	sensor_hyphen_statement(sensor, line, scope, report);
}

/* ---- verification (silk-packing.md 2.7) ---- */

/* Two networks with lists of different kinds; interfaces for the null network go with any. */
static int sensor_verify_kinds(const struct sensor *sensor, struct err *err)
{
	bool used[NETWORK_KINDS] = { false };
	int first = -1;

	for (int network = 0; network < NETWORKS; network++) {
		const struct sensor_network *at = &sensor->networks[network];

		if (at->is_set && !(network == NETWORK_NULL && at->kind == NETWORK_INTERFACES)) {
			used[at->kind] = true;
		}
	}
	for (int kind = 0; kind < NETWORK_KINDS; kind++) {
		if (!used[kind]) {
			continue;
		}
		if (first >= 0) {
			return err_set(err, ST_EINVAL, "Cannot mix <NET>-%s and <NET>-%s",
				       network_kind_name((enum network_kind)first),
				       network_kind_name((enum network_kind)kind));
		}
		first = kind;
	}
	return ST_OK;
}

static int sensor_verify_remainder(const struct sensor *sensor, struct err *err)
{
	const struct sensor_network *remainder = NULL;

	for (int network = 0; network < NETWORKS; network++) {
		const struct sensor_network *at = &sensor->networks[network];

		if (at->remainder && remainder) {
			return err_set(err, ST_EINVAL,
				       "Only one network value may use 'remainder'");
		}
		remainder = at->remainder ? at : remainder;
	}
	if (!remainder || remainder->kind == NETWORK_INTERFACES) {
		return ST_OK;
	}
	for (int network = 0; network < NETWORKS; network++) {
		const struct sensor_network *at = &sensor->networks[network];

		if (at->list && at->kind == remainder->kind) {
			return ST_OK;
		}
	}
	return err_set(err, ST_EINVAL, "Cannot set %s to remainder when no other networks hold %s",
		       network_kind_names(remainder->kind),
		       remainder->kind == NETWORK_IPBLOCKS ? "IP blocks" : "IP sets");
}

/* When only one of the two is described, the other is all the rest. */
static void sensor_imply_remainder(struct sensor *sensor)
{
	struct sensor_network *external = &sensor->networks[NETWORK_EXTERNAL];
	struct sensor_network *internal = &sensor->networks[NETWORK_INTERNAL];
	struct sensor_network *missing = external->is_set ? internal : external;
	const struct sensor_network *given = external->is_set ? external : internal;

	if (external->is_set != internal->is_set && !given->remainder &&
	    !sensor->networks[NETWORK_NULL].remainder) {
		*missing = (struct sensor_network){
			.is_set = true,
			.remainder = true,
			.kind = given->kind,
		};
	}
}

static int sensor_verify_generic(const struct sensor *sensor, struct err *err)
{
	if (sensor->probes->len != 1) {
		return err_set(err, ST_EINVAL, "Must have exactly one probe but has %u",
			       sensor->probes->len);
	}
	for (guint i = 0; i < sensor->probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(sensor->probes, i);

		if (probe->type == PROBE_SFLOW || probe->type == PROBE_SILK) {
			return err_set(err, ST_EINVAL, "Probes of type %s are not usable here",
				       probe_type_name(probe->type));
		}
	}
	if (!sensor->networks[NETWORK_EXTERNAL].is_set) {
		return err_set(err, ST_EINVAL,
			       "Must specify external-interfaces, external-ipblocks, or "
			       "external-ipsets");
	}
	return ST_OK;
}

static int sensor_verify_networks(struct sensor *sensor, enum packlogic logic, struct err *err)
{
	int st = ST_OK;

	if (logic == PACKLOGIC_GENERIC) {
		st = sensor_verify_generic(sensor, err);
	} else if (sensor->source_network >= 0 && sensor->destination_network >= 0) {
		return ST_OK;
	} else if (!sensor->networks[NETWORK_EXTERNAL].is_set &&
		   !sensor->networks[NETWORK_INTERNAL].is_set) {
		st = err_set(
			err, ST_EINVAL,
			"Must specify source-network and destination-network, or at least one\n"
			"\tof external- and internal-interface, external- and internal-ipblock, "
			"or external- and internal-ipset");
	}
	if (st == ST_OK) {
		st = sensor_verify_kinds(sensor, err);
	}
	if (st == ST_OK) {
		st = sensor_verify_remainder(sensor, err);
	}
	if (st == ST_OK && logic == PACKLOGIC_TWOWAY) {
		sensor_imply_remainder(sensor);
	}
	return st;
}

int sensor_verify(struct sensor *sensor, enum packlogic logic, struct err *err)
{
	int st = sensor_verify_networks(sensor, logic, err);

	if (st == ST_OK) {
		sensor->classifier = classifier_new(sensor, logic);
	}
	return st;
}
