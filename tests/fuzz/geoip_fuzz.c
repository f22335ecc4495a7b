/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Old databases of countries: binary ones, and CSV behind a '='. Any map they give can be written.
 */
#include "query/geoip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ignore(const char *text)
{
	if (!text[0]) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct pmap_write_opts opts = { 0 };
	struct geoip geoip = { .warn = ignore };
	bool csv = size && bytes[0] == '=';
	struct bytesource *src = bytesource_memory(bytes + csv, size - csv, "fuzz");
	struct err err;
	int status = csv ? geoip_read_old_csv(&geoip, src, &err)
			 : geoip_read_old_binary(&geoip, src, &err);

	if (status == ST_OK) {
		struct bytesink *sink = bytesink_memory("fuzz");

		if (pmap_write_to(geoip.map, sink, &opts, NULL) != ST_OK) {
			abort();
		}
		bytesink_close(sink, NULL);
	}
	pmap_free(geoip.map);
	bytesource_close(src);
	return 0;
}
