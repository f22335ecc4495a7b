/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses with the times of their first and last sighting, and files of them
 * (storage/FORMAT-sightings.md). Such a file is an IPset file of a record version that is ours
 * alone: SiLK refuses it by its version, and ipset_read() reads it as the plain set.
 *
 *	struct sightings *seen = sightings_new();
 *	sightings_add(seen, ip, start_ms, end_ms);
 *	sightings_finish(seen);
 *	for (size_t i = 0; i < sightings_count(seen); i++) ... sightings_at(seen, i) ...
 *	sightings_free(seen);
 *
 * Times are milliseconds since 1970. An IPv4 address and its mapped IPv6 form are the same.
 * Memory: some 45 bytes an address. Threads: one at a time while adding; any number after
 * sightings_finish().
 */
#ifndef TUSSAH_STORAGE_SIGHTINGS_H
#define TUSSAH_STORAGE_SIGHTINGS_H

#include "storage/ipset.h"

/* Record version of the files; SiLK's end at 5. */
#define SIGHTINGS_VERSION 100

struct sighting {
	struct ip ip;
	int64_t first_ms;
	int64_t last_ms;
};

struct sightings;

/* A time beyond these is refused in files: nanoseconds could not hold it. */
#define SIGHTINGS_MS_MAX (INT64_MAX / 1000000)

struct sightings *sightings_new(void);
void sightings_free(struct sightings *seen);

/* Any order, repeats welcome: the earliest first and the latest last time count. */
void sightings_add(struct sightings *seen, struct ip ip, int64_t first_ms, int64_t last_ms);
/* Put in order of address; needed before everything below. Nothing can be added after. */
void sightings_finish(struct sightings *seen);

bool sightings_have_ipv6(const struct sightings *seen); /* an address outside ::ffff:0:0/96 */
size_t sightings_count(const struct sightings *seen);
/* Ascending. Borrowed. */
const struct sighting *sightings_at(const struct sightings *seen, size_t i);

/*
 * Read a file; "-" or "stdin" allowed. header (may be NULL): filled with the file's header;
 * header_release() it, also after a failure. Errors name the path. *out: sightings_free();
 * untouched on failure. Returns ST_OK, ST_ENOENT, ST_EIO, ST_ETRUNC, ST_EFORMAT (damaged, or not a
 * file with times).
 */
int sightings_read(struct sightings **out, const char *path, struct header *header,
		   struct err *err);
/* As sightings_read, from where src stands; src is kept by the caller. */
int sightings_read_from(struct sightings **out, struct bytesource *src, struct header *header,
			struct err *err);

/* Write into sink, which stays open. Of opts the record version does not count. ST_OK or ST_EIO. */
int sightings_write_to(const struct sightings *seen, struct bytesink *sink,
		       const struct ipset_write_opts *opts, struct err *err);

#endif
