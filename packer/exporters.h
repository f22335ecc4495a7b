/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The exporters whose messages are in the journal, each with its decoder: envelopes in, records
 * into the writer. One thread packs; what it knows can be saved and loaded, so that packing goes on
 * where it was.
 *
 *	struct exporters *exporters = exporters_new(&env);
 *	exporters_load(exporters, state, len, err);
 *	while (there is an entry) {
 *		st = exporters_take(exporters, config, entry position, &envelope, repeat, err);
 *	}
 *	st = exporters_flush(exporters, err);
 *	exporters_save(exporters, state);
 *	exporters_free(exporters);
 */
#ifndef TUSSAH_PACKER_EXPORTERS_H
#define TUSSAH_PACKER_EXPORTERS_H

#include "packer/decoder.h"
#include "packer/envelope.h"
#include "packer/feedback.h"
#include "packer/ifkeeper.h"
#include "packer/notelog.h"
#include "packer/packconfig.h"
#include "packer/positions.h"
#include "packer/probetable.h"
#include "packer/streamclaims.h"
#include "packer/writer.h"
#include "storage/labels.h"

/* Exporters of datagrams that are silent, and files that were read in part: what they said of their
 * templates is kept for so long, of so many. */
#define EXPORTERS_ASLEEP_NS  (INT64_C(86400) * 1000000000)
#define EXPORTERS_ASLEEP_MAX 4096

struct exporters_env { /* all kept */
	struct writer *writer;
	struct positions *positions;
	struct streamclaims *claims;
	struct probetable *stats;
	struct notelog *notes;
	struct ifkeeper *interfaces;
	struct feedbacks *feedbacks;
	const struct iemodel *model;
	struct ipfix_limits limits;
	int64_t clock_limit_ns; /* of flows of exporters that are no files */
	/* Nothing is classified: each probe has a file, whose key has its number for a sensor. */
	bool by_probe;
	/* Records are for who comes behind (packer/relay.h): nothing is written. */
	bool relays;
};

struct exporters;

struct exporters *exporters_new(const struct exporters_env *env);
void exporters_free(struct exporters *exporters);

/*
 * Take one envelope; position: of its entry. repeat: its records are stored already, only what it
 * tells of those that follow is wanted. Damage of a message is counted, logged and told to whom it
 * came from (packer/feedback.h). Returns ST_OK, or fatal: a record could not be written.
 */
int exporters_take(struct exporters *exporters, const struct packconfig *config, uint64_t position,
		   const struct envelope *envelope, bool repeat, struct err *err);

/* Give the writer what it has not got yet of what was taken, before the config of that goes and
 * before anything else is asked. Returns as exporters_take() does. */
int exporters_flush(struct exporters *exporters, struct err *err);

/* All sessions are over, as after a restart: who sends datagrams may be back, files are read on. */
void exporters_disconnect(struct exporters *exporters);

/*
 * What is needed to take what comes behind. Exporters asleep for too long are forgotten before;
 * while the clock of the day (now_ns) goes ahead of the one that never jumps, nobody sleeps.
 */
void exporters_save(struct exporters *exporters, int64_t now_ns, int64_t monotonic_ns,
		    GByteArray *out);
/* Into new ones. ST_OK; ST_EFORMAT: nothing was loaded. */
int exporters_load(struct exporters *exporters, const uint8_t *bytes, size_t len, struct err *err);

/* What opens the connection of a relay as of now: envelopes, each with its length before it (4
 * bytes big-endian). */
void exporters_print_opening(struct exporters *exporters, GByteArray *out);

/* Give labels the names that exporters told since they were asked last, for each sensor that their
 * probe feeds. */
void exporters_give_names(struct exporters *exporters, const struct packconfig *config,
			  struct labels *labels);

/* Call fn for each stream whose session is open; for a look ahead (packer/collectorstart.c). */
void exporters_each_stream(struct exporters *exporters,
			   void (*fn)(void *arg, uint64_t session, struct stream_position *stream),
			   void *arg);

#endif
