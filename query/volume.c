/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/volume.h"

#include <string.h>

#include <glib.h>

#define ROW(name_, member_, help_)                                                                 \
	OPT_U64(struct volume_limits, member_, name_, 0, "COUNT", 0, UINT64_MAX, help_)

const struct opt volume_limits_opt_table[] = {
	ROW("min-bytes", min.bytes, "leave out what has fewer bytes"),
	ROW("min-packets", min.packets, "leave out what has fewer packets"),
	ROW("min-records", min.records, "leave out what has fewer records"),
	ROW("max-bytes", max.bytes, "leave out what has more bytes"),
	ROW("max-packets", max.packets, "leave out what has more packets"),
	ROW("max-records", max.records, "leave out what has more records"),
	OPT_END,
};

void volume_limits_skip_zeroes(struct volume_limits *limits)
{
	limits->min.records = MAX(limits->min.records, 1);
	limits->min.bytes = MAX(limits->min.bytes, 1);
	limits->min.packets = MAX(limits->min.packets, 1);
}

int volume_limits_check(const struct volume_limits *limits, struct err *err)
{
	const struct {
		const char *name;
		uint64_t min, max;
	} rows[] = {
		{ "bytes", limits->min.bytes, limits->max.bytes },
		{ "packets", limits->min.packets, limits->max.packets },
		{ "records", limits->min.records, limits->max.records },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].min > rows[i].max) {
			return err_set(err, ST_EINVAL,
				       "--min-%s is greater than --max-%s: %" G_GUINT64_FORMAT
				       " > %" G_GUINT64_FORMAT,
				       rows[i].name, rows[i].name, rows[i].min, rows[i].max);
		}
	}
	return ST_OK;
}

bool volume_limits_given(const struct volume_limits *limits)
{
	static const struct volume_limits none = VOLUME_LIMITS_NONE;

	return memcmp(limits, &none, sizeof(none)) != 0;
}

void volume_add(struct volume *sum, const struct volume *volume)
{
	sum->records += volume->records;
	sum->bytes += volume->bytes;
	sum->packets += volume->packets;
}

bool volume_passes(const struct volume *volume, const struct volume_limits *limits)
{
	return volume->records >= limits->min.records && volume->records <= limits->max.records &&
	       volume->bytes >= limits->min.bytes && volume->bytes <= limits->max.bytes &&
	       volume->packets >= limits->min.packets && volume->packets <= limits->max.packets;
}
