/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An expression of rwfilter --where: refused with a message of three lines, or tests that run. */
#include "query/where.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void run(struct predicates *tests)
{
	struct batch *batch = batch_new();
	struct record rec;

	batch_clear(batch, COLUMNS_ALL);
	record_init(&rec);
	batch_append(batch, &rec);
	if (predicates_finish(tests, NULL) == ST_OK) {
		predicates_narrow(tests, batch);
		if (batch->selected > batch->rows) {
			abort();
		}
	}
	batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct extfields *ext = extfields_new();
	const struct where_scope scope = { .ext = ext };
	struct predicates *tests = NULL;
	struct err err;

	if (!text) {
		return 0;
	}
	memcpy(text, bytes, size);
	text[size] = '\0';
	/* files are not for a fuzzer to open */
	if (!strstr(text, "set") && !strstr(text, "SET") && !strstr(text, "map") &&
	    !strstr(text, "MAP")) {
		if (where_compile(&tests, text, &scope, &err) == ST_OK) {
			run(tests);
		} else if (tests || !strchr(err.text, '\n')) {
			abort();
		}
	}
	predicates_free(tests);
	extfields_free(ext);
	free(text);
	return 0;
}
