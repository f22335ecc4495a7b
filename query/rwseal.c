/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwseal: sort and pack the hourly block files of a repository, or any block files. */
#include "query/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query/repodays.h"
#include "storage/catalogwrite.h"
#include "storage/repowalk.h"
#include "storage/seal.h"

enum seal_method {
	SEAL_NONE,
	SEAL_LZO1X,
	SEAL_ZSTD,
};

struct seal_tool_opts {
	bool force;
	bool dry_run;
	bool verbose;
	bool no_catalog;
	int method; /* enum seal_method */
	struct selection_opts selection;
};

static const char *const seal_methods[] = { "none", "lzo1x", "zstd", NULL };
static const uint8_t seal_compressions[] = {
	[SEAL_NONE] = CHUNK_PLAIN,
	[SEAL_LZO1X] = CHUNK_LZO1X,
	[SEAL_ZSTD] = CHUNK_ZSTD,
};

static const struct seal_tool_opts seal_default = { .method = SEAL_LZO1X };

static const struct opt seal_opt_table[] = {
	OPT_FLAG(struct seal_tool_opts, force, "force", 0,
		 "also seal again what is sealed already"),
	OPT_FLAG(struct seal_tool_opts, dry_run, "dry-run", 0,
		 "say what would be sealed, and leave everything as it is"),
	OPT_FLAG(struct seal_tool_opts, verbose, "verbose", 0, "tell what was done with each file"),
	OPT_FLAG(struct seal_tool_opts, no_catalog, "no-catalog", 0,
		 "leave the catalog of the repository as it is"),
	OPT_CHOICE(struct seal_tool_opts, method, "compression-method", 0, "METHOD", seal_methods,
		   "compress columns where it helps: none, lzo1x or zstd", .default_text = "lzo1x"),
	OPT_GROUP(struct seal_tool_opts, selection, selection_opt_table),
	OPT_END,
};

struct job {
	const struct seal_tool_opts *opts;
	const struct site *site; /* NULL: files outside of any repository */
	char *root;              /* as realpath() writes it; NULL with site */
	/* files of one day whose entries of the catalog may be out of date */
	int64_t day_ns;
	GPtrArray *paths;
	bool failed;
};

/* ---- the catalog ---- */

static void update_catalog(struct job *job)
{
	const struct catalog_update_opts opts = { .only_stale = true };
	struct err err;

	if (job->paths->len > 0 &&
	    catalog_update(job->root, job->day_ns, (const char *const *)job->paths->pdata,
			   job->paths->len, &opts, NULL, &err) != ST_OK) {
		tool_warn_err(&err);
		job->failed = true;
	}
	g_ptr_array_set_size(job->paths, 0);
}

/* Enter a file in the catalog, together with others of its day. path is relative to the root. */
static void note_sealed(struct job *job, int64_t day_ns, const char *path)
{
	if (job->opts->no_catalog || job->opts->dry_run) {
		return;
	}
	if (day_ns != job->day_ns) {
		update_catalog(job);
		job->day_ns = day_ns;
	}
	g_ptr_array_add(job->paths, g_strdup(path));
}

/* A file named on the command line may be one of the repository. */
static void note_if_in_repository(struct job *job, const char *path)
{
	char *whole = realpath(path, NULL);
	struct hourfile_key key;

	if (whole && job->root && repo_is_path(job->site, job->root, whole, &key)) {
		note_sealed(job, catalog_day_ns(key.hour_ns), whole + strlen(job->root) + 1);
	}
	free(whole);
}

/* ---- sealing ---- */

