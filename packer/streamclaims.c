/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/streamclaims.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/lockedfile.h"
#include "storage/newfile.h"

#define CLAIMS_HEAD      "tussah-claims 1\n"
#define CLAIMS_HEAD_LEN  (sizeof(CLAIMS_HEAD) - 1)
#define TAKEN_HEAD       "tussah-taken 1\n"
#define TAKEN_SETTLED_S  2
#define CLAIMS_KEY_START 33 /* of the name in a key */

struct claim {
	uint64_t from;
	char packer[STREAMCLAIMS_PACKER_MAX + 1];
	int64_t second;
	char *key;
};

/* What is known of a stream. */
struct claimed {
	GArray *claims;     /* indexes into claims->list, ascending */
	uint64_t news_from; /* first message of claims that came to be known since the last
			       commit; UINT64_MAX: none */
};

/* What another packer's file says that it has, as of when it was read last. */
struct taken {
	struct stat seen;
	bool settled; /* it was older then than a clock of files is coarse: seen tells changes */
	GHashTable *positions; /* key to uint64_t */
};

struct streamclaims {
	char *root;
	char *path;
	char *taken_path;
	char packer[STREAMCLAIMS_PACKER_MAX + 1];
	bool no_locking;
	pthread_mutex_t lock; /* guards what follows */
	GArray *list;         /* of struct claim, in the order of time */
	GHashTable *streams;  /* key to struct claimed */
	struct stat seen;     /* of the file that list was read from */
	off_t end;            /* behind the last line of that; 0: nothing may be added there */
	GHashTable *others;   /* name of a file to struct taken */
};

static void claim_clear(void *pointer)
{
	g_free(((struct claim *)pointer)->key);
}

static void claimed_free(void *pointer)
{
	struct claimed *claimed = pointer;

	g_array_free(claimed->claims, TRUE);
	g_free(claimed);
}

static void taken_free(void *pointer)
{
	struct taken *taken = pointer;

	g_hash_table_destroy(taken->positions);
	g_free(taken);
}

/* An empty list; the old one is the caller's. */
static void claims_begin_list(struct streamclaims *claims)
{
	GHashTableIter iter;
	gpointer value;

	claims->list = g_array_new(FALSE, FALSE, sizeof(struct claim));
	g_array_set_clear_func(claims->list, claim_clear);
	g_hash_table_iter_init(&iter, claims->streams);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		g_array_set_size(((struct claimed *)value)->claims, 0);
	}
}

struct streamclaims *streamclaims_new(const char *root, const char *packer, bool no_locking)
{
	struct streamclaims *claims = g_new0(struct streamclaims, 1);
	char *taken = g_strconcat(STREAMCLAIMS_TAKEN, packer, NULL);

	claims->root = g_strdup(root);
	claims->path = g_build_filename(root, STREAMCLAIMS_FILE, NULL);
	claims->taken_path = g_build_filename(root, taken, NULL);
	g_strlcpy(claims->packer, packer, sizeof(claims->packer));
	claims->no_locking = no_locking;
	pthread_mutex_init(&claims->lock, NULL);
	claims->streams = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, claimed_free);
	claims->others = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, taken_free);
	claims_begin_list(claims);
	g_free(taken);
	return claims;
}

void streamclaims_free(struct streamclaims *claims)
{
	if (claims) {
		g_hash_table_destroy(claims->others);
		g_hash_table_destroy(claims->streams);
		g_array_free(claims->list, TRUE);
		pthread_mutex_destroy(&claims->lock);
		g_free(claims->taken_path);
		g_free(claims->path);
		g_free(claims->root);
		g_free(claims);
	}
}

/* ---- the list in memory ---- */

static struct claimed *claims_of(struct streamclaims *claims, const char *key)
{
	struct claimed *claimed = g_hash_table_lookup(claims->streams, key);

	if (!claimed) {
		claimed = g_new0(struct claimed, 1);
		claimed->claims = g_array_new(FALSE, FALSE, sizeof(guint));
		claimed->news_from = UINT64_MAX;
		g_hash_table_insert(claims->streams, g_strdup(key), claimed);
	}
	return claimed;
}

