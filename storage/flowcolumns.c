/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/flowcolumns.h"

#include <glib.h>
#include <string.h>

#include "storage/column.h"

#define ROWS_AT_FIRST 64u
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Columns that may be usual in all rows, and the words of 64 bits of struct record with them. */
#define WATCHED_COLUMNS                                                                            \
	(COLUMN_BIT(COLUMN_NHIP) | COLUMN_BIT(COLUMN_INPUT) | COLUMN_BIT(COLUMN_OUTPUT) |          \
	 COLUMN_BIT(COLUMN_APPLICATION) | COLUMN_BIT(COLUMN_SENSOR) | COLUMN_BIT(COLUMN_MEMO) |    \
	 COLUMN_BIT(COLUMN_FLOWTYPE) | COLUMN_BIT(COLUMN_INITIAL_FLAGS) |                          \
	 COLUMN_BIT(COLUMN_SESSION_FLAGS) | COLUMN_BIT(COLUMN_STATE))
#define STEADY_COLUMNS                                                                             \
	(COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION) | COLUMN_BIT(COLUMN_PACKETS) |     \
	 COLUMN_BIT(COLUMN_BYTES) | COLUMN_BIT(COLUMN_SPORT) | COLUMN_BIT(COLUMN_DPORT) |          \
	 COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_FLAGS))
#define WORD_OF(member) (offsetof(struct record, member) / sizeof(uint64_t))
#define WORDS           (sizeof(struct record) / sizeof(uint64_t))
_Static_assert(ROWS_AT_FIRST >= FLOWCOLUMNS_STAGED, "twice the room is enough");
_Static_assert(sizeof(struct record) % sizeof(uint64_t) == 0, "whole words");

_Static_assert(WORD_OF(output) == WORD_OF(input) && WORD_OF(application) == WORD_OF(sport) &&
		       WORD_OF(sensor) == WORD_OF(sport) && WORD_OF(flowtype) == WORD_OF(memo) &&
		       WORD_OF(state) == WORD_OF(memo),
	       "words that are compared have all watched columns");

static bool is_address(enum column column)
{
	return column == COLUMN_SIP || column == COLUMN_DIP || column == COLUMN_NHIP;
}

size_t flowcolumns_size(const struct flowcolumns *columns, enum column column)
{
	return is_address(column) && columns->narrow ? sizeof(uint32_t) : column_core(column)->size;
}

void flowcolumns_init(struct flowcolumns *columns, const struct record *usual)
{
	*columns = (struct flowcolumns){
		.narrow = true,
		.usual_columns = WATCHED_COLUMNS,
		.usual = *usual,
		.stage = g_new(struct record, FLOWCOLUMNS_STAGED),
		.staged = g_new(const struct record *, FLOWCOLUMNS_STAGED),
	};
	for (uint32_t i = 0; i < FLOWCOLUMNS_STAGED; i++) {
		columns->staged[i] = &columns->stage[i];
	}
}

void flowcolumns_release(struct flowcolumns *columns)
{
	for (enum column column = 0; column < COLUMN_COUNT; column++) {
		g_free(columns->values[column]);
	}
	g_free(columns->stage);
	g_free(columns->staged);
	*columns = (struct flowcolumns){ 0 };
}

static void allocate(struct flowcolumns *columns)
{
	for (enum column column = 0; column < COLUMN_COUNT; column++) {
		columns->values[column] = g_realloc_n(columns->values[column], columns->capacity,
						      flowcolumns_size(columns, column));
	}
}

void flowcolumns_clear(struct flowcolumns *columns)
{
	columns->rows = 0;
	columns->settled = 0;
	columns->narrow = true;
	columns->usual_columns = WATCHED_COLUMNS;
}

static bool is_usual(const struct flowcolumns *columns, enum column column)
{
	return columns->usual_columns & COLUMN_BIT(column);
}

static void widen_column(struct flowcolumns *columns, enum column column)
{
	uint32_t *narrow = columns->values[column];
	struct ip *wide = g_new(struct ip, columns->capacity);

	for (uint32_t i = 0; i < columns->settled && !is_usual(columns, column); i++) {
		wide[i] = ip_from_v4(narrow[i]);
	}
	g_free(narrow);
	columns->values[column] = wide;
}

