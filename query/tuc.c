/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tuc.h"

#include <glib.h>
#include <string.h>

#include "common/numlist.h"
#include "common/spelling.h"
#include "common/timestamp.h"
#include "query/tucfield.h"
#include "query/tucmarks.h"

struct tuc {
	const struct site *site;
	char separator;
	const char *class_text; /* the fixed class */
	struct tuc_line base;   /* defaults and fixed values */
	GPtrArray *fixed_texts; /* of these */
	bool fixed[TUC_FIELD_COUNT];
	bool fixed_msec[TUC_FIELD_COUNT]; /* by the +msec name: other columns come first */
	bool present[TUC_FIELD_COUNT];    /* fixed or in a column */
	uint8_t columns[TUC_FIELD_COUNT]; /* enum tuc_field of the known ones */
	GArray *order;                    /* enum tuc_field by column; TUC_IGNORE: skip */
	struct err end_err;               /* what is wrong with the fixed end; empty: nothing */
};

struct tuc *tuc_new(const struct site *site, char separator)
{
	struct tuc *tuc = g_new0(struct tuc, 1);

	tuc->site = site;
	tuc->separator = separator;
	tuc->fixed_texts = g_ptr_array_new_with_free_func(g_free);
	tuc->order = g_array_new(FALSE, FALSE, sizeof(enum tuc_field));
	record_init(&tuc->base.rec);
	tuc->base.rec.sensor = 0;
	tuc->base.rec.flowtype = 0;
	tuc->base.rec.packets = 1;
	tuc->base.class_id = -1;
	return tuc;
}

void tuc_free(struct tuc *tuc)
{
	if (tuc) {
		g_ptr_array_free(tuc->fixed_texts, TRUE);
		g_array_free(tuc->order, TRUE);
		g_free(tuc);
	}
}

struct tuc_memo *tuc_memo_new(const struct tuc *tuc)
{
	struct tuc_memo *memo = g_new0(struct tuc_memo, 1);

	memo->site = tuc->site;
	return memo;
}

void tuc_memo_free(struct tuc_memo *memo)
{
	g_free(memo);
}

/* A copy that has room behind it. */
static struct tuc_text fixed_text(struct tuc *tuc, const char *from)
{
	size_t len = strlen(from);
	struct tuc_text text = { .begin = g_malloc0(len + TUC_TEXT_SLACK) };

	text.end = text.begin + len;
	memcpy(text.begin, from, len);
	g_ptr_array_add(tuc->fixed_texts, text.begin);
	return text;
}

static int parse_fixed(struct tuc *tuc, const struct tuc_row *row, const char *from,
		       struct err *err)
{
	const struct tuc_text text = fixed_text(tuc, from);
	struct tuc_memo *memo = tuc_memo_new(tuc);
	int st = row->parse(row, memo, &tuc->base, &text, err);

	tuc_memo_free(memo);
	return st;
}

int tuc_fix(struct tuc *tuc, enum tuc_field field, bool msec, const char *text, struct err *err)
{
	const struct tuc_row *row = &tuc_row_table[field];
	int st = parse_fixed(tuc, row, text, err);

	if (field == TUC_CLASS) {
		tuc->class_text = text;
	}
	tuc->fixed[field] = true;
	tuc->fixed_msec[field] = msec;
	tuc->present[field] = true;
	if (st == ST_OK) {
		return ST_OK;
	}
	st = err_prefix(err, "Error parsing default %s value '%s'", row->name, text);
	if (field == TUC_ETIME) {
		tuc->end_err = *err;
		st = ST_OK;
	}
	return st;
}

/* A type without a class means the only class there is; -1: there is none, or several. */
static int only_class(const struct tuc *tuc)
{
	return site_class_count(tuc->site) == 1 ? 0 : -1;
}

static int flowtype_of(const struct tuc *tuc, int class_id, const struct tuc_text *type)
{
	char was;
	int id;

	if (class_id < 0) {
		return -1;
	}
	was = tuc_text_cut(type);
	id = site_flowtype_of(tuc->site, class_id, type->begin);
	*type->end = was;
	return id;
}

int tuc_check_fixed(const struct tuc *tuc, struct err *err)
{
	const struct tuc_line *base = &tuc->base;
	const char *class_name = tuc->class_text;
	int class_id = base->class_id;

	if (!tuc->fixed[TUC_TYPE] || (!tuc->fixed[TUC_CLASS] && only_class(tuc) < 0)) {
		return ST_OK;
	}
	if (!tuc->fixed[TUC_CLASS]) {
		class_id = only_class(tuc);
		class_name = site_class_name(tuc->site, class_id);
	}
	if (flowtype_of(tuc, class_id, &base->type) < 0) {
		return err_set(err, ST_EINVAL, "Bad default class/type combination: %s/%s",
			       class_name, base->type.begin);
	}
	return ST_OK;
}

