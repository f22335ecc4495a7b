/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/mapfield.h"

#include <glib.h>
#include <string.h>

#include "common/decimal.h"
#include "common/text.h"
#include "query/mapfile.h"
#include "query/pmapfile.h"
#include "storage/byteorder.h"
#include "storage/country.h"

/* Wide enough for what has no label. */
#define LABEL_WIDTH_MIN 7
#define NUMBER_WIDTH    10

struct map {
	enum mapfile_kind kind;
	struct pmapfile file; /* of MAPFILE_NAMED; pmap NULL: not read yet */
	char *path;
};

struct mapfield {
	struct field field; /* first */
	struct map *map;
	bool destination;
	char *name;
	char *help;
};

struct mapfields {
	GPtrArray *maps;   /* struct map */
	GPtrArray *fields; /* struct mapfield */
};

static const struct mapfield *mapfield_of(const struct field *field)
{
	return (const struct mapfield *)field;
}

/* ---- values ---- */

static uint32_t look_up(const struct mapfield *made, const struct batch *batch, uint32_t row)
{
	const struct pmap *pmap = made->map->file.pmap;

	if (pmap_kind(pmap) == PMAP_PROTO_PORT) {
		return pmap_lookup_port(pmap, batch->protocol[row],
					made->destination ? batch->dport[row] : batch->sport[row]);
	}
	return pmap_lookup_ip(pmap, made->destination ? batch->dip[row] : batch->sip[row]);
}

/* What the kind makes of a value of the map. */
static uint32_t adapt(const struct mapfield *made, uint32_t value)
{
	if (made->map->kind == MAPFILE_COUNTRY_CODES) {
		return value > UINT16_MAX ? COUNTRY_INVALID : value;
	}
	if (made->map->kind == MAPFILE_ADDRESS_TYPES) {
		return value == PMAP_NO_VALUE ? UINT32_MAX : value;
	}
	return value;
}

static void load(const struct field *field, const struct batch *batch, uint32_t row,
		 struct value *out)
{
	const struct mapfield *made = mapfield_of(field);

	*out = (struct value){ .u = adapt(made, look_up(made, batch, row)) };
}

static void pack(const struct field *field, const struct batch *batch, uint8_t *out, size_t stride)
{
	for (uint32_t i = 0; i < batch->selected; i++, out += stride) {
		struct value value;

		load(field, batch, batch->selection[i], &value);
		field->kind->key(out, &value);
	}
}

/* ---- kinds ---- */

static size_t print_label(char *out, const struct value *value, const struct field *field,
			  const struct field_context *ctx)
{
	char digits[PMAP_TEXT_MAX];
	const char *text =
		pmap_text(mapfield_of(field)->map->file.pmap, (uint32_t)value->u, digits);
	size_t len = MIN(strlen(text), TEXT_CELL_MAX - 1);

	memcpy(out, text, len);
	return len;
}

static size_t print_country(char *out, const struct value *value, const struct field *field,
			    const struct field_context *ctx)
{
	country_print(out, (uint32_t)value->u);
	return COUNTRY_TEXT_MAX - 1;
}

static size_t print_type(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	return decimal_print(out, value->u);
}

static void key_8(uint8_t *out, const struct value *value)
{
	*out = (uint8_t)value->u;
}

static void from_key_8(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .u = *key };
}

static void key_16(uint8_t *out, const struct value *value)
{
	store16_be(out, (uint16_t)value->u);
}

static void from_key_16(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .u = load16_be(key) };
}

static void key_32(uint8_t *out, const struct value *value)
{
	store32_be(out, (uint32_t)value->u);
}

static void from_key_32(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .u = load32_be(key) };
}

/* clang-format off */
static const struct value_kind kind_label = {
	.name = "label", .print = print_label, .key_size = 4, .key = key_32, .from_key = from_key_32 };
static const struct value_kind kind_country = {
	.name = "country", .print = print_country, .key_size = 2, .key = key_16, .from_key = from_key_16 };
static const struct value_kind kind_address_type = {
	.name = "number", .print = print_type, .key_size = 1, .key = key_8, .from_key = from_key_8,
	.json_number = true };
/* clang-format on */

/* ---- fields ---- */

static int prepare(const struct field *field, struct err *err)
{
	struct map *map = mapfield_of(field)->map;

	if (map->file.pmap) {
		return ST_OK;
	}
	return mapfile_read_known(&map->file.pmap, map->kind, NULL, err);
}

static struct mapfield *add_field(struct mapfields *maps, struct map *map, char *name, char *help,
				  bool destination)
{
	struct mapfield *made = g_new0(struct mapfield, 1);

	made->map = map;
	made->destination = destination;
	made->name = name;
	made->help = help;
	made->field = (struct field){
		.name = name,
		.help = help,
		.columns = destination ? COLUMN_BIT(COLUMN_DIP) : COLUMN_BIT(COLUMN_SIP),
		.load_made = load,
		.pack_made = pack,
		.prepare = prepare,
	};
	g_ptr_array_add(maps->fields, made);
	return made;
}

