/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files are read through zlib, which passes uncompressed ones on: those of the common form by
 * sensor/pcapread.h, all others behind a stdio stream that libpcap reads. Interfaces are read
 * without blocking: the caller polls, so that its timers run on a silent link, where the capture
 * call itself may not return.
 */
#include "sensor/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/timestamp.h"
#include "sensor/pcapngsnap.h"
#include "sensor/pcapread.h"

#define READ_BUFFER_BYTES (64 * 1024)
#define FILE_HEADER_BYTES 24
#define FILE_HEADER_LINK  20
#define LIVE_TIMEOUT_MS   100 /* the kernel hands over a ring block at least this often */

/* A file, and what was read of it to see what it is. */
struct capture_source {
	gzFile gz;
	struct pcapread *reader;
	struct pcapngsnap snap; /* of what libpcap reads */
};

struct capture {
	struct capture_source
		*source;           /* NULL: libpcap reads; else pcap only knows about the file */
	struct bpf_program filter; /* for packets of the source; without one all pass */
	pcap_t *pcap;
	char *name;
	bool live;
	bool nano;     /* of a file: times may be finer than microseconds */
	capture_fn fn; /* of the capture_read() under way */
	void *arg;
	uint32_t dropped_last; /* libpcap counts in 32 bits; widened here */
	uint64_t dropped;
};

static ssize_t gz_fill(void *arg, uint8_t *out, size_t len)
{
	gzFile gz = arg;
	int got = gzread(gz, out, len > INT_MAX ? INT_MAX : (unsigned)len);
	int code = Z_OK;

	if (got <= 0) {
		gzerror(gz, &code); /* Z_BUF_ERROR: the file ends before its gzip stream does */
	}
	return got < 0 || code != Z_OK ? -1 : got;
}

static int source_close(void *cookie)
{
	struct capture_source *source = cookie;
	int code;

	pcapread_free(source->reader); /* its thread reads from gz */
	code = gzclose_r(source->gz);
	g_free(source);
	return code == Z_OK ? 0 : EOF;
}

static ssize_t source_read(void *cookie, char *out, size_t size)
{
	struct capture_source *source = cookie;
	ssize_t len = pcapread_take(source->reader, out, size);

	if (len < 0) {
		errno = EIO;
	} else {
		pcapngsnap_lift(&source->snap, (uint8_t *)out, (size_t)len);
	}
	return len;
}

