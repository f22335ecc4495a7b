/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the exporters share: exporters.c, exporterkeep.c. */
#ifndef TUSSAH_PACKER_EXPORTERS_INTERNAL_H
#define TUSSAH_PACKER_EXPORTERS_INTERNAL_H

#include "common/log.h"
#include "packer/classify.h"
#include "packer/exporters.h"

/* What all together are remembered by; who sleeps is forgotten before it is used up. */
#define EXPORTERS_BYTES_MAX (UINT64_C(1) << 30)
/* A record with more values is written by itself. */
#define EXPORTERS_VALUES_MAX 16
_Static_assert(EXPORTERS_VALUES_MAX <= ROWQUEUE_ROOM_VALUES, "there is room for a record");
_Static_assert(ROWQUEUE_MAX <= WRITER_ROWS_MAX, "a queue is written at once");

struct exporters {
	struct exporters_env env;
	struct budget budget;
	GHashTable *by_session; /* of struct exporter, keyed by its session; owns them */
	GHashTable *by_name;    /* those whose sessions may go on in another, keyed by that */
	struct exporter *last;  /* of the last message; often of the next one too */
	int64_t saved_ns;       /* when they were last saved; 0: not yet */
	int64_t saved_monotonic_ns;
	struct rowqueue queue;   /* records that wait to be written together */
	struct exporter *queued; /* whose they are; NULL: there are none */
};

struct exporter {
	struct exporters *all;
	uint64_t session;
	char *name; /* key in by_name; NULL: its session is all there is of it */
	GByteArray *open_bytes;
	struct envelope_open open; /* points into open_bytes */
	bool asleep;
	int64_t last_ns; /* arrival of its last message */
	struct probestats *stats;
	struct decoder *decoder;
	uint64_t seen[DECODER_COUNTERS]; /* counted already */
	uint64_t options_named;          /* option records when names were last given */
	struct stream_position *stream;  /* NULL: not counted */
	struct feedback *feedback;       /* NULL: nobody listens */
	GByteArray *arriving;            /* what a relay says of its state so far; NULL: nothing */

	uint64_t generation;       /* that probe was looked up in */
	const struct probe *probe; /* NULL: no longer configured */
	enum packlogic logic;
	uint8_t formats[TYPE_COUNT]; /* classify_format() */
	bool takes_rows;             /* classify_takes_rows(), and they are written */

	/* while a message is taken */
	const struct packconfig *config;
	bool repeat;
	bool noted;           /* a note said that it is bad */
	uint64_t categorized; /* records that the packing logic gave a type */
	int64_t start_ns;     /* of the last of them */
	struct err write_err;
};

/* bytes: of its ENVELOPE_OPEN, which envelope is parsed from. */
int exporters_open(struct exporters *exporters, uint64_t session, const struct envelope *envelope,
		   struct err *err);
/* NULL: its beginning is lost. */
struct exporter *exporters_find(struct exporters *exporters, uint64_t session);
void exporters_forget(struct exporters *exporters, struct exporter *exporter);
/* A new one, which knows nothing. */
void exporter_make_decoder(struct exporter *exporter);
/* A piece of what a relay knows; with the last the decoder knows it, and nothing else. */
void exporter_take_state(struct exporter *exporter, const struct envelope *envelope);

#endif