/* The claim that decides about the message: the latest that covers it; NULL: there is none. */
static const struct claim *claims_find(const struct streamclaims *claims, const char *key,
				       uint64_t position)
{
	const struct claimed *claimed = g_hash_table_lookup(claims->streams, key);

	for (guint i = claimed ? claimed->claims->len : 0; i-- > 0;) {
		guint at = g_array_index(claimed->claims, guint, i);
		const struct claim *claim = &g_array_index(claims->list, struct claim, at);

		if (claim->from <= position) {
			return claim;
		}
	}
	return NULL;
}

static void claims_add(struct streamclaims *claims, const struct claim *claim)
{
	guint at = claims->list->len;

	g_array_append_val(claims->list, *claim);
	g_array_append_val(claims_of(claims, claim->key)->claims, at);
}

/* When there are too many, the older half is forgotten; was it? */
static bool claims_prune(struct streamclaims *claims)
{
	GArray *before = claims->list;

	if (before->len < STREAMCLAIMS_CLAIMS_MAX) {
		return false;
	}
	claims_begin_list(claims);
	for (guint i = before->len / 2; i < before->len; i++) {
		struct claim kept = g_array_index(before, struct claim, i);

		kept.key = g_strdup(kept.key);
		claims_add(claims, &kept);
	}
	g_array_free(before, TRUE);
	return true;
}

/* ---- files ---- */

/* "FROM PACKER SECOND ID NAME" */
static char *claim_print(const struct claim *claim)
{
	return g_strdup_printf("%" PRIu64 " %s %" PRId64 " %s", claim->from, claim->packer,
			       claim->second, claim->key);
}

static bool claim_parse(char *line, struct claim *out)
{
	int at = 0;

	if (sscanf(line, "%" SCNu64 " %32[0-9A-Za-z] %" SCNd64 " %n", &out->from, out->packer,
		   &out->second, &at) != 3 ||
	    at == 0 || strlen(line + at) <= CLAIMS_KEY_START) {
		return false;
	}
	out->key = g_strdup(line + at);
	return true;
}

static int claims_parse(struct streamclaims *claims, char *text, struct err *err)
{
	char *rest = text;
	char *line;

	if (strncmp(text, CLAIMS_HEAD, CLAIMS_HEAD_LEN) != 0) {
		return err_set(err, ST_EFORMAT, "%s: not a file of claims", claims->path);
	}
	rest += CLAIMS_HEAD_LEN;
	claims->end = CLAIMS_HEAD_LEN;
	while ((line = strsep(&rest, "\n")) && rest) { /* what no newline ends was cut off */
		struct claim claim;

		if (!claim_parse(line, &claim)) {
			return err_set(err, ST_EFORMAT, "%s: a line is damaged", claims->path);
		}
		claims_add(claims, &claim);
		claims->end = rest - text;
	}
	return ST_OK;
}

/* Claims of others that were not in the list of before come to be known now. */
static void claims_note_news(struct streamclaims *claims, const GArray *before)
{
	GHashTable *known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < before->len; i++) {
		g_hash_table_add(known, claim_print(&g_array_index(before, struct claim, i)));
	}
	for (guint i = 0; i < claims->list->len; i++) {
		const struct claim *claim = &g_array_index(claims->list, struct claim, i);
		struct claimed *claimed = claims_of(claims, claim->key);
		char *line = claim_print(claim);

		if (strcmp(claim->packer, claims->packer) != 0 &&
		    !g_hash_table_contains(known, line)) {
			claimed->news_from = MIN(claimed->news_from, claim->from);
		}
		g_free(line);
	}
	g_hash_table_destroy(known);
}

