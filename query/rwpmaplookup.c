/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpmaplookup: look up addresses, or protocols and ports, in a prefix map. */
#include "query/tool.h"

#include "common/numlist.h"
#include "common/text.h"
#include "query/format.h"
#include "query/mapfile.h"
#include "query/names.h"
#include "query/pmapkey.h"
#include "storage/byteline.h"
#include "storage/ipset.h"
#include "storage/ipsetform.h"

#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX 2047 /* with its newline; longer ones are passed over */
#define BLANKS         " \t\r\f\v"

/* --- columns --- */

struct job;

/* Without what a cell stays empty. */
enum cell_need { CELL_OF_INPUT, CELL_OF_VALUE, CELL_OF_BLOCK };

/* What one row tells of. */
struct row {
	enum cell_need has;
	bool is_v6; /* print the key as IPv6 whatever the map is of */
	struct ip key;
	uint32_t value;
	struct pmap_range block;
	const char *input;
};

static int key_width(const struct job *job);
static int value_width(const struct job *job);
static int block_width(const struct job *job);
static int input_width(const struct job *job);
static void print_key(const struct job *job, const struct row *row);
static void print_value(const struct job *job, const struct row *row);
static void print_block(const struct job *job, const struct row *row);
static void print_start(const struct job *job, const struct row *row);
static void print_end(const struct job *job, const struct row *row);
static void print_input(const struct job *job, const struct row *row);

static const struct cell_kind {
	const char *name;
	int (*width)(const struct job *job);
	void (*print)(const struct job *job, const struct row *row);
	enum cell_need need;
} columns[] = {
	{ "key", key_width, print_key, CELL_OF_VALUE },
	{ "value", value_width, print_value, CELL_OF_VALUE },
	{ "block", block_width, print_block, CELL_OF_BLOCK },
	{ "start-block", key_width, print_start, CELL_OF_BLOCK },
	{ "end-block", key_width, print_end, CELL_OF_BLOCK },
	{ "input", input_width, print_input, CELL_OF_INPUT },
};
#define COLUMN_COUNT G_N_ELEMENTS(columns)

struct cell_list {
	size_t count;
	const struct cell_kind *columns[COLUMN_COUNT];
};

static const struct cell_list default_columns = { 2, { &columns[0], &columns[1] } };

/* By unique prefix, of either case. */
static int add_column(struct cell_list *list, const char *name, struct err *err)
{
	const struct cell_kind *found = NULL;

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (g_ascii_strncasecmp(columns[i].name, name, strlen(name)) == 0) {
			found = &columns[i]; /* the names begin differently */
		}
	}
	if (!found) {
		return err_set(err, ST_EINVAL, "no field is called '%s'", name);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (list->columns[i] == found) {
			return err_set(err, ST_EINVAL, "'%s' is given twice", found->name);
		}
	}
	list->columns[list->count++] = found;
	return ST_OK;
}

static int parse_fields(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct cell_list *list = dest;
	char **names = g_strsplit(text, ",", -1);
	int status = ST_OK;

	list->count = 0;
	for (char **name = names; *name && status == ST_OK; name++) {
		if (**name) {
			status = add_column(list, *name, err);
		}
	}
	g_strfreev(names);
	if (status == ST_OK && !list->count) {
		*list = default_columns;
	}
	return status == ST_OK && !text[0] ? err_set(err, ST_EINVAL, "the list is empty") : status;
}

/* --- options --- */

struct pmaplookup_opts {
	struct mapfile_opts map;
	struct cell_list fields;
	bool no_files;
	bool no_errors;
	bool ipset_files;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
	struct opt_optstr xargs;
};

static const struct pmaplookup_opts pmaplookup_defaults = {
	.fields = { 2, { &columns[0], &columns[1] } },
};

