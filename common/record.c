/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/record.h"

#include "common/timestamp.h"

void record_cut_ms(struct record *rec)
{
	int64_t end_ns = timestamp_floor(record_end_ns(rec), NS_PER_MS);

	rec->start_ns = timestamp_floor(rec->start_ns, NS_PER_MS);
	rec->duration_ns = (uint64_t)(end_ns - rec->start_ns);
}

int64_t record_hour_ns(const struct record *rec)
{
	return timestamp_floor(rec->start_ns, NS_PER_HOUR);
}
