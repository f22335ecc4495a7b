/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In front of libfixbuf the values of a record stand without holes, byte strings first and then by
 * falling length, so that each is aligned; numbers are in the byte order that libfixbuf's model
 * says of their element.
 */
#include "query/ipfixelements.h"

#include <endian.h>
#include <string.h>

#include "common/field.h"
#include "common/timestamp.h"
#include "storage/column.h"

#define ELEMENTS_MAX (IPFIXELEMENTS_BYTES / sizeof(fbVarfield_t))
/* What byte strings may take of a message, whose length has 16 bits. */
#define STRINGS_MAX 60000

/* So many templates a reader is asked to hold, not more (our own: packer/ipfix.h). */
#define SETS_MAX 900

/* From 1900 to 1970, where NTP's seconds (RFC 7011 6.1.9) and ours begin. */
#define NTP_OFFSET_S UINT64_C(2208988800)
/* RFC 7011 6.1.9: of microseconds the last 11 bits are 0. */
#define NTP_MICROSECONDS_STEP 2048

struct shape {
	uint16_t len;    /* FB_IE_VARLEN: byte strings; 0: not written */
	uint8_t fb_type; /* libfixbuf's */
	bool is_number;  /* it turns the bytes */
};

static const struct shape shapes[IE_TYPES] = {
	[IE_OCTET_ARRAY] = { FB_IE_VARLEN, FB_OCTET_ARRAY, false },
	[IE_UNSIGNED8] = { 1, FB_UINT_8, true },
	[IE_UNSIGNED16] = { 2, FB_UINT_16, true },
	[IE_UNSIGNED32] = { 4, FB_UINT_32, true },
	[IE_UNSIGNED64] = { 8, FB_UINT_64, true },
	[IE_SIGNED8] = { 1, FB_INT_8, true },
	[IE_SIGNED16] = { 2, FB_INT_16, true },
	[IE_SIGNED32] = { 4, FB_INT_32, true },
	[IE_SIGNED64] = { 8, FB_INT_64, true },
	[IE_FLOAT32] = { 4, FB_FLOAT_32, true },
	[IE_FLOAT64] = { 8, FB_FLOAT_64, true },
	[IE_BOOLEAN] = { 1, FB_BOOL, false },
	[IE_MAC_ADDRESS] = { 6, FB_MAC_ADDR, false },
	[IE_STRING] = { FB_IE_VARLEN, FB_STRING, false },
	[IE_SECONDS] = { 4, FB_DT_SEC, true },
	[IE_MILLISECONDS] = { 8, FB_DT_MILSEC, true },
	[IE_MICROSECONDS] = { 8, FB_DT_MICROSEC, true },
	[IE_NANOSECONDS] = { 8, FB_DT_NANOSEC, true },
	[IE_IPV4_ADDRESS] = { 4, FB_IP4_ADDR, true },
	[IE_IPV6_ADDRESS] = { 16, FB_IP6_ADDR, false },
};

struct element {
	uint32_t pen;
	uint16_t id;
	uint16_t type;
};

struct key {
	uint32_t kind;
	struct element elements[ELEMENTS_MAX];
};

struct set {
	struct ipfixelements_set public; /* first */
	const struct element *elements;  /* part of its key in the table */
	size_t count;
	const fbInfoElement_t *known[]; /* what the model has of each */
};

struct ipfixelements {
	fbInfoModel_t *model;
	GHashTable *sets;     /* GBytes of the used part of a key to struct set */
	GHashTable *writable; /* enterprise, number and type of a column, in one, to yes or no */
	uint64_t left_out;
	/* The row asked for last: its elements, in the order of its set, and their columns. */
	uint32_t row;
	size_t count;
	struct key key;
	const struct batch_extension *columns[ELEMENTS_MAX];
};

struct ipfixelements *ipfixelements_new(fbInfoModel_t *model)
{
	struct ipfixelements *elements = g_new0(struct ipfixelements, 1);

	elements->model = model;
	elements->sets = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					       (GDestroyNotify)g_bytes_unref, g_free);
	elements->writable = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return elements;
}

void ipfixelements_free(struct ipfixelements *elements)
{
	if (elements) {
		g_hash_table_destroy(elements->sets);
		g_hash_table_destroy(elements->writable);
		g_free(elements);
	}
}

/* ---- which ---- */

