/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanprogress.h"

#include <math.h>
#include <string.h>

#include "common/timestamp.h"

#define BAR_WIDTH       30
#define REDRAW_NS       (NS_PER_S / 5)
#define WIPE_LINE       "\r\033[K"
#define SECONDS_SHOWN   90 /* longer times are shown in minutes */
#define SECONDS_LONGEST (99 * 3600)

/* 12.3 M, 456 k, 789 */
static void print_rate(char *text, size_t size, double rate)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = { { 1e9, " G" }, { 1e6, " M" }, { 1e3, " k" } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (rate >= units[i].unit) {
			snprintf(text, size, "%.1f%s", rate / units[i].unit, units[i].name);
			return;
		}
	}
	snprintf(text, size, "%.0f", rate);
}

static void print_left(char *text, size_t size, double seconds)
{
	if (seconds < SECONDS_SHOWN) {
		snprintf(text, size, "%.0f s", ceil(seconds));
	} else {
		snprintf(text, size, "%.0f min", ceil(fmin(seconds, SECONDS_LONGEST) / 60));
	}
}

void scanprogress_text(char text[SCANPROGRESS_TEXT_MAX], uint64_t done, uint64_t total,
		       uint64_t records, int64_t elapsed_ns)
{
	double seconds = fmax((double)elapsed_ns / (double)NS_PER_S, 0.001);
	double part = total > 0 ? fmin((double)done / (double)total, 1) : 0;
	char bar[BAR_WIDTH + 1];
	char rate[16];
	char left[16];

	print_rate(rate, sizeof(rate), (double)records / seconds);
	if (total == 0) {
		snprintf(text, SCANPROGRESS_TEXT_MAX, "%llu files, %s records/s",
			 (unsigned long long)done, rate);
		return;
	}
	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', (size_t)(part * BAR_WIDTH));
	bar[BAR_WIDTH] = '\0';
	print_left(left, sizeof(left), part > 0 ? seconds * (1 - part) / part : SECONDS_LONGEST);
	snprintf(text, SCANPROGRESS_TEXT_MAX, "[%s] %3.0f %%, %s records/s, %s left", bar,
		 floor(part * 100), rate, left);
}

void scanprogress_show(struct scanprogress *progress, int64_t now_ns, uint64_t done, uint64_t total,
		       uint64_t records)
{
	char text[SCANPROGRESS_TEXT_MAX];

	if (!progress->out || now_ns - progress->start_ns < progress->delay_ns ||
	    (progress->shown_ns && now_ns - progress->shown_ns < REDRAW_NS)) {
		return;
	}
	scanprogress_text(text, done, total, records, now_ns - progress->start_ns);
	fprintf(progress->out, WIPE_LINE "%s", text);
	fflush(progress->out);
	progress->shown_ns = now_ns;
}

void scanprogress_end(struct scanprogress *progress)
{
	if (progress->out && progress->shown_ns) {
		fputs(WIPE_LINE, progress->out);
		fflush(progress->out);
	}
}
