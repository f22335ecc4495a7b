/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/exporterclock.h"

/* Times of day are whole seconds in some formats, and datagrams lie in queues. */
#define CLOCK_SLACK_MS    INT64_C(5000)
#define CLOCK_DRIFT_SHARE 1000
#define CLOCK_LATE_MS     INT64_C(60000)
/* Beyond it, in either direction, a time is nonsense; it leaves room for sums. */
#define CLOCK_FAR_NS (INT64_MAX / 4)

static int64_t clock_bound(int64_t ns)
{
	return ns > CLOCK_FAR_NS ? CLOCK_FAR_NS : ns < -CLOCK_FAR_NS ? -CLOCK_FAR_NS : ns;
}

static int64_t clock_difference(int64_t a_ns, int64_t b_ns)
{
	return clock_bound(a_ns) - clock_bound(b_ns);
}

static int64_t clock_size(int64_t value)
{
	return value < 0 ? -value : value;
}

/* Could uptime_ms have gone by, any number of wraps added, while another clock went on so far? */
static bool clock_agrees(int64_t uptime_ms, int64_t other_ms)
{
	int64_t allowed = CLOCK_SLACK_MS + clock_size(other_ms) / CLOCK_DRIFT_SHARE;
	int64_t rest = (other_ms - uptime_ms) % EXPORTERCLOCK_WRAP_MS;

	if (rest < -EXPORTERCLOCK_WRAP_MS / 2) {
		rest += EXPORTERCLOCK_WRAP_MS;
	} else if (rest > EXPORTERCLOCK_WRAP_MS / 2) {
		rest -= EXPORTERCLOCK_WRAP_MS;
	}
	return clock_size(rest) <= allowed;
}

static unsigned clock_compare(const struct exporterclock *clock,
			      const struct exporterclock_message *message)
{
	int64_t day_ms = clock_difference(message->export_ns, clock->export_ns) / NS_PER_MS;
	int64_t ours_ms = clock_difference(message->arrival_ns, clock->arrival_ns) / NS_PER_MS;
	int64_t up_ms = (int64_t)message->uptime_ms - clock->uptime_ms;
	unsigned wrapped = up_ms < 0 ? EXPORTERCLOCK_WRAPPED : 0;

	/* 2^32 - 1 is before 0 as much as 1 before 2 */
	if (day_ms <= 0 && day_ms > -CLOCK_LATE_MS && clock_agrees(up_ms, day_ms) &&
	    (int32_t)(message->uptime_ms - clock->uptime_ms) < 0) {
		return EXPORTERCLOCK_LATE;
	}
	if (clock_agrees(up_ms, day_ms)) {
		return wrapped;
	}
	if (clock_agrees(up_ms, ours_ms)) {
		return wrapped | EXPORTERCLOCK_STEPPED;
	}
	/* Less uptime than before, or than has gone by since: it began in between. */
	if (up_ms < 0 || message->uptime_ms < day_ms || message->uptime_ms < ours_ms) {
		return EXPORTERCLOCK_REBOOT;
	}
	return EXPORTERCLOCK_STEPPED;
}

unsigned exporterclock_take(struct exporterclock *clock,
			    const struct exporterclock_message *message)
{
	unsigned signs = clock->known ? clock_compare(clock, message) : 0;

	if (signs & EXPORTERCLOCK_LATE) {
		return signs;
	}
	clock->known = true;
	clock->uptime_ms = message->uptime_ms;
	clock->export_ns = message->export_ns;
	clock->arrival_ns = message->arrival_ns;
	return signs;
}

int64_t exporterclock_boot_ns(const struct exporterclock_message *message)
{
	return clock_bound(message->export_ns) - message->uptime_ms * NS_PER_MS;
}

/* Is a flow's end as near to its arrival as is believed? */
static bool clock_is_near(int64_t limit_ns, int64_t arrival_ns, int64_t start_ns,
			  uint64_t duration_ns)
{
	int64_t lasted_ns =
		duration_ns > (uint64_t)CLOCK_FAR_NS ? CLOCK_FAR_NS : (int64_t)duration_ns;
	int64_t end_ns = clock_bound(start_ns) + lasted_ns;

	return clock_size(clock_difference(end_ns, arrival_ns)) <= limit_ns;
}

bool exporterclock_correct(int64_t limit_ns, const struct exporterclock_message *message,
			   int64_t *start_ns, uint64_t duration_ns)
{
	int64_t moved_ns;

	if (limit_ns <= 0 || clock_is_near(limit_ns, message->arrival_ns, *start_ns, duration_ns)) {
		return false;
	}
	moved_ns =
		clock_bound(*start_ns) + clock_difference(message->arrival_ns, message->export_ns);
	if (!clock_is_near(limit_ns, message->arrival_ns, moved_ns, duration_ns)) {
		moved_ns = clock_bound(message->arrival_ns) -
			   (duration_ns > (uint64_t)limit_ns ? 0 : (int64_t)duration_ns);
	}
	*start_ns = moved_ns;
	return true;
}
