/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/field.h"

#include <string.h>
#include <strings.h>

#include <glib.h>

#include "common/duration.h"
#include "common/tcpflags.h"
#include "common/text.h"
#include "common/timestamp.h"

/* Enterprise number of CERT, whose elements describe SiLK's own fields. */
#define PEN_CERT 6871

/* Columns of names are never narrower than this. */
#define NAME_WIDTH_MIN 3

/* ---- kinds: printing ---- */

static size_t terminate(char *out, size_t len)
{
	out[len] = '\0';
	return len;
}

static size_t print_ip(char *out, const struct value *value, const struct field *field,
		       const struct field_context *ctx)
{
	return ip_print(out, value->ip, value->is_v6, ctx->ip_format);
}

static size_t print_number(char *out, const struct value *value, const struct field *field,
			   const struct field_context *ctx)
{
	return terminate(out, text_print_u64(out, value->u));
}

static size_t print_icmp(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	return terminate(out, value->blank ? 0 : text_print_u64(out, value->u));
}

static size_t print_flags(char *out, const struct value *value, const struct field *field,
			  const struct field_context *ctx)
{
	if (ctx->integer_tcp_flags) {
		return terminate(out, text_print_u64(out, value->u));
	}
	return terminate(out, tcpflags_print(out, (uint8_t)value->u, ctx->padded_flags));
}

static size_t print_attributes(char *out, const struct value *value, const struct field *field,
			       const struct field_context *ctx)
{
	return terminate(out, attributes_print(out, (uint8_t)value->u, ctx->padded_flags));
}

static size_t print_time(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	return timestamp_print(out, value->ns, ctx->timestamp_format);
}

static size_t print_time_msec(char *out, const struct value *value, const struct field *field,
			      const struct field_context *ctx)
{
	return timestamp_print(out, value->ns, ctx->timestamp_format & ~TIMESTAMP_NO_MSEC);
}

static unsigned decimals(unsigned timestamp_format)
{
	if (timestamp_format & TIMESTAMP_NO_MSEC) {
		return 0;
	}
	if (timestamp_format & TIMESTAMP_NANO) {
		return 9;
	}
	return timestamp_format & TIMESTAMP_MICRO ? 6 : 3;
}

static size_t print_duration(char *out, const struct value *value, const struct field *field,
			     const struct field_context *ctx)
{
	return duration_print(out, value->u, decimals(ctx->timestamp_format));
}

static size_t print_duration_msec(char *out, const struct value *value, const struct field *field,
				  const struct field_context *ctx)
{
	return duration_print(out, value->u, decimals(ctx->timestamp_format & ~TIMESTAMP_NO_MSEC));
}

static size_t print_name(char *out, const char *name)
{
	size_t len = strlen(name);

	if (len >= VALUE_TEXT_MAX) {
		len = VALUE_TEXT_MAX - 1;
	}
	memcpy(out, name, len);
	return terminate(out, len);
}

/* The name if the site has one, else the number; "?" for the id that means none. */
static size_t print_sensor(char *out, const struct value *value, const struct field *field,
			   const struct field_context *ctx)
{
	const char *name = NULL;

	if (!ctx->integer_sensors) {
		if (value->u == RECORD_NO_SENSOR) {
			return print_name(out, "?");
		}
		if (ctx->site) {
			name = site_sensor_name(ctx->site, (int)value->u);
		}
	}
	return name ? print_name(out, name) : terminate(out, text_print_u64(out, value->u));
}

static size_t print_class(char *out, const struct value *value, const struct field *field,
			  const struct field_context *ctx)
{
	int id = ctx->site ? site_flowtype_class(ctx->site, (int)value->u) : -1;

	return print_name(out, id < 0 ? "?" : site_class_name(ctx->site, id));
}

static size_t print_type(char *out, const struct value *value, const struct field *field,
			 const struct field_context *ctx)
{
	const char *name = NULL;

	if (value->u == RECORD_NO_FLOWTYPE) {
		return print_name(out, "?");
	}
	if (ctx->site) {
		name = site_flowtype_type(ctx->site, (int)value->u);
	}
	return name ? print_name(out, name) : terminate(out, text_print_u64(out, value->u));
}

/* ---- kinds: keys ---- */

static void put_big_endian(uint8_t *out, uint64_t number, size_t size)
{
	for (size_t i = size; i-- > 0; number >>= 8) {
		out[i] = (uint8_t)number;
	}
}

static uint64_t get_big_endian(const uint8_t *in, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++) {
		number = number << 8 | in[i];
	}
	return number;
}

