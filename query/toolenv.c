/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Apart from tool.c, so that engines that look at the environment can be tested without a tool. */
#include "query/tool.h"

#include <stdlib.h>

#include "storage/bytesink.h"

const char *tool_getenv(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

bool tool_clobbers(void)
{
	return bytesink_clobbers(getenv("SILK_CLOBBER"));
}

bool tool_has_env(const char *name)
{
	return getenv(name) != NULL;
}
