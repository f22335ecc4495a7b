/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/templateplan.h"

#include <string.h>

#include "common/bigendian.h"
#include "packer/planrun.h"

#define PLAN_PADDING    210
#define PLAN_NAT_EVENT  230
#define PLAN_MULTI_LIST 293
/* All that one plan may do with a field: copy it to the record and to an extension column. */
#define PLAN_OPS_PER_FIELD 2

struct templateplan {
	struct ipfix_shape shape;
	struct templateplan_places places;
	struct planrun_op *ops; /* by kind, those of one kind in the order of the fields */
	uint16_t op_count;
	uint16_t extras;  /* of the plan */
	uint16_t reverse; /* the same, of the reverse direction */
	uint16_t lost;
	bool both_families;
	bool icmp_apart;                /* has elements for ICMP type and code */
	struct flowblock_value *values; /* keys and types of the extras */
	struct flowblock_value *reverse_values;
	struct {
		uint16_t first, count; /* ops of the field, in walk */
	} * fields;
	struct planrun_op *walk;
};

struct plan_element {
	uint32_t enterprise;
	uint16_t number;
	uint16_t offset;
	uint16_t size;
};

static const struct plan_element plan_elements[IPFIX_FIELD_COUNT] = {
#define X(upper, member, type, enterprise_, number_)                                               \
	[IPFIX_##upper] = { enterprise_, number_, offsetof(struct ipfix_fields, member),           \
			    sizeof(type) },
	IPFIX_FIELDS(X)
#undef X
};

/* When an element that may go to the record goes to an extension column too. */
enum plan_rule {
	PLAN_NEVER,
	PLAN_ALWAYS, /* the record holds only part of it */
	PLAN_TIME,   /* if the time is not made from it */
	PLAN_VOLUME, /* if another counter is believed first */
	PLAN_SNMP,   /* if interfaces are VLANs */
	PLAN_VLAN,   /* if they are not */
};

static const uint8_t plan_rules[IPFIX_FIELD_COUNT] = {
	[IPFIX_PACKETS_TOTAL] = PLAN_VOLUME,
	[IPFIX_PACKETS_INITIATOR] = PLAN_VOLUME,
	[IPFIX_PACKETS_POST_DELTA] = PLAN_VOLUME,
	[IPFIX_PACKETS_POST_TOTAL] = PLAN_VOLUME,
	[IPFIX_BYTES_TOTAL] = PLAN_VOLUME,
	[IPFIX_BYTES_INITIATOR] = PLAN_VOLUME,
	[IPFIX_BYTES_POST_DELTA] = PLAN_VOLUME,
	[IPFIX_BYTES_POST_TOTAL] = PLAN_VOLUME,
	[IPFIX_BYTES_LAYER2_DELTA] = PLAN_VOLUME,
	[IPFIX_BYTES_LAYER2_TOTAL] = PLAN_VOLUME,
	[IPFIX_TCP_SPORT] = PLAN_ALWAYS,
	[IPFIX_TCP_DPORT] = PLAN_ALWAYS,
	[IPFIX_UDP_SPORT] = PLAN_ALWAYS,
	[IPFIX_UDP_DPORT] = PLAN_ALWAYS,
	[IPFIX_START_MS] = PLAN_TIME,
	[IPFIX_END_MS] = PLAN_TIME,
	[IPFIX_START_US] = PLAN_TIME,
	[IPFIX_END_US] = PLAN_TIME,
	[IPFIX_START_NS] = PLAN_TIME,
	[IPFIX_END_NS] = PLAN_TIME,
	[IPFIX_BOOT_MS] = PLAN_TIME,
	[IPFIX_COLLECTED_MS] = PLAN_TIME,
	[IPFIX_OBSERVED_MS] = PLAN_TIME,
	[IPFIX_OBSERVED_US] = PLAN_TIME,
	[IPFIX_OBSERVED_NS] = PLAN_TIME,
	[IPFIX_START_S] = PLAN_TIME,
	[IPFIX_END_S] = PLAN_TIME,
	[IPFIX_OBSERVED_S] = PLAN_TIME,
	[IPFIX_START_AGO_US] = PLAN_TIME,
	[IPFIX_END_AGO_US] = PLAN_TIME,
	[IPFIX_DURATION_MS] = PLAN_TIME,
	[IPFIX_DURATION_US] = PLAN_TIME,
	[IPFIX_START_UPTIME] = PLAN_TIME,
	[IPFIX_END_UPTIME] = PLAN_TIME,
	[IPFIX_INPUT] = PLAN_SNMP,
	[IPFIX_OUTPUT] = PLAN_SNMP,
	[IPFIX_VLAN] = PLAN_VLAN,
	[IPFIX_POST_VLAN] = PLAN_VLAN,
	[IPFIX_REV_VLAN] = PLAN_VLAN,
	[IPFIX_REV_POST_VLAN] = PLAN_VLAN,
	[IPFIX_ATTRIBUTES] = PLAN_ALWAYS,
	[IPFIX_REV_ATTRIBUTES] = PLAN_ALWAYS,
	[IPFIX_EXTENDED_EVENT] = PLAN_ALWAYS,
	[IPFIX_END_REASON] = PLAN_ALWAYS,
	[IPFIX_EVENT] = PLAN_ALWAYS,
	[IPFIX_CISCO_EVENT] = PLAN_ALWAYS,
};

