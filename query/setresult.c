/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/setresult.h"

#include <glib.h>

#include "query/setsample.h"
#include "query/tool.h"
#include "storage/bytesource.h"
#include "storage/ipsetform.h"

struct setresult {
	const struct setresult_opts *opts;
	const char *history;    /* the set still is this file's, whose order was not read */
	struct ipset *set;      /* NULL: nothing was read yet */
	struct sightings *seen; /* with times, and then there is no set */
	struct setsample_random random;
};

struct setresult *setresult_new(const struct setresult_opts *opts)
{
	struct setresult *result = g_new0(struct setresult, 1);

	result->opts = opts;
	result->seen = opts->with_times ? sightings_new() : NULL;
	setsample_seed(&result->random, opts->seed);
	return result;
}

void setresult_free(struct setresult *result)
{
	if (result) {
		ipset_free(result->set);
		sightings_free(result->seen);
		g_free(result);
	}
}

struct ipset *setresult_set(struct setresult *result)
{
	return result->set;
}

struct sightings *setresult_seen(struct setresult *result)
{
	return result->seen;
}

/* --- operations --- */

static void replace_set(struct setresult *result, struct ipset *set)
{
	ipset_free(result->set);
	result->set = set;
}

/* A set that loses nothing keeps its history, and so the numbers of its nodes. */
static void combine(struct setresult *result, const struct ipset *set, enum ipset_op op)
{
	struct ipset *combined;

	ipset_finish(result->set);
	combined = ipset_combine(result->set, set, op);
	if (ipset_equal(combined, result->set)) {
		ipset_free(combined);
	} else {
		replace_set(result, combined);
		result->history = NULL;
	}
}

/* What an operation does with each input behind the first, and with the last result. */
static const struct step {
	bool grows; /* the first input counts with its history */
	bool plain; /* is that operation, and nothing else is done to inputs or result */
	enum ipset_op op;
} steps[SETRESULT_OPS] = {
	[SETRESULT_UNION] = { true, true, IPSET_UNION },
	[SETRESULT_INTERSECT] = { true, true, IPSET_INTERSECTION },
	[SETRESULT_DIFFERENCE] = { true, true, IPSET_DIFFERENCE },
	[SETRESULT_SYMMETRIC_DIFFERENCE] = { true, true, IPSET_SYMMETRIC_DIFFERENCE },
	[SETRESULT_MASK] = { false, false, IPSET_UNION },
	[SETRESULT_FILL] = { false, false, IPSET_UNION },
	[SETRESULT_SAMPLE] = { false, false, IPSET_UNION },
};

static bool has_history(const struct setresult_opts *opts)
{
	return opts->growing && steps[opts->op].grows;
}

bool setresult_grows(const struct setresult_opts *opts)
{
	return has_history(opts) && opts->op == SETRESULT_UNION;
}

bool setresult_is_plain(const struct setresult_opts *opts, enum ipset_op *op)
{
	*op = steps[opts->op].op;
	return steps[opts->op].plain && !setresult_needs_times(opts);
}

static struct ipset *sample_of(struct setresult *result, struct ipset *set)
{
	struct ipset *sample = ipset_is_wide(set) ? ipset_new_wide() : ipset_new();

	if (result->opts->size) {
		setsample_size(sample, set, result->opts->size, &result->random);
	} else {
		setsample_ratio(sample, set, result->opts->ratio, &result->random);
	}
	ipset_finish(sample);
	ipset_free(set);
	return sample;
}

/* Takes set. */
static void take_set(struct setresult *result, struct ipset *set)
{
	const struct setresult_opts *opts = result->opts;

	if (opts->op == SETRESULT_SAMPLE) {
		set = sample_of(result, set);
	}
	if (!result->set) {
		result->set = set;
		return;
	}
	if (setresult_grows(opts) && (ipset_is_wide(result->set) || ipset_has_ipv6(set))) {
		ipset_add_set(result->set, set);
	} else {
		ipset_finish(set);
		combine(result, set, steps[opts->op].op);
	}
	ipset_free(set);
}