static int is_block_file(const char *path, bool *is, struct err *err)
{
	uint8_t magic[BLOCKFILE_MAGIC_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got;

	if (fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	got = pread(fd, magic, sizeof(magic), 0);
	close(fd);
	*is = got == sizeof(magic) && memcmp(magic, blockfile_magic, sizeof(magic)) == 0;
	return got < 0 ? err_errno(err, ST_EIO, errno, "%s", path) : ST_OK;
}

static int look_at(const struct job *job, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct blockfile *file = NULL;
	int rc = fd < 0 ? err_errno(err, ST_EIO, errno, "%s", path)
			: blockfile_open(&file, fd, path, err);

	if (rc == ST_OK && blockfile_damage(file, 0)) {
		rc = err_set(err, ST_EFORMAT, "%s", blockfile_damage(file, 0));
	} else if (rc == ST_OK && (job->opts->force || !blockfile_is_sealed(file))) {
		printf("%s: %zu blocks to seal\n", path, blockfile_count(file));
	}
	blockfile_close(file);
	return rc;
}

static void report(const struct job *job, const char *path, const struct seal_result *result)
{
	if (!job->opts->verbose) {
		return;
	}
	if (!result->sealed) {
		printf("%s: sealed already\n", path);
		return;
	}
	printf("%s: %" PRIu64 " records, blocks %" PRIu64 " to %" PRIu64 ", bytes %" PRIu64
	       " to %" PRIu64 "\n",
	       path, result->records, result->blocks_before, result->blocks, result->bytes_before,
	       result->bytes);
	if (result->torn_bytes > 0) {
		printf("%s: left out %" PRIu64 " bytes of a block that was not whole\n", path,
		       result->torn_bytes);
	}
}

/* *done: path is a block file, sealed by now. */
static int seal(const struct job *job, const char *path, bool *done, struct err *err)
{
	const struct seal_opts opts = {
		.compression = seal_compressions[job->opts->method],
		.force = job->opts->force,
		.root = job->root,
	};
	struct seal_result result = { 0 };
	bool is_blocks = false;
	int rc = is_block_file(path, &is_blocks, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (!is_blocks) {
		tool_warn("%s: not a block file, left as it is", path);
		return ST_OK;
	}
	if (job->opts->dry_run) {
		return look_at(job, path, err);
	}
	rc = seal_file(path, &opts, &result, err);
	if (rc == ST_OK) {
		report(job, path, &result);
		*done = true;
	}
	return rc;
}

static bool seal_or_warn(struct job *job, const char *path)
{
	bool done = false;
	struct err err;

	if (seal(job, path, &done, &err) != ST_OK) {
		tool_warn_err(&err);
		job->failed = true;
	}
	return done;
}

static void seal_selected(struct job *job, struct selection_opts *opts, struct tool_env *env)
{
	const char *root;
	GPtrArray *days = repodays_new(opts, env, &root);

	for (guint i = 0; i < days->len; i++) {
		const struct repoday *day = g_ptr_array_index(days, i);

		for (guint j = 0; j < day->paths->len; j++) {
			const char *path = g_ptr_array_index(day->paths, j);
			char *whole = g_strdup_printf("%s/%s", root, path);

			if (seal_or_warn(job, whole)) {
				note_sealed(job, day->day_ns, path);
			}
			g_free(whole);
		}
	}
	g_ptr_array_free(days, TRUE);
}

static int seal_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct seal_tool_opts *opts = base;
	bool selects = selection_reads_repository(&opts->selection, false);
	struct job job = { .opts = opts };
	char *root;

	if (argc > 0 && repodays_is_narrowed(&opts->selection)) {
		tool_usage("Cannot name files and give switches that select files");
	}
	if (argc == 0 && !selects) {
		tool_usage("No files are named and no switch selects any");
	}
	job.site = tool_site(env, &opts->selection.site, argc == 0);
	root = realpath(tool_rootdir(env, &opts->selection.site), NULL);
	job.root = g_strdup(root);
	free(root);
	job.paths = g_ptr_array_new_with_free_func(g_free);
	if (argc == 0) {
		seal_selected(&job, &opts->selection, env);
	}
	for (int i = 0; i < argc; i++) {
		if (seal_or_warn(&job, argv[i])) {
			note_if_in_repository(&job, argv[i]);
		}
	}
	update_catalog(&job);
	g_ptr_array_free(job.paths, TRUE);
	g_free(job.root);
	return job.failed ? TOOL_EXIT_ERROR : TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwseal",
	.summary = "sort and pack the block files of a repository",
	.usage = "FILES | SELECTION-SWITCHES",
	.opts = seal_opt_table,
	.opts_size = sizeof(struct seal_tool_opts),
	.opts_default = &seal_default,
	.run = seal_run,
};