/* Cisco's firewalls have IANA's elements under numbers of their own (silk-packing.md 11.6). The
 * first column is NetFlow v9's number, the others say what it is to the record and as a column. */
static const struct {
	uint16_t number, field, column;
} plan_aliases[] = {
	{ 33002, 9997, 33002 }, { 40001, 225, 225 }, { 40002, 226, 226 },
	{ 40003, 227, 227 },    { 40004, 228, 228 }, { 40005, 9998, 40005 },
};

/* Source and destination, before and after, in and out: exchanged in the reverse record. */
static const uint16_t plan_sides[][2] = {
	{ 9, 13 },    { 10, 14 },   { 16, 17 },   { 29, 30 },   { 44, 45 },   { 56, 80 },
	{ 58, 59 },   { 81, 57 },   { 128, 129 }, { 225, 226 }, { 227, 228 }, { 234, 235 },
	{ 252, 253 }, { 281, 282 }, { 366, 367 }, { 8, 12 },    { 180, 181 }, { 182, 183 },
};

static void plan_find_alias(const struct template_field *field, uint16_t *as_field,
			    struct column_key *column)
{
	*as_field = field->number;
	*column = (struct column_key){ field->enterprise, field->number };
	for (size_t i = 0; field->enterprise == 0 && i < G_N_ELEMENTS(plan_aliases); i++) {
		if (plan_aliases[i].number == field->number) {
			*as_field = plan_aliases[i].field;
			column->id = plan_aliases[i].column;
		}
	}
}

static int plan_find_field(uint32_t enterprise, uint16_t number)
{
	for (int i = 0; i < IPFIX_FIELD_COUNT; i++) {
		if (plan_elements[i].number == number &&
		    plan_elements[i].enterprise == enterprise) {
			return i;
		}
	}
	return -1;
}

/* ---- making ---- */

struct plan_maker {
	const struct template *tmpl;
	const struct ipfix_mapping *mapping;
	const struct iemodel *model;
	struct templateplan *plan;
};

/* Can the bytes of the field be what its member wants? Zero bytes are no value. */
static bool plan_is_usable(const struct template_field *field, int place)
{
	size_t size = plan_elements[place].size;

	if (field->len == 0 || field->len == TEMPLATE_VARLEN) {
		return field->len != 0 && size <= 8;
	}
	return size <= 8 || field->len == size;
}

