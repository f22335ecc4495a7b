/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/timestamp.h"

#include <endian.h>
#include <string.h>
#include <glib.h>

#include "common/civil.h"
#include "common/decimal.h"
#include "common/namelist.h"

/* Parsing */

static int unexpected(char c, struct err *err)
{
	return err_set(err, ST_EINVAL, "Unexpected character '%c'", c);
}

static const char *skip_blanks(const char *p)
{
	while (g_ascii_isspace(*p)) {
		p++;
	}
	return p;
}

static int scan_number(const char **pos, uint64_t *out, struct err *err)
{
	const char *p = *pos;
	uint64_t value = 0;

	if (!g_ascii_isdigit(*p)) {
		return unexpected(*p, err);
	}
	for (; g_ascii_isdigit(*p); p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value)) {
			return err_set(err, ST_EINVAL, "Value overflows the parser");
		}
	}
	*pos = p;
	*out = value;
	return ST_OK;
}

/* Digits of a fraction as nanoseconds; further digits are dropped. */
static int64_t scan_fraction(const char **pos)
{
	int64_t ns = 0;
	int64_t unit = NS_PER_S / 10;
	const char *p = *pos;

	for (; g_ascii_isdigit(*p); p++) {
		ns += (*p - '0') * unit;
		unit /= 10;
	}
	*pos = p;
	return ns;
}

/* The parts of a date in the order of the text, with their bounds. */
static const struct part {
	const char *name;
	const char *lower; /* the name inside the sentence */
	unsigned min, max;
} parts[] = {
	{ "Year", "year", 1970, 2039 }, { "Month", "month", 1, 12 },
	{ "Day", "day", 1, 31 },        { "Hour", "hour", 0, 23 },
	{ "Minute", "minute", 0, 59 },  { "Second", "second", 0, 59 },
};
enum { PART_YEAR, PART_MONTH, PART_DAY, PART_HOUR, PART_MINUTE, PART_SECOND, PART_COUNT };

/* Does the part after one end in c? */
static bool separator_fits(unsigned part, char c, char date_separator)
{
	switch (part) {
	case PART_YEAR:
		return c == '/' || c == '-';
	case PART_MONTH:
		return c == date_separator;
	case PART_DAY:
		return c == ':' || c == 'T';
	case PART_SECOND:
		return c == '.';
	default:
		return c == ':';
	}
}

static int check_part(unsigned part, uint64_t value, const uint64_t *values, struct err *err)
{
	unsigned max = part == PART_DAY ? civil_days_in_month(values[PART_YEAR],
							      (unsigned)values[PART_MONTH])
					: parts[part].max;

	if (value < parts[part].min || value > max) {
		return err_set(err, ST_EINVAL, "%s value (%llu) out of range: use %u <= %s <= %u",
			       parts[part].name, (unsigned long long)value, parts[part].min,
			       parts[part].lower, max);
	}
	return ST_OK;
}

struct parse_state {
	uint64_t values[PART_COUNT];
	unsigned count; /* parts read */
	int64_t fraction_ns;
	bool has_fraction;
};

/* "2009-02-12 13:14" is ISO 8601 with a blank: the blank is part of it only before a digit. */
static bool is_iso_blank(const char *p, unsigned part, char date_separator)
{
	return part == PART_DAY && date_separator == '-' && *p == ' ' && g_ascii_isdigit(p[1]);
}

static int scan_parts(const char **pos, struct parse_state *state, struct err *err)
{
	const char *p = *pos;
	char date_separator = '/';

	for (unsigned part = 0; part < PART_COUNT; part++) {
		int st = scan_number(&p, &state->values[part], err);

		if (st == ST_OK) {
			st = check_part(part, state->values[part], state->values, err);
		}
		if (st != ST_OK) {
			return st;
		}
		state->count = part + 1;
		if (!separator_fits(part, *p, date_separator) &&
		    !is_iso_blank(p, part, date_separator)) {
			break;
		}
		if (part == PART_YEAR) {
			date_separator = *p;
		}
		p++;
		if (part == PART_SECOND) {
			state->has_fraction = true;
			state->fraction_ns = scan_fraction(&p);
			break;
		}
		/* a separator may be the last character */
		if (!*skip_blanks(p)) {
			break;
		}
	}
	if (date_separator == '-' && *p == 'Z') {
		p++;
	}
	*pos = p;
	return ST_OK;
}