static const struct opt pmaplookup_opt_table[] = {
	OPT_GROUP(struct pmaplookup_opts, map, mapfile_opt_table),
	OPT_CALL(struct pmaplookup_opts, fields, "fields", 0, "LIST", parse_fields, 0,
		 "columns to print, in order: any of key, value, block, start-block, end-block, "
		 "input",
		 .default_text = "key,value"),
	OPT_FLAG(struct pmaplookup_opts, no_files, "no-files", 0,
		 "take the arguments as keys, not as names of files"),
	OPT_FLAG(struct pmaplookup_opts, no_errors, "no-errors", 0,
		 "do not tell of input that is no key"),
	OPT_FLAG(struct pmaplookup_opts, ipset_files, "ipset-files", 0,
		 "read the keys from IPset files"),
	OPT_GROUP(struct pmaplookup_opts, format, format_ip_opt_table),
	OPT_GROUP(struct pmaplookup_opts, text, text_opt_table),
	OPT_GROUP(struct pmaplookup_opts, output, output_opt_table),
	OPT_OPTSTR(struct pmaplookup_opts, xargs, "xargs", 0, "FILE",
		   "read the names of the inputs from this file or standard input",
		   .flags = OPT_ONCE),
	OPT_END,
};

struct job {
	const struct pmaplookup_opts *opts;
	const struct pmap *pmap;
	struct pmapkey key;
	struct text *text;
	bool wants_input;
};

/* --- rows --- */

static int key_width(const struct job *job)
{
	return pmapkey_width(&job->key);
}

static int value_width(const struct job *job)
{
	if (job->key.countries) {
		return 5;
	}
	return pmap_word_limit(job->pmap) ? (int)pmap_word_bytes_max(job->pmap) : 22;
}

static int block_width(const struct job *job)
{
	return pmapkey_block_width(&job->key);
}

static int input_width(const struct job *job)
{
	return pmap_kind(job->pmap) == PMAP_IPV6 ? 39 : 22;
}

static void print_key(const struct job *job, const struct row *row)
{
	char *cell = text_cell(job->text);

	text_cell_done(job->text, row->is_v6 ? ip_print(cell, row->key, true, job->key.ip_format)
					     : pmapkey_print(&job->key, cell, row->key));
}

static void print_value(const struct job *job, const struct row *row)
{
	char digits[PMAP_TEXT_MAX];

	text_cell_string(job->text, pmapkey_value(&job->key, row->value, digits));
}

static void print_block(const struct job *job, const struct row *row)
{
	char *cell = text_cell(job->text);
	const struct pmap_range *block = &row->block;
	size_t len;

	if (pmap_kind(job->pmap) == PMAP_PROTO_PORT) {
		len = pmapkey_print(&job->key, cell, block->first);
		cell[len++] = ' ';
		len += pmapkey_print(&job->key, cell + len, block->last);
	} else {
		unsigned prefix = 128;

		while (!ip_equal(ip_block_last(block->first, prefix), block->last)) {
			prefix--;
		}
		len = pmapkey_print_block(&job->key, cell, block->first, prefix);
	}
	text_cell_done(job->text, len);
}

static void print_start(const struct job *job, const struct row *row)
{
	text_cell_done(job->text, pmapkey_print(&job->key, text_cell(job->text), row->block.first));
}

static void print_end(const struct job *job, const struct row *row)
{
	text_cell_done(job->text, pmapkey_print(&job->key, text_cell(job->text), row->block.last));
}

static void print_input(const struct job *job, const struct row *row)
{
	text_cell_string(job->text, row->input);
}

static void print_row(const struct job *job, const struct row *row)
{
	const struct cell_list *list = &job->opts->fields;

	for (size_t i = 0; i < list->count; i++) {
		if (list->columns[i]->need <= row->has) {
			list->columns[i]->print(job, row);
		} else {
			text_cell_string(job->text, "");
		}
	}
	text_row_done(job->text);
}