/* Reading a file does not wait for others, so that it may be in the hands of a thread. */
static bool is_file(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* ST_OK: its reader knows the file; ST_ESUPPORT: libpcap may. */
static int source_open(struct capture_source **out, const char *path, struct err *err)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct capture_source *source;
	bool threaded = fd >= 0 && is_file(fd);
	gzFile gz;
	int st;

	if (fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	gz = gzdopen(fd, "rb");
	if (gz == NULL) {
		close(fd);
		return err_set(err, ST_EIO, "%s: cannot read", path);
	}
	gzbuffer(gz, READ_BUFFER_BYTES);
	source = g_new0(struct capture_source, 1);
	source->gz = gz;
	*out = source;
	st = pcapread_open(&source->reader, readahead_new(gz_fill, gz, threaded), err);
	return st == ST_OK || st == ST_ESUPPORT ? st : err_prefix(err, "%s", path);
}

static int set_filter(struct capture *capture, const char *filter, struct err *err)
{
	struct bpf_program program;
	int st = ST_OK;

	if (filter == NULL || filter[0] == '\0') {
		return ST_OK;
	}
	if (pcap_compile(capture->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		return err_set(err, ST_EINVAL, "filter '%s': %s", filter,
			       pcap_geterr(capture->pcap));
	}
	if (capture->source != NULL) {
		capture->filter = program;
		return ST_OK;
	}
	if (pcap_setfilter(capture->pcap, &program) != 0) {
		st = err_set(err, ST_EINVAL, "filter '%s': %s", filter, pcap_geterr(capture->pcap));
	}
	pcap_freecode(&program);
	return st;
}

/* libpcap reads the file from its beginning; source is taken. */
static int open_by_libpcap(struct capture *capture, struct capture_source *source, struct err *err)
{
	static const cookie_io_functions_t functions = { .read = source_read,
							 .close = source_close };
	char reason[PCAP_ERRBUF_SIZE] = "";
	FILE *stream = fopencookie(source, "rb", functions);

	if (stream == NULL) {
		source_close(source);
		return err_errno(err, ST_EIO, errno, "%s", capture->name);
	}
	capture->pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO,
								 reason);
	if (capture->pcap == NULL) {
		fclose(stream);
		return err_set(err, ST_EFORMAT, "%s: %s", capture->name, reason);
	}
	return ST_OK;
}

int capture_open_file(struct capture **out, const char *path, const char *filter, struct err *err)
{
	struct capture_source *source = NULL;
	struct capture *capture = g_new0(struct capture, 1);
	int st = source_open(&source, path, err);

	capture->name = g_strdup(path);
	capture->nano = source != NULL && pcapread_is_nano(source->reader);
	if (st == ST_OK) {
		capture->source = source;
		capture->pcap = pcap_open_dead(pcapread_linktype(source->reader),
					       pcapread_snap_bytes(source->reader));
	} else if (st == ST_ESUPPORT) {
		st = open_by_libpcap(capture, source, err);
	} else if (source != NULL) {
		source_close(source);
	}
	if (st == ST_OK) {
		st = set_filter(capture, filter, err);
	}
	if (st != ST_OK) {
		capture_close(capture);
		return st;
	}
	*out = capture;
	return ST_OK;
}

static int configure_live(pcap_t *pcap, const struct capture_live_opts *opts)
{
	uint64_t ring_bytes = opts->ring_bytes > INT_MAX ? INT_MAX : opts->ring_bytes;
	int st = pcap_set_snaplen(pcap, opts->snap_bytes);

	if (st == 0) {
		st = pcap_set_promisc(pcap, opts->promiscuous);
	}
	if (st == 0) {
		st = pcap_set_timeout(pcap, LIVE_TIMEOUT_MS);
	}
	if (st == 0 && ring_bytes != 0) {
		st = pcap_set_buffer_size(pcap, (int)ring_bytes);
	}
	if (st == 0) {
		/* Where only microseconds are to be had, nanoseconds are refused. */
		if (pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO) != 0) {
			pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_MICRO);
		}
		st = pcap_activate(pcap);
	}
	return st;
}

int capture_open_live(struct capture **out, const struct capture_live_opts *opts, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE] = "";
	struct capture *capture = g_new0(struct capture, 1);
	int st;

	capture->name = g_strdup(opts->interface);
	capture->live = true;
	capture->pcap = pcap_create(opts->interface, reason);
	if (capture->pcap == NULL) {
		st = err_set(err, ST_EIO, "%s: %s", opts->interface, reason);
		goto failed;
	}
	st = configure_live(capture->pcap, opts);
	if (st < 0) {
		const char *why = pcap_geterr(capture->pcap);

		st = err_set(err, ST_EIO, "%s: %s", opts->interface,
			     why[0] != '\0' ? why : pcap_statustostr(st));
		goto failed;
	}
	if (pcap_setnonblock(capture->pcap, 1, reason) != 0) {
		st = err_set(err, ST_EIO, "%s: %s", opts->interface, reason);
		goto failed;
	}
	st = set_filter(capture, opts->filter, err);
	if (st != ST_OK) {
		goto failed;
	}
	*out = capture;
	return ST_OK;
failed:
	capture_close(capture);
	return st;
}

void capture_close(struct capture *capture)
{
	if (capture != NULL) {
		if (capture->pcap != NULL) {
			pcap_close(capture->pcap);
		}
		if (capture->source != NULL) {
			source_close(capture->source);
		}
		pcap_freecode(&capture->filter);
		g_free(capture->name);
		g_free(capture);
	}
}

/*
 * Seconds of old files are 32 bits without a sign, which libpcap widens with one; those of pcapng
 * may be anything, and are kept within what nanoseconds can say (until 2262).
 */
static int64_t time_ns_of(const struct timeval *time)
{
	int64_t seconds = time->tv_sec;

	if (seconds < 0 && seconds >= INT32_MIN) {
		seconds += INT64_C(1) << 32;
	}
	seconds = CLAMP(seconds, 0, INT64_MAX / NS_PER_S - 10);
	return seconds * NS_PER_S + time->tv_usec;
}