enum {
	EPOCH_MIN = 536870912, /* 2^29: below, a number rather is a mistyped date */
	EPOCH_MAX = 2147483647,
	EPOCH_DIGITS = 9, /* numbers of so many digits, the point counted, are seconds */
};

static int parse_epoch(const char *text, int64_t *out_ns, enum timestamp_precision *precision,
		       struct err *err)
{
	const char *p = text;
	uint64_t seconds;
	int64_t fraction_ns = 0;
	enum timestamp_precision given = TIMESTAMP_TO_EPOCH;
	int st = scan_number(&p, &seconds, err);

	if (st != ST_OK) {
		return st;
	}
	if (seconds < EPOCH_MIN || seconds > EPOCH_MAX) {
		return err_set(err, ST_EINVAL,
			       "Epoch value (%llu) out of range: use %d <= epoch <= %d",
			       (unsigned long long)seconds, EPOCH_MIN, EPOCH_MAX);
	}
	if (p[0] == '.' && g_ascii_isdigit(p[1])) {
		p++;
		fraction_ns = scan_fraction(&p);
		given = TIMESTAMP_TO_FRACTION;
	}
	p = skip_blanks(p);
	if (*p) {
		return unexpected(*p, err);
	}
	*out_ns = (int64_t)seconds * NS_PER_S + fraction_ns;
	*precision = given;
	return ST_OK;
}

static int parse_date(const char *text, bool local, int64_t *out_ns,
		      enum timestamp_precision *precision, struct err *err)
{
	struct parse_state state = { .count = 0 };
	const char *p = text;
	struct civil civil;
	int st = scan_parts(&p, &state, err);

	if (st != ST_OK) {
		return st;
	}
	if (*skip_blanks(p)) {
		return unexpected(*p, err);
	}
	if (state.count <= PART_DAY) {
		return err_set(err, ST_EINVAL, "Date '%s' does not have at least day precision",
			       text);
	}
	civil = (struct civil){
		.year = (int64_t)state.values[PART_YEAR],
		.month = (unsigned)state.values[PART_MONTH],
		.day = (unsigned)state.values[PART_DAY],
		.hour = (unsigned)state.values[PART_HOUR],
		.minute = (unsigned)state.values[PART_MINUTE],
		.second = (unsigned)state.values[PART_SECOND],
	};
	*out_ns = civil_to_seconds(&civil, local) * NS_PER_S + state.fraction_ns;
	*precision =
		state.has_fraction
			? TIMESTAMP_TO_FRACTION
			: (enum timestamp_precision)(TIMESTAMP_TO_DAY + state.count - 1 - PART_DAY);
	return ST_OK;
}

/* A number of so many digits; *sound becomes false if they are none. */
static unsigned take_digits(const char *p, unsigned count, bool *sound)
{
	unsigned value = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned digit = (unsigned)(p[i] - '0');

		*sound = *sound && digit <= 9;
		value = value * 10 + digit;
	}
	return value;
}

/* Is what stands between the digits right? */
static bool has_usual_form(const char *p)
{
	return p[4] == '/' && p[7] == '/' && (p[10] == 'T' || p[10] == ':') && p[13] == ':' &&
	       p[16] == ':' && p[19] == '.';
}

static bool is_civil(const struct civil *civil)
{
	return civil->year >= parts[PART_YEAR].min && civil->year <= parts[PART_YEAR].max &&
	       civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
	       civil->day <= civil_days_in_month((uint64_t)civil->year, civil->month) &&
	       civil->hour <= 23 && civil->minute <= 59 && civil->second <= 59;
}

/* TIMESTAMP_USUAL_LENGTH characters. */
static bool parse_usual(const char *p, int64_t *out_ns)
{
	bool sound = has_usual_form(p);
	struct civil civil;
	unsigned ms;

	if (!sound) {
		return false;
	}
	civil = (struct civil){
		.year = take_digits(p, 4, &sound),
		.month = take_digits(p + 5, 2, &sound),
		.day = take_digits(p + 8, 2, &sound),
		.hour = take_digits(p + 11, 2, &sound),
		.minute = take_digits(p + 14, 2, &sound),
		.second = take_digits(p + 17, 2, &sound),
	};
	ms = take_digits(p + 20, 3, &sound);
	if (!sound || !is_civil(&civil)) {
		return false;
	}
	*out_ns = civil_to_seconds(&civil, false) * NS_PER_S + ms * NS_PER_MS;
	return true;
}