static void clear_columns(struct tuc *tuc)
{
	g_array_set_size(tuc->order, 0);
	memset(tuc->columns, 0, sizeof(tuc->columns));
	memcpy(tuc->present, tuc->fixed, sizeof(tuc->present));
}

/* A column whose value is fixed, or not wanted, is skipped. */
static int add_column(struct tuc *tuc, struct tuc_named named, struct err *err)
{
	enum tuc_field field = named.field;
	enum tuc_field use = field;

	if (field != TUC_IGNORE && tuc->columns[field]++) {
		return err_set(err, ST_EINVAL, "Duplicate name '%s'", tuc_row_table[field].name);
	}
	tuc->present[field] = true;
	if (tuc->fixed[field] && tuc->fixed_msec[field] == named.msec) {
		use = TUC_IGNORE;
	}
	g_array_append_val(tuc->order, use);
	return ST_OK;
}

static int check_pair(const struct tuc *tuc, enum tuc_field a, enum tuc_field b, const char *names,
		      struct err *err)
{
	if (tuc->present[a] == tuc->present[b]) {
		return ST_OK;
	}
	return err_set(err, ST_ENOENT, "Either both %s must be present or neither may be present",
		       names);
}

/* What can be decided once the columns are known. */
static int finish_columns(struct tuc *tuc, struct err *err)
{
	int st = check_pair(tuc, TUC_ICMP_TYPE, TUC_ICMP_CODE, "ICMP type and ICMP code", err);

	if (st == ST_OK) {
		st = check_pair(tuc, TUC_INITIAL_FLAGS, TUC_SESSION_FLAGS,
				"initial- and session-flags", err);
	}
	/* start and duration tell the end: whatever else says is not looked at */
	if (!tuc->present[TUC_STIME] || !tuc->present[TUC_DURATION]) {
		if (st == ST_OK && tuc->end_err.text[0]) {
			st = err_set(err, ST_ENOENT, "%s", tuc->end_err.text);
		}
	} else {
		tuc->present[TUC_ETIME] = false;
		for (guint i = 0; i < tuc->order->len; i++) {
			enum tuc_field *field = &g_array_index(tuc->order, enum tuc_field, i);

			*field = *field == TUC_ETIME ? TUC_IGNORE : *field;
		}
	}
	return st;
}

static int fail_unknown(const char *name, struct err *err)
{
	struct spelling spelling = { .word = name, .len = strlen(name) };

	for (unsigned i = 0; i < TUC_FIELD_COUNT; i++) {
		spelling_try(&spelling, tuc_field_name((enum tuc_field)i));
	}
	err_set(err, ST_EINVAL, "No match was found for the field '%s'", name);
	spelling_suggest(&spelling, "", err);
	return ST_EINVAL;
}

static int add_named(struct tuc *tuc, const char *name, struct err *err)
{
	struct tuc_named named;
	int st = tuc_find_name(name, strlen(name), &named);
	uint64_t number;

	if (st == ST_ENOENT && number_parse(name, 1, UINT32_MAX, &number, NULL) == ST_OK) {
		st = tuc_find_number(number, &named);
	}
	if (st == ST_OK) {
		return add_column(tuc, named, err);
	}
	return st == ST_ENOENT
		       ? fail_unknown(name, err)
		       : err_set(err, ST_EINVAL, "The field '%s' matches multiple keys", name);
}

/* "3-7"; *is_range tells whether it was one. */
static int add_range(struct tuc *tuc, const char *text, bool *is_range, struct err *err)
{
	struct number_range range;
	struct tuc_named named;
	int st = ST_OK;

	*is_range = g_ascii_isdigit(*text) && strchr(text, '-');
	if (!*is_range) {
		return ST_OK;
	}
	if (range_parse(text, 1, 1000, &range, NULL) != ST_OK) {
		return err_set(err, ST_EINVAL, "Invalid numeric range '%s'", text);
	}
	for (uint64_t n = range.first; st == ST_OK && n <= range.last; n++) {
		if (tuc_find_number(n, &named) != ST_OK) {
			return err_set(err, ST_EINVAL, "No match was found for the value '%u'",
				       (unsigned)n);
		}
		st = add_column(tuc, named, err);
	}
	return st;
}

