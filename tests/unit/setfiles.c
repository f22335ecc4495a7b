/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/setfiles.h"

#include "tests/unit/unit.h"

const enum ipset_op setfiles_ops[SETFILES_OPS] = {
	IPSET_UNION,
	IPSET_INTERSECTION,
	IPSET_DIFFERENCE,
	IPSET_SYMMETRIC_DIFFERENCE,
};

uint32_t setfiles_random(GRand *rand, uint32_t limit)
{
	return (uint32_t)g_rand_int_range(rand, 0, (gint32)limit);
}

char *setfiles_path(size_t i)
{
	char name[16];

	g_snprintf(name, sizeof(name), "%zu.set", i);
	return g_build_filename(unit_scratch(), name, NULL);
}

void setfiles_write(const struct ipset *set, size_t i, uint16_t version, uint8_t compression)
{
	const struct ipset_write_opts opts = {
		.record_version = version,
		.compression = compression,
		.overwrite = true,
	};
	char *path = setfiles_path(i);

	CU_ASSERT_EQUAL_FATAL(ipset_write(set, path, &opts, NULL), ST_OK);
	g_free(path);
}
