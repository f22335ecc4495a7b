/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes in, into the journal: listeners and files hand over messages, which are sorted by
 * probe and appended, and acknowledged once the journal is synced. When it is full, connections and
 * files wait, datagrams are dropped and counted.
 *
 *	struct intake *intake = intake_new(&env);
 *	struct intake_door *door = intake_door_new(intake, probe);
 *	listener_start(&listener, &opts, &intake_handler, door, err);
 *	...
 *	intake_stop_waiting(intake);			// before the listeners are stopped
 *	listener_stop(listener);
 *	intake_door_free(door);
 *	intake_free(intake);
 *
 * From any thread.
 */
#ifndef TUSSAH_PACKER_INTAKE_H
#define TUSSAH_PACKER_INTAKE_H

#include "common/journal.h"
#include "packer/feedback.h"
#include "packer/listen.h"
#include "packer/packconfig.h"
#include "packer/positions.h"
#include "packer/probetable.h"
#include "packer/streamclaims.h"

/* Names of streams that no other packer can have begin so. */
#define INTAKE_LOCAL_STREAM "/"

struct intake_env { /* all kept */
	struct journal *journal;
	struct packconfigs *configs;
	struct positions *positions;
	struct streamclaims *claims;
	struct probetable *stats;
	struct feedbacks *feedbacks;
	struct notelog *notes;
	/* The journal's disk fails: nothing more is taken. */
	void (*fail)(void *arg, const struct err *err);
	/* Wait until the entry is packed. false: it will not be for now. */
	bool (*wait_packed)(void *arg, uint64_t position);
	void *arg;
};

struct intake;

struct intake *intake_new(const struct intake_env *env);
void intake_free(struct intake *intake);
/* Who waits for room in the journal gives up, now and later. */
void intake_stop_waiting(struct intake *intake);
/*
 * Of a relay: put into the journal what was dropped of datagrams since the last call, for who comes
 * behind. False: some of it found no room there; it comes with the next call. Threads: any.
 */
bool intake_tell_losses(struct intake *intake);
/* Messages taken in since the start. */
uint64_t intake_messages(const struct intake *intake);

/* A place where peers come in: all probes that listen there. arg of the listener. */
struct intake_door;
struct intake_door *intake_door_new(struct intake *intake, const struct probe *probe);
void intake_door_free(struct intake_door *door);
extern const struct listen_handler intake_handler;

/* A file on its way through. */
struct intake_file {
	uint64_t records;  /* that were in it, of those not taken in before */
	uint64_t messages; /* taken in before: by a packer that ended in the midst of it */
	struct stream_position *stream;
};

/*
 * Read a file of messages for the probe, and wait until it is packed; its messages are durable
 * then, whatever happens. Reading it again goes on behind those taken in before. ST_OK; ST_EFORMAT:
 * not a single record. Damage after the first is logged and ends the file. ST_ENOENT: the probe is
 * no longer configured. ST_EAGAIN: the daemon stops; ST_EIO. In any case: intake_file_end().
 */
int intake_file_read(struct intake *intake, const char *probe, const char *path,
		     struct intake_file *file, struct err *err);
/* gone: the file is not there any more, what of it was taken in need not be remembered. */
void intake_file_end(struct intake *intake, struct intake_file *file, bool gone);

#endif
