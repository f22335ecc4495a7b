/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/exporteroptions.h"

#include <string.h>
#include <xxhash.h>

#include "packer/statebytes.h"
#include "storage/labels.h"

/* With their keys and places in the tables. */
#define OPTIONS_INTERVAL_COST 112
#define OPTIONS_NAME_COST     (112 + EXPORTEROPTIONS_NAME_MAX)

struct exporteroptions {
	struct budget *budget;
	GHashTable *intervals; /* key_of() -> uint64_t */
	GHashTable *names;     /* the same -> text */
	uint64_t boot_ms;      /* 0: not known */
};

/* Elements and scopes that are looked at. */
enum options_slot {
	OPTIONS_SCOPE_INTERFACE,
	OPTIONS_INPUT,
	OPTIONS_OUTPUT,
	OPTIONS_INTERVAL,
	OPTIONS_ALGORITHM,
	OPTIONS_SAMPLER,
	OPTIONS_SAMPLER_MODE,
	OPTIONS_SAMPLER_INTERVAL,
	OPTIONS_SELECTOR,
	OPTIONS_PACKET_INTERVAL,
	OPTIONS_PACKET_SPACE,
	OPTIONS_SIZE,
	OPTIONS_POPULATION,
	OPTIONS_PROBABILITY,
	OPTIONS_SELECTOR_ALGORITHM,
	OPTIONS_BOOT_MS,
	OPTIONS_APPLICATION,
	OPTIONS_INGRESS_VRF,
	OPTIONS_EGRESS_VRF,
	OPTIONS_INTERFACE_NAME,
	OPTIONS_INTERFACE_DESCRIPTION,
	OPTIONS_APPLICATION_NAME,
	OPTIONS_VRF_NAME,
	OPTIONS_SLOTS,
};

static const struct {
	uint32_t enterprise;
	uint16_t number;
} options_elements[OPTIONS_SLOTS] = {
	[OPTIONS_SCOPE_INTERFACE] = { TEMPLATE_PEN_SCOPE, TEMPLATE_SCOPE_INTERFACE },
	[OPTIONS_INPUT] = { 0, 10 },
	[OPTIONS_OUTPUT] = { 0, 14 },
	[OPTIONS_INTERVAL] = { 0, 34 },
	[OPTIONS_ALGORITHM] = { 0, 35 },
	[OPTIONS_SAMPLER] = { 0, 48 },
	[OPTIONS_SAMPLER_MODE] = { 0, 49 },
	[OPTIONS_SAMPLER_INTERVAL] = { 0, 50 },
	[OPTIONS_SELECTOR] = { 0, 302 },
	[OPTIONS_PACKET_INTERVAL] = { 0, 305 },
	[OPTIONS_PACKET_SPACE] = { 0, 306 },
	[OPTIONS_SIZE] = { 0, 309 },
	[OPTIONS_POPULATION] = { 0, 310 },
	[OPTIONS_PROBABILITY] = { 0, 311 },
	[OPTIONS_SELECTOR_ALGORITHM] = { 0, 304 },
	[OPTIONS_BOOT_MS] = { 0, 160 },
	[OPTIONS_APPLICATION] = { 0, 95 },
	[OPTIONS_INGRESS_VRF] = { 0, 234 },
	[OPTIONS_EGRESS_VRF] = { 0, 235 },
	[OPTIONS_INTERFACE_NAME] = { 0, 82 },
	[OPTIONS_INTERFACE_DESCRIPTION] = { 0, 83 },
	[OPTIONS_APPLICATION_NAME] = { 0, 96 },
	[OPTIONS_VRF_NAME] = { 0, 236 },
};

struct options_values {
	bool has[OPTIONS_SLOTS];
	struct template_bytes bytes[OPTIONS_SLOTS];
	uint64_t numbers[OPTIONS_SLOTS]; /* the last eight bytes */
};

