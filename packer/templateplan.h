/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How records of one template are read: which bytes go where, worked out once. What makes a record
 * goes to struct ipfix_fields (packer/ipfixmap.h), every other element to extension columns. With
 * fixed lengths all offsets are constants, and fields of one kind are copied in one go.
 *
 *	plan = templateplan_new(tmpl, &mapping, model);	// g_free()
 *	templateplan_begin(plan, &values);			// once for many records
 *	templateplan_read(plan, record, &values);		// fixed lengths: cannot fail
 *	st = templateplan_walk(plan, tmpl, &bytes, &values, err);	// variable ones
 *	ipfix_map(..., &output);
 *	templateplan_finish(plan, &values, &rec, reverse, others);
 */
#ifndef TUSSAH_PACKER_TEMPLATEPLAN_H
#define TUSSAH_PACKER_TEMPLATEPLAN_H

#include "common/iemodel.h"
#include "packer/extras.h"
#include "packer/ipfixmap.h"
#include "packer/template.h"

/* Values of one record; the plan's ops write at offsets of this struct. */
struct templateplan_values {
	struct ipfix_fields fields;
	struct template_bytes list; /* subTemplateMultiList */
	struct extras extras;       /* first the plan's, then what is appended */
	struct extras reverse;      /* those of the reverse direction (RFC 5103), the plan's */
};

struct templateplan;

/* Where in the extras of a record some elements are; -1: they are not. */
struct templateplan_places {
	int sampler; /* samplerId or selectorId */
	int sampling_interval;
	int packet_interval;
	int packet_space;
	int frame; /* dataLinkFrameSection */
	int frame_size;
	int ip_section; /* ipHeaderPacketSection */
	int tos;
	int vlan;
};

/* mapping decides what the interfaces are, the model what types columns have; not kept. */
struct templateplan *templateplan_new(const struct template *tmpl,
				      const struct ipfix_mapping *mapping,
				      const struct iemodel *model);
const struct ipfix_shape *templateplan_shape(const struct templateplan *plan);
const struct templateplan_places *templateplan_places(const struct templateplan *plan);
/* Values of each record that no column can be made of. */
unsigned templateplan_lost(const struct templateplan *plan);

/* Clear the values, and write what is the same in every record. */
void templateplan_begin(const struct templateplan *plan, struct templateplan_values *values);

/* record: tmpl->min_len bytes, which values of extras point into. */
void templateplan_read(const struct templateplan *plan, const uint8_t *record,
		       struct templateplan_values *values);
/* Eats one record. ST_OK, ST_EFORMAT. */
int templateplan_walk(const struct templateplan *plan, const struct template *tmpl,
		      struct template_bytes *bytes, struct templateplan_values *values,
		      struct err *err);

/*
 * Append to values->extras what the record rec, as mapped, had no room for. both: a reverse record
 * was made too.
 */
void templateplan_finish(const struct templateplan *plan, struct templateplan_values *values,
			 const struct record *rec, bool both);
/* The extras of the reverse record, or of one seen in that direction only: sides exchanged. */
void templateplan_turn(const struct templateplan_values *values, struct extras *out);

#endif