/* Elements of a name that the model does not know are made up; it keeps them. */
static const fbInfoElement_t *know(fbInfoModel_t *model, const struct element *element)
{
	const struct shape *shape = &shapes[element->type];
	const fbInfoElement_t *known = fbInfoModelGetElementByID(model, element->id, element->pen);

	if (!known) {
		char *name = g_strdup_printf("element%u/%u", element->pen, element->id);
		fbInfoElement_t made = FB_IE_INIT_FULL(name, element->pen, element->id, shape->len,
						       shape->is_number ? FB_IE_F_ENDIAN : 0, 0, 0,
						       shape->fb_type, NULL);

		fbInfoModelAddElement(model, &made);
		g_free(name);
		known = fbInfoModelGetElementByID(model, element->id, element->pen);
	}
	return known;
}

/* A column may have another type than its element, as its values came with an odd length. */
static bool fits_element(fbInfoModel_t *model, const struct batch_extension *column)
{
	const uint16_t len = shapes[column->type].len;
	const fbInfoElement_t *known =
		fbInfoModelGetElementByID(model, column->key.id, column->key.pen);

	return !known ||
	       (len <= known->len && (len == FB_IE_VARLEN) == (known->len == FB_IE_VARLEN));
}

/* What another element of the record tells already would be believed in its place. */
static bool is_of_record(const struct ie_key *key)
{
	for (size_t i = 0; i < field_table_count; i++) {
		if (field_table[i].ie_id == key->id && field_table[i].ie_pen == key->pen) {
			return true;
		}
	}
	return false;
}

/* Is remembered. */
static bool can_be_written(struct ipfixelements *elements, const struct batch_extension *column)
{
	const gint64 key = (gint64)column->key.pen << 24 | column->key.id << 8 | column->type;
	gpointer known;

	if (!g_hash_table_lookup_extended(elements->writable, &key, NULL, &known)) {
		bool can = column->type < IE_TYPES && shapes[column->type].len > 0 &&
			   column->key.id > 0 && column->key.id <= INT16_MAX &&
			   !is_of_record(&column->key) && fits_element(elements->model, column);

		known = GINT_TO_POINTER(can);
		g_hash_table_insert(elements->writable, g_memdup2(&key, sizeof(key)), known);
	}
	return GPOINTER_TO_INT(known);
}

/* Lower ones stand first. */
static unsigned rank(const struct element *element)
{
	return UINT16_MAX - shapes[element->type].len;
}

static void insert(struct ipfixelements *elements, const struct batch_extension *column)
{
	const struct element element = { column->key.pen, column->key.id, column->type };
	size_t at = elements->count++;

	while (at > 0 && rank(&elements->key.elements[at - 1]) > rank(&element)) {
		elements->key.elements[at] = elements->key.elements[at - 1];
		elements->columns[at] = elements->columns[at - 1];
		at--;
	}
	elements->key.elements[at] = element;
	elements->columns[at] = column;
}

static void gather(struct ipfixelements *elements, const struct batch *batch, uint32_t row)
{
	const size_t count = batch_extension_count(batch);
	size_t strings = 0;

	elements->count = 0;
	elements->row = row;
	for (size_t i = 0; i < count && elements->count < ELEMENTS_MAX; i++) {
		const struct batch_extension *column = batch_extension(batch, i);

		if (!column->any || !column->present[row] || !can_be_written(elements, column)) {
			continue;
		}
		if (shapes[column->type].len == FB_IE_VARLEN) {
			if (strings + column->strings[row].len > STRINGS_MAX) {
				continue;
			}
			strings += column->strings[row].len;
		}
		insert(elements, column);
	}
}

static size_t size_in_front(const struct element *element)
{
	const uint16_t len = shapes[element->type].len;

	return len == FB_IE_VARLEN ? sizeof(fbVarfield_t) : len;
}

static size_t key_bytes(size_t count)
{
	return offsetof(struct key, elements) + count * sizeof(struct element);
}

static struct set *find_set(const struct ipfixelements *elements)
{
	GBytes *key = g_bytes_new_static(&elements->key, key_bytes(elements->count));
	struct set *set = g_hash_table_lookup(elements->sets, key);

	g_bytes_unref(key);
	return set;
}

