/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tuc.h"

#include <endian.h>
#include <glib.h>
#include <string.h>

#include "common/numlist.h"
#include "common/timestamp.h"
#include "query/tucfield.h"

struct tuc {
	const struct site *site;
	char separator;
	const char *class_text; /* the fixed class */
	struct tuc_line base;   /* defaults and fixed values */
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
		g_array_free(tuc->order, TRUE);
		g_free(tuc);
	}
}

int tuc_fix(struct tuc *tuc, enum tuc_field field, bool msec, const char *text, struct err *err)
{
	const struct tuc_row *row = &tuc_row_table[field];
	int st = row->parse(tuc->site, row, &tuc->base, text, err);

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

static int flowtype_of(const struct tuc *tuc, int class_id, const char *type)
{
	return class_id < 0 ? -1 : site_flowtype_of(tuc->site, class_id, type);
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
	if (flowtype_of(tuc, class_id, base->type) < 0) {
		return err_set(err, ST_EINVAL, "Bad default class/type combination: %s/%s",
			       class_name, base->type);
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
	return err_set(err, ST_EINVAL,
		       st == ST_ENOENT ? "No match was found for the field '%s'"
				       : "The field '%s' matches multiple keys",
		       name);
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

/* Blanks: all white space, but not the separator. */
static bool is_blank(const struct tuc *tuc, char c)
{
	return (unsigned char)c <= ' ' && g_ascii_isspace(c) && c != tuc->separator;
}

#define EIGHT_BLANKS UINT64_C(0x2020202020202020)

/* The first of text..end-1 that is no blank, or end. Padding is most of many lines. */
static char *skip_blanks(const struct tuc *tuc, char *text, const char *end)
{
	uint64_t other = 0;

	for (; tuc->separator != ' ' && end - text >= 8; text += 8) {
		memcpy(&other, text, sizeof(other));
		other = le64toh(other) ^ EIGHT_BLANKS;
		if (other != 0) {
			text += __builtin_ctzll(other) / 8;
			break;
		}
	}
	while (text < end && is_blank(tuc, *text)) {
		text++;
	}
	return text;
}

/*
 * Cut the next column off *line, which goes to end, blanks around it removed; *line becomes NULL
 * behind the last one. A separator at the very end of the line ends the last column and begins
 * none.
 */
static char *next_column(const struct tuc *tuc, char **line, char *end)
{
	char *start = skip_blanks(tuc, *line, end);
	char *stop = memchr(start, tuc->separator, (size_t)(end - start));

	*line = stop ? stop + 1 : NULL;
	stop = stop ? stop : end;
	while (stop > start && is_blank(tuc, stop[-1])) {
		stop--;
	}
	*stop = '\0';
	return start;
}

static bool only_blanks(const struct tuc *tuc, char *text, const char *end)
{
	return skip_blanks(tuc, text, end) == end;
}

/* A title may be several, with commas between them, as SiLK has it. */
static int add_titles(struct tuc *tuc, char *titles, struct err *err)
{
	int st = ST_OK;

	while (st == ST_OK && titles) {
		char *comma = strchr(titles, ',');

		if (comma) {
			*comma = '\0';
		}
		st = add_named(tuc, titles, err);
		titles = comma ? comma + 1 : NULL;
	}
	return st;
}

int tuc_read_titles(struct tuc *tuc, char *line, struct err *err)
{
	char *end = line + strlen(line);
	int st = ST_OK;

	clear_columns(tuc);
	while (st == ST_OK && line && !only_blanks(tuc, line, end)) {
		st = add_titles(tuc, next_column(tuc, &line, end), err);
	}
	return st == ST_OK ? finish_columns(tuc, err) : st;
}

bool tuc_wants_now(const struct tuc *tuc)
{
	return !tuc->present[TUC_STIME] && !tuc->present[TUC_ETIME];
}

bool tuc_is_title(const struct tuc *tuc, const char *line)
{
	struct tuc_named named;

	while (line) {
		const char *end = strchr(line, tuc->separator);
		const char *stop = end ? end : line + strlen(line);

		while (is_blank(tuc, *line)) {
			line++;
		}
		while (stop > line && is_blank(tuc, stop[-1])) {
			stop--;
		}
		if (stop > line && tuc_find_name(line, (size_t)(stop - line), &named) == ST_OK) {
			return true;
		}
		line = end ? end + 1 : NULL;
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
	id = flowtype_of(tuc, has_class ? line->class_id : only_class(tuc), line->type);
	line->rec.flowtype = id < 0 ? RECORD_NO_FLOWTYPE : (uint8_t)id;
}

static int finish_line(const struct tuc *tuc, struct tuc_line *line, int64_t now_ns,
		       struct record *out, struct err *err)
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
	*out = *rec;
	return st;
}

int tuc_parse(struct tuc *tuc, char *line, int64_t now_ns, struct record *rec, struct err *err)
{
	const enum tuc_field *order = (const enum tuc_field *)(void *)tuc->order->data;
	const guint count = tuc->order->len;
	struct tuc_line parsed = tuc->base;
	char *end = line + strlen(line);
	char *text[TUC_FIELD_COUNT];
	guint found = 0;
	int st = ST_OK;

	for (; line && found < count; found++) {
		char *column = next_column(tuc, &line, end);

		text[order[found]] = column;
	}
	if (line && !only_blanks(tuc, line, end)) {
		return err_set(err, ST_EINVAL,
			       "Too many fields on line: text follows delimiter number %u", count);
	}
	if (found < count) {
		return err_set(err, ST_EINVAL, "Too few fields on line: found %u of %u expected",
			       found, count);
	}
	for (guint i = 0; st == ST_OK && i < count; i++) {
		const struct tuc_row *row = &tuc_row_table[order[i]];

		if (order[i] == TUC_IGNORE) {
			continue;
		}
		st = row->parse(tuc->site, row, &parsed, text[order[i]], err);
		if (st != ST_OK) {
			return err_prefix(err, "Invalid %s '%s'", row->name, text[order[i]]);
		}
	}
	return finish_line(tuc, &parsed, now_ns, rec, err);
}
