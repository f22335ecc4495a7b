/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The edge to libpcap: packets from capture files (pcap and pcapng, also compressed with gzip, also
 * from standard input) and from live interfaces, with nanosecond times.
 *
 *	if (capture_open_file(&capture, "x.pcap.gz", NULL, err) == ST_OK) {
 *		while ((st = capture_read(capture, on_packet, arg, err)) == ST_OK) ...
 *		// ST_END: all read
 *	}
 *	capture_close(capture);
 *
 * Threads: one per capture.
 */
#ifndef TUSSAH_SENSOR_CAPTURE_H
#define TUSSAH_SENSOR_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "sensor/pcapfile.h"

struct capture;

struct capture_live_opts {
	const char *interface;
	const char *filter; /* BPF expression, or NULL */
	int snap_bytes;
	bool promiscuous;
	uint64_t ring_bytes; /* kernel buffer; 0: libpcap's default */
};

struct capture_stats {
	uint64_t dropped; /* by kernel and interface; live only */
};

/* One packet; bytes are borrowed until the function returns. */
typedef void (*capture_fn)(void *arg, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
			   uint32_t wire_len);

/*
 * Open a capture file; "-" is standard input. filter: BPF expression, or NULL. Returns ST_OK,
 * ST_EIO, ST_EFORMAT (no capture file), ST_EINVAL (filter).
 */
int capture_open_file(struct capture **out, const char *path, const char *filter, struct err *err);

/* Start capturing. Returns ST_OK, ST_EIO, ST_EINVAL (filter). */
int capture_open_live(struct capture **out, const struct capture_live_opts *opts, struct err *err);
void capture_close(struct capture *capture);

/*
 * Hand at most CAPTURE_BATCH packets to fn. Returns ST_OK, ST_END (end of the file), ST_EAGAIN
 * (live: no packets are there; poll capture_fd()), ST_EFORMAT or ST_EIO (damaged or cut file,
 * interface gone): packets before the damage were handed out.
 */
#define CAPTURE_BATCH 64
int capture_read(struct capture *capture, capture_fn fn, void *arg, struct err *err);

/* Readable when packets are there; live only. */
int capture_fd(const struct capture *capture);
/* The file's or interface's name; borrowed. */
const char *capture_name(const struct capture *capture);
/* libpcap's DLT_ value, and its name. */
int capture_linktype(const struct capture *capture);
const char *capture_linktype_name(const struct capture *capture);
/*
 * How a capture file is to be written that takes any of these packets as it is. Files only. ST_OK,
 * ST_ESUPPORT: capture files have no number for the link type.
 */
int capture_file_form(const struct capture *capture, struct pcapfile_form *out, struct err *err);
void capture_get_stats(struct capture *capture, struct capture_stats *out);

#endif