/* GLib's takes the low half alone, where all applications of many engines may be the same. */
static guint options_hash(gconstpointer key)
{
	return (guint)XXH3_64bits(key, sizeof(gint64));
}

struct exporteroptions *exporteroptions_new(struct budget *budget)
{
	struct exporteroptions *options = g_new0(struct exporteroptions, 1);

	options->budget = budget;
	options->intervals = g_hash_table_new_full(options_hash, g_int64_equal, g_free, g_free);
	options->names = g_hash_table_new_full(options_hash, g_int64_equal, g_free, g_free);
	return options;
}

void exporteroptions_free(struct exporteroptions *options)
{
	if (options) {
		budget_give(options->budget,
			    g_hash_table_size(options->intervals) * OPTIONS_INTERVAL_COST +
				    g_hash_table_size(options->names) * OPTIONS_NAME_COST);
		g_hash_table_destroy(options->intervals);
		g_hash_table_destroy(options->names);
		g_free(options);
	}
}

#define OPTIONS_ID_BITS       56
#define OPTIONS_SELECTOR_BITS 48

static uint64_t options_low(uint64_t id, unsigned bits)
{
	return id & ((UINT64_C(1) << bits) - 1);
}

/* Ids are of 32 bits; of longer ones the low 56 bits tell them apart; an application's engine, the
 * highest byte, comes down to the one below. */
static gint64 options_key(enum exporteroptions_kind kind, uint64_t id)
{
	if (kind == EXPORTEROPTIONS_APPLICATION) {
		id = id >> OPTIONS_ID_BITS << OPTIONS_SELECTOR_BITS |
		     options_low(id, OPTIONS_SELECTOR_BITS);
	}
	return (gint64)((uint64_t)kind << OPTIONS_ID_BITS | options_low(id, OPTIONS_ID_BITS));
}

static uint64_t options_id_of(gint64 key, enum exporteroptions_kind *kind)
{
	uint64_t id = options_low((uint64_t)key, OPTIONS_ID_BITS);

	*kind = (enum exporteroptions_kind)((uint64_t)key >> OPTIONS_ID_BITS);
	return *kind == EXPORTEROPTIONS_APPLICATION
		       ? id >> OPTIONS_SELECTOR_BITS << OPTIONS_ID_BITS |
				 options_low(id, OPTIONS_SELECTOR_BITS)
		       : id;
}

static gint64 *options_new_key(enum exporteroptions_kind kind, uint64_t id)
{
	gint64 *key = g_new(gint64, 1);

	*key = options_key(kind, id);
	return key;
}

static bool options_set_interval(struct exporteroptions *options, enum exporteroptions_kind kind,
				 uint64_t id, uint64_t interval)
{
	gint64 key = options_key(kind, id);
	uint64_t *value = g_hash_table_lookup(options->intervals, &key);

	if (!value && (g_hash_table_size(options->intervals) >= EXPORTEROPTIONS_RATES_MAX ||
		       !budget_take(options->budget, OPTIONS_INTERVAL_COST))) {
		return false;
	}
	if (!value) {
		value = g_new(uint64_t, 1);
		g_hash_table_insert(options->intervals, options_new_key(kind, id), value);
	}
	*value = interval;
	return true;
}

static bool options_set_name(struct exporteroptions *options, enum exporteroptions_kind kind,
			     uint64_t id, struct template_bytes text)
{
	gint64 key = options_key(kind, id);
	char *name;

	if (text.left == 0 || text.at[0] == 0) {
		return true;
	}
	if (!g_hash_table_contains(options->names, &key) &&
	    (g_hash_table_size(options->names) >= EXPORTEROPTIONS_NAMES_MAX ||
	     !budget_take(options->budget, OPTIONS_NAME_COST))) {
		return false;
	}
	name = g_strndup((const char *)text.at, MIN(text.left, EXPORTEROPTIONS_NAME_MAX));
	for (char *p = name; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 127) {
			*p = '?';
		}
	}
	g_hash_table_insert(options->names, options_new_key(kind, id), name);
	return true;
}

