/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/flowcolumns.h"

#include <glib.h>

#include "tests/unit/unit.h"

static struct record make(uint32_t i, uint32_t first_v6)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = -(int64_t)i;
	rec.sip = ip_from_v4(i);
	rec.dip = ip_from_v4(~i);
	rec.nhip = i >= first_v6 ? (struct ip){ UINT64_C(0x20010db8) << 32, i } : rec.nhip;
	rec.packets = i + 1;
	rec.sport = (uint16_t)i;
	rec.flags = (uint8_t)i;
	rec.input = i < 100 ? 7 : 8; /* usual is 7 */
	rec.memo = i == 500;
	return rec;
}

static bool is_usual(const struct flowcolumns *columns, enum column column)
{
	return columns->usual_columns & COLUMN_BIT(column);
}

static struct ip address(const struct flowcolumns *columns, enum column column, uint32_t row)
{
	if (is_usual(columns, column)) {
		return ip_from_v4(0);
	}
	return columns->narrow ? ip_from_v4(((const uint32_t *)columns->values[column])[row])
			       : ((const struct ip *)columns->values[column])[row];
}

static uint32_t count_wrong(const struct flowcolumns *columns, uint32_t first_v6)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < columns->rows; i++) {
		const struct record rec = make(i, first_v6);

		wrong +=
			((const int64_t *)columns->values[COLUMN_START])[i] != rec.start_ns ||
			!ip_equal(address(columns, COLUMN_SIP, i), rec.sip) ||
			!ip_equal(address(columns, COLUMN_DIP, i), rec.dip) ||
			!ip_equal(address(columns, COLUMN_NHIP, i), rec.nhip) ||
			((const uint64_t *)columns->values[COLUMN_PACKETS])[i] != rec.packets ||
			((const uint16_t *)columns->values[COLUMN_SPORT])[i] != rec.sport ||
			((const uint8_t *)columns->values[COLUMN_FLAGS])[i] != rec.flags ||
			(is_usual(columns, COLUMN_INPUT)
				 ? 7
				 : ((const uint32_t *)columns->values[COLUMN_INPUT])[i]) !=
				rec.input ||
			(is_usual(columns, COLUMN_MEMO)
				 ? 0
				 : ((const uint16_t *)columns->values[COLUMN_MEMO])[i]) != rec.memo;
	}
	return wrong;
}

/* Every number of rows around those that are settled at once; addresses that do not fit 32 bits
 * from none, the first, one in the middle, or the last row on. */
static void test_rows(void)
{
	const uint32_t counts[] = { 1, 63, 64, 65, 128, 1000 };
	struct record usual = make(0, UINT32_MAX);
	struct flowcolumns columns;

	flowcolumns_init(&columns, &usual);
	for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
		const uint32_t v6[] = { UINT32_MAX, 0, counts[c] / 2, counts[c] - 1 };

		for (size_t i = 0; i < G_N_ELEMENTS(v6); i++) {
			unit_at("%u rows, IPv6 from %u on", counts[c], v6[i]);
			for (uint32_t row = 0; row < counts[c]; row++) {
				const struct record rec = make(row, v6[i]);

				flowcolumns_add(&columns, &rec);
			}
			flowcolumns_settle(&columns);
			UNIT_ASSERT_U64(columns.rows, counts[c]);
			CU_ASSERT_EQUAL(columns.narrow, v6[i] == UINT32_MAX);
			UNIT_ASSERT_U64(flowcolumns_size(&columns, COLUMN_NHIP),
					columns.narrow ? 4 : 16);
			UNIT_ASSERT_U64(count_wrong(&columns, v6[i]), 0);
			CU_ASSERT_EQUAL(is_usual(&columns, COLUMN_NHIP), columns.narrow);
			CU_ASSERT_EQUAL(is_usual(&columns, COLUMN_INPUT), counts[c] <= 100);
			CU_ASSERT_EQUAL(is_usual(&columns, COLUMN_MEMO), counts[c] <= 500);
			CU_ASSERT(is_usual(&columns, COLUMN_STATE));
			flowcolumns_clear(&columns);
		}
	}
	flowcolumns_release(&columns);
}

/* Rows that come after others were settled. */
static void test_settled_twice(void)
{
	struct record usual = make(0, UINT32_MAX);
	struct flowcolumns columns;

	flowcolumns_init(&columns, &usual);
	for (uint32_t row = 0; row < 500; row++) {
		const struct record rec = make(row, 300);

		flowcolumns_add(&columns, &rec);
		if (row % 37 == 0) {
			flowcolumns_settle(&columns);
		}
	}
	flowcolumns_settle(&columns);
	UNIT_ASSERT_U64(count_wrong(&columns, 300), 0);
	flowcolumns_release(&columns);
}

/* Many at once, between others that come one by one. */
static void test_many(void)
{
	enum { ROWS = 500 };
	static struct record made[ROWS];
	const struct record *rows[ROWS];
	struct record usual = make(0, UINT32_MAX);
	struct flowcolumns columns;
	const uint32_t counts[] = { 1, 5, 64, 70, 129, ROWS };

	for (uint32_t row = 0; row < ROWS; row++) {
		made[row] = make(row, 300);
		rows[row] = &made[row];
	}
	flowcolumns_init(&columns, &usual);
	for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
		unit_at("%u at once", counts[c]);
		for (uint32_t row = 0; row < ROWS;) {
			const uint32_t some = MIN(counts[c], ROWS - row);

			flowcolumns_add_rows(&columns, rows + row, some);
			row += some;
			if (row < ROWS) {
				flowcolumns_add(&columns, rows[row++]);
			}
			UNIT_ASSERT_U64(columns.rows, row);
		}
		flowcolumns_settle(&columns);
		UNIT_ASSERT_U64(columns.rows, ROWS);
		UNIT_ASSERT_U64(count_wrong(&columns, 300), 0);
		flowcolumns_clear(&columns);
	}
	flowcolumns_release(&columns);
}

static const struct unit_case cases[] = {
	{ "rows", test_rows },
	{ "settled more than once", test_settled_twice },
	{ "many at once", test_many },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("flowcolumns", cases);
}
