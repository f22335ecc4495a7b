/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwguess: which interfaces of a router saw traffic, by files of NetFlow v5 packets. */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/optmain.h"
#include "common/text.h"
#include "packer/pdufile.h"

#define PROGRAM    "rwguess"
#define INTERFACES 65536

struct guess_opts {
	uint64_t top;
	bool print_all;
	int output_format;
};

static const struct opt guess_table[] = {
	OPT_U64(struct guess_opts, top, "top", 0, "N", 1, INT32_MAX,
		"print so many interfaces of each direction", .default_text = "10"),
	OPT_FLAG(struct guess_opts, print_all, "print-all", 0,
		 "print all interfaces that saw traffic, by their index"),
	TEXT_DATA_FORMAT_ROW(struct guess_opts, "print as text, csv or json lines"),
	OPT_END,
};

static const struct optmain guess_tool = {
	.name = PROGRAM,
	.usage = "[SWITCHES] PDU-FILES",
	.summary = "Print the interfaces that saw traffic in files of NetFlow v5",
	.table = guess_table,
};

struct guess {
	uint64_t input[INTERFACES]; /* records, by index */
	uint64_t output[INTERFACES];
};

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct guess *guess = arg;

	(void)extras;
	guess->input[rec->input]++;
	guess->output[rec->output]++;
	return ST_OK;
}

static int read_file(struct guess *guess, const char *path)
{
	const struct ipfix_mapping mapping = { .vlan_interfaces = false };
	const struct decoder_sink sink = { .flow = take_flow, .arg = guess };
	struct pdufile *file = NULL;
	struct err err;
	int st = pdufile_open(&file, path, &mapping, &sink, &err);

	if (st == ST_OK) {
		while ((st = pdufile_next(file, &err)) == ST_OK) {
		}
	}
	if (st != ST_END) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		pdufile_close(file);
		return EXIT_FAILURE;
	}
	pdufile_close(file);
	return EXIT_SUCCESS;
}

/* ---- printing ---- */

/* By descending count, then ascending index. */
static gint compare_counts(gconstpointer a, gconstpointer b, gpointer arg)
{
	const uint64_t *counts = arg;
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	if (counts[x] != counts[y]) {
		return counts[x] > counts[y] ? -1 : 1;
	}
	return x < y ? -1 : x > y;
}

/* The interfaces that saw traffic, the busiest first. */
static GArray *sort_interfaces(uint64_t *counts)
{
	GArray *seen = g_array_new(FALSE, FALSE, sizeof(uint32_t));

	for (uint32_t i = 0; i < INTERFACES; i++) {
		if (counts[i] > 0) {
			g_array_append_val(seen, i);
		}
	}
	g_array_sort_with_data(seen, compare_counts, counts);
	return seen;
}

static void print_top(uint64_t *counts, uint64_t top, const char *title, const char *column)
{
	GArray *seen = sort_interfaces(counts);

	printf("Top %" PRIu64 " (of %u) SNMP %s Interfaces\nIndex|%12s|\n", top, seen->len, title,
	       column);
	for (guint i = 0; i < seen->len && i < top; i++) {
		uint32_t index = g_array_index(seen, uint32_t, i);

		printf("%5u|%12" PRIu64 "|\n", index, counts[index]);
	}
	printf("\n");
	g_array_free(seen, TRUE);
}

static void put_top(struct text *table, uint64_t *counts, uint64_t top, const char *direction)
{
	GArray *seen = sort_interfaces(counts);

	for (guint i = 0; i < seen->len && i < top; i++) {
		uint32_t index = g_array_index(seen, uint32_t, i);

		text_cell_string(table, direction);
		text_cell_number(table, index);
		text_cell_number(table, counts[index]);
		text_row_done(table);
	}
	g_array_free(seen, TRUE);
}

static void print_all(const struct guess *guess)
{
	printf("Index|%12s|%12s|\n", "Input_Recs", "Output_Recs");
	for (uint32_t i = 0; i < INTERFACES; i++) {
		if (guess->input[i] > 0 || guess->output[i] > 0) {
			printf("%5u|%12" PRIu64 "|%12" PRIu64 "|\n", i, guess->input[i],
			       guess->output[i]);
		}
	}
}

static void put_all(struct text *table, const struct guess *guess)
{
	for (uint32_t i = 0; i < INTERFACES; i++) {
		if (guess->input[i] > 0 || guess->output[i] > 0) {
			text_cell_number(table, i);
			text_cell_number(table, guess->input[i]);
			text_cell_number(table, guess->output[i]);
			text_row_done(table);
		}
	}
}

/* As CSV or JSON lines; EXIT_FAILURE: it could not be written. */
static int put_guess(struct guess *guess, const struct guess_opts *opts, uint64_t top)
{
	static const char *const columns[] = { "direction", "index", "records", NULL };
	static const char *const all_columns[] = { "index", "input-records", "output-records",
						   NULL };
	struct text *table = text_data_new(STDOUT_FILENO, opts->output_format, false,
					   opts->print_all ? all_columns : columns);
	struct err err;

	if (opts->print_all) {
		put_all(table, guess);
	} else {
		put_top(table, guess->input, top, "input");
		put_top(table, guess->output, top, "output");
	}
	if (text_close(table, &err) != ST_OK) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int print_guess(struct guess *guess, const struct guess_opts *opts)
{
	uint64_t top = opts->top > 0 ? opts->top : 10;

	if (opts->output_format > 0) {
		return put_guess(guess, opts, top);
	}
	if (opts->print_all) {
		print_all(guess);
	} else {
		print_top(guess->input, top, "Input", "Input_Recs");
		print_top(guess->output, top, "Output", "Output_Recs");
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror(PROGRAM ": cannot write standard output");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static const char *find_fault(const struct guess_opts *opts, const struct opt_result *names)
{
	if (opts->top > 0 && opts->print_all) {
		return "May only specify one of --top or --print-all";
	}
	return names->nargs == 0 ? "No PDU input files specified on the command line" : NULL;
}

int main(int argc, char **argv)
{
	struct guess_opts opts = { 0 };
	struct opt_result names = { 0 };
	struct guess *guess;
	const char *fault;
	int status;

	if (!optmain_parse(&guess_tool, &opts, argc, argv, &names, &status)) {
		return status;
	}
	fault = find_fault(&opts, &names);
	if (fault) {
		status = optmain_usage(&guess_tool, fault);
		g_free(names.args);
		return status;
	}
	guess = g_new0(struct guess, 1);
	status = EXIT_SUCCESS;
	for (int i = 0; status == EXIT_SUCCESS && i < names.nargs; i++) {
		status = read_file(guess, names.args[i]);
	}
	if (status == EXIT_SUCCESS) {
		status = print_guess(guess, &opts);
	}
	g_free(guess);
	g_free(names.args);
	return status;
}
