/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text files of lines about hours, one file a day in a folder of the root: what losses and counters
 * of interfaces are kept in. A line is the hour, words, and NAME=NUMBER of what is not zero.
 * Writers add lines under a lock, readers take whole lines and pass over the others.
 */
#ifndef TUSSAH_STORAGE_HOURLINES_H
#define TUSSAH_STORAGE_HOURLINES_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define HOURLINES_WORDS_MAX 4
#define HOURLINES_LINE_MAX  1024

struct hourlines {
	const char *folder; /* in the root */
	size_t words;       /* between the hour and the numbers, at most HOURLINES_WORDS_MAX */
};

/* Takes a line without its end, on its way to folder of some root. ST_OK or an error. */
typedef int (*hourlines_put_fn)(void *arg, const char *folder, const char *line, struct err *err);

/* Where lines go. */
struct hourlines_place {
	const char *root;     /* into the files there; NULL: */
	hourlines_put_fn put; /* to whoever brings them there (storage/hournotes.h) */
	void *arg;
};

struct hourlines_number {
	const char *name;
	int64_t value;
};

/* words have no blanks. ST_OK, ST_EIO. */
int hourlines_add(const struct hourlines *lines, const struct hourlines_place *place,
		  int64_t hour_ns, const char *const words[],
		  const struct hourlines_number *numbers, size_t count, struct err *err);

/*
 * Add those of count lines, without their ends, that are not in the files yet, and sync: what was
 * interrupted can be done again. Every line tells its hour. *added: how many were new. ST_OK,
 * ST_EFORMAT (a line without an hour; those before it are added), ST_EIO.
 */
int hourlines_add_once(const char *folder, const char *root, const char *const texts[],
		       size_t count, size_t *added, struct err *err);

/* name and all else are borrowed; a line is told word by word, then hourlines_fn. */
struct hourlines_line {
	int64_t hour_ns;
	const char *words[HOURLINES_WORDS_MAX];
	char *rest; /* for hourlines_next() */
};
/* The next NAME=NUMBER of a line: 1, 0 at its end, -1 damaged. */
int hourlines_next(struct hourlines_line *line, struct hourlines_number *out);

typedef void (*hourlines_fn)(void *arg, struct hourlines_line *line);
/* Every line of the hours from first to last. ST_OK, also when there is no file; ST_EIO. */
int hourlines_each(const struct hourlines *lines, const char *root, int64_t first_hour_ns,
		   int64_t last_hour_ns, hourlines_fn fn, void *arg, struct err *err);
/* Of all hours there are. */
int hourlines_each_hour(const struct hourlines *lines, const char *root, hourlines_fn fn, void *arg,
			struct err *err);

#endif
