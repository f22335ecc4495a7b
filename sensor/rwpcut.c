/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpcut: the packets of a capture file as text. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/decode.h"
#include "common/optmain.h"
#include "common/tcpflags.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "sensor/capture.h"
#include "sensor/ip4frame.h"

#define PROGRAM        "rwpcut"
#define DEFAULT_FIELDS "time,sip,dip,sport,dport,proto,payhex"
#define FIELDS_MAX     64

struct cut_opts {
	bool columnar;
	char *delimiter;
	bool epoch_time;
	char *fields;
	bool integer_ips;
	bool zero_pad_ips;
	int output_format;
};

static const struct opt cut_table[] = {
	OPT_FLAG(struct cut_opts, columnar, "columnar", 'c',
		 "give every field the same width in each line"),
	OPT_STR(struct cut_opts, delimiter, "delimiter", 'd', "TEXT", "write this behind a field",
		.default_text = "|"),
	OPT_FLAG(struct cut_opts, epoch_time, "epoch-time", 0,
		 "write times as seconds since the epoch"),
	OPT_STR(struct cut_opts, fields, "fields", 'f', "LIST",
		"write these of time, sip, dip, sport, dport, proto, flags, payhex and payascii",
		.default_text = DEFAULT_FIELDS),
	OPT_FLAG(struct cut_opts, integer_ips, "integer-ips", 0, "write addresses as numbers"),
	OPT_FLAG(struct cut_opts, zero_pad_ips, "zero-pad-ips", 0,
		 "write every part of an address with three digits"),
	TEXT_DATA_FORMAT_ROW(struct cut_opts, "write text, csv or json lines"),
	OPT_END,
};

static const struct optmain program = {
	.name = PROGRAM,
	.usage = "[SWITCHES] CAPTURE-FILE...",
	.summary = "Write the IPv4 packets of capture files as text",
	.table = cut_table,
	.usage_status = 2,
};

struct cut;

/* A packet with its IP bytes, header and all, as far as they were captured. */
struct cut_packet {
	int64_t time_ns;
	struct ip4frame frame;
	const uint8_t *bytes;
	size_t len;
};

struct cut_field {
	const char *name;
	int width; /* 0: as wide as it is */
	bool number;
	/* Into text, which is empty. */
	void (*print)(const struct cut *cut, const struct cut_packet *packet, GString *text);
};

struct cut {
	const struct cut_opts *opts;
	const char *delimiter;
	const struct cut_field *fields[FIELDS_MAX];
	size_t field_count;
	const struct decode_link *link;
	GString *text;
	struct text *table; /* NULL: text */
};

/* --- fields --- */

static void print_time(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	time_t seconds = (time_t)(packet->time_ns / NS_PER_S);
	int micros = (int)(packet->time_ns % NS_PER_S / NS_PER_US);
	char local[64];
	struct tm tm;

	if (cut->opts->epoch_time) {
		g_string_append_printf(text, "%lld.%06d", (long long)seconds, micros);
	} else {
		localtime_r(&seconds, &tm);
		strftime(local, sizeof(local), "%Y-%m-%d %H:%M:%S", &tm);
		g_string_append_printf(text, "%s.%06d", local, micros);
	}
}

static void print_ip(const struct cut *cut, uint32_t ip, GString *text)
{
	char out[IP_TEXT_MAX];
	unsigned format = cut->opts->integer_ips    ? IP_DECIMAL
			  : cut->opts->zero_pad_ips ? IP_ZERO_PADDED
						    : IP_CANONICAL;

	ip_print(out, ip_from_v4(ip), false, format);
	g_string_append(text, out);
}

static void print_sip(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	print_ip(cut, packet->frame.sip, text);
}

static void print_dip(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	print_ip(cut, packet->frame.dip, text);
}

static void print_sport(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	if (packet->frame.has_ports) {
		g_string_append_printf(text, "%u", packet->frame.sport);
	}
}

