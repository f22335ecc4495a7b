/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that a probe reads, as messages for its decoder, one by one: of IPFIX its messages, of
 * NetFlow v5 its packets, of flow records some at a time (packer/silkmessage.h).
 *
 *	struct messagefile *file;
 *	messagefile_open(&file, PROBE_IPFIX, path, err);
 *	while ((st = messagefile_next(file, &bytes, &len, err)) == ST_OK) { ... }
 *	messagefile_close(file);
 */
#ifndef TUSSAH_PACKER_MESSAGEFILE_H
#define TUSSAH_PACKER_MESSAGEFILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "packer/probe.h"

struct messagefile;

/* *out returned: messagefile_close(). ST_OK; ST_EFORMAT: no such file, or none of the type. */
int messagefile_open(struct messagefile **out, enum probe_type type, const char *path,
		     struct err *err);
void messagefile_close(struct messagefile *file);

/* What the open file is, to know it again. */
int messagefile_stat(const struct messagefile *file, struct stat *out);
/* A message that a decoder refuses is all that is wrong; else the file ends with it. */
bool messagefile_goes_on(const struct messagefile *file);

/* *bytes: borrowed until the next call. The same file gives the same messages each time. ST_OK,
 * ST_END, ST_EFORMAT: damaged from here on. */
int messagefile_next(struct messagefile *file, const uint8_t **bytes, size_t *len, struct err *err);

#endif
