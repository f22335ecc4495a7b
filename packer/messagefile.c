/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/messagefile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include "common/bigendian.h"
#include "packer/ipfix.h"
#include "packer/pdufile.h"
#include "packer/silkmessage.h"
#include "storage/bytesource.h"
#include "storage/hourfile.h"

#define PDU_VERSION      5
#define PDU_HEADER_BYTES 24
#define PDU_RECORD_BYTES 48
#define PDU_RECORDS_MAX  30

/* How files of a type are read. */
struct messagefile_type {
	int (*open)(struct messagefile *file, const char *path, struct err *err);
	int (*next)(struct messagefile *file, const uint8_t **bytes, size_t *len, struct err *err);
	bool goes_on;
};

struct messagefile {
	const struct messagefile_type *type;
	int fd; /* to ask what it is */
	FILE *messages;
	struct bytesource *packets;
	struct hourfile_reader *records;
	struct batch *batch;
	uint32_t row; /* the next of the batch */
	uint8_t *bytes;
	GByteArray *message;
};

/* ---- IPFIX ---- */

static int ipfix_open(struct messagefile *file, const char *path, struct err *err)
{
	file->bytes = g_malloc(UINT16_MAX);
	file->messages = fopen(path, "rbe");
	return file->messages ? ST_OK : err_errno(err, ST_EFORMAT, errno, "%s", path);
}

static int ipfix_next(struct messagefile *file, const uint8_t **bytes, size_t *len, struct err *err)
{
	int st = ipfix_read_message(file->messages, file->bytes, len, err);

	*bytes = file->bytes;
	return st == ST_ETRUNC ? ST_EFORMAT : st;
}

/* ---- NetFlow v5 ---- */

static int pdu_open(struct messagefile *file, const char *path, struct err *err)
{
	return bytesource_open_gzip(&file->packets, path, err) == ST_OK ? ST_OK : ST_EFORMAT;
}

/* Of a packet that is none the decoder sees two bytes, which it counts as refused. */
static int pdu_next(struct messagefile *file, const uint8_t **bytes, size_t *len, struct err *err)
{
	size_t seen = 0;
	unsigned count;

	if (file->row > 0) {
		bytesource_consume(file->packets, PDUFILE_PACKET_BYTES);
	}
	file->row = 1;
	if (bytesource_view(file->packets, PDUFILE_PACKET_BYTES, bytes, &seen, err) != ST_OK) {
		return ST_EFORMAT;
	}
	if (seen < PDUFILE_PACKET_BYTES) {
		return ST_END;
	}
	count = get_be16(*bytes + 2);
	*len = get_be16(*bytes) != PDU_VERSION ? 2
	       : count > PDU_RECORDS_MAX       ? PDUFILE_PACKET_BYTES
					       : PDU_HEADER_BYTES + count * PDU_RECORD_BYTES;
	return ST_OK;
}

/* ---- flow records ---- */

static int silk_open(struct messagefile *file, const char *path, struct err *err)
{
	file->batch = batch_new();
	file->message = g_byte_array_new();
	batch_want_every(file->batch);
	return hourfile_open(&file->records, path, NULL, err) == ST_OK ? ST_OK : ST_EFORMAT;
}

static int silk_next(struct messagefile *file, const uint8_t **bytes, size_t *len, struct err *err)
{
	int st = ST_OK;

	if (file->row >= file->batch->rows) {
		st = hourfile_read_batch(file->records, file->batch, COLUMNS_ALL, err);
		file->row = 0;
	}
	if (st != ST_OK) {
		return st == ST_END ? ST_END : ST_EFORMAT;
	}
	g_byte_array_set_size(file->message, 0);
	file->row = silkmessage_put(file->message, file->batch, file->row);
	*bytes = file->message->data;
	*len = file->message->len;
	return ST_OK;
}

static const struct messagefile_type messagefile_types[PROBE_TYPES] = {
	[PROBE_NETFLOW_V5] = { pdu_open, pdu_next, true },
	[PROBE_IPFIX] = { ipfix_open, ipfix_next, false },
	[PROBE_SILK] = { silk_open, silk_next, false },
};

/* ---- any ---- */

int messagefile_open(struct messagefile **out, enum probe_type type, const char *path,
		     struct err *err)
{
	struct messagefile *file = g_new0(struct messagefile, 1);
	int st;

	file->type = &messagefile_types[type];
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	st = file->fd < 0 ? err_errno(err, ST_EFORMAT, errno, "%s", path) : ST_OK;
	if (st == ST_OK && !file->type->open) {
		st = err_set(err, ST_EFORMAT, "files are not for %s probes", probe_type_name(type));
	}
	if (st == ST_OK) {
		st = file->type->open(file, path, err);
	}
	if (st != ST_OK) {
		messagefile_close(file);
		return st;
	}
	*out = file;
	return ST_OK;
}

void messagefile_close(struct messagefile *file)
{
	if (!file) {
		return;
	}
	if (file->messages) {
		fclose(file->messages);
	}
	bytesource_close(file->packets);
	hourfile_close(file->records);
	batch_free(file->batch);
	if (file->message) {
		g_byte_array_free(file->message, TRUE);
	}
	g_free(file->bytes);
	if (file->fd >= 0) {
		close(file->fd);
	}
	g_free(file);
}

int messagefile_stat(const struct messagefile *file, struct stat *out)
{
	return fstat(file->fd, out) == 0 ? ST_OK : ST_EIO;
}

bool messagefile_goes_on(const struct messagefile *file)
{
	return file->type->goes_on;
}

int messagefile_next(struct messagefile *file, const uint8_t **bytes, size_t *len, struct err *err)
{
	return file->type->next(file, bytes, len, err);
}
