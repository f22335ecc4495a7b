/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of messages: each is a stream, its messages are counted, so that none is taken twice. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "common/bigendian.h"
#include "packer/intake_internal.h"
#include "packer/messagefile.h"

/* The same file, unchanged, and no other. */
static void intakefile_id(const char *path, const struct stat *stat, uint8_t out[16])
{
	const struct {
		uint64_t inode, size, seconds, nanoseconds, name;
	} key = {
		.inode = stat->st_ino,
		.size = (uint64_t)stat->st_size,
		.seconds = (uint64_t)stat->st_mtim.tv_sec,
		.nanoseconds = (uint64_t)stat->st_mtim.tv_nsec,
		.name = XXH3_64bits(path, strlen(path)),
	};
	XXH128_hash_t hash = XXH3_128bits(&key, sizeof(key));

	put_be64(out, hash.high64);
	put_be64(out + 8, hash.low64);
}

static int intakefile_open(struct intake *intake, const char *probe, const char *path,
			   const struct messagefile *input, struct intake_file *file,
			   struct intake_channel **out, struct err *err)
{
	char *stream = g_strconcat(INTAKE_LOCAL_STREAM, probe, NULL);
	struct envelope_open open = {
		.flags = ENVELOPE_FILE,
		.stream = stream,
		.probe = probe,
		.place = "",
		.peer = path,
	};
	struct stat stat;
	int st;

	if (messagefile_stat(input, &stat) != ST_OK) {
		st = err_errno(err, ST_EIO, errno, "%s", path);
		goto done;
	}
	intakefile_id(path, &stat, open.stream_id);
	st = positions_get(intake->env.positions, stream, open.stream_id, &file->stream, err);
	if (st == ST_OK) {
		st = intake_channel_open(intake, &open, out, err);
	}
done:
	g_free(stream);
	return st;
}

/* All messages of it. ST_OK at its end; ST_EFORMAT: damaged from here on. */
static int intakefile_take(struct intake_channel *channel, struct messagefile *input,
			   struct intake_file *file, struct err *err)
{
	const uint8_t *bytes = NULL;
	uint64_t position = 0;
	size_t len = 0;
	uint64_t entry;
	int st;

	while ((st = messagefile_next(input, &bytes, &len, err)) == ST_OK) {
		if (channel->feedback->broken && !messagefile_goes_on(input)) {
			st = err_set(err, ST_EFORMAT, "%s", channel->feedback->reason.text);
			break;
		}
		if (!position_begin(file->stream, ++position)) {
			file->messages++;
			continue;
		}
		st = intake_append(channel, bytes, len, position, &entry, err);
		position_end(file->stream, position, st == ST_OK);
		if (st != ST_OK) {
			break;
		}
	}
	return st == ST_END ? ST_OK : st;
}

/* It is packed and durable when this returns ST_OK. */
static int intakefile_close(struct intake_channel *channel, struct err *err)
{
	struct intake *intake = channel->intake;
	uint64_t position;
	int st = intake_channel_close(channel, &position, err);

	if (st == ST_OK) {
		st = journal_sync(intake->env.journal, err);
	}
	if (st == ST_OK && !intake->env.wait_packed(intake->env.arg, position)) {
		st = err_set(err, ST_EAGAIN, "packing has stopped");
	}
	return st;
}

/* Flow records may be none in a file that is good. */
static int intakefile_judge(const struct intake_channel *channel, const char *path,
			    enum probe_type type, int taken, struct intake_file *file,
			    struct err *err)
{
	file->records = metric_get(&channel->feedback->records);
	if (taken == ST_OK && type == PROBE_SILK) {
		return ST_OK;
	}
	if (taken == ST_OK && channel->feedback->broken && type == PROBE_IPFIX) {
		taken = err_set(err, ST_EFORMAT, "%s", channel->feedback->reason.text);
	}
	if (file->records == 0 && file->messages == 0) {
		return taken == ST_OK ? err_set(err, ST_EFORMAT, "%s: no flow records", path)
				      : taken;
	}
	if (taken == ST_EFORMAT) {
		log_msg(LOG_LEVEL_WARNING, "'%s': %s: %s", channel->probe, path, err->text);
	}
	return ST_OK;
}

/* enum probe_type; -1: there is no such probe. */
static int intakefile_type(struct intake *intake, const char *name)
{
	const struct packconfig *config = packconfigs_visit(intake->env.configs);
	const struct probe *probe = sensorconf_probe(config->conf, name);
	int type = probe && probe->sensors->len > 0 ? (int)probe->type : -1;

	packconfigs_depart();
	return type;
}

int intake_file_read(struct intake *intake, const char *probe, const char *path,
		     struct intake_file *file, struct err *err)
{
	struct intake_channel *channel = NULL;
	struct err trouble = { .status = ST_OK };
	struct messagefile *input = NULL;
	int type = intakefile_type(intake, probe);
	int taken;
	int st;

	*file = (struct intake_file){ 0 };
	if (type < 0) {
		return err_set(err, ST_ENOENT, "probe '%s' is no longer configured", probe);
	}
	st = messagefile_open(&input, (enum probe_type)type, path, err);
	if (st == ST_OK) {
		st = intakefile_open(intake, probe, path, input, file, &channel, err);
	}
	if (st != ST_OK) {
		messagefile_close(input);
		return st;
	}
	taken = intakefile_take(channel, input, file, &trouble);
	messagefile_close(input);
	/* one that could not be read to its end is not closed: it is gone on with */
	st = taken == ST_OK || taken == ST_EFORMAT ? intakefile_close(channel, err)
						   : err_set(err, taken, "%s", trouble.text);
	if (st == ST_OK) {
		st = intakefile_judge(channel, path, (enum probe_type)type, taken, file, &trouble);
		if (st != ST_OK) {
			err_set(err, st, "%s", trouble.text);
		}
	}
	intake_channel_free(channel);
	return st;
}

void intake_file_end(struct intake *intake, struct intake_file *file, bool gone)
{
	if (!file->stream) {
		return;
	}
	if (gone) {
		position_finish(file->stream);
	}
	positions_put(intake->env.positions, file->stream);
	file->stream = NULL;
}
