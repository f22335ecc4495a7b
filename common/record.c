/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/record.h"

#include "common/timestamp.h"

void record_init(struct record *rec)
{
	*rec = (struct record){
		.sip = ip_from_v4(0),
		.dip = ip_from_v4(0),
		.nhip = ip_from_v4(0),
		.sensor = RECORD_NO_SENSOR,
		.flowtype = RECORD_NO_FLOWTYPE,
	};
}

int64_t record_hour_ns(const struct record *rec)
{
	int64_t rest = rec->start_ns % NS_PER_HOUR;

	return rec->start_ns - (rest < 0 ? rest + NS_PER_HOUR : rest);
}
