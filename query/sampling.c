/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sampling.h"

#include "common/extvalue.h"

static const char *const modes[] = { "none", "scale", NULL };
enum { MODE_NONE, MODE_SCALE };

/* samplingInterval of NetFlow, and what sFlow and IPFIX have; the first that is there counts. */
static const struct ie_key rates[] = { { 0, 34 }, { 0, 305 } };
#define RATES (sizeof(rates) / sizeof(rates[0]))

const struct opt sampling_opt_table[] = {
	OPT_CHOICE(struct sampling_opts, mode, "sampling", 0, "MODE", modes,
		   "count packets and bytes as they are, or times the sampling rate of the record",
		   .default_text = "none", .flags = OPT_ADDED),
	OPT_END,
};

void sampling_want(const struct sampling_opts *opts, struct batch *batch)
{
	for (size_t i = 0; opts->mode == MODE_SCALE && i < RATES; i++) {
		batch_want(batch, rates[i]);
	}
}

static uint64_t rate_of(const struct batch *batch, uint32_t row)
{
	const size_t first = batch_extension_count(batch) - RATES;

	for (size_t i = 0; i < RATES; i++) {
		const struct batch_extension *column = batch_extension(batch, first + i);

		if (column->any && column->present[row] && column->type >= IE_UNSIGNED8 &&
		    column->type <= IE_UNSIGNED64) {
			return column->numbers[row];
		}
	}
	return 1;
}

static void multiply(uint64_t *number, uint64_t rate)
{
	if (__builtin_mul_overflow(*number, rate, number)) {
		*number = UINT64_MAX;
	}
}

void sampling_scale(const struct sampling_opts *opts, struct batch *batch)
{
	for (uint32_t i = 0; opts->mode == MODE_SCALE && i < batch->selected; i++) {
		uint32_t row = batch->selection[i];
		uint64_t rate = rate_of(batch, row);

		if (rate > 1 && batch->columns & COLUMN_BIT(COLUMN_PACKETS)) {
			multiply(&batch->packets[row], rate);
		}
		if (rate > 1 && batch->columns & COLUMN_BIT(COLUMN_BYTES)) {
			multiply(&batch->bytes[row], rate);
		}
	}
}
