/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Extension columns of batches as elements of libfixbuf's templates. Which a record has differs
 * from record to record; each combination, of one kind of records, is a set and has a template of
 * its own.
 *
 *	set = ipfixelements_of_row(elements, batch, row, kind, false);
 *	if (set) {
 *		ipfixelements_append(set, template, &gerror);	// once for each template
 *		ipfixelements_fill(elements, set, behind);	// of the row asked for last
 *	}
 *
 * Left out are what the fields of every record tell, lists (whose templates are not there any more),
 * elements whose numbers IPFIX does not have, values that are not of their element's type, and what
 * would make a record too long for a message. Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_IPFIXELEMENTS_H
#define TUSSAH_QUERY_IPFIXELEMENTS_H

#include <fixbuf/public.h>

#include "common/batch.h"

/* Bytes that the elements of a record take in front of libfixbuf, at most. */
#define IPFIXELEMENTS_BYTES 4096

struct ipfixelements_set {
	unsigned number; /* 0, 1, ... in the order of their coming */
	size_t bytes; /* of a record's elements in front of libfixbuf; at most IPFIXELEMENTS_BYTES */
};

struct ipfixelements;

/* The model is kept, and learns of elements that it does not know. */
struct ipfixelements *ipfixelements_new(fbInfoModel_t *model);
void ipfixelements_free(struct ipfixelements *elements);

/*
 * The set of the row, which lasts as long as elements. kind: any number. NULL: the row has none that
 * can be written; if always, that is a set, too.
 */
const struct ipfixelements_set *ipfixelements_of_row(struct ipfixelements *elements,
						     const struct batch *batch, uint32_t row,
						     uint16_t kind, bool always);

/* Add those of the set to a template, internal or external. false: *gerror says why. */
bool ipfixelements_append(const struct ipfixelements_set *set, fbTemplate_t *template,
			  GError **gerror);

/* Write the values of the row that was asked for last; byte strings are borrowed from its batch. */
void ipfixelements_fill(const struct ipfixelements *elements, const struct ipfixelements_set *set,
			uint8_t *out);

/* Rows that lost their elements, as there were too many sets already. */
uint64_t ipfixelements_left_out(const struct ipfixelements *elements);

#endif
