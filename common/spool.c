/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/spool.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/bigendian.h"

#define EPOCH_BYTES      8
#define TEMPLATES_SUFFIX ".templates"
#define MESSAGE_MIN      16

struct spool {
	char *directory;
	struct journal *journal;
	struct journal_reader *reader;
	uint64_t epoch; /* of this life: the position that its first message gets */
	GByteArray *templates;
	uint64_t reading; /* position of the next message */
	bool attached;    /* the journal is another's, and so is what relay points to */
	struct spool_relay relay;
	uint64_t lost; /* atomic */
};

int spool_open(struct spool **out, const struct spool_opts *opts, struct journal_recovery *recovery,
	       struct err *err)
{
	const struct journal_opts journal_opts = {
		.directory = opts->directory,
		.segment_bytes = CLAMP(opts->max_bytes / 16, 64 * 1024, JOURNAL_SEGMENT_BYTES),
		.max_bytes = opts->max_bytes,
		.drop_oldest = opts->drop_oldest,
		.sync_interval_ms = opts->sync_interval_ms,
	};
	struct spool *spool = g_new0(struct spool, 1);
	int rc;

	spool->directory = g_strdup(opts->directory);
	spool->templates = g_byte_array_new();
	rc = journal_open(&spool->journal, &journal_opts, recovery, err);
	if (rc == ST_OK) {
		spool->epoch = journal_last(spool->journal) + 1;
		rc = journal_reader_new(&spool->reader, spool->journal, 0, JOURNAL_READ_DURABLE,
					err);
	}
	if (rc != ST_OK) {
		spool_close(spool, NULL);
		return rc;
	}
	spool->reading = journal_first(spool->journal);
	*out = spool;
	return ST_OK;
}

int spool_attach(struct spool **out, struct journal *journal, uint64_t done,
		 const struct spool_relay *relay, struct err *err)
{
	struct spool *spool = g_new0(struct spool, 1);
	int rc;

	spool->directory = g_strdup("journal");
	spool->templates = g_byte_array_new();
	spool->journal = journal;
	spool->attached = true;
	spool->relay = *relay;
	spool->reading = MAX(done + 1, journal_first(journal));
	rc = journal_reader_new(&spool->reader, journal, spool->reading, JOURNAL_READ_DURABLE, err);
	if (rc != ST_OK) {
		spool_close(spool, NULL);
		return rc;
	}
	*out = spool;
	return ST_OK;
}

int spool_close(struct spool *spool, struct err *err)
{
	int rc;

	if (spool == NULL) {
		return ST_OK;
	}
	journal_reader_free(spool->reader);
	rc = spool->attached ? ST_OK : journal_close(spool->journal, err);
	g_byte_array_unref(spool->templates);
	g_free(spool->directory);
	g_free(spool);
	return rc;
}

static char *templates_path(const struct spool *spool, uint64_t epoch)
{
	return g_strdup_printf("%s/%016llx" TEMPLATES_SUFFIX, spool->directory,
			       (unsigned long long)epoch);
}

int spool_add_template(struct spool *spool, const void *message, size_t len, struct err *err)
{
	GError *gerror = NULL;
	char *path;
	int rc = ST_OK;

	if (len < MESSAGE_MIN || spool->templates->len + len > SPOOL_TEMPLATES_MAX) {
		return err_set(err, ST_ELIMIT, "templates of %zu bytes more", len);
	}
	g_byte_array_append(spool->templates, message, (guint)len);
	path = templates_path(spool, spool->epoch);
	/* Synced, then renamed. */
	if (!g_file_set_contents_full(
		    path, (const char *)spool->templates->data, (gssize)spool->templates->len,
		    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &gerror)) {
		rc = err_set(err, ST_EIO, "%s", gerror->message);
		g_error_free(gerror);
	}
	g_free(path);
	return rc;
}

int spool_append(struct spool *spool, const void *message, size_t len, uint32_t records,
		 struct err *err)
{
	uint8_t epoch[EPOCH_BYTES];
	const struct iovec iov[2] = { { epoch, sizeof(epoch) },
				      { (void *)(uintptr_t)message, len } };

	put_be64(epoch, spool->epoch);
	return journal_append(spool->journal, iov, 2, records, NULL, err);
}

int spool_next(struct spool *spool, struct spool_message *message, struct err *err)
{
	const size_t epoch_bytes = spool->attached ? 0 : EPOCH_BYTES;
	struct journal_entry entry;
	int rc = journal_reader_next(spool->reader, &entry, err);

	if (rc == ST_OK && entry.len < epoch_bytes + MESSAGE_MIN) {
		entry.lost = 1;
		rc = err_set(err, ST_EFORMAT, "%s: entry %llu is no message", spool->directory,
			     (unsigned long long)entry.position);
	}
	if (rc == ST_EFORMAT) {
		__atomic_fetch_add(&spool->lost, entry.lost, __ATOMIC_RELAXED);
		spool->reading = entry.position + entry.lost;
	}
	if (rc == ST_OK) {
		message->position = entry.position;
		message->epoch = spool->attached ? SPOOL_RELAY_EPOCH : get_be64(entry.bytes);
		message->records = entry.records;
		message->bytes = entry.bytes + epoch_bytes;
		message->len = entry.len - epoch_bytes;
		spool->reading = entry.position + 1;
	}
	return rc;
}

uint64_t spool_position(const struct spool *spool)
{
	return spool->reading;
}

uint8_t *spool_templates(const struct spool *spool, uint64_t epoch, size_t *len)
{
	char *path = templates_path(spool, epoch);
	gchar *bytes = NULL;
	gsize size = 0;

	if (!g_file_get_contents(path, &bytes, &size, NULL)) {
		bytes = NULL;
	}
	g_free(path);
	*len = size;
	return (uint8_t *)bytes;
}

bool spool_is_relay(const struct spool *spool)
{
	return spool->attached;
}

uint8_t *spool_opening(const struct spool *spool, uint64_t position, size_t *len)
{
	return spool->relay.opening(spool->relay.arg, position, len);
}

void spool_forget_before(struct spool *spool, uint64_t epoch)
{
	GDir *dir = g_dir_open(spool->directory, 0, NULL);
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		char *end = NULL;
		const uint64_t number = g_ascii_strtoull(name, &end, 16);

		if (strcmp(end, TEMPLATES_SUFFIX) == 0 && end == name + 16 && number < epoch) {
			char *path = templates_path(spool, number);

			unlink(path); /* if not now, the next time */
			g_free(path);
		}
	}
	if (dir != NULL) {
		g_dir_close(dir);
	}
}

int spool_release(struct spool *spool, uint64_t position, struct err *err)
{
	if (spool->attached) {
		spool->relay.release(spool->relay.arg, position);
		return ST_OK;
	}
	return journal_release(spool->journal, position, err);
}

int spool_renew_id(struct spool *spool, struct err *err)
{
	return journal_renew_id(spool->journal, err);
}

const uint8_t *spool_id(const struct spool *spool)
{
	return journal_id(spool->journal);
}

void spool_get_stats(const struct spool *spool, struct journal_stats *out)
{
	journal_get_stats(spool->journal, out);
}

const char *spool_directory(const struct spool *spool)
{
	return spool->directory;
}

uint64_t spool_lost(const struct spool *spool)
{
	return __atomic_load_n(&spool->lost, __ATOMIC_RELAXED);
}

bool spool_is_empty(const struct spool *spool)
{
	struct journal_stats stats;

	journal_get_stats(spool->journal, &stats);
	return stats.released >= stats.last;
}