/* Files are replaced, or grow: is it what it was? */
static bool is_unchanged(const struct stat *seen, const struct stat *now)
{
	return seen->st_ino == now->st_ino && seen->st_dev == now->st_dev &&
	       seen->st_size == now->st_size && seen->st_mtim.tv_sec == now->st_mtim.tv_sec &&
	       seen->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

static int claims_read(struct streamclaims *claims, int fd, struct err *err)
{
	GArray *before = claims->list;
	struct stat stat;
	char *text;
	ssize_t got;
	int st;

	if (fstat(fd, &stat) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", claims->path);
	}
	claims->end = stat.st_size == 0 ? 0 : claims->end;
	if (stat.st_size == 0 || is_unchanged(&claims->seen, &stat)) {
		return ST_OK;
	}
	if (stat.st_size > STREAMCLAIMS_BYTES_MAX) {
		return err_set(err, ST_EFORMAT, "%s: too large", claims->path);
	}
	text = g_malloc((gsize)stat.st_size + 1);
	got = pread(fd, text, (size_t)stat.st_size, 0);
	if (got != stat.st_size) {
		g_free(text);
		return err_errno(err, ST_EIO, got < 0 ? errno : EIO, "%s", claims->path);
	}
	text[got] = '\0';
	claims->end = 0;
	claims_begin_list(claims);
	st = claims_parse(claims, text, err);
	g_free(text);
	if (st == ST_OK) {
		claims->seen = stat;
		claims_note_news(claims, before);
	}
	g_array_free(before, TRUE);
	return st;
}

/* *fd is locked and read. */
static int claims_open(struct streamclaims *claims, int *fd, struct err *err)
{
	unsigned flags = LOCKEDFILE_CREATE | (claims->no_locking ? LOCKEDFILE_NO_LOCK : 0);
	int st = lockedfile_open(claims->path, flags, fd, err);

	if (st == ST_OK) {
		st = claims_read(claims, *fd, err);
		if (st != ST_OK) {
			close(*fd);
		}
	}
	return st;
}

/* Write text beside path and rename it. */
static int claims_replace(const char *path, const GString *text, struct err *err)
{
	char *temp = NULL;
	int fd = -1;
	int st = newfile_open(path, &temp, &fd, err);

	if (st != ST_OK) {
		return st;
	}
	st = newfile_write(fd, 0, text->str, text->len, err);
	if (st == ST_OK && (fchmod(fd, 0644) != 0 || fsync(fd) != 0)) {
		st = err_errno(err, err_status(errno), errno, "sync %s", temp);
	}
	close(fd);
	st = st == ST_OK ? lockedfile_replace(temp, path, err) : st;
	if (st != ST_OK) {
		unlink(temp);
	}
	g_free(temp);
	return st;
}

static int claims_write(struct streamclaims *claims, struct err *err)
{
	GString *text = g_string_new(CLAIMS_HEAD);
	int st;

	for (guint i = 0; i < claims->list->len; i++) {
		const struct claim *claim = &g_array_index(claims->list, struct claim, i);

		g_string_append_printf(text, "%" PRIu64 " %s %" PRId64 " %s\n", claim->from,
				       claim->packer, claim->second, claim->key);
	}
	st = claims_replace(claims->path, text, err);
	if (st == ST_OK) {
		claims->end = (off_t)text->len;
		if (stat(claims->path, &claims->seen) != 0) {
			claims->seen = (struct stat){ 0 };
		}
	}
	g_string_free(text, TRUE);
	return st;
}

/* One more line, over what may be left of one that was cut off. On failure there is none. */
static int claims_append(struct streamclaims *claims, int fd, const struct claim *claim,
			 struct err *err)
{
	char *line = g_strdup_printf("%" PRIu64 " %s %" PRId64 " %s\n", claim->from, claim->packer,
				     claim->second, claim->key);
	const size_t len = strlen(line);
	int st = ST_OK;

	if (ftruncate(fd, claims->end) != 0) {
		st = err_errno(err, err_status(errno), errno, "%s", claims->path);
	}
	if (st == ST_OK) {
		st = newfile_write(fd, (uint64_t)claims->end, line, len, err);
		if (st == ST_OK && fdatasync(fd) != 0) {
			st = err_errno(err, err_status(errno), errno, "sync %s", claims->path);
		}
		if (st == ST_OK) {
			claims->end += (off_t)len;
		} else if (ftruncate(fd, claims->end) != 0) {
			err_set(err, ST_EIO, "%s: part of a line stays", claims->path);
		}
	}
	if (fstat(fd, &claims->seen) != 0) {
		claims->seen = (struct stat){ 0 };
	}
	g_free(line);
	return st;
}

static void taken_parse(struct taken *taken, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		uint64_t position;
		int end = 0;

		if (sscanf(line, "%" SCNu64 " %n", &position, &end) == 1 && end > 0) {
			g_hash_table_insert(taken->positions, g_strdup(line + end),
					    g_memdup2(&position, sizeof(position)));
		}
	}
}

