/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwcut: print records as text. */
#include <string.h>

#include <glib.h>

#include "common/batch.h"
#include "common/extfield.h"
#include "common/field.h"
#include "common/text.h"
#include "query/cutcrew.h"
#include "query/format.h"
#include "query/labelling.h"
#include "query/madefields.h"
#include "query/names.h"
#include "query/sampling.h"
#include "query/source.h"
#include "query/threads.h"
#include "query/tool.h"

#define DEFAULT_FIELDS                                                                             \
	"sIP,dIP,sPort,dPort,protocol,packets,bytes,flags,sTime,duration,eTime,sensor"

struct cut_opts {
	char *fields;
	bool all_fields;
	bool help_fields;
	uint64_t num_recs; /* 0: no limit */
	uint64_t start_rec_num;
	uint64_t end_rec_num;
	uint64_t tail_recs;
	bool dry_run;
	bool icmp_type_and_code;
	struct madefield_opts made;
	struct sampling_opts sampling;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
	struct threads_opts threads;
	struct source_opts source;
	struct site_opts site;
};

static const struct opt cut_opt_table[] = {
	OPT_STR(struct cut_opts, fields, "fields", 'f', "LIST", "print these fields, in this order",
		.flags = OPT_ONCE, .default_text = DEFAULT_FIELDS),
	OPT_FLAG(struct cut_opts, all_fields, "all-fields", 0, "print all fields"),
	OPT_FLAG(struct cut_opts, help_fields, "help-fields", 0, "describe each field and exit"),
	OPT_U64(struct cut_opts, num_recs, "num-recs", 'n', "N", 0, UINT64_MAX,
		"print no more than this many records"),
	OPT_U64(struct cut_opts, start_rec_num, "start-rec-num", 0, "N", 1, UINT64_MAX,
		"start with this record, the first is 1"),
	OPT_U64(struct cut_opts, end_rec_num, "end-rec-num", 0, "N", 0, UINT64_MAX,
		"end with this record; 0: with the last"),
	OPT_U64(struct cut_opts, tail_recs, "tail-recs", 0, "N", 1, UINT32_MAX,
		"start this many records before the end of the input"),
	OPT_FLAG(struct cut_opts, dry_run, "dry-run", 0, "print the titles only"),
	OPT_FLAG(struct cut_opts, icmp_type_and_code, "icmp-type-and-code", 0,
		 "print type and code of ICMP in place of the ports"),
	OPT_GROUP(struct cut_opts, made, madefield_opt_table),
	OPT_GROUP(struct cut_opts, made, madefield_width_opt_table),
	OPT_GROUP(struct cut_opts, sampling, sampling_opt_table),
	OPT_GROUP(struct cut_opts, format, format_msec_opt_table),
	OPT_GROUP(struct cut_opts, text, text_opt_table),
	OPT_GROUP(struct cut_opts, output, output_opt_table),
	OPT_GROUP(struct cut_opts, threads, threads_opt_table),
	OPT_GROUP(struct cut_opts, source, source_opt_table),
	OPT_GROUP(struct cut_opts, site, site_opt_table),
	OPT_END,
};

/* The plan of a run. */
struct cut {
	struct extfields *ext;
	struct madefields *made;
	struct labelling *labelling;
	const struct sampling_opts *sampling;
	const struct field **fields;
	size_t field_count;
	uint32_t columns;
	struct field_context ctx;
	struct timestamp_memo times;
	struct text *text;
	struct cutcrew crew;
	bool titled;
	uint64_t skip;  /* records before the first to print */
	uint64_t limit; /* how many to print */
};

static void check_opts(const struct cut_opts *opts)
{
	if (opts->fields && opts->all_fields) {
		tool_usage("only one of --fields and --all-fields may be given");
	}
	if (opts->fields && !*opts->fields) {
		tool_usage("invalid fields: no field is named");
	}
	if (opts->tail_recs && (opts->start_rec_num || opts->end_rec_num)) {
		tool_usage("--tail-recs may not be given with --start-rec-num or --end-rec-num");
	}
	if (opts->end_rec_num && opts->end_rec_num < opts->start_rec_num) {
		tool_usage("--end-rec-num is less than --start-rec-num");
	}
}

/* --icmp-type-and-code wants both ports shown: those that are missing come last. */
static void add_ports(struct cut *cut)
{
	static const char *const names[] = { "sPort", "dPort" };

	cut->fields = g_renew(const struct field *, cut->fields, cut->field_count + 2);
	for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
		const struct field *port = field_find(names[n], NULL);
		bool there = false;

		for (size_t i = 0; i < cut->field_count; i++) {
			there = there || cut->fields[i] == port;
		}
		if (!there) {
			cut->fields[cut->field_count++] = port;
		}
	}
}

