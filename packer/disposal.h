/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of an input file (silk-packing.md 5.4): good ones are archived or deleted, bad ones
 * moved aside.
 */
#ifndef TUSSAH_PACKER_DISPOSAL_H
#define TUSSAH_PACKER_DISPOSAL_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "common/err.h"

struct disposal_opts {
	char *archive_directory; /* NULL: good files are deleted */
	char *error_directory;   /* NULL: bad files stay, and stop the daemon */
	char *post_archive_command;
	const char *command_name; /* for the log; NULL: post-archive-command */
	bool flat_archive;
	bool local_time; /* of the subdirectories; else UTC */
};

/* ARCHIVE/YYYY/MM/DD/HH/NAME of now_s, or ARCHIVE/NAME when flat; then the command. */
int disposal_good(const struct disposal_opts *opts, const char *path, int64_t now_s,
		  struct err *err);
/* ARCHIVE/FOLDER/NAME instead. */
int disposal_good_under(const struct disposal_opts *opts, const char *path, const char *folder,
			struct err *err);
/* ST_ENOENT: there is no error directory, the file is where it was. */
int disposal_bad(const struct disposal_opts *opts, const char *path, struct err *err);

/*
 * Replace %s by path and %% by %, for a person to read. Returned: g_free(). ST_EINVAL: "Unknown
 * conversion '%x'".
 */
int disposal_command(const char *command, const char *path, char **out, struct err *err);
/*
 * What a shell is given of a command that disposal_command() took: %s is a variable that holds the path,
 * quoted as the place asks, so that no name is a command. Returned: g_free().
 */
char *disposal_script(const char *command);
/* Run it so in a process group of its own. pid may be NULL. ST_EIO: the shell is not there. */
int disposal_spawn(const char *shell, const char *command, const char *path, GSpawnFlags flags,
		   GPid *pid, struct err *err);
/* Run it in the background; nobody waits for it (silk-packing.md 4.5). name is for the log. */
void disposal_run(const char *name, const char *command, const char *path);

#endif
