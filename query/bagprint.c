/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/bagprint.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/decimal.h"

#define COUNTER_WIDTH   20
#define BIN_WIDTH       20
#define TWO_TO_64       0x1p64
#define WIDE_NODE_BYTES 24 /* in SiLK: an address and its counter */
#define KEY_TEXT_MAX    (TEXT_CELL_MAX + 1)

/* Go to the next key within the limits. */
static bool next_held(const struct bagprint *print, struct bag_cursor *cursor)
{
	while (bag_next(cursor)) {
		if (baglimits_hold(print->limits, cursor->key, cursor->counter)) {
			return true;
		}
	}
	return false;
}

/* --- walking --- */

/* What is done with a key and counter that are within the limits. */
typedef void (*entry_fn)(const struct bagprint *print, void *arg, struct ip key, uint64_t counter);

struct walk {
	const struct bagprint *print;
	entry_fn fn;
	void *arg;
};

/* All keys from first to last; the smallest counter does not matter then, as 0 is shown, too. */
static void walk_range(const struct walk *walk, const struct bag *bag, struct ip first,
		       struct ip last)
{
	const struct baglimits *limits = walk->print->limits;

	if (limits->min_key_given && ip_compare(first, limits->min_key) < 0) {
		first = limits->min_key;
	}
	if (limits->max_key_given && ip_compare(last, limits->max_key) > 0) {
		last = limits->max_key;
	}
	for (bool more = ip_compare(first, last) <= 0; more; first = ip_next(first)) {
		uint64_t counter = bag_get(bag, first);

		if (counter <= limits->max_counter) {
			walk->fn(walk->print, walk->arg, first, counter);
		}
		more = !ip_equal(first, last);
	}
}

static void walk_with_zeros(const struct walk *walk, const struct bag *bag)
{
	const struct baglimits *limits = walk->print->limits;

	if (!limits->mask) {
		walk_range(walk, bag, limits->min_key, limits->max_key);
		return;
	}
	for (size_t i = 0; i < ipset_ranges(limits->mask); i++) {
		struct cidr range = ipset_range(limits->mask, i);

		if (!bag_is_wide(bag)) {
			struct ip lowest = ip_from_v4(0);
			struct ip highest = ip_from_v4(UINT32_MAX);

			range.first = ip_compare(range.first, lowest) < 0 ? lowest : range.first;
			range.last = ip_compare(range.last, highest) > 0 ? highest : range.last;
		}
		walk_range(walk, bag, range.first, range.last);
	}
}

/* All that is shown in rows: keys without a counter, too, when they are asked for. */
static void walk_shown(const struct walk *walk, struct bag *bag)
{
	struct bag_cursor cursor;

	if (walk->print->limits->zero_counts) {
		walk_with_zeros(walk, bag);
		return;
	}
	bag_first(bag, &cursor);
	while (next_held(walk->print, &cursor)) {
		walk->fn(walk->print, walk->arg, cursor.key, cursor.counter);
	}
}

/* --- keys and counters --- */

static void print_row(const struct bagprint *print, void *arg, struct ip key, uint64_t counter)
{
	if (!bagkey_is_shown(print->key, key)) {
		return;
	}
	text_cell_done(print->text, bagkey_print(print->key, text_cell(print->text), key));
	text_cell_u64(print->text, counter);
	text_row_done(print->text);
}

struct entry {
	struct ip key;
	uint64_t counter;
};

static void keep_entry(const struct bagprint *print, void *arg, struct ip key, uint64_t counter)
{
	struct entry entry = { key, counter };

	g_array_append_val((GArray *)arg, entry);
}

struct sorting {
	bool counters_down;
	bool keys_down;
};

static int compare_entries(const void *a, const void *b, void *arg)
{
	const struct sorting *sorting = arg;
	const struct entry *one = a;
	const struct entry *two = b;

	if (one->counter != two->counter) {
		return (one->counter < two->counter) != sorting->counters_down ? -1 : 1;
	}
	return sorting->keys_down ? ip_compare(two->key, one->key) : ip_compare(one->key, two->key);
}

/* Of equal counters, addresses ascend and numbers descend, as SiLK's do. */
static void list_sorted(const struct bagprint *print, struct bag *bag, enum bagprint_order order)
{
	enum bagtype_kind kind = bagtype_kind(bag_key_type(bag));
	struct sorting sorting = {
		.counters_down = order == BAGPRINT_DECREASING,
		.keys_down = kind != BAGKIND_IP && kind != BAGKIND_CUSTOM,
	};
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	const struct walk walk = { print, keep_entry, entries };

	walk_shown(&walk, bag);
	g_array_sort_with_data(entries, compare_entries, &sorting);
	for (size_t i = 0; i < entries->len; i++) {
		const struct entry *entry = &g_array_index(entries, struct entry, i);

		print_row(print, NULL, entry->key, entry->counter);
	}
	g_array_free(entries, TRUE);
}

