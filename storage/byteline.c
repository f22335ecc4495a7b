/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/byteline.h"

#include <stdbool.h>
#include <string.h>

int byteline_read(struct bytesource *src, size_t bytes_max, GString *line, struct err *err)
{
	bool complete = false;
	size_t total = 0;

	g_string_truncate(line, 0);
	while (!complete) {
		const uint8_t *bytes;
		const uint8_t *newline;
		size_t len;
		size_t room = bytes_max - MIN(line->len, bytes_max);
		int status = bytesource_view(src, 1, &bytes, &len, err);

		if (status != ST_OK) {
			return status;
		}
		if (len == 0) {
			break;
		}
		newline = memchr(bytes, '\n', len);
		complete = newline != NULL;
		len = newline ? (size_t)(newline - bytes) : len;
		g_string_append_len(line, (const char *)bytes, (gssize)MIN(len, room));
		total += len + complete;
		bytesource_consume(src, len + complete);
	}
	if (total > bytes_max) {
		return err_set(err, ST_ELIMIT, "%s: a line is longer than %zu bytes",
			       bytesource_name(src), bytes_max);
	}
	return total ? ST_OK : ST_END;
}
