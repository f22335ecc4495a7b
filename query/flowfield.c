/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowfield.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#include "common/decimal.h"
#include "query/flowrate.h"
#include "storage/byteorder.h"

#define RATE_WIDTH 15

struct flowfield;

/* How the value of a field is found. */
struct row {
	const char *name;
	const char *alias;
	const char *help;
	enum flowfield_plugin plugin;
	uint32_t columns;
	const struct value_kind *kind; /* NULL: that of the field like */
	const char *like;
	int width;
	void (*load)(const struct flowfield_setup *setup, const struct batch *batch, uint32_t row,
		     struct value *out);
};

struct flowfield {
	struct field field; /* first */
	const struct row *row;
	const struct flowfield_setup *setup;
};

struct flowfields {
	struct flowfield_setup setup;
	struct flowfield *fields; /* one a row */
};

/* ---- numbers ---- */

uint64_t flowfield_thousandths(double rate)
{
	double thousandths = nearbyint(rate * 1000);

	return thousandths < 0x1p64 ? (uint64_t)thousandths : UINT64_MAX;
}

size_t flowfield_print_thousandths(char *out, uint64_t thousandths)
{
	size_t len = decimal_print(out, thousandths / 1000);
	unsigned rest = (unsigned)(thousandths % 1000);

	out[len++] = '.';
	out[len++] = (char)('0' + rest / 100);
	out[len++] = (char)('0' + rest / 10 % 10);
	out[len++] = (char)('0' + rest % 10);
	out[len] = '\0';
	return len;
}

static size_t print_rate(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	return flowfield_print_thousandths(out, value->u);
}

/* What rwmatch writes: a mark in the first byte of an address tells the answer, a number follows.
 */
static size_t print_match(char *out, const struct value *value, const struct field *field,
			  const struct field_context *ctx)
{
	uint32_t number = (uint32_t)value->u & 0xffffff;
	char digits[16];
	size_t len = number ? decimal_print(digits, number) : 0;

	memcpy(out, value->u >> 24 ? "<-" : "->", 2);
	memset(out + 2, ' ', 8 - len);
	memcpy(out + 10 - len, digits, len);
	out[10] = '\0';
	return 10;
}

static void key_64(uint8_t *out, const struct value *value)
{
	store64_be(out, value->u);
}

static void from_key_64(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .u = load64_be(key) };
}

/* clang-format off */
static const struct value_kind kind_rate = {
	.name = "rate", .print = print_rate, .key_size = 8, .key = key_64, .from_key = from_key_64,
	.json_number = true };
static const struct value_kind kind_match = {
	.name = "match", .print = print_match, .key_size = 8, .key = key_64,
	.from_key = from_key_64 };
/* clang-format on */

/* ---- loads ---- */

static void load_payload(const struct flowfield_setup *setup, const struct batch *batch,
			 uint32_t row, struct value *out)
{
	out->u = flow_payload(batch, row);
}

static void set_rate(const struct flowfield_setup *setup, const struct batch *batch, uint32_t row,
		     uint64_t volume, struct value *out)
{
	out->u = flowfield_thousandths(flow_rate(volume, batch->duration_ns[row], setup->zero_ns));
}

static void load_payload_rate(const struct flowfield_setup *setup, const struct batch *batch,
			      uint32_t row, struct value *out)
{
	set_rate(setup, batch, row, flow_payload(batch, row), out);
}

static void load_packet_rate(const struct flowfield_setup *setup, const struct batch *batch,
			     uint32_t row, struct value *out)
{
	set_rate(setup, batch, row, batch->packets[row], out);
}

static void load_byte_rate(const struct flowfield_setup *setup, const struct batch *batch,
			   uint32_t row, struct value *out)
{
	set_rate(setup, batch, row, batch->bytes[row], out);
}

static void load_packet_size(const struct flowfield_setup *setup, const struct batch *batch,
			     uint32_t row, struct value *out)
{
	double packets = (double)MAX(batch->packets[row], 1);

	out->u = flowfield_thousandths((double)batch->bytes[row] / packets);
}

static void load_flowkey(const struct flowfield_setup *setup, const struct batch *batch,
			 uint32_t row, struct value *out)
{
	out->u = flow_key_hash(batch, row);
}