/* As in SiLK only CSV has titles. */
static void print_titles(const struct bagprint *print)
{
	if (text_form_is_data(print->style->form)) {
		text_titles(print->text);
	}
}

void bagprint_list(const struct bagprint *print, struct bag *bag, enum bagprint_order order)
{
	const struct walk walk = { print, print_row, NULL };

	text_add_column(print->text, "key", bagkey_width(print->key), bagkey_is_number(print->key));
	text_add_column(print->text, "counter", COUNTER_WIDTH, true);
	print_titles(print);
	if (order == BAGPRINT_BY_KEY) {
		walk_shown(&walk, bag);
	} else {
		list_sorted(print, bag, order);
	}
}

/* --- bins --- */

/* Decimal bins: counters below this have one each, then each hundredth of a decade has one. */
#define DECIMAL_SINGLES 100
#define DECIMAL_STEPS   100.0

/* The number of a bin; larger counters, larger numbers. */
static uint64_t bin_of(uint64_t counter, enum bagprint_bins scale)
{
	switch (scale) {
	case BAGPRINT_LINEAR:
		return MIN(counter, UINT32_MAX);
	case BAGPRINT_BINARY:
		return (uint64_t)(63 - __builtin_clzll(counter));
	case BAGPRINT_DECIMAL:
		break;
	}
	return counter < DECIMAL_SINGLES ? counter
					 : (uint64_t)floor(log10((double)counter) * DECIMAL_STEPS);
}

/* The middle of the whole numbers in a decimal bin. */
static uint64_t decimal_middle(uint64_t bin)
{
	double first = ceil(pow(10.0, (double)bin / DECIMAL_STEPS));
	double last = floor(pow(10.0, (double)(bin + 1) / DECIMAL_STEPS));

	return bin < DECIMAL_SINGLES ? bin : (uint64_t)((first + last) / 2.0);
}

static size_t bin_text(char *out, uint64_t bin, enum bagprint_bins scale)
{
	if (scale == BAGPRINT_BINARY) {
		return (size_t)snprintf(out, TEXT_CELL_MAX, "2^%02u to 2^%02u-1", (unsigned)bin,
					(unsigned)bin + 1);
	}
	return decimal_print(out, scale == BAGPRINT_DECIMAL ? decimal_middle(bin) : bin);
}

/* Bins in a table by their number, until they are shown in order. */
void bagprint_bins(const struct bagprint *print, struct bag *bag, enum bagprint_bins scale)
{
	struct bag *bins = bag_new(BAGTYPE_CUSTOM, BAGTYPE_CUSTOM);
	struct bag_cursor cursor;

	bag_first(bag, &cursor);
	while (next_held(print, &cursor)) {
		bag_add(bins, ip_from_v4((uint32_t)bin_of(cursor.counter, scale)), 1);
	}
	text_add_column(print->text, "bin", BIN_WIDTH, scale != BAGPRINT_BINARY);
	text_add_column(print->text, "keys", COUNTER_WIDTH, true);
	print_titles(print);
	bag_first(bins, &cursor);
	while (bag_next(&cursor)) {
		text_cell_done(print->text,
			       bin_text(text_cell(print->text), ip_to_v4(cursor.key), scale));
		text_cell_u64(print->text, cursor.counter);
		text_row_done(print->text);
	}
	bag_free(bins);
}

/* --- networks --- */

static void add_to_networks(const struct bagprint *print, void *arg, struct ip key,
			    uint64_t counter)
{
	netstructure_add(arg, key, key, counter);
}

void bagprint_networks(const struct bagprint *print, struct bag *bag,
		       const struct netstructure *net)
{
	struct netstructure_table *table =
		netstructure_start(net, print->text, print->style, print->key->ip_format, true);
	const struct walk walk = { print, add_to_networks, table };

	walk_shown(&walk, bag);
	netstructure_finish(table);
}

/* --- statistics --- */

struct moments {
	uint64_t count;
	double sum;
	struct ip first;
	struct ip last;
	uint64_t least;
	uint64_t most;
	double squares; /* of the differences from the mean */
	double cubes;
};

static void first_pass(const struct bagprint *print, struct bag *bag, struct moments *moments)
{
	struct bag_cursor cursor;

	*moments = (struct moments){ .least = UINT64_MAX };
	bag_first(bag, &cursor);
	while (next_held(print, &cursor)) {
		if (!moments->count++) {
			moments->first = cursor.key;
		}
		moments->last = cursor.key;
		moments->sum += (double)cursor.counter;
		moments->least = MIN(moments->least, cursor.counter);
		moments->most = MAX(moments->most, cursor.counter);
	}
}