/* The shape comes first: what a column is made of depends on it. */
static void plan_make_shape(struct plan_maker *maker)
{
	struct ipfix_shape *shape = &maker->plan->shape;

	for (uint16_t i = 0; i < maker->tmpl->count; i++) {
		const struct template_field *field = &maker->tmpl->fields[i];
		struct column_key column;
		uint16_t number;
		int place;

		plan_find_alias(field, &number, &column);
		place = plan_find_field(field->enterprise, number);
		if (place >= 0 && plan_is_usable(field, place)) {
			shape->has[place] = true;
		}
		shape->has_list |= field->enterprise == 0 && field->number == PLAN_MULTI_LIST;
		shape->has_nat_event |= field->enterprise == 0 && field->number == PLAN_NAT_EVENT;
	}
	/* NetFlow v9 says with every message when the exporter booted. */
	if (maker->tmpl->set_id <= TEMPLATE_SET_V9_OPTIONS &&
	    (shape->has[IPFIX_START_UPTIME] || shape->has[IPFIX_END_UPTIME])) {
		shape->has[IPFIX_BOOT_MS] = true;
	}
	shape->options = template_is_options(maker->tmpl);
	ipfix_shape_finish(shape);
	maker->plan->both_families = (shape->has[IPFIX_SIP4] || shape->has[IPFIX_DIP4]) &&
				     (shape->has[IPFIX_SIP6] || shape->has[IPFIX_DIP6]);
	maker->plan->icmp_apart = shape->has[IPFIX_ICMP4] || shape->has[IPFIX_ICMP6];
}

/* Is a counter of the same sort believed before this one? */
static bool plan_has_volume_before(const struct ipfix_shape *shape, int place)
{
	int first = place <= IPFIX_PACKETS_POST_TOTAL ? IPFIX_PACKETS_DELTA : IPFIX_BYTES_DELTA;

	for (int i = first; i < place; i++) {
		if (shape->has[i]) {
			return true;
		}
	}
	return false;
}

static bool plan_wants_column(const struct plan_maker *maker, int place)
{
	const struct ipfix_shape *shape = &maker->plan->shape;

	if (place < 0) {
		return true;
	}
	if (!shape->has[place]) {
		return false;
	}
	switch ((enum plan_rule)plan_rules[place]) {
	case PLAN_ALWAYS:
		return true;
	case PLAN_TIME:
		return !ipfix_time_uses(shape, place);
	case PLAN_VOLUME:
		return plan_has_volume_before(shape, place);
	case PLAN_SNMP:
		return maker->mapping->vlan_interfaces;
	case PLAN_VLAN:
		return !maker->mapping->vlan_interfaces;
	case PLAN_NEVER:
		break;
	}
	return false;
}

/* RFC 5103: the element that this one is the reverse of; false: it is none. */
static bool plan_is_reverse(struct column_key *key)
{
	if (key->pen == IPFIX_PEN_REVERSE) {
		key->pen = 0;
		return true;
	}
	if (key->pen == IPFIX_PEN_CERT && (key->id & IPFIX_CERT_REVERSE)) {
		key->id &= (uint16_t)~IPFIX_CERT_REVERSE;
		return true;
	}
	return false;
}

static bool plan_has_key(const struct flowblock_value *values, size_t count,
			 const struct column_key *key)
{
	for (size_t i = 0; i < count; i++) {
		if (column_key_compare(&values[i].key, key) == 0) {
			return true;
		}
	}
	return false;
}

static struct planrun_op *plan_add_op(struct templateplan *plan, uint16_t offset, uint16_t len)
{
	struct planrun_op *op = &plan->walk[plan->op_count++];

	op->offset = offset;
	op->len = len;
	return op;
}