/* Read the file of this name again if it is another than it was. *out NULL: it is gone. */
static int taken_look(const struct streamclaims *claims, const char *name, const struct taken **out,
		      struct err *err)
{
	struct taken *taken = g_hash_table_lookup(claims->others, name);
	char *path = g_build_filename(claims->root, name, NULL);
	char *text = NULL;
	GError *error = NULL;
	struct stat now;
	int st = ST_OK;

	*out = NULL;
	if (stat(path, &now) != 0) {
		st = errno == ENOENT ? ST_OK : err_errno(err, ST_EIO, errno, "%s", path);
	} else if (taken && taken->settled && is_unchanged(&taken->seen, &now)) {
		*out = taken;
	} else if (g_file_get_contents(path, &text, NULL, &error)) {
		taken = g_new0(struct taken, 1);
		/* of before the reading: what is replaced meanwhile is read again */
		taken->seen = now;
		taken->settled = time(NULL) - now.st_mtim.tv_sec > TAKEN_SETTLED_S;
		taken->positions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		taken_parse(taken, text);
		g_hash_table_replace(claims->others, g_strdup(name), taken);
		*out = taken;
	} else if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
		st = err_set(err, ST_EIO, "%s", error->message);
	}
	g_clear_error(&error);
	g_free(text);
	g_free(path);
	return st;
}

static int taken_by_others(const struct streamclaims *claims, const char *key, uint64_t *taken,
			   struct err *err)
{
	GDir *dir = g_dir_open(claims->root, 0, NULL);
	const char *name;
	int st = ST_OK;

	if (!dir) {
		return err_errno(err, ST_EIO, errno, "%s", claims->root);
	}
	while (st == ST_OK && (name = g_dir_read_name(dir))) {
		const struct taken *other = NULL;
		const uint64_t *position;

		if (!g_str_has_prefix(name, STREAMCLAIMS_TAKEN) ||
		    strcmp(name + strlen(STREAMCLAIMS_TAKEN), claims->packer) == 0) {
			continue;
		}
		st = taken_look(claims, name, &other, err);
		position = other ? g_hash_table_lookup(other->positions, key) : NULL;
		*taken = position ? MAX(*taken, *position) : *taken;
	}
	g_dir_close(dir);
	return st;
}

/* ---- what is asked ---- */

/* What is packed from here on is packed knowing them. */
static void claims_take_news(struct streamclaims *claims)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, claims->streams);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		((struct claimed *)value)->news_from = UINT64_MAX;
	}
}

int streamclaims_refresh(struct streamclaims *claims, struct err *err)
{
	int fd;
	int st;

	pthread_mutex_lock(&claims->lock);
	st = claims_open(claims, &fd, err);
	if (st == ST_OK) {
		close(fd);
		claims_take_news(claims);
	}
	pthread_mutex_unlock(&claims->lock);
	return st;
}

/* The latest claim was not written down: it is none. */
static void claims_forget_last(struct streamclaims *claims)
{
	const guint last = claims->list->len - 1;
	const struct claim *claim = &g_array_index(claims->list, struct claim, last);
	struct claimed *claimed = claims_of(claims, claim->key);

	g_array_set_size(claimed->claims, claimed->claims->len - 1);
	g_array_set_size(claims->list, last);
}