/* ":14.678" and one more character behind a minute. */
static bool read_seconds(const char *text, int64_t *ns)
{
	const uint64_t points = UINT64_C(0xff0000ff);
	const uint64_t digits = UINT64_C(0x00ffffff00ffff00);
	uint64_t word, numbers;
	unsigned seconds, ms;

	memcpy(&word, text, sizeof(word));
	word = le64toh(word);
	numbers = (word & digits) - (UINT64_C(0x3030303030303030) & digits);
	if ((word & points) != ('.' << 24 | ':') ||
	    ((numbers | (numbers + (UINT64_C(0x7676767676767676) & digits))) &
	     (UINT64_C(0x8080808080808080) & digits))) {
		return false;
	}
	seconds = (numbers >> 8 & 0xff) * 10 + (numbers >> 16 & 0xff);
	ms = (numbers >> 32 & 0xff) * 100 + (numbers >> 40 & 0xff) * 10 + (numbers >> 48 & 0xff);
	*ns = seconds * NS_PER_S + ms * NS_PER_MS;
	return seconds <= parts[PART_SECOND].max;
}

bool timestamp_read_usual(struct timestamp_read_memo *memo, const char *text, int64_t *out_ns)
{
	uint64_t minute[2];
	int64_t ns;
	size_t slot;

	memcpy(minute, text, sizeof(minute));
	/* by the last digit of the minute */
	slot = (unsigned char)text[sizeof(minute) - 1] % TIMESTAMP_READ_MINUTES;
	if (minute[0] != memo->at[slot].text[0] || minute[1] != memo->at[slot].text[1]) {
		if (!parse_usual(text, out_ns)) {
			return false;
		}
		memcpy(memo->at[slot].text, minute, sizeof(minute));
		memo->at[slot].start_ns = *out_ns - *out_ns % (SECONDS_PER_MINUTE * NS_PER_S);
		return true;
	}
	if (!read_seconds(text + sizeof(minute), &ns)) {
		return false;
	}
	*out_ns = memo->at[slot].start_ns + ns;
	return true;
}

int timestamp_parse(const char *text, bool local, int64_t *out_ns,
		    enum timestamp_precision *precision, struct err *err)
{
	const char *p = skip_blanks(text);
	enum timestamp_precision dropped;

	if (!precision) {
		precision = &dropped;
	}
	if (!local && strnlen(p, TIMESTAMP_USUAL_LENGTH + 1) == TIMESTAMP_USUAL_LENGTH &&
	    parse_usual(p, out_ns)) {
		*precision = TIMESTAMP_TO_FRACTION;
		return ST_OK;
	}
	if (!*p) {
		return err_set(err, ST_EINVAL, "Input is empty or all whitespace");
	}
	if (strspn(p, "0123456789.") >= EPOCH_DIGITS) {
		return parse_epoch(p, out_ns, precision, err);
	}
	return parse_date(p, local, out_ns, precision, err);
}

int64_t timestamp_ceiling(int64_t ns, enum timestamp_precision precision)
{
	static const int64_t units_ns[] = {
		[TIMESTAMP_TO_DAY] = SECONDS_PER_DAY * NS_PER_S,
		[TIMESTAMP_TO_HOUR] = NS_PER_HOUR,
		[TIMESTAMP_TO_MINUTE] = 60 * NS_PER_S,
		[TIMESTAMP_TO_SECOND] = NS_PER_S,
		[TIMESTAMP_TO_FRACTION] = NS_PER_MS,
		[TIMESTAMP_TO_EPOCH] = NS_PER_S,
	};

	/* a fraction is meant as milliseconds unless it has more digits */
	if (precision == TIMESTAMP_TO_FRACTION && ns % NS_PER_MS != 0) {
		return ns;
	}
	return ns + units_ns[precision] - 1;
}

/* Where END starts: behind the first hyphen that is not inside of an ISO date. NULL: no END. */
static const char *find_range_end(const char *text)
{
	const char *p = skip_blanks(text);
	size_t digits = strspn(p, "0123456789");

	if (digits == 4 && p[4] == '-' && g_ascii_isdigit(p[5])) {
		const char *day = p + 5 + strspn(p + 5, "0123456789");

		/* a year and a hyphen cannot be all of START, so this is 2009-02-12 */
		if (*day == '-') {
			p = day + 1;
		}
	}
	p = strchr(p, '-');
	return p ? p + 1 : NULL;
}

int timestamp_parse_range(const char *text, bool local, int64_t *first_ns, int64_t *last_ns,
			  struct err *err)
{
	const char *end = find_range_end(text);
	char *start = g_strndup(text, end ? (size_t)(end - 1 - text) : strlen(text));
	enum timestamp_precision precision;
	int64_t first = 0;
	int64_t last = 0;
	int st = timestamp_parse(start, local, &first, &precision, err);

