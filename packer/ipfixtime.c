/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a flow began and how long it took (silk-packing.md 11.4). */
#include <glib.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "common/timestamp.h"
#include "packer/ipfixmap.h"
#include "packer/probe.h"

/* 2208988800: the NTP epoch is 1900. */
#define TIME_NTP_EPOCH INT64_C(0x83AA7E80)
/* Microsecond elements leave the low bits of the fraction undefined (RFC 7011 6.1.9). */
#define TIME_NTP_MICRO_MASK UINT32_C(0xfffff800)
#define TIME_WRAP_MS        (INT64_C(1) << 32)
#define TIME_HALF_MS        INT64_C(0x7fffffff)
/* Beyond it, in either direction, a time is nonsense; it leaves room to add a duration. */
#define TIME_FAR_NS (INT64_MAX / 2)
/* As far as SiLK's records go; also what it says of flows that end before they start. */
#define TIME_DURATION_MAX_NS ((uint64_t)UINT32_MAX * NS_PER_MS)

enum time_unit {
	TIME_SECONDS,
	TIME_MILLISECONDS,
	TIME_NTP_MICRO,
	TIME_NTP_NANO,
	TIME_AGO_MICRO, /* before the export time */
};

struct ipfix_time_source {
	enum ipfix_field field;
	size_t offset;
	size_t size;
	enum time_unit unit;
	const char *name;
};

#define TIME_SOURCE(upper, member, unit_, name_)                                                   \
	{                                                                                          \
		IPFIX_##upper, offsetof(struct ipfix_fields, member),                              \
			sizeof(((struct ipfix_fields *)NULL)->member), unit_, name_                \
	}

/* The first one in the template is believed. */
static const struct ipfix_time_source time_starts[] = {
	TIME_SOURCE(START_MS, start_ms, TIME_MILLISECONDS, "flowStartMilliseconds"),
	TIME_SOURCE(START_S, start_s, TIME_SECONDS, "flowStartSeconds"),
	TIME_SOURCE(START_US, start_us, TIME_NTP_MICRO, "flowStartMicroseconds"),
	TIME_SOURCE(START_NS, start_ns, TIME_NTP_NANO, "flowStartNanoseconds"),
	TIME_SOURCE(START_AGO_US, start_ago_us, TIME_AGO_MICRO, "flowStartDeltaMicroseconds"),
};
static const struct ipfix_time_source time_ends[] = {
	TIME_SOURCE(END_MS, end_ms, TIME_MILLISECONDS, "flowEndMilliseconds"),
	TIME_SOURCE(END_S, end_s, TIME_SECONDS, "flowEndSeconds"),
	TIME_SOURCE(END_US, end_us, TIME_NTP_MICRO, "flowEndMicroseconds"),
	TIME_SOURCE(END_NS, end_ns, TIME_NTP_NANO, "flowEndNanoseconds"),
	TIME_SOURCE(END_AGO_US, end_ago_us, TIME_AGO_MICRO, "flowEndDeltaMicroseconds"),
	TIME_SOURCE(COLLECTED_MS, collected_ms, TIME_MILLISECONDS, "collectionTimeMilliseconds"),
	TIME_SOURCE(OBSERVED_MS, observed_ms, TIME_MILLISECONDS, "observationTimeMilliseconds"),
	TIME_SOURCE(OBSERVED_S, observed_s, TIME_SECONDS, "observationTimeSeconds"),
	TIME_SOURCE(OBSERVED_US, observed_us, TIME_NTP_MICRO, "observationTimeMicroseconds"),
	TIME_SOURCE(OBSERVED_NS, observed_ns, TIME_NTP_NANO, "observationTimeNanoseconds"),
};

/* Bits of ipfix_shape.times, in this order. */
static const enum ipfix_field time_fields[] = {
	IPFIX_START_MS,     IPFIX_END_MS,       IPFIX_START_S,     IPFIX_END_S,
	IPFIX_START_US,     IPFIX_END_US,       IPFIX_START_NS,    IPFIX_END_NS,
	IPFIX_START_AGO_US, IPFIX_END_AGO_US,   IPFIX_BOOT_MS,     IPFIX_DURATION_MS,
	IPFIX_DURATION_US,  IPFIX_START_UPTIME, IPFIX_END_UPTIME,  IPFIX_COLLECTED_MS,
	IPFIX_OBSERVED_MS,  IPFIX_OBSERVED_S,   IPFIX_OBSERVED_US, IPFIX_OBSERVED_NS,
};

enum time_bit {
	TIME_BIT_START_MS = 1 << 0,
	TIME_BIT_END_MS = 1 << 1,
	TIME_BIT_BOOT_MS = 1 << 10,
	TIME_BIT_START_UPTIME = 1 << 13,
	TIME_BIT_END_UPTIME = 1 << 14,
	TIME_BIT_OBSERVED_MS = 1 << 16,
};

