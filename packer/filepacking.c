/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/filepacking.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "packer/classify.h"
#include "packer/daemontool.h"
#include "packer/dirpoll.h"
#include "packer/filestate.h"
#include "packer/notelog.h"
#include "packer/pdufile.h"
#include "packer/probestats.h"
#include "storage/appendlog.h"
#include "storage/blockout.h"
#include "storage/hournotes.h"
#include "storage/lossfile.h"
#include "storage/newfile.h"

/* Records of one file in memory, at most; and when they are of more files than the cache is for. */
#define FILEPACKING_COMMIT_RECORDS  (1u << 20)
#define FILEPACKING_CROWDED_RECORDS 10000u

struct filepacking;

/* What the modes differ in. */
struct filepacking_mode_row {
	const char *title;  /* "FILE does not appear to be a valid TITLE file"; NULL: not said */
	const char *reader; /* "Creating READER directory poller for 'DIR'" */
	int (*take)(struct filepacking *self, const char *path, struct err *err);
	const char *starting; /* a line of the log with the file's path or name; %s */
	bool starting_quotes;
};

struct filepacking {
	const struct filepacking_opts *opts;
	const struct filepacking_mode_row *row;
	struct keeper *keeper;
	struct outputincremental *output;
	struct writer *writer;
	struct filestate *state;
	struct notelog *notes;
	int64_t next_flush_ns;

	/* The file in work. */
	uint64_t file;
	const struct probe *probe; /* NULL: records are kept as they are filed */
	uint64_t passed;           /* records that were packed before */
	uint64_t records;          /* delivered so far */
	uint64_t committed;        /* of these */
	uint64_t dropped;          /* that do not fit the format of their hourly file */
	struct err write_err;      /* the repository is at fault */
};

/* ---- commits ---- */

static int epoch_over(void *arg, bool appended, struct err *err)
{
	struct filepacking *self = arg;

	if (!appended && self->records == self->committed) {
		return ST_OK;
	}
	return filestate_commit(self->state, self->file, self->records, err);
}

static int commit(struct filepacking *self, unsigned flags, struct err *err)
{
	const struct writer_epoch epoch = {
		.number = filestate_epoch(self->state),
		.over = epoch_over,
		.arg = self,
	};
	int st;

	writer_freeze(self->writer);
	st = writer_commit(self->writer, flags, clock_now_ns(CLOCK_MONOTONIC), &epoch, err);
	if (st == ST_OK) {
		self->committed = self->records;
	}
	return st;
}

/* Files that are reported, and, when they are incremental ones, published. */
static int flush(struct filepacking *self, unsigned flags, struct err *err)
{
	int st;

	if (self->output) {
		log_msg(LOG_LEVEL_INFO, "Closing and moving incremental files...");
		flags |= WRITER_CLOSE;
	}
	st = commit(self, flags | WRITER_REPORT, err);
	if (st == ST_OK && self->output) {
		outputincremental_publish(self->output);
	}
	return st;
}

static int flush_if_due(struct filepacking *self, struct err *err)
{
	if (self->opts->mode == FILEPACKING_PDUFILE ||
	    clock_now_ns(CLOCK_MONOTONIC) < self->next_flush_ns) {
		return ST_OK;
	}
	self->next_flush_ns = clock_now_ns(CLOCK_MONOTONIC) + self->opts->flush_timeout_ns;
	if (!self->output) {
		log_msg(LOG_LEVEL_INFO, "Flushing files after %" PRId64 " seconds.",
			self->opts->flush_timeout_ns / NS_PER_S);
	}
	return flush(self, 0, err);
}

/* ---- records ---- */

static int write_copy(struct filepacking *self, const struct record *rec,
		      const struct extras *extras, uint8_t format)
{
	struct err err;
	int st;

	writer_begin(self->writer);
	st = writer_write_as(self->writer, self->opts->site, rec, extras, format, &err);
	writer_end(self->writer);
	if (st == ST_ERANGE) {
		if (self->dropped++ == 0) {
			log_msg(LOG_LEVEL_WARNING, "record dropped: %s", err.text);
		}
		return ST_OK;
	}
	if (st != ST_OK) {
		self->write_err = err;
	}
	return st;
}

