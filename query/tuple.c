/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines that stand for few tuples are unfolded into a sorted array of keys; the others are kept as
 * they are and compared one by one, so that a wide block costs time and not memory.
 */
#include "query/tuple.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cidr.h"
#include "common/numlist.h"
#include "query/tucfield.h"
#include "storage/bloom.h"

#define UNFOLDED_MAX 4096 /* keys of one line */
#define FIELDS_MAX   5
#define JUDGED_MAX   1024 /* with more, asking each costs more than it saves */

static int check_fields(const struct opt *opt, const char *text, void *dest, struct err *err);
static int check_delimiter(const struct opt *opt, const char *text, void *dest, struct err *err);

static const char *const directions[] = { "forward", "reverse", "both", NULL };
enum { FORWARD, REVERSE, BOTH };

const struct opt tuple_opt_table[] = {
	OPT_STR(struct tuple_opts, path, "tuple-file", 0, "FILE",
		"pass flows whose addresses, ports and protocol are in this file",
		.flags = OPT_ONCE),
	OPT_CALL(struct tuple_opts, fields, "tuple-fields", 0, "LIST", check_fields, OPT_ONCE,
		 "fields of the tuple file: sIP, dIP, sPort, dPort, protocol"),
	OPT_CHOICE(struct tuple_opts, direction, "tuple-direction", 0, "NAME", directions,
		   "compare with the flow as it is, with its ends exchanged, or both",
		   .default_text = "forward"),
	OPT_CALL(struct tuple_opts, delimiter, "tuple-delimiter", 0, "CHAR", check_delimiter, 0,
		 "character between the fields of the tuple file", .default_text = "|"),
	OPT_END,
};

/* Fields that the file does not have are zero in every key. */
struct tuple_key {
	struct ip sip;
	struct ip dip;
	uint16_t sport;
	uint16_t dport;
	uint8_t protocol;
};

/* One line; addresses and numbers without a field hold zero only. */
struct tuple_line {
	struct cidr sip;
	struct cidr dip;
	struct numset sport;
	struct numset dport;
	struct numset protocol;
};

struct tuples {
	enum tuc_field fields[FIELDS_MAX];
	unsigned field_count;
	bool has[TUC_FIELD_COUNT];
	char delimiter;
	int direction;
	GArray *keys;     /* struct tuple_key, sorted */
	GPtrArray *lines; /* struct tuple_line * */
};

static int compare_numbers(unsigned a, unsigned b)
{
	return a < b ? -1 : a > b;
}

static int compare_keys(const void *left, const void *right)
{
	const struct tuple_key *a = left;
	const struct tuple_key *b = right;
	int order = ip_compare(a->sip, b->sip);

	order = order ? order : ip_compare(a->dip, b->dip);
	order = order ? order : compare_numbers(a->sport, b->sport);
	order = order ? order : compare_numbers(a->dport, b->dport);
	return order ? order : compare_numbers(a->protocol, b->protocol);
}

static int add_field(struct tuples *tuples, const char *name, struct err *err)
{
	struct tuc_named named = { .field = TUC_IGNORE };
	uint64_t number;

	if (tuc_find_name(name, strlen(name), &named) != ST_OK &&
	    number_parse(name, 1, FIELDS_MAX, &number, NULL) == ST_OK) {
		tuc_find_number(number, &named);
	}
	if (named.field > TUC_PROTOCOL || tuples->has[named.field]) {
		return err_set(err, ST_EINVAL, "Invalid field of tuples '%s'", name);
	}
	tuples->has[named.field] = true;
	tuples->fields[tuples->field_count++] = named.field;
	return ST_OK;
}

/* Names in the order of the columns; separators may be given for ranges of numbers, "1-5". */
static int add_fields(struct tuples *tuples, const char *text, const char *separator,
		      struct err *err)
{
	char **parts = g_strsplit(text, separator, -1);
	int st = ST_OK;

	for (char **part = parts; st == ST_OK && *part; part++) {
		struct number_range range;

		g_strstrip(*part);
		if (!**part) {
			continue;
		}
		if (range_parse(*part, 1, FIELDS_MAX, &range, NULL) != ST_OK) {
			st = add_field(tuples, *part, err);
			continue;
		}
		for (uint64_t n = range.first; st == ST_OK && n <= range.last; n++) {
			char digit[] = { (char)('0' + n), '\0' };

			st = add_field(tuples, digit, err);
		}
	}
	g_strfreev(parts);
	if (st == ST_OK && tuples->field_count == 0) {
		st = err_set(err, ST_EINVAL, "No field of tuples");
	}
	return st;
}

/* The switches are looked at with or without a file. */
static int check_fields(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct tuples tuples = { .field_count = 0 };

	*(const char **)dest = text;
	return add_fields(&tuples, text, ",", err);
}

