/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing a sealed file: blocks to a temporary name in the folder of the file, the footer behind
 * them, and then, all at once, the name (storage/FORMAT.md sections 2.4 and 7).
 *
 *	struct sealwriter *writer;
 *	rc = sealwriter_create(&writer, path, &header, mode, err);
 *	rc = sealwriter_add(writer, bytes, len, err);		// as flowblock_build() gave them
 *	sealwriter_add_addresses(writer, hashes, count);	// for the file's filter
 *	rc = sealwriter_commit(writer, &size, err);
 *	sealwriter_free(writer);				// removes what was not committed
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_STORAGE_SEALWRITER_H
#define TUSSAH_STORAGE_SEALWRITER_H

#include <sys/stat.h>

#include "storage/blockfile.h"

struct sealwriter;

/*
 * Make the temporary file with the access rights (and, where one may, the owner) of like. header
 * and path are copied. *out returned: sealwriter_free(). ST_OK, ST_EIO, ST_ELIMIT.
 */
int sealwriter_create(struct sealwriter **out, const char *path,
		      const struct blockfile_header *header, const struct stat *like,
		      struct err *err);

/* Append one whole block. ST_OK, ST_EIO. */
int sealwriter_add(struct sealwriter *writer, const uint8_t *block, size_t len, struct err *err);

/*
 * Addresses (bloom_hash()) that the file's filter must hold; they may repeat. A file with so many
 * that no filter of the largest size would tell much goes without.
 */
void sealwriter_add_addresses(struct sealwriter *writer, const uint64_t *hashes, size_t count);

uint64_t sealwriter_blocks(const struct sealwriter *writer);

/* Write the footer, sync, and take the name; *bytes returns the size of the file. ST_OK, ST_EIO,
 * ST_ELIMIT (more blocks than a footer may list). On failure the name means what it meant. */
int sealwriter_commit(struct sealwriter *writer, uint64_t *bytes, struct err *err);

/* NULL is fine. */
void sealwriter_free(struct sealwriter *writer);

#endif