/* made: also those that are made and whose maps are there. */
static void choose_all(struct cut *cut, bool made)
{
	GPtrArray *fields = g_ptr_array_new();
	const struct field *field;

	for (size_t i = 0; i < field_table_count; i++) {
		if (!(field_table[i].flags & FIELD_PAIR)) {
			g_ptr_array_add(fields, (gpointer)&field_table[i]);
		}
	}
	for (size_t i = 0; made && (field = extfields_added(cut->ext, i)) != NULL; i++) {
		if (!(field->flags & FIELD_WEAK) &&
		    (!field->prepare || field->prepare(field, NULL) == ST_OK)) {
			g_ptr_array_add(fields, (gpointer)(uintptr_t)field);
		}
	}
	g_free(cut->fields);
	cut->field_count = fields->len;
	cut->fields = (const struct field **)g_ptr_array_free(fields, FALSE);
}

static void choose_fields(struct cut *cut, const struct cut_opts *opts)
{
	const char *list = opts->fields ? opts->fields : DEFAULT_FIELDS;
	struct err err;

	if (!opts->all_fields) {
		if (extfields_parse_list(cut->ext, list, FIELD_LIST_REPEATS, &cut->fields,
					 &cut->field_count, &err) != ST_OK) {
			tool_die("invalid fields: %s", err.text);
		}
	}
	/* a list of commas means all but those that are made */
	if (cut->field_count == 0) {
		choose_all(cut, opts->all_fields);
	}
	if (opts->icmp_type_and_code) {
		add_ports(cut);
	}
	for (size_t i = 0; i < cut->field_count; i++) {
		cut->columns |= field_columns(cut->fields[i], &cut->ctx);
	}
}

static void choose_range(struct cut *cut, const struct cut_opts *opts)
{
	cut->limit = opts->num_recs ? opts->num_recs : UINT64_MAX;
	cut->skip = opts->start_rec_num ? opts->start_rec_num - 1 : 0;
	if (opts->end_rec_num) {
		/* a start makes the number superfluous; without one it counts back from the end */
		if (!opts->start_rec_num && cut->limit < opts->end_rec_num) {
			cut->skip = opts->end_rec_num - cut->limit;
		}
		cut->limit = opts->end_rec_num - cut->skip;
	}
}

/* Titles wait for the first file to open, as nothing is printed when there is none. */
static void print_titles(void *arg, const char *path, const struct header *header)
{
	struct cut *cut = arg;

	if (!cut->titled) {
		text_titles(cut->text);
		cut->titled = true;
	}
}

static void print_values(struct cut *cut, const struct value *values)
{
	for (size_t i = 0; i < cut->field_count; i++) {
		const struct field *field = cut->fields[i];

		text_cell_done(cut->text, field->kind->print(text_cell(cut->text), &values[i],
							     field, &cut->ctx));
	}
	text_row_done(cut->text);
}

/* read: records up to and with the batch. Those that the IPv6 policy drops count when skipping. */
static void print_batch(struct cut *cut, const struct batch *batch, uint64_t read)
{
	uint64_t before = read - batch->rows;

	for (uint32_t i = 0; i < batch->selected && cut->limit > 0; i++) {
		if (before + batch->selection[i] >= cut->skip) {
			cutcrew_row(&cut->crew, &cut->ctx, cut->text, batch, batch->selection[i]);
			cut->limit--;
		}
	}
}

/* copying: the input is wanted to its end, even when enough is printed. */
static void print_head(struct cut *cut, struct source *source, struct batch *batch, bool copying)
{
	while ((cut->limit > 0 || copying) && source_next(source, batch, cut->columns)) {
		sampling_scale(cut->sampling, batch);
		print_batch(cut, batch, source_read_count(source));
	}
}

static struct value *ring_at(const struct cut *cut, const GArray *ring, uint64_t i)
{
	return (struct value *)(void *)ring->data + i * cut->field_count;
}

/* The values of a row to print, with a copy of its byte strings. */
static void keep_row(const struct cut *cut, const struct batch *batch, uint32_t row,
		     struct value *values)
{
	for (size_t i = 0; i < cut->field_count; i++) {
		const struct field *field = cut->fields[i];

		if (field->is_extension) {
			extfield_drop(&values[i]);
		}
		field_load(field, batch, row, &cut->ctx, &values[i]);
		if (field->is_extension) {
			extfield_copy(&values[i]);
		}
	}
}

