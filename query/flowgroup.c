/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowgroup.h"

#include <string.h>
#include <strings.h>

#include <glib.h>

#include "common/timestamp.h"

/* A record that sums up others must fit SiLK's formats. */
#define VOLUME_MAX   UINT32_MAX
#define DURATION_MAX ((uint64_t)UINT32_MAX * NS_PER_MS)

struct flowgroup {
	struct flowgroup_spec spec;
	uint8_t *keys;      /* of the rows of a batch */
	uint8_t *key;       /* of the record before */
	struct value first; /* of the delta field: of the group's first record */
	struct value before;
	bool started;
	bool unsorted;
	struct ip number;
	uint64_t records; /* of the group so far */
	GArray *held;     /* struct record: not written yet */
};

/* ---- the field that may differ ---- */

static const struct {
	const char *name;
	uint64_t max;
} delta_fields[] = {
	{ "sIP", 127 },
	{ "dIP", 127 },
	{ "nhIP", 127 },
	{ "sPort", UINT16_MAX - 1 },
	{ "dPort", UINT16_MAX - 1 },
	{ "protocol", UINT8_MAX - 1 },
	{ "packets", UINT32_MAX - 1 },
	{ "bytes", UINT32_MAX - 1 },
	{ "sTime", INT64_MAX / 1000 },
	{ "eTime", INT64_MAX / 1000 },
	{ "sTime+msec", INT64_MAX / 1000 },
	{ "eTime+msec", INT64_MAX / 1000 },
	{ "duration", UINT32_MAX / 1000 },
	{ "dur+msec", UINT32_MAX / 1000 },
	{ "sensor", UINT16_MAX - 1 },
	{ "in", UINT16_MAX - 1 },
	{ "out", UINT16_MAX - 1 },
	{ "application", UINT16_MAX - 1 },
	{ "iType", UINT8_MAX - 1 },
	{ "iCode", UINT8_MAX - 1 },
};

uint64_t flowgroup_delta_max(const struct field *field)
{
	for (size_t i = 0; i < G_N_ELEMENTS(delta_fields); i++) {
		if (strcasecmp(delta_fields[i].name, field->name) == 0) {
			return delta_fields[i].max;
		}
	}
	return 0;
}

static bool is_address(const struct field *field)
{
	return flowgroup_delta_max(field) == 127;
}

static void load_delta(const struct flowgroup *group, const struct batch *batch, uint32_t row,
		       struct value *out)
{
	static const struct field_context ctx = { 0 };

	memset(out, 0, sizeof(*out));
	if (group->spec.delta) {
		group->spec.delta->load(batch, row, &ctx, out);
		if (out->blank) {
			out->u = 0;
		}
	}
}

static bool addresses_near(struct ip a, struct ip b, uint64_t ignored_bits)
{
	if (ignored_bits >= 64) {
		return a.hi >> (ignored_bits - 64) == b.hi >> (ignored_bits - 64);
	}
	return a.hi == b.hi && a.lo >> ignored_bits == b.lo >> ignored_bits;
}

static bool is_near(const struct flowgroup_spec *spec, const struct value *a, const struct value *b)
{
	if (!spec->delta) {
		return true;
	}
	if (is_address(spec->delta)) {
		return addresses_near(a->ip, b->ip, spec->delta_value);
	}
	if (spec->delta->role == FIELD_ROLE_TIME) {
		uint64_t apart = a->ns > b->ns ? (uint64_t)a->ns - (uint64_t)b->ns
					       : (uint64_t)b->ns - (uint64_t)a->ns;

		return apart <= (unsigned __int128)spec->delta_value * NS_PER_S;
	}
	return (a->u > b->u ? a->u - b->u : b->u - a->u) <= spec->delta_value;
}

static bool is_behind(const struct flowgroup_spec *spec, const struct value *a,
		      const struct value *b)
{
	if (!spec->delta) {
		return false;
	}
	if (is_address(spec->delta)) {
		return ip_compare(a->ip, b->ip) < 0;
	}
	return spec->delta->role == FIELD_ROLE_TIME ? a->ns < b->ns : a->u < b->u;
}

/* ---- groups ---- */

struct flowgroup *flowgroup_new(const struct flowgroup_spec *spec)
{
	struct flowgroup *group = g_new0(struct flowgroup, 1);