static void print_dport(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	if (packet->frame.has_ports) {
		g_string_append_printf(text, "%u", packet->frame.dport);
	}
}

static void print_protocol(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	g_string_append_printf(text, "%u", packet->frame.protocol);
}

static void print_flags(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	char flags[16];

	if (packet->frame.has_flags) {
		tcpflags_print(flags, packet->frame.tcp_flags, true);
		g_string_append(text, flags);
	}
}

static void print_hex(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < packet->len; i++) {
		g_string_append_c(text, digits[packet->bytes[i] >> 4]);
		g_string_append_c(text, digits[packet->bytes[i] & 0x0f]);
	}
}

static void print_ascii(const struct cut *cut, const struct cut_packet *packet, GString *text)
{
	for (size_t i = 0; i < packet->len; i++) {
		g_string_append_c(text, g_ascii_isprint(packet->bytes[i]) ? packet->bytes[i] : '.');
	}
}

static const struct cut_field cut_fields[] = {
	{ "time", 26, false, print_time },
	{ "sip", 15, false, print_sip },
	{ "dip", 15, false, print_dip },
	{ "sport", 5, true, print_sport },
	{ "dport", 5, true, print_dport },
	{ "proto", 5, true, print_protocol },
	{ "flags", 8, false, print_flags },
	{ "payhex", 0, false, print_hex },
	{ "payascii", 0, false, print_ascii },
	{ "timestamp", 26, false, print_time }, /* the manual's name */
};

#define EPOCH_TIME_WIDTH 17
#define INTEGER_IP_WIDTH 10

static int field_width(const struct cut *cut, const struct cut_field *field)
{
	if (!cut->opts->columnar) {
		return 0;
	}
	if (field->print == print_time && cut->opts->epoch_time) {
		return EPOCH_TIME_WIDTH;
	}
	if ((field->print == print_sip || field->print == print_dip) && cut->opts->integer_ips) {
		return INTEGER_IP_WIDTH;
	}
	return field->width;
}

static const struct cut_field *find_field(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cut_fields); i++) {
		if (strcmp(cut_fields[i].name, name) == 0) {
			return &cut_fields[i];
		}
	}
	return NULL;
}

static int parse_fields(struct cut *cut, const char *list, struct err *err)
{
	char **names = g_strsplit(list, ",", -1);
	int status = ST_OK;

	for (char **name = names; status == ST_OK && *name; name++) {
		const struct cut_field *field = find_field(*name);

		if (!field) {
			status = err_set(err, ST_EINVAL, "there is no field '%s'", *name);
		} else if (cut->field_count == FIELDS_MAX) {
			status = err_set(err, ST_ELIMIT, "more than %d fields", FIELDS_MAX);
		} else {
			cut->fields[cut->field_count++] = field;
		}
	}
	if (status == ST_OK && cut->field_count == 0) {
		status = err_set(err, ST_EINVAL, "no fields are named");
	}
	g_strfreev(names);
	return status;
}

/* --- lines --- */

static void print_titles(struct cut *cut)
{
	const char *titles[FIELDS_MAX + 1] = { NULL };

	for (size_t i = 0; i < cut->field_count; i++) {
		titles[i] = cut->fields[i]->name;
	}
	cut->table = text_data_new(STDOUT_FILENO, cut->opts->output_format, false, titles);
	if (cut->table) {
		return;
	}
	for (size_t i = 0; i < cut->field_count; i++) {
		printf("%*s%s", field_width(cut, cut->fields[i]), cut->fields[i]->name,
		       cut->delimiter);
	}
	putchar('\n');
}

static bool is_number(const struct cut_opts *opts, const struct cut_field *field)
{
	return field->number || (field->print == print_time && opts->epoch_time) ||
	       ((field->print == print_sip || field->print == print_dip) && opts->integer_ips);
}