/* Keep the values of the last records in a ring, then print them. */
static void print_tail(struct cut *cut, struct source *source, struct batch *batch, uint64_t count)
{
	GArray *ring = g_array_new(FALSE, TRUE, (guint)(cut->field_count * sizeof(struct value)));
	uint64_t seen = 0;

	while (source_next(source, batch, cut->columns)) {
		sampling_scale(cut->sampling, batch);
		for (uint32_t i = 0; i < batch->selected; i++, seen++) {
			if (ring->len < count) {
				g_array_set_size(ring, ring->len + 1);
			}
			keep_row(cut, batch, batch->selection[i], ring_at(cut, ring, seen % count));
		}
	}
	/* what is the end of an input that has no end? */
	if (source_failed(source)) {
		cut->limit = 0;
	} else if (ring->len > 0) {
		print_titles(cut, NULL, NULL);
	}
	for (uint64_t i = 0; i < ring->len && cut->limit > 0; i++, cut->limit--) {
		struct value *values = ring_at(cut, ring, (seen - ring->len + i) % count);

		print_values(cut, values);
	}
	for (guint i = 0; i < ring->len; i++) {
		for (size_t k = 0; k < cut->field_count; k++) {
			if (cut->fields[k]->is_extension) {
				extfield_drop(&ring_at(cut, ring, i)[k]);
			}
		}
	}
	g_array_free(ring, TRUE);
}

/* Ask for the extension columns of the fields and of sampling. */
static void want_columns(void *arg, struct batch *batch)
{
	const struct cut *cut = arg;

	extfields_want(cut->ext, batch);
	sampling_want(cut->sampling, batch);
}

static void scale_batch(void *arg, struct batch *batch)
{
	const struct cut *cut = arg;

	sampling_scale(cut->sampling, batch);
}

static void make_crew(struct cut *cut, unsigned threads)
{
	cut->crew = (struct cutcrew){
		.fields = cut->fields,
		.field_count = cut->field_count,
		.columns = cut->columns,
		.ctx = &cut->ctx,
		.text = cut->text,
		.threads = threads,
		.arg = cut,
		.want = want_columns,
		.change = scale_batch,
	};
}

static int print_records(struct cut *cut, const struct cut_opts *opts, struct tool_env *env,
			 int argc, char **argv)
{
	struct source *source = source_new(env, &opts->source, argc, argv);
	struct batch *batch = batch_new();
	bool whole = cut->skip == 0 && cut->limit == UINT64_MAX;
	int status;

	cut->sampling = &opts->sampling;
	want_columns(cut, batch);
	make_crew(cut, threads_wanted(&opts->threads));
	source_set_site(source, cut->ctx.site);
	if (opts->tail_recs) {
		/* not before it is known that there is a tail */
		print_tail(cut, source, batch, opts->tail_recs);
	} else {
		source_on_open(source, print_titles, cut);
		if (whole) {
			cutcrew_run(&cut->crew, source);
		} else {
			print_head(cut, source, batch, opts->source.copy_input != NULL);
		}
	}
	status = source_close(source);
	batch_free(batch);
	return status;
}

static int cut_run(struct tool_env *env, void *options, int argc, char **argv)
{
	const struct cut_opts *opts = options;
	struct text_style style;
	struct cut cut = { 0 };
	int status = TOOL_EXIT_OK;
	struct err err;

	if (opts->help_fields) {
		format_help_fields(0);
		return TOOL_EXIT_OK;
	}
	check_opts(opts);
	if (text_style_from_opts(&opts->text, &style, &err) != ST_OK) {
		tool_die_err(&err);
	}
	source_check_copy(&opts->source, opts->output.output_path);
	format_context(&opts->format, true, tool_site(env, &opts->site, false), &style, &cut.ctx);
	cut.ctx.times = &cut.times;
	cut.ctx.icmp_type_and_code = opts->icmp_type_and_code;
	cut.ctx.ipv4_only = source_policy(&opts->source) < IPV6_MIX;
	cut.ext = extfields_new();
	cut.made = madefields_new(&opts->made, env, &opts->site, cut.ext);
	choose_fields(&cut, opts);
	cut.labelling = labelling_new(cut.ext, env, &opts->site);
	choose_range(&cut, opts);

	cut.text = text_new(tool_output(env, &opts->output), &style);
	for (size_t i = 0; i < cut.field_count; i++) {
		text_add_column(cut.text, cut.fields[i]->name, field_width(cut.fields[i], &cut.ctx),
				field_is_number(cut.fields[i], &cut.ctx));
	}
	if (opts->dry_run) {
		/* what is wrong with the names is told all the same */
		names_free(names_new(&opts->source.xargs, true, argc, argv));
	} else {
		status = print_records(&cut, opts, env, argc, argv);
	}
	if (status == TOOL_EXIT_OK) {
		print_titles(&cut, NULL, NULL);
	}
	if (text_close(cut.text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	g_free(cut.fields);
	extfields_free(cut.ext);
	madefields_free(cut.made);
	labelling_free(cut.labelling);
	return status;
}

const struct tool tool = {
	.name = "rwcut",
	.summary = "print records as text, a line each, with the fields that are asked for",
	.usage = "[SWITCHES] [FILES]",
	.opts = cut_opt_table,
	.opts_size = sizeof(struct cut_opts),
	.run = cut_run,
};