/* --- times --- */

bool setresult_needs_times(const struct setresult_opts *opts)
{
	return opts->with_times || opts->since.given || opts->before.given;
}

static bool is_wanted(const struct setresult_opts *opts, const struct sighting *sighting)
{
	return !(opts->since.given && sighting->last_ms < opts->since.ms) &&
	       !(opts->before.given && sighting->last_ms >= opts->before.ms);
}

/* What the times select of an input goes into the result, or becomes a plain set. Takes seen. */
static struct ipset *select_seen(struct setresult *result, struct sightings *seen)
{
	struct ipset *set = NULL;

	if (!result->seen) {
		set = sightings_have_ipv6(seen) ? ipset_new_wide() : ipset_new();
	}
	for (size_t i = 0; i < sightings_count(seen); i++) {
		const struct sighting *at = sightings_at(seen, i);

		if (!is_wanted(result->opts, at)) {
			continue;
		}
		if (set) {
			ipset_load_range(set, at->ip, at->ip);
		} else {
			sightings_add(result->seen, at->ip, at->first_ms, at->last_ms);
		}
	}
	sightings_free(seen);
	if (set) {
		ipset_finish(set);
	}
	return set;
}

/* --- inputs --- */

/*
 * The order of insertions of the first input takes long to read, and shows only when nothing is
 * added or taken away. So it is read when that is known, if the file can be read again.
 */
static bool reads_history(struct setresult *result, const char *path)
{
	if (!has_history(result->opts)) {
		return false;
	}
	if (result->opts->op == SETRESULT_UNION || !bytesource_is_file(path)) {
		return true;
	}
	result->history = path;
	return false;
}

setinputs_read_fn setresult_choose(void *arg, const char *path, bool is_first)
{
	struct setresult *result = arg;

	if (is_first) {
		return reads_history(result, path) ? ipset_read_growing : ipset_read;
	}
	return setresult_grows(result->opts) ? ipset_read_for_adding : ipset_read;
}

void setresult_take(void *arg, const struct setinput *input)
{
	struct setresult *result = arg;
	struct ipset *set = input->seen ? select_seen(result, input->seen) : input->set;

	if (set) {
		take_set(result, set);
	}
}

void setresult_use(struct setresult *result, struct ipset *set, bool changed, const char *path)
{
	replace_set(result, set);
	result->history = has_history(result->opts) && !changed ? path : NULL;
}

/* --- the end --- */

static int make_blocks(struct setresult *result, struct err *err)
{
	unsigned prefix = result->opts->prefix;
	struct ipset *blocks = NULL;
	int status = ST_OK;

	if (!ipset_is_wide(result->set)) {
		if (prefix > 32) {
			tool_warn("Ignoring mask of %u for an IPv4 IPset", prefix);
			return ST_OK;
		}
		prefix += 96;
	}
	if (result->opts->op == SETRESULT_FILL) {
		blocks = ipset_fill(result->set, prefix);
	} else {
		status = ipset_mask(&blocks, result->set, prefix, err);
	}
	if (status == ST_OK) {
		replace_set(result, blocks);
	}
	return status;
}

static void recall_history(struct setresult *result)
{
	struct ipset *set = NULL;
	struct err err;

	if (!result->history || !ipset_is_wide(result->set)) {
		return;
	}
	if (ipset_read_growing(&set, result->history, NULL, &err) != ST_OK) {
		tool_die("Unable to read IPset from '%s': %s", result->history, err.text);
	}
	replace_set(result, set);
}

int setresult_finish(struct setresult *result, struct err *err)
{
	if (result->seen) {
		sightings_finish(result->seen);
		return ST_OK;
	}
	if (result->opts->op == SETRESULT_MASK || result->opts->op == SETRESULT_FILL) {
		return make_blocks(result, err);
	}
	recall_history(result);
	return ST_OK;
}