static int write_classified(struct filepacking *self, struct record *rec,
			    const struct extras *extras)
{
	const enum packlogic logic = sensorconf_logic(self->opts->conf);
	struct classify_output outputs[CLASSIFY_OUTPUTS_MAX];
	size_t count = classify(logic, self->probe, rec, outputs);
	int st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < count; i++) {
		rec->sensor = outputs[i].sensor;
		rec->flowtype = outputs[i].flowtype;
		rec->memo = 0;
		st = write_copy(self, rec, extras,
				classify_format(logic, self->probe, rec->flowtype));
	}
	return st;
}

/* The next record of the file. A failure is the repository's. */
static int deliver(void *arg, struct record *rec, const struct extras *extras)
{
	struct filepacking *self = arg;
	struct err err;
	int st = ST_OK;

	self->records++;
	if (self->records <= self->passed) {
		return ST_OK;
	}
	st = self->probe ? write_classified(self, rec, extras) : write_copy(self, rec, extras, 0);
	if (st == ST_OK && self->records - self->committed >=
				   (writer_is_crowded(self->writer) ? FILEPACKING_CROWDED_RECORDS
								    : FILEPACKING_COMMIT_RECORDS)) {
		st = commit(self, 0, &err);
		if (st != ST_OK) {
			self->write_err = err;
		}
	}
	return st;
}

static int deliver_row(struct filepacking *self, const struct batch *batch, uint32_t row)
{
	struct extras extras = { 0 };
	struct record rec;

	batch_get(batch, row, &rec);
	extras_add_row(&extras, batch, row);
	return deliver(self, &rec, &extras);
}

/* All records of an open flow file. ST_EFORMAT and so on: the file is damaged from there on. */
static int deliver_flows(struct filepacking *self, struct hourfile_reader *reader, struct err *err)
{
	struct batch *batch = batch_new();
	int st;

	if (hourfile_blocks(reader)) {
		batch_want_every(batch);
	}
	while ((st = hourfile_read_batch(reader, batch, COLUMNS_ALL, err)) == ST_OK) {
		for (uint32_t row = 0; st == ST_OK && row < batch->rows; row++) {
			st = deliver_row(self, batch, row);
		}
		if (st != ST_OK) {
			break;
		}
	}
	batch_free(batch);
	return st == ST_END ? ST_OK : st;
}

/* ---- fcfiles ---- */

/* The probe that the header names. ST_EFORMAT with SiLK's words. */
static int find_header_probe(struct filepacking *self, const char *path,
			     const struct header *header, struct err *err)
{
	size_t pos = 0;
	const struct header_entry *entry = header_next(header, ENTRY_PROBE_NAME, &pos);
	char *name;
	int st = ST_OK;

	if (!entry) {
		return err_set(err, ST_EFORMAT, "No probename header in %s.", path);
	}
	name = g_strndup((const char *)entry->payload, entry->len);
	self->probe = sensorconf_probe(self->opts->conf, name);
	if (!self->probe) {
		st = err_set(err, ST_EFORMAT,
			     "The sensor configuration file does not define probe '%s'", name);
	} else if (self->probe->sensors->len == 0) {
		st = err_set(err, ST_EFORMAT, "Probe '%s' is not associated with a sensor", name);
	}
	g_free(name);
	return st;
}

static int take_fcfile(struct filepacking *self, const char *path, struct err *err)
{
	struct hourfile_reader *reader = NULL;
	int st = hourfile_open(&reader, path,
			       &(struct stream_read_opts){ .site = self->opts->site }, err);

	if (st != ST_OK) {
		return ST_EFORMAT;
	}
	st = find_header_probe(self, path, hourfile_header(reader), err);
	if (st == ST_OK) {
		st = deliver_flows(self, reader, err);
		log_msg(LOG_LEVEL_INFO, "Processed file %s, %" PRIu64 " records.", path,
			self->records);
	}
	hourfile_close(reader);
	return st;
}

/* ---- respool ---- */

static bool is_filed(const struct site *site, const struct batch *batch, uint32_t row)
{
	return site_sensor_name(site, batch->sensor[row]) &&
	       site_flowtype_name(site, batch->flowtype[row]);
}