static int check_delimiter(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	*(const char **)dest = text;
	return *text ? ST_OK : err_set(err, ST_EINVAL, "the delimiter is empty");
}

static int parse_value(struct tuple_line *line, enum tuc_field field, const char *text,
		       struct err *err)
{
	switch (field) {
	case TUC_SIP:
		return cidr_parse(text, &line->sip, err);
	case TUC_DIP:
		return cidr_parse(text, &line->dip, err);
	case TUC_SPORT:
		return numset_parse(text, UINT16_MAX, &line->sport, err);
	case TUC_DPORT:
		return numset_parse(text, UINT16_MAX, &line->dport, err);
	default:
		return numset_parse(text, UINT8_MAX, &line->protocol, err);
	}
}

static uint64_t count_block(const struct cidr *block)
{
	uint64_t width = block->last.lo - block->first.lo;

	return block->first.hi == block->last.hi && width < UNFOLDED_MAX ? width + 1
									 : UNFOLDED_MAX + 1;
}

static uint64_t count_numbers(const struct numset *set)
{
	uint64_t count = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(set->bits); i++) {
		count += (uint64_t)__builtin_popcountll(set->bits[i]);
	}
	return count;
}

/* The next number of the set from *at on, which moves past it; false: no more. */
static bool next_number(const struct numset *set, uint32_t *at, uint16_t *out)
{
	while (*at <= UINT16_MAX) {
		uint64_t word = set->bits[*at >> 6] >> (*at & 63);

		if (word) {
			*at += (uint32_t)__builtin_ctzll(word);
			*out = (uint16_t)(*at)++;
			return true;
		}
		*at = (*at | 63) + 1;
	}
	return false;
}

static void unfold_numbers(struct tuples *tuples, const struct tuple_line *line,
			   struct tuple_key *key)
{
	for (uint32_t s = 0; next_number(&line->sport, &s, &key->sport);) {
		for (uint32_t d = 0; next_number(&line->dport, &d, &key->dport);) {
			uint16_t protocol;

			for (uint32_t p = 0; next_number(&line->protocol, &p, &protocol);) {
				key->protocol = (uint8_t)protocol;
				g_array_append_vals(tuples->keys, key, 1);
			}
		}
	}
}

static void unfold(struct tuples *tuples, const struct tuple_line *line)
{
	struct tuple_key key;

	memset(&key, 0, sizeof(key));
	key.sip = line->sip.first;
	for (uint64_t s = count_block(&line->sip); s > 0; s--, key.sip = ip_next(key.sip)) {
		key.dip = line->dip.first;
		for (uint64_t d = count_block(&line->dip); d > 0; d--, key.dip = ip_next(key.dip)) {
			unfold_numbers(tuples, line, &key);
		}
	}
}

static void add_line(struct tuples *tuples, const struct tuple_line *line)
{
	const uint64_t counts[] = {
		count_block(&line->sip),        count_block(&line->dip),
		count_numbers(&line->sport),    count_numbers(&line->dport),
		count_numbers(&line->protocol),
	};
	uint64_t all = 1;

	/* each count is below 2^17, so stopping at the bound keeps the product small */
	for (size_t i = 0; i < G_N_ELEMENTS(counts) && all <= UNFOLDED_MAX; i++) {
		all *= counts[i];
	}
	if (all <= UNFOLDED_MAX) {
		unfold(tuples, line);
	} else {
		struct tuple_line *copy = g_new(struct tuple_line, 1);

		*copy = *line;
		g_ptr_array_add(tuples->lines, copy);
	}
}

/* The fields of a line, g_strfreev(). A delimiter may end it. */
static char **split_line(const struct tuples *tuples, const char *text, guint *count)
{
	char separator[] = { tuples->delimiter, '\0' };
	char **parts = g_strsplit(text, separator, -1);

	*count = g_strv_length(parts);
	for (guint i = 0; i < *count; i++) {
		g_strstrip(parts[i]);
	}
	if (*count == tuples->field_count + 1 && !*parts[*count - 1]) {
		(*count)--;
	}
	return parts;
}

static int wrong_count(const struct tuples *tuples, guint count, struct err *err)
{
	return err_set(err, ST_EINVAL, "%u fields instead of %u", count, tuples->field_count);
}

static int parse_line(struct tuples *tuples, const char *text, struct err *err)
{
	guint count;
	char **parts = split_line(tuples, text, &count);
	struct tuple_line line;
	int st = ST_OK;

	memset(&line, 0, sizeof(line));
	line.sport.bits[0] = line.dport.bits[0] = line.protocol.bits[0] = 1;
	if (count != tuples->field_count) {
		st = wrong_count(tuples, count, err);
	}
	for (guint i = 0; st == ST_OK && i < count; i++) {
		st = parse_value(&line, tuples->fields[i], parts[i], err);
	}
	g_strfreev(parts);
	if (st == ST_OK) {
		add_line(tuples, &line);
	}
	return st;
}

