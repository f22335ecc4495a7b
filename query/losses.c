/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/losses.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "common/timestamp.h"

struct losses_hour {
	int64_t hour_ns;
	char *sensor;
	struct loss loss;
};

struct losses {
	GHashTable *table; /* struct losses_hour, keyed by itself */
};

static guint hour_hash(gconstpointer key)
{
	const struct losses_hour *hour = key;

	return g_str_hash(hour->sensor) ^ g_int64_hash(&hour->hour_ns);
}

static gboolean hour_equal(gconstpointer a, gconstpointer b)
{
	const struct losses_hour *one = a;
	const struct losses_hour *other = b;

	return one->hour_ns == other->hour_ns && strcmp(one->sensor, other->sensor) == 0;
}

static void hour_free(gpointer value)
{
	struct losses_hour *hour = value;

	g_free(hour->sensor);
	g_free(hour);
}

struct losses *losses_new(void)
{
	struct losses *losses = g_new0(struct losses, 1);

	losses->table = g_hash_table_new_full(hour_hash, hour_equal, NULL, hour_free);
	return losses;
}

void losses_free(struct losses *losses)
{
	if (losses) {
		g_hash_table_destroy(losses->table);
		g_free(losses);
	}
}

/* The probes of a sensor are put together. */
static void losses_take(void *arg, int64_t hour_ns, const char *sensor, const char *probe,
			const struct loss *loss)
{
	struct losses *losses = arg;
	const struct losses_hour wanted = { hour_ns, (char *)sensor, { { 0 } } };
	struct losses_hour *hour = g_hash_table_lookup(losses->table, &wanted);

	(void)probe;
	if (!hour) {
		hour = g_new0(struct losses_hour, 1);
		hour->hour_ns = hour_ns;
		hour->sensor = g_strdup(sensor);
		g_hash_table_add(losses->table, hour);
	}
	loss_add(&hour->loss, loss);
}

int losses_read(struct losses *losses, const char *root, int64_t first_hour_ns,
		int64_t last_hour_ns, struct err *err)
{
	return lossfile_each(root, first_hour_ns, last_hour_ns, losses_take, losses, err);
}

int losses_read_all(struct losses *losses, const char *root, struct err *err)
{
	return lossfile_each_hour(root, losses_take, losses, err);
}

static int hour_compare(gconstpointer a, gconstpointer b)
{
	const struct losses_hour *one = *(const struct losses_hour *const *)a;
	const struct losses_hour *other = *(const struct losses_hour *const *)b;

	if (one->hour_ns != other->hour_ns) {
		return one->hour_ns < other->hour_ns ? -1 : 1;
	}
	return strcmp(one->sensor, other->sensor);
}

void losses_each(const struct losses *losses, losses_fn fn, void *arg)
{
	GPtrArray *hours = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, losses->table);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		if (loss_total(&((struct losses_hour *)value)->loss) > 0) {
			g_ptr_array_add(hours, value);
		}
	}
	g_ptr_array_sort(hours, hour_compare);
	for (guint i = 0; i < hours->len; i++) {
		const struct losses_hour *hour = g_ptr_array_index(hours, i);

		fn(arg, hour->hour_ns, hour->sensor, &hour->loss);
	}
	g_ptr_array_free(hours, TRUE);
}

/* ---- one line ---- */

struct losses_sum {
	const struct site *site;
	const struct repo_select *select;
	struct loss loss;
	uint64_t hours;
	int64_t first_hour_ns;
	char *first_sensor;
};

static bool select_has_sensor(const struct repo_select *select, int sensor)
{
	for (size_t i = 0; i < select->pair_count; i++) {
		if (select->pairs[i].sensor == sensor) {
			return true;
		}
	}
	return false;
}

static void losses_sum_hour(void *arg, int64_t hour_ns, const char *sensor, const struct loss *loss)
{
	struct losses_sum *sum = arg;

	if (!select_has_sensor(sum->select, site_sensor_id(sum->site, sensor))) {
		return;
	}
	if (sum->hours++ == 0) {
		sum->first_hour_ns = hour_ns;
		sum->first_sensor = g_strdup(sensor);
	}
	loss_add(&sum->loss, loss);
}

/* "12 records (missing), 3 datagrams (kernel)" */
static void losses_append_kinds(const struct loss *loss, GString *out)
{
	const char *gap = "";

	for (unsigned i = 0; i < LOSS_KINDS; i++) {
		if (loss_rows[i].is_loss && loss->values[i] > 0) {
			g_string_append_printf(out, "%s%" PRId64 " %s (%s)", gap, loss->values[i],
					       loss_rows[i].unit, loss_rows[i].name);
			gap = ", ";
		}
	}
}

char *losses_describe(const struct site *site, const char *root, const struct repo_select *select)
{
	struct losses *losses = losses_new();
	struct losses_sum sum = { .site = site, .select = select };
	char *line = NULL;

	if (losses_read(losses, root, select->first_hour_ns, select->last_hour_ns, NULL) == ST_OK) {
		losses_each(losses, losses_sum_hour, &sum);
	}
	if (sum.hours > 0) {
		GString *out = g_string_new(NULL);
		char hour[64];

		timestamp_print(hour, sum.first_hour_ns, 0);
		hour[13] = '\0'; /* YYYY/MM/DDTHH */
		g_string_printf(out, "the selected data are known to be short: ");
		losses_append_kinds(&sum.loss, out);
		g_string_append_printf(out, " in %" PRIu64 " hour%s of sensors, first %s of %s",
				       sum.hours, sum.hours == 1 ? "" : "s", hour,
				       sum.first_sensor);
		line = g_string_free(out, FALSE);
	}
	g_free(sum.first_sensor);
	losses_free(losses);
	return line;
}
