/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/field.h"

#include <endian.h>
#include <string.h>
#include <strings.h>

#include <glib.h>

#include "common/spelling.h"
#include "common/value_kind.h"

/* Enterprise number of CERT, whose elements describe SiLK's own fields. */
#define PEN_CERT 6871

/* ---- values of a row ---- */

#define htobe8(byte) (byte)

/* Keys of a column: the big-endian form of expression for every selected row. */
#define PACK(name, bits, expression)                                                               \
	static void pack_##name(const struct batch *batch, uint8_t *out, size_t stride)            \
	{                                                                                          \
		for (uint32_t i = 0; i < batch->selected; i++, out += stride) {                    \
			uint32_t row = batch->selection[i];                                        \
			uint##bits##_t key = htobe##bits((uint##bits##_t)(expression));            \
                                                                                                   \
			memcpy(out, &key, sizeof(key));                                            \
		}                                                                                  \
	}

#define NUMBER(name, bits, expression)                                                             \
	static void load_##name(const struct batch *batch, uint32_t row,                           \
				const struct field_context *ctx, struct value *out)                \
	{                                                                                          \
		*out = (struct value){ .u = (expression) };                                        \
	}                                                                                          \
	PACK(name, bits, expression)

#define TIME(name, expression)                                                                     \
	static void load_##name(const struct batch *batch, uint32_t row,                           \
				const struct field_context *ctx, struct value *out)                \
	{                                                                                          \
		*out = (struct value){ .ns = (expression) };                                       \
	}                                                                                          \
	PACK(name, 64, (uint64_t)(expression) ^ UINT64_C(1) << 63)

#define ADDRESS(column)                                                                            \
	static void load_##column(const struct batch *batch, uint32_t row,                         \
				  const struct field_context *ctx, struct value *out)              \
	{                                                                                          \
		*out = (struct value){ .ip = batch->column[row],                                   \
				       .is_v6 = batch->state[row] & RECORD_IPV6 };                 \
	}                                                                                          \
	static void pack_##column(const struct batch *batch, uint8_t *out, size_t stride)          \
	{                                                                                          \
		for (uint32_t i = 0; i < batch->selected; i++, out += stride) {                    \
			ip_to_bytes(batch->column[batch->selection[i]], out);                      \
		}                                                                                  \
	}

/* Blank where the record is not ICMP; the key is 0 then. */
#define ICMP(name, expression)                                                                     \
	static void load_##name(const struct batch *batch, uint32_t row,                           \
				const struct field_context *ctx, struct value *out)                \
	{                                                                                          \
		bool icmp = batch_is_icmp(batch, row);                                             \
                                                                                                   \
		*out = (struct value){ .u = icmp ? (expression) : 0, .blank = !icmp };             \
	}                                                                                          \
	PACK(name, 8, batch_is_icmp(batch, row) ? (expression) : 0)

/* --icmp-type-and-code changes what is printed, not the key. */
#define PORT(name, icmp_expression)                                                                \
	static void load_##name(const struct batch *batch, uint32_t row,                           \
				const struct field_context *ctx, struct value *out)                \
	{                                                                                          \
		bool icmp = ctx->icmp_type_and_code && batch_is_icmp(batch, row);                  \
                                                                                                   \
		*out = (struct value){ .u = icmp ? (icmp_expression) : batch->name[row] };         \
	}                                                                                          \
	PACK(name, 16, batch->name[row])

#define ATTRIBUTES (RECORD_FIN_FOLLOWED | RECORD_UNIFORM | RECORD_TIMEOUT | RECORD_CONTINUED)