static int options_read(const struct template *tmpl, struct template_bytes *bytes,
			struct options_values *values, struct err *err)
{
	memset(values, 0, sizeof(*values));
	for (uint16_t i = 0; i < tmpl->count; i++) {
		const struct template_field *field = &tmpl->fields[i];
		struct template_bytes content = { bytes->at, field->len };

		if (field->len != TEMPLATE_VARLEN) {
			if (!template_eat(bytes, field->len)) {
				return err_set(err, ST_EFORMAT, "a record goes beyond its set");
			}
		} else if (template_eat_varlen(bytes, &content, err) != ST_OK) {
			return ST_EFORMAT;
		}
		for (size_t k = 0; k < OPTIONS_SLOTS; k++) {
			if (options_elements[k].number == field->number && content.left > 0 &&
			    options_elements[k].enterprise == field->enterprise &&
			    !values->has[k]) {
				struct template_bytes tail = content;

				template_eat(&tail, content.left > 8 ? content.left - 8 : 0);
				statebytes_get(&tail, tail.left, &values->numbers[k]);
				values->bytes[k] = content;
				values->has[k] = true;
			}
		}
	}
	return ST_OK;
}

/* So many packets are taken, then so many are passed over. */
static uint64_t options_count_based(const struct options_values *values)
{
	const uint64_t *n = values->numbers;

	if (!values->has[OPTIONS_PACKET_SPACE] || n[OPTIONS_PACKET_INTERVAL] == 0) {
		return 0;
	}
	return MIN(n[OPTIONS_PACKET_INTERVAL] + n[OPTIONS_PACKET_SPACE], UINT32_MAX) /
	       n[OPTIONS_PACKET_INTERVAL];
}

static uint64_t options_of_population(const struct options_values *values)
{
	const uint64_t *n = values->numbers;

	return n[OPTIONS_SIZE] ? n[OPTIONS_POPULATION] / n[OPTIONS_SIZE] : 0;
}

/* A float64, maybe of reduced size (RFC 7011 6.2). */
static uint64_t options_probabilistic(const struct options_values *values)
{
	const uint64_t bits = values->numbers[OPTIONS_PROBABILITY];
	const uint32_t narrow = (uint32_t)bits;
	double probability = 0;
	float single;

	if (values->bytes[OPTIONS_PROBABILITY].left == sizeof(single)) {
		memcpy(&single, &narrow, sizeof(single));
		probability = (double)single;
	} else if (values->bytes[OPTIONS_PROBABILITY].left == sizeof(probability)) {
		memcpy(&probability, &bits, sizeof(probability));
	}
	if (!(probability > 1.0 / UINT32_MAX && probability <= 1)) {
		return 0;
	}
	return (uint64_t)(1 / probability + 0.5);
}

/*
 * One of how many; 0: the record does not say. Exporters fill in elements of other methods than
 * theirs, so the one that selectorAlgorithm (RFC 5477 8.2.1) names is looked at first.
 */
static uint64_t options_interval(const struct options_values *values)
{
	static const struct {
		uint64_t algorithm;
		uint64_t (*interval)(const struct options_values *values);
	} methods[] = {
		{ 1, options_count_based },
		{ 3, options_of_population },
		{ 4, options_probabilistic },
	};
	const uint64_t *n = values->numbers;
	uint64_t interval = 0;

	if (n[OPTIONS_INTERVAL]) {
		return n[OPTIONS_INTERVAL];
	}
	if (n[OPTIONS_SAMPLER_INTERVAL]) {
		return n[OPTIONS_SAMPLER_INTERVAL];
	}
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (methods[i].algorithm == n[OPTIONS_SELECTOR_ALGORITHM]) {
			interval = methods[i].interval(values);
		}
	}
	for (size_t i = 0; interval == 0 && i < G_N_ELEMENTS(methods); i++) {
		interval = methods[i].interval(values);
	}
	return interval;
}