	if (st != ST_OK) {
		goto done;
	}
	if (!end || !*skip_blanks(end)) {
		last = timestamp_ceiling(first, TIMESTAMP_TO_FRACTION);
	} else {
		st = timestamp_parse(end, local, &last, &precision, err);
		if (st != ST_OK) {
			goto done;
		}
		last = timestamp_ceiling(last, precision);
	}
	if (first > last) {
		st = err_set(err, ST_EINVAL, "Range is invalid (min > max)");
		goto done;
	}
	*first_ns = first;
	*last_ns = last;
done:
	g_free(start);
	return st;
}

/* Printing */

static unsigned decimals(unsigned format)
{
	if (format & TIMESTAMP_NO_MSEC) {
		return 0;
	}
	return format & TIMESTAMP_NANO ? 9 : format & TIMESTAMP_MICRO ? 6 : 3;
}

static const struct layout {
	bool month_first;
	char date_separator;
	char between; /* date and time of day */
	const char *suffix;
} layouts[] = {
	[TIMESTAMP_DEFAULT] = { false, '/', 'T', "" },
	[TIMESTAMP_ISO] = { false, '-', ' ', "" },
	[TIMESTAMP_MDY] = { true, '/', ' ', "" },
	[TIMESTAMP_ISO_8601] = { false, '-', 'T', "Z" },
};

static char *put(char *p, unsigned value, unsigned digits, char separator)
{
	decimal_print_padded(p, value, digits);
	p[digits] = separator;
	return p + digits + 1;
}

/* int64 nanoseconds reach from the year 1677 to 2262: always four digits. */
static char *print_civil(char *p, const struct civil *civil, const struct layout *layout)
{
	if (layout->month_first) {
		p = put(p, civil->month, 2, layout->date_separator);
		p = put(p, civil->day, 2, layout->date_separator);
		p = put(p, (unsigned)civil->year, 4, layout->between);
	} else {
		p = put(p, (unsigned)civil->year, 4, layout->date_separator);
		p = put(p, civil->month, 2, layout->date_separator);
		p = put(p, civil->day, 2, layout->between);
	}
	p = put(p, civil->hour, 2, ':');
	p = put(p, civil->minute, 2, ':');
	return put(p, civil->second, 2, '\0') - 1;
}

static char *print_epoch(char *p, int64_t seconds)
{
	if (seconds < 0) {
		*p++ = '-';
		seconds = -seconds;
	}
	return p + decimal_print(p, (uint64_t)seconds);
}

/* What follows the whole seconds, the fraction of ns, at p in out. Returns the length of all. */
static size_t finish_print(char *out, char *p, uint32_t fraction, unsigned format, char suffix)
{
	static const uint32_t powers[] = {
		[0] = 1000000000,
		[3] = 1000000,
		[6] = 1000,
		[9] = 1,
	};
	unsigned shown = decimals(format);

	if (shown > 0) {
		*p++ = '.';
		decimal_print_padded(p, fraction / powers[shown], shown);
		p += shown;
	}
	if (suffix) {
		*p++ = suffix;
	}
	*p = '\0';
	return (size_t)(p - out);
}

static bool is_epoch(unsigned format)
{
	unsigned base = format & TIMESTAMP_BASE_MASK;

	return base == TIMESTAMP_EPOCH || base >= G_N_ELEMENTS(layouts);
}

static char suffix_of(unsigned format)
{
	return is_epoch(format) || format & TIMESTAMP_LOCAL
		       ? '\0'
		       : *layouts[format & TIMESTAMP_BASE_MASK].suffix;
}

size_t timestamp_print(char *out, int64_t ns, unsigned format)
{
	int64_t seconds = civil_floor_div(ns, NS_PER_S);
	struct civil civil;
	char *p;

	if (is_epoch(format)) {
		p = print_epoch(out, seconds);
	} else {
		civil_from_seconds(seconds, format & TIMESTAMP_LOCAL, &civil);
		p = print_civil(out, &civil, &layouts[format & TIMESTAMP_BASE_MASK]);
	}
	return finish_print(out, p, (uint32_t)(ns - seconds * NS_PER_S), format, suffix_of(format));
}

