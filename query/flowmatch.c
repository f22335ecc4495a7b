/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowmatch.h"

#include <string.h>

#include <glib.h>

/* The next hop holds the side in its highest byte and the number of the match below. */
#define NUMBER_MASK   0x00ffffffu
#define RESPONSE_BITS 0xff000000u
#define PORT_SERVICES 1024

/* The next record of a stream. */
struct feed {
	bool any;
	bool joins; /* the match that is being made */
	struct record rec;
	const uint8_t *key;
};

struct flowmatch {
	const struct flowmatch_spec *spec;
	struct feed feeds[FLOWMATCH_SIDES];
	uint32_t number;
	uint8_t *key; /* of the match */
	int64_t window_end_ns;
};

static void advance(struct flowmatch *match, enum flowmatch_side side)
{
	struct feed *feed = &match->feeds[side];

	feed->any = match->spec->next(match->spec->arg, side, &feed->rec, &feed->key);
}

/* Write the next record of a side with this number. */
static int put(struct flowmatch *match, enum flowmatch_side side, uint32_t number, struct err *err)
{
	struct record *rec = &match->feeds[side].rec;

	rec->nhip = ip_from_v4((number & NUMBER_MASK) |
			       (side == FLOWMATCH_RESPONSE ? RESPONSE_BITS : 0));
	return match->spec->write(match->spec->arg, rec, err);
}

static int pass_over(struct flowmatch *match, enum flowmatch_side side, struct err *err)
{
	int status = match->spec->write_unmatched[side] ? put(match, side, 0, err) : ST_OK;

	advance(match, side);
	return status;
}

/* Does b start while a lasts, or not much later? */
static bool follows(const struct flowmatch_spec *spec, const struct record *a,
		    const struct record *b)
{
	return a->start_ns <= b->start_ns && b->start_ns <= record_end_ns(a) + spec->delta_ns;
}

static bool times_fit(const struct flowmatch *match)
{
	const struct record *query = &match->feeds[FLOWMATCH_QUERY].rec;
	const struct record *response = &match->feeds[FLOWMATCH_RESPONSE].rec;

	return follows(match->spec, query, response) ||
	       (match->spec->symmetric && follows(match->spec, response, query));
}

/* The earlier one; of two that start together not the one that comes from a service's port. */
static enum flowmatch_side choose_base(const struct flowmatch *match)
{
	const struct record *query = &match->feeds[FLOWMATCH_QUERY].rec;
	const struct record *response = &match->feeds[FLOWMATCH_RESPONSE].rec;

	if (query->start_ns != response->start_ns) {
		return query->start_ns < response->start_ns ? FLOWMATCH_QUERY : FLOWMATCH_RESPONSE;
	}
	if ((query->protocol == 6 || query->protocol == 17) && query->sport < PORT_SERVICES &&
	    query->dport >= PORT_SERVICES) {
		return FLOWMATCH_RESPONSE;
	}
	return FLOWMATCH_QUERY;
}

/* Does the next record of a side join? The window may move as it is seen. */
static void consider(struct flowmatch *match, enum flowmatch_side side)
{
	struct feed *feed = &match->feeds[side];
	const struct flowmatch_spec *spec = match->spec;

	feed->joins =
		feed->any && memcmp(feed->key, match->key, spec->key_size) == 0 &&
		(spec->window == FLOWMATCH_INFINITE || feed->rec.start_ns <= match->window_end_ns);
	if (feed->joins && spec->window == FLOWMATCH_RELATIVE) {
		match->window_end_ns =
			MAX(match->window_end_ns, record_end_ns(&feed->rec) + spec->delta_ns);
	}
}

static int take(struct flowmatch *match, enum flowmatch_side side, struct err *err)
{
	int status = put(match, side, match->number, err);

	advance(match, side);
	consider(match, side);
	return status;
}

/* Of those that join the one that starts first; of two that start together that of the base. */
static enum flowmatch_side choose_next(const struct flowmatch *match, enum flowmatch_side base,
				       enum flowmatch_side other)
{
	const struct feed *first = &match->feeds[base];
	const struct feed *second = &match->feeds[other];

	if (!first->joins || !second->joins) {
		return first->joins ? base : other;
	}
	return first->rec.start_ns <= second->rec.start_ns ? base : other;
}

static int make_match(struct flowmatch *match, struct err *err)
{
	enum flowmatch_side base = choose_base(match);
	enum flowmatch_side other = base == FLOWMATCH_QUERY ? FLOWMATCH_RESPONSE : FLOWMATCH_QUERY;
	int status;

	match->number++;
	memcpy(match->key, match->feeds[base].key, match->spec->key_size);
	match->window_end_ns = record_end_ns(&match->feeds[base].rec) + match->spec->delta_ns;
	match->feeds[other].joins = true;
	status = take(match, base, err);
	while (status == ST_OK && (match->feeds[base].joins || match->feeds[other].joins)) {
		status = take(match, choose_next(match, base, other), err);
	}
	return status;
}

/* One step: a match, or a record that has none. */
static int step(struct flowmatch *match, struct err *err)
{
	const struct feed *query = &match->feeds[FLOWMATCH_QUERY];
	const struct feed *response = &match->feeds[FLOWMATCH_RESPONSE];
	int order;

	if (!query->any || !response->any) {
		return pass_over(match, query->any ? FLOWMATCH_QUERY : FLOWMATCH_RESPONSE, err);
	}
	order = memcmp(query->key, response->key, match->spec->key_size);
	if (order == 0 && times_fit(match)) {
		return make_match(match, err);
	}
	if (order == 0) {
		order = query->rec.start_ns < response->rec.start_ns ? -1 : 1;
	}
	return pass_over(match, order < 0 ? FLOWMATCH_QUERY : FLOWMATCH_RESPONSE, err);
}

int flowmatch_run(const struct flowmatch_spec *spec, struct err *err)
{
	struct flowmatch match = { .spec = spec, .key = g_malloc0(spec->key_size + 1) };
	int status = ST_OK;

	advance(&match, FLOWMATCH_QUERY);
	advance(&match, FLOWMATCH_RESPONSE);
	while (status == ST_OK &&
	       (match.feeds[FLOWMATCH_QUERY].any || match.feeds[FLOWMATCH_RESPONSE].any)) {
		status = step(&match, err);
	}
	g_free(match.key);
	return status;
}
