/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All files are walked at once from the lowest address on, in stretches that lie wholly inside or
 * wholly outside of each; those outside of all are passed over.
 */
#include "storage/setranges.h"

#include "storage/datafile.h"
#include "storage/ipsetform.h"
#include "storage/ipsetreading.h"

#include <glib.h>

typedef unsigned __int128 number;

#define HIGHEST (~(number)0)

struct setranges {
	struct header header;
	struct datafile file;
	struct ipset_reading reading;
	struct ipset_spans shown; /* by the last step */
	uint32_t next;            /* of these */
	bool ended;
};

/* --- reading --- */

int setranges_open(struct setranges **out, const char *path, struct err *err)
{
	struct setranges *ranges = g_new0(struct setranges, 1);
	int status;

	ranges->reading.spans = &ranges->shown;
	status = datafile_open(&ranges->file, path, &ranges->header, err);
	if (status == ST_OK) {
		status = ipset_reading_begin(&ranges->reading, &ranges->file, err);
	}
	if (status != ST_OK) {
		setranges_close(ranges);
		return status;
	}
	*out = ranges;
	return ST_OK;
}

void setranges_close(struct setranges *ranges)
{
	if (ranges) {
		datafile_close(&ranges->file);
		header_release(&ranges->header);
		g_free(ranges->shown.at);
		g_free(ranges);
	}
}

const struct header *setranges_header(const struct setranges *ranges)
{
	return &ranges->header;
}

/* ST_OK: there is one more, at least. */
static int show_more(struct setranges *ranges, struct err *err)
{
	ranges->shown.count = 0;
	ranges->next = 0;
	while (!ranges->shown.count) {
		int status = ranges->ended ? ST_END : ipset_reading_step(&ranges->reading, err);

		if (status != ST_OK && status != ST_END) {
			return status;
		}
		if (ranges->reading.lost_order) {
			return err_set(err, ST_ESUPPORT, "%s: address blocks are not in order",
				       ranges->file.name);
		}
		if (ranges->ended) {
			return ST_END;
		}
		ranges->ended = status == ST_END;
	}
	return ST_OK;
}

int setranges_next(struct setranges *ranges, struct ip *first, struct ip *last, struct err *err)
{
	int status = ranges->next < ranges->shown.count ? ST_OK : show_more(ranges, err);

	if (status == ST_OK) {
		const struct ipset_span *span = &ranges->shown.at[ranges->next++];

		*first = span->first;
		*last = span->last;
	}
	return status;
}

/* --- putting together --- */

/* One file, and what is left of its range that the walk has come to or comes to next. */
struct side {
	struct setranges *ranges;
	number first; /* HIGHEST when there are no more */
	number last;
	bool done;
	bool has_ipv6; /* so far */
};

static int side_next(struct side *side, struct err *err)
{
	struct ip first;
	struct ip last;
	int status = setranges_next(side->ranges, &first, &last, err);

	if (status == ST_OK) {
		side->first = ip_number(first);
		side->last = ip_number(last);
		side->has_ipv6 = side->has_ipv6 || !ip_is_mapped(first) || !ip_is_mapped(last);
		return ST_OK;
	}
	side->first = HIGHEST;
	side->last = HIGHEST;
	side->done = true;
	return status == ST_END ? ST_OK : status;
}

/* What a stretch is inside of. */
struct place {
	bool first; /* the first file */
	bool other; /* one of the others, at least */
	bool result;
};

/* Can there be addresses in the result that are not in the first set? */
static bool adds(enum ipset_op op)
{
	return op == IPSET_UNION || op == IPSET_SYMMETRIC_DIFFERENCE;
}

struct walk {
	struct side *sides;
	size_t count;
	enum ipset_op op;
	struct ipset *result;
	bool changed;
};

static struct ip ip_of(number value)
{
	return (struct ip){ (uint64_t)(value >> 64), (uint64_t)value };
}

/* The next stretch that is inside of any: *first to *last. False: there are no more. */
static bool find_stretch(const struct walk *walk, number *first, number *last)
{
	bool any = false;

	*first = HIGHEST;
	*last = HIGHEST;
	for (size_t i = 0; i < walk->count; i++) {
		any = any || !walk->sides[i].done;
		*first = MIN(*first, walk->sides[i].first);
	}
	for (size_t i = 0; i < walk->count; i++) {
		const struct side *side = &walk->sides[i];

		*last = MIN(*last, side->first == *first ? side->last : side->first - 1);
	}
	return any;
}

/* Put together what was of those before with what is in one more file. */
static void pass_side(const struct walk *walk, size_t i, bool holds, struct place *place)
{
	const struct ipset_truth *truth = &ipset_truths[i ? walk->op : IPSET_UNION];

	place->first = place->first || (i == 0 && holds);
	place->other = place->other || (i > 0 && holds);
	place->result = ipset_truth_of(truth, place->result, holds) & 1;
}

/* What the stretch is inside of; those who have it go on behind it. */
static int pass_stretch(struct walk *walk, number first, number last, struct place *place,
			struct err *err)
{
	int status = ST_OK;

	*place = (struct place){ false, false, false };
	for (size_t i = 0; status == ST_OK && i < walk->count; i++) {
		struct side *side = &walk->sides[i];
		bool holds = side->first == first && !side->done;

		pass_side(walk, i, holds, place);
		if (holds && side->last == last) {
			status = side_next(side, err);
		} else if (holds) {
			side->first = last + 1;
		}
	}
	return status;
}

static int walk_all(struct walk *walk, struct err *err)
{
	int status = ST_OK;
	number first;
	number last;

	for (size_t i = 0; status == ST_OK && i < walk->count; i++) {
		status = side_next(&walk->sides[i], err);
	}
	while (status == ST_OK && find_stretch(walk, &first, &last)) {
		struct place place;

		status = pass_stretch(walk, first, last, &place, err);
		if (place.result) {
			ipset_load_range(walk->result, ip_of(first), ip_of(last));
		}
		/* a step may change what another one changes back */
		walk->changed = walk->changed || place.result != place.first ||
				(walk->op == IPSET_SYMMETRIC_DIFFERENCE && place.other);
	}
	return status;
}

/*
 * In which form SiLK holds the result: that of the first set, until IPv6 comes in from another one;
 * whether it does is known in the end only.
 */
static struct ipset *result_new(const struct walk *walk)
{
	bool wide = ipset_reading_is_wide(&walk->sides[0].ranges->reading);

	for (size_t i = 1; i < walk->count && adds(walk->op); i++) {
		wide = wide || ipset_reading_is_wide(&walk->sides[i].ranges->reading);
	}
	return wide ? ipset_new_wide() : ipset_new();
}

static void settle_form(const struct walk *walk)
{
	bool wide = ipset_reading_is_wide(&walk->sides[0].ranges->reading);

	for (size_t i = 1; i < walk->count; i++) {
		wide = wide || walk->sides[i].has_ipv6;
	}
	if (!wide) {
		ipset_narrow(walk->result);
	}
}

int setranges_combine(struct setranges *const files[], size_t count, enum ipset_op op,
		      struct ipset **out, bool *changed, struct err *err)
{
	struct walk walk = { .sides = g_new0(struct side, count), .count = count, .op = op };
	int status;

	for (size_t i = 0; i < count; i++) {
		walk.sides[i].ranges = files[i];
	}
	walk.result = result_new(&walk);
	status = walk_all(&walk, err);
	if (status == ST_OK) {
		ipset_finish(walk.result);
		settle_form(&walk);
		*changed = walk.changed;
		*out = walk.result;
	} else {
		ipset_free(walk.result);
	}
	g_free(walk.sides);
	return status;
}
