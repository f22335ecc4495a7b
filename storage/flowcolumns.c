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
#define WORD_OF(member) (offsetof(struct record, member) / sizeof(uint64_t))
#define WORDS           (sizeof(struct record) / sizeof(uint64_t))
_Static_assert(sizeof(struct record) % sizeof(uint64_t) == 0, "whole words");

static const uint8_t watched_words[] = {
	WORD_OF(nhip), WORD_OF(nhip) + 1, WORD_OF(input), WORD_OF(sport), WORD_OF(memo),
};
_Static_assert(WORD_OF(output) == WORD_OF(input) && WORD_OF(sensor) == WORD_OF(sport) &&
		       WORD_OF(state) == WORD_OF(memo),
	       "watched words have all watched columns");

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
	};
}

void flowcolumns_release(struct flowcolumns *columns)
{
	for (enum column column = 0; column < COLUMN_COUNT; column++) {
		g_free(columns->values[column]);
	}
	g_free(columns->stage);
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

static bool stage_is_narrow(const struct flowcolumns *columns, uint32_t count)
{
	uint64_t other = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct record *rec = &columns->stage[i];

		other |= rec->sip.hi | rec->dip.hi | rec->nhip.hi;
		other |= ((rec->sip.lo ^ IP_V4_PREFIX) | (rec->dip.lo ^ IP_V4_PREFIX) |
			  (rec->nhip.lo ^ IP_V4_PREFIX)) >>
			 32;
	}
	return other == 0;
}

static uint64_t word_of(const struct record *rec, uint8_t word)
{
	uint64_t bits;

	memcpy(&bits, (const char *)rec + word * sizeof(bits), sizeof(bits));
	return bits;
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

/* Which of the usual columns are not so in the stage? */
static void watch(struct flowcolumns *columns, uint32_t count)
{
	uint64_t differences[WORDS] = { 0 };
	const char *bytes = (const char *)differences;

	for (size_t i = 0; i < G_N_ELEMENTS(watched_words); i++) {
		const uint8_t word = watched_words[i];
		const uint64_t usual = word_of(&columns->usual, word);
		uint64_t all = 0;

		for (uint32_t row = 0; row < count; row++) {
			all |= word_of(&columns->stage[row], word) ^ usual;
		}
		differences[word] = all;
	}
	for (enum column column = 0; column < COLUMN_COUNT; column++) {
		static const char none[sizeof(struct ip)] = { 0 };
		const struct core_column *core = column_core(column);

		if (is_usual(columns, column) &&
		    memcmp(bytes + core->record_offset, none, core->size) != 0) {
			fill_usual(columns, column);
		}
	}
}

/* One column of the stage to behind those that are settled. */
#define SPREAD(upper, member, type)                                                                \
	static ALWAYS_INLINE void spread_##member(const struct flowcolumns *columns,               \
						  uint32_t count)                                  \
	{                                                                                          \
		type *to = (type *)columns->values[COLUMN_##upper] + columns->settled;             \
                                                                                                   \
		for (uint32_t i = 0; i < count; i++) {                                             \
			to[i] = columns->stage[i].member;                                          \
		}                                                                                  \
	}
RECORD_COLUMNS(SPREAD)
#undef SPREAD

static ALWAYS_INLINE void spread_narrow(const struct flowcolumns *columns, uint32_t count)
{
	uint32_t *sip = (uint32_t *)columns->values[COLUMN_SIP] + columns->settled;
	uint32_t *dip = (uint32_t *)columns->values[COLUMN_DIP] + columns->settled;
	uint32_t *nhip = (uint32_t *)columns->values[COLUMN_NHIP] + columns->settled;

	for (uint32_t i = 0; i < count; i++) {
		sip[i] = ip_to_v4(columns->stage[i].sip);
		dip[i] = ip_to_v4(columns->stage[i].dip);
	}
	for (uint32_t i = 0; i < count && !is_usual(columns, COLUMN_NHIP); i++) {
		nhip[i] = ip_to_v4(columns->stage[i].nhip);
	}
}

/* The compiler drops what is asked of addresses for all other columns. */
static ALWAYS_INLINE void spread(const struct flowcolumns *columns, uint32_t count)
{
#define X(upper, member, type)                                                                     \
	if ((!is_address(COLUMN_##upper) || !columns->narrow) &&                                   \
	    !is_usual(columns, COLUMN_##upper)) {                                                  \
		spread_##member(columns, count);                                                   \
	}
	RECORD_COLUMNS(X)
#undef X
	if (columns->narrow) {
		spread_narrow(columns, count);
	}
}

void flowcolumns_settle(struct flowcolumns *columns)
{
	uint32_t count = columns->rows - columns->settled;

	if (columns->settled + FLOWCOLUMNS_STAGED > columns->capacity) {
		columns->capacity = MAX(2 * columns->capacity, ROWS_AT_FIRST);
		allocate(columns);
	}
	if (columns->narrow && !stage_is_narrow(columns, count)) {
		widen(columns);
	}
	if (columns->usual_columns != 0) {
		watch(columns, count);
	}
	if (count == FLOWCOLUMNS_STAGED) {
		spread(columns, FLOWCOLUMNS_STAGED);
	} else {
		spread(columns, count);
	}
	columns->settled = columns->rows;
}