static const struct ipfix_time_source *time_find(const struct ipfix_time_source *table,
						 size_t count, const struct ipfix_shape *shape)
{
	for (size_t i = 0; i < count; i++) {
		if (shape->has[table[i].field]) {
			return &table[i];
		}
	}
	return NULL;
}

void ipfix_time_prepare(struct ipfix_shape *shape)
{
	unsigned bits = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(time_fields); i++) {
		bits |= shape->has[time_fields[i]] ? 1u << i : 0;
	}
	/* An end by uptime says nothing without the start. */
	shape->times = bits & TIME_BIT_START_UPTIME ? bits : bits & ~(unsigned)TIME_BIT_END_UPTIME;
	shape->start = time_find(time_starts, G_N_ELEMENTS(time_starts), shape);
	shape->end = time_find(time_ends, G_N_ELEMENTS(time_ends), shape);
}

bool ipfix_time_is_yaf(unsigned times)
{
	return times != 0 && (times & ~(unsigned)(TIME_BIT_START_MS | TIME_BIT_END_MS)) == 0;
}

bool ipfix_time_is_v9(unsigned times)
{
	return times == (TIME_BIT_START_UPTIME | TIME_BIT_END_UPTIME | TIME_BIT_BOOT_MS) ||
	       times == (TIME_BIT_START_MS | TIME_BIT_OBSERVED_MS) || times == TIME_BIT_OBSERVED_MS;
}

static int64_t time_from_ms(uint64_t ms)
{
	return ms > TIME_FAR_NS / NS_PER_MS ? TIME_FAR_NS : (int64_t)ms * NS_PER_MS;
}

int64_t ipfix_time_from_ntp(uint64_t ntp, bool micro)
{
	uint64_t fraction = ntp & (micro ? TIME_NTP_MICRO_MASK : UINT32_MAX);

	if (ntp == 0) {
		return 0;
	}
	return ((int64_t)(ntp >> 32) - TIME_NTP_EPOCH) * NS_PER_S +
	       (int64_t)(fraction * (uint64_t)NS_PER_S >> 32);
}

/* As it is in the record. */
static uint64_t time_value(const struct ipfix_time_source *source, const struct ipfix_input *input)
{
	const char *at = (const char *)input->fields + source->offset;
	uint64_t value = 0;
	uint32_t narrow;

	if (source->size == sizeof(narrow)) {
		memcpy(&narrow, at, sizeof(narrow));
		value = narrow;
	} else {
		memcpy(&value, at, sizeof(value));
	}
	return value;
}

static int64_t time_read(const struct ipfix_time_source *source, const struct ipfix_input *input)
{
	const uint64_t value = time_value(source, input);

	switch (source->unit) {
	case TIME_SECONDS:
		return (int64_t)value * NS_PER_S;
	case TIME_MILLISECONDS:
		return time_from_ms(value);
	case TIME_NTP_MICRO:
		return ipfix_time_from_ntp(value, true);
	case TIME_NTP_NANO:
		return ipfix_time_from_ntp(value, false);
	case TIME_AGO_MICRO:
		break;
	}
	/* in steps of the SiLK record; the export itself is told in seconds */
	return input->export_ns - (int64_t)(value / 1000) * NS_PER_MS;
}

static uint64_t time_between(const struct ipfix_input *input, int64_t start_ns, int64_t end_ns)
{
	if (end_ns < start_ns) {
		return input->shape->form == IPFIX_FORM_GENERIC ? TIME_DURATION_MAX_NS : 0;
	}
	return MIN((uint64_t)(end_ns - start_ns), TIME_DURATION_MAX_NS);
}

/* Milliseconds since the exporter booted; the 32 bits of either end may have wrapped. */
static void time_from_uptime(const struct ipfix_input *input, uint64_t packets, int64_t *start_ns,
			     uint64_t *duration_ns)
{
	const struct ipfix_fields *f = input->fields;
	int64_t export_ms = input->export_ns / NS_PER_MS;
	int64_t boot_ms = time_from_ms(f->boot_ms) / NS_PER_MS;
	int64_t start = f->start_uptime;
	int64_t end = f->end_uptime;
	int64_t up_ms = export_ms - boot_ms;

	if (input->mapping->quirks & PROBE_QUIRK_NF9_SYSUPTIME_SECONDS) {
		up_ms *= 1000;
		boot_ms = export_ms - up_ms;
		if (end < start && packets == 1) {
			end = start;
		}
	}
	if (up_ms - start > TIME_HALF_MS) {
		boot_ms += TIME_WRAP_MS;
	} else if (up_ms - start < -TIME_HALF_MS) {
		boot_ms -= TIME_WRAP_MS;
	}
	if (end < start) {
		end += TIME_WRAP_MS;
	}
	*start_ns = CLAMP(boot_ms + start, -TIME_FAR_NS / NS_PER_MS, TIME_FAR_NS / NS_PER_MS) *
		    NS_PER_MS;
	*duration_ns = MIN((uint64_t)(end - start) * NS_PER_MS, TIME_DURATION_MAX_NS);
}

