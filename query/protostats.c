/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/protostats.h"

#include <stdio.h>

#include "common/numlist.h"
#include "query/tool.h"

#define INTERVALS 10
#define PROTOCOLS 256

enum measure { MEASURE_BYTES, MEASURE_PACKETS, MEASURE_RATIO, MEASURE_COUNT };

static const char *const measure_names[MEASURE_COUNT] = { "BYTES", "PACKETS", "BYTES/PACKET" };

/* Upper ends of the intervals: for TCP and for all protocols together, and for others. */
static const uint32_t tcp_limits[MEASURE_COUNT][INTERVALS] = {
	{ 40, 60, 100, 150, 256, 1000, 10000, 100000, 1000000, UINT32_MAX },
	{ 3, 4, 10, 20, 50, 100, 500, 1000, 10000, UINT32_MAX },
	{ 40, 44, 60, 100, 200, 400, 600, 800, 1500, UINT32_MAX },
};
static const uint32_t other_limits[MEASURE_COUNT][INTERVALS] = {
	{ 20, 40, 80, 130, 256, 1000, 10000, 100000, 1000000, UINT32_MAX },
	{ 3, 4, 10, 20, 50, 100, 500, 1000, 10000, UINT32_MAX },
	{ 20, 24, 40, 100, 200, 400, 600, 800, 1500, UINT32_MAX },
};

struct distribution {
	uint64_t min, max;
	uint64_t counts[INTERVALS];
};

struct statistics {
	const uint32_t (*limits)[INTERVALS];
	uint64_t records;
	struct distribution measures[MEASURE_COUNT];
};

static void count_value(struct distribution *distribution, const uint32_t *limits, uint64_t value,
			bool first)
{
	int i = 0;

	while (i < INTERVALS - 1 && value > limits[i]) {
		i++;
	}
	distribution->counts[i]++;
	if (first || value < distribution->min) {
		distribution->min = value;
	}
	if (first || value > distribution->max) {
		distribution->max = value;
	}
}

static void count_record(struct statistics *statistics, uint64_t bytes, uint64_t packets)
{
	const uint64_t values[MEASURE_COUNT] = { bytes, packets, packets ? bytes / packets : 0 };

	for (int m = 0; m < MEASURE_COUNT; m++) {
		count_value(&statistics->measures[m], statistics->limits[m], values[m],
			    statistics->records == 0);
	}
	statistics->records++;
}

/*
 * The value below which target records lie, if they are even in each interval. Few records make a
 * target of 0, which an empty first interval turns into "-nan", as SiLK has it.
 */
static double quartile(const struct distribution *distribution, const uint32_t *limits,
		       uint64_t target)
{
	uint64_t below = 0;

	for (int i = 0; i < INTERVALS; i++) {
		uint64_t count = distribution->counts[i];
		double lower = i > 0 ? limits[i - 1] : 0;

		if (below + count >= target) {
			return lower +
			       (limits[i] - lower) * (double)(target - below) / (double)count;
		}
		below += count;
	}
	return 0;
}

static void print_percent(struct text *text, double percent)
{
	text_cell_done(text, (size_t)snprintf(text_cell(text), TEXT_CELL_MAX, "%.6f", percent));
}

/*
 * The table changes its titles with the section, so each section has a text of its own on the same
 * descriptor; all are flushed in turn.
 */
