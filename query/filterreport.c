/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/filterreport.h"

#include <inttypes.h>

#include "common/text.h"

static void print_row(FILE *out, const char *title, const struct scan_counts *counts,
		      const char *files)
{
	fprintf(out, "%5s|%18" PRIu64 "|%18" PRIu64 "|%20" PRIu64 "|%10s|\n", title,
		counts->records, counts->packets, counts->bytes, files);
}

void filter_print_statistics(FILE *out, const struct filter *filter,
			     const struct filter_stats *stats)
{
	const struct scan_counts *total = &stats->records.total;
	const struct scan_counts *pass = &stats->records.pass;
	const struct scan_counts fail = {
		.records = total->records - pass->records,
		.packets = total->packets - pass->packets,
		.bytes = total->bytes - pass->bytes,
	};
	char files[32];

	if (!filter->count_volumes) {
		fprintf(out,
			"Files %5" PRIu64 ".  Read %10" PRIu64 ".  Pass %10" PRIu64
			". Fail  %10" PRIu64 ".\n",
			stats->files, total->records, pass->records, fail.records);
		return;
	}
	snprintf(files, sizeof(files), "%" PRIu64, stats->files);
	fprintf(out, "     |%18s|%18s|%20s|%10s|\n", "Recs", "Packets", "Bytes", "Files");
	print_row(out, "Total", total, files);
	print_row(out, "Pass", pass, "");
	print_row(out, "Fail", &fail, "");
}

int filter_print_data(FILE *out, int format, const struct filter *filter,
		      const struct filter_stats *stats, struct err *err)
{
	const struct scan_counts *total = &stats->records.total;
	const struct scan_counts *pass = &stats->records.pass;
	const struct text_count cells[] = {
		{ "files", stats->files },
		{ "read", total->records },
		{ "pass", pass->records },
		{ "fail", total->records - pass->records },
		/* with volumes: */
		{ "read-packets", total->packets },
		{ "pass-packets", pass->packets },
		{ "fail-packets", total->packets - pass->packets },
		{ "read-bytes", total->bytes },
		{ "pass-bytes", pass->bytes },
		{ "fail-bytes", total->bytes - pass->bytes },
	};
	size_t count = filter->count_volumes ? sizeof(cells) / sizeof(cells[0]) : 4;

	fflush(out);
	return text_data_counts(fileno(out), format, cells, count, err);
}

void filter_explain(FILE *out, const struct filter *filter, const struct filter_stats *stats)
{
	const struct scanlist_report *list = scanlist_report(filter->list);
	const struct scan_report *report = &stats->report;

	for (size_t i = 0; i < predicates_count(filter->tests); i++) {
		fprintf(out, "test %zu: %s (%s)\n", i + 1, predicates_name(filter->tests, i),
			predicates_cost(filter->tests, i));
	}
	fprintf(out, "threads: %u\n", stats->threads);
	fprintf(out,
		"files: %" PRIu64 " in all, %" PRIu64 " answered by the catalog, %" PRIu64
		" by their footers, %" PRIu64 " read\n",
		list->considered, list->answered, report->files_answered,
		report->files - report->files_answered);
	fprintf(out,
		"blocks: %" PRIu64 " in these, %" PRIu64 " answered by their summaries, %" PRIu64
		" by address filters, %" PRIu64 " by dictionaries, %" PRIu64 " read\n",
		report->blocks, report->blocks_by_summary, report->blocks_by_filter,
		report->blocks_by_dictionary, report->blocks_read);
	fprintf(out,
		"bytes: %" PRIu64 " read of columns and filters, %" PRIu64
		" of the catalog; block files opened have %" PRIu64 "\n",
		report->bytes_read, list->bytes_read, report->bytes_on_disk);
}