static void widen(struct flowcolumns *columns)
{
	columns->narrow = false;
	widen_column(columns, COLUMN_SIP);
	widen_column(columns, COLUMN_DIP);
	widen_column(columns, COLUMN_NHIP);
}

static ALWAYS_INLINE uint64_t word_of(const struct record *rec, size_t word)
{
	uint64_t bits;

	memcpy(&bits, (const char *)rec + word * sizeof(bits), sizeof(bits));
	return bits;
}

/* In which bits does any of the records differ from the usual one? Of the words that have addresses
 * or watched columns, in one pass. */
static void differ(const struct flowcolumns *columns, const struct record *const *rows,
		   uint32_t count, uint64_t out[WORDS])
{
	const struct record usual = columns->usual;
	uint64_t all[WORDS] = { 0 };

#define DIFFER(word) all[word] |= word_of(rec, word) ^ word_of(&usual, word)
	for (uint32_t row = 0; row < count; row++) {
		const struct record *rec = rows[row];

		DIFFER(WORD_OF(sip));
		DIFFER(WORD_OF(sip) + 1);
		DIFFER(WORD_OF(dip));
		DIFFER(WORD_OF(dip) + 1);
		DIFFER(WORD_OF(nhip));
		DIFFER(WORD_OF(nhip) + 1);
		DIFFER(WORD_OF(input));
		DIFFER(WORD_OF(sport));
		DIFFER(WORD_OF(memo));
	}
#undef DIFFER
	memcpy(out, all, sizeof(all));
}

/* The usual addresses are IPv4, so others are when nothing but their last 32 bits differs. */
static bool is_narrow(const uint64_t differences[WORDS])
{
	struct record all;

	memcpy(&all, differences, sizeof(all));
	return ((all.sip.hi | all.dip.hi | all.nhip.hi) |
		(all.sip.lo | all.dip.lo | all.nhip.lo) >> 32) == 0;
}

/* The column begins to be an array. */
static void fill_usual(struct flowcolumns *columns, enum column column)
{
	const char *usual = (const char *)&columns->usual + column_core(column)->record_offset;
	size_t size = flowcolumns_size(columns, column);
	uint32_t narrow = ip_to_v4(columns->usual.nhip);
	char *to = columns->values[column];

	columns->usual_columns &= ~COLUMN_BIT(column);
	for (uint32_t i = 0; i < columns->settled; i++) {
		memcpy(to + i * size, size < column_core(column)->size ? (char *)&narrow : usual,
		       size);
	}
}

/* Which of the usual columns are not so in these records? */
static void watch(struct flowcolumns *columns, const uint64_t differences[WORDS])
{
	const char *bytes = (const char *)differences;

	for (enum column column = 0; column < COLUMN_COUNT; column++) {
		static const char none[sizeof(struct ip)] = { 0 };
		const struct core_column *core = column_core(column);

		if (is_usual(columns, column) &&
		    memcmp(bytes + core->record_offset, none, core->size) != 0) {
			fill_usual(columns, column);
		}
	}
}

