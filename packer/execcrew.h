/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands run on files, so many at a time; each in a process group of its own, to which signals go
 * when it takes too long (silk-packing.md section 8).
 *
 *	struct execcrew *crew = execcrew_new(&opts);
 *	execcrew_add(crew, "/incoming/x");		// runs when there is room
 *	execcrew_poll(crew, daemon_wake_fd(), 1000);	// waits; ends what has ended
 *	execcrew_finish(crew);				// no more are started; waits for the rest
 *	execcrew_free(crew);
 *
 * One thread. What happens is logged.
 */
#ifndef TUSSAH_PACKER_EXECCREW_H
#define TUSSAH_PACKER_EXECCREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct exectimeout {
	int signal;
	int64_t after_ns; /* since the command was started */
};

/* "SIGNAL,SECONDS": a name with or without SIG, or a number up to 31. ST_EINVAL, in SiLK's words.
 */
int exectimeout_parse(const char *text, struct exectimeout *out, struct err *err);

struct execcrew_opts {
	const char *shell;   /* all strings are kept */
	const char *command; /* %s is the path, %% is % */
	const struct exectimeout *timeouts;
	size_t timeout_count;
	unsigned simultaneous;
	/* The command on this file has ended, well if it exited with 0. */
	void (*done)(void *arg, const char *path, bool well);
	void *arg;
};

struct execcrew;

struct execcrew *execcrew_new(const struct execcrew_opts *opts);
/* Nothing runs any more. */
void execcrew_free(struct execcrew *crew);

/* Run the command on this file, as soon as there is room; path is copied. */
void execcrew_add(struct execcrew *crew, const char *path);

/* Wait until a command ends, a signal is due, wake_fd (-1: none) can be read, or timeout_ms. */
void execcrew_poll(struct execcrew *crew, int wake_fd, int timeout_ms);

/* Forget what waits, and wait for what runs; no more timeouts. */
void execcrew_finish(struct execcrew *crew);

#endif