static bool time_knows_boot(const struct ipfix_input *input)
{
	return input->shape->has[IPFIX_BOOT_MS] || input->fields->boot_ms != 0;
}

/* Without the boot time the later of the two is taken to be the export. */
static void time_from_uptime_alone(const struct ipfix_input *input, int64_t *start_ns,
				   uint64_t *duration_ns)
{
	uint32_t lasted_ms = input->fields->end_uptime - input->fields->start_uptime;

	*duration_ns = (uint64_t)lasted_ms * NS_PER_MS;
	*start_ns = input->export_ns - (int64_t)*duration_ns;
}

/* Any other mixture: a start, an end and a duration, of which two will do. */
static void time_from_mixture(const struct ipfix_input *input, int64_t *start_ns,
			      uint64_t *duration_ns)
{
	const struct ipfix_shape *shape = input->shape;
	const struct ipfix_time_source *start = shape->start;
	const struct ipfix_time_source *end = shape->end;
	bool has_duration = shape->has[IPFIX_DURATION_MS] || shape->has[IPFIX_DURATION_US];
	int64_t end_ns = end ? time_read(end, input) : input->export_ns;

	*duration_ns = 0;
	if (shape->has[IPFIX_DURATION_MS]) {
		*duration_ns = (uint64_t)input->fields->duration_ms * NS_PER_MS;
	} else if (shape->has[IPFIX_DURATION_US]) {
		*duration_ns = (uint64_t)input->fields->duration_us * NS_PER_US;
	}
	if (!start) {
		*start_ns = end_ns - (int64_t)*duration_ns;
		return;
	}
	*start_ns = time_read(start, input);
	if (!has_duration && end) {
		*duration_ns = time_between(input, *start_ns, end_ns);
	}
}

/* The elements that ipfix_time() looks at, in the order it does. */
bool ipfix_time_uses(const struct ipfix_shape *shape, int field)
{
	const struct ipfix_time_source *start = shape->start;
	const struct ipfix_time_source *end = shape->end;
	bool has_duration = shape->has[IPFIX_DURATION_MS] || shape->has[IPFIX_DURATION_US];

	if (!start && shape->has[IPFIX_START_UPTIME] && shape->form != IPFIX_FORM_YAF) {
		return field == IPFIX_START_UPTIME || field == IPFIX_END_UPTIME ||
		       field == IPFIX_BOOT_MS;
	}
	if (field == IPFIX_DURATION_MS || field == IPFIX_DURATION_US) {
		return field == IPFIX_DURATION_MS || !shape->has[IPFIX_DURATION_MS];
	}
	return (start && (int)start->field == field) ||
	       (end && (int)end->field == field && !(start && has_duration));
}

/* Did the record say that the flow ended before it began? */
static bool time_is_end_first(const struct ipfix_input *input)
{
	const struct ipfix_shape *shape = input->shape;
	const struct ipfix_time_source *start = shape->start;
	const struct ipfix_time_source *end = shape->end;

	if (!start && shape->has[IPFIX_START_UPTIME]) {
		/* a little before: no wrap */
		return input->fields->end_uptime < input->fields->start_uptime &&
		       input->fields->start_uptime - input->fields->end_uptime < TIME_HALF_MS;
	}
	return start && end && !shape->has[IPFIX_DURATION_MS] && !shape->has[IPFIX_DURATION_US] &&
	       time_read(end, input) < time_read(start, input);
}

bool ipfix_time(const struct ipfix_input *input, uint64_t packets, int64_t *start_ns,
		uint64_t *duration_ns)
{
	const struct ipfix_shape *shape = input->shape;

	if (shape->form == IPFIX_FORM_YAF) {
		/* A missing one counts as 0. */
		*start_ns = time_from_ms(input->fields->start_ms);
		*duration_ns = time_between(input, *start_ns, time_from_ms(input->fields->end_ms));
	} else if (shape->has[IPFIX_START_UPTIME] && !shape->start) {
		if (time_knows_boot(input)) {
			time_from_uptime(input, packets, start_ns, duration_ns);
		} else {
			time_from_uptime_alone(input, start_ns, duration_ns);
		}
	} else {
		time_from_mixture(input, start_ns, duration_ns);
		if (shape->form == IPFIX_FORM_V9 && *start_ns == 0) {
			*start_ns = time_from_ms(input->fields->observed_ms);
			*duration_ns = 0;
		}
	}
	return time_is_end_first(input);
}