/* clang-format off */
ADDRESS(sip);
ADDRESS(dip);
ADDRESS(nhip);
PORT(sport, batch->dport[row] >> 8);
PORT(dport, batch->dport[row] & 0xff);
NUMBER(protocol, 8, batch->protocol[row]);
NUMBER(packets, 64, batch->packets[row]);
NUMBER(bytes, 64, batch->bytes[row]);
NUMBER(flags, 8, batch->flags[row]);
TIME(stime, batch->start_ns[row]);
NUMBER(duration, 64, batch->duration_ns[row]);
TIME(etime, batch->start_ns[row] + (int64_t)batch->duration_ns[row]);
NUMBER(sensor, 16, batch->sensor[row]);
NUMBER(input, 32, batch->input[row]);
NUMBER(output, 32, batch->output[row]);
NUMBER(flowtype, 8, batch->flowtype[row]);
NUMBER(initial_flags, 8, batch->initial_flags[row]);
NUMBER(session_flags, 8, batch->session_flags[row]);
NUMBER(attributes, 8, batch->state[row] & ATTRIBUTES);
NUMBER(application, 16, batch->application[row]);
ICMP(itype, batch->dport[row] >> 8);
ICMP(icode, batch->dport[row] & 0xff);
/* clang-format on */

/* ---- the table ---- */

#define BIT(column)  COLUMN_BIT(COLUMN_##column)
#define ICMP_COLUMNS (BIT(DPORT) | BIT(PROTOCOL) | BIT(STATE))

