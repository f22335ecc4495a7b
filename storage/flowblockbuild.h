/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The making of one block of a block file (storage/FORMAT.md 2.2, 2.3): records are kept as one array
 * per column until the block is built.
 *
 *	struct flowblock_builder *builder = flowblock_builder_new(&opts);
 *	flowblock_add(builder, &rec);				// until flowblock_is_full()
 *	flowblock_build(builder, &bytes, &len, err);		// the whole block, ready to write
 *	flowblock_builder_free(builder);
 */
#ifndef TUSSAH_STORAGE_FLOWBLOCKBUILD_H
#define TUSSAH_STORAGE_FLOWBLOCKBUILD_H

#include "common/record.h"
#include "storage/flowblock.h"

struct flowblock_opts {
	uint8_t compression; /* enum chunk_compression, where it helps */
	bool no_filter;
	/* Blocks that are sealed soon: made fast rather than small, not compressed, no filter, of
	 * fewer rows. */
	bool quick;
	uint16_t sensor; /* of the file: the default of these columns */
	uint8_t flowtype;
};

struct flowblock_builder;

struct flowblock_builder *flowblock_builder_new(const struct flowblock_opts *opts);
void flowblock_builder_free(struct flowblock_builder *builder);
uint32_t flowblock_rows(const struct flowblock_builder *builder);
/* No more records may be added before flowblock_build(): there are FLOWBLOCK_ROWS_MAX, or their
 * extension values take so much room that the block had better end. */
bool flowblock_is_full(const struct flowblock_builder *builder);
/* Add one record to a builder that is not full. */
void flowblock_add(struct flowblock_builder *builder, const struct record *rec);

/*
 * Give the record added last a value of an extension column; value is copied. The first value
 * decides the type of the column. ST_OK; ST_EINVAL: another type later in the block, a second value
 * of the record, or a column of struct record; ST_ELIMIT: too many columns.
 */
int flowblock_set(struct flowblock_builder *builder, const struct flowblock_value *value,
		  struct err *err);

/* Records that may be added before it is full, unless their values take much room. */
uint32_t flowblock_room(const struct flowblock_builder *builder);
/* Add as many, at least one; what costs something for each is done for all together. Returns how
 * many values flowblock_set() would have refused. */
size_t flowblock_add_rows(struct flowblock_builder *builder, struct flowblock_row *const *rows,
			  size_t count);

/*
 * Encode everything added, which is at least one row, behind what out has; on failure out is as it
 * was. The builder is empty then. ST_OK, ST_ELIMIT (more than a body may hold), ST_EIO (a
 * compression library failed).
 */
int flowblock_append(struct flowblock_builder *builder, GByteArray *out, struct err *err);

/*
 * The same; *bytes (header and body, in one piece) are borrowed until the next call.
 */
int flowblock_build(struct flowblock_builder *builder, const uint8_t **bytes, size_t *len,
		    struct err *err);
/* Distinct addresses of the block built last, for the filter of a file: their hashes. Borrowed. */
const uint64_t *flowblock_address_hashes(const struct flowblock_builder *builder, size_t *count);

#endif
