/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/appendlog.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/bigendian.h"
#include "storage/blockrecover.h"
#include "storage/hourfile.h"
#include "storage/lockedfile.h"
#include "storage/newfile.h"

#define LOG_MAGIC "TSAL"
/* The first has one epoch for all, the second one for each entry. */
enum { LOG_ONE_EPOCH = 1, LOG_EPOCHS = 2 };
#define HEAD_BYTES 24
#define TAIL_BYTES 8
#define MARK_BYTES 16
#define PAGE_BYTES 4096 /* the kernel gives up a write at a multiple of it */
#define COPY_BYTES (256u << 10)

struct appendlog {
	char *root;
	char *path;
	int fd;
	GByteArray *bytes;
};

/* An entry as read; points into the log's bytes. */
struct entry {
	uint64_t epoch;
	const char *path; /* not terminated */
	size_t path_len;
	uint64_t offset;
	uint64_t len;
	const uint8_t *marks;
	uint32_t mark_count;
};

int appendlog_open(struct appendlog **out, const char *root, const char *id, struct err *err)
{
	char *name = g_strconcat(APPENDLOG_PREFIX, id, NULL);
	char *path = g_build_filename(root, name, NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct appendlog *log;
	int st = fd >= 0 ? newfile_sync_folder(path, err)
			 : err_errno(err, err_status(errno), errno, "%s", path);

	g_free(name);
	if (st != ST_OK) {
		if (fd >= 0) {
			close(fd);
		}
		g_free(path);
		return st;
	}
	log = g_new0(struct appendlog, 1);
	log->root = g_strdup(root);
	log->path = path;
	log->fd = fd;
	log->bytes = g_byte_array_new();
	*out = log;
	return ST_OK;
}

void appendlog_close(struct appendlog *log)
{
	if (log) {
		close(log->fd);
		g_byte_array_unref(log->bytes);
		g_free(log->path);
		g_free(log->root);
		g_free(log);
	}
}

/* The part of path behind root; NULL: it is not under it. */
static const char *path_from_root(const char *root, const char *path)
{
	size_t len = strlen(root);

	if (strncmp(path, root, len) != 0) {
		return NULL;
	}
	path += len;
	path += strspn(path, "/");
	return *path && strlen(path) <= UINT16_MAX ? path : NULL;
}

/* ---- writing ---- */

static void put_number(GByteArray *out, uint64_t value, unsigned width)
{
	uint8_t bytes[8];

	put_be64(bytes, value);
	g_byte_array_append(out, bytes + sizeof(bytes) - width, width);
}

/* How far the parts of a claim are digested. */
struct digest {
	XXH64_state_t *state;
	const struct iovec *part;
	size_t offset; /* in it */
};

static void digest_more(struct digest *digest, size_t len)
{
	while (len > 0) {
		size_t some = MIN(len, digest->part->iov_len - digest->offset);

		XXH64_update(digest->state, (const char *)digest->part->iov_base + digest->offset,
			     some);
		digest->offset += some;
		len -= some;
		if (digest->offset == digest->part->iov_len) {
			digest->part++;
			digest->offset = 0;
		}
	}
}

static uint32_t put_marks(GByteArray *out, const struct appendlog_claim *claim)
{
	struct digest digest = { XXH64_createState(), claim->parts, 0 };
	uint64_t page = PAGE_BYTES - claim->offset % PAGE_BYTES;
	size_t piece = 0;
	uint32_t marks = 0;

	XXH64_reset(digest.state, 0);
	for (uint64_t done = 0; done < claim->len; marks++) {
		uint64_t end = MIN(page, claim->len);

		if (piece < claim->piece_count) {
			end = MIN(end, claim->pieces[piece]);
		}
		digest_more(&digest, end - done);
		put_number(out, end, 8);
		put_number(out, XXH64_digest(digest.state), 8);
		page += end == page ? PAGE_BYTES : 0;
		piece += piece < claim->piece_count && end == claim->pieces[piece];
		done = end;
	}
	XXH64_freeState(digest.state);
	return marks;
}

static void put_entry(GByteArray *out, const char *path, const struct appendlog_claim *claim)
{
	guint at;

	put_number(out, strlen(path), 2);
	g_byte_array_append(out, (const uint8_t *)path, (guint)strlen(path));
	put_number(out, claim->offset, 8);
	put_number(out, claim->len, 8);
	at = out->len;
	put_number(out, 0, 4);
	put_be32(out->data + at, put_marks(out, claim));
}

static int write_log(struct appendlog *log, uint32_t version, uint64_t epoch,
		     const struct appendlog_claim *claims, size_t count, struct err *err)
{
	GByteArray *out = log->bytes;
	int st;

	g_byte_array_set_size(out, 0);
	g_byte_array_append(out, (const uint8_t *)LOG_MAGIC, 4);
	put_number(out, version, 4);
	put_number(out, epoch, 8);
	put_number(out, count, 4);
	put_number(out, 0, 4);
	for (size_t i = 0; i < count; i++) {
		const char *path = path_from_root(log->root, claims[i].path);

		if (!path) {
			return err_set(err, ST_EIO, "%s: not under %s", claims[i].path, log->root);
		}
		if (version == LOG_EPOCHS) {
			put_number(out, claims[i].epoch, 8);
		}
		put_entry(out, path, &claims[i]);
	}
	put_number(out, XXH64(out->data, out->len, 0), 8);
	if (out->len > APPENDLOG_MAX) {
		return err_set(err, ST_EIO, "%s: too much at a time", log->path);
	}
	st = newfile_write(log->fd, 0, out->data, out->len, err);
	if (st == ST_OK && (ftruncate(log->fd, (off_t)out->len) != 0 || fdatasync(log->fd) != 0)) {
		st = err_errno(err, err_status(errno), errno, "sync");
	}
	return st == ST_OK || !err ? st : err_prefix(err, "%s", log->path);
}

int appendlog_write(struct appendlog *log, uint64_t epoch, const struct appendlog_claim *claims,
		    size_t count, struct err *err)
{
	return write_log(log, LOG_ONE_EPOCH, epoch, claims, count, err);
}

int appendlog_write_each(struct appendlog *log, const struct appendlog_claim *claims, size_t count,
			 struct err *err)
{
	return write_log(log, LOG_EPOCHS, 0, claims, count, err);
}

void appendlog_clear(struct appendlog *log)
{
	/* What stays when that fails is of an epoch that is over. */
	if (ftruncate(log->fd, 0) != 0) {
		return;
	}
}

/* ---- reading ---- */

static bool read_all(int fd, GByteArray *out)
{
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t got;

	if (size < HEAD_BYTES + TAIL_BYTES || size > APPENDLOG_MAX) {
		return false;
	}
	g_byte_array_set_size(out, (guint)size);
	got = pread(fd, out->data, (size_t)size, 0);
	return got == size;
}

/* The entries of a log, as far as they are read. */
struct entries {
	uint32_t version;
	uint64_t epoch; /* of all */
	uint32_t left;
	const uint8_t *at;
	const uint8_t *end;
};

/* Of a whole log. */
static bool read_log(int fd, GByteArray *out, struct entries *entries)
{
	if (!read_all(fd, out) || memcmp(out->data, LOG_MAGIC, 4) != 0 ||
	    get_be32(out->data + 4) < LOG_ONE_EPOCH || get_be32(out->data + 4) > LOG_EPOCHS ||
	    XXH64(out->data, out->len - TAIL_BYTES, 0) !=
		    get_be64(out->data + out->len - TAIL_BYTES)) {
		return false;
	}
	*entries = (struct entries){
		.version = get_be32(out->data + 4),
		.epoch = get_be64(out->data + 8),
		.left = get_be32(out->data + 16),
		.at = out->data + HEAD_BYTES,
		.end = out->data + out->len - TAIL_BYTES,
	};
	return true;
}

/* The next one; false: there is none. */
static bool next_entry(struct entries *entries, struct entry *out)
{
	const size_t epoch_bytes = entries->version == LOG_EPOCHS ? 8 : 0;
	size_t left = (size_t)(entries->end - entries->at);
	const uint8_t *from = entries->at + epoch_bytes;

	if (entries->left == 0 || left < epoch_bytes + 2 ||
	    left - epoch_bytes - 2 < get_be16(from) + 20u) {
		return false;
	}
	out->epoch = epoch_bytes > 0 ? get_be64(entries->at) : entries->epoch;
	out->path = (const char *)from + 2;
	out->path_len = get_be16(from);
	from += 2 + out->path_len;
	out->offset = get_be64(from);
	out->len = get_be64(from + 8);
	out->mark_count = get_be32(from + 16);
	out->marks = from + 20;
	if ((size_t)(entries->end - out->marks) / MARK_BYTES < out->mark_count) {
		return false;
	}
	entries->at = out->marks + (size_t)out->mark_count * MARK_BYTES;
	entries->left--;
	return true;
}

/* ---- taking out ---- */

static bool hash_range(int fd, uint64_t offset, uint64_t len, XXH64_state_t *state)
{
	uint8_t bytes[PAGE_BYTES];

	while (len > 0) {
		ssize_t got = pread(fd, bytes, MIN(len, sizeof(bytes)), (off_t)offset);

		if (got <= 0) {
			return false;
		}
		XXH64_update(state, bytes, (size_t)got);
		offset += (uint64_t)got;
		len -= (uint64_t)got;
	}
	return true;
}

/* How many bytes of the entry are in the file, as far as marks tell. */
static uint64_t match(int fd, const struct entry *entry, uint64_t size)
{
	XXH64_state_t *state = XXH64_createState();
	uint64_t matched = 0;

	XXH64_reset(state, 0);
	for (uint32_t i = 0; i < entry->mark_count; i++) {
		uint64_t end = get_be64(entry->marks + (size_t)i * MARK_BYTES);

		if (end <= matched || end > entry->len || end > size - entry->offset ||
		    !hash_range(fd, entry->offset + matched, end - matched, state) ||
		    XXH64_digest(state) != get_be64(entry->marks + (size_t)i * MARK_BYTES + 8)) {
			break;
		}
		matched = end;
	}
	XXH64_freeState(state);
	return matched;
}

static int copy_range(int from, int to, uint64_t at, uint64_t end, uint64_t *written,
		      struct err *err)
{
	uint8_t *bytes = g_malloc(COPY_BYTES);
	int st = ST_OK;

	while (st == ST_OK && at < end) {
		ssize_t got = pread(from, bytes, MIN(end - at, COPY_BYTES), (off_t)at);

		if (got <= 0) {
			st = err_errno(err, ST_EIO, got < 0 ? errno : EIO, "read");
			break;
		}
		st = newfile_write(to, *written, bytes, (size_t)got, err);
		*written += (uint64_t)got;
		at += (uint64_t)got;
	}
	g_free(bytes);
	return st;
}

/* Others have appended behind: put a copy without begin..end in the place of the file. */
static int rewrite_without(int fd, const char *path, const struct stat *stat, uint64_t begin,
			   uint64_t end, struct err *err)
{
	uint64_t written = 0;
	char *name = NULL;
	int copy = -1;
	int st = lockedfile_temporary(path, stat, &name, &copy, err);

	if (st != ST_OK) {
		return st;
	}
	st = copy_range(fd, copy, 0, begin, &written, err);
	if (st == ST_OK) {
		st = copy_range(fd, copy, end, (uint64_t)stat->st_size, &written, err);
	}
	if (st == ST_OK && fsync(copy) != 0) {
		st = err_errno(err, err_status(errno), errno, "sync %s", name);
	}
	if (st == ST_OK) {
		st = lockedfile_replace(name, path, err);
	}
	if (st != ST_OK) {
		unlink(name);
	}
	close(copy);
	g_free(name);
	return st;
}

static int cut(int fd, const char *path, uint64_t end, struct err *err)
{
	if (ftruncate(fd, (off_t)end) != 0 || fdatasync(fd) != 0) {
		return err_errno(err, err_status(errno), errno, "%s: cannot cut it", path);
	}
	return ST_OK;
}

static bool is_zero(int fd, uint64_t at, uint64_t end)
{
	uint8_t bytes[PAGE_BYTES];

	return end - at <= sizeof(bytes) &&
	       pread(fd, bytes, end - at, (off_t)at) == (ssize_t)(end - at) &&
	       (end == at || (bytes[0] == 0 && memcmp(bytes, bytes + 1, end - at - 1) == 0));
}

/*
 * What follows a write that was not finished: another's, or the rest of a page that got lost. In a
 * block file the tail of a torn block is known as such; elsewhere zeros are.
 */
static int cut_tail(int fd, const char *path, uint64_t at, uint64_t *size, struct err *err)
{
	struct blockrecover_result found;
	int st = ST_OK;

	if (hourfile_is_blocks(fd)) {
		st = blockrecover(fd, path, &found, err);
		*size = st == ST_OK ? found.end : *size;
	} else if (is_zero(fd, at, *size)) {
		st = cut(fd, path, at, err);
		*size = at;
	}
	return st;
}

/* The file is locked. Only what matches is ours, so doing this twice does no harm. */
static int take_out(int fd, const char *path, const struct entry *entry, uint64_t *taken,
		    struct err *err)
{
	uint64_t end;
	uint64_t size;
	struct stat stat;
	int st = ST_OK;

	if (fstat(fd, &stat) != 0) {
		return err_errno(err, err_status(errno), errno, "%s", path);
	}
	size = (uint64_t)stat.st_size;
	if (size <= entry->offset) {
		return ST_OK;
	}
	end = entry->offset + match(fd, entry, size);
	*taken = end - entry->offset;
	if (*taken < entry->len && size > end) {
		st = cut_tail(fd, path, end, &size, err);
	}
	if (st == ST_OK && size <= end) {
		return cut(fd, path, MIN(size, entry->offset), err);
	}
	stat.st_size = (off_t)size;
	return st == ST_OK && *taken > 0 ? rewrite_without(fd, path, &stat, entry->offset, end, err)
					 : st;
}

static int undo_entry(struct appendlog *log, const struct entry *entry, appendlog_report_fn report,
		      void *arg, struct err *err)
{
	char *from_root = g_strndup(entry->path, entry->path_len);
	char *path = g_build_filename(log->root, from_root, NULL);
	uint64_t taken = 0;
	struct err why = { .status = ST_OK };
	int fd = -1;
	int st = lockedfile_open(path, 0, &fd, &why);

	if (st == ST_OK) {
		st = take_out(fd, path, entry, &taken, &why);
		close(fd);
	} else if (st == ST_ENOENT) {
		st = ST_OK;
	}
	if (st != ST_OK) {
		report(arg, path, 0, why.text);
		/* else it is no file of ours any more */
		st = st == ST_EIO || st == ST_ELIMIT ? err_set(err, st, "%s", why.text) : ST_OK;
	} else if (taken > 0) {
		report(arg, path, taken, NULL);
	}
	g_free(path);
	g_free(from_root);
	return st;
}

int appendlog_undo_where(struct appendlog *log, bool (*is_open)(const void *arg, uint64_t epoch),
			 const void *arg, appendlog_report_fn report, void *report_arg,
			 struct err *err)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(struct entry));
	struct entries entries = { .left = 0 };
	struct entry entry;
	int st = ST_OK;

	read_log(log->fd, log->bytes, &entries);
	while (next_entry(&entries, &entry)) {
		if (is_open(arg, entry.epoch)) {
			g_array_append_val(found, entry);
		}
	}
	for (guint i = found->len; st == ST_OK && i-- > 0;) {
		st = undo_entry(log, &g_array_index(found, struct entry, i), report, report_arg,
				err);
	}
	if (st == ST_OK && found->len > 0) {
		appendlog_clear(log);
	}
	g_array_free(found, TRUE);
	return st;
}