static void plan_add_column(struct plan_maker *maker, const struct template_field *field,
			    struct column_key key, uint16_t offset)
{
	struct templateplan *plan = maker->plan;
	bool reverse = plan_is_reverse(&key);
	uint16_t *count = reverse ? &plan->reverse : &plan->extras;
	struct flowblock_value *values = reverse ? plan->reverse_values : plan->values;
	const struct ie *ie = iemodel_by_id(maker->model, key.pen, key.id);
	uint8_t type = ie ? ie->type : COLUMN_OCTET_ARRAY;
	size_t base = reverse ? offsetof(struct templateplan_values, reverse)
			      : offsetof(struct templateplan_values, extras);
	struct planrun_op *op;

	if (field->len == 0 || (key.pen == 0 && key.id == PLAN_PADDING)) {
		return;
	}
	if (*count >= EXTRAS_MAX || key.pen >= TEMPLATE_PEN_SCOPE ||
	    column_find(&key) != COLUMN_COUNT || plan_has_key(values, *count, &key)) {
		plan->lost++;
		return;
	}
	type = planrun_column_type(type, field->len);
	values[*count] = (struct flowblock_value){ .key = key, .type = type };
	op = plan_add_op(plan, offset, field->len);
	op->to = (uint16_t)(base + offsetof(struct extras, values) +
			    *count * sizeof(struct flowblock_value) + planrun_value_offset(type));
	op->kind = planrun_column_kind(type, field->len);
	(*count)++;
}

static void plan_add_field(struct plan_maker *maker, uint16_t place_in_template, uint16_t offset,
			   bool taken[IPFIX_FIELD_COUNT])
{
	const struct template_field *field = &maker->tmpl->fields[place_in_template];
	struct templateplan *plan = maker->plan;
	struct column_key column;
	uint16_t number;
	int place;

	plan_find_alias(field, &number, &column);
	place = plan_find_field(field->enterprise, number);
	if (field->enterprise == 0 && field->number == PLAN_MULTI_LIST) {
		struct planrun_op *op = plan_add_op(plan, offset, field->len);

		op->kind = PLANRUN_LIST;
		op->to = offsetof(struct templateplan_values, list);
		return;
	}
	if (place >= 0 && plan_is_usable(field, place) && !taken[place]) {
		struct planrun_op *op = plan_add_op(plan, offset, field->len);

		op->to = (uint16_t)(offsetof(struct templateplan_values, fields) +
				    plan_elements[place].offset);
		op->kind = planrun_field_kind(field->len, plan_elements[place].size);
		taken[place] = true;
	}
	if (plan_wants_column(maker, place)) {
		plan_add_column(maker, field, column, offset);
	}
}

static int plan_compare_ops(const void *a, const void *b)
{
	const struct planrun_op *x = a;
	const struct planrun_op *y = b;

	if (x->kind != y->kind) {
		return x->kind < y->kind ? -1 : 1;
	}
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int plan_find_place(const struct templateplan *plan, uint16_t id, enum column_form form)
{
	for (int i = 0; i < plan->extras; i++) {
		if (plan->values[i].key.pen == 0 && plan->values[i].key.id == id &&
		    column_form(plan->values[i].type) == form) {
			return i;
		}
	}
	return -1;
}

static void plan_find_places(struct templateplan *plan)
{
	static const struct {
		size_t place; /* in struct templateplan_places */
		enum column_form form;
		uint16_t ids[2]; /* the second one where the first is not there; 0: none */
	} wanted[] = {
#define PLACE(member) offsetof(struct templateplan_places, member)
		{ PLACE(sampler), COLUMN_FORM_NUMBER, { 48, 302 } },
		{ PLACE(sampling_interval), COLUMN_FORM_NUMBER, { 34 } },
		{ PLACE(packet_interval), COLUMN_FORM_NUMBER, { 305 } },
		{ PLACE(packet_space), COLUMN_FORM_NUMBER, { 306 } },
		{ PLACE(frame), COLUMN_FORM_BYTES, { 315 } },
		{ PLACE(frame_size), COLUMN_FORM_NUMBER, { 312 } },
		{ PLACE(ip_section), COLUMN_FORM_BYTES, { 313 } },
		{ PLACE(tos), COLUMN_FORM_NUMBER, { 5 } },
		{ PLACE(vlan), COLUMN_FORM_NUMBER, { 58 } },
#undef PLACE
	};

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
		int place = plan_find_place(plan, wanted[i].ids[0], wanted[i].form);

		if (place < 0 && wanted[i].ids[1] != 0) {
			place = plan_find_place(plan, wanted[i].ids[1], wanted[i].form);
		}
		*(int *)(void *)((char *)&plan->places + wanted[i].place) = place;
	}
}