	group->spec = *spec;
	group->keys = g_malloc0(BATCH_ROWS * spec->key->size + 1);
	group->key = g_malloc0(spec->key->size + 1);
	group->number = spec->offset;
	group->held = g_array_new(FALSE, FALSE, sizeof(struct record));
	return group;
}

void flowgroup_free(struct flowgroup *group)
{
	if (group) {
		g_free(group->keys);
		g_free(group->key);
		g_array_free(group->held, TRUE);
		g_free(group);
	}
}

static int write_held(struct flowgroup *group, struct err *err)
{
	int status = ST_OK;

	for (guint i = 0; status == ST_OK && i < group->held->len; i++) {
		status = group->spec.write(group->spec.arg,
					   &g_array_index(group->held, struct record, i), err);
	}
	g_array_set_size(group->held, 0);
	return status;
}

static int end_group(struct flowgroup *group, struct err *err)
{
	if (group->records < group->spec.threshold) {
		g_array_set_size(group->held, 0);
		return ST_OK;
	}
	return write_held(group, err);
}

/* Numbers that are IPv4 wrap as such. */
static void next_number(struct flowgroup *group)
{
	group->number = group->spec.offset_is_v6 ? ip_next(group->number)
						 : ip_from_v4(ip_to_v4(group->number) + 1);
}

/* Add rec to sum, if the result fits. */
static bool sum_up(struct record *sum, const struct record *rec)
{
	int64_t start_ns = MIN(sum->start_ns, rec->start_ns);
	int64_t end_ns = MAX(record_end_ns(sum), record_end_ns(rec));
	uint64_t duration_ns = (uint64_t)end_ns - (uint64_t)start_ns;

	if (sum->packets + rec->packets > VOLUME_MAX || sum->bytes + rec->bytes > VOLUME_MAX ||
	    duration_ns > DURATION_MAX) {
		return false;
	}
	sum->packets += rec->packets;
	sum->bytes += rec->bytes;
	sum->start_ns = start_ns;
	sum->duration_ns = duration_ns;
	sum->flags |= rec->flags;
	sum->session_flags |= rec->session_flags;
	return true;
}

/* A summary is held until its group ends, other records until there are enough of them. */
static int add_record(struct flowgroup *group, struct record *rec, struct err *err)
{
	rec->nhip = group->number;
	if (group->spec.offset_is_v6) {
		rec->state |= RECORD_IPV6;
	}
	group->records++;
	if (group->spec.summarize) {
		guint last = group->held->len;

		if (last == 0 ||
		    !sum_up(&g_array_index(group->held, struct record, last - 1), rec)) {
			g_array_append_val(group->held, *rec);
		}
		return ST_OK;
	}
	g_array_append_val(group->held, *rec);
	return group->records >= group->spec.threshold ? write_held(group, err) : ST_OK;
}

int flowgroup_add(struct flowgroup *group, const struct batch *batch, struct err *err)
{
	const size_t size = group->spec.key->size;
	int status = ST_OK;

	rowkey_pack(group->spec.key, batch, group->keys, size);
	for (uint32_t i = 0; status == ST_OK && i < batch->selected; i++) {
		const uint8_t *key = group->keys + i * size;
		const int order = group->started ? memcmp(group->key, key, size) : 0;
		struct value value;
		struct record rec;

		load_delta(group, batch, batch->selection[i], &value);
		if (group->started && (order > 0 || (order == 0 && is_behind(&group->spec, &value,
									     &group->before)))) {
			group->unsorted = true;
		}
		if (group->started &&
		    (order != 0 ||
		     !is_near(&group->spec, &value,
			      group->spec.objective ? &group->first : &group->before))) {
			status = end_group(group, err);
			next_number(group);
			group->records = 0;
		}
		if (group->records == 0) {
			group->first = value;
		}
		group->before = value;
		memcpy(group->key, key, size);
		group->started = true;
		batch_get(batch, batch->selection[i], &rec);
		status = status == ST_OK ? add_record(group, &rec, err) : status;
	}
	return status;
}

int flowgroup_finish(struct flowgroup *group, struct err *err)
{
	return end_group(group, err);
}

bool flowgroup_unsorted(const struct flowgroup *group)
{
	return group->unsorted;
}
