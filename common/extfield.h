/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields of extension columns: information elements beyond the field table, named like any other
 * field by their name ("samplingPacketInterval"), by enterprise and number ("6871/114") or, of
 * IANA's, by number ("ie305"). They are made as they are named; elements that the field table has
 * are its fields.
 *
 *	struct extfields *ext = extfields_new();
 *	rc = extfields_parse_list(ext, "sIP,postNATSourceIPv4Address", 0, &fields, &count, err);
 *	extfields_want(ext, batch);			// before the batch is first read into
 *	...
 *	field_load(fields[i], batch, row, ctx, &value);
 *	extfields_free(ext);				// and with it its fields
 *
 * Byte strings that become keys are kept until then, each once. Threads: one at a time.
 */
#ifndef TUSSAH_COMMON_EXTFIELD_H
#define TUSSAH_COMMON_EXTFIELD_H

#include "common/field.h"

struct extfields;

/* Never NULL; costs nothing until an element is named. */
struct extfields *extfields_new(void);
void extfields_free(struct extfields *ext);

/*
 * A field that someone else makes, found like those of the field table from now on. Kept; it must
 * live as long as it is used.
 */
void extfields_add(struct extfields *ext, const struct field *field);
/* Those that were added, in order; NULL: no more. */
const struct field *extfields_added(const struct extfields *ext, size_t i);

/* As field_find_in(), of the field table, of fields that were added and, where these have no such
 * name, of elements. */
const struct field *extfields_find(struct extfields *ext, const char *name, unsigned flags,
				   struct err *err);
/* As field_parse_list(), with elements. */
int extfields_parse_list(struct extfields *ext, const char *text, unsigned flags,
			 const struct field ***out, size_t *count, struct err *err);

/* Was a field named that looks labels up? */
bool extfields_need_labels(const struct extfields *ext);

enum extfield_label {
	EXTFIELD_INTERFACE,   /* number */
	EXTFIELD_APPLICATION, /* bytes of IE 95 */
};
struct extfield_question {
	enum extfield_label label;
	uint16_t sensor;
	uint64_t number;
	struct batch_bytes bytes;
};
/* The answer is borrowed as long as the fields live; NULL: none. */
typedef const char *(*extfield_label_fn)(void *arg, const struct extfield_question *question);
/* Who knows labels; without, there are none. */
void extfields_set_labels(struct extfields *ext, extfield_label_fn find, void *arg);

/* Names and meanings of the fields that look labels up. */
struct extfield_label_row {
	const char *name;
	const char *help;
	enum extfield_label label;
	uint32_t columns;  /* COLUMN_BITs that are read */
	struct ie_key id;  /* 0/0: the number is in columns */
	struct ie_key own; /* where a record may have the name itself; 0/0: nowhere */
};
extern const struct extfield_label_row extfield_labels[];
extern const size_t extfield_label_count;

/* What is looked up for a field that extfields made; NULL: it is an element. */
const struct extfield_label_row *extfield_label_of(const struct field *field);
/*
 * As field_load() of a field that looks labels up, in a batch whose columns were asked for by other
 * means: id and own are those of the row's elements; NULL: there are none.
 */
void extfield_load_label(const struct field *field, const struct batch *batch, uint32_t row,
			 const struct batch_extension *id, const struct batch_extension *own,
			 struct value *out);

/* Have the batch filled with the elements that were named. */
void extfields_want(const struct extfields *ext, struct batch *batch);

/* Give a loaded value a byte string of its own, for longer than the batch; and let go of it. A
 * zeroed value may be dropped. */
void extfield_copy(struct value *value);
void extfield_drop(struct value *value);

/* The length of a byte string that is kept. */
size_t extfield_kept_length(const uint8_t *bytes);

#endif