/* The interface that the record is about. */
static bool options_interface(const struct options_values *values, uint64_t *id)
{
	static const enum options_slot slots[] = { OPTIONS_SCOPE_INTERFACE, OPTIONS_INPUT,
						   OPTIONS_OUTPUT };

	for (size_t i = 0; i < G_N_ELEMENTS(slots); i++) {
		if (values->has[slots[i]]) {
			*id = values->numbers[slots[i]];
			return true;
		}
	}
	return false;
}

static bool options_keep_interval(struct exporteroptions *options,
				  const struct options_values *values)
{
	uint64_t interval = MIN(options_interval(values), UINT32_MAX);
	uint64_t id = 0;

	if (interval == 0) {
		return true;
	}
	if (values->has[OPTIONS_SAMPLER] || values->has[OPTIONS_SELECTOR]) {
		id = values->numbers[values->has[OPTIONS_SAMPLER] ? OPTIONS_SAMPLER
								  : OPTIONS_SELECTOR];
		return options_set_interval(options, EXPORTEROPTIONS_SAMPLER, id, interval);
	}
	if (options_interface(values, &id)) {
		return options_set_interval(options, EXPORTEROPTIONS_INTERFACE, id, interval);
	}
	return options_set_interval(options, EXPORTEROPTIONS_DOMAIN, 0, interval);
}

static bool options_keep_names(struct exporteroptions *options, const struct options_values *values)
{
	enum options_slot vrf =
		values->has[OPTIONS_INGRESS_VRF] ? OPTIONS_INGRESS_VRF : OPTIONS_EGRESS_VRF;
	enum options_slot name = values->has[OPTIONS_INTERFACE_NAME]
					 ? OPTIONS_INTERFACE_NAME
					 : OPTIONS_INTERFACE_DESCRIPTION;
	bool ok = true;
	uint64_t id;

	if (values->has[name] && options_interface(values, &id)) {
		ok &= options_set_name(options, EXPORTEROPTIONS_INTERFACE, id, values->bytes[name]);
	}
	if (values->has[OPTIONS_APPLICATION] && values->has[OPTIONS_APPLICATION_NAME]) {
		ok &= options_set_name(
			options, EXPORTEROPTIONS_APPLICATION,
			label_application_id(values->bytes[OPTIONS_APPLICATION].at,
					     values->bytes[OPTIONS_APPLICATION].left),
			values->bytes[OPTIONS_APPLICATION_NAME]);
	}
	if (values->has[vrf] && values->has[OPTIONS_VRF_NAME]) {
		ok &= options_set_name(options, EXPORTEROPTIONS_VRF, values->numbers[vrf],
				       values->bytes[OPTIONS_VRF_NAME]);
	}
	return ok;
}

int exporteroptions_take(struct exporteroptions *options, const struct template *tmpl,
			 struct template_bytes *bytes, struct exporteroptions_seen *seen,
			 struct err *err)
{
	struct options_values values;
	bool kept;
	int st = options_read(tmpl, bytes, &values, err);

	if (st != ST_OK) {
		return st;
	}
	kept = options_keep_interval(options, &values);
	kept &= options_keep_names(options, &values);
	if (values.numbers[OPTIONS_BOOT_MS] != 0) {
		options->boot_ms = values.numbers[OPTIONS_BOOT_MS];
	}
	*seen = (struct exporteroptions_seen){
		.sampling = values.has[OPTIONS_INTERVAL] && values.has[OPTIONS_ALGORITHM],
		.sampler = values.has[OPTIONS_SAMPLER_MODE] && values.has[OPTIONS_SAMPLER_INTERVAL],
		.algorithm = values.numbers[OPTIONS_ALGORITHM],
		.interval = values.numbers[OPTIONS_INTERVAL],
		.sampler_id = values.numbers[OPTIONS_SAMPLER],
		.mode = values.numbers[OPTIONS_SAMPLER_MODE],
		.random_interval = values.numbers[OPTIONS_SAMPLER_INTERVAL],
		.lost = !kept,
	};
	return ST_OK;
}

