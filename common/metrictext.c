/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/metrictext.h"

#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

struct metrictext {
	size_t max_bytes;
	size_t bytes;
	uint64_t left_out;
	GHashTable *families; /* name to GString of its lines */
	GPtrArray *order;     /* of the same GStrings */
};

static const char *const metric_kind_names[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
};

struct metrictext *metrictext_new(size_t max_bytes)
{
	struct metrictext *text = g_new0(struct metrictext, 1);

	text->max_bytes = max_bytes;
	text->families = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	text->order = g_ptr_array_new();
	return text;
}

static char *metrictext_name(const struct metricfamily *family)
{
	char *name =
		g_strconcat(family->name, family->kind == METRIC_COUNTER ? "_total" : "", NULL);

	return g_strdelimit(name, "-", '_');
}

static GString *metrictext_family(struct metrictext *text, const char *name,
				  const struct metricfamily *family)
{
	GString *lines = g_hash_table_lookup(text->families, name);

	if (!lines) {
		lines = g_string_new(NULL);
		g_string_append_printf(lines, "# HELP %s %s\n# TYPE %s %s\n", name, family->help,
				       name, metric_kind_names[family->kind]);
		text->bytes += lines->len;
		g_hash_table_insert(text->families, g_strdup(name), lines);
		g_ptr_array_add(text->order, lines);
	}
	return lines;
}

/* What a label's value must not hold bare: backslash, quote, line feed. */
static void metrictext_append_value(GString *line, const char *value)
{
	for (const char *at = value; *at; at++) {
		if (*at == '\n') {
			g_string_append(line, "\\n");
			continue;
		}
		if (*at == '\\' || *at == '"') {
			g_string_append_c(line, '\\');
		}
		g_string_append_c(line, *at);
	}
}

static void metrictext_append_labels(GString *line, const struct metriclabel *labels)
{
	for (const struct metriclabel *label = labels; label && label->name; label++) {
		char *valid = g_utf8_make_valid(label->value, -1);

		g_string_append_printf(line, "%c%s=\"", label == labels ? '{' : ',', label->name);
		metrictext_append_value(line, valid);
		g_string_append_c(line, '"');
		g_free(valid);
	}
	if (labels && labels->name) {
		g_string_append_c(line, '}');
	}
}

static void metrictext_add_line(struct metrictext *text, const struct metricfamily *family,
				const struct metriclabel *labels, const char *value)
{
	char *name = metrictext_name(family);
	GString *line = g_string_new(name);

	metrictext_append_labels(line, labels);
	g_string_append_printf(line, " %s\n", value);
	if (text->bytes + line->len > text->max_bytes) {
		text->left_out++;
	} else {
		text->bytes += line->len;
		g_string_append_len(metrictext_family(text, name, family), line->str,
				    (gssize)line->len);
	}
	g_string_free(line, TRUE);
	g_free(name);
}

void metrictext_add(struct metrictext *text, const struct metricfamily *family,
		    const struct metriclabel *labels, uint64_t value)
{
	char digits[24];

	g_snprintf(digits, sizeof(digits), "%" PRIu64, value);
	metrictext_add_line(text, family, labels, digits);
}

void metrictext_add_real(struct metrictext *text, const struct metricfamily *family,
			 const struct metriclabel *labels, double value)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	g_ascii_formatd(digits, sizeof(digits), "%.9g", isfinite(value) ? value : 0);
	metrictext_add_line(text, family, labels, digits);
}

void metrictext_add_table(struct metrictext *text, const char *prefix, const struct metric *table,
			  const _Atomic uint64_t *values, size_t count,
			  const struct metriclabel *labels)
{
	for (size_t i = 0; i < count; i++) {
		char *name = g_strdup_printf("%s_%s", prefix, table[i].name);
		const struct metricfamily family = { name, table[i].help, METRIC_COUNTER };

		metrictext_add(text, &family, labels, metric_get(&values[i]));
		g_free(name);
	}
}

char *metrictext_finish(struct metrictext *text, size_t *len)
{
	static const struct metricfamily left_out = { "tussah_metrics_left_out",
						      "samples that found no room in this answer",
						      METRIC_GAUGE };
	GString *body = g_string_sized_new(text->bytes + 256);

	text->max_bytes = SIZE_MAX; /* room for this one */
	metrictext_add(text, &left_out, NULL, text->left_out);
	for (guint i = 0; i < text->order->len; i++) {
		GString *lines = g_ptr_array_index(text->order, i);

		g_string_append_len(body, lines->str, (gssize)lines->len);
		g_string_free(lines, TRUE);
	}
	g_ptr_array_free(text->order, TRUE);
	g_hash_table_destroy(text->families);
	g_free(text);
	*len = body->len;
	return g_string_free(body, FALSE);
}