static bool is_epoch(const void *arg, uint64_t epoch)
{
	return *(const uint64_t *)arg == epoch;
}

int appendlog_undo(struct appendlog *log, uint64_t epoch, appendlog_report_fn report, void *arg,
		   struct err *err)
{
	return appendlog_undo_where(log, is_epoch, &epoch, report, arg, err);
}

static bool log_claims(const char *log_path, const char *path)
{
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);
	GByteArray *bytes = g_byte_array_new();
	struct entries entries = { .left = 0 };
	struct entry entry;
	bool claimed = false;

	if (fd >= 0) {
		read_log(fd, bytes, &entries);
	}
	while (!claimed && next_entry(&entries, &entry)) {
		claimed = entry.path_len == strlen(path) &&
			  memcmp(entry.path, path, entry.path_len) == 0;
	}
	if (fd >= 0) {
		close(fd);
	}
	g_byte_array_unref(bytes);
	return claimed;
}

static bool any_log_claims(const char *root, const char *path)
{
	GDir *dir = g_dir_open(root, 0, NULL);
	bool claimed = false;
	const char *name;

	while (dir && !claimed && (name = g_dir_read_name(dir))) {
		if (g_str_has_prefix(name, APPENDLOG_PREFIX)) {
			char *log_path = g_build_filename(root, name, NULL);

			claimed = log_claims(log_path, path);
			g_free(log_path);
		}
	}
	if (dir) {
		g_dir_close(dir);
	}
	return claimed;
}

bool appendlog_is_claimed(const char *root, const char *path)
{
	char *real_root = realpath(root, NULL);
	char *real_path = realpath(path, NULL);
	const char *from_root =
		real_root && real_path ? path_from_root(real_root, real_path) : NULL;
	bool claimed = from_root && any_log_claims(real_root, from_root);

	free(real_path);
	free(real_root);
	return claimed;
}
