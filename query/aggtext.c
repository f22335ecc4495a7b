/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/aggtext.h"

#include "query/aggvalue.h"

#include <glib.h>
#include <string.h>

#define BLANKS      " \t\r\n\v\f"
#define IGNORED     UINT16_MAX /* the number of a column that is passed over */
#define IGNORE_NAME "ignore"
#define COLUMNS_MAX 1024
#define FIELD_CLASS 19
#define FIELD_TYPE  20

struct aggtext {
	const struct site *site;
	char separator;
	struct agglayout constants;
	uint8_t constant_values[AGGLAYOUT_MAX][AGGVALUE_BYTES_MAX]; /* by place in the layout */
	char *constant_texts[AGGLAYOUT_MAX];
	struct agglayout layout; /* of the bag, once started */
	uint16_t columns[COLUMNS_MAX];
	size_t column_count;
	struct aggbag *bag;
	uint8_t record[AGGBAG_KEY_MAX + 8 * AGGLAYOUT_MAX]; /* of the row being read */
	char *type;                                         /* of the row, NULL: none */
};

struct aggtext *aggtext_new(const struct site *site, char separator)
{
	struct aggtext *text = g_new0(struct aggtext, 1);

	text->site = site;
	text->separator = separator;
	return text;
}

void aggtext_free(struct aggtext *text)
{
	if (!text) {
		return;
	}
	for (size_t i = 0; i < AGGLAYOUT_MAX; i++) {
		g_free(text->constant_texts[i]);
	}
	aggbag_free(text->bag);
	g_free(text->type);
	g_free(text);
}

bool aggtext_started(const struct aggtext *text)
{
	return text->bag;
}

const struct aggbag *aggtext_bag(const struct aggtext *text)
{
	return text->bag;
}

/* --- constants --- */

int aggtext_add_constant(struct aggtext *text, const char *constant, struct err *err)
{
	uint8_t bytes[AGGVALUE_BYTES_MAX];
	const char *value;
	uint16_t id;
	int at;
	int status = aggvalue_split(constant, AGGFIELD_ANY, &id, &value, err);

	if (status == ST_OK) {
		status = aggvalue_parse(text->site, id, value, bytes, err);
	}
	if (status == ST_OK && !agglayout_add(&text->constants, id)) {
		status = err_set(err, ST_EINVAL, "A value for '%s' is already set",
				 aggfield_name(id));
	}
	if (status != ST_OK) {
		return status;
	}
	at = agglayout_find(&text->constants, id);
	for (size_t i = text->constants.count - 1; i > (size_t)at; i--) {
		memcpy(text->constant_values[i], text->constant_values[i - 1], sizeof(bytes));
		text->constant_texts[i] = text->constant_texts[i - 1];
	}
	memcpy(text->constant_values[at], bytes, sizeof(bytes));
	text->constant_texts[at] = g_strdup(value);
	return ST_OK;
}

/* --- columns --- */

/* The number of a column's field, or IGNORED. */
static int find_column(const char *name, uint16_t *out, struct err *err)
{
	size_t len = strlen(name);

	if (len && g_ascii_strncasecmp(name, IGNORE_NAME, len) == 0 &&
	    aggfield_find(name, AGGFIELD_ANY, out, NULL) != ST_OK) {
		*out = IGNORED;
		return ST_OK;
	}
	return aggfield_find(name, AGGFIELD_ANY, out, err);
}

static int add_column(struct aggtext *text, const char *name, struct err *err)
{
	uint16_t id;
	int status = find_column(name, &id, err);

	if (status == ST_OK && text->column_count == COLUMNS_MAX) {
		status = err_set(err, ST_EINVAL, "more than %u columns", COLUMNS_MAX);
	}
	for (size_t i = 0; status == ST_OK && i < text->column_count; i++) {
		if (id != IGNORED && text->columns[i] == id) {
			status = err_set(err, ST_EINVAL, "Duplicate name '%s'", name);
		}
	}
	if (status == ST_OK) {
		text->columns[text->column_count++] = id;
	}
	return status;
}

static int add_columns(struct aggtext *text, char **names, bool strip, struct err *err)
{
	int status = ST_OK;

	text->column_count = 0;
	for (char **name = names; *name && status == ST_OK; name++) {
		if (strip) {
			g_strstrip(*name);
		}
		if (**name) {
			status = add_column(text, *name, err);
		}
	}
	return status;
}

/* The fields of the bag are those of the columns and the constants. */
static int start(struct aggtext *text, struct err *err)
{
	text->layout = text->constants;
	for (size_t i = 0; i < text->column_count; i++) {
		if (text->columns[i] != IGNORED) {
			agglayout_add(&text->layout, text->columns[i]);
		}
	}
	if (!text->layout.key_count) {
		return err_set(err, ST_EINVAL,
			       "Do not have any key fields; at least one key field is required");
	}
	if (text->layout.key_count == text->layout.count) {
		return err_set(
			err, ST_EINVAL,
			"Do not have any counter fields; at least one counter field is required");
	}
	text->bag = aggbag_new(&text->layout);
	return ST_OK;
}

