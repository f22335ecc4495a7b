/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing packets into a capture file (pcap, in the byte order of the machine).
 *
 *	rc = capture_file_form(capture, &form, err);
 *	rc = pcapfile_create(&file, "pass.pcap", false, &form, err);
 *	rc = pcapfile_write(file, time_ns, bytes, captured, wire_len, err);
 *	rc = pcapfile_close(file, err);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_SENSOR_PCAPFILE_H
#define TUSSAH_SENSOR_PCAPFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct pcapfile;

/* What the header of a capture file says. */
struct pcapfile_form {
	uint32_t link; /* LINKTYPE_, which is not always DLT_, and bits about the check sequence */
	uint32_t snap_bytes;
	bool nano; /* times to the nanosecond; else to the microsecond */
};

/*
 * Have *form do for the packets of another file as well. ST_OK; ST_EINVAL: they are of another
 * link type.
 */
int pcapfile_form_join(struct pcapfile_form *form, const struct pcapfile_form *other,
		       struct err *err);

/*
 * "-" and "stdout" are standard output; a terminal is refused, and so is a file that exists, unless
 * overwrite. ST_OK, ST_EEXIST, ST_EIO.
 */
int pcapfile_create(struct pcapfile **out, const char *path, bool overwrite,
		    const struct pcapfile_form *form, struct err *err);
int pcapfile_write(struct pcapfile *file, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
		   uint32_t wire_len, struct err *err);
/* Write what is buffered, and free, also on failure. NULL is fine. */
int pcapfile_close(struct pcapfile *file, struct err *err);

#endif