static void load_match(const struct flowfield_setup *setup, const struct batch *batch, uint32_t row,
		       struct value *out)
{
	out->u = (uint32_t)batch->nhip[row].lo;
}

/* Which end of the flow: -1 the source, 1 the destination, 0 nothing is known. */
static int side_inside(const struct flowfield_setup *setup, const struct batch *batch, uint32_t row)
{
	uint16_t flowtype = batch->flowtype[row];

	if (numset_contains(&setup->incoming, flowtype)) {
		return 1;
	}
	return numset_contains(&setup->outgoing, flowtype) ? -1 : 0;
}

static void set_address(const struct batch *batch, uint32_t row, int side, struct value *out)
{
	out->is_v6 = batch->state[row] & RECORD_IPV6;
	out->ip = side == 0 ? ip_from_v4(0) : side < 0 ? batch->sip[row] : batch->dip[row];
	out->is_v6 = out->is_v6 && side != 0;
}

static uint64_t port_of(const struct batch *batch, uint32_t row, int side)
{
	if (side == 0 || batch_is_icmp(batch, row)) {
		return 0;
	}
	return side < 0 ? batch->sport[row] : batch->dport[row];
}

static void load_int_ip(const struct flowfield_setup *setup, const struct batch *batch,
			uint32_t row, struct value *out)
{
	set_address(batch, row, side_inside(setup, batch, row), out);
}

static void load_ext_ip(const struct flowfield_setup *setup, const struct batch *batch,
			uint32_t row, struct value *out)
{
	set_address(batch, row, -side_inside(setup, batch, row), out);
}

static void load_int_port(const struct flowfield_setup *setup, const struct batch *batch,
			  uint32_t row, struct value *out)
{
	out->u = port_of(batch, row, side_inside(setup, batch, row));
}

static void load_ext_port(const struct flowfield_setup *setup, const struct batch *batch,
			  uint32_t row, struct value *out)
{
	out->u = port_of(batch, row, -side_inside(setup, batch, row));
}

static void load_from_conficker(const struct flowfield_setup *setup, const struct batch *batch,
				uint32_t row, struct value *out)
{
	out->u = conficker_hits(batch, row, CONFICKER_SOURCE, &setup->conficker);
}

static void load_to_conficker(const struct flowfield_setup *setup, const struct batch *batch,
			      uint32_t row, struct value *out)
{
	out->u = conficker_hits(batch, row, CONFICKER_DESTINATION, &setup->conficker);
}

#define BIT(column)  COLUMN_BIT(COLUMN_##column)
#define PORT_COLUMNS (BIT(SPORT) | BIT(DPORT) | BIT(PROTOCOL) | BIT(STATE) | BIT(FLOWTYPE))

