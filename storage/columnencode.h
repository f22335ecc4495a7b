/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The columns of a block that is being made, one after the other: the values of all rows are widened
 * into one array, measured (least, greatest, sum) and encoded as a stream (storage/FORMAT.md
 * section 4).
 *
 *	struct columnencoder *encoder = columnencoder_new(false, &defaults);
 *	columnencoder_begin(encoder, &columns);
 *	if (columnencoder_core(encoder, COLUMN_BYTES, stream, &column)) ...
 *	columnencoder_extension(encoder, extension, stream, &column);
 *	columnencoder_free(encoder);
 */
#ifndef TUSSAH_STORAGE_COLUMNENCODE_H
#define TUSSAH_STORAGE_COLUMNENCODE_H

#include "storage/extension.h"
#include "storage/flowblock.h"
#include "storage/flowcolumns.h"

struct columnencoder;

/* quick: made fast rather than small. A core column of which all rows are as in defaults, which are
 * copied, is not encoded. */
struct columnencoder *columnencoder_new(bool quick, const struct record *defaults);
void columnencoder_free(struct columnencoder *encoder);

/* The rows of the next block, at least one, settled; borrowed until the next call. */
void columnencoder_begin(struct columnencoder *encoder, struct flowcolumns *columns);
/* Give back the room; it is made again when it is needed. */
void columnencoder_trim(struct columnencoder *encoder);

/*
 * Append the stream of a core column, and set type, flags, range and sum of its entry in the
 * directory, which is zero but for the key. false: all rows have the default, and nothing was
 * appended. Each column once, as the values may be changed.
 */
bool columnencoder_core(struct columnencoder *encoder, enum column core, GByteArray *stream,
			struct flowblock_column *out);
/* The same of an extension column of these rows; rows without a value are told in the stream. */
void columnencoder_extension(struct columnencoder *encoder,
			     const struct extension_column *extension, GByteArray *stream,
			     struct flowblock_column *out);
/* The addresses of a core column, by row; borrowed until the next call of any of these. */
const struct ip *columnencoder_addresses(struct columnencoder *encoder, enum column core);

#endif