/* Append ours, if it is not there already. The file is locked. */
static int claims_make(struct streamclaims *claims, int fd, const char *key, uint64_t from,
		       int64_t now_s, struct err *err)
{
	const struct claim *latest = claims_find(claims, key, UINT64_MAX);
	struct claim claim = { .from = from, .second = now_s };
	bool pruned;
	int st;

	if (latest && latest->from <= from && strcmp(latest->packer, claims->packer) == 0) {
		return ST_OK;
	}
	g_strlcpy(claim.packer, claims->packer, sizeof(claim.packer));
	claim.key = g_strdup(key);
	pruned = claims_prune(claims);
	claims_add(claims, &claim);
	st = pruned || claims->end == 0 ? claims_write(claims, err)
					: claims_append(claims, fd, &claim, err);
	if (st != ST_OK) {
		claims_forget_last(claims);
	}
	return st;
}

int streamclaims_look(struct streamclaims *claims, const char *key, uint64_t had, uint64_t *taken,
		      struct err *err)
{
	int fd;
	int st;

	*taken = 0;
	pthread_mutex_lock(&claims->lock);
	st = claims_open(claims, &fd, err);
	if (st == ST_OK) {
		struct claimed *claimed = claims_of(claims, key);

		close(fd);
		st = taken_by_others(claims, key, taken, err);
		if (claimed->news_from > had) {
			claimed->news_from = UINT64_MAX; /* nothing of it can have been packed */
		}
	}
	pthread_mutex_unlock(&claims->lock);
	return st;
}

int streamclaims_claim(struct streamclaims *claims, const char *key, uint64_t from, int64_t now_s,
		       uint64_t *taken, struct err *err)
{
	int fd;
	int st;

	*taken = 0;
	pthread_mutex_lock(&claims->lock);
	st = claims_open(claims, &fd, err);
	if (st == ST_OK) {
		st = taken_by_others(claims, key, taken, err);
		if (st == ST_OK && from > *taken) {
			st = claims_make(claims, fd, key, from, now_s, err);
		}
		close(fd);
	}
	pthread_mutex_unlock(&claims->lock);
	return st;
}

bool streamclaims_is_others(struct streamclaims *claims, const char *key, uint64_t position)
{
	const struct claim *claim;
	bool others;

	pthread_mutex_lock(&claims->lock);
	claim = claims_find(claims, key, position);
	others = claim && strcmp(claim->packer, claims->packer) != 0;
	pthread_mutex_unlock(&claims->lock);
	return others;
}

uint64_t streamclaims_ours(struct streamclaims *claims, const char *key, uint64_t position)
{
	const struct claim *claim;

	pthread_mutex_lock(&claims->lock);
	while ((claim = claims_find(claims, key, position)) && position > 0 &&
	       strcmp(claim->packer, claims->packer) != 0) {
		position = claim->from - 1;
	}
	pthread_mutex_unlock(&claims->lock);
	return position;
}

static int claims_commit(struct streamclaims *claims, const struct streamclaims_mark *marks,
			 size_t count, struct err *err)
{
	GString *text = g_string_new(TAKEN_HEAD);
	int st = ST_OK;

	for (size_t i = 0; i < count; i++) {
		struct claimed *claimed = g_hash_table_lookup(claims->streams, marks[i].key);

		if (claimed && marks[i].marked > marks[i].committed &&
		    claimed->news_from <= marks[i].marked) {
			st = err_set(err, ST_EAGAIN, "another packer has taken over stream %s",
				     marks[i].key);
		}
		g_string_append_printf(text, "%" PRIu64 " %s\n", marks[i].marked, marks[i].key);
	}
	if (st == ST_OK) {
		st = claims_replace(claims->taken_path, text, err);
	}
	g_string_free(text, TRUE);
	return st;
}

int streamclaims_commit(struct streamclaims *claims, const struct streamclaims_mark *marks,
			size_t count, struct err *err)
{
	int fd;
	int st;

	pthread_mutex_lock(&claims->lock);
	st = claims_open(claims, &fd, err);
	if (st == ST_OK) {
		st = claims_commit(claims, marks, count, err);
		close(fd);
	}
	pthread_mutex_unlock(&claims->lock);
	return st;
}