/* In SiLK's order, which is that of rwcut --all-fields. */
/* clang-format off */
const struct field field_table[] = {
	{ .name = "sIP", .aliases = { "1" }, .kind = &kind_ip, .ie_id = 8,
	  .columns = BIT(SIP) | BIT(STATE), .load = load_sip, .pack = pack_sip,
	  .help = "source address" },
	{ .name = "dIP", .aliases = { "2" }, .kind = &kind_ip, .ie_id = 12,
	  .columns = BIT(DIP) | BIT(STATE), .load = load_dip, .pack = pack_dip,
	  .help = "destination address" },
	{ .name = "sPort", .aliases = { "3" }, .kind = &kind_u16, .ie_id = 7,
	  .columns = BIT(SPORT), .load = load_sport, .pack = pack_sport, .width = 5,
	  .help = "source port, 0 where there is none" },
	{ .name = "dPort", .aliases = { "4" }, .kind = &kind_u16, .ie_id = 11,
	  .columns = BIT(DPORT), .load = load_dport, .pack = pack_dport, .width = 5,
	  .help = "destination port; ICMP: type * 256 + code" },
	{ .name = "protocol", .aliases = { "5" }, .kind = &kind_u8, .ie_id = 4,
	  .columns = BIT(PROTOCOL), .load = load_protocol, .pack = pack_protocol, .width = 3,
	  .help = "IP protocol" },
	{ .name = "packets", .aliases = { "pkts", "6" }, .kind = &kind_u64,
	  .role = FIELD_ROLE_SUM, .ie_id = 2, .columns = BIT(PACKETS), .load = load_packets,
	  .pack = pack_packets, .width = 10, .help = "packets in the flow" },
	{ .name = "bytes", .aliases = { "7" }, .kind = &kind_u64,
	  .role = FIELD_ROLE_SUM, .ie_id = 1, .columns = BIT(BYTES), .load = load_bytes,
	  .pack = pack_bytes, .width = 10, .help = "layer-3 bytes in the flow" },
	{ .name = "flags", .aliases = { "8" }, .kind = &kind_flags, .ie_id = 6,
	  .columns = BIT(FLAGS), .load = load_flags, .pack = pack_flags,
	  .help = "TCP flags of all packets" },
	{ .name = "sTime", .aliases = { "9" }, .kind = &kind_time,
	  .role = FIELD_ROLE_TIME, .ie_id = 156, .columns = BIT(START), .load = load_stime,
	  .pack = pack_stime, .help = "first packet" },
	{ .name = "duration", .aliases = { "dur", "10" }, .kind = &kind_duration,
	  .role = FIELD_ROLE_TIME, .ie_id = 161, .columns = BIT(DURATION), .load = load_duration,
	  .pack = pack_duration, .help = "time from first to last packet, in seconds" },
	{ .name = "eTime", .aliases = { "11" }, .kind = &kind_time,
	  .role = FIELD_ROLE_TIME, .ie_id = 157, .columns = BIT(START) | BIT(DURATION),
	  .load = load_etime, .pack = pack_etime, .help = "last packet" },
	{ .name = "sensor", .aliases = { "12" }, .kind = &kind_sensor,
	  .ie_pen = PEN_CERT, .ie_id = 31, .columns = BIT(SENSOR), .load = load_sensor,
	  .pack = pack_sensor, .help = "name or id of the sensor" },
	{ .name = "in", .aliases = { "13" }, .kind = &kind_u32, .ie_id = 10,
	  .columns = BIT(INPUT), .load = load_input, .pack = pack_input, .width = 5,
	  .help = "input interface or VLAN" },
	{ .name = "out", .aliases = { "14" }, .kind = &kind_u32, .ie_id = 14,
	  .columns = BIT(OUTPUT), .load = load_output, .pack = pack_output, .width = 5,
	  .help = "output interface or VLAN" },
	{ .name = "nhIP", .aliases = { "15" }, .kind = &kind_ip, .ie_id = 15,
	  .columns = BIT(NHIP) | BIT(STATE), .load = load_nhip, .pack = pack_nhip,
	  .help = "address of the next hop" },
	{ .name = "initialFlags", .aliases = { "26" }, .kind = &kind_flags,
	  .ie_pen = PEN_CERT, .ie_id = 14, .columns = BIT(INITIAL_FLAGS),
	  .load = load_initial_flags, .pack = pack_initial_flags,
	  .help = "TCP flags of the first packet" },
	{ .name = "sessionFlags", .aliases = { "27" }, .kind = &kind_flags,
	  .ie_pen = PEN_CERT, .ie_id = 15, .columns = BIT(SESSION_FLAGS),
	  .load = load_session_flags, .pack = pack_session_flags,
	  .help = "TCP flags of all packets but the first" },
	{ .name = "attributes", .aliases = { "28" }, .kind = &kind_attributes,
	  .ie_pen = PEN_CERT, .ie_id = 40, .columns = BIT(STATE), .load = load_attributes,
	  .pack = pack_attributes, .width = 8, .help = "how the flow came to be: S F T C" },
	{ .name = "application", .aliases = { "29" }, .kind = &kind_u16,
	  .ie_pen = PEN_CERT, .ie_id = 33, .columns = BIT(APPLICATION), .load = load_application,
	  .pack = pack_application, .width = 5,
	  .help = "service port told by the content, 0 unknown" },
	{ .name = "class", .aliases = { "20" }, .kind = &kind_class, .columns = BIT(FLOWTYPE),
	  .load = load_flowtype, .pack = pack_flowtype, .help = "class of the sensor" },
	{ .name = "type", .aliases = { "21" }, .kind = &kind_type,
	  .ie_pen = PEN_CERT, .ie_id = 30, .columns = BIT(FLOWTYPE), .load = load_flowtype,
	  .pack = pack_flowtype, .help = "type within the class" },
	{ .name = "sTime+msec", .aliases = { "22" }, .kind = &kind_time_msec,
	  .role = FIELD_ROLE_TIME, .columns = BIT(START), .load = load_stime, .pack = pack_stime,
	  .flags = FIELD_DEPRECATED, .help = "as sTime, always with its fraction" },
	{ .name = "eTime+msec", .aliases = { "23" }, .kind = &kind_time_msec,
	  .role = FIELD_ROLE_TIME, .columns = BIT(START) | BIT(DURATION), .load = load_etime,
	  .pack = pack_etime, .flags = FIELD_DEPRECATED,
	  .help = "as eTime, always with its fraction" },
	{ .name = "dur+msec", .aliases = { "24" }, .kind = &kind_duration_msec,
	  .role = FIELD_ROLE_TIME, .columns = BIT(DURATION), .load = load_duration,
	  .pack = pack_duration, .flags = FIELD_DEPRECATED,
	  .help = "as duration, always with its fraction" },
	{ .name = "iType", .kind = &kind_icmp, .ie_id = 176, .columns = ICMP_COLUMNS,
	  .load = load_itype, .pack = pack_itype, .width = 3,
	  .help = "ICMP type, blank where there is none" },
	{ .name = "iCode", .kind = &kind_icmp, .ie_id = 177, .columns = ICMP_COLUMNS,
	  .load = load_icode, .pack = pack_icode, .width = 3,
	  .help = "ICMP code, blank where there is none" },
	{ .name = "icmpTypeCode", .aliases = { "25" }, .kind = &kind_icmp,
	  .columns = ICMP_COLUMNS, .load = load_itype, .pack = pack_itype,
	  .width = 3, .flags = FIELD_PAIR, .help = "iType and iCode" },
};
/* clang-format on */
const size_t field_table_count = G_N_ELEMENTS(field_table);