#define NUMBER_KEY(bits)                                                                           \
	static void key_##bits(uint8_t *out, const struct value *value)                            \
	{                                                                                          \
		put_big_endian(out, value->u, bits / 8);                                           \
	}                                                                                          \
	static void from_key_##bits(struct value *value, const uint8_t *key)                       \
	{                                                                                          \
		*value = (struct value){ .u = get_big_endian(key, bits / 8) };                     \
	}
NUMBER_KEY(8)
NUMBER_KEY(16)
NUMBER_KEY(32)
NUMBER_KEY(64)

static void key_ip(uint8_t *out, const struct value *value)
{
	ip_to_bytes(value->ip, out);
}

static void from_key_ip(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .ip = ip_from_bytes(key) };
	value->is_v6 = !ip_is_mapped(value->ip);
}

/* Signed order in unsigned bytes: the sign bit turned. */
static void key_time(uint8_t *out, const struct value *value)
{
	put_big_endian(out, (uint64_t)value->ns ^ UINT64_C(1) << 63, 8);
}

static void from_key_time(struct value *value, const uint8_t *key)
{
	*value = (struct value){ .ns = (int64_t)(get_big_endian(key, 8) ^ UINT64_C(1) << 63) };
}

/* ---- kinds: widths ---- */

static int ip_width(const struct field_context *ctx)
{
	return ip_print_width(ctx->ip_format, !ctx->ipv4_only);
}

static int flags_width(const struct field_context *ctx)
{
	return ctx->integer_tcp_flags ? 3 : 8;
}

static int time_width(const struct field_context *ctx)
{
	return timestamp_print_width(ctx->timestamp_format);
}

static int time_msec_width(const struct field_context *ctx)
{
	return timestamp_print_width(ctx->timestamp_format & ~TIMESTAMP_NO_MSEC);
}

static int wider(int width, const char *name)
{
	return name && (int)strlen(name) > width ? (int)strlen(name) : width;
}

static int sensor_width(const struct field_context *ctx)
{
	int width = NAME_WIDTH_MIN;

	if (ctx->integer_sensors) {
		return 5;
	}
	for (int id = 0; ctx->site && id <= site_sensor_max(ctx->site); id++) {
		width = wider(width, site_sensor_name(ctx->site, id));
	}
	return width;
}

static int class_width(const struct field_context *ctx)
{
	int width = NAME_WIDTH_MIN;

	for (int id = 0; ctx->site && id < site_class_count(ctx->site); id++) {
		width = wider(width, site_class_name(ctx->site, id));
	}
	return width;
}

static int type_width(const struct field_context *ctx)
{
	int width = NAME_WIDTH_MIN;

	for (int id = 0; ctx->site && id <= site_flowtype_max(ctx->site); id++) {
		width = wider(width, site_flowtype_type(ctx->site, id));
	}
	return width;
}

/* Five digits of seconds, and the fraction with its point. */
static int duration_width(const struct field_context *ctx)
{
	unsigned fraction = decimals(ctx->timestamp_format);

	return fraction ? 6 + (int)fraction : 5;
}

static int duration_msec_width(const struct field_context *ctx)
{
	return 6 + (int)decimals(ctx->timestamp_format & ~TIMESTAMP_NO_MSEC);
}

/* clang-format off */
static const struct value_kind kind_ip = {
	.name = "ip", .width = ip_width, .print = print_ip, .key_size = 16, .key = key_ip, .from_key = from_key_ip };
static const struct value_kind kind_u8 = {
	.name = "number", .print = print_number, .key_size = 1, .key = key_8,
	.from_key = from_key_8, .json_number = true };
static const struct value_kind kind_u16 = {
	.name = "number", .print = print_number, .key_size = 2, .key = key_16,
	.from_key = from_key_16, .json_number = true };
static const struct value_kind kind_u32 = {
	.name = "number", .print = print_number, .key_size = 4, .key = key_32,
	.from_key = from_key_32, .json_number = true };
static const struct value_kind kind_u64 = {
	.name = "number", .print = print_number, .key_size = 8, .key = key_64,
	.from_key = from_key_64, .json_number = true };
static const struct value_kind kind_icmp = {
	.name = "icmp", .print = print_icmp, .key_size = 1, .key = key_8,
	.from_key = from_key_8, .json_number = true };
static const struct value_kind kind_flags = {
	.name = "flags", .width = flags_width, .print = print_flags, .key_size = 1, .key = key_8,
	.from_key = from_key_8 };
static const struct value_kind kind_attributes = {
	.name = "attributes", .print = print_attributes, .key_size = 1, .key = key_8,
	.from_key = from_key_8 };
