/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threat lists as they are published: addresses among comments, in CSV, or in STIX patterns.
 *
 *	struct threattext threat;
 *	const char *text;
 *
 *	threattext_start(&threat, line);
 *	while ((text = threattext_next(&threat))) ... an address, block or range, if it is one
 *
 * What counts on a line is
 * - of a STIX pattern, [ipv4-addr:value = '192.0.2.1' OR ipv6-addr:value IN ('2001:db8::1')],
 *   every quoted value that an address is compared with;
 * - else the first column: up to a comma, semicolon, bar, tab, "#" or "//", without quotes.
 * Comments start with "#", ";" or "//". Dots and colons in brackets, 192[.]0[.]2[.]1, are plain
 * ones.
 */
#ifndef TUSSAH_QUERY_THREATTEXT_H
#define TUSSAH_QUERY_THREATTEXT_H

#include <stdbool.h>

/* One line. Plain data. */
struct threattext {
	char *rest; /* NULL: nothing more */
	bool is_stix;
	bool is_address; /* the object path last seen is that of an address */
};

/* line is borrowed, and changed, until the last text is read. */
void threattext_start(struct threattext *threat, char *line);

/* The next text, NUL-terminated, without blanks around; it lies in the line. NULL: no more. */
char *threattext_next(struct threattext *threat);

#endif