/* Does the site know where all records of the file go? Before any is packed. */
static int check_filed(const struct filepacking *self, const char *path, struct err *err)
{
	const uint32_t columns =
		COLUMN_BIT(COLUMN_SENSOR) | COLUMN_BIT(COLUMN_FLOWTYPE) | COLUMN_BIT(COLUMN_START);
	const struct stream_read_opts opts = { .site = self->opts->site };
	struct hourfile_reader *reader = NULL;
	struct batch *batch;
	bool unknown = false;
	int st = hourfile_open(&reader, path, &opts, err);

	if (st != ST_OK) {
		return ST_EFORMAT;
	}
	batch = batch_new();
	while (!unknown && hourfile_read_batch(reader, batch, columns, NULL) == ST_OK) {
		for (uint32_t row = 0; !unknown && row < batch->rows; row++) {
			unknown = !is_filed(self->opts->site, batch, row);
			if (unknown) {
				st = err_set(err, ST_EFORMAT,
					     "Unable to generate pathname to file {flowtype = %u, "
					     "sensor = %u, time = %" PRId64 "}",
					     batch->flowtype[row], batch->sensor[row],
					     batch->start_ns[row] / NS_PER_MS);
			}
		}
	}
	batch_free(batch);
	hourfile_close(reader);
	return st;
}

static int take_respool(struct filepacking *self, const char *path, struct err *err)
{
	struct hourfile_reader *reader = NULL;
	int st;

	st = check_filed(self, path, err);
	if (st == ST_OK) {
		st = hourfile_open(&reader, path,
				   &(struct stream_read_opts){ .site = self->opts->site }, err);
	}
	if (st != ST_OK) {
		return ST_EFORMAT;
	}
	st = deliver_flows(self, reader, err);
	log_msg(LOG_LEVEL_INFO, "%s: Recs %10" PRIu64, path, self->records);
	hourfile_close(reader);
	return st;
}

/* ---- pdufile ---- */

int filepacking_find_probe(const struct sensorconf *conf, const struct probe **out, struct err *err)
{
	const GPtrArray *probes = sensorconf_probes(conf);

	*out = NULL;
	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		if (probe->type != PROBE_NETFLOW_V5 || !probe->file || probe->sensors->len == 0) {
			continue;
		}
		if (*out) {
			return err_set(err, ST_EINVAL,
				       "Multiple netflow-v5 probes specified.  The pdufile input\n"
				       "\tmode requires a single probe that reads from a file.");
		}
		*out = probe;
	}
	return *out ? ST_OK
		    : err_set(err, ST_EINVAL,
			      "Could not find any probes to use for pdufile input mode");
}

static void log_note(void *arg, enum decoder_note note, const char *text)
{
	struct filepacking *self = arg;

	notelog_write(self->notes, self->probe->name, note, text);
}

static int take_pdufile(struct filepacking *self, const char *path, struct err *err)
{
	const struct ipfix_mapping mapping = { .quirks = self->opts->probe->quirks };
	const struct decoder_sink sink = {
		.flow = deliver,
		.note = log_note,
		.arg = self,
		.notes = notelog_wanted(self->opts->probe->log_flags),
	};
	struct probestats *stats;
	uint64_t seen[DECODER_COUNTERS] = { 0 };
	struct pdufile *file = NULL;
	int st;

	self->probe = self->opts->probe;
	st = pdufile_open(&file, path, &mapping, &sink, err);
	if (st != ST_OK) {
		return st;
	}
	while ((st = pdufile_next(file, err)) == ST_OK) {
		if (daemon_stopping()) {
			st = err_set(err, ST_EAGAIN, "%s: stopped in the middle of it", path);
			break;
		}
	}
	stats = probestats_new(self->probe->name);
	stats->type = PROBE_NETFLOW_V5;
	probestats_add(stats, pdufile_decoder(file), seen);
	probestats_report(stats);
	probestats_free(stats);
	pdufile_close(file);
	return st == ST_END ? ST_OK : st;
}

static const struct filepacking_mode_row filepacking_modes[] = {
	[FILEPACKING_FCFILES] = { NULL, "FlowCap Files Reader", take_fcfile,
				  "FlowCap Files Reader processing", false },
	[FILEPACKING_RESPOOL] = { "SiLK Flow", "SiLK File Respool Reader", take_respool,
				  "SiLK File Respool Reader processing file", true },
	[FILEPACKING_PDUFILE] = { "NetFlow v5", NULL, take_pdufile, NULL, false },
};