static struct set *make_set(struct ipfixelements *elements)
{
	GBytes *bytes = g_bytes_new(&elements->key, key_bytes(elements->count));
	const struct key *key = g_bytes_get_data(bytes, NULL);
	struct set *set = g_malloc0(sizeof(struct set) + elements->count * sizeof(set->known[0]));

	set->public.number = g_hash_table_size(elements->sets);
	set->elements = key->elements;
	set->count = elements->count;
	for (size_t i = 0; i < set->count; i++) {
		set->public.bytes += size_in_front(&set->elements[i]);
		set->known[i] = know(elements->model, &set->elements[i]);
	}
	g_hash_table_insert(elements->sets, bytes, set);
	return set;
}

const struct ipfixelements_set *ipfixelements_of_row(struct ipfixelements *elements,
						     const struct batch *batch, uint32_t row,
						     uint16_t kind, bool always)
{
	struct set *set;

	gather(elements, batch, row);
	elements->key.kind = kind;
	if (elements->count == 0 && !always) {
		return NULL;
	}
	set = find_set(elements);
	if (!set && elements->count > 0 && g_hash_table_size(elements->sets) >= SETS_MAX) {
		elements->left_out++;
		elements->count = 0;
		if (!always) {
			return NULL;
		}
		set = find_set(elements);
	}
	return set ? &set->public : &make_set(elements)->public;
}

bool ipfixelements_append(const struct ipfixelements_set *public, fbTemplate_t *template,
			  GError **gerror)
{
	const struct set *set = (const struct set *)public;

	for (size_t i = 0; i < set->count; i++) {
		fbInfoElementSpec_t spec = {
			.name = (char *)(uintptr_t)set->known[i]->ref.name,
			.len_override = shapes[set->elements[i].type].len,
		};

		if (!fbTemplateAppendSpec(template, &spec, 0, gerror)) {
			return false;
		}
	}
	return true;
}

uint64_t ipfixelements_left_out(const struct ipfixelements *elements)
{
	return elements->left_out;
}

/* ---- values ---- */

/* Rounded up, so that the same time comes out where fractions are cut off. step: of the fraction. */
static uint64_t ntp_time(int64_t ns, uint64_t step)
{
	const int64_t second = timestamp_floor(ns, NS_PER_S) / NS_PER_S;
	const uint64_t rest = (uint64_t)(ns - second * NS_PER_S);
	const uint64_t fraction = ((rest << 32) + NS_PER_S - 1) / NS_PER_S;

	return (((uint64_t)second + NTP_OFFSET_S) << 32) + (fraction + step - 1) / step * step;
}

static uint64_t number_of(const struct batch_extension *column, uint32_t row)
{
	uint64_t number;

	if (column->type == IE_IPV4_ADDRESS) {
		return ip_to_v4(column->addresses[row]);
	}
	number = column->numbers[row] ^ column_sign(column->type);
	if (column->type == IE_MICROSECONDS) {
		return ntp_time((int64_t)number, NTP_MICROSECONDS_STEP);
	}
	return column->type == IE_NANOSECONDS ? ntp_time((int64_t)number, 1) : number;
}

/* The last bytes of the number, as the model wants them. */
static void fill_number(uint64_t number, size_t len, bool turns, uint8_t *out)
{
	const uint64_t big = htobe64(number);
	const uint64_t little = htole64(number);

	if (turns && BYTE_ORDER == LITTLE_ENDIAN) {
		memcpy(out, &little, len);
	} else {
		memcpy(out, (const uint8_t *)&big + sizeof(big) - len, len);
	}
}

void ipfixelements_fill(const struct ipfixelements *elements,
			const struct ipfixelements_set *public, uint8_t *out)
{
	const struct set *set = (const struct set *)public;

	for (size_t i = 0; i < set->count; i++) {
		const struct batch_extension *column = elements->columns[i];
		const size_t size = size_in_front(&set->elements[i]);

		if (shapes[column->type].len == FB_IE_VARLEN) {
			const struct batch_bytes *string = &column->strings[elements->row];
			const fbVarfield_t field = { string->len,
						     (uint8_t *)(uintptr_t)string->bytes };

			memcpy(out, &field, sizeof(field));
		} else if (column->type == IE_IPV6_ADDRESS) {
			ip_to_bytes(column->addresses[elements->row], out);
		} else {
			fill_number(number_of(column, elements->row), size,
				    set->known[i]->flags & FB_IE_F_ENDIAN, out);
		}
		out += size;
	}
}