static void print_measure(const struct text_style *style, int fd,
			  const struct statistics *statistics, int m, const char *part)
{
	const struct distribution *distribution = &statistics->measures[m];
	const uint32_t *limits = statistics->limits[m];
	uint64_t quarter = statistics->records / 4;
	double low = quartile(distribution, limits, quarter);
	double high = quartile(distribution, limits, 3 * quarter);
	struct text *text = text_new(fd, style);
	char heading[256];
	uint64_t sum = 0;
	struct err err;

	snprintf(heading, sizeof(heading),
		 "*%s min %llu; max %llu\n  quartiles LQ %.5f Med %.5f UQ %.5f UQ-LQ %.5f\n",
		 measure_names[m], (unsigned long long)distribution->min,
		 (unsigned long long)distribution->max, low,
		 quartile(distribution, limits, statistics->records / 2), high, high - low);
	text_raw(text, heading);
	text_add_column(text, "interval_max", 15, true);
	text_add_column(text, "count<=max", 10, true);
	text_add_column(text, part, 10, true);
	text_add_column(text, "cumul_%", 10, true);
	text_titles(text);
	for (int i = 0; i < INTERVALS; i++) {
		double all = (double)statistics->records;

		sum += distribution->counts[i];
		text_cell_u64(text, limits[i]);
		text_cell_u64(text, distribution->counts[i]);
		print_percent(text, 100.0 * (double)distribution->counts[i] / all);
		print_percent(text, 100.0 * (double)sum / all);
		text_row_done(text);
	}
	if (text_close(text, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

/* Rows of one table for all, as data. */
static void print_data_measure(struct text *text, const struct statistics *statistics, int m,
			       int protocol)
{
	const struct distribution *distribution = &statistics->measures[m];
	const uint32_t *limits = statistics->limits[m];
	double all = (double)statistics->records;
	uint64_t sum = 0;

	for (int i = 0; i < INTERVALS; i++) {
		sum += distribution->counts[i];
		if (protocol >= 0) {
			text_cell_u64(text, (uint64_t)protocol);
		} else {
			text_cell_string(text, "");
		}
		text_cell_string(text, measure_names[m]);
		text_cell_u64(text, statistics->records);
		text_cell_u64(text, distribution->min);
		text_cell_u64(text, distribution->max);
		for (unsigned quarter = 1; quarter <= 3; quarter++) {
			double value =
				quartile(distribution, limits, quarter * statistics->records / 4);

			text_cell_done(text, (size_t)snprintf(text_cell(text), TEXT_CELL_MAX,
							      "%.5f", value));
		}
		text_cell_u64(text, limits[i]);
		text_cell_u64(text, distribution->counts[i]);
		print_percent(text, 100.0 * (double)distribution->counts[i] / all);
		print_percent(text, 100.0 * (double)sum / all);
		text_row_done(text);
	}
}

static void print_data(const struct bins_start_opts *opts, const struct text_style *style,
		       const struct numset *wanted, const struct statistics *all)
{
	static const char *const columns[] = {
		"protocol", "measure", "records",      "min",        "max", "LQ",
		"Med",      "UQ",      "interval_max", "count<=max", "%",   "cumul_%",
	};
	struct text *text = text_new(tool_output(opts->env, opts->output), style);
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
		text_add_column(text, columns[i], 0, i != 1);
	}
	text_titles(text);
	for (int p = -1; p < PROTOCOLS; p++) {
		const struct statistics *statistics = &all[1 + p];

		if (p >= 0 && !numset_contains(wanted, (uint16_t)p)) {
			continue;
		}
		for (int m = 0; m < MEASURE_COUNT && statistics->records > 0; m++) {
			print_data_measure(text, statistics, m, p);
		}
	}
	if (text_close(text, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

static void print_section(const struct text_style *style, int fd,
			  const struct statistics *statistics, const char *heading,
			  const char *part)
{
	struct text *text = text_new(fd, style);
	struct err err;

	text_raw(text, heading);
	if (text_close(text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	for (int m = 0; m < MEASURE_COUNT && statistics->records > 0; m++) {
		print_measure(style, fd, statistics, m, part);
	}
}

/* all[0] is that of all protocols, all[1 + p] that of protocol p. */
static int read_all(const struct bins_start_opts *opts, const struct numset *wanted,
		    struct statistics *all, int argc, char **argv)
{
	const uint32_t columns =
		COLUMN_BIT(COLUMN_BYTES) | COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_PROTOCOL);
	struct source *source = source_new(opts->env, opts->source, argc, argv);
	struct batch *batch = batch_new();
	int status;

	source_set_site(source, tool_site(opts->env, opts->site, false));
	source_set_damage(source, SOURCE_DAMAGE_SKIPS);
	sampling_want(opts->sampling, batch);
	while (source_next(source, batch, columns)) {
		sampling_scale(opts->sampling, batch);
		for (uint32_t i = 0; i < batch->selected; i++) {
			uint32_t row = batch->selection[i];
			uint8_t protocol = batch->protocol[row];

			count_record(&all[0], batch->bytes[row], batch->packets[row]);
			if (numset_contains(wanted, protocol)) {
				count_record(&all[1 + protocol], batch->bytes[row],
					     batch->packets[row]);
			}
		}
	}
	status = source_close(source);
	batch_free(batch);
	return status;
}

/* What is told of all protocols would be told again, of the only one there is. */
static bool is_one_protocol(const struct numset *wanted, const struct statistics *all)
{
	for (unsigned p = 0; p < PROTOCOLS; p++) {
		if (numset_contains(wanted, (uint16_t)p) && all[1 + p].records > 0) {
			return all[1 + p].records == all[0].records;
		}
	}
	return false;
}

static void print_all(const struct bins_start_opts *opts, const struct text_style *style,
		      const struct numset *wanted, const struct statistics *all)
{
	int fd = tool_output(opts->env, opts->output);
	char heading[128];

	snprintf(heading, sizeof(heading), "FLOW STATISTICS--ALL PROTOCOLS:  %llu records\n",
		 (unsigned long long)all[0].records);
	if (!is_one_protocol(wanted, all)) {
		print_section(style, fd, &all[0], heading, "%_of_input");
	}
	for (unsigned p = 0; p < PROTOCOLS && all[0].records > 0; p++) {
		if (numset_contains(wanted, (uint16_t)p)) {
			snprintf(heading, sizeof(heading),
				 "\nFLOW STATISTICS--PROTOCOL %u:  %llu/%llu records\n", p,
				 (unsigned long long)all[1 + p].records,
				 (unsigned long long)all[0].records);
			print_section(style, fd, &all[1 + p], heading, "%_of_proto");
		}
	}
}

static int count_number(void *arg, uint64_t number)
{
	++*(unsigned *)arg;
	return 0;
}

/* As SiLK has it, repeats count, and there may be no more than there are protocols. */
static int parse_protocols(const char *text, struct numset *out, struct err *err)
{
	unsigned count = 0;
	int status = numset_parse(text, PROTOCOLS - 1, out, err);

	if (status == ST_OK) {
		status = numlist_each(text, 0, PROTOCOLS - 1, count_number, &count, err);
	}
	if (status == ST_OK && count > PROTOCOLS) {
		status = err_set(err, ST_EINVAL, "invalid protocol list '%s': too long", text);
	}
	return status;
}

int protostats_run(const struct bins_start_opts *opts, const char *protocols, int argc, char **argv)
{
	struct numset *wanted = g_new0(struct numset, 1);
	struct statistics *all = g_new0(struct statistics, 1 + PROTOCOLS);
	struct text_style style;
	struct err err;
	int status;

	if (protocols && g_str_has_suffix(protocols, "-")) {
		tool_usage("invalid protocol list '%s': a range needs an end", protocols);
	}
	if ((protocols && parse_protocols(protocols, wanted, &err) != ST_OK) ||
	    text_style_from_opts(opts->text, &style, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	source_check_copy(opts->source, opts->output->output_path);
	for (unsigned i = 0; i <= PROTOCOLS; i++) {
		all[i].limits = i == 0 || i == 1 + 6 ? tcp_limits : other_limits;
	}
	status = read_all(opts, wanted, all, argc, argv);
	if (style.form >= TEXT_CSV) {
		print_data(opts, &style, wanted, all);
	} else {
		print_all(opts, &style, wanted, all);
	}
	g_free(all);
	g_free(wanted);
	return status;
}