/* ---- for the log (silk-packing.md 11.4) ---- */

struct time_text {
	GString *out;
	const char *separator; /* before the next value */
};

static void text_add(struct time_text *text, const char *name, uint64_t value)
{
	g_string_append_printf(text->out, "%s%s=%" PRIu64, text->separator, name, value);
	text->separator = ", ";
}

static void text_add_export(struct time_text *text, const struct ipfix_input *input,
			    const char *words)
{
	g_string_append_printf(text->out, "%s%sexportTimeSeconds=%" PRId64, text->separator, words,
			       input->export_ns / NS_PER_S);
	text->separator = ", ";
}

/* What of the numbers since the boot is taken to have wrapped, as time_from_uptime() does. */
static void text_add_uptime(struct time_text *text, const struct ipfix_input *input)
{
	const struct ipfix_fields *f = input->fields;
	int64_t up_ms;

	text_add(text, "flowStartSysUpTime", f->start_uptime);
	text_add(text, "flowEndSysUpTime", f->end_uptime);
	if (!time_knows_boot(input)) {
		text_add_export(text, input, "no systemInitTimeMilliseconds, set end to ");
		return;
	}
	up_ms = input->export_ns / NS_PER_MS - time_from_ms(f->boot_ms) / NS_PER_MS;
	text_add(text, "systemInitTimeMilliseconds", f->boot_ms);
	text_add_export(text, input, "");
	if (input->mapping->quirks & PROBE_QUIRK_NF9_SYSUPTIME_SECONDS) {
		up_ms *= 1000;
	}
	g_string_append_printf(text->out, ", calculated sysUpTime=%" PRId64, up_ms);
	if (up_ms - f->start_uptime > TIME_HALF_MS) {
		g_string_append(text->out, ", assume flowStartSysUpTime rollover");
	} else if (up_ms - f->start_uptime < -TIME_HALF_MS) {
		g_string_append(text->out, ", assume sysUpTime rollover");
	}
	if (f->end_uptime < f->start_uptime) {
		g_string_append(text->out, ", assume flowEndSysUpTime rollover");
	}
}

static bool is_ago(const struct ipfix_time_source *source)
{
	return source && source->unit == TIME_AGO_MICRO;
}

/* Returns whether there is one. */
static bool text_add_duration(struct time_text *text, const struct ipfix_input *input)
{
	const bool *has = input->shape->has;

	if (has[IPFIX_DURATION_MS]) {
		text_add(text, "flowDurationMilliseconds", input->fields->duration_ms);
	} else if (has[IPFIX_DURATION_US]) {
		text_add(text, "flowDurationMicroseconds", input->fields->duration_us);
	}
	return has[IPFIX_DURATION_MS] || has[IPFIX_DURATION_US];
}

static void text_add_mixture(struct time_text *text, const struct ipfix_input *input)
{
	const struct ipfix_shape *shape = input->shape;
	const struct ipfix_time_source *start = shape->start;
	const struct ipfix_time_source *end = shape->end;
	bool has_duration;

	if (start) {
		text_add(text, start->name, time_value(start, input));
	}
	has_duration = text_add_duration(text, input);
	if (!start && !end && !has_duration) {
		text->separator = " ";
		text_add_export(text, input, "based on ");
		return;
	}
	if (end && !(start && has_duration)) {
		text_add(text, end->name, time_value(end, input));
	}
	if (!start && !end) {
		text_add_export(text, input, "set end to ");
	} else if (is_ago(start) || is_ago(end)) {
		text_add_export(text, input, "");
	}
}

void ipfix_time_print(const struct ipfix_input *input, int64_t start_ns, uint64_t duration_ns,
		      GString *out)
{
	const struct ipfix_shape *shape = input->shape;
	const struct ipfix_fields *f = input->fields;
	struct time_text text = { out, " from incoming record " };
	char start[TIMESTAMP_TEXT_MAX];

	timestamp_print(start, start_ns, TIMESTAMP_DEFAULT);
	g_string_printf(out, "Set sTime=%sZ, dur=%.3fs", start,
			(double)(duration_ns / NS_PER_MS) / 1e3);
	if (shape->form == IPFIX_FORM_YAF) {
		text_add(&text, "flowStartMilliseconds", f->start_ms);
		text_add(&text, "flowEndMilliseconds", f->end_ms);
	} else if (shape->has[IPFIX_START_UPTIME] && !shape->start) {
		text_add_uptime(&text, input);
	} else if (shape->form == IPFIX_FORM_V9) {
		text_add(&text, "flowStartMilliseconds", f->start_ms);
		text_add(&text, "flowEndMilliseconds", f->observed_ms);
	} else {
		text_add_mixture(&text, input);
	}
}