/* ---- one file ---- */

/* A bad file without a place to go stops the daemon, which is no failure of it (5.4). */
static int put_aside(struct filepacking *self, const char *path, const struct err *why)
{
	struct err err;
	int st;

	log_msg(LOG_LEVEL_NOTICE, "%s", why->text);
	if (self->row->title) {
		log_msg(LOG_LEVEL_NOTICE, "File '%s' does not appear to be a valid %s file", path,
			self->row->title);
	}
	st = disposal_bad(&self->opts->disposal, path, &err);
	if (st != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err.text);
		daemon_request_stop();
	}
	return st == ST_OK ? ST_OK : ST_EAGAIN;
}

/* All good records are durable; what could not be read is kept where that can be. */
static int dispose(struct filepacking *self, const char *path, const struct err *damage,
		   struct err *err)
{
	const struct disposal_opts *disposal = &self->opts->disposal;
	int st = ST_ENOENT;

	if (self->opts->mode == FILEPACKING_PDUFILE && !disposal->archive_directory) {
		return ST_OK;
	}
	if (damage) {
		log_msg(LOG_LEVEL_WARNING, "%s; the %" PRIu64 " records before are packed",
			damage->text, self->records);
		st = disposal_bad(disposal, path, err);
	}
	if (st == ST_ENOENT) {
		st = disposal_good(disposal, path, clock_now_ns(CLOCK_REALTIME) / NS_PER_S, err);
	}
	return st == ST_OK ? newfile_sync_folder(path, err) : st;
}

/* What a flowcap, which knows probes alone, says to be lost is lost to each sensor of the probe. */
static void edit_note(void *arg, const char *folder, const char *line, GPtrArray *out)
{
	const struct filepacking *self = arg;
	char *name = strcmp(folder, LOSSFILE_FOLDER) == 0 ? lossfile_line_probe(line) : NULL;
	const struct probe *probe =
		name && self->opts->conf ? sensorconf_probe(self->opts->conf, name) : NULL;

	for (guint i = 0; probe && i < probe->sensors->len; i++) {
		const struct sensor *sensor = g_ptr_array_index(probe->sensors, i);

		g_ptr_array_add(out, lossfile_line_of(line, sensor->name));
	}
	if (!probe || probe->sensors->len == 0) {
		g_ptr_array_add(out, g_strdup(line));
	}
	g_free(name);
}

/* Notes about hours (storage/hournotes.h). */
static int pack_notes(struct filepacking *self, const char *path, struct err *err)
{
	const struct hourlines_place root = { .root = self->opts->writer.root };
	const struct hourlines_place *place =
		self->output ? outputincremental_lines(self->output) : &root;
	struct err why;
	size_t lines;
	int st = hournotes_deliver(path, place, edit_note, self, &lines, &why);

	if (st == ST_EFORMAT || st == ST_ELIMIT) {
		return put_aside(self, path, &why);
	}
	if (st == ST_OK && self->output) {
		st = outputincremental_end_lines(self->output, &why);
	}
	if (st != ST_OK) {
		return err_set(err, st, "%s", why.text);
	}
	log_msg(LOG_LEVEL_INFO, "%s: %zu lines about hours", path, lines);
	return dispose(self, path, NULL, err);
}

static int pack_file(struct filepacking *self, const char *path, const char *name, struct err *err)
{
	struct err why = { .status = ST_OK };
	struct stat stat;
	int st;

	if (lstat(path, &stat) != 0) {
		return err_errno(err, errno == ENOENT ? ST_ENOENT : ST_EIO, errno, "%s", path);
	}
	if (hournotes_recognise(path)) {
		return pack_notes(self, path, err);
	}
	self->file = filestate_file(name, &stat);
	self->passed = filestate_done(self->state, self->file);
	self->records = 0;
	self->committed = self->passed;
	self->probe = NULL;
	self->dropped = 0;
	self->write_err.status = ST_OK;
	st = self->row->take(self, path, &why);
	if (self->dropped > 0) {
		log_msg(LOG_LEVEL_WARNING, "%s: Records categorized %" PRIu64 ", dropped %" PRIu64,
			path, self->records, self->dropped);
	}
	if (self->write_err.status != ST_OK) {
		return err_set(err, self->write_err.status, "%s", self->write_err.text);
	}
	if (st == ST_EIO || st == ST_ENOENT || st == ST_EAGAIN) {
		return err_set(err, st, "%s", why.text);
	}
	if (st != ST_OK && self->records == 0) {
		return put_aside(self, path, &why);
	}
	self->records = MAX(self->records, self->passed);
	if (commit(self, 0, err) != ST_OK) {
		return ST_EIO;
	}
	return dispose(self, path, st == ST_OK ? NULL : &why, err);
}

