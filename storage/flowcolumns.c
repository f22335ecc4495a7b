/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/flowcolumns.h"

#include <glib.h>

#include "storage/column.h"

#define ROWS_AT_FIRST 64u
#define ALWAYS_INLINE inline __attribute__((always_inline))

static bool is_address(enum column column)
{
	return column == COLUMN_SIP || column == COLUMN_DIP || column == COLUMN_NHIP;
}

size_t flowcolumns_size(const struct flowcolumns *columns, enum column column)
{
	return is_address(column) && columns->narrow ? sizeof(uint32_t) : column_core(column)->size;
}

void flowcolumns_init(struct flowcolumns *columns)
{
	*columns = (struct flowcolumns){
		.narrow = true,
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
}

static void widen_column(struct flowcolumns *columns, enum column column)
{
	uint32_t *narrow = columns->values[column];
	struct ip *wide = g_new(struct ip, columns->capacity);

	for (uint32_t i = 0; i < columns->settled; i++) {
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
		nhip[i] = ip_to_v4(columns->stage[i].nhip);
	}
}

/* The compiler drops what is asked of addresses for all other columns. */
static ALWAYS_INLINE void spread(const struct flowcolumns *columns, uint32_t count)
{
#define X(upper, member, type)                                                                     \
	if (!is_address(COLUMN_##upper) || !columns->narrow) {                                     \
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
	if (count == FLOWCOLUMNS_STAGED) {
		spread(columns, FLOWCOLUMNS_STAGED);
	} else {
		spread(columns, count);
	}
	columns->settled = columns->rows;
}
