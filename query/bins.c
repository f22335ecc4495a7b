/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/bins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/extfield.h"
#include "common/numlist.h"
#include "common/timestamp.h"
#include "query/flowfield.h"
#include "query/flowrate.h"
#include "query/labelling.h"
#include "query/threads.h"
#include "query/tool.h"

#define BIN_TIME_DEFAULT_NS (60 * NS_PER_S)
/* Smallest bin: a millisecond. */
#define BIN_TIME_MIN_S 0.001

int bin_time_parse(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct bin_time *bin_time = dest;
	double seconds;

	if (!text || !*text) {
		bin_time->bin_ns = BIN_TIME_DEFAULT_NS;
		return ST_OK;
	}
	if (real_parse(text, BIN_TIME_MIN_S, 1e9, &seconds, err) != ST_OK) {
		return ST_EINVAL;
	}
	bin_time->bin_ns = (int64_t)floor(seconds * 1000 + 0.5) * NS_PER_MS;
	return ST_OK;
}

void bins_init(struct bins *bins, const struct madefield_opts *made, struct tool_env *env,
	       const struct site_opts *site)
{
	*bins = (struct bins){
		.protocol_at = -1,
		.dport_at = -1,
		.itype_at = -1,
		.icode_at = -1,
	};
	bins->ext = extfields_new();
	bins->made = madefields_new(made, env, site, bins->ext);
	bins->zero_ns = madefields_zero_ns(made);
	bins->values = g_array_new(FALSE, TRUE, sizeof(struct bin_value));
}

static struct bin_value *value_at(const struct bins *bins, size_t i)
{
	return &g_array_index(bins->values, struct bin_value, i);
}

void bins_release(struct bins *bins)
{
	for (size_t i = 0; i < bins->values->len; i++) {
		g_free(value_at(bins, i)->title);
	}
	g_array_free(bins->values, TRUE);
	g_free(bins->fields);
	group_free(bins->group);
	group_free(bins->total);
	extfields_free(bins->ext);
	madefields_free(bins->made);
	labelling_free(bins->labelling);
	*bins = (struct bins){ 0 };
}

