/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Number the groups of a stream of records: those that follow each other and agree in the fields of
 * a key, and in one more field but for a difference. The number is put into the next hop. The
 * engine of rwgroup.
 *
 *	flowgroup_new(&group, &spec);
 *	while (source_next(source, batch, COLUMNS_ALL)) {
 *		flowgroup_add(group, batch, err);		// calls spec.write()
 *	}
 *	flowgroup_finish(group, err);
 *	flowgroup_free(group);
 */
#ifndef TUSSAH_QUERY_FLOWGROUP_H
#define TUSSAH_QUERY_FLOWGROUP_H

#include "common/field.h"
#include "query/rowkey.h"

struct flowgroup_spec {
	const struct rowkey *key;  /* kept; may have no field */
	const struct field *delta; /* NULL: none */
	uint64_t delta_value; /* seconds of times; of addresses: so many bits at the end are ignored
			       */
	bool objective; /* measure delta from the first record of a group, not from the one before
			 */
	bool summarize; /* write one record for each group */
	uint32_t threshold; /* groups of fewer records are left out */
	struct ip offset;   /* number of the first group */
	bool offset_is_v6;  /* records become IPv6, to hold it */
	/* Where records go; anything but ST_OK ends the work. */
	int (*write)(void *arg, const struct record *rec, struct err *err);
	void *arg;
};

struct flowgroup;

/*
 * The greatest difference that makes sense for a field, in the units of delta_value; 0: there is
 * none for this field.
 */
uint64_t flowgroup_delta_max(const struct field *field);

struct flowgroup *flowgroup_new(const struct flowgroup_spec *spec);
void flowgroup_free(struct flowgroup *group);
/* Add the selected rows of a batch that holds all columns. ST_OK, or what write() returned. */
int flowgroup_add(struct flowgroup *group, const struct batch *batch, struct err *err);
/* No more records. */
int flowgroup_finish(struct flowgroup *group, struct err *err);
/* Was a record in front of one that should stand behind it? Then groups may be in pieces. */
bool flowgroup_unsorted(const struct flowgroup *group);

#endif
