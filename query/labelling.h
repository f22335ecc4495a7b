/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Labels for the fields that look them up (common/extfield.h), from the repository's file of
 * labels.
 *
 *	struct labelling *labelling = labelling_new(ext, env, &opts->site);	// NULL: not needed
 *	...
 *	labelling_free(labelling);
 */
#ifndef TUSSAH_QUERY_LABELLING_H
#define TUSSAH_QUERY_LABELLING_H

#include "common/extfield.h"
#include "query/tool.h"

struct labelling;

/*
 * Read the labels, if a field of ext wants any, and have it find them; they must live as long as
 * its fields are used. A file that cannot be read is warned of, and gives no labels. Returned:
 * labelling_free(); NULL when no field wants labels.
 */
struct labelling *labelling_new(struct extfields *ext, struct tool_env *env,
				const struct site_opts *opts);
void labelling_free(struct labelling *labelling);

#endif