/* A key, if the map can hold it; what it was made of is shown in any case when that is wanted. */
static void look_up(const struct job *job, struct row *row)
{
	row->value = PMAP_NO_VALUE;
	if (pmap_lookup_block(job->pmap, row->key, &row->block)) {
		row->value = row->block.value;
		row->has = CELL_OF_BLOCK;
	}
	if (row->has > CELL_OF_INPUT || job->wants_input) {
		print_row(job, row);
	}
}

static void print_titles(struct job *job)
{
	const struct cell_list *list = &job->opts->fields;

	for (size_t i = 0; i < list->count; i++) {
		const char *title = list->columns[i]->name;
		int width = list->columns[i]->width(job);

		/* a column of words is as wide as its title needs */
		if (list->columns[i]->print == print_value) {
			width = MAX(width, (int)strlen(title));
		}
		text_add_column(job->text, title, width, false);
		job->wants_input |= list->columns[i]->need == CELL_OF_INPUT;
	}
	text_titles(job->text);
}

/* --- text --- */

/* "PROTOCOL/PORT", blanks not before the slash. */
static int parse_ports(const char *text, struct ip *key, struct err *err)
{
	const char *slash = strchr(text, '/');
	uint64_t protocol;
	uint64_t port;
	char *head;
	int status;

	if (!slash) {
		return err_set(err, ST_EINVAL, "there is no '/'");
	}
	if (slash > text && strchr(BLANKS, slash[-1])) {
		return err_set(err, ST_EINVAL, "a blank is before the '/'");
	}
	head = g_strndup(text, (gsize)(slash - text));
	status = number_parse(head, 0, UINT8_MAX, &protocol, err);
	g_free(head);
	if (status == ST_OK) {
		status = number_parse(slash + 1, 0, UINT16_MAX, &port, err);
	}
	if (status == ST_OK) {
		*key = pmap_port_key((uint8_t)protocol, (uint16_t)port);
	}
	return status;
}

/* where is the place of the input, for messages. */
static void look_up_text(const struct job *job, const char *input, const char *where)
{
	bool of_ports = pmap_kind(job->pmap) == PMAP_PROTO_PORT;
	struct row row = { .input = input };
	struct err err;
	bool is_v6;

	if (input[strspn(input, BLANKS)]) {
		int status = of_ports ? parse_ports(input, &row.key, &err)
				      : ip_parse(input, &row.key, &is_v6, &err);

		if (status == ST_OK) {
			look_up(job, &row);
			return;
		}
		if (!job->opts->no_errors) {
			tool_warn("invalid %s '%s' %s: %s",
				  of_ports ? "protocol and port" : "address", input, where,
				  err.text);
		}
	}
	if (job->wants_input) {
		print_row(job, &row);
	}
}

/* --- files --- */

static void take_line(const struct job *job, char *line, const char *name, unsigned number)
{
	char *where;

	line[strcspn(line, "#")] = '\0';
	if (!line[strspn(line, BLANKS)]) {
		return;
	}
	where = g_strdup_printf("at %s:%u", name, number);
	look_up_text(job, line, where);
	g_free(where);
}

