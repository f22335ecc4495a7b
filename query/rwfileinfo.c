/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwfileinfo: print what the header of a file says, and how many records follow it. */
#include "query/tool.h"

#include "common/record.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "query/numberedfields.h"
#include "query/source.h"
#include "query/extensionlist.h"
#include "storage/block.h"
#include "storage/byteorder.h"
#include "storage/hourfile.h"
#include "storage/rowformat.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD_NUMBER_MAX 18 /* that can be asked for; fields of our own have names only */

struct fileinfo_opts {
	bool help_fields;
	struct numberedfields fields;
	bool summary;
	bool no_titles;
	int output_format;
	struct source_opts source;
	struct site_opts site;
};

/* One file, as far as it could be read. */
struct fileinfo {
	const struct fileinfo_opts *opts;
	const struct site *site;
	const char *name;
	struct text *text;              /* a row a value; NULL: as SiLK prints */
	struct header header;           /* of a block file: its properties as entries */
	const struct blockfile *blocks; /* or NULL */
	bool counted;
	uint64_t records;
	uint64_t file_bytes;
};

struct totals {
	uint64_t files;
	uint64_t records;
	uint64_t file_bytes;
};

/* A field that may have several values: the first is on the title's line, or all are numbered. */
enum layout { LAYOUT_VALUES, LAYOUT_NUMBERED };

struct output {
	const struct fileinfo *file;
	const char *title;
	enum layout layout;
	unsigned values; /* printed so far */
	bool is_number;  /* the value at hand */
};

