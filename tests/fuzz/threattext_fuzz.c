/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A threat list: what is found must lie inside its line, and be an address or refused as one. */
#include "query/threattext.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *all = malloc(size + 1);
	char *line = all;

	if (!all) {
		return 0;
	}
	memcpy(all, bytes, size);
	all[size] = '\0';
	while (line) {
		char *end = strchr(line, '\n');
		struct threattext threat;
		const char *text;
		struct cidr block;
		size_t len;

		if (end) {
			*end = '\0';
		}
		len = strlen(line);
		threattext_start(&threat, line);
		while ((text = threattext_next(&threat))) {
			if (text < line || text + strlen(text) > line + len) {
				abort();
			}
			cidr_parse_range(text, &block, NULL);
		}
		line = end ? end + 1 : NULL;
	}
	free(all);
	return 0;
}