int tuc_set_columns(struct tuc *tuc, const char *list, struct err *err)
{
	char **parts = g_strsplit(list, ",", -1);
	bool is_range;
	int st = ST_OK;

	clear_columns(tuc);
	for (char **part = parts; st == ST_OK && *part; part++) {
		g_strstrip(*part);
		if (**part) {
			st = add_range(tuc, *part, &is_range, err);
			if (st == ST_OK && !is_range) {
				st = add_named(tuc, *part, err);
			}
		}
	}
	g_strfreev(parts);
	if (st == ST_OK && tuc->order->len == 0) {
		st = err_set(err, ST_EINVAL, "Field list is empty");
	}
	return st == ST_OK ? finish_columns(tuc, err) : st;
}

/*
 * Cut the next column off *line, blanks around it removed; *line becomes NULL behind the last one. A
 * separator at the very end of the line ends the last column and begins none.
 */
static const char *cut_column(const struct tuc *tuc, const char **line, size_t *len)
{
	const char *start = *line;
	const char *stop = strchr(start, tuc->separator);
	const char *end = stop ? stop : start + strlen(start);

	*line = stop ? stop + 1 : NULL;
	while (start < end && tucmarks_is_blank(*start, tuc->separator)) {
		start++;
	}
	while (end > start && tucmarks_is_blank(end[-1], tuc->separator)) {
		end--;
	}
	*len = (size_t)(end - start);
	return start;
}

static bool only_blanks(const struct tuc *tuc, const char *text)
{
	while (tucmarks_is_blank(*text, tuc->separator)) {
		text++;
	}
	return !*text;
}

/* A title may be several, with commas between them, as SiLK has it. */
static int add_titles(struct tuc *tuc, const char *titles, size_t len, struct err *err)
{
	char *text = g_strndup(titles, len);
	int st = ST_OK;

	for (char *name = text, *comma; st == ST_OK && name; name = comma ? comma + 1 : NULL) {
		comma = strchr(name, ',');
		if (comma) {
			*comma = '\0';
		}
		st = add_named(tuc, name, err);
	}
	g_free(text);
	return st;
}

int tuc_read_titles(struct tuc *tuc, const char *line, struct err *err)
{
	int st = ST_OK;

	clear_columns(tuc);
	while (st == ST_OK && line && !only_blanks(tuc, line)) {
		size_t len;
		const char *titles = cut_column(tuc, &line, &len);

		st = add_titles(tuc, titles, len, err);
	}
	return st == ST_OK ? finish_columns(tuc, err) : st;
}

char tuc_separator(const struct tuc *tuc)
{
	return tuc->separator;
}

bool tuc_wants_now(const struct tuc *tuc)
{
	return !tuc->present[TUC_STIME] && !tuc->present[TUC_ETIME];
}

bool tuc_is_title(const struct tuc *tuc, const char *line)
{
	struct tuc_named named;

	while (line) {
		size_t len;
		const char *text = cut_column(tuc, &line, &len);

		if (len > 0 && tuc_find_name(text, len, &named) == ST_OK) {
			return true;
		}
	}
	return false;
}

/* Times: two of start, duration and end give the third. */
static int finish_times(const struct tuc *tuc, struct tuc_line *line, int64_t now_ns,
			struct err *err)
{
	struct record *rec = &line->rec;

	if (!tuc->present[TUC_ETIME]) {
		if (!tuc->present[TUC_STIME]) {
			rec->start_ns = now_ns - now_ns % NS_PER_MS;
		}
		return ST_OK;
	}
	if (!tuc->present[TUC_STIME]) {
		rec->start_ns = line->end_ns - (int64_t)rec->duration_ns;
		return ST_OK;
	}
	if (line->end_ns < rec->start_ns) {
		return err_set(err, ST_EINVAL, "End time less than start time");
	}
	rec->duration_ns = (uint64_t)(line->end_ns - rec->start_ns);
	if (rec->duration_ns / NS_PER_MS > TUC_DURATION_MS_MAX) {
		return err_set(err, ST_EINVAL, "Computed duration too large");
	}
	return ST_OK;
}

/* Initial and session flags are TCP's, and together they are all flags. */
static void finish_flags(struct record *rec)
{
	rec->state &= (uint8_t)~RECORD_EXPANDED;
	if (rec->protocol != 6) {
		rec->initial_flags = 0;
		rec->session_flags = 0;
	} else if (rec->initial_flags || rec->session_flags) {
		rec->flags = rec->initial_flags | rec->session_flags;
		rec->state |= RECORD_EXPANDED;
	}
}