/* A row of file, field and value. */
static void put_row(const struct output *out, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void put_row(const struct output *out, const char *fmt, va_list ap)
{
	char *value = g_strdup_vprintf(fmt, ap);

	text_cell_string(out->file->text, out->file->name);
	text_cell_string(out->file->text, out->title);
	text_cell_is_number(out->file->text, out->is_number);
	text_cell_string(out->file->text, value);
	text_row_done(out->file->text);
	g_free(value);
}

static void put(struct output *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct output *out, const char *fmt, ...)
{
	va_list ap;

	if (out->file->text) {
		va_start(ap, fmt);
		put_row(out, fmt, ap);
		va_end(ap);
		return;
	}
	if (!out->file->opts->no_titles) {
		if (out->values == 0) {
			printf("  %-20s%s", out->title, out->layout == LAYOUT_NUMBERED ? "\n" : "");
		}
		if (out->layout == LAYOUT_NUMBERED) {
			printf("%20u  ", out->values + 1);
		} else if (out->values > 0) {
			printf("%22s", "");
		}
	}
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	out->values++;
}

static void put_number(struct output *out, uint64_t number)
{
	out->is_number = true;
	put(out, "%" PRIu64, number);
}

/* How times are printed. */
static unsigned time_format(const struct output *out, unsigned format)
{
	const struct text *text = out->file->text;

	return text ? text_time_format(text_form(text), format) : format;
}

static void print_format(struct output *out, const struct header *header)
{
	const char *name = header_format_name(header->format);

	if (name != NULL) {
		put(out, "%s(0x%02x)", name, header->format);
	} else {
		put(out, "?[%u](0x%02x)", header->format, header->format);
	}
}

static void print_version(struct output *out, const struct header *header)
{
	put_number(out, header->file_version);
}

static void print_byte_order(struct output *out, const struct header *header)
{
	put(out, "%s", header->big_endian ? "BigEndian" : "littleEndian");
}

static void print_compression(struct output *out, const struct header *header)
{
	const char *name = compression_name(header->compression);

	if (name != NULL) {
		put(out, "%s(%u)", name, header->compression);
	} else {
		put(out, "%u(%u)", header->compression, header->compression);
	}
}

static void print_header_length(struct output *out, const struct header *header)
{
	put_number(out, header->length_bytes);
}

static void print_record_length(struct output *out, const struct header *header)
{
	put_number(out, header->record_length);
}

static void print_record_version(struct output *out, const struct header *header)
{
	put_number(out, header->record_version);
}

static void print_silk_version(struct output *out, const struct header *header)
{
	uint32_t version = header->silk_version;

	if (version == 0) {
		put(out, "0");
	} else {
		put(out, "%u.%u.%u", version / 1000000, version / 1000 % 1000, version % 1000);
	}
}

static void print_count(struct output *out, const struct header *header)
{
	if (out->file->counted) {
		put_number(out, out->file->records);
	}
}

static void print_file_size(struct output *out, const struct header *header)
{
	put_number(out, out->file->file_bytes);
}

/* The name of an id; the id where it has none; "?" where it stands for none at all. */
static const char *id_text(char *buffer, size_t size, const char *name, unsigned id, unsigned none)
{
	if (name != NULL) {
		return name;
	}
	snprintf(buffer, size, id == none ? "?" : "%u", id);
	return buffer;
}

static void print_packed_file(struct output *out, const struct header *header)
{
	const struct site *site = out->file->site;
	const struct header_entry *entry;
	size_t pos = 0;

	while ((entry = header_next(header, ENTRY_PACKED_FILE, &pos)) != NULL) {
		struct header one = { .entry_count = 1, .entries = (struct header_entry *)entry };
		char hour[TIMESTAMP_TEXT_MAX], flowtype_text[16], sensor_text[16];
		int64_t hour_ns = 0;
		uint8_t flowtype = RECORD_NO_FLOWTYPE;
		uint16_t sensor = RECORD_NO_SENSOR;

		header_packed_file(&one, &hour_ns, &flowtype, &sensor);
		timestamp_print(hour, hour_ns,
				time_format(out, TIMESTAMP_DEFAULT | TIMESTAMP_NO_MSEC));
		put(out, "%s%s %s %s", hour, g_str_has_suffix(hour, "Z") ? "" : "Z",
		    id_text(flowtype_text, sizeof(flowtype_text),
			    site_flowtype_name(site, flowtype), flowtype, RECORD_NO_FLOWTYPE),
		    id_text(sensor_text, sizeof(sensor_text), site_sensor_name(site, sensor),
			    sensor, RECORD_NO_SENSOR));
	}
}

static void print_texts(struct output *out, const struct header *header, uint32_t id)
{
	const struct header_entry *entry;
	size_t pos = 0;

	while ((entry = header_next(header, id, &pos)) != NULL) {
		put(out, "%.*s", (int)entry->len, (const char *)entry->payload);
	}
}

static void print_probe_name(struct output *out, const struct header *header)
{
	print_texts(out, header, ENTRY_PROBE_NAME);
}

static void print_command_lines(struct output *out, const struct header *header)
{
	out->layout = LAYOUT_NUMBERED;
	print_texts(out, header, ENTRY_INVOCATION);
}

static void print_annotations(struct output *out, const struct header *header)
{
	out->layout = LAYOUT_NUMBERED;
	print_texts(out, header, ENTRY_ANNOTATION);
}

static void print_prefix_map(struct output *out, const struct header *header)
{
	const struct header_entry *entry;
	size_t pos = 0;

	while ((entry = header_next(header, ENTRY_PREFIX_MAP, &pos)) != NULL) {
		put(out, "v%u: %.*s", load32_be(entry->payload), (int)(entry->len - 4),
		    (const char *)entry->payload + 4);
	}
}

/* The tree of version 3 in numbers; of later versions the family. */
static void print_ipset(struct output *out, const struct header *header)
{
	const struct header_entry *entry;
	size_t pos = 0;

	while ((entry = header_next(header, ENTRY_IPSET, &pos)) != NULL) {
		const uint8_t *p = entry->payload;
		uint32_t leaf_bytes = load32_be(p + 8);

		if (header->record_version > 3) {
			put(out, "%s", leaf_bytes == 4 ? "IPv4" : "IPv6");
			continue;
		}
		put(out, "%u-way branch, root@%u, %u x %ub nodes, %u x %ub leaves", load32_be(p),
		    load32_be(p + 20), load32_be(p + 12), load32_be(p + 16), load32_be(p + 4),
		    leaf_bytes);
	}
}

static void append_name(GString *text, const char *name, unsigned id)
{
	if (name != NULL) {
		g_string_append(text, name);
	} else {
		g_string_append_printf(text, "UNKNOWN[%u]", id);
	}
}

static void print_bag(struct output *out, const struct header *header)
{
	const struct header_entry *entry;
	size_t pos = 0;

	while ((entry = header_next(header, ENTRY_BAG, &pos)) != NULL) {
		GString *text = g_string_new("key: ");

		for (unsigned i = 0; i < 2; i++) {
			unsigned type = load16_be(entry->payload + 4 * i);

			g_string_append(text, i == 0 ? "" : "; counter: ");
			append_name(text, header_bag_type_name((uint16_t)type), type);
			g_string_append_printf(text, " @ %u octets",
					       load16_be(entry->payload + 4 * i + 2));
		}
		put(out, "%s", text->str);
		g_string_free(text, TRUE);
	}
}

static void print_aggregate_bag(struct output *out, const struct header *header)
{
	const struct header_entry *entry;
	size_t pos = 0;

	while ((entry = header_next(header, ENTRY_AGGREGATE_BAG, &pos)) != NULL) {
		unsigned count = load16_be(entry->payload + 4);
		unsigned keys = load16_be(entry->payload + 6);
		GString *text = g_string_new("key:");

		for (unsigned i = 0; i < count; i++) {
			unsigned id = load16_be(entry->payload + 8 + 2 * (size_t)i);

			g_string_append(text, i == keys ? "; counter: " : i == 0 ? " " : ",");
			append_name(text, header_aggregate_field_name((uint16_t)id), id);
		}
		put(out, "%s", text->str);
		g_string_free(text, TRUE);
	}
}

/* ---- block files ---- */

static void print_block_format(struct output *out, const struct blockfile *file)
{
	put(out, "TUSSAH_BLOCKS");
}

static void print_block_version(struct output *out, const struct blockfile *file)
{
	put_number(out, BLOCKFILE_VERSION);
}

static void print_block_order(struct output *out, const struct blockfile *file)
{
	put(out, "littleEndian");
}

/* All methods that a chunk was compressed by. */
static void print_block_compression(struct output *out, const struct blockfile *file)
{
	static const struct {
		uint8_t method;
		const char *name;
	} methods[] = { { CHUNK_LZO1X, "lzo1x" }, { CHUNK_ZSTD, "zstd" } };
	uint32_t used = 0;

	for (size_t i = 0; i < blockfile_count(file); i++) {
		const struct flowblock *block = blockfile_block(file, i);

		for (size_t k = 0; k < block->column_count; k++) {
			used |= UINT32_C(1) << block->columns[k].compression;
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (used >> methods[i].method & 1) {
			put(out, "%s(%u)", methods[i].name, methods[i].method);
		}
	}
	if (out->values == 0) {
		put(out, "none(0)");
	}
}

static void print_blocks(struct output *out, const struct blockfile *file)
{
	put(out, "%zu, %s", blockfile_count(file),
	    blockfile_is_sealed(file) ? "sealed" : "not sealed");
}

static void print_times(struct output *out, const struct blockfile *file)
{
	const struct summary *summary = blockfile_summary(file);
	const unsigned format = time_format(out, TIMESTAMP_DEFAULT);
	char first[TIMESTAMP_TEXT_MAX];
	char last[TIMESTAMP_TEXT_MAX];

	if (summary->records > 0) {
		timestamp_print(first, summary->first_start_ns, format);
		timestamp_print(last, summary->last_end_ns, format);
		put(out, format == TIMESTAMP_DEFAULT ? "%s - %s" : "%s/%s", first, last);
	}
}

static void print_extensions(struct output *out, const struct blockfile *file)
{
	struct extensionlist *list = extensionlist_new(file);

	for (size_t i = 0; i < extensionlist_count(list); i++) {
		put(out, "%s", extensionlist_text(list, i));
	}
	extensionlist_free(list);
}

/* In the order of printing; the numbers are older than the order. */
static const struct field_row {
	const char *name;
	unsigned number;
	const char *title;
	void (*print)(struct output *out, const struct header *header); /* of SiLK files */
	const char *help;
	void (*print_block)(struct output *out, const struct blockfile *file);
	bool shared; /* print does for block files too */
} field_rows[] = {
	{ "format", 1, "format(id)", print_format, "what the file holds, and the id of that",
	  print_block_format, false },
	{ "version", 2, "version", print_version, "version of the structure of the file",
	  print_block_version, false },
	{ "byte-order", 3, "byte-order", print_byte_order, "BigEndian or littleEndian",
	  print_block_order, false },
	{ "compression", 4, "compression(id)", print_compression,
	  "method by which the data are compressed, and its id", print_block_compression, false },
	{ "header-length", 5, "header-length", print_header_length, "bytes before the data", NULL,
	  false },
	{ "record-length", 6, "record-length", print_record_length,
	  "bytes of a record; 1 for what has no records", NULL, false },
	{ "record-version", 10, "record-version", print_record_version, "version of the format",
	  NULL, false },
	{ "silk-version", 11, "silk-version", print_silk_version,
	  "release of SiLK that the writer stands for", NULL, false },
	{ "count-records", 7, "count-records", print_count,
	  "bytes of the data before compression, divided by record-length", NULL, true },
	{ "file-size", 8, "file-size", print_file_size, "bytes of the file", NULL, true },
	{ "blocks", 19, "blocks", NULL, "blocks of a block file, and whether it is sealed",
	  print_blocks, false },
	{ "time-range", 20, "time-range", NULL,
	  "first start and last end of the records of a block file", print_times, false },
	{ "extension-columns", 21, "extension-columns", NULL,
	  "information elements that records of a block file have beyond the usual fields",
	  print_extensions, false },
	{ "packed-file-info", 12, "packed-file-info", print_packed_file,
	  "hour, flowtype and sensor of an hourly file", NULL, true },
	{ "probe-name", 13, "probe-name", print_probe_name, "probe that collected the records",
	  NULL, true },
	{ "prefix-map", 15, "prefix-map", print_prefix_map, "name of a prefix map", NULL, false },
	{ "ipset", 16, "ipset", print_ipset, "shape or family of an IPset", NULL, false },
	{ "bag", 17, "bag", print_bag, "types and sizes of a bag's key and counter", NULL, false },
	{ "aggregate-bag", 18, "aggregate-bag", print_aggregate_bag,
	  "fields of an aggregate bag's key and counter", NULL, false },
	{ "command-lines", 9, "command-lines", print_command_lines,
	  "commands that made the file, the latest last", NULL, true },
	{ "annotations", 14, "annotations", print_annotations, "notes added to the file", NULL,
	  true },
};

#define NUMBER_COUNT 7
#define NUMBER_SIZE  8

static bool wanted(const struct fileinfo_opts *opts, unsigned number)
{
	return !opts->fields.given || (opts->fields.numbers >> number & 1);
}

/* ---- --fields ---- */

/* The number of a name, cut short or not. */
static int find_field(const char *name)
{
	size_t len = strlen(name);
	int found = NUMBEREDFIELDS_NONE;

	for (size_t i = 0; i < G_N_ELEMENTS(field_rows); i++) {
		if (g_ascii_strncasecmp(field_rows[i].name, name, len) != 0) {
			continue;
		}
		if (field_rows[i].name[len] == '\0') {
			return (int)field_rows[i].number;
		}
		found = found == NUMBEREDFIELDS_NONE ? (int)field_rows[i].number
						     : NUMBEREDFIELDS_SEVERAL;
	}
	return found;
}

static int parse_fields(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return numberedfields_parse(text, FIELD_NUMBER_MAX, find_field, dest, err);
}

static const struct opt fileinfo_opt_table[] = {
	OPT_FLAG(struct fileinfo_opts, help_fields, "help-fields", 0,
		 "describe the fields and exit"),
	OPT_CALL(struct fileinfo_opts, fields, "fields", 0, "FIELDS", parse_fields, 0,
		 "print these fields only: names or numbers, see --help-fields"),
	OPT_FLAG(struct fileinfo_opts, summary, "summary", 0,
		 "print the number of files, their sizes and their records at the end"),
	OPT_FLAG(struct fileinfo_opts, no_titles, "no-titles", 0,
		 "print values only, one a line, without names of files and fields"),
	TEXT_DATA_FORMAT_ROW(struct fileinfo_opts,
			     "print text, or a row of file, field and value as csv or json lines"),
	OPT_GROUP(struct fileinfo_opts, source, source_xargs_opt_table),
	OPT_GROUP(struct fileinfo_opts, site, site_opt_table),
	OPT_END,
};

static void print_help_fields(void)
{
	printf("Fields, in the order in which they are printed:\n");
	for (size_t i = 0; i < G_N_ELEMENTS(field_rows); i++) {
		char number[4] = "";

		if (field_rows[i].number <= FIELD_NUMBER_MAX) {
			snprintf(number, sizeof(number), "%u", field_rows[i].number);
		}
		printf("\t%-17s %2s  %s\n", field_rows[i].name, number, field_rows[i].help);
	}
}

/* ---- one file ---- */

/* Says what a flow tool would say of this header. */
static int check_flow(const char *name, const struct header *header)
{
	const struct rowformat *format = rowformat_find(header->format, header->record_version);

	if (!header_is_flow(header->format)) {
		return TOOL_EXIT_OK;
	}
	if (format == NULL) {
		tool_warn("%s: record version %u of %s is not known", name, header->record_version,
			  header_format_name(header->format));
		return TOOL_EXIT_ERROR;
	}
	if (header->record_length != 0 && header->record_length != format->length) {
		tool_warn("%s: record length %u where the format has %u", name,
			  header->record_length, format->length);
		return TOOL_EXIT_ERROR;
	}
	return TOOL_EXIT_OK;
}

static int count_records(struct fileinfo *file, struct bytesource *src)
{
	unsigned length = MAX(file->header.record_length, 1);
	struct block_reader *reader = NULL;
	uint64_t bytes = 0;
	struct err err;
	int rc = block_reader_new(&reader, src, file->header.compression, &err);

	if (rc == ST_OK) {
		rc = block_reader_measure(reader, &bytes, &err);
		file->counted = true;
		file->records = bytes / length;
	}
	block_reader_free(reader);
	if (rc != ST_OK) {
		tool_warn_err(&err);
		return TOOL_EXIT_ERROR;
	}
	if (bytes % length != 0) {
		tool_warn("%s: the last record has %u of %u bytes", bytesource_name(src),
			  (unsigned)(bytes % length), length);
		return TOOL_EXIT_ERROR;
	}
	return TOOL_EXIT_OK;
}

/* Damage is told; records are those that can be read. src is taken. */
static int read_blocks(struct fileinfo *file, struct bytesource *src,
		       struct hourfile_reader **reader)
{
	int status = TOOL_EXIT_OK;
	struct err err;

	if (hourfile_open_source(reader, src, NULL, &err) != ST_OK) {
		tool_warn_err(&err);
		return TOOL_EXIT_ERROR;
	}
	file->blocks = hourfile_blocks(*reader);
	header_add_entries(&file->header, hourfile_header(*reader));
	file->counted = true;
	file->records = blockfile_summary(file->blocks)->records;
	for (size_t i = 0; blockfile_damage(file->blocks, i) != NULL; i++) {
		tool_warn("%s", blockfile_damage(file->blocks, i));
		status = TOOL_EXIT_ERROR;
	}
	return status;
}

/* A header that is no header leaves nothing to print; of a damaged one, what was understood is. */
static int read_file(struct fileinfo *file, const char *name, struct hourfile_reader **reader,
		     bool *printable)
{
	struct bytesource *src = NULL;
	struct stat st;
	struct err err;
	int status = TOOL_EXIT_OK;

	*printable = false;
	if (bytesource_open_binary(&src, name, &err) != ST_OK) {
		tool_warn_err(&err);
		return TOOL_EXIT_ERROR;
	}
	if (strcmp(bytesource_name(src), "stdin") != 0 && stat(name, &st) == 0) {
		file->file_bytes = (uint64_t)st.st_size;
	}
	if (hourfile_source_is_blocks(src)) {
		status = read_blocks(file, src, reader);
		*printable = file->blocks != NULL;
		return status;
	}
	if (header_read(&file->header, src, file->site, &err) != ST_OK) {
		tool_warn_err(&err);
		status = TOOL_EXIT_ERROR;
	}
	*printable = file->header.length_bytes > 0;
	if (*printable) {
		status |= check_flow(name, &file->header);
		if (wanted(file->opts, NUMBER_COUNT)) {
			status |= count_records(file, src);
		}
	}
	bytesource_close(src);
	return status;
}

/* What does not apply to the kind of file is left out. */
static void print_field(const struct field_row *row, struct output *out,
			const struct fileinfo *file)
{
	if (file->blocks != NULL && row->print_block != NULL) {
		row->print_block(out, file->blocks);
	} else if (row->print != NULL && (file->blocks == NULL || row->shared)) {
		row->print(out, &file->header);
	}
}

static void print_file(const struct fileinfo *file, const char *name)
{
	if (!file->opts->no_titles && !file->text) {
		printf("%s:\n", name);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(field_rows); i++) {
		struct output out = { .file = file, .title = field_rows[i].title };

		if (wanted(file->opts, field_rows[i].number)) {
			print_field(&field_rows[i], &out, file);
		}
	}
}

static int do_file(const struct fileinfo_opts *opts, const struct site *site, const char *name,
		   struct text *text, struct totals *totals)
{
	struct fileinfo file = { .opts = opts, .site = site, .name = name, .text = text };
	struct hourfile_reader *reader = NULL;
	bool printable;
	int status;

	header_init(&file.header);
	status = read_file(&file, name, &reader, &printable);
	if (printable) {
		print_file(&file, name);
	}
	hourfile_close(reader);
	totals->files++;
	totals->records += file.records;
	totals->file_bytes += printable ? file.file_bytes : 0;
	header_release(&file.header);
	return status;
}

static void print_total(const struct fileinfo_opts *opts, struct text *text, const char *title,
			uint64_t value)
{
	if (text != NULL) {
		text_cell_string(text, "");
		text_cell_string(text, title);
		text_cell_number(text, value);
		text_row_done(text);
	} else if (opts->no_titles) {
		printf("%" PRIu64 "\n", value);
	} else {
		printf("  %-20s%" PRIu64 "\n", title, value);
	}
}

static void print_summary(const struct fileinfo_opts *opts, struct text *text,
			  const struct totals *totals)
{
	if (!opts->no_titles && text == NULL) {
		printf("**SUMMARY**:\n");
	}
	print_total(opts, text, "number-files", totals->files);
	if (wanted(opts, NUMBER_COUNT)) {
		print_total(opts, text, "total-records", totals->records);
	}
	if (wanted(opts, NUMBER_SIZE)) {
		print_total(opts, text, "all-file-sizes", totals->file_bytes);
	}
}

static int fileinfo_run(struct tool_env *env, void *base, int argc, char **argv)
{
	static const char *const columns[] = { "file", "field", "value", NULL };
	const struct fileinfo_opts *opts = base;
	struct totals totals = { 0 };
	int status = TOOL_EXIT_OK;
	const struct site *site;
	struct source *source;
	struct text *text;
	const char *name;
	struct err err;

	if (opts->help_fields) {
		print_help_fields();
		return TOOL_EXIT_OK;
	}
	if (argc == 0 && !opts->source.xargs.given) {
		tool_usage("no input files given on command line");
	}
	source = source_new(env, &opts->source, argc, argv);
	site = tool_site(env, &opts->site, false);
	text = text_data_new(STDOUT_FILENO, opts->output_format, opts->no_titles, columns);
	while ((name = source_next_name(source)) != NULL) {
		status |= do_file(opts, site, name, text, &totals);
	}
	source_close(source);
	if (opts->summary) {
		print_summary(opts, text, &totals);
	}
	if (text != NULL && text_close(text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return status;
}

const struct tool tool = {
	.name = "rwfileinfo",
	.summary = "Print what the header of a SiLK file says",
	.usage = "[SWITCHES] FILES",
	.opts = fileinfo_opt_table,
	.opts_size = sizeof(struct fileinfo_opts),
	.run = fileinfo_run,
};
