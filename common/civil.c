/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Days to dates and back after Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms": a
 * year starts in March, so the leap day is its last, and 400 years are one era of 146097 days.
 */
#include "common/civil.h"

#include <time.h>

enum {
	DAYS_PER_ERA = 146097,
	DAYS_TO_1970 = 719468, /* from 0000-03-01 */
};

unsigned civil_days_in_month(uint64_t year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = civil_floor_div(y, 400);
	unsigned year_of_era = (unsigned)(y - era * 400);
	unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

static void utc_from_seconds(int64_t seconds, struct civil *out)
{
	int64_t days = civil_floor_div(seconds, SECONDS_PER_DAY);
	unsigned rest = (unsigned)(seconds - days * SECONDS_PER_DAY);
	int64_t shifted = days + DAYS_TO_1970;
	int64_t era = civil_floor_div(shifted, DAYS_PER_ERA);
	unsigned day_of_era = (unsigned)(shifted - era * DAYS_PER_ERA);
	unsigned year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month_from_march = (5 * day_of_year + 2) / 153;

	out->day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	out->month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	out->year = (int64_t)year_of_era + era * 400 + (out->month <= 2);
	out->hour = rest / 3600;
	out->minute = rest / 60 % 60;
	out->second = rest % 60;
}

static void local_from_seconds(int64_t seconds, struct civil *out)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!localtime_r(&t, &tm)) {
		utc_from_seconds(seconds, out);
		return;
	}
	*out = (struct civil){
		.year = tm.tm_year + INT64_C(1900),
		.month = (unsigned)tm.tm_mon + 1,
		.day = (unsigned)tm.tm_mday,
		.hour = (unsigned)tm.tm_hour,
		.minute = (unsigned)tm.tm_min,
		.second = (unsigned)tm.tm_sec,
	};
}

void civil_from_seconds(int64_t seconds, bool local, struct civil *out)
{
	if (local) {
		local_from_seconds(seconds, out);
	} else {
		utc_from_seconds(seconds, out);
	}
}

int64_t civil_to_seconds(const struct civil *civil, bool local)
{
	if (local) {
		struct tm tm = {
			.tm_year = (int)(civil->year - 1900),
			.tm_mon = (int)civil->month - 1,
			.tm_mday = (int)civil->day,
			.tm_hour = (int)civil->hour,
			.tm_min = (int)civil->minute,
			.tm_sec = (int)civil->second,
			.tm_isdst = -1,
		};

		return mktime(&tm);
	}
	return days_from_civil(civil->year, civil->month, civil->day) * SECONDS_PER_DAY +
	       (int64_t)(civil->hour * 3600 + civil->minute * 60 + civil->second);
}
