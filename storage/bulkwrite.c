/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bulkwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "storage/newfile.h"

#define PARTS_AT_ONCE 256
#define ALIGN_BYTES   PARTPOOL_BLOCK_ALIGN /* no disk asks for more */

/* What is still to be written. */
struct bulkwrite {
	int fd;
	uint64_t offset;
	const struct iovec *parts;
	size_t count;
	size_t from; /* byte of the first part */
};

static void pass_over(struct bulkwrite *run, size_t bytes)
{
	run->from += bytes;
	while (run->count > 0 && run->from >= run->parts->iov_len) {
		run->from -= run->parts->iov_len;
		run->parts++;
		run->count--;
	}
}

static ssize_t write_some(const struct bulkwrite *run)
{
	struct iovec some[PARTS_AT_ONCE];
	size_t n = MIN(run->count, G_N_ELEMENTS(some));

	memcpy(some, run->parts, n * sizeof(*some));
	some[0].iov_base = (char *)some[0].iov_base + run->from;
	some[0].iov_len -= run->from;
	return pwritev(run->fd, some, (int)n, (off_t)run->offset);
}

/* The system makes larger pages for longer writes. */
static int write_cached(struct bulkwrite *run, struct err *err)
{
	while (run->count > 0) {
		ssize_t n = write_some(run);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_errno(err, err_status(errno), errno, "write");
		}
		run->offset += (uint64_t)n;
		pass_over(run, (size_t)n);
	}
	return ST_OK;
}

static bool set_direct(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

/* Whole blocks, past the cache as long as the file system takes them so. */
static int write_blocks(int fd, uint64_t offset, const uint8_t *bytes, size_t len, bool *direct,
			struct err *err)
{
	size_t done = 0;

	while (*direct && done < len) {
		ssize_t n = pwrite(fd, bytes + done, len - done, (off_t)(offset + done));

		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno == EINVAL) {
			set_direct(fd, false);
			*direct = false;
		} else if (errno != EINTR) {
			return err_errno(err, err_status(errno), errno, "write");
		}
	}
	return newfile_write(fd, offset + done, bytes + done, len - done, err);
}

/* The next bytes of the parts, moved together. */
static void gather(struct bulkwrite *run, uint8_t *to, size_t len)
{
	run->offset += len;
	while (len > 0) {
		size_t n = MIN(len, run->parts->iov_len - run->from);

		memcpy(to, (const uint8_t *)run->parts->iov_base + run->from, n);
		pass_over(run, n);
		to += n;
		len -= n;
	}
}

/* Up to the next whole block in the cache, whole blocks past it, the rest in it. */
static int write_direct(struct bulkwrite *run, size_t bytes, uint8_t *buffer, struct err *err)
{
	const size_t head = (size_t)(-run->offset % ALIGN_BYTES);
	size_t blocks = (bytes - head) / ALIGN_BYTES * ALIGN_BYTES;
	uint64_t offset = run->offset;
	bool direct;
	int rc;

	gather(run, buffer, head);
	rc = newfile_write(run->fd, offset, buffer, head, err);
	direct = set_direct(run->fd, true);
	while (rc == ST_OK && blocks > 0) {
		const size_t len = MIN(blocks, PARTPOOL_BLOCK_BYTES);

		offset = run->offset;
		gather(run, buffer, len);
		rc = write_blocks(run->fd, offset, buffer, len, &direct, err);
		blocks -= len;
	}
	set_direct(run->fd, false);
	return rc == ST_OK ? write_cached(run, err) : rc;
}

int bulkwrite(int fd, uint64_t offset, const struct iovec *parts, size_t count,
	      struct partpool *pool, struct err *err)
{
	struct bulkwrite run = { .fd = fd, .offset = offset, .parts = parts, .count = count };
	size_t bytes = 0;
	void *buffer;
	int rc;

	for (size_t i = 0; i < count; i++) {
		bytes += parts[i].iov_len;
	}
	pass_over(&run, 0); /* empty parts */
	buffer = bytes >= BULKWRITE_DIRECT_BYTES ? partpool_borrow(pool) : NULL;
	if (!buffer) {
		return write_cached(&run, err);
	}
	rc = write_direct(&run, bytes, buffer, err);
	partpool_return(pool, buffer);
	return rc;
}