/* ---- names ---- */

/* 2: the whole name or an alias; 1: the beginning of one; 0: neither. */
static int match_name(const struct field *field, const char *name, size_t len)
{
	int best = 0;

	for (int i = -1; i < (int)G_N_ELEMENTS(field->aliases); i++) {
		const char *candidate = i < 0 ? field->name : field->aliases[i];

		if (candidate && strncasecmp(candidate, name, len) == 0) {
			if (candidate[len] == '\0') {
				return 2;
			}
			best = 1;
		}
	}
	return best;
}

/* The fields that a name is looked for among: those of the table, and more. */
struct names {
	const struct field *const *more;
	size_t count;
	unsigned flags; /* enum field_list_flags */
};

/* The i-th of them; NULL: one that may not be named. */
static const struct field *name_at(const struct names *names, size_t i)
{
	const struct field *field =
		i < field_table_count ? &field_table[i] : names->more[i - field_table_count];
	bool hidden = names->flags & FIELD_LIST_NO_DEPRECATED && field->flags & FIELD_DEPRECATED;

	return hidden ? NULL : field;
}

static void suggest_field(const struct names *names, const char *name, struct err *err)
{
	struct spelling spelling = { .word = name, .len = strlen(name) };

	for (size_t i = 0; i < field_table_count + names->count; i++) {
		const struct field *field = name_at(names, i);

		if (field) {
			spelling_try(&spelling, field->name);
		}
	}
	spelling_suggest(&spelling, "", err);
}

/* The field that the beginning of a name means; *count: how many it could. */
static const struct field *find_beginning(const struct names *names, const char *name,
					  unsigned *count)
{
	const struct field *found[2] = { NULL, NULL };
	unsigned counts[2] = { 0, 0 }; /* of others, and of those with weak names */
	bool weak;

	for (size_t i = 0; i < field_table_count + names->count; i++) {
		const struct field *field = name_at(names, i);

		if (field && match_name(field, name, strlen(name)) == 1) {
			weak = field->flags & FIELD_WEAK;
			found[weak] = field;
			counts[weak]++;
		}
	}
	weak = counts[0] == 0;
	*count = counts[weak];
	return found[weak];
}

const struct field *field_find_among(const struct field *const *more, size_t count,
				     const char *name, unsigned flags, struct err *err)
{
	const struct names names = { more, count, flags };
	const struct field *found;
	unsigned matches = 0;

	for (size_t i = 0; i < field_table_count + count && *name; i++) {
		const struct field *field = name_at(&names, i);

		if (field && match_name(field, name, strlen(name)) == 2) {
			return field;
		}
	}
	found = *name ? find_beginning(&names, name, &matches) : NULL;
	if (matches == 1) {
		return found;
	}
	if (matches > 1) {
		err_set(err, ST_EINVAL, "The field '%s' matches multiple keys", name);
	} else {
		err_set(err, ST_ENOENT, "No match was found for the field '%s'", name);
		suggest_field(&names, name, err);
	}
	return NULL;
}

const struct field *field_find_in(const char *name, unsigned flags, struct err *err)
{
	return field_find_among(NULL, 0, name, flags, err);
}

