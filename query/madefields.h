/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fields that are made at run time, which SiLK has in plug-ins, and the switches that go with
 * them: --pmap-file, --pmap-column-width, --plugin and those of plug-ins.
 *
 *	OPT_GROUP(struct cut_opts, made, madefield_opt_table),
 *	...
 *	ext = extfields_new();
 *	made = madefields_new(&opts->made, env, &opts->site, ext);
 *	extfields_parse_list(ext, opts->fields, ...);
 *	...
 *	extfields_free(ext);
 *	madefields_free(made);
 */
#ifndef TUSSAH_QUERY_MADEFIELDS_H
#define TUSSAH_QUERY_MADEFIELDS_H

#include <glib.h>

#include "common/extfield.h"
#include "query/conficker.h"
#include "query/mapfield.h"
#include "query/tool.h"

struct madefield_opts {
	GPtrArray *pmap_files; /* char *; NULL: none */
	uint64_t pmap_column_width;
	unsigned plugins; /* enum flowfield_plugin */
	uint64_t zero_duration_us;
	struct conficker_seed conficker;
	char *incoming;
	char *outgoing;
};
extern const struct opt madefield_opt_table[];       /* tools that print */
extern const struct opt madefield_width_opt_table[]; /* --pmap-column-width */
/* Of the first, and of rwfilter: --python-file and --python-expr, which say why not. Sets nothing. */
extern const struct opt madefield_python_opt_table[];

struct madefields;

/* Make the fields and have ext find them. A wrong switch ends the tool. */
struct madefields *madefields_new(const struct madefield_opts *opts, struct tool_env *env,
				  const struct site_opts *site, struct extfields *ext);
void madefields_free(struct madefields *made);

/* The names of plug-ins that are built in, with or without folder: *plugins gets their bits. */
int madefields_parse_plugin(const char *name, unsigned *plugins, struct err *err);

/* What stands for a duration of 0 in rates. */
uint64_t madefields_zero_ns(const struct madefield_opts *opts);

#endif
