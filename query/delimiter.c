/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/delimiter.h"

#include <stddef.h>

const char *delimiter_other_meaning(char c)
{
	static const struct {
		char c;
		const char *meaning;
	} taken[] = {
		{ '#', "comment start('#')" },
		{ '\n', "newline" },
		{ '\r', "carriage return" },
		{ '\0', "end-of-string" },
	};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (taken[i].c == c) {
			return taken[i].meaning;
		}
	}
	return NULL;
}
