/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the programs share that make flow records of files of exports: switches, the output, the
 * log, the list of inputs. A program says how one file is read.
 *
 *	static const struct tosilk_program program = { .tool = { .name = "rwpdu2silk", ... },
 *		.offset = offsetof(struct opts, common), .read = read_pdus };
 *	int main(int argc, char **argv)
 *	{
 *		struct opts opts = { 0 };
 *
 *		return tosilk_main(&program, &opts, argc, argv);
 *	}
 */
#ifndef TUSSAH_PACKER_TOSILK_H
#define TUSSAH_PACKER_TOSILK_H

#include "common/optmain.h"
#include "packer/decoder.h"
#include "storage/header.h"
#include "storage/compressionopt.h"
#include "storage/notes.h"

/* Embed with OPT_GROUP(..., common, tosilk_opt_table). */
struct tosilk_opts {
	char *silk_output;
	int file_format;
	bool print_statistics;
	char *log_destination;
	char *log_flags;
	struct opt_optstr xargs;
	struct notes *notes;
	struct compressionopt compression;
};
extern const struct opt tosilk_opt_table[];

struct tosilk;

struct tosilk_program {
	struct optmain tool;
	size_t offset;    /* of struct tosilk_opts in the options */
	bool reads_stdin; /* when there are no names */
	/* Read one file into the sink, and log how much it was. ST_OK, also when it is damaged,
	 * which was told; ST_ENOENT: it cannot be opened, which was told; ST_EIO: the sink's. */
	int (*read)(struct tosilk *self, const void *opts, const char *path,
		    const struct decoder_sink *sink);
};

/* Returns the exit status. opts is zeroed or defaulted by the caller. */
int tosilk_main(const struct tosilk_program *program, void *opts, int argc, char **argv);

/* ---- for read ---- */

/* One line of the log, about the input at hand. */
void tosilk_log(struct tosilk *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "PROGRAM: PATH: TEXT" on standard error. */
void tosilk_complain(struct tosilk *self, const char *path, const char *text);
bool tosilk_is_stdin(const char *path);

#endif