static const struct known_field {
	enum mapfile_kind map;
	const char *name;
	const char *number;
	const char *help;
	const struct value_kind *kind;
	int width;
	bool destination;
} known_fields[] = {
	{ MAPFILE_ADDRESS_TYPES, "sType", "16",
	  "type of the source address: 0, 1 inside, 2 outside", &kind_address_type, 1, false },
	{ MAPFILE_ADDRESS_TYPES, "dType", "17", "type of the destination address",
	  &kind_address_type, 1, true },
	{ MAPFILE_COUNTRY_CODES, "scc", "18", "country of the source address", &kind_country, 3,
	  false },
	{ MAPFILE_COUNTRY_CODES, "dcc", "19", "country of the destination address", &kind_country,
	  3, true },
};

static void free_map(void *pointer)
{
	struct map *map = pointer;

	pmapfile_release(&map->file);
	g_free(map->path);
	g_free(map);
}

static void free_field(void *pointer)
{
	struct mapfield *made = pointer;

	g_free(made->name);
	g_free(made->help);
	g_free(made);
}

static struct map *add_map(struct mapfields *maps, enum mapfile_kind kind)
{
	struct map *map = g_new0(struct map, 1);

	map->kind = kind;
	g_ptr_array_add(maps->maps, map);
	return map;
}

struct mapfields *mapfields_new(void)
{
	struct mapfields *maps = g_new0(struct mapfields, 1);
	struct map *map = NULL;

	maps->maps = g_ptr_array_new_with_free_func(free_map);
	maps->fields = g_ptr_array_new_with_free_func(free_field);
	for (size_t i = 0; i < G_N_ELEMENTS(known_fields); i++) {
		const struct known_field *known = &known_fields[i];
		struct mapfield *made;

		if (!map || map->kind != known->map) {
			map = add_map(maps, known->map);
		}
		made = add_field(maps, map, g_strdup(known->name), g_strdup(known->help),
				 known->destination);
		made->field.kind = known->kind;
		made->field.width = known->width;
		made->field.aliases[0] = known->number;
	}
	return maps;
}

void mapfields_free(struct mapfields *maps)
{
	if (maps) {
		g_ptr_array_unref(maps->fields);
		g_ptr_array_unref(maps->maps);
		g_free(maps);
	}
}

const struct pmap *mapfield_pmap(const struct field *field)
{
	return mapfield_of(field)->map->file.pmap;
}

static int check_name(const struct mapfields *maps, const struct map *added, struct err *err)
{
	if (added->file.name && strchr(added->file.name, ',')) {
		return err_set(err, ST_EINVAL, "The mapname may not include a comma");
	}
	for (guint i = 0; i + 1 < maps->maps->len; i++) {
		const struct map *map = g_ptr_array_index(maps->maps, i);

		if (map->kind != MAPFILE_NAMED) {
			continue;
		}
		if (!map->file.name || !added->file.name) {
			return err_set(err, ST_EINVAL,
				       "Only one prefix map may be used when it has no mapname");
		}
		if (strcmp(map->file.name, added->file.name) == 0) {
			return err_set(err, ST_EINVAL, "Multiple pmaps use the mapname '%s'",
				       map->file.name);
		}
	}
	return ST_OK;
}

/* The two fields of a map of the user. */
static void add_labels(struct mapfields *maps, struct map *map)
{
	const struct pmap *pmap = map->file.pmap;
	const char *name = map->file.name;
	bool ports = pmap_kind(pmap) == PMAP_PROTO_PORT;
	int widest = pmap_word_limit(pmap) > 0 ? (int)pmap_word_bytes_max(pmap) : NUMBER_WIDTH;

	for (int side = 0; side < 2; side++) {
		const char *const before[] = { "src-", "dst-" };
		const char *const alone[] = { "sval", "dval" };
		struct mapfield *made = add_field(
			maps, map,
			name ? g_strconcat(before[side], name, NULL) : g_strdup(alone[side]),
			g_strdup_printf("label of the %s %s in %s", side ? "destination" : "source",
					ports ? "port" : "address", map->path),
			side);

		made->field.kind = &kind_label;
		made->field.width = MAX(MAX(LABEL_WIDTH_MIN, widest), (int)strlen(made->name));
		if (ports) {
			made->field.columns = COLUMN_BIT(COLUMN_PROTOCOL) |
					      COLUMN_BIT(side ? COLUMN_DPORT : COLUMN_SPORT);
		}
	}
}

int mapfields_add(struct mapfields *maps, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	struct map *map = add_map(maps, MAPFILE_NAMED);
	int status;

	map->path = g_strdup(colon ? colon + 1 : text);
	status = pmapfile_read(&map->file, text, err);
	if (status == ST_OK) {
		status = check_name(maps, map, err);
	}
	if (status != ST_OK) {
		g_ptr_array_remove(maps->maps, map);
		return status;
	}
	add_labels(maps, map);
	return ST_OK;
}

void mapfields_set_width(struct mapfields *maps, unsigned width)
{
	for (guint i = 0; i < maps->fields->len; i++) {
		struct mapfield *made = g_ptr_array_index(maps->fields, i);

		if (made->field.kind == &kind_label) {
			made->field.width = (int)MIN((unsigned)made->field.width, width);
		}
	}
}

void mapfields_register(const struct mapfields *maps, struct extfields *ext)
{
	for (guint i = 0; i < maps->fields->len; i++) {
		const struct mapfield *made = g_ptr_array_index(maps->fields, i);

		extfields_add(ext, &made->field);
	}
}