/* One column of the records to behind those that are settled, four at a time. */
#define SPREAD(upper, member, type)                                                                \
	static ALWAYS_INLINE void spread_##member(const struct flowcolumns *columns,               \
						  const struct record *const *rows, size_t count)  \
	{                                                                                          \
		type *to = (type *)columns->values[COLUMN_##upper] + columns->settled;             \
		size_t i = 0;                                                                      \
                                                                                                   \
		for (; i + 4 <= count; i += 4) {                                                   \
			to[i] = rows[i]->member;                                                   \
			to[i + 1] = rows[i + 1]->member;                                           \
			to[i + 2] = rows[i + 2]->member;                                           \
			to[i + 3] = rows[i + 3]->member;                                           \
		}                                                                                  \
		for (; i < count; i++) {                                                           \
			to[i] = rows[i]->member;                                                   \
		}                                                                                  \
	}
RECORD_COLUMNS(SPREAD)
#undef SPREAD

static ALWAYS_INLINE void spread_narrow(const struct flowcolumns *columns,
					const struct record *const *rows, size_t count)
{
	uint32_t *sip = (uint32_t *)columns->values[COLUMN_SIP] + columns->settled;
	uint32_t *dip = (uint32_t *)columns->values[COLUMN_DIP] + columns->settled;
	uint32_t *nhip = (uint32_t *)columns->values[COLUMN_NHIP] + columns->settled;

	for (size_t i = 0; i < count; i++) {
		sip[i] = ip_to_v4(rows[i]->sip);
		dip[i] = ip_to_v4(rows[i]->dip);
	}
	for (size_t i = 0; i < count && !is_usual(columns, COLUMN_NHIP); i++) {
		nhip[i] = ip_to_v4(rows[i]->nhip);
	}
}

/* Columns that are always arrays, some in one loop, for which a record is looked up once. */
static ALWAYS_INLINE void spread_steady(const struct flowcolumns *columns,
					const struct record *const *rows, size_t count)
{
	const uint32_t at = columns->settled;
	int64_t *start_ns = (int64_t *)columns->values[COLUMN_START] + at;
	uint64_t *duration_ns = (uint64_t *)columns->values[COLUMN_DURATION] + at;
	uint64_t *packets = (uint64_t *)columns->values[COLUMN_PACKETS] + at;
	uint64_t *bytes = (uint64_t *)columns->values[COLUMN_BYTES] + at;
	uint16_t *sport = (uint16_t *)columns->values[COLUMN_SPORT] + at;
	uint16_t *dport = (uint16_t *)columns->values[COLUMN_DPORT] + at;
	uint8_t *protocol = (uint8_t *)columns->values[COLUMN_PROTOCOL] + at;
	uint8_t *flags = (uint8_t *)columns->values[COLUMN_FLAGS] + at;

	for (size_t i = 0; i < count; i++) {
		const struct record *rec = rows[i];

		start_ns[i] = rec->start_ns;
		duration_ns[i] = rec->duration_ns;
		packets[i] = rec->packets;
		bytes[i] = rec->bytes;
	}
	for (size_t i = 0; i < count; i++) {
		const struct record *rec = rows[i];

		sport[i] = rec->sport;
		dport[i] = rec->dport;
		protocol[i] = rec->protocol;
		flags[i] = rec->flags;
	}
}

/* The compiler drops what is asked of addresses for all other columns, and all of the steady ones.
 */
static void spread(const struct flowcolumns *columns, const struct record *const *rows,
		   uint32_t count)
{
#define X(upper, member, type)                                                                     \
	if ((COLUMN_BIT(COLUMN_##upper) & ~STEADY_COLUMNS) &&                                      \
	    (!is_address(COLUMN_##upper) || !columns->narrow) &&                                   \
	    !is_usual(columns, COLUMN_##upper)) {                                                  \
		spread_##member(columns, rows, count);                                             \
	}
	RECORD_COLUMNS(X)
#undef X
	spread_steady(columns, rows, count);
	if (columns->narrow) {
		spread_narrow(columns, rows, count);
	}
}

/* The records, FLOWCOLUMNS_STAGED at most, become columns behind those that are settled. */
static void settle(struct flowcolumns *columns, const struct record *const *rows, uint32_t count)
{
	uint64_t differences[WORDS];

	if (columns->settled + count > columns->capacity) {
		columns->capacity = MAX(2 * columns->capacity, ROWS_AT_FIRST);
		allocate(columns);
	}
	differ(columns, rows, count, differences);
	if (columns->narrow && !is_narrow(differences)) {
		widen(columns);
	}
	if (columns->usual_columns != 0) {
		watch(columns, differences);
	}
	spread(columns, rows, count);
	columns->settled += count;
}

void flowcolumns_settle(struct flowcolumns *columns)
{
	if (columns->rows > columns->settled) {
		settle(columns, columns->staged, columns->rows - columns->settled);
	}
}

void flowcolumns_add_rows(struct flowcolumns *columns, const struct record *const *rows,
			  size_t count)
{
	flowcolumns_settle(columns);
	while (count > 0) {
		const uint32_t some = (uint32_t)MIN(count, FLOWCOLUMNS_STAGED);

		settle(columns, rows, some);
		rows += some;
		count -= some;
	}
	columns->rows = columns->settled;
}
