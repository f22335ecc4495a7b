/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What tools that write IPset files share: --record-version, --invocation-strip and the switches of
 * query/sink.h, and the environment that goes with them.
 *
 *	OPT_GROUP(struct build_opts, sink, setsink_opt_table)
 *	...
 *	struct outfile *out = outfile_create("a.set");
 *	setsink_write(out, set, &opts->sink, &entries, "Unable to write IPset");
 *
 * The file is made when it is opened, so that a wrong name is told before the work is done, and
 * taken away again when nothing is written to it.
 */
#ifndef TUSSAH_QUERY_SETSINK_H
#define TUSSAH_QUERY_SETSINK_H

#include "query/outfile.h"
#include "query/sink.h"
#include "storage/ipset.h"
#include "storage/sightings.h"

struct setsink_version {
	bool given;
	uint16_t number;
};

struct setsink_opts {
	struct setsink_version version;
	bool invocation_strip;
	struct sink_opts sink;
};
extern const struct opt setsink_opt_table[];

/* --ipset-record-version alone, for tools that write other files, too; of struct setsink_version.
 */
extern const struct opt setsink_version_opt_table[];

/* Finish a set as far as writing it needs; in whatever thread. setsink_write() does it, too. */
void setsink_finish(struct ipset *set, const struct setsink_opts *opts);

/*
 * Finish the set, write it with header entries (borrowed), and close the file, which is taken. what
 * opens the message of a failure ("Unable to write IPset"). Returns an enum tool_exit.
 */
int setsink_write(struct outfile *out, struct ipset *set, const struct setsink_opts *opts,
		  const struct header *entries, const char *what);

/* As setsink_write, of a finished set with times. */
int setsink_write_seen(struct outfile *out, const struct sightings *seen,
		       const struct setsink_opts *opts, const struct header *entries,
		       const char *what);

/* Set version, compression and whether the version of SiLK is told, from switches and environment.
 */
void setsink_write_opts(const struct setsink_opts *opts, struct ipset_write_opts *out);

/*
 * Write a finished set to out (taken) with header entries (borrowed), and close. A failure is told,
 * and leaves no file. Returns an enum tool_exit.
 */
int setsink_write_out(struct outfile *out, const struct ipset *set,
		      const struct setsink_version *version, const struct sink_opts *sink,
		      const struct header *entries);

#endif
