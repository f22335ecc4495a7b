/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/baglimits.h"

#include "query/tool.h"

#include <glib.h>

static int parse_min_key(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct baglimits *limits = dest;
	bool is_v6;

	limits->min_key_given = true;
	return ip_parse(text, &limits->min_key, &is_v6, err);
}

static int parse_max_key(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct baglimits *limits = dest;
	bool is_v6;

	limits->max_key_given = true;
	return ip_parse(text, &limits->max_key, &is_v6, err);
}

/* The rows share their place: each sets what is its own. */
const struct opt baglimits_key_opt_table[] = {
	OPT_CALL(struct baglimits, min_key_given, "minkey", 0, "KEY", parse_min_key, 0,
		 "only keys of at least this number or address"),
	OPT_CALL(struct baglimits, min_key_given, "maxkey", 0, "KEY", parse_max_key, 0,
		 "only keys of at most this number or address"),
	OPT_END,
};

void baglimits_check(const struct baglimits *limits)
{
	if (limits->min_counter > limits->max_counter) {
		tool_die("Minimum counter greater than maximum: %" G_GUINT64_FORMAT
			 " > %" G_GUINT64_FORMAT,
			 limits->min_counter, limits->max_counter);
	}
	if (limits->min_key_given && limits->max_key_given &&
	    ip_compare(limits->min_key, limits->max_key) > 0) {
		tool_die("Minimum key greater than maximum");
	}
}

bool baglimits_hold(const struct baglimits *limits, struct ip key, uint64_t counter)
{
	if (counter < limits->min_counter || counter > limits->max_counter) {
		return false;
	}
	if ((limits->min_key_given && ip_compare(key, limits->min_key) < 0) ||
	    (limits->max_key_given && ip_compare(key, limits->max_key) > 0)) {
		return false;
	}
	return !limits->mask || ipset_contains(limits->mask, key) != limits->complement;
}