static void finish_flowtype(const struct tuc *tuc, struct tuc_line *line)
{
	bool has_class = tuc->present[TUC_CLASS];
	int id;

	if (!tuc->present[TUC_TYPE] || (!has_class && only_class(tuc) < 0)) {
		return;
	}
	id = flowtype_of(tuc, has_class ? line->class_id : only_class(tuc), &line->type);
	line->rec.flowtype = id < 0 ? RECORD_NO_FLOWTYPE : (uint8_t)id;
}

static int finish_line(const struct tuc *tuc, struct tuc_line *line, int64_t now_ns,
		       struct err *err)
{
	struct record *rec = &line->rec;
	int st = finish_times(tuc, line, now_ns, err);

	if (line->is_v6) {
		rec->state |= RECORD_IPV6;
	}
	if (!tuc->present[TUC_BYTES]) {
		rec->bytes = rec->packets;
	}
	finish_flags(rec);
	finish_flowtype(tuc, line);
	/* ICMPv6 in IPv4 too: SiLK's manual page says otherwise, its rwtuc does so */
	if (tuc->present[TUC_ICMP_TYPE] && (rec->protocol == 1 || rec->protocol == 58)) {
		rec->dport = (uint16_t)(line->icmp_type << 8 | line->icmp_code);
	}
	return st;
}

/* The column that the mark begins or, if it is empty, ends. Returns the mark of its end. */
static inline const uint32_t *cut_at(char *text, const uint32_t *mark, char separator,
				     struct tuc_text *column)
{
	column->begin = text + *mark;
	while (!tucmarks_is_end(text[*mark], separator)) {
		mark++;
	}
	column->end = text + *mark;
	while (column->end > column->begin && tucmarks_is_blank(column->end[-1], separator)) {
		column->end--;
	}
	return mark;
}

/* The texts of all columns, by field; the mark goes to the end of the line. */
static int take_apart(const struct tuc *tuc, char *text, const uint32_t **mark,
		      struct tuc_text *columns, struct err *err)
{
	const enum tuc_field *order = (const enum tuc_field *)(void *)tuc->order->data;
	const guint count = tuc->order->len;
	const uint32_t *at = *mark;
	bool goes_on = true;
	guint found = 0;

	for (; found < count && goes_on; found++) {
		at = cut_at(text, at, tuc->separator, &columns[order[found]]);
		goes_on = text[*at] == tuc->separator;
		at += goes_on;
	}
	*mark = at;
	if (goes_on && text[*at] != '\n' && text[*at]) {
		return err_set(err, ST_EINVAL,
			       "Too many fields on line: text follows delimiter number %u", count);
	}
	if (found < count) {
		return err_set(err, ST_EINVAL, "Too few fields on line: found %u of %u expected",
			       found, count);
	}
	return ST_OK;
}

static void begin_line(const struct tuc *tuc, struct tuc_line *line)
{
	const struct tuc_line *base = &tuc->base;

	record_copy(&line->rec, &base->rec);
	line->end_ns = base->end_ns;
	line->class_id = base->class_id;
	line->type = base->type;
	line->icmp_type = base->icmp_type;
	line->icmp_code = base->icmp_code;
	line->is_v6 = base->is_v6;
}

int tuc_parse(const struct tuc *tuc, struct tuc_memo *memo, char *text, const uint32_t **mark,
	      int64_t now_ns, struct tuc_line *line, struct err *err)
{
	const enum tuc_field *order = (const enum tuc_field *)(void *)tuc->order->data;
	const guint count = tuc->order->len;
	struct tuc_text columns[TUC_FIELD_COUNT];
	int st = take_apart(tuc, text, mark, columns, err);

	begin_line(tuc, line);
	for (guint i = 0; st == ST_OK && i < count; i++) {
		const struct tuc_row *row = &tuc_row_table[order[i]];
		const struct tuc_text *column = &columns[order[i]];

		if (order[i] == TUC_IGNORE) {
			continue;
		}
		st = row->parse(row, memo, line, column, err);
		if (st != ST_OK) {
			return err_prefix(err, "Invalid %s '%.*s'", row->name,
					  (int)(column->end - column->begin), column->begin);
		}
	}
	return st == ST_OK ? finish_line(tuc, line, now_ns, err) : st;
}
