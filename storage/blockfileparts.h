/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a block file that is read, shared by blockfile.c, blockopen.c, blockcursor.c and
 * the recovery of writers alone. */
#ifndef TUSSAH_STORAGE_BLOCKFILEPARTS_H
#define TUSSAH_STORAGE_BLOCKFILEPARTS_H

#include "storage/blockheader.h"

struct file_block {
	struct flowblock block;
	uint64_t offset;
	uint32_t header_len;
	uint32_t body_len;
	size_t number;
};

struct blockfile {
	char *path;
	int fd;
	struct stat stat;
	uint64_t size;
	struct blockfile_header header;
	GArray *blocks; /* struct file_block */
	struct summary summary;
	uint8_t *filter; /* of the file; or NULL */
	size_t filter_len;
	bool sealed;
	uint64_t end;  /* of the last section that was made out; behind it are only the torn tail or
			  bytes that are nothing */
	uint64_t torn; /* bytes of a torn tail */
	uint64_t lost; /* where the last section begins when it is a block with a damaged directory;
			  else 0 */
	uint64_t listed_end; /* behind the footer that is used; 0: none */
	GPtrArray *damage;
};

/* Read as much as there is of len bytes at offset; *got is less at the end of the file. */
int blockfile_read_at(int fd, uint64_t offset, void *to, size_t len, size_t *got, struct err *err);

/* header_len bytes with which a block begins: prelude, directory, checksum. */
int blockfile_parse_block(const uint8_t *bytes, const struct flowblock_prelude *prelude,
			  const struct blockfile_header *header, struct flowblock *out,
			  struct err *err);

/* Find header, footer and blocks of file, whose fd, path and stat are set. */
int blockfile_find_blocks(struct blockfile *file, struct err *err);

static inline struct file_block *blockfile_at(const struct blockfile *file, size_t i)
{
	return &g_array_index(file->blocks, struct file_block, i);
}

/* Until the next call, chunks of block i are taken from one read of its body if that is small. */
void blockfile_scratch_begin(struct blockfile_scratch *scratch, const struct blockfile *file,
			     size_t i);
/* "FILE: block N: column C: " in front of the text. */
int blockfile_prefix(const struct blockfile *file, size_t i, const struct column_key *key,
		     struct err *err);

#endif