static void second_pass(const struct bagprint *print, struct bag *bag, struct moments *moments)
{
	double mean = moments->sum / (double)moments->count;
	struct bag_cursor cursor;

	bag_first(bag, &cursor);
	while (next_held(print, &cursor)) {
		double difference = (double)cursor.counter - mean;

		moments->squares += difference * difference;
		moments->cubes += difference * difference * difference;
	}
}

/* A row of what is measured and the value, which is a number or not. In text it is a line. */
static void print_measure(struct text *text, const char *name, const char *value, bool number)
{
	if (text_form_is_data(text_form(text))) {
		text_cell_string(text, name);
		text_cell_is_number(text, number);
		text_cell_string(text, value);
		text_row_done(text);
	} else {
		char label[32];

		snprintf(label, sizeof(label), "%18s:  ", name);
		text_raw(text, label);
		text_raw(text, value);
		text_raw(text, "\n");
	}
}

static void print_real(struct text *text, const char *name, double value)
{
	const bool is_data = text_form_is_data(text_form(text));
	char cell[32] = "";

	if (!isnan(value)) {
		snprintf(cell, sizeof(cell), is_data ? "%.17g" : "%.4g", value);
	} else if (!is_data) {
		snprintf(cell, sizeof(cell), "-nan");
	}
	print_measure(text, name, cell, true);
}

static void print_number(struct text *text, const char *name, uint64_t value)
{
	char cell[32];

	snprintf(cell, sizeof(cell), "%" G_GUINT64_FORMAT, value);
	print_measure(text, name, cell, true);
}

static void print_key(const struct bagprint *print, const char *name, struct ip ip)
{
	char *key = g_malloc(KEY_TEXT_MAX);

	key[bagkey_print(print->key, key, ip)] = '\0';
	print_measure(print->text, name, key, bagkey_is_number(print->key));
	g_free(key);
}

/*
 * SiLK's kurtosis is the square of the second moment over that of the variance, which tells only
 * how many keys there are; it is shown the same, so that outputs can be compared.
 */
static void print_moments(const struct bagprint *print, const struct moments *moments)
{
	double count = (double)moments->count;
	double variance = moments->squares / (count - 1.0);
	double deviation = sqrt(variance);

	print_real(print->text, "mean", moments->sum / count);
	print_real(print->text, "variance", variance);
	print_real(print->text, "standard deviation", deviation);
	print_real(print->text, "skew",
		   moments->cubes / (count * deviation * deviation * deviation));
	print_real(print->text, "kurtosis",
		   moments->squares * moments->squares / (count * variance * variance));
}

/* Of a bag without keys in it that count. */
static void print_empty(const struct bagprint *print, struct bag *bag)
{
	if (text_form_is_data(print->style->form)) {
		print_number(print->text, "number of keys", 0);
	} else {
		text_raw(print->text, bag_count(bag) ? "  No entries in bag within limits.\n"
						     : "  No entries in bag.\n");
	}
}

/* What SiLK tells of the tree in which it holds a wide bag; of others it says this. */
static void print_nodes(const struct bagprint *print, const struct bag *bag)
{
	uint64_t nodes = bag_is_wide(bag) ? bag_count(bag) : 0;
	char *line = g_strdup_printf("   nodes allocated:  %" G_GUINT64_FORMAT
				     " (%" G_GUINT64_FORMAT " bytes)\n   counter density:  %s%%\n",
				     nodes, nodes * WIDE_NODE_BYTES,
				     bag_is_wide(bag) ? "100.00" : "inf");

	text_raw(print->text, line);
	g_free(line);
}

void bagprint_statistics(const struct bagprint *print, struct bag *bag)
{
	const bool is_data = text_form_is_data(print->style->form);
	struct moments moments;

	if (is_data) {
		text_add_column(print->text, "measure", 0, false);
		text_add_column(print->text, "value", 0, true);
		print_titles(print);
	} else {
		text_raw(print->text, "\nStatistics\n");
	}
	first_pass(print, bag, &moments);
	if (!moments.count) {
		print_empty(print, bag);
		return;
	}
	second_pass(print, bag, &moments);
	print_number(print->text, "number of keys", moments.count);
	/* a sum that is too large for 64 bits is shown as SiLK shows it */
	print_number(print->text, "sum of counters",
		     moments.sum < TWO_TO_64 ? (uint64_t)moments.sum : 0);
	print_key(print, "minimum key", moments.first);
	print_key(print, "maximum key", moments.last);
	print_number(print->text, "minimum counter", moments.least);
	print_number(print->text, "maximum counter", moments.most);
	print_moments(print, &moments);
	if (!is_data) {
		print_nodes(print, bag);
	}
}