/* The memo's place of a minute, filled. */
static const struct timestamp_minute *recall(struct timestamp_memo *memo, int64_t minute,
					     unsigned format)
{
	struct timestamp_minute *place = &memo->at[minute & (TIMESTAMP_MEMO_MINUTES - 1)];
	char text[TIMESTAMP_TEXT_MAX];

	if (!place->known || place->minute != minute || place->format != format) {
		timestamp_print(text, minute * SECONDS_PER_MINUTE * NS_PER_S, format);
		*place = (struct timestamp_minute){ .minute = minute,
						    .format = format,
						    .known = true };
		memcpy(place->text, text, sizeof(place->text));
	}
	return place;
}

size_t timestamp_print_near(struct timestamp_memo *memo, char *out, int64_t ns, unsigned format)
{
	int64_t seconds = civil_floor_div(ns, NS_PER_S);
	int64_t minute = civil_floor_div(seconds, SECONDS_PER_MINUTE);

	/* zones have had offsets that are no whole minutes; the first minute of int64 is cut off */
	if (!memo || is_epoch(format) || format & TIMESTAMP_LOCAL ||
	    minute <= INT64_MIN / (SECONDS_PER_MINUTE * NS_PER_S)) {
		return timestamp_print(out, ns, format);
	}
	memcpy(out, recall(memo, minute, format)->text, TIMESTAMP_MINUTE_CHARS);
	decimal_print_padded(out + TIMESTAMP_MINUTE_CHARS,
			     (uint32_t)(seconds - minute * SECONDS_PER_MINUTE), 2);
	return finish_print(out, out + TIMESTAMP_MINUTE_CHARS + 2,
			    (uint32_t)(ns - seconds * NS_PER_S), format, suffix_of(format));
}

int timestamp_print_width(unsigned format)
{
	unsigned base = format & TIMESTAMP_BASE_MASK;
	int width = base == TIMESTAMP_EPOCH ? 10 : 19;

	if (base == TIMESTAMP_ISO_8601 && !(format & TIMESTAMP_LOCAL)) {
		width++;
	}
	return width + (decimals(format) ? (int)decimals(format) + 1 : 0);
}

#define FRACTION_MASK (TIMESTAMP_NO_MSEC | TIMESTAMP_MICRO | TIMESTAMP_NANO)

/* Choices that exclude each other. Messages name those that SiLK has, and ours with ours. */
static const struct format_group {
	unsigned mask;
	const char *names;
} base_group = { TIMESTAMP_BASE_MASK, "default,iso,m/d/y,epoch" },
  zone_group = { TIMESTAMP_LOCAL, "utc,local" },
  fraction_group = { FRACTION_MASK, "no-msec,frac-micro,frac-nano" };

/* clang-format off */
/* First letters differ: SiLK's names stay as short as they were. */
static const char *const format_names[] = {
	"default", "iso", "m/d/y", "epoch", "rfc3339",
	"utc", "local",
	"no-msec", "frac-micro", "frac-nano",
	NULL,
};
static const struct {
	const struct format_group *group;
	unsigned value;
} format_bits[] = {
	{ &base_group, TIMESTAMP_DEFAULT },
	{ &base_group, TIMESTAMP_ISO },
	{ &base_group, TIMESTAMP_MDY },
	{ &base_group, TIMESTAMP_EPOCH },
	{ &base_group, TIMESTAMP_ISO_8601 },
	{ &zone_group, 0 },
	{ &zone_group, TIMESTAMP_LOCAL },
	{ &fraction_group, TIMESTAMP_NO_MSEC },
	{ &fraction_group, TIMESTAMP_MICRO },
	{ &fraction_group, TIMESTAMP_NANO },
};
/* clang-format on */
_Static_assert(G_N_ELEMENTS(format_names) == G_N_ELEMENTS(format_bits) + 1,
	       "one name for each row of format_bits");

struct format_state {
	unsigned format;
	unsigned given; /* masks of the names so far */
};

static int add_format_name(void *arg, unsigned index, struct err *err)
{
	struct format_state *state = arg;
	const struct format_group *group = format_bits[index].group;

	if (state->given & group->mask) {
		return err_set(err, ST_EINVAL, "May only specify one of %s", group->names);
	}
	state->given |= group->mask;
	state->format |= format_bits[index].value;
	return ST_OK;
}

int timestamp_format_parse(const char *text, unsigned *format, struct err *err)
{
	struct format_state state = { .format = TIMESTAMP_DEFAULT };
	int st = namelist_each(text, format_names, add_format_name, &state, err);

	if (st == ST_OK) {
		*format = state.format;
	}
	return st;
}
