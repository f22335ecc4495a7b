/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/lossfile.h"

#include <glib.h>
#include <string.h>

/* Words: sensor, probe. */
static const struct hourlines loss_lines = { LOSSFILE_FOLDER, 2 };

const struct loss_row loss_rows[LOSS_KINDS] = {
	[LOSS_RECEIVED] = { "received", false, "records" },
	[LOSS_MISSING] = { "missing", true, "records" },
	[LOSS_MISSING_PACKETS] = { "missing-packets", true, "datagrams" },
	[LOSS_KERNEL] = { "kernel", true, "datagrams" },
	[LOSS_REJECTED] = { "rejected", false, "messages" },
	[LOSS_UNKNOWN_SETS] = { "unknown-sets", true, "sets" },
	[LOSS_DROPPED] = { "dropped", true, "records" },
	[LOSS_JOURNAL] = { "journal", true, "messages" },
	[LOSS_CLOCK_OFF] = { "clock-off", false, "records" },
};

void loss_add(struct loss *sum, const struct loss *more)
{
	for (size_t i = 0; i < LOSS_KINDS; i++) {
		sum->values[i] += more->values[i];
	}
}

uint64_t loss_total(const struct loss *loss)
{
	uint64_t total = 0;

	for (size_t i = 0; i < LOSS_KINDS; i++) {
		if (loss_rows[i].is_loss && loss->values[i] > 0) {
			total += (uint64_t)loss->values[i];
		}
	}
	return total;
}

int lossfile_add(const struct hourlines_place *place, int64_t hour_ns, const char *sensor,
		 const char *probe, const struct loss *loss, struct err *err)
{
	const char *const words[] = { sensor, probe };
	struct hourlines_number numbers[LOSS_KINDS];

	for (size_t i = 0; i < LOSS_KINDS; i++) {
		numbers[i] = (struct hourlines_number){ loss_rows[i].name, loss->values[i] };
	}
	return hourlines_add(&loss_lines, place, hour_ns, words, numbers, LOSS_KINDS, err);
}

/* "HOUR - PROBE ..." */
static char **loss_words(const char *line)
{
	char **words = g_strsplit(line, " ", 4);

	if (g_strv_length(words) == 4 && strcmp(words[1], LOSSFILE_NO_SENSOR) == 0) {
		return words;
	}
	g_strfreev(words);
	return NULL;
}

char *lossfile_line_probe(const char *line)
{
	char **words = loss_words(line);
	char *probe = words ? g_strdup(words[2]) : NULL;

	g_strfreev(words);
	return probe;
}

char *lossfile_line_of(const char *line, const char *sensor)
{
	char **words = loss_words(line);
	char *out =
		words ? g_strjoin(" ", words[0], sensor, words[2], words[3], NULL) : g_strdup(line);

	g_strfreev(words);
	return out;
}

struct loss_reading {
	lossfile_fn fn;
	void *arg;
};

/* Kinds that are not known are of a later release, and passed over. */
static void loss_take_line(void *arg, struct hourlines_line *line)
{
	const struct loss_reading *reading = arg;
	struct hourlines_number number;
	struct loss loss = { 0 };
	int more;

	while ((more = hourlines_next(line, &number)) > 0) {
		for (size_t i = 0; i < LOSS_KINDS; i++) {
			if (strcmp(loss_rows[i].name, number.name) == 0) {
				loss.values[i] = number.value;
			}
		}
	}
	if (more == 0) {
		reading->fn(reading->arg, line->hour_ns, line->words[0], line->words[1], &loss);
	}
}

int lossfile_each(const char *root, int64_t first_hour_ns, int64_t last_hour_ns, lossfile_fn fn,
		  void *arg, struct err *err)
{
	struct loss_reading reading = { fn, arg };

	return hourlines_each(&loss_lines, root, first_hour_ns, last_hour_ns, loss_take_line,
			      &reading, err);
}

int lossfile_each_hour(const char *root, lossfile_fn fn, void *arg, struct err *err)
{
	struct loss_reading reading = { fn, arg };

	return hourlines_each_hour(&loss_lines, root, loss_take_line, &reading, err);
}