int aggtext_set_fields(struct aggtext *text, const char *list, struct err *err)
{
	char **names = g_strsplit(list, ",", -1);
	int status = add_columns(text, names, false, err);

	g_strfreev(names);
	return status == ST_OK ? start(text, err) : status;
}

/* A comma separates titles, too, as in a list of fields. */
int aggtext_read_titles(struct aggtext *text, const char *line, struct err *err)
{
	const char separators[] = { ',', text->separator, '\0' };
	char **names = g_strsplit_set(line, separators, -1);
	int status = add_columns(text, names, true, err);

	g_strfreev(names);
	if (status == ST_OK && !text->bag) {
		status = start(text, err);
	}
	for (size_t i = 0; status == ST_OK && i < text->column_count; i++) {
		if (text->columns[i] != IGNORED &&
		    agglayout_find(&text->layout, text->columns[i]) < 0) {
			text->columns[i] = IGNORED;
		}
	}
	return status;
}

bool aggtext_is_titles(const struct aggtext *text, const char *line)
{
	const char separator[] = { text->separator, '\0' };
	char **names = g_strsplit(line, separator, -1);
	bool found = false;
	uint16_t id;

	for (size_t i = 0; names[i] && i < text->column_count && !found; i++) {
		const char *name = names[i] + strspn(names[i], BLANKS);

		found = text->columns[i] != IGNORED && *name && !g_ascii_isdigit(*name) &&
			find_column(name, &id, NULL) == ST_OK;
	}
	g_strfreev(names);
	return found;
}

/* --- rows --- */

static uint8_t *field_bytes(struct aggtext *text, uint16_t id)
{
	return text->record + text->layout.at[agglayout_find(&text->layout, id)];
}

static int read_value(struct aggtext *text, uint16_t id, const char *value, bool empty,
		      struct err *err)
{
	int status;

	if (id == IGNORED || agglayout_find(&text->constants, id) >= 0) {
		return ST_OK;
	}
	if (empty) {
		aggvalue_empty(id, field_bytes(text, id));
		return ST_OK;
	}
	if (id == FIELD_TYPE) {
		g_free(text->type);
		text->type = g_strdup(value);
	}
	status = aggvalue_parse(text->site, id, value, field_bytes(text, id), err);
	return status == ST_OK ? status
			       : err_prefix(err, "Invalid %s '%s'", aggfield_name(id), value);
}

/* Cut the column that *pos begins with; *ends: a separator follows it. *pos moves behind that. */
static char *cut_column(char **pos, char separator, bool *ends)
{
	char *column = *pos + strspn(*pos, BLANKS);
	char *end = strchr(column, separator);

	*ends = end;
	*pos = end ? end + 1 : column + strlen(column);
	if (end) {
		*end = '\0';
	}
	return column;
}

static int read_columns(struct aggtext *text, char *line, struct err *err)
{
	char *pos = line;
	int status = ST_OK;

	for (size_t i = 0; i < text->column_count && status == ST_OK; i++) {
		bool ends;
		char *column = cut_column(&pos, text->separator, &ends);

		if (!ends && i + 1 < text->column_count) {
			return err_set(err, ST_EINVAL,
				       "Too few fields on line: found %zu of %zu expected", i + 1,
				       text->column_count);
		}
		status = read_value(text, text->columns[i], column, ends && !*column, err);
	}
	if (status == ST_OK && pos[strspn(pos, BLANKS)]) {
		status = err_set(err, ST_EINVAL,
				 "Too many fields on line: text follows delimiter number %zu",
				 text->column_count);
	}
	return status;
}

/* What no column tells. */
static void fill_record(struct aggtext *text)
{
	for (size_t i = 0; i < text->layout.count; i++) {
		uint16_t id = text->layout.ids[i];
		int constant = agglayout_find(&text->constants, id);

		aggvalue_empty(id, text->record + text->layout.at[i]);
		if (constant >= 0) {
			memcpy(text->record + text->layout.at[i], text->constant_values[constant],
			       aggfield_of(id)->octets);
		}
		if (constant >= 0 && id == FIELD_TYPE) {
			text->type = g_strdup(text->constant_texts[constant]);
		}
	}
}

/* A type belongs to a class, wherever the two stand. */
static void find_type(struct aggtext *text)
{
	if (text->type && agglayout_find(&text->layout, FIELD_CLASS) >= 0) {
		*field_bytes(text, FIELD_TYPE) = aggvalue_parse_type(
			text->site, *field_bytes(text, FIELD_CLASS), text->type);
	}
	g_free(text->type);
	text->type = NULL;
}

int aggtext_add_row(struct aggtext *text, const char *line, struct err *err)
{
	const struct agglayout *layout = &text->layout;
	uint64_t counters[AGGLAYOUT_MAX];
	char *copy = g_strdup(line);
	int status;

	fill_record(text);
	status = read_columns(text, copy, err);
	find_type(text);
	g_free(copy);
	if (status != ST_OK) {
		return status;
	}
	for (size_t i = layout->key_count; i < layout->count; i++) {
		counters[i - layout->key_count] = agglayout_load(text->record + layout->at[i], 8);
	}
	aggbag_add(text->bag, text->record, counters);
	return ST_OK;
}