/* Has the line the name of a field where a value should be? ST_OK, ST_END (no), or ST_EINVAL. */
static int check_title(const struct tuples *tuples, const char *text, struct err *err)
{
	guint count;
	char **parts = split_line(tuples, text, &count);
	struct tuc_named named;
	int st = ST_END;

	for (char **part = parts; st == ST_END && *part; part++) {
		st = tuc_find_name(*part, strlen(*part), &named) == ST_OK ? ST_OK : ST_END;
	}
	g_strfreev(parts);
	return st == ST_OK && count > tuples->field_count ? wrong_count(tuples, count, err) : st;
}

/* text: a line without its comment. */
static int take_line(struct tuples *tuples, const char *text, bool first, struct err *err)
{
	char separator[] = { tuples->delimiter, '\0' };
	int st = ST_END;

	if (first && tuples->field_count == 0) {
		return add_fields(tuples, text, separator, err);
	}
	if (first) {
		st = check_title(tuples, text, err);
	}
	return st == ST_END ? parse_line(tuples, text, err) : st;
}

static int read_lines(struct tuples *tuples, FILE *file, struct err *err)
{
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	bool first = true;
	int st = ST_OK;

	while (st == ST_OK && getline(&line, &size, file) >= 0) {
		number++;
		line[strcspn(line, "#\r\n")] = '\0';
		if (!*g_strstrip(line)) {
			continue;
		}
		st = take_line(tuples, line, first, err);
		if (st != ST_OK) {
			err_prefix(err, "line %u", number);
		}
		first = false;
	}
	free(line);
	if (st == ST_OK && ferror(file)) {
		st = err_errno(err, ST_EIO, errno, "cannot read");
	}
	return st;
}

/* By name, or standard input. */
static FILE *open_file(const char *path)
{
	const bool is_stdin = strcmp(path, "-") == 0 || strcmp(path, "stdin") == 0;

	return is_stdin ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "re");
}

int tuples_read(struct tuples **out, const struct tuple_opts *opts, struct err *err)
{
	struct tuples *tuples = g_new0(struct tuples, 1);
	FILE *file = NULL;
	int st = ST_OK;

	tuples->keys = g_array_new(FALSE, FALSE, sizeof(struct tuple_key));
	tuples->lines = g_ptr_array_new_with_free_func(g_free);
	tuples->delimiter = opts->delimiter ? *opts->delimiter : '|';
	tuples->direction = opts->direction;
	file = open_file(opts->path);
	if (!file) {
		st = err_errno(err, ST_EIO, errno, "cannot open");
		goto done;
	}
	if (opts->fields) {
		st = add_fields(tuples, opts->fields, ",", err);
	}
	if (st == ST_OK) {
		st = read_lines(tuples, file, err);
	}
	fclose(file);
	if (st == ST_OK && tuples->keys->len + tuples->lines->len == 0) {
		st = err_set(err, ST_EINVAL, "no tuples");
	}
	g_array_sort(tuples->keys, compare_keys);
done:
	if (st != ST_OK) {
		tuples_free(tuples);
		return err_prefix(err, "Invalid tuple-file '%s'", opts->path);
	}
	*out = tuples;
	return ST_OK;
}

void tuples_free(struct tuples *tuples)
{
	if (tuples) {
		g_array_free(tuples->keys, TRUE);
		g_ptr_array_free(tuples->lines, TRUE);
		g_free(tuples);
	}
}

uint32_t tuples_columns(const struct tuples *tuples)
{
	uint32_t columns = 0;

	if (tuples->has[TUC_SIP] || tuples->has[TUC_DIP]) {
		columns |= COLUMN_BIT(COLUMN_SIP) | COLUMN_BIT(COLUMN_DIP);
	}
	if (tuples->has[TUC_SPORT] || tuples->has[TUC_DPORT]) {
		columns |= COLUMN_BIT(COLUMN_SPORT) | COLUMN_BIT(COLUMN_DPORT);
	}
	return tuples->has[TUC_PROTOCOL] ? columns | COLUMN_BIT(COLUMN_PROTOCOL) : columns;
}

static bool range_meets(const struct summary *summary, enum column column, const struct cidr *block)
{
	const struct summary_range *range = &summary->range[column];

	return !(summary->ranged & COLUMN_BIT(column)) ||
	       (ip_compare(range->min_ip, block->last) <= 0 &&
		ip_compare(range->max_ip, block->first) >= 0);
}

static bool range_has(const struct summary *summary, enum column column, uint64_t number)
{
	const struct summary_range *range = &summary->range[column];

	return !(summary->ranged & COLUMN_BIT(column)) ||
	       (range->min <= number && number <= range->max);
}

