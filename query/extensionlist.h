/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which extension columns a block file has.
 *
 *	struct extensionlist *list = extensionlist_new(blocks);
 *	for (size_t i = 0; i < extensionlist_count(list); i++) {
 *		puts(extensionlist_text(list, i));
 *	}
 *	extensionlist_free(list);
 */
#ifndef TUSSAH_QUERY_EXTENSIONLIST_H
#define TUSSAH_QUERY_EXTENSIONLIST_H

#include "storage/blockfile.h"

struct extensionlist;

/* Never NULL. In ascending order of (enterprise, element). */
struct extensionlist *extensionlist_new(const struct blockfile *blocks);
void extensionlist_free(struct extensionlist *list);
size_t extensionlist_count(const struct extensionlist *list);
/* "samplingPacketInterval 0/305 unsigned32, in 2 of 3 blocks"; an element that is not known has no
 * name. Borrowed. */
const char *extensionlist_text(const struct extensionlist *list, size_t i);

#endif
