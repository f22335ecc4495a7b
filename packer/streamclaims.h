/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of the packers that share a repository stores which messages of an acknowledged stream, for
 * when a sensor goes from one to another: what it had sent and heard nothing of may be in the
 * journal of the first.
 *
 *	streamclaims_claim(claims, key, 101, now_s, &taken, err);	// its first message here is
 *101
 *	...
 *	if (!streamclaims_is_others(claims, key, 101)) { pack it; }
 *	...
 *	st = streamclaims_commit(claims, marks, count, err);	// before files are appended to
 *	if (st == ST_EAGAIN) { pack again from the last commit on; }
 *
 * A claim says that from this message on the stream is this packer's, until another claims it. None
 * can be claimed from a message on that another has stored or is about to: a packer that commits
 * writes down before what it will have then, and looks for claims that it did not know of.
 *
 * On disk, as lines of text: ROOT/.rwflowpack-claims, locked by whoever reads it, adds a line or
 * replaces it, in the order of time: first message, packer, second of the claim, key (a last line
 * without its newline was cut off, and is none);
 * ROOT/.rwflowpack-taken-PACKER: key and last message. A key is an id (32 hexadecimal digits), a
 * blank, and a name, so it stands last.
 *
 * From any thread.
 */
#ifndef TUSSAH_PACKER_STREAMCLAIMS_H
#define TUSSAH_PACKER_STREAMCLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define STREAMCLAIMS_FILE       ".rwflowpack-claims"
#define STREAMCLAIMS_TAKEN      ".rwflowpack-taken-"
#define STREAMCLAIMS_BYTES_MAX  (64u << 20) /* of a file */
#define STREAMCLAIMS_CLAIMS_MAX 65536       /* kept; the oldest are forgotten */
#define STREAMCLAIMS_PACKER_MAX 32

struct streamclaims;

/* root is copied; nothing is opened. packer: up to 32 letters and digits. */
struct streamclaims *streamclaims_new(const char *root, const char *packer, bool no_locking);
void streamclaims_free(struct streamclaims *claims);

/* Read what others have claimed, before anything is packed. ST_OK, ST_ELIMIT, ST_EIO, ST_EFORMAT.
 */
int streamclaims_refresh(struct streamclaims *claims, struct err *err);

/*
 * Before the stream is taken in: *taken is the last message that another packer has or will have.
 * had: the last one that was ever taken in here. ST_OK, ST_ELIMIT, ST_EIO, ST_EFORMAT.
 */
int streamclaims_look(struct streamclaims *claims, const char *key, uint64_t had, uint64_t *taken,
		      struct err *err);
/* The stream is ours from this message on, unless *taken, as above, is not before it. */
int streamclaims_claim(struct streamclaims *claims, const char *key, uint64_t from, int64_t now_s,
		       uint64_t *taken, struct err *err);

/* Is the message another's to store, as far as is known? */
bool streamclaims_is_others(struct streamclaims *claims, const char *key, uint64_t position);

/* The last message up to position that is not another's; 0: all are. */
uint64_t streamclaims_ours(struct streamclaims *claims, const char *key, uint64_t position);

struct streamclaims_mark {
	const char *key; /* borrowed */
	uint64_t committed;
	uint64_t marked; /* the last message that will be stored with this commit */
};

/*
 * Before a commit, durably. ST_OK; ST_EAGAIN: another has claimed messages that were packed for it,
 * which is known from now on; ST_ELIMIT, ST_EIO, ST_EFORMAT.
 */
int streamclaims_commit(struct streamclaims *claims, const struct streamclaims_mark *marks,
			size_t count, struct err *err);

#endif