static int file_found(void *arg, const char *path, const char *name)
{
	struct filepacking *self = arg;
	struct err err = { .status = ST_OK };
	int st;

	if (daemon_stopping()) {
		return ST_EAGAIN;
	}
	log_msg(LOG_LEVEL_INFO, self->row->starting_quotes ? "%s '%s'" : "%s %s",
		self->row->starting, name);
	st = pack_file(self, path, name, &err);
	if (st == ST_OK || st == ST_ENOENT) {
		st = flush_if_due(self, &err);
	}
	if (st != ST_OK && st != ST_EAGAIN) {
		self->write_err = err;
		daemon_request_stop();
	}
	return st;
}

/* A file that an earlier packer was in the middle of goes first: only of it is known how far. */
static int finish_last(struct filepacking *self, struct err *err)
{
	GDir *dir = g_dir_open(self->opts->incoming_directory, 0, NULL);
	const char *name;
	int st = ST_OK;

	while (dir && st == ST_OK && (name = g_dir_read_name(dir))) {
		char *path = g_build_filename(self->opts->incoming_directory, name, NULL);
		struct stat stat;

		if (lstat(path, &stat) == 0 &&
		    filestate_file(name, &stat) == filestate_last(self->state)) {
			st = pack_file(self, path, name, err);
			g_free(path);
			break;
		}
		g_free(path);
	}
	if (dir) {
		g_dir_close(dir);
	}
	return st == ST_EAGAIN ? ST_OK : st;
}

/* ---- running ---- */

static void watch(struct filepacking *self, struct dirpoll *directory)
{
	int64_t next_scan_ns = 0;
	struct err err;

	while (!daemon_stopping()) {
		struct pollfd wake = { .fd = daemon_wake_fd(), .events = POLLIN };
		int64_t now = clock_now_ns(CLOCK_MONOTONIC);

		if (now >= next_scan_ns) {
			next_scan_ns = now + self->opts->polling_interval_ns;
			err.text[0] = '\0';
			if (dirpoll_scan(directory, file_found, self, &err) != ST_OK &&
			    err.text[0]) {
				log_msg(LOG_LEVEL_ERR, "%s", err.text);
			}
		}
		if (!daemon_stopping() && flush_if_due(self, &err) != ST_OK) {
			self->write_err = err;
			daemon_request_stop();
		}
		poll(&wake, 1,
		     (int)CLAMP((MIN(next_scan_ns, self->next_flush_ns) - now) / NS_PER_MS + 1, 1,
				1000));
		log_tick(clock_now_ns(CLOCK_REALTIME));
		daemon_take_report();
	}
}

static int run_directory(struct filepacking *self, struct err *err)
{
	struct dirpoll *directory;
	int st = finish_last(self, err);

	if (st != ST_OK) {
		return st;
	}
	directory = dirpoll_new(self->opts->incoming_directory);
	log_msg(LOG_LEVEL_INFO, "Creating %s directory poller for '%s'", self->row->reader,
		self->opts->incoming_directory);
	self->next_flush_ns = clock_now_ns(CLOCK_MONOTONIC) + self->opts->flush_timeout_ns;
	log_msg(LOG_LEVEL_INFO, "Starting flush timer");
	watch(self, directory);
	dirpoll_free(directory);
	return self->write_err.status == ST_OK
		       ? ST_OK
		       : err_set(err, self->write_err.status, "%s", self->write_err.text);
}

static int run_pdufile(struct filepacking *self, struct err *err)
{
	char *name = g_path_get_basename(self->opts->netflow_file);
	int st;

	if (!self->output) {
		log_msg(LOG_LEVEL_INFO, "Starting flush timer");
	}
	st = pack_file(self, self->opts->netflow_file, name, err);
	g_free(name);
	return st;
}

