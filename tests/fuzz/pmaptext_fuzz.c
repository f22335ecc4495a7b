/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of rwpmapbuild: whatever it says, the map that comes out of it can be written and read.
 */
#include "query/pmaptext.h"

#include <stdlib.h>

#include "storage/byteline.h"

#define LINE_BYTES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ignore(void *arg, const char *text)
{
	++*(unsigned *)arg;
}

static void check(const struct pmap *pmap)
{
	const struct pmap_write_opts opts = { 0 };
	struct bytesink *sink = bytesink_memory("fuzz");
	struct bytesource *src;
	struct pmap *again = NULL;
	const uint8_t *written;
	size_t len;

	if (pmap_write_to(pmap, sink, &opts, NULL) != ST_OK) {
		abort();
	}
	written = bytesink_bytes(sink, &len);
	src = bytesource_memory(written, len, "fuzz");
	if (pmap_read_from(&again, src, NULL, NULL) != ST_OK) {
		abort();
	}
	pmap_free(again);
	bytesource_close(src);
	bytesink_close(sink, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct bytesource *src = bytesource_memory(bytes, size, "fuzz");
	GString *line = g_string_new(NULL);
	unsigned warnings = 0;
	struct pmaptext *text = pmaptext_new(ignore, &warnings);
	struct pmap *pmap;
	unsigned faults;

	while (byteline_read(src, LINE_BYTES_MAX, line, NULL) == ST_OK &&
	       pmaptext_line(text, line->str, line->len) == ST_OK) {
	}
	pmap = pmaptext_finish(text, &faults);
	if (faults != warnings) {
		abort();
	}
	/* holes make large files, and a map of ports without words one that SiLK cannot read */
	if (pmap_word_limit(pmap) < 1u << 16 &&
	    (pmap_kind(pmap) != PMAP_PROTO_PORT || pmap_word_limit(pmap))) {
		check(pmap);
	}
	pmap_free(pmap);
	g_string_free(line, TRUE);
	bytesource_close(src);
	return 0;
}
