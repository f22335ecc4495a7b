/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/classify.h"

#include <string.h>

#include "storage/header.h"

static const struct packlogic_row {
	const char *name;
	bool filters; /* discard-when and discard-unless count */
	int types;    /* the site's class "all" has this many */
} packlogics[PACKLOGICS] = {
	[PACKLOGIC_TWOWAY] = { "packlogic-twoway", true, TYPE_COUNT },
	[PACKLOGIC_GENERIC] = { "packlogic-generic", false, TYPE_OUTNULL + 1 },
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

static bool sensor_discards(const struct sensor *sensor, const struct record *rec)
{
	const bool is_v6 = record_is_ipv6(rec);

	for (guint i = 0; i < sensor->filters->len; i++) {
		const struct sensor_filter *filter =
			&g_array_index(sensor->filters, struct sensor_filter, i);
		bool match = (filter->side != FILTER_DESTINATION &&
			      network_list_has(filter->list, rec->sip, is_v6, rec->input)) ||
			     (filter->side != FILTER_SOURCE &&
			      network_list_has(filter->list, rec->dip, is_v6, rec->output));

		if (match != filter->unless) {
			return true;
		}
	}
	return false;
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
	bool web = classifier_is_web(rec);
	size_t count = 0;

	for (guint i = 0; i < probe->sensors->len && count < CLASSIFY_OUTPUTS_MAX; i++) {
		const struct sensor *sensor = g_ptr_array_index(probe->sensors, i);
		uint8_t type;

		if (packlogics[logic].filters && sensor_discards(sensor, rec)) {
			continue;
		}
		type = classifier_type(sensor->classifier, rec, web);
		if (probe->quirks & PROBE_QUIRK_FIREWALL_EVENT) {
			type = firewall_type(type, rec->memo);
		}
		outputs[count++] =
			(struct classify_output){ .flowtype = type, .sensor = sensor->id };
	}
	return count;
}

bool classify_takes_rows(enum packlogic logic, const struct probe *probe)
{
	const struct sensor *sensor;

	if (probe->sensors->len != 1 || (probe->quirks & PROBE_QUIRK_FIREWALL_EVENT)) {
		return false;
	}
	sensor = g_ptr_array_index(probe->sensors, 0);
	return !packlogics[logic].filters || sensor->filters->len == 0;
}

void classify_rows(const struct probe *probe, struct flowblock_row *rows, size_t count)
{
	const struct sensor *sensor = g_ptr_array_index(probe->sensors, 0);

	classifier_file_rows(sensor->classifier, rows, count);
}

uint8_t classify_format(enum packlogic logic, const struct probe *probe, uint8_t flowtype)
{
	if (logic != PACKLOGIC_TWOWAY || !probe->short_formats) {
		return 0;
	}
	return flowtype == TYPE_INWEB || flowtype == TYPE_OUTWEB ? FORMAT_RWWWW : FORMAT_RWSPLIT;
}