/* clang-format off */
static const struct row rows[] = {
	{ .name = "pckts/sec", .help = "packets a second", .plugin = FLOWFIELD_RATE,
	  .columns = BIT(PACKETS) | BIT(DURATION), .kind = &kind_rate, .width = RATE_WIDTH,
	  .load = load_packet_rate },
	{ .name = "bytes/sec", .help = "bytes a second", .plugin = FLOWFIELD_RATE,
	  .columns = BIT(BYTES) | BIT(DURATION), .kind = &kind_rate, .width = RATE_WIDTH,
	  .load = load_byte_rate },
	{ .name = "bytes/packet", .help = "bytes a packet", .plugin = FLOWFIELD_RATE,
	  .columns = BIT(PACKETS) | BIT(BYTES), .kind = &kind_rate, .width = RATE_WIDTH,
	  .load = load_packet_size },
	{ .name = "payload-bytes", .help = "bytes without headers of the shortest kind",
	  .plugin = FLOWFIELD_RATE, .columns = FLOW_PAYLOAD_COLUMNS, .like = "bytes",
	  .width = RATE_WIDTH, .load = load_payload },
	{ .name = "payload-rate", .help = "payload-bytes a second", .plugin = FLOWFIELD_RATE,
	  .columns = FLOW_PAYLOAD_COLUMNS | BIT(DURATION), .kind = &kind_rate, .width = RATE_WIDTH,
	  .load = load_payload_rate },
	{ .name = "flowkey", .help = "YAF's hash of addresses, ports, protocol and VLAN",
	  .plugin = FLOWFIELD_KEY, .columns = FLOW_KEY_COLUMNS, .like = "in", .width = 10,
	  .load = load_flowkey },
	{ .name = "<->Match#", .alias = "match", .help = "query or answer, and its number, of rwmatch",
	  .plugin = FLOWFIELD_MATCH, .columns = BIT(NHIP), .kind = &kind_match, .width = 10,
	  .load = load_match },
	{ .name = "int-ip", .help = "address of the end inside", .plugin = FLOWFIELD_INT_EXT,
	  .columns = BIT(SIP) | BIT(DIP) | BIT(STATE) | BIT(FLOWTYPE), .like = "sIP",
	  .load = load_int_ip },
	{ .name = "int-port", .help = "port of the end inside", .plugin = FLOWFIELD_INT_EXT,
	  .columns = PORT_COLUMNS, .like = "sPort", .width = 5,
	  .load = load_int_port },
	{ .name = "ext-ip", .help = "address of the end outside", .plugin = FLOWFIELD_INT_EXT,
	  .columns = BIT(SIP) | BIT(DIP) | BIT(STATE) | BIT(FLOWTYPE), .like = "sIP",
	  .load = load_ext_ip },
	{ .name = "ext-port", .help = "port of the end outside", .plugin = FLOWFIELD_INT_EXT,
	  .columns = PORT_COLUMNS, .like = "sPort", .width = 5,
	  .load = load_ext_port },
	{ .name = "sconficker", .help = "1: the source is where Conficker.C looks for itself",
	  .plugin = FLOWFIELD_CONFICKER, .columns = CONFICKER_COLUMNS, .like = "protocol",
	  .width = 5, .load = load_from_conficker },
	{ .name = "dconficker", .help = "1: the destination is",
	  .plugin = FLOWFIELD_CONFICKER, .columns = CONFICKER_COLUMNS, .like = "protocol",
	  .width = 5, .load = load_to_conficker },
};
/* clang-format on */

/* ---- fields ---- */

static void load(const struct field *field, const struct batch *batch, uint32_t row,
		 struct value *out)
{
	const struct flowfield *made = (const struct flowfield *)field;

	*out = (struct value){ 0 };
	made->row->load(made->setup, batch, row, out);
}

static void pack(const struct field *field, const struct batch *batch, uint8_t *out, size_t stride)
{
	for (uint32_t i = 0; i < batch->selected; i++, out += stride) {
		struct value value;

		load(field, batch, batch->selection[i], &value);
		field->kind->key(out, &value);
	}
}

static int prepare(const struct field *field, struct err *err)
{
	const struct flowfield *made = (const struct flowfield *)field;

	if (made->row->plugin == FLOWFIELD_INT_EXT && !made->setup->has_sides) {
		return err_set(err, ST_EINVAL,
			       "The field '%s' needs --incoming-flowtypes and --outgoing-flowtypes",
			       field->name);
	}
	return ST_OK;
}

struct flowfields *flowfields_new(const struct flowfield_setup *setup)
{
	struct flowfields *flows = g_new0(struct flowfields, 1);

	flows->setup = *setup;
	flows->fields = g_new0(struct flowfield, G_N_ELEMENTS(rows));
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct row *row = &rows[i];

		flows->fields[i] = (struct flowfield){ .row = row, .setup = &flows->setup };
		flows->fields[i].field = (struct field){
			.name = row->name,
			.aliases = { row->alias },
			.kind = row->kind ? row->kind : field_find(row->like, NULL)->kind,
			.columns = row->columns,
			.width = row->width,
			.flags = setup->plugins & row->plugin ? 0 : FIELD_WEAK,
			.help = row->help,
			.load_made = load,
			.pack_made = pack,
			.prepare = prepare,
		};
	}
	return flows;
}

void flowfields_free(struct flowfields *flows)
{
	if (flows) {
		g_free(flows->fields);
		g_free(flows);
	}
}

void flowfields_register(const struct flowfields *flows, struct extfields *ext)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		extfields_add(ext, &flows->fields[i].field);
	}
}