const struct field *field_find(const char *name, struct err *err)
{
	return field_find_in(name, 0, err);
}

static int add_field(GPtrArray *list, const struct field *field, unsigned flags, struct err *err)
{
	if (field->flags & FIELD_PAIR) {
		int status = add_field(list, field - 2, flags, err);

		return status == ST_OK ? add_field(list, field - 1, flags, err) : status;
	}
	if (!(flags & FIELD_LIST_REPEATS) && g_ptr_array_find(list, field, NULL)) {
		return err_set(err, ST_EINVAL, "Duplicate name '%s'", field->name);
	}
	g_ptr_array_add(list, (void *)field);
	return ST_OK;
}

/* "3-5"; false: not made of two numbers. */
static bool parse_number_range(const char *word, unsigned *first, unsigned *last)
{
	const char *dash = strchr(word, '-');

	if (!dash || dash == word || !dash[1] || strlen(word) > 7 ||
	    strspn(word, "0123456789") != (size_t)(dash - word) ||
	    strspn(dash + 1, "0123456789") != strlen(dash + 1)) {
		return false;
	}
	*first = (unsigned)g_ascii_strtoull(word, NULL, 10);
	*last = (unsigned)g_ascii_strtoull(dash + 1, NULL, 10);
	return true;
}

/* A list being parsed. */
struct parse {
	GPtrArray *list;
	unsigned flags;
	field_find_fn find;
	void *arg;
};

static int add_word(const struct parse *parse, const char *word, struct err *err)
{
	unsigned first, last;
	char number[16];

	if (!parse_number_range(word, &first, &last)) {
		const struct field *field = parse->find(parse->arg, word, parse->flags, err);

		return field ? add_field(parse->list, field, parse->flags, err) : ST_EINVAL;
	}
	if (first > last) {
		return err_set(err, ST_EINVAL, "Invalid numeric range '%s'", word);
	}
	for (unsigned n = first; n <= last; n++) {
		const struct field *field;
		int status;

		g_snprintf(number, sizeof(number), "%u", n);
		field = parse->find(parse->arg, number, parse->flags, err);
		status = field ? add_field(parse->list, field, parse->flags, err) : ST_EINVAL;
		if (status != ST_OK) {
			return status;
		}
	}
	return ST_OK;
}

int field_parse_list_by(const char *text, unsigned flags, field_find_fn find, void *arg,
			const struct field ***out, size_t *count, struct err *err)
{
	char **words = g_strsplit(text, ",", -1);
	GPtrArray *list = g_ptr_array_new();
	const struct parse parse = { list, flags, find, arg };
	int status = ST_OK;

	for (size_t i = 0; words[i] && status == ST_OK; i++) {
		if (*words[i]) {
			status = add_word(&parse, words[i], err);
		}
	}
	g_strfreev(words);
	if (status == ST_OK) {
		*count = list->len;
		*out = (const struct field **)g_ptr_array_free(list, FALSE);
	} else {
		g_ptr_array_free(list, TRUE);
	}
	return status;
}

static const struct field *find_in_table(void *arg, const char *name, unsigned flags,
					 struct err *err)
{
	return field_find_in(name, flags, err);
}

int field_parse_list(const char *text, unsigned flags, const struct field ***out, size_t *count,
		     struct err *err)
{
	return field_parse_list_by(text, flags, find_in_table, NULL, out, count, err);
}

/* ---- context ---- */

uint32_t field_columns(const struct field *field, const struct field_context *ctx)
{
	uint32_t columns = field->columns;

	if (ctx->icmp_type_and_code && (field->load == load_sport || field->load == load_dport)) {
		columns |= ICMP_COLUMNS;
	}
	return columns;
}

bool field_is_number(const struct field *field, const struct field_context *ctx)
{
	const struct value_kind *kind = field->kind;

	return kind->json_number || (kind->number_in && kind->number_in(ctx));
}

int field_width(const struct field *field, const struct field_context *ctx)
{
	return field->width ? field->width : field->kind->width(ctx);
}