/* The place of a field in the key, or -1. */
static int find_place(const struct bins *bins, const char *name)
{
	for (size_t i = 0; i < bins->field_count; i++) {
		if (strcmp(bins->fields[i]->name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

int bins_set_fields(struct bins *bins, const char *list, struct err *err)
{
	int status = extfields_parse_list(bins->ext, list, FIELD_LIST_NO_DEPRECATED, &bins->fields,
					  &bins->field_count, err);

	if (status != ST_OK) {
		return err_prefix(err, "invalid fields");
	}
	if (bins->field_count == 0) {
		return err_set(err, ST_EINVAL, "invalid fields: no field is named");
	}
	bins->protocol_at = find_place(bins, "protocol");
	bins->dport_at = find_place(bins, "dPort");
	bins->itype_at = find_place(bins, "iType");
	bins->icode_at = find_place(bins, "iCode");
	bins->shift_start = find_place(bins, "sTime") >= 0;
	bins->shift_end = find_place(bins, "eTime") >= 0;
	return ST_OK;
}

/* ---- values ---- */

static const struct value_name {
	const char *name;
	const char *title;
	enum group_op op;
	bool time;
	const char *field; /* GROUP_DISTINCT: of this field; NULL: of the one after the colon */
	bool made;
	enum bin_divisor divisor;
} value_names[] = {
	{ .name = "Bytes", .title = "Bytes", .op = GROUP_BYTES },
	{ .name = "Packets", .title = "Packets", .op = GROUP_PACKETS },
	{ .name = "Records", .title = "Records", .op = GROUP_RECORDS },
	{ .name = "Flows", .title = "Records", .op = GROUP_RECORDS },
	{ .name = "sTime-Earliest",
	  .title = "sTime-Earliest",
	  .op = GROUP_START_MIN,
	  .time = true },
	{ .name = "eTime-Latest", .title = "eTime-Latest", .op = GROUP_END_MAX, .time = true },
	{ .name = "sIP-Distinct", .op = GROUP_DISTINCT, .field = "sIP" },
	{ .name = "dIP-Distinct", .op = GROUP_DISTINCT, .field = "dIP" },
	{ .name = "Distinct", .op = GROUP_DISTINCT },
	{ .name = "pckts/sec",
	  .title = "pckts/sec",
	  .op = GROUP_PACKETS,
	  .made = true,
	  .divisor = BIN_PER_SECOND },
	{ .name = "bytes/sec",
	  .title = "bytes/sec",
	  .op = GROUP_BYTES,
	  .made = true,
	  .divisor = BIN_PER_SECOND },
	{ .name = "bytes/packet",
	  .title = "bytes/packet",
	  .op = GROUP_BYTES,
	  .made = true,
	  .divisor = BIN_PER_PACKET },
	{ .name = "payload-bytes", .title = "payload-bytes", .op = GROUP_PAYLOAD, .made = true },
	{ .name = "payload-rate",
	  .title = "payload-rate",
	  .op = GROUP_PAYLOAD,
	  .made = true,
	  .divisor = BIN_PER_SECOND },
};

/* The first of those that the beginning of a name means; *count: how many it could. */
static const struct value_name *find_beginning(const char *name, size_t len, bool times, bool made,
					       unsigned *count)
{
	const struct value_name *found = NULL;

	*count = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(value_names) && len > 0; i++) {
		const struct value_name *row = &value_names[i];

		if ((row->time && !times) || row->made != made ||
		    strncasecmp(row->name, name, len) != 0) {
			continue;
		}
		if (!row->name[len]) {
			*count = 1;
			return row;
		}
		found = found ? found : row;
		++*count;
	}
	return found;
}

/* A name cut short means SiLK's own values first. */
static const struct value_name *find_name(const char *name, size_t len, bool times, struct err *err)
{
	unsigned own, made;
	const struct value_name *found = find_beginning(name, len, times, false, &own);
	const struct value_name *other = find_beginning(name, len, times, true, &made);

	if (other && (!found || !other->name[len])) {
		found = other;
		own = made;
	}
	if (own == 1) {
		return found;
	}
	err_set(err, ST_EINVAL, "%s '%.*s'",
		own > 1 ? "more than one value matches" : "no value matches", (int)len, name);
	return NULL;
}

static int parse_value(const struct bins *bins, const char *text, bool times, struct bin_value *out,
		       struct err *err)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	const struct value_name *name = find_name(text, len, times, err);
	const char *field_name;

	if (!name) {
		return ST_EINVAL;
	}
	*out = (struct bin_value){
		.value = { name->op, NULL },
		.made = name->made,
		.divisor = name->divisor,
		.max = UINT64_MAX,
	};
	field_name = name->field ? name->field : (colon ? colon + 1 : NULL);
	if (colon && (name->op != GROUP_DISTINCT || name->field)) {
		return err_set(err, ST_EINVAL, "no value matches '%s'", text);
	}
	if (name->op != GROUP_DISTINCT) {
		out->title = g_strdup(name->title);
		return ST_OK;
	}
	if (!field_name || !*field_name) {
		return err_set(err, ST_EINVAL, "a field name must follow 'Distinct:'");
	}
	out->value.field = extfields_find(bins->ext, field_name, FIELD_LIST_NO_DEPRECATED, err);
	if (!out->value.field) {
		return ST_EINVAL;
	}
	if (out->value.field->flags & FIELD_PAIR) {
		return err_set(err, ST_EINVAL, "distinct values of '%s' are not counted",
			       out->value.field->name);
	}
	out->title = g_strconcat(out->value.field->name, "-Distinct", NULL);
	return ST_OK;
}

static int find_value(const struct bins *bins, const struct bin_value *wanted)
{
	for (size_t i = 0; i < bins->values->len; i++) {
		const struct bin_value *value = value_at(bins, i);

		if (value->value.op == wanted->value.op && value->made == wanted->made &&
		    value->divisor == wanted->divisor &&
		    value->value.field == wanted->value.field) {
			return (int)i;
		}
	}
	return -1;
}

int bins_want_value(struct bins *bins, const char *name, bool times, struct err *err)
{
	struct bin_value value;
	int at;

	if (parse_value(bins, name, times, &value, err) != ST_OK) {
		return -1;
	}
	at = find_value(bins, &value);
	if (at < 0) {
		at = (int)bins->values->len;
		g_array_append_val(bins->values, value);
	} else {
		g_free(value.title);
	}
	return at;
}

int bins_settle_value(struct bins *bins, const char *name, struct err *err)
{
	int at = bins_want_value(bins, name, true, err);

	if (at < 0) {
		return ST_EINVAL;
	}
	value_at(bins, (size_t)at)->settled = true;
	return ST_OK;
}

int bins_add_values(struct bins *bins, const char *list, bool times, struct err *err)
{
	char **names = g_strsplit(list, ",", -1);
	guint had = bins->values->len;
	int status = ST_OK;

	for (size_t i = 0; names[i] && status == ST_OK; i++) {
		guint before = bins->values->len;

		if (!*names[i]) {
			continue;
		}
		if (bins_want_value(bins, names[i], times, err) < 0) {
			status = ST_EINVAL;
		} else if (bins->values->len == before) {
			status = err_set(err, ST_EINVAL, "duplicate name '%s'", names[i]);
		}
	}
	g_strfreev(names);
	if (status == ST_OK && bins->values->len == had) {
		status = err_set(err, ST_EINVAL, "no value is named");
	}
	return status == ST_OK ? ST_OK : err_prefix(err, "invalid values");
}

int bins_add_threshold(struct bins *bins, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	struct number_range range;
	struct bin_value *value;
	char *name;
	int at;

	if (!equals || !equals[1]) {
		return err_set(err, ST_EINVAL, "invalid threshold '%s': no limit is given", text);
	}
	name = g_strndup(text, (gsize)(equals - text));
	at = bins_want_value(bins, name, true, err);
	g_free(name);
	if (at < 0 || range_parse(equals + 1, 0, UINT64_MAX, &range, err) != ST_OK) {
		return err_prefix(err, "invalid threshold '%s'", text);
	}
	value = value_at(bins, (size_t)at);
	if (value->made) {
		return err_set(err, ST_EINVAL,
			       "invalid threshold '%s': the value has no thresholds", text);
	}
	if (value->settled) {
		return err_set(err, ST_EINVAL,
			       "invalid threshold '%s': the value already has a threshold", text);
	}
	/* as SiLK has it: a distinct count of 0 and more has no limits */
	value->limited = value->value.op != GROUP_DISTINCT || range.first > 0;
	value->settled = true;
	value->min = MAX(range.first, 1);
	value->max = strchr(equals, '-') ? range.last : UINT64_MAX;
	return ST_OK;
}

bool bins_passes(const struct bins *bins, const struct group_bin *bin)
{
	for (size_t i = 0; i < bins->values->len; i++) {
		const struct bin_value *value = value_at(bins, i);

		if (value->limited &&
		    (bin->values[i] < value->min || bin->values[i] > value->max)) {
			return false;
		}
	}
	return true;
}

/* ---- columns ---- */

/* As many digits as there can be different values, as SiLK's fields are wide. */
static int distinct_width(const struct field *field, const struct field_context *ctx)
{
	size_t size = field->kind->key_size;

	if (field->is_extension) {
		return MAX(20, (int)(strlen(field->name) + strlen("-Distinct")));
	}
	if (field->load_made) {
		return field_width(field, ctx);
	}
	if (size > 8) {
		return ctx->ipv4_only ? 10 : 20;
	}
	return size == 1 ? 3 : size <= 4 ? 5 : 10;
}

static bool is_time(const struct bin_value *value)
{
	return value->value.op == GROUP_START_MIN || value->value.op == GROUP_END_MAX;
}

static int value_width(const struct bin_value *value, const struct field_context *ctx)
{
	static const int widths[GROUP_OP_COUNT] = {
		[GROUP_RECORDS] = 10,
		[GROUP_PACKETS] = 15,
		[GROUP_BYTES] = 20,
		/* not shown but by what is made of them */
		[GROUP_PAYLOAD] = 10,
		[GROUP_TIME] = 10,
		[GROUP_FIRST] = 10,
	};

	if (value->made) {
		return 15;
	}
	if (is_time(value)) {
		return timestamp_print_width(ctx->timestamp_format);
	}
	return value->value.op == GROUP_DISTINCT ? distinct_width(value->value.field, ctx)
						 : widths[value->value.op];
}

static void add_columns(struct bins *bins)
{
	for (size_t i = 0; i < bins->field_count; i++) {
		text_add_column(bins->text, bins->fields[i]->name,
				field_width(bins->fields[i], &bins->ctx),
				field_is_number(bins->fields[i], &bins->ctx));
	}
	for (size_t i = 0; i < bins->values->len; i++) {
		const struct bin_value *value = value_at(bins, i);

		if (!value->hidden) {
			text_add_column(bins->text, value->title, value_width(value, &bins->ctx),
					!is_time(value) ||
						timestamp_is_number(bins->ctx.timestamp_format));
		}
	}
}

const char *bins_default_temp_dir(void)
{
	const char *dir = getenv("SILK_TMPDIR");

	if (!dir) {
		dir = getenv("TMPDIR");
	}
	return dir ? dir : "/tmp";
}

const char *bins_temp_dir(const char *option)
{
	const char *dir = option ? option : bins_default_temp_dir();

	if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
		tool_die("Temporary directory '%s' does not exist", dir);
	}
	return dir;
}

static int check_distincts(const struct bins *bins, struct err *err)
{
	for (size_t i = 0; i < bins->values->len; i++) {
		const struct field *field = value_at(bins, i)->value.field;

		for (size_t k = 0; field && k < bins->field_count; k++) {
			if (bins->fields[k] == field) {
				return err_set(err, ST_EINVAL,
					       "'%s' cannot be both key and counted value",
					       field->name);
			}
		}
	}
	return ST_OK;
}

/* Have what ratios are divided by counted, too. */
static void add_divisors(struct bins *bins)
{
	const guint count = bins->values->len;

	for (guint i = 0; i < count; i++) {
		enum bin_divisor divisor = value_at(bins, i)->divisor;
		struct bin_value hidden = {
			.value = { divisor == BIN_PER_SECOND ? GROUP_TIME : GROUP_PACKETS, NULL },
			.hidden = true,
		};

		if (divisor != BIN_WHOLE) {
			value_at(bins, i)->divisor_at = bins->values->len;
			g_array_append_val(bins->values, hidden);
		}
	}
}

/* What is sorted must be seen in order. */
static unsigned choose_threads(const struct bins *bins, const struct bins_start_opts *opts)
{
	unsigned threads = opts->presorted ? 1 : MAX(opts->threads, 1);

	threads = threads_for_fields(threads, bins->fields, bins->field_count);
	for (size_t i = 0; i < bins->values->len; i++) {
		const struct field *field = value_at(bins, i)->value.field;

		threads = field ? threads_for_fields(threads, &field, 1) : threads;
	}
	return threads;
}

static int make_group(struct bins *bins, const struct bins_start_opts *opts, struct err *err)
{
	int64_t bin_ns = opts->bin_time.bin_ns ? opts->bin_time.bin_ns : NS_PER_S;
	bool fractional = bin_ns % NS_PER_S != 0;
	struct group_value *values = g_new(struct group_value, bins->values->len);
	struct group_spec spec = {
		.fields = bins->fields,
		.field_count = bins->field_count,
		.values = values,
		.value_count = bins->values->len,
		.bin_ns = bin_ns,
		.binned = opts->bin_time.bin_ns != 0,
		.unit_ns = fractional ? NS_PER_MS : NS_PER_S,
		.zero_ns = bins->zero_ns,
		.presorted = opts->presorted,
		.in_order = opts->in_order,
		.threads = bins->threads,
		.memory_bytes = opts->memory_bytes,
		.temp_dir = bins_temp_dir(opts->temp_dir),
	};
	int status;

	for (size_t i = 0; i < bins->values->len; i++) {
		values[i] = value_at(bins, i)->value;
	}
	status = group_new(&bins->group, &spec, err);
	if (status == ST_OK && bins->want_total) {
		spec.in_order = false;
		spec.field_count = 0;
		spec.value_count = 1;
		status = group_new(&bins->total, &spec, err);
	}
	g_free(values);
	if (!fractional) {
		bins->ctx.timestamp_format |= TIMESTAMP_NO_MSEC;
	}
	if (bin_ns != NS_PER_S && (bins->shift_start || bins->shift_end)) {
		bins->shift_ns = bin_ns;
	}
	return status;
}

int bins_start(struct bins *bins, const struct bins_start_opts *opts, struct err *err)
{
	enum ipv6_policy policy = source_policy(opts->source);
	struct text_style style;
	int status = check_distincts(bins, err);

	if (status != ST_OK) {
		return status;
	}
	status = text_style_from_opts(opts->text, &style, err);
	if (status != ST_OK) {
		return status;
	}
	source_check_copy(opts->source, opts->output->output_path);
	format_context(opts->format, false, tool_site(opts->env, opts->site, false), &style,
		       &bins->ctx);
	bins->ctx.ipv4_only = policy < IPV6_MIX;
	bins->force_ipv6 = policy > IPV6_MIX;
	add_divisors(bins);
	bins->threads = choose_threads(bins, opts);
	status = make_group(bins, opts, err);
	if (status != ST_OK) {
		return status;
	}
	bins->text = text_new(tool_output(opts->env, opts->output), &style);
	add_columns(bins);
	return ST_OK;
}

uint64_t bins_total(struct bins *bins)
{
	struct group_bin bin;
	struct err err;
	int status = group_finish(bins->total, false, &err);

	if (status == ST_OK) {
		status = group_next(bins->total, &bin, &err);
	}
	if (status == ST_END) {
		return 0;
	}
	if (status != ST_OK) {
		tool_die_err(&err);
	}
	return bin.values[0];
}

bool bins_has_one_input(const struct source_opts *source, int argc)
{
	return argc <= 1 && !source->xargs.given;
}

/* ---- cells ---- */

/* Fields of a key; each has a byte at least. */
#define FIELDS_MAX GROUP_KEY_MAX

/*
 * A key does not tell the family of its records: it is IPv6 when an address is, and then all
 * addresses are shown so, and protocol 58 is ICMP.
 */
static bool key_is_ipv6(const struct bins *bins, const struct value *values)
{
	for (size_t i = 0; i < bins->field_count; i++) {
		if (values[i].is_v6 && !bins->fields[i]->is_extension) {
			return true;
		}
	}
	return bins->force_ipv6;
}

static bool key_is_icmp(const struct bins *bins, const struct value *values, bool ipv6)
{
	uint64_t protocol = bins->protocol_at >= 0 ? values[bins->protocol_at].u : 1;

	return protocol == 1 || (protocol == 58 && ipv6);
}

/* SiLK takes an ICMP type and code out of the destination port when that is in the key, too. */
static void take_from_port(const struct bins *bins, struct value *values)
{
	uint64_t port = bins->dport_at >= 0 ? values[bins->dport_at].u : 0;

	if (bins->dport_at >= 0 && bins->itype_at >= 0) {
		values[bins->itype_at].u = port >> 8;
	}
	if (bins->dport_at >= 0 && bins->icode_at >= 0) {
		values[bins->icode_at].u = port & 0xff;
	}
}

void bins_print_key(struct bins *bins, const struct group_bin *bin)
{
	struct value values[FIELDS_MAX];
	bool ipv6, icmp;

	for (size_t i = 0; i < bins->field_count; i++) {
		group_key(bins->group, bin->key, i, &values[i]);
	}
	ipv6 = key_is_ipv6(bins, values);
	icmp = key_is_icmp(bins, values, ipv6);
	take_from_port(bins, values);
	for (size_t i = 0; i < bins->field_count; i++) {
		const struct field *field = bins->fields[i];

		if (!field->is_extension) {
			values[i].blank = !icmp;
			values[i].is_v6 = ipv6;
		}
		text_cell_done(bins->text, field->kind->print(text_cell(bins->text), &values[i],
							      field, &bins->ctx));
	}
}

static double ratio_of(const struct bins *bins, const struct group_bin *bin, size_t i)
{
	const struct bin_value *value = value_at(bins, i);
	uint64_t divisor = bin->values[value->divisor_at];

	if (value->divisor == BIN_PER_SECOND) {
		return flow_rate(bin->values[i], divisor, bins->zero_ns);
	}
	return (double)bin->values[i] / (double)MAX(divisor, 1);
}

uint64_t bins_rank(const struct bins *bins, const struct group_bin *bin, size_t i)
{
	uint64_t rank = bin->values[i];

	if (value_at(bins, i)->divisor != BIN_WHOLE) {
		double ratio = ratio_of(bins, bin, i);

		/* the bits of numbers that are not negative ascend with them */
		memcpy(&rank, &ratio, sizeof(rank));
	}
	return rank;
}

static void print_value(struct bins *bins, const struct group_bin *bin, size_t i)
{
	const struct bin_value *value = value_at(bins, i);
	char *cell;

	if (is_time(value)) {
		cell = text_cell(bins->text);
		text_cell_done(bins->text, timestamp_print(cell, (int64_t)bin->values[i],
							   bins->ctx.timestamp_format));
	} else if (value->divisor != BIN_WHOLE) {
		uint64_t thousandths = flowfield_thousandths(ratio_of(bins, bin, i));

		cell = text_cell(bins->text);
		text_cell_done(bins->text, flowfield_print_thousandths(cell, thousandths));
	} else {
		text_cell_u64(bins->text, bin->values[i]);
	}
}

void bins_print_values(struct bins *bins, const struct group_bin *bin)
{
	for (size_t i = 0; i < bins->values->len; i++) {
		if (!value_at(bins, i)->hidden) {
			print_value(bins, bin, i);
		}
	}
}