/* Of a block, which is of one address only when the filter is to be asked. */
static bool filter_may_hold(const struct summary *summary, const struct cidr *block)
{
	return !summary->filter || !ip_equal(block->first, block->last) ||
	       bloom_may_hold(summary->filter, summary->filter_size, bloom_hash(block->first));
}

static bool blocks_may_be_in(const struct tuples *tuples, const struct cidr *sip,
			     const struct cidr *dip, const struct summary *summary, bool reverse)
{
	enum column source = reverse ? COLUMN_DIP : COLUMN_SIP;
	enum column destination = reverse ? COLUMN_SIP : COLUMN_DIP;

	return (!tuples->has[TUC_SIP] ||
		(range_meets(summary, source, sip) && filter_may_hold(summary, sip))) &&
	       (!tuples->has[TUC_DIP] ||
		(range_meets(summary, destination, dip) && filter_may_hold(summary, dip)));
}

static bool key_may_be_in(const struct tuples *tuples, const struct tuple_key *key,
			  const struct summary *summary, bool reverse)
{
	const struct cidr sip = { .first = key->sip, .last = key->sip };
	const struct cidr dip = { .first = key->dip, .last = key->dip };
	enum column source = reverse ? COLUMN_DPORT : COLUMN_SPORT;
	enum column destination = reverse ? COLUMN_SPORT : COLUMN_DPORT;

	return (!tuples->has[TUC_SPORT] || range_has(summary, source, key->sport)) &&
	       (!tuples->has[TUC_DPORT] || range_has(summary, destination, key->dport)) &&
	       (!tuples->has[TUC_PROTOCOL] || range_has(summary, COLUMN_PROTOCOL, key->protocol)) &&
	       blocks_may_be_in(tuples, &sip, &dip, summary, reverse);
}

static bool any_may_be_in(const struct tuples *tuples, const struct summary *summary, bool reverse)
{
	for (guint i = 0; i < tuples->keys->len; i++) {
		if (key_may_be_in(tuples, &g_array_index(tuples->keys, struct tuple_key, i),
				  summary, reverse)) {
			return true;
		}
	}
	for (guint i = 0; i < tuples->lines->len; i++) {
		const struct tuple_line *line = g_ptr_array_index(tuples->lines, i);

		if (blocks_may_be_in(tuples, &line->sip, &line->dip, summary, reverse)) {
			return true;
		}
	}
	return false;
}

bool tuples_may_be_in(const struct tuples *tuples, const struct summary *summary)
{
	if (tuples->keys->len + tuples->lines->len > JUDGED_MAX) {
		return true;
	}
	return (tuples->direction != REVERSE && any_may_be_in(tuples, summary, false)) ||
	       (tuples->direction != FORWARD && any_may_be_in(tuples, summary, true));
}

static struct tuple_key make_key(const struct tuples *tuples, const struct batch *batch,
				 uint32_t row, bool reverse)
{
	struct tuple_key key;

	memset(&key, 0, sizeof(key));
	if (tuples->has[TUC_SIP]) {
		key.sip = reverse ? batch->dip[row] : batch->sip[row];
	}
	if (tuples->has[TUC_DIP]) {
		key.dip = reverse ? batch->sip[row] : batch->dip[row];
	}
	if (tuples->has[TUC_SPORT]) {
		key.sport = reverse ? batch->dport[row] : batch->sport[row];
	}
	if (tuples->has[TUC_DPORT]) {
		key.dport = reverse ? batch->sport[row] : batch->dport[row];
	}
	if (tuples->has[TUC_PROTOCOL]) {
		key.protocol = batch->protocol[row];
	}
	return key;
}

static bool find_key(const struct tuples *tuples, const struct tuple_key *key)
{
	if (tuples->keys->len > 0 &&
	    bsearch(key, tuples->keys->data, tuples->keys->len, sizeof(*key), compare_keys)) {
		return true;
	}
	for (guint i = 0; i < tuples->lines->len; i++) {
		const struct tuple_line *line = g_ptr_array_index(tuples->lines, i);

		if (cidr_contains(&line->sip, key->sip) && cidr_contains(&line->dip, key->dip) &&
		    numset_contains(&line->sport, key->sport) &&
		    numset_contains(&line->dport, key->dport) &&
		    numset_contains(&line->protocol, key->protocol)) {
			return true;
		}
	}
	return false;
}

bool tuples_contain(const struct tuples *tuples, const struct batch *batch, uint32_t row)
{
	struct tuple_key key;

	if (tuples->direction != REVERSE) {
		key = make_key(tuples, batch, row, false);
		if (find_key(tuples, &key)) {
			return true;
		}
	}
	if (tuples->direction == FORWARD) {
		return false;
	}
	key = make_key(tuples, batch, row, true);
	return find_key(tuples, &key);
}
