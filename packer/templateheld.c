/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets that came before their template (UDP), until it comes or they are given up. */
#include "packer/statebytes.h"
#include "packer/templatesession.h"

struct templatesession_held {
	uint32_t domain;
	uint16_t set_id;
	struct templatesession_header header;
	size_t len;
	uint8_t bytes[];
};

/* With its place in the queue. */
static uint64_t held_cost(size_t len)
{
	return sizeof(struct templatesession_held) + sizeof(GList) + len;
}

/* It is not in the queue any more. */
static void held_free(struct templatesession *session, struct templatesession_held *held)
{
	session->held_bytes -= held->len;
	budget_give(session->bounds.budget, held_cost(held->len));
	g_free(held);
}

static void held_drop_oldest(struct templatesession *session)
{
	held_free(session, g_queue_pop_head(session->held));
	session->context->counts[DECODER_UNKNOWN_SETS]++;
}

void templatesession_drop_held(struct templatesession *session)
{
	while (!g_queue_is_empty(session->held)) {
		held_free(session, g_queue_pop_head(session->held));
	}
}

void templatesession_expire(struct templatesession *session, int64_t now_ns)
{
	const struct templatesession_held *held;

	while ((held = g_queue_peek_head(session->held)) && now_ns > TEMPLATESESSION_HELD_NS &&
	       held->header.time.arrival_ns < now_ns - TEMPLATESESSION_HELD_NS) {
		held_drop_oldest(session);
	}
}

void templatesession_hold(struct templatesession *session,
			  const struct templatesession_domain *domain,
			  const struct templatesession_header *header, uint16_t set_id,
			  struct template_bytes set)
{
	struct templatesession_held *held;

	while (!budget_take(session->bounds.budget, held_cost(set.left))) {
		if (g_queue_is_empty(session->held)) {
			session->context->counts[DECODER_UNKNOWN_SETS]++;
			return;
		}
		held_drop_oldest(session);
	}
	held = g_malloc(sizeof(*held) + set.left);
	held->domain = domain->number;
	held->set_id = set_id;
	held->header = *header;
	held->len = set.left;
	memcpy(held->bytes, set.at, set.left);
	g_queue_push_tail(session->held, held);
	session->held_bytes += held->len;
	while (session->held_bytes > TEMPLATESESSION_HELD_BYTES ||
	       session->held->length > TEMPLATESESSION_HELD_SETS) {
		held_drop_oldest(session);
	}
}

int templatesession_release_held(struct templatesession *session,
				 struct templatesession_domain *domain, struct template *tmpl)
{
	uint64_t *counts = session->context->counts;
	GList *at = session->held->head;
	int st = ST_OK;

	while (at && st == ST_OK) {
		struct templatesession_held *held = at->data;
		const struct template_bytes set = { held->bytes, held->len };
		GList *next = at->next;
		uint32_t records = 0;

		if (held->domain == domain->number && held->set_id == tmpl->id) {
			st = templatesession_data(session, domain, &held->header, tmpl, set,
						  &records, NULL);
			counts[DECODER_HELD]++;
			if (st == ST_EFORMAT) {
				/* the message that brought the template is not to blame */
				counts[DECODER_MALFORMED]++;
				st = ST_OK;
			}
			g_queue_delete_link(session->held, at);
			held_free(session, held);
		}
		at = next;
	}
	return st;
}

void templatesession_save_held(const struct templatesession *session, uint32_t domain, uint8_t tag,
			       GByteArray *out)
{
	for (const GList *at = session->held->head; at; at = at->next) {
		const struct templatesession_held *held = at->data;
		guint part;

		if (held->domain != domain) {
			continue;
		}
		part = statebytes_begin(out, tag);
		statebytes_put(out, held->set_id, 2);
		statebytes_put(out, (uint64_t)held->header.time.export_ns, 8);
		statebytes_put(out, held->header.time.uptime_ms, 4);
		statebytes_put(out, (uint64_t)held->header.time.arrival_ns, 8);
		statebytes_put(out, held->header.has_uptime, 1);
		g_byte_array_append(out, held->bytes, (guint)held->len);
		statebytes_end(out, part);
	}
}

int templatesession_load_held(struct templatesession *session,
			      const struct templatesession_domain *domain,
			      struct template_bytes part)
{
	struct templatesession_header header = { .has_uptime = false };
	uint64_t set_id, export_ns, uptime_ms, arrival_ns, has_uptime;
	bool ok = statebytes_get(&part, 2, &set_id) && statebytes_get(&part, 8, &export_ns) &&
		  statebytes_get(&part, 4, &uptime_ms) && statebytes_get(&part, 8, &arrival_ns) &&
		  statebytes_get(&part, 1, &has_uptime);

	if (!ok || set_id < TEMPLATE_ID_MIN || part.left > UINT16_MAX) {
		return ST_EFORMAT;
	}
	header.time.export_ns = (int64_t)export_ns;
	header.time.uptime_ms = (uint32_t)uptime_ms;
	header.time.arrival_ns = (int64_t)arrival_ns;
	header.has_uptime = has_uptime != 0;
	templatesession_hold(session, domain, &header, (uint16_t)set_id, part);
	return ST_OK;
}