/* The state is of what is read: a directory, or one file. */
static int open_state(struct filepacking *self, struct err *err)
{
	const char *source = self->opts->netflow_file ? self->opts->netflow_file
						      : self->opts->incoming_directory;
	char *real = realpath(source, NULL);
	const char *path = real ? real : source;
	char *name = g_strdup_printf("%016" PRIx64, (uint64_t)XXH64(path, strlen(path), 0));
	int st = filestate_open(&self->state, self->opts->state_directory, name, err);

	if (st == ST_EAGAIN) {
		st = err_set(err, st, "another rwflowpack reads '%s'", source);
	}
	/* nobody comes back to the list of a packer of one file: rwseal seals what it wrote */
	if (st == ST_OK && self->opts->keeper && self->opts->mode != FILEPACKING_PDUFILE) {
		struct keeper_opts keeper = *self->opts->keeper;
		char *suffix = g_strconcat("-", name, NULL);

		keeper.list_suffix = suffix;
		self->keeper = keeper_new(&keeper);
		g_free(suffix);
	}
	g_free(name);
	free(real);
	return st;
}

static int start(struct filepacking *self, struct err *err)
{
	struct writer_opts writer = self->opts->writer;
	int st = open_state(self, err);

	if (st != ST_OK) {
		return st;
	}
	self->output =
		self->opts->incremental ? outputincremental_new(self->opts->incremental) : NULL;
	writer.keeper = self->keeper;
	writer.file.quick &= self->keeper != NULL;
	writer.place = self->output ? outputincremental_place(self->output) : NULL;
	self->writer = writer_new(&writer);
	st = writer_recover(self->writer, filestate_id(self->state), filestate_epoch(self->state),
			    err);
	return st == ST_OK && self->keeper ? keeper_start(self->keeper, err) : st;
}

/* Nobody asks again about a file that was packed by name. */
static void forget_state(struct filepacking *self)
{
	char *log = g_strconcat(self->opts->writer.root, "/" APPENDLOG_PREFIX,
				filestate_id(self->state), NULL);

	unlink(log);
	g_free(log);
	filestate_remove(self->state);
	self->state = NULL;
}

/* What a packer in sending mode has not sent stays for the next (5.6). */
static int stop(struct filepacking *self, struct err *err)
{
	bool publish = self->output && (!self->opts->incremental->sender_directory ||
					self->opts->mode == FILEPACKING_PDUFILE);
	int st;

	if (self->opts->mode == FILEPACKING_PDUFILE) {
		log_msg(LOG_LEVEL_INFO, "Finishing rwflowpack...");
	} else {
		daemontool_log_stop();
	}
	log_msg(LOG_LEVEL_INFO, "Stopping processors...");
	log_msg(LOG_LEVEL_INFO, "Waiting for record handlers...");
	log_msg(LOG_LEVEL_INFO, "Stopped processors.");
	log_msg(LOG_LEVEL_INFO, "Closing all files...");
	st = commit(self, WRITER_REPORT | WRITER_CLOSE, err);
	if (st == ST_OK && publish) {
		outputincremental_publish(self->output);
	}
	return st;
}

int filepacking_run(const struct filepacking_opts *opts, struct err *err)
{
	struct filepacking self = { .opts = opts, .row = &filepacking_modes[opts->mode] };
	struct err stopping;
	int st;

	self.notes = notelog_new();
	log_msg(LOG_LEVEL_INFO, "Creating stream cache");
	st = start(&self, err);
	if (st == ST_OK) {
		st = opts->mode == FILEPACKING_PDUFILE ? run_pdufile(&self, err)
						       : run_directory(&self, err);
		if (st == ST_OK) {
			st = stop(&self, &stopping);
			err->status = st;
			err->text[0] = '\0';
			if (st != ST_OK) {
				err_set(err, st, "%s", stopping.text);
			}
		}
	}
	keeper_stop(self.keeper);
	writer_free(self.writer);
	if (st == ST_OK && opts->mode == FILEPACKING_PDUFILE) {
		forget_state(&self);
	}
	keeper_free(self.keeper);
	outputincremental_free(self.output);
	filestate_close(self.state);
	notelog_free(self.notes);
	return st;
}