/* One piece of memory, so that it can be freed with g_free(). */
static struct templateplan *plan_allocate(uint16_t count)
{
	size_t ops = (size_t)count * PLAN_OPS_PER_FIELD;
	size_t values = MIN(count, EXTRAS_MAX);
	size_t values_at = (sizeof(struct templateplan) + 15) & ~(size_t)15;
	size_t ops_at = values_at + 2 * values * sizeof(struct flowblock_value);
	size_t fields_at = ops_at + 2 * ops * sizeof(struct planrun_op);
	struct templateplan *plan =
		g_malloc0(fields_at + count * sizeof(*((struct templateplan *)NULL)->fields));

	plan->values = (void *)((char *)plan + values_at);
	plan->reverse_values = plan->values + values;
	plan->ops = (void *)((char *)plan + ops_at);
	plan->walk = plan->ops + ops;
	plan->fields = (void *)((char *)plan + fields_at);
	return plan;
}

struct templateplan *templateplan_new(const struct template *tmpl,
				      const struct ipfix_mapping *mapping,
				      const struct iemodel *model)
{
	struct plan_maker maker = { tmpl, mapping, model, plan_allocate(tmpl->count) };
	struct templateplan *plan = maker.plan;
	bool taken[IPFIX_FIELD_COUNT] = { false };
	uint32_t offset = 0;

	plan_make_shape(&maker);
	for (uint16_t i = 0; i < tmpl->count; i++) {
		plan->fields[i].first = plan->op_count;
		plan_add_field(&maker, i, (uint16_t)offset, taken);
		plan->fields[i].count = (uint16_t)(plan->op_count - plan->fields[i].first);
		offset += tmpl->fields[i].len;
	}
	memcpy(plan->ops, plan->walk, plan->op_count * sizeof(plan->ops[0]));
	qsort(plan->ops, plan->op_count, sizeof(plan->ops[0]), plan_compare_ops);
	plan_find_places(plan);
	return plan;
}

const struct ipfix_shape *templateplan_shape(const struct templateplan *plan)
{
	return &plan->shape;
}

const struct templateplan_places *templateplan_places(const struct templateplan *plan)
{
	return &plan->places;
}

unsigned templateplan_lost(const struct templateplan *plan)
{
	return plan->lost;
}

/* ---- reading ---- */

void templateplan_begin(const struct templateplan *plan, struct templateplan_values *values)
{
	memset(&values->fields, 0, sizeof(values->fields));
	values->list = (struct template_bytes){ NULL, 0 };
	memcpy(values->extras.values, plan->values, plan->extras * sizeof(plan->values[0]));
	memcpy(values->reverse.values, plan->reverse_values,
	       plan->reverse * sizeof(plan->values[0]));
	values->extras.count = plan->extras;
	values->reverse.count = plan->reverse;
}

void templateplan_read(const struct templateplan *plan, const uint8_t *record,
		       struct templateplan_values *values)
{
	const struct planrun_op *op = plan->ops;
	const struct planrun_op *end = op + plan->op_count;

	while (op < end) {
		op = planrun_table[op->kind](op, end, record, values);
	}
	values->extras.count = plan->extras;
}