static int take_text_file(const struct job *job, const char *name, struct err *err)
{
	GString *line = g_string_new(NULL);
	struct bytesource *src = NULL;
	int status = bytesource_open(&src, name, err);

	for (unsigned number = 1; status == ST_OK; number++) {
		status = byteline_read(src, LINE_BYTES_MAX, line, err);
		if (status == ST_OK) {
			take_line(job, line->str, name, number);
		} else if (status == ST_ELIMIT) {
			tool_warn("line %s:%u is too long and passed over", name, number);
			status = ST_OK;
		}
	}
	bytesource_close(src);
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

/*
 * Of country codes and address types, every address of a set gets a row and keeps its family, as in
 * SiLK; with other maps, what a map of IPv4 cannot hold is left out.
 */
static void take_address(const struct job *job, struct ip ip, bool is_v6)
{
	bool of_known_map = job->opts->map.choice.kind != MAPFILE_NAMED;
	char input[IP_TEXT_MAX];
	struct row row = {
		.key = ip,
		.input = input,
		.has = of_known_map ? CELL_OF_VALUE : CELL_OF_INPUT,
		.is_v6 = of_known_map && is_v6,
	};

	ip_print(input, ip, is_v6, IP_CANONICAL);
	look_up(job, &row);
}

static int take_set_file(const struct job *job, const char *name, struct err *err)
{
	struct ipset *set = NULL;
	int status = ipset_read(&set, name, NULL, err);

	for (size_t i = 0; status == ST_OK && i < ipset_ranges(set); i++) {
		struct cidr range = ipset_range(set, i);

		for (;;) {
			take_address(job, range.first, ipset_is_wide(set));
			if (ip_equal(range.first, range.last)) {
				break;
			}
			range.first = ip_next(range.first);
		}
	}
	ipset_free(set);
	return status;
}

/* false: an input could not be read, which has been told; the ones after it were left. */
static bool take_files(const struct job *job, int argc, char **argv)
{
	struct names *names = names_new(&job->opts->xargs, true, argc, argv);
	const char *name;
	struct err err;
	int status = ST_OK;

	while (status == ST_OK && (name = names_next(names))) {
		status = job->opts->ipset_files ? take_set_file(job, name, &err)
						: take_text_file(job, name, &err);
	}
	if (status != ST_OK) {
		tool_warn_err(&err);
	}
	return names_free(names) && status == ST_OK;
}

/* --- the run --- */

static void check_switches(const struct pmaplookup_opts *opts, int argc)
{
	if (opts->map.choice.kind == MAPFILE_NONE) {
		tool_usage("no prefix map given");
	}
	if (opts->no_files && opts->ipset_files) {
		tool_usage("--no-files and --ipset-files cannot be combined");
	}
	if (opts->no_files && opts->xargs.given) {
		tool_usage("--no-files and --xargs cannot be combined");
	}
	if (opts->no_files && !argc) {
		tool_usage("--no-files needs arguments");
	}
}

static int pmaplookup_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct pmaplookup_opts *opts = base;
	struct job job = { .opts = opts };
	struct text_style style;
	struct pmap *pmap;
	struct err err;
	bool good = true;

	check_switches(opts, argc);
	if (text_style_from_opts(&opts->text, &style, &err) != ST_OK) {
		tool_die_err(&err);
	}
	pmap = mapfile_read(&opts->map.choice);
	if (pmap_kind(pmap) == PMAP_PROTO_PORT && opts->ipset_files) {
		tool_die("--ipset-files and a map of protocols and ports cannot be combined");
	}
	job.pmap = pmap;
	job.key = (struct pmapkey){ pmap, format_ip(&opts->format),
				    opts->map.choice.kind == MAPFILE_COUNTRY_CODES };
	job.text = text_new(opts->no_files && !opts->output.output_path
				    ? STDOUT_FILENO
				    : tool_output(env, &opts->output),
			    &style);
	print_titles(&job);
	if (opts->no_files) {
		for (int i = 0; i < argc; i++) {
			look_up_text(&job, argv[i], "among the arguments");
		}
	} else {
		good = take_files(&job, argc, argv);
	}
	if (text_close(job.text, &err) != ST_OK) {
		tool_warn_err(&err);
		good = false;
	}
	pmap_free(pmap);
	return good ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

const struct tool tool = {
	.name = "rwpmaplookup",
	.summary = "Look up addresses, or protocols and ports, in a prefix map",
	.usage = "{--map-file=FILE | --address-types[=FILE] | --country-codes[=FILE]} [SWITCHES] "
		 "[FILES]",
	.opts = pmaplookup_opt_table,
	.opts_size = sizeof(struct pmaplookup_opts),
	.opts_default = &pmaplookup_defaults,
	.run = pmaplookup_run,
};