/* An empty cell stands for what the packet has not. */
static void put_cell(const struct cut *cut, const struct cut_field *field,
		     const struct cut_packet *packet)
{
	if (field->print == print_time && !cut->opts->epoch_time) {
		text_cell_time(cut->table, packet->time_ns,
			       TIMESTAMP_ISO | TIMESTAMP_MICRO | TIMESTAMP_LOCAL);
	} else {
		field->print(cut, packet, cut->text);
		text_cell_is_number(cut->table, is_number(cut->opts, field) && cut->text->len > 0);
		text_cell_string(cut->table, cut->text->str);
	}
}

static void print_cell(const struct cut *cut, const struct cut_field *field,
		       const struct cut_packet *packet)
{
	field->print(cut, packet, cut->text);
	printf("%*s%s", field_width(cut, field), cut->text->str, cut->delimiter);
}

static void take_packet(void *arg, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
			uint32_t wire_len)
{
	struct cut *cut = arg;
	struct packet packet = { .time_ns = time_ns };
	struct cut_packet line = { .time_ns = time_ns };
	void (*put)(const struct cut *, const struct cut_field *, const struct cut_packet *) =
		cut->table ? put_cell : print_cell;

	decode_packet(cut->link, bytes, captured, wire_len, &packet);
	if (!packet.ip || packet.key.version != 4) {
		return;
	}
	line.bytes = packet.ip;
	line.len = MIN((size_t)(bytes + captured - packet.ip), packet.bytes);
	ip4frame_parse_packet(packet.ip, line.len, &line.frame);
	for (size_t i = 0; i < cut->field_count; i++) {
		g_string_truncate(cut->text, 0);
		put(cut, cut->fields[i], &line);
	}
	if (cut->table) {
		text_row_done(cut->table);
	} else {
		putchar('\n');
	}
}

/* What comes before damage is written. */
static int cut_file(struct cut *cut, const char *path)
{
	struct capture *capture = NULL;
	struct err err;
	int status =
		capture_open_file(&capture, strcmp(path, "stdin") == 0 ? "-" : path, NULL, &err);

	if (status == ST_OK) {
		cut->link = decode_link_find(capture_linktype(capture));
		if (!cut->link) {
			status = err_set(&err, ST_ESUPPORT, "%s: link type %s is not known", path,
					 capture_linktype_name(capture));
		}
	}
	while (status == ST_OK) {
		status = capture_read(capture, take_packet, cut, &err);
	}
	if (status != ST_END) {
		fflush(stdout);
		fprintf(stderr, PROGRAM ": %s\n", err.text);
	}
	capture_close(capture);
	return status == ST_END ? ST_OK : status;
}

static int run(struct cut *cut, const struct opt_result *names)
{
	int status = EXIT_SUCCESS;
	struct err err;

	print_titles(cut);
	for (int i = 0; i < names->nargs; i++) {
		if (cut_file(cut, names->args[i]) != ST_OK) {
			status = EXIT_FAILURE;
		}
	}
	if (cut->table && text_close(cut->table, &err) != ST_OK) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return EXIT_FAILURE;
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, PROGRAM ": cannot write standard output\n");
		status = EXIT_FAILURE;
	}
	return status;
}

/* What is wrong beyond the spelling of switches does not end with .usage_status: so SiLK has it. */
static int refuse(const char *text)
{
	optmain_usage(&program, text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct cut_opts opts = { 0 };
	struct cut cut = { .opts = &opts };
	struct opt_result names = { 0 };
	struct err err;
	int status;

	if (!optmain_parse(&program, &opts, argc, argv, &names, &status)) {
		return status;
	}
	cut.delimiter = opts.delimiter ? opts.delimiter : "|";
	cut.text = g_string_new(NULL);
	if (parse_fields(&cut, opts.fields ? opts.fields : DEFAULT_FIELDS, &err) != ST_OK) {
		status = refuse(err.text);
	} else if (names.nargs == 0) {
		status = refuse("a capture file must be named");
	} else {
		status = run(&cut, &names);
	}
	g_string_free(cut.text, TRUE);
	g_free(names.args);
	return status;
}
