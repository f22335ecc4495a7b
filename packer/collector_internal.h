/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the collector share: collector.c, collectorstart.c. */
#ifndef TUSSAH_PACKER_COLLECTOR_INTERNAL_H
#define TUSSAH_PACKER_COLLECTOR_INTERNAL_H

#include <glib.h>
#include <pthread.h>

#include "packer/collector.h"
#include "packer/exporters.h"
#include "packer/feedback.h"
#include "packer/ifkeeper.h"
#include "packer/notelog.h"
#include "packer/packconfig.h"
#include "packer/probetable.h"

/* What the next commit makes durable, from when it is known until it is done. */
struct collector_mark {
	bool set;
	uint64_t entry; /* of the journal: all up to here */
	uint64_t bytes;
	GByteArray *exporters; /* as of entry; NULL: not to be stored this time */
};

struct collector {
	struct collector_opts opts;
	struct packconfigs *configs;
	struct probetable *stats;
	struct notelog *notes;
	struct ifkeeper *interfaces;
	struct iemodel *model; /* one for all decoders: to make it takes long */
	struct feedbacks *feedbacks;
	struct intake *intake;
	struct streamclaims *claims;
	struct journal *journal;

	struct journal_reader *reader; /* of the packing thread */

	/* of the packing thread; of others while they have taking */
	bool seeks;    /* the reader is to go on elsewhere: */
	uint64_t seek; /* there; 0: from the first entry */
	struct exporters *exporters;
	_Atomic uint64_t at;   /* last entry that exporters know of */
	uint64_t repeat_until; /* entries whose records are stored already */
	uint64_t life_begins;  /* the last entry of an earlier run */
	bool connected;        /* that is behind us */

	pthread_t thread;
	bool running;
	atomic_bool stop;
	pthread_rwlock_t taking; /* read: entries are being packed; write: none is */
	_Atomic uint64_t packed;
	_Atomic uint64_t limit; /* no entry behind this one is taken */
	_Atomic uint64_t unsynced_bytes;
	_Atomic int64_t waiting_ns; /* arrival of the last message packed; 0: none waits */
	_Atomic uint64_t ticks;
	pthread_mutex_t packed_lock;
	pthread_cond_t packed_more; /* also when packing ends */
	_Atomic unsigned packed_waiters;

	pthread_mutex_t commit; /* one at a time; guards the following */
	struct collector_mark mark;
	int64_t stored_ns;       /* when exporters were */
	uint64_t stored_len;     /* their bytes */
	uint64_t unstored_bytes; /* of messages committed since */
	_Atomic uint64_t committed;
	uint64_t stored; /* entry that the stored exporters are of */
	_Atomic bool failed;
};

/* Recover the repository, open the journal, and find out where packing goes on and what is in front
 * of it. As collector_start(). */
int collector_recover(struct collector *collector, struct err *err);
/* Packing goes on behind the last commit, with exporters as of then: returns the entry to read
 * from. While nothing is packed. */
uint64_t collector_go_back(struct collector *collector);

#endif
