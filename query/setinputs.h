/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Set files, with times or without, each read while the one before it is being read and put
 * together with those before that.
 *
 *	const struct setinputs inputs = { .paths = paths, .count = count, .choose = choose,
 *					  .take = take, .arg = job };
 *	setinputs_read(&inputs);
 */
#ifndef TUSSAH_QUERY_SETINPUTS_H
#define TUSSAH_QUERY_SETINPUTS_H

#include "storage/ipset.h"
#include "storage/sightings.h"

/* One of the ways of storage/ipset.h to read a set. */
typedef int (*setinputs_read_fn)(struct ipset **out, const char *path, struct header *header,
				 struct err *err);

struct setinput {
	struct header *header;
	struct ipset *set;
	struct sightings *seen; /* instead of the set, with times */
};

struct setinputs {
	char **paths; /* "-" and "stdin" allowed */
	int count;
	bool times;
	/* How a file is to be read, the first one or another; not asked with times. */
	setinputs_read_fn (*choose)(void *arg, const char *path, bool is_first);
	/* In order. The set or the sightings are taken; the header is borrowed. */
	void (*take)(void *arg, const struct setinput *input);
	void *arg;
};

/* A file that cannot be read ends the program. */
void setinputs_read(const struct setinputs *inputs);

#endif