static const struct value_kind kind_time = {
	.name = "time", .width = time_width, .print = print_time, .key_size = 8, .key = key_time,
	.from_key = from_key_time };
static const struct value_kind kind_time_msec = {
	.name = "time", .width = time_msec_width, .print = print_time_msec, .key_size = 8, .key = key_time,
	.from_key = from_key_time };
static const struct value_kind kind_duration = {
	.name = "duration", .width = duration_width, .print = print_duration, .key_size = 8, .key = key_64,
	.from_key = from_key_64, .json_number = true };
static const struct value_kind kind_duration_msec = {
	.name = "duration", .width = duration_msec_width, .print = print_duration_msec, .key_size = 8, .key = key_64,
	.from_key = from_key_64, .json_number = true };
static const struct value_kind kind_sensor = {
	.name = "sensor", .width = sensor_width, .print = print_sensor, .key_size = 2, .key = key_16,
	.from_key = from_key_16 };
static const struct value_kind kind_class = {
	.name = "class", .width = class_width, .print = print_class, .key_size = 1, .key = key_8,
	.from_key = from_key_8 };
static const struct value_kind kind_type = {
	.name = "type", .width = type_width, .print = print_type, .key_size = 1, .key = key_8,
	.from_key = from_key_8 };
/* clang-format on */

/* ---- loading ---- */

#define LOAD(name, expression)                                                                     \
	static void load_##name(const struct batch *batch, uint32_t row,                           \
				const struct field_context *ctx, struct value *out)                \
	{                                                                                          \
		*out = (struct value){ expression };                                               \
	}
#define LOAD_IP(column)                                                                            \
	LOAD(column, .ip = batch->column[row] COMMA.is_v6 = batch->state[row] & RECORD_IPV6)
#define COMMA ,
LOAD_IP(sip)
LOAD_IP(dip)
LOAD_IP(nhip)
LOAD(protocol, .u = batch->protocol[row])
LOAD(packets, .u = batch->packets[row])
LOAD(bytes, .u = batch->bytes[row])
LOAD(flags, .u = batch->flags[row])
LOAD(stime, .ns = batch->start_ns[row])
LOAD(duration, .u = batch->duration_ns[row])
LOAD(etime, .ns = batch->start_ns[row] + (int64_t)batch->duration_ns[row])
LOAD(sensor, .u = batch->sensor[row])
LOAD(input, .u = batch->input[row])
LOAD(output, .u = batch->output[row])
LOAD(flowtype, .u = batch->flowtype[row])
LOAD(initial_flags, .u = batch->initial_flags[row])
LOAD(session_flags, .u = batch->session_flags[row])
LOAD(attributes, .u = batch->state[row] &
		      (RECORD_FIN_FOLLOWED | RECORD_UNIFORM | RECORD_TIMEOUT | RECORD_CONTINUED))
LOAD(application, .u = batch->application[row])

static bool row_is_icmp(const struct batch *batch, uint32_t row)
{
	return batch->protocol[row] == 1 ||
	       (batch->protocol[row] == 58 && batch->state[row] & RECORD_IPV6);
}

static void load_sport(const struct batch *batch, uint32_t row, const struct field_context *ctx,
		       struct value *out)
{
	*out = (struct value){ .u = batch->sport[row] };
	if (ctx->icmp_type_and_code && row_is_icmp(batch, row)) {
		out->u = batch->dport[row] >> 8;
	}
}

static void load_dport(const struct batch *batch, uint32_t row, const struct field_context *ctx,
		       struct value *out)
{
	*out = (struct value){ .u = batch->dport[row] };
	if (ctx->icmp_type_and_code && row_is_icmp(batch, row)) {
		out->u &= 0xff;
	}
}

static void load_itype(const struct batch *batch, uint32_t row, const struct field_context *ctx,
		       struct value *out)
{
	bool icmp = row_is_icmp(batch, row);

	*out = (struct value){ .u = icmp ? batch->dport[row] >> 8 : 0, .blank = !icmp };
}

static void load_icode(const struct batch *batch, uint32_t row, const struct field_context *ctx,
		       struct value *out)
{
	bool icmp = row_is_icmp(batch, row);

	*out = (struct value){ .u = icmp ? batch->dport[row] & 0xff : 0, .blank = !icmp };
}

/* ---- the table ---- */

#define BIT(column)  COLUMN_BIT(COLUMN_##column)
#define ICMP_COLUMNS (BIT(DPORT) | BIT(PROTOCOL) | BIT(STATE))

