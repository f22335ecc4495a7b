/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tuccrew.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

struct seen {
	uint64_t records;
	uint64_t bad;
	uint64_t last_line; /* that was bad */
	uint64_t wrong;
	uint64_t stop_at; /* bad lines */
};

/* Line n is bad if n % 1000 is 7, empty if it is 9, else its source port is n % 65536. */
static void next_good(const struct seen *seen, uint64_t *line)
{
	for (++*line; *line % 1000 == 7 || *line % 1000 == 9; ++*line) {
	}
}

struct order {
	struct seen seen;
	uint64_t line; /* of the record before */
};

static const struct rowformat *format(void)
{
	return rowformat_find(FORMAT_RWIPV6ROUTING,
			      rowformat_default_version(FORMAT_RWIPV6ROUTING));
}

static void take_rows(void *arg, const uint8_t *rows, size_t count)
{
	struct order *order = arg;
	struct batch *batch = batch_new();

	for (size_t from = 0; from < count; from += BATCH_ROWS) {
		const struct rowread in = {
			.bytes = rows + from * format()->length,
			.stride = format()->length,
			.rows = (uint32_t)MIN(count - from, BATCH_ROWS),
		};

		batch_clear(batch, COLUMNS_ALL);
		rowformat_decode(format(), &in, COLUMNS_ALL, batch);
		for (uint32_t i = 0; i < in.rows; i++) {
			next_good(&order->seen, &order->line);
			order->seen.wrong += batch->sport[i] != order->line % 65536;
			order->seen.records++;
		}
	}
	batch_free(batch);
}

static bool take_bad(void *arg, const struct tuccrew_bad *bad)
{
	struct order *order = arg;

	order->seen.wrong += bad->number % 1000 != 7 || bad->number <= order->line ||
			     bad->number <= order->seen.last_line || bad->number > order->line + 3;
	order->seen.wrong += bad->len != 7 || memcmp(bad->bytes, "5|wrong", 7) != 0;
	order->seen.last_line = bad->number;
	return ++order->seen.bad < order->seen.stop_at;
}

static GString *make_lines(uint64_t from, uint64_t end)
{
	GString *text = g_string_new(NULL);

	for (uint64_t n = from; n < end; n++) {
		if (n % 1000 == 7) {
			g_string_append(text, "5|wrong\n");
		} else if (n % 1000 == 9) {
			g_string_append(text, "  \n");
		} else {
			g_string_append_printf(text, "%u|10.0.0.1|\n", (unsigned)(n % 65536));
		}
	}
	return text;
}

static struct site *load_site(void)
{
	struct site *site = NULL;

	CU_ASSERT_EQUAL_FATAL(site_load(&site, unit_path("conf/silk.conf"), NULL), ST_OK);
	return site;
}

/* Two lines were read before. */
static void check_lines(uint64_t lines, unsigned threads, uint64_t stop_at, bool cut_newline)
{
	struct site *site = load_site();
	struct tuc *tuc = tuc_new(site, '|');
	struct order order = { .seen.stop_at = stop_at, .line = 2 };
	const struct tuccrew crew = {
		.tuc = tuc,
		.format = format(),
		.threads = threads,
		.arg = &order,
		.rows = take_rows,
		.bad = take_bad,
	};
	GString *text = make_lines(3, 3 + lines);
	struct bytesource *src;
	bool stops = lines >= 1000 * stop_at;
	size_t len = text->len - (cut_newline && text->len > 0);

	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_STIME, false, "2026/01/01", NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_set_columns(tuc, "sPort,sIP", NULL), ST_OK);
	src = bytesource_memory((const uint8_t *)text->str, len, "lines");
	CU_ASSERT_EQUAL(tuccrew_run(&crew, src, 2, NULL), stops ? ST_OK : ST_END);
	UNIT_ASSERT_U64(order.seen.wrong, 0);
	if (stops) {
		UNIT_ASSERT_U64(order.seen.last_line, (stop_at - 1) * 1000 + 7);
	} else {
		uint64_t bad = (lines + 2 + 993) / 1000;

		UNIT_ASSERT_U64(order.seen.bad, bad);
		UNIT_ASSERT_U64(order.seen.records, lines - bad - (lines + 2 + 991) / 1000);
	}
	bytesource_close(src);
	g_string_free(text, TRUE);
	tuc_free(tuc);
	site_free(site);
}

static void test_lines(void)
{
	static const uint64_t counts[] = { 0, 1, 6, 2000, 300000 };

	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		for (unsigned threads = 1; threads <= 3; threads++) {
			unit_at("%u lines, %u threads", (unsigned)counts[i], threads);
			check_lines(counts[i], threads, UINT64_MAX / 1000, threads == 2);
			check_lines(counts[i], threads, 100, false);
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "records and bad lines in order", test_lines },
		{ NULL, NULL },
	};

	return unit_run("tuccrew", cases);
}
