/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts of a saved state: each a tag, a length, and numbers in network order.
 *
 *	guint at = statebytes_begin(out, TAG);
 *	statebytes_put(out, value, 4);
 *	statebytes_end(out, at);
 *
 *	while ((more = statebytes_next(&state, &tag, &part)) == ST_OK)
 *		ok = statebytes_get(&part, 4, &value);
 */
#ifndef TUSSAH_PACKER_STATEBYTES_H
#define TUSSAH_PACKER_STATEBYTES_H

#include <glib.h>

#include "common/bigendian.h"
#include "packer/template.h"

#define STATEBYTES_HEAD 5 /* tag, length */

static inline void statebytes_put(GByteArray *out, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	put_be64(bytes, value);
	g_byte_array_append(out, bytes + 8 - size, (guint)size);
}

static inline guint statebytes_begin(GByteArray *out, uint8_t tag)
{
	guint at = out->len;

	statebytes_put(out, tag, 1);
	statebytes_put(out, 0, 4);
	return at;
}

static inline void statebytes_end(GByteArray *out, guint at)
{
	put_be32(out->data + at + 1, out->len - at - STATEBYTES_HEAD);
}

/* False: there are not so many bytes; *value is 0 then. */
static inline bool statebytes_get(struct template_bytes *part, size_t size, uint64_t *value)
{
	const uint8_t *p = template_eat(part, size);

	*value = 0;
	for (size_t i = 0; p && i < size; i++) {
		*value = *value << 8 | p[i];
	}
	return p != NULL;
}

/* The next part. ST_OK, ST_END, ST_EFORMAT: cut short. */
static inline int statebytes_next(struct template_bytes *state, uint8_t *tag,
				  struct template_bytes *part)
{
	const uint8_t *p;

	if (state->left == 0) {
		return ST_END;
	}
	p = template_eat(state, STATEBYTES_HEAD);
	if (!p) {
		return ST_EFORMAT;
	}
	*tag = p[0];
	part->left = get_be32(p + 1);
	part->at = template_eat(state, part->left);
	return part->at ? ST_OK : ST_EFORMAT;
}

#endif
