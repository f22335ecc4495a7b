/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/batch.h"

#include <assert.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

struct batch_extensions {
	bool every;
	size_t count;
	GPtrArray *columns; /* struct batch_extension; count of them are in use */
};

struct batch *batch_new(void)
{
	/* Columns are aligned for vector loads; nothing of them is read before it is filled. */
	struct batch *batch = aligned_alloc(_Alignof(struct batch), sizeof(*batch));

	if (batch == NULL) {
		g_error("out of memory for a batch");
	}
	batch->extensions = NULL;
	batch_clear(batch, 0);
	return batch;
}

void batch_free(struct batch *batch)
{
	if (batch != NULL && batch->extensions != NULL) {
		g_ptr_array_unref(batch->extensions->columns);
		g_free(batch->extensions);
	}
	free(batch);
}

/* ---- extension columns ---- */

static struct batch_extensions *make_extensions(struct batch *batch)
{
	if (batch->extensions == NULL) {
		batch->extensions = g_new0(struct batch_extensions, 1);
		batch->extensions->columns = g_ptr_array_new_with_free_func(g_free);
	}
	return batch->extensions;
}

static void set_extension(struct batch_extensions *extensions, size_t i, struct ie_key key)
{
	struct batch_extension *column;

	if (i == extensions->columns->len) {
		g_ptr_array_add(extensions->columns, g_new(struct batch_extension, 1));
	}
	column = g_ptr_array_index(extensions->columns, i);
	column->key = key;
	column->any = false;
}

void batch_want(struct batch *batch, struct ie_key key)
{
	struct batch_extensions *extensions = make_extensions(batch);

	set_extension(extensions, extensions->count++, key);
}

void batch_want_every(struct batch *batch)
{
	make_extensions(batch)->every = true;
}

size_t batch_extension_count(const struct batch *batch)
{
	return batch->extensions != NULL ? batch->extensions->count : 0;
}

struct batch_extension *batch_extension(const struct batch *batch, size_t i)
{
	assert(i < batch_extension_count(batch));
	return g_ptr_array_index(batch->extensions->columns, i);
}

void batch_set_extensions(struct batch *batch, const struct ie_key *keys, size_t count)
{
	if (batch->extensions == NULL || !batch->extensions->every) {
		return;
	}
	/* columns that are not used now stay for later blocks */
	batch->extensions->count = count;
	for (size_t i = 0; i < count; i++) {
		set_extension(batch->extensions, i, keys[i]);
	}
}

void batch_clear_extensions(struct batch *batch)
{
	for (size_t i = 0; i < batch_extension_count(batch); i++) {
		batch_extension(batch, i)->any = false;
	}
}

/* ---- rows ---- */

void batch_clear(struct batch *batch, uint32_t columns)
{
	batch->rows = 0;
	batch->selected = 0;
	batch->columns = columns;
	batch_clear_extensions(batch);
}

void batch_select_all(struct batch *batch)
{
	for (uint32_t i = 0; i < batch->rows; i++) {
		batch->selection[i] = (uint16_t)i;
	}
	batch->selected = batch->rows;
}

void batch_get(const struct batch *batch, uint32_t row, struct record *out)
{
	assert(row < batch->rows);
	record_init(out);
#define X(upper, member, type)                                                                     \
	if (batch->columns & COLUMN_BIT(COLUMN_##upper)) {                                         \
		out->member = batch->member[row];                                                  \
	}
	RECORD_COLUMNS(X)
#undef X
}

void batch_append(struct batch *batch, const struct record *rec)
{
	uint32_t row = batch->rows++;

	assert(row < BATCH_ROWS);
#define X(upper, member, type) batch->member[row] = rec->member;
	RECORD_COLUMNS(X)
#undef X
	batch->selection[batch->selected++] = (uint16_t)row;
}

#define ADDRESSES (COLUMN_BIT(COLUMN_SIP) | COLUMN_BIT(COLUMN_DIP) | COLUMN_BIT(COLUMN_NHIP))

uint32_t ipv6_policy_columns(enum ipv6_policy policy, uint32_t wanted)
{
	static const uint32_t needed[] = {
		[IPV6_IGNORE] = COLUMN_BIT(COLUMN_STATE),
		[IPV6_ASV4] = COLUMN_BIT(COLUMN_STATE) | ADDRESSES,
		[IPV6_MIX] = 0,
		[IPV6_FORCE] = COLUMN_BIT(COLUMN_STATE),
		[IPV6_ONLY] = COLUMN_BIT(COLUMN_STATE),
	};

	return wanted | needed[policy];
}

/* An IPv6 record becomes IPv4 when all of its addresses can; false: it cannot. */
static bool to_v4(struct batch *batch, uint32_t row)
{
	struct ip *nhip = &batch->nhip[row];
	bool no_nhip = nhip->hi == 0 && nhip->lo == 0;

	if (!ip_is_mapped(batch->sip[row]) || !ip_is_mapped(batch->dip[row]) ||
	    (!no_nhip && !ip_is_mapped(*nhip))) {
		return false;
	}
	if (no_nhip) {
		*nhip = ip_from_v4(0);
	}
	batch->state[row] &= (uint8_t)~RECORD_IPV6;
	return true;
}

/* Does the policy keep this row? It is converted on the way. */
static bool keep_row(struct batch *batch, uint32_t row, enum ipv6_policy policy)
{
	bool is_v6 = batch->state[row] & RECORD_IPV6;

	switch (policy) {
	case IPV6_IGNORE:
		return !is_v6;
	case IPV6_ASV4:
		return !is_v6 || to_v4(batch, row);
	case IPV6_FORCE:
		/* Addresses are kept in their mapped form already. */
		batch->state[row] |= RECORD_IPV6;
		return true;
	case IPV6_ONLY:
		return is_v6;
	case IPV6_MIX:
		break;
	}
	return true;
}

void batch_apply_ipv6_policy(struct batch *batch, enum ipv6_policy policy)
{
	uint32_t kept = 0;

	if (policy == IPV6_MIX) {
		return;
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint16_t row = batch->selection[i];

		if (keep_row(batch, row, policy)) {
			batch->selection[kept++] = row;
		}
	}
	batch->selected = kept;
}

int ipv6_policy_parse(const char *text, enum ipv6_policy *out, struct err *err)
{
	static const char *const names[] = {
		[IPV6_IGNORE] = "ignore", [IPV6_ASV4] = "asv4", [IPV6_MIX] = "mix",
		[IPV6_FORCE] = "force",   [IPV6_ONLY] = "only",
	};
	size_t len = strlen(text);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strncmp(names[i], text, len) == 0) {
			*out = (enum ipv6_policy)i;
			return ST_OK;
		}
	}
	return err_set(err, ST_EINVAL, "'%s' is none of ignore, asv4, mix, force, only", text);
}