int templateplan_walk(const struct templateplan *plan, const struct template *tmpl,
		      struct template_bytes *bytes, struct templateplan_values *values,
		      struct err *err)
{
	for (uint16_t i = 0; i < tmpl->count; i++) {
		struct template_bytes content = { bytes->at, tmpl->fields[i].len };

		if (content.left != TEMPLATE_VARLEN) {
			if (!template_eat(bytes, content.left)) {
				return err_set(err, ST_EFORMAT, "a record goes beyond its set");
			}
		} else if (template_eat_varlen(bytes, &content, err) != ST_OK) {
			return ST_EFORMAT;
		}
		for (uint16_t k = 0; k < plan->fields[i].count; k++) {
			struct planrun_op op = plan->walk[plan->fields[i].first + k];

			op.offset = 0;
			op.len = (uint16_t)content.left;
			planrun_table[op.kind](&op, &op + 1, content.at, values);
		}
	}
	values->extras.count = plan->extras;
	return ST_OK;
}

static void plan_append(struct extras *extras, uint16_t id, uint8_t type, uint64_t number)
{
	if (number != 0) {
		extras_add_number(extras, (struct column_key){ 0, id }, type, number);
	}
}

static void plan_append_ipv4(struct extras *extras, uint16_t id, uint32_t address)
{
	if (address != 0) {
		extras_add(extras, (struct flowblock_value){ .key = { 0, id },
							     .type = COLUMN_IPV4_ADDRESS,
							     .ip = ip_from_v4(address) });
	}
}

/* A biflow's other half that made no record. */
static void plan_append_reverse(struct templateplan_values *values)
{
	for (size_t i = 0; i < values->reverse.count; i++) {
		struct flowblock_value value = values->reverse.values[i];

		if (column_form(value.type) != COLUMN_FORM_NUMBER || value.number == 0) {
			continue;
		}
		if (value.key.pen == 0) {
			value.key.pen = IPFIX_PEN_REVERSE;
		} else {
			value.key.id |= IPFIX_CERT_REVERSE;
		}
		extras_add(&values->extras, value);
	}
}

void templateplan_finish(const struct templateplan *plan, struct templateplan_values *values,
			 const struct record *rec, bool both)
{
	const struct ipfix_fields *f = &values->fields;
	struct extras *extras = &values->extras;

	if (plan->both_families && record_is_ipv6(rec)) {
		plan_append_ipv4(extras, 8, f->sip4);
		plan_append_ipv4(extras, 12, f->dip4);
		plan_append_ipv4(extras, 15, f->nhip4);
	}
	if (plan->icmp_apart && !record_is_icmp(rec)) {
		plan_append(extras, 32, COLUMN_UNSIGNED16, f->icmp4);
		plan_append(extras, 139, COLUMN_UNSIGNED16, f->icmp6);
	}
	if (values->list.left > 0) {
		extras_add(extras, (struct flowblock_value){
					   .key = { 0, PLAN_MULTI_LIST },
					   .type = COLUMN_SUB_TEMPLATE_MULTI_LIST,
					   .bytes = { values->list.at, values->list.left } });
	}
	if (!both) {
		plan_append_reverse(values);
	}
}

static struct column_key plan_other_side(struct column_key key)
{
	for (size_t i = 0; key.pen == 0 && i < G_N_ELEMENTS(plan_sides); i++) {
		if (plan_sides[i][0] == key.id) {
			key.id = plan_sides[i][1];
			break;
		}
		if (plan_sides[i][1] == key.id) {
			key.id = plan_sides[i][0];
			break;
		}
	}
	return key;
}

void templateplan_turn(const struct templateplan_values *values, struct extras *out)
{
	*out = values->reverse;
	for (size_t i = 0; i < values->extras.count; i++) {
		struct flowblock_value value = values->extras.values[i];

		value.key = plan_other_side(value.key);
		if (!plan_has_key(values->reverse.values, values->reverse.count, &value.key)) {
			extras_add(out, value);
		}
	}
}
