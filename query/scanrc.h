/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration of rwscanquery, .rwscanrc: lines of NAME=VALUE, and comments that begin with
 * "#".
 *
 *	struct scanrc rc = { NULL };
 *	status = scanrc_find(&path, err);
 *	status = scanrc_read(&rc, path, err);
 *	scanrc_release(&rc);
 */
#ifndef TUSSAH_QUERY_SCANRC_H
#define TUSSAH_QUERY_SCANRC_H

#include "common/err.h"

/* NULL: not given. */
struct scanrc {
	char *instance;  /* db_instance */
	char *in_class;  /* rw_in_class */
	char *in_type;   /* rw_in_type */
	char *out_class; /* rw_out_class */
	char *out_type;  /* rw_out_type */
};

/*
 * The first that is there: $RWSCANRC, which must be, .rwscanrc in $HOME, and the one installed.
 * *out returned: g_free(); NULL: none. ST_OK, ST_ENOENT.
 */
int scanrc_find(char **out, struct err *err);
/*
 * Read into a zeroed rc; names of other databases (db_userid) are passed over. For
 * scanrc_release(), also after a failure. ST_OK, ST_EINVAL (a line that is none, a db_driver that
 * is not sqlite), ST_ENOENT, ST_EIO.
 */
int scanrc_read(struct scanrc *rc, const char *path, struct err *err);
void scanrc_release(struct scanrc *rc);

#endif