static void on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct capture *capture = (struct capture *)(void *)user;

	capture->fn(capture->arg, time_ns_of(&header->ts), bytes, header->caplen, header->len);
}

/* For interfaces that give microseconds only. */
static void on_packet_us(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct pcap_pkthdr scaled = *header;

	scaled.ts.tv_usec *= (suseconds_t)NS_PER_US;
	on_packet(user, &scaled, bytes);
}

static bool passes(const struct capture *capture, const struct pcapread_packet *packet)
{
	const struct pcap_pkthdr header = { .caplen = packet->captured, .len = packet->wire_len };

	return capture->filter.bf_insns == NULL ||
	       pcap_offline_filter(&capture->filter, &header, packet->bytes) != 0;
}

static int read_source(const struct capture *capture, capture_fn fn, void *arg, struct err *err)
{
	struct pcapread_packet packet;
	int st = ST_OK;

	for (int i = 0; st == ST_OK && i < CAPTURE_BATCH; i++) {
		st = pcapread_next(capture->source->reader, &packet, err);
		if (st == ST_OK && passes(capture, &packet)) {
			fn(arg, packet.time_ns, packet.bytes, packet.captured, packet.wire_len);
		}
	}
	return st == ST_OK || st == ST_END ? st : err_prefix(err, "%s", capture->name);
}

int capture_read(struct capture *capture, capture_fn fn, void *arg, struct err *err)
{
	bool nano = pcap_get_tstamp_precision(capture->pcap) == PCAP_TSTAMP_PRECISION_NANO;
	int got;

	if (capture->source != NULL) {
		return read_source(capture, fn, arg, err);
	}
	capture->fn = fn;
	capture->arg = arg;
	got = pcap_dispatch(capture->pcap, CAPTURE_BATCH, nano ? on_packet : on_packet_us,
			    (u_char *)capture);
	if (got < 0) {
		return err_set(err, capture->live ? ST_EIO : ST_EFORMAT, "%s: %s", capture->name,
			       pcap_geterr(capture->pcap));
	}
	if (got == 0) {
		return capture->live ? ST_EAGAIN : ST_END;
	}
	return ST_OK;
}

int capture_fd(const struct capture *capture)
{
	return pcap_get_selectable_fd(capture->pcap);
}

const char *capture_name(const struct capture *capture)
{
	return capture->name;
}

int capture_linktype(const struct capture *capture)
{
	return pcap_datalink(capture->pcap);
}

/* libpcap alone knows LINKTYPE_ from DLT_, and tells it in a file. */
int capture_file_form(const struct capture *capture, struct pcapfile_form *out, struct err *err)
{
	uint8_t header[FILE_HEADER_BYTES + 1] = { 0 };
	FILE *stream = fmemopen(header, sizeof(header), "wb");
	pcap_dumper_t *dumper = stream ? pcap_dump_fopen(capture->pcap, stream) : NULL;

	if (dumper == NULL) {
		if (stream != NULL) {
			fclose(stream);
		}
		return err_set(err, ST_ESUPPORT, "%s: %s", capture->name,
			       pcap_geterr(capture->pcap));
	}
	pcap_dump_close(dumper);
	*out = (struct pcapfile_form){
		.snap_bytes = (uint32_t)pcap_snapshot(capture->pcap),
		.nano = capture->nano,
	};
	memcpy(&out->link, header + FILE_HEADER_LINK, sizeof(out->link));
	return ST_OK;
}

const char *capture_linktype_name(const struct capture *capture)
{
	const char *name = pcap_datalink_val_to_name(pcap_datalink(capture->pcap));

	return name != NULL ? name : "unknown";
}

void capture_get_stats(struct capture *capture, struct capture_stats *out)
{
	struct pcap_stat stat;

	if (capture->live && pcap_stats(capture->pcap, &stat) == 0) {
		uint32_t dropped = stat.ps_drop + stat.ps_ifdrop;

		capture->dropped += (uint32_t)(dropped - capture->dropped_last);
		capture->dropped_last = dropped;
	}
	out->dropped = capture->dropped;
}
