/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The running packer: listeners, directory pollers and the flush timer around one collector.
 *
 *	struct packing *packing;
 *	st = packing_start(&packing, &opts, site, conf, err);	// takes site and conf
 *	st = packing_reload(packing, site, conf, err);		// on SIGHUP, from the same thread
 *	st = packing_stop(packing, err);
 */
#ifndef TUSSAH_PACKER_PACKING_H
#define TUSSAH_PACKER_PACKING_H

#include "packer/disposal.h"
#include "common/metrictext.h"
#include "packer/collector.h"
#include "packer/outputincremental.h"
#include "packer/relay.h"

struct packing_opts {              /* everything kept until packing_stop() */
	struct writer_opts writer; /* keeper and place are not looked at */
	bool keep;                 /* seal files and keep the catalog */
	struct keeper_opts keeper; /* when keep */
	/* Into incremental files (their names are kept); directory NULL: into hourly ones. */
	struct outputincremental_opts incremental;
	bool by_probe; /* a file for each probe, which incremental.files describes */
	const struct relay_opts *relay; /* nothing is written, all goes there; NULL: not so */
	/* Flush at whole multiples of the timeout since this time of the day (UTC), or, when
	 * negative, since the start. */
	int64_t flush_offset_ns;
	const char *state_directory;
	uint64_t journal_bytes; /* see struct collector_opts */
	struct ipfix_limits limits;
	struct tls_context *tls;  /* NULL: no probe may use TLS */
	unsigned max_connections; /* of each listener */
	int udp_receive_buffer;   /* bytes, of each UDP listener */
	/* Sockets that were opened for us, see struct listen_opts; may be NULL. */
	int (*bound_socket)(void *arg, int type, const struct sockaddr *address, socklen_t len);
	void *bound_socket_arg;
	struct disposal_opts disposal;
	int64_t clock_limit_ns; /* see struct collector_opts */
	int64_t flush_timeout_ns;
	int64_t polling_interval_ns;
	void (*stop)(void); /* ask the daemon to stop: the repository or a directory fails */
};

struct packing;

/*
 * Open every listener, then begin. Both configurations are taken, also on failure; *out is
 * untouched then.
 */
int packing_start(struct packing **out, const struct packing_opts *opts, struct site *site,
		  struct sensorconf *conf, struct err *err);

/* What needs privileges (ports) is open: start pollers and the flush timer. */
int packing_run(struct packing *packing, struct err *err);

/*
 * Change over to another configuration: new listeners are opened first, so that one that cannot be
 * refuses the change and all stays as it is. Both are taken, also on failure.
 */
int packing_reload(struct packing *packing, struct site *site, struct sensorconf *conf,
		   struct err *err);

/* Add all metrics; from any thread. */
void packing_collect_metrics(struct packing *packing, struct metrictext *text);
/*
 * Changes several times a second while work goes on; a disk or a lock that holds everything up
 * makes it stand still. From any thread.
 */
uint64_t packing_ticks(const struct packing *packing);

/* Taken in since the start; from any thread. */
uint64_t packing_messages(const struct packing *packing);

/* Log the statistics lines now. */
void packing_report(struct packing *packing);

/*
 * Take in what has arrived, make it durable, acknowledge it, close everything, free. An error is
 * that of the last flush.
 */
int packing_stop(struct packing *packing, struct err *err);

#endif
