/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The input modes that read files and nothing else: flowcap's files and SiLK files from a directory
 * (fcfiles, respool), one file of NetFlow v5 (pdufile); silk-packing.md 5.2. Each record of a file
 * is packed once, whatever is killed (packer/filestate.h).
 *
 *	st = filepacking_run(&opts, err);		// until the daemon is told to stop
 */
#ifndef TUSSAH_PACKER_FILEPACKING_H
#define TUSSAH_PACKER_FILEPACKING_H

#include "packer/disposal.h"
#include "packer/outputincremental.h"
#include "packer/sensorconf.h"

enum filepacking_mode {
	FILEPACKING_FCFILES,
	FILEPACKING_RESPOOL,
	FILEPACKING_PDUFILE,
};

struct filepacking_opts { /* everything is borrowed */
	enum filepacking_mode mode;
	const struct site *site;
	const struct sensorconf *conf;  /* not of respool */
	const char *incoming_directory; /* not of pdufile */
	const char *netflow_file;       /* of pdufile */
	const struct probe *probe;      /* likewise: its own, or the only one of the conf */
	const char *state_directory;
	struct writer_opts writer;                        /* keeper and place are not looked at */
	const struct keeper_opts *keeper;                 /* NULL: nothing is sealed */
	const struct outputincremental_opts *incremental; /* NULL: hourly files */
	struct disposal_opts disposal;
	int64_t polling_interval_ns;
	int64_t flush_timeout_ns;
};

/*
 * The probe of pdufile mode: the only one of its type that reads from a file, and feeds a sensor.
 * ST_OK; ST_EINVAL with SiLK's words.
 */
int filepacking_find_probe(const struct sensorconf *conf, const struct probe **out,
			   struct err *err);

/*
 * Pack until daemon_stopping(), or until the one file is packed. What happens is logged. ST_OK,
 * also when a bad file has no place to go, which stops the daemon; or why packing cannot go on.
 */
int filepacking_run(const struct filepacking_opts *opts, struct err *err);

#endif