/* In SiLK's order, which is that of rwcut --all-fields. */
/* clang-format off */
const struct field field_table[] = {
	{ .name = "sIP", .aliases = { "1" }, .kind = &kind_ip, .ie_id = 8,
	  .columns = BIT(SIP) | BIT(STATE), .load = load_sip, .help = "source address" },
	{ .name = "dIP", .aliases = { "2" }, .kind = &kind_ip, .ie_id = 12,
	  .columns = BIT(DIP) | BIT(STATE), .load = load_dip, .help = "destination address" },
	{ .name = "sPort", .aliases = { "3" }, .kind = &kind_u16, .ie_id = 7,
	  .columns = BIT(SPORT), .load = load_sport, .width = 5,
	  .help = "source port, 0 where there is none" },
	{ .name = "dPort", .aliases = { "4" }, .kind = &kind_u16, .ie_id = 11,
	  .columns = BIT(DPORT), .load = load_dport, .width = 5,
	  .help = "destination port; ICMP: type * 256 + code" },
	{ .name = "protocol", .aliases = { "5" }, .kind = &kind_u8, .ie_id = 4,
	  .columns = BIT(PROTOCOL), .load = load_protocol, .width = 3, .help = "IP protocol" },
	{ .name = "packets", .aliases = { "pkts", "6" }, .kind = &kind_u64,
	  .role = FIELD_ROLE_SUM, .ie_id = 2, .columns = BIT(PACKETS), .load = load_packets,
	  .width = 10, .help = "packets in the flow" },
	{ .name = "bytes", .aliases = { "7" }, .kind = &kind_u64,
	  .role = FIELD_ROLE_SUM, .ie_id = 1, .columns = BIT(BYTES), .load = load_bytes,
	  .width = 10, .help = "layer-3 bytes in the flow" },
	{ .name = "flags", .aliases = { "8" }, .kind = &kind_flags, .ie_id = 6,
	  .columns = BIT(FLAGS), .load = load_flags, .help = "TCP flags of all packets" },
	{ .name = "sTime", .aliases = { "9" }, .kind = &kind_time,
	  .role = FIELD_ROLE_TIME, .ie_id = 156, .columns = BIT(START), .load = load_stime,
	  .help = "first packet" },
	{ .name = "duration", .aliases = { "dur", "10" }, .kind = &kind_duration,
	  .role = FIELD_ROLE_TIME, .ie_id = 161, .columns = BIT(DURATION), .load = load_duration,
	  .help = "time from first to last packet, in seconds" },
	{ .name = "eTime", .aliases = { "11" }, .kind = &kind_time,
	  .role = FIELD_ROLE_TIME, .ie_id = 157, .columns = BIT(START) | BIT(DURATION),
	  .load = load_etime, .help = "last packet" },
	{ .name = "sensor", .aliases = { "12" }, .kind = &kind_sensor,
	  .ie_pen = PEN_CERT, .ie_id = 31, .columns = BIT(SENSOR), .load = load_sensor,
	  .help = "name or id of the sensor" },
	{ .name = "in", .aliases = { "13" }, .kind = &kind_u32, .ie_id = 10,
	  .columns = BIT(INPUT), .load = load_input, .width = 5,
	  .help = "input interface or VLAN" },
	{ .name = "out", .aliases = { "14" }, .kind = &kind_u32, .ie_id = 14,
	  .columns = BIT(OUTPUT), .load = load_output, .width = 5,
	  .help = "output interface or VLAN" },
	{ .name = "nhIP", .aliases = { "15" }, .kind = &kind_ip, .ie_id = 15,
	  .columns = BIT(NHIP) | BIT(STATE), .load = load_nhip,
	  .help = "address of the next hop" },
	{ .name = "initialFlags", .aliases = { "26" }, .kind = &kind_flags,
	  .ie_pen = PEN_CERT, .ie_id = 14, .columns = BIT(INITIAL_FLAGS),
	  .load = load_initial_flags, .help = "TCP flags of the first packet" },
	{ .name = "sessionFlags", .aliases = { "27" }, .kind = &kind_flags,
	  .ie_pen = PEN_CERT, .ie_id = 15, .columns = BIT(SESSION_FLAGS),
	  .load = load_session_flags, .help = "TCP flags of all packets but the first" },
	{ .name = "attributes", .aliases = { "28" }, .kind = &kind_attributes,
	  .ie_pen = PEN_CERT, .ie_id = 40, .columns = BIT(STATE), .load = load_attributes,
	  .width = 8, .help = "how the flow came to be: S F T C" },
	{ .name = "application", .aliases = { "29" }, .kind = &kind_u16,
	  .ie_pen = PEN_CERT, .ie_id = 33, .columns = BIT(APPLICATION), .load = load_application,
	  .width = 5, .help = "service port told by the content, 0 unknown" },
	{ .name = "class", .aliases = { "20" }, .kind = &kind_class, .columns = BIT(FLOWTYPE),
	  .load = load_flowtype, .help = "class of the sensor" },
	{ .name = "type", .aliases = { "21" }, .kind = &kind_type,
	  .ie_pen = PEN_CERT, .ie_id = 30, .columns = BIT(FLOWTYPE), .load = load_flowtype,
	  .help = "type within the class" },
	{ .name = "sTime+msec", .aliases = { "22" }, .kind = &kind_time_msec,
	  .role = FIELD_ROLE_TIME, .columns = BIT(START), .load = load_stime,
	  .flags = FIELD_DEPRECATED, .help = "as sTime, always with its fraction" },
	{ .name = "eTime+msec", .aliases = { "23" }, .kind = &kind_time_msec,
	  .role = FIELD_ROLE_TIME, .columns = BIT(START) | BIT(DURATION), .load = load_etime,
	  .flags = FIELD_DEPRECATED, .help = "as eTime, always with its fraction" },
	{ .name = "dur+msec", .aliases = { "24" }, .kind = &kind_duration_msec,
	  .role = FIELD_ROLE_TIME, .columns = BIT(DURATION), .load = load_duration,
	  .flags = FIELD_DEPRECATED, .help = "as duration, always with its fraction" },
	{ .name = "iType", .kind = &kind_icmp, .ie_id = 176, .columns = ICMP_COLUMNS,
	  .load = load_itype, .width = 3, .help = "ICMP type, blank where there is none" },
	{ .name = "iCode", .kind = &kind_icmp, .ie_id = 177, .columns = ICMP_COLUMNS,
	  .load = load_icode, .width = 3, .help = "ICMP code, blank where there is none" },
	{ .name = "icmpTypeCode", .aliases = { "25" }, .kind = &kind_icmp,
	  .columns = ICMP_COLUMNS, .load = load_itype, .width = 3, .flags = FIELD_PAIR,
	  .help = "iType and iCode" },
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

const struct field *field_find_in(const char *name, unsigned flags, struct err *err)
{
	size_t len = strlen(name);
	const struct field *found = NULL;
	unsigned count = 0;

	for (size_t i = 0; i < field_table_count && len > 0; i++) {
		const struct field *field = &field_table[i];
		int match;

		if (flags & FIELD_LIST_NO_DEPRECATED && field->flags & FIELD_DEPRECATED) {
			continue;
		}
		match = match_name(field, name, len);
		if (match == 2) {
			return field;
		}
		if (match == 1) {
			found = field;
			count++;
		}
	}
	if (count == 1) {
		return found;
	}
	if (count > 1) {
		err_set(err, ST_EINVAL, "The field '%s' matches multiple keys", name);
	} else {
		err_set(err, ST_ENOENT, "No match was found for the field '%s'", name);
	}
	return NULL;
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

static int add_word(GPtrArray *list, const char *word, unsigned flags, struct err *err)
{
	unsigned first, last;
	char number[16];

	if (!parse_number_range(word, &first, &last)) {
		const struct field *field = field_find_in(word, flags, err);

		return field ? add_field(list, field, flags, err) : ST_EINVAL;
	}
	if (first > last) {
		return err_set(err, ST_EINVAL, "Invalid numeric range '%s'", word);
	}
	for (unsigned n = first; n <= last; n++) {
		const struct field *field;
		int status;

		g_snprintf(number, sizeof(number), "%u", n);
		field = field_find_in(number, flags, err);
		status = field ? add_field(list, field, flags, err) : ST_EINVAL;
		if (status != ST_OK) {
			return status;
		}
	}
	return ST_OK;
}

int field_parse_list(const char *text, unsigned flags, const struct field ***out, size_t *count,
		     struct err *err)
{
	char **words = g_strsplit(text, ",", -1);
	GPtrArray *list = g_ptr_array_new();
	int status = ST_OK;

	for (size_t i = 0; words[i] && status == ST_OK; i++) {
		if (*words[i]) {
			status = add_word(list, words[i], flags, err);
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

/* ---- context ---- */

uint32_t field_columns(const struct field *field, const struct field_context *ctx)
{
	uint32_t columns = field->columns;

	if (ctx->icmp_type_and_code && (field->load == load_sport || field->load == load_dport)) {
		columns |= ICMP_COLUMNS;
	}
	return columns;
}

int field_width(const struct field *field, const struct field_context *ctx)
{
	return field->width ? field->width : field->kind->width(ctx);
}