uint64_t exporteroptions_interval(const struct exporteroptions *options,
				  enum exporteroptions_kind kind, uint64_t id)
{
	gint64 key = options_key(kind, id);
	const uint64_t *value = g_hash_table_lookup(options->intervals, &key);

	return value ? *value : 0;
}

bool exporteroptions_has_intervals(const struct exporteroptions *options)
{
	return g_hash_table_size(options->intervals) > 0;
}

uint64_t exporteroptions_boot_ms(const struct exporteroptions *options)
{
	return options->boot_ms;
}

void exporteroptions_each_name(const struct exporteroptions *options,
			       void (*fn)(void *arg, enum exporteroptions_kind kind, uint64_t id,
					  const char *name),
			       void *arg)
{
	GHashTableIter iter;
	gpointer key;
	gpointer name;

	g_hash_table_iter_init(&iter, options->names);
	while (g_hash_table_iter_next(&iter, &key, &name)) {
		enum exporteroptions_kind kind;
		uint64_t id = options_id_of(*(const gint64 *)key, &kind);

		fn(arg, kind, id, name);
	}
}

/* ---- saved ---- */

enum options_part {
	OPTIONS_PART_INTERVAL, /* the key comes first */
	OPTIONS_PART_NAME,     /* the same */
	OPTIONS_PART_BOOT,
};

static void options_save_name(void *arg, enum exporteroptions_kind kind, uint64_t id,
			      const char *name)
{
	guint at = statebytes_begin(arg, OPTIONS_PART_NAME);

	statebytes_put(arg, (uint64_t)options_key(kind, id), 8);
	g_byte_array_append(arg, (const guint8 *)name, (guint)strlen(name));
	statebytes_end(arg, at);
}

void exporteroptions_save(const struct exporteroptions *options, GByteArray *out)
{
	GHashTableIter iter;
	gpointer key;
	gpointer value;

	g_hash_table_iter_init(&iter, options->intervals);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		guint at = statebytes_begin(out, OPTIONS_PART_INTERVAL);

		statebytes_put(out, (uint64_t) * (gint64 *)key, 8);
		statebytes_put(out, *(uint64_t *)value, 8);
		statebytes_end(out, at);
	}
	exporteroptions_each_name(options, options_save_name, out);
	if (options->boot_ms != 0) {
		guint at = statebytes_begin(out, OPTIONS_PART_BOOT);

		statebytes_put(out, options->boot_ms, 8);
		statebytes_end(out, at);
	}
}

static bool options_load_part(struct exporteroptions *options, uint8_t tag,
			      struct template_bytes part)
{
	uint64_t key, value;

	if (tag == OPTIONS_PART_BOOT) {
		return statebytes_get(&part, 8, &options->boot_ms);
	}
	if (!statebytes_get(&part, 8, &key) || key >> 56 >= EXPORTEROPTIONS_KINDS) {
		return false;
	}
	if (tag == OPTIONS_PART_NAME) {
		return options_set_name(options, (enum exporteroptions_kind)(key >> 56), key, part);
	}
	return tag == OPTIONS_PART_INTERVAL && statebytes_get(&part, 8, &value) && value > 0 &&
	       options_set_interval(options, (enum exporteroptions_kind)(key >> 56), key, value);
}

int exporteroptions_load(struct exporteroptions *options, struct template_bytes bytes)
{
	struct template_bytes part;
	uint8_t tag;
	int st;

	while ((st = statebytes_next(&bytes, &tag, &part)) == ST_OK) {
		if (!options_load_part(options, tag, part)) {
			return ST_EFORMAT;
		}
	}
	return st == ST_END ? ST_OK : st;
}
