/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of fields that look labels up, apart from the rest so that it costs no library. */
#include "common/extfield.h"

#include <glib.h>

/* clang-format off */
const struct extfield_label_row extfield_labels[] = {
	{ .name = "inName", .help = "name that the exporter gave to the input interface",
	  .label = EXTFIELD_INTERFACE,
	  .columns = COLUMN_BIT(COLUMN_INPUT) | COLUMN_BIT(COLUMN_SENSOR) },
	{ .name = "outName", .help = "name that the exporter gave to the output interface",
	  .label = EXTFIELD_INTERFACE,
	  .columns = COLUMN_BIT(COLUMN_OUTPUT) | COLUMN_BIT(COLUMN_SENSOR) },
	{ .name = "applicationName", .help = "name of the application that the exporter saw",
	  .label = EXTFIELD_APPLICATION, .columns = COLUMN_BIT(COLUMN_SENSOR),
	  .id = { 0, 95 }, .own = { 0, 96 } },
};
/* clang-format on */
const size_t extfield_label_count = G_N_ELEMENTS(extfield_labels);
