/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one main() of all query tools; apart, so that unit tests can link the rest. */
#include "common/stdstreams.h"
#include "query/tool.h"

int main(int argc, char **argv)
{
	stdstreams_guard();
	return tool_run(argc, argv);
}
